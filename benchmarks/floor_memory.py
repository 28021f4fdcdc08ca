"""The floor in memory: what one would write by hand with dict, set and sortedcontainers, an object for each row."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Any

from sortedcontainers import SortedList

from .workload import Row


class Floor:
    """Rows by id, a unique index, two sets of ids by value, one sorted index; objects are made when rows are read."""

    def __init__(self) -> None:
        self.last = 0
        self.rows: dict[int, tuple[Any, ...]] = {}
        self.names: dict[str, int] = {}
        self.ccys: dict[str, set[int]] = {}
        self.sectors: dict[str, set[int]] = {}
        self.sizes: SortedList = SortedList()

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

    def delete(self, ids: list[int]) -> None:
        for id in ids:
            _, name, ccy, sector, _, size, _ = self.rows.pop(id)
            del self.names[name]
            self.ccys[ccy].discard(id)
            self.sectors[sector].discard(id)
            self.sizes.remove((size, id))

    def close(self) -> None:
        """Nothing to close."""
