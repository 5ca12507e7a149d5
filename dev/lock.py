"""One start or stop of the cluster at a time."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from dev.paths import CACHE
from dev.say import say


@contextmanager
def alone() -> Iterator[None]:
    """Wait for another make that is at work on the cluster; the kernel frees a dead one's lock."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another make is at work on the cluster: waiting for it.")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
