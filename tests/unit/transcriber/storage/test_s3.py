import ssl
from dataclasses import replace
from typing import Any, cast

import pytest
import urllib3

from tests.unit.transcriber.storage.exchanges import SETTINGS, URI, answer, refusal, store, talk_to
from transcription_contract.locations import ObjectUri
from whisper_transcriber.errors import (
    AccessDenied,
    BucketNotFound,
    ConfigurationInvalid,
    Interrupted,
    ObjectStoreUnavailable,
    TranscriberError,
)
from whisper_transcriber.interruption import Interruption
from whisper_transcriber.storage import s3_client
from whisper_transcriber.storage.s3 import S3Store
from whisper_transcriber.storage.store import ObjectMissingError


@pytest.mark.parametrize(
    ("status", "code", "error", "words"),
    [
        pytest.param(
            403, "InvalidAccessKeyId", AccessDenied,
            "s3://media/talks/a b.mp3 (InvalidAccessKeyId): check the keys in the "
            "Secret 'object-store'",
            id="an unknown key",
        ),
        pytest.param(
            403, "SignatureDoesNotMatch", AccessDenied, "SignatureDoesNotMatch",
            id="a wrong secret",
        ),
        pytest.param(
            400, "ExpiredToken", ObjectStoreUnavailable, "has expired", id="an expired token"
        ),
        pytest.param(
            403, "RequestTimeTooSkewed", ObjectStoreUnavailable, "clock of the node",
            id="a wrong clock",
        ),
        pytest.param(
            400, "KMS.ThrottlingException", ObjectStoreUnavailable, "Throttling", id="a busy KMS"
        ),
        pytest.param(400, "RequestLimitExceeded", ObjectStoreUnavailable, "no", id="a limit"),
        pytest.param(
            404, "NoSuchBucket", BucketNotFound, "'media'", id="a missing bucket"
        ),
        pytest.param(
            400, "InvalidRequest", ConfigurationInvalid, "InvalidRequest: no",
            id="what nobody foresaw",
        ),
        pytest.param(
            503, "SlowDown", ObjectStoreUnavailable, "http://store:9000", id="busy"
        ),
        pytest.param(
            500, "InternalError", ObjectStoreUnavailable, "InternalError", id="broken"
        ),
        pytest.param(
            429, "TooManyRequests", ObjectStoreUnavailable, "TooMany", id="rate limit"
        ),
        pytest.param(
            502, "", ObjectStoreUnavailable, "http://store:9000", id="a proxy without a store"
        ),
        pytest.param(
            403, "", ObjectStoreUnavailable, "not one of an S3 store", id="a proxy's own page"
        ),
    ],
)  # fmt: skip
def test_refusals_mean_what_the_user_can_do_about_them(
    status: int, code: str, error: type[TranscriberError], words: str
) -> None:
    def refused(*_: object) -> urllib3.HTTPResponse:
        return refusal(status, code) if code else answer(status, b"<html><br>")

    with pytest.raises(error) as raised:
        store(refused).find(URI)
    assert words in str(raised.value)


def test_a_refusal_without_a_body_is_still_a_refusal() -> None:
    with pytest.raises(AccessDenied):
        store(lambda *_: answer(403)).stat(URI)


def test_a_missing_object_is_none_when_found_and_an_error_when_asked_about() -> None:
    missing = store(
        lambda method, *_: refusal(404, "NoSuchKey") if method == "GET" else answer(404)
    )
    assert missing.find(URI) is None
    with pytest.raises(ObjectMissingError):
        missing.stat(URI)


def test_a_name_that_s3_does_not_allow_is_a_configuration_error() -> None:
    with pytest.raises(ConfigurationInvalid, match="no name that S3 allows"):
        store(lambda *_: answer()).find(ObjectUri("media", ""))


def test_what_passes_is_tried_again() -> None:
    answers = iter([refusal(503, "SlowDown"), answer(200, b"hello")])
    assert store(lambda *_: next(answers)).find(URI) == b"hello"


def test_nobody_waits_for_retries_once_the_worker_shall_stop() -> None:
    interruption = Interruption()
    stopped = S3Store(replace(SETTINGS, retry_seconds=600.0), interruption)
    calls: list[str] = []

    def unreachable(method: str, url: str, **_: Any) -> Any:
        calls.append(method)
        interruption.request()
        raise urllib3.exceptions.ProtocolError("cut")

    talk_to(stopped, unreachable)
    with pytest.raises(Interrupted):
        stopped.find(URI)
    assert len(calls) == 1


def test_a_certificate_of_an_unknown_authority_is_a_configuration_error_at_once() -> None:
    calls: list[str] = []

    def distrusted(method: str, *_: object) -> urllib3.HTTPResponse:
        calls.append(method)
        raise urllib3.exceptions.SSLError(ssl.SSLCertVerificationError("self-signed"))

    with pytest.raises(ConfigurationInvalid, match="add caCert to the Secret 'object-store'"):
        store(distrusted).find(URI)
    assert len(calls) == 1


