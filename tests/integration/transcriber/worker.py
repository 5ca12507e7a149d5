"""Running the worker as the container does: a process, an environment, an exit code."""

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

from minio import Minio

from dev import commands
from transcription_contract.decoding import Decoding
from transcription_contract.options import ModelReference
from transcription_contract.task import Limits, Task
from transcription_contract.termination import Failure, Result, decode

ROOT = Path(__file__).parents[3]
ACCESS_KEY, SECRET_KEY = "k", "s"
PATIENCE_SECONDS = 180.0


@dataclass(frozen=True)
class Store:
    """An S3 server with the buckets media, out and models."""

    endpoint: str

    @property
    def client(self) -> Minio:
        """A client of its own for the test."""
        return Minio(
            self.endpoint.removeprefix("http://"), ACCESS_KEY, SECRET_KEY,
            secure=False, region="us-east-1",
        )  # fmt: skip

    def put(self, bucket: str, key: str, path: Path) -> str:
        """Upload a file; returns its URI."""
        self.client.fput_object(bucket, key, str(path))
        return f"s3://{bucket}/{key}"

    def get(self, uri: str) -> bytes:
        """An object's content."""
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        response = self.client.get_object(bucket, key)
        try:
            return response.read()
        finally:
            response.close()
            response.release_conn()

    def list(self, uri: str) -> dict[str, float]:
        """Names below a prefix, and when each was last written."""
        bucket, _, prefix = uri.removeprefix("s3://").partition("/")
        return {
            (entry.object_name or "")[len(prefix) :]: entry.last_modified.timestamp()
            for entry in self.client.list_objects(bucket, prefix, recursive=True)
            if entry.last_modified and not entry.is_dir
        }


@dataclass
class Worker:
    """A running worker, or one that has ended."""

    process: "subprocess.Popen[bytes]"
    metrics_port: int
    _termination: Path
    _log: Path
    began: float = field(default_factory=time.monotonic)

    def wait(self) -> int:
        """Its exit code, once it has ended."""
        return self.process.wait(PATIENCE_SECONDS)

    @property
    def age(self) -> float:
        """Seconds since it was started."""
        return time.monotonic() - self.began

    @property
    def log(self) -> str:
        """What it wrote to stderr."""
        return self._log.read_text()

    @property
    def error(self) -> Failure:
        """Its last words, of a failure."""
        termination = decode(self._termination.read_text())
        assert termination, self.log
        assert termination.error, self.log
        return termination.error

    @property
    def result(self) -> Result:
        """Its last words, of a success."""
        termination = decode(self._termination.read_text())
        assert termination, self.log
        assert termination.result, self.log
        return termination.result

    def metric(self, name: str) -> float:
        """A metric's value now."""
        url = f"http://127.0.0.1:{self.metrics_port}/metrics"
        with urllib.request.urlopen(url, timeout=5) as response:
            lines = response.read().decode().splitlines()
        return next(float(line.split()[1]) for line in lines if line.startswith(f"{name} "))


@dataclass(frozen=True)
class Cluster:
    """Stands in for Kubernetes: makes tasks and starts workers on them."""

    store: Store
    directory: Path
    model: ModelReference
    free_port: Callable[[], int]

    def task(self, source_uri: str, **changes: object) -> Task:
        """A task with an output prefix of its own."""
        uid = uuid4().hex[:12]
        values: dict[str, object] = {
            "uid": uid,
            "owner": f"media/{uid}",
            "source_uri": source_uri,
            "output_uri": f"s3://out/{uid}/",
            "secret_name": "object-store",
            "model": self.model,
            "language": "en",
            "batch_size": 2,
            # Beams have tests of their own; here they would only take time.
            "decoding": Decoding(beam_size=1),
            "limits": Limits(max_file_seconds=7200),
            **changes,
        }
        return Task.model_validate(values)

    def start(
        self,
        task: Task,
        index: int = 0,
        environment: Mapping[str, str] = {},
        *,
        module: str = "whisper_transcriber",
    ) -> Worker:
        """Start worker ``index`` of a task, with changes to its environment."""
        home = self.directory / uuid4().hex
        (home / "work").mkdir(parents=True)
        port = self.free_port()
        variables = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT / "transcriber"),
            "TASK": task.to_environment(),
            "JOB_COMPLETION_INDEX": str(index),
            "AWS_ENDPOINT_URL": self.store.endpoint,
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "WORK_DIRECTORY": str(home / "work"),
            "MODEL_DIRECTORY": str(self.directory / "models"),
            "TERMINATION_PATH": str(home / "termination"),
            "METRICS_PORT": str(port),
            "STORE_RETRY_SECONDS": "2",
            "OMP_NUM_THREADS": "2",
            **environment,
        }
        log = home / "log"
        with log.open("wb") as stderr:
            process = subprocess.Popen([sys.executable, "-m", module], env=variables, stderr=stderr)
        return Worker(process, port, home / "termination", log)

    def run(self, task: Task, index: int = 0, environment: Mapping[str, str] = {}) -> Worker:
        """Run a worker to its end."""
        worker = self.start(task, index, environment)
        worker.wait()
        return worker

    def parts(self, task: Task) -> dict[str, float]:
        """The stored parts of a task, and when each was written."""
        stored = self.store.list(f"{task.output_uri}.transcription/{task.uid}/groups/")
        return {name: written for name, written in stored.items() if "/parts/" in name}

    def outputs(self, task: Task) -> dict[str, bytes]:
        """What a task delivered, manifest aside."""
        names = self.store.list(task.output_uri)
        return {
            name: self.store.get(task.output_uri + name)
            for name in names
            if name != "manifest.json" and not name.startswith(".")
        }


def wait_until(condition: Callable[[], bool], worker: Worker) -> None:
    """Wait for something that a running worker brings about."""

    def holds() -> bool:
        assert worker.process.poll() is None, worker.log
        return condition()

    commands.wait_until("the worker gets there", holds, PATIENCE_SECONDS, hint=worker.log)
