"""CRDs of other projects, as their Go modules have them: manifests are tried on them."""

import json
import shutil
from pathlib import Path

from dev import files, gotools
from dev.paths import TOOLS
from dev.say import step
from dev.versions import GO_CRDS


def ensure() -> Path:
    """Take them out of their modules; the folder with the YAML files."""
    folder = TOOLS / f"crds-{files.digest(json.dumps(GO_CRDS))}"
    if not folder.exists():
        with step("fetching the CRDs of Argo CD, Flux and the Prometheus operator", "1 min"):
            _fetch(folder)
    return folder


def _fetch(folder: Path) -> None:
    with files.made_whole(folder) as scratch, gotools.using_go_caches():
        scratch.mkdir()
        for module, paths in GO_CRDS.items():
            downloaded = gotools.download(module)
            for path in paths:
                shutil.copy(downloaded / path, scratch)
    gotools.drop_go_caches()
