import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.transcriber.web_server import Exchange, File, Web, serve
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
from whisper_transcriber.storage.store import ObjectMissingError, StoredObject
from whisper_transcriber.storage.web import WebSource

CONTENT = os.urandom(300_000)
LOOPBACK = ("127.0.0.0/8", "::1/128")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    with serve(tmp_path_factory.mktemp("web")) as web:
        yield web


@pytest.fixture
def web(server: Web) -> Web:
    server.answers.clear()
    server.requests.clear()
    return server


def source(
    web: Web,
    allowed_networks: tuple[str, ...] = LOOPBACK,
    retry_seconds: float = 0.5,
    interruption: Interruption | None = None,
) -> WebSource:
    return WebSource(
        interruption or Interruption(),
        retry_seconds=retry_seconds,
        allowed_networks=allowed_networks,
        certificates=web.certificate,
    )


def uri(web: Web, path: str = "/talk.mp3?signature=secret", host: str = "127.0.0.1") -> ObjectUri:
    return ObjectUri.parse(web.url(path, host))


def fetch(web: Web, folder: Path, **how: Any) -> tuple[StoredObject, bytes]:
    one = source(web, **how)
    stored = one.stat(uri(web))
    one.download(stored, folder / "file")
    return stored, (folder / "file").read_bytes()


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


def test_an_unknown_authority_is_not_trusted(web: Web) -> None:
    web.answers["/talk.mp3"] = File(CONTENT)
    one = WebSource(Interruption(), retry_seconds=60, allowed_networks=LOOPBACK)
    with pytest.raises(ConfigurationInvalid, match=r"is not trusted: .*self-signed"):
        one.stat(uri(web))


def test_a_certificate_for_another_name_is_not_trusted(tmp_path: Path) -> None:
    with (
        serve(tmp_path, "DNS:other.example") as other,
        pytest.raises(ConfigurationInvalid, match=r"is not trusted: .*not valid for"),
    ):
        source(other, retry_seconds=60).stat(uri(other))


def test_the_name_that_was_asked_for_is_the_one_that_is_certified(tmp_path: Path) -> None:
    """By name, though the connection goes to the address that was judged."""
    with serve(tmp_path, "DNS:localhost") as named:
        named.answers["/talk.mp3"] = File(CONTENT)
        source(named).stat(uri(named, host="localhost"))
        assert named.requests[0][1]["Host"] == f"localhost:{named.port}"
        with pytest.raises(ConfigurationInvalid, match="is not trusted"):
            source(named).stat(uri(named))


def resolving_to(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> None:
    """DNS says these, one after the other; addresses are themselves."""
    ask, left = socket.getaddrinfo, list(answers)

    def answer(host: str, port: int, *args: Any, **named: Any) -> Any:
        if host != "localhost":
            return ask(host, port, *args, **named)
        return [entry for each in left.pop(0) for entry in ask(each, port, *args, **named)]

    monkeypatch.setattr(socket, "getaddrinfo", answer)


def test_a_name_that_changes_its_mind_gains_nothing(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DNS rebinding: one answer for the check, another one for the connection."""
    web.answers["/talk.mp3"] = File(CONTENT)
    resolving_to(monkeypatch, ["127.0.0.1"])  # a second question would raise IndexError
    assert source(web).stat(uri(web, host="localhost")).size == len(CONTENT)


def test_one_forbidden_address_among_several_is_enough(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolving_to(monkeypatch, ["127.0.0.1", "10.0.0.1"])
    with pytest.raises(ConfigurationInvalid, match=r"leads to 10.0.0.1"):
        source(web).stat(uri(web, host="localhost"))


def test_the_next_address_is_tried_when_one_does_not_answer(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    web.answers["/talk.mp3"] = File(CONTENT)
    resolving_to(monkeypatch, ["127.9.9.9", "127.0.0.1"])
    assert source(web, retry_seconds=0.1).stat(uri(web, host="localhost")).size == len(CONTENT)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0x7f.1", "2130706433", "127.1"])
def test_the_pod_itself_is_refused_whatever_it_is_called(host: str, web: Web) -> None:
    web.answers["/talk.mp3"] = File(CONTENT)
    with pytest.raises(ConfigurationInvalid, match="not an address of the public internet"):
        source(web, allowed_networks=()).stat(uri(web, host=host))
    assert not web.requests


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("http://127.0.0.1/talk.mp3", "only https URLs"),
        ("https://169.254.169.254/latest/meta-data/", r"leads to 169\.254\.169\.254, which"),
        ("https://[fd00:ec2::254]/", "leads to fd00:ec2::254"),
        ("https://10.96.0.1/api", r"leads to 10\.96\.0\.1"),
        ("//10.96.0.1/api", r"leads to 10\.96\.0\.1"),
        ("file:///etc/passwd", "only https URLs"),
        ("s3://bucket/key", "only https URLs"),
        ("https://me:secret@127.0.0.1/", "without a user's name"),
        ("https://127.0.0.1:99999/", "does not lead to a URL"),
        ("https://[127.0.0.1", "does not lead to a URL"),
        ("https://", "redirected more than 5 times"),
        ("/talk.mp3", "redirected more than 5 times"),
        ("", "redirected more than 5 times"),
    ],
)
def test_a_redirect_is_judged_like_the_first_url(target: str, words: str, web: Web) -> None:
    web.redirect("/talk.mp3", target)
    with pytest.raises(ConfigurationInvalid, match=words) as refused:
        source(web, retry_seconds=60).stat(uri(web))
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_followed(status: int, web: Web, tmp_path: Path) -> None:
    web.redirect("/talk.mp3", "/moved?token=1", status)
    web.redirect("/moved", web.url("/again", host="localhost"), status)
    web.answers["/again"] = File(CONTENT)
    assert fetch(web, tmp_path)[1] == CONTENT


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
