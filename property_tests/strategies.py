"""Random programs for backends: commits, questions and mistakes, over the tables of ``tables``.

A new request gets a line in ``requests``, a new plan node one in ``plans.leaves`` or ``plans.plans``.
"""

from __future__ import annotations

from functools import cache

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

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
    Related,
    Request,
    Save,
    Scan,
    Select,
    Sort,
    Table,
    Where,
)

from .commits import commits, families, kin_commits, populations, subset
from .plans import plans
from .tables import CASTS, IDS, ITEM, TABLES, indexed, refers, weighted


@cache
def paths(table: Table, depth: int) -> SearchStrategy[tuple[tuple[str, Table], ...]]:
    """Return paths of one step or more; the columns that references use are taken more often than others."""
    steps = [
        (column.name, other)
        for column in table.columns
        for other in TABLES
        if column.type == other.pk.type
        for _ in range(4 if refers(column) else 1)
    ]
    if depth == 0 or not steps:
        return st.just(())
    return st.sampled_from(steps).flatmap(
        lambda step: weighted((2, st.just(())), (1, paths(step[1], depth - 1))).map(lambda rest: (step, *rest))
    )


@cache
def sorts(table: Table, path: tuple[tuple[str, Table], ...] = ()) -> SearchStrategy[Sort]:
    """Return orders by the columns of the table where a path ends."""
    end = path[-1][1] if path else table
    ranged = [column.name for column in end.columns if column.index == "range"]
    names = [end.pk.name, *end.names, *ranged, *ranged]
    return st.builds(Sort, st.sampled_from(names), st.booleans(), st.just(path))


@cache
def far_sorts(table: Table) -> SearchStrategy[Sort]:
    return paths(table, 3).flatmap(lambda path: sorts(table, path))


@cache
def fields(table: Table) -> SearchStrategy[tuple[str, ...] | None]:
    return st.one_of(st.none(), st.just(()), subset(table))


@cache
def related(table: Table, depth: int) -> SearchStrategy[tuple[Related, ...]]:
    """Return what comes along: along any two columns of one type, forward to a pk or back from one, and beyond."""
    if depth == 0:
        return st.just(())
    ends = [
        (column.name, other, of.name)
        for column in (table.pk, *table.columns)
        for other in (table, *TABLES)
        for of in (other.pk, *other.columns)
        if column.type == of.type and (of is other.pk or indexed(of))
        for _ in range(4 if (column is table.pk) != (of is other.pk) else 1)
    ]
    one = st.sampled_from(ends).flatmap(
        lambda end: st.builds(
            Related,
            *map(st.just, end),
            fields(end[1]),
            weighted((2, st.just(())), (1, related(end[1], depth - 1))),
        )
    )
    return st.lists(one, min_size=1, max_size=2).map(tuple)


@cache
def selects(table: Table) -> SearchStrategy[Select | Count]:
    bounds = weighted((2, st.none()), (1, st.integers(0, 4)), (1, st.integers(-4, 6)))
    asked = weighted((1, st.just(All())), (4, plans(table)))
    order = weighted((1, st.none()), (2, sorts(table)))
    return st.builds(Select, st.just(table), asked, order, bounds, bounds, fields(table))


@cache
def tours(table: Table) -> SearchStrategy[Select]:
    """Return selects that leave their table."""
    asked = weighted((3, st.just(All())), (1, plans(table, 1)))
    bounds = weighted((3, st.none()), (1, st.integers(-2, 2)))
    order = weighted((1, st.none()), (1, far_sorts(table)))
    return st.builds(Select, st.just(table), asked, order, bounds, bounds, fields(table), related(table, 3))


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
    pk = table.pk.name
    astray = [Related("nope", ITEM, "id"), Related(pk, table, "nope"), Related(pk, table, pk, ("nope",))]
    astray.append(Related(pk, table, pk, related=(Related("nope", ITEM, "id"),)))
    return st.sampled_from(
        [
            *(Count(table, node) for node in nodes),
            Commit((Delete(table, All()), Delete(table, nodes[0]))),
            Commit((Delete(table, All()),), (Save(table, (one,)),), token="t0"),
            Select(table, All(), Sort("nope")),
            Select(table, All(), Sort("id", through=(("nope", ITEM),))),
            Select(table, All(), Sort("nope", through=(("parent", ITEM), ("parent", ITEM)))),
            Select(table, Ids(()), fields=("nope",)),
            *(Select(table, Ids(()), related=(each,)) for each in astray),
        ]
    )


def questions(table: Table, related: bool) -> SearchStrategy[Select | Count]:
    if related:
        return weighted((1, selects(table)), (4, tours(table)))
    return weighted((3, selects(table)), (1, st.builds(Count, st.just(table), plans(table))))


@cache
def requests(cast: tuple[Table, ...], related: bool) -> SearchStrategy[Request]:
    tables = st.sampled_from(cast)
    anything = st.sampled_from(TABLES)
    return weighted(
        (60, kin_commits(cast) if related else commits(cast)),
        (30, tables.flatmap(lambda table: questions(table, related))),
        (6, st.builds(Flush, weighted((1, st.none()), (3, tables), (1, anything)))),
        (2, st.builds(Keys, anything)),
        (1, st.just(Ping())),
        (3, anything.flatmap(mistakes)),
    )


def filled(cast: tuple[Table, ...], related: bool) -> SearchStrategy[Request]:
    saves = st.tuples(*(families(table, cast) if related else populations(table) for table in cast))
    return saves.map(lambda some: Commit((), some))


casts = st.tuples(st.sampled_from(CASTS), st.booleans())
"""The tables that a program is about, and whether it is about what their rows are to each other."""


def programs() -> SearchStrategy[list[list[Request]]]:
    """Return lists of round trips; the first one fills some tables."""
    return casts.flatmap(
        lambda drawn: st.builds(
            lambda first, rest: [[first], *rest],
            filled(*drawn),
            st.lists(st.lists(requests(*drawn), min_size=1, max_size=3), min_size=1, max_size=8),
        )
    )


def interviews() -> SearchStrategy[tuple[Request, list[Select | Count]]]:
    """Return pairs of a commit that fills some tables, and many questions to one of them."""
    return casts.flatmap(
        lambda drawn: st.tuples(filled(*drawn), st.lists(questions(drawn[0][0], drawn[1]), min_size=6, max_size=25))
    )
