"""Many recordings and many workers, with the store in memory."""

import json
import os
import random
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest

from tests.unit.transcriber import stage
from tests.unit.transcriber.stage import TASK, Killed, MortalStore, Objects, job, outputs, run
from transcription_contract.decoding import Decoding, DecodingMode, LanguagePer
from transcription_contract.locations import ObjectUri
from transcription_contract.options import FailurePolicy
from whisper_transcriber import pipeline
from whisper_transcriber.audio.facts import WarningKind
from whisper_transcriber.audio.samples import Waveform
from whisper_transcriber.coordination.manifest import Manifest
from whisper_transcriber.errors import (
    AllItemsFailed,
    MediaInvalid,
    NotMedia,
    PlanChanged,
    SourceArchived,
    SourceDenied,
    SourceNotFound,
    TranscriberError,
)
from whisper_transcriber.storage.store import StoredObject

LARGE = 5 << 20
"""Bytes of a recording that gets a group of its own, which is sliced."""

MANY = TASK.model_copy(
    update={"source_uri": "s3://media/talks/", "output_uri": "s3://out/x/", "language": "de"}
)


@pytest.fixture(autouse=True)
def without_the_world(monkeypatch: pytest.MonkeyPatch) -> None:
    stage.leave_the_world(monkeypatch)


def library(**more: bytes) -> Objects:
    """Twelve short recordings, two long ones, and what else is said."""
    short = {f"talks/{n:02}.mp3": stage.recording(5 + n) for n in range(12)}
    long = {f"talks/long {n}.wav": stage.recording(100 + n).ljust(LARGE) for n in range(2)}
    return stage.objects(**short, **long, **more)


def manifest(held: Objects) -> Manifest:
    return Manifest.model_validate_json(held[ObjectUri("out", "x/manifest.json")])


@cache
def alone(directory: Path, workers: int) -> dict[str, bytes]:
    """What one worker delivers that is never killed, though it may be one of many."""
    held, task = library(), MANY.model_copy(update={"workers": workers})
    with pytest.MonkeyPatch.context() as monkeypatch:
        stage.leave_the_world(monkeypatch)
        (directory / str(workers)).mkdir()
        run(job(directory / str(workers), MortalStore(held), task))
    return outputs(held)


@pytest.fixture(scope="module")
def undisturbed_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], dict[str, bytes]]:
    return partial(alone, tmp_path_factory.mktemp("undisturbed"))


@pytest.fixture
def undisturbed(undisturbed_of: Callable[[int], dict[str, bytes]]) -> dict[str, bytes]:
    return undisturbed_of(1)


def test_each_recording_below_a_prefix_is_delivered_under_its_own_name(
    undisturbed: dict[str, bytes],
) -> None:
    names = [f"{n:02}.mp3" for n in range(12)] + ["long 0.wav", "long 1.wav"]
    formats = ("json", "txt", "vtt")
    expected = {f"x/{name}.{each}" for name in names for each in formats}
    assert set(undisturbed) == expected | {"x/manifest.json"}
    assert json.loads(undisturbed["x/07.mp3.json"])["duration"] == 12
    assert json.loads(undisturbed["x/long 1.wav.json"])["duration"] == 101


def test_the_manifest_lists_every_recording_in_order(undisturbed: dict[str, bytes]) -> None:
    found = Manifest.model_validate_json(undisturbed["x/manifest.json"])
    assert [each.uri.rpartition("/")[2] for each in found.items][:2] == ["00.mp3", "01.mp3"]
    assert [round(each.seconds) for each in found.items] == [*range(5, 17), 100, 101]
    assert found.result().items == 14
    assert found.result().audio_seconds == sum(range(5, 17)) + 201
    assert found.failures == []


@pytest.mark.parametrize("workers", [2, 3, 5])
def test_workers_side_by_side_deliver_the_same_text(
    tmp_path: Path, undisturbed_of: Callable[[int], dict[str, bytes]], workers: int
) -> None:
    held, task = library(), MANY.model_copy(update={"workers": workers})
    stores = [MortalStore(held) for _ in range(workers)]

    def work(worker: int) -> None:
        run(job(tmp_path / str(worker), stores[worker], task, worker))

    for worker in range(workers):
        (tmp_path / str(worker)).mkdir()
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(work, range(workers)))
    assert outputs(held) == undisturbed_of(workers)


@pytest.mark.parametrize("seed", range(25))
def test_workers_killed_at_random_writes_deliver_the_same_text(
    tmp_path: Path, undisturbed_of: Callable[[int], dict[str, bytes]], seed: int
) -> None:
    chance = random.Random(seed)
    workers = chance.choice((1, 2, 3, 5))
    held, task = library(), MANY.model_copy(update={"workers": workers})
    for _ in range(chance.randint(1, 6)):
        store = MortalStore(held, lives=chance.randint(0, 60))
        with suppress(Killed):
            run(job(tmp_path, store, task, worker=chance.randrange(workers)))
    run(job(tmp_path, MortalStore(held), task))
    assert outputs(held) == undisturbed_of(workers)


def open_files() -> list[Path]:
    found = []
    for number in os.listdir("/proc/self/fd"):
        with suppress(FileNotFoundError):  # the listing's own
            found.append(Path(os.readlink(f"/proc/self/fd/{number}")))
    return found


