"""Random programs for backends: commits, questions and mistakes, over the tables of ``tables``.

A new request gets a line in ``requests``, a new plan node one in ``plans.leaves`` or ``plans.plans``.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from stdnet.contract import (
    All,
    Change,
    Commit,
    Count,
    Delete,
    Diff,
    Eq,
    Flush,
    Ids,
    In,
    Intersect,
    Keys,
    Ping,
    Plan,
    Range,
    Request,
    Row,
    Save,
    Scan,
    Select,
    Sort,
    Table,
    Where,
)

from .plans import plans
from .tables import CASTS, IDS, ITEM, TABLES, few_or_all, pool, values, weighted


@st.composite
def subset(draw: DrawFn, table: Table) -> tuple[str, ...]:
    """Draw some names of columns, in any order."""
    return tuple(draw(st.lists(st.sampled_from(table.names), unique=True))) if table.names else ()


@cache
def scores(table: Table) -> SearchStrategy[float | None]:
    return st.none() if table.order == "id" else st.sampled_from([None, 0.0, 1.0, -1.0, 2.5])


@cache
def rows(table: Table, fields: tuple[str, ...], whole: bool = False) -> SearchStrategy[Row]:
    columns = [table.column(name) for name in fields]
    return st.tuples(*(few_or_all(pool(column)) if whole else values(column) for column in columns))


@st.composite
def changes(draw: DrawFn, table: Table) -> Change:
    """Draw a new, replaced, rewritten, completed, or moved row, or one that fits nowhere."""
    kind = draw(st.sampled_from(["new", "old", "old", "old", "moved"]))
    id = draw(st.sampled_from(IDS[table.name]))
    previous = None if kind == "new" else id if kind == "old" else draw(st.sampled_from(IDS[table.name]))
    fields = draw(st.one_of(st.none(), subset(table)))
    row = draw(rows(table, table.names if fields is None else fields))
    allot = table.auto and kind != "old" and draw(st.booleans())
    return Change(None if allot else id, previous, row, fields, draw(scores(table)))


@cache
def populations(table: Table) -> SearchStrategy[Save]:
    """Return saves that cannot clash on an empty table."""

    def free(n: int) -> Callable[[Change], Any]:
        return lambda change: (change.id, "blank") if change.values[n] in (None, "", b"") else change.values[n]

    def new(whole: bool) -> SearchStrategy[Change]:
        parts = st.tuples(st.sampled_from(IDS[table.name]), rows(table, table.names, whole), scores(table))
        return parts.map(lambda some: Change(some[0], None, some[1], score=some[2]))

    uniques = [free(n) for n, column in enumerate(table.columns) if column.unique]
    keys = (lambda change: change.id, *uniques)
    some = st.one_of(*(st.lists(new(whole), min_size=1, max_size=6, unique_by=keys) for whole in (False, True)))
    return some.map(lambda found: Save(table, tuple(found)))


@st.composite
def swaps(draw: DrawFn, table: Table) -> Save:
    """Draw two rows that take values of a unique column, the second time around each other's."""
    first, second = draw(st.permutations(IDS[table.name][:2]))
    column = draw(st.sampled_from([column for column in table.columns if column.unique]))
    pair = draw(st.permutations(pool(column)[1:3]))
    whole = draw(st.booleans())
    padding = (None,) * (len(table.columns) - 1)
    fields = (column.name, *(name for name in table.names if name != column.name)) if whole else (column.name,)
    return Save(
        table,
        tuple(
            Change(id, id, (value, *(padding if whole else ())), fields)
            for id, value in zip((first, second), pair, strict=True)
        ),
    )


@cache
def saves(table: Table) -> SearchStrategy[Save]:
    some = st.lists(changes(table), min_size=1, max_size=3).map(lambda found: Save(table, tuple(found)))
    return weighted((4, some), (1, swaps(table))) if any(column.unique for column in table.columns) else some


