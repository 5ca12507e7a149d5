"""What is kept of the objects of one kind, to be found by their names and by an index."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Generic, Protocol, TypeVar

from transcription_kube.keys import namespace_of


class Versioned(Protocol):
    """What is kept of an object; its resourceVersion does not count when two are compared."""

    @property
    def version(self) -> int:
        """resourceVersions of one resource can be compared as numbers since Kubernetes 1.35
        (https://github.com/kubernetes/enhancements/issues/5504), and could always be in etcd's."""


T = TypeVar("T", bound=Versioned)


class Store(Generic[T]):
    """Objects by namespace/name, and by an index.

    ``index``: namespace/name and the object -> the value to find it by, or None.
    ``heard``: the resourceVersion up to which all changes have been told, by namespace (None:
    all of them).
    """

    def __init__(self, index: Callable[[str, T], str | None]) -> None:
        self.heard: dict[str | None, int] = {}
        self._index = index
        self._items: dict[str, T] = {}
        self._groups: dict[str, dict[str, T]] = defaultdict(dict)

    def __len__(self) -> int:
        return len(self._items)

    @property
    def items(self) -> Mapping[str, T]:
        """Everything, by namespace/name."""
        return self._items

    def get(self, key: str) -> T | None:
        """The object namespace/name."""
        return self._items.get(key)

    def group(self, value: str) -> tuple[T, ...]:
        """All objects with that value of the index, by name."""
        found = self._groups.get(value)
        return tuple(found[key] for key in sorted(found)) if found else ()

    def counts(self) -> dict[str, int]:
        """How many objects there are of each value of the index."""
        return {value: len(group) for value, group in self._groups.items()}

    def put(self, key: str, item: T | None) -> T | None:
        """Set or (with None) remove an object; what was there before."""
        before = self._items.pop(key, None)
        if before is not None and (old := self._index(key, before)) is not None:
            group = self._groups[old]
            group.pop(key, None)
            if not group:
                del self._groups[old]
        if item is not None:
            self._items[key] = item
            if (new := self._index(key, item)) is not None:
                self._groups[new][key] = item
        return before

    def learn(self, key: str, item: T) -> None:
        """Keep what the API server answered to a request, unless a watch was quicker and has told
        of that moment already, and perhaps of the object's end."""
        heard = self.heard.get(namespace_of(key)) or self.heard.get(None) or 0
        known = self.get(key)
        if item.version > max(heard, known.version if known else 0):
            self.put(key, item)
