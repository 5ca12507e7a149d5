"""What is being done and how long it took, on standard error: standard output is for answers."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

_line_is_open = False


def say(text: str = "") -> None:
    """Print one line."""
    global _line_is_open
    if _line_is_open:
        sys.stderr.write("\n")
        _line_is_open = False
    print(text, file=sys.stderr, flush=True)


@contextmanager
def step(text: str, expect: str = "") -> Iterator[None]:
    """Say what is being done and, once it is done, the time it took.

    `expect` says beforehand what a slow step costs when nothing is cached.
    """
    global _line_is_open
    shown = f"  {text}" + (f" ({expect})" if expect else "")
    if _line_is_open:
        sys.stderr.write("\n")
    sys.stderr.write(f"{shown} ... ")
    sys.stderr.flush()
    _line_is_open = True
    started = time.monotonic()
    try:
        yield
    except BaseException:
        say()
        raise
    took = f"{time.monotonic() - started:.1f} s"
    if _line_is_open:
        sys.stderr.write(f"{took}\n")
        _line_is_open = False
    else:
        say(f"  {text}: {took}")
