import pytest

from tests.unit.transcriber.stores import MemoryStore
from whisper_transcriber.coordination.claims import Claims
from whisper_transcriber.coordination.layout import Group, Shard
from whisper_transcriber.coordination.state import WorkspaceState
from whisper_transcriber.coordination.workspace import Workspace

PARTS = [
    "groups/000000/parts/0.0.0.json",
    "groups/000000/parts/0.1.0.json",
    "groups/000000/parts/0.2.0.json",
]
SHARD = Shard(0, 0)


def board(*names: str, worker: int = 0, workers: int = 3) -> Claims:
    state = WorkspaceState(Workspace(MemoryStore(), "s3://out/", "u1"))
    state.take_note(names)
    return Claims(worker, workers, state)


@pytest.mark.parametrize(
    ("names", "open_batches", "free_batches"),
    [
        ((), [0, 1, 2], [0, 1, 2]),
        ((PARTS[1],), [0, 2], [0, 2]),
        (("groups/000000/leases/0.2.0",), [0, 1, 2], [0, 1]),
        (("groups/000000/leases/1.2.0", "groups/000001/leases/0.2.0"), [0, 1, 2], [0, 1, 2]),
        (
            (
                PARTS[0],
                "groups/000000/leases/0.0.0",
                "groups/000000/leases/0.1.0",
                "groups/000000/leases/0.1.1",
            ),
            [1, 2],
            [2],
        ),
        (("groups/000000/leases/delivery.0", "groups/leases/manifest.0"), [0, 1, 2], [0, 1, 2]),
    ],
    ids=["nothing yet", "a part", "a claim", "other shards'", "all of it", "other claims"],
)
def test_batches_are_open_until_stored_and_free_until_claimed(
    names: tuple[str, ...], open_batches: list[int], free_batches: list[int]
) -> None:
    seen = board(*names)
    assert seen.open_batches(PARTS) == open_batches
    assert seen.free_batches(SHARD, PARTS) == free_batches


def test_what_a_restarted_worker_had_claimed_is_free_again_and_nobody_else_s() -> None:
    seen = board(
        PARTS[1],
        "groups/000000/leases/0.0.0",
        "groups/000000/leases/0.1.0",
        "groups/000000/leases/0.2.0",
        worker=1,
    )
    read: list[str] = []

    def worker_of(what: str) -> int:
        read.append(what)
        return {"0.0.0": 1, "0.0.2": 2}[what]

    seen.find_left_behind(worker_of)
    assert seen.free_batches(SHARD, PARTS) == [0]
    assert sorted(read) == ["0.0.0", "0.0.2"], "the claim of a stored part is not read"
    assert seen.attempt("0.0.0") == 1
    seen.took("0.0.0")
    assert seen.free_batches(SHARD, PARTS) == []


def test_the_shard_with_the_most_left_for_each_worker_at_it_is_helped() -> None:
    named = {
        Shard(0, 0): [f"groups/000000/parts/0.{batch}.0.json" for batch in range(6)],
        Shard(0, 1): [f"groups/000000/parts/1.{batch}.0.json" for batch in range(5)],
        Shard(0, 2): [],
    }
    alone = board(worker=2)
    assert alone.most_left(named, named) == Shard(0, 0)
    in_company = board("groups/000000/leases/0.0.0", worker=2)
    assert in_company.most_left(named, named) == Shard(0, 1)


def test_a_shard_that_nobody_has_begun_with_comes_before_all_others() -> None:
    named = {Shard(0, 0): PARTS}
    assert board(worker=2).most_left(named, [Shard(0, 0), Shard(0, 1)]) == Shard(0, 1)


def test_of_equals_each_worker_helps_another() -> None:
    every = [Shard(0, number) for number in range(4)]
    chosen = [board(worker=worker, workers=4).most_left({}, every) for worker in range(4)]
    assert sorted(each.slice for each in chosen if each) == [0, 1, 2, 3]


def test_there_is_nothing_to_help_with_when_all_is_stored_or_claimed() -> None:
    seen = board(PARTS[0], PARTS[1], "groups/000000/leases/0.2.0")
    assert seen.most_left({SHARD: PARTS}, [SHARD]) is None


def test_every_group_is_somebody_s_and_every_slice_too() -> None:
    groups = [Group(first=number, count=1, sliced=number % 2 == 0) for number in range(7)]
    firsts, slices = [], []
    for worker in range(3):
        first, later = board(worker=worker).own_first(groups)
        firsts += first
        for group in [*(each for each in first if groups[each].sliced), *later]:
            begin, step = board(worker=worker).own_slices(group)
            slices += [(group, number) for number in range(begin, 9, step)]
    assert sorted(firsts) == list(range(7))
    assert sorted(slices) == [(group, number) for group in (0, 2, 4, 6) for number in range(9)]


def test_of_an_owner_s_shards_the_last_is_helped_first() -> None:
    every = [Shard(number, 0) for number in range(6)]
    assert board(worker=2).most_left({}, every) == Shard(5, 0)
