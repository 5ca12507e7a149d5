"""spec.objectStore: how the workers reach the object store."""

from pydantic import Field

from transcription_operator.api.base import ApiModel

DEFAULT_SECRET = "transcription-object-store"


class ObjectStore(ApiModel):
    """A Secret, or an address for which the pod's own identity is good."""

    secret_name: str | None = Field(
        default=None,
        min_length=1,
        max_length=253,
        description="A Secret in the job's namespace with the keys endpoint, accessKey and "
        "secretKey, and, where needed, region, sessionToken, caCert (PEM), addressing, "
        "requestPayer, serverSideEncryption and kmsKeyId. Default: "
        f"{DEFAULT_SECRET}, where no endpoint is given.",
    )
    endpoint: str | None = Field(
        default=None,
        max_length=253,
        pattern=r"^https?://[A-Za-z0-9.:_\[\]-]+/?$",
        description="Instead of a Secret: the store's address, such as "
        "https://s3.eu-central-1.amazonaws.com. The workers then use the keys that AWS gives "
        "their pods: IRSA or EKS Pod Identity by podTemplate.serviceAccountName, or the node's "
        "role.",
    )
    region: str | None = Field(
        default=None,
        max_length=63,
        pattern=r"^[a-z0-9-]+$",
        description="With endpoint: the store's region, such as eu-central-1. A Secret has it as "
        "its key region.",
    )

    @property
    def secret(self) -> str | None:
        """The Secret with the keys; None where the pod's own identity is used."""
        return self.secret_name or (None if self.endpoint else DEFAULT_SECRET)
