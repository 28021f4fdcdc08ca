"""The floor in memory: what one would write by hand with dict, set and sortedcontainers, an object for each row."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Iterable
from datetime import datetime
from itertools import islice
from typing import Any

from sortedcontainers import SortedDict, SortedList

from .workload import COLUMNS, Held, Points, Row, Share


def contestant(url: str) -> Floor:
    """Return the floor; ``url`` says nothing to it."""
    return Floor()


class Floor:
    """Rows by id, a unique index, two sets of ids by value, one sorted index; objects are made when rows are read."""

    def __init__(self) -> None:
        self.last = 0
        self.rows: dict[int, tuple[Any, ...]] = {}
        self.names: dict[str, int] = {}
        self.ccys: dict[str, set[int]] = {}
        self.sectors: dict[str, set[int]] = {}
        self.sizes: SortedList = SortedList()

        self.shares: dict[int, tuple[int, str, str, float]] = {}
        self.share_names: dict[str, set[int]] = {}
        self.share_ccys: dict[str, set[int]] = {}
        self.held: dict[int, tuple[int, int, str, int]] = {}
        self.held_of: dict[int, set[int]] = {}
        self.held_desks: dict[str, set[int]] = {}
        self.held_sizes: SortedList = SortedList()

        self.queue: deque[bytes] = deque()
        self.scores: dict[bytes, float] = {}
        self.ranking: SortedList = SortedList()
        self.hash: dict[str, bytes] = {}
        self.series: SortedDict[float, bytes] = SortedDict()
        self.times: list[datetime] = []
        self.bars = {name: array("d") for name in COLUMNS}

    def insert(self, data: list[dict[str, Any]]) -> None:
        made = [Row(0, **values) for values in data]
        if any(row.name in self.names for row in made) or len({row.name for row in made}) != len(made):
            raise ValueError("a name is taken")
        sizes = []
        for row in made:
            self.last += 1
            id = row.id = self.last
            self.rows[id] = (id, row.name, row.ccy, row.sector, row.price, row.size, row.dt)
            self.names[row.name] = id
            self.ccys.setdefault(row.ccy, set()).add(id)
            self.sectors.setdefault(row.sector, set()).add(id)
            sizes.append((row.size, id))
        if len(sizes) == 1:
            self.sizes.add(sizes[0])
        else:
            self.sizes.update(sizes)

    def insert_plain(self, data: list[dict[str, Any]]) -> None:
        self.insert(data)

    def load(self, ids: Iterable[int]) -> list[Row]:
        """Make an object for each id, in the given order."""
        rows = self.rows
        return [Row(*rows[id]) for id in ids]

    def by_key(self, id: int) -> Row:
        return Row(*self.rows[id])

    def by_name(self, name: str) -> Row:
        return Row(*self.rows[self.names[name]])

    def equal(self, ccy: str) -> list[Row]:
        return self.load(sorted(self.ccys[ccy]))

    def both(self, ccy: str, sector: str) -> list[Row]:
        return self.load(sorted(self.ccys[ccy] & self.sectors[sector]))

    def between(self, low: int, high: int) -> list[Row]:
        return self.load(sorted(id for _, id in self.sizes.irange((low, 0), (high, 0))))

    def count(self, ccy: str) -> int:
        return len(self.ccys[ccy])

    def first(self, n: int) -> list[Row]:
        return self.load(id for _, id in islice(self.sizes, n))

    def enlarge(self, ids: list[int]) -> None:
        for row in self.load(ids):
            self.sizes.remove((row.size, row.id))
            row.size += 1
            self.rows[row.id] = (row.id, row.name, row.ccy, row.sector, row.price, row.size, row.dt)
            self.sizes.add((row.size, row.id))

    def increase(self, ids: list[int]) -> None:
        self.enlarge(ids)

    def delete(self, ids: list[int]) -> None:
        for id in ids:
            _, name, ccy, sector, _, size, _ = self.rows.pop(id)
            del self.names[name]
            self.ccys[ccy].discard(id)
            self.sectors[sector].discard(id)
            self.sizes.remove((size, id))

    def hold(self, instruments: list[dict[str, Any]], holdings: list[dict[str, Any]]) -> None:
        for id, values in enumerate(instruments, 1):
            self.shares[id] = (id, values["name"], values["ccy"], values["price"])
            self.share_names.setdefault(values["name"], set()).add(id)
            self.share_ccys.setdefault(values["ccy"], set()).add(id)
            self.held_of[id] = set()
        for id, values in enumerate(holdings, 1):
            share = values["instrument"] + 1
            self.held[id] = (id, share, values["desk"], values["size"])
            self.held_of[share].add(id)
            self.held_desks.setdefault(values["desk"], set()).add(id)
        self.held_sizes.update((size, id) for id, _, _, size in self.held.values())

    def load_held(self, ids: Iterable[int]) -> list[Held]:
        """Make an object for each holding, in the given order."""
        held = self.held
        return [Held(*held[id]) for id in ids]

    def eager(self, desk: str) -> list[Held]:
        found = self.load_held(sorted(self.held_desks[desk]))
        shares = {id: Share(*self.shares[id]) for id in {each.instrument_id for each in found}}
        for each in found:
            each.instrument = shares[each.instrument_id]
        return found

    def across(self, ccy: str) -> list[Held]:
        return self.load_held(sorted(id for share in self.share_ccys[ccy] for id in self.held_of[share]))

    def cascade(self, ids: list[int]) -> int:
        gone = 0
        for share in ids:
            _, name, ccy, _ = self.shares.pop(share)
            self.share_names[name].discard(share)
            self.share_ccys[ccy].discard(share)
            held = self.held_of.pop(share)
            for id in held:
                _, _, desk, size = self.held.pop(id)
                self.held_desks[desk].discard(id)
                self.held_sizes.remove((size, id))
            gone += len(held)
        return gone

    def push(self, values: list[bytes]) -> None:
        self.queue.extend(values)

    def pop(self) -> bytes | None:
        return self.queue.popleft() if self.queue else None

    def rank(self, pairs: list[tuple[float, bytes]]) -> None:
        for score, value in pairs:
            if value in self.scores:
                self.ranking.remove((self.scores[value], value))
            self.scores[value] = score
        self.ranking.update(pairs)

    def ranked(self, low: float, high: float) -> list[tuple[float, bytes]]:
        return list(self.ranking.irange((low,), (high, b"\xff")))

    def fill(self, pairs: list[tuple[str, bytes]]) -> None:
        self.hash.update(pairs)

    def table(self) -> dict[str, bytes]:
        return dict(self.hash)

    def record(self, pairs: list[tuple[float, bytes]]) -> None:
        self.series.update(pairs)

    def recorded(self, low: float, high: float) -> list[tuple[float, bytes]]:
        series = self.series
        return [(time, series[time]) for time in series.irange(low, high)]

    def append(self, points: Points) -> None:
        for time, values in points:
            if self.times and time <= self.times[-1]:
                raise ValueError("it is not in order")
            self.times.append(time)
            for name, column in self.bars.items():
                column.append(values[name])

    def window(self, start: datetime, stop: datetime) -> tuple[list[datetime], dict[str, list[float]]]:
        low, high = bisect_left(self.times, start), bisect_right(self.times, stop)
        return self.times[low:high], {name: column[low:high].tolist() for name, column in self.bars.items()}

    def close(self) -> None:
        """Nothing to close."""
