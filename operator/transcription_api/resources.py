"""spec.resources: resource requests and limits of a worker."""

from typing import Annotated

from pydantic import BeforeValidator, Field, WithJsonSchema

from transcription_api.base import ApiModel

Quantity = Annotated[
    str,
    # People write cpu: 2, as Kubernetes allows.
    BeforeValidator(lambda amount: str(amount) if isinstance(amount, int) else amount),
    WithJsonSchema(
        {
            "x-kubernetes-int-or-string": True,
            "pattern": r"^[0-9]+(\.[0-9]+)?([kMGTPE]i?|Ki|m)?$",
            "maxLength": 32,
        }
    ),
]
Amounts = Annotated[dict[str, Quantity], Field(max_length=16)]


class Resources(ApiModel):
    """Amounts by the names of resources."""

    requests: Amounts = Field(
        default={},
        description="Resource requests, such as {cpu: 4, memory: 8Gi}. Resources that are not "
        "named keep the node pool's amounts.",
    )
    limits: Amounts = Field(
        default={},
        description="Resource limits, such as {memory: 16Gi, nvidia.com/gpu: 2}. Resources that "
        "are not named keep the node pool's amounts.",
    )
