"""TranscriptionJob -> the Kubernetes Job that does it. Pure."""

from typing import Any

from transcription_api.transcriptionjob import TranscriptionJob
from transcription_contract.exit_codes import FINAL_CODES, UNCOUNTED_CODES
from transcription_contract.task import Task
from transcription_operator.errors import SpecError
from transcription_operator.policies import allowed, metadata, names
from transcription_operator.policies.pod import pod_template
from transcription_operator.policies.pod_resources import limits_of
from transcription_operator.settings import NodePool, Settings

Manifest = dict[str, Any]


def desired_job(
    owner: TranscriptionJob,
    settings: Settings,
    attempt: int = 1,
    active_deadline_seconds: int | None = None,
) -> Manifest:
    """The Job manifest of one attempt.

    ``active_deadline_seconds``: what the time limit leaves for this Job's next start.

    Raises:
        SpecError: the job asks for what the settings do not have or allow.
    """
    pool = settings.node_pools[allowed_pool(owner, settings)]
    uid, queue = owner.metadata.uid, owner.spec.queue_name
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": names.child_name(owner.metadata.name, uid, attempt),
            "namespace": owner.metadata.namespace,
            "labels": metadata.labels(owner, settings)
            | ({names.QUEUE_LABEL: queue} if queue else {}),
            "annotations": metadata.annotations(owner, settings),
            "ownerReferences": [owner.owner_reference()],
        },
        "spec": {
            "completionMode": "Indexed",
            "completions": owner.spec.workers,
            "parallelism": owner.spec.workers,
            # Kueue lets a Job go itself, and wants it to wait until then.
            "suspend": owner.spec.suspend or queue is not None,
            # The Job's clock begins anew at each start, so that the caller keeps its own.
            **_unless_none("activeDeadlineSeconds", active_deadline_seconds),
            # Per index, and the Job's own backoffLimit unset: that one adds up the failures of
            # all workers, so that four of them failing once would end the Job.
            "backoffLimitPerIndex": owner.spec.backoff_limit,
            # The first worker that sees the manifest delivered ends the Job for all.
            "successPolicy": {"rules": [{"succeededCount": 1}]},
            "podFailurePolicy": _pod_failure_policy(),
            "template": pod_template(owner, pool, settings, task_of(owner, pool, settings)),
        },
    }


def allowed_pool(owner: TranscriptionJob, settings: Settings) -> str:
    """The name of the node pool that the job's workers run in.

    Raises:
        SpecError: the job asks for what the settings or the pool do not have or allow.
    """
    name = settings.pool_name(owner.spec.node_pool, owner.spec.model.name)
    if name not in settings.node_pools:
        known = ", ".join(sorted(settings.node_pools))
        raise SpecError(f"there is no node pool {name!r}; the pools are: {known}")
    allowed.check(owner, name, settings)
    return name


def task_of(owner: TranscriptionJob, pool: NodePool, settings: Settings) -> Task:
    """What the workers are told."""
    spec = owner.spec
    return Task(
        uid=owner.metadata.uid,
        owner=owner.key,
        source_uri=spec.source.uri,
        include=spec.source.include,
        exclude=spec.source.exclude,
        output_uri=spec.output.uri,
        formats=spec.output.formats,
        subtitles=spec.output.subtitles,
        audio=spec.source.audio,
        existing=spec.output.if_existing,
        secret_name=spec.object_store.secret,
        model=spec.model,
        language=spec.language,
        task=spec.task,
        decoding=spec.decoding,
        batch_size=spec.decoding.batch_size or pool.default_batch_size,
        workers=spec.workers,
        failure_policy=spec.failure_policy,
        limits=limits_of(owner, settings),
        model_mirror_uri=settings.models.mirror_uri,
        allowed_networks=settings.source_networks,
    )


def _pod_failure_policy() -> Manifest:
    """A pod that somebody deleted is told by its own exit code, or by the DisruptionTarget that the
    operator gives it: Kubernetes does so only for evictions by the API, preemption and taints."""
    return {
        "rules": [
            _on_exit_codes("FailJob", FINAL_CODES),
            {
                "action": "Ignore",
                "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}],
            },
            _on_exit_codes("Ignore", UNCOUNTED_CODES),
        ]
    }


def _on_exit_codes(action: str, codes: tuple[int, ...]) -> Manifest:
    return {
        "action": action,
        "onExitCodes": {
            "containerName": names.CONTAINER,
            "operator": "In",
            "values": list(codes),
        },
    }


def _unless_none(key: str, value: int | None) -> Manifest:
    return {} if value is None else {key: value}
