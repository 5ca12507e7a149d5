import asyncio
import base64
import json
import os
import ssl
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from transcription_kube.access import TokenFile, by_kubeconfig, in_cluster, proxy_of_environment
from transcription_kube.client import ApiClient
from transcription_kube.errors import UnreachableError


def test_a_token_that_was_written_anew_is_found_within_a_minute(tmp_path):
    now = 0.0
    path = tmp_path / "token"
    path.write_text("one\n")
    token = TokenFile(path, lambda: now)
    assert token.authorization() == "Bearer one"
    path.write_text("two")
    assert token.authorization() == "Bearer one"
    now = 60.0
    assert token.authorization() == "Bearer two"


def test_a_token_that_cannot_be_read_for_once_stays_in_use(tmp_path):
    now = 0.0
    path = tmp_path / "token"
    path.write_text("one")
    token = TokenFile(path, lambda: now)
    token.authorization()
    now = 100.0
    path.unlink()
    assert token.authorization() == "Bearer one"
    path.write_text("")
    assert token.authorization() == "Bearer one"


def test_a_pod_without_a_token_says_so(tmp_path):
    with pytest.raises(UnreachableError, match=r"the service account's token: .*No such file"):
        in_cluster("10.0.0.1", tmp_path)


def test_a_pod_without_an_authority_says_so(tmp_path):
    (tmp_path / "token").write_text("one")
    with pytest.raises(UnreachableError, match=r"the service account's ca\.crt"):
        in_cluster("10.0.0.1", tmp_path)


@pytest.mark.parametrize(
    ("host", "server"),
    [("10.0.0.1", "https://10.0.0.1:6443"), ("fd00::1", "https://[fd00::1]:6443")],
)
def test_a_pod_uses_its_service_account(tmp_path, monkeypatch, host, server):
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "6443")
    (tmp_path / "token").write_text("one")
    (tmp_path / "ca.crt").write_text(authority())
    access = in_cluster(host, tmp_path)
    assert access.server == server
    assert access.authorization() == "Bearer one"
    assert access.tls is not None
    assert access.tls.verify_mode is ssl.CERT_REQUIRED
    assert access.tls.check_hostname


def kubeconfig(tmp_path, cluster, user):
    """The path of one that has a single context."""
    named = {
        "clusters": [{"name": "c", "cluster": cluster}],
        "users": [{"name": "u", "user": user}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
    }
    path = tmp_path / "config"
    path.write_text(json.dumps({"current-context": "x", **named}))
    return str(path)


async def test_a_kubeconfig_with_a_token_is_understood(tmp_path):
    data = base64.b64encode(authority().encode()).decode()
    cluster = {"server": "https://api.example:6443", "certificate-authority-data": data}
    access = await by_kubeconfig(kubeconfig(tmp_path, cluster, {"token": "secret"}))
    assert access.server == "https://api.example:6443"
    assert access.authorization() == "Bearer secret"
    assert access.tls is not None
    assert access.tls.verify_mode is ssl.CERT_REQUIRED


async def test_a_kubeconfig_may_name_a_file_with_the_token_and_a_proxy(tmp_path):
    (tmp_path / "token").write_text("from a file")
    cluster = {"server": "http://api.example", "proxy-url": "http://proxy.example:3128"}
    user = {"tokenFile": str(tmp_path / "token")}
    access = await by_kubeconfig(kubeconfig(tmp_path, cluster, user))
    assert access.authorization() == "Bearer from a file"
    assert access.proxy == "http://proxy.example:3128"


async def test_a_kubeconfig_of_kubectl_proxy_needs_nothing(tmp_path):
    access = await by_kubeconfig(kubeconfig(tmp_path, {"server": "http://127.0.0.1:8001"}, {}))
    assert (access.server, access.tls, access.authorization()) == (
        "http://127.0.0.1:8001",
        None,
        None,
    )


async def test_verification_is_off_only_where_the_kubeconfig_says_so(tmp_path):
    cluster = {"server": "https://api.example", "insecure-skip-tls-verify": True}
    access = await by_kubeconfig(kubeconfig(tmp_path, cluster, {}))
    assert access.tls is not None
    assert access.tls.verify_mode is ssl.CERT_NONE


def plugin(tmp_path, lifetime):
    """A credential plugin whose token is the number of its calls, and expires as stated."""
    path = tmp_path / "plugin.py"
    path.write_text(
        f"#!{sys.executable}\n"
        "import json, pathlib\n"
        f"calls = pathlib.Path({str(tmp_path / 'calls')!r})\n"
        "calls.write_text(calls.read_text() + 'x' if calls.exists() else 'x')\n"
        "status = {'token': str(len(calls.read_text()))}\n"
        f"status |= {lifetime!r}\n"
        "print(json.dumps({'apiVersion': 'client.authentication.k8s.io/v1',"
        " 'kind': 'ExecCredential', 'status': status}))\n"
    )
    path.chmod(0o755)
    user = {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": str(path)}}
    return kubeconfig(tmp_path, {"server": "http://api.example"}, user)


async def test_a_credential_plugin_s_token_is_renewed_before_it_expires(tmp_path, monkeypatch):
    monkeypatch.setattr("transcription_kube.access._TOKEN_SECONDS", 0.01)
    soon = (datetime.now(UTC) + timedelta(minutes=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    access = await by_kubeconfig(plugin(tmp_path, {"expirationTimestamp": soon}))
    client = ApiClient(access)
    assert access.authorization() == "Bearer 1"
    async with asyncio.timeout(30):
        while access.authorization() != "Bearer 3":
            await asyncio.sleep(0.01)
    await client.close()
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == {asyncio.current_task()}


@pytest.mark.parametrize(
    "lifetime", [{}, {"expirationTimestamp": "2999-01-01T00:00:00Z"}], ids=["none", "long"]
)
async def test_a_token_that_does_not_expire_soon_costs_no_call(tmp_path, monkeypatch, lifetime):
    monkeypatch.setattr("transcription_kube.access._TOKEN_SECONDS", 0.001)
    access = await by_kubeconfig(plugin(tmp_path, lifetime))
    await asyncio.sleep(0.1)
    assert access.authorization() == "Bearer 1"
    access.close()


async def test_a_missing_kubeconfig_is_named(tmp_path):
    with pytest.raises(UnreachableError, match="this is no pod, and KUBECONFIG does not help"):
        await by_kubeconfig(str(tmp_path / "none"))


def test_a_pod_does_not_load_the_kubernetes_client():
    code = "import sys, transcription_kube.client; sys.exit('kubernetes' in sys.modules)"
    environment = {"PYTHONPATH": os.pathsep.join(sys.path)}
    assert subprocess.run([sys.executable, "-c", code], env=environment).returncode == 0


def authority() -> str:
    """Any authority that this Python trusts."""
    (found, *_) = (ssl.DER_cert_to_PEM_cert(der) for der in _authorities())
    return found


def _authorities() -> list[bytes]:
    import certifi

    context = ssl.create_default_context(cafile=certifi.where())
    return context.get_ca_certs(binary_form=True)


@pytest.mark.parametrize(
    ("server", "proxy"),
    [
        ("https://api.example:6443", "http://proxy.example:3128"),
        ("https://[fd00::1]:443", "http://proxy.example:3128"),
        ("http://api.example", None),
        ("https://10.0.0.1:443", None),
        ("https://api.cluster.local", None),
    ],
    ids=["named", "an IPv6 address", "another scheme", "excepted", "a domain that is excepted"],
)
def test_the_environment_names_the_proxy(monkeypatch, server, proxy):
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", "10.0.0.1,.local")
    assert proxy_of_environment(server) == proxy
