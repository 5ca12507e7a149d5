"""Reads TranscriptionJobs, also those that another version of the CRD or the operator has written.

Fields that this version does not know are ignored. A spec that it cannot read makes the job
Unreadable; what it cannot read of a status counts as absent.
"""

from typing import Any

from pydantic import ValidationError

from transcription_api.spec import Spec
from transcription_api.status import ConditionType, Phase, Status
from transcription_api.transcriptionjob import Metadata, Resource, TranscriptionJob
from transcription_contract.base import mistakes

Json = dict[str, Any]

_PHASES = tuple(Phase)
_CONDITIONS = tuple(ConditionType)


class Unreadable(Resource):
    """A TranscriptionJob whose spec this version cannot read.

    ``problem``: the field and what is wrong with it, such as ``spec.task: Input should be ...``.
    """

    problem: str


def read(found: Json) -> TranscriptionJob | Unreadable:
    """A TranscriptionJob as the API server returns it."""
    metadata = Metadata.model_validate(found["metadata"])
    status = read_status(found.get("status") or {})
    try:
        spec = Spec.model_validate(found.get("spec") or {}, extra="ignore")
    except ValidationError as error:
        return Unreadable(metadata=metadata, status=status, problem=f"spec.{mistakes(error)[0]}")
    return TranscriptionJob(metadata=metadata, spec=spec, status=status)


def read_status(found: Json) -> Status:
    """The part of a status that this version can read."""
    known = {**found, "conditions": _known_conditions(found)}
    if known.get("phase") not in _PHASES:
        known["phase"] = _phase(known["conditions"])
    try:
        return Status.model_validate(known, extra="ignore")
    except ValidationError as error:
        unreadable = {each["loc"][0] for each in error.errors()}
    return Status.model_validate(
        {name: value for name, value in known.items() if name not in unreadable}, extra="ignore"
    )


def _known_conditions(found: Json) -> list[Json]:
    return [each for each in found.get("conditions") or () if each.get("type") in _CONDITIONS]


def _phase(conditions: list[Json]) -> Phase | None:
    """The phase behind a word that this version does not know: a job that has ended must not be
    started again."""
    true = {each["type"] for each in conditions if each.get("status") == "True"}
    if ConditionType.COMPLETE in true:
        return Phase.SUCCEEDED
    return Phase.FAILED if ConditionType.FAILED in true else None
