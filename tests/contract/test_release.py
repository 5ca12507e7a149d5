"""A release without its images: what it holds, and that a second one is the same to the byte."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from dev.paths import ROOT
from dev.release import SUMS, Release
from tests.contract.test_chart import HELM, IMAGES
from transcription_contract import __version__

EPOCH = 1_790_000_000
INPUTS = ("crds", "helm", "operator", "requirements", "transcriber")
FILES = ("LICENSE", "README.md", "pyproject.toml")


@pytest.fixture(scope="module")
def dist(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("release") / "dist"
    Release(__version__, EPOCH).build(out, with_images=False)
    return out


def test_a_release_holds_what_is_installed_and_what_is_in_it(dist: Path):
    assert {path.name for path in dist.iterdir()} == {
        f"transcription-operator-{__version__}.tgz",
        f"transcription-operator-{__version__}-crds.yaml",
        f"transcription_operator-{__version__}-py3-none-any.whl",
        f"transcription-operator-operator-{__version__}.cdx.json",
        f"transcription-operator-transcriber-{__version__}.cdx.json",
        SUMS,
    }


def test_a_release_from_another_folder_at_another_time_is_the_same_to_the_byte(
    dist: Path, tmp_path: Path
):
    copy, ignored = tmp_path / "checkout", shutil.ignore_patterns("__pycache__")
    for name in INPUTS:
        # Not copy2: the copies are of now.
        shutil.copytree(ROOT / name, copy / name, ignore=ignored, copy_function=shutil.copyfile)
    for name in FILES:
        shutil.copyfile(ROOT / name, copy / name)
    Release(__version__, EPOCH, copy).build(tmp_path / "dist", with_images=False)
    assert (tmp_path / "dist" / SUMS).read_text() == (dist / SUMS).read_text()


def test_the_checksums_are_those_of_the_files(dist: Path):
    command = ["sha256sum", "--check", "--strict", SUMS]
    done = subprocess.run(command, cwd=dist, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert len(done.stdout.splitlines()) == len(list(dist.iterdir())) - 1


def test_the_packed_chart_renders_and_brings_the_crd(dist: Path):
    chart = dist / f"transcription-operator-{__version__}.tgz"
    command = [HELM, "template", "t", str(chart), "--kube-version", "1.35.0", "-f", str(IMAGES)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    (crd,) = (
        document
        for document in yaml.safe_load_all(done.stdout)
        if document and document["kind"] == "CustomResourceDefinition"
    )
    alone = yaml.safe_load((dist / f"transcription-operator-{__version__}-crds.yaml").read_text())
    assert crd["spec"] == alone["spec"]


@pytest.mark.parametrize(
    ("image", "component"), [("operator", "pydantic-settings"), ("transcriber", "openai-whisper")]
)
def test_the_components_are_the_locked_packages(dist: Path, image: str, component: str):
    path = dist / f"transcription-operator-{image}-{__version__}.cdx.json"
    bom = json.loads(path.read_text())
    locked = (ROOT / f"requirements/{image}.txt").read_text()
    found = {each["name"]: each for each in bom["components"]}
    assert bom["bomFormat"] == "CycloneDX"
    assert bom["metadata"]["component"]["version"] == __version__
    assert len(bom["components"]) == sum("==" in line for line in locked.splitlines())
    assert f"{component}=={found[component]['version']} " in locked
