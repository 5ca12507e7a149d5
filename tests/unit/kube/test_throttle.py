import heapq
from collections import Counter

import pytest

from transcription_kube.errors import ApiError, UnreachableError
from transcription_kube.throttle import FairBucket, Retries, TokenBucket, retry_after, wait_after


def test_a_burst_passes_at_once_and_the_rest_at_the_rate():
    bucket = TokenBucket(qps=10, burst=3)
    assert [bucket.reserve(5.0) for _ in range(3)] == [0, 0, 0]
    assert bucket.reserve(5.0) == pytest.approx(0.1)
    assert bucket.reserve(5.0) == pytest.approx(0.2)


def test_tokens_grow_again_but_never_beyond_the_burst():
    bucket = TokenBucket(qps=10, burst=2)
    for _ in range(4):
        bucket.reserve(0.0)
    assert bucket.reserve(0.3) == 0
    assert [bucket.reserve(1000.0) for _ in range(2)] == [0, 0]
    assert bucket.reserve(1000.0) == pytest.approx(0.1)


def test_a_clock_that_goes_back_takes_nothing_away():
    bucket = TokenBucket(qps=10, burst=2)
    bucket.reserve(10.0)
    assert bucket.reserve(9.0) == 0


def test_a_groups_backlog_is_not_anothers_wait():
    bucket = FairBucket(qps=50, burst=100)
    for _ in range(1000):
        bucket.reserve("media", 0.0)
    assert bucket.reserve("media", 0.0) == pytest.approx(18, abs=0.1)
    assert bucket.reserve("legal", 0.0) == 0
    assert bucket.reserve("legal", 0.0) == pytest.approx(2 / 50)


def test_groups_that_always_want_more_share_the_rate_and_keep_to_it():
    bucket, passed = FairBucket(qps=50, burst=10), Counter()
    # Each group has three requests outstanding at any time.
    turns = [(0.0, group) for group in ("a", "b", "c") for _ in range(3)]
    while turns[0][0] < 100:
        now, group = heapq.heappop(turns)
        passed[group] += 1
        heapq.heappush(turns, (now + bucket.reserve(group, now), group))
    assert passed.total() == pytest.approx(50 * 100, rel=0.01)
    assert min(passed.values()) == pytest.approx(max(passed.values()), rel=0.02)


def test_a_group_alone_waits_as_in_a_token_bucket():
    fair, plain = FairBucket(qps=10, burst=3), TokenBucket(qps=10, burst=3)
    for now in [0.0] * 8 + [0.35, 0.35, 9.0] + [9.1] * 5:
        assert fair.reserve("media", now) == pytest.approx(plain.reserve(now))


ALMOST_ONE = 0.999999


CUT = UnreachableError("cut")


def busy(seconds: float) -> ApiError:
    return ApiError(429, "too many requests", retry_after=seconds)


def test_waits_grow_up_to_a_bound_and_are_spread_over_its_upper_half():
    retries = Retries(tries=9, seconds=1000, first_wait=0.5, longest_wait=3)
    waits = [retries.wait(tried, 0, CUT, ALMOST_ONE) for tried in range(1, 6)]
    assert waits == pytest.approx([0.5, 1, 2, 3, 3], rel=1e-3)
    assert retries.wait(5, 0, CUT, 0.0) == 1.5


@pytest.mark.parametrize(
    ("tried", "spent", "error"),
    [(3, 0, CUT), (4, 0, CUT), (1, 3.1, CUT), (1, 0, busy(30.0))],
    ids=[
        "the tries are used up",
        "more than used up",
        "it took too long",
        "asked to wait too long",
    ],
)
def test_it_gives_up_when(tried, spent, error):
    assert Retries().wait(tried, spent, error, 0.5) is None


def test_a_backoff_doubles_up_to_a_bound_and_is_spread_over_its_upper_half():
    waits = [wait_after(failures, ALMOST_ONE) for failures in (1, 2, 3, 8, 9, 99)]
    assert waits == pytest.approx([0.2, 0.4, 0.8, 25.6, 30, 30], rel=1e-3)
    assert wait_after(1, 0.0) == 0.1
    assert wait_after(10_000, 0.0) == 15
    assert wait_after(99, 0.0, longest=60.0) == 30


@pytest.mark.parametrize(
    ("failures", "error", "seconds"),
    [(1, busy(7.0), 7.1), (99, busy(7.0), 22), (1, busy(3600.0), 30.1), (1, CUT, 0.1)],
    ids=["asked", "asked, and many failures", "asked for an hour", "not asked"],
)
def test_what_the_server_asks_for_is_waited_and_the_spread_comes_on_top(failures, error, seconds):
    assert wait_after(failures, 0.0, error) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [(None, None), ("3", 3.0), (" 3 ", 3.0), ("-3", None), ("Wed, 21 Oct 2026", None)],
)
def test_retry_after_is_read_in_seconds(header, seconds):
    assert retry_after(header) == seconds
