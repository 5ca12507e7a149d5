"""Pods that somebody deletes: no failure of their worker, however the worker ends.

A worker that stops in time says so by its exit code. One that is killed, because it has no time
(`kubectl delete --force`) or does not listen yet, ends like one that crashed, and would use up a
retry. The condition DisruptionTarget, which the Job ignores, tells the two apart.
"""

from collections.abc import Iterator

from transcription_operator.policies.actions import MarkDeleted
from transcription_operator.policies.observation import Observation


def actions(seen: Observation) -> Iterator[MarkDeleted]:
    """Mark the pods that are being deleted while the Job needs them."""
    job = seen.job
    if job is None or job.finished or job.suspended or not seen.may_release:
        return
    for pod in seen.pods:
        if pod.deleting and not pod.has_ended and pod.disruption is None:
            yield MarkDeleted(pod.name)
