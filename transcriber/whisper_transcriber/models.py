"""A model reference to a checkpoint on disk, whose SHA-256 has been checked.

The model directory may outlive the pod and be shared by several: a file appears in it whole or not
at all, under its checksum, and a lock keeps two pods of one node from fetching it twice.
"""

import fcntl
import hashlib
import logging
import os
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from transcription_contract.locations import S3Uri
from transcription_contract.options import ModelReference
from whisper_transcriber.errors import ModelInvalid, ModelNotFound, ModelSourceUnavailable
from whisper_transcriber.interruption import Interruption
from whisper_transcriber.store import ObjectMissingError, ObjectStore

log = logging.getLogger(__name__)

_CHUNK_BYTES = 1 << 20
_READ_SECONDS = 60.0


@dataclass(frozen=True)
class Checkpoint:
    """A model file that is what it claims to be."""

    path: Path
    sha256: str


class ModelStore:
    """Finds checkpoints in the model directory, the object store, or the internet."""

    def __init__(self, directory: Path, store: ObjectStore, interruption: Interruption) -> None:
        self._directory = directory
        self._store = store
        self._interruption = interruption

    def resolve(self, reference: ModelReference) -> Checkpoint:
        """The checkpoint that ``reference`` means.

        Raises:
            ModelNotFound: there is no official model of that name, or no object at that URI.
            ModelInvalid: its checksum is not the promised one.
            ModelSourceUnavailable: an official model cannot be downloaded.
        """
        if reference.name is not None:
            return self._official(reference.name)
        if reference.uri is None or reference.sha256 is None:
            raise ModelNotFound("spec.model has neither a name nor a uri with its sha256")
        return self._own(reference.uri, reference.sha256)

    def _official(self, name: str) -> Checkpoint:
        models = official_models()
        if name not in models:
            raise ModelNotFound(
                f"there is no official Whisper model {name!r}, only {', '.join(models)}"
            )
        url, sha256 = models[name]

        def fetch(path: Path) -> None:
            try:
                self._download(url, path)
            except (urllib.error.URLError, OSError) as error:
                raise ModelSourceUnavailable(f"{url} could not be downloaded: {error}") from error

        return self._checked(name, sha256, fetch)

    def _own(self, uri: str, sha256: str) -> Checkpoint:
        def fetch(path: Path) -> None:
            try:
                self._store.download(self._store.stat(S3Uri.parse(uri)), path)
            except ObjectMissingError:
                raise ModelNotFound(f"{uri} does not exist: check spec.model.uri") from None

        return self._checked(uri, sha256, fetch)

    def _checked(self, label: str, sha256: str, fetch: Callable[[Path], None]) -> Checkpoint:
        target = self._directory / f"{sha256}.pt"
        self._directory.mkdir(parents=True, exist_ok=True)
        with _locked(target.with_suffix(".lock")):
            if not target.exists() or _sha256(target) != sha256:
                log.info("fetching the model %r", label)
                self._fetch(label, sha256, fetch, target)
        return Checkpoint(target, sha256)

    def _fetch(self, label: str, sha256: str, fetch: Callable[[Path], None], target: Path) -> None:
        with tempfile.TemporaryDirectory(dir=self._directory) as scratch:
            arrived = Path(scratch) / "model"
            fetch(arrived)
            actual = _sha256(arrived)
            if actual != sha256:
                raise ModelInvalid(
                    f"the model {label!r} has the SHA-256 {actual}, not {sha256} as promised"
                )
            os.replace(arrived, target)

    def _download(self, url: str, path: Path) -> None:
        with (
            urllib.request.urlopen(url, timeout=_READ_SECONDS) as response,
            path.open("xb") as file,
        ):
            while chunk := response.read(_CHUNK_BYTES):
                self._interruption.check()
                file.write(chunk)
            promised = response.headers.get("Content-Length")
            # http.client does not mind a body that is cut short.
            if promised is not None and file.tell() != int(promised):
                raise OSError(f"the connection was cut at {file.tell()} of {promised} bytes")


def official_models() -> dict[str, tuple[str, str]]:
    """Each official model's URL and SHA-256, as openai-whisper lists them."""
    # Imported here: it imports torch, which takes seconds.
    from whisper import _MODELS  # type: ignore[import-untyped]

    # The checksum is the last folder of the URL (whisper._download).
    return {name: (url, url.split("/")[-2]) for name, url in _MODELS.items()}


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
