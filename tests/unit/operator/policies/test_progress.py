from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.unit.operator.builders import NOW
from transcription_api.progress import Progress
from transcription_contract import metric_names
from transcription_operator.policies.progress import Reading, advance, is_further, parse, reading_of


def reading(seconds: float, processed: float, total: float = 1000, **items: int) -> Reading:
    return Reading(NOW + timedelta(seconds=seconds), processed, total, **items)


def without_speed(before: Progress | None, latest: Reading) -> Progress:
    """The next progress when the workers have just begun."""
    return advance(before, latest, latest)


def test_prometheus_text_gives_the_job_gauges_alone():
    text = (
        f"# TYPE {metric_names.PROCESSED_SECONDS} gauge\n{metric_names.PROCESSED_SECONDS} 12.5\n"
        f"# TYPE {metric_names.TOTAL_SECONDS} gauge\n{metric_names.TOTAL_SECONDS} 100\n"
        f"# TYPE {metric_names.ITEMS} gauge\n{metric_names.ITEMS} 7\n"
        "# TYPE python_info gauge\npython_info 1\n"
    )
    assert parse(text) == {
        metric_names.PROCESSED_SECONDS: 12.5,
        metric_names.TOTAL_SECONDS: 100.0,
        metric_names.ITEMS: 7.0,
    }


@pytest.mark.parametrize(
    "text",
    [
        "<html>",
        f"{metric_names.TOTAL_SECONDS} NaN\n",
        f"{metric_names.TOTAL_SECONDS} +Inf\n",
        f"{metric_names.ITEMS} 1e300\n",
        f"{metric_names.ITEMS} -1\n",
        f"{metric_names.ITEMS} " + "1" * 1_000_000 + "\n",
        f"{metric_names.ITEMS}{{{'a' * 1_000_000}",
        "",
    ],
    ids=[
        "another server's page",
        "not a number",
        "infinite",
        "more than an integer holds",
        "less than none",
        "a number that takes long to read",
        "labels without an end",
        "nothing",
    ],
)
def test_an_answer_that_makes_no_sense_is_no_progress(text):
    assert parse(text) == {}


def test_many_workers_views_are_joined_by_the_one_that_saw_most():
    answers = [
        {
            metric_names.PROCESSED_SECONDS: 10.0,
            metric_names.TOTAL_SECONDS: 0.0,
            metric_names.ITEMS_DONE: 3.0,
        },
        {
            metric_names.PROCESSED_SECONDS: 40.0,
            metric_names.TOTAL_SECONDS: 100.0,
            metric_names.ITEMS: 5.0,
            metric_names.ITEMS_DONE: 2.0,
            metric_names.ITEMS_FAILED: 1.0,
        },
    ]
    assert reading_of(answers, NOW) == Reading(NOW, 40.0, 100.0, 5, 3, 1)


def test_nothing_is_said_before_the_total_is_known():
    assert reading_of([{metric_names.PROCESSED_SECONDS: 5.0}], NOW) is None
    assert reading_of([], NOW) is None


def test_speed_and_remaining_time_come_from_this_run_alone():
    after = advance(None, reading(0, 500), reading(10, 600))
    assert after.percent == 60
    assert after.speed == "10.0x"
    assert after.estimated_remaining_seconds == 40


@pytest.mark.parametrize(
    ("before", "processed", "total", "expected"),
    [(0, 999.9, 1000, 99), (0, 1000, 1000, 99), (70, 300, 1000, 70), (70, 300, 400, 70),
     (0, 4, 1000, 0)],
    ids=["nearly", "all but not delivered", "a restarted worker knows less",
         "a restarted worker estimates too little", "just begun"],
)  # fmt: skip
def test_work_never_goes_back_and_100_percent_is_left_to_success(
    before, processed, total, expected
):
    old = Progress(percent=before, processed_seconds=before * 10, total_seconds=1000)
    assert without_speed(old, reading(0, processed, total)).percent == expected


def test_percent_goes_down_when_the_total_turns_out_to_be_larger():
    early = without_speed(None, reading(0, 95, total=100))
    assert early.percent == 95
    later = without_speed(early, reading(60, 100, total=1000))
    assert (later.percent, later.total_seconds) == (10, 1000)


HALF = Progress(
    percent=50,
    processed_seconds=500,
    total_seconds=1000,
    items=9,
    items_done=4,
    items_failed=0,
    estimated_remaining_seconds=500,
    speed="1.0x",
    last_update_time=NOW,
)


