"""debian:trixie-slim for the Dockerfiles, made from Debian's packages by debootstrap.

It goes by its usual name into buildah's store, so that `FROM debian:trixie-slim` needs no change
and no registry to pull from.
"""

import shutil
import tempfile
from pathlib import Path

from dev import buildah, files
from dev.commands import run
from dev.paths import CACHE
from dev.say import step
from dev.versions import DEBIAN_SUITE

NAME = f"debian:{DEBIAN_SUITE}-slim"

DROPPED = ("usr/share/doc", "usr/share/info", "usr/share/locale", "usr/share/man")
"""What Docker's slim images go without as well."""

DPKG_SLIM = "".join(f"path-exclude /{folder}/*\n" for folder in DROPPED)


KEY = files.digest_of_files([Path(__file__)], Path(__file__).parent)
"""Part of the tag of every image that is built on it: a change of this module makes all anew."""

CACHED = f"transcription-operator-base:{KEY}"


def ensure() -> None:
    """Make the base image, unless buildah has just this one."""
    if buildah.has_image(CACHED):
        return
    with step(f"making {NAME} with debootstrap", "75 s"):
        for old in CACHE.glob("debootstrap-*"):  # of a start that was killed
            shutil.rmtree(old)
        with tempfile.TemporaryDirectory(dir=CACHE, prefix="debootstrap-") as scratch:
            root = Path(scratch) / "root"
            log = CACHE / "log" / "debootstrap.log"
            run(["debootstrap", "--variant=minbase", DEBIAN_SUITE, root], log=log)
            _slim(root)
            _commit(root)


def _slim(root: Path) -> None:
    sources = root / "etc/apt/sources.list"
    # debootstrap has written the one line of the release itself; updates belong to it.
    _, mirror, suite, *components = sources.read_text().split()
    parts = " ".join(components)
    archives = {
        suite: mirror,
        f"{suite}-updates": mirror,
        f"{suite}-security": f"{mirror}-security",
    }
    lines = [f"deb {where} {name} {parts}\n" for name, where in archives.items()]
    sources.write_text("".join(lines))
    (root / "etc/dpkg/dpkg.cfg.d/slim").write_text(DPKG_SLIM)
    for folder in (*DROPPED, "var/cache/apt/archives", "var/lib/apt/lists"):
        for entry in (root / folder).iterdir():
            if entry.is_dir():
                shutil.rmtree(entry)
            else:
                entry.unlink()


def _commit(root: Path) -> None:
    container = buildah.call("from", "scratch").strip()
    try:
        buildah.call("add", "--quiet", container, root, "/")
        buildah.call("config", "--cmd", "bash", container)
        buildah.call("commit", "--quiet", container, NAME)
        buildah.call("tag", NAME, CACHED)
    finally:
        buildah.call("rm", container)
