import socket
from pathlib import Path

import pytest

from tests.integration.transcriber.web_server import Exchange, File, Web
from tests.integration.transcriber.web_sources import CONTENT, fetch, source, uri
from transcription_contract.locations import ObjectUri
from whisper_transcriber.errors import (
    AccessDenied,
    ConfigurationInvalid,
    Interrupted,
    ObjectStoreUnavailable,
    SourceNotFound,
    SourceReplaced,
)
from whisper_transcriber.interruption import Interruption
from whisper_transcriber.storage.store import ObjectMissingError


@pytest.mark.parametrize(
    ("file", "etag"),
    [
        pytest.param(File(CONTENT), "first", id="an ordinary server"),
        pytest.param(File(CONTENT, etag='W/"weak"'), "weak", id="a weak etag"),
        pytest.param(File(CONTENT, ranges=False), "first", id="a server without ranges"),
        pytest.param(File(CONTENT, etag=None), None, id="a server without etags"),
        pytest.param(File(b""), "first", id="an empty file"),
        pytest.param(File(b"", ranges=False), "first", id="an empty file, without ranges"),
    ],
)
def test_a_file_is_fetched(file: File, etag: str | None, web: Web, tmp_path: Path) -> None:
    web.answers["/talk.mp3"] = file
    stored, content = fetch(web, tmp_path)
    assert content == file.content
    assert stored.size == len(file.content)
    assert stored.etag == etag or (etag is None and len(stored.etag) == 32)
    assert all(headers["Host"] == f"127.0.0.1:{web.port}" for _, headers in web.requests)
    assert {path for path, _ in web.requests} == {"/talk.mp3?signature=secret"}


def test_an_etag_of_our_own_tells_files_apart_by_date_and_size(web: Web) -> None:
    tags = set()
    for modified in ("Mon, 01 Jan 2024 00:00:00 GMT", "Tue, 02 Jan 2024 00:00:00 GMT", None):
        for content in (b"one", b"three"):
            web.answers["/talk.mp3"] = File(content, etag=None, modified=modified)
            tags.add(source(web).stat(uri(web)).etag)
    assert len(tags) == 6


@pytest.mark.parametrize("ranges", [True, False])
def test_a_cut_download_goes_on_where_it_was(ranges: bool, web: Web, tmp_path: Path) -> None:
    file = File(CONTENT, ranges=ranges)
    cuts = iter([100_000, 200_000, None] if not ranges else [100_000, 100_000, None])

    def cut(exchange: Exchange) -> None:
        if exchange.headers.get("Range") != "bytes=0-0":
            file.cut_after = next(cuts)
        file(exchange)

    web.answers["/talk.mp3"] = cut
    assert fetch(web, tmp_path)[1] == CONTENT
    asked = [headers.get("Range") for _, headers in web.requests]
    assert asked == ["bytes=0-0", None, "bytes=100000-", "bytes=200000-"]


def test_a_server_that_lets_single_bytes_drip_is_given_up(web: Web, tmp_path: Path) -> None:
    web.answers["/talk.mp3"] = File(CONTENT, cut_after=1)
    with pytest.raises(ObjectStoreUnavailable, match=r"127.0.0.1:\d+/talk.mp3 could not be fetc"):
        fetch(web, tmp_path)
    assert len(web.requests) < 20


@pytest.mark.parametrize("ranges", [True, False])
@pytest.mark.parametrize(
    "another",
    [
        pytest.param(File(b"x" * len(CONTENT), etag='"second"'), id="by its etag"),
        pytest.param(File(CONTENT + b"more"), id="by its size"),
        pytest.param(File(b""), id="by having none"),
    ],
)
def test_another_file_in_the_source_s_place_is_noticed(
    another: File, ranges: bool, web: Web, tmp_path: Path
) -> None:
    web.answers["/talk.mp3"] = File(CONTENT, cut_after=100_000, ranges=ranges)
    stored = source(web).stat(uri(web))
    another.ranges = ranges

    def replaced_meanwhile(exchange: Exchange) -> None:
        File(CONTENT, cut_after=100_000)(exchange)
        web.answers["/talk.mp3"] = another

    web.answers["/talk.mp3"] = replaced_meanwhile
    with pytest.raises(SourceReplaced, match=r"talk.mp3 was replaced"):
        source(web).download(stored, tmp_path / "file")


