"""ColumnTSBase: how column time series are written and read. What is computed from them is in ``analysis``."""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, ClassVar, TypeAlias

from ...contract import Call
from ...errors import BadStructureValue, SessionNotAvailable, shown
from ...odm import commit_when_no_transaction, verb
from ...odm.runner import Program, Trip
from ...odm.structures.mappings import TSBase
from ...utils.encoders import DateTimeConverter, Double, Encoder
from .blocks import Block, Row, are_table, container, of_rows, stacked
from .cache import TimeseriesCache
from .moments import microseconds, moments
from .storage import KIND, Container, Numbers, Raw, unpack

Fields: TypeAlias = "Iterable[str] | str | None"
"""Names of columns, or one name; ``None``, or no name, stands for all. Names that are not there are left out."""

Columns: TypeAlias = tuple[list[Any], dict[str, list[float]]]
"""Times, and for each column a cell for each of them."""

Asked: TypeAlias = "list[tuple[ColumnTSBase, str, tuple[Any, ...]]]"
"""Series, operations that read, and their arguments."""

EVERYTHING = (-math.inf, math.inf)
_ENDLESS = 2**31 - 1
_MICROSECOND = timedelta(microseconds=1)


def as_dict(times: Iterable[Any], fields: Mapping[str, Sequence[float]]) -> dict[Any, dict[str, float]]:
    """Return the rows of columns, by time.

    >>> as_dict([1, 2], {"bid": [1.5, 1.6], "ask": [1.7, 1.8]})
    {1: {'bid': 1.5, 'ask': 1.7}, 2: {'bid': 1.6, 'ask': 1.8}}
    """
    return {time: {name: cells[n] for name, cells in fields.items()} for n, time in enumerate(times)}


