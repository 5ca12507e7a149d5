import pytest
from hypothesis import given
from hypothesis import strategies as st

from transcription_contract.decoding import Decoding, DecodingMode, LanguagePer
from transcription_contract.options import ModelReference
from transcription_contract.task import Task
from whisper_transcriber.audio.windows import Batch, Span, Window
from whisper_transcriber.coordination.layout import (
    GROUP_BYTES,
    GROUP_ITEMS,
    SLICED_ITEMS_PER_WORKER,
    SMALL_BYTES,
    Group,
    ItemPlan,
    Items,
    Recipe,
    Shard,
    ShardPlan,
    SourceItem,
    groups,
    recipe,
)
from whisper_transcriber.coordination.names import part_names

HOW = Recipe(
    etags=("e",),
    model_sha256="0" * 64,
    engine="fake",
    task="transcribe",
    decoding=Decoding(),
    times_words=False,
    batch_size=8,
)
WINDOW = Window(item=0, start=0, stop=10, speech=(Span(0, 10),))
PLAN = ShardPlan(
    items=(ItemPlan(samples=30, language="en"),),
    batches=(Batch(samples=20, windows=(WINDOW,)), Batch(samples=10, windows=())),
)
SHARD = Shard(7, 3)


def task(**changes: object) -> Task:
    values: dict[str, object] = {
        "uid": "u",
        "owner": "ns/job",
        "source_uri": "s3://media/a/",
        "output_uri": "s3://out/",
        "secret_name": "s",
        "model": ModelReference(name="tiny"),
        **changes,
    }
    return Task.model_validate(values)


def sources(*sizes: int) -> list[SourceItem]:
    return [
        SourceItem(uri=f"s3://media/a/{number}", etag=f"e{number}", bytes=size, name=str(number))
        for number, size in enumerate(sizes)
    ]


@given(
    sizes=st.lists(st.integers(0, 2 * SMALL_BYTES), min_size=1, max_size=300),
    workers=st.integers(1, 50),
    batch_size=st.integers(1, 64),
)
def test_every_recording_is_in_exactly_one_group(
    sizes: list[int], workers: int, batch_size: int
) -> None:
    made = groups(sources(*sizes), task(workers=workers, batch_size=batch_size))
    scarce = len(sizes) == 1 or len(sizes) < SLICED_ITEMS_PER_WORKER * workers
    assert [item for group in made for item in group.items] == list(range(len(sizes)))
    for group in made:
        held = [sizes[item] for item in group.items]
        assert len(held) <= GROUP_ITEMS
        assert sum(held) <= GROUP_BYTES
        assert group.sliced == (scarce and (len(sizes) == 1 or held[0] > SMALL_BYTES))
        assert not group.sliced or len(held) == 1


@pytest.mark.parametrize(
    ("items", "workers", "expected"),
    [(1000, 1, 64), (1000, 8, 32), (20, 1, 8), (8, 8, 1), (9, 3, 3)],
    ids=["many for one", "many for eight", "a batch for one", "one for each", "few for three"],
)
def test_groups_fill_batches_and_leave_enough_for_every_worker(
    items: int, workers: int, expected: int
) -> None:
    made = groups(sources(*[1000] * items), task(workers=workers))
    assert made[0] == Group(first=0, count=expected, sliced=False)


def test_a_single_recording_is_sliced_however_small_it_is() -> None:
    assert groups(sources(1), task()) == (Group(first=0, count=1, sliced=True),)


@pytest.mark.parametrize(
    ("items", "workers", "per", "sliced"),
    [
        (3, 1, "recording", True),
        (4, 1, "recording", False),
        (31, 8, "recording", True),
        (32, 8, "recording", False),
        (32, 8, "slice", True),
    ],
    ids=["scarce for one", "enough for one", "scarce for eight", "enough for eight", "languages"],
)
def test_large_recordings_are_sliced_only_where_they_are_scarcer_than_workers(
    items: int, workers: int, per: str, sliced: bool
) -> None:
    decoding = Decoding(language_per=LanguagePer(per))
    made = groups(sources(*[SMALL_BYTES + 1] * items), task(workers=workers, decoding=decoding))
    assert {group.sliced for group in made} == {sliced}


def test_openai_whisper_s_own_loop_gets_whole_recordings() -> None:
    sequential = task(decoding=Decoding(mode=DecodingMode.SEQUENTIAL))
    made = groups(sources(1, 2 * SMALL_BYTES, 1), sequential)
    assert made == tuple(Group(first=number, count=1, sliced=False) for number in range(3))


def test_a_part_is_named_after_its_shard_unit_and_recipe() -> None:
    first, second = part_names(SHARD, PLAN, HOW)
    assert first.startswith("groups/000007/parts/3.0.")
    assert second.startswith("groups/000007/parts/3.1.")
    assert first.split(".")[2:] == second.split(".")[2:]
    assert part_names(SHARD, PLAN, HOW) == [first, second]


@pytest.mark.parametrize(
    "change",
    [
        {"etags": ("other",)},
        {"model_sha256": "1" * 64},
        {"engine": "openai-whisper 2"},
        {"task": "translate"},
        {"decoding": Decoding(initial_prompt="Kubernetes")},
        {"times_words": True},
        {"batch_size": 4},
    ],
    ids=lambda change: next(iter(change)),
)
def test_parts_of_another_recipe_have_other_names(change: dict[str, object]) -> None:
    other = HOW.model_copy(update=change)
    assert set(part_names(SHARD, PLAN, other)).isdisjoint(part_names(SHARD, PLAN, HOW))


@pytest.mark.parametrize(
    "change",
    [{"items": (ItemPlan(samples=30, language="de"),)}, {"batches": PLAN.batches[:1]}],
    ids=["another language", "other batches"],
)
def test_parts_of_another_plan_have_other_names(change: dict[str, object]) -> None:
    other = PLAN.model_copy(update=change)
    assert set(part_names(SHARD, other, HOW)).isdisjoint(part_names(SHARD, PLAN, HOW))


def test_a_plan_survives_storage() -> None:
    stored = PLAN.model_dump_json(by_alias=True)
    assert ShardPlan.model_validate_json(stored) == PLAN


def test_the_recipe_takes_etags_from_the_stored_list() -> None:
    items = Items(
        items=tuple(sources(1, 1, 1)),
        groups=(Group(first=0, count=1, sliced=False), Group(first=1, count=2, sliced=False)),
        slice_samples=1,
    )
    how = recipe(task(batch_size=3), items, 1, "f" * 64, "fake")
    assert (how.etags, how.batch_size, how.engine) == (("e1", "e2"), 3, "fake")
