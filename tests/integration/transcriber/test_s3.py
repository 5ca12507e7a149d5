import json
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.integration.transcriber.conftest import free_port, serve
from tests.integration.transcriber.worker import ACCESS_KEY, SECRET_KEY
from transcription_contract.locations import ObjectUri
from whisper_transcriber.errors import AccessDenied
from whisper_transcriber.interruption import Interruption
from whisper_transcriber.settings import StoreSettings
from whisper_transcriber.storage.s3 import S3Store

COUNT = 10_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("many")


@pytest.fixture(scope="module")
def endpoint(folder: Path) -> Iterator[str]:
    """A server on a folder of files that it did not write itself, and so has no etags for."""
    port = free_port()
    server = serve(folder, port=port)
    yield f"http://127.0.0.1:{port}"
    server.kill()
    server.wait()


def connected(endpoint: str, access_key: str = ACCESS_KEY, secret_key: str = SECRET_KEY) -> S3Store:
    return S3Store(
        StoreSettings(
            endpoint=endpoint,
            access_key=access_key,
            secret_key=secret_key,
            session_token=None,
            region=None,
            certificates=None,
            retry_seconds=10.0,
            keys_from="the Secret 'object-store'",
        ),
        Interruption(),
    )


@pytest.fixture(scope="module")
def store(endpoint: str) -> S3Store:
    return connected(endpoint)


@pytest.fixture
def identity(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """What AWS's agent on the node, found as EKS Pod Identity has it found, answers."""
    answer: dict[str, Any] = {"status": 200}

    class Agent(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(answer["status"])
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

        def log_message(self, format: str, *args: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Agent) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/v1/credentials"
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", url)
        yield answer
        server.shutdown()


def test_without_keys_the_pod_s_own_identity_counts(
    endpoint: str, identity: dict[str, Any]
) -> None:
    identity |= {
        "AccessKeyId": ACCESS_KEY,
        "SecretAccessKey": SECRET_KEY,
        "Token": "",
        "Expiration": "2999-01-01T00:00:00Z",
    }
    keyless = connected(endpoint, "", "")
    keyless.put(ObjectUri.parse("s3://out/keyless.json"), b"{}")
    assert keyless.find(ObjectUri.parse("s3://out/keyless.json")) == b"{}"


def test_a_pod_without_keys_and_identity_is_told_so(
    endpoint: str, identity: dict[str, Any]
) -> None:
    identity["status"] = 403
    with pytest.raises(AccessDenied, match="the Secret 'object-store' has no access key"):
        connected(endpoint, "", "").find(ObjectUri.parse("s3://out/keyless.json"))


def test_ten_thousand_objects_are_listed_in_order(store: S3Store, folder: Path) -> None:
    (folder / "objects/media/many/x").mkdir(parents=True)
    for number in range(COUNT):
        (folder / f"objects/media/many/{'x/' if number % 2 else 'x-'}{number}.mp3").touch()
    listed = [each.uri.key for each in store.list(ObjectUri.parse("s3://media/many/"))]
    assert len(set(listed)) == COUNT
    assert listed == sorted(listed)


def test_an_object_without_etag_is_fetched(store: S3Store, folder: Path, tmp_path: Path) -> None:
    content = os.urandom(2_000_000)
    (folder / "objects/media/foreign.mp3").write_bytes(content)
    found = store.stat(ObjectUri.parse("s3://media/foreign.mp3"))
    assert found.etag == ""
    store.download(found, tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == content


def test_a_real_server_keeps_the_first_of_two_that_are_created(store: S3Store) -> None:
    for number in range(3):
        uri = ObjectUri.parse(f"s3://out/created/{number}.json")
        assert [store.create(uri, b"1"), store.create(uri, b"2")] == [True, False]
        assert store.find(uri) == b"1"


def test_a_real_server_removes_many_objects_of_any_name(store: S3Store) -> None:
    names = ["a b", "ü&<x>", "plus+plus", "100%", "quote'\"", "last"]
    uris = [ObjectUri("out", f"many/{name}") for name in names]
    for uri in uris:
        store.put(uri, b"x")
    assert len(store.list(ObjectUri("out", "many/"))) == len(uris)
    assert [each.uri for each in store.list(ObjectUri("out", "many/"), after="many/ü")] == [uris[1]]
    store.remove_many(uris)
    assert store.list(ObjectUri("out", "many/")) == []
