"""Which Events are worth a request, as client-go's record.EventCorrelator decides it. Pure.

The same Event within ten minutes is counted in a series instead of becoming another object, and
each TranscriptionJob has a budget: 25 requests at once, and one in five minutes after that.
"""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta

from transcription_operator.policies.events import EventDraft
from transcription_operator.policies.wording import skeleton

WINDOW = timedelta(minutes=10)
BURST = 25
REFILL = timedelta(minutes=5)
_MOST_OWNERS = 4096
"""As client-go's cache: the owner whose last Event is longest ago is forgotten first."""

_Key = tuple[str, str, str]


@dataclass(frozen=True)
class Series:
    """An Event that was posted; ``began`` gives it its name, ``count`` is how often it occurred."""

    began: datetime
    last: datetime
    count: int = 1


class EventSeries:
    """Remembers the Events of each owner."""

    def __init__(self, most_owners: int = _MOST_OWNERS) -> None:
        self._owners: OrderedDict[str, _Owner] = OrderedDict()
        self._most_owners = most_owners

    def __len__(self) -> int:
        """Number of owners whose Events are remembered."""
        return len(self._owners)

    def note(self, owner_uid: str, draft: EventDraft, now: datetime) -> Series | None:
        """The series with this occurrence; a count of 1 is a new Event, None is over the budget."""
        owner = self._owners.setdefault(owner_uid, _Owner(now))
        self._owners.move_to_end(owner_uid)
        if len(self._owners) > self._most_owners:
            self._owners.popitem(last=False)
        return owner.note(draft, now) if owner.take_token(now) else None


class _Owner:
    def __init__(self, now: datetime) -> None:
        self._tokens = float(BURST)
        self._filled = now
        self._series: dict[_Key, Series] = {}

    def take_token(self, now: datetime) -> bool:
        self._tokens = min(float(BURST), self._tokens + (now - self._filled) / REFILL)
        self._filled = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    def note(self, draft: EventDraft, now: datetime) -> Series:
        recent = {key: s for key, s in self._series.items() if now - s.last < WINDOW}
        key = (draft.kind, draft.reason, skeleton(draft.message))
        past = recent.get(key)
        series = Series(past.began, now, past.count + 1) if past else Series(now, now)
        self._series = recent | {key: series}
        return series
