"""spec.podTemplate.affinity: Kubernetes' own, as far as a namespace's user needs it.

Pods of other namespaces cannot be named: which of them run where is none of the user's business.
"""

from typing import Annotated, Literal

from pydantic import Field

from transcription_operator.api.base import ApiModel

MAX_TERMS = 8
MAX_VALUES = 32

LabelKey = Annotated[str, Field(min_length=1, max_length=317)]
LabelValue = Annotated[
    str, Field(max_length=63, pattern=r"^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$")
]
Labels = Annotated[dict[str, LabelValue], Field(max_length=32)]
Values = Annotated[tuple[LabelValue, ...], Field(max_length=MAX_VALUES)]


class NodeRequirement(ApiModel):
    """What a node's label must be."""

    key: LabelKey = Field(description="The label's name.")
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"] = Field(
        description="How the label's value is compared."
    )
    values: Values | None = Field(
        default=None, description="What it is compared with; none for Exists and DoesNotExist."
    )


class NodeTerm(ApiModel):
    """Requirements that a node meets together."""

    match_expressions: Annotated[tuple[NodeRequirement, ...], Field(max_length=MAX_TERMS)] = Field(
        description="Requirements on the node's labels, all of which must be met."
    )


class NodeTerms(ApiModel):
    """Terms of which a node meets at least one."""

    node_selector_terms: Annotated[
        tuple[NodeTerm, ...], Field(min_length=1, max_length=MAX_TERMS)
    ] = Field(description="Terms of which a node must meet one.")


class PreferredNodes(ApiModel):
    """Nodes that are better than others."""

    weight: int = Field(ge=1, le=100, description="How much better, from 1 to 100.")
    preference: NodeTerm = Field(description="Which nodes.")


class NodeAffinity(ApiModel):
    """Which nodes a worker must or should run on."""

    required_during_scheduling_ignored_during_execution: NodeTerms | None = Field(
        default=None, description="Nodes on which alone it runs."
    )
    preferred_during_scheduling_ignored_during_execution: (
        Annotated[tuple[PreferredNodes, ...], Field(max_length=MAX_TERMS)] | None
    ) = Field(default=None, description="Nodes that are better than others.")


class LabelRequirement(ApiModel):
    """What a pod's label must be."""

    key: LabelKey = Field(description="The label's name.")
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist"] = Field(
        description="How the label's value is compared."
    )
    values: Values | None = Field(
        default=None, description="What it is compared with; none for Exists and DoesNotExist."
    )


class LabelSelector(ApiModel):
    """Which pods."""

    match_labels: Labels | None = Field(default=None, description="Labels that they have.")
    match_expressions: Annotated[
        tuple[LabelRequirement, ...] | None, Field(max_length=MAX_TERMS)
    ] = Field(default=None, description="Requirements on their labels.")


class PodTerm(ApiModel):
    """Pods of the job's namespace, and how near is near."""

    label_selector: LabelSelector = Field(description="Which pods of the job's namespace.")
    topology_key: LabelKey = Field(
        description="The label whose value near nodes share, such as kubernetes.io/hostname."
    )


class PreferredPods(ApiModel):
    """Pods that it is better to be near to, or away from."""

    weight: int = Field(ge=1, le=100, description="How much better, from 1 to 100.")
    pod_affinity_term: PodTerm = Field(description="Which pods.")


class PodAffinity(ApiModel):
    """Which pods a worker must or should be near to; for podAntiAffinity, away from."""

    required_during_scheduling_ignored_during_execution: Annotated[
        tuple[PodTerm, ...] | None, Field(max_length=MAX_TERMS)
    ] = Field(default=None, description="Pods for which this must be so.")
    preferred_during_scheduling_ignored_during_execution: Annotated[
        tuple[PreferredPods, ...] | None, Field(max_length=MAX_TERMS)
    ] = Field(default=None, description="Pods for which this is better.")


class Affinity(ApiModel):
    """Where a worker is drawn to."""

    node_affinity: NodeAffinity | None = Field(
        default=None, description="Which nodes a worker must or should run on."
    )
    pod_affinity: PodAffinity | None = Field(
        default=None, description="Which pods it must or should be near to."
    )
    pod_anti_affinity: PodAffinity | None = Field(
        default=None, description="Which pods it must or should be away from."
    )
