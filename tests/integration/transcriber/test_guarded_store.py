"""An object store that the spec names: workers go only where the administrator lets them."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.transcriber.connect_proxy import proxying
from tests.integration.transcriber.web_server import File, Web, serve
from transcription_contract.locations import ObjectUri
from whisper_transcriber.errors import ConfigurationInvalid, ObjectStoreUnavailable
from whisper_transcriber.interruption import Interruption
from whisper_transcriber.settings import StoreSettings
from whisper_transcriber.storage.s3 import S3Store

OBJECT = ObjectUri("media", "a")
PUBLIC_ONLY = "leads to 127.0.0.1, which is not an address of the public internet"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    names = "IP:127.0.0.1,DNS:localhost,DNS:store.example.test"
    with serve(tmp_path_factory.mktemp("web"), names) as made:
        yield made


@pytest.fixture
def web(server: Web, monkeypatch: pytest.MonkeyPatch) -> Web:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    server.answers.clear()
    server.requests.clear()
    server.answers["/media/a"] = File(b"sound")
    return server


def find(endpoint: str, web: Web, allowed: tuple[str, ...] | None) -> bytes | None:
    settings = StoreSettings(
        endpoint=endpoint,
        access_key="key",
        secret_key="secret",
        session_token=None,
        region=None,
        certificates=web.certificate,
        retry_seconds=0.1,
        keys_from="spec.objectStore",
        allowed_networks=allowed,
    )
    return S3Store(settings, Interruption()).find(OBJECT)


@pytest.mark.parametrize("scheme", ["https", "http"])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0x7f.1", "2130706433"])
def test_an_endpoint_inside_the_cluster_is_refused_before_a_connection(
    scheme: str, host: str, web: Web
) -> None:
    with pytest.raises(ConfigurationInvalid, match=PUBLIC_ONLY):
        find(f"{scheme}://{host}:{web.port}", web, ())
    assert not web.requests


def test_a_network_that_the_administrator_allows_may_be_entered(web: Web) -> None:
    assert find(f"https://localhost:{web.port}", web, ("127.0.0.0/8",)) == b"sound"


def test_an_endpoint_of_a_secret_may_lie_anywhere(web: Web) -> None:
    assert find(f"https://127.0.0.1:{web.port}", web, None) == b"sound"


@pytest.mark.parametrize("host", ["169.254.169.254", "[fd00:ec2::254]", "168.63.129.16"])
def test_metadata_is_refused_though_everything_is_allowed(host: str, web: Web) -> None:
    with pytest.raises(ConfigurationInvalid, match="a link-local or metadata address"):
        find(f"http://{host}", web, ("0.0.0.0/0", "::/0"))


def test_the_connection_goes_to_the_address_that_was_judged(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask, asked = socket.getaddrinfo, []

    def answer(host: str, *args: Any, **named: Any) -> Any:
        if host == "store.example.test":
            asked.append(host)
            host = "127.0.0.1" if len(asked) == 1 else "10.0.0.1"
        return ask(host, *args, **named)

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    endpoint = f"https://store.example.test:{web.port}"
    assert find(endpoint, web, ("127.0.0.0/8",)) == b"sound"
    assert len(asked) == 1
    assert web.requests[0][1]["Host"] == f"store.example.test:{web.port}"


def test_a_store_whose_name_is_unknown_is_waited_for(web: Web) -> None:
    with pytest.raises(ObjectStoreUnavailable, match=r"store\.invalid"):
        find("https://store.invalid", web, ())


def test_before_a_proxy_it_is_refused_as_well(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    with proxying() as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        for endpoint in (f"https://localhost:{web.port}", "http://127.0.0.1:9200"):
            with pytest.raises(ConfigurationInvalid, match=PUBLIC_ONLY):
                find(endpoint, web, ())
        assert proxy.lines == []
        # Only the proxy knows the name.
        assert find(f"https://store.example.test:{web.port}", web, ()) == b"sound"
        assert proxy.lines == [f"CONNECT store.example.test:{web.port}"]
