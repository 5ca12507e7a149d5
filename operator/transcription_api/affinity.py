"""spec.podTemplate.affinity: Kubernetes' affinity, restricted to the job's namespace.

Pods of other namespaces cannot be named: where they run is not visible to the job's owner.
"""

from typing import Annotated, Literal

from pydantic import Field

from transcription_api.base import ApiModel

MAX_TERMS = 8
MAX_VALUES = 32

LabelKey = Annotated[str, Field(min_length=1, max_length=317)]
LabelValue = Annotated[
    str, Field(max_length=63, pattern=r"^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$")
]
Labels = Annotated[dict[str, LabelValue], Field(max_length=32)]
Values = Annotated[tuple[LabelValue, ...], Field(max_length=MAX_VALUES)]


class NodeRequirement(ApiModel):
    """Requirement on a node label."""

    key: LabelKey = Field(description="Name of the label.")
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"] = Field(
        description="Comparison of the label's value."
    )
    values: Values | None = Field(
        default=None, description="Values to compare with; not for Exists and DoesNotExist."
    )


class NodeTerm(ApiModel):
    """Requirements that a node meets together."""

    match_expressions: Annotated[tuple[NodeRequirement, ...], Field(max_length=MAX_TERMS)] = Field(
        description="Requirements on node labels. All must be met."
    )


class NodeTerms(ApiModel):
    """Terms of which a node meets at least one."""

    node_selector_terms: Annotated[
        tuple[NodeTerm, ...], Field(min_length=1, max_length=MAX_TERMS)
    ] = Field(description="Terms, of which a node must meet at least one.")


class PreferredNodes(ApiModel):
    """Preference for nodes."""

    weight: int = Field(ge=1, le=100, description="Weight of the preference, from 1 to 100.")
    preference: NodeTerm = Field(description="Term that the nodes meet.")


class NodeAffinity(ApiModel):
    """Node affinity of a worker."""

    required_during_scheduling_ignored_during_execution: NodeTerms | None = Field(
        default=None, description="Nodes that a worker is restricted to."
    )
    preferred_during_scheduling_ignored_during_execution: (
        Annotated[tuple[PreferredNodes, ...], Field(max_length=MAX_TERMS)] | None
    ) = Field(default=None, description="Nodes that a worker prefers.")


class LabelRequirement(ApiModel):
    """Requirement on a pod label."""

    key: LabelKey = Field(description="Name of the label.")
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist"] = Field(
        description="Comparison of the label's value."
    )
    values: Values | None = Field(
        default=None, description="Values to compare with; not for Exists and DoesNotExist."
    )


class LabelSelector(ApiModel):
    """Selector of pods by label."""

    match_labels: Labels | None = Field(default=None, description="Labels of the pods.")
    match_expressions: Annotated[
        tuple[LabelRequirement, ...] | None, Field(max_length=MAX_TERMS)
    ] = Field(default=None, description="Requirements on the labels of the pods.")


class PodTerm(ApiModel):
    """Pods of the job's namespace, and the topology domain."""

    label_selector: LabelSelector = Field(description="Selector of pods in the job's namespace.")
    topology_key: LabelKey = Field(
        description="Node label that defines the topology domain, such as kubernetes.io/hostname."
    )


class PreferredPods(ApiModel):
    """Preference for pods."""

    weight: int = Field(ge=1, le=100, description="Weight of the preference, from 1 to 100.")
    pod_affinity_term: PodTerm = Field(description="Term that the pods meet.")


class PodAffinity(ApiModel):
    """Affinity to pods, or with podAntiAffinity anti-affinity."""

    required_during_scheduling_ignored_during_execution: Annotated[
        tuple[PodTerm, ...] | None, Field(max_length=MAX_TERMS)
    ] = Field(default=None, description="Pods for which the affinity is required.")
    preferred_during_scheduling_ignored_during_execution: Annotated[
        tuple[PreferredPods, ...] | None, Field(max_length=MAX_TERMS)
    ] = Field(default=None, description="Pods for which the affinity is preferred.")


class Affinity(ApiModel):
    """Scheduling affinity."""

    node_affinity: NodeAffinity | None = Field(
        default=None, description="Node affinity of the worker pods."
    )
    pod_affinity: PodAffinity | None = Field(
        default=None, description="Affinity of the worker pods to other pods."
    )
    pod_anti_affinity: PodAffinity | None = Field(
        default=None, description="Anti-affinity of the worker pods to other pods."
    )
