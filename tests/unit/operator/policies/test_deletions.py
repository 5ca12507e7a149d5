from dataclasses import replace

import pytest

from tests.unit.operator.builders import NOW, job, owner, pod, seen
from transcription_operator.policies import decide
from transcription_operator.policies.actions import MarkDeleted

DELETED = pod(deletion=NOW)
FOUND = [
    ("at work", seen(job(), DELETED), True),
    ("before it has started", seen(job(), pod("Pending", deletion=NOW)), True),
    ("marked already, or drained", seen(job(), pod(deletion=NOW, disruption="PodDeleted")), False),
    ("ended already", seen(job(), pod("Failed", deletion=NOW)), False),
    ("nobody deletes it", seen(job(), pod()), False),
    ("its Job is over", seen(job("Complete"), DELETED), False),
    ("its Job is suspended", seen(job(suspended=True), DELETED), False),
    ("its namespace ends", replace(seen(job(), DELETED), ending=True), False),
    ("the operator may not write it", replace(seen(job(), DELETED), may_release=False), False),
]


@pytest.mark.parametrize(("found", "marked"), [f[1:] for f in FOUND], ids=[f[0] for f in FOUND])
def test_a_pod_that_is_deleted_while_its_job_needs_it_is_marked(found, marked):
    done = decide.actions(owner(), found, NOW)
    assert [each.name for each in done if isinstance(each, MarkDeleted)] == (
        ["standup-0-abcde"] if marked else []
    )
