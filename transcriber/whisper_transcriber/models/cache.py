"""The model directory, which may outlive the pod and be shared by several.

A file appears in it whole or not at all, under its checksum, and a lock keeps two pods from
fetching it twice. Beside it a note says of which size and date it was when its checksum was right:
hashing 3 GB at each start would take seconds.
"""

import errno
import fcntl
import hashlib
import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from typing import IO

from whisper_transcriber.errors import (
    ConfigurationInvalid,
    Interrupted,
    ModelInvalid,
    ModelSourceUnavailable,
    ObjectStoreUnavailable,
)
from whisper_transcriber.interruption import Interruption
from whisper_transcriber.storage.downloads import CHUNK_BYTES, room_for
from whisper_transcriber.storage.store import nothing

log = logging.getLogger(__name__)

_LOCK_POLL_SECONDS = 0.5
_ABANDONED_SECONDS = 3600.0
"""A download that lives writes every minute (downloads.READ_SECONDS)."""

_CONTINUED = (Interrupted, ModelSourceUnavailable, ObjectStoreUnavailable)
"""What ends a download that the next worker goes on with."""

_UNWRITABLE = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})


class ModelCache:
    """Checkpoints by their SHA-256; the directory is made when something is put into it."""

    def __init__(
        self,
        directory: Path,
        interruption: Interruption,
        sign_of_life: Callable[[], None] = nothing,
    ) -> None:
        """``sign_of_life``: called while a file is hashed, or another process is waited for."""
        self._directory = directory
        self._interruption = interruption
        self._sign_of_life = sign_of_life

    def find(self, sha256: str, *names: str) -> Path | None:
        """The checked file, under its checksum or one of the ``names``; needs no right to write."""
        for name in (f"{sha256}.pt", *names):
            path = self._directory / name
            if self._is_right(path, sha256):
                return path
        return None

    def holds(self, sha256: str, *names: str) -> bool:
        """Whether there is such a file, unchecked."""
        return any((self._directory / name).is_file() for name in (f"{sha256}.pt", *names))

    def add(self, label: str, sha256: str, fetch: Callable[[Path], None]) -> Path:
        """The checked file, by ``fetch`` unless another process was faster.

        Args:
            label: what the job calls it.
            fetch: writes the file to the path that it is given, where an earlier download may have
                left its first bytes; see ``require``.

        Raises:
            ConfigurationInvalid: the directory cannot be written to.
            VolumeFull: there is no room in it.
        """
        with room_for(f"the model {label!r}"), self._lock(label, sha256) as file:
            alone = self._wait_for(file, label)
            if found := self.find(sha256):
                return found
            cut = self._cut_download(sha256) if alone else None
            self._clear(sha256 if alone else None, keep=cut)
            return self._fetch(sha256, fetch, cut)

    def require(self, path: Path, sha256: str, label: str) -> None:
        """Check a file that has arrived.

        Raises:
            ModelInvalid: it has another SHA-256.
        """
        actual = self._sha256(path)
        if actual != sha256:
            raise ModelInvalid(
                f"the model {label!r} has the SHA-256 {actual}, not {sha256} as promised"
            )

    def _fetch(self, sha256: str, fetch: Callable[[Path], None], cut: Path | None) -> Path:
        target = self._directory / f"{sha256}.pt"
        arriving = cut or self._directory / f".{sha256}.{token_hex(4)}.part"
        try:
            fetch(arriving)
            # On the disk before its name: after a crash, the name must not stand for less.
            with arriving.open("rb") as file:
                os.fsync(file.fileno())
            arriving.replace(target)
        except _CONTINUED:
            raise
        except BaseException:
            arriving.unlink(missing_ok=True)
            raise
        _note(target, sha256)
        return target

    def _cut_download(self, sha256: str) -> Path | None:
        """The largest rest of a cut download of this model; its lock must be ours."""
        found = [(path.stat().st_size, path) for path in self._directory.glob(f".{sha256}.*.part")]
        size, path = max(found, default=(0, None))
        if path:
            log.info("a cut download of the model is continued after %d bytes", size)
        return path

    def _is_right(self, path: Path, sha256: str) -> bool:
        try:
            if _is_noted(path, sha256):
                return True
            if self._sha256(path) != sha256:
                log.warning("%s in the model directory is not what it should be", path.name)
                return False
        except (FileNotFoundError, NotADirectoryError):
            return False
        _note(path, sha256)
        return True

    def _sha256(self, path: Path) -> str:
        digest = hashlib.sha256()
        with path.open("rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                self._interruption.check()
                self._sign_of_life()
                digest.update(chunk)
        return digest.hexdigest()

    @contextmanager
    def _lock(self, label: str, sha256: str) -> Iterator[IO[str]]:
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            file = (self._directory / f"{sha256}.lock").open("w")
        except OSError as error:
            if error.errno not in _UNWRITABLE:
                raise
            raise ConfigurationInvalid(
                f"the model volume does not hold the model {label!r}, and the worker may not write "
                f"to it ({error.strerror}): preload the model, or make the volume writable"
            ) from error
        with file:
            yield file

    def _wait_for(self, lock: IO[str], label: str) -> bool:
        """Whether this process has the lock now; False: this volume knows no locks."""
        waiting = False
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return True
            except BlockingIOError:
                if not waiting:
                    log.info("another worker is fetching the model %r; waiting for it", label)
                waiting = True
                self._sign_of_life()
                self._interruption.wait(_LOCK_POLL_SECONDS)
            except OSError as error:
                # Two that fetch the same do each other no harm.
                log.warning("the model volume cannot be locked: %s", error.strerror)
                return False

    def _clear(self, sha256: str | None, keep: Path | None) -> None:
        """Remove what killed downloads left: of a model whose lock is ours, and what is old."""
        for path in self._directory.glob(".*.part"):
            with suppress(OSError):
                if path == keep:
                    continue
                ours = sha256 is not None and path.name.startswith(f".{sha256}.")
                if ours or time.time() - path.stat().st_mtime > _ABANDONED_SECONDS:
                    log.info("removing the rest of a cut download: %s", path.name)
                    path.unlink()


def _note(path: Path, sha256: str) -> None:
    # Read-only, or full: then it is hashed again next time.
    with suppress(OSError):
        path.with_suffix(".ok").write_text(_state(path, sha256))


def _is_noted(path: Path, sha256: str) -> bool:
    state = _state(path, sha256)
    try:
        return path.with_suffix(".ok").read_text() == state
    except (OSError, UnicodeDecodeError):
        return False


def _state(path: Path, sha256: str) -> str:
    status = path.stat()
    return f"{sha256} {status.st_size} {status.st_mtime_ns}\n"
