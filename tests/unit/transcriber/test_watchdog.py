import threading

from whisper_transcriber.watchdog import Watchdog


class Clock:
    """A clock that only moves when told."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_first_unit_has_ten_minutes() -> None:
    clock = Clock()
    watchdog = Watchdog(lambda _: None, clock=clock)
    clock.now = 599.0
    assert not watchdog.is_overdue
    clock.now = 601.0
    assert watchdog.is_overdue


def test_slow_units_are_given_twenty_times_their_median() -> None:
    clock = Clock()
    watchdog = Watchdog(lambda _: None, clock=clock)
    for _ in range(3):
        clock.now += 100.0
        watchdog.unit_finished()
    assert watchdog.allowed_seconds == 2000.0
    clock.now += 1999.0
    assert not watchdog.is_overdue
    clock.now += 2.0
    assert watchdog.is_overdue


def test_it_barks_once_when_nothing_is_finished() -> None:
    barked = threading.Event()
    with Watchdog(lambda _: barked.set(), minimum_seconds=0.01, poll_seconds=0.01):
        assert barked.wait(5.0)


def test_it_is_silent_after_the_work_is_done() -> None:
    barks: list[float] = []
    clock = Clock()
    with Watchdog(barks.append, poll_seconds=0.01, clock=clock):
        pass
    clock.now = 10_000.0
    threading.Event().wait(0.05)
    assert barks == []
