"""The checks and the layers of tests, each of which can be run alone."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from dev import (
    cluster,
    dashboard,
    foreign_crds,
    gotools,
    packages,
    preflight,
    realmodels,
    store,
    venv,
)
from dev.commands import environment
from dev.errors import DevError
from dev.operator_release import CHART
from dev.paths import BIN, KUBECONFIG, ROOT
from dev.say import say, step

CODE_PATHS = ("operator", "transcriber", ".")
"""What pyproject.toml gives to pytest, for the programs that do not read it there."""

GENERATE = ("-m", "transcription_api.generate")

LAYERS = ("unit", "contract", "integration", "e2e")


def verify() -> None:
    """Lint, types, import rules, the chart, and generated files that match their sources."""
    python = venv.ensure() / "bin"
    gotools.build("helm")
    _check("ruff check", [python / "ruff", "check", "."])
    _check("ruff format", [python / "ruff", "format", "--check", "."])
    _check("mypy", [python / "mypy"])
    _check("import rules", [python / "lint-imports", "--no-cache"])
    _check("helm lint", [BIN / "helm", "lint", "--strict", CHART])
    with step("the dashboard matches its panels"):
        dashboard.check()
    _check("generated files match the models", [python / "python", *GENERATE, "--check", ROOT])


def generate() -> None:
    """Write what the models describe: the CRD, its reference, the schema for editors."""
    python = venv.ensure() / "bin"
    _check("writing what is generated", [python / "python", *GENERATE, ROOT])


def test(layer: str) -> None:
    """Run one layer of tests, its surroundings started before."""
    if layer not in LAYERS:
        raise DevError(f"There is no layer {layer}: {', '.join(LAYERS)}.")
    python = venv.ensure() / "bin" / "python"
    env = _environment()
    if layer == "contract":
        packages.install_for_tests()
        gotools.build("helm")
    if layer == "integration":
        packages.install()
        packages.install_for_tests()
        gotools.build_all()
        foreign_crds.ensure()
        real_models()
    if layer == "e2e":
        cluster.up()
        packages.install_for_tests()
        gotools.build("kube-router")
        gotools.drop_go_caches()
        env |= store.environment()
        env["KUBECONFIG"] = str(KUBECONFIG)
    say(f"\n=== {layer} tests")
    folder = ROOT / "tests" / layer
    done = subprocess.run([python, "-m", "pytest", folder], cwd=ROOT, env=env, check=False)
    if done.returncode:
        raise DevError(f"The {layer} tests failed. To run them alone: make test-{layer}")


def real_models() -> None:
    """Download the real weights before tests that use them; say so if those will be skipped."""
    for name in realmodels.MODELS:
        try:
            realmodels.ensure(name)
        except realmodels.UnavailableError as error:
            say(f"\n{error}\n")


def chaos() -> None:
    """The tests that kill and cut, in full; with the other tests they run in a small size."""
    python = venv.ensure() / "bin" / "python"
    packages.install()
    gotools.build_all()
    folder = str(ROOT / "tests" / "integration")
    command = [str(python), "-m", "pytest", "-m", "chaos", folder]
    env = _environment() | {"CHAOS": "1"}
    if subprocess.run(command, cwd=ROOT, env=env, check=False).returncode:
        raise DevError("Chaos won. The same in a small size: make test-integration")


def everything() -> None:
    """Every check and every layer, the quick ones first."""
    preflight.check()
    packages.install()
    gotools.build_all()
    verify()
    for layer in LAYERS:
        test(layer)
    say("\nAll checks and tests passed.")


def _check(name: str, argv: Sequence[str | Path]) -> None:
    with step(name):
        done = subprocess.run(
            [str(word) for word in argv],
            cwd=ROOT,
            env=_environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
    if done.returncode:
        sys.stderr.write(done.stdout)
        raise DevError(f"{name} found something. To run all of these checks alone: make verify")


def _environment() -> dict[str, str]:
    path = os.pathsep.join(str(ROOT / folder) for folder in CODE_PATHS)
    inherited = environment(PYTHONPATH=path, PYTHONUNBUFFERED="1", TOOLS_DIR=str(BIN))
    return inherited | {"PATH": f"{BIN}{os.pathsep}{inherited['PATH']}"}
