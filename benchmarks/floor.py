"""The floor in memory: what one would write by hand with dict, set and sortedcontainers, an object for each row."""

from __future__ import annotations

from typing import Any

from sortedcontainers import SortedList


class Row:
    """A plain object."""

    def __init__(self, id: int, name: str, ccy: str, sector: str, price: float, size: int, dt: Any) -> None:
        self.id = id
        self.name = name
        self.ccy = ccy
        self.sector = sector
        self.price = price
        self.size = size
        self.dt = dt


class Floor:
    """Rows by id, a unique index, two sets of ids by value, one sorted index; objects are made when rows are read."""

    def __init__(self) -> None:
        self.last = 0
        self.rows: dict[int, tuple[Any, ...]] = {}
        self.names: dict[str, int] = {}
        self.ccys: dict[str, set[int]] = {}
        self.sectors: dict[str, set[int]] = {}
        self.sizes: SortedList = SortedList()

    def insert(self, objects: list[dict[str, Any]]) -> None:
        """Store rows, made into objects first, all or nothing."""
        made = [Row(0, **values) for values in objects]
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

    def load(self, ids: Any) -> list[Row]:
        """Make an object for each id, in the given order."""
        rows = self.rows
        return [Row(*rows[id]) for id in ids]

    def update_size(self, ids: list[int], size: int) -> None:
        """Load rows, change one indexed number, store them."""
        for row in self.load(ids):
            self.sizes.remove((row.size, row.id))
            row.size += size
            self.rows[row.id] = (row.id, row.name, row.ccy, row.sector, row.price, row.size, row.dt)
            self.sizes.add((row.size, row.id))

    def delete(self, ids: list[int]) -> None:
        """Remove rows and their index entries."""
        for id in ids:
            _, name, ccy, sector, _, size, _ = self.rows.pop(id)
            del self.names[name]
            self.ccys[ccy].discard(id)
            self.sectors[sector].discard(id)
            self.sizes.remove((size, id))
