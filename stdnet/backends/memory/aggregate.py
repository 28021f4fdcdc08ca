"""Aggregate: part the rows of a plan into groups, block by block, and fold the values of each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from operator import add
from typing import Any

from ...contract import Aggregate, All, Group, Id, Row, Table, Term
from ...contract.aggregates import BLOCK, rank
from .plans import Reader
from .store import TableStore


def aggregate(reader: Reader, request: Aggregate) -> list[Group]:
    """Return the groups of ``request`` with their results."""
    table = reader.store.table(reader.namespace, request.table)
    keys = [_reading(table, request.table, name) for name in request.group]
    folds = [(_fold(request.table, term), _reading(table, request.table, term.column)) for term in request.terms]
    first = [0 if term.op == "count" else None for term in request.terms]
    found: dict[Row, list[Any]] = {} if request.group else {(): [*first]}
    ids = _ids(reader, table, request)
    for start in range(0, len(ids), BLOCK):
        for key, members in _parted(ids[start : start + BLOCK], keys).items():
            results = found.setdefault(key, [*first])
            for n, (fold, read) in enumerate(folds):
                if values := [value for value in read(members) if value is not None]:
                    results[n] = fold(results[n], values)
    return [(key, tuple(found[key])) for key in sorted(found, key=rank)]


def _ids(reader: Reader, table: TableStore, request: Aggregate) -> list[Id]:
    if isinstance(request.plan, All):
        return table.order.slice(None, None)
    return table.order.sort(reader.evaluate(table, request.plan))


def _parted(ids: list[Id], keys: Sequence[Callable[[list[Id]], list[Any]]]) -> dict[Row, list[Id]]:
    """Return the ids by the values of their rows, those of one group in the order in which they come."""
    if not keys:
        return {(): ids}
    parts: dict[Row, list[Id]] = {}
    for key, id in zip(zip(*(read(ids) for read in keys), strict=True), ids, strict=True):
        parts.setdefault(key, []).append(id)
    return parts


def _reading(table: TableStore, asked: Table, name: str | None) -> Callable[[list[Id]], list[Any]]:
    """Return what reads a column of some rows; the ids themselves for the pk, and for ``None``."""
    if name is None or name == asked.pk.name:
        return list
    rows, kind, position = table.rows, asked.column(name).type, table.table.positions[name]
    if kind == "float":  # -0.0 is 0.0
        return lambda ids: [0.0 if (value := rows[id][position]) == 0 else value for id in ids]
    return lambda ids: [rows[id][position] for id in ids]


def _fold(table: Table, term: Term) -> Callable[[Any, list[Any]], Any]:
    """Return what adds the values of one block to a result."""
    if term.op == "sum" and term.column is not None and table.column(term.column).type == "float":
        return _add_floats
    return _FOLD[term.op]


def _add_floats(result: float | None, values: list[float]) -> float:
    return (result or 0.0) + reduce(add, values, 0.0)  # not sum(), which compensates from Python 3.12 on


_FOLD: dict[str, Callable[[Any, list[Any]], Any]] = {
    "count": lambda result, values: result + len(values),
    "sum": lambda result, values: (result or 0) + sum(values),
    "min": lambda result, values: min(values if result is None else [result, *values]),
    "max": lambda result, values: max(values if result is None else [result, *values]),
}
