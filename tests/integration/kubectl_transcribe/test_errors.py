"""What is wrong with the way to the cluster, in one sentence each."""

from pathlib import Path

import pytest
import yaml

from dev.controlplane import ControlPlane
from tests.integration.kubectl_transcribe.plugin import Plugin, UserStage, kubeconfig_of_user
from tests.integration.transcriber.conftest import free_port


def test_no_kubeconfig_is_exit_code_3(tmp_path: Path):
    ended = Plugin(tmp_path / "nothing", "media", tmp_path)("get")
    assert ended.code == 3
    assert ended.err.startswith("error: no kubeconfig says where the cluster is")
    assert len(ended.err.splitlines()) == 1


def test_a_context_that_is_not_there_is_exit_code_3(plugin: Plugin):
    ended = plugin("get", "--context", "nobodys")
    assert ended.code == 3
    (there,) = yaml.safe_load(plugin.kubeconfig.read_text())["contexts"]
    assert ended.err == (
        f"error: there is no context nobodys in the kubeconfig; there are: {there['name']}\n"
    )


@pytest.fixture
def deaf(control_plane: ControlPlane, tmp_path: Path) -> Plugin:
    """On an API server that is not there."""
    config = yaml.safe_load(control_plane.kubeconfig.read_text())
    config["clusters"][0]["cluster"]["server"] = f"https://127.0.0.1:{free_port()}"
    path = tmp_path / "kubeconfig"
    path.write_text(yaml.safe_dump(config))
    return Plugin(path, "media", tmp_path)


@pytest.mark.parametrize(
    "words",
    [["get"], ["follow", "x"], ["result", "x"], ["logs", "x"], ["cancel", "x", "--yes"],
     ["retry", "x"], ["suspend", "x"], ["submit", "s3://media/x"]],
    ids=lambda words: words[0],
)  # fmt: skip
def test_an_api_server_that_does_not_answer_is_exit_code_3(deaf: Plugin, words):
    ended = deaf(*words)
    assert ended.code == 3
    assert "does not answer: " in ended.err
    assert len(ended.err.splitlines()) == 1


def test_what_the_user_may_not_do_is_exit_code_3_in_the_api_servers_words(
    stage: UserStage, control_plane: ControlPlane, tmp_path: Path
):
    config = kubeconfig_of_user(control_plane.kubectl, stage.namespace, tmp_path)
    ended = Plugin(config, stage.namespace, tmp_path)("get")
    assert ended.code == 3
    assert 'cannot list resource "transcriptionjobs"' in ended.err
    assert "ask the cluster's administrator" in ended.err


def test_a_stale_login_is_exit_code_3(control_plane: ControlPlane, tmp_path: Path):
    config = yaml.safe_load(control_plane.kubeconfig.read_text())
    config["users"] = [{"name": u["name"], "user": {"token": "stale"}} for u in config["users"]]
    path = tmp_path / "kubeconfig"
    path.write_text(yaml.safe_dump(config))
    ended = Plugin(path, "media", tmp_path)("get")
    assert ended.code == 3
    assert "does not know you: log in again" in ended.err


def test_a_context_that_is_named_needs_no_current_one(
    stage: UserStage, control_plane: ControlPlane, tmp_path: Path
):
    config = yaml.safe_load(control_plane.kubeconfig.read_text())
    (context,) = config["contexts"]
    context["context"]["namespace"] = stage.namespace
    del config["current-context"]
    path = tmp_path / "kubeconfig"
    path.write_text(yaml.safe_dump(config))
    stage.apply(name="standup")
    nowhere = Plugin(path, "", tmp_path)
    ended = nowhere("get", "-o", "name", "--context", context["name"])
    assert (ended.code, ended.out) == (0, "transcriptionjob.transcription.dev/standup\n")
    ended = nowhere("get")
    assert ended.code == 3
    assert "no kubeconfig says where the cluster is" in ended.err


def test_help_and_mistakes_need_no_cluster(tmp_path: Path):
    nowhere = Plugin(tmp_path / "nothing", "", tmp_path)
    assert "Exit codes: 0 done" in " ".join(nowhere("--help").out.split())
    assert nowhere("submit", "--help").code == 0
    ended = nowhere()
    assert ended.code == 2
    assert ended.err.startswith("Usage: kubectl transcribe ")
    ended = nowhere("subnit")
    assert ended.code == 2
    assert "No such command 'subnit'" in ended.err
