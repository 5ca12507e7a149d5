from datetime import timedelta

import pytest

from tests.unit.operator.builders import NOW, job, pod
from transcription_contract.termination import Failure
from transcription_operator.policies import refusals
from transcription_operator.policies.refusals import PodRefusal

JOB = "standup-1a2b3c4d-1"
REFUSED = [
    ('pods "x" is forbidden: exceeded quota: gpus, requested: nvidia.com/gpu=1', "QuotaExceeded"),
    ('pods "x" is forbidden: violates PodSecurity "restricted:latest"', "PodSecurityViolation"),
    ('admission webhook "policy.example" denied the request: no', "AdmissionRefused"),
    ("minimum memory usage per Container is 1Gi", "PodRefused"),
]


@pytest.mark.parametrize(("message", "reason"), REFUSED, ids=[r[1] for r in REFUSED])
def test_a_pod_that_could_not_be_made_is_explained_in_the_api_servers_words(message, reason):
    assert PodRefusal("media/x", "u", message).failure == Failure(reason=reason, message=message)


def event(message: str, name: str = JOB) -> dict[str, object]:
    return {
        "metadata": {"name": f"{name}.17a", "namespace": "media", "resourceVersion": "12"},
        "involvedObject": {"kind": "Job", "namespace": "media", "name": name, "uid": "job-uid"},
        "reason": "FailedCreate",
        "message": message,
        "lastTimestamp": "2026-11-22T12:00:00Z",
    }


@pytest.mark.parametrize("prefix", ["", "(combined from similar events): "], ids=["one", "many"])
@pytest.mark.parametrize(
    ("name", "pod_name"),
    [(JOB, f"{JOB}-3-x7k2p"), ("a" * 57 + "-1", "a" * 55 + "-3-x7k2p")],
    ids=["short", "cut to make room"],
)
def test_each_try_of_the_job_controller_gives_the_same_message(name, pod_name, prefix):
    words = 'Error creating: pods "{}" is forbidden: exceeded quota: gpus'
    refusal = PodRefusal.parse(event(prefix + words.format(pod_name), name))
    assert refusal is not None
    assert refusal == PodRefusal(f"media/{name}", "job-uid", words.format(name), NOW)
    assert refusal.version == 12


@pytest.mark.parametrize(
    "made_up",
    [
        pytest.param({"involvedObject": {"kind": "Job", "namespace": "media"}}, id="of nothing"),
        pytest.param({"lastTimestamp": "0000-01-01T00:00:00Z"}, id="of the year 0"),
    ],
)
def test_an_event_that_somebody_made_up_is_none(made_up):
    assert PodRefusal.parse(event("no", JOB) | made_up) is None


def test_of_a_message_of_a_megabyte_the_beginning_counts():
    refusal = PodRefusal.parse(event("a-" * 500_000, JOB))
    assert refusal is not None
    assert len(refusal.message) < 3000


LATEST = PodRefusal(f"media/{JOB}", "job-uid", "exceeded quota: gpus", NOW)
BEFORE = NOW - timedelta(minutes=5)
SHOWN = [
    ("no pods", job(started=BEFORE), (), LATEST, True),
    ("the Job has yet to be started", job(started=None), (), LATEST, True),
    ("not refused", job(started=BEFORE), (), None, False),
    ("a pod", job(started=BEFORE), (pod("Pending"),), LATEST, False),
    ("suspended", job(suspended=True), (), LATEST, False),
    ("over", job("Failed"), (), LATEST, False),
    ("resumed since", job(started=NOW + timedelta(minutes=5)), (), LATEST, False),
]


@pytest.mark.parametrize(
    ("seen", "pods", "latest", "shown"), [s[1:] for s in SHOWN], ids=[s[0] for s in SHOWN]
)
def test_a_refusal_is_shown_while_it_is_why_there_are_no_pods(seen, pods, latest, shown):
    assert (refusals.of_pods(seen, pods, latest) is not None) is shown


def test_the_backoff_doubles_up_to_five_minutes():
    waits = [refusals.backoff(tries).total_seconds() for tries in [1, 2, 3, 4, 5, 6, 7, 10_000]]
    assert waits == [15, 30, 60, 120, 240, 300, 300, 300]


def test_an_error_that_is_not_about_the_job_is_no_refusal():
    assert refusals.of_job(404, 'namespaces "media" not found') is None
    assert refusals.of_job(429, "too many requests") is None
