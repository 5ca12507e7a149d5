"""The whole local cluster: `make cluster-up` has started it, each test has its own namespace."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from minio import Minio
from minio.deleteobjects import DeleteObject

from dev import demo, demomodel, material, recording, store
from dev.commands import wait_until
from dev.kubectl import Kubectl
from dev.material import Material
from dev.paths import KUBECONFIG
from tests.api import Api, core
from tests.e2e.release import Release
from tests.stage import Stage, new_namespace

SOURCE = "s3://recordings/standup.mp3"
SECRET = "transcription-object-store"
KEYS = {
    "endpoint": store.INSIDE,
    "accessKey": store.CREDENTIALS.access_key,
    "secretKey": store.CREDENTIALS.secret_key,
    "region": store.REGION,
}


@dataclass(frozen=True)
class Bucket:
    """One bucket, read and written as a user would."""

    client: Minio
    name: str

    def keys(self, prefix: str) -> dict[str, Any]:
        """Keys below a prefix, with the time of their last change."""
        found = self.client.list_objects(self.name, prefix=prefix, recursive=True)
        return {entry.object_name: entry.last_modified for entry in found if entry.object_name}

    def read(self, key: str) -> bytes:
        response = self.client.get_object(self.name, key)
        try:
            return response.read()
        finally:
            response.close()

    def write(self, key: str, content: bytes) -> None:
        self.client.put_object(self.name, key, BytesIO(content), len(content))

    def clear(self, prefix: str) -> None:
        doomed = [DeleteObject(key) for key in self.keys(prefix)]
        errors = list(self.client.remove_objects(self.name, doomed))
        assert not errors


@pytest.fixture(scope="session")
def kubectl() -> Kubectl:
    return Kubectl(KUBECONFIG)


@pytest.fixture(scope="session")
def api() -> Api:
    return Api(KUBECONFIG)


@pytest.fixture(scope="session")
def minio() -> Minio:
    endpoint = urlsplit(store.OUTSIDE)
    return Minio(
        endpoint=endpoint.netloc,
        access_key=KEYS["accessKey"],
        secret_key=KEYS["secretKey"],
        secure=endpoint.scheme == "https",
        region=KEYS["region"],
    )


@pytest.fixture(scope="session")
def shown(kubectl: Kubectl) -> Material:
    """The recording and the model that `make demo` shows; both are in the store."""
    return demo.prepare(kubectl, store.client())


@pytest.fixture(scope="session")
def recordings(minio: Minio, shown: Material) -> Bucket:
    """The bucket with 20 minutes of synthetic speech; the model for it is in models."""
    demo.upload(store.client(), material.synthetic())
    return Bucket(minio, "recordings")


@pytest.fixture(scope="session")
def transcripts(minio: Minio, recordings: Bucket) -> Bucket:
    return Bucket(minio, "transcripts")


@pytest.fixture(scope="session")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[recording.Sentence]]:
    """The synthetic speech on this machine, and what is said in it."""
    path = tmp_path_factory.mktemp("spoken") / "standup.mp3"
    return path, recording.synthesise(path, material.SEED, material.MINUTES)


class ClusterStage(Stage):
    """A namespace of the local cluster, with a Secret that opens the store."""

    def write_secret(self, name: str = SECRET, **changes: str) -> None:
        body = {"metadata": {"name": name}, "stringData": {**KEYS, **changes}}
        self.api.create(core(self.namespace, "secrets"), body)

    def apply_recording(self, name: str, **spec: Any) -> None:
        """A job on the synthetic speech, with results of its own below the job's namespace."""
        model = {"uri": "s3://models/demo.pt", "sha256": demomodel.SHA256}
        output = {"uri": f"s3://transcripts/{self.namespace}/{name}/"}
        defaults = {"source": {"uri": SOURCE}, "model": model, "output": output}
        self.apply(name=name, **{**defaults, **spec})

    def prefix(self, name: str) -> str:
        return f"{self.namespace}/{name}/"

    def follow(self, name: str, timeout: float = 300) -> list[dict[str, Any]]:
        """Every status that the job had, until it is finished."""
        seen: list[dict[str, Any]] = []

        def finished() -> bool:
            status = self.status(name)
            if not seen or status != seen[-1]:
                seen.append(json.loads(json.dumps(status)))
            return status.get("phase") in ("Succeeded", "Failed")

        wait_until(f"{name} is finished", finished, timeout=timeout)
        return seen


@pytest.fixture
def stage(api: Api, recordings: Bucket, transcripts: Bucket) -> Iterator[ClusterStage]:
    name = new_namespace(api, "e2e-")
    stage = ClusterStage(api, name)
    stage.write_secret()
    yield stage
    api.delete(f"/api/v1/namespaces/{name}")
    transcripts.clear(f"{name}/")


@pytest.fixture
def release(kubectl: Kubectl) -> Iterator[Release]:
    """Afterwards it is again what it was."""
    release = Release.find(kubectl)
    before = release.revision()
    yield release
    release.rollback(before)
