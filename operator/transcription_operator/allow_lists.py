"""Allow-lists: what the administrator lets a job ask for, in the settings and in its node pool.

An entry of a list of names is a name, or a prefix and ``*``; ``*`` alone allows every name.
"""

import re
from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

Entries = tuple[Annotated[str, Field(pattern=r"^([^*]+\*?|\*)$")], ...]


def allows(entries: Iterable[str], name: str) -> bool:
    """Whether a list of names, or of prefixes and ``*``, has this name."""
    return any(
        name.startswith(entry[:-1]) if entry.endswith("*") else name == entry for entry in entries
    )


class Section(BaseModel):
    """A part of the settings, as the chart's values spell it."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        extra="forbid",
        frozen=True,
        coerce_numbers_to_str=True,
    )


class AllowedToleration(Section):
    """Tolerations of one taint.

    The key is required: a toleration without one opens every node.
    """

    key: str = Field(min_length=1)
    operator: Literal["Exists", "Equal"] = "Equal"
    """Exists allows every value."""
    value: str = ""
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None
    """None allows every effect."""


class PodTemplateRules(Section):
    """What spec.podTemplate may add to the worker pods."""

    allowed_env: Entries = (
        "OMP_NUM_THREADS",
        "TZ",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "NO_PROXY",
        "http_proxy",
        "https_proxy",
        "no_proxy",
    )
    allowed_labels: Entries = ()
    allowed_annotations: Entries = (
        "cluster-autoscaler.kubernetes.io/safe-to-evict",
        "karpenter.sh/do-not-disrupt",
    )
    allowed_priority_classes: Entries = ()
    allowed_runtime_classes: Entries = ()
    """Of pools that have no runtimeClassName."""
    allowed_schedulers: Entries = ("default-scheduler",)
    allowed_tolerations: tuple[AllowedToleration, ...] = ()
    allowed_image_pull_secrets: Entries = ()


class PoolRules(Section):
    """What a node pool allows, in addition to podTemplate in the settings."""

    priority_classes: Entries = ()
    runtime_classes: Entries = ()
    schedulers: Entries = ()
    tolerations: tuple[AllowedToleration, ...] = ()


class ObjectStoreRules(Section):
    """Which object stores workers may open with the identity of their pods."""

    allow_pod_identity: bool = False
    allowed_endpoints: tuple[
        Annotated[str, Field(pattern=r"^https?://[A-Za-z0-9.:_*\[\]-]+/?$")], ...
    ] = ()
    """Each ``*`` stands for letters, digits and hyphens, but for no dot."""

    def allows(self, endpoint: str) -> bool:
        """Whether an endpoint is listed, with its scheme and port."""
        return any(_matches(endpoint, listed) for listed in self.allowed_endpoints)


def _matches(endpoint: str, listed: str) -> bool:
    pattern = re.escape(listed.rstrip("/")).replace(r"\*", "[A-Za-z0-9-]+")
    return re.fullmatch(pattern, endpoint.rstrip("/"), re.IGNORECASE) is not None
