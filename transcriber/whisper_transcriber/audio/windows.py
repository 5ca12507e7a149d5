"""From samples to windows of speech: pure arithmetic, so that every worker agrees.

A recording is cut into slices (30 minutes; one slice is one shard of the work), a slice's speech is
packed into windows of at most 30 s (15 s with a checkpoint of one's own), and windows are grouped
into batches that are decoded at once.
All positions are sample numbers at 16 kHz, counted from the recording's beginning.

The constants were measured (docs/transcription.md): word error rate with 30 s windows, the model's
limit, was .178 on speech without pauses, against .048 with 15 s, because Whisper ends early and
drops the rest of a long window.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import accumulate, count, pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from transcription_contract.base import Model

SAMPLE_RATE = 16_000
FRAME_SAMPLES = 512
"""Silero VAD judges 32 ms at a time."""

PADDING = SAMPLE_RATE // 5
"""Kept around speech: soft onsets, yet far from 1.0 s, where Whisper's first timestamp must lie."""

WINDOW_LIMIT = 15 * SAMPLE_RATE
OFFICIAL_WINDOW_LIMIT = 25 * SAMPLE_RATE
"""Of the official weights: measured on recordings of people, windows of 25 s make no more errors
than those of 15 s, and take less time (docs/transcription.md). Checkpoints of one's own may have
been trained on short clips, and end early in a long window."""

JOINED_WINDOW_LIMIT = 30 * SAMPLE_RATE
"""Of the official weights where pauses are left out: the model's own limit is best there."""

PAUSE_LIMIT = 3 * SAMPLE_RATE
"""No longer pause inside a window: what sounds there, Whisper takes for words (measured, sentences
between buzz, clicks and chords: word error rate .168 with such pauses, .055 without)."""

QUIET_SAMPLES = 480
"""30 ms: about the shortest closure between two words."""

BORDER_SEARCH = 15 * SAMPLE_RATE
"""How far a slice's border may move to find a quiet place."""

_SMOOTHING = 5


class Span(NamedTuple):
    """Samples ``start`` to ``stop`` (excluded)."""

    start: int
    stop: int


class Window(Model):
    """What the model hears at once, of one recording.

    ``item``: the recording's number. ``speech``: the padded stretches of speech in it. ``lane``:
    which of the recording's channels or tracks, where each is transcribed by itself.
    """

    item: int
    start: int
    stop: int
    speech: tuple[Span, ...]
    lane: int = 0


class Batch(Model):
    """Windows decoded as one batch, in this order, always: what is stored as one part.

    ``samples``: how much of the audio a finished batch accounts for; the batches of all shards
    together account for all of it, silence included.
    """

    samples: int
    windows: tuple[Window, ...]


ReadIntegers = Callable[[int, int], NDArray[np.int16]]
"""The samples between two positions, as they are on disk."""


def quietest(samples: NDArray[np.int16]) -> int:
    """The offset of the middle of the quietest 30 ms, judged with two such frames on each side.

    In whole numbers, since neighbours on different machines must find the same place.
    """
    frames = len(samples) // QUIET_SAMPLES
    if frames == 0:
        return len(samples) // 2
    framed = samples[: frames * QUIET_SAMPLES].astype(np.int64).reshape(-1, QUIET_SAMPLES)
    energy = (framed**2).sum(axis=1)
    reach = 0
    if frames >= _SMOOTHING:
        energy = np.convolve(energy, np.ones(_SMOOTHING, np.int64), "valid")
        reach = _SMOOTHING // 2
    return (int(energy.argmin()) + reach) * QUIET_SAMPLES + QUIET_SAMPLES // 2


def border_search(number: int, slice_samples: int) -> Span:
    """Where the border between slice ``number - 1`` and slice ``number`` (from 1 on) is looked for.

    There is that border, and that slice, if the recording reaches to the end of this stretch. The
    first slice is a sixth as long as the others, so that the first text comes soon.
    """
    search = min(BORDER_SEARCH, slice_samples // 24)
    nominal = slice_samples // 6 + (number - 1) * slice_samples
    return Span(nominal - search, nominal + search)


def slice_count(samples: int, slice_samples: int) -> int:
    """How many slices a recording of so many samples has."""
    return next(
        number for number in count(1) if border_search(number, slice_samples).stop > samples
    )


def border(number: int, slice_samples: int, read: ReadIntegers) -> int:
    """The first sample of slice ``number`` (from 1 on): the quietest place of its search."""
    within = border_search(number, slice_samples)
    return within.start + quietest(read(*within))


def window_samples(seconds: int | None, *, official: bool, joined: bool = False) -> int:
    """Longest window of a job, in samples.

    Args:
        seconds: what the job asks for; None for the default.
        official: whether its weights are OpenAI's.
        joined: whether pauses are left out.
    """
    if seconds is not None:
        return seconds * SAMPLE_RATE
    if not official:
        return WINDOW_LIMIT
    return JOINED_WINDOW_LIMIT if joined else OFFICIAL_WINDOW_LIMIT


def windows(
    item: int,
    stretches: Sequence[Span],
    read: ReadIntegers,
    limit: int = WINDOW_LIMIT,
    lane: int = 0,
    *,
    joined: bool = False,
) -> list[Window]:
    """An item's speech packed into windows of at most ``limit`` samples, in order.

    Every sample of speech lies in exactly one window, none of which spans a long pause. Speech that
    does not pause within the limit is cut at the quietest place of the last third, without overlap.

    ``joined``: pauses are left out of what is decoded; they count for nothing, and may be long.
    """
    go_together = _fit_joined if joined else _fit
    packed: list[list[Span]] = []
    for stretch in _cut(stretches, read, limit):
        if packed and go_together(packed[-1], stretch, limit):
            packed[-1].append(stretch)
        else:
            packed.append([stretch])
    return [
        Window(
            item=item,
            start=group[0].start,
            stop=group[-1].stop,
            speech=tuple(group),
            lane=lane,
        )
        for group in packed
    ]


def batches(
    planned: Sequence[Window], within: Mapping[int, Span], batch_size: int
) -> tuple[Batch, ...]:
    """Windows in batches that account for all of the audio; one empty batch if nobody speaks.

    Args:
        planned: in order of items, then of time.
        within: for each item, in order, the stretch of it that is shared out.
        batch_size: windows in a batch, at most.
    """
    groups = [
        tuple(planned[first : first + batch_size]) for first in range(0, len(planned), batch_size)
    ] or [()]
    # The items' stretches laid end to end: where each begins on that line.
    lengths = [span.stop - span.start for span in within.values()]
    offsets = dict(zip(within, accumulate(lengths, initial=0), strict=False))
    later = [
        offsets[group[0].item] + group[0].start - within[group[0].item].start
        for group in groups[1:]
    ]
    return tuple(
        Batch(samples=stop - start, windows=group)
        for (start, stop), group in zip(pairwise([0, *later, sum(lengths)]), groups, strict=True)
    )


def _fit(group: Sequence[Span], following: Span, limit: int) -> bool:
    length, pause = following.stop - group[0].start, following.start - group[-1].stop
    return length <= limit and pause <= PAUSE_LIMIT


def _fit_joined(group: Sequence[Span], following: Span, limit: int) -> bool:
    return sum(span.stop - span.start for span in (*group, following)) <= limit


def _cut(stretches: Iterable[Span], read: ReadIntegers, limit: int) -> Iterable[Span]:
    for start, stop in stretches:
        while stop - start > limit:
            earliest = start + limit * 2 // 3
            cut = earliest + quietest(read(earliest, start + limit))
            yield Span(start, cut)
            start = cut
        yield Span(start, stop)
