from datetime import timedelta

import pytest

from tests.unit.operator.builders import NOW
from transcription_operator.policies.event_series import BURST, REFILL, EventSeries, Series
from transcription_operator.policies.events import EventDraft

STUCK = EventDraft("Warning", "QuotaExceeded", 'pods "a-0-x7k2p" is forbidden: used: 4')
MINUTE = timedelta(minutes=1)


def test_the_first_event_is_a_new_one():
    assert EventSeries().note("u", STUCK, NOW) == Series(NOW, NOW, 1)


def test_the_same_event_within_ten_minutes_of_the_last_is_counted():
    series = EventSeries()
    for i in range(4):
        found = series.note("u", STUCK, NOW + i * 9 * MINUTE)
    assert found == Series(NOW, NOW + 27 * MINUTE, 4)


def test_the_same_event_after_that_is_a_new_one():
    series = EventSeries()
    series.note("u", STUCK, NOW)
    later = NOW + 10 * MINUTE
    assert series.note("u", STUCK, later) == Series(later, later, 1)


OTHERS = [
    ("another owner", "v", STUCK, 1),
    ("another type", "u", EventDraft("Normal", STUCK.reason, STUCK.message), 1),
    ("another reason", "u", EventDraft("Warning", "PodRefused", STUCK.message), 1),
    ("another message", "u", EventDraft("Warning", STUCK.reason, "no room"), 1),
    ("another number and pod", "u",
     EventDraft("Warning", STUCK.reason, 'pods "a-0-qqqqq" is forbidden: used: 5'), 2),
]  # fmt: skip


@pytest.mark.parametrize(
    ("uid", "draft", "count"), [o[1:] for o in OTHERS], ids=[o[0] for o in OTHERS]
)
def test_what_is_the_same_event(uid, draft, count):
    series = EventSeries()
    series.note("u", STUCK, NOW)
    found = series.note(uid, draft, NOW + MINUTE)
    assert found is not None
    assert found.count == count


def test_an_owner_has_a_budget_and_the_others_have_their_own():
    series = EventSeries()
    assert all(series.note("u", STUCK, NOW) for _ in range(BURST))
    assert series.note("u", STUCK, NOW) is None
    assert series.note("v", STUCK, NOW) is not None
    assert series.note("u", STUCK, NOW + REFILL) is not None
    assert series.note("u", STUCK, NOW + REFILL) is None


def test_only_so_many_owners_are_remembered_those_that_had_an_event_last():
    series = EventSeries(most_owners=2)
    for uid in ("u", "v", "u", "w"):
        series.note(uid, STUCK, NOW)
    assert len(series) == 2
    found = series.note("u", STUCK, NOW)
    assert found is not None
    assert found.count == 3
