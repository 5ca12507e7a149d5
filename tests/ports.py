"""Ports for servers that a test starts."""

import random
import socket

_RANGE = range(20_000, 32_000)
"""Below the kernel's ephemeral ports (from 32768 on): one of those may become the near end of
anybody's connection between our look and the server's start."""


def free_ports(count: int) -> range:
    """So many ports in a row that nobody listens on just now."""
    start = random.randrange(_RANGE.start, _RANGE.stop - count)
    for first in (*range(start, _RANGE.stop - count), *range(_RANGE.start, start)):
        found = range(first, first + count)
        if all(map(_is_free, found)):
            return found
    raise RuntimeError(f"there are no {count} free ports in a row in {_RANGE}")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
