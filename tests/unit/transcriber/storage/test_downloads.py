import errno
from pathlib import Path

import pytest
from urllib3 import HTTPResponse
from urllib3.exceptions import ProtocolError

from whisper_transcriber.errors import VolumeFull
from whisper_transcriber.storage.downloads import LEAST_BYTES, Pace, moment, new_file, whole_size


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


@pytest.mark.parametrize("date", ["", "tomorrow", f"Mon, 01 Jan 2024 00:00:00 +{'9' * 30}"])
def test_a_date_that_is_none_is_no_error(date: str) -> None:
    assert moment(date) is None


@pytest.mark.parametrize("size", ["", "many", "-1", "9" * 5000])
def test_a_size_that_is_none_is_not_told(size: str) -> None:
    whole = HTTPResponse(b"", {"Content-Length": size}, 200)
    part = HTTPResponse(b"", {"Content-Range": f"bytes 0-0/{size}"}, 206)
    assert whole_size(whole) is None
    assert whole_size(part) is None
