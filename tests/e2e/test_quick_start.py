"""The quick start of docs/index.md, typed into a terminal: from no operator to a transcript.

The operator's own release makes room for it meanwhile. What the page says of the demo's cluster is
typed there as it is. With QUICK_START_PICTURE=1 the terminal's
recording in docs/ is made anew.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest
import yaml
from minio import Minio

from dev import demo, demomodel, images, operator_release, recording, registry, store
from dev.cluster import NODES
from dev.commands import environment, run
from dev.images import OPERATOR, TRANSCRIBER
from dev.kubectl import Kubectl
from dev.material import Material
from dev.operator_release import NAMESPACE, RELEASE
from dev.paths import BIN, KUBECONFIG, ROOT
from dev.screencast import draw
from dev.wer import word_error_rate
from tests.documents import Block, blocks_in
from tests.e2e.conftest import Bucket
from tests.e2e.terminal import COLUMNS, ROWS, Terminal
from tests.integration.kubectl_transcribe.installed import install
from transcription_contract import __version__

PAGE = ROOT / "docs" / "index.md"
PICTURE = ROOT / "docs" / "images" / "quick-start.svg"
MODEL = "s3://models/demo.pt"
SEED = 20261126
DRAWS = "QUICK_START_PICTURE" in os.environ
MINUTES = 40 if DRAWS else 0.5

_ABOUT_THE_DEMO = PAGE.read_text().splitlines().index("## On the demo cluster")
_BLOCKS = [block for block in blocks_in(PAGE) if block.language in ("sh", "yaml")]
STEPS = [block for block in _BLOCKS if block.line < _ABOUT_THE_DEMO]
ON_THE_DEMO_CLUSTER = [block for block in _BLOCKS if block.line > _ABOUT_THE_DEMO]

NOT_TYPED = ("docker ", "pipx ")
"""`make cluster-up` has built and pushed the images; the plugin is the checkout's."""


@dataclass(frozen=True)
class Newcomer:
    """Who follows the page, in a namespace and with a bucket that have nothing in them."""

    namespace: str
    terminal: Terminal

    def adapt(self, text: str) -> str:
        """The page's text with this cluster's names for those that it makes up."""
        for pattern, real in (
            (r"registry\.example\.com", registry.NAME),
            (r"https://s3\.eu-central-1\.amazonaws\.com", store.INSIDE),
            ("AKIAEXAMPLE", store.CREDENTIALS.access_key),
            ("EXAMPLEKEY", store.CREDENTIALS.secret_key),
            (r"\bmedia\b", self.namespace),
            (r"\bacme\b", self.namespace),
            ("--model base", f"--model {MODEL} --model-sha256 {demomodel.SHA256}"),
            (r"\{name: base\}", f"{{uri: {MODEL}, sha256: {demomodel.SHA256}}}"),
        ):
            text = re.sub(pattern, real, text)
        return text

    def type(self, block: Block) -> None:
        """Type the commands of a block; each has to succeed."""
        _type(self.terminal, self.adapt(block.text))


def _type(terminal: Terminal, text: str) -> None:
    for command in re.split(r"(?<!\\)\n", text):
        if command.startswith(NOT_TYPED):
            continue
        watches = command.endswith("-w")
        code = terminal.run(command, 240, interrupt_at="Succeeded" if watches else "")
        # kubectl that is interrupted ends with 130 or 1.
        assert bool(code) == watches, terminal.look()


def _speak(path: Path) -> str:
    """Make a recording; what is said in it."""
    sentences = recording.synthesise(path, SEED, MINUTES)
    return " ".join(" ".join(sentence.words) for sentence in sentences)


def _followed(terminal: Terminal) -> str:
    """The transcript that `submit --follow` has printed."""
    _, _, printed = terminal.history().partition("Succeeded  ")
    _, _, transcript = printed.partition("\n")
    return transcript.rstrip("$ \n")


@pytest.fixture
def no_operator(kubectl: Kubectl) -> Iterator[None]:
    """The cluster without its operator, whose images have the names that the page gives them."""
    built = [recipe.image() for recipe in (OPERATOR, TRANSCRIBER)]
    for image in built:
        registry.name(f"{images.REPOSITORY}/{image.name}", image.tag, __version__)
        for node in NODES:
            # Under this name it may have another checkout's image.
            node.ctr("images", "delete", f"{image.repository}:{__version__}")
    try:
        _uninstall(kubectl)
        yield
        _uninstall(kubectl)
    finally:
        operator, transcriber = ((image.repository, image.tag) for image in built)
        operator_release.install(kubectl, operator, transcriber)


