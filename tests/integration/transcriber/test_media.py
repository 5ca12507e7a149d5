"""Whatever people call a recording, and what is none, through the real ffmpeg."""

import wave
from pathlib import Path

import numpy as np
import pytest

from tests.integration.transcriber.decoding import URI, decode, ffmpeg, loudness
from tests.integration.transcriber.speech import Recording, speak
from transcription_contract.task import Limits
from whisper_transcriber.errors import (
    LimitExceeded,
    MediaInvalid,
    NoAudioStream,
)


@pytest.fixture(scope="module")
def spoken() -> Recording:
    return speak(3.0)


def test_samples_come_through_unchanged_when_nothing_needs_converting(
    spoken: Recording, tmp_path: Path
) -> None:
    samples = decode(spoken.encode(tmp_path / "a.wav"))
    np.testing.assert_array_equal(samples, spoken.samples)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("a.mp3", ["-b:a", "32k"]),
        ("a.m4a", []),
        ("a.aac", []),
        ("a.flac", ["-ar", "48000", "-ac", "2"]),
        ("a.ogg", ["-c:a", "libvorbis"]),
        ("a.opus", ["-c:a", "libopus"]),
        ("a.webm", ["-c:a", "libopus"]),
        ("a.mkv", []),
        ("a.mov", []),
        ("a.wma", []),
        ("a.wav", ["-ar", "8000", "-ac", "1", "-c:a", "pcm_mulaw"]),
        ("surround.wav", ["-ac", "6"]),
        ("a.aiff", []),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_people_record_in_is_decoded(
    spoken: Recording, tmp_path: Path, name: str, arguments: list[str]
) -> None:
    samples = decode(spoken.encode(tmp_path / name, *arguments))
    assert len(samples) == pytest.approx(len(spoken.samples), abs=16_000 // 4)
    # One channel of six is mixed 11 dB softer, so that all six would not clip.
    assert 0.25 < loudness(samples) / loudness(spoken.samples) < 1.2


def test_a_video_is_heard(spoken: Recording, tmp_path: Path) -> None:
    sound = spoken.encode(tmp_path / "sound.wav")
    film = tmp_path / "film.mp4"
    ffmpeg("-f", "lavfi", "-i", "testsrc=duration=2:size=64x64", "-i", str(sound), str(film))
    assert len(decode(film)) > 2 * 16_000


def test_a_video_without_sound_says_so(tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    ffmpeg("-f", "lavfi", "-i", "testsrc=duration=1:size=64x64", str(film))
    with pytest.raises(NoAudioStream, match="has no audio track") as refused:
        decode(film)
    assert str(refused.value).startswith(URI)


@pytest.mark.parametrize("share", [0.3, 0.9])
def test_what_there_is_of_a_truncated_recording_counts(
    spoken: Recording, tmp_path: Path, share: float
) -> None:
    path = spoken.encode(tmp_path / "a.mp3")
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    assert len(decode(path)) == pytest.approx(len(spoken.samples) * share, rel=0.2)


def test_an_mp4_that_lost_its_index_is_undecodable(spoken: Recording, tmp_path: Path) -> None:
    path = spoken.encode(tmp_path / "a.m4a")
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(MediaInvalid, match=r"like MP4 but is truncated or damaged.*moov atom"):
        decode(path)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("playlist.m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{canary}\n"),
        ("list.ffconcat", "ffconcat version 1.0\nfile '{canary}'\n"),
        ("page.mpd", '<?xml version="1.0"?><MPD><BaseURL>{canary}</BaseURL></MPD>'),
        ("talk.mp3", "concat:{canary}|{canary}"),
        ("talk.sdp", "v=0\nm=audio 5004 RTP/AVP 0\nc=IN IP4 127.0.0.1\n"),
        ("notes.txt", "The weather is fine."),
        ("page.html", "<html><audio src='file://{canary}'></html>"),
    ],
)
def test_scripts_and_playlists_open_nothing(
    spoken: Recording, tmp_path: Path, name: str, content: str
) -> None:
    canary = spoken.encode(tmp_path / "canary.wav")
    path = tmp_path / name
    path.write_text(content.format(canary=canary))
    with pytest.raises(MediaInvalid) as refused:
        decode(path)
    assert str(tmp_path) not in str(refused.value)


