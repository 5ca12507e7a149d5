"""What an ffmpeg that misbehaves can do to a worker, and whose fault each end is."""

import errno
import stat
import threading
from pathlib import Path

import pytest

from dev.commands import wait_until
from tests.integration.transcriber.decoding import URI, decode
from tests.integration.transcriber.speech import Recording, speak
from whisper_transcriber.audio import conversion, lanes
from whisper_transcriber.audio import ffmpeg as ffmpeg_module
from whisper_transcriber.errors import (
    DecoderKilled,
    Interrupted,
    LimitExceeded,
    MediaInvalid,
    TranscriberError,
)
from whisper_transcriber.interruption import Interruption


@pytest.fixture(scope="module")
def spoken() -> Recording:
    return speak(3.0)


def fake_ffmpeg(directory: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    program = directory / "bin/ffmpeg"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(ffmpeg_module, "arguments", lambda *_, **__: [str(program)])


@pytest.fixture(params=["a.mp3", "a.m4a"], ids=["as a stream", "as a file"])
def recording_of_ours(spoken: Recording, tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    return spoken.encode(tmp_path / str(request.param))


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("KILL", DecoderKilled),
        ("TERM", DecoderKilled),
        ("XCPU", LimitExceeded),
        ("SEGV", MediaInvalid),
        ("ABRT", MediaInvalid),
        ("FPE", MediaInvalid),
    ],
)
def test_only_a_kill_from_outside_is_tried_again(
    recording_of_ours: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str,
    error: type[TranscriberError],
) -> None:  # fmt: skip
    fake_ffmpeg(tmp_path, f"kill -{name} $$", monkeypatch)
    with pytest.raises(error) as raised:
        decode(recording_of_ours)
    assert type(raised.value) is error
    assert name == "XCPU" or f"SIG{name}" in str(raised.value)


def test_processor_time_beyond_the_limit_is_the_recording_s_fault(
    recording_of_ours: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_ffmpeg(tmp_path, "while :; do :; done", monkeypatch)
    monkeypatch.setattr(conversion, "MINIMUM_SECONDS", 1)
    monkeypatch.setattr(conversion, "SECONDS_PER_AUDIO_SECOND", 0.0)
    with pytest.raises(LimitExceeded):
        decode(recording_of_ours)


def test_memory_beyond_the_limit_is_the_recording_s_fault(
    recording_of_ours: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ffmpeg_module, "MEMORY_BYTES", 24 << 20)
    with pytest.raises(MediaInvalid) as refused:
        decode(recording_of_ours)
    assert str(refused.value).startswith(URI)


def test_a_full_disk_does_not_pass_for_the_end_of_the_recording(
    spoken: Recording, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_file: int, _piece: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(lanes, "write_all", full)
    for name in ("a.wav", "a.mp3", "a.m4a"):
        with pytest.raises(DecoderKilled, match="no room on disk"):
            decode(spoken.encode(tmp_path / name))


def test_an_ffmpeg_that_hangs_is_ended(
    recording_of_ours: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_ffmpeg(tmp_path, "exec sleep 60", monkeypatch)
    monkeypatch.setattr(conversion, "MINIMUM_SECONDS", 1)
    monkeypatch.setattr(conversion, "SECONDS_PER_AUDIO_SECOND", 0.0)
    with pytest.raises(LimitExceeded, match="did not end"):
        decode(recording_of_ours)


def test_the_clock_stands_still_while_nothing_arrives(
    spoken: Recording, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = spoken.encode(tmp_path / "a.flac")
    monkeypatch.setattr(conversion, "MINIMUM_SECONDS", 2)
    monkeypatch.setattr(conversion, "SECONDS_PER_AUDIO_SECOND", 0.0)
    content = path.read_bytes()

    def download(target: Path) -> None:
        with target.open("wb", buffering=0) as file:
            file.write(content[:10_000])
            threading.Event().wait(2.5)
            file.write(content[10_000:])

    assert len(decode(path, download=download)) == len(spoken.samples)


def test_an_ffmpeg_that_complains_for_ever_fills_no_memory_and_leaks_no_keys(
    recording_of_ours: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hush")
    fake_ffmpeg(tmp_path, "yes '[error] no' | head -c 3000000 >&2; env >&2; exit 1", monkeypatch)
    with pytest.raises(MediaInvalid) as refused:
        decode(recording_of_ours)
    assert "hush" not in str(refused.value)
    assert len(str(refused.value)) < 1000


def test_ffmpeg_can_write_no_file(
    recording_of_ours: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_ffmpeg(tmp_path, f"sleep 0.3; echo x > {tmp_path}/written; exec sleep 0", monkeypatch)
    with pytest.raises(MediaInvalid):
        decode(recording_of_ours)
    assert (tmp_path / "written").stat().st_size == 0


def test_a_request_to_stop_ends_ffmpeg(
    recording_of_ours: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_ffmpeg(tmp_path, f"touch {tmp_path}/began; exec sleep 60", monkeypatch)
    interruption = Interruption()

    def stop() -> None:
        wait_until("ffmpeg began", (tmp_path / "began").exists, timeout=20)
        interruption.request()

    threading.Thread(target=stop).start()
    with pytest.raises(Interrupted):
        decode(recording_of_ours, interruption=interruption)
