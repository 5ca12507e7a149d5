import json

import pytest

from tests.unit.operator.builders import UID, parent, settings
from transcription_contract.exit_codes import ENDINGS
from transcription_contract.task import (
    MODEL_DIRECTORY,
    OPTIONAL_STORE_KEYS,
    STORE_VARIABLES,
    Task,
)
from transcription_operator.errors import SpecError
from transcription_operator.job import desired_job
from transcription_operator.settings import ModelCache, Models


def container(manifest):
    return manifest["spec"]["template"]["spec"]["containers"][0]


def variable(manifest, name):
    return next(v for v in container(manifest)["env"] if v["name"] == name)


def told(manifest) -> Task:
    return Task.model_validate_json(variable(manifest, "TASK")["value"])


def volume(manifest, name):
    volumes = manifest["spec"]["template"]["spec"]["volumes"]
    return next(v for v in volumes if v["name"] == name)


def test_retries_are_counted_per_worker_and_the_jobs_own_limit_is_left_alone():
    spec = desired_job(parent(workers=4, backoffLimit=2), settings())["spec"]
    assert spec["backoffLimitPerIndex"] == 2
    assert "backoffLimit" not in spec
    assert (spec["completions"], spec["parallelism"]) == (4, 4)


def test_one_worker_that_saw_the_result_delivered_ends_the_job():
    assert desired_job(parent(), settings())["spec"]["successPolicy"] == {
        "rules": [{"succeededCount": 1}]
    }


def test_the_job_fails_at_once_on_just_the_codes_that_the_table_calls_final():
    rules = desired_job(parent(), settings())["spec"]["podFailurePolicy"]["rules"]
    final = {ending.code for ending in ENDINGS.values() if not ending.retried}
    assert set(rules[0]["onExitCodes"]["values"]) == final == {65, 66, 77, 78}
    assert rules[0]["action"] == "FailJob"


def test_a_preempted_pod_is_not_counted():
    rules = desired_job(parent(), settings())["spec"]["podFailurePolicy"]["rules"]
    assert rules[1] == {
        "action": "Ignore",
        "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}],
    }


def test_the_garbage_collector_knows_the_parent_without_blocking_its_deletion():
    owner = desired_job(parent(), settings())["metadata"]["ownerReferences"][0]
    assert owner["uid"] == UID
    assert owner["controller"] is True
    assert owner["blockOwnerDeletion"] is False


def test_the_task_comes_first_and_holds_no_dollar_sign_for_the_kubelet_to_expand():
    prompt = "$(AWS_SECRET_ACCESS_KEY)"
    manifest = desired_job(parent(decoding={"initialPrompt": prompt}), settings())
    first = container(manifest)["env"][0]
    assert first["name"] == "TASK"
    assert "$" not in first["value"]
    assert Task.model_validate_json(first["value"]).decoding.initial_prompt == prompt


def test_credentials_are_references_and_what_a_secret_may_lack_is_optional():
    manifest = desired_job(parent(objectStore={"secretName": "mine"}), settings())
    for key, name in STORE_VARIABLES.items():
        reference = variable(manifest, name)["valueFrom"]["secretKeyRef"]
        assert reference["name"] == "mine"
        assert reference.get("optional", False) is (key in OPTIONAL_STORE_KEYS)


def test_workers_get_no_kubernetes_credentials_and_pass_the_restricted_standard():
    spec = desired_job(parent(), settings())["spec"]["template"]["spec"]
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert spec["containers"][0]["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def test_the_default_pool_gives_selector_tolerations_and_gpus():
    spec = desired_job(parent(), settings())["spec"]["template"]["spec"]
    assert spec["nodeSelector"] == {"gpu": "a100"}
    assert {"key": "nvidia.com/gpu", "operator": "Exists"} in spec["tolerations"]
    assert spec["containers"][0]["resources"]["limits"] == {
        "memory": "16Gi",
        "nvidia.com/gpu": "1",
    }


@pytest.mark.parametrize(
    ("pool", "batch_size", "expected"),
    [("cpu", None, 8), ("a100", None, 32), ("a100", 5, 5)],
    ids=["cpu pool", "gpu pool", "stated by the job"],
)
def test_the_batch_size_is_resolved_before_the_worker_sees_it(pool, batch_size, expected):
    decoding = {"batchSize": batch_size} if batch_size else {}
    manifest = desired_job(parent(nodePool=pool, decoding=decoding), settings())
    assert json.loads(variable(manifest, "TASK")["value"])["batchSize"] == expected


def test_a_pool_that_does_not_exist_is_refused_with_those_that_do():
    with pytest.raises(SpecError, match=r"no node pool 'h100'; the pools are: a100, cpu"):
        desired_job(parent(nodePool="h100"), settings())


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
            parent(source=SOURCE, output=OUTPUT, decoding=DECODING, failurePolicy="FailFast"),
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
        parent(), settings(models=models, source_networks=("10.0.0.0/8", "fd00::/8"))
    )
    assert told(manifest).model_mirror_uri == "s3://models/"
    assert told(manifest).allowed_networks == ("10.0.0.0/8", "fd00::/8")


@pytest.mark.parametrize(
    ("source", "recordings"),
    [
        ("s3://recordings/standup.mp3", 1),
        ("https://media.example/talks/", 1),
        ("s3://recordings/calls/", 3),
    ],
    ids=["one", "an address is one", "a prefix: this one, the next one, another worker's"],
)
def test_scratch_space_is_bounded_by_what_the_limits_can_need(source, recordings):
    limits = {"maxFileBytes": "1Gi", "maxFileSeconds": 3600}
    manifest = desired_job(parent(source={"uri": source}, limits=limits), settings())
    bound = int(volume(manifest, "work")["emptyDir"]["sizeLimit"])
    assert bound == recordings * (2**30 + 3600 * 32_000) + 2**30


@pytest.mark.parametrize(
    ("cache", "expected"),
    [
        (None, {"emptyDir": {"sizeLimit": str(8 * 2**30)}}),
        (
            ModelCache(persistent_volume_claim="models"),
            {"persistentVolumeClaim": {"claimName": "models"}},
        ),
        (
            ModelCache(host_path="/var/cache/models"),
            {"hostPath": {"path": "/var/cache/models", "type": "DirectoryOrCreate"}},
        ),
    ],
    ids=["none", "a claim", "a directory of the node"],
)
def test_models_lie_in_the_cache_where_there_is_one(cache, expected):
    manifest = desired_job(parent(), settings(models=Models(cache=cache)))
    assert volume(manifest, "models") == {"name": "models", **expected}
    mounts = {m["name"]: m["mountPath"] for m in container(manifest)["volumeMounts"]}
    assert mounts["models"] == MODEL_DIRECTORY


def test_a_lost_node_is_left_after_half_a_minute():
    tolerations = desired_job(parent(), settings())["spec"]["template"]["spec"]["tolerations"]
    assert {t["key"]: t["tolerationSeconds"] for t in tolerations if "tolerationSeconds" in t} == {
        "node.kubernetes.io/not-ready": 30,
        "node.kubernetes.io/unreachable": 30,
    }
