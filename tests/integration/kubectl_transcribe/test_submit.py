"""submit: upload, create, follow; the operator's and the workers' parts are played."""

from pathlib import Path

import pytest
import yaml

from dev.controlplane import ControlPlane
from tests.integration.kubectl_transcribe.plugin import (
    JOBS_RULE,
    SECRET,
    Plugin,
    UserStage,
    kubeconfig_of_user,
    put,
)
from tests.integration.transcriber.worker import ACCESS_KEY, SECRET_KEY

SPEECH = b"RIFF not really speech" * 1000


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "Stand-up 3.wav"
    path.write_bytes(SPEECH)
    return str(path)


@pytest.fixture
def files(file: str, tmp_path: Path) -> list[str]:
    other = tmp_path / "b.wav"
    other.write_bytes(b"b")
    return [file, str(other)]


def source_of(stage: UserStage, name: str) -> bytes:
    return stage.store.get(stage.parent(name)["spec"]["source"]["uri"])


def test_a_local_file_is_uploaded_and_a_job_made_for_it(
    stage: UserStage, plugin: Plugin, file: str
):
    ended = plugin("submit", file, "--bucket", "media", "--language", "en", "--format", "srt")
    assert ended.code == 0, ended.err
    assert ended.out.startswith("transcriptionjob.transcription.dev/stand-up-3-")
    assert ended.out.endswith(" created\n")
    assert source_of(stage, ended.name) == SPEECH
    spec = stage.parent(ended.name)["spec"]
    assert spec["output"]["uri"] == f"s3://media/transcripts/{ended.name}/"
    assert (spec["language"], spec["output"]["formats"]) == ("en", ["srt"])


@pytest.mark.parametrize(
    ("flags", "environment"),
    [(["--operator-class", "research"], {}), ([], {"TRANSCRIBE_OPERATOR_CLASS": "research"})],
    ids=["by flag", "by environment"],
)
def test_the_class_of_the_operator_is_stated(
    stage: UserStage, plugin: Plugin, flags: list[str], environment: dict[str, str]
):
    ended = plugin("submit", "s3://media/a.mp3", *flags, **environment)
    assert ended.code == 0, ended.err
    assert stage.parent(ended.name)["spec"]["operatorClassName"] == "research"


def test_tracks_channels_hotwords_and_existing_transcripts_are_stated(
    stage: UserStage, plugin: Plugin
):
    ended = plugin(
        "submit", "s3://media/calls/", "--bucket", "out", "--track", "2", "--channels", "separate",
        "--hotword", "kopf", "--hotword", "Sankt Gallen", "--existing", "skip", "--language",
        "pt-BR",
    )  # fmt: skip
    assert ended.code == 0, ended.err
    spec = stage.parent(ended.name)["spec"]
    assert spec["source"]["audio"] == {"track": 2, "channels": "separate"}
    assert spec["output"]["existing"] == "skip"
    assert spec["decoding"]["hotwords"] == ["kopf", "Sankt Gallen"]
    assert spec["language"] == "pt"


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (["--overwrite", "--existing", "skip"], "contradict each other"),
        (["--track", "two"], "--track takes auto, all, or a number from 1 to 99"),
    ],
    ids=["two answers", "no track"],
)
def test_contradictions_are_refused_before_anything_is_made(
    stage: UserStage, plugin: Plugin, flags: list[str], sentence: str
):
    ended = plugin("submit", "s3://media/a.mp3", "--bucket", "out", *flags)
    assert ended.code == 2
    assert sentence in ended.err


def test_several_files_make_one_job(stage: UserStage, plugin: Plugin, files: list[str]):
    ended = plugin("submit", *files, "--bucket", "media", "--name", "calls")
    assert ended.code == 0, ended.err
    prefix = stage.parent("calls")["spec"]["source"]["uri"]
    assert sorted(stage.store.list(prefix)) == ["Stand-up 3.wav", "b.wav"]