def test_a_recording_at_the_limit_passes_and_a_longer_one_does_not(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    ffmpeg("-f", "lavfi", "-i", "sine=duration=2", "-ar", "16000", str(path))
    assert len(decode(path, Limits(max_file_seconds=2))) == 2 * 16_000
    longer = tmp_path / "b.wav"
    ffmpeg("-f", "lavfi", "-i", "sine=duration=30", "-ar", "16000", str(longer))
    with pytest.raises(LimitExceeded, match=r"the 2 seconds that limits\.maxFileSeconds"):
        decode(longer, Limits(max_file_seconds=2))


def test_a_decompression_bomb_is_stopped_at_the_limit(tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.flac"
    ffmpeg("-f", "lavfi", "-i", "anullsrc=r=16000", "-t", "5000", str(bomb))
    with pytest.raises(LimitExceeded):
        decode(bomb, Limits(max_file_seconds=100))
    assert (tmp_path / "bomb.flac.home/samples").stat().st_size <= 102 * 32_000


@pytest.mark.parametrize("name", ["a.wav", "a.mp3", "a.m4a"])
def test_more_bytes_than_allowed_are_refused_before_they_are_decoded(
    spoken: Recording, tmp_path: Path, name: str
) -> None:
    path = spoken.encode(tmp_path / name)
    with pytest.raises(LimitExceeded, match=r"bytes, more than the 1000 that limits\.maxFileBytes"):
        decode(path, Limits(max_file_bytes=1000))


@pytest.mark.parametrize("rate", [8_000, 11_025, 44_100, 96_000, 192_000])
def test_any_rate_becomes_16_khz(tmp_path: Path, rate: int) -> None:
    path = tmp_path / "a.wav"
    ffmpeg("-f", "lavfi", "-i", f"sine=440:d=2:r={rate}", "-c:a", "pcm_s16le", str(path))
    samples = decode(path)
    assert len(samples) == pytest.approx(2 * 16_000, abs=2)
    spectrum = np.abs(np.fft.rfft(samples))
    assert spectrum.argmax() * 16_000 / len(samples) == pytest.approx(440, abs=1)


@pytest.mark.parametrize("channels", [1, 2, 3, 6, 8, 9, 12, 16, 32])
def test_channels_without_a_layout_are_all_heard_and_do_not_clip(
    tmp_path: Path, channels: int
) -> None:
    tone = (32_400 * np.sin(2 * np.pi * 440 * np.arange(16_000) / 16_000)).astype("<i2")
    path = tmp_path / "a.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((channels, 2, 16_000, 0, "NONE", ""))
        file.writeframes(np.repeat(tone, channels).tobytes())
    samples = decode(path)
    assert np.abs(samples).max() > 20_000
    crest = np.abs(samples).max() / np.sqrt((samples.astype(np.float64) ** 2).mean())
    assert crest == pytest.approx(np.sqrt(2), rel=0.02), "a clipped sine is flatter"


@pytest.mark.parametrize("channel", ["FL", "FR", "FC", "BL", "BR"])
def test_a_voice_in_one_channel_of_six_is_heard(tmp_path: Path, channel: str) -> None:
    path = tmp_path / "a.wav"
    ffmpeg("-f", "lavfi", "-i", "sine=440:d=1", "-af", f"pan=5.1|{channel}=c0", str(path))
    # What is behind counts half, and the detector amplifies.
    assert loudness(decode(path)) > 0.004


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is empty (0 bytes)"),
        (b"The weather is fine.", "is a text file, not a recording"),
        (b"<html><body>Not found", "is an HTML page, not a recording"),
        (b'{"error": 404}', "is JSON, not a recording"),
        (b"%PDF-1.4\n", "is a PDF document, not a recording"),
        (b"PK\x03\x04....", "is a ZIP archive or an office document, not a recording"),
        (b"\x89PNG\r\n\x1a\n", "is a picture, not a recording"),
        (b"#EXTM3U\n", "is a playlist or a script for a player, not a recording"),
        (b"fLaC\0\0", "begins like FLAC but is truncated or damaged"),
        (b"\0" * 5000, "is not a recording that ffmpeg can decode"),
    ],
    ids=lambda value: repr(value[:8]) if isinstance(value, bytes) else "",
)
def test_what_is_no_recording_is_told_in_its_own_words(
    tmp_path: Path, content: bytes, sentence: str
) -> None:
    path = tmp_path / "a.mp3"
    path.write_bytes(content)
    with pytest.raises(MediaInvalid) as refused:
        decode(path)
    assert str(refused.value).startswith(f"{URI} {sentence}")


def test_an_encrypted_mp4_says_so(spoken: Recording, tmp_path: Path) -> None:
    path = spoken.encode(
        tmp_path / "a.mp4", "-c:a", "aac", "-encryption_scheme", "cenc-aes-ctr",
        "-encryption_key", "0" * 31 + "1", "-encryption_kid", "0" * 31 + "2",
    )  # fmt: skip
    with pytest.raises(MediaInvalid, match="is encrypted or protected against copying"):
        decode(path)
