"""Connections to hosts that a stranger named (urllib3).

Names are resolved here, and a connection goes to the very address that was judged (addresses.py):
a second answer of the DNS cannot lead elsewhere. Where a proxy leads out, the proxy resolves names
and connects: what leads to a forbidden address here is refused, and everything else is up to the
proxy.
"""

import socket
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

from whisper_transcriber.errors import ConfigurationInvalid
from whisper_transcriber.storage import addresses


class Guard:
    """Judges where a host's name leads.

    Args:
        subject: what named the host, for messages.
        allowed: networks that may be entered besides the public internet.
    """

    def __init__(self, subject: str, allowed: Iterable[addresses.Network]) -> None:
        self._subject = subject
        self._allowed = tuple(allowed)

    def resolve(self, host: str, port: int) -> list[str]:
        """A host's addresses, all of which may be connected to.

        Raises:
            ConfigurationInvalid: one of them is forbidden.
            socket.gaierror: there is no such host, or the DNS does not answer (EAI_AGAIN).
        """
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except UnicodeError as error:
            raise socket.gaierror(socket.EAI_NONAME, "not the name of a host") from error
        resolved = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        for each in resolved:
            if reason := addresses.refusal(each, self._allowed):
                raise ConfigurationInvalid(f"{self._subject} leads to {each}, {reason}")
        return resolved


class DirectPools(urllib3.PoolManager):
    """Connections to judged addresses."""

    def __init__(self, guard: Guard, **options: Any) -> None:
        super().__init__(**options)

        class Plain(_Judged, HTTPConnection):
            _guard = guard

        class Tls(_Judged, HTTPSConnection):
            _guard = guard

        class PlainPool(urllib3.HTTPConnectionPool):
            ConnectionCls = Plain

        class TlsPool(urllib3.HTTPSConnectionPool):
            ConnectionCls = Tls

        self.pool_classes_by_scheme = {"http": PlainPool, "https": TlsPool}


class ProxiedPools(urllib3.ProxyManager):
    """Connections through a proxy to hosts that do not lead to a forbidden address here."""

    def __init__(self, guard: Guard, proxy: str, **options: Any) -> None:
        super().__init__(proxy, **options)
        self._guard = guard
        self._judged: set[tuple[str | None, int | None]] = set()

    def connection_from_host(
        self,
        host: str | None,
        port: int | None = None,
        scheme: str | None = "http",
        pool_kwargs: dict[str, Any] | None = None,
    ) -> urllib3.HTTPConnectionPool:
        """As urllib3's.

        Raises:
            ConfigurationInvalid: the host leads to a forbidden address.
        """
        if (host, port) not in self._judged:
            with suppress(socket.gaierror):  # only the proxy knows the name
                self._guard.resolve((host or "").strip("[]"), port or 443)
            self._judged.add((host, port))
        return super().connection_from_host(host, port, scheme, pool_kwargs)


class _Judged(HTTPConnection):
    """A connection to the first of a host's judged addresses that can be reached.

    urllib3 connects in ``_new_conn``, which its SOCKS support replaces as well.
    """

    _guard: Guard

    def _new_conn(self) -> socket.socket:
        name = self._dns_host
        try:
            *others, last = self._guard.resolve(self.host, self.port)
            for self._dns_host in others:
                with suppress(NewConnectionError, ConnectTimeoutError):
                    return super()._new_conn()
            self._dns_host = last
            return super()._new_conn()
        except socket.gaierror as error:
            raise NameResolutionError(name, self, error) from error
        finally:
            self._dns_host = name
