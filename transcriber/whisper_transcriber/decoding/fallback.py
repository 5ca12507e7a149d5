"""Judging what the model said, and asking again: pure but for the engine that it is given.

Whisper ends early, loops, or invents text; its own transcribe() answers with ever higher
temperatures. Here a bad window is cut in two first, since most loops go away with the context that
led into them, and speech that no phrase accounts for becomes a window of its own. Rounds are
computed from the unit alone, so that a unit's text does not depend on who decodes it, or when.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from whisper_transcriber.audio.samples import Waveform
from whisper_transcriber.audio.windows import PADDING, SAMPLE_RATE, Span, Window, quietest
from whisper_transcriber.decoding.transcript import Segment, Word
from whisper_transcriber.engine import protocol
from whisper_transcriber.engine.protocol import DecodedSegment, DecodingResult, Engine

COMPRESSION_RATIO_LIMIT = 2.4
LOGPROB_LIMIT = -1.0
NO_SPEECH_LIMIT = 0.6
"""openai-whisper's defaults (whisper.transcribe)."""

ROUNDS = 4
"""The first, and at most three for what it missed or garbled (measured: more adds nothing)."""

MISSED_SPEECH = SAMPLE_RATE * 6 // 10
"""More speech than this after the last phrase is worth a window; padding alone is not."""

MISSED_BETWEEN = SAMPLE_RATE
"""The same between two phrases, where the padding of both counts."""

SLOWEST_TOKEN = SAMPLE_RATE * 8 // 10
"""A phrase with more speech than this for each of its tokens has words left out: people say three
to five tokens in a second, and the phrase's two timestamps count, too."""

SHORT_WINDOW = 3 * SAMPLE_RATE
"""Not cut any further: below it, temperatures help more than less context."""

SHORTEST_HALF = SAMPLE_RATE
MINIMUM_WINDOW = SAMPLE_RATE * 3 // 10
TEMPERATURES = (0.2, 0.4, 0.6, 0.8, 1.0)

ReadWaveform = Callable[[int, int, int], Waveform]
ReadItemIntegers = Callable[[int, int, int], NDArray[np.int16]]
"""An item's samples between two positions."""

_FRAME_SAMPLES = 160
_FIGURE_DECIMALS = 4


class FallbackDecoder:
    """Turns units into segments, with one engine and the job's recordings."""

    def __init__(
        self,
        engine: Engine,
        batch_size: int,
        waveform: ReadWaveform,
        integers: ReadItemIntegers,
    ) -> None:
        self._engine = engine
        self._batch_size = batch_size
        self._waveform = waveform
        self._integers = integers

    def decode(
        self, windows: Sequence[Window], languages: Mapping[int, str]
    ) -> dict[int, list[Segment]]:
        """The segments of a unit's windows by item, in order of time.

        Args:
            windows: of a unit, in its order.
            languages: each item's language code.
        """
        segments: dict[int, list[Segment]] = defaultdict(list)
        pending = list(windows)
        for remaining in reversed(range(ROUNDS)):
            following: list[Window] = []
            for window, decoded in self._listen(pending, languages):
                accepted, again = self._judge(
                    window, decoded, languages[window.item], last=remaining == 0
                )
                segments[window.item] += accepted
                following += again
            pending = [each for each in following if each.stop - each.start > MINIMUM_WINDOW]
            if not pending:
                break
        return {
            item: sorted(found, key=lambda segment: (segment.start, segment.end))
            for item, found in sorted(segments.items())
        }

    def _listen(
        self, pending: Sequence[Window], languages: Mapping[int, str]
    ) -> Iterator[tuple[Window, DecodingResult]]:
        for first in range(0, len(pending), self._batch_size):
            batch = pending[first : first + self._batch_size]
            waveforms = [self._waveform(each.item, each.start, each.stop) for each in batch]
            spoken = [languages[each.item] for each in batch]
            yield from zip(batch, self._engine.decode(waveforms, spoken), strict=True)

    def _judge(
        self, window: Window, decoded: DecodingResult, language: str, *, last: bool
    ) -> tuple[list[Segment], list[Window]]:
        """What to keep of a window, and which windows to hear next."""
        if is_silent(decoded):
            return [], []
        short = window.stop - window.start <= SHORT_WINDOW
        if needs_fallback(decoded):
            if not short and not last:
                return [], self._halves(window)
            decoded = self._at_higher_temperatures(window, decoded, language)
            if needs_fallback(decoded):
                return [], []
        heard = [each for each in segments_of(window, decoded) if is_spoken(window, each)]
        if last:
            return heard, []
        accepted = [segment for segment in heard if not skips_speech(window, segment)]
        if accepted:
            return accepted, missed_speech(window, accepted)
        # Next to nothing was said where somebody speaks: the same window would end the same way.
        return (heard, []) if short else ([], self._halves(window))

    def _at_higher_temperatures(
        self, window: Window, decoded: DecodingResult, language: str
    ) -> DecodingResult:
        """Up the temperatures until the result is not garbled.

        One that still is has no text: openai-whisper keeps it, and it is invented (measured: words
        under which there was buzz or clicks, almost all of them).
        """
        waveform = self._waveform(window.item, window.start, window.stop)
        for temperature in TEMPERATURES:
            (decoded,) = self._engine.decode([waveform], [language], temperature, seed=window.start)
            if not needs_fallback(decoded):
                break
        return decoded

    def _halves(self, window: Window) -> list[Window]:
        """Cut in the middle of the widest gap, or at the quietest place of the middle third."""
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
            cut = max(usable)[1]
        else:
            third = (window.stop - window.start) // 3
            earliest = window.start + third
            cut = earliest + quietest(self._integers(window.item, earliest, window.stop - third))
        return [stretch(window, window.start, cut), stretch(window, cut, window.stop)]


