import os
from pathlib import Path
from typing import Any

from tests.integration.transcriber.web_server import Web
from transcription_contract.locations import ObjectUri
from whisper_transcriber.interruption import Interruption
from whisper_transcriber.storage.store import StoredObject
from whisper_transcriber.storage.web import WebSource

CONTENT = os.urandom(300_000)
LOOPBACK = ("127.0.0.0/8", "::1/128")


def source(
    web: Web,
    allowed_networks: tuple[str, ...] = LOOPBACK,
    retry_seconds: float = 0.5,
    interruption: Interruption | None = None,
) -> WebSource:
    return WebSource(
        interruption or Interruption(),
        retry_seconds=retry_seconds,
        allowed_networks=allowed_networks,
        certificates=web.certificate,
    )


def uri(web: Web, path: str = "/talk.mp3?signature=secret", host: str = "127.0.0.1") -> ObjectUri:
    return ObjectUri.parse(web.url(path, host))


def fetch(web: Web, folder: Path, **how: Any) -> tuple[StoredObject, bytes]:
    one = source(web, **how)
    stored = one.stat(uri(web))
    one.download(stored, folder / "file")
    return stored, (folder / "file").read_bytes()
