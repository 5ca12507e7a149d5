import pytest

from whisper_transcriber.coordination import names
from whisper_transcriber.coordination.layout import Shard
from whisper_transcriber.coordination.names import Mark


@pytest.mark.parametrize("what", ["3.1.4", "12", "manifest"], ids=["batch", "delivery", "manifest"])
def test_a_claim_s_name_tells_what_is_claimed_and_how_often(what: str) -> None:
    assert names.claim_of(names.claim_name(what, 2)) == (what, 2)


def test_a_mark_is_told_by_its_name() -> None:
    mark = Mark(milliseconds=1_700_000_000_123, group=17, failed=2, samples=480_000)
    assert Mark.parse(mark.name) == mark


def test_names_of_other_kinds_are_not_taken_for_a_claim_a_plan_or_a_part() -> None:
    claim = names.claim_name(names.batch_claim(Shard(1, 2), 3), 0)
    plan = names.shard_name(Shard(1, 2))
    part = "groups/000001/parts/2.3.0123abcd.json"
    kinds = (names.claim_of, names.shard_of, names.batch_of)
    for name, mine in zip((claim, plan, part), kinds, strict=True):
        assert [kind(name) is not None for kind in kinds] == [kind is mine for kind in kinds]
        assert names.group_of(name) == 1
    assert names.batch_of(part) == names.claim_of(claim)[0]  # type: ignore[index]
    assert names.group_of(names.ITEMS) is None


def test_names_sort_by_group_after_what_is_delivered_and_before_items() -> None:
    mark = Mark(milliseconds=1_700_000_000_123, group=999_999, failed=0, samples=0)
    order = [
        mark.name,
        names.audio_name(2),
        names.shard_name(Shard(2, 0)),
        names.audio_name(10),
        names.claim_name(names.MANIFEST_CLAIM, 0),
        names.ITEMS,
    ]
    assert sorted(order) == order
