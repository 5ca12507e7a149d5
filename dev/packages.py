"""Debian's packages that the cluster and the tests need on this machine."""

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from dev.commands import environment, run
from dev.errors import DevError
from dev.paths import CACHE
from dev.say import step

NEEDED = (
    "buildah",
    "conntrack",
    "containerd",
    "containernetworking-plugins",
    "debootstrap",
    "docker-registry",
    "espeak-ng",
    "ffmpeg",
    "iproute2",
    "iptables",
    "nftables",
    "pocketsphinx-testdata",
    "procps",
    "runc",
)
FOR_TESTS = ("ipset", "prometheus", "tmux")
"""What the cluster does without."""

POLICY = Path("/usr/sbin/policy-rc.d")
"""Debian asks this file, where there is one, whether a package may start its service."""

NO_SERVICES = "#!/bin/sh\n# Made by transcription-operator's dev/ for one apt-get run.\nexit 101\n"


def missing(needed: Sequence[str] = NEEDED) -> list[str]:
    """Which of them are not installed."""
    if not shutil.which("dpkg-query"):
        raise DevError("This needs Debian 12: there is no dpkg here.")
    query = ["dpkg-query", "--show", "--showformat=${Package} ${db:Status-Status}\n"]
    states = dict(line.split(maxsplit=1) for line in run(query).splitlines() if " " in line)
    return [name for name in needed if states.get(name) != "installed"]


def install() -> None:
    """Install what is missing, without starting any service."""
    _install(missing())


def install_for_tests() -> None:
    """Install what only tests run."""
    _install(missing(FOR_TESTS))


def install_python_venv() -> None:
    """Debian keeps the part of Python that makes virtual environments in a package of its own."""
    _install(["python3-venv"])


def _install(names: Sequence[str]) -> None:
    if not names:
        return
    if os.geteuid() != 0:
        raise DevError(f"Debian packages are missing: apt-get install {' '.join(names)}")
    with step(f"installing {len(names)} Debian packages", "30 s"), _no_services():
        env = environment(DEBIAN_FRONTEND="noninteractive")
        # An installation that was cut in the middle has to be finished first.
        run(["dpkg", "--configure", "-a"], env=env, log=CACHE / "log" / "dpkg.log")
        run(["apt-get", "update"], env=env, log=CACHE / "log" / "apt-update.log")
        command = ["apt-get", "install", "--yes", "--no-install-recommends", *names]
        run(command, env=env, log=CACHE / "log" / "apt-install.log")


@contextmanager
def _no_services() -> Iterator[None]:
    """Keep packages from starting services: the cluster runs its own containerd and registry."""
    if POLICY.exists() and POLICY.read_text() != NO_SERVICES:
        yield  # somebody else's rule
        return
    POLICY.write_text(NO_SERVICES)
    os.chmod(POLICY, 0o755)
    try:
        yield
    finally:
        POLICY.unlink()
