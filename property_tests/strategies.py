"""Random programs for backends: commits, questions and mistakes, over the tables of ``tables``.

A new request gets a line in ``requests``, a new plan node one in ``plans.leaves`` or ``plans.plans``.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, Literal

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from stdnet.contract import (
    All,
    Change,
    Column,
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
    Reference,
    Related,
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
from .tables import CASTS, IDS, ITEM, TABLES, few_or_all, indexed, pool, refers, values, weighted

OnDelete = Literal["cascade", "restrict", "null"]


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
def kin(table: Table, cast: tuple[Table, ...]) -> SearchStrategy[Row]:
    """Return rows that refer to rows of ``cast`` wherever they can."""

    def key(column: Column) -> SearchStrategy[Any]:
        parents = [parent for parent in cast if refers(column) and column.type == parent.pk.type]
        ids = [id for parent in parents for id in IDS[parent.name][:4]]
        return st.sampled_from([None, *ids]) if ids else values(column)

    return st.tuples(*map(key, table.columns))


@st.composite
def families(draw: DrawFn, table: Table, cast: tuple[Table, ...]) -> Save:
    """Draw several rows that are kin and do not clash: a unique value that is taken is left out."""
    taken: set[tuple[int, Any]] = set()
    changes = []
    for id in draw(st.sampled_from([IDS[table.name][:4], IDS[table.name][3::-1], IDS[table.name][:3]])):
        row = list(draw(kin(table, cast)))
        for n, column in enumerate(table.columns):
            if column.unique and (n, row[n]) in taken:
                row[n] = None
            taken.add((n, row[n]))
        changes.append(Change(id, None, tuple(row), score=draw(scores(table))))
    return Save(table, tuple(changes))


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
def references(cast: tuple[Table, ...]) -> SearchStrategy[tuple[Reference, ...]]:
    """Return what deletes do to the columns of some tables; a column is mentioned once."""
    actions: list[OnDelete] = ["cascade", "cascade", "restrict", "null"]
    some = [
        Reference(table, column.name, parent, action)
        for table in cast
        for column in table.columns
        for parent in cast
        for action in actions
        if refers(column) and column.type == parent.pk.type
    ]
    if not some:
        return st.just(())
    by_field = st.lists(st.sampled_from(some), min_size=1, max_size=6, unique_by=lambda each: (each.table, each.field))
    return by_field.map(tuple)


@st.composite
def linked(draw: DrawFn, saves: tuple[Save, ...]) -> tuple[Save, ...]:
    """Draw columns that take ids which changes before them are allotted."""
    places = [((i, j), save.table, change) for i, save in enumerate(saves) for j, change in enumerate(save.changes)]
    links = [
        (at, name, *source)
        for at, table, change in places
        for name in (table.names if change.fields is None else change.fields)
        for source, _, other in places
        if table.column(name).type == "int" and other.id is None and source < at
    ]
    if not links:
        return saves
    drawn = draw(st.lists(st.sampled_from(links), max_size=3, unique_by=lambda link: link[:2]))

    def link(change: Change, table: Table, at: tuple[int, int]) -> Change:
        refs = tuple(link[1:] for link in drawn if link[0] == at)
        columns = table.names if change.fields is None else change.fields
        taken = [name for name, *_ in refs]
        row = tuple(None if name in taken else value for name, value in zip(columns, change.values, strict=True))
        return change._replace(values=row, refs=refs)

    return tuple(
        Save(save.table, tuple(link(change, save.table, (i, j)) for j, change in enumerate(save.changes)))
        for i, save in enumerate(saves)
    )


@cache
def commits(cast: tuple[Table, ...]) -> SearchStrategy[Request]:
    tables = st.sampled_from(cast)
    removals = st.lists(tables.flatmap(deletes), min_size=1, max_size=2).map(tuple)
    writes = weighted((1, st.just(())), (5, st.lists(tables.flatmap(saves), min_size=1, max_size=2).map(tuple)))
    return st.builds(Commit, weighted((2, st.just(())), (1, removals)), writes, token=tokens)


@cache
def births(table: Table, cast: tuple[Table, ...]) -> SearchStrategy[Save]:
    """Return saves of new rows, most of them without an id if the table allots them."""
    ids = st.sampled_from([*IDS[table.name][:4], *[None] * (6 if table.auto else 0)])
    one = st.builds(lambda id, row, score: Change(id, None, row, score=score), ids, kin(table, cast), scores(table))
    return st.lists(one, min_size=1, max_size=3).map(lambda found: Save(table, tuple(found)))


@cache
def kin_commits(cast: tuple[Table, ...]) -> SearchStrategy[Request]:
    """Return commits in which keys matter: they delete what is referred to, and save what refers to new rows."""
    tables = st.sampled_from(cast)
    ids = tables.flatmap(
        lambda table: st.builds(Delete, st.just(table), st.sampled_from(IDS[table.name][:4]).map(lambda id: Ids((id,))))
    )
    removals = st.lists(weighted((4, ids), (1, tables.flatmap(deletes))), min_size=1, max_size=2).map(tuple)
    one = weighted((2, tables.flatmap(lambda table: births(table, cast))), (1, tables.flatmap(saves)))
    several = st.lists(one, min_size=1, max_size=2).map(tuple).flatmap(linked)
    nothing: SearchStrategy[tuple[()]] = st.just(())
    return weighted(
        (2, st.builds(Commit, nothing, several, token=tokens)),
        (3, st.builds(Commit, removals, nothing, references(cast), token=tokens)),
        (2, st.builds(Commit, removals, several, references(cast), token=tokens)),
    )


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
