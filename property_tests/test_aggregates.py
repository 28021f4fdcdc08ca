"""Random rows and random aggregates: every backend gives the numbers that a naive computation gives, to the last bit.

The oracle finds the rows of a plan; what is computed of them is written here, from the contract's docstrings alone.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from stdnet import contract as c
from stdnet.contract.aggregates import Op

from .oracle import Line, Oracle, reader
from .plans import plans
from .strategies import casts, filled
from .tables import BIG, BYTES, FLOATS, INTS, TEXTS, Named, number, weighted
from .test_backends_agree import FACTORIES, NAMESPACE, Server, spelled

MANY = Named(
    "many",
    c.Column("id", "int"),
    (
        c.Column("kind", "str", index="equal"),
        c.Column("whole", "int"),
        c.Column("real", "float"),
        c.Column("raw", "bytes"),
        c.Column("place", "int", index="range"),
    ),
    order="score",
)
"""A table for more rows than one call reads, in an order that is not that of their ids."""


def aggregated(oracle: Oracle, request: c.Aggregate) -> list[Any]:
    """Return what a backend has to answer."""
    oracle.expire()
    lines = oracle.find(request.table, request.plan)
    keys = [tuple(value_of(request.table, name, line) for name in request.group) for line in lines]
    groups = [()] if not request.group else sorted(set(keys), key=lambda key: [(v is not None, v) for v in key])
    return [(key, tuple(result(request.table, term, lines, keys, key) for term in request.terms)) for key in groups]


def value_of(table: c.Table, name: str, line: Line) -> Any:
    value = reader(table, name)(line)
    return 0.0 if repr(value) == "-0.0" else value


def result(table: c.Table, term: c.Term, lines: list[Line], keys: list[Any], key: Any) -> Any:
    """Return the result of a term for the group ``key``; ``keys`` are those of the lines."""
    if term.column is None:
        return keys.count(key)
    places = [(n, value_of(table, term.column, line)) for n, line in enumerate(lines) if keys[n] == key]
    found = [(n, value) for n, value in places if value is not None]
    values = [value for _, value in found]
    if term.op == "count":
        return len(values)
    if not values:
        return None
    if term.op != "sum":
        return sorted(values)[0 if term.op == "min" else -1]
    if table.column(term.column).type == "int":
        return sum(values)
    blocks = [[value for n, value in found if n // 1000 == block] for block in range(len(lines) // 1000 + 1)]
    return added([added(block) for block in blocks])


def added(values: list[float]) -> float:
    """Return the sum from left to right; ``sum`` of newer Pythons has its own idea."""
    total = 0.0
    for value in values:
        total += value
    return total


@cache
def terms(table: c.Table) -> SearchStrategy[c.Term]:
    everything = (table.pk, *table.columns)
    ops: list[Op] = ["count", "min", "max"]
    some = [c.Term("count")] + [c.Term(op, column.name) for column in everything for op in ops]
    sums = [c.Term("sum", column.name) for column in everything if number(column)]
    return weighted((1, st.sampled_from(some)), (1, st.sampled_from(sums or some)))


@cache
def aggregates(table: c.Table, asked: SearchStrategy[c.Plan]) -> SearchStrategy[c.Aggregate]:
    names = st.sampled_from([table.pk.name, *table.names])
    group = weighted((1, st.just(())), (2, st.lists(names, min_size=1, max_size=3).map(tuple)))
    return st.builds(c.Aggregate, st.just(table), asked, group, st.lists(terms(table), max_size=6).map(tuple))


@cache
def of_any_plan(table: c.Table) -> SearchStrategy[c.Aggregate]:
    return aggregates(table, weighted((1, st.just(c.All())), (2, plans(table))))


def few() -> SearchStrategy[tuple[c.Request, list[c.Aggregate]]]:
    """Return pairs of a commit that fills some small tables, and questions to one of them."""
    return casts.flatmap(
        lambda drawn: st.tuples(filled(*drawn), st.lists(of_any_plan(drawn[0][0]), min_size=4, max_size=12))
    )


@st.composite
def many(draw: st.DrawFn) -> tuple[list[c.Row], int, int, list[c.Aggregate]]:
    """Draw a few rows, how many to make of them, in which order, and questions to them."""
    floats = draw(st.sampled_from([FLOATS, FLOATS[:-2]]))  # with infinities most sums are none
    columns = [[*TEXTS[:3], ""], [*INTS, *BIG], floats, BYTES[:3], INTS[:4]]
    rows = draw(st.lists(st.tuples(*(st.sampled_from([None, *some]) for some in columns)), min_size=1, max_size=30))
    size, step = draw(st.sampled_from([999, 1000, 1001, 2000, 2001, 3300])), draw(st.sampled_from([1, 7, 501]))
    middle = st.builds(c.Range, st.just("id"), st.integers(0, 1200), st.integers(1900, 3400))
    some: SearchStrategy[c.Plan] = st.one_of(st.just(c.All()), middle, st.just(c.Range("place")))
    return rows, size, step, draw(st.lists(aggregates(MANY, some), min_size=1, max_size=4))


def repeated(rows: list[c.Row], size: int, step: int) -> c.Request:
    """Return a commit of ``size`` rows, which are a few in various distances."""
    changes = [
        c.Change(n, None, rows[n * step // 3 % len(rows)], score=float(n * step % size)) for n in range(1, size + 1)
    ]
    return c.Commit((), (c.Save(MANY, changes),))


@pytest.mark.parametrize("connect", FACTORIES)
@given(drawn=few())
def test_any_tables_and_plans(connect: Callable[[], Server], drawn: tuple[c.Request, list[c.Aggregate]]) -> None:
    agree(connect, *drawn).check()  # questions leave nothing behind


@pytest.mark.parametrize("connect", FACTORIES)
@settings(max_examples=max(1, settings().max_examples // 10))
@given(drawn=many())
def test_many_rows(connect: Callable[[], Server], drawn: tuple[list[c.Row], int, int, list[c.Aggregate]]) -> None:
    *rows, asked = drawn
    agree(connect, repeated(*rows), asked).flush()


def agree(connect: Callable[[], Server], first: c.Request, asked: list[c.Aggregate]) -> Server:
    oracle, server = Oracle(NAMESPACE), connect()
    server.flush()
    assert spelled(server.execute([first])) == spelled(oracle.execute([first]))
    expected = [aggregated(oracle, request) for request in asked]
    for request, answer, right in zip(asked, server.execute(asked), expected, strict=True):
        assert spelled(answer) == spelled(right), request
    return server


@pytest.mark.parametrize("connect", FACTORIES)
@pytest.mark.parametrize(
    "request_",
    [
        c.Aggregate(MANY, c.All(), ("nope",)),
        c.Aggregate(MANY, c.All(), (), (c.Term("count", "nope"),)),
        c.Aggregate(MANY, c.All(), (), (c.Term("max", "nope"),)),
        c.Aggregate(MANY, c.Eq("nope", (1,)), (), (c.Term("count"),)),
    ],
    ids=repr,
)
def test_names_that_are_not_there(connect: Callable[[], Server], request_: c.Aggregate) -> None:
    server = connect()
    server.flush()
    with pytest.raises(KeyError):
        server.execute([request_])


EXAMPLE: list[c.Row] = [
    ("a", 1, 1e16, b"bc", 1),
    (None, 10**30, 1.0, b"", 2),
    ("", None, -1e16, None, None),
    ("ab", None, None, b"c", 4),
]
SCORES = (0.0, 2.0, 1.0, 3.0)
WORKED_OUT: list[tuple[c.Aggregate, list[Any]]] = [
    (
        c.Aggregate(MANY, c.Ids((0, 1, 2)), (), (c.Term("sum", "real"), c.Term("sum", "whole"))),
        [((), (1.0, 10**30 + 1))],
    ),
    (
        c.Aggregate(
            MANY, c.All(), ("kind", "raw"), (c.Term("count"), c.Term("count", "whole"), c.Term("min", "place"))
        ),
        [((None, b""), (1, 1, 2)), (("", None), (1, 0, None)), (("a", b"bc"), (1, 1, 1)), (("ab", b"c"), (1, 0, 4))],
    ),
    (c.Aggregate(MANY, c.Ids(()), (), (c.Term("count"), c.Term("max", "kind"))), [((), (0, None))]),
    (c.Aggregate(MANY, c.Ids(()), ("kind",), (c.Term("count"),)), []),
]


@pytest.mark.parametrize("connect", FACTORIES)
def test_what_was_worked_out_by_hand(connect: Callable[[], Server]) -> None:
    server, oracle = connect(), Oracle(NAMESPACE)
    server.flush()
    changes = [c.Change(n, None, row, score=SCORES[n]) for n, row in enumerate(EXAMPLE)]
    for each in (server, oracle):
        each.execute([c.Commit((), (c.Save(MANY, changes),))])
    for request, expected in WORKED_OUT:
        assert aggregated(oracle, request) == expected
        assert server.execute([request]) == [expected]
    server.flush()
