"""What computes: ``Aggregate``, one call for each block of rows, and the sum of what these found. Pure."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

from ...contract import Aggregate, Group, Row, Table, Term
from ...contract.aggregates import BLOCK, rank
from .calls import Steps, call
from .expiry import by_plan
from .packing import READ, texts
from .plans import encode_plan
from .reads import count
from .structures import found_by
from .tables import encode_table

PLACE = 10**7
"""The base of the digits in which ``lua/aggregate.lua`` adds ints: what is exact there is exact here."""

_MERGE: dict[str, Callable[[Any, Any], Any]] = {"count": operator.add, "sum": operator.add, "min": min, "max": max}


def aggregate(request: Aggregate, namespace: str) -> Steps:
    """Compute what is asked for of each block of rows, and put it together."""
    table, terms = request.table, request.terms
    plan = encode_plan(table, request.plan)
    if not request.group and set(terms) <= {Term("count")}:
        number = yield from count(table, request.plan, namespace)
        return [((), (number,) * len(terms))]
    merging = Merging(request)
    asked = BLOCK, [table.column(name).name for name in request.group], [(term.op, term.column) for term in terms]
    head = encode_table(table)
    options: dict[str, Any] = {"kinds": found_by(request.plan), "expiring": by_plan(table, request.plan)}
    ids, groups = yield call("aggregate", namespace, head, plan, None, *asked, **options)
    merging.add(groups)
    for first in range(BLOCK, len(ids), BLOCK):
        part = texts(ids[first : first + BLOCK])
        _, groups = yield call("aggregate", namespace, head, None, part, *asked, expiring=table.ttl)
        merging.add(groups)
    return merging.reply()


class Merging:
    """The results so far, by the values of their groups."""

    def __init__(self, request: Aggregate) -> None:
        self.keys = [READ[request.table.column(name).type] for name in request.group]
        self.terms = [(_reading(request.table, term), _MERGE[term.op]) for term in request.terms]
        self.first = [0 if term.op == "count" else None for term in request.terms]
        self.found: dict[Row, list[Any]] = {} if request.group else {(): [*self.first]}

    def add(self, groups: Sequence[Any]) -> None:
        """Take what one call found."""
        for values, parts in groups:
            key = tuple(None if value is None else read(value) for read, value in zip(self.keys, values, strict=True))
            results = self.found.setdefault(key, [*self.first])
            for n, ((read, merge), part) in enumerate(zip(self.terms, parts, strict=True)):
                if part is not None:
                    results[n] = read(part) if results[n] is None else merge(results[n], read(part))

    def reply(self) -> list[Group]:
        """Return the groups in order."""
        return [(key, tuple(self.found[key])) for key in sorted(self.found, key=rank)]


def _reading(table: Table, term: Term) -> Callable[[Any], Any]:
    """Return what makes a number of what a call answers for a term; ``KeyError`` for a column that is not there."""
    kind = "int" if term.column is None else table.column(term.column).type
    if term.op == "count":
        return int
    return _whole if term.op == "sum" and kind == "int" else READ[kind]


def _whole(digits: Sequence[int]) -> int:
    """Return the int whose digits of base ``PLACE``, some perhaps negative, are given from the lowest one."""
    number = 0
    for digit in reversed(digits):
        number = number * PLACE + digit
    return number
