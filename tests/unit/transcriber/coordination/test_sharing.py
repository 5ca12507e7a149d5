"""What workers share: each window decoded once, nothing fetched twice, and few requests."""

import os
import threading
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.unit.transcriber import stage
from tests.unit.transcriber.stage import (
    TASK,
    CountingEngine,
    Killed,
    MortalStore,
    Objects,
    job,
    outputs,
    recording,
)
from tests.unit.transcriber.stores import CountingStore, MemoryStore
from transcription_contract.locations import ObjectUri
from transcription_contract.options import OutputFormat
from transcription_contract.task import Task
from whisper_transcriber import pipeline
from whisper_transcriber.coordination import listing, patience, scheduler, state
from whisper_transcriber.coordination.manifest import Manifest
from whisper_transcriber.engine.protocol import DecodingResult

LARGE = (4 << 20) + 1
MANY = TASK.model_copy(
    update={"source_uri": "s3://media/talks/", "output_uri": "s3://out/x/", "language": "de"}
)


@pytest.fixture(autouse=True)
def without_the_world(monkeypatch: pytest.MonkeyPatch) -> None:
    stage.leave_the_world(monkeypatch)


@pytest.fixture
def as_in_reality(monkeypatch: pytest.MonkeyPatch) -> None:
    """Claims are believed, and listings are not repeated at once."""
    monkeypatch.setattr(patience, "CLAIM_SECONDS", 5.0)
    monkeypatch.setattr(patience, "CLAIM_BATCHES", 2.0)
    monkeypatch.setattr(scheduler, "DELIVERY_SECONDS", 10.0)
    monkeypatch.setattr(scheduler, "LOOK_SECONDS", 10.0)
    monkeypatch.setattr(scheduler, "HELP_SECONDS", 1.0)
    monkeypatch.setattr(listing, "PATIENCE_SECONDS", 30)


def side_by_side(
    directory: Path, stores: Sequence[MemoryStore], engines: Sequence[CountingEngine], task: Task
) -> None:
    errors: list[BaseException] = []

    def work(worker: int) -> None:
        (directory / str(worker)).mkdir()
        given = job(directory / str(worker), stores[worker], task, worker)
        try:
            pipeline.run(given, lambda *_: engines[worker])
        except BaseException as error:
            errors.append(error)
            raise

    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(len(stores))]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert not errors


@pytest.mark.usefixtures("as_in_reality")
def test_workers_on_different_devices_decode_each_window_once(tmp_path: Path) -> None:
    held = stage.objects(**{"talk.mp3": recording(1000)})
    task = TASK.model_copy(update={"workers": 2, "language": "de"})
    engines = [CountingEngine(device, seconds=0.05) for device in ("NVIDIA A100", "NVIDIA L4")]
    side_by_side(tmp_path, [CountingStore(held), CountingStore(held)], engines, task)

    decoded = [window for engine in engines for window in engine.decoded]
    assert len(decoded) == len(set(decoded)) >= 80
    assert min(len(engine.decoded) for engine in engines) > len(decoded) * 0.2
    manifest = Manifest.model_validate_json(held[ObjectUri("out", "talk/manifest.json")])
    assert manifest.devices == ("NVIDIA A100", "NVIDIA L4")


CHANGED = [("two more", 2, 4), ("one more", 1, 2), ("two less", 4, 2)]


@pytest.mark.parametrize("source", ["one recording", "many recordings"])
@pytest.mark.parametrize(("told", "there"), [c[1:] for c in CHANGED], ids=[c[0] for c in CHANGED])
def test_workers_share_a_job_whose_number_of_workers_was_changed_while_it_ran(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, told: int, there: int
) -> None:
    monkeypatch.setattr(patience, "CLAIM_SECONDS", 5.0)
    many = {f"talks/{n:03}.mp3": recording(30 + n).ljust(10 + n) for n in range(16)}
    held = stage.objects(**(many if source == "many recordings" else {"talk.mp3": recording(500)}))
    task = MANY if source == "many recordings" else TASK.model_copy(update={"language": "de"})
    (tmp_path / "alone").mkdir()
    alone = dict(held)
    pipeline.run(job(tmp_path / "alone", MortalStore(alone), task), lambda *_: CountingEngine())

    changed = task.model_copy(update={"workers": told})
    engines = [CountingEngine(seconds=0.05) for _ in range(there)]
    side_by_side(tmp_path, [CountingStore(held) for _ in engines], engines, changed)
    assert texts(held) == texts(alone)
    assert all(engine.decoded for engine in engines)
    decoded = [window for engine in engines for window in engine.decoded]
    if told > 1:
        assert len(decoded) == len(set(decoded))
    assert not [key for key in outputs(held) if "/.transcription/" in key]


def texts(held: Objects) -> dict[str, bytes]:
    return {key: text for key, text in outputs(held).items() if key.endswith(".txt")}


def test_a_resume_on_another_device_decodes_nothing_again(tmp_path: Path) -> None:
    held = stage.objects(**{"talk.mp3": recording(400)})
    first, second = CountingEngine("NVIDIA A100"), CountingEngine("NVIDIA L4")
    with suppress(Killed):
        pipeline.run(job(tmp_path, MortalStore(held, lives=20)), lambda *_: first)
    pipeline.run(job(tmp_path, MortalStore(held)), lambda *_: second)
    assert len(first.decoded) >= 10
    # Killed while it stored the last one.
    assert set(first.decoded[:-1]).isdisjoint(second.decoded)
    texts = outputs(held)["talk/talk.txt"].decode().split()
    assert sorted(texts) == sorted({*first.decoded, *second.decoded})


