"""A database in memory: tables of rows with their indices and structures, and the check of all their invariants.

Rows are tuples and are never changed in place, so a reply may hold them after the lock is gone. Only ``commit``
writes rows, only ``places`` what is in structures; ``plans`` and ``select`` read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter
from typing import Any

from ...contract import Committed, Id, Place, Row, Scalar, Table, joint, keys
from ...errors import TableMismatch
from ...records import replace
from .indexes import (
    CombinedIndex,
    Deadlines,
    EqualIndex,
    IdOrder,
    Index,
    RangeIndex,
    ScoreOrder,
    UniqueIndex,
    make_index,
)
from .shelf import Shelf
from .waiting import Waiting

Step = tuple[Id, "Row | None", "Row | None"]
"""An id with its row before and after a commit; ``None`` where it does not exist."""

TOKEN_SECONDS = 600.0


class TableStore:
    """The rows of one table and everything that is derived from them."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.rows: dict[Id, Row] = {}
        self.counter: int | None = None
        self.order: IdOrder | ScoreOrder = IdOrder() if table.order == "id" else ScoreOrder()
        self.lookups: dict[str, Index] = {}
        self.ranges: dict[str, RangeIndex] = {}
        self.unique: list[tuple[str, Callable[[Row], Any], dict[Any, Id]]] = []
        self.maintained: list[tuple[int, Index]] = []
        self.together: dict[tuple[str, ...], CombinedIndex] = {
            names: CombinedIndex([table.positions[name] for name in names]) for names in table.together
        }
        self.structures = Shelf()
        self.deadlines = Deadlines()
        for position, column in enumerate(table.columns):
            index = make_index(column)
            if index is None:
                continue
            self.lookups[column.name] = index
            self.maintained.append((position, index))
            if isinstance(index, UniqueIndex):
                self.unique.append((column.name, itemgetter(position), index.ids))
                if column.index == "range":
                    self.ranges[column.name] = RangeIndex()
                    self.maintained.append((position, self.ranges[column.name]))
            elif isinstance(index, RangeIndex):
                self.ranges[column.name] = index
        self.unique += [(joint(names), index.key, index.ids) for names, index in self.together.items()]

    def is_as(self, table: Table) -> bool:
        """Return whether rows here are rows of ``table``: the same columns at the same places."""
        return self.table is table or self.table == table

    def adopt(self, table: Table) -> bool:
        """Return whether the rows are found as ``table`` would find them; the columns that are new are missing then."""
        kinds = {column.name: column.type for column in self.table.columns}
        if table.pk != self.table.pk or table.layout != self.table.layout:
            return False
        if any(kinds.get(column.name, column.type) != column.type for column in table.columns):
            return False
        new = tuple(column for column in table.columns if column.name not in kinds)
        if new:
            self.table = replace(self.table, columns=(*self.table.columns, *new))
            for id, row in self.rows.items():
                self.rows[id] = (*row, *(None,) * len(new))
        return True

    def write(self, steps: Sequence[Step]) -> None:
        """Bring rows and indices from before to after; the order of the table is the caller's to keep."""
        rows = self.rows
        for id, _, new in steps:
            if new is None:
                del rows[id]
            else:
                rows[id] = new
        if len(steps) > 1:
            self._index(steps)
        else:
            for position, index in self.maintained:
                for id, old, new in steps:
                    if old is None or new is None or old[position] != new[position]:
                        if old is not None:
                            index.remove(old[position], id)
                        if new is not None:
                            index.add(new[position], id)
        for combined in self.together.values():
            for id, old, new in steps:
                combined.move(id, old, new)

    def _index(self, steps: Sequence[Step]) -> None:
        """Bring the indices of columns from before to after many steps: what goes goes first."""
        fresh = all(old is None for _, old, _ in steps)
        for n, index in self.maintained:
            come = steps
            if not fresh:
                moved = [step for step in steps if step[1] is None or step[2] is None or step[1][n] != step[2][n]]
                gone = [(old[n], id) for id, old, _ in moved if old is not None]
                if gone:
                    index.remove_all([value for value, _ in gone], [id for _, id in gone])
                come = [step for step in moved if step[2] is not None]
            if come:
                index.extend([new[n] for _, _, new in come if new is not None], [id for id, _, _ in come])

    def expire(self, now: float) -> None:
        """Remove the rows whose deadline has come, and everything of theirs."""
        due = self.deadlines.due(now)
        if not due:
            return
        if isinstance(self.order, ScoreOrder):
            for id in due:
                self.order.remove(id)
        else:
            self.order.remove_all(due)
        for id in due:
            self.deadlines.remove(id)
            self.structures.drop(id)
        self.write([(id, self.rows[id], None) for id in due])

    def keys(self, namespace: str) -> list[bytes]:
        """Return the names of ``contract.keys`` that this table has, unsorted."""
        base = (namespace + self.table.name).encode()
        names = [base + b":id"] if self.rows else []
        if self.counter is not None:
            names.append(base + b":ids")
        if self.deadlines:
            names.append(base + b":ttl")
        names += [
            base + b":obj:" + keys.escape(id)
            for id, row in self.rows.items()
            if any(value is not None for value in row)
        ]
        for column in self.table.columns:
            names += self._index_keys(base, column.name)
        names += [base + b":uni:" + joint(fields).encode() for fields, index in self.together.items() if index.ids]
        for owner, name, (kind, _) in self.structures:
            names.append(keys.structure(namespace, Place(kind, name, self.table, owner)))
        return names

    def _index_keys(self, base: bytes, name: str) -> Iterable[bytes]:
        index, ranges, field = self.lookups.get(name), self.ranges.get(name), name.encode()
        values: Iterable[Scalar] = ()
        if isinstance(index, EqualIndex):
            values = index.sets
        elif index is not None and index.find(None):
            values = (None,)
        if isinstance(index, UniqueIndex) and index.ids:
            yield base + b":uni:" + field
        if ranges is not None and ranges.pairs:
            yield base + b":idx:" + field
        for value in values:
            yield base + b":idx:" + field + b":" + keys.escape(value)

    def check(self) -> None:
        """Raise ``AssertionError`` unless every invariant of the table holds."""
        name, columns = self.table.name, self.table.columns
        for id, row in self.rows.items():
            assert len(row) == len(columns), f"{name}: row {id!r} has {len(row)} values for {len(columns)} columns"
        for position, index in self.maintained:
            column = columns[position]
            blank = (None,) if column.type in ("int", "float") else (None, "", b"")
            expected = {(None if row[position] in blank else row[position], id) for id, row in self.rows.items()}
            found = list(index.entries())
            assert set(found) == expected, f"{name}.{column.name}: index entries differ from the rows"
            assert len(found) == len(expected), f"{name}.{column.name}: an index entry is there twice"
            if isinstance(index, EqualIndex):
                assert all(index.sets.values()), f"{name}.{column.name}: an empty set is kept"
        for fields, combined in self.together.items():
            pairs = [(key, id) for id, row in self.rows.items() if (key := combined.key(row)) is not None]
            assert dict(pairs) == combined.ids, f"{name}.{joint(fields)}: index entries differ from the rows"
            assert len(pairs) == len(combined.ids), f"{name}.{joint(fields)}: two rows have one combination"
        assert sorted(self.order.slice(None, None), key=repr) == sorted(self.rows, key=repr), f"{name}: order differs"
        if isinstance(self.order, ScoreOrder):
            assert {id: score for score, id in self.order.pairs} == self.order.scores, f"{name}: scores differ"
        ends = self.deadlines
        assert {id: end for end, id in ends.pairs} == ends.scores, f"{name}: deadlines differ"
        assert ends.scores.keys() <= (self.rows.keys() if self.table.ttl else set()), f"{name}: deadlines without a row"
        if self.table.auto:
            largest = max((id for id in self.rows if isinstance(id, int)), default=0)
            assert largest <= 0 or largest <= (self.counter or 0), f"{name}: the counter is behind id {largest}"
        for owner, structure, (_, container) in self.structures:
            assert owner is None or owner in self.rows, f"{name}: {structure} of {owner!r}, which is no row, is kept"
            assert container, f"{name}: {structure} of {owner!r} is empty and kept"


