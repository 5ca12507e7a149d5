"""How a pod ended or why it does not start -> one reason and one sentence. Pure."""

import re

from transcription_contract.exit_codes import ENDINGS, UNCOUNTED_CODES
from transcription_contract.reasons import canonical
from transcription_contract.termination import Failure, decode
from transcription_operator.policies import architecture, evictions
from transcription_operator.policies.observation import ObservedJob, ObservedPod

_NO_IMAGE = "ImagePullBackOff"
_IMAGE_ADVICE = (
    "check the transcriber's image in the operator's settings, and imagePullSecrets: the Secret "
    "must exist in the job's namespace"
)
_KILLED = 137

STARTING = frozenset({"", "ContainerCreating", "PodInitializing"})
"""Waiting reasons of a pod that is on its way."""

_PULL_BACKOFF = re.compile(r'^Back-off pulling image "[^"]*": [A-Z]\w+: ')
"""While the kubelet backs off, it puts this before the message of its last try."""


def of_pod(pod: ObservedPod) -> Failure | None:
    """Why a pod failed; None when it did not.

    The order matters: a child process that was killed for memory can leave the container with an
    exit code of its own, so the kernel's and the kubelet's words come before the code.
    """
    if pod.phase == "Succeeded" or (pod.exit_code in (None, 0) and pod.phase != "Failed"):
        return None
    if evicted := evictions.failure(pod):
        return evicted
    if pod.reason:
        return Failure(reason=pod.reason, message=f"pod {pod.name}: {pod.message or pod.reason}")
    if pod.ended == "OOMKilled":
        return _out_of_memory(pod)
    return _of_exit_code(pod)


def of_job(job: ObservedJob, pods: tuple[ObservedPod, ...]) -> Failure:
    """Why a Job failed: its most telling pod's word, or the Job controller's."""
    found = [(pod, failure) for pod in pods if (failure := of_pod(pod))]
    final = [failure for pod, failure in found if is_final(pod)]
    if final:
        return final[0]
    if found:
        # What stopped a worker from outside did not end the Job.
        latest = max(found, key=lambda pair: (is_counted(pair[0]), *_finish_order(pair[0])))
        return latest[1]
    reason, message = (
        job.conditions.get("Failed") or job.conditions.get("FailureTarget") or ("", "")
    )
    return Failure(
        reason=reason or "JobFailed",
        message=message or f"Job {job.name} failed and its pods are gone",
    )


def of_pending(pods: tuple[ObservedPod, ...]) -> Failure | None:
    """Why no pod starts, in the scheduler's or the kubelet's own words; None when all is well."""
    for pod in pods:
        if pod.deleting or pod.phase != "Pending":
            continue
        if pod.unscheduled:
            return Failure(reason=pod.unscheduled[0], message=pod.unscheduled[1])
        if pod.waiting and pod.waiting[0] not in STARTING:
            return _not_starting(pod, *pod.waiting)
    return None


def _not_starting(pod: ObservedPod, word: str, message: str) -> Failure:
    if wrong := architecture.failure(pod):
        return wrong
    reason, cause = canonical(word), _PULL_BACKOFF.sub("", message)
    advice = f"; {_IMAGE_ADVICE}" if reason == _NO_IMAGE else ""
    return Failure(reason=reason, message=f"pod {pod.name}: {cause or word}{advice}")


def _out_of_memory(pod: ObservedPod) -> Failure:
    limit = f" of {pod.memory_limit}" if pod.memory_limit else ""
    return Failure(
        reason="OOMKilled",
        message=f"pod {pod.name} needed more memory than its limit{limit}: lower "
        "spec.decoding.batchSize, or raise the limit in spec.resources or in the node pool",
    )


def _of_exit_code(pod: ObservedPod) -> Failure:
    if wrong := architecture.failure(pod):
        return wrong
    last_words = decode(pod.last_words)
    if last_words and last_words.error:
        return last_words.error
    ending = ENDINGS.get(pod.exit_code or -1)
    if ending:
        return Failure(
            reason=ending.reason,
            message=f"pod {pod.name} ended with exit code {pod.exit_code}: {ending.sentence}",
        )
    return Failure(
        reason="WorkerFailed",
        message=f"pod {pod.name} ended with exit code {pod.exit_code}"
        + (f" ({pod.ended})" if pod.ended else "")
        + (": it was killed" if pod.exit_code == _KILLED else ""),
    )


def is_final(pod: ObservedPod) -> bool:
    """Whether it failed in a way that no other pod can mend: the Job is about to fail."""
    ending = ENDINGS.get(pod.exit_code or -1)
    return bool(ending and not ending.retried)


def is_counted(pod: ObservedPod) -> bool:
    """Whether its failure uses up a retry, by the Job's podFailurePolicy."""
    return is_final(pod) or not (pod.disruption is not None or pod.exit_code in UNCOUNTED_CODES)


def _finish_order(pod: ObservedPod) -> tuple[float, str]:
    return (pod.finished_at.timestamp() if pod.finished_at else 0.0, pod.name)
