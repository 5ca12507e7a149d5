"""`make bench`: the benchmarks of tests/benchmarks, in an environment that has the peers, too."""

import os
import subprocess

from dev import gotools, packages, venv
from dev.commands import environment
from dev.errors import DevError
from dev.paths import BIN, ROOT


def run() -> None:
    """Run those named in ONLY, or all, and write docs/benchmarks.json and docs/benchmarks.md.

    OUT names another folder, for tries with other sizes (BENCH_...).
    """
    packages.install()
    gotools.build("versitygw")
    python = venv.ensure("bench") / "bin" / "python"
    path = os.pathsep.join(str(ROOT / folder) for folder in ("operator", "transcriber", "."))
    env = environment(PYTHONPATH=path, PYTHONUNBUFFERED="1", TOOLS_DIR=str(BIN))
    command = [str(python), "-m", "tests.benchmarks", "--only", os.environ.get("ONLY", "")]
    if out := os.environ.get("OUT"):
        command += ["--out", out]
    if subprocess.run(command, cwd=ROOT, env=env, check=False).returncode:
        raise DevError("Not every benchmark could be run; see above.")
