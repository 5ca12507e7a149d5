"""Folders of this machine as a Store: what the command line works on."""

import errno
import hashlib
import logging
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_hex

from transcription_contract.locations import WORKSPACES, ObjectUri
from whisper_transcriber.errors import (
    AccessDenied,
    ConfigurationInvalid,
    SourceDenied,
    SourceReplaced,
)
from whisper_transcriber.interruption import Interruption
from whisper_transcriber.storage.downloads import CHUNK_BYTES, FULL, new_file, room_for
from whisper_transcriber.storage.store import ObjectMissingError, StoredObject, nothing

log = logging.getLogger(__name__)

_TEMPORARY = ".transcription-"
_ATTEMPTS = 5
_LINKLESS = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK})


class FileStore:
    """file:// URIs. An etag changes with a file's size, time of change and inode."""

    def __init__(self, interruption: Interruption) -> None:
        self._interruption = interruption

    def stat(self, uri: ObjectUri) -> StoredObject:
        """Etag and size of a file.

        Raises:
            ObjectMissingError: it does not exist.
            ConfigurationInvalid: it is a folder, a device or a pipe.
        """
        with _readable(uri):
            return _described(uri, _path(uri).stat())

    def find(self, uri: ObjectUri) -> bytes | None:
        """A small file's bytes, or None when it does not exist."""
        try:
            with _explained(uri):
                return _path(uri).read_bytes()
        except ObjectMissingError:
            return None

    def put(self, uri: ObjectUri, content: bytes, content_type: str = "") -> None:  # noqa: ARG002
        """Write a small file, whole or not at all, and the folders that it lies in."""
        self._place(uri, lambda path: _write(path, content))

    def create(self, uri: ObjectUri, content: bytes, content_type: str = "") -> bool:  # noqa: ARG002
        """Write a small file unless there is one; returns whether it was written."""
        return self._place(uri, lambda path: _write_new(path, content))

    def list(self, prefix: ObjectUri, after: str | None = None) -> list[StoredObject]:
        """Every file below a folder, in the order of names; links to folders are not followed."""
        found = []
        folders = [prefix]
        while folders:
            self._interruption.check()
            folder = folders.pop()
            for entry in _entries(folder):
                if entry.is_dir(follow_symlinks=False):
                    folders.append(folder.child(f"{entry.name}/"))
                elif _is_file(entry) and not _is_temporary(folder, entry.name):
                    with suppress(FileNotFoundError):  # gone meanwhile
                        found.append(_described(folder.child(entry.name), entry.stat()))
        found = [each for each in found if after is None or each.uri.key > after]
        return sorted(found, key=lambda each: each.uri.key)

    def remove(self, uri: ObjectUri) -> None:
        """Remove a file, and of a workspace the folders that are empty now."""
        path = _path(uri)
        with _explained(uri):
            path.unlink(missing_ok=True)
        # The rest of it, once a folder is not empty.
        with suppress(OSError):
            for folder in path.parents:
                if WORKSPACES.rstrip("/") not in folder.parts:
                    return
                folder.rmdir()

    def remove_many(self, uris: Iterable[ObjectUri]) -> None:
        """Remove files in the given order, and of a workspace the folders that are empty now."""
        for uri in uris:
            self._interruption.check()
            self.remove(uri)

    def download(
        self,
        source: StoredObject,
        path: Path,
        *,
        resume: bool = False,
        at_each_chunk: Callable[[], None] = nothing,
    ) -> None:
        """Copy a file.

        Raises:
            SourceReplaced: it is no longer the one that ``source`` describes, or changed meanwhile.
            ObjectMissingError: it has been removed.
            SourceDenied: this user may not read it.
        """
        with _readable(source.uri):
            original = _path(source.uri).open("rb")
        with original, new_file(path, source.uri, resume=resume) as copy:
            _require_same(source, os.fstat(original.fileno()))
            original.seek(copy.tell())
            while chunk := original.read(CHUNK_BYTES):
                self._interruption.check()
                at_each_chunk()
                copy.write(chunk)
            _require_same(source, os.fstat(original.fileno()))

    def _place(self, uri: ObjectUri, write: Callable[[Path], bool]) -> bool:
        """What ``write`` returns for the path of ``uri``, whose folder exists."""
        path = _path(uri)
        with room_for(uri), _explained(uri):
            for _ in range(_ATTEMPTS):
                # Another process may remove the empty folder before the file is in it.
                with suppress(FileNotFoundError):
                    _make_folder(path.parent, uri)
                    return write(path)
        raise ObjectMissingError(str(uri))


