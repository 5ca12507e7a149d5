"""Containers that others add to the workers' pods, such as the proxy of a service mesh, and that
run on when the worker has ended: the operator ends such a pod in the way its worker ended.

Native sidecars (init containers that are restarted always) need none of this: the kubelet stops
them.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from transcription_contract.termination import Failure
from transcription_operator.policies import failures
from transcription_operator.policies.actions import EndPod
from transcription_operator.policies.observation import Observation, ObservedPod

ENDED_AFTER = timedelta(seconds=15)
"""Time that other containers get to stop by themselves."""

GIVEN_UP_AFTER = timedelta(seconds=45)
"""If the pod still runs then, the operator may not write its status, or the kubelet does not follow
it: its Job is deleted instead."""


def actions(seen: Observation, now: datetime) -> Iterator[EndPod]:
    """End the pods in which only other containers run."""
    for pod in _lingering(seen, now, ENDED_AFTER):
        yield EndPod(
            pod.name,
            "Succeeded" if pod.exit_code == 0 else "Failed",
            f"The transcriber ended with exit code {pod.exit_code}; the operator ended the pod, in "
            f"which these containers still ran: {', '.join(pod.still_running)}",
        )


def has_delivered(seen: Observation, now: datetime) -> bool:
    """Whether a worker succeeded in a pod that the operator could not end."""
    return any(pod.exit_code == 0 for pod in _lingering(seen, now, GIVEN_UP_AFTER))


def final_failure(seen: Observation, now: datetime) -> Failure | None:
    """Why the job fails, if a worker failed for good in a pod that the operator could not end."""
    lingering = _lingering(seen, now, GIVEN_UP_AFTER)
    return next((failures.of_pod(pod) for pod in lingering if failures.is_final(pod)), None)


def hold_up_the_end(seen: Observation, now: datetime) -> bool:
    """Whether a job that has ended has pods that the operator could not end."""
    return bool(_lingering(seen, now, GIVEN_UP_AFTER))


def waits(seen: Observation, now: datetime) -> Iterator[float]:
    """Seconds until there is something to do about each such pod."""
    for pod in _lingering(seen, now, timedelta.min):
        ended = pod.finished_at or now
        yield from (
            (ended + after - now).total_seconds()
            for after in (ENDED_AFTER, GIVEN_UP_AFTER)
            if ended + after > now
        )


def _lingering(seen: Observation, now: datetime, at_least: timedelta) -> list[ObservedPod]:
    """The pods whose worker ended at least so long ago; one that is being deleted ends anyway."""
    return [
        pod
        for pod in seen.pods
        if pod.still_running
        and not pod.has_ended
        and not pod.deleting
        and (pod.finished_at is None or now - pod.finished_at >= at_least)
    ]
