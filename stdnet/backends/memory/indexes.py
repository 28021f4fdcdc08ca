"""The indices of a column and the order of a table: plain containers with one small interface each.

An index maps the values of one column to ids. Blank values are kept apart, under ``None``. Nothing here knows a
request or a plan.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Set
from itertools import groupby
from math import inf
from operator import itemgetter
from typing import Any, Protocol

from sortedcontainers import SortedList

from ...contract import Column, Id, Row, Scalar

EMPTY: frozenset[Id] = frozenset()
MANY = 16
"""A sorted list is made anew, not changed one by one, if more than one in so many of its members come or go."""


def key_of(value: Scalar) -> Scalar:
    """Return ``None`` for each blank value, other values as they are."""
    return value or (value if value == 0 else None)


class Index(Protocol):
    """Values of one column -> ids."""

    def add(self, value: Scalar, id: Id) -> None: ...
    def remove(self, value: Scalar, id: Id) -> None: ...
    def extend(self, values: Sequence[Scalar], ids: Sequence[Id]) -> None:
        """Add many at once."""

    def remove_all(self, values: Sequence[Scalar], ids: Sequence[Id]) -> None:
        """Remove many at once."""

    def find(self, value: Scalar) -> Set[Id]:
        """Return the ids that have ``value``, or a blank one for ``None``; not to be changed by the caller."""

    def entries(self) -> Iterator[tuple[Scalar, Id]]:
        """Yield each (value, id), blank ones as ``None``."""


def without(items: SortedList[Any], gone: Sequence[Any]) -> SortedList[Any]:
    """Return ``items`` without some of them, which are there; it may be changed, or a new list, if they are many."""
    if len(gone) * MANY < len(items):
        for each in gone:
            items.remove(each)
        return items
    out = set(gone)
    return SortedList([each for each in items if each not in out])


def joined(items: SortedList[Any], come: Sequence[Any]) -> SortedList[Any]:
    """Return ``items`` with more of them; it may be changed, or a new list, if they are many."""
    if len(come) * MANY < len(items):
        for each in come:
            items.add(each)
        return items
    return SortedList([*items, *come])


class UniqueIndex:
    """At most one id for each value: a dict, and the set of ids whose value is blank."""

    def __init__(self) -> None:
        self.ids: dict[Scalar, Id] = {}
        self.blanks: set[Id] = set()

    def add(self, value: Scalar, id: Id) -> None:
        if (key := value or key_of(value)) is None:
            self.blanks.add(id)
        else:
            self.ids[key] = id

    def remove(self, value: Scalar, id: Id) -> None:
        if (key := value or key_of(value)) is None:
            self.blanks.discard(id)
        elif self.ids.get(key) == id:  # in a swap the other row may have taken the value already
            del self.ids[key]

    def extend(self, values: Sequence[Scalar], ids: Sequence[Id]) -> None:
        keys = [key_of(value) for value in values]
        self.ids.update(zip(keys, ids, strict=True))
        if self.ids.pop(None, None) is not None:
            self.blanks.update(id for key, id in zip(keys, ids, strict=True) if key is None)

    def remove_all(self, values: Sequence[Scalar], ids: Sequence[Id]) -> None:
        for value, id in zip(values, ids, strict=True):
            self.remove(value, id)

    def find(self, value: Scalar) -> Set[Id]:
        if not value and key_of(value) is None:
            return self.blanks
        id = self.ids.get(value)
        return EMPTY if id is None else {id}

    def entries(self) -> Iterator[tuple[Scalar, Id]]:
        yield from self.ids.items()
        yield from ((None, id) for id in self.blanks)


class CombinedIndex:
    """At most one id for each combination of values of some columns; rows where one of them is blank are not here."""

    def __init__(self, positions: Sequence[int]) -> None:
        self.ids: dict[Row, Id] = {}
        self._pick = itemgetter(*positions)

    def key(self, row: Row) -> Row | None:
        """Return the combination of a row, ``None`` if a value is blank."""
        values: Row = self._pick(row)
        return None if None in values or "" in values or b"" in values else values

    def move(self, id: Id, old: Row | None, new: Row | None) -> None:
        """Bring the entry of a row from before to after; in a swap another row may have taken its place already."""
        before, after = None if old is None else self.key(old), None if new is None else self.key(new)
        if before != after:
            if before is not None and self.ids.get(before) == id:
                del self.ids[before]
            if after is not None:
                self.ids[after] = id


class EqualIndex:
    """A set of ids for each value that some row has."""

    def __init__(self) -> None:
        self.sets: dict[Scalar, set[Id]] = {}

    def add(self, value: Scalar, id: Id) -> None:
        key = value or key_of(value)
        ids = self.sets.get(key)
        if ids is None:
            self.sets[key] = {id}
        else:
            ids.add(id)

    def remove(self, value: Scalar, id: Id) -> None:
        key = value or key_of(value)
        ids = self.sets[key]
        ids.discard(id)
        if not ids:
            del self.sets[key]

    def extend(self, values: Sequence[Scalar], ids: Sequence[Id]) -> None:
        sets = self.sets
        for key, id in zip(map(key_of, values), ids, strict=True):
            found = sets.get(key)
            if found is None:
                sets[key] = {id}
            else:
                found.add(id)

    def remove_all(self, values: Sequence[Scalar], ids: Sequence[Id]) -> None:
        sets = self.sets
        for value, id in zip(values, ids, strict=True):
            found = sets[value or key_of(value)]
            found.discard(id)
            if not found:
                del sets[value or key_of(value)]

    def find(self, value: Scalar) -> Set[Id]:
        return self.sets.get(value or key_of(value), EMPTY)

    def entries(self) -> Iterator[tuple[Scalar, Id]]:
        return ((value, id) for value, ids in self.sets.items() for id in ids)


class _Above:
    """Greater than every id: ends a range of (value, id) pairs."""

    def __lt__(self, other: object) -> bool:
        return False

    def __gt__(self, other: object) -> bool:
        return True


class _Below:
    """Less than every id: begins a range of (value, id) pairs."""

    def __lt__(self, other: object) -> bool:
        return True

    def __gt__(self, other: object) -> bool:
        return False


ABOVE: Any = _Above()
BELOW: Any = _Below()


class RangeIndex:
    """The pairs (value, id) of a column of numbers, sorted, and the ids whose value is missing."""

    def __init__(self) -> None:
        self.pairs: SortedList[Any] = SortedList()
        self.blanks: set[Id] = set()

    def add(self, value: Scalar, id: Id) -> None:
        if value is None:
            self.blanks.add(id)
        else:
            self.pairs.add((value, id))

    def remove(self, value: Scalar, id: Id) -> None:
        if value is None:
            self.blanks.discard(id)
        else:
            self.pairs.remove((value, id))

    def extend(self, values: Sequence[Scalar], ids: Sequence[Id]) -> None:
        pairs = list(zip(values, ids, strict=True))
        if None in values:
            self.blanks.update(id for value, id in pairs if value is None)
            pairs = [pair for pair in pairs if pair[0] is not None]
        self.pairs = joined(self.pairs, pairs)

    def remove_all(self, values: Sequence[Scalar], ids: Sequence[Id]) -> None:
        pairs = list(zip(values, ids, strict=True))
        self.blanks.difference_update([id for value, id in pairs if value is None])
        self.pairs = without(self.pairs, [pair for pair in pairs if pair[0] is not None])

    def find(self, value: Scalar) -> Set[Id]:
        if key_of(value) is None:
            return self.blanks
        return {id for _, id in self.pairs.irange((value, BELOW), (value, ABOVE))}

    def bounds(
        self, low: float | None, high: float | None, low_open: bool, high_open: bool
    ) -> tuple[Any | None, Any | None]:
        """Return the pairs between which a range lies; ``None`` where it is open."""
        return (
            None if low is None else (low, ABOVE if low_open else BELOW),
            None if high is None else (high, BELOW if high_open else ABOVE),
        )

    def between(self, *bounds: Any) -> Set[Id]:
        """Return the ids of a range, given as ``low, high, low_open, high_open``."""
        return {id for _, id in self.pairs.irange(*self.bounds(*bounds))}

    def count(self, *bounds: Any) -> int:
        """Return the size of a range, given as ``low, high, low_open, high_open``. O(log n)."""
        low, high = self.bounds(*bounds)
        start = 0 if low is None else self.pairs.bisect_left(low)
        stop = len(self.pairs) if high is None else self.pairs.bisect_right(high)
        return max(0, stop - start)

    def groups(self, desc: bool) -> Iterator[Iterator[Id]]:
        """Yield the ids of each value, values ascending or descending."""
        pairs = reversed(self.pairs) if desc else iter(self.pairs)
        for _, group in groupby(pairs, itemgetter(0)):
            yield map(itemgetter(1), group)

    def entries(self) -> Iterator[tuple[Scalar, Id]]:
        yield from self.pairs
        yield from ((None, id) for id in self.blanks)


def make_index(column: Column) -> Index | None:
    """Return the index that answers ``Eq`` on ``column``, or ``None`` for a column without one."""
    if column.unique:
        return UniqueIndex()
    if column.index == "equal":
        return EqualIndex()
    return RangeIndex() if column.index == "range" else None


class IdOrder:
    """The ids of a table that is ordered by id."""

    def __init__(self) -> None:
        self.ids: SortedList[Any] = SortedList()

    def extend(self, ids: Sequence[Id]) -> None:
        self.ids = joined(self.ids, ids)

    def remove_all(self, ids: Sequence[Id]) -> None:
        self.ids = without(self.ids, ids)

    def sort(self, ids: Iterable[Id]) -> list[Id]:
        """Return ``ids``, which exist, in the table's order."""
        return sorted(ids)

    def slice(self, start: int | None, stop: int | None) -> list[Id]:
        """Return a part of all ids, as a Python slice does. O(log n + k)."""
        return list(self.ids[start:stop])

    def __len__(self) -> int:
        return len(self.ids)


