"""Pods on nodes that do not answer: released, so that their workers start elsewhere."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from transcription_operator.policies.actions import ReleasePod
from transcription_operator.policies.observation import Observation, ObservedPod

LOST_AFTER = timedelta(seconds=15)
"""A pod that outlives its grace period by this much is on a node that does not answer."""

_AGAIN_SECONDS = 15.0
"""No event says that a node has stopped answering."""


def overdue(pods: tuple[ObservedPod, ...], now: datetime) -> list[ObservedPod]:
    """Pods that should have been gone for a while."""
    return [
        pod
        for pod in pods
        if pod.deletion and now >= pod.deletion + LOST_AFTER and pod.phase in ("Pending", "Running")
    ]


def actions(seen: Observation, now: datetime) -> Iterator[ReleasePod]:
    """Release the pods that outlived their deletion on a node that does not answer."""
    for pod in overdue(seen.pods, now) if seen.may_release else ():
        if pod.evicted or pod.node in seen.silent_nodes:
            yield ReleasePod(pod.name)


def waits(seen: Observation, now: datetime) -> Iterator[float]:
    """Seconds until each pod that is being deleted may be overdue."""
    for pod in seen.pods if seen.may_release else ():
        if pod.deletion and pod.phase in ("Pending", "Running"):
            left = (pod.deletion + LOST_AFTER - now).total_seconds()
            yield left if left > 0 else _AGAIN_SECONDS
