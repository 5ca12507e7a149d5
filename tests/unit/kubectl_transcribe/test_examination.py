"""What doctor makes of an API server that fails in the middle of it."""

import pytest

from kubectl_transcribe.errors import UnreachableError
from kubectl_transcribe.examination import Examination
from kubectl_transcribe.findings import Level

WELL = {
    "version": "v1.35.4",
    "served_versions": ["v1alpha1"],
    "deployments": [],
    "create": {},
    "nodes": [],
    "objects": [],
    "secret": {},
    "workers": [],
    "pods": [],
}


class Faulty:
    """A Cluster with nothing in it, one of whose answers is an error."""

    namespace = "media"

    def __init__(self, fault: str) -> None:
        self._fault = fault

    def __getattr__(self, name: str):
        def answer(*arguments: object, **options: object) -> object:
            if name == self._fault:
                raise UnreachableError("the API server answers 500")
            return WELL[name]

        return answer


@pytest.mark.parametrize(
    ("fault", "about"),
    [
        ("deployments", "operator"),
        ("create", "admission"),
        ("nodes", "node pools"),
        ("secret", "Secret"),
        ("workers", "images"),
        ("objects", "jobs"),
    ],
)
def test_a_look_that_fails_is_a_finding_and_the_others_are_taken(fault, about):
    found = list(Examination(Faulty(fault), None, None, []).run())
    (failed,) = (each for each in found if "answers 500" in each.message)
    assert (failed.level, failed.about) == (Level.WRONG, about)
    abouts = {each.about for each in found}
    assert {"API server", "CRD", "operator", "Secret", "images", "jobs"} <= abouts
