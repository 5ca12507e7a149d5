"""spec.podTemplate: restricted additions to the worker pods.

What a pod can reach (volumes, host namespaces, privileges, tokens) is not among it, and neither are
the names by which the operator, Kubernetes and Kueue know a pod. Of the rest, a job may use what
the operator's settings list: the operator compares them, since the CRD cannot know them.
"""

from typing import Annotated, Literal

from pydantic import Field
from pydantic.config import JsonDict

from transcription_api import GROUP
from transcription_api.affinity import Affinity, LabelKey, Labels, LabelValue
from transcription_api.base import ApiModel, rule
from transcription_contract.task import TASK_VARIABLE, WORKER_INDEX_VARIABLE

MAX_ITEMS = 32

_KEY_PREFIXES = (
    f"{GROUP}/",
    "batch.kubernetes.io/",
    "kueue.x-k8s.io/",
    # Older spellings of a securityContext.
    "container.apparmor.security.beta.kubernetes.io/",
    "container.seccomp.security.alpha.kubernetes.io/",
    "seccomp.security.alpha.kubernetes.io/",
    # An identity that no list in the settings allows.
    "iam.amazonaws.com/",
)
_KEYS = (
    "controller-uid",
    "job-name",
    "app.kubernetes.io/name",
    "app.kubernetes.io/managed-by",
)
_VARIABLE_PREFIXES = ("AWS_", "LD_", "PYTHON")
"""The object store's keys, which spec.objectStore gives, and ways to run other code beside them."""

_VARIABLES = (
    TASK_VARIABLE,
    WORKER_INDEX_VARIABLE,
    "CA_CERTIFICATE_PATH",
    "METRICS_PORT",
    "MODEL_DIRECTORY",
    "PATH",
    "TERMINATION_PATH",
    "WORK_DIRECTORY",
)

Name = Annotated[
    str, Field(min_length=1, max_length=253, pattern=r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$")
]


def _is_taken(text: str, prefixes: tuple[str, ...], names: tuple[str, ...]) -> str:
    """CEL for: ``text`` is one of the names, or begins like the others.

    No regular expression: the API server takes a map's keys for megabytes long, and refuses a rule
    that would be so dear.
    """
    begins = (f"{text}.startsWith('{prefix}')" for prefix in prefixes)
    return " || ".join([f"{text} in {list(names)}", *begins])


def is_reserved(key: str) -> bool:
    """Whether a label or an annotation belongs to the operator, Kubernetes or Kueue."""
    return key in _KEYS or key.startswith(_KEY_PREFIXES)


def _untaken_keys(field: str) -> JsonDict:
    return rule(
        f"self.all(key, !({_is_taken('key', _KEY_PREFIXES, _KEYS)}))",
        f"podTemplate.{field} may not set names that the operator, Kubernetes or Kueue use for "
        f"themselves: those below {', '.join(_KEY_PREFIXES)} and {', '.join(_KEYS)}",
    )


class Variable(ApiModel):
    """An environment variable of the worker."""

    name: str = Field(
        max_length=128,
        pattern=r"^[A-Za-z_][A-Za-z0-9_]*$",
        description="Name of the variable, such as OMP_NUM_THREADS or HTTPS_PROXY. Must be allowed "
        "by the operator's settings.",
        json_schema_extra={
            "x-kubernetes-validations": [
                rule(
                    f"!({_is_taken('self', _VARIABLE_PREFIXES, _VARIABLES)})",
                    "podTemplate.env may not set variables that the operator sets, or that could "
                    "run other code in the worker: those that begin with "
                    f"{', '.join(_VARIABLE_PREFIXES)}, and {', '.join(_VARIABLES)}",
                )
            ]
        },
    )
    value: str = Field(
        default="",
        max_length=4096,
        description="Value of the variable, without control characters. $(NAME) is not expanded.",
    )


class Toleration(ApiModel):
    """Toleration of a node taint."""

    key: LabelKey | None = Field(
        default=None, description="Key of the taint. Unset matches every taint."
    )
    operator: Literal["Exists", "Equal"] | None = Field(
        default=None, description="Exists or Equal. Defaults to Equal."
    )
    value: LabelValue | None = Field(
        default=None, description="Value of the taint. Only with Equal."
    )
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = Field(
        default=None, description="Effect of the taint. Unset matches every effect."
    )
    toleration_seconds: int | None = Field(
        default=None,
        ge=0,
        le=2**31 - 1,
        description="Seconds that the taint is tolerated. Only with NoExecute. Defaults to no "
        "limit.",
    )


class PodTemplate(ApiModel):
    """Additions to the worker pods."""

    labels: Labels = Field(
        default={},
        description="Labels of the pods and of their Job. Each name must be allowed by the "
        "operator's settings.",
        json_schema_extra={"x-kubernetes-validations": [_untaken_keys("labels")]},
    )
    annotations: Annotated[
        dict[str, Annotated[str, Field(max_length=4096)]], Field(max_length=MAX_ITEMS)
    ] = Field(
        default={},
        description="Annotations of the pods. Each name must be allowed by the operator's "
        "settings.",
        json_schema_extra={"x-kubernetes-validations": [_untaken_keys("annotations")]},
    )
    service_account_name: Name | None = Field(
        default=None,
        description="Name of a service account in the job's namespace that the operator's settings "
        "allow. It is an identity for the object store; its token is not mounted. Defaults to the "
        "default service account.",
    )
    node_selector: Labels = Field(
        default={},
        description="Labels that a node must have, in addition to the node pool's, which cannot be "
        "changed.",
    )
    tolerations: Annotated[tuple[Toleration, ...], Field(max_length=MAX_ITEMS)] = Field(
        default=(),
        description="Tolerated taints, in addition to the node pool's. Each must be allowed by the "
        "operator's settings.",
    )
    affinity: Affinity | None = Field(
        default=None, description="Scheduling affinity of the worker pods."
    )
    priority_class_name: Name | None = Field(
        default=None,
        description="PriorityClass of the pods. Must be allowed by the operator's settings.",
        json_schema_extra={
            "x-kubernetes-validations": [
                rule(
                    "!self.startsWith('system-')",
                    "podTemplate.priorityClassName may not begin with system-: those classes are "
                    "the cluster's own",
                )
            ]
        },
    )
    image_pull_secrets: Annotated[tuple[Name, ...], Field(max_length=MAX_ITEMS)] = Field(
        default=(),
        description="Names of Secrets with registry credentials, in addition to those in the "
        "operator's settings, which must allow each.",
    )
    env: Annotated[tuple[Variable, ...], Field(max_length=MAX_ITEMS)] = Field(
        default=(),
        description="Environment variables of the worker.",
        json_schema_extra={
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["name"],
        },
    )
    runtime_class_name: Name | None = Field(
        default=None,
        description="RuntimeClass of the pods. Must be allowed by the node pool or, if the pool "
        "has none, by the operator's settings. Defaults to the node pool's.",
    )
    scheduler_name: Name | None = Field(
        default=None,
        description="Scheduler of the pods. Must be allowed by the operator's settings. Defaults "
        "to default-scheduler.",
    )
