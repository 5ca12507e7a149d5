"""What the API server makes of the CRD: what it refuses, in which words, and what it shows."""

from typing import Any

import pytest

from tests.api import Api, ApiRefusal, transcription_jobs
from tests.stage import Stage, example


@pytest.fixture
def stage(api: Api, namespace: str, operator_kubeconfig) -> Stage:
    return Stage(api, namespace)


CALLS = "s3://recordings/calls/"
NOT_A_SOURCE = "source.uri must be an object such as s3://recordings/standup.mp3, a prefix"
NO_PREFIX = "source.include and source.exclude need a prefix as source.uri"
OVERLAP = "output.uri and the prefix source.uri must not lie within each other"

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
     "subtitles.maxLineCount needs subtitles.maxLineWidth"),
    ("a narrow line", {"output": {"uri": "s3://bucket/", "subtitles": {"maxLineWidth": 9}}},
     "greater than or equal to 10"),
    ("half an encoder for whole recordings",
     {"decoding": {"mode": "sequential", "audioContext": "window"}},
     "decoding.audioContext window does not go with mode sequential"),
    ("another policy", {"failurePolicy": "Ignore"}, 'supported values: "Continue", "FailFast"'),
    ("an output that is no prefix", {"output": {"uri": "s3://transcripts/x"}},
     "output.uri must be a prefix that ends in a slash"),
    ("two models", {"model": {"name": "tiny", "uri": "s3://models/a.pt", "sha256": "a" * 64}},
     "model needs either name or uri, and not both"),
    ("no model", {"model": {}}, "model needs either name or uri, and not both"),
    ("a checkpoint without its sum", {"model": {"uri": "s3://models/a.pt"}},
     "model.uri needs model.sha256"),
    ("a translation by turbo", {"task": "translate", "model": {"name": "turbo"}},
     "task translate does not work with the turbo model"),
    ("an unknown format", {"output": {"uri": "s3://bucket/", "formats": ["doc"]}},
     'supported values: "json", "srt", "vtt", "txt", "tsv"'),
    ("the same format twice", {"output": {"uri": "s3://bucket/", "formats": ["txt", "txt"]}},
     "Duplicate value"),
    ("no workers", {"workers": 0}, "should be greater than or equal to 1"),
    ("an amount that is none", {"limits": {"maxFileBytes": "4 GB"}}, "maxFileBytes"),
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
    ("the encoder's window", {"decoding": {"audioContext": "window"}}),
    ("an end at the first failure", {"failurePolicy": "FailFast"}),
]  # fmt: skip


@pytest.mark.parametrize("spec", [a[1] for a in ACCEPTED], ids=[a[0] for a in ACCEPTED])
def test_what_can_be_done_is_taken_as_it_stands(stage: Stage, spec):
    stored = stage.apply(**spec)["spec"]
    for field, value in spec.items():
        given = value if isinstance(value, dict) else {}
        assert stored[field] == value or given.items() <= stored[field].items()


CHANGES: list[tuple[str, dict[str, Any]]] = [
    ("source", {"source": {"uri": "s3://recordings/other.mp3"}}),
    ("source", {"source": {"uri": CALLS, "include": ["*.mp3"]}}),
    ("output", {"output": {"subtitles": {"highlightWords": True}}}),
    ("decoding", {"decoding": {"wordTimestamps": True}}),
    ("failurePolicy", {"failurePolicy": "FailFast"}),
    ("output", {"output": {"uri": "s3://transcripts/other/"}}),
    ("model", {"model": {"name": "tiny"}}),
    ("nodePool", {"nodePool": "cpu"}),
    ("workers", {"workers": 2}),
]


@pytest.mark.parametrize(
    ("field", "spec"), CHANGES, ids=[f"{c[0]}-{i}" for i, c in enumerate(CHANGES)]
)
def test_what_is_running_cannot_be_changed_under_it(stage: Stage, field, spec):
    stage.apply()
    path = f"{transcription_jobs(stage.namespace)}/standup"
    with pytest.raises(ApiRefusal, match=f"{field} cannot be changed: create a new"):
        stage.api.merge(path, {"spec": spec})


def test_an_optional_field_cannot_be_taken_away_either(stage: Stage):
    stage.apply(nodePool="cpu")
    path = f"{transcription_jobs(stage.namespace)}/standup"
    with pytest.raises(ApiRefusal, match="nodePool cannot be changed"):
        stage.api.merge(path, {"spec": {"nodePool": None}})


def test_an_unknown_field_is_named(stage: Stage):
    with pytest.raises(ApiRefusal, match=r'unknown field "spec\.langauge"'):
        stage.api.create(
            transcription_jobs(stage.namespace) + "?fieldValidation=Strict",
            example(langauge="en"),
        )


def test_the_shortest_manifest_gets_its_defaults(stage: Stage):
    spec = stage.apply()["spec"]
    assert spec["model"] == {"name": "turbo"}
    assert spec["output"]["formats"] == ["json", "vtt", "txt"]
    assert spec["objectStore"] == {"secretName": "transcription-object-store"}
    assert (spec["language"], spec["workers"], spec["backoffLimit"]) == ("auto", 1, 3)
    assert spec["failurePolicy"] == "Continue"
    assert spec["decoding"]["mode"] == "batched"


def test_kubectl_shows_the_columns_and_the_short_name(stage: Stage, control_plane):
    stage.apply()
    kubectl = control_plane.kubectl
    header = kubectl("get", "tj", "-n", stage.namespace).splitlines()[0].split()
    assert header == ["NAME", "PHASE", "PROGRESS", "MODEL", "LANGUAGE", "AGE"]


def test_kubectl_explains_every_field_of_the_spec(stage: Stage, control_plane):
    text = control_plane.kubectl("explain", "tj.spec", "--recursive")
    assert "pendingDeadlineSeconds" in text
    flat = control_plane.kubectl("explain", "tj.spec")
    assert "<no description>" not in flat
    assert "The recordings to transcribe" in flat


CANNOT = [
    ("get", "", "secrets", None),
    ("list", "", "secrets", None),
    ("create", "", "pods", None),
    ("create", "", "pods", "exec"),
    ("get", "", "pods", "proxy"),
    ("delete", "", "pods", None),
    ("create", "rbac.authorization.k8s.io", "clusterroles", None),
    ("update", "transcription.dev", "transcriptionjobs", None),
    ("delete", "transcription.dev", "transcriptionjobs", None),
    ("get", "", "nodes", None),
]


@pytest.mark.parametrize(("verb", "group", "resource", "sub"), CANNOT, ids=lambda v: str(v))
def test_the_operators_role_cannot(operator_kubeconfig, namespace, verb, group, resource, sub):
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {
            "resourceAttributes": {
                "namespace": namespace,
                "verb": verb,
                "group": group,
                "resource": resource,
                **({"subresource": sub} if sub else {}),
            }
        },
    }
    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    assert Api(operator_kubeconfig).create(path, review)["status"]["allowed"] is False
