import pytest

from transcription_contract.options import SourceAudio
from whisper_transcriber.audio.tracks import Track, TrackListing, chosen

LISTING = """\
[info] Input #0, mov,mp4,m4a,3gp,3g2,mj2, from 'file:recording':
[info]   Metadata:
[info]     title           : Stream #0:7: Audio: aac, 1 Hz, mono
[info]   Duration: 00:00:04.00, start: 0.000000, bitrate: 61 kb/s
[info]   Stream #0:0[0x1](und): Video: h264 (High), yuv420p, 64x64
[info]   Stream #0:1[0x2](eng): Audio: aac (LC) (mp4a / 0x6134706D), 48000 Hz, 5.1(side), fltp
[info]   Stream #0:2: Audio: none (apac / 0x63617061), 48000 Hz, 4 channels, 1 kb/s (default)
[info]   Stream #0:3(ger): Audio: opus, 48000 Hz, mono, fltp (default) (visual impaired)
[info] Stream mapping:
[info]   Stream #0:1 -> #0:0 (aac (native) -> pcm_s16le (native))
[info] Output #0, matroska, to 'pipe:1':
[info]   Stream #0:0: Audio: pcm_s16le, 16000 Hz, mono, s16, 256 kb/s
""".splitlines()

ONE, DEFAULT, SPECIAL = Track(0, "aac"), Track(1, "aac", is_default=True), Track(2, "aac")


def test_a_listing_is_read_up_to_its_end() -> None:
    listing = TrackListing()
    for line in LISTING:
        listing.take(line)
    assert listing.container == "mov,mp4,m4a,3gp,3g2,mj2"
    assert listing.tracks == [
        Track(1, "aac", 48_000, 6),
        Track(2, "apac", 48_000, 4, is_default=True),
        Track(3, "opus", 48_000, 1, is_default=True, is_special=True),
    ]


@pytest.mark.parametrize(
    ("track", "excluded", "expected"),
    [
        ("auto", [], [1]),
        ("auto", [1], [0]),
        ("auto", [0, 1, 2], []),
        ("all", [1], [0, 2]),
        (3, [], [2]),
        (4, [], []),
        (2, [1], []),
    ],
)
def test_the_default_track_comes_first_and_a_number_is_final(
    track: str | int, excluded: list[int], expected: list[int]
) -> None:
    assert chosen([ONE, DEFAULT, SPECIAL], SourceAudio(track=track), excluded) == expected
