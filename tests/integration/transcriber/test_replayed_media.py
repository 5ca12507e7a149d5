"""What public bug reports tell of recordings, replayed: the right samples in the right places.

No model: where there is sound, and how long it all is, says enough. The numbers are those of the
reports' list.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from tests.integration.transcriber.decoding import Sound, listen
from tests.integration.transcriber.odd_media import Studio
from transcription_contract.options import ChannelMode, SourceAudio
from transcription_contract.task import Limits
from whisper_transcriber.errors import LimitExceeded, MediaInvalid, NoAudioStream, NotMedia

SEPARATE = SourceAudio(channels=ChannelMode.SEPARATE)
ROOT = Path(__file__).parents[3]
REAL_MEDIA = ROOT.parent / "shared/real-media"


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    return Studio(tmp_path_factory.mktemp("studio"))


def case(
    number: str, name: str, starts: Sequence[float], seconds: float, *warnings: str
) -> "pytest.ParameterSet":  # type: ignore[name-defined]
    return pytest.param(name, starts, seconds, warnings, id=f"replay-{number} {name}")


@pytest.mark.parametrize(
    ("name", "starts", "seconds", "warnings"),
    [
        case("01", "delayed.mp4", [5.0], 7.7, "lateStart"),
        case("01", "delayed.mov", [5.0], 7.7, "lateStart"),
        case("01", "delayed.mkv", [5.0], 7.7, "lateStart"),
        case("01", "delayed.flv", [5.0], 7.7, "lateStart"),
        case("01", "delayed.wmv", [5.0], 7.7, "lateStart"),
        case("01", "delayed.ts", [5.0], 7.7, "lateStart"),
        case("01", "delayed.mpg", [5.0], 7.7, "lateStart"),
        case("01", "delayed.avi", [5.0], 7.7, "lateStart"),
        case("01", "delayed.mp3.avi", [5.0], 7.7, "lateStart"),
        case("01", "a.m4a", [0.0], 2.7),
        case("03", "gap.webm", [0.0, 25.0], 28.1, "gap"),
        case("03", "gap.mp4", [0.0, 25.0], 28.1, "gap"),
        case("03", "gap.ts", [0.0, 25.0], 28.1, "gap"),
        case("03", "gap.flv", [0.0, 25.0], 28.1, "gap"),
        case("03", "gap.mkv", [0.0, 25.0], 28.1, "gap"),
        case("03", "gap.avi", [0.0, 25.0], 28.1, "gap"),
        case("06", "hold0.wav", [75.0], 77.7),
        case("07", "silentfirst.mp4", [0.0], 2.7, "otherTracks"),
        case("07", "silentdefault.mkv", [0.0], 2.7, "silentTrack", "otherTracks"),
        case("10", "inv.wav", [0.0], 2.7, "cancelledMix"),
        case("10", "inv.mp3", [0.0], 2.7, "cancelledMix"),
        case("11", "call.wav", [0.0, 3.5], 6.6),
        case("13", "film.ac3", [0.0], 2.7),
        case("14", "raw.gsm", [0.0], 2.7),
        case("14", "raw.g722", [0.0], 2.7),
        case("14", "raw.ul", [0.0], 2.7),
        case("14", "raw.alaw", [0.0], 2.7),
        case("14", "raw.sln", [0.0], 2.7),
        case("14", "raw.sbc", [0.0], 2.7),
        case("14", "raw.voc", [0.0], 2.7),
        case("14", "raw.sph", [0.0], 2.7),
        case("14", "raw.au", [0.0], 2.7),
        case("16", "cam.mxf", [0.0], 2.7),
        *(
            case("17", f"pbx_{codec}.wav", [0.0], 2.7)
            for codec in (
                "libgsm_ms", "adpcm_ima_wav", "adpcm_ms", "pcm_mulaw", "pcm_alaw", "g726", "g723",
                "g722",
            )
        ),
        case("19", "voice.caf", [0.0], 2.7),
        case("19", "alac.caf", [0.0], 2.7),
        case("20", "zero.wav", [0.0], 2.7),
        case("20", "ffff.wav", [0.0], 2.7),
        case("20", "half.wav", [0.0], 2.7),
        case("21", "vbr.mp3", [600.1], 602.8),
        case("23", "a.rf64.wav", [0.0], 2.7),
        case("23", "a.w64", [0.0], 2.7),
        case("23", "a.bwf.wav", [0.0], 2.7),
        case("24", "mixed.mp3", [0.0], 5.9),
        case("25", "cat.wav", [0.0], 5.8),
        case("25", "catplain.wav", [0.0], 8.5),
        case("25", "cat.webm", [0.0], 5.8, "clockReset"),
        case("25", "cat.ts", [0.0], 5.8),
        case("25", "cat.flac", [0.0], 5.8, "clockReset"),
        case("25", "chained.ogg", [0.0], 5.8),
        case("25", "cat.m4a", [0.0], 2.7, "unreadBytes"),
        case("26", "tail.m4a", [0.0], 110.5),
        case("27", "live.webm", [0.0], 2.7),
        case("28", "garbage.mp3", [0.0], 2.8),
        case("29", "bigpic.mp3", [0.0], 2.7),
        case("30", "20ms.wav", [], 0.02),
        case("31", "lie.wav", [0.0], 2.7),
        case("31", "lie.mp3", [0.0], 2.7),
        case("31", "lie.m4a", [0.0], 2.7),
    ],
)  # fmt: skip
def test_sound_keeps_its_place(
    studio: Studio, name: str, starts: Sequence[float], seconds: float, warnings: Sequence[str]
) -> None:
    sound = listen(studio.path(name))
    assert sound.seconds == pytest.approx(seconds, abs=0.15)
    heard = sound.starts()
    assert heard[: len(starts)] == pytest.approx(starts, abs=0.3)
    assert all(kind in sound.warnings for kind in warnings)
    assert warnings or not {"gap", "lateStart", "drift", "cancelledMix"} & set(sound.warnings)


def test_replay_04_a_damaged_stretch_pulls_nothing_forward(studio: Studio) -> None:
    sound = listen(studio.path("hurt.m4a"))
    assert sound.seconds == pytest.approx(26.95, abs=0.3)
    undamaged = listen(studio.path("ten.m4a"))
    behind = slice(18 * 16_000, 26 * 16_000)
    assert np.corrcoef(sound.lanes[0][behind], undamaged.lanes[0][behind])[0, 1] > 0.99
    (warning,) = [each for each in sound.findings.warnings if each.kind == "damage"]
    assert warning.start == pytest.approx(11.1, abs=0.3)
    assert warning.seconds == pytest.approx(5.4, abs=0.3)


def test_timestamps_that_drift_are_followed(studio: Studio) -> None:
    sound = listen(studio.path("drift.mkv"))
    assert sound.seconds == pytest.approx(26.95 * 1.05, abs=0.3)
    assert sound.end == pytest.approx(listen(studio.path("ten.m4a")).end * 1.05, abs=0.3)
    assert "drift" in sound.warnings


def test_replay_11_each_channel_of_a_call_by_itself(studio: Studio) -> None:
    sound = listen(studio.path("call.wav"), SEPARATE)
    assert [sound.starts(lane) for lane in range(2)] == [
        pytest.approx([0.0], abs=0.2),
        pytest.approx([3.5], abs=0.2),
    ]
    assert len(sound.lanes[0]) == len(sound.lanes[1])
    assert sound.findings.facts
    assert sound.findings.facts.separate
    assert sound.findings.facts.channels == 2


@pytest.mark.parametrize(
    ("track", "heard"),
    [("all", [[], [0.0]]), (1, [[]]), (2, [[0.0]])],
    ids=["all of them", "the first", "the second"],
)
def test_tracks_are_chosen(studio: Studio, track: str | int, heard: list[list[float]]) -> None:
    sound = listen(studio.path("silentfirst.mp4"), SourceAudio(track=track))
    assert [sound.starts(lane) for lane in range(len(sound.lanes))] == heard
    assert sound.findings.facts
    assert sound.findings.facts.tracks == 2
    assert sound.findings.facts.track == (None if track == "all" else track)


def test_a_track_that_is_not_there_is_a_sentence(studio: Studio) -> None:
    with pytest.raises(MediaInvalid, match=r"has 2 audio tracks, and source\.audio\.track asks"):
        listen(studio.path("silentfirst.mp4"), SourceAudio(track=3))


def test_replay_12_quiet_speech_is_not_made_louder_for_the_model(studio: Studio) -> None:
    loud, quiet = studio.path("a48.wav"), studio.folder / "quiet.wav"
    studio.encode("quiet.wav", "-i", str(loud), "-af", "volume=-45dB", "-c:a", "pcm_s24le")
    ratio = np.abs(listen(quiet).lanes[0]).max() / np.abs(listen(loud).lanes[0]).max()
    assert 20 * np.log10(ratio) == pytest.approx(-45, abs=1)


def test_replay_21_the_limit_counts_sound_and_not_a_guess(studio: Studio) -> None:
    path = studio.path("vbr.mp3")
    assert listen(path, limits=Limits(max_file_seconds=610)).seconds > 602
    with pytest.raises(LimitExceeded):
        listen(path, limits=Limits(max_file_seconds=590))


def test_a_day_and_a_bit_is_a_day(studio: Studio) -> None:
    studio.encode("bit.wav", "-f", "lavfi", "-i", "sine=440:r=16000:d=10.05")
    assert listen(studio.folder / "bit.wav", limits=Limits(max_file_seconds=10)).seconds == 10.05


@pytest.mark.parametrize(
    ("name", "error", "sentence"),
    [
        ("cuttail.m4a", MediaInvalid, r"its index is .*Upload it again"),
        ("h44.wav", MediaInvalid, "holds no audio samples"),
        ("mute.mp4", NoAudioStream, "has no audio track"),
    ],
    ids=["replay-26", "replay-30", "replay-43"],
)
def test_what_cannot_be_decoded_says_why(
    studio: Studio, name: str, error: type[MediaInvalid], sentence: str
) -> None:
    with pytest.raises(error, match=sentence):
        listen(studio.path(name))


@pytest.mark.parametrize(
    ("name", "content", "error"),
    [
        ("chat.txt", b"hi\n", NotMedia),
        ("meta.json", b"{}", NotMedia),
        ("info.xml", b'<?xml version="1.0"?><a/>', NotMedia),
        ("cover.png", b"\x89PNG\r\n\x1a\n" + bytes(99), NotMedia),
        ("list.m3u8", b"#EXTM3U\n", NotMedia),
        ("._a.wav", b"\0\5\26\7\0\2\0\0Mac OS X        ", NotMedia),
        ("call.mp3", b"<html><body>Not found", MediaInvalid),
        ("call.mp3", b"", MediaInvalid),
        ("call.wav", b"RIFF\0\0\0\0WAVEfmt ", MediaInvalid),
    ],
)
def test_replay_41_what_is_no_media_is_told_from_a_broken_recording(
    tmp_path: Path, name: str, content: bytes, error: type[MediaInvalid]
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(MediaInvalid) as refused:
        listen(tmp_path / name)
    assert (type(refused.value) is NotMedia) == (error is NotMedia)


@pytest.mark.skipif(not REAL_MEDIA.exists(), reason="no ../shared/real-media")
class TestUndecodableTracks:
    @pytest.fixture(scope="class")
    def spatial(self, studio: Studio) -> Path:
        studio.encode("first.mp4", "-i", str(REAL_MEDIA / "ax_sample_mhm1_bl_cicp1.mp4"),
                      "-i", "{a.m4a}", "-map", "0:a", "-map", "1:a", "-c", "copy")  # fmt: skip
        return studio.folder / "first.mp4"

    def test_replay_08_the_next_track_is_taken(self, spatial: Path) -> None:
        sound: Sound = listen(spatial)
        assert sound.seconds == pytest.approx(2.7, abs=0.1)
        assert "undecodableTrack" in sound.warnings
        assert any("MPEG-H 3D Audio" in each.message for each in sound.findings.warnings)

    @pytest.mark.parametrize(
        ("name", "sentence"),
        [
            ("ax_sample_mhm1_bl_cicp1.mp4", r"MPEG-H 3D Audio \(mpegh_3d_audio\)"),
            ("ax_sample_ac4.mp4", "Dolby AC-4"),
            ("grundig_sample.dss", "is a DSS dictation .* convert it"),
            ("ax_Twinkle.mid", "MIDI"),
            ("ax_sample_fragmented_widevine.mp4", "encrypted"),
        ],
    )
    def test_replay_15_a_format_without_a_decoder_is_named(self, tmp_path: Path, name: str,
                                                           sentence: str) -> None:  # fmt: skip
        path = tmp_path / name
        path.symlink_to(REAL_MEDIA / name)
        with pytest.raises(MediaInvalid, match=sentence) as refused:
            listen(path)
        assert "damaged" not in str(refused.value)