@cache
def deletes(table: Table) -> SearchStrategy[Delete]:
    few = st.lists(st.sampled_from(IDS[table.name]), max_size=2).map(lambda ids: Ids(tuple(ids)))
    return st.builds(Delete, st.just(table), weighted((2, few), (1, plans(table, 1))))


tokens = weighted((4, st.none()), (1, st.sampled_from(["t1", "t2"])))


@cache
def commits(tables: SearchStrategy[Table]) -> SearchStrategy[Request]:
    removals = st.lists(tables.flatmap(deletes), min_size=1, max_size=2).map(tuple)
    writes = weighted((1, st.just(())), (5, st.lists(tables.flatmap(saves), min_size=1, max_size=2).map(tuple)))
    return st.builds(Commit, weighted((2, st.just(())), (1, removals)), writes, tokens)


@cache
def selects(table: Table) -> SearchStrategy[Select | Count]:
    bounds = weighted((2, st.none()), (1, st.integers(0, 4)), (1, st.integers(-4, 6)))
    ranged = [column.name for column in table.columns if column.index == "range"]
    keys = [table.pk.name, *table.names, *ranged, *ranged]
    sorts = st.builds(Sort, st.sampled_from(keys), st.booleans())
    fields = st.one_of(st.none(), st.just(()), subset(table))
    asked = weighted((1, st.just(All())), (4, plans(table)))
    return st.builds(Select, st.just(table), asked, weighted((1, st.none()), (2, sorts)), bounds, bounds, fields)


@cache
def mistakes(table: Table) -> SearchStrategy[Request]:
    """Return requests that name a field that is not there."""
    one = Change(IDS[table.name][0], None, ("x",), ("nope",))
    nodes: list[Plan] = [
        Eq("nope", ("a",)),
        Range("nope"),
        Scan("nope", "isnull", 1),
        Where((("field", "nope"), ("const", 1.0), ("==", None)), ("nope",)),
        In("nope", ITEM, All(), "id"),
        In(table.pk.name, table, All(), "nope"),
        Intersect((Ids(()), Eq("nope", ()))),
        Diff(Ids(()), Scan("nope", "lt", 1)),
    ]
    return st.sampled_from(
        [
            *(Count(table, node) for node in nodes),
            Commit((Delete(table, All()), Delete(table, nodes[0]))),
            Commit((Delete(table, All()),), (Save(table, (one,)),), "t0"),
            Select(table, All(), Sort("nope")),
            Select(table, Ids(()), fields=("nope",)),
        ]
    )


def questions(table: Table) -> SearchStrategy[Select | Count]:
    return weighted((3, selects(table)), (1, st.builds(Count, st.just(table), plans(table))))


@cache
def requests(cast: tuple[Table, ...]) -> SearchStrategy[Request]:
    tables = st.sampled_from(cast)
    anything = st.sampled_from(TABLES)
    return weighted(
        (60, commits(tables)),
        (30, tables.flatmap(questions)),
        (6, st.builds(Flush, weighted((1, st.none()), (3, tables), (1, anything)))),
        (2, st.builds(Keys, anything)),
        (1, st.just(Ping())),
        (3, anything.flatmap(mistakes)),
    )


def filled(*tables: Table) -> SearchStrategy[Request]:
    return st.tuples(*(populations(table) for table in tables)).map(lambda saves: Commit((), saves))


def programs() -> SearchStrategy[list[list[Request]]]:
    """Return lists of round trips; the first one fills some tables."""
    return st.sampled_from(CASTS).flatmap(
        lambda cast: st.builds(
            lambda first, rest: [[first], *rest],
            filled(*cast),
            st.lists(st.lists(requests(cast), min_size=1, max_size=3), min_size=1, max_size=8),
        )
    )


def interviews() -> SearchStrategy[tuple[Request, list[Select | Count]]]:
    """Return pairs of a commit that fills some tables, and many questions to one of them."""
    return st.sampled_from(CASTS).flatmap(
        lambda cast: st.tuples(filled(*cast), st.lists(questions(cast[0]), min_size=6, max_size=25))
    )
