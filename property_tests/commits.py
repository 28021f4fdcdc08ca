"""Random commits over the tables of ``tables``: rows of all kinds, and rows that refer to each other.

``commits`` is about values: what is new, replaced, completed, moved, taken. ``kin_commits`` is about keys: what is
deleted with what, what is held, and rows that refer to rows of the same commit.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any, Literal

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from stdnet.contract import Change, Column, Commit, Delete, Ids, Reference, Request, Row, Save, Table

from .plans import plans
from .strategies_updates import updates
from .tables import IDS, few_or_all, pool, refers, values, weighted

OnDelete = Literal["cascade", "restrict", "null"]


@st.composite
def subset(draw: DrawFn, table: Table) -> tuple[str, ...]:
    """Draw some names of columns, in any order."""
    return tuple(draw(st.lists(st.sampled_from(table.names), unique=True))) if table.names else ()


@cache
def scores(table: Table) -> SearchStrategy[float | None]:
    return st.none() if table.order == "id" else st.sampled_from([None, 0.0, 1.0, -1.0, 2.5])


@cache
def deadlines(table: Table) -> SearchStrategy[float | None]:
    """Return when rows expire: not in the time that a test takes, or at once."""
    return st.sampled_from([None, None, 3600, 7200.5, math.inf, 0.0, -1.0]) if table.ttl else st.none()


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
    change = Change(None if allot else id, previous, row, fields, draw(scores(table)), expires=draw(deadlines(table)))
    return change if previous is None else draw(narrowed(table, change))


@st.composite
def narrowed(draw: DrawFn, table: Table, change: Change) -> Change:
    """Draw what a change is to do with a row that is there: overwrite some columns, or be for one version of it."""
    names = table.names if change.fields is None else change.fields
    changed = tuple(draw(st.lists(st.sampled_from(names), unique=True))) if names and draw(st.booleans()) else None
    version = None
    if table.names and draw(st.integers(0, 4)) == 0:
        name = "version" if "version" in table.names else draw(st.sampled_from(table.names))
        version = name, draw(values(table.column(name)))
    return change._replace(changed=changed, rescored=draw(st.booleans()), version=version)


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
        for names in table.together:
            places = [table.positions[name] for name in names]
            if (-1, tuple(row[n] for n in places)) in taken:
                row[places[0]] = None
            taken.add((-1, tuple(row[n] for n in places)))
        changes.append(Change(id, None, tuple(row), score=draw(scores(table))))
    return Save(table, tuple(changes))


@cache
def populations(table: Table) -> SearchStrategy[Save]:
    """Return saves that cannot clash on an empty table."""

    def free(n: int) -> Callable[[Change], Any]:
        return lambda change: (change.id, "blank") if change.values[n] in (None, "", b"") else change.values[n]

    def new(whole: bool) -> SearchStrategy[Change]:
        given = st.sampled_from(IDS[table.name])
        parts = st.tuples(given, rows(table, table.names, whole), scores(table), deadlines(table))
        return parts.map(lambda some: Change(some[0], None, some[1], score=some[2], expires=some[3]))

    def apart(names: tuple[str, ...]) -> Callable[[Change], Any]:
        keys = [free(table.positions[name]) for name in names]
        return lambda change: tuple(key(change) for key in keys)

    uniques = [free(n) for n, column in enumerate(table.columns) if column.unique]
    keys = (lambda change: change.id, *uniques, *map(apart, table.together))
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


ACTIONS: list[list[OnDelete]] = [["cascade"], ["restrict"], ["null"], ["cascade", "null"], ["cascade", "restrict"]]


@st.composite
def references(draw: DrawFn, cast: tuple[Table, ...], parents: tuple[Table, ...]) -> tuple[Reference, ...]:
    """Draw what deletes in ``parents`` do to the columns of some tables; a column is mentioned once."""
    some = [
        (table, column.name, parent)
        for table in cast
        for column in table.columns
        for parent in parents
        if refers(column) and column.type == parent.pk.type
    ]
    if not some:
        return ()
    actions = st.sampled_from(draw(st.sampled_from(ACTIONS)))
    keys = draw(st.lists(st.sampled_from(some), min_size=1, max_size=6, unique_by=lambda each: each[:2]))
    return tuple(Reference(*key, draw(actions)) for key in keys)


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
    acts = st.lists(tables.flatmap(updates), min_size=1, max_size=2).map(tuple)
    nothing: SearchStrategy[tuple[()]] = st.just(())
    plain = st.builds(Commit, weighted((2, nothing), (1, removals)), writes, token=tokens)
    several = weighted((2, nothing), (1, writes))
    updating = st.builds(Commit, weighted((4, nothing), (1, removals)), several, token=tokens, updates=acts)
    return weighted((3, plain), (1, updating))


@cache
def births(table: Table, cast: tuple[Table, ...]) -> SearchStrategy[Save]:
    """Return saves of new rows, most of them without an id if the table allots them."""
    ids = st.sampled_from([*IDS[table.name][:4], *[None] * (6 if table.auto else 0)])
    one = st.builds(
        lambda id, row, score, expires: Change(id, None, row, score=score, expires=expires),
        *(ids, kin(table, cast), scores(table), deadlines(table)),
    )
    return st.lists(one, min_size=1, max_size=3).map(lambda found: Save(table, tuple(found)))


@st.composite
def turnovers(draw: DrawFn, cast: tuple[Table, ...]) -> Commit:
    """Draw a commit that deletes rows, stores some of them anew, and saves rows that refer to them."""
    table, child = draw(st.sampled_from(cast)), draw(st.sampled_from(cast))
    ids = draw(st.lists(st.sampled_from(IDS[table.name][:4]), min_size=1, max_size=3, unique=True))
    again = tuple(
        Change(id, None, draw(kin(table, cast)), score=draw(scores(table))) for id in ids if draw(st.booleans())
    )
    others = draw(births(child, cast))
    return Commit((Delete(table, Ids(tuple(ids))),), (Save(table, again), others), draw(references(cast, (table,))))


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
        (3, st.builds(Commit, removals, nothing, references(cast, cast), token=tokens)),
        (1, st.builds(Commit, removals, several, references(cast, cast), token=tokens)),
        (3, turnovers(cast)),
    )
