import threading

from whisper_transcriber.watchdog import Watchdog


class Clock:
    """A clock that only moves when told."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_first_unit_has_half_an_hour() -> None:
    clock = Clock()
    watchdog = Watchdog(lambda _: None, clock=clock)
    clock.now = 1799.0
    assert not watchdog.is_overdue
    clock.now = 1801.0
    assert watchdog.is_overdue


def after_units(clock: Clock, *seconds: float) -> Watchdog:
    """A watchdog that has seen units that took so long."""
    watchdog = Watchdog(lambda _: None, clock=clock)
    for each in seconds:
        watchdog.batch_begun()
        clock.now += each
        watchdog.batch_finished()
        clock.now += 5000.0  # between units: planning, waiting for others
    return watchdog


def test_slow_units_are_given_twenty_times_their_median() -> None:
    assert after_units(Clock(), 100.0, 1.0, 100.0).allowed_seconds == 2000.0


def test_quick_units_are_given_ten_minutes() -> None:
    assert after_units(Clock(), 1.0).allowed_seconds == 600.0


def test_signs_of_life_count_as_work() -> None:
    clock = Clock()
    watchdog = after_units(clock, 1.0)
    assert watchdog.is_overdue
    watchdog.sign_of_life()
    clock.now += 599.0
    assert not watchdog.is_overdue


def test_it_barks_once_when_nothing_is_finished() -> None:
    barked = threading.Event()
    with Watchdog(
        lambda _: barked.set(), minimum_seconds=0.01, first_seconds=0.01, poll_seconds=0.01
    ):
        assert barked.wait(5.0)


def test_it_is_silent_after_the_work_is_done() -> None:
    barks: list[float] = []
    clock = Clock()
    with Watchdog(barks.append, poll_seconds=0.01, clock=clock):
        pass
    clock.now = 10_000.0
    threading.Event().wait(0.05)
    assert barks == []
