"""Files that are either whole or absent, and names made from what is in them."""

import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

ABANDONED_SECONDS = 3600
"""No build takes so long."""


def write(path: Path, text: str, mode: int = 0o644) -> None:
    """Write a small file in one step: a reader sees the old text or the new one, never a half."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(handle, "w") as file:
        file.write(text)
    os.chmod(name, mode)
    os.replace(name, path)


@contextmanager
def made_whole(path: Path) -> Iterator[Path]:
    """Make a file or folder under another name, and rename it when it is whole.

    A build that is cut in the middle leaves nothing under the real name, so it is built again.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    for old in path.parent.glob(f".{path.name}.*"):
        # Of a build that was killed; a younger one may be somebody else's who is still at work.
        if old.stat().st_mtime < time.time() - ABANDONED_SECONDS:
            shutil.rmtree(old, ignore_errors=True)
    scratch = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
    try:
        inner = scratch / path.name
        yield inner
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        os.replace(inner, path)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def digest(*parts: str | bytes) -> str:
    """A short name for exactly these parts, in this order."""
    sha = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        sha.update(len(data).to_bytes(8, "big") + data)
    return sha.hexdigest()[:16]


def digest_of_files(files: Iterable[Path], base: Path) -> str:
    """A short name for the contents of files and folders, and for where they lie below `base`."""
    parts: list[str | bytes] = []
    for file in sorted(_walk(files)):
        parts += [str(file.relative_to(base)), file.read_bytes()]
    return digest(*parts)


def _walk(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from (
                file
                for file in path.rglob("*")
                if file.is_file() and "__pycache__" not in file.parts
            )
        else:
            yield path


def sha256(path: Path) -> str:
    """The SHA-256 of a file that may be large."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
