"""spec.objectStore: access to the object store."""

from pydantic import Field

from transcription_api.base import ApiModel

DEFAULT_SECRET = "transcription-object-store"


class ObjectStore(ApiModel):
    """A Secret, or an endpoint that accepts the identity of the worker pods."""

    secret_name: str | None = Field(
        default=None,
        min_length=1,
        max_length=253,
        description="Name of a Secret in the job's namespace with the keys endpoint, accessKey and "
        "secretKey, and optionally region, sessionToken, caCert (PEM), addressing, requestPayer, "
        f"serverSideEncryption and kmsKeyId. Defaults to {DEFAULT_SECRET} if endpoint is not set.",
    )
    endpoint: str | None = Field(
        default=None,
        max_length=253,
        pattern=r"^https?://[A-Za-z0-9.:_\[\]-]+/?$",
        description="URL of the object store, such as https://s3.eu-central-1.amazonaws.com, "
        "instead of a Secret. The workers then use the identity of their pods: IRSA or EKS Pod "
        "Identity by podTemplate.serviceAccountName, or the role of the node. Must be allowed by "
        "the operator's settings.",
    )
    region: str | None = Field(
        default=None,
        max_length=63,
        pattern=r"^[a-z0-9-]+$",
        description="Region of the object store, such as eu-central-1. Only with endpoint: a "
        "Secret has a key region.",
    )

    @property
    def secret(self) -> str | None:
        """The Secret with the keys; None if the identity of the pods is used."""
        return self.secret_name or (None if self.endpoint else DEFAULT_SECRET)
