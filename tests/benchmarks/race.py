"""Who is faster on one recording: contenders in turn, the median of rounds, and their errors."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from dev.say import say
from tests.benchmarks.corpus import Clip
from tests.benchmarks.peers import Run
from tests.benchmarks.report import Figure, against
from tests.benchmarks.scores import score


@dataclass(frozen=True)
class Result:
    """One contender's. ``seconds``: of each round; ``word_error_rate``: of the last."""

    seconds: tuple[float, ...]
    word_error_rate: float

    def speed(self, audio_seconds: float) -> float:
        """How many times faster than real time, by the median of the rounds."""
        return audio_seconds / median(self.seconds)


def race(
    clip: Clip, contenders: Mapping[str, Callable[[], Run]], rounds: float
) -> dict[str, Result]:
    """Run each contender so many times, in turn, so that a busy minute hits all of them."""
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    errors: dict[str, float] = {}
    for number in range(max(1, round(rounds))):
        for name, contender in contenders.items():
            run = contender()
            seconds[name].append(run.seconds)
            errors[name] = score(clip.sentences, run.heard[0]).word_error_rate
            say(f"  round {number + 1}, {name}: {run.seconds:.1f} s, WER {errors[name]:.3f}")
    return {name: Result(tuple(seconds[name]), errors[name]) for name in contenders}


def compare(
    benchmark: str,
    clip: Clip,
    ours: Mapping[str, Callable[[], Run]],
    theirs: Mapping[str, Callable[[], Run]],
    rounds: float,
    note: str,
) -> list[Figure]:
    """Each of ours against each of theirs, all in one race."""
    results = race(clip, {**ours, **theirs}, rounds)
    mine, peers = ({name: results[name] for name in side} for side in (ours, theirs))
    return summarise(benchmark, clip.seconds, mine, peers, note)


def summarise(
    benchmark: str,
    audio_seconds: float,
    ours: Mapping[str, Result],
    peers: Mapping[str, Result],
    note: str,
) -> list[Figure]:
    """A figure for each pair: times real time, and the ratio of the two speeds."""
    return [
        against(
            f"{benchmark}.{name} against {peer}",
            mine.speed(audio_seconds),
            theirs.speed(audio_seconds),
            "x real time",
            peer=peer,
            note=f"{audio_seconds / 60:.0f} min; word error rate {mine.word_error_rate:.3f} "
            f"against {theirs.word_error_rate:.3f}; rounds {_rounds(mine.seconds)} against "
            f"{_rounds(theirs.seconds)} s; {note}",
        )
        for name, mine in ours.items()
        for peer, theirs in peers.items()
    ]


def _rounds(seconds: Sequence[float]) -> str:
    return ", ".join(f"{each:.1f}" for each in seconds)
