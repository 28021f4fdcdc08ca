"""Blocks: times and columns of numbers as arrays, which is how series are read, computed with and written. Pure."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice, pairwise
from operator import lt
from typing import TypeAlias

from ...records import Record
from .storage import MISSING, Container, Numbers, Raw, missing, pack, unpack

Row: TypeAlias = Mapping[str, float]


class Block(Record, frozen=False):
    """Times in order, each once, and for each column a cell for each of them; missing ones are NaN."""

    times: Numbers
    columns: dict[str, Numbers]

    @classmethod
    def of(cls, raw: Raw) -> Block:
        """Return the block for what crosses the contract."""
        times, *rest = raw
        return cls(unpack(times), {n.decode(): unpack(c) for n, c in zip(rest[::2], rest[1::2], strict=True)})

    def raw(self) -> Raw:
        """Return what crosses the contract."""
        parts = [part for name, cells in self.columns.items() for part in (name.encode(), pack(cells))]
        return (pack(self.times), *parts)

    def column(self, name: str) -> Numbers:
        """Return the cells of a column; all are missing if there is no such column."""
        found = self.columns.get(name)
        return missing(len(self.times)) if found is None else found

    def at(self, times: Numbers) -> Block:
        """Return the cells at other times; those that are not there are missing."""
        if self.times == times:
            return self
        places = {time: n for n, time in enumerate(self.times)}
        wanted = [places.get(time, -1) for time in times]
        return Block(
            times,
            {n: array("d", [MISSING if i < 0 else cells[i] for i in wanted]) for n, cells in self.columns.items()},
        )

    def __len__(self) -> int:
        return len(self.times)


def are_table(times: Sequence[float], rows: Sequence[object]) -> bool:
    """Return whether rows are dicts with the same names, and their times in order."""
    if not rows or set(map(type, rows)) != {dict}:
        return False
    names = rows[0].keys()  # type: ignore[attr-defined]
    if not all(row.keys() == names for row in rows):  # type: ignore[attr-defined]
        return False
    return all(map(lt, times, islice(times, 1, None)))


def of_rows(times: Sequence[float], rows: Sequence[Row]) -> list[Block]:
    """Return the blocks of rows in any order; of two cells in one place the last counts."""
    columns: dict[str, dict[float, float]] = {}
    for time, row in zip(times, rows, strict=True):
        for name, value in row.items():
            columns.setdefault(name, {})[time] = value
    return _grouped(columns)


def of_columns(times: Numbers, columns: Mapping[str, Numbers]) -> list[Block]:
    """Return the blocks of columns whose times are in any order; of two rows for one time the last counts."""
    if all(map(lt, times, islice(times, 1, None))):
        return [Block(times, dict(columns))] if times and columns else []
    return _grouped({name: dict(zip(times, cells, strict=True)) for name, cells in columns.items()})


def joined(blocks: Sequence[Block]) -> list[Block]:
    """Return few blocks that write what these write one after the other."""
    if len(blocks) < 2:
        return list(blocks)
    names = blocks[0].columns.keys()
    follow = all(a.times[-1] < b.times[0] for a, b in pairwise(blocks))
    if follow and all(block.columns.keys() == names for block in blocks):
        return [Block(_chained(b.times for b in blocks), {n: _chained(b.columns[n] for b in blocks) for n in names})]
    columns: dict[str, dict[float, float]] = {}
    for block in blocks:
        for name, cells in block.columns.items():
            columns.setdefault(name, {}).update(zip(block.times, cells, strict=True))
    return _grouped(columns)


def stacked(parts: Sequence[Block]) -> Block:
    """Return the rows of blocks that follow each other, in the columns of the first."""
    first, *others = parts
    if not others:
        return first
    return Block(_chained(b.times for b in parts), {n: _chained(b.column(n) for b in parts) for n in first.columns})


def container(raw: Raw) -> Container:
    """Return a container with the content of a block."""
    made = Container()
    made.add(raw)
    return made


def _chained(parts: Iterable[Numbers]) -> Numbers:
    found: Numbers = array("d")
    for part in parts:
        found += part
    return found


def _grouped(columns: Mapping[str, Mapping[float, float]]) -> list[Block]:
    """Return one block for each set of columns that have cells at the same times."""
    found: dict[bytes, Block] = {}
    for name, cells in columns.items():
        times = array("d", sorted(cells))
        block = found.setdefault(times.tobytes(), Block(times, {}))
        block.columns[name] = array("d", [cells[time] for time in times])
    return list(found.values())
