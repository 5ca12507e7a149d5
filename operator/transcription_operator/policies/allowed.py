"""What a job may name: the allow-lists of the settings and of its node pool. Pure.

Each problem is a sentence that names the field, the value, and the chart value that would allow it.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import islice

from transcription_api.object_store import ObjectStore
from transcription_api.pod_template import PodTemplate, Toleration, Variable, is_reserved
from transcription_api.transcriptionjob import TranscriptionJob
from transcription_operator.allow_lists import AllowedToleration, ObjectStoreRules, allows
from transcription_operator.errors import SpecError
from transcription_operator.policies import caps
from transcription_operator.settings import NodePool, Settings

_MOST_PROBLEMS = 5
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_DEVICES = "NVIDIA_VISIBLE_DEVICES"
"""Never allowed: NVIDIA's container runtime opens the GPUs that it names, allocated or not."""


def check(owner: TranscriptionJob, pool_name: str, settings: Settings) -> None:
    """Compare a job with what the settings and its node pool allow.

    Raises:
        SpecError: with the first problems.
    """
    if found := [*islice(_problems(owner, pool_name, settings), _MOST_PROBLEMS)]:
        raise SpecError(" ".join(found))


def _problems(owner: TranscriptionJob, pool_name: str, settings: Settings) -> Iterator[str]:
    pool, path = settings.node_pools[pool_name], f"nodePools.{pool_name}"
    namespace, added = owner.metadata.namespace, owner.spec.pod_template
    if not allows(pool.namespaces, namespace):
        yield (
            f"nodePool: jobs of the namespace {namespace!r} may not use the node pool "
            f"{pool_name!r}. Choose another one, or ask the operator's administrator to add the "
            f"namespace to {path}.namespaces."
        )
    yield from caps.problems(owner, pool_name, settings)
    yield from _endpoint(owner.spec.object_store, settings.object_store)
    if added:
        yield from _names(added, settings)
        yield from _environment(added.env, settings)
        yield from _nodes(added, pool, path)
        yield from _classes(added, pool, path, settings)
        yield from _tolerations(added.tolerations, pool, path, settings)


def _endpoint(store: ObjectStore, rules: ObjectStoreRules) -> Iterator[str]:
    if store.endpoint is None:
        return
    if not rules.allow_pod_identity:
        yield (
            "objectStore.endpoint: the operator's settings do not allow the identity of the worker "
            "pods. Use objectStore.secretName, or ask the operator's administrator to set "
            "objectStore.allowPodIdentity."
        )
    elif not rules.allows(store.endpoint):
        listed = rules.allowed_endpoints
        yield _refused(
            "objectStore.endpoint", store.endpoint, listed, "objectStore.allowedEndpoints"
        )


def _names(added: PodTemplate, settings: Settings) -> Iterator[str]:
    rules = settings.pod_template
    for field, keys, listed, value in (
        ("labels", added.labels, rules.allowed_labels, "allowedLabels"),
        ("annotations", added.annotations, rules.allowed_annotations, "allowedAnnotations"),
    ):
        for key in keys:
            if is_reserved(key) or not allows(listed, key):
                yield _refused(f"podTemplate.{field}", key, listed, f"podTemplate.{value}")
    secrets = (*rules.allowed_image_pull_secrets, *settings.image_pull_secrets)
    for secret in added.image_pull_secrets:
        if not allows(secrets, secret):
            value = "podTemplate.allowedImagePullSecrets"
            yield _refused("podTemplate.imagePullSecrets", secret, secrets, value)
    account, accounts = added.service_account_name, settings.service_accounts
    if account is not None and not allows(accounts, account):
        yield _refused("podTemplate.serviceAccountName", account, accounts, "serviceAccounts")


def _environment(variables: Iterable[Variable], settings: Settings) -> Iterator[str]:
    listed = settings.pod_template.allowed_env
    for variable in variables:
        if variable.name == _DEVICES:
            yield f"podTemplate.env: {_DEVICES} is not allowed; the node pool decides on GPUs."
        elif not allows(listed, variable.name):
            yield _refused("podTemplate.env", variable.name, listed, "podTemplate.allowedEnv")
        elif _CONTROL.search(variable.value):
            yield (
                f"podTemplate.env: the value of {variable.name} has a control character, such as "
                "a line break. Remove it."
            )


def _nodes(added: PodTemplate, pool: NodePool, path: str) -> Iterator[str]:
    for key, value in added.node_selector.items():
        stated = pool.node_selector.get(key, value)
        if stated != value:
            yield (
                f"podTemplate.nodeSelector: {key}={value} leaves the node pool, whose nodes have "
                f"{key}={stated} ({path}.nodeSelector). Choose another node pool."
            )


def _classes(added: PodTemplate, pool: NodePool, path: str, settings: Settings) -> Iterator[str]:
    rules, allow = settings.pod_template, pool.allow
    own = pool.runtime_class_name
    # A pool's runtime class may be a sandbox, which no list for all pools opens.
    runtimes = (own,) if own else rules.allowed_runtime_classes
    for field, name, listed, value in (
        (
            "runtimeClassName",
            added.runtime_class_name,
            (*runtimes, *allow.runtime_classes),
            f"{path}.allow.runtimeClasses",
        ),
        (
            "priorityClassName",
            added.priority_class_name,
            (*rules.allowed_priority_classes, *allow.priority_classes),
            f"podTemplate.allowedPriorityClasses or {path}.allow.priorityClasses",
        ),
        (
            "schedulerName",
            added.scheduler_name,
            (*rules.allowed_schedulers, *allow.schedulers),
            f"podTemplate.allowedSchedulers or {path}.allow.schedulers",
        ),
    ):
        if name is not None and not allows(listed, name):
            yield _refused(f"podTemplate.{field}", name, listed, value)


def _tolerations(
    wanted: Iterable[Toleration], pool: NodePool, path: str, settings: Settings
) -> Iterator[str]:
    listed = (*settings.pod_template.allowed_tolerations, *pool.allow.tolerations)
    for toleration in wanted:
        stated = toleration.to_wire()
        if stated in pool.tolerations or any(_covers(each, toleration) for each in listed):
            continue
        text = ", ".join(f"{key}: {value}" for key, value in stated.items())
        yield _refused(
            "podTemplate.tolerations",
            f"{{{text}}}",
            [each.key for each in listed],
            f"podTemplate.allowedTolerations or {path}.allow.tolerations",
        )


def _covers(allowed: AllowedToleration, wanted: Toleration) -> bool:
    """Whether an entry allows a toleration of the same taint, or of less."""
    if wanted.key != allowed.key or allowed.effect not in (None, wanted.effect):
        return False
    if allowed.operator == "Exists":
        return True
    return wanted.operator != "Exists" and (wanted.value or "") == allowed.value


def _refused(field: str, stated: str, listed: Iterable[str], value: str) -> str:
    allowed = ", ".join(sorted(set(listed))) or "none"
    return (
        f"{field}: {stated!r} is not allowed by the operator's settings; allowed: {allowed}. Ask "
        f"the operator's administrator to add it to {value}."
    )
