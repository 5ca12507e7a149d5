import pytest
from hypothesis import given
from hypothesis import strategies as st

from transcription_contract.options import Decoding, ModelReference
from transcription_contract.task import Task
from whisper_transcriber.plan import Span, Unit, Window
from whisper_transcriber.shards import (
    Items,
    Recipe,
    ShardPlan,
    SourceItem,
    part_names,
    recipe,
    shard_order,
)

HOW = Recipe(
    source_etag="e",
    model_sha256="0" * 64,
    engine="fake",
    language="en",
    task="transcribe",
    initial_prompt="",
    batch_size=8,
    threads=2,
)
WINDOW = Window(start=0, stop=10, speech=(Span(0, 10),))
PLAN = ShardPlan(
    item=0,
    start=0,
    stop=30,
    units=(Unit(start=0, stop=20, windows=(WINDOW,)), Unit(start=20, stop=30, windows=())),
)


@given(worker=st.integers(0, 20), workers=st.integers(1, 20), shards=st.integers(1, 50))
def test_every_worker_visits_every_shard_once(worker: int, workers: int, shards: int) -> None:
    visited = [shard for shard, _ in shard_order(worker, workers, shards)]
    assert sorted(visited) == list(range(shards))


@pytest.mark.parametrize(
    ("worker", "workers", "shards", "expected"),
    [
        (0, 1, 3, [(0, False), (1, False), (2, False)]),
        (0, 2, 4, [(0, False), (2, False), (3, True), (1, True)]),
        (1, 2, 4, [(1, False), (3, False), (2, True), (0, True)]),
        (1, 2, 1, [(0, True)]),
        (3, 2, 4, [(1, False), (3, False), (2, True), (0, True)]),
    ],
    ids=["alone", "the first of two", "the second of two", "one too many", "an index too high"],
)
def test_own_shards_come_first_and_others_from_their_end(
    worker: int, workers: int, shards: int, expected: list[tuple[int, bool]]
) -> None:
    assert shard_order(worker, workers, shards) == expected


def test_a_part_is_named_after_its_shard_unit_and_recipe() -> None:
    first, second = part_names(7, PLAN, HOW)
    assert first.startswith("parts/7.0.")
    assert second.startswith("parts/7.1.")
    assert first.split(".")[2:] == second.split(".")[2:]
    assert part_names(7, PLAN, HOW) == [first, second]


@pytest.mark.parametrize(
    "change",
    [
        {"source_etag": "other"},
        {"model_sha256": "1" * 64},
        {"engine": "openai-whisper 2"},
        {"language": "de"},
        {"task": "translate"},
        {"initial_prompt": "Kubernetes"},
        {"batch_size": 4},
        {"threads": 1},
    ],
    ids=lambda change: next(iter(change)),
)
def test_parts_of_another_recipe_have_other_names(change: dict[str, object]) -> None:
    other = HOW.model_copy(update=change)
    assert set(part_names(0, PLAN, other)).isdisjoint(part_names(0, PLAN, HOW))


def test_parts_of_another_plan_have_other_names() -> None:
    other = PLAN.model_copy(update={"stop": 31})
    assert set(part_names(0, other, HOW)).isdisjoint(part_names(0, PLAN, HOW))


def test_a_plan_survives_storage() -> None:
    stored = PLAN.model_dump_json(by_alias=True)
    assert ShardPlan.model_validate_json(stored) == PLAN


def test_the_recipe_takes_threads_from_the_stored_plan() -> None:
    task = Task(
        uid="u",
        owner="ns/job",
        source_uri="s3://media/a.mp3",
        output_uri="s3://out/",
        secret_name="s",
        model=ModelReference(name="tiny"),
        decoding=Decoding(initial_prompt="hello"),
        batch_size=3,
    )
    items = Items(
        items=(SourceItem(uri="s3://media/a.mp3", etag="e1", bytes=1),),
        slice_samples=1,
        threads=7,
    )
    how = recipe(task, items, "f" * 64, "fake", "de")
    assert (how.threads, how.source_etag, how.batch_size) == (7, "e1", 3)
    assert (how.initial_prompt, how.language, how.engine) == ("hello", "de", "fake")
