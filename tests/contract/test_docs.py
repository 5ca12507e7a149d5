"""The documentation tells what is so: its manifests, values, commands, links and reasons."""

import json
import re
import subprocess
import tomllib
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

from tests.contract.test_chart import CHART, HELM, ROOT, helm
from tests.documents import PAGES, Block, blocks, blocks_in, commands, options_of, shell_blocks
from transcription_api.editor_schema import editor_schema
from transcription_api.spec import Spec
from transcription_api.status import Status
from transcription_contract import __version__
from whisper_transcriber import flags

EDITOR = Draft7Validator(editor_schema())
VALUES = yaml.safe_load((CHART / "values.yaml").read_text())
EXAMPLES = sorted((ROOT / "examples").glob("**/*.yaml"))
LANGUAGES = {"yaml", "json", "sh", "bash", "console", "text", "indented", ""}

PROGRAMS = {"kubectl", "helm", "make", "python", "docker", "pip", "pipx"}
"""Those whose commands are checked, here or in the integration tests."""

TRUSTED = {".", "aws", "cd", "date", "export", "git", "id", "mkdir", "python3", "sha256sum"}
"""Those whose commands are nobody's but theirs."""

YAML = blocks("yaml")


def is_manifest(document: dict[str, Any]) -> bool:
    return {"apiVersion", "kind"} <= document.keys()


def manifests() -> list[tuple[str, dict[str, Any]]]:
    """(where it stands, manifest) of all TranscriptionJobs in pages and examples."""
    found = [(path.name, d) for path in EXAMPLES for d in yaml.safe_load_all(path.read_text())]
    found += [(str(block), document) for block in YAML for document in block.documents]
    return [(where, d) for where, d in found if d.get("kind") == "TranscriptionJob"]


def test_there_is_something_to_check():
    assert len(manifests()) >= 10
    assert len(shell_blocks()) >= 20


def test_every_block_says_what_it_is_written_in():
    assert {b.language for page in PAGES for b in blocks_in(page)} - LANGUAGES == set()


@pytest.mark.parametrize(
    "manifest", [m for _, m in manifests()], ids=[where for where, _ in manifests()]
)
def test_a_transcription_job_is_one(manifest: dict[str, Any]):
    EDITOR.validate(manifest)
    Spec.model_validate(manifest["spec"])


@pytest.mark.parametrize("block", YAML, ids=str)
def test_a_yaml_block_is_manifests_or_values_or_a_status(block: Block, tmp_path: Path):
    for document in block.documents:
        if is_manifest(document):
            assert document["metadata"]["name"]
        elif document.keys() == {"status"}:
            Status.model_validate(document["status"])
            assert document["status"].keys() <= status_fields()
        else:
            assert document.keys() <= VALUES.keys(), "neither a manifest nor the chart's values"
            path = tmp_path / "values.yaml"
            path.write_text(yaml.safe_dump(document))
            done = helm("--values", str(path))
            assert done.returncode == 0, done.stderr


def status_fields() -> set[str]:
    return {field.alias or name for name, field in Status.model_fields.items()}


@pytest.mark.parametrize("block", blocks("json"), ids=str)
def test_a_json_block_is_json(block: Block):
    assert json.loads(block.text)


def test_every_program_is_one_that_is_known():
    used = {words[0].rpartition("/")[2] for block in shell_blocks() for words in block.commands}
    assert used - PROGRAMS - TRUSTED == set()


def all_of(program: str) -> Any:
    found = commands(program)
    return pytest.mark.parametrize("words", [w for _, w in found], ids=[w for w, _ in found])


@all_of("make")
def test_a_target_of_make_exists_and_takes_these_variables(words: list[str]):
    makefile = (ROOT / "Makefile").read_text()
    targets = re.findall(r"^([a-z0-9-]+):.*## ", makefile, re.MULTILINE)
    stated = {word for word in words if not word.startswith("-")}
    variables = {word.partition("=")[0] for word in stated if "=" in word}
    assert stated - set(targets) == {word for word in stated if "=" in word}
    assert all(re.search(rf"\b{name}\b", makefile) for name in variables)


@all_of("helm")
def test_helm_takes_the_options_of_a_command_and_the_chart_its_values(words: list[str]):
    verb, _, *rest = words
    helped = subprocess.run([HELM, verb, "--help"], capture_output=True, text=True, check=True)
    known = set(re.findall(r"(?<=\s)--?[a-z][a-z-]*", helped.stdout))
    assert set(options_of(rest)) - known == set()
    if verb not in ("install", "upgrade", "template"):
        return
    assert rest[0] == "helm/transcription-operator"
    done = helm(*(f"--set={value}" for option, value in pairwise(rest) if option == "--set"))
    assert done.returncode == 0, done.stderr


@all_of("docker")
def test_docker_builds_from_files_that_are_there_and_runs_the_transcriber(words: list[str]):
    assert words[0] in ("build", "push", "run")
    if words[0] == "build":
        assert (ROOT / words[words.index("-f") + 1]).exists()
    if words[0] == "run":
        (image,) = (n for n, word in enumerate(words) if "/transcriber:" in word)
        flags.parser().parse_args(words[image + 1 :])


@all_of("python")
def test_the_transcriber_takes_its_arguments(words: list[str]):
    assert words[:2] == ["-m", "whisper_transcriber"]
    flags.parser().parse_args(words[2:])


@pytest.mark.parametrize("words", [w for name in ("pip", "pipx") for _, w in commands(name)])
def test_an_extra_that_is_installed_is_one_of_the_project(words: list[str]):
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"][
        "optional-dependencies"
    ]
    assert words == ["ensurepath"] or words[0] == "install"
    asked = [word for word in words[1:] if word.startswith(".")]
    assert {each.removeprefix(".[").removesuffix("]") for each in asked} <= extras.keys()


def test_images_are_of_the_version_that_is_released():
    pattern = re.compile(r"transcription-operator/(?:operator|transcriber):([0-9][^\s`\"]*)")
    assert {tag for page in PAGES for tag in pattern.findall(page.read_text())} == {__version__}


LINK = re.compile(r"\]\(([^)#\s]+)(#[^)\s]+)?\)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_a_link_leads_to_a_file(page: Path):
    prose = re.sub(r"`[^`\n]+`", "code", page.read_text())
    targets = [target for target, _ in LINK.findall(prose) if "://" not in target]
    assert [target for target in targets if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_the_schema_that_an_example_names_is_there(path: Path):
    hint = re.search(r"^# yaml-language-server: \$schema=(.+)$", path.read_text(), re.MULTILINE)
    is_job = "\nkind: TranscriptionJob\n" in path.read_text()
    assert bool(hint) == is_job
    assert hint is None or (path.parent / hint[1]).exists()