class Store:
    """All tables of one database, by namespace and name, structures on their own, and the tokens of recent commits.

    A structure on its own is kept by namespace; its owner on the shelf is the name of its kind.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.tables: dict[tuple[str, str], TableStore] = {}
        self.mortal: dict[tuple[str, str], TableStore] = {}
        self.standalone: dict[str, Shelf] = {}
        self.waiting = Waiting()
        self.tokens: dict[tuple[str, str], tuple[float, Committed]] = {}

    def table(self, namespace: str, table: Table) -> TableStore:
        """Return the store of a table, a new one if there is none; ``TableMismatch`` if it has rows of another kind."""
        found = self.tables.get((namespace, table.name))
        if found is not None and (found.table is table or found.is_as(table)):
            return found
        if found is not None and found.rows:
            if not found.adopt(table):
                raise TableMismatch(table.name)
            return found
        made = self.tables[namespace, table.name] = TableStore(table)
        self.mortal.pop((namespace, table.name), None)
        if table.ttl:
            self.mortal[namespace, table.name] = made
        if found is not None:
            made.counter, made.structures = found.counter, found.structures
        return made

    def expire(self) -> None:
        """Remove all rows whose deadline has come. O(log n) for each of them, and next to nothing for the others."""
        now = self.clock()
        for table in self.mortal.values():
            if table.deadlines and table.deadlines.pairs[0][0] <= now:
                table.expire(now)

    def flush(self, namespace: str, name: str) -> int:
        """Forget a table, which is there, and return the number of its keys."""
        self.mortal.pop((namespace, name), None)
        return len(self.tables.pop((namespace, name)).keys(namespace))

    def shelf(self, namespace: str, table: str | None) -> Shelf:
        """Return the structures of a table, or, for ``None``, those on their own."""
        if table is None:
            return self.standalone.setdefault(namespace, Shelf())
        found = self.tables.get((namespace, table))
        return Shelf() if found is None else found.structures

    def is_fresh(self, key: tuple[str, str], now: float) -> bool:
        """Return whether a token is young enough to be honoured."""
        return self.tokens[key][0] >= now - TOKEN_SECONDS

    def remember(self, key: tuple[str, str], reply: Committed, now: float) -> None:
        """Keep the reply of a commit under its token, and forget those that are old."""
        for old in [key for key in self.tokens if not self.is_fresh(key, now)]:
            del self.tokens[old]
        self.tokens[key] = now, reply

    def check(self) -> None:
        """Raise ``AssertionError`` unless every invariant of every table and structure holds."""
        for table in self.tables.values():
            table.check()
        for shelf in self.standalone.values():
            for kind, name, (_, container) in shelf:
                assert container, f"{kind!r} {name} is empty and kept"
        for namespace, key, owner, name in self.waiting.queues:
            found = self.shelf(namespace, key).get(owner, name)
            assert found is None or found[0].name != "list", f"somebody waits at {name}, where something is"
