"""Select: order the ids of a plan, cut a slice, take the fields."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from operator import itemgetter
from typing import Any

from ...contract import All, Id, Row, Select, Selected, Sort
from .plans import Reader
from .store import TableStore


def select(reader: Reader, request: Select) -> Selected:
    """Return the rows of ``request``."""
    table = reader.store.table(reader.namespace, request.table)
    ids = order(reader, table, request)
    return Selected(ids, take(table, ids, request.fields))


def order(reader: Reader, table: TableStore, request: Select) -> list[Id]:
    """Return the slice of ids, in order."""
    start, stop, sort = request.start, request.stop, request.sort
    if isinstance(request.plan, All):
        if sort is None or (sort.field == table.table.pk.name and not sort.desc and table.table.order == "id"):
            return table.order.slice(start, stop)
        if (start or 0) >= 0 and stop is not None and stop >= 0 and (walk := _walk(table, sort)) is not None:
            return list(islice(walk, start, stop))
    ids = table.order.sort(reader.evaluate(table, request.plan))
    if sort is not None:
        ids.sort(key=_sort_key(table, sort), reverse=sort.desc)  # stable, also in reverse
    return ids if start is None and stop is None else ids[start:stop]


def _walk(table: TableStore, sort: Sort) -> Iterator[Id] | None:
    """Yield all ids along the range index of a field that every row has; ``None`` without such an index."""
    index = table.ranges.get(sort.field)
    if index is None or len(index.pairs) != len(table.rows):
        return None
    return (id for group in index.groups(sort.desc) for id in table.order.sort(group))


def _sort_key(table: TableStore, sort: Sort) -> Callable[[Id], Any]:
    column = table.table.column(sort.field)
    if column is table.table.pk:
        return lambda id: id
    rows, position = table.rows, table.table.positions[sort.field]
    missing: Any = {"str": "", "bytes": b""}.get(column.type, 0)

    def key(id: Id) -> Any:
        value = rows[id][position]
        return missing if value is None else value

    return key


def take(table: TableStore, ids: list[Id], fields: tuple[str, ...] | None) -> list[Row]:
    """Return the values of ``fields`` for each id."""
    rows = table.rows
    if fields is None:
        return [rows[id] for id in ids]
    if not fields:
        return []
    positions = [table.table.positions[name] for name in fields]
    if len(positions) == 1:
        (position,) = positions
        return [(rows[id][position],) for id in ids]
    pick = itemgetter(*positions)
    return [pick(rows[id]) for id in ids]
