"""Where only a proxy leads out: the object store, https sources and models use it."""

import hashlib
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from urllib3.exceptions import ProtocolError

from tests.integration.transcriber.connect_proxy import Proxy, proxying
from tests.integration.transcriber.web_server import File, Web, serve
from transcription_contract.locations import ObjectUri
from transcription_contract.options import ModelReference
from whisper_transcriber.errors import ConfigurationInvalid, ObjectStoreUnavailable, SourceNotFound
from whisper_transcriber.interruption import Interruption
from whisper_transcriber.models import catalogue
from whisper_transcriber.models.store import ModelStore
from whisper_transcriber.settings import StoreSettings
from whisper_transcriber.storage.keys import PodIdentity
from whisper_transcriber.storage.s3 import S3Store
from whisper_transcriber.storage.web import WebSource


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    names = "IP:127.0.0.1,DNS:localhost,DNS:media.example.test"
    with serve(tmp_path_factory.mktemp("web"), names) as server:
        yield server


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    with proxying() as made:
        monkeypatch.setenv("HTTPS_PROXY", made.url)
        yield made


def source(web: Web) -> WebSource:
    return WebSource(Interruption(), retry_seconds=0.1, certificates=web.certificate)


def store(web: Web, host: str) -> S3Store:
    return S3Store(
        StoreSettings(
            endpoint=f"https://{host}:{web.port}",
            access_key="key",
            secret_key="secret",
            session_token=None,
            region=None,
            certificates=web.certificate,
            retry_seconds=0.1,
            keys_from="the Secret 'object-store'",
        ),
        Interruption(),
    )


def test_an_https_source_comes_through_the_proxy(web: Web, proxy: Proxy, tmp_path: Path) -> None:
    web.answers["/talk.mp3"] = File(b"sound")
    uri = ObjectUri.parse(f"https://media.example.test:{web.port}/talk.mp3")
    stored = source(web).stat(uri)
    source(web).download(stored, tmp_path / "talk")
    assert (tmp_path / "talk").read_bytes() == b"sound"
    assert proxy.lines[0] == f"CONNECT media.example.test:{web.port}"


def test_what_leads_to_a_private_address_here_is_refused_before_the_proxy(
    web: Web, proxy: Proxy
) -> None:
    for host in ("127.0.0.1", "localhost"):
        with pytest.raises(ConfigurationInvalid, match="not an address of the public internet"):
            source(web).stat(ObjectUri.parse(f"https://{host}:{web.port}/talk.mp3"))
    assert proxy.lines == []


def test_the_object_store_is_reached_through_the_proxy(web: Web, proxy: Proxy) -> None:
    web.answers["/media/a"] = File(b"sound")
    assert store(web, "localhost").find(ObjectUri("media", "a")) == b"sound"
    assert proxy.lines == [f"CONNECT localhost:{web.port}"]


def test_a_model_comes_through_the_proxy(
    web: Web, proxy: Proxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sha256 = hashlib.sha256(b"weights").hexdigest()
    host = f"media.example.test:{web.port}"
    monkeypatch.setattr(catalogue, "_BASE", f"https://{host}")
    model = replace(catalogue.find("tiny"), sha256=sha256)
    monkeypatch.setitem(catalogue.OFFICIAL, "tiny", model)
    web.answers[f"/{sha256}/tiny.pt"] = File(b"weights")
    models = ModelStore(tmp_path, store(web, "localhost"), Interruption(), internet=source(web))
    assert models.resolve(ModelReference(name="tiny")).path.read_bytes() == b"weights"
    assert set(proxy.lines) == {f"CONNECT {host}"}


def of_pod(region: str | None = None) -> PodIdentity:
    settings = StoreSettings(
        endpoint="https://s3.example.test",
        access_key="",
        secret_key="",
        session_token=None,
        region=region,
        certificates=None,
        retry_seconds=0.1,
        keys_from="spec.objectStore",
    )
    return PodIdentity(settings)


@pytest.fixture
def irsa(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_REGION", "AWS_CONTAINER_CREDENTIALS_FULL_URI"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "token").write_text("eyJTOKEN")
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(tmp_path / "token"))
    monkeypatch.setenv("AWS_ROLE_ARN", "arn:aws:iam::111122223333:role/transcriber")


@pytest.mark.parametrize(
    ("region", "host"),
    [
        (None, "sts.amazonaws.com"),
        ("eu-central-1", "sts.eu-central-1.amazonaws.com"),
        ("cn-north-1", "sts.cn-north-1.amazonaws.com.cn"),
    ],
)
@pytest.mark.usefixtures("irsa")
def test_a_pod_s_identity_is_asked_for_through_the_proxy(
    region: str | None, host: str, proxy: Proxy
) -> None:
    proxy.refuses = True
    with pytest.raises(ProtocolError, match="AWS gives this machine no keys"):
        of_pod(region).retrieve()
    assert set(proxy.lines) == {f"CONNECT {host}:443"}


@pytest.mark.usefixtures("irsa")
def test_no_proxy_names_the_region_s_own_sts(proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "sts.eu-central-1.amazonaws.com")

    ask = socket.getaddrinfo

    def without_dns(host: str, *args: Any, **named: Any) -> Any:
        if host.endswith("amazonaws.com"):
            raise socket.gaierror(socket.EAI_NONAME, "no DNS here")
        return ask(host, *args, **named)

    monkeypatch.setattr(socket, "getaddrinfo", without_dns)
    with pytest.raises(ProtocolError, match="AWS gives this machine no keys"):
        of_pod("eu-central-1").retrieve()
    assert proxy.lines == []


def test_the_node_s_own_services_are_never_asked_through_the_proxy(
    proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_WEB_IDENTITY_TOKEN_FILE", raising=False)
    monkeypatch.setenv("HTTP_PROXY", proxy.url)
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"http://127.0.0.1:{port}/keys")
    with pytest.raises(ProtocolError, match="AWS gives this machine no keys"):
        of_pod().retrieve()
    assert proxy.lines == []


def test_no_proxy_leads_past_it(web: Web, proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "localhost,example.test")
    web.answers["/media/a"] = File(b"sound")
    assert store(web, "localhost").find(ObjectUri("media", "a")) == b"sound"
    with pytest.raises((SourceNotFound, ObjectStoreUnavailable)):
        source(web).stat(ObjectUri.parse("https://media.example.test/talk.mp3"))
    assert proxy.lines == []
