import pytest

from whisper_transcriber.errors import ConfigurationInvalid
from whisper_transcriber.storage.proxies import proxy_for

PROXY = "http://proxy:3128"


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "REQUEST_METHOD"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
def test_a_proxy_is_named_in_either_case(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, PROXY)
    assert proxy_for("https", "s3.example") == PROXY


def test_each_scheme_has_its_own_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "proxy:3128")
    assert proxy_for("http", "s3.example") is None
    assert proxy_for("https", "s3.example") == PROXY


@pytest.mark.parametrize(
    ("without", "netloc", "direct"),
    [
        ("s3.example.test", "s3.example.test", True),
        ("example.test", "s3.example.test", True),
        (".example.test", "s3.example.test:9000", True),
        ("*.example.test", "s3.example.test", True),
        ("ample.test", "s3.example.test", False),
        ("minio.minio.svc:9000", "minio.minio.svc:9000", True),
        ("minio.minio.svc:9000", "minio.minio.svc:80", False),
        ("10.0.0.0/8, fd00::/8", "10.1.2.3:9000", True),
        ("10.0.0.0/8,fd00::/8", "[fd00::1]:9000", True),
        ("10.0.0.0/8", "11.1.2.3", False),
        ("other, *", "s3.example.test", False),
        ("*", "s3.example.test", True),
        ("", "s3.example.test", False),
    ],
)
def test_no_proxy_names_hosts_suffixes_ports_and_networks(
    without: str, netloc: str, direct: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", PROXY)
    monkeypatch.setenv("NO_PROXY", without)
    assert (proxy_for("http", netloc) is None) is direct


def test_a_socks_proxy_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "socks5://me:secret@proxy:1080")
    with pytest.raises(ConfigurationInvalid, match="socks5") as refused:
        proxy_for("https", "s3.example")
    assert "secret" not in str(refused.value)
