"""Python environments of tests, benchmarks, site and release: locked requirements, made by uv."""

import sys
from collections.abc import Sequence
from pathlib import Path

from dev import files
from dev.commands import environment, run, succeeds
from dev.errors import DevError
from dev.packages import install_python_venv
from dev.paths import CACHE, ROOT
from dev.say import step
from dev.versions import UV

REQUIREMENTS = ROOT / "requirements"
MARKER = "complete"
"""Written last: an environment cannot be renamed, so this says that it was finished."""

EXTRAS = {
    "dev": ("operator", "transcriber", "cli", "dev"),
    "bench": ("operator", "transcriber", "cli", "dev", "bench"),
    "operator": ("operator",),
    "transcriber": ("transcriber",),
    "docs": ("docs",),
    "release": ("release",),
    "cli": ("cli",),
}


def ensure(name: str = "dev") -> Path:
    """Make the environment of requirements/<name>.txt, unless it is there; return its folder."""
    requirements = REQUIREMENTS / f"{name}.txt"
    version = "{}.{}.{}".format(*sys.version_info[:3])
    digest = files.digest(requirements.read_bytes(), version, sys.implementation.name)
    folder = CACHE / "venv" / digest
    if not (folder / MARKER).exists():
        uv = _uv()
        with step(f"making the Python environment of requirements/{name}.txt", "1 to 3 min"):
            run([uv, "venv", "--clear", "--python", sys.executable, folder], env=_environment())
            python = folder / "bin/python"
            install: list[str | Path] = [uv, "pip", "install", "--python", python, "--no-deps"]
            install += ["--require-hashes", "--requirement", requirements]
            run(install, env=_environment(), log=CACHE / "log" / "venv.log")
            files.write(folder / MARKER, "")
    return folder


def lock() -> None:
    """Write the locked requirements anew from pyproject.toml."""
    uv = _uv()
    for name, extras in EXTRAS.items():
        target = REQUIREMENTS / f"{name}.txt"
        with step(f"locking requirements/{name}.txt"):
            chosen = [word for extra in extras for word in ("--extra", extra)]
            _compile(uv, target, chosen)


def _compile(uv: Path, target: Path, extras: Sequence[str]) -> None:
    command: list[str | Path] = [
        *(uv, "pip", "compile", "--universal", "--generate-hashes", "--quiet"),
        *("--no-emit-index-url", "--no-header", "--no-annotate", "--python-version", "3.11"),
        *extras,
        *("--output-file", target, ROOT / "pyproject.toml"),
    ]
    run(command, env=_environment())


def pip() -> Path:
    """The pip beside the pinned uv, for what is downloaded and not installed."""
    return _uv().with_name("pip")


def _uv() -> Path:
    """The pinned uv, installed by pip into a small environment of its own."""
    folder = CACHE / f"uv-{UV}"
    uv = folder / "bin" / "uv"
    if not (folder / MARKER).exists():
        if not succeeds([sys.executable, "-c", "import ensurepip, venv"]):
            install_python_venv()
        with step(f"installing uv {UV}"):
            run([sys.executable, "-m", "venv", "--clear", folder])
            run([folder / "bin/pip", "install", "--quiet", f"uv=={UV}"])
            files.write(folder / MARKER, "")
    if not uv.exists():
        raise DevError(f"uv is not in {folder}: delete that folder and try again.")
    return uv


def _environment() -> dict[str, str]:
    # The machine's certificates, as every other program here trusts them; no settings file of
    # the user's, which could name another index.
    return environment(UV_CACHE_DIR=str(CACHE / "uv"), UV_SYSTEM_CERTS="1", UV_NO_CONFIG="1")