def test_files_beside_other_recordings_are_refused_before_they_are_uploaded(
    stage: UserStage, plugin: Plugin, files: list[str]
):
    name = stage.namespace
    put(stage.store, "media", f"recordings/{name}/old.mp3", "old")
    ended = plugin("submit", *files, "--bucket", "media", "--name", name)
    assert ended.code == 2
    assert ended.err == (
        f"error: s3://media/recordings/{name}/old.mp3 is there already, and would be transcribed, "
        "too: choose another --name, or remove it\n"
    )
    assert list(stage.store.list(f"s3://media/recordings/{name}/")) == ["old.mp3"]
    assert plugin("get", "-o", "name").out == ""


def test_files_that_were_uploaded_before_are_uploaded_again(
    stage: UserStage, plugin: Plugin, files: list[str]
):
    submitted = ["submit", *files, "--bucket", "media", "--name", stage.namespace]
    assert plugin(*submitted).code == 0
    assert plugin("cancel", stage.namespace, "--yes").code == 0
    assert plugin(*submitted).code == 0


def test_a_single_file_lies_beside_others_and_is_transcribed_alone(
    stage: UserStage, plugin: Plugin, file: str
):
    put(stage.store, "media", f"recordings/{stage.namespace}/old.mp3", "old")
    ended = plugin("submit", file, "--bucket", "media", "--name", stage.namespace)
    assert ended.code == 0, ended.err


def test_a_job_whose_secret_is_not_there_is_refused_before_anything_is_uploaded(
    bare_stage: UserStage, plugin: Plugin, file: str
):
    keys = {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY}
    here, name = bare_stage.namespace, f"x-{bare_stage.namespace}"
    words = ["submit", file, "--bucket", "media", "--name", name]
    ended = plugin(*words, AWS_ENDPOINT_URL=bare_stage.store.endpoint, **keys)
    assert ended.code == 4
    assert ended.err.startswith(
        f"error: there is no Secret {SECRET} in namespace {here}, and no worker starts without it: "
        f"`kubectl create secret generic {SECRET} -n {here} --from-literal=endpoint=... "
    )
    assert not bare_stage.store.list(f"s3://media/recordings/{name}/")
    assert plugin("get", "-o", "name").out == ""
    assert plugin(*words, "--dry-run").code == 0


def test_a_secret_of_another_name_is_looked_for_too(stage: UserStage, plugin: Plugin):
    ended = plugin("submit", "s3://media/x.mp3", "--secret", "nosuch")
    assert ended.code == 4
    assert f"there is no Secret nosuch in namespace {stage.namespace}" in ended.err


def test_an_address_that_is_no_url_is_not_blamed_on_the_secret(
    stage: UserStage, plugin: Plugin, file: str
):
    ended = plugin("submit", file, "--bucket", "media", "--endpoint", "localhost:9000")
    assert ended.code == 5
    assert "the address given by --endpoint or AWS_ENDPOINT_URL is not a URL" in ended.err
    assert "Secret" not in ended.err


def test_what_the_api_server_refuses_is_not_uploaded(stage: UserStage, plugin: Plugin, file: str):
    ended = plugin("submit", file, "--bucket", "out", "--name", "n", "--model", "turbo",
                   "--translate")  # fmt: skip
    assert ended.code == 2
    assert "task translate is not supported by the turbo model" in ended.err
    assert not stage.store.list("s3://out/recordings/n/")


def test_a_name_that_is_taken_is_said(stage: UserStage, plugin: Plugin):
    stage.apply(name="standup")
    ended = plugin("submit", "s3://media/x.mp3", "--name", "standup")
    assert ended.code == 2
    assert '"standup" already exists: choose another --name, or cancel that one' in ended.err


