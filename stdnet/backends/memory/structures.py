"""Containers: one class for each kind of structures.

A container has a method for each operation of its kind, named alike and answering as ``contract.kinds`` says; other
places among the arguments come as their containers. ``bool()`` tells whether it holds anything. Nothing here knows a
request, a row or a lock.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any, TypeAlias

from sortedcontainers import SortedDict, SortedList

from ...contract import Kind
from ...errors import BadStructureValue
from .indexes import ABOVE

Pair: TypeAlias = tuple[float, bytes]

INTEGER = re.compile(rb"0|-?[1-9][0-9]{0,18}")


def _between(start: int, stop: int, size: int) -> tuple[int, int]:
    """Return the bounds of a Python slice for places that are both included; neither is negative."""
    start = max(0, start + size) if start < 0 else start
    stop = stop + size if stop < 0 else stop
    return start, max(0, min(stop + 1, size))


class List:
    """A deque: its ends are cheap."""

    def __init__(self) -> None:
        self.values: deque[bytes] = deque()

    def __bool__(self) -> bool:
        return bool(self.values)

    def push_back(self, *values: bytes) -> None:
        self.values.extend(values)

    def push_front(self, *values: bytes) -> None:
        self.values.extendleft(values)

    def pop_back(self) -> bytes | None:
        return self.values.pop() if self.values else None

    def pop_front(self) -> bytes | None:
        return self.values.popleft() if self.values else None

    def size(self) -> int:
        return len(self.values)

    def items(self) -> list[bytes]:
        return list(self.values)

    def slice(self, start: int, stop: int) -> list[bytes]:
        return list(islice(self.values, *_between(start, stop, len(self.values))))

    def get(self, place: int) -> bytes | None:
        return self.values[place] if -len(self.values) <= place < len(self.values) else None

    def set(self, place: int, value: bytes) -> bool:
        there = -len(self.values) <= place < len(self.values)
        if there:
            self.values[place] = value
        return there

    def contains(self, value: bytes) -> bool:
        return value in self.values


class Set:
    """A set, sorted when it is asked for as a whole."""

    def __init__(self) -> None:
        self.values: set[bytes] = set()

    def __bool__(self) -> bool:
        return bool(self.values)

    def add(self, *values: bytes) -> None:
        self.values.update(values)

    def remove(self, *values: bytes) -> None:
        self.values.difference_update(values)

    def size(self) -> int:
        return len(self.values)

    def items(self) -> list[bytes]:
        return sorted(self.values)

    def contains(self, value: bytes) -> bool:
        return value in self.values

    def union(self, *others: Set) -> list[bytes]:
        return sorted(self.values.union(*(other.values for other in others)))

    def intersection(self, *others: Set) -> list[bytes]:
        return sorted(self.values.intersection(*(other.values for other in others)))

    def difference(self, *others: Set) -> list[bytes]:
        return sorted(self.values.difference(*(other.values for other in others)))


class Zset:
    """The scores by value, and the pairs (score, value) in order."""

    def __init__(self) -> None:
        self.scores: dict[bytes, float] = {}
        self.pairs: SortedList[Any] = SortedList()

    def __bool__(self) -> bool:
        return bool(self.scores)

    def add(self, *pairs: Pair) -> None:
        new = {value: score for score, value in pairs}
        self.remove(*(new.keys() & self.scores.keys()))
        self.scores.update(new)
        self.pairs.update((score, value) for value, score in new.items())

    def remove(self, *values: bytes) -> None:
        for value in values:
            if value in self.scores:
                self.pairs.remove((self.scores.pop(value), value))

    def size(self) -> int:
        return len(self.scores)

    def items(self) -> list[Pair]:
        return list(self.pairs)

    def range(self, low: float, high: float, desc: int = 0) -> list[Pair]:
        return self._listed(*self._scored(low, high), desc)

    def irange(self, start: int, stop: int, desc: int = 0) -> list[Pair]:
        return self._listed(*self._placed(start, stop, desc), desc)

    def pop_range(self, low: float, high: float) -> list[Pair]:
        return self._popped(*self._scored(low, high), 0)

    def ipop_range(self, start: int, stop: int, desc: int = 0) -> list[Pair]:
        return self._popped(*self._placed(start, stop, desc), desc)

    def count(self, low: float, high: float) -> int:
        start, stop = self._scored(low, high)
        return max(0, stop - start)

    def rank(self, value: bytes) -> int | None:
        return self.pairs.index((self.scores[value], value)) if value in self.scores else None

    def score(self, value: bytes) -> float | None:
        return self.scores.get(value)

    def union(self, *others: Zset) -> list[Pair]:
        total = dict(self.scores)
        for other in others:
            for value, score in other.scores.items():
                total[value] = _sum(total[value], score) if value in total else score
        return _pairs(total)

    def intersection(self, *others: Zset) -> list[Pair]:
        total = dict(self.scores)
        for other in others:
            total = {value: _sum(score, other.scores[value]) for value, score in total.items() if value in other.scores}
        return _pairs(total)

    def difference(self, *others: Zset) -> list[Pair]:
        return [pair for pair in self.pairs if not any(pair[1] in other.scores for other in others)]

    def _scored(self, low: float, high: float) -> tuple[int, int]:
        return self.pairs.bisect_left((low,)), self.pairs.bisect_left((high, ABOVE))

    def _placed(self, start: int, stop: int, desc: int) -> tuple[int, int]:
        size = len(self.pairs)
        start, stop = _between(start, stop, size)
        return (max(0, size - stop), max(0, size - start)) if desc else (start, stop)

    def _listed(self, start: int, stop: int, desc: int) -> list[Pair]:
        return list(self.pairs.islice(start, stop, reverse=bool(desc)))

    def _popped(self, start: int, stop: int, desc: int) -> list[Pair]:
        gone = self._listed(start, stop, desc)
        del self.pairs[start:stop]
        for _, value in gone:
            del self.scores[value]
        return gone


def _sum(one: float, other: float) -> float:
    total = one + other
    return total if total == total else 0.0


def _pairs(scores: Mapping[bytes, float]) -> list[Pair]:
    return sorted((score, value) for value, score in scores.items())


class HashTable:
    """A dict, sorted when it is asked for as a whole."""

    def __init__(self) -> None:
        self.values: dict[bytes, bytes] = {}

    def __bool__(self) -> bool:
        return bool(self.values)

    def add(self, *pairs: tuple[bytes, bytes]) -> None:
        self.values.update(pairs)

    def remove(self, *keys: bytes) -> None:
        for key in keys:
            self.values.pop(key, None)

    def size(self) -> int:
        return len(self.values)

    def items(self) -> list[tuple[bytes, bytes]]:
        return sorted(self.values.items())

    def keys(self) -> list[bytes]:
        return sorted(self.values)

    def get(self, key: bytes) -> bytes | None:
        return self.values.get(key)

    def pop(self, key: bytes) -> bytes | None:
        return self.values.pop(key, None)

    def contains(self, key: bytes) -> bool:
        return key in self.values


class TS:
    """A sorted dict of times."""

    def __init__(self) -> None:
        self.values: SortedDict[float, bytes] = SortedDict()

    def __bool__(self) -> bool:
        return bool(self.values)

    def add(self, *pairs: Pair) -> None:
        self.values.update(dict(pairs))

    def remove(self, *times: float) -> None:
        for time in times:
            self.values.pop(time, None)

    def size(self) -> int:
        return len(self.values)

    def items(self) -> list[Pair]:
        return list(self.values.items())

    def get(self, time: float) -> bytes | None:
        return self.values.get(time)

    def pop(self, time: float) -> bytes | None:
        return self.values.pop(time, None)

    def rank(self, time: float) -> int | None:
        return self.values.index(time) if time in self.values else None

    def range(self, low: float, high: float) -> list[Pair]:
        return self._listed(*self._timed(low, high))

    def irange(self, start: int, stop: int) -> list[Pair]:
        return self._listed(*_between(start, stop, len(self.values)))

    def pop_range(self, low: float, high: float) -> list[Pair]:
        return self._popped(*self._timed(low, high))

    def ipop_range(self, start: int, stop: int) -> list[Pair]:
        return self._popped(*_between(start, stop, len(self.values)))

    def count(self, low: float, high: float) -> int:
        start, stop = self._timed(low, high)
        return max(0, stop - start)

    def _timed(self, low: float, high: float) -> tuple[int, int]:
        return self.values.bisect_left(low), self.values.bisect_right(high)

    def _listed(self, start: int, stop: int) -> list[Pair]:
        return [(time, self.values[time]) for time in self.values.islice(start, stop)]

    def _popped(self, start: int, stop: int) -> list[Pair]:
        gone = self._listed(start, stop)
        for time, _ in gone:
            del self.values[time]
        return gone


class Bytes:
    """A bytearray: what strings and arrays of numbers have in common."""

    def __init__(self) -> None:
        self.content = bytearray()

    def __bool__(self) -> bool:
        return bool(self.content)

    def append(self, *values: bytes) -> None:
        for value in values:
            self.content += value

    def size(self) -> int:
        return len(self.content)

    def items(self) -> bytes:
        return bytes(self.content)

    def slice(self, start: int, stop: int) -> bytes:
        start, stop = _between(start, stop, len(self.content))
        return bytes(self.content[start:stop])


class String(Bytes):
    """Bytes that can be a number."""

    def incr(self, number: int) -> int:
        content = bytes(self.content or b"0")
        total = int(content) + number if INTEGER.fullmatch(content) else None
        if total is None or not all(-(2**63) <= each < 2**63 for each in (int(content), number, total)):
            raise BadStructureValue("string", "incr", "it does not hold an integer, or the result is out of range")
        self.content[:] = b"%d" % total
        return total


class NumberArray(Bytes):
    """Bytes in cells."""

    def assign(self, place: int, value: bytes) -> bool:
        inside = place + len(value) <= len(self.content)
        if inside:
            self.content[place : place + len(value)] = value
        return inside

    def resize(self, size: int, cell: bytes) -> int:
        missing = max(0, size - len(self.content))
        self.content += cell * -(-missing // len(cell))
        return len(self.content)

    def truncate(self, number: int) -> bytes:
        start = len(self.content) - number
        if number <= 0 or start < 0:
            return b""
        gone = bytes(self.content[start:])
        del self.content[start:]
        return gone


CONTAINERS: Mapping[str, Callable[[], Any]] = {
    "list": List,
    "set": Set,
    "zset": Zset,
    "hashtable": HashTable,
    "ts": TS,
    "string": String,
    "numberarray": NumberArray,
}
"""What makes an empty container, by the name of the kind."""


def make(kind: Kind) -> Any:
    """Return an empty container; an application's kind brings its own."""
    return (kind.container or CONTAINERS[kind.name])()
