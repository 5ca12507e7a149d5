"""Which speech of a window its text accounts for, and which it leaves out: pure."""

from collections.abc import Sequence
from dataclasses import replace

from whisper_transcriber.audio.windows import PADDING, SAMPLE_RATE, Span, Window
from whisper_transcriber.decoding.sentences import sentences
from whisper_transcriber.decoding.transcript import Segment, Suspicion, Word
from whisper_transcriber.engine import protocol
from whisper_transcriber.engine.protocol import DecodedSegment, DecodingResult

MISSED_SPEECH = SAMPLE_RATE * 6 // 10
"""More speech than this after the last segment is decoded again; padding alone is not."""

MISSED_BETWEEN = SAMPLE_RATE
"""The same between two segments, where the padding of both counts."""

MISSED_ALIGNED = SAMPLE_RATE * 3 // 2
"""The same where attention times the words: it ends them early, and what is decoded from the rest
of a word is invented ("Thank you.")."""

SLOWEST_TOKEN = SAMPLE_RATE * 8 // 10
"""A segment with more speech than this for each of its tokens skips words: people say three to
five tokens in a second, and the segment's two timestamps count, too, even if it has none."""

SLOWEST_WORD = 2 * SAMPLE_RATE
"""More speech than this in a single word hides others, which the model skipped."""

LATEST_FIRST_TIMESTAMP = 1.0
"""Seconds; openai-whisper's max_initial_timestamp (whisper.DecodingOptions)."""

_FRAME_SAMPLES = 160
_FIGURE_DECIMALS = 4


def segments_of(
    window: Window, decoded: DecodingResult, suspect: tuple[Suspicion, ...] = ()
) -> list[Segment]:
    """A result's segments at their places in the recording.

    Segments after the window's last sample are left out, but for the first one of a window that is
    shorter than the latest first timestamp, such as that of a single word.
    """
    length = (window.stop - window.start) / SAMPLE_RATE
    phrases = _aligned(window, decoded) if decoded.aligned else list(decoded.phrases)
    if phrases and length <= phrases[0].start <= LATEST_FIRST_TIMESTAMP:
        phrases[0] = replace(phrases[0], start=0.0, end=None)
    return [
        _segment(window, decoded, phrase, length, suspect)
        for phrase in phrases
        if phrase.start < length
    ]


def _aligned(window: Window, decoded: DecodingResult) -> list[DecodedSegment]:
    """A result's sentences."""
    speech = [
        ((span.start - window.start) / SAMPLE_RATE, (span.stop - window.start) / SAMPLE_RATE)
        for span in window.speech
    ]
    words = [word for phrase in decoded.phrases for word in phrase.words]
    return list(sentences(words, speech))


def is_spoken(window: Window, segment: Segment) -> bool:
    """Whether anybody speaks in a segment: text in pauses and padding alone is invented."""
    start = sample(segment.start)
    end = max(start + 1, sample(segment.end))
    return speech_in(stretch(window, start, end)) > min(PADDING, (end - start) // 2)


def skips_speech(window: Window, segment: Segment, *, aligned: bool = False) -> bool:
    """Whether a segment spans more speech than its text can be: Whisper skips sentences.

    ``aligned``: attention timed its words, and gave what was skipped to the words beside it.
    """
    if aligned and any(_lasts_too_long(window, word) for word in segment.words):
        return True
    said = stretch(window, sample(segment.start), sample(segment.end))
    tokens = len(segment.tokens) + (2 if aligned else 0)
    return speech_in(said) > SLOWEST_TOKEN * tokens


def _lasts_too_long(window: Window, word: Word) -> bool:
    return speech_in(stretch(window, sample(word.start), sample(word.end))) > SLOWEST_WORD


def missed_speech(
    window: Window, accepted: Sequence[Segment], *, aligned: bool = False
) -> list[Window]:
    """The parts of a window that no segment accounts for, if enough speech lies in them.

    Args:
        window: what was decoded.
        accepted: segments in order of time.
        aligned: whether their times are those of their words.
    """
    between = MISSED_ALIGNED if aligned else MISSED_BETWEEN
    after = MISSED_ALIGNED if aligned else MISSED_SPEECH
    missed = []
    reached = window.start
    for segment in accepted:
        missed.append((stretch(window, reached, sample(segment.start)), between))
        reached = max(reached, sample(segment.end))
    missed.append((stretch(window, reached, window.stop), after))
    return [
        stretch(window, rest.speech[0].start, rest.speech[-1].stop)
        for rest, negligible in missed
        if speech_in(rest) > negligible
    ]


def overlaps(window: Window, segment: Segment) -> bool:
    """Whether a segment lies at least partly in a window."""
    return sample(segment.start) < window.stop and window.start < sample(segment.end)


def sample(seconds: float) -> int:
    """Seconds to a sample number."""
    return round(seconds * SAMPLE_RATE)


def speech_in(window: Window) -> int:
    """Samples of speech in a window."""
    return sum(span.stop - span.start for span in window.speech)


def stretch(window: Window, start: int, stop: int) -> Window:
    """A part of a window, with the speech in it."""
    inside = (Span(max(start, span.start), min(stop, span.stop)) for span in window.speech)
    spoken = tuple(span for span in inside if span.start < span.stop)
    return window.model_copy(update={"start": start, "stop": stop, "speech": spoken})


def _segment(
    window: Window,
    decoded: DecodingResult,
    phrase: DecodedSegment,
    length: float,
    suspect: tuple[Suspicion, ...],
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
        suspect=suspect,
        channel=window.lane + 1,
    )


def _word(word: protocol.Word, offset: float, length: float) -> Word:
    return Word(
        start=offset + min(word.start, length),
        end=offset + min(word.end, length),
        text=word.text,
        probability=round(word.probability, _FIGURE_DECIMALS),
    )
