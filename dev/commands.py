"""Running other programs to their end, and waiting for conditions."""

import os
import shlex
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path

from dev.errors import CommandError, DevError
from dev.paths import CACHE

_NOT_INHERITED = ("PIP_", "UV_", "AWS_", "BUILDAH_", "HELM_", "GO", "CGO_", "PYTHON")
"""Settings of one machine or shell that would make a build differ from the next one's.

Proxies and certificate bundles (HTTP_PROXY, SSL_CERT_FILE, ...) are inherited: they say how to
reach the package registries, not what is made of what comes from there.
"""


def environment(**extra: str | None) -> dict[str, str]:
    """The environment for a program that we call; GOPROXY and the like stay, tuning goes."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(_NOT_INHERITED) or name in ("GOPROXY", "GOSUMDB", "GOROOT")
    }
    # A user's PATH often lacks the folders of ip, nft and debootstrap.
    kept["PATH"] = f"{kept.get('PATH', '')}:/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin"
    kept["LC_ALL"] = "C.UTF-8"
    kept.update({name: value for name, value in extra.items() if value is not None})
    return kept


def run(
    argv: Sequence[str | Path],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    stdin: str | None = None,
    log: Path | None = None,
    timeout: float | None = None,
) -> str:
    """Run a program to its end and return what it printed; with `log`, that goes to a file instead.

    Raises CommandError with the last lines when it fails.
    """
    words = [str(word) for word in argv]
    try:
        done = _run(words, env, cwd, stdin, log, timeout)
    except FileNotFoundError:
        raise DevError(f"{words[0]} is not installed, or not on the PATH.") from None
    except subprocess.TimeoutExpired:
        raise DevError(f"No end after {timeout:.0f} s: {shlex.join(words)}") from None
    if done.returncode:
        raise _failure(words, done, log)
    return done.stdout


def _run(
    words: list[str],
    env: Mapping[str, str] | None,
    cwd: Path | None,
    stdin: str | None,
    log: Path | None,
    timeout: float | None,
) -> subprocess.CompletedProcess[str]:
    if log:
        log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w") if log else nullcontext() as file:
        if file:
            print(f"$ {shlex.join(words)}", file=file, flush=True)
        return subprocess.run(
            words,
            env=dict(env) if env is not None else environment(),
            cwd=cwd,
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            stdout=file or subprocess.PIPE,
            stderr=subprocess.STDOUT if file else subprocess.PIPE,
            text=True,
            errors="replace",
            timeout=timeout,
            check=False,
        )


def _failure(
    words: list[str], done: subprocess.CompletedProcess[str], log: Path | None
) -> CommandError:
    output = log.read_text(errors="replace") if log else done.stdout + done.stderr
    tail = "\n".join("    " + line[:300] for line in output.strip().splitlines()[-15:])
    where = f"\n  all of it: {log}" if log else ""
    shown = shlex.join(words)
    shown = shown if len(shown) < 300 else shown[:300] + " ..."
    message = f"This failed with exit code {done.returncode}: {shown}\n{tail}{where}"
    if "No space left on device" in output or _free(CACHE) < 100 << 20:
        message = f"The disk is full (see `df -h {CACHE}`). {message}"
    return CommandError(message, output)


def _free(folder: Path) -> int:
    return shutil.disk_usage(folder if folder.exists() else folder.parent).free


def succeeds(argv: Sequence[str | Path], timeout: float | None = 30) -> bool:
    """Whether a program ends with exit code 0."""
    try:
        run(argv, timeout=timeout)
    except DevError:
        return False
    return True


def wait_until(what: str, condition: Callable[[], bool], timeout: float, hint: str = "") -> None:
    """Return as soon as `condition` holds; DevError naming `what` when it does not in time."""
    deadline = time.monotonic() + timeout
    pause = 0.05
    while not condition():
        if time.monotonic() > deadline:
            raise DevError(f"Waited {timeout:.0f} s in vain: {what}.{' ' + hint if hint else ''}")
        time.sleep(pause)
        pause = min(pause * 1.3, 0.5)
