from typing import Any

import pytest

from tests.unit.operator.builders import NOW, job, owner, pod, seen
from transcription_operator.policies import failures
from transcription_operator.policies.observation import ObservedPod
from transcription_operator.policies.phase import phase_of

LOG = "exec /usr/local/bin/transcriber: exec format error\n"


def wrong(index: int = 0, name: str = "a", **fields: Any) -> ObservedPod:
    said = {"exit_code": 1, "ended": "Error", "last_words": LOG, "index": index, **fields}
    return pod("Failed", name, **said)


RECOGNISED = [
    ("the end of the log", wrong()),
    ("of another runtime", wrong(exit_code=255)),
    ("the container did not start", wrong(exit_code=128, ended="StartError", last_words="failed "
     "to create containerd task: exec: \"transcriber\": exec format error: unknown")),
]  # fmt: skip


@pytest.mark.parametrize("found", [r[1] for r in RECOGNISED], ids=[r[0] for r in RECOGNISED])
def test_a_program_for_other_processors_is_recognised(found):
    failure = failures.of_pod(found)
    assert failure is not None
    assert failure.reason == "ArchitectureMismatch"
    assert "exec format error" in failure.message
    assert "kubernetes.io/arch" in failure.message


def test_an_image_without_the_nodes_architecture_is_told_while_it_is_pulled():
    message = 'failed to pull image "x": no match for platform in manifest: not found'
    failure = failures.of_pending((pod("Pending", waiting=("ErrImagePull", message)),))
    assert failure is not None
    assert failure.reason == "ArchitectureMismatch"


def test_words_of_a_worker_are_its_own():
    failure = failures.of_pod(wrong(exit_code=70))
    assert failure is not None
    assert failure.reason == "InternalError"


OTHERS = [
    ("the first one", [wrong(), pod("Pending", index=0)], False),
    ("the second one", [wrong(), wrong(name="b"), pod("Pending", index=0)], True),
    ("on both nodes", [wrong(0), wrong(1, "b")], True),
    ("another worker runs", [wrong(), wrong(name="b"), pod(index=1)], False),
    ("another worker may still run", [wrong(), wrong(name="b"), pod("Pending", index=1)], False),
]


@pytest.mark.parametrize(("pods", "over"), [o[1:] for o in OTHERS], ids=[o[0] for o in OTHERS])
def test_it_is_tried_once_more_unless_somebody_works(pods, over):
    phase = phase_of(owner(workers=2), seen(job(workers=2), *pods), NOW)
    assert ((phase.phase, phase.reason) == ("Failed", "ArchitectureMismatch")) is over
