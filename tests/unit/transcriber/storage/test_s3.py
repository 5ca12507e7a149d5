import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import urllib3

from transcription_contract.locations import ObjectUri
from whisper_transcriber.errors import (
    AccessDenied,
    BucketNotFound,
    ConfigurationInvalid,
    ObjectStoreUnavailable,
    SourceReplaced,
    TranscriberError,
)
from whisper_transcriber.interruption import Interruption
from whisper_transcriber.settings import StoreSettings
from whisper_transcriber.storage.s3 import S3Store
from whisper_transcriber.storage.store import ObjectMissingError, StoredObject

URI = ObjectUri("media", "talks/a b.mp3")
SETTINGS = StoreSettings(
    endpoint="http://store:9000",
    access_key="key",
    secret_key="secret",
    session_token=None,
    region=None,
    certificates=None,
    retry_seconds=0.2,
    keys_from="the Secret 'object-store'",
)


@dataclass
class Answer:
    """What the server says, in the shape that minio expects of urllib3."""

    status: int = 200
    content: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    cut_after: int | None = None

    @property
    def data(self) -> bytes:
        return self.content

    def read(self, cache_content: bool = False) -> bytes:
        return self.content

    def stream(self, size: int) -> Iterator[bytes]:
        if self.cut_after is None:
            yield self.content
            return
        if self.cut_after:
            yield self.content[: self.cut_after]
        raise urllib3.exceptions.ProtocolError("cut")

    def close(self) -> None: ...

    def release_conn(self) -> None: ...


Exchange = Callable[[str, str, dict[str, str]], Answer]


def store(exchange: Exchange) -> S3Store:
    """A store whose server is a function of method, URL and headers."""
    made = S3Store(SETTINGS, Interruption())

    def urlopen(method: str, url: str, **given: Any) -> Any:
        return exchange(method, url, dict(given["headers"]))

    talk_to(made, urlopen)
    return made


def talk_to(made: S3Store, urlopen: Callable[..., Any]) -> None:
    """Put a function where minio's connections are."""
    made._client._http = cast(Any, SimpleNamespace(urlopen=urlopen, clear=lambda: None))


def refusal(status: int, code: str) -> Answer:
    body = f"<Error><Code>{code}</Code><Message>no</Message></Error>".encode()
    return Answer(status, body, {"content-type": "application/xml"})


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        pytest.param(
            refusal(403, "InvalidAccessKeyId"),
            AccessDenied,
            "s3://media/talks/a b.mp3 (InvalidAccessKeyId): check the keys in the "
            "Secret 'object-store'",
            id="an unknown key",
        ),
        pytest.param(
            refusal(403, "SignatureDoesNotMatch"), AccessDenied, "SignatureDoesNotMatch",
            id="a wrong secret",
        ),
        pytest.param(
            refusal(400, "ExpiredToken"), AccessDenied, "ExpiredToken", id="an expired token"
        ),
        pytest.param(
            refusal(404, "NoSuchBucket"), BucketNotFound, "'media'", id="a missing bucket"
        ),
        pytest.param(
            refusal(400, "InvalidRequest"), ConfigurationInvalid, "InvalidRequest: no",
            id="what nobody foresaw",
        ),
        pytest.param(
            refusal(503, "SlowDown"), ObjectStoreUnavailable, "http://store:9000", id="busy"
        ),
        pytest.param(
            refusal(500, "InternalError"), ObjectStoreUnavailable, "InternalError", id="broken"
        ),
        pytest.param(
            refusal(429, "TooManyRequests"), ObjectStoreUnavailable, "TooMany", id="rate limit"
        ),
        pytest.param(
            Answer(502, b"<html>", {"content-type": "text/html"}), ObjectStoreUnavailable,
            "http://store:9000", id="a proxy without a store",
        ),
    ],
)  # fmt: skip
def test_refusals_mean_what_the_user_can_do_about_them(
    answer: Answer, error: type[TranscriberError], words: str
) -> None:
    with pytest.raises(error) as raised:
        store(lambda *_: answer).find(URI)
    assert words in str(raised.value)


