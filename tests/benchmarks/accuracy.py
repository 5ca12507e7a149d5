"""accuracy: the held-out set, class by class, ours beside openai-whisper's transcribe()."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from dev.say import say
from tests.benchmarks import corpus, ours, peers
from tests.benchmarks.bench import Bench
from tests.benchmarks.corpus import Clip
from tests.benchmarks.peers import Run
from tests.benchmarks.report import Figure, against
from tests.benchmarks.scores import Score, score, total


@dataclass(frozen=True)
class Outcome:
    """A class's scores. ``default``: of transcribe() with its defaults on the first ``subset``
    clips, and ``ours_on_subset`` beside it; all None when no clip is short enough."""

    name: str
    clips: int
    seconds: float
    ours: Score
    greedy: Score
    subset: int = 0
    subset_seconds: float = 0.0
    ours_on_subset: Score | None = None
    default: Score | None = None


def run(bench: Bench) -> Iterable[Figure]:
    """All classes."""
    for name, clips in corpus.collect(bench.sizes.scale).items():
        yield from summarise(_measure(bench, name, clips))


def summarise(outcome: Outcome) -> Iterator[Figure]:
    """Word error rate, error of the sentences' starts, and words where nobody speaks."""
    name, mine, greedy = f"accuracy.{outcome.name}", outcome.ours, outcome.greedy
    size = f"{outcome.clips} clips, {outcome.seconds / 60:.0f} min"
    if mine.spoken:
        yield against(
            f"{name} word error rate", mine.word_error_rate, greedy.word_error_rate, "",
            peer="transcribe() greedy", note=f"{size}, {mine.spoken} words",
        )  # fmt: skip
    if mine.start_errors and greedy.start_errors:
        yield against(
            f"{name} start error", mine.start_error, greedy.start_error, "s",
            peer="transcribe() greedy",
            note=f"median of {len(mine.start_errors)} and {len(greedy.start_errors)} sentences",
        )  # fmt: skip
    yield against(
        f"{name} stray words", mine.stray_words, greedy.stray_words, "words",
        peer="transcribe() greedy", note=size,
    )  # fmt: skip
    if outcome.default and outcome.ours_on_subset:
        yield from _beside_default(outcome, outcome.ours_on_subset, outcome.default)


def _beside_default(outcome: Outcome, mine: Score, default: Score) -> Iterator[Figure]:
    note = f"the first {outcome.subset} clips, {outcome.subset_seconds:.0f} s"
    if mine.spoken:
        yield against(
            f"accuracy.{outcome.name} word error rate, subset",
            mine.word_error_rate, default.word_error_rate, "",
            peer="transcribe() default", note=note,
        )  # fmt: skip
    yield against(
        f"accuracy.{outcome.name} stray words, subset", mine.stray_words, default.stray_words,
        "words", peer="transcribe() default", note=note,
    )  # fmt: skip


def _measure(bench: Bench, name: str, clips: Sequence[Clip]) -> Outcome:
    paths = [clip.path for clip in clips]
    mine = ours.transcribe(bench, paths)
    say(f"  {name}, ours: {mine.seconds:.0f} s")
    greedy = peers.openai_whisper(bench.checkpoint, paths, bench.threads, **peers.GREEDY_OPTIONS)
    say(f"  {name}, transcribe() greedy: {greedy.seconds:.0f} s")
    # A clip may be a little longer than its class says.
    few = subset(clips, bench.sizes.short_minutes * 60 * 1.1)
    seconds = sum(clip.seconds for clip in clips)
    outcome = Outcome(name, len(clips), seconds, _score(clips, mine), _score(clips, greedy))
    if not few:
        return outcome
    default = peers.openai_whisper(bench.checkpoint, paths[: len(few)], bench.threads)
    say(f"  {name}, transcribe() default, {len(few)} clips: {default.seconds:.0f} s")
    return Outcome(
        name, len(clips), seconds, outcome.ours, outcome.greedy,
        len(few), sum(clip.seconds for clip in few), _score(few, mine), _score(few, default),
    )  # fmt: skip


def subset(clips: Sequence[Clip], seconds: float) -> list[Clip]:
    """The first clips that together are no longer than ``seconds``."""
    chosen: list[Clip] = []
    for clip in clips:
        seconds -= clip.seconds
        if seconds < 0:
            break
        chosen.append(clip)
    return chosen


def _score(clips: Sequence[Clip], run: Run) -> Score:
    return total(score(clip.sentences, said) for clip, said in zip(clips, run.heard, strict=False))
