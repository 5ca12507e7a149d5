from collections.abc import Callable
from io import BytesIO
from types import SimpleNamespace
from typing import Any, cast

import urllib3

from transcription_contract.locations import ObjectUri
from whisper_transcriber.interruption import Interruption
from whisper_transcriber.settings import StoreSettings
from whisper_transcriber.storage.s3 import S3Store

URI = ObjectUri("media", "talks/a b.mp3")
SETTINGS = StoreSettings(
    endpoint="http://store:9000",
    access_key="key",
    secret_key="secret",
    session_token=None,
    region=None,
    certificates=None,
    retry_seconds=0.2,
    keys_from="the Secret 'object-store'",
)


class _Cut(BytesIO):
    """A connection that breaks when its bytes are read."""

    def read(self, *given: Any) -> bytes:
        found = super().read(*given)
        if not found:
            raise urllib3.exceptions.ProtocolError("cut")
        return found

    read1 = read


def answer(
    status: int = 200,
    content: bytes = b"",
    headers: dict[str, str] | None = None,
    *,
    cut_after: int | None = None,
) -> urllib3.HTTPResponse:
    """What the server says."""
    body = BytesIO(content) if cut_after is None else _Cut(content[:cut_after])
    return urllib3.HTTPResponse(body, headers or {}, status, preload_content=False)


Exchange = Callable[[str, str, dict[str, str]], urllib3.HTTPResponse]


def store(exchange: Exchange) -> S3Store:
    """A store whose server is a function of method, path and headers."""
    made = S3Store(SETTINGS, Interruption())

    def urlopen(method: str, path: str, **given: Any) -> Any:
        return exchange(method, path, dict(given["headers"]))

    talk_to(made, urlopen)
    return made


def talk_to(made: S3Store, urlopen: Callable[..., Any]) -> None:
    """Put a function where the connections are."""
    pool = SimpleNamespace(urlopen=urlopen)
    made._client._http = cast(
        Any, SimpleNamespace(connection_from_host=lambda *_: pool, proxy=None)
    )


def refusal(status: int, code: str) -> urllib3.HTTPResponse:
    body = f"<Error><Code>{code}</Code><Message>no</Message></Error>".encode()
    return answer(status, body, {"content-type": "application/xml"})
