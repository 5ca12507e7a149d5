"""AudioCache that are decoded while they arrive."""

import random
import shutil
import threading
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from dev.commands import wait_until
from tests.integration.transcriber.decoding import decode
from tests.integration.transcriber.speech import Recording, speak
from whisper_transcriber.audio import conversion, media
from whisper_transcriber.errors import (
    Interrupted,
    ObjectStoreUnavailable,
    SourceReplaced,
)
from whisper_transcriber.interruption import Interruption


@pytest.fixture(scope="module")
def spoken() -> Recording:
    return speak(3.0)


STREAMED = [
    ("plain.wav", []),
    ("stereo.wav", ["-ar", "44100", "-ac", "2"]),
    ("float.wav", ["-c:a", "pcm_f32le"]),
    ("mulaw.wav", ["-ar", "8000", "-c:a", "pcm_mulaw"]),
    ("adpcm.wav", ["-ar", "22050", "-c:a", "adpcm_ima_wav"]),
    ("rf64.wav", ["-ac", "2", "-rf64", "always"]),
    ("a.mp3", ["-b:a", "64k"]),
    ("untagged.mp3", ["-id3v2_version", "0", "-write_xing", "0"]),
    ("a.aac", []),
    ("a.flac", []),
    ("a.ogg", ["-c:a", "libvorbis"]),
    ("flac.oga", ["-c:a", "flac"]),
    ("a.opus", ["-c:a", "libopus"]),
    ("speex.spx", ["-c:a", "libspeex"]),
    ("a.webm", ["-c:a", "libopus"]),
    ("a.mka", ["-c:a", "libvorbis"]),
    ("pcm.mka", ["-c:a", "pcm_s16le"]),
]

PADDING = 2000
"""Samples at 16 kHz: an MP3 says in 12 bits how many of its own its encoder added."""


@pytest.mark.parametrize(("name", "how"), STREAMED, ids=[name for name, _ in STREAMED])
def test_a_stream_gives_the_samples_that_the_whole_file_gives(
    spoken: Recording, tmp_path: Path, name: str, how: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = spoken.encode(tmp_path / name, *how)
    fed: list[int] = []
    streamed = decode(path, fed=fed.append, download=partial(trickle, path, 777))
    assert fed == sorted(fed)
    assert fed[-1] == pytest.approx(path.stat().st_size, abs=200)
    whole = decode_whole(path, monkeypatch)
    padding = PADDING if name == "a.mp3" else 0
    assert len(whole) <= len(streamed) <= len(whole) + padding
    # The resampler's last samples depend on what follows.
    common = len(whole) - (100 if padding else 0)
    np.testing.assert_array_equal(streamed[:common], whole[:common])


@pytest.mark.parametrize(("magic", "first"), [(b"#!AMR\n", b"\x3c"), (b"#!AMR-WB\n", b"\x04")])
def test_amr_is_streamed_too(
    tmp_path: Path, magic: bytes, first: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No encoder is at hand: frames of noise, of the fixed size that their first byte tells."""
    size = {b"\x3c": 31, b"\x04": 17}[first]
    noise = random.Random(1)
    path = tmp_path / "a.amr"
    path.write_bytes(magic + b"".join(first + noise.randbytes(size) for _ in range(100)))
    streamed = decode(path, download=partial(trickle, path, 777))
    assert len(streamed) == 100 * 16_000 // 50
    np.testing.assert_array_equal(streamed, decode_whole(path, monkeypatch))


def decode_whole(path: Path, monkeypatch: pytest.MonkeyPatch) -> NDArray[np.int16]:
    monkeypatch.setattr(conversion, "can_stream", lambda _: False)
    monkeypatch.setattr(media, "plain_wave", lambda *_: None)
    return decode(path.rename(path.parent / f"whole.{path.name}"))


def trickle(source: Path, piece: int, path: Path) -> None:
    """A download in pieces that fit no frame."""
    content = source.read_bytes()
    with path.open("wb", buffering=0) as file:
        for position in range(0, len(content), piece):
            file.write(content[position : position + piece])


@pytest.mark.parametrize("name", ["a.wav", "stereo.wav", "a.mp3", "a.flac", "a.opus", "a.webm"])
def test_samples_are_there_while_the_rest_still_arrives(tmp_path: Path, name: str) -> None:
    path = speak(40.0).encode(tmp_path / name, "-ac", "2" if "stereo" in name else "1")
    samples = tmp_path / f"{name}.home/samples"

    def download(target: Path) -> None:
        content = path.read_bytes()
        with target.open("wb", buffering=0) as file:
            file.write(content[: len(content) * 3 // 4])
            wait_until("the first samples", lambda: holds(samples, 32_000), timeout=20)
            file.write(content[len(content) * 3 // 4 :])

    assert len(decode(path, download=download)) > 40 * 16_000


def holds(path: Path, more_than: int) -> bool:
    return path.exists() and path.stat().st_size > more_than


@pytest.mark.parametrize("name", ["a.wav", "a.mp3", "a.m4a"])
def test_what_the_download_raised_wins_over_what_ffmpeg_says_of_it(
    spoken: Recording, tmp_path: Path, name: str
) -> None:
    path = spoken.encode(tmp_path / name)
    broken = ObjectStoreUnavailable("the object store has been away for minutes")

    def download(target: Path) -> None:
        target.write_bytes(path.read_bytes()[:10_000])
        raise broken

    with pytest.raises(ObjectStoreUnavailable) as raised:
        decode(path, download=download)
    assert raised.value is broken


def test_a_recording_is_not_decoded_before_the_download_has_ended_well(
    spoken: Recording, tmp_path: Path
) -> None:
    path = spoken.encode(tmp_path / "a.mp3")

    def download(target: Path) -> None:
        shutil.copy(path, target)
        samples = target.parent / "samples"
        wait_until("some samples", lambda: holds(samples, 0), timeout=20)
        raise SourceReplaced("s3://media/a.mp3 was replaced")

    path.write_bytes(path.read_bytes() * 3)
    with pytest.raises(SourceReplaced):
        decode(path, download=download)


@pytest.mark.parametrize("name", ["a.wav", "stereo.wav", "a.mp3", "a.m4a"])
def test_a_request_to_stop_is_obeyed_while_nothing_arrives(
    spoken: Recording, tmp_path: Path, name: str
) -> None:
    path = spoken.encode(tmp_path / name, "-ac", "2" if "stereo" in name else "1")
    interruption = Interruption()
    over = threading.Event()

    def download(target: Path) -> None:
        target.write_bytes(path.read_bytes()[:20_000])
        interruption.request()
        over.wait(30)

    with pytest.raises(Interrupted):
        decode(path, download=download, interruption=interruption)
    over.set()


def test_what_the_stream_did_not_give_is_read_again_as_a_file(
    spoken: Recording, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = spoken.encode(tmp_path / "a.m4a")
    monkeypatch.setattr(conversion, "can_stream", lambda _: True)
    assert len(decode(path)) == pytest.approx(len(spoken.samples), abs=16_000 // 4)
