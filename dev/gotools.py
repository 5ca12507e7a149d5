"""The programs that are built from Go modules: Kubernetes, CoreDNS, Helm, the S3 server, kwok."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from dev import files
from dev.commands import environment, run
from dev.errors import DevError
from dev.paths import BIN, CACHE, DEV, TOOLS
from dev.say import step
from dev.versions import GO_PROGRAMS, GO_PROGRAMS_FOR_TESTS, KUBERNETES

KUBE = BIN / "kube"
"""Kubernetes and etcd in one binary; the first argument says which program it is."""

GO_CACHES = CACHE / "go"

CLUSTER_PROGRAMS = ("kube", "coredns", "pause")

EXPECTED = {"helm": "2 min", "versitygw": "2 min", "kwok": "2 min", "kube-router": "3 min"}


def build_all() -> None:
    """Build what is missing, and make BIN point at the current versions."""
    build_cluster_programs()
    for name in GO_PROGRAMS:
        build(name)
    drop_go_caches()


def build_cluster_programs() -> None:
    """Build Kubernetes, CoreDNS and pause from dev/go: one module, one build cache."""
    module = DEV / "go"
    folder = TOOLS / f"cluster-{files.digest_of_files([module], module)}"
    if not folder.exists():
        what = "building Kubernetes, etcd and CoreDNS from their Go modules"
        with step(what, "8 to 11 min"), files.made_whole(folder) as scratch, using_go_caches():
            scratch.mkdir()
            packages = [f"./{name}" for name in CLUSTER_PROGRAMS]
            flags = ["-ldflags", _stamp(), "-o", f"{scratch}/"]
            _go("build", *flags, *packages, cwd=module, log="go-cluster")
    for name in CLUSTER_PROGRAMS:
        _link(name, folder / name)
    _link("kubectl", folder / "kube")


def build(name: str) -> None:
    """Build one of GO_PROGRAMS, or of those for tests."""
    module = (GO_PROGRAMS | GO_PROGRAMS_FOR_TESTS)[name]
    folder = TOOLS / f"{name}-{module.rpartition('@')[2]}"
    if not folder.exists():
        what = f"building {name} {module.rpartition('@')[2]}"
        with step(what, EXPECTED[name]), files.made_whole(folder) as scratch, using_go_caches():
            _go("install", "-ldflags", "-s -w", module, log=f"go-{name}", into=scratch)
    _link(name, folder / name)


def download(module: str) -> Path:
    """Fetch a module's files; their folder, which is there while somebody is using_go_caches."""
    _go("mod", "download", module, log="go-download")
    return GO_CACHES / "mod" / module


@contextmanager
def using_go_caches() -> Iterator[None]:
    """Keep another make from dropping them meanwhile."""
    with _lock() as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        yield


def drop_go_caches() -> None:
    """Give back 15 GB: what the programs were built from is of no use once they stand."""
    with _lock() as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return  # whoever is building drops them
        if GO_CACHES.exists():
            # Modules are stored read-only, and only Go deletes them without ado.
            _go("clean", "-cache", "-modcache", log="go-clean")
            shutil.rmtree(GO_CACHES, ignore_errors=True)


def _lock() -> IO[str]:
    CACHE.mkdir(parents=True, exist_ok=True)
    return (CACHE / "go.lock").open("w")


def _stamp() -> str:
    # Without these the API server calls itself v0.0.0-master, and clients refuse it.
    package = "k8s.io/component-base/version"
    major, minor, _ = KUBERNETES.removeprefix("v").split(".")
    named = {"gitVersion": KUBERNETES, "gitMajor": major, "gitMinor": minor}
    return "-s -w " + " ".join(f"-X {package}.{key}={value}" for key, value in named.items())


def _go(
    verb: str, *arguments: str, log: str, cwd: Path | None = None, into: Path | None = None
) -> None:
    if not shutil.which("go"):
        raise DevError("Go is not installed (1.26 or newer): its `go` is not on the PATH.")
    env = environment(
        GOCACHE=str(GO_CACHES / "build"),
        GOMODCACHE=str(GO_CACHES / "mod"),
        GOFLAGS="-buildvcs=false -trimpath",
        GOBIN=str(into) if into else None,
        # Static programs: they run in images that hold nothing else, and are the same whether
        # or not the machine has a C compiler.
        CGO_ENABLED="0",
    )
    # Two at a time: each compiler takes up to a gigabyte.
    parallel = [] if verb in ("clean", "mod") else ["-p", "2"]
    run(["go", verb, *parallel, *arguments], cwd=cwd, env=env, log=CACHE / "log" / f"{log}.log")


def _link(name: str, target: Path) -> None:
    BIN.mkdir(parents=True, exist_ok=True)
    link = BIN / name
    if link.is_symlink() and os.readlink(link) == str(target):
        return
    with files.made_whole(link) as scratch:
        scratch.symlink_to(target)
