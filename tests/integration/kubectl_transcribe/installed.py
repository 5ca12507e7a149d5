"""The plugin's programs in a folder, as pip puts them: kubectl finds plugins on the PATH."""

import os
import sys
import tomllib
from pathlib import Path

from dev.paths import ROOT

CODE = os.pathsep.join(str(ROOT / part) for part in ("operator", "transcriber"))


def install(folder: Path) -> Path:
    """Write each program that pyproject.toml names; the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for name, target in project["scripts"].items():
        module, _, function = target.partition(":")
        call = f"import sys; from {module} import {function}; sys.exit({function}())"
        program = folder / name
        program.write_text(
            f'#!/bin/sh\nPYTHONPATH="{CODE}" exec "{sys.executable}" -c "{call}" "$@"\n'
        )
        program.chmod(0o755)
    return folder
