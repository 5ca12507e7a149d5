"""The operator's settings; this module alone reads its environment."""

import socket
from ipaddress import ip_network
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from transcription_api.resources import amount_of
from transcription_api.spec import BYTES_PATTERN, bytes_of
from transcription_contract.locations import ObjectUri
from transcription_operator.allow_lists import (
    Entries,
    ObjectStoreRules,
    PodTemplateRules,
    PoolRules,
    Section,
)

PREFIX = "OPERATOR_"


def _is_an_amount(quantity: str) -> str:
    amount_of(quantity)
    return quantity


Amounts = dict[str, Annotated[str, AfterValidator(_is_an_amount)]]
"""Kubernetes quantities by the names of resources."""


class Gpu(Section):
    """What one worker takes of a node's accelerators."""

    resource: str = "nvidia.com/gpu"
    count: int = Field(default=1, ge=1)


class TopologySpread(Section):
    """How the workers of one job spread over the pool's nodes or zones."""

    topology_key: str = Field(min_length=1)
    max_skew: int = Field(default=1, ge=1)
    when_unsatisfiable: Literal["DoNotSchedule", "ScheduleAnyway"] = "ScheduleAnyway"


class NodePool(Section):
    """Where workers run, and with what: a named set of nodes. CPU nodes are a pool like others."""

    namespaces: Entries = ("*",)
    """Of the jobs that may use it."""
    node_selector: dict[str, str] = Field(default={})
    tolerations: tuple[dict[str, Any], ...] = ()
    topology_spread_constraints: tuple[TopologySpread, ...] = ()
    gpu: Gpu | None = None
    resources: dict[str, Amounts] = Field(default={})
    runtime_class_name: str | None = None
    termination_grace_period_seconds: int | None = Field(default=None, ge=1)
    batch_size: int | None = Field(default=None, ge=1, le=256)
    max_workers: int | None = Field(default=None, ge=1)
    max_resources: Amounts = Field(default={})
    allow: PoolRules = PoolRules()

    @property
    def default_batch_size(self) -> int:
        """DESIGN's measured defaults: a GPU wants many windows at once, a CPU gains little."""
        return self.batch_size or (32 if self.gpu else 8)


class ModelCache(Section):
    """A volume that keeps official models between jobs: one of the two."""

    persistent_volume_claim: str | None = Field(default=None, min_length=1)
    host_path: str | None = Field(default=None, pattern="^/")

    @model_validator(mode="after")
    def _is_one_of_both(self) -> "ModelCache":
        if (self.persistent_volume_claim is None) == (self.host_path is None):
            raise ValueError("models.cache needs either persistentVolumeClaim or hostPath")
        return self


class Models(Section):
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


class JobLimits(Section):
    """Limits of every job. Those of files lower a job's own; a job above the others is refused."""

    max_file_bytes: str | None = Field(default=None, max_length=20, pattern=BYTES_PATTERN)
    max_file_seconds: int | None = Field(default=None, ge=1)
    max_workers: int | None = Field(default=None, ge=1)
    max_resources: Amounts = Field(default={})
    """Of each worker."""

    def of_file(self, file_bytes: int, seconds: int) -> tuple[int, int]:
        """What is left of a job's own limits: (bytes, seconds)."""
        most = bytes_of(self.max_file_bytes) if self.max_file_bytes else file_bytes
        return min(file_bytes, most), min(seconds, self.max_file_seconds or seconds)


class _Environment(EnvSettingsSource):
    """Leaves what is no JSON to the validators: raised here, it would hide all other mistakes."""

    def decode_complex_value(self, field_name: str, field: FieldInfo, value: Any) -> Any:
        """The value, or its text."""
        try:
            return super().decode_complex_value(field_name, field, value)
        except ValueError:
            return value