def is_silent(decoded: DecodingResult) -> bool:
    """Whisper's own rule: it hears no speech, and does not believe its text either."""
    return decoded.no_speech_prob > NO_SPEECH_LIMIT and decoded.avg_logprob < LOGPROB_LIMIT


def needs_fallback(decoded: DecodingResult) -> bool:
    """It repeats itself, is improbable, or ran out of room."""
    return (
        decoded.compression_ratio > COMPRESSION_RATIO_LIMIT
        or decoded.avg_logprob < LOGPROB_LIMIT
        or decoded.exhausted
    )


def segments_of(window: Window, decoded: DecodingResult) -> list[Segment]:
    """Phrases as segments of the recording; none begins after the window's last sample."""
    length = (window.stop - window.start) / SAMPLE_RATE
    return [
        _segment(window, decoded, phrase, length)
        for phrase in decoded.phrases
        if phrase.start < length
    ]


def is_spoken(window: Window, segment: Segment) -> bool:
    """Whether anybody speaks where a segment is: what only pauses and padding account for is
    invented."""
    start, end = _sample(segment.start), _sample(segment.end)
    return _spoken(stretch(window, start, end)) > min(PADDING, (end - start) // 2)


def skips_speech(window: Window, segment: Segment) -> bool:
    """Whether a segment spans more speech than its text can be: Whisper skips sentences, too."""
    said = stretch(window, _sample(segment.start), _sample(segment.end))
    return _spoken(said) > SLOWEST_TOKEN * len(segment.tokens)


def missed_speech(window: Window, accepted: Sequence[Segment]) -> list[Window]:
    """The parts of a window that no segment accounts for, if enough speech lies in them.

    Args:
        window: what was heard.
        accepted: at least one segment, in order of time.
    """
    missed = []
    heard = window.start
    for segment in accepted:
        missed.append((stretch(window, heard, _sample(segment.start)), MISSED_BETWEEN))
        heard = max(heard, _sample(segment.end))
    missed.append((stretch(window, heard, window.stop), MISSED_SPEECH))
    return [
        stretch(window, rest.speech[0].start, rest.speech[-1].stop)
        for rest, negligible in missed
        if _spoken(rest) > negligible
    ]


def _sample(seconds: float) -> int:
    return round(seconds * SAMPLE_RATE)


def _spoken(window: Window) -> int:
    return sum(span.stop - span.start for span in window.speech)


def stretch(window: Window, start: int, stop: int) -> Window:
    """A part of a window, with the speech in it."""
    inside = (Span(max(start, span.start), min(stop, span.stop)) for span in window.speech)
    spoken = tuple(span for span in inside if span.start < span.stop)
    return Window(item=window.item, start=start, stop=stop, speech=spoken)


def _segment(
    window: Window, decoded: DecodingResult, phrase: DecodedSegment, length: float
) -> Segment:
    offset = window.start / SAMPLE_RATE
    end = length if phrase.end is None else min(phrase.end, length)
    return Segment(
        seek=window.start // _FRAME_SAMPLES,
        start=offset + phrase.start,
        end=offset + max(phrase.start, end),
        text=phrase.text,
        words=tuple(_word(word, offset, length) for word in phrase.words),
        tokens=phrase.tokens,
        temperature=decoded.temperature,
        avg_logprob=round(decoded.avg_logprob, _FIGURE_DECIMALS),
        compression_ratio=round(decoded.compression_ratio, _FIGURE_DECIMALS),
        no_speech_prob=round(decoded.no_speech_prob, _FIGURE_DECIMALS),
    )


def _word(word: protocol.Word, offset: float, length: float) -> Word:
    return Word(
        start=offset + min(word.start, length),
        end=offset + min(word.end, length),
        text=word.text,
        probability=round(word.probability, _FIGURE_DECIMALS),
    )
