"""HTTP proxies, as HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY name them in either case."""

from contextlib import suppress
from ipaddress import ip_address, ip_network
from typing import Any
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies_environment, proxy_bypass

import urllib3

from whisper_transcriber.errors import ConfigurationInvalid
from whisper_transcriber.storage.guard import DirectPools, Guard, ProxiedPools


def proxy_for(scheme: str, netloc: str) -> str | None:
    """The URL of the proxy that leads to a server, or None to connect directly.

    Args:
        scheme: of the request: http or https.
        netloc: the server's host, with its port if that is not the usual one.

    Raises:
        ConfigurationInvalid: the environment names a proxy that is not an HTTP proxy.
    """
    named = getproxies_environment()
    proxy = named.get(scheme) or named.get("all")
    # The standard library knows suffixes with and without a dot, but not "*.".
    without = named.get("no", "").replace("*.", ".")
    if not proxy or proxy_bypass(netloc, {"no": without}) or _in_network(netloc, without):
        return None
    url = proxy if "://" in proxy else f"http://{proxy}"
    if urlsplit(url).scheme not in ("http", "https"):
        raise ConfigurationInvalid(
            f"the environment names a proxy for {scheme} that is not an HTTP proxy "
            f"({urlsplit(url).scheme}): set {scheme.upper()}_PROXY to http://host:port"
        )
    return url


def pool_manager(
    scheme: str, netloc: str, guard: Guard | None = None, **options: Any
) -> urllib3.PoolManager:
    """Connections to one server, through a proxy where the environment wants one.

    Args:
        scheme: of the requests: http or https.
        netloc: the server's host, with its port if that is not the usual one.
        guard: judges the hosts, if a stranger named them.
        options: urllib3's.
    """
    proxy = proxy_for(scheme, netloc)
    if proxy is None:
        return DirectPools(guard, **options) if guard else urllib3.PoolManager(**options)
    url = urlsplit(proxy)
    if url.username is not None:
        user = f"{unquote(url.username)}:{unquote(url.password or '')}"
        options["proxy_headers"] = urllib3.make_headers(proxy_basic_auth=user)
    plain = url._replace(netloc=url.netloc.rpartition("@")[2]).geturl()
    return (
        ProxiedPools(guard, plain, **options) if guard else urllib3.ProxyManager(plain, **options)
    )


def _in_network(netloc: str, without: str) -> bool:
    """Whether a server's address is in one of the networks of NO_PROXY."""
    try:
        address = ip_address(urlsplit(f"//{netloc}").hostname or "")
    except ValueError:
        return False
    for entry in without.split(","):
        with suppress(ValueError):
            if address in ip_network(entry.strip(), strict=False):
                return True
    return False
