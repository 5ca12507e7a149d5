"""Where only a proxy leads out: the object store, https sources and models use it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.transcriber.connect_proxy import Proxy, proxying
from tests.integration.transcriber.web_server import File, Web, serve
from transcription_contract.locations import ObjectUri
from whisper_transcriber.errors import ConfigurationInvalid, ObjectStoreUnavailable, SourceNotFound
from whisper_transcriber.interruption import Interruption
from whisper_transcriber.settings import StoreSettings
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


def test_no_proxy_leads_past_it(web: Web, proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "localhost,example.test")
    web.answers["/media/a"] = File(b"sound")
    assert store(web, "localhost").find(ObjectUri("media", "a")) == b"sound"
    with pytest.raises((SourceNotFound, ObjectStoreUnavailable)):
        source(web).stat(ObjectUri.parse("https://media.example.test/talk.mp3"))
    assert proxy.lines == []
