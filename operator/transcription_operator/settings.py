"""The operator's settings; this module alone reads its environment."""

from ipaddress import ip_network
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic.alias_generators import to_camel
from pydantic_settings import BaseSettings, SettingsConfigDict

from transcription_contract.locations import ObjectUri

PREFIX = "OPERATOR_"


class _Section(BaseModel):
    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True
    )


class Gpu(_Section):
    """What one worker takes of a node's accelerators."""

    resource: str = "nvidia.com/gpu"
    count: int = Field(default=1, ge=1)


class NodePool(_Section):
    """Where workers run, and with what: a named set of nodes. CPU nodes are a pool like others."""

    node_selector: dict[str, str] = {}
    tolerations: tuple[dict[str, Any], ...] = ()
    gpu: Gpu | None = None
    resources: dict[str, dict[str, str]] = {}
    runtime_class_name: str | None = None
    batch_size: int | None = Field(default=None, ge=1, le=256)

    @property
    def default_batch_size(self) -> int:
        """DESIGN's measured defaults: a GPU wants many windows at once, a CPU gains little."""
        return self.batch_size or (32 if self.gpu else 8)


class ModelCache(_Section):
    """A volume that keeps official models between jobs: one of the two."""

    persistent_volume_claim: str | None = Field(default=None, min_length=1)
    host_path: str | None = Field(default=None, pattern="^/")

    @model_validator(mode="after")
    def _is_one_of_both(self) -> "ModelCache":
        if (self.persistent_volume_claim is None) == (self.host_path is None):
            raise ValueError("models.cache needs either persistentVolumeClaim or hostPath")
        return self


class Models(_Section):
    """Where workers find official models before they turn to the internet."""

    mirror_uri: str | None = None
    cache: ModelCache | None = None

    @field_validator("mirror_uri")
    @classmethod
    def _is_a_prefix(cls, uri: str | None) -> str | None:
        if uri is not None:
            parsed = ObjectUri.parse(uri)
            if parsed.scheme != "s3" or not parsed.is_prefix:
                raise ValueError(f"models.mirrorUri {uri!r} must be a prefix such as s3://models/")
        return uri


class Settings(BaseSettings):
    """Every setting, as OPERATOR_<NAME>; the chart sets them from its values.

    Raises:
        pydantic.ValidationError: with every mistake at once.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True)

    transcriber_image: str = Field(min_length=1)
    image_pull_policy: str = "IfNotPresent"
    image_pull_secrets: tuple[str, ...] = ()
    node_pools: dict[str, NodePool] = {"cpu": NodePool()}
    default_node_pool: str = "cpu"
    models: Models = Models()
    source_networks: tuple[str, ...] = ()
    watch_namespaces: tuple[str, ...] = ()
    progress_interval_seconds: float = Field(default=5.0, gt=0)
    resync_seconds: float = Field(default=300.0, gt=0)
    liveness_endpoint: str | None = None

    @field_validator("source_networks")
    @classmethod
    def _are_networks(cls, networks: tuple[str, ...]) -> tuple[str, ...]:
        for network in networks:
            try:
                ip_network(network)
            except ValueError as error:
                raise ValueError(
                    f"sourceNetworks needs CIDRs such as 10.0.0.0/8: {error}"
                ) from None
        return networks

    @model_validator(mode="after")
    def _default_pool_exists(self) -> "Settings":
        if self.default_node_pool not in self.node_pools:
            known = ", ".join(sorted(self.node_pools))
            raise ValueError(
                f"defaultNodePool is {self.default_node_pool!r}, but nodePools has: {known}"
            )
        return self

    def pool(self, name: str | None) -> NodePool | None:
        """The pool of that name, the default one for None, or None when there is no such pool."""
        return self.node_pools.get(name if name is not None else self.default_node_pool)
