"""get and list, beside kubectl's own words."""

import json

import pytest
import yaml

from dev.controlplane import ControlPlane
from tests.integration.kubectl_transcribe.plugin import Plugin, UserStage

PROGRESS = {"percent": 42, "shown": "42%", "speed": "38.2x"}
RUNNING = {"phase": "Running", "model": "turbo", "progress": PROGRESS}


def without_age(text: str) -> list[list[str]]:
    """The cells of a table but for the AGE, which may grow between two looks."""
    lines = [row.split() for row in text.splitlines()]
    age = lines[0].index("AGE")
    return [lines[0], *(row[: min(age, len(row) - 1)] for row in lines[1:])]


@pytest.mark.parametrize("form", [[], ["-o", "wide"]], ids=["a table", "a wide table"])
def test_the_table_is_kubectls(stage: UserStage, plugin: Plugin, control_plane: ControlPlane, form):
    stage.apply(name="standup")
    stage.apply(name="waiting")
    stage.set_status("standup", **RUNNING)
    ours = plugin("get", *form)
    theirs = control_plane.kubectl("get", "tj", "-n", stage.namespace, *form)
    assert ours.code == 0
    assert without_age(ours.out) == without_age(theirs)


def test_one_of_them_by_its_name(stage: UserStage, plugin: Plugin):
    stage.apply(name="standup")
    stage.apply(name="other")
    assert [row[0] for row in without_age(plugin("list", "standup").out)] == ["NAME", "standup"]


def test_all_namespaces_are_named(stage: UserStage, plugin: Plugin):
    stage.apply(name="standup")
    rows = without_age(plugin("get", "-A").out)
    assert rows[0][:2] == ["NAMESPACE", "NAME"]
    assert [stage.namespace, "standup"] in [row[:2] for row in rows]


@pytest.mark.parametrize("name", [["standup"], []], ids=["one", "a list of one"])
def test_json_and_yaml_are_kubectls(
    stage: UserStage, plugin: Plugin, control_plane: ControlPlane, name
):
    stage.apply(name="standup")
    theirs = control_plane.kubectl.json("get", "tj", *name, "-n", stage.namespace)
    assert json.loads(plugin("get", *name, "-o", "json").out) == theirs
    assert yaml.safe_load(plugin("get", *name, "-o", "yaml").out) == theirs


def test_names_are_for_scripts(stage: UserStage, plugin: Plugin):
    stage.apply(name="standup")
    assert plugin("get", "-o", "name").out == "transcriptionjob.transcription.dev/standup\n"


def test_an_empty_namespace_says_so_beside_the_output(stage: UserStage, plugin: Plugin):
    ended = plugin("get")
    assert (ended.code, ended.out) == (0, "")
    assert ended.err == f"No resources found in {stage.namespace} namespace.\n"


def test_a_name_that_nobody_has_is_answered_with_near_ones(stage: UserStage, plugin: Plugin):
    stage.apply(name="standup")
    ended = plugin("get", "standpu")
    assert ended.code == 4
    assert ended.err == (
        f"error: there is no TranscriptionJob standpu in namespace {stage.namespace}: "
        "did you mean standup?\n"
    )


def test_a_hostile_message_does_not_reach_the_terminal(stage: UserStage, plugin: Plugin):
    stage.apply(name="standup")
    stage.set_status("standup", phase="Failed", reason="\x1b[2JBad", language="\x9b31m")
    ended = plugin("get", "-o", "wide")
    assert not {"\x1b", "\x9b"} & set(ended.out)
    assert "[2JBad" in ended.out


def test_kubectls_flags_go_before_the_verb_too(stage: UserStage, plugin: Plugin):
    stage.apply(name="standup")
    anywhere = Plugin(plugin.kubeconfig, "", plugin.home)
    for words in (["-n", stage.namespace, "get"], ["get", "-n", stage.namespace]):
        assert anywhere(*words, "-o", "name").out.endswith("/standup\n")
