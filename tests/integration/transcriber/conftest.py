"""A real S3 server, the demo model, and a recording whose words are known."""

import hashlib
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dev import demomodel
from dev.commands import wait_until
from tests.integration.transcriber.gate import Gate, gating
from tests.integration.transcriber.speech import Recording, speak
from tests.integration.transcriber.web_server import Web
from tests.integration.transcriber.web_server import serve as serve_web
from tests.integration.transcriber.worker import ACCESS_KEY, SECRET_KEY, Cluster, Store
from tests.ports import free_ports
from transcription_contract.options import ModelReference

BUCKETS = ("media", "out", "models")


def free_port() -> int:
    """A port that nobody listens on just now."""
    return free_ports(1)[0]


def versitygw() -> str:
    """The S3 server's program: from TOOLS_DIR or the PATH."""
    path = os.pathsep.join([os.environ.get("TOOLS_DIR", ""), os.environ["PATH"]])
    found = shutil.which("versitygw", path=path)
    if not found:
        pytest.fail("versitygw is not in TOOLS_DIR or PATH: run `make tools` first")
    return found


def serve(directory: Path, *arguments: str, port: int) -> "subprocess.Popen[bytes]":
    """Start an S3 server on a folder and wait until it answers."""
    root, metadata = directory / "objects", directory / "metadata"
    metadata.mkdir(parents=True, exist_ok=True)
    for bucket in BUCKETS:
        (root / bucket).mkdir(parents=True, exist_ok=True)
    # Metadata beside the objects: the test's file system may not keep extended attributes.
    process = subprocess.Popen(
        [versitygw(), "--port", f"127.0.0.1:{port}", "--access", ACCESS_KEY, "--secret",
         SECRET_KEY, "--quiet", *arguments, "posix", "--sidecar", str(metadata), str(root)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip

    def answers() -> bool:
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", port)) == 0

    wait_until("versitygw answers", answers, timeout=20)
    return process


@contextmanager
def running_store(root: Path) -> Iterator[Store]:
    """An S3 server with empty buckets, on a port of its own."""
    port = free_port()
    process = serve(root, port=port)
    try:
        yield Store(f"http://127.0.0.1:{port}")
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with running_store(tmp_path_factory.mktemp("s3")) as store:
        yield store


@pytest.fixture(scope="session")
def checkpoint() -> Path:
    """The demo model, unpacked."""
    return demomodel.unpack()


@pytest.fixture(scope="session")
def cluster(s3: Store, checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Cluster:
    """Workers with the demo model."""
    uri = s3.put("models", "demo.pt", checkpoint)
    model = ModelReference(uri=uri, sha256=hashlib.sha256(checkpoint.read_bytes()).hexdigest())
    return Cluster(s3, tmp_path_factory.mktemp("workers"), model, free_port)


@pytest.fixture
def gate(s3: Store) -> Iterator[Gate]:
    """A gate in front of the store that lets no parts pass yet."""
    with gating(s3.endpoint) as gate:
        yield gate


@pytest.fixture(scope="session")
def recording() -> Recording:
    """Two minutes of speech with pauses."""
    return speak(120.0)


@pytest.fixture(scope="session")
def talk(s3: Store, recording: Recording, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The recording as an mp3 in the store; its URI."""
    path = recording.encode(tmp_path_factory.mktemp("talk") / "talk.mp3", "-b:a", "64k")
    return s3.put("media", "talks/talk one.mp3", path)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """A web server with https."""
    with serve_web(tmp_path_factory.mktemp("web")) as web:
        yield web


@pytest.fixture
def web(server: Web) -> Web:
    """The web server as each test finds it: with no answers and no requests."""
    server.answers.clear()
    server.requests.clear()
    return server
