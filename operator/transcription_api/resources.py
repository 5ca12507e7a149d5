"""spec.resources: resource requests and limits of a worker."""

import re
from decimal import Decimal
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

_QUANTITY = re.compile(
    r"(?P<number>[+-]?([0-9]+\.?[0-9]*|\.[0-9]+))"
    r"([eE](?P<exponent>[+-]?[0-9]{1,2})|(?P<suffix>[KMGTPE]i|[numkMGTPE])?)"
)
_FACTORS = {
    **{suffix: Decimal(10) ** power for suffix, power in zip("num", (-9, -6, -3), strict=True)},
    **{suffix: Decimal(1000) ** power for power, suffix in enumerate("kMGTPE", 1)},
    **{f"{suffix}i": Decimal(1024) ** power for power, suffix in enumerate("KMGTPE", 1)},
}


def amount_of(quantity: str) -> Decimal:
    """A Kubernetes quantity as a number: 1500m is 1.5, 2Ki is 2048.

    Raises:
        ValueError: it is none.
    """
    match = _QUANTITY.fullmatch(quantity)
    if match is None:
        raise ValueError(f"{quantity!r} is not a Kubernetes quantity such as 2, 500m or 8Gi")
    exponent = Decimal(10) ** int(match["exponent"] or 0)
    return Decimal(match["number"]) * _FACTORS.get(match["suffix"] or "", exponent)


class Resources(ApiModel):
    """Amounts by the names of resources."""

    requests: Amounts = Field(
        default={},
        description="Resource requests, such as {cpu: 4, memory: 8Gi}. Resources that are not "
        "named keep the node pool's amounts. The operator's settings may limit the amounts.",
    )
    limits: Amounts = Field(
        default={},
        description="Resource limits, such as {memory: 16Gi, nvidia.com/gpu: 2}. Resources that "
        "are not named keep the node pool's amounts. 0 is not allowed. The operator's settings may "
        "limit the amounts.",
    )
