"""Whatever people call a recording, and what is none, through the real ffmpeg."""

import shutil
import signal
import stat
import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.integration.transcriber.speech import Recording, speak
from transcription_contract.task import Limits
from whisper_transcriber import media
from whisper_transcriber.errors import (
    DecoderKilled,
    Interrupted,
    LimitExceeded,
    MediaInvalid,
    NoAudioStream,
    TranscriberError,
)
from whisper_transcriber.interruption import Interruption
from whisper_transcriber.samples import Samples

URI = "s3://media/-i; rm.mp3"
LIMITS = Limits(max_file_seconds=60)


@pytest.fixture(scope="module")
def spoken() -> Recording:
    return speak(3.0)


def decode(path: Path, limits: Limits = LIMITS) -> Samples:
    """Decode a copy of ``path``, alone in its folder as in a pod."""
    home = path.parent / f"{path.name}.home"
    home.mkdir()
    shutil.copy(path, home / "recording")
    target = home / "samples"
    media.decode(home / "recording", target, uri=URI, limits=limits, interruption=Interruption())
    return Samples(target)


def test_samples_come_through_unchanged_when_nothing_needs_converting(
    spoken: Recording, tmp_path: Path
) -> None:
    with decode(spoken.encode(tmp_path / "a.wav")) as samples:
        np.testing.assert_array_equal(samples.integers(0, samples.count), spoken.samples)


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
    with decode(spoken.encode(tmp_path / name, *arguments)) as samples:
        assert samples.count == pytest.approx(len(spoken.samples), abs=16_000 // 4)
        assert np.abs(samples.waveform(0, samples.count)).max() > 0.05


def test_a_video_is_heard(spoken: Recording, tmp_path: Path) -> None:
    sound = spoken.encode(tmp_path / "sound.wav")
    film = tmp_path / "film.mp4"
    ffmpeg("-f", "lavfi", "-i", "testsrc=duration=2:size=64x64", "-i", str(sound), str(film))
    with decode(film) as samples:
        assert samples.count > 2 * 16_000


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
    with decode(path) as samples:
        assert samples.count == pytest.approx(len(spoken.samples) * share, rel=0.2)


def test_an_mp4_that_lost_its_index_is_undecodable(spoken: Recording, tmp_path: Path) -> None:
    path = spoken.encode(tmp_path / "a.m4a")
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(MediaInvalid, match="not a recording that ffmpeg can decode"):
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
    with decode(path, Limits(max_file_seconds=2)) as samples:
        assert samples.count == 2 * 16_000
    longer = tmp_path / "b.wav"
    ffmpeg("-f", "lavfi", "-i", "sine=duration=30", "-ar", "16000", str(longer))
    with pytest.raises(LimitExceeded, match="longer than the 2 seconds that the job allows"):
        decode(longer, Limits(max_file_seconds=2))


def test_a_decompression_bomb_is_stopped_at_the_limit(tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.flac"
    ffmpeg("-f", "lavfi", "-i", "anullsrc=r=16000", "-t", "5000", str(bomb))
    with pytest.raises(LimitExceeded):
        decode(bomb, Limits(max_file_seconds=100))
    assert (tmp_path / "bomb.flac.home/samples").stat().st_size <= 102 * 32_000


def fake_ffmpeg(directory: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    program = directory / "bin/ffmpeg"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    command = media._command

    def replaced(source: Path, target: Path, limit_seconds: int) -> list[str]:
        return [str(program), *command(source, target, limit_seconds)[1:]]

    monkeypatch.setattr(media, "_command", replaced)


@pytest.fixture
def wav(spoken: Recording, tmp_path: Path) -> Path:
    return spoken.encode(tmp_path / "a.wav")


def test_a_killed_ffmpeg_is_never_the_recording_s_fault(
    wav: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_ffmpeg(tmp_path, "kill -KILL $$", monkeypatch)
    with pytest.raises(DecoderKilled, match="SIGKILL"):
        decode(wav)


def test_a_full_disk_does_not_pass_for_the_end_of_the_recording(
    wav: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    complaint = "av_interleaved_write_frame(): No space left on device"
    script = f'for target; do :; done; head -c 64000 /dev/zero > "$target"; echo "{complaint}" >&2'
    fake_ffmpeg(tmp_path, f"{script}; exit 1", monkeypatch)
    with pytest.raises(DecoderKilled, match="No space left on device"):
        decode(wav)


def test_an_ffmpeg_that_hangs_is_ended(
    wav: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_ffmpeg(tmp_path, "exec sleep 60", monkeypatch)
    monkeypatch.setattr(media, "MINIMUM_SECONDS", 1)
    monkeypatch.setattr(media, "SECONDS_PER_AUDIO_SECOND", 0.0)
    with pytest.raises(LimitExceeded, match="did not end"):
        decode(wav)


def test_an_ffmpeg_that_complains_for_ever_fills_no_memory_and_leaks_no_keys(
    wav: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hush")
    fake_ffmpeg(tmp_path, "yes | head -c 3000000 >&2; env >&2; exit 1", monkeypatch)
    with pytest.raises(MediaInvalid) as refused:
        decode(wav)
    assert "hush" not in str(refused.value)
    assert len(str(refused.value)) < 1000


def test_a_request_to_stop_ends_ffmpeg(
    wav: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_ffmpeg(tmp_path, "exec sleep 60", monkeypatch)
    interruption = Interruption()
    interruption.request()
    with pytest.raises(Interrupted):
        media.decode(wav, tmp_path / "samples", uri=URI, limits=LIMITS, interruption=interruption)


@pytest.fixture(scope="module")
def intact(spoken: Recording, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return spoken.encode(tmp_path_factory.mktemp("intact") / "a.m4a").read_bytes()


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(damage=st.lists(st.tuples(st.integers(0, 20_000), st.binary(min_size=1, max_size=30))))
def test_any_bytes_are_samples_or_an_error_of_ours(
    intact: bytes,
    tmp_path_factory: pytest.TempPathFactory,
    damage: list[tuple[int, bytes]],
) -> None:
    home = tmp_path_factory.mktemp("fuzz")
    content = bytearray(intact)
    for position, junk in damage:
        content[position : position + len(junk)] = junk
    path = home / "fuzzed"
    path.write_bytes(bytes(content))
    message = URI
    try:
        with decode(path) as samples:
            assert samples.count > 0
    except TranscriberError as error:
        message = str(error)
    assert URI in message


def ffmpeg(*arguments: str) -> None:
    subprocess.run(["ffmpeg", "-y", "-loglevel", "error", *arguments], check=True)


def test_signals_that_our_own_limits_send_are_the_recording_s_fault() -> None:
    assert isinstance(media._killed(signal.SIGXCPU, URI), LimitExceeded)
    assert isinstance(media._killed(signal.SIGKILL, URI), DecoderKilled)
