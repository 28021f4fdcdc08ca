"""Select: order the ids of a plan, cut a slice, take the fields and what structures hold."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from operator import itemgetter
from typing import Any

from ...contract import All, Id, Place, Related, Row, Scores, Select, Selected, Sort
from ...records import replace
from .containers import container
from .indexes import IdOrder
from .leaves import is_leaf, rank, read_of
from .plans import Reader
from .store import TableStore


def select(reader: Reader, request: Select) -> Selected:
    """Return the rows of ``request``."""
    table = reader.store.table(reader.namespace, request.table)
    scores: list[float] = []
    if request.scores:
        ids, scores = ranked(reader, table, request)
    else:
        ids = order(reader, table, request)
    if request.fields is None and table.table is request.table:
        rows = [table.rows[id] for id in ids]
    else:
        rows = take(table, ids, request)
    if not request.related and not request.structures:
        return Selected(ids, rows, scores=scores)
    related = tuple(follow(reader, table, ids, each) for each in request.related)
    structures = tuple(contents(reader, request, ids, name) for name in request.structures)
    return Selected(ids, rows, related, structures, scores)


def contents(reader: Reader, request: Select, ids: Iterable[Id], name: str) -> list[Any]:
    """Return what a structure of each row holds."""
    kind = dict(request.table.structures)[name]
    return [container(reader, Place(kind, name, request.table, id)).items() for id in ids]


def follow(reader: Reader, table: TableStore, ids: Iterable[Id], related: Related) -> Selected:
    """Return the rows that ``related`` brings along with the rows ``ids`` of ``table``."""
    other = reader.store.table(reader.namespace, related.table)
    found = other.order.sort(reader.matching(other, related.of, reader.values(table, ids, related.field)))
    deeper = tuple(follow(reader, other, found, each) for each in related.related)
    return Selected(found, take(other, found, related), deeper)


def order(reader: Reader, table: TableStore, request: Select) -> list[Id]:
    """Return the slice of ids, in order."""
    start, stop, sort = request.start, request.stop, request.sort
    if isinstance(request.plan, All):
        if sort is None or _is_own(table, sort):
            return table.order.slice(start, stop)
        if (start or 0) >= 0 and stop is not None and stop >= 0 and (walk := _walk(table, sort)) is not None:
            return list(islice(walk, start, stop))
    ids = table.order.sort(reader.evaluate(table, request.plan))
    if sort is not None:
        ids.sort(key=_sort_key(reader, table, sort), reverse=sort.desc)  # stable, also in reverse
    return ids if start is None and stop is None else ids[start:stop]


def ranked(reader: Reader, table: TableStore, request: Select) -> tuple[list[Id], list[float]]:
    """Return the slice of ids by the sums of their scores, and these."""
    ids = list(reader.evaluate(table, request.plan))
    sums = [0.0] * len(ids)
    for each in request.scores:
        sums = [sum + score for sum, score in zip(sums, _scores(reader, table, ids, each), strict=True)]
    pairs = sorted(zip(map(operator.neg, sums), ids, strict=True))[request.start : request.stop]
    return [id for _, id in pairs], [-score for score, _ in pairs]


def _scores(reader: Reader, table: TableStore, ids: list[Id], scores: Scores) -> list[float]:
    target = getattr(container(reader, scores.place), scores.operation)
    if not scores.through:
        found: list[float] = target(ids, *scores.arguments)
        return found
    ends: list[Any] = list(ids)
    for field, other in scores.through:
        position, rows = table.table.positions[field], table.rows
        ends = [rows[id][position] if id in rows else None for id in ends]
        table = reader.store.table(reader.namespace, other)
    given = [id for id in dict.fromkeys(ends) if id is not None and id in table.rows]
    known = dict(zip(given, target(given, *scores.arguments), strict=True))
    return [known.get(id, 0.0) for id in ends]


def _walk(table: TableStore, sort: Sort) -> Iterator[Id] | None:
    """Yield all ids along the range index of a field that every row has; ``None`` without such an index."""
    index = None if sort.through else table.ranges.get(sort.field)
    if index is None or len(index.pairs) != len(table.rows):
        return None
    if isinstance(table.order, IdOrder) and not sort.desc:
        return map(itemgetter(1), index.pairs)  # those of one value stand in the order of their ids already
    return (id for group in index.groups(sort.desc) for id in table.order.sort(group))


def _is_own(table: TableStore, sort: Sort) -> bool:
    """Return whether an explicit order is the table's own."""
    return sort.field == table.table.pk.name and not sort.desc and not sort.through and table.table.order == "id"


def _sort_key(reader: Reader, table: TableStore, sort: Sort) -> Callable[[Id], Any]:
    if sort.through:
        return _path_key(reader, table, sort)
    if is_leaf(table.table, sort.field):
        rows, read = table.rows, read_of(table.table, sort.field)
        return lambda id: rank(read(id, rows[id]))
    column = table.table.column(sort.field)
    if column is table.table.pk:
        return lambda id: id
    rows, position = table.rows, table.table.positions[sort.field]
    missing: Any = {"str": "", "bytes": b""}.get(column.type, 0)

    def key(id: Id) -> Any:
        value = rows[id][position]
        return missing if value is None else value

    return key


def _path_key(reader: Reader, table: TableStore, sort: Sort) -> Callable[[Id], Any]:
    (field, target), *rest = sort.through
    rows, position = table.rows, table.table.positions[field]
    other = reader.store.table(reader.namespace, target)
    inner = _sort_key(reader, other, replace(sort, through=tuple(rest)))
    last = rest[-1][1] if rest else target
    leaf = is_leaf(last, sort.field)
    missing: Any = rank(None) if leaf else {"str": "", "bytes": b""}.get(last.column(sort.field).type, 0)

    def key(id: Id) -> Any:
        value = rows[id][position]
        return missing if value is None or value not in other.rows else inner(value)

    return key


def take(table: TableStore, ids: list[Id], asked: Select | Related) -> list[Row]:
    """Return the values of the fields that are asked for, for each id."""
    rows, fields = table.rows, asked.fields
    if fields is None and table.is_as(asked.table):
        return [rows[id] for id in ids]
    if fields == ():
        return []
    names = asked.table.names if fields is None else fields
    if any(is_leaf(table.table, name) for name in names):
        readers = [read_of(table.table, name) for name in names]
        return [tuple([read(id, rows[id]) for read in readers]) for id in ids]
    positions = [table.table.positions[name] for name in names]
    if not positions:
        return [()] * len(ids)
    if len(positions) == 1:
        (position,) = positions
        return [(rows[id][position],) for id in ids]
    pick = itemgetter(*positions)
    return [pick(rows[id]) for id in ids]
