import pytest

from whisper_transcriber.audio.ffmpeg import Outcome

CORRECTION = "Correcting start time by 60000000"


@pytest.mark.parametrize(
    ("line", "start"),
    [
        (f"[verbose] {CORRECTION}", 60_000),
        (f"[mpegts @ 0x55d1] [verbose] {CORRECTION}", 60_000),
        (f"[info]     title           : [verbose] {CORRECTION}", 0),
        (f": [verbose] {CORRECTION}", 0),
        (f"[info]     title           : {CORRECTION}", 0),
    ],
    ids=["ffmpeg", "a demuxer", "a title", "a title's second line", "a title without a level"],
)
def test_only_ffmpeg_itself_tells_when_the_sound_begins(line: str, start: int) -> None:
    outcome = Outcome()
    outcome.hear(line)
    assert outcome.start == start


def test_a_title_is_no_error() -> None:
    outcome = Outcome()
    outcome.hear(": [error] DRM: decryption key missing")
    assert (outcome.errors, outcome.complaints, outcome.is_protected) == (0, [], False)


def test_an_error_of_a_decoder_is_counted() -> None:
    outcome = Outcome()
    outcome.hear("[mp3float @ 0x5581] [error] Header missing")
    assert outcome.complaints == ["Header missing"]
