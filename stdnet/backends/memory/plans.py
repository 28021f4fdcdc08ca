"""Plans: from a node of ``contract.plan`` to a set of ids.

``evaluate`` computes a set, ``narrow`` the part of given ids that is in a plan, ``count`` a size. Scans run
on what the indices leave: an ``Intersect`` evaluates its indexed members first and narrows by the others. The
sets returned may be the index's own; callers do not change them.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Sequence, Set
from typing import Any

from ...contract import All, Diff, Eq, Found, Id, Ids, In, Intersect, Match, Plan, Range, Scalar, Scan, Union, Where
from .containers import container
from .indexes import EMPTY, EqualIndex, IdOrder
from .leaves import is_leaf, read_of
from .leaves import predicate as leaf_predicate
from .store import Store, TableStore
from .where import ascii_lower, compile_where


class Reader:
    """The tables of one namespace of a store, for plans that reach other tables."""

    __slots__ = ("namespace", "store")

    def __init__(self, store: Store, namespace: str) -> None:
        self.store = store
        self.namespace = namespace

    def evaluate(self, table: TableStore, plan: Plan) -> Set[Id]:
        """Return the ids of ``plan`` in ``table``."""
        return _EVALUATE[type(plan)](self, table, plan)

    def narrow(self, table: TableStore, ids: Set[Id], plan: Plan) -> Set[Id]:
        """Return those of ``ids``, which exist, that are in ``plan``."""
        narrow = _NARROW.get(type(plan))
        return ids & self.evaluate(table, plan) if narrow is None else narrow(self, table, ids, plan)

    def count(self, table: TableStore, plan: Plan) -> int:
        """Return the number of ids in ``plan``."""
        match plan:
            case Range(field, low, high, low_open, high_open) if field in table.ranges:
                return table.ranges[field].count(low, high, low_open, high_open)
            case _:
                return len(_EVALUATE[type(plan)](self, table, plan))

    def values(self, table: TableStore, ids: Iterable[Id], field: str) -> Set[Any]:
        """Return the values of a column, or of the pk, in the rows ``ids``, but for blank ones."""
        if field == table.table.pk.name:
            return ids if isinstance(ids, Set) else set(ids)
        position = table.table.positions[field]
        return {table.rows[id][position] for id in ids} - {None, "", b""}

    def matching(self, table: TableStore, field: str, values: Set[Any]) -> Set[Id]:
        """Return the ids of the rows whose ``field``, or id, is among ``values``."""
        if field == table.table.pk.name:
            found = table.rows.keys() & values
            return {id or 0.0 for id in found} if table.table.pk.type == "float" else found  # -0.0 is the id 0.0
        index = table.lookups[field]
        if isinstance(index, EqualIndex):  # few values are common: look up those that exist
            values = index.sets.keys() & values
        return EMPTY.union(*map(index.find, values))


def _all(reader: Reader, table: TableStore, plan: All) -> Set[Id]:
    return table.rows.keys()


def _ids(reader: Reader, table: TableStore, plan: Ids) -> Set[Id]:
    return {id for id in plan.ids if id in table.rows}


def _eq(reader: Reader, table: TableStore, plan: Eq) -> Set[Id]:
    index = table.lookups[plan.field]
    if len(plan.values) == 1:
        return index.find(plan.values[0])
    return EMPTY.union(*map(index.find, plan.values))


def _match(reader: Reader, table: TableStore, plan: Match) -> Set[Id]:
    ids = table.together[plan.fields].ids
    return {ids[values] for values in plan.values if values in ids}


def _range(reader: Reader, table: TableStore, plan: Range) -> Set[Id]:
    if plan.field != table.table.pk.name:
        return table.ranges[plan.field].between(plan.low, plan.high, plan.low_open, plan.high_open)
    if isinstance(table.order, IdOrder):
        inclusive = (not plan.low_open, not plan.high_open)
        return set(table.order.ids.irange(plan.low, plan.high, inclusive))
    tests = _bounds(plan)
    return {id for id in table.rows if all(test(id) for test in tests)}


def _bounds(plan: Range) -> list[Callable[[Any], bool]]:
    tests = []
    if plan.low is not None:
        tests.append(predicate("gt" if plan.low_open else "ge", plan.low))
    if plan.high is not None:
        tests.append(predicate("lt" if plan.high_open else "le", plan.high))
    return tests


def _in(reader: Reader, table: TableStore, plan: In) -> Set[Id]:
    other = reader.store.table(reader.namespace, plan.table)
    values = reader.values(other, reader.evaluate(other, plan.plan), plan.of)
    return reader.matching(table, plan.field, values)


def _found(reader: Reader, table: TableStore, plan: Found) -> Set[Id]:
    found: Set[Id] = getattr(container(reader, plan.place), plan.operation)(*plan.arguments)
    return table.rows.keys() & found


def _union(reader: Reader, table: TableStore, plan: Union) -> Set[Id]:
    return EMPTY.union(*(reader.evaluate(table, child) for child in plan.plans))


def _rank(plan: Plan) -> int:
    """Order the members of an intersection: indices first, then what has to look at rows."""
    match plan:
        case Scan() | Where():
            return 3
        case Diff() | Union() | Intersect():
            return 2
        case All():
            return 1
        case _:
            return 0


def _intersect(reader: Reader, table: TableStore, plan: Intersect) -> Set[Id]:
    first, *others = sorted(plan.plans, key=_rank)
    ids = reader.evaluate(table, first)
    for child in others:
        ids = reader.narrow(table, ids, child)
    return ids


def _narrow_intersect(reader: Reader, table: TableStore, ids: Set[Id], plan: Intersect) -> Set[Id]:
    for child in sorted(plan.plans, key=_rank):
        ids = reader.narrow(table, ids, child)
    return ids


def _diff(reader: Reader, table: TableStore, plan: Diff) -> Set[Id]:
    ids = reader.evaluate(table, plan.plan)
    return ids - reader.narrow(table, ids, plan.minus)


def _narrow_diff(reader: Reader, table: TableStore, ids: Set[Id], plan: Diff) -> Set[Id]:
    kept = reader.narrow(table, ids, plan.plan)
    return kept - reader.narrow(table, kept, plan.minus)


def _narrow_union(reader: Reader, table: TableStore, ids: Set[Id], plan: Union) -> Set[Id]:
    return EMPTY.union(*(reader.narrow(table, ids, child) for child in plan.plans))


def _narrow_all(reader: Reader, table: TableStore, ids: Set[Id], plan: All) -> Set[Id]:
    return ids


def _narrow_scan(reader: Reader, table: TableStore, ids: Set[Id], plan: Scan) -> Set[Id]:
    if is_leaf(table.table, plan.field):
        test, read = leaf_predicate(plan, predicate), read_of(table.table, plan.field)
        return {id for id in ids if test(read(id, table.rows[id]))}
    column = table.table.column(plan.field)
    if plan.op == "isnull":
        blank: Sequence[Any] = (None,) if column.type in ("int", "float") else (None, "", b"", {})
        if column is table.table.pk:
            return EMPTY if plan.value else ids
        position = table.table.positions[plan.field]
        return {id for id in ids if (table.rows[id][position] in blank) == bool(plan.value)}
    test = predicate(plan.op, plan.value, as_text=column.type in ("int", "float"))
    if column is table.table.pk:
        return {id for id in ids if test(id)}
    rows, position = table.rows, table.table.positions[plan.field]
    return {id for id in ids if (value := rows[id][position]) is not None and test(value)}


def _narrow_where(reader: Reader, table: TableStore, ids: Set[Id], plan: Where) -> Set[Id]:
    rows, test = table.rows, compile_where(plan, table.table)
    return {id for id in ids if test(id, rows[id])}


def _scan(reader: Reader, table: TableStore, plan: Plan) -> Set[Id]:
    return reader.narrow(table, table.rows.keys(), plan)


_EVALUATE: dict[type, Callable[[Reader, TableStore, Any], Set[Id]]] = {
    All: _all,
    Ids: _ids,
    Eq: _eq,
    Match: _match,
    Range: _range,
    Scan: _scan,
    Where: _scan,
    In: _in,
    Found: _found,
    Union: _union,
    Intersect: _intersect,
    Diff: _diff,
}

_NARROW: dict[type, Callable[[Reader, TableStore, Set[Id], Any], Set[Id]]] = {
    All: _narrow_all,
    Scan: _narrow_scan,
    Where: _narrow_where,
    Union: _narrow_union,
    Intersect: _narrow_intersect,
    Diff: _narrow_diff,
}

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
}


def _folded(value: Any) -> Any:
    return value.lower() if isinstance(value, bytes) else ascii_lower(value)


def predicate(op: str, wanted: Scalar, as_text: bool = False) -> Callable[[Any], bool]:
    """Return the test of a ``Scan`` for values that are not missing; ``as_text``: search numbers as text."""
    if op in _COMPARE:
        compare = _COMPARE[op]
        return lambda value: compare(value, wanted)
    fold = op in ("icontains", "istartswith", "iendswith")
    part: Any = _folded(wanted) if fold else wanted
    read: Callable[[Any], Any] = repr if as_text else lambda value: value
    if fold:
        plain = read
        read = lambda value: _folded(plain(value))  # noqa: E731
    if op.endswith("contains"):
        return lambda value: part in read(value)
    if op.endswith("startswith"):
        return lambda value: bool(read(value).startswith(part))
    return lambda value: bool(read(value).endswith(part))