def test_a_refusal_without_a_body_is_still_a_refusal() -> None:
    with pytest.raises(AccessDenied):
        store(lambda *_: Answer(403)).stat(URI)


def test_a_missing_object_is_none_when_found_and_an_error_when_asked_about() -> None:
    missing = store(
        lambda method, *_: refusal(404, "NoSuchKey") if method == "GET" else Answer(404)
    )
    assert missing.find(URI) is None
    with pytest.raises(ObjectMissingError):
        missing.stat(URI)


def test_a_name_that_s3_does_not_allow_is_a_configuration_error() -> None:
    with pytest.raises(ConfigurationInvalid, match="no name that S3 allows"):
        store(lambda *_: Answer()).find(ObjectUri("media", ""))


def test_what_passes_is_tried_again() -> None:
    answers = iter([refusal(503, "SlowDown"), Answer(200, b"hello")])
    assert store(lambda *_: next(answers)).find(URI) == b"hello"


def test_nobody_waits_for_retries_once_the_worker_shall_stop() -> None:
    interruption = Interruption()
    interruption.request()
    stopped = S3Store(SETTINGS, interruption)
    calls: list[str] = []

    def unreachable(method: str, url: str, **_: Any) -> Any:
        calls.append(method)
        raise urllib3.exceptions.ProtocolError("cut")

    talk_to(stopped, unreachable)
    with pytest.raises(ObjectStoreUnavailable):
        stopped.find(URI)
    assert len(calls) == 1


def test_a_certificate_of_an_unknown_authority_is_a_configuration_error_at_once() -> None:
    calls: list[str] = []

    def distrusted(method: str, *_: object) -> Answer:
        calls.append(method)
        raise urllib3.exceptions.SSLError(ssl.SSLCertVerificationError("self-signed"))

    with pytest.raises(ConfigurationInvalid, match="add caCert to the Secret 'object-store'"):
        store(distrusted).find(URI)
    assert len(calls) == 1


CONTENT = bytes(range(200))
SOURCE = StoredObject(URI, "abc", len(CONTENT))


def ranged(headers: dict[str, str], cut_after: int | None = None, etag: str = "abc") -> Answer:
    start = int(headers.get("Range", "bytes=0-").removeprefix("bytes=").partition("-")[0])
    return Answer(206, CONTENT[start:], {"etag": f'"{etag}"'}, cut_after)


def test_a_download_goes_on_where_it_was_cut(tmp_path: Path) -> None:
    ranges: list[str] = []

    def exchange(method: str, url: str, headers: dict[str, str]) -> Answer:
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
    "answer",
    [
        pytest.param(refusal(412, "PreconditionFailed"), id="a server that obeys If-Match"),
        pytest.param(Answer(200, CONTENT, {"etag": '"other"'}), id="a server that ignores it"),
    ],
)
def test_another_object_in_the_source_s_place_is_noticed(answer: Answer, tmp_path: Path) -> None:
    seen: list[str] = []

    def exchange(method: str, url: str, headers: dict[str, str]) -> Answer:
        seen.append(headers["If-Match"])
        return answer

    with pytest.raises(SourceReplaced, match=r"s3://media/talks/a b.mp3 was replaced"):
        store(exchange).download(SOURCE, tmp_path / "file")
    assert seen == ['"abc"']


@pytest.mark.parametrize(
    "endpoint", ["store:9000", "ftp://store", "http://", "s3", "http://me:key@s3"]
)
def test_an_endpoint_must_be_a_url(endpoint: str) -> None:
    from dataclasses import replace

    with pytest.raises(ConfigurationInvalid, match="is not a URL") as refused:
        S3Store(replace(SETTINGS, endpoint=endpoint), Interruption())
    # Somebody may have put a key there.
    assert repr(endpoint) not in str(refused.value)