@pytest.mark.parametrize("size", [10, 5 << 20], ids=["small", "large"])
def test_a_resume_fetches_exactly_what_is_not_delivered(tmp_path: Path, size: int) -> None:
    held = stage.objects(**{f"talks/{n:03}.wav": recording(30).ljust(size) for n in range(40)})
    task = MANY.model_copy(update={"batch_size": 32 if size > 10 else 4})

    class Killing(MortalStore):
        """Dies as soon as 30 recordings are delivered."""

        def put(self, uri: ObjectUri, content: bytes, content_type: str = "") -> None:
            super().put(uri, content, content_type)
            texts = sum(each.key.endswith(".txt") for each in tuple(held))
            if "/delivered/" in uri.key and texts >= 30:
                raise Killed

    with pytest.raises(Killed):
        pipeline.run(job(tmp_path, Killing(held), task), lambda *_: CountingEngine())
    left = {key for key in sources(held) if f"x/{key.rpartition('/')[2]}.txt" not in outputs(held)}

    resumed = CountingStore(held)
    pipeline.run(job(tmp_path, resumed, task), lambda *_: CountingEngine())
    fetched = [key for key in resumed.downloads if key.startswith("talks/")]
    assert sorted(fetched) == sorted(left)
    assert len(left) == 10


def sources(held: Objects) -> list[str]:
    return [uri.key for uri in held if uri.key.startswith("talks/")]


def test_a_group_that_is_half_decoded_fetches_what_it_still_needs(tmp_path: Path) -> None:
    held = stage.objects(**{f"talks/{n}.wav": recording(20) for n in range(6)})
    task = MANY.model_copy(update={"batch_size": 6})
    with suppress(Killed):
        pipeline.run(job(tmp_path, MortalStore(held, lives=3), task), lambda *_: CountingEngine())
    assert sum("/parts/" in uri.key for uri in held) == 1, "6 of 12 windows"

    resumed = CountingStore(held)
    pipeline.run(job(tmp_path, resumed, task), lambda *_: CountingEngine())
    assert sorted(resumed.downloads) == ["talks/3.wav", "talks/4.wav", "talks/5.wav"]


@pytest.mark.usefixtures("as_in_reality")
def test_eight_workers_at_a_far_store_need_few_requests(tmp_path: Path) -> None:
    held = stage.objects(
        **{f"talks/{n:03}.wav": recording(600).ljust(LARGE + n) for n in range(40)}
    )
    task = MANY.model_copy(update={"workers": 8, "batch_size": 8})
    stores = [CountingStore(held, latency=0.025) for _ in range(8)]
    engines = [CountingEngine(seconds=0.1) for _ in range(8)]
    side_by_side(tmp_path, stores, engines, task)
    batches = sum(uri.endswith("json") and "/parts/" in uri for s in stores for uri in s.written)
    requests = sum((store.requests for store in stores), start=Counter[str]())
    each = sum(requests.values()) / batches
    print(f"{each:.1f} requests a batch, {batches} batches: {dict(requests)}")
    decoded = [window for engine in engines for window in engine.decoded]
    assert len(decoded) == len(set(decoded))
    assert each <= 6
    fetched = [key for store in stores for key in store.downloads if key.startswith("talks/")]
    assert len(set(fetched)) == 40
    assert len(fetched) < 1.3 * 40


@pytest.mark.usefixtures("as_in_reality")
def test_the_bytes_read_for_bookkeeping_grow_with_the_recordings_and_not_with_their_square(
    tmp_path: Path,
) -> None:
    recordings, workers = int(os.environ.get("RECORDINGS", "1000")), 4
    name = "talks/call-center/2026/11/26/agent-{:06}-queue-support.wav"
    held = stage.objects(**{name.format(n): recording(1) for n in range(recordings)})
    task = MANY.model_copy(
        update={"workers": workers, "batch_size": 64, "formats": (OutputFormat.TXT,)}
    )
    stores = [CountingStore(held) for _ in range(workers)]
    side_by_side(tmp_path, stores, [CountingEngine() for _ in range(workers)], task)
    read = sum((store.bytes_read for store in stores), start=Counter[str]())
    print(f"{sum(read.values()) / 1e6:.1f} MB read for bookkeeping: {dict(read)}")
    assert sum(read.values()) <= 50e6 * recordings / 10_000
    assert sum(uri.key.endswith(".txt") for uri in held) == recordings


def test_a_worker_with_an_old_view_decodes_nothing_in_a_workspace_that_was_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = stage.objects(**{"talk.mp3": recording(200)})
    task = TASK.model_copy(update={"workers": 2, "language": "de"})
    sibling = CountingEngine()

    class SlowEngine(CountingEngine):
        def decode(self, *given: Any, **options: Any) -> list[DecodingResult]:
            if not self.decoded:
                pipeline.run(job(tmp_path / "1", MortalStore(held), task, 1), lambda *_: sibling)
                monkeypatch.setattr(state, "LISTING_SHARE", 1e9)
                monkeypatch.setattr(scheduler, "LOOK_SECONDS", 1e-9)
            return super().decode(*given, **options)

    (tmp_path / "0").mkdir()
    (tmp_path / "1").mkdir()
    engine = SlowEngine()
    assert pipeline.run(job(tmp_path / "0", MortalStore(held), task), lambda *_: engine) is None
    assert len(engine.decoded) == 1
    assert set(engine.decoded) < set(sibling.decoded)
    assert not any("/.transcription/" in uri.key for uri in held)
