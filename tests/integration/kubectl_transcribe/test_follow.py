"""follow: to the end, or as long as one cares to wait."""

import signal

from tests.api import transcription_jobs
from tests.integration.kubectl_transcribe.plugin import Plugin, UserStage, end


def test_success_is_exit_code_0_and_nothing_on_stdout(stage: UserStage, plugin: Plugin):
    stage.apply(name="standup")
    stage.set_status("standup", phase="Succeeded", message="Transcribed 90 s")
    ended = plugin("follow", "standup")
    assert (ended.code, ended.out) == (0, "")
    assert ended.err == "standup  Succeeded  Transcribed 90 s\n"


def test_failure_is_exit_code_1_with_the_reason(stage: UserStage, plugin: Plugin):
    stage.apply(name="standup")
    stage.set_status("standup", phase="Failed", reason="AccessDenied", message="no\nkeys\x1b[2J")
    ended = plugin("follow", "standup")
    assert ended.code == 1
    assert "failed (AccessDenied): no" in ended.err
    assert "\x1b" not in ended.err


def test_on_a_terminal_one_line_changes_and_nothing_has_a_colour(stage: UserStage, plugin: Plugin):
    stage.apply(name="standup")
    stage.set_status("standup", phase="Running", progress={"percent": 50, "totalSeconds": 60})
    shown = plugin.on_terminal("follow", "standup", "--timeout", "2s")
    assert shown.code == 124
    assert "\rstandup  Running  [############............]  50%" in shown.out
    assert "\x1b[3" not in shown.out
    # The bar is gone when the last sentence comes.
    assert shown.out.splitlines()[-1].lstrip().startswith("error: ")


def test_patience_has_an_exit_code_of_its_own(stage: UserStage, plugin: Plugin):
    stage.apply(name="standup")
    ended = plugin("follow", "standup", "--timeout", "1s")
    assert ended.code == 124
    assert "standup  Waiting for the operator" in ended.err
    assert "is not over after 1 s: " in ended.err


def test_a_retry_that_has_not_begun_is_waited_for(stage: UserStage, plugin: Plugin):
    stage.apply(name="standup")
    stage.set_status("standup", phase="Failed", reason="Interrupted", message="again")
    assert plugin("retry", "standup").code == 0
    assert plugin("follow", "standup", "--timeout", "1s").code == 124
    value = stage.parent()["metadata"]["annotations"]["transcription.dev/retry"]
    stage.set_status("standup", retry=value)
    assert plugin("follow", "standup").code == 1


def test_a_job_that_is_deleted_meanwhile_is_exit_code_4(stage: UserStage, plugin: Plugin):
    stage.apply(name="standup")
    command = plugin.start("follow", "standup")
    assert command.stderr
    assert "Waiting for the operator" in command.stderr.readline()
    stage.api.delete(f"{transcription_jobs(stage.namespace)}/standup")
    assert end(command).code == 4


def test_an_interruption_leaves_the_job_alone(stage: UserStage, plugin: Plugin):
    stage.apply(name="standup")
    command = plugin.start("follow", "standup")
    assert command.stderr
    assert "Waiting for the operator" in command.stderr.readline()
    command.send_signal(signal.SIGINT)
    ended = end(command)
    assert ended.code == 130
    assert "kubectl transcribe follow standup" in ended.err
    assert stage.parent("standup")
