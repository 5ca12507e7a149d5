"""TranscriptionJob -> the Kubernetes Job that does it. Pure."""

from typing import Any

from transcription_api.transcriptionjob import TranscriptionJob
from transcription_contract.exit_codes import FINAL_CODES
from transcription_contract.task import Task
from transcription_operator.policies import names
from transcription_operator.policies.errors import SpecError
from transcription_operator.policies.pod import limits_of, pod_template
from transcription_operator.settings import NodePool, Settings

Manifest = dict[str, Any]


def desired_job(
    parent: TranscriptionJob,
    settings: Settings,
    attempt: int = 1,
    active_deadline_seconds: int | None = None,
) -> Manifest:
    """The Job manifest of one attempt.

    ``active_deadline_seconds``: what the time limit leaves for this Job's next start.

    Raises:
        SpecError: the job asks for what the settings do not have or allow.
    """
    pool = pool_of(parent, settings)
    uid, queue = parent.metadata.uid, parent.spec.queue_name
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": names.child_name(parent.metadata.name, uid, attempt),
            "namespace": parent.metadata.namespace,
            "labels": names.labels(uid) | ({names.QUEUE_LABEL: queue} if queue else {}),
            "annotations": names.annotations(parent.metadata.name),
            "ownerReferences": [parent.owner_reference()],
        },
        "spec": {
            "completionMode": "Indexed",
            "completions": parent.spec.workers,
            "parallelism": parent.spec.workers,
            # Kueue lets a Job go itself, and wants it to wait until then.
            "suspend": parent.spec.suspend or queue is not None,
            # The Job's clock begins anew at each start, so that the caller keeps its own.
            **_unless_none("activeDeadlineSeconds", active_deadline_seconds),
            # Per index, and the Job's own backoffLimit unset: that one adds up the failures of
            # all workers, so that four of them failing once would end the Job.
            "backoffLimitPerIndex": parent.spec.backoff_limit,
            # The first worker that sees the manifest delivered ends the Job for all.
            "successPolicy": {"rules": [{"succeededCount": 1}]},
            "podFailurePolicy": _pod_failure_policy(),
            "template": pod_template(parent, pool, settings, task_of(parent, pool, settings)),
        },
    }


def pool_of(parent: TranscriptionJob, settings: Settings) -> NodePool:
    """Where the job's workers run.

    Raises:
        SpecError: the job names a node pool that the settings do not have.
    """
    name = settings.pool_name(parent.spec.node_pool, parent.spec.model.name)
    if name not in settings.node_pools:
        known = ", ".join(sorted(settings.node_pools))
        raise SpecError(f"there is no node pool {name!r}; the pools are: {known}")
    return settings.node_pools[name]


def task_of(parent: TranscriptionJob, pool: NodePool, settings: Settings) -> Task:
    """What the workers are told."""
    spec = parent.spec
    return Task(
        uid=parent.metadata.uid,
        owner=parent.key,
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
        limits=limits_of(parent, settings),
        model_mirror_uri=settings.models.mirror_uri,
        allowed_networks=settings.source_networks,
    )


def _pod_failure_policy() -> Manifest:
    return {
        "rules": [
            {
                "action": "FailJob",
                "onExitCodes": {
                    "containerName": names.CONTAINER,
                    "operator": "In",
                    "values": list(FINAL_CODES),
                },
            },
            {
                "action": "Ignore",
                "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}],
            },
        ]
    }


def _unless_none(key: str, value: int | None) -> Manifest:
    return {} if value is None else {key: value}