class ColumnTSBase(TSBase):
    """The operations of column time series: rows by time, numbers in columns, missing ones NaN.

    ``retention``, an option, is a ``timedelta`` or a number of rows: what is added takes out, in the same commit, the
    rows that are older than that before the last, or all but so many of the last.
    """

    kind = KIND
    cache_class = TimeseriesCache  # type: ignore[assignment]
    pickler: Any = DateTimeConverter()
    value_pickler: Any = Double()
    default_multi_stats: ClassVar[list[str]] = ["covariance"]
    retention: timedelta | int | None = None

    def setup(self, pickler: Encoder | None = None, retention: timedelta | int | None = None, **options: Any) -> None:
        super().setup(pickler, **options)
        self.retention = type(self).retention if retention is None else retention
        if self.retention is not None:
            self._limits(self.retention)

    # -- writing ------------------------------------------------------------------------------------------------

    @commit_when_no_transaction
    def add(self, time: Any, *cells: Any) -> None:
        """Write cells of one time: a name and a number, or a mapping, or pairs. O(log n) at the end of the series.

        Cells that are not named stay as they are; in a new row, and in the rows before a new column, they are missing.
        What is no number is missing, too.
        """
        if len(cells) not in (1, 2):
            raise TypeError(f"add() takes a time and cells, or a field and a value, not {1 + len(cells)} arguments.")
        row = self._row(time, {cells[0]: cells[1]} if len(cells) == 2 else cells[0])
        self._write(of_rows(self._dump_keys([time], "add"), [row]))

    @commit_when_no_transaction
    def update(self, mapping: Any) -> None:
        """Write the cells of many times: a mapping, or pairs, of times and rows; all or none. O(k) at the end."""
        if isinstance(mapping, Mapping):
            keys, rows = list(mapping), list(mapping.values())
        else:
            pairs = [each if type(each) is tuple and len(each) == 2 else self.pair(each) for each in mapping]
            keys, rows = [key for key, _ in pairs], [row for _, row in pairs]
        times = self._dump_keys(keys, "update")
        if are_table(times, rows):
            columns = {self._name(name): self._cells([row[name] for row in rows]) for name in rows[0]}
            self._write([Block(array("d", times), columns)] if columns else [])
        else:
            self._write(of_rows(times, [self._row(time, cells) for time, cells in zip(keys, rows, strict=True)]))

    def _row(self, time: Any, cells: Any) -> Row:
        """Return the numbers of a row by name."""
        if not isinstance(cells, Mapping):
            try:
                cells = dict(cells)
            except (TypeError, ValueError):
                problem = f"the row of {shown(time)} is neither a mapping nor pairs of names and numbers"
                raise BadStructureValue(self, "add", problem) from None
        return {self._name(name): self.value_pickler.dumps(cell) for name, cell in cells.items()}

    def _cells(self, values: list[Any]) -> Numbers:
        """Return the numbers of a column."""
        if type(self.value_pickler) is Double:
            try:
                return array("d", values)
            except (TypeError, ValueError, OverflowError):  # there are others than numbers
                pass
        return array("d", map(self.value_pickler.dumps, values))

    def _dump_keys(self, keys: Iterable[Any], operation: str = "update") -> list[float]:
        keys = list(keys)
        found = microseconds(keys) if type(self.pickler) is DateTimeConverter else None
        return super()._dump_keys(keys, operation) if found is None else found

    def _name(self, name: Any) -> str:
        text = str(name)
        try:
            text.encode()
        except UnicodeEncodeError:
            raise BadStructureValue(self, "add", f"{shown(name)} cannot be the name of a column") from None
        return text

    def _write(self, blocks: list[Block]) -> None:
        self.cache.write(blocks)
        if self.retention is not None:
            self.cache.retain(*self._limits(self.retention))

    def _limits(self, retention: Any) -> tuple[float, int]:
        if isinstance(retention, timedelta) and retention >= timedelta(0):
            return float(retention // _MICROSECOND), _ENDLESS
        if isinstance(retention, int) and retention > 0:
            return math.inf, retention
        problem = f"{shown(retention)} is neither a timedelta nor a number of rows, from 1 on"
        raise BadStructureValue(self, "retain", problem)

    @commit_when_no_transaction
    def remove(self, *times: Any) -> None:
        """Remove rows; times that are not there are ignored. O(k log n)."""
        self.cache.remove(self._dump_keys(times, "remove"))

    @commit_when_no_transaction
    def remove_fields(self, *fields: str) -> None:
        """Remove columns, and with the last one all rows; names that are not there are ignored. O(n)."""
        self.cache.forget(map(self._name, fields))

    @commit_when_no_transaction
    def retain(self, retention: timedelta | int) -> None:
        """Remove all rows but those that are at most so much older than the last, or the last so many. O(log n + k)."""
        self.cache.retain(*self._limits(retention))

    # -- reading ------------------------------------------------------------------------------------------------

    def _read(self, operation: str, *arguments: Any) -> Program[Any]:
        if self.cache.cache is not None:
            return getattr(self.cache.cache, operation)(*arguments)
        return (yield from super()._read(operation, *arguments))

    def _encoded(self, raw: Any) -> Sequence[bytes]:
        return ()

    def _assembled(self, raw: Any, values: list[Any]) -> Container:  # type: ignore[override]
        return container(raw)

    def _names(self, fields: Fields) -> tuple[bytes, ...]:
        names = [fields] if isinstance(fields, str) else fields or ()
        return tuple(dict.fromkeys(self._name(name).encode() for name in names))

    def _moments(self, times: Numbers) -> list[Any]:
        """Return the times for their numbers."""
        found = moments(times) if type(self.pickler) is DateTimeConverter else None
        return self.load_keys(times) if found is None else found

    def _shown(self, block: Block) -> Columns:
        return self._moments(block.times), {name: cells.tolist() for name, cells in block.columns.items()}

    def _first_row(self, block: Block) -> dict[str, float] | None:
        return {name: cells[0] for name, cells in block.columns.items()} if block.times else None

    def _by_time(self, start: Any, end: Any, fields: Fields) -> Program[Block]:
        names = self._names(fields)
        raw = yield from self._read("range", *self._bounds("range", start, end), *names)
        return (yield from self._whole(raw, names))

    def _by_place(self, start: int, end: int, fields: Fields) -> Program[Block]:
        names = self._names(fields)
        return (yield from self._whole((yield from self._read("irange", *self._places(start, end), *names)), names))

    def _whole(self, raw: Raw, names: Sequence[bytes]) -> Program[Block]:
        """Return the block of a reply, with the rest of it if it is a part."""
        parts = []
        while len(raw) % 2 == 0:
            *block, last = raw
            parts.append(Block.of(block))
            low = math.nextafter(parts[-1].times[-1], math.inf)
            raw = yield from self._read("range", low, unpack(last)[0], *names)
        return stacked([*parts, Block.of(raw)])

    @staticmethod
    def _gather(asked: Asked) -> Program[list[Any]]:
        """Return the replies of operations that read, of several series: one round trip for each backend.

        Those of ``range`` and ``irange`` are blocks.
        """
        found: list[Any] = [None] * len(asked)
        trips: dict[Any, list[int]] = {}
        for n, (series, operation, arguments) in enumerate(asked):
            if series.cache.cache is not None:
                found[n] = getattr(series.cache.cache, operation)(*arguments)
            elif series.session is None:
                raise SessionNotAvailable(str(series), operation)
            else:
                trips.setdefault(series.read_backend, []).append(n)
        for server, numbers in trips.items():
            calls = [Call(asked[n][0].place(), *asked[n][1:]) for n in numbers]
            replies = yield Trip(server, calls)
            for n, reply in zip(numbers, replies, strict=True):
                found[n] = reply
        for n, (series, operation, arguments) in enumerate(asked):
            if operation in ("range", "irange"):
                found[n] = yield from series._whole(found[n], arguments[2:])
        return found

    @verb
    def range(self, start: Any, end: Any, fields: Fields = None) -> Program[Columns]:
        """Return the times from ``start`` to ``end``, both included, and their cells by column. O(log n + k).

        ``"-inf"`` and ``"+inf"`` are open ends. ``fields`` restricts the columns. On a server more than half a million
        numbers come in parts, and rows that change meanwhile as they then are; so it is with all that reads rows.
        """
        return self._shown((yield from self._by_time(start, end, fields)))

    @verb
    def irange(self, start: int = 0, end: int = -1, fields: Fields = None) -> Program[Columns]:
        """Return what ``range`` does, from one place to another, both included. O(log n + k).

        Negative places count from the end.
        """
        return self._shown((yield from self._by_place(start, end, fields)))

    @verb
    def items(self) -> Program[Columns]:
        """Return all times, and all cells by column. O(n)."""
        return self._shown((yield from self._by_place(0, -1, None)))

    @verb
    def load_data(self, data: Any, callback: Callable[[Any], Any] | None = None) -> Program[Any]:
        """Return times and columns for a block as a backend gives it, or what ``callback`` makes of that."""
        yield from ()
        return self._shown(Block.of(data)) if callback is None else callback(data)

    @verb
    def values(self) -> Program[dict[str, list[float]]]:
        """Return all cells by column. O(n)."""
        block = yield from self._by_place(0, -1, None)
        return {name: cells.tolist() for name, cells in block.columns.items()}

    def _keys(self) -> Program[list[Any]]:
        return self._moments(unpack((yield from self._read("itimes", 0, -1))))

    @verb
    def keys(self) -> Program[list[Any]]:
        """Return all times. O(n)."""
        return (yield from self._keys())

    @verb
    def times(self, start: Any, stop: Any, callback: Callable[[Any], Any] | None = None) -> Program[Any]:
        """Return the times from ``start`` to ``stop``, both included. O(log n + k).

        ``callback`` replaces the decoding: it is called with the numbers, and its result is returned.
        """
        times = unpack((yield from self._read("times", *self._bounds("times", start, stop))))
        return self._moments(times) if callback is None else callback(times)

    @verb
    def itimes(self, start: int = 0, stop: int = -1, callback: Callable[[Any], Any] | None = None) -> Program[Any]:
        """Return the times from one place to another, both included, as ``times`` does. O(log n + k)."""
        times = unpack((yield from self._read("itimes", *self._places(start, stop))))
        return self._moments(times) if callback is None else callback(times)

    @verb
    def size(self) -> Program[int]:
        """Return the number of rows. O(log n)."""
        return int((yield from self._read("size")))

    @verb
    def contains(self, time: Any) -> Program[bool]:
        """Return whether there is a row at exactly that time. O(log n)."""
        return (yield from self._read("rank", self._key(time, "contains"))) is not None

    def _item(self, key: Any) -> Program[dict[str, float]]:
        row = self._first_row((yield from self._by_time(key, key, None)))
        if row is None:
            raise KeyError(key)
        return row

    def _end(self, place: int, fields: Sequence[str] = ()) -> Program[tuple[Any, dict[str, float]] | None]:
        block = yield from self._by_place(place, place, fields)
        row = self._first_row(block)
        return None if row is None else (self._moments(block.times)[0], row)

    @verb
    def front(self, *fields: str) -> Program[tuple[Any, dict[str, float]] | None]:
        """Return the first time and its row, or ``None``. O(log n)."""
        return (yield from self._end(0, fields))

    @verb
    def back(self, *fields: str) -> Program[tuple[Any, dict[str, float]] | None]:
        """Return the last time and its row, or ``None``. O(log n)."""
        return (yield from self._end(-1, fields))

    @verb
    def fields(self) -> Program[tuple[str, ...]]:
        """Return the names of the columns, sorted."""
        return tuple(name.decode() for name in (yield from self._read("fields")))

    @verb
    def numfields(self) -> Program[int]:
        """Return the number of columns."""
        return len((yield from self._read("fields")))

    @verb
    def info(self, start: Any = None, end: Any = None, fields: Fields = None) -> Program[dict[str, Any]]:
        """Return number of rows, first and last time, and by column how many cells are missing. O(log n + k).

        ``start`` and ``end`` are times, ``None`` for an open end.
        """
        bounds = "-inf" if start is None else start, "+inf" if end is None else end
        block = yield from self._by_time(*bounds, fields)
        counts = {name: {"missing": sum(cell != cell for cell in cells)} for name, cells in block.columns.items()}
        found: dict[str, Any] = {"size": len(block), "fields": counts}
        if block.times:
            found["start"], found["stop"] = self._moments(array("d", (block.times[0], block.times[-1])))
        return found

    # -- taking -------------------------------------------------------------------------------------------------

    @verb
    def pop(self, time: Any, *default: Any) -> Program[Any]:
        """Remove a row, at once, and return it, or ``default``, or raise ``KeyError``. O(log n)."""
        if len(default) > 1:
            raise TypeError(f"pop() takes a time and a default, not {len(default) + 1} arguments.")
        low, high = self._bounds("pop", time, time)
        row = self._first_row(Block.of((yield from self._act("pop_range", low, high))))
        if row is None and not default:
            raise KeyError(time)
        return default[0] if row is None else row

    @verb
    def ipop(self, index: int) -> Program[dict[str, float] | None]:
        """Remove the row at a place, at once, and return it; ``None`` if there is none. O(log n)."""
        (place,) = self._places(index)
        return self._first_row(Block.of((yield from self._act("ipop_range", place, place))))

    @verb
    def pop_range(self, start: Any, stop: Any) -> Program[Columns]:
        """Remove and return, at once, what ``range`` gives. O(log n + k)."""
        return self._shown(Block.of((yield from self._act("pop_range", *self._bounds("pop_range", start, stop)))))

    @verb
    def ipop_range(self, start: int = 0, stop: int = -1) -> Program[Columns]:
        """Remove and return, at once, what ``irange`` gives. O(log n + k)."""
        return self._shown(Block.of((yield from self._act("ipop_range", *self._places(start, stop)))))