def test_a_server_that_sends_more_than_it_said_is_not_believed(web: Web, tmp_path: Path) -> None:
    web.answers["/talk.mp3"] = lambda exchange: exchange.answer(
        206, {"ETag": '"x"', "Content-Range": "bytes 0-9/10", "Content-Length": "5000"}, b"x" * 5000
    )
    assert fetch(web, tmp_path)[1] == b"x" * 10


def test_a_server_that_sends_another_part_is_not_believed(web: Web, tmp_path: Path) -> None:
    web.answers["/talk.mp3"] = lambda exchange: exchange.answer(
        206, {"ETag": '"x"', "Content-Range": "bytes 5-9/10", "Content-Length": "5"}, b"x" * 5
    )
    with pytest.raises(ObjectStoreUnavailable, match="left out a part"):
        fetch(web, tmp_path)


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        pytest.param({}, "does not tell the file's size", id="no size"),
        pytest.param({"Content-Length": "-5"}, "does not tell", id="a size that is none"),
        pytest.param({"Transfer-Encoding": "chunked"}, "does not tell", id="in chunks"),
        pytest.param(
            {"Content-Length": "9", "Content-Encoding": "gzip"}, "sent compressed", id="compressed"
        ),
    ],
)
def test_an_answer_without_what_is_needed_is_refused(
    headers: dict[str, str | None], words: str, web: Web
) -> None:
    web.answers["/talk.mp3"] = lambda exchange: exchange.answer(200, headers)
    with pytest.raises(ConfigurationInvalid, match=words):
        source(web).stat(uri(web))


@pytest.mark.parametrize(
    ("status", "error", "words"),
    [
        (404, ObjectMissingError, "/talk.mp3"),
        (410, ObjectMissingError, "/talk.mp3"),
        (401, AccessDenied, "signed link"),
        (403, AccessDenied, "signed link"),
        (400, ConfigurationInvalid, "status 400"),
        (304, ConfigurationInvalid, "status 304"),
        (429, ObjectStoreUnavailable, "status 429"),
        (503, ObjectStoreUnavailable, "status 503"),
    ],
)
def test_refusals_mean_what_the_user_can_do_about_them(
    status: int, error: type[Exception], words: str, web: Web
) -> None:
    web.answers["/talk.mp3"] = lambda exchange: exchange.answer(status)
    with pytest.raises(error, match=words) as refused:
        source(web, retry_seconds=0.2).stat(uri(web))
    assert "secret" not in str(refused.value)


def test_what_passes_is_tried_again(web: Web, tmp_path: Path) -> None:
    answers = iter([lambda exchange: exchange.answer(503), lambda exchange: None])

    def busy_at_first(exchange: Exchange) -> None:
        next(answers, File(CONTENT))(exchange)

    web.answers["/talk.mp3"] = busy_at_first
    assert fetch(web, tmp_path, retry_seconds=10)[1] == CONTENT


def test_nothing_listens_there(web: Web) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nobody = ObjectUri.parse(f"https://127.0.0.1:{free.getsockname()[1]}/talk.mp3")
    with pytest.raises(ObjectStoreUnavailable, match=r"refused"):
        source(web).stat(nobody)


@pytest.mark.parametrize("host", ["nobody.invalid", "a..b", "a" * 70 + ".example"])
def test_a_host_that_does_not_exist_is_a_source_that_does_not(host: str, web: Web) -> None:
    with pytest.raises((SourceNotFound, ObjectStoreUnavailable), match=host[:8]):
        source(web).stat(ObjectUri.parse(f"https://{host}/talk.mp3"))


def test_a_source_with_a_user_s_name_is_refused(web: Web) -> None:
    with pytest.raises(ConfigurationInvalid, match="without a user's name") as refused:
        source(web).stat(ObjectUri("me:secret@127.0.0.1", "talk.mp3", "https"))
    assert "secret" not in str(refused.value)


def test_a_download_can_be_interrupted(web: Web, tmp_path: Path) -> None:
    interruption = Interruption()

    def stop(exchange: Exchange) -> None:
        interruption.request()
        File(CONTENT)(exchange)

    web.answers["/talk.mp3"] = File(CONTENT)
    one = source(web, interruption=interruption)
    stored = one.stat(uri(web))
    web.answers["/talk.mp3"] = stop
    with pytest.raises(Interrupted):
        one.download(stored, tmp_path / "file")


def test_other_headers_tell_nothing_of_us(web: Web) -> None:
    web.answers["/talk.mp3"] = File(CONTENT)
    source(web).stat(uri(web))
    assert set(web.requests[0][1]) <= {"Host", "Accept-Encoding", "Range", "User-Agent"}
