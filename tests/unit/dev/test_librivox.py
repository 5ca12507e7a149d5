import wave

import pytest

from dev import librivox
from dev.errors import DevError


def write_clips(folder, lines, rate=16_000):
    (folder / "transcription").write_text("\n".join(lines) + "\n")
    for name in ("a", "b"):
        with wave.open(str(folder / f"{name}.wav"), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(rate)
            file.writeframes(name.encode() * 2 * 10)


def test_clips_have_their_words_and_sound_in_the_transcriptions_order(tmp_path):
    write_clips(tmp_path, ["<s> he was not </s> (b)", "<s> unless to be </s> (a)"])
    assert librivox.clips(tmp_path) == [
        (("he", "was", "not"), b"b" * 20),
        (("unless", "to", "be"), b"a" * 20),
    ]


def test_without_the_package_its_name_is_said(tmp_path):
    with pytest.raises(librivox.UnavailableError, match="apt-get install pocketsphinx-testdata"):
        librivox.clips(tmp_path)


def test_a_transcription_in_another_format_is_refused(tmp_path):
    write_clips(tmp_path, ["he was not (b)"])
    with pytest.raises(DevError, match=r"unknown: he was not \(b\)"):
        librivox.clips(tmp_path)


def test_clips_at_another_rate_are_refused(tmp_path):
    write_clips(tmp_path, ["<s> he was not </s> (b)"], rate=8000)
    with pytest.raises(DevError, match="no longer mono sound of 16 bits at 16000 Hz"):
        librivox.clips(tmp_path)
