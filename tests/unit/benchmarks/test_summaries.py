import pytest

from dev.errors import DevError
from tests.benchmarks import accuracy, many_files, memory, race, scheduler, workers
from tests.benchmarks.bench import Sizes
from tests.benchmarks.race import Result
from tests.benchmarks.scheduler import Nap
from tests.benchmarks.scores import Score
from tests.benchmarks.watch import MIB


def test_a_speed_is_the_audio_through_the_median_of_the_rounds():
    (figure,) = race.summarise(
        "speed", 600.0, {"ours": Result((10, 30, 20), 0.03)}, {"theirs": Result((60,), 0.04)}, ""
    )
    assert (figure.value, figure.ratio) == (30, 3)


def test_two_workers_are_compared_with_one():
    (figure,) = workers.summarise(600.0, [100.0], [50.0])
    assert figure.value == 2


def test_memory_is_what_ten_hours_need_more():
    figures = memory.summarise(10, 60, 800 * MIB, 810 * MIB, 1620 * MIB, 405 * MIB)
    assert [figure.value for figure in figures] == [10, 810, 810]
    assert [figure.ratio for figure in figures] == [None, 0.5, 2]


def test_the_overhead_is_all_but_the_decoding():
    share, rate = many_files.summarise(1000, 3000.0, 105.0, 100.0)
    assert share.value == pytest.approx(0.05)
    assert rate.value == pytest.approx(1000 / 105)


def test_a_unit_that_was_done_twice_counts_once():
    naps = [Nap("a", 0, 10), Nap("b", 0, 10), Nap("c", 10, 20), Nap("c", 10, 20)]
    (figure,) = scheduler.summarise(naps, 10.0)
    assert figure.value == 1.5


def test_a_class_without_speech_has_only_stray_words():
    outcome = accuracy.Outcome("alone", 7, 420, ours=Score(0, 0, (), 0), greedy=Score(0, 9, (), 9))
    assert [figure.name for figure in accuracy.summarise(outcome)] == ["accuracy.alone stray words"]


def test_a_class_in_which_nothing_was_heard_has_no_start_error():
    outcome = accuracy.Outcome("talk", 1, 60, Score(5, 5, (), 0), greedy=Score(5, 0, (0.1,), 0))
    names = [figure.name for figure in accuracy.summarise(outcome)]
    assert names == ["accuracy.talk word error rate", "accuracy.talk stray words"]


def test_sizes_come_from_the_environment():
    assert Sizes.read({"BENCH_LONG_MINUTES": "20", "HOME": "/"}).long_minutes == 20
    with pytest.raises(DevError, match="BENCH_LONG_MINUTE"):
        Sizes.read({"BENCH_LONG_MINUTE": "20"})