class ScoreOrder:
    """The ids of a table whose rows carry a score."""

    def __init__(self) -> None:
        self.scores: dict[Id, float] = {}
        self.pairs: SortedList[Any] = SortedList()

    def put(self, id: Id, score: float) -> None:
        """Set the score of a new or an existing id."""
        old = self.scores.get(id)
        if old is not None:
            self.pairs.remove((old, id))
        self.scores[id] = score
        self.pairs.add((score, id))

    def remove(self, id: Id) -> None:
        self.pairs.remove((self.scores.pop(id), id))

    def sort(self, ids: Iterable[Id]) -> list[Id]:
        """Return ``ids``, which exist, in the table's order."""
        scores = self.scores
        return [id for _, id in sorted((scores[id], id) for id in ids)]

    def slice(self, start: int | None, stop: int | None) -> list[Id]:
        """Return a part of all ids, as a Python slice does. O(log n + k)."""
        return [id for _, id in self.pairs[start:stop]]

    def __len__(self) -> int:
        return len(self.pairs)


class Deadlines(ScoreOrder):
    """The ids of the rows that expire, by deadline."""

    def set(self, id: Id, deadline: float) -> None:
        """Give a row a deadline; infinity takes the one it has."""
        if deadline == inf:
            self.drop(id)
        else:
            self.put(id, deadline)

    def drop(self, id: Id) -> None:
        """Forget a row, if it has a deadline."""
        if id in self.scores:
            self.remove(id)

    def due(self, now: float) -> list[Id]:
        """Return the rows whose deadline has come."""
        return [id for _, id in self.pairs.irange(maximum=(now, ABOVE))]
