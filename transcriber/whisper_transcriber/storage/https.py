"""GET requests to strangers' https servers.

The URL is a stranger's, and so is whatever answers: a guard judges the addresses, those of each
redirect like the first URL's. What may be a signature, the query, is never shown.
"""

import socket
import ssl
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urljoin

import urllib3
from urllib3.exceptions import NameResolutionError
from urllib3.util import Url, parse_url

from transcription_contract.locations import shown
from whisper_transcriber.errors import ConfigurationInvalid, SourceNotFound
from whisper_transcriber.storage import addresses
from whisper_transcriber.storage.downloads import CONNECT_SECONDS, READ_SECONDS
from whisper_transcriber.storage.guard import Guard
from whisper_transcriber.storage.proxies import pool_manager

MAX_REDIRECTS = 5

Response = urllib3.BaseHTTPResponse

_REDIRECTS = frozenset({301, 302, 303, 307, 308})


class StatusError(Exception):
    """The server answered with a status that is no success."""

    def __init__(self, status: int) -> None:
        super().__init__(f"the server answered with status {status}")
        self.status = status


class HttpsClient:
    """See WebSource, which gives it its settings."""

    def __init__(self, allowed_networks: Iterable[str], certificates: Path | None) -> None:
        self._allowed = addresses.networks(allowed_networks)
        self._context = _trust(certificates)

    @contextmanager
    def get(self, address: str, headers: Mapping[str, str]) -> Iterator[Response]:
        """The answer to a GET with its body unread, after the redirects.

        Raises:
            StatusError: it is none of 200, 206 and 416.
            ConfigurationInvalid: the way there leads where nobody may go, or in circles.
            SourceNotFound: there is no host of that name.
            urllib3.exceptions.HTTPError: no answer.
        """
        base = target = address
        for _ in range(MAX_REDIRECTS + 1):
            url = _checked(base, target, address)
            with self._answer(url, headers) as response:
                if response.status not in _REDIRECTS:
                    if response.status not in (200, 206, 416):
                        raise StatusError(response.status)
                    yield response
                    return
                base, target = url.url, response.headers.get("Location", "")
        raise ConfigurationInvalid(
            f"{shown(address)} was redirected more than {MAX_REDIRECTS} times"
        )

    @contextmanager
    def _answer(self, url: Url, headers: Mapping[str, str]) -> Iterator[Response]:
        """What the first of the host's addresses that can be reached answers, or the proxy."""
        guard = Guard(shown(url.url), self._allowed)
        with pool_manager(
            "https", url.netloc or "", guard, timeout=_timeout(), ssl_context=self._context
        ) as pools:
            pool = pools.connection_from_host(_host(url), url.port or 443, "https")
            response = _request(pool, url, headers)
            try:
                yield response
            finally:
                response.close()


def _timeout() -> urllib3.Timeout:
    return urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS)


def _trust(certificates: Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if certificates:
        try:
            context.load_verify_locations(cafile=certificates)
        except OSError as error:
            raise ConfigurationInvalid(
                "the caCert of the object store (AWS_CA_BUNDLE on the command line) is not a file "
                f"of PEM certificates: {error.strerror or error}"
            ) from error
    return context


def _checked(base: str, target: str, address: str) -> Url:
    try:
        target = urljoin(base, target)
        url = parse_url(target)
    except ValueError:  # LocationValueError, too
        raise ConfigurationInvalid(f"{shown(address)} does not lead to a URL") from None
    if url.scheme != "https" or not url.host or url.auth:
        raise ConfigurationInvalid(
            f"{shown(address)} leads to {shown(target)}, but only https URLs without a user's name "
            "are fetched"
        )
    return url


def _host(url: Url) -> str:
    return (url.host or "").strip("[]")


def _request(pool: urllib3.HTTPConnectionPool, url: Url, headers: Mapping[str, str]) -> Response:
    try:
        return pool.urlopen(
            "GET",
            url.request_uri,
            headers={"Host": url.netloc or "", "Accept-Encoding": "identity", **headers},
            retries=False,
            redirect=False,
            preload_content=False,
        )
    except NameResolutionError as error:
        cause = error.__cause__
        if isinstance(cause, socket.gaierror) and cause.errno == socket.EAI_AGAIN:
            raise
        raise SourceNotFound(
            f"there is no host of the name that {shown(url.url)} leads to"
        ) from error
