"""Objects that the store does not let be read: one item's fault, or the job's when all are."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.transcriber import stage
from tests.unit.transcriber.stage import TASK, MortalStore, job, outputs, run
from transcription_contract.locations import ObjectUri
from whisper_transcriber.coordination.manifest import Manifest
from whisper_transcriber.errors import AccessDenied, AllItemsFailed, SourceArchived, SourceDenied
from whisper_transcriber.storage.store import StoredObject, nothing

MANY = TASK.model_copy(
    update={"source_uri": "s3://media/talks/", "output_uri": "s3://out/x/", "language": "de"}
)


class Refusing(MortalStore):
    """Refuses to read some recordings."""

    refused: dict[str, type[Exception]]

    def download(
        self,
        source: StoredObject,
        path: Path,
        *,
        resume: bool = False,
        at_each_chunk: Callable[[], None] = nothing,
    ) -> None:
        if kind := self.refused.get(source.uri.key):
            raise kind(f"{source.uri} is refused: {kind.__name__}")
        super().download(source, path, resume=resume, at_each_chunk=at_each_chunk)


@pytest.fixture(autouse=True)
def without_the_world(monkeypatch: pytest.MonkeyPatch) -> None:
    stage.leave_the_world(monkeypatch)


def refusing(**refused: type[Exception]) -> Refusing:
    store = Refusing(stage.objects(**{f"talks/{n}.mp3": stage.recording(5) for n in range(5)}))
    store.refused = {f"talks/{name}.mp3": kind for name, kind in refused.items()}
    return store


def test_two_of_five_that_are_refused_leave_three_transcripts(tmp_path: Path) -> None:
    store = refusing(**{"1": SourceArchived, "3": SourceDenied})
    run(job(tmp_path, store, MANY))
    found = Manifest.model_validate_json(store.objects[ObjectUri("out", "x/manifest.json")])
    assert [(each.item, each.reason) for each in found.failures] == [
        ("s3://media/talks/1.mp3", "SourceArchived"),
        ("s3://media/talks/3.mp3", "SourceDenied"),
    ]
    assert len([name for name in outputs(store.objects) if name.endswith(".txt")]) == 3


def test_when_all_are_denied_the_job_is_denied(tmp_path: Path) -> None:
    store = refusing(**dict.fromkeys("01234", SourceDenied))
    with pytest.raises(SourceDenied, match=r"none of the 5 .* s3://media/talks/0.mp3 is") as raised:
        run(job(tmp_path, store, MANY))
    assert raised.value.exit_code == AccessDenied.exit_code == 77


def test_when_all_fail_for_several_reasons_all_have_failed(tmp_path: Path) -> None:
    store = refusing(**{**dict.fromkeys("0123", SourceDenied), "4": SourceArchived})
    with pytest.raises(AllItemsFailed):
        run(job(tmp_path, store, MANY))
