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
from tests.unit.transcriber.coordination.libraries import LARGE, MANY, library, manifest
from tests.unit.transcriber.stage import Killed, MortalStore, job, outputs, run
from transcription_contract.decoding import Decoding, DecodingMode
from transcription_contract.locations import ObjectUri
from whisper_transcriber.coordination.manifest import Manifest
from whisper_transcriber.errors import (
    PlanChanged,
    SourceNotFound,
)


@pytest.fixture(autouse=True)
def without_the_world(monkeypatch: pytest.MonkeyPatch) -> None:
    stage.leave_the_world(monkeypatch)


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
