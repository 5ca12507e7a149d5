from pathlib import Path

import pytest
import urllib3

from tests.unit.transcriber.storage.exchanges import URI, answer, refusal, store
from whisper_transcriber.errors import (
    ObjectStoreUnavailable,
    SourceReplaced,
)
from whisper_transcriber.storage.store import StoredObject

CONTENT = bytes(range(200))
SOURCE = StoredObject(URI, "abc", len(CONTENT))


def ranged(
    headers: dict[str, str], cut_after: int | None = None, etag: str = "abc"
) -> urllib3.HTTPResponse:
    start = int(headers.get("Range", "bytes=0-").removeprefix("bytes=").partition("-")[0])
    span = f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}"
    sent = {"etag": '"abc"', "Content-Range": span}
    return answer(206, CONTENT[start:], sent, cut_after=cut_after)


def test_a_download_goes_on_where_it_was_cut(tmp_path: Path) -> None:
    ranges: list[str] = []

    def exchange(method: str, url: str, headers: dict[str, str]) -> urllib3.HTTPResponse:
        ranges.append(headers["Range"])
        return ranged(headers, cut_after=80 if len(ranges) < 3 else None)

    store(exchange).download(SOURCE, tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == CONTENT
    assert ranges == ["bytes=0-199", "bytes=80-199", "bytes=160-199"]


def test_a_download_that_gets_nowhere_is_given_up(tmp_path: Path) -> None:
    with pytest.raises(ObjectStoreUnavailable):
        store(lambda _, __, headers: ranged(headers, cut_after=0)).download(
            SOURCE, tmp_path / "file"
        )


@pytest.mark.parametrize(
    "status",
    [
        pytest.param(412, id="a server that obeys If-Match"),
        pytest.param(200, id="a server that ignores it"),
    ],
)
def test_another_object_in_the_source_s_place_is_noticed(status: int, tmp_path: Path) -> None:
    seen: list[str] = []

    def exchange(method: str, url: str, headers: dict[str, str]) -> urllib3.HTTPResponse:
        seen.append(headers["If-Match"])
        if status == 412:
            return refusal(412, "PreconditionFailed")
        return answer(200, CONTENT, {"etag": '"other"'})

    with pytest.raises(SourceReplaced, match=r"s3://media/talks/a b.mp3 was replaced"):
        store(exchange).download(SOURCE, tmp_path / "file")
    assert seen == ['"abc"']
