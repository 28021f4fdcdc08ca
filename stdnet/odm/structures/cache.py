"""What structures keep here: the content, if it was loaded, and the changes that wait to be sent. Pure.

The methods that change a cache are named like the operations of its kind. Values come here in their stored forms.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

Calls: TypeAlias = list[tuple[str, tuple[Any, ...]]]
"""Operations and their arguments."""


class StructureCache:
    """The loaded content, ``cache``, which is ``None`` if it is not loaded, and whether the structure is to go."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forget what was loaded and what waits."""
        self.cache: Any = None
        self.deleted = False
        self.reset()

    def reset(self) -> None:
        """Forget the changes that wait."""

    def delete(self) -> None:
        """Let the deletion of the structure wait; the changes before it come to nothing."""
        self.clear()
        self.deleted = True

    def items(self) -> Any:
        """Return the loaded content."""
        return self.cache

    def set_cache(self, data: Any) -> None:
        """Keep the loaded content."""
        self.cache = data

    def waiting(self) -> Calls:
        """Return the changes that wait, in the order in which they act."""
        return []

    def calls(self) -> Calls:
        """Return all that waits, in the order in which it acts."""
        return [("delete", ()), *self.waiting()] if self.deleted else self.waiting()

    def absorb(self, other: StructureCache) -> None:
        """Take over what waits in the cache of another handle of the same structure."""
        self.cache = None
        for operation, arguments in other.calls():
            change = getattr(self, operation)
            change(arguments) if arguments else change()


class ListCache(StructureCache):
    """``front`` and ``back``: the values to add there, in the order of the calls."""

    def reset(self) -> None:
        self.front: list[bytes] = []
        self.back: list[bytes] = []

    def push_front(self, values: Iterable[bytes]) -> None:
        """Add values at the front, one after the other."""
        self.front.extend(values)

    def push_back(self, values: Iterable[bytes]) -> None:
        """Add values at the back."""
        self.back.extend(values)

    def waiting(self) -> Calls:
        each = ("push_front", self.front), ("push_back", self.back)
        return [(operation, tuple(values)) for operation, values in each if values]


class SetCache(StructureCache):
    """``toadd`` and ``toremove``: sets of values; the last change of a value counts."""

    def reset(self) -> None:
        self.toadd: set[bytes] = set()
        self.toremove: set[bytes] = set()

    def add(self, values: Sequence[bytes]) -> None:
        """Add values."""
        self.toadd.update(values)
        self.toremove.difference_update(values)

    def remove(self, values: Sequence[bytes]) -> None:
        """Remove values."""
        self.toremove.update(values)
        self.toadd.difference_update(values)

    def waiting(self) -> Calls:
        each = ("add", self.toadd), ("remove", self.toremove)
        return [(operation, tuple(values)) for operation, values in each if values]


class MapCache(StructureCache):
    """``toadd``, a dict, and ``toremove``, a set of its keys; the last change of a key counts."""

    def reset(self) -> None:
        self.toadd: dict[Any, Any] = {}
        self.toremove: set[Any] = set()

    def add(self, pairs: Sequence[tuple[Any, Any]]) -> None:
        """Add pairs of key and value."""
        self.toadd.update(pairs)
        if self.toremove:
            self.toremove.difference_update([key for key, _ in pairs])

    def remove(self, keys: Sequence[Any]) -> None:
        """Remove keys."""
        self.toremove.update(keys)
        for key in keys:
            self.toadd.pop(key, None)

    def waiting(self) -> Calls:
        each = ("add", self.pairs()), ("remove", self.toremove)
        return [(operation, tuple(arguments)) for operation, arguments in each if arguments]

    def pairs(self) -> Sequence[tuple[Any, Any]]:
        """Return what is to be added, as the operation takes it."""
        return list(self.toadd.items())


class TSCache(MapCache):
    """As ``MapCache``, in the order of time."""

    def pairs(self) -> Sequence[tuple[Any, Any]]:
        return sorted(self.toadd.items())


class ZsetCache(MapCache):
    """As ``MapCache``; the keys are the values of the sorted set, and their scores belong to them."""

    def add(self, pairs: Sequence[tuple[float, bytes]]) -> None:
        """Add pairs of score and value."""
        super().add([(value, score) for score, value in pairs])

    def pairs(self) -> Sequence[tuple[Any, Any]]:
        return [(score, value) for value, score in self.toadd.items()]


class StringCache(StructureCache):
    """``data``: the bytes to append."""

    def reset(self) -> None:
        self.data = bytearray()

    def append(self, values: Iterable[bytes]) -> None:
        """Append bytes."""
        self.data += b"".join(values)

    def waiting(self) -> Calls:
        return [("append", (bytes(self.data),))] if self.data else []