def _uninstall(kubectl: Kubectl) -> None:
    where = ("--kubeconfig", KUBECONFIG, "--namespace", NAMESPACE)
    run([BIN / "helm", "uninstall", RELEASE, *where, "--ignore-not-found", "--wait"], timeout=120)
    kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found")


@pytest.fixture
def newcomer(
    minio: Minio, recordings: Bucket, kubectl: Kubectl, no_operator: None, tmp_path: Path
) -> Iterator[Newcomer]:
    name = f"media-{uuid4().hex[:5]}"
    minio.make_bucket(name)
    path = f"{install(tmp_path / 'bin')}{os.pathsep}{BIN}{os.pathsep}{os.environ['PATH']}"
    env = environment(PATH=path, KUBECONFIG=str(KUBECONFIG), AWS_ENDPOINT_URL=store.OUTSIDE)
    (tmp_path / "helm").symlink_to(ROOT / "helm")
    with Terminal(tmp_path, env) as terminal:
        yield Newcomer(name, terminal)
    kubectl("delete", "namespace", name, "--ignore-not-found")
    Bucket(minio, name).clear("")
    minio.remove_bucket(name)


def test_the_quick_start_goes_from_no_operator_to_a_transcript_on_the_terminal(
    newcomer: Newcomer, kubectl: Kubectl, minio: Minio, tmp_path: Path
):
    spoken = _speak(tmp_path / "standup.mp3")
    terminal, bucket = newcomer.terminal, Bucket(minio, newcomer.namespace)
    submitted = next(n for n, block in enumerate(STEPS) if "submit" in block.text)

    for block in STEPS[: submitted + 1]:
        newcomer.type(block)
        if "create namespace" in block.text:
            restricted = "pod-security.kubernetes.io/enforce=restricted"
            kubectl("label", "namespace", newcomer.namespace, restricted)
    if DRAWS:
        PICTURE.write_text(draw(terminal.frames, COLUMNS, ROWS))
    assert word_error_rate(spoken, _followed(terminal)) <= 0.1

    manifest, commands = STEPS[submitted + 1 :]
    job = yaml.safe_load(newcomer.adapt(manifest.text))
    name, source = job["metadata"]["name"], job["spec"]["source"]["uri"]
    key = source.removeprefix(f"s3://{bucket.name}/")
    bucket.write(key, (tmp_path / "standup.mp3").read_bytes())
    (tmp_path / f"{name}.yaml").write_text(newcomer.adapt(manifest.text))
    newcomer.type(commands)
    assert f"s3://{bucket.name}/transcripts/{name}/{name}.vtt" in terminal.history()
    text = bucket.read(f"transcripts/{name}/{name}.txt").decode()
    assert word_error_rate(spoken, text) <= 0.1


@pytest.fixture
def new_jobs(recordings: Bucket, kubectl: Kubectl) -> Iterator[None]:
    """Whatever a test submits to the demo's namespace is gone afterwards."""
    before = set(_jobs(kubectl))
    yield
    for name in set(_jobs(kubectl)) - before:
        kubectl("delete", "transcriptionjob", name, "-n", demo.NAMESPACE)
        for folder in ("recordings", "transcripts"):
            recordings.clear(f"{folder}/{name}/")


def _jobs(kubectl: Kubectl) -> list[str]:
    listed = kubectl.json("get", "transcriptionjobs", "-n", demo.NAMESPACE)
    return [each["metadata"]["name"] for each in listed["items"]]


def test_the_demo_s_cluster_takes_a_recording_as_the_page_says(
    new_jobs: None, shown: Material, tmp_path: Path
):
    plugin = install(tmp_path / "bin")
    env = environment(PATH=f"{plugin}{os.pathsep}{os.environ['PATH']}")
    (block,) = ON_THE_DEMO_CLUSTER
    command = block.text.replace("standup.mp3", str(shown.recording))
    command = re.sub(r"(?<=--model )\S+", shown.model_uri, command)
    command = re.sub(r"(?<=--model-sha256 )\S+", shown.model_sha256, command)
    with Terminal(tmp_path, env) as terminal:
        _type(terminal, f"cd {ROOT}")
        _type(terminal, command)
        transcript = _followed(terminal)
    assert word_error_rate(shown.text.read_text(), transcript) <= 0.1
