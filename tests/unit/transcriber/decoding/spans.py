"""Windows with times in seconds."""

from whisper_transcriber.audio.windows import SAMPLE_RATE, Span, Window

SECOND = SAMPLE_RATE
ITEM = 7


def window(start: float, stop: float, *speech: tuple[float, float]) -> Window:
    """All of it is speech unless said otherwise."""
    spans = speech or ((start, stop),)
    return Window(
        item=ITEM,
        start=round(start * SECOND),
        stop=round(stop * SECOND),
        speech=tuple(Span(round(a * SECOND), round(b * SECOND)) for a, b in spans),
    )
