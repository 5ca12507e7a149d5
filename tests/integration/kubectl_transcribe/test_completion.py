"""kubectl finds the plugin and asks it for completions; shells take its script."""

import os
import subprocess
from pathlib import Path

import pytest

from dev.paths import BIN
from tests.integration.kubectl_transcribe.installed import install
from tests.integration.kubectl_transcribe.plugin import Plugin, UserStage


@pytest.fixture
def kubectl(plugin: Plugin, tmp_path: Path):
    """Run kubectl with the plugin on the PATH; its output."""
    path = os.pathsep.join([str(install(tmp_path / "bin")), os.environ["PATH"]])

    def run(*arguments: str) -> str:
        env = plugin.environment(PATH=path)
        command = [str(BIN / "kubectl"), *arguments]
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def test_kubectl_runs_it_as_a_verb_of_its_own(stage: UserStage, kubectl):
    stage.apply()
    shown = kubectl("transcribe", "get", "-n", stage.namespace, "-o", "name")
    assert shown == "transcriptionjob.transcription.dev/standup\n"


def test_kubectl_completes_verbs_and_the_names_of_jobs(stage: UserStage, kubectl):
    stage.apply(name="standup")
    stage.apply(name="other")
    verbs = kubectl("__complete", "transcribe", "su").splitlines()
    assert [each.split("\t")[0] for each in verbs] == ["submit", "suspend", ":4"]
    names = kubectl("__complete", "transcribe", "follow", "-n", stage.namespace, "sta")
    assert names.splitlines() == ["standup", ":4"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_has_its_script(plugin: Plugin, shell: str):
    ended = Plugin(plugin.kubeconfig, "", plugin.home)("completion", shell)
    assert ended.code == 0
    assert "_KUBECTL_TRANSCRIBE_COMPLETE" in ended.out
    assert "kubectl-transcribe" in ended.out


def test_bash_takes_the_script(plugin: Plugin, tmp_path: Path):
    script = Plugin(plugin.kubeconfig, "", plugin.home)("completion", "bash").out
    done = subprocess.run(["bash", "-n"], input=script, text=True, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