def _path(uri: ObjectUri) -> Path:
    parts = uri.key.removesuffix("/").split("/") if uri.key else []
    if uri.scheme != "file" or uri.bucket or "\0" in uri.key or {"", ".", ".."} & set(parts):
        raise ConfigurationInvalid(
            f"{str(uri)!r} is not the plain path of a file: it must have no part that is empty, "
            "'.' or '..'"
        )
    return Path("/", uri.key)


def _described(uri: ObjectUri, status: os.stat_result) -> StoredObject:
    if stat.S_ISDIR(status.st_mode):
        raise ConfigurationInvalid(
            f"{uri} is a folder: with a slash at its end it means all recordings in it"
        )
    if not stat.S_ISREG(status.st_mode):
        raise ConfigurationInvalid(f"{uri} is not a file")
    return StoredObject(
        uri, _etag(status), status.st_size, datetime.fromtimestamp(status.st_mtime, UTC)
    )


def _etag(status: os.stat_result) -> str:
    identity = f"{status.st_size} {status.st_mtime_ns} {status.st_ino}"
    return hashlib.sha256(identity.encode()).hexdigest()[:32]


def _require_same(source: StoredObject, status: os.stat_result) -> None:
    if _etag(status) != source.etag:
        raise SourceReplaced(f"{source.uri} was changed while the job was running")


def _entries(folder: ObjectUri) -> Iterator[os.DirEntry[str]]:
    """What lies in a folder under names that can be told."""
    path = _path(folder)
    try:
        with _explained(folder), os.scandir(path) as entries:
            for entry in entries:
                if is_unicode(entry.name):
                    yield entry
                else:
                    log.warning("%r is left out: its name is not UTF-8", entry.path)
    except ObjectMissingError:
        return


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError as error:  # a link in a circle, or to where this user may not look
        log.warning("%r is left out: %s", entry.path, error.strerror)
        return False


def is_unicode(name: str) -> bool:
    """Whether a file's name, as Python reads it from the system, can be written as UTF-8."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_temporary(folder: ObjectUri, name: str) -> bool:
    # In a workspace it may be seen: what a killed process left is removed with the rest.
    return name.startswith(_TEMPORARY) and f"/{WORKSPACES}" not in f"/{folder.key}"


def _make_folder(path: Path, uri: ObjectUri) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise ConfigurationInvalid(
            f"{uri} cannot be written: one of the folders in its path is a file"
        ) from None


def _write(path: Path, content: bytes) -> bool:
    with _temporary(path, content) as temporary:
        temporary.replace(path)
    return True


def _write_new(path: Path, content: bytes) -> bool:
    """Whether there was no file at ``path``; then ``content`` is there, whole."""
    try:
        with _temporary(path, content) as temporary:
            _link(temporary, path)
    except FileExistsError:
        return False
    return True


def _link(temporary: Path, path: Path) -> None:
    try:
        os.link(temporary, path)
    except OSError as error:
        if error.errno not in _LINKLESS:
            raise
        # A file system without hard links: the name is taken first, and then the file put there.
        path.open("xb").close()
        temporary.replace(path)


@contextmanager
def _temporary(path: Path, content: bytes) -> Iterator[Path]:
    """A file with ``content``, on the disk already, in the folder of ``path``."""
    temporary = path.with_name(f"{_TEMPORARY}{token_hex(8)}")
    try:
        with temporary.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def _readable(uri: ObjectUri) -> Iterator[None]:
    """As ``_explained``, where one file is to be read: a refusal is that file's fault alone."""
    try:
        with _explained(uri):
            yield
    except AccessDenied as error:
        raise SourceDenied(str(error)) from error


@contextmanager
def _explained(uri: ObjectUri) -> Iterator[None]:
    """The operating system's refusals as what they mean to a job."""
    try:
        yield
    except (FileNotFoundError, NotADirectoryError):
        raise ObjectMissingError(str(uri)) from None
    except PermissionError as error:
        raise AccessDenied(f"{uri} may not be used by this user: {error.strerror}") from error
    except OSError as error:
        if error.errno in FULL:
            raise
        raise ConfigurationInvalid(f"{uri} cannot be used: {error.strerror}") from error
