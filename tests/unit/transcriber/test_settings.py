from pathlib import Path

import pytest

from transcription_contract.options import ModelReference
from transcription_contract.task import Task
from whisper_transcriber import settings
from whisper_transcriber.errors import ConfigurationInvalid

TASK = Task(
    uid="u1",
    owner="media/standup",
    source_uri="s3://recordings/standup.mp3",
    output_uri="s3://transcripts/standup/",
    secret_name="store",
    model=ModelReference(name="tiny"),
)
ENVIRONMENT = {
    "TASK": TASK.to_environment(),
    "AWS_ENDPOINT_URL": "http://store:9000",
    "AWS_ACCESS_KEY_ID": "key",
    "AWS_SECRET_ACCESS_KEY": "secret",
}


def test_a_pod_s_environment_is_understood() -> None:
    given = settings.read({**ENVIRONMENT, "JOB_COMPLETION_INDEX": "3", "AWS_REGION": "eu-1"})
    assert given.task == TASK
    assert given.worker == 3
    assert given.store
    assert given.store.endpoint == "http://store:9000"
    assert given.store.region == "eu-1"
    assert given.store.session_token is None
    assert given.metrics_port == 9095
    assert given.threads >= 1


def test_keys_that_were_made_with_echo_lose_their_newline() -> None:
    given = settings.read({**ENVIRONMENT, "AWS_SECRET_ACCESS_KEY": "secret\n"})
    assert given.store
    assert given.store.secret_key == "secret"


def test_a_pod_with_an_identity_of_its_own_needs_no_keys() -> None:
    task = TASK.model_copy(update={"secret_name": None})
    given = settings.read({"TASK": task.to_environment(), "AWS_ENDPOINT_URL": "https://store"})
    assert given.store
    assert not given.store.access_key
    assert given.store.keys_from == "spec.objectStore"


def test_only_an_endpoint_of_the_spec_is_bound_to_networks() -> None:
    """The Secret's and the shell's come from those whose keys they are."""
    networks = ("10.20.0.0/16",)
    of_secret = TASK.model_copy(update={"allowed_networks": networks})
    of_spec = of_secret.model_copy(update={"secret_name": None})
    stores = [
        settings.read({**ENVIRONMENT, "TASK": of_secret.to_environment()}).store,
        settings.read({**ENVIRONMENT, "TASK": of_spec.to_environment()}).store,
        settings.local({}, of_spec, None).store,
    ]
    assert [store and store.allowed_networks for store in stores] == [None, networks, None]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        pytest.param({"TASK": ""}, "TASK is not set", id="no task"),
        pytest.param({"TASK": "{"}, "the task is malformed", id="no JSON"),
        pytest.param({"TASK": '{"uid": "u"}'}, "sourceUri: Field required", id="half a task"),
        pytest.param(
            {"AWS_ACCESS_KEY_ID": ""}, "accessKey is missing or empty: check the Secret 'store'",
            id="an empty key",
        ),
        pytest.param({"AWS_ENDPOINT_URL": " "}, "endpoint is missing", id="a blank endpoint"),
        pytest.param(
            {"TASK": TASK.model_copy(update={"source_uri": "gs://a/b"}).to_environment()},
            "'gs://a/b' is not an S3 URI", id="another kind of store",
        ),
        pytest.param({"METRICS_PORT": "http"}, "environment is malformed", id="not a number"),
    ],
)  # fmt: skip
def test_a_broken_environment_is_a_configuration_error(
    change: dict[str, str], sentence: str
) -> None:
    with pytest.raises(ConfigurationInvalid, match=sentence):
        settings.read({**ENVIRONMENT, **change})


def test_the_number_of_threads_can_be_pinned() -> None:
    assert settings.read({**ENVIRONMENT, "OMP_NUM_THREADS": "5"}).threads == 5


def local_task(**changes: str) -> Task:
    files = {"source_uri": "file:///home/a.mp3", "output_uri": "file:///home/"}
    return TASK.model_copy(update={**files, **changes})


def test_the_command_line_needs_no_store_for_local_files() -> None:
    given = settings.local({"XDG_CACHE_HOME": "/cache"}, local_task(), None)
    assert given.store is None
    assert str(given.model_directory) == "/cache/whisper-transcriber"
    assert given.metrics_port == 0


def test_the_command_line_reaches_stores_by_the_usual_variables() -> None:
    environ = {"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s", "AWS_REGION": "eu-1"}
    given = settings.local(environ, local_task(output_uri="s3://out/"), None)
    assert given.store
    assert (given.store.endpoint, given.store.region) == ("https://s3.amazonaws.com", "eu-1")
    assert given.store.access_key == "k"


def test_a_shell_is_no_pod() -> None:
    assert not settings.in_pod({"AWS_REGION": "eu-1"})
    assert settings.in_pod(ENVIRONMENT)


def test_a_store_s_options_come_from_the_environment() -> None:
    given = settings.store_of_shell(
        {
            "AWS_REQUEST_PAYER": "requester\n",
            "AWS_SSE_KMS_KEY_ID": "arn:aws:kms:x",
            "AWS_S3_ADDRESSING_STYLE": "path",
        }
    )
    assert (given.request_payer, given.encryption) == ("requester", "aws:kms")
    assert (given.kms_key, given.addressing) == ("arn:aws:kms:x", "path")


@pytest.mark.parametrize(
    ("variable", "words"),
    [
        ("AWS_REQUEST_PAYER", "requestPayer in the AWS_. environment variables must be requester"),
        ("AWS_SERVER_SIDE_ENCRYPTION", "must be AES256 or aws:kms"),
        ("AWS_S3_ADDRESSING_STYLE", "must be auto or path or virtual, not 'maybe'"),
    ],
)
def test_a_store_s_option_that_does_not_exist_is_refused(variable: str, words: str) -> None:
    with pytest.raises(ConfigurationInvalid, match=words):
        settings.store_of_shell({variable: "maybe"})


def test_keys_are_read_from_the_mounted_secret_where_there_is_one(tmp_path: Path) -> None:
    assert settings.store_of_shell({"STORE_DIRECTORY": str(tmp_path)}).keys_directory is None
    (tmp_path / "accessKey").write_text("key")
    assert settings.store_of_shell({"STORE_DIRECTORY": str(tmp_path)}).keys_directory == tmp_path


@pytest.mark.parametrize(
    ("files", "allowed"),
    [
        ({"cpu.max": "150000 100000\n"}, 2),
        ({"cpu.max": "max 100000\n"}, 64),
        ({"cpu/cpu.cfs_quota_us": "50000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 1),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, 64),
        ({}, 64),
    ],
    ids=["version 2", "version 2 without a quota", "version 1", "version 1 without one", "none"],
)
def test_a_quota_on_processors_is_obeyed(
    files: dict[str, str], allowed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(64)))
    (tmp_path / "cpu").mkdir()
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    assert settings.available_processors(tmp_path) == allowed