def test_a_dry_run_prints_what_kubectl_can_apply(
    stage: UserStage, plugin: Plugin, control_plane: ControlPlane, file: str
):
    ended = plugin("submit", file, "--bucket", "media", "--name", "standup", "--dry-run")
    assert yaml.safe_load(ended.out)["metadata"] == {
        "name": "standup",
        "namespace": stage.namespace,
    }
    control_plane.kubectl("create", "--dry-run=server", "-f", "-", stdin=ended.out)
    assert not stage.store.list("s3://media/recordings/standup/")
    assert plugin("get", "-o", "name").out == ""


UNUSABLE = [
    ("a file that is not there", ["nothing.mp3", "--bucket", "media"], "No such file"),
    ("a folder", ["/tmp", "--bucket", "media"], "/tmp is a folder: name its files"),
    ("no place", ["https://media.example/a.mp3"], "a prefix by --output"),
    ("no file", ["/dev/null", "--bucket", "media"], "/dev/null is no file"),
    ("patience and nobody who waits", ["s3://media/a", "--timeout", "1m"], "goes with --follow"),
    ("no duration", ["s3://media/a", "--timeout", "soon"], "90s, 15m or 1h30m"),
]


@pytest.mark.parametrize(
    ("arguments", "sentence"), [u[1:] for u in UNUSABLE], ids=[u[0] for u in UNUSABLE]
)
def test_a_command_line_that_cannot_be_meant_is_exit_code_2(
    stage: UserStage, plugin: Plugin, arguments, sentence
):
    ended = plugin("submit", *arguments)
    assert ended.code == 2
    assert sentence in ended.err
    assert "see `kubectl transcribe submit --help`" in ended.err


def test_an_empty_file_is_not_uploaded(stage: UserStage, plugin: Plugin, tmp_path: Path):
    empty = tmp_path / "empty.mp3"
    empty.touch()
    ended = plugin("submit", str(empty), "--bucket", "media")
    assert ended.code == 2
    assert "empty.mp3 is empty" in ended.err
    assert stage.jobs() == []


def test_a_bucket_that_is_not_there_is_exit_code_5(stage: UserStage, plugin: Plugin, file: str):
    ended = plugin("submit", file, "--bucket", "nobodys")
    assert ended.code == 5
    assert "the bucket nobodys does not exist" in ended.err


def test_the_stores_address_may_be_another_one_from_here(
    bare_stage: UserStage, plugin: Plugin, file: str
):
    bare_stage.write_secret(endpoint="http://store.store.svc:9000")
    ended = plugin("submit", file, "--bucket", "media")
    assert ended.code == 5
    assert "cannot be reached from this machine" in ended.err
    assert "--endpoint" in ended.err
    for flags, environment in (
        (["--endpoint", bare_stage.store.endpoint], {}),
        ([], {"AWS_ENDPOINT_URL": bare_stage.store.endpoint}),
    ):
        ended = plugin("submit", file, "--bucket", "media", *flags, **environment)
        assert ended.code == 0, ended.err
        assert source_of(bare_stage, ended.name) == SPEECH


def test_who_may_not_read_the_secret_brings_keys_of_their_own(
    stage: UserStage, control_plane: ControlPlane, file: str, tmp_path: Path
):
    config = kubeconfig_of_user(control_plane.kubectl, stage.namespace, tmp_path, JOBS_RULE)
    user = Plugin(config, stage.namespace, tmp_path)
    ended = user("submit", file, "--bucket", "media")
    assert ended.code == 5
    assert "secrets" in ended.err
    assert "AWS_ACCESS_KEY_ID" in ended.err
    ended = user("submit", file, "--bucket", "media", AWS_ENDPOINT_URL=stage.store.endpoint)
    assert ended.code == 5
    assert "there are no keys for the object store: the Secret transcription-object" in ended.err
    keys = {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY}
    endpoint = stage.store.endpoint
    ended = user("submit", file, "--bucket", "media", AWS_ENDPOINT_URL=endpoint, **keys)
    assert ended.code == 0, ended.err
    assert source_of(stage, ended.name) == SPEECH
