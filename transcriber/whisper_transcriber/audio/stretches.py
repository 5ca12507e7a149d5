"""Where somebody speaks, by the detector's probabilities: pure."""

from collections.abc import Iterable, Sequence
from itertools import pairwise

from transcription_contract.decoding import VoiceActivity
from whisper_transcriber.audio.windows import FRAME_SAMPLES, SAMPLE_RATE, Span

SPEECH_DEFAULTS = VoiceActivity()
"""Silero's own (get_speech_timestamps): 0.5 begins speech, under 0.35 for 0.1 s ends it, and what
is shorter than 0.25 s is none."""

_SILENCE_BELOW = 0.15
"""So much less than the threshold ends speech (Silero's neg_threshold)."""

_MILLISECOND = SAMPLE_RATE // 1000

NEARBY = SAMPLE_RATE
"""Speech too short to count by itself counts so near to longer speech: the detector hears a soft
beginning in pieces ("Turn off" in a command of 1.4 s)."""


def speech(
    probabilities: Iterable[float], within: Span, activity: VoiceActivity = SPEECH_DEFAULTS
) -> list[Span]:
    """Stretches of speech, padded, in order, without overlap.

    Args:
        probabilities: one for each frame of 512 samples from ``within.start`` on.
        within: no stretch leaves it.
        activity: the detector's parameters; if it is not enabled, everything is speech.
    """
    if not activity.enabled:
        return [within] if within.stop > within.start else []
    shortest = activity.min_speech_milliseconds * _MILLISECOND
    found = _long_enough(list(_stretches(probabilities, within, activity)), within, shortest)
    return _padded(found, within, activity.padding_milliseconds * _MILLISECOND)


def _stretches(
    probabilities: Iterable[float], within: Span, activity: VoiceActivity
) -> Iterable[Span]:
    threshold = float(activity.threshold)
    shortest_silence = activity.min_silence_milliseconds * _MILLISECOND
    start: int | None = None
    silent_since: int | None = None
    for number, probability in enumerate(probabilities):
        position = within.start + number * FRAME_SAMPLES
        if probability >= threshold:
            silent_since = None
            start = position if start is None else start
        elif start is not None and probability < threshold - _SILENCE_BELOW:
            silent_since = position if silent_since is None else silent_since
            if position - silent_since >= shortest_silence:
                yield Span(start, silent_since)
                start = silent_since = None
    if start is not None:
        yield Span(start, within.stop)


def _long_enough(found: Sequence[Span], within: Span, shortest: int) -> list[Span]:
    """Stretches that are long, or are near one that is: a soft word is heard in pieces."""

    def is_long(span: Span) -> bool:
        # The end of the recording may cut a word off, or be all that follows a single word.
        least = shortest // 2 if span.stop == within.stop else shortest
        return span.stop - span.start > least

    certain = [span for span in found if is_long(span)]

    def is_near(span: Span) -> bool:
        return any(
            span.start - NEARBY < each.stop and each.start < span.stop + NEARBY for each in certain
        )

    return [span for span in found if is_long(span) or is_near(span)]


def _padded(found: Sequence[Span], within: Span, padding: int) -> list[Span]:
    """Each stretch grows by the padding; two that would meet share the gap between them."""
    starts = [max(within.start, span.start - padding) for span in found]
    stops = [min(within.stop, span.stop + padding) for span in found]
    for number, (left, right) in enumerate(pairwise(found)):
        if stops[number] > starts[number + 1]:
            stops[number] = starts[number + 1] = (left.stop + right.start) // 2
    return [Span(start, stop) for start, stop in zip(starts, stops, strict=True)]
