import pytest

from tests.unit.operator.builders import UID, owner, settings
from transcription_contract.exit_codes import ENDINGS
from transcription_contract.task import Task
from transcription_operator.errors import SpecError
from transcription_operator.policies.job import allowed_pool, desired_job
from transcription_operator.settings import Models


def told(manifest) -> Task:
    first = manifest["spec"]["template"]["spec"]["containers"][0]["env"][0]
    return Task.model_validate_json(first["value"])


def test_retries_are_counted_per_worker_and_the_jobs_own_limit_is_left_alone():
    spec = desired_job(owner(workers=4, backoffLimit=2), settings())["spec"]
    assert spec["backoffLimitPerIndex"] == 2
    assert "backoffLimit" not in spec
    assert (spec["completions"], spec["parallelism"]) == (4, 4)


def test_one_worker_that_saw_the_result_delivered_ends_the_job():
    assert desired_job(owner(), settings())["spec"]["successPolicy"] == {
        "rules": [{"succeededCount": 1}]
    }


def test_the_job_fails_at_once_on_just_the_codes_that_the_table_calls_final():
    rules = desired_job(owner(), settings())["spec"]["podFailurePolicy"]["rules"]
    final = {ending.code for ending in ENDINGS.values() if not ending.retried}
    assert set(rules[0]["onExitCodes"]["values"]) == final == {65, 66, 77, 78}
    assert rules[0]["action"] == "FailJob"


def test_a_preempted_pod_is_not_counted():
    rules = desired_job(owner(), settings())["spec"]["podFailurePolicy"]["rules"]
    assert rules[1] == {
        "action": "Ignore",
        "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}],
    }


def test_a_pod_that_was_asked_to_stop_is_not_counted_and_one_that_hangs_or_was_killed_is():
    rules = desired_job(owner(), settings())["spec"]["podFailurePolicy"]["rules"]
    assert rules[2] == {
        "action": "Ignore",
        "onExitCodes": {"containerName": "transcriber", "operator": "In", "values": [143]},
    }
    assert len(rules) == 3


def test_the_garbage_collector_knows_the_parent_without_blocking_its_deletion():
    reference = desired_job(owner(), settings())["metadata"]["ownerReferences"][0]
    assert reference["uid"] == UID
    assert reference["controller"] is True
    assert reference["blockOwnerDeletion"] is False


@pytest.mark.parametrize(
    ("pool", "batch_size", "expected"),
    [("cpu", None, 8), ("a100", None, 32), ("a100", 5, 5)],
    ids=["cpu pool", "gpu pool", "stated by the job"],
)
def test_the_batch_size_is_resolved_before_the_worker_sees_it(pool, batch_size, expected):
    decoding = {"batchSize": batch_size} if batch_size else {}
    manifest = desired_job(owner(nodePool=pool, decoding=decoding), settings())
    assert told(manifest).batch_size == expected


def test_a_pool_that_does_not_exist_is_refused_with_those_that_do():
    with pytest.raises(SpecError, match=r"no node pool 'h100'; the pools are: a100, cpu"):
        desired_job(owner(nodePool="h100"), settings())


@pytest.mark.parametrize(
    ("spec", "pool"),
    [
        ({"model": {"name": "tiny"}}, "cpu"),
        ({"model": {"name": "tiny"}, "nodePool": "a100"}, "a100"),
        ({"model": {"name": "large-v3"}}, "a100"),
        ({"model": {"uri": "s3://models/mine.pt", "sha256": "a" * 64}}, "a100"),
    ],
    ids=["the model's", "the job's own goes first", "the default", "the default of own models"],
)
def test_the_pool_is_the_jobs_the_models_or_the_default_one(spec, pool):
    by_model = settings(pool_by_model={"tiny": "cpu"})
    assert allowed_pool(owner(**spec), by_model) == pool


@pytest.mark.parametrize(
    ("spec", "suspended"),
    [({}, False), ({"suspend": True}, True), ({"queueName": "team-a"}, True)],
    ids=["plain", "suspended", "in a queue of Kueue"],
)
def test_a_job_waits_where_the_user_or_kueue_lets_it_go(spec, suspended):
    assert desired_job(owner(**spec), settings())["spec"]["suspend"] is suspended


def test_kueue_finds_its_queue_by_the_jobs_label():
    job = desired_job(owner(queueName="team-a"), settings())
    assert job["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] == "team-a"
    assert "kueue.x-k8s.io/queue-name" not in job["spec"]["template"]["metadata"]["labels"]
    assert "kueue" not in str(desired_job(owner(), settings()))


def test_the_time_limit_is_the_callers_rest_of_it():
    limited = owner(activeDeadlineSeconds=3600)
    assert desired_job(limited, settings(), 1, 600)["spec"]["activeDeadlineSeconds"] == 600
    assert "activeDeadlineSeconds" not in desired_job(limited, settings())["spec"]


SOURCE = {"uri": "s3://recordings/calls/", "include": ["*.mp3"], "exclude": ["drafts/*"]}
OUTPUT = {"uri": "s3://out/", "formats": ["srt"], "subtitles": {"maxLineWidth": 42}}
DECODING = {
    "mode": "sequential",
    "beamSize": 5,
    "wordTimestamps": True,
    "initialPrompt": "Kubernetes",
}


def test_the_worker_is_told_all_that_the_user_asks_for():
    task = told(
        desired_job(
            owner(source=SOURCE, output=OUTPUT, decoding=DECODING, failurePolicy="FailFast"),
            settings(),
        )
    )
    assert (task.include, task.exclude) == (("*.mp3",), ("drafts/*",))
    assert task.formats == ("srt",)
    assert task.subtitles.max_line_width == 42
    assert task.failure_policy == "FailFast"
    assert (task.decoding.mode, task.decoding.beam_size) == ("sequential", 5)
    assert task.times_words


def test_the_worker_is_told_what_the_operators_settings_say():
    models = Models(mirror_uri="s3://models/")
    manifest = desired_job(
        owner(), settings(models=models, source_networks=("10.0.0.0/8", "fd00::/8"))
    )
    assert told(manifest).model_mirror_uri == "s3://models/"
    assert told(manifest).allowed_networks == ("10.0.0.0/8", "fd00::/8")
