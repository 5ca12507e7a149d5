from datetime import timedelta
from typing import Any

import pytest

from tests.unit.operator.builders import NOW, job, owner, pod, seen
from transcription_operator.policies import decide, sidecars
from transcription_operator.policies.actions import DeleteJob, EndPod
from transcription_operator.policies.observation import ObservedPod
from transcription_operator.policies.phase import phase_of


def beside_a_proxy(exit_code: int, seconds: int, **fields: Any) -> ObservedPod:
    """A pod whose worker ended so many seconds ago."""
    ended = {
        "running": False,
        "exit_code": exit_code,
        "still_running": ("istio-proxy",),
        "finished_at": NOW - timedelta(seconds=seconds),
    }
    return pod(**{**ended, **fields})


ENDS = [
    ("delivered", beside_a_proxy(0, 15), "Succeeded"),
    ("failed for good", beside_a_proxy(65, 15), "Failed"),
    ("failed, to be tried again", beside_a_proxy(69, 20), "Failed"),
    ("ended when nobody knows", beside_a_proxy(137, 0, finished_at=None), "Failed"),
    ("the proxy may still end by itself", beside_a_proxy(0, 14), None),
    ("nothing else runs", beside_a_proxy(0, 60, still_running=()), None),
    ("being deleted", beside_a_proxy(0, 60, deletion=NOW), None),
    ("ended already", beside_a_proxy(0, 60, phase="Succeeded"), None),
    ("at work", pod(), None),
]


@pytest.mark.parametrize(("found", "phase"), [e[1:] for e in ENDS], ids=[e[0] for e in ENDS])
def test_a_pod_in_which_only_others_run_ends_as_its_worker_did(found, phase):
    ended = [each for each in decide.actions(owner(), seen(job(), found), NOW)]
    assert [each.phase for each in ended if isinstance(each, EndPod)] == ([phase] if phase else [])


def test_the_pod_says_who_ended_it_and_because_of_what():
    (action,) = sidecars.actions(seen(job(), beside_a_proxy(0, 15)), NOW)
    assert action.reason is None
    assert action.message == (
        "The transcriber ended with exit code 0; the operator ended the pod, in which these "
        "containers still ran: istio-proxy"
    )


VERDICTS = [
    ("delivered", beside_a_proxy(0, 45), ("Succeeded", "Delivered")),
    ("failed for good", beside_a_proxy(65, 45), ("Failed", "MediaInvalid")),
    ("not for long", beside_a_proxy(65, 44), ("Running", "Transcribing")),
]


@pytest.mark.parametrize(
    ("found", "expected"), [v[1:] for v in VERDICTS], ids=[v[0] for v in VERDICTS]
)
def test_a_job_ends_within_a_minute_though_its_pod_cannot_be_ended(found, expected):
    phase = phase_of(owner(), seen(job(), found), NOW)
    assert (phase.phase, phase.reason) == expected


@pytest.mark.parametrize("condition", [None, "Complete", "Failed"])
@pytest.mark.parametrize("phase", ["Succeeded", "Failed"])
def test_the_job_of_a_pod_that_could_not_be_ended_is_deleted_and_frees_its_gpu(phase, condition):
    held_up = seen(job(*([condition] if condition else [])), beside_a_proxy(0, 45))
    ended = owner(status={"phase": phase})
    assert decide.actions(ended, held_up, NOW) == [DeleteJob("standup-1a2b3c4d-1", "job-uid")]


@pytest.mark.parametrize(
    ("ago", "seconds"), [(0, 15), (14, 1), (15, 30), (45, 300)], ids=lambda value: str(value)
)
def test_a_job_is_reconciled_when_the_pod_is_to_be_ended(ago, seconds):
    found = seen(job(), beside_a_proxy(0, ago))
    worked = owner(status={"runningSince": NOW.isoformat()})
    assert decide.again_after(worked, worked.status, found, NOW, resync=300) == seconds
