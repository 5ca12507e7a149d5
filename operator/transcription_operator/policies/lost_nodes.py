"""Pods on nodes that do not answer: released, so that their workers start elsewhere."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from transcription_operator.policies.actions import EndPod
from transcription_operator.policies.observation import Observation, ObservedPod

LOST_AFTER = timedelta(seconds=15)
"""A pod that outlives its grace period by this much is lost if its node is not ready."""

EVICTED_AFTER = timedelta(seconds=60)
"""The same where the operator may not read nodes, of a pod that the taint manager has evicted: it
also evicts from a healthy node that has a NoExecute taint, where a pod may only be slow to end."""

_TAINT_MANAGER = "DeletionByTaintManager"

_AGAIN_SECONDS = 15.0
"""No event says that a node has stopped answering."""


def overdue(pods: tuple[ObservedPod, ...], now: datetime) -> list[ObservedPod]:
    """Pods that should have been gone for a while."""
    return [
        pod
        for pod in pods
        if pod.deletion and now >= pod.deletion + LOST_AFTER and not pod.has_ended
    ]


def actions(seen: Observation, now: datetime) -> Iterator[EndPod]:
    """End the pods that outlived their deletion on a node that does not answer."""
    for pod in overdue(seen.pods, now) if seen.may_release else ():
        if pod.node in seen.silent_nodes:
            yield _lost(pod, f"Node {pod.node} is not ready, and the pod outlived its deletion")
        elif pod.node in seen.unknown_nodes and _outlived_its_eviction(pod, now):
            yield _lost(pod, f"The pod outlived its eviction from node {pod.node}")


def _lost(pod: ObservedPod, message: str) -> EndPod:
    return EndPod(pod.name, "Failed", message, reason="NodeLost")


def _outlived_its_eviction(pod: ObservedPod, now: datetime) -> bool:
    return (
        pod.disruption == _TAINT_MANAGER
        and pod.deletion is not None
        and now >= pod.deletion + EVICTED_AFTER
    )


def waits(seen: Observation, now: datetime) -> Iterator[float]:
    """Seconds until each pod that is being deleted may be overdue."""
    for pod in seen.pods if seen.may_release else ():
        if pod.deletion and not pod.has_ended:
            left = (pod.deletion + LOST_AFTER - now).total_seconds()
            yield left if left > 0 else _AGAIN_SECONDS
