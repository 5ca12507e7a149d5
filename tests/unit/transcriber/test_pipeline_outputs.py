import json
from pathlib import Path

import pytest

from tests.unit.transcriber import stage
from tests.unit.transcriber.stage import (
    TASK,
    MortalStore,
    Objects,
    job,
    outputs,
    run,
)
from transcription_contract.locations import ObjectUri
from whisper_transcriber.coordination import names
from whisper_transcriber.coordination.layout import Items
from whisper_transcriber.errors import (
    OutputTaken,
    PlanChanged,
)

SECONDS = 120
PREFIX = "s3://out/talk/.transcription/u1/"


@pytest.fixture(autouse=True)
def without_the_world(monkeypatch: pytest.MonkeyPatch) -> None:
    stage.leave_the_world(monkeypatch)


@pytest.fixture
def objects() -> Objects:
    return stage.objects(**{"talk.mp3": stage.recording(SECONDS)})


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b'{"uid": "u0", "owner": "media/other"}', "the TranscriptionJob media/other"),
        (b"<html>", "not from a TranscriptionJob"),
        (b"[]", "not from a TranscriptionJob"),
    ],
    ids=["another job's", "no JSON", "other JSON"],
)
def test_a_foreign_manifest_is_respected(
    tmp_path: Path, objects: Objects, content: bytes, named: str
) -> None:
    objects[ObjectUri("out", "talk/manifest.json")] = content
    with pytest.raises(OutputTaken, match=named):
        run(job(tmp_path, MortalStore(objects)))
    assert outputs(objects) == {"talk/manifest.json": content}


def test_a_foreign_manifest_is_replaced_where_the_job_says_so(
    tmp_path: Path, objects: Objects
) -> None:
    manifest = ObjectUri("out", "talk/manifest.json")
    objects[manifest] = b'{"uid": "u0", "owner": "media/other"}'
    run(job(tmp_path, MortalStore(objects), TASK.model_copy(update={"existing": "overwrite"})))
    assert json.loads(objects[manifest])["uid"] == TASK.uid


def test_another_job_that_delivers_meanwhile_is_not_written_over(
    tmp_path: Path, objects: Objects
) -> None:
    foreign = b'{"uid": "u0", "owner": "media/other"}'

    class Late(MortalStore):
        def put(self, uri: ObjectUri, content: bytes, content_type: str = "") -> None:
            super().put(uri, content, content_type)
            if "/parts/" in uri.key:
                objects[ObjectUri("out", "talk/manifest.json")] = foreign

    with pytest.raises(OutputTaken):
        run(job(tmp_path, Late(objects)))
    assert not any(uri.key.startswith("talk/talk.") for uri in objects)


def test_a_plan_that_another_worker_overwrote_is_not_mixed_in(
    tmp_path: Path, objects: Objects
) -> None:
    class Overwritten(MortalStore):
        def put(self, uri: ObjectUri, content: bytes, content_type: str = "") -> None:
            super().put(uri, content, content_type)
            if "/parts/" in uri.key:
                where = ObjectUri.parse(PREFIX).child(names.ITEMS)
                items = Items.model_validate_json(objects[where])
                other = items.model_copy(update={"recipe": "another"})
                objects[where] = other.model_dump_json(by_alias=True).encode()

    with pytest.raises(PlanChanged):
        run(job(tmp_path, Overwritten(objects)))
    assert not any(uri.key.endswith(".txt") for uri in objects)

    run(job(tmp_path, MortalStore(objects)))
    assert "talk/manifest.json" in outputs(objects)
