"""tar archives that depend on nothing but what is in them: the same contents, the same bytes."""

import gzip
import tarfile
from pathlib import Path


def pack(folder: Path, target: Path, epoch: int) -> None:
    """Write all files below `folder`, in order, as nobody's and of `epoch` (seconds since 1970)."""
    with tarfile.open(target, "w") as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            entry = _entry(str(path.relative_to(folder)), path.stat().st_size, epoch)
            with path.open("rb") as file:
                archive.addfile(entry, file)


def repack(packed: Path, target: Path, epoch: int) -> None:
    """Write what a .tgz holds likewise, into another .tgz."""
    with (
        tarfile.open(packed) as given,
        target.open("wb") as file,
        # Without the name and the time that gzip's header would have.
        gzip.GzipFile(filename="", fileobj=file, mode="wb", mtime=0) as stream,
        tarfile.open(fileobj=stream, mode="w") as archive,
    ):
        for member in sorted(given.getmembers(), key=lambda each: each.name):
            content = given.extractfile(member) if member.isfile() else None
            if content:
                archive.addfile(_entry(member.name, member.size, epoch), content)


def _entry(name: str, size: int, epoch: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mtime, entry.mode = size, epoch, 0o644
    return entry
