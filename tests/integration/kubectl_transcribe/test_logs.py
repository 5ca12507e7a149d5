"""logs: what the kubelets tell, through the API server."""

import signal
from collections.abc import Iterator

import pytest

from dev.controlplane import ControlPlane
from tests.api import Api, core
from tests.integration.kubectl_transcribe.kubelet import LogKubelet, log_kubelet, waiting_pod
from tests.integration.kubectl_transcribe.plugin import PATIENCE, Plugin, UserStage, end


@pytest.fixture
def kubelet(api: Api, control_plane: ControlPlane, namespace: str) -> Iterator[LogKubelet]:
    with log_kubelet(api, control_plane.pki, f"node-{namespace}") as kubelet:
        yield kubelet


@pytest.fixture
def labels(stage: UserStage) -> dict[str, str]:
    """Of the pods of a job."""
    return {"transcription.dev/job-uid": stage.apply()["metadata"]["uid"]}


def test_a_single_workers_log_is_printed_as_it_is(
    stage: UserStage, plugin: Plugin, kubelet: LogKubelet, labels
):
    kubelet.run_pod(stage.namespace, "w-0", labels, b"decoding\nM\xc3\xa4rz, and no end")
    kubelet.run_pod(stage.namespace, "other", {"app": "other"}, b"not ours\n")
    ended = plugin("logs", "standup")
    assert (ended.code, ended.out) == (0, "decoding\nM\u00e4rz, and no end\n")


@pytest.mark.parametrize("follow", [[], ["-f"]], ids=["at once", "followed"])
def test_lines_of_several_workers_begin_with_their_names(
    stage: UserStage, plugin: Plugin, kubelet: LogKubelet, labels, follow
):
    kubelet.run_pod(stage.namespace, "w-0", labels, b"a\nb\n")
    kubelet.run_pod(stage.namespace, "w-1", labels, b"c\n")
    ended = plugin("logs", "standup", *follow)
    assert sorted(ended.out.splitlines()) == ["[pod/w-0] a", "[pod/w-0] b", "[pod/w-1] c"]


def test_an_interruption_ends_what_is_followed_while_the_workers_are_silent(
    stage: UserStage, plugin: Plugin, kubelet: LogKubelet, labels
):
    kubelet.silent |= {"w-0", "w-1"}
    kubelet.run_pod(stage.namespace, "w-0", labels, b"a\n")
    kubelet.run_pod(stage.namespace, "w-1", labels, b"b\n")
    command = plugin.start("logs", "standup", "-f")
    assert command.stdout
    told = {command.stdout.readline(), command.stdout.readline()}
    assert told == {"[pod/w-0] a\n", "[pod/w-1] b\n"}
    command.send_signal(signal.SIGINT)
    ended = end(command)
    assert not kubelet.ended.is_set()
    assert (ended.code, ended.err.strip()) == (130, "interrupted")


def test_a_reader_that_has_seen_enough_ends_what_is_followed(
    stage: UserStage, plugin: Plugin, kubelet: LogKubelet, labels
):
    kubelet.silent |= {"w-0", "w-1"}
    kubelet.run_pod(stage.namespace, "w-0", labels, b"")
    kubelet.run_pod(stage.namespace, "w-1", labels, b"more than a pipe takes\n" * 20_000)
    command = plugin.start("logs", "standup", "-f")
    assert command.stdout
    assert command.stderr
    command.stdout.readline()
    command.stdout.close()
    assert command.wait(PATIENCE) == 0
    assert command.stderr.read() == ""


def test_the_last_lines_are_asked_of_the_kubelet(
    stage: UserStage, plugin: Plugin, kubelet: LogKubelet, labels
):
    kubelet.run_pod(stage.namespace, "w-0", labels, b"b\n")
    plugin("logs", "standup", "--tail", "1")
    assert "tailLines=1" in kubelet.asked[-1]


def test_a_worker_that_has_not_begun_is_said_beside_the_others(
    stage: UserStage, plugin: Plugin, kubelet: LogKubelet, labels
):
    kubelet.run_pod(stage.namespace, "w-0", labels, b"a\n")
    stage.api.create(core(stage.namespace, "pods"), waiting_pod("w-1", labels))
    ended = plugin("logs", "standup")
    assert (ended.code, ended.out) == (0, "[pod/w-0] a\n")
    assert ended.err == "pod w-1 has not begun: it is on no node yet\n"


def test_a_job_without_pods_is_exit_code_4(stage: UserStage, plugin: Plugin, labels):
    ended = plugin("logs", "standup")
    assert ended.code == 4
    assert "TranscriptionJob standup has no pods" in ended.err


def test_a_suspended_job_is_no_riddle(stage: UserStage, plugin: Plugin, labels):
    stage.set_status("standup", phase="Suspended")
    ended = plugin("logs", "standup")
    assert ended.code == 4
    assert "has no pods: it is suspended; `kubectl transcribe resume standup -n " in ended.err
