"""How the API server is reached, and as whom: by the pod's service account, or KUBECONFIG."""

import asyncio
import os
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from transcription_kube.errors import UnreachableError

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_TOKEN_SECONDS = 60.0
"""The kubelet writes a new token long before the old one ends; client-go looks as often."""


@dataclass(frozen=True)
class Access:
    """The API server's address and our credentials.

    ``authorization`` gives the Authorization header of the moment, or None. ``close`` ends what
    renews it.
    """

    server: str
    authorization: Callable[[], str | None] = lambda: None
    tls: ssl.SSLContext | None = None
    server_name: str | None = None
    proxy: str | None = None
    close: Callable[[], object] = lambda: None


class TokenFile:
    """A token that is written anew from time to time."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._clock = clock
        self._header: str | None = None
        self._read_at = 0.0

    def authorization(self) -> str | None:
        """The header with the file's token, at most a minute old.

        Raises:
            UnreachableError: there never was a token to read.
        """
        if self._header is None or self._clock() - self._read_at >= _TOKEN_SECONDS:
            self._read()
        return self._header

    def _read(self) -> None:
        try:
            token = self._path.read_text().strip()
        except OSError as error:
            if self._header is None:
                raise UnreachableError(f"the service account's token: {error}") from error
            return
        if token:
            self._header = f"Bearer {token}"
            self._read_at = self._clock()


async def find_access() -> Access:
    """In a pod its service account, elsewhere what KUBECONFIG or ~/.kube/config says.

    Raises:
        UnreachableError: neither is usable.
    """
    if "KUBERNETES_SERVICE_HOST" in os.environ:
        return in_cluster(os.environ["KUBERNETES_SERVICE_HOST"], SERVICE_ACCOUNT)
    return await by_kubeconfig(os.environ.get("KUBECONFIG"))


def in_cluster(host: str, account: Path) -> Access:
    """By the files that the kubelet mounts into a pod.

    Raises:
        UnreachableError: they are not there.
    """
    port = os.environ.get("KUBERNETES_SERVICE_PORT", "443")
    token = TokenFile(account / "token")
    token.authorization()
    try:
        tls = _tls(str(account / "ca.crt"))
    except OSError as error:  # ssl.SSLError is one
        raise UnreachableError(f"the service account's ca.crt: {error}") from error
    server = f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"
    return Access(server, token.authorization, tls)


async def by_kubeconfig(path: str | None) -> Access:
    """By the current context of a kubeconfig: token, client certificate or credential plugin.

    A plugin's token is renewed before it expires (EKS: after 15 minutes); one that states no expiry
    holds for as long as the process lives, by the plugins' protocol.

    Args:
        path: of the file, or several; None for ~/.kube/config.

    Raises:
        UnreachableError: there is none, or it is wrong.
    """
    # Imported here: the client's models take 25 MB that a pod has no use for.
    from kubernetes.aio import client, config

    found = client.Configuration()
    try:
        loader = await config.load_kube_config(  # type: ignore[no-untyped-call]
            config_file=path, client_configuration=found
        )
        tls = None
        if found.host.startswith("https:"):
            tls = _tls(found.ssl_ca_cert)
            if found.cert_file:
                tls.load_cert_chain(found.cert_file, found.key_file)
            if not found.verify_ssl:
                tls.check_hostname = False
                tls.verify_mode = ssl.CERT_NONE
    except (config.ConfigException, OSError) as error:
        raise UnreachableError(f"this is no pod, and KUBECONFIG does not help: {error}") from error
    access = Access(
        found.host,
        lambda: found.api_key.get("BearerToken"),
        tls,
        found.tls_server_name,
        found.proxy,
    )
    if not hasattr(loader, "exec_plugin_expiry"):
        return access
    renewing = asyncio.create_task(
        config.refresh_token(loader, found, _TOKEN_SECONDS)  # type: ignore[no-untyped-call]
    )
    return replace(access, close=renewing.cancel)


def proxy_of_environment(server: str) -> str | None:
    """The proxy that HTTPS_PROXY or HTTP_PROXY names for a URL; None if NO_PROXY has its host."""
    url = urlsplit(server)
    return None if proxy_bypass(url.hostname or "") else getproxies().get(url.scheme)


def _tls(authority: str | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=authority)
    # Python 3.13 began to demand extensions that many clusters' own authorities lack
    # (https://github.com/kubernetes-client/python/issues/2394); kubectl does without.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context
