"""What the API server makes of the CRD: what it refuses, in which words, and what it shows."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from dev.commands import wait_until
from tests.api import Api, ApiRefusal, transcription_jobs
from tests.stage import Stage, example


@pytest.fixture
def stage(api: Api, namespace: str, operator_kubeconfig) -> Stage:
    return Stage(api, namespace)


EXAMPLES = Path(__file__).parents[3] / "examples"
SHARED = yaml.safe_load((EXAMPLES / "shared-cluster.yaml").read_text())["spec"]
CALLS = "s3://recordings/calls/"
NOT_A_SOURCE = "source.uri must be an object such as s3://recordings/standup.mp3, a prefix"
NO_PREFIX = "source.include and source.exclude require a prefix as source.uri"
OVERLAP = "output.uri must not be inside the prefix source.uri"
TAKEN_LABEL = "podTemplate.labels may not set names that the operator"
TAKEN_VARIABLE = "podTemplate.env may not set variables that the operator sets"


def env(name: str) -> dict[str, Any]:
    return {"podTemplate": {"env": [{"name": name, "value": "x"}]}}


def audio(**stated: Any) -> dict[str, Any]:
    return {"source": {"uri": "s3://recordings/standup.mp3", "audio": stated}}


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("a source that is no URI", {"source": {"uri": "standup.mp3"}}, NOT_A_SOURCE),
    ("a source without encryption", {"source": {"uri": "http://media.example/a"}}, NOT_A_SOURCE),
    ("an address without a path", {"source": {"uri": "https://media.example"}}, NOT_A_SOURCE),
    ("an address with a password", {"source": {"uri": "https://me:pw@media.example/a"}},
     NOT_A_SOURCE),
    ("an address with a blank", {"source": {"uri": "https://media.example/a b"}}, NOT_A_SOURCE),
    ("a file of the node", {"source": {"uri": "file:///etc/passwd"}}, NOT_A_SOURCE),
    ("include with one recording", {"source": {"uri": f"{CALLS}a.mp3", "include": ["*"]}},
     NO_PREFIX),
    ("exclude with an address", {"source": {"uri": "https://media.example/", "exclude": ["*"]}},
     NO_PREFIX),
    ("an empty pattern", {"source": {"uri": CALLS, "include": [""]}}, "source.include[0]"),
    ("a pattern that is too long", {"source": {"uri": CALLS, "exclude": ["*" * 257]}},
     "may not be more than 256"),
    ("too many patterns", {"source": {"uri": CALLS, "include": ["*"] * 33}},
     "must have at most 32 items"),
    ("an output within the source",
     {"source": {"uri": CALLS}, "output": {"uri": f"{CALLS}transcripts/"}}, OVERLAP),
    ("a source within the output",
     {"source": {"uri": CALLS}, "output": {"uri": "s3://recordings/"}}, OVERLAP),
    ("the source as output", {"source": {"uri": CALLS}, "output": {"uri": CALLS}}, OVERLAP),
    ("lines without a width",
     {"output": {"uri": "s3://bucket/", "subtitles": {"maxLineCount": 2}}},
     "subtitles.maxLineCount requires subtitles.maxLineWidth"),
    ("a narrow line", {"output": {"uri": "s3://bucket/", "subtitles": {"maxLineWidth": 9}}},
     "greater than or equal to 10"),
    ("half an encoder for whole recordings",
     {"decoding": {"mode": "sequential", "audioContext": "window"}},
     "decoding.audioContext window is not supported with mode sequential"),
    *((f"the language {stated!r}", {"language": stated},
       "language must be auto or a Whisper language code such as en, de or pt: not English or")
      for stated in ("English", "pt-BR", "zh-CN", "EN", "nb", "iw", "")),
    *((f"the track {track!r}", audio(track=track),
       "source.audio.track must be auto, all, or a number from 1 to 99")
      for track in ("two", 0, 100, -1, "")),
    ("a channel by number", audio(channels="2"),
     'supported values: "mix", "separate"'),
    ("a threshold that is no number", {"decoding": {"logprobThreshold": "low"}},
     "decoding.logprobThreshold"),
    ("another policy", {"failurePolicy": "Ignore"}, 'supported values: "Continue", "FailFast"'),
    ("an output that is no prefix", {"output": {"uri": "s3://transcripts/x"}},
     "output.uri must be a prefix that ends in a slash"),
    ("two models", {"model": {"name": "tiny", "uri": "s3://models/a.pt", "sha256": "a" * 64}},
     "model requires either name or uri"),
    ("no model", {"model": {}}, "model requires either name or uri"),
    ("a checkpoint without its sum", {"model": {"uri": "s3://models/a.pt"}},
     "model.uri requires model.sha256"),
    ("a translation by turbo", {"task": "translate", "model": {"name": "turbo"}},
     "task translate is not supported by the turbo model"),
    ("an unknown format", {"output": {"uri": "s3://bucket/", "formats": ["doc"]}},
     'supported values: "json", "srt", "vtt", "txt", "tsv"'),
    ("the same format twice", {"output": {"uri": "s3://bucket/", "formats": ["txt", "txt"]}},
     "Duplicate value"),
    ("no workers", {"workers": 0}, "should be greater than or equal to 1"),
    ("an amount that is none", {"limits": {"maxFileBytes": "4 GB"}}, "maxFileBytes"),
    ("a Secret and an endpoint", {"objectStore": {"secretName": "a", "endpoint": "https://b"}},
     "objectStore takes either secretName or endpoint"),
    ("a Secret and a region", {"objectStore": {"secretName": "a", "region": "b"}},
     "objectStore.region requires objectStore.endpoint"),
    ("an endpoint that names a variable", {"objectStore": {"endpoint": "https://$(AWS_REGION)"}},
     "objectStore.endpoint"),
    ("no time at all", {"activeDeadlineSeconds": 0}, "should be greater than or equal to 1"),
    ("an end before the end", {"ttlSecondsAfterFinished": -1},
     "should be greater than or equal to 0"),
    ("more than first", {"priority": 1001}, "should be less than or equal to 1000"),
    ("less than last", {"priority": -1001}, "should be greater than or equal to -1000"),
    ("a queue that is no label", {"queueName": "Team A"}, "queueName"),
    ("a resource that is no amount", {"resources": {"limits": {"memory": "much"}}},
     "resources.limits.memory"),
    ("a label of ours", {"podTemplate": {"labels": {"transcription.dev/job-uid": "x"}}},
     TAKEN_LABEL),
    ("a label of the Job's", {"podTemplate": {"labels": {"batch.kubernetes.io/job-name": "x"}}},
     TAKEN_LABEL),
    ("an old label of the Job's", {"podTemplate": {"labels": {"controller-uid": "x"}}},
     TAKEN_LABEL),
    ("a label of Kueue's", {"podTemplate": {"labels": {"kueue.x-k8s.io/queue-name": "x"}}},
     TAKEN_LABEL),
    ("a label that says whose it is",
     {"podTemplate": {"labels": {"app.kubernetes.io/managed-by": "me"}}}, TAKEN_LABEL),
    ("an annotation of ours", {"podTemplate": {"annotations": {"transcription.dev/retry": "x"}}},
     "podTemplate.annotations may not set names"),
    ("an annotation that lifts AppArmor",
     {"podTemplate": {"annotations":
      {"container.apparmor.security.beta.kubernetes.io/transcriber": "unconfined"}}},
     "podTemplate.annotations may not set names"),
    ("a value that is no label's", {"podTemplate": {"labels": {"team": "a b"}}}, "labels.team"),
    ("another task", env("TASK"), TAKEN_VARIABLE),
    ("another worker's number", env("JOB_COMPLETION_INDEX"), TAKEN_VARIABLE),
    ("another store", env("AWS_ENDPOINT_URL"), TAKEN_VARIABLE),
    ("another key", env("AWS_SECRET_ACCESS_KEY"), TAKEN_VARIABLE),
    ("other code by the linker", env("LD_PRELOAD"), TAKEN_VARIABLE),
    ("other code by Python", env("PYTHONPATH"), TAKEN_VARIABLE),
    ("another program", env("PATH"), TAKEN_VARIABLE),
    ("another folder", env("WORK_DIRECTORY"), TAKEN_VARIABLE),
    ("a variable that is none", env("A-B"), "podTemplate.env[0].name"),
    ("a variable twice",
     {"podTemplate": {"env": [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]}},
     "Duplicate value"),
    ("a class of the cluster's own",
     {"podTemplate": {"priorityClassName": "system-node-critical"}},
     "podTemplate.priorityClassName may not begin with system-"),
    ("a toleration of nothing known", {"podTemplate": {"tolerations": [{"effect": "Never"}]}},
     'supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"'),
    ("a weight that is none",
     {"podTemplate": {"affinity": {"nodeAffinity": {
      "preferredDuringSchedulingIgnoredDuringExecution":
      [{"weight": 101, "preference": {"matchExpressions": []}}]}}}},
     "should be less than or equal to 100"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("spec", "sentence"), [r[1:] for r in REFUSED], ids=[r[0] for r in REFUSED]
)
def test_what_cannot_be_done_is_refused_at_apply(stage: Stage, spec, sentence):
    with pytest.raises(ApiRefusal) as refusal:
        stage.apply(**spec)
    assert refusal.value.status == 422
    assert sentence in str(refusal.value)


ACCEPTED: list[tuple[str, dict[str, Any]]] = [
    ("a prefix with patterns",
     {"source": {"uri": CALLS, "include": ["*.mp3"], "exclude": ["x/*"]}}),
    ("a whole bucket", {"source": {"uri": "s3://recordings/"}}),
    ("prefixes that only begin alike",
     {"source": {"uri": CALLS}, "output": {"uri": "s3://recordings/calls-out/"}}),
    ("an output beside the one recording",
     {"source": {"uri": f"{CALLS}a.mp3"}, "output": {"uri": CALLS}}),
    ("an address", {"source": {"uri": "https://media.example:8443/a%20b.mp3?token=x/y&z=1"}}),
    ("an address by number", {"source": {"uri": "https://[fd00::1]/a.mp3"}}),
    ("a key in any script", {"source": {"uri": "s3://recordings/Sitzung vom 3. März.mp3"}}),
    ("all formats",
     {"output": {"uri": "s3://bucket/", "formats": ["json", "srt", "vtt", "txt", "tsv"],
                 "subtitles": {"maxLineWidth": 42, "maxLineCount": 2, "highlightWords": True}}}),
    ("openai-whisper's own loop",
     {"decoding": {"mode": "sequential", "beamSize": 5, "wordTimestamps": True}}),
    ("a language by its code", {"language": "haw"}),
    ("the second track", audio(track=2, channels="mix")),
    ("the second track as text", audio(track="2", channels="mix")),
    ("each channel of every track", audio(track="all", channels="separate")),
    ("only what is new", {"output": {"uri": "s3://bucket/", "existing": "skip"}}),
    ("one temperature", {"decoding": {"temperature": ["0"], "logprobThreshold": "-2"}}),
    ("the encoder's window", {"decoding": {"audioContext": "window"}}),
    ("an end at the first failure", {"failurePolicy": "FailFast"}),
    ("the pod's own identity",
     {"objectStore": {"endpoint": "https://s3.eu-central-1.amazonaws.com", "region": "eu-1"}}),
    ("an objectStore with nothing in it", {"objectStore": {}}),
    ("limits of time", {"activeDeadlineSeconds": 86400, "ttlSecondsAfterFinished": 0}),
    ("no limits of time", {"pendingDeadlineSeconds": 0, "ttlSecondsAfterFinished": 2**31 - 1}),
    ("a place in line", {"priority": -5, "suspend": True, "queueName": "team-a"}),
    ("resources as people write them",
     {"resources": {"requests": {"cpu": 4, "memory": "1.5Gi"}, "limits": {"nvidia.com/gpu": "2"}}}),
    ("the pods of the example", {"podTemplate": SHARED["podTemplate"]}),
    ("an affinity in full",
     {"podTemplate": {"affinity": {
      "nodeAffinity": {
       "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
        {"matchExpressions": [{"key": "gpu", "operator": "NotIn", "values": ["k80", "m60"]}]}]},
       "preferredDuringSchedulingIgnoredDuringExecution": [
        {"weight": 1, "preference": {"matchExpressions": [{"key": "a", "operator": "Exists"}]}}]},
      "podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [
       {"labelSelector": {"matchExpressions": [{"key": "a", "operator": "Exists"}]},
        "topologyKey": "zone"}]}}}}),
    ("a variable that the worker reads", env("OMP_NUM_THREADS")),
    ("a variable that only begins alike", env("TASKS")),
    ("a label that only begins alike", {"podTemplate": {"labels": {"job-names": "x"}}}),
]  # fmt: skip


@pytest.mark.parametrize("spec", [a[1] for a in ACCEPTED], ids=[a[0] for a in ACCEPTED])
def test_what_can_be_done_is_taken_as_it_stands(stage: Stage, spec):
    stored = stage.apply(**spec)["spec"]
    for field, value in spec.items():
        given = value if isinstance(value, dict) else {}
        assert stored[field] == value or given.items() <= stored[field].items()


def refusal_of(stage: Stage, **spec: Any) -> tuple[int, str]:
    try:
        stage.api.create(transcription_jobs(stage.namespace) + "?dryRun=All", example(**spec))
    except ApiRefusal as refusal:
        return refusal.status, str(refusal)
    return 0, ""


def test_a_node_pool_that_does_not_exist_is_refused_with_those_that_do(stage: Stage):
    # The API server takes a moment until it obeys a new policy.
    wait_until(
        "the policy is obeyed", lambda: refusal_of(stage, nodePool="h100")[0] == 422, timeout=30
    )
    _, sentence = refusal_of(stage, nodePool="h100")
    assert "there is no node pool 'h100'; the pools are: cpu, test" in sentence
    stage.apply(name="with-one", nodePool="cpu")
    stage.apply(name="with-none")


def test_an_unknown_field_is_named(stage: Stage):
    with pytest.raises(ApiRefusal, match=r'unknown field "spec\.langauge"'):
        stage.api.create(
            transcription_jobs(stage.namespace) + "?fieldValidation=Strict",
            example(langauge="en"),
        )


def test_the_shortest_manifest_gets_its_defaults(stage: Stage):
    # null is not a value: the API server drops it before it fills in the defaults.
    spec = stage.apply(pendingDeadlineSeconds=None)["spec"]
    assert spec["model"] == {"name": "turbo"}
    assert spec["output"]["formats"] == ["json", "vtt", "txt"]
    assert spec["objectStore"] == {"secretName": "transcription-object-store"}
    assert (spec["language"], spec["workers"], spec["backoffLimit"]) == ("auto", 1, 3)
    assert spec["pendingDeadlineSeconds"] == 3600
    assert spec["failurePolicy"] == "Continue"
    assert spec["decoding"]["mode"] == "batched"
    assert (spec["suspend"], spec["priority"]) == (False, 0)
    assert not {"podTemplate", "resources", "queueName"} & spec.keys()
