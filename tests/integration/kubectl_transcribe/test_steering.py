"""cancel, retry, suspend and resume."""

import pytest

from tests.api import transcription_jobs
from tests.integration.kubectl_transcribe.plugin import Plugin, UserStage

NAME = "transcriptionjob.transcription.dev/standup"


def is_there(stage: UserStage, name: str = "standup") -> bool:
    return stage.api.get(f"{transcription_jobs(stage.namespace)}/{name}") is not None


def test_cancel_deletes_and_does_not_ask_when_told_so(stage: UserStage, plugin: Plugin):
    stage.apply()
    ended = plugin("cancel", "standup", "--yes")
    assert (ended.code, ended.out) == (0, f"{NAME} deleted\n")
    assert not is_there(stage)


def test_without_a_terminal_nobody_can_be_asked(stage: UserStage, plugin: Plugin):
    stage.apply()
    ended = plugin("cancel", "standup")
    assert ended.code == 2
    assert "say --yes" in ended.err
    assert is_there(stage)


def test_on_a_terminal_it_asks(stage: UserStage, plugin: Plugin):
    stage.apply()
    asked = plugin.on_terminal("cancel", "standup", typed="n\n")
    assert asked.code == 130
    assert f"Delete TranscriptionJob standup in namespace {stage.namespace}?" in asked.out
    assert is_there(stage)
    assert plugin.on_terminal("cancel", "standup", typed="y\n").code == 0
    assert not is_there(stage)


def test_what_is_not_there_cannot_be_cancelled(stage: UserStage, plugin: Plugin):
    assert plugin("cancel", "standup", "--yes").code == 4


def test_a_failed_job_is_tried_again_each_time_by_another_value(stage: UserStage, plugin: Plugin):
    stage.apply()
    stage.set_status("standup", phase="Failed")
    values = set()
    for _ in range(2):
        assert plugin("retry", "standup").out == f"{NAME} is tried again\n"
        values.add(stage.parent()["metadata"]["annotations"]["transcription.dev/retry"])
    assert len(values) == 2


def test_a_job_that_has_not_failed_is_not_tried_again(stage: UserStage, plugin: Plugin):
    stage.apply()
    stage.set_status("standup", phase="Running")
    ended = plugin("retry", "standup")
    assert ended.code == 2
    assert "is Running: only one that has failed can be tried again" in ended.err


def test_suspended_and_resumed(stage: UserStage, plugin: Plugin):
    stage.apply()
    assert plugin("suspend", "standup").out == f"{NAME} suspended\n"
    assert stage.parent()["spec"]["suspend"] is True
    assert plugin("resume", "standup", "-o", "name").out == f"{NAME}\n"
    assert stage.parent()["spec"]["suspend"] is False


@pytest.mark.parametrize(("verb", "word"), [("suspend", "suspended"), ("resume", "resumed")])
def test_what_is_over_is_neither_suspended_nor_resumed(
    stage: UserStage, plugin: Plugin, verb: str, word: str
):
    stage.apply()
    stage.set_status("standup", phase="Succeeded")
    ended = plugin(verb, "standup")
    assert (ended.code, ended.out) == (2, "")
    assert f"is Succeeded: it is over, and cannot be {word}" in ended.err
    assert "suspend" not in stage.parent()["spec"] or not stage.parent()["spec"]["suspend"]


def test_what_is_not_there_cannot_be_suspended(stage: UserStage, plugin: Plugin):
    stage.apply()
    ended = plugin("suspend", "standap")
    assert ended.code == 4
    assert ended.err == (
        f"error: there is no TranscriptionJob standap in namespace {stage.namespace}: "
        "did you mean standup?\n"
    )