def test_what_is_delivered_leaves_the_disk_and_its_file_is_closed(tmp_path: Path) -> None:
    held = library()
    left: list[Path] = []

    class Watching(MortalStore):
        def put(self, uri: ObjectUri, content: bytes, content_type: str = "") -> None:
            super().put(uri, content, content_type)
            if uri.key == "x/manifest.json":
                left.extend((tmp_path / "work").glob("*/*/samples"))
                left.extend(each for each in open_files() if each.is_relative_to(tmp_path))

    run(job(tmp_path, Watching(held), MANY))
    assert left == []


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


@pytest.mark.parametrize(
    ("kind", "lives"), [("/parts/", 6), ("/delivered/", 9)], ids=["a part", "a delivered group"]
)
def test_what_another_version_has_stored_is_made_again(
    tmp_path: Path, kind: str, lives: int
) -> None:
    held = stage.objects(**{f"talks/{n}.wav": stage.recording(100).ljust(LARGE) for n in range(2)})
    while not any(kind in uri.key for uri in held):
        with pytest.raises(Killed):
            run(job(tmp_path, MortalStore(held, lives), MANY))
    stored = next(uri for uri in held if kind in uri.key)
    held[stored] = b'{"said": 1}'
    with pytest.raises(PlanChanged):
        run(job(tmp_path, MortalStore(held), MANY))
    run(job(tmp_path, MortalStore(held), MANY))
    assert all(each.outputs for each in manifest(held).items)


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


@pytest.mark.parametrize(
    ("include", "exclude", "expected"),
    [
        (("*.wav",), (), {"long 0.wav", "long 1.wav"}),
        (("0[12].mp3",), (), {"01.mp3", "02.mp3"}),
        ((), ("*.mp3", "long 0*"), {"long 1.wav"}),
    ],
    ids=["by extension", "by class", "by exclusion"],
)
def test_globs_choose_among_the_recordings(
    tmp_path: Path, include: tuple[str, ...], exclude: tuple[str, ...], expected: set[str]
) -> None:
    held = library()
    task = MANY.model_copy(update={"include": include, "exclude": exclude})
    run(job(tmp_path, MortalStore(held), task))
    assert {each.uri.rpartition("/")[2] for each in manifest(held).items} == expected


def test_a_prefix_that_holds_nothing_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceNotFound, match="s3://media/talks/ holds no recording"):
        run(job(tmp_path, MortalStore(stage.objects()), MANY))


def test_openai_whisper_s_own_loop_hears_each_recording_whole(tmp_path: Path) -> None:
    held = library()
    sequential = Decoding(mode=DecodingMode.SEQUENTIAL)
    task = MANY.model_copy(update={"decoding": sequential, "language": "auto"})
    run(job(tmp_path, MortalStore(held), task))
    found = json.loads(outputs(held)["x/long 0.wav.json"])
    assert [(each["start"], each["end"]) for each in found["segments"]] == [(0.0, 100.0)]
    assert found["language"] == "cy"


def test_languages_are_voted_on_for_each_recording(tmp_path: Path) -> None:
    held = library()
    run(job(tmp_path, MortalStore(held), MANY.model_copy(update={"language": "auto"})))
    assert {each.language for each in manifest(held).items} == {"de"}


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


class Bilingual(stage.DigestEngine):
    """Hears German in the first quarter of a minute and Dutch later, or is not sure."""

    def __init__(self, *ballots: dict[str, float]) -> None:
        super().__init__()
        self.votes = list(ballots)

    def language_probabilities(self, windows: Sequence[Waveform]) -> list[Mapping[str, float]]:
        """One ballot a call, as long as they last."""
        ballot = self.votes.pop(0) if len(self.votes) > 1 else self.votes[0]
        return [ballot for _ in windows]


def test_a_language_found_with_little_certainty_is_a_warning(tmp_path: Path) -> None:
    held = stage.objects(**{"talk.mp3": stage.recording(60)})
    given = job(tmp_path, MortalStore(held), TASK)
    pipeline.run(given, lambda *_: Bilingual({"pl": 0.19, "fr": 0.1}))
    [item] = Manifest.model_validate_json(held[ObjectUri("out", "talk/manifest.json")]).items
    assert item.language == "pl"
    assert [each.kind for each in item.warnings] == [WarningKind.UNCERTAIN_LANGUAGE]
    assert "19%" in item.warnings[0].message


def test_a_language_that_is_stated_or_certain_is_no_warning(tmp_path: Path) -> None:
    for language in ("de", "auto"):
        held = stage.objects(**{"talk.mp3": stage.recording(60)})
        run(job(tmp_path, MortalStore(held), TASK.model_copy(update={"language": language})))
        [item] = Manifest.model_validate_json(held[ObjectUri("out", "talk/manifest.json")]).items
        assert item.warnings == ()


def test_each_slice_may_have_its_own_language(tmp_path: Path) -> None:
    held = stage.objects(**{"talk.mp3": stage.recording(100)})
    decoding = Decoding(language_per=LanguagePer.SLICE)
    given = job(tmp_path, MortalStore(held), TASK.model_copy(update={"decoding": decoding}))
    seen: list[tuple[int, str]] = []

    class Noting(Bilingual):
        def decode(self, windows, languages, *more, **others):  # type: ignore[no-untyped-def]
            seen.extend(
                (len(window), code) for window, code in zip(windows, languages, strict=True)
            )
            return super().decode(windows, languages, *more, **others)

    pipeline.run(given, lambda *_: Noting({"de": 0.9}, {"nl": 0.9}))
    assert {code for _, code in seen} == {"de", "nl"}
    [item] = Manifest.model_validate_json(held[ObjectUri("out", "talk/manifest.json")]).items
    assert item.language == "nl", "the first slice is the shortest"
