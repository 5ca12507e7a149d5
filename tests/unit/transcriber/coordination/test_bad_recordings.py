from pathlib import Path
from typing import Any

import pytest

from tests.unit.transcriber import stage
from tests.unit.transcriber.coordination.libraries import LARGE, MANY, library, manifest
from tests.unit.transcriber.stage import Killed, MortalStore, Objects, job, outputs, run
from transcription_contract.locations import ObjectUri
from transcription_contract.options import FailurePolicy
from whisper_transcriber.errors import (
    AllItemsFailed,
    MediaInvalid,
    NotMedia,
    SourceArchived,
    SourceDenied,
    SourceNotFound,
    TranscriberError,
)
from whisper_transcriber.storage.store import StoredObject


@pytest.fixture(autouse=True)
def without_the_world(monkeypatch: pytest.MonkeyPatch) -> None:
    stage.leave_the_world(monkeypatch)


def test_a_bad_recording_among_many_is_reported_and_stops_nobody(tmp_path: Path) -> None:
    fault = stage.recording(1, "is a poem")
    held = library(**{"talks/05b.mp3": fault, "talks/long 0b.wav": fault.ljust(LARGE)})
    given = job(tmp_path, MortalStore(held), MANY)
    run(given)

    found = manifest(held)
    assert [(each.item, each.reason) for each in found.failures] == [
        ("s3://media/talks/05b.mp3", "MediaInvalid"),
        ("s3://media/talks/long 0b.wav", "MediaInvalid"),
    ]
    assert found.failures[0].message == "s3://media/talks/05b.mp3 is a poem"
    assert (found.result().items, found.result().items_failed) == (16, 2)
    assert "x/05.mp3.txt" in outputs(held)
    assert "x/05b.mp3.txt" not in outputs(held)
    done = given.metrics.registry.get_sample_value("transcription_worker_items_done")
    failed = given.metrics.registry.get_sample_value("transcription_worker_items_failed")
    assert (done, failed) == (16, 2)


def test_where_the_job_says_so_the_first_bad_recording_ends_it(tmp_path: Path) -> None:
    held = library(**{"talks/05b.mp3": stage.recording(1, "is a poem")})
    task = MANY.model_copy(update={"failure_policy": FailurePolicy.FAIL_FAST})
    with pytest.raises(MediaInvalid, match=r"05b.mp3 is a poem"):
        run(job(tmp_path, MortalStore(held), task))
    assert "x/manifest.json" not in outputs(held)


def test_a_job_of_nothing_but_bad_recordings_fails_again_and_again(tmp_path: Path) -> None:
    held = stage.objects(**{f"talks/{n}": stage.recording(1, "is a poem") for n in range(3)})
    for _ in range(2):
        with pytest.raises(AllItemsFailed, match=r"none of the 3 .*talks/0 is a poem"):
            run(job(tmp_path, MortalStore(held), MANY))
        assert not any("/.transcription/" in uri.key for uri in held)
    assert len(manifest(held).failures) == 3


def test_a_recording_replaced_after_it_was_planned_fails_alone(tmp_path: Path) -> None:
    held = library()

    class Replaced(MortalStore):
        def put(self, uri: ObjectUri, content: bytes, content_type: str = "") -> None:
            super().put(uri, content, content_type)
            if "/shards/" in uri.key:
                held[ObjectUri("media", "talks/03.mp3")] = stage.recording(99)

    with pytest.raises(Killed):
        run(job(tmp_path, Replaced(held, lives=3), MANY))
    run(job(tmp_path, MortalStore(held), MANY))
    assert [each.item for each in manifest(held).failures] == ["s3://media/talks/03.mp3"]
    assert manifest(held).failures[0].reason == "SourceReplaced"


@pytest.mark.parametrize("policy", list(FailurePolicy))
def test_what_is_no_media_below_a_prefix_is_skipped_and_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, policy: FailurePolicy
) -> None:
    held = library(**{"talks/chat.txt": stage.recording(1, "is a text")})

    def decode(*given: object, uri: str, **more: object) -> None:
        if uri.endswith(".txt"):
            raise NotMedia(f"{uri} is a text")
        stage.decode(*given, uri=uri, **more)  # type: ignore[arg-type]

    monkeypatch.setattr("whisper_transcriber.audio.media.decode", decode)
    run(job(tmp_path, MortalStore(held), MANY.model_copy(update={"failure_policy": policy})))
    found = manifest(held)
    assert found.failures == []
    assert [each.skipped for each in found.items if each.skipped] == [
        "s3://media/talks/chat.txt is a text"
    ]
    assert (found.result().items, found.result().items_skipped) == (15, 1)


class Denied(MortalStore):
    """Refuses some of the recordings."""

    def __init__(self, held: Objects, error: Exception, count: int) -> None:
        super().__init__(held)
        self.error = error
        self.refused = sorted(uri.key for uri in held if uri.bucket == "media")[:count]

    def download(self, source: StoredObject, path: Path, **more: Any) -> None:
        if source.uri.key in self.refused:
            raise self.error
        super().download(source, path, **more)


@pytest.mark.parametrize("error", [SourceDenied, SourceArchived, SourceNotFound])
def test_an_object_that_the_store_refuses_is_one_recording_s_fault(
    tmp_path: Path, error: type[TranscriberError]
) -> None:
    held = library()
    run(job(tmp_path, Denied(held, error("refused"), 2), MANY))
    assert [each.reason for each in manifest(held).failures] == [error.__name__] * 2
    assert len([each for each in manifest(held).items if each.outputs]) == 12


@pytest.mark.parametrize(
    ("error", "raised"),
    [(SourceDenied, SourceDenied), (SourceArchived, AllItemsFailed)],
    ids=["denied", "archived"],
)
def test_a_job_fails_when_every_object_is_refused_with_the_code_of_their_reason(
    tmp_path: Path, error: type[TranscriberError], raised: type[TranscriberError]
) -> None:
    held = library()
    with pytest.raises(raised, match=r"none of the 14 .*: refused") as failed:
        run(job(tmp_path, Denied(held, error("refused"), 99), MANY))
    assert failed.value.exit_code == error.exit_code
