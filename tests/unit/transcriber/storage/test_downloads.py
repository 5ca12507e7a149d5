import errno
from pathlib import Path

import pytest
from urllib3.exceptions import ProtocolError

from whisper_transcriber.errors import VolumeFull
from whisper_transcriber.storage.downloads import LEAST_BYTES, Pace, new_file


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_an_error_of_its_own(number: int, tmp_path: Path) -> None:
    with (
        pytest.raises(VolumeFull, match=r"no room for s3://media/a.mp3"),
        new_file(tmp_path / "file", "s3://media/a.mp3"),
    ):
        raise OSError(number, "full")


def test_other_errors_stay_what_they_are(tmp_path: Path) -> None:
    with pytest.raises(ConnectionResetError), new_file(tmp_path / "file", "s3://media/a.mp3"):
        raise ConnectionResetError(errno.ECONNRESET, "reset")


def test_a_file_is_never_written_over(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"there")
    with pytest.raises(FileExistsError), new_file(tmp_path / "file", "s3://media/a.mp3"):
        pass


def test_a_trickle_is_given_up_after_a_minute() -> None:
    now = 0.0
    pace = Pace(lambda: now)
    for _ in range(12):
        pace.count(1)
        now += 5.0
    with pytest.raises(ProtocolError, match="only 13 bytes came in 60 seconds"):
        pace.count(1)


def test_each_minute_counts_by_itself() -> None:
    now = 0.0
    pace = Pace(lambda: now)
    pace.count(100 * LEAST_BYTES)
    now = 61.0
    pace.count(1)
    now = 122.0
    with pytest.raises(ProtocolError):
        pace.count(LEAST_BYTES - 1)
