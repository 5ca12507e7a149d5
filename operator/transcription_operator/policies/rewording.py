"""Changes of nothing but the message: they are written late, and together. Pure.

The scheduler counts the nodes in its message, and the kubelet names addresses and ports: each
change of a node would otherwise rewrite the status of every Pending job.
"""

import re
from datetime import datetime, timedelta

from transcription_api.status import Status
from transcription_operator.policies.wording import skeleton

REWORDED = timedelta(minutes=1)
RECOUNTED = timedelta(minutes=10)
"""Time between two writes of messages that differ, and of those that differ only by numbers or
names of pods."""

_WITHOUT_CAUSE = re.compile(r'Back-off pulling image "[^"]*"(; |$)')
"""From a kubelet that has been restarted since its last try; it replaces no other message. Only
advice follows."""


def wait(past: Status, after: Status, written: datetime | None, now: datetime) -> float | None:
    """Seconds until the change should be written; None for at once.

    Args:
        past: the status as it was written.
        after: the status as it should be.
        written: when ``past`` was written; None if that was not by this process.
        now: the time.
    """
    if not _is_rewording(past, after):
        return None
    before, message = past.message or "", after.message or ""
    if _WITHOUT_CAUSE.search(message):
        return RECOUNTED.total_seconds()
    if written is None:
        return None
    pause = RECOUNTED if skeleton(before) == skeleton(message) else REWORDED
    left = (written + pause - now).total_seconds()
    return left if left > 0 else None


def _is_rewording(past: Status, after: Status) -> bool:
    """Whether only the message differs, and the number of active pods, which follows it."""
    same = {"message": past.message, "conditions": past.conditions, "workers": past.workers}
    return past.message != after.message and after.model_copy(update=same) == past