@pytest.mark.parametrize(
    "endpoint", ["store:9000", "ftp://store", "http://", "s3", "http://me:key@s3"]
)
def test_an_endpoint_must_be_a_url(endpoint: str) -> None:
    with pytest.raises(ConfigurationInvalid, match="is not a URL") as refused:
        S3Store(replace(SETTINGS, endpoint=endpoint), Interruption())
    # Somebody may have put a key there.
    assert repr(endpoint) not in str(refused.value)


def test_an_endpoint_must_not_have_a_path() -> None:
    with pytest.raises(
        ConfigurationInvalid, match=r"must not have a path \(…/recordings\): remove"
    ):
        S3Store(replace(SETTINGS, endpoint="http://store:9000/recordings/"), Interruption())


@pytest.mark.parametrize("endpoint", ["HTTP://store:9000", "http://store:9000/", "http://[::1]:9"])
def test_an_endpoint_may_be_written_in_several_ways(endpoint: str) -> None:
    S3Store(replace(SETTINGS, endpoint=endpoint), Interruption())


def listed(*keys: str, size: str = "1") -> bytes:
    entries = "".join(f"<Contents><Key>{key}</Key><Size>{size}</Size></Contents>" for key in keys)
    return f"<ListBucketResult>{entries}</ListBucketResult>".encode()


def test_what_a_store_lists_outside_the_prefix_is_left_alone() -> None:
    made = store(lambda *_: answer(200, listed("other/a", "talks/b", "z")))
    assert [each.uri.key for each in made.list(ObjectUri("media", "talks/"))] == ["talks/b"]


@pytest.mark.parametrize("size", ["", "many", "-5", "9" * 5000])
def test_a_size_that_is_none_does_not_end_a_listing(size: str) -> None:
    made = store(lambda *_: answer(200, listed("talks/b", size=size)))
    assert [each.size for each in made.list(ObjectUri("media", "talks/"))] == [0]


def test_a_page_of_a_proxy_is_no_empty_listing() -> None:
    made = store(lambda *_: answer(200, b"<html><body>Please log in</body></html>"))
    with pytest.raises(ObjectStoreUnavailable, match="not a listing"):
        made.list(ObjectUri("media", "talks/"))


def test_an_endless_answer_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3_client, "_MOST_OBJECT_BYTES", 1000)
    with pytest.raises(ConfigurationInvalid, match="larger than 1000 bytes"):
        store(lambda *_: answer(200, b"x" * 5000)).find(URI)


def test_a_refusal_is_told_in_part_if_it_is_long() -> None:
    body = f"<Error><Code>Odd</Code><Message>{'no ' * 9000}</Message></Error>".encode()
    with pytest.raises(ConfigurationInvalid) as refused:
        store(lambda *_: answer(400, body)).stat(URI)
    assert len(str(refused.value)) < 700


def test_a_region_that_is_none_is_not_believed() -> None:
    asked: list[str] = []

    def exchange(method: str, path: str, headers: dict[str, str]) -> urllib3.HTTPResponse:
        asked.append(headers["Authorization"])
        return answer(400, b"", {"x-amz-bucket-region": "evil.example/\u00e9"})

    with pytest.raises(ConfigurationInvalid):
        store(exchange).put(URI, b"")
    assert all("/us-east-1/" in each for each in asked)


def test_a_deletion_that_fails_after_all_is_an_error() -> None:
    body = b"<Error><Code>InternalError</Code><Message>no</Message></Error>"
    uris = [ObjectUri("media", key) for key in "abc"]
    with pytest.raises(ObjectStoreUnavailable, match="InternalError"):
        store(lambda *_: answer(200, body)).remove_many(uris)


@pytest.mark.parametrize(
    "wrong",
    [
        {"session_token": "SECRET\nTOKEN"},
        {"session_token": "SECRET\u20ac"},
        {"access_key": "SECRET\nKEY"},
        {"region": "eu\nSECRET"},
        {"encryption": "aws:kms", "kms_key": "SECRET\nARN"},
    ],
    ids=["a token in lines", "a token with a euro", "a key in lines", "a region in lines",
         "an ARN in lines"],
)  # fmt: skip
def test_a_value_that_no_header_can_carry_is_refused_and_not_shown(wrong: dict[str, str]) -> None:
    made = S3Store(replace(SETTINGS, **cast(Any, wrong)), Interruption())
    with pytest.raises(ConfigurationInvalid, match="in the Secret 'object-store' has a line") as no:
        made.put(URI, b"")
    assert "SECRET" not in str(no.value)
