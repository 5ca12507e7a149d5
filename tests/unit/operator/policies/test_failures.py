from datetime import timedelta

import pytest

from tests.unit.operator.builders import NOW, job, pod
from transcription_contract.termination import Failure, Termination, encode
from transcription_operator.policies import failures


def words(reason: str, message: str) -> str:
    return encode(Termination(error=Failure(reason=reason, message=message)))


FAILED_PODS = [
    ("the worker's own words", {"exit_code": 66, "last_words": words("SourceNotFound", "no x")},
     ("SourceNotFound", "no x")),
    ("a known code without words", {"exit_code": 77},
     ("AccessDenied", "pod p ended with exit code 77: the object store refused the credentials")),
    ("words that are not ours", {"exit_code": 70, "last_words": "Traceback …"},
     ("InternalError", "pod p ended with exit code 70: the transcriber failed unexpectedly; its "
      "log has the traceback")),
    ("a code that nobody knows", {"exit_code": 3, "ended": "Error"},
     ("WorkerFailed", "pod p ended with exit code 3 (Error)")),
    ("killed", {"exit_code": 137, "ended": "Error"},
     ("WorkerFailed", "pod p ended with exit code 137 (Error): it was killed")),
    ("stopped", {"exit_code": 143},
     ("Interrupted", "pod p ended with exit code 143: the worker was asked to stop (SIGTERM)")),
    ("a restarted node", {"exit_code": 255, "ended": "Unknown"},
     ("WorkerFailed", "pod p ended with exit code 255 (Unknown)")),
    ("evicted beats the exit code",
     {"exit_code": 65, "reason": "Evicted", "message": "low on memory",
      "disruption": "TerminationByKubelet"},
     ("Evicted", "pod p: low on memory")),
    ("killed for memory beats the exit code of what survived",
     {"exit_code": 65, "ended": "OOMKilled", "memory_limit": "4Gi"},
     ("OOMKilled", "pod p needed more memory than its limit of 4Gi: lower "
      "spec.decoding.batchSize, or raise the limit in spec.resources or in the node pool")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "expected"), [c[1:] for c in FAILED_PODS], ids=[c[0] for c in FAILED_PODS]
)
def test_a_failed_pod_gives_one_reason_and_one_sentence(fields, expected):
    failure = failures.of_pod(pod("Failed", name="p", **fields))
    assert failure is not None
    assert (failure.reason, failure.message) == expected


@pytest.mark.parametrize("phase", ["Pending", "Running", "Succeeded"])
def test_a_pod_that_did_not_fail_has_no_failure(phase):
    assert failures.of_pod(pod(phase)) is None


def test_the_code_that_ended_the_job_speaks_before_later_interruptions():
    culprit = pod("Failed", "a", exit_code=66, last_words=words("SourceNotFound", "gone"))
    killed = pod("Failed", "b", exit_code=143, finished_at=NOW)
    assert failures.of_job(job("Failed"), (killed, culprit)).reason == "SourceNotFound"


def test_what_used_up_the_retries_speaks_before_a_later_interruption():
    culprit = pod("Failed", "a", exit_code=69, finished_at=NOW - timedelta(minutes=1))
    killed = pod("Failed", "b", exit_code=143, finished_at=NOW)
    assert failures.of_job(job("Failed"), (culprit, killed)).reason == "ObjectStoreUnavailable"


def test_a_job_whose_pods_are_gone_is_explained_by_its_controller():
    failure = failures.of_job(job("Failed"), ())
    assert failure.reason == "BecauseOfFailed"
    assert failure.message == "the controller says Failed"


ADVICE = (
    "; check the transcriber's image in the operator's settings, and imagePullSecrets: the Secret "
    "must exist in the job's namespace"
)
PENDING_PODS = [
    ("no node fits", pod("Pending", unscheduled=("Unschedulable", "0/2 nodes")),
     ("Unschedulable", "0/2 nodes")),
    ("no Secret", pod("Pending", "p", waiting=("CreateContainerConfigError", 'secret "x"')),
     ("CreateContainerConfigError", 'pod p: secret "x"')),
    ("no image", pod("Pending", "p", waiting=("ImagePullBackOff", "")),
     ("ImagePullBackOff", "pod p: ImagePullBackOff" + ADVICE)),
    ("the image, while it is pulled", pod("Pending", "p", waiting=("ErrImagePull", "x: not found")),
     ("ImagePullBackOff", "pod p: x: not found" + ADVICE)),
    ("the same between two pulls", pod("Pending", "p", waiting=(
        "ImagePullBackOff", 'Back-off pulling image "x": ErrImagePull: x: not found')),
     ("ImagePullBackOff", "pod p: x: not found" + ADVICE)),
    ("on its way", pod("Pending", waiting=("ContainerCreating", "")), None),
    ("leaving", pod("Pending", deletion=NOW, unscheduled=("Unschedulable", "x")), None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("pending", "expected"), [c[1:] for c in PENDING_PODS], ids=[c[0] for c in PENDING_PODS]
)
def test_a_pod_that_does_not_start_is_explained_in_its_keepers_words(pending, expected):
    failure = failures.of_pending((pending,))
    assert (failure and (failure.reason, failure.message)) == expected
