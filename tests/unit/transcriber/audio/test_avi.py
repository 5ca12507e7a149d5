import struct
from pathlib import Path

import pytest

from whisper_transcriber.audio import avi


def test_an_avi_with_endless_silences_is_looked_at_in_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(avi, "_MOST_SILENCES", 10)
    header = struct.pack("<4s4sIHHIIIIIIII", b"auds", b"", 0, 0, 0, 0, 1, 40, 0, 0, 0, 0, 0)
    frames = (struct.pack("<4sI", b"00wb", 0) + struct.pack("<4sI2s", b"00wb", 2, b"ab")) * 50
    path = tmp_path / "a.avi"
    path.write_bytes(
        b"RIFF....AVI LISTstrh" + struct.pack("<I", len(header)) + header + b"movi" + frames
    )
    found = avi.silences(path, 0)
    assert len(found) == 10
    assert found[:2] == [avi.Silence(0, 400), avi.Silence(400, 800)]
