"""The kind of structure that column time series are: its operations, and its container in memory.

A block is what crosses the contract: times, then a name and cells for each column, all of them bytes. Times and cells
are packed doubles, little-endian; times are in order, each once. On Redis ``columnts.lua`` does what ``Container`` does
here, on chunks. Nothing here knows a field, a session or a date.
"""

from __future__ import annotations

import math
import sys
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from importlib.resources import files
from typing import TypeAlias

from ...contract import Operation, kind

Numbers: TypeAlias = "array[float]"
Raw: TypeAlias = "Sequence[bytes]"
"""A block: times, name, cells, name, cells, and so on."""

Runs: TypeAlias = list[tuple[int, int, int]]
"""Runs of rows: of the old ones, 0, or the new ones, 1, from a place on to before another."""

MISSING = math.nan


def pack(numbers: Numbers) -> bytes:
    """Return numbers as packed doubles."""
    if sys.byteorder == "big":
        numbers = numbers[:]
        numbers.byteswap()
    return numbers.tobytes()


def unpack(data: bytes) -> Numbers:
    """Return the numbers of packed doubles."""
    numbers = array("d", data)
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers


def missing(rows: int) -> Numbers:
    """Return so many missing cells."""
    return array("d", (MISSING,)) * rows


class Container:
    """An array of times, and one of cells for each column, by name."""

    def __init__(self) -> None:
        self.moments: Numbers = array("d")
        self.columns: dict[bytes, Numbers] = {}

    def __bool__(self) -> bool:
        return bool(self.moments)

    # -- writing ------------------------------------------------------------------------------------------------

    def add(self, *blocks: Raw) -> None:
        for times, *rest in blocks:
            given = {name: unpack(cells) for name, cells in zip(rest[::2], rest[1::2], strict=True)}
            if times:
                self._merge(unpack(times), given)

    def _merge(self, times: Numbers, given: dict[bytes, Numbers]) -> None:
        """Put rows where they belong; only the region that they reach over is looked at."""
        low, high = bisect_left(self.moments, times[0]), bisect_right(self.moments, times[-1])
        fresh, kept = _interleaved(self.moments[low:high], times)
        for name in given.keys() - self.columns.keys():
            self.columns[name] = missing(len(self.moments))
        for name, column in self.columns.items():
            column[low:high] = _picked(fresh if name in given else kept, column[low:high], given.get(name))
        self.moments[low:high] = _picked(fresh, self.moments[low:high], times)

    def remove(self, packed: bytes) -> None:
        times = unpack(packed)
        if times:
            low, high = bisect_left(self.moments, times[0]), bisect_right(self.moments, times[-1])
            self._keep(low, high, _without(self.moments, low, high, times))

    def forget(self, *names: bytes) -> None:
        for name in names:
            self.columns.pop(name, None)
        if not self.columns:
            self.moments = array("d")

    def retain(self, age: float, rows: int) -> None:
        if self.moments:
            old = bisect_left(self.moments, self.moments[-1] - age)
            self._drop(0, max(old, len(self.moments) - rows))

    def _drop(self, first: int, last: int) -> None:
        self._keep(first, last, [])

    def _keep(self, low: int, high: int, runs: Runs) -> None:
        """Let the rows from one place to before another be those of runs."""
        for each in (self.moments, *self.columns.values()):
            each[low:high] = _picked(runs, each, None)
        if not self.moments:
            self.columns.clear()

    # -- reading ------------------------------------------------------------------------------------------------

    def size(self) -> int:
        return len(self.moments)

    def items(self) -> list[bytes]:
        return self._block(0, len(self.moments))

    def fields(self) -> list[bytes]:
        return sorted(self.columns)

    def irange(self, start: int, stop: int, *names: bytes) -> list[bytes]:
        return self._block(*self._places(start, stop), names)

    def range(self, low: float, high: float, *names: bytes) -> list[bytes]:
        return self._block(*self._between(low, high), names)

    def times(self, low: float, high: float) -> bytes:
        first, last = self._between(low, high)
        return pack(self.moments[first:last])

    def itimes(self, start: int, stop: int) -> bytes:
        first, last = self._places(start, stop)
        return pack(self.moments[first:last])

    def pop_range(self, low: float, high: float) -> list[bytes]:
        return self._taken(*self._between(low, high))

    def ipop_range(self, start: int, stop: int) -> list[bytes]:
        return self._taken(*self._places(start, stop))

    def rank(self, time: float) -> int | None:
        place = bisect_left(self.moments, time)
        return place if place < len(self.moments) and self.moments[place] == time else None

    def count(self, low: float, high: float) -> int:
        first, last = self._between(low, high)
        return max(0, last - first)

    def _between(self, low: float, high: float) -> tuple[int, int]:
        return bisect_left(self.moments, low), bisect_right(self.moments, high)

    def _places(self, start: int, stop: int) -> tuple[int, int]:
        """Return the bounds of a slice for places that are both included; negative ones count from the end."""
        size = len(self.moments)
        start = max(0, start + size) if start < 0 else start
        stop = stop + size if stop < 0 else stop
        return start, max(0, min(stop + 1, size))

    def _block(self, first: int, last: int, names: Iterable[bytes] = ()) -> list[bytes]:
        block = [pack(self.moments[first:last])]
        for name in (names or self.fields()) if block[0] else ():
            if name in self.columns:
                block += name, pack(self.columns[name][first:last])
        return block

    def _taken(self, first: int, last: int) -> list[bytes]:
        block = self._block(first, last)
        self._drop(first, last)
        return block


