"""The quick start of docs/index.md, typed into a terminal: from no operator to a transcript.

The operator's own release makes room for it meanwhile. With QUICK_START_PICTURE=1 the terminal's
recording in docs/ is made anew.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest
from minio import Minio

from dev import demomodel, images, operator_release, recording, registry, store
from dev.cluster import NODES
from dev.commands import environment, run
from dev.images import OPERATOR, TRANSCRIBER
from dev.kubectl import Kubectl
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
        for command in re.split(r"(?<!\\)\n", self.adapt(block.text)):
            if command.startswith(NOT_TYPED):
                continue
            watches = command.endswith("-w")
            code = self.terminal.run(command, 240, interrupt_at="Succeeded" if watches else "")
            # kubectl that is interrupted ends with 130 or 1.
            assert bool(code) == watches, self.terminal.look()


@pytest.fixture
def no_operator(kubectl: Kubectl) -> Iterator[None]:
    """The cluster without its operator, whose images have the names that the page gives them."""
    built = [recipe.image() for recipe in (OPERATOR, TRANSCRIBER)]
    _uninstall(kubectl)
    for image in built:
        registry.name(f"{images.REPOSITORY}/{image.name}", image.tag, __version__)
        for node in NODES:
            # Under this name it may have another checkout's image.
            node.ctr("images", "delete", f"{image.repository}:{__version__}")
    yield
    _uninstall(kubectl)
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
    sentences = recording.synthesise(tmp_path / "standup.mp3", SEED, MINUTES)
    spoken = " ".join(" ".join(sentence.words) for sentence in sentences)
    terminal, bucket = newcomer.terminal, Bucket(minio, newcomer.namespace)
    blocks = [block for block in blocks_in(PAGE) if block.language in ("sh", "yaml")]
    submitted = next(n for n, block in enumerate(blocks) if "submit" in block.text)

    for block in blocks[: submitted + 1]:
        newcomer.type(block)
        if "create namespace" in block.text:
            restricted = "pod-security.kubernetes.io/enforce=restricted"
            kubectl("label", "namespace", newcomer.namespace, restricted)
    if DRAWS:
        PICTURE.write_text(draw(terminal.frames, COLUMNS, ROWS))
    _, _, printed = terminal.history().partition("Succeeded  ")
    _, _, transcript = printed.partition("\n")
    assert word_error_rate(spoken, transcript.rstrip("$ \n")) <= 0.1

    bucket.write("recordings/standup.mp3", (tmp_path / "standup.mp3").read_bytes())
    for block in blocks[submitted + 1 :]:
        if block.language == "yaml":
            (tmp_path / "standup.yaml").write_text(newcomer.adapt(block.text))
        else:
            newcomer.type(block)
    assert f"s3://{newcomer.namespace}/transcripts/standup/standup.vtt" in terminal.look()
    text = bucket.read("transcripts/standup/standup.txt").decode()
    assert word_error_rate(spoken, text) <= 0.1
