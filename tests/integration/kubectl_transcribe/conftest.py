"""A user's namespace on the real API server, and a real S3 server."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from dev.controlplane import ControlPlane
from tests.api import Api
from tests.integration.kubectl_transcribe.plugin import Plugin, UserStage
from tests.integration.transcriber.conftest import running_store
from tests.integration.transcriber.worker import Store


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """With the buckets media and out."""
    with running_store(tmp_path_factory.mktemp("s3")) as store:
        yield store


@pytest.fixture
def bare_stage(api: Api, namespace: str, operator_kubeconfig: Path, store: Store) -> UserStage:
    """Without a Secret."""
    stage = UserStage(api, namespace)
    stage.store = store
    return stage


@pytest.fixture
def stage(bare_stage: UserStage) -> UserStage:
    bare_stage.write_secret()
    return bare_stage


@pytest.fixture
def plugin(control_plane: ControlPlane, namespace: str, tmp_path: Path) -> Plugin:
    return Plugin(control_plane.kubeconfig, namespace, tmp_path)