@pytest.mark.parametrize(
    ("latest", "written"),
    [
        (reading(10, 504, items=9, items_done=5), False),
        (reading(10, 504, total=1003, items=9, items_done=5), False),
        (reading(59, 505, total=2000, items=9), False),
        (reading(60, 505, total=2000, items=9), True),
        (reading(60, 505, total=1025, items=9), False),
        (reading(60, 504, total=1000, items=9), False),
        (reading(599, 504, items=9), False),
        (reading(600, 504, items=9), True),
        (reading(600, 500, items=9), False),
        (reading(10, 510, items=9), True),
        (reading(10, 504, items=10), True),
        (reading(10, 504, items=9, items_done=5, items_failed=1), True),
    ],
    ids=[
        "a few seconds more",
        "an estimate that moves",
        "much more to do, within a minute of the last write",
        "much more to do, after a minute",
        "a little more to do, after a minute",
        "a few seconds more, after a minute",
        "a few seconds more, within ten minutes",
        "a few seconds more, after ten minutes",
        "nothing done for ten minutes",
        "one percent more",
        "the recordings are known",
        "the first bad recording",
    ],
)
def test_only_news_costs_a_write(latest, written):
    assert (without_speed(HALF, latest) is not HALF) is written


def test_recordings_never_go_back_either():
    after = without_speed(HALF, reading(10, 600, items=9, items_done=3))
    assert (after.percent, after.items, after.items_done) == (60, 9, 4)


def test_less_than_a_second_of_audio_is_no_reason_to_stumble():
    assert without_speed(None, reading(0, 0.2, total=0.4)).percent == 0


def test_a_speed_next_to_nothing_gives_no_remaining_time():
    after = advance(None, reading(0, 0), reading(1e6, 1e-12, total=2.0**52))
    assert after.estimated_remaining_seconds is None


@pytest.mark.parametrize(
    ("latest", "further"),
    [
        (reading(9, 40, 1000, items_done=3), False),
        (reading(9, 30, 900, items_done=2), False),
        (reading(9, 41, 900, items_done=3), True),
        (reading(9, 40, 1001, items_done=3), True),
        (reading(9, 40, 1000, items_done=4), True),
    ],
    ids=["the same", "less", "more audio done", "more audio arrived", "more delivered"],
)
def test_there_is_progress_when_any_number_of_the_workers_grew(latest, further):
    assert is_further(reading(0, 40, 1000, items_done=3), latest) is further


@pytest.mark.parametrize(
    ("remaining", "written"),
    [(451, False), (449, True), (551, True), (549, False)],
    ids=["10 % less", "over 10 % less", "over 10 % more", "10 % more"],
)
def test_the_remaining_time_is_written_when_it_is_off_by_more_than_a_tenth(remaining, written):
    latest = reading(60, 500, items=9)
    first = reading(60 - remaining, 0, items=9)
    after = advance(HALF, first, latest)
    assert (after is not HALF) is written
    if written:
        assert after.estimated_remaining_seconds == remaining


WEEK = 7 * 24 * 3600
LAP = 30


def differ(shown: Progress, exact: Progress) -> bool:
    """Whether the remaining times differ by more than a tenth."""
    times = (shown.estimated_remaining_seconds or 0, exact.estimated_remaining_seconds or 0)
    return abs(times[1] - times[0]) > times[0] / 10


def run_for_a_week(
    speed: Callable[[int], float], estimate: Callable[[int], float]
) -> tuple[int, int]:
    """Simulate a job with a reading every LAP seconds.

    ``speed`` in seconds of audio per second, and ``estimate`` as a share of the true total: by the
    second since the start. Returns the number of writes, and the longest time in seconds that the
    shown remaining time was off by more than a tenth.
    """
    first, shown, writes, off, longest, processed = None, None, 0, 0, 0, 0.0
    for second in range(LAP, WEEK, LAP):
        processed += LAP * speed(second)
        latest = reading(second, min(processed, WEEK), max(processed, WEEK * estimate(second)))
        first = first or latest
        before, shown = shown, advance(shown, first, latest)
        writes += shown is not before
        exact = advance(None, first, latest)
        off = off + LAP if differ(shown, exact) else 0
        longest = max(longest, off)
    return writes, longest


@pytest.mark.parametrize(
    ("speed", "estimate", "most"),
    [
        (lambda _: 1.0, lambda _: 1.0, 1_300),
        (lambda second: 0.5 + second // 3600 % 2, lambda _: 1.0, 1_300),
        (lambda _: 1.0, lambda second: min(1.0, 0.01 + second / WEEK), 1_300),
        (lambda _: 1.0, lambda second: 1.0 + 0.002 * (second // LAP % 2), 1_300),
        (lambda _: 1.0, lambda second: 1.0 + 0.3 * (second // LAP % 2), 2 * WEEK // 60),
    ],
    ids=[
        "steady",
        "fast and slow by turns",
        "an estimate that grows with the work",
        "an estimate that trembles",
        "an estimate that jumps at each reading",
    ],
)
def test_a_job_of_a_week_costs_a_bounded_number_of_writes(speed, estimate, most):
    writes, longest_off = run_for_a_week(speed, estimate)
    assert writes < most
    assert longest_off <= 60
