"""buildah with a store of our own, in the cache folder."""

import os
import shutil
import ssl
from pathlib import Path

from dev.commands import environment, run, succeeds
from dev.paths import CACHE, RUN

STORE = CACHE / "buildah"
SCRATCH = CACHE / "buildah-tmp"

CACHE_MOUNTS = "buildah-cache"
"""buildah's own name for the folder of its cache mounts, below TMPDIR."""

CA_INSIDE = "/run/build-ca.pem"
"""Where a build finds the certificates that this machine trusts."""


def call(*arguments: str | Path, log: Path | None = None) -> str:
    """Run buildah; with `log`, what it prints goes to a file."""
    return run(_argv(*arguments), env=_environment(), log=log)


def has_image(name: str) -> bool:
    """Whether the store has an image of this name."""
    return succeeds(_argv("inspect", "--type", "image", name))


def forget_broken_builds() -> None:
    """Remove what builds that were cut in the middle have left: containers, half-made layers."""
    call("rm", "--all")
    for entry in SCRATCH.iterdir():
        if entry.name != CACHE_MOUNTS:
            shutil.rmtree(entry, ignore_errors=True)


def forget_others(repository: str, tag: str) -> None:
    """Drop earlier builds of an image, and the layers that no image needs any more.

    They would pile up: every change of the locked requirements makes gigabytes of them.
    """
    template = "{{.Name}}:{{.Tag}}"
    names = call("images", "--noheading", "--format", template).splitlines()
    ours = [name for name in names if name.startswith(f"{repository}:")]
    old = [name for name in ours if name != f"{repository}:{tag}"]
    if old:
        call("rmi", *old)
    call("rmi", "--prune")


def trusted_certificates() -> list[str]:
    """Arguments that let a build reach package registries as this machine does.

    Behind a proxy that signs with its own certificate, nothing can be fetched without it. The
    bundle is mounted, and named by a build argument: neither stays in the image.
    """
    paths = ssl.get_default_verify_paths()
    bundle = os.environ.get("SSL_CERT_FILE") or paths.cafile or "/etc/ssl/certs/ca-certificates.crt"
    if not Path(bundle).is_file():
        return []
    return [f"--volume={bundle}:{CA_INSIDE}:ro", f"--build-arg=SSL_CERT_FILE={CA_INSIDE}"]


def share_uv_cache() -> None:
    """Let builds use the uv cache of `make venv`: gigabytes of CUDA are downloaded only once.

    buildah keeps the folder of `RUN --mount=type=cache,target=T` at buildah-cache/T below TMPDIR.
    """
    theirs = SCRATCH / CACHE_MOUNTS / "root/.cache/uv"
    ours = CACHE / "uv"
    ours.mkdir(parents=True, exist_ok=True)
    if not theirs.is_symlink():
        theirs.parent.mkdir(parents=True, exist_ok=True)
        theirs.symlink_to(ours)


def _argv(*arguments: str | Path) -> list[str | Path]:
    where = ["--root", str(STORE), "--runroot", str(RUN / "buildah")]
    return ["buildah", *where, "--storage-driver", "overlay", *arguments]


def _environment() -> dict[str, str]:
    SCRATCH.mkdir(parents=True, exist_ok=True)
    # chroot isolation needs no cgroup manager; TMPDIR since /tmp may be small or in memory.
    return environment(BUILDAH_ISOLATION="chroot", TMPDIR=str(SCRATCH))
