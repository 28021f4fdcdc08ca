"""Naive structures: lists, sets and dicts, written from the docstrings of ``stdnet.contract.kinds`` alone.

Every question looks at everything, every sequence is sorted anew. Nothing here knows a table or a row; ``oracle`` does.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

from stdnet import contract as c
from stdnet.errors import BadStructureValue, ResponseError

Pair = tuple[Any, Any]


def between(items: list[Any], start: int, stop: int) -> list[Any]:
    """Return what stands from one place to another, both included; negative places count from the end."""
    first, last = (place + len(items) if place < 0 else place for place in (start, stop))
    return [item for place, item in enumerate(items) if first <= place <= last]


class List:
    def __init__(self) -> None:
        self.content: list[bytes] = []

    def push_back(self, *values: bytes) -> None:
        for value in values:
            self.content = [*self.content, value]

    def push_front(self, *values: bytes) -> None:
        for value in values:
            self.content = [value, *self.content]

    def pop_back(self) -> bytes | None:
        return self.content.pop() if self.content else None

    def pop_front(self) -> bytes | None:
        return self.content.pop(0) if self.content else None

    def size(self) -> int:
        return len(self.content)

    def items(self) -> list[bytes]:
        return list(self.content)

    def slice(self, start: int, stop: int) -> list[bytes]:
        return between(self.content, start, stop)

    def get(self, place: int) -> bytes | None:
        return next(iter(between(self.content, place, place)), None)

    def set(self, place: int, value: bytes) -> bool:
        if self.get(place) is None:
            return False
        self.content[place] = value
        return True

    def contains(self, value: bytes) -> bool:
        return value in self.content


class Set:
    def __init__(self) -> None:
        self.content: set[bytes] = set()

    def add(self, *values: bytes) -> None:
        self.content |= set(values)

    def remove(self, *values: bytes) -> None:
        self.content -= set(values)

    def size(self) -> int:
        return len(self.content)

    def items(self) -> list[bytes]:
        return sorted(self.content)

    def contains(self, value: bytes) -> bool:
        return value in self.content

    def union(self, *others: Set) -> list[bytes]:
        return sorted(self.content.union(*(other.content for other in others)))

    def intersection(self, *others: Set) -> list[bytes]:
        return sorted(self.content.intersection(*(other.content for other in others)))

    def difference(self, *others: Set) -> list[bytes]:
        return sorted(self.content.difference(*(other.content for other in others)))


class Scored:
    """What a sorted set and a time series have in common: pairs in order, and what is asked for by bounds."""

    content: dict[Any, Any]

    def items(self) -> list[Pair]:
        raise NotImplementedError

    def take(self, pairs: list[Pair]) -> list[Pair]:
        """Remove these pairs and return them."""
        raise NotImplementedError

    def size(self) -> int:
        return len(self.content)

    def range(self, low: float, high: float, desc: int = 0) -> list[Pair]:
        found = [pair for pair in self.items() if low <= pair[0] <= high]
        return found[::-1] if desc else found

    def irange(self, start: int, stop: int, desc: int = 0) -> list[Pair]:
        return between(self.items()[::-1] if desc else self.items(), start, stop)

    def pop_range(self, low: float, high: float) -> list[Pair]:
        return self.take(self.range(low, high))

    def ipop_range(self, start: int, stop: int, desc: int = 0) -> list[Pair]:
        return self.take(self.irange(start, stop, desc))

    def count(self, low: float, high: float) -> int:
        return len(self.range(low, high))


class Zset(Scored):
    """``content`` has the score of each value."""

    def __init__(self) -> None:
        self.content: dict[bytes, float] = {}

    def add(self, *pairs: tuple[float, bytes]) -> None:
        for score, value in pairs:
            self.content[value] = score

    def remove(self, *values: bytes) -> None:
        for value in values:
            self.content.pop(value, None)

    def items(self) -> list[Pair]:
        return sorted((score, value) for value, score in self.content.items())

    def take(self, pairs: list[Pair]) -> list[Pair]:
        self.remove(*(value for _, value in pairs))
        return pairs

    def rank(self, value: bytes) -> int | None:
        values = [each for _, each in self.items()]
        return values.index(value) if value in values else None

    def score(self, value: bytes) -> float | None:
        return self.content.get(value)

    def union(self, *others: Zset) -> list[Pair]:
        return added(lambda value, zsets: any(value in zset for zset in zsets), self, *others)

    def intersection(self, *others: Zset) -> list[Pair]:
        return added(lambda value, zsets: all(value in zset for zset in zsets), self, *others)

    def difference(self, *others: Zset) -> list[Pair]:
        return [(score, value) for score, value in self.items() if not any(value in each.content for each in others)]


def added(wanted: Callable[[bytes, list[dict[bytes, float]]], bool], *zsets: Zset) -> list[Pair]:
    """Return the values that are wanted, with the sum of their scores."""
    contents = [zset.content for zset in zsets]
    values = {value for content in contents for value in content}
    return sorted((total(value, contents), value) for value in values if wanted(value, contents))


def total(value: bytes, contents: list[dict[bytes, float]]) -> float:
    scores = [content[value] for content in contents if value in content]
    found = scores[0]
    for score in scores[1:]:
        found = 0.0 if math.isnan(found + score) else found + score
    return found


class Hash:
    def __init__(self) -> None:
        self.content: dict[bytes, bytes] = {}

    def add(self, *pairs: tuple[bytes, bytes]) -> None:
        for key, value in pairs:
            self.content[key] = value

    def remove(self, *keys: bytes) -> None:
        for key in keys:
            self.content.pop(key, None)

    def size(self) -> int:
        return len(self.content)

    def items(self) -> list[Pair]:
        return sorted(self.content.items())

    def keys(self) -> list[bytes]:
        return sorted(self.content)

    def get(self, key: bytes) -> bytes | None:
        return self.content.get(key)

    def pop(self, key: bytes) -> bytes | None:
        return self.content.pop(key, None)

    def contains(self, key: bytes) -> bool:
        return key in self.content


class TS(Scored):
    """``content`` has the value at each time."""

    def __init__(self) -> None:
        self.content: dict[float, bytes] = {}

    def add(self, *pairs: tuple[float, bytes]) -> None:
        for time, value in pairs:
            self.content[time] = value

    def remove(self, *times: float) -> None:
        for time in times:
            self.content.pop(time, None)

    def items(self) -> list[Pair]:
        return sorted(self.content.items())

    def take(self, pairs: list[Pair]) -> list[Pair]:
        self.remove(*(time for time, _ in pairs))
        return pairs

    def get(self, time: float) -> bytes | None:
        return self.content.get(time)

    def pop(self, time: float) -> bytes | None:
        return self.content.pop(time, None)

    def rank(self, time: float) -> int | None:
        return sorted(self.content).index(time) if time in self.content else None


class Bytes:
    """What a string and an array of numbers have in common."""

    def __init__(self) -> None:
        self.content = b""

    def append(self, *values: bytes) -> None:
        self.content += b"".join(values)

    def size(self) -> int:
        return len(self.content)

    def items(self) -> bytes:
        return self.content

    def slice(self, start: int, stop: int) -> bytes:
        return bytes(between(list(self.content), start, stop))


class String(Bytes):
    def incr(self, number: int) -> int:
        if not re.fullmatch(rb"(0|-?[1-9][0-9]*|)", self.content):
            raise BadStructureValue("string", "incr", "its content is not an integer")
        old = int(self.content or b"0")
        if any(not -(2**63) <= each < 2**63 for each in (old, number, old + number)):
            raise BadStructureValue("string", "incr", "it is too large")
        self.content = b"%d" % (old + number)
        return old + number


class NumberArray(Bytes):
    def assign(self, place: int, value: bytes) -> bool:
        end = place + len(value)
        if end > len(self.content):
            return False
        self.content = self.content[:place] + value + self.content[end:]
        return True

    def resize(self, size: int, cell: bytes) -> int:
        while len(self.content) < size:
            self.content += cell
        return len(self.content)

    def truncate(self, number: int) -> bytes:
        if number > len(self.content):
            return b""
        keep = len(self.content) - number
        removed, self.content = self.content[keep:], self.content[:keep]
        return removed


CLASSES: dict[str, type[Any]] = {
    "list": List,
    "set": Set,
    "zset": Zset,
    "hashtable": Hash,
    "ts": TS,
    "string": String,
    "numberarray": NumberArray,
}

Shelf = dict[str, Any]
"""The structures of one row, of one table, or those on their own, by name. An empty one is not there."""


def look_up(shelf: Shelf, place: c.Place) -> Any:
    """Return the structure at a place, a new one if there is none; ``ResponseError`` if it is of another kind."""
    wanted = CLASSES[place.kind.name]
    found = shelf.get(place.name)
    if found is not None and type(found) is not wanted:
        raise ResponseError(f"{place.name} is not a {place.kind.name}.")
    return wanted() if found is None else found


def perform(shelf: Shelf, call: c.Call, arguments: list[Any]) -> Any:
    """Carry out one operation on one of the shelf; in ``arguments`` places are replaced by what is there."""
    found = look_up(shelf, call.place)
    reply = None if call.operation == "delete" else getattr(found, call.operation)(*arguments)
    shelf.pop(call.place.name, None)
    if call.operation != "delete" and found.content:
        shelf[call.place.name] = found
    return reply
