"""What another version of the CRD or the operator has written."""

from typing import Any

import pytest

from tests.unit.operator.builders import owner
from transcription_api.reading import Unreadable, read
from transcription_api.status import Phase
from transcription_api.transcriptionjob import TranscriptionJob

AT = "2026-11-22T12:00:00Z"


def found(status: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": "standup", "namespace": "media", "uid": "u", "generation": 3},
        "spec": {
            "source": {"uri": "s3://recordings/standup.mp3"},
            "output": {"uri": "s3://transcripts/standup/"},
            **spec,
        },
        "status": status or {},
    }


def condition(kind: str, status: str = "True") -> dict[str, Any]:
    common = {"reason": "X", "observedGeneration": 1, "lastTransitionTime": AT}
    return {"type": kind, "status": status, **common}


def readable(manifest: dict[str, Any]) -> TranscriptionJob:
    job = read(manifest)
    assert isinstance(job, TranscriptionJob)
    return job


@pytest.mark.parametrize(
    "spec",
    [
        {"newField": 1},
        {"decoding": {"newField": 1}},
        {"decoding": {"vad": {"newField": 1}}},
        {"model": {"name": "turbo", "revision": "x"}},
        {"output": {"uri": "s3://transcripts/standup/", "subtitles": {"newField": 1}}},
        {"source": {"uri": "s3://recordings/standup.mp3", "audio": {"newField": 1}}},
    ],
    ids=["spec", "decoding", "decoding.vad", "model", "output.subtitles", "source.audio"],
)
def test_a_field_that_this_version_does_not_know_is_ignored(spec):
    assert readable(found(**spec)).spec == readable(found()).spec


@pytest.mark.parametrize(
    ("spec", "problem"),
    [
        ({"decoding": {"mode": "streaming"}},
         "spec.decoding.mode: Input should be 'batched' or 'sequential'"),
        ({"output": None}, "spec.output: "),
        ({"workers": "many"}, "spec.workers: Input should be a valid integer"),
    ],
    ids=["a value", "a field that is missing", "a type"],
)  # fmt: skip
def test_a_spec_that_this_version_cannot_read_names_the_field(spec, problem):
    job = read(found({"phase": "Running", "attempt": 2}, **spec))
    assert isinstance(job, Unreadable)
    assert job.problem.startswith(problem)
    assert (job.key, job.attempt, job.metadata.generation) == ("media/standup", 2, 3)


def test_a_resource_without_a_spec_is_unreadable():
    manifest = found()
    del manifest["spec"]
    assert isinstance(read(manifest), Unreadable)


@pytest.mark.parametrize(
    ("status", "phase"),
    [
        ({"phase": "Paused"}, None),
        ({"phase": "Paused", "conditions": [condition("Complete", "False")]}, None),
        ({"phase": "Cancelled", "conditions": [condition("Failed")]}, Phase.FAILED),
        ({"phase": "Archived", "conditions": [condition("Complete")]}, Phase.SUCCEEDED),
    ],
    ids=["at work", "at work, with conditions", "an end by failure", "an end by success"],
)
def test_an_unknown_phase_is_absent_unless_the_conditions_say_that_the_job_has_ended(status, phase):
    assert readable(found(status)).status.phase is phase


def test_unknown_conditions_are_absent_and_the_others_stay():
    conditions = [condition("Notified"), condition("Reconciling")]
    status = readable(found({"phase": "Running", "conditions": conditions})).status
    assert [each.type for each in status.conditions] == ["Reconciling"]


def test_what_cannot_be_read_of_a_status_is_absent_and_the_rest_stays():
    file = {"format": "docx", "uri": "s3://x/y", "bytes": 1}
    result = {"uri": "s3://x/", "manifestUri": "s3://x/manifest.json", "files": [file]}
    status = readable(
        found({"phase": "Succeeded", "attempt": 2, "startTime": "soon", "result": result})
    ).status
    assert (status.phase, status.attempt) == (Phase.SUCCEEDED, 2)
    assert (status.start_time, status.result) == (None, None)


def test_a_failure_to_read_the_spec_is_no_end():
    failed = {"phase": "Failed", "reason": "SpecUnreadable"}
    assert not readable(found(failed)).is_finished
    assert owner({"phase": "Failed", "reason": "MediaInvalid"}).is_finished