class Settings(BaseSettings):
    """Every setting, as OPERATOR_<NAME>; the chart sets them from its values.

    Raises:
        pydantic.ValidationError: with every mistake at once.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, allow_inf_nan=False)

    transcriber_image: str = Field(min_length=1)
    image_pull_policy: str = "IfNotPresent"
    image_pull_secrets: tuple[str, ...] = ()
    pod_labels: dict[str, str] = {}
    pod_annotations: dict[str, str] = {}
    """Of the pods of all workers; they win over those of spec.podTemplate."""
    propagated_labels: Entries = ()
    propagated_annotations: Entries = ()
    """Of the TranscriptionJob, for its Job and pods."""
    pod_template: PodTemplateRules = PodTemplateRules()
    object_store: ObjectStoreRules = ObjectStoreRules()
    node_pools: dict[str, NodePool] = {"cpu": NodePool()}
    default_node_pool: str = "cpu"
    pool_by_model: dict[str, str] = {}
    service_accounts: Entries = ()
    models: Models = Models()
    limits: JobLimits = JobLimits()
    source_networks: tuple[str, ...] = ()
    watch_namespaces: tuple[str, ...] = ()
    progress_interval_seconds: float = Field(default=5.0, gt=0)
    resync_seconds: float = Field(default=300.0, gt=0)
    max_active_jobs: int | None = Field(default=None, ge=1)
    max_active_jobs_per_namespace: int | None = Field(default=None, ge=1)
    api_qps: float = Field(default=50.0, gt=0, le=10_000)
    api_burst: int = Field(default=100, ge=1, le=10_000)
    log_format: Literal["json", "text"] = "json"
    http_address: str = ""
    """For /healthz, /readyz and /metrics; empty for all addresses of the pod."""
    http_port: int = Field(default=8080, ge=0, le=65535)
    """0 for any free one."""
    leader_election: bool = False
    lease_namespace: str = Field(default="", max_length=63)
    lease_name: str = Field(default="transcription-operator", min_length=1, max_length=253)
    identity: str = Field(default_factory=socket.gethostname, min_length=1, max_length=253)
    lease_duration_seconds: int = Field(default=12, ge=2, le=3600)
    lease_deadline_seconds: float = Field(default=8.0, gt=0)
    lease_retry_seconds: float = Field(default=2.0, gt=0)

    @classmethod
    def settings_customise_sources(  # type: ignore[override]  # called with names alone
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        **_: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, then the environment."""
        return (init_settings, _Environment(settings_cls))

    @field_validator("lease_namespace")
    @classmethod
    def _is_named_for_an_election(cls, namespace: str, others: ValidationInfo) -> str:
        if others.data.get("leader_election") and not namespace:
            raise ValueError("leaderElection needs the namespace of the lease")
        return namespace

    @field_validator("lease_deadline_seconds", "lease_retry_seconds")
    @classmethod
    def _is_shorter(cls, seconds: float, others: ValidationInfo) -> float:
        before = {
            "lease_deadline_seconds": "lease_duration_seconds",
            "lease_retry_seconds": "lease_deadline_seconds",
        }[others.field_name or ""]
        longest = others.data.get(before)
        if longest is not None and seconds >= longest:
            raise ValueError(f"{seconds:g} must be less than {PREFIX}{before.upper()}, {longest:g}")
        return seconds

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
    def _named_pools_exist(self) -> "Settings":
        known = ", ".join(sorted(self.node_pools))
        if self.default_node_pool not in self.node_pools:
            raise ValueError(
                f"defaultNodePool is {self.default_node_pool!r}, but nodePools has: {known}"
            )
        for model, pool in self.pool_by_model.items():
            if pool not in self.node_pools:
                raise ValueError(
                    f"poolByModel sends {model} to {pool!r}, but nodePools has: {known}"
                )
        return self

    def pool_name(self, asked: str | None, model: str | None = None) -> str:
        """The pool that a job asks for, or else its model's, or else the default one."""
        return asked or self.pool_by_model.get(model or "") or self.default_node_pool


def settings_errors(error: ValidationError) -> str:
    """Every mistake on a line of its own, by the name of the variable that has it."""
    return "\n".join(_mistake(each) for each in error.errors())


def _mistake(error: ErrorDetails) -> str:
    sentence = error["msg"].removeprefix("Value error, ")
    if error["type"] in ("dict_type", "tuple_type", "model_type") and isinstance(
        error["input"], str
    ):
        sentence += ", written in JSON"
    if not error["loc"]:
        return sentence
    name, *within = map(str, error["loc"])
    return ": ".join([PREFIX + name.upper(), *([".".join(within)] if within else []), sentence])
