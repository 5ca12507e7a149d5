"""Decoding windows until their text passes the thresholds, or nothing helps: pure but for the
engine that it is given.

Attempts at all windows of a batch are decoded together, those at one temperature as one batch, so
that a bad window costs a row and not a call. What is decoded is computed from the batch alone: its
text does not depend on who decodes it, or when.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby, pairwise

import numpy as np
from numpy.typing import NDArray

from transcription_contract.decoding import Decoding, SuspectText
from whisper_transcriber.audio.samples import ReadWaveform, heard
from whisper_transcriber.audio.windows import SAMPLE_RATE, Window, quietest
from whisper_transcriber.decoding.attempts import Policy, WindowDecoding
from whisper_transcriber.decoding.quality import Thresholds
from whisper_transcriber.decoding.transcript import Segment, Suspicion
from whisper_transcriber.decoding.window_length import fitted
from whisper_transcriber.engine.protocol import DecodingResult, Engine

ENGLISH = "en"
SHORTEST_HALF = SAMPLE_RATE

DROPPED = frozenset({Suspicion.LOW_PROBABILITY, Suspicion.LOOP, Suspicion.NO_SPEECH})
"""What decoding.suspectText drops. Text that leaves words out is no worse than none."""

ReadItemIntegers = Callable[[int, int, int, int], NDArray[np.int16]]
"""An item's samples between two positions."""


@dataclass(frozen=True)
class BatchText:
    """The text of a batch.

    ``segments``: by item, in order of time. ``dropped_seconds``: of text that was left out, since
    nobody speaks there, Whisper takes it for silence, or the job drops suspect text.
    """

    segments: Mapping[int, Sequence[Segment]]
    dropped_seconds: float

    @property
    def suspect(self) -> int:
        """Segments that may be wrong."""
        return sum(bool(each.suspect) for found in self.segments.values() for each in found)


class FallbackDecoder:
    """Turns batches into segments, with one engine and the job's recordings."""

    def __init__(
        self,
        engine: Engine,
        batch_size: int,
        waveform: ReadWaveform,
        integers: ReadItemIntegers,
        decoding: Decoding | None = None,
        *,
        translates: bool = False,
        keeps_words: bool = True,
    ) -> None:
        """``decoding``: the job's options; their defaults if there are none. ``translates``: the
        text is English, whatever is spoken. ``keeps_words``: where the words were timed, segments
        keep them.
        """
        self._engine = engine
        self._batch_size = batch_size
        self._waveform = waveform
        self._integers = integers
        self._translates = translates
        self._keeps_words = keeps_words
        self._policy = Policy(Thresholds.of(decoding or Decoding()), self._cut_place)

    def decode(self, windows: Sequence[Window], languages: Mapping[int, str]) -> BatchText:
        """The text of a batch's windows.

        Args:
            windows: of a batch, in its order.
            languages: each item's language code.
        """
        roots = [
            WindowDecoding(self._policy, short)
            for window in windows
            for short in self._fitted(window, languages[window.item])
        ]
        pending = roots
        while pending:
            pending = [
                following
                for decoding, decoded in self._attempts(pending, languages)
                for following in decoding.take(decoded)
            ]
        return self._text(roots)

    def _fitted(self, window: Window, language: str) -> list[Window]:
        text_language = ENGLISH if self._translates else language
        read = partial(self._read, window)
        return fitted(window, text_language, read, joined=self._engine.aligned)

    def _attempts(
        self, pending: Iterable[WindowDecoding], languages: Mapping[int, str]
    ) -> Iterator[tuple[WindowDecoding, DecodingResult]]:
        """One attempt at each, by temperature."""
        in_order = sorted(pending, key=lambda each: each.temperature)
        for temperature, alike in groupby(in_order, lambda each: each.temperature):
            for batch in _in_batches(list(alike), self._batch_size):
                windows = [each.window for each in batch]
                yield from zip(
                    batch,
                    self._engine.decode(
                        [
                            heard(each, self._waveform, joined=self._engine.aligned)
                            for each in windows
                        ],
                        [languages[each.item] for each in windows],
                        temperature,
                        seed=windows[0].start if temperature else 0,
                    ),
                    strict=True,
                )

    def _text(self, roots: Iterable[WindowDecoding]) -> BatchText:
        segments: dict[int, list[Segment]] = defaultdict(list)
        left_out = []
        for root in roots:
            kept = root.segments
            if self._policy.thresholds.suspect_text is SuspectText.DROP:
                left_out += [each for each in kept if DROPPED.intersection(each.suspect)]
                kept = [each for each in kept if not DROPPED.intersection(each.suspect)]
            if not self._keeps_words:
                kept = [each.model_copy(update={"words": ()}) for each in kept]
            segments[root.window.item] += kept
            left_out += root.left_out
        return BatchText(
            segments={
                item: sorted(found, key=lambda segment: (segment.start, segment.end))
                for item, found in sorted(segments.items())
            },
            dropped_seconds=sum(each.end - each.start for each in left_out),
        )

    def _read(self, window: Window, start: int, stop: int) -> NDArray[np.int16]:
        return self._integers(window.item, start, stop, window.lane)

    def _cut_place(self, window: Window) -> int:
        """The middle of the widest gap, or the quietest place of the middle third."""
        gaps = [
            (right.start - left.stop, (left.stop + right.start) // 2)
            for left, right in pairwise(window.speech)
        ]
        usable = [
            (width, middle)
            for width, middle in gaps
            if min(middle - window.start, window.stop - middle) > SHORTEST_HALF
        ]
        if usable:
            return max(usable)[1]
        third = (window.stop - window.start) // 3
        earliest = window.start + third
        return earliest + quietest(self._read(window, earliest, window.stop - third))


def _in_batches(all_of_them: list[WindowDecoding], size: int) -> Iterator[list[WindowDecoding]]:
    for first in range(0, len(all_of_them), size):
        yield all_of_them[first : first + size]