def _push(runs: Runs, source: int, first: int, last: int) -> None:
    if runs and runs[-1][0] == source and runs[-1][2] == first:
        runs[-1] = (source, runs[-1][1], last)
    elif first < last:
        runs.append((source, first, last))


def _interleaved(old: Numbers, new: Numbers) -> tuple[Runs, Runs]:
    """Return the runs of all rows in the order of time: with the new one of two for one time, and with the old one."""
    fresh: Runs = []
    kept: Runs = []
    i = j = 0
    while i < len(old) and j < len(new):
        if old[i] == new[j]:
            _push(fresh, 1, j, j + 1)
            _push(kept, 0, i, i + 1)
            i, j = i + 1, j + 1
            continue
        source, first = (0, i) if old[i] < new[j] else (1, j)
        if source == 0:
            i = last = bisect_left(old, new[j], i)
        else:
            j = last = bisect_left(new, old[i], j)
        _push(fresh, source, first, last)
        _push(kept, source, first, last)
    for runs in (fresh, kept):
        _push(runs, 0, i, len(old))
        _push(runs, 1, j, len(new))
    return fresh, kept


def _without(old: Numbers, low: int, high: int, times: Numbers) -> Runs:
    """Return the runs of the rows from one place to before another that are not at these times."""
    runs: Runs = []
    for time in times:
        place = bisect_left(old, time, low, high)
        if place < high and old[place] == time:
            _push(runs, 0, low, place)
            low = place + 1
    _push(runs, 0, low, high)
    return runs


def _picked(runs: Runs, old: Numbers, new: Numbers | None) -> Numbers:
    """Return the cells of runs; new ones that are not given are missing."""
    found: Numbers = array("d")
    for source, first, last in runs:
        cells = new if source else old
        found += missing(last - first) if cells is None else cells[first:last]
    return found


KIND = kind(
    "columnts",
    [
        Operation("add", "none", "makes", commits=True),
        Operation("remove", "none", "takes", commits=True),
        Operation("forget", "none", "takes", commits=True),
        Operation("retain", "none", "takes", commits=True),
        Operation("size", "int"),
        Operation("items", "raw"),
        Operation("fields", "list"),
        Operation("irange", "raw"),
        Operation("range", "raw"),
        Operation("times", "bytes"),
        Operation("itimes", "bytes"),
        Operation("pop_range", "raw", "takes"),
        Operation("ipop_range", "raw", "takes"),
        Operation("rank", "int"),
        Operation("count", "int"),
    ],
    container=Container,
    lua=(files(__package__) / "columnts.lua").read_text(encoding="utf-8"),
    suffixes=("", ":ranks", ":cells", ":fields"),
    type="zset",
)
"""Rows of numbers in the order of time, in columns. A cell that was never written is missing, which is NaN.

=============================== ==================================================================== ==============
``add(*blocks)``                write cells, one block after the other; what they do not name stays  O(k log n)
``remove(times)``               remove rows; packed times, in order                                  O(k log n)
``forget(*names)``              remove columns                                                       O(n)
``retain(age, rows)``           remove all but the last rows: those that are at most so many
                                microseconds older than the last, and at most that number            O(log n + k)
``size()``                      number of rows                                                       O(log n)
``items()``                     the block of everything                                              O(n)
``fields()``                    the names of the columns, sorted                                     O(columns)
``range(low, high, *names)``    the block of the rows from one time to another, both included, with
                                these columns, or all; names that are not there are left out         O(log n + k)
``irange(start, stop, *names)`` the same by place; negative ones count from the end                  O(log n + k)
``times itimes``                the times that ``range`` and ``irange`` give, packed                 O(log n + k)
``pop_range ipop_range``        remove and return what they give                                     O(log n + k)
``rank(time)``                  the place of exactly that time, or ``None``                          O(log n)
``count(low, high)``            number of rows that ``range`` gives                                  O(log n)
=============================== ==================================================================== ==============

What ``range`` and ``irange`` give may be the first part of it: then the packed time of the last row comes behind it, as
a last element, and the rest is to be asked for.

Appending is the cheap way to grow. Rows in between move those behind them: in memory as one block, on Redis by a
renumbering of the chunks behind, which hold up to 510 rows each. In memory, rows that are taken from the front move all
others.
"""
