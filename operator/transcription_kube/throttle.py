"""How often the API server is asked, and when again. Pure.

A token bucket, as client-go's flowcontrol has it, and exponential backoff with jitter
(https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
"""

from dataclasses import dataclass

from transcription_kube.errors import ApiError

_FIRST_BACKOFF = 0.2
_LONGEST_BACKOFF = 30.0
_LONGEST_RETRY_AFTER = 30.0


class TokenBucket:
    """Lets ``burst`` requests through at once and ``qps`` a second after that, first come, first
    served."""

    def __init__(self, qps: float, burst: int) -> None:
        self._qps = qps
        self._burst = burst
        self._tokens = float(burst)
        self._filled: float | None = None

    def reserve(self, now: float) -> float:
        """Take a token, of the future if need be: the seconds to wait until it is there.

        Args:
            now: a monotonic clock's seconds.
        """
        if self._filled is not None:
            grown = max(0.0, now - self._filled) * self._qps
            self._tokens = min(float(self._burst), self._tokens + grown)
        self._filled = now
        self._tokens -= 1
        return max(0.0, -self._tokens / self._qps)


class FairBucket:
    """A token bucket that several groups share: one group's backlog is not the others' wait.

    A request waits for its turn among all requests, or for its group's earlier ones at an equal
    share of ``qps``, whichever is shorter. It takes a token in either case, so the rate holds.
    """

    def __init__(self, qps: float, burst: int) -> None:
        self._qps = qps
        self._all = TokenBucket(qps, burst)
        self._next: dict[str, float] = {}

    def reserve(self, group: str, now: float) -> float:
        """Take a token for a group's request: the seconds that the request has to wait.

        Args:
            group: whose request it is, such as its namespace.
            now: a monotonic clock's seconds.
        """
        self._next = {each: at for each, at in self._next.items() if at > now}
        turn = self._next.setdefault(group, now)
        self._next[group] = turn + len(self._next) / self._qps
        return min(turn - now, self._all.reserve(now))


@dataclass(frozen=True)
class Retries:
    """When the client sends a request again: at most ``tries`` in all, none begun after
    ``seconds``.

    Only what the API server certainly did not carry out and is likely to accept within seconds: a
    connection that was never made, and a 429 with a Retry-After. The caller waits meanwhile, and
    a caller may be one of the few workers of a queue that all namespaces share. A server error may
    be an admission webhook that hangs for 10 s a try; that, a timeout and a broken connection are
    raised at once. The workqueue then backs off for that key alone, holds no worker, and observes
    again before it acts; informers and elector have a backoff of their own.
    """

    tries: int = 3
    seconds: float = 3.0
    first_wait: float = 0.25
    longest_wait: float = 1.0

    def wait(self, tried: int, spent: float, error: Exception, draw: float) -> float | None:
        """The seconds to wait before the next try, or None to give up.

        Args:
            tried: tries that failed.
            spent: seconds since the first one began.
            error: of the last try.
            draw: a random number of [0, 1).
        """
        if tried >= self.tries:
            return None
        wait = wait_after(tried, draw, error, first=self.first_wait, longest=self.longest_wait)
        return wait if spent + wait <= self.seconds else None


def wait_after(
    failures: int,
    draw: float,
    error: Exception | None = None,
    *,
    first: float = _FIRST_BACKOFF,
    longest: float = _LONGEST_BACKOFF,
) -> float:
    """The seconds to wait after failures in a row: what the server asks for, and a backoff.

    The backoff is half of ``first`` to ``first`` after one failure, twice that after two, and in
    the end half of ``longest`` to ``longest``. It comes on top of a Retry-After, so that those
    who were all refused at once do not come back at once.

    Args:
        failures: how many there were, at least 1.
        draw: a random number of [0, 1).
        error: the last one; of its Retry-After at most 30 s are heeded.
        first, longest: seconds.
    """
    asked = error.retry_after if isinstance(error, ApiError) else None
    # 2 ** 30 is long beyond every wait, and larger powers do not fit a float.
    most = min(longest, first * 2.0 ** min(failures - 1, 30))
    return min(asked or 0.0, _LONGEST_RETRY_AFTER) + most * (1 + draw) / 2


def retry_after(header: str | None) -> float | None:
    """Seconds of a Retry-After header; None for a date, which the API server never sends."""
    if header is None or not header.strip().isdecimal():
        return None
    return float(header)
