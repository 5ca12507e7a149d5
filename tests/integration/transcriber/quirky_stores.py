"""The client of an object store that is a stub with quirks."""

from tests.integration.transcriber.stub_s3 import Stub
from transcription_contract.locations import ObjectUri
from whisper_transcriber.interruption import Interruption
from whisper_transcriber.settings import StoreSettings
from whisper_transcriber.storage.s3 import S3Store

ODD_KEYS = ["a +b%20 c.wav", "ü/ß.wav", "x&<y>.wav", "plus+plus.wav", "100%.wav", "b.wav"]


def connected(stub: Stub, retry_seconds: float = 0.1, **given: object) -> S3Store:
    settings = {
        "endpoint": stub.url,
        "access_key": "key",
        "secret_key": "secret",
        "session_token": None,
        "region": None,
        "certificates": None,
        "retry_seconds": retry_seconds,
        "keys_from": "the Secret 'object-store'",
        **given,
    }
    return S3Store(StoreSettings(**settings), Interruption())  # type: ignore[arg-type]


def at(key: str) -> ObjectUri:
    return ObjectUri("media", key)


def keys(store: S3Store, prefix: str = "", after: str | None = None) -> list[str]:
    return [each.uri.key for each in store.list(at(prefix), after)]
