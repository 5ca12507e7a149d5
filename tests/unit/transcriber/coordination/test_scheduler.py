"""Many recordings and many workers, with the store in memory."""

import json
import os
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache, partial
from pathlib import Path

import pytest

from tests.unit.transcriber import stage
from tests.unit.transcriber.stage import TASK, Killed, MortalStore, Objects, job, outputs, run
from transcription_contract.locations import ObjectUri
from transcription_contract.options import Decoding, DecodingMode, FailurePolicy
from whisper_transcriber.coordination.manifest import Manifest
from whisper_transcriber.errors import AllItemsFailed, MediaInvalid, SourceNotFound

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
