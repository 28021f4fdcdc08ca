"""Random programs for backends: lists of round trips over five small tables, drawn from pools that make all collide.

A strategy is built once for each table and depth. Nothing here runs a program, and nothing is drawn that the
contract leaves to the caller: values have the type of their column, ``Where`` programs are well-typed, counting
tables get finite increments, and no table has both the ids ``0.0`` and ``-0.0``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

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
    Instruction,
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
    Union,
    Where,
)

ITEM = Table(
    "item",
    Column("id", "int"),
    (
        Column("name", "str", unique=True),
        Column("number", "int", unique=True),
        Column("kind", "str", index="equal"),
        Column("owner", "str", index="equal"),
        Column("rank", "int", index="range"),
        Column("price", "float", index="range"),
        Column("size", "int"),
        Column("ratio", "float"),
        Column("note", "str"),
        Column("blob", "bytes"),
    ),
    auto=True,
)
PERSON = Table(
    "item2",  # a name that starts like another one
    Column("login", "str"),
    (
        Column("nick", "str", unique=True, index="equal"),
        Column("item", "int", index="range"),
        Column("height", "float", unique=True, index="range"),
        Column("data", "bytes", index="equal"),
    ),
    order="score",
)
EVENT = Table(
    "app.event",
    Column("id", "int"),
    (
        Column("code", "bytes", unique=True),
        Column("place", "int", unique=True, index="range"),
        Column("person", "str", index="equal"),
        Column("start", "float", index="range"),
    ),
    order="count",
)
TICKET = Table("ticket", Column("key", "bytes"), (Column("count", "int"),))
POINT = Table("point", Column("x", "float"))
QUEUE = Table("queue", Column("id", "int"), (Column("person", "str", unique=True),), auto=True, order="count")
TABLES = (ITEM, PERSON, EVENT, TICKET, POINT, QUEUE)

EXACT = 2**53
TEXTS = ["a", "b", "A", "é", "É", "a:b", "{a}", "%", "*", "a\nb", "\uffff", "\U0001f600", "10", "9", "%C3%A9", "\x00"]
INTS = [0, 1, 2, 3, -1, 10, EXACT, EXACT - 1, -EXACT]
BIG = [EXACT + 1, -EXACT - 1, 2**64, 10**30, 10**309, -(10**309)]
FLOATS = [0.0, -0.0, 1.0, 2.0, 2.5, -2.5, 0.1, 0.1 + 0.2, 1e16, 1e-7, float(EXACT), 5e-324, math.inf, -math.inf]
BYTES = [b"a", b"A", b"b", b":", b"%", b"\x00\xff", "é".encode(), b"\xff"]
PARTS = ["", "a", "A", "é", "É", "%", ".", "*", "1", "0", "-", "e", "E+", "inf", "N", "[", "\n", "\U0001f600"]
IDS: dict[str, list[Any]] = {
    ITEM.name: [1, 2, 3, 4, 7],
    PERSON.name: ["a", "b", "A", "a:b", "{a}*", "\uffff", "\U0001f600"],
    EVENT.name: [0, 1, 2, -1, 10, EXACT, -EXACT],
    TICKET.name: [b"a", b"b", b"\xff:", "é".encode()],
    POINT.name: [0.0, 1.0, -2.5, 1e16, math.inf],
    QUEUE.name: [1, 2, 3, -5],
}
"""The ids that requests give; auto tables allot some of their own."""

CASTS = (
    (ITEM,),
    (ITEM, PERSON),
    (ITEM, PERSON),
    (PERSON, EVENT),
    (EVENT,),
    (TICKET, ITEM),
    (POINT, PERSON),
    (QUEUE, EVENT),
)
"""The tables that a program is about."""


def number(column: Column) -> bool:
    return column.type in ("int", "float")


def indexed(column: Column) -> bool:
    """Return whether the column answers ``Eq``."""
    return column.unique or column.index != ""


def names(table: Table, *wanted: str) -> list[str]:
    """Return the names of the columns, the pk among them, that have one of the wanted types."""
    return [column.name for column in (table.pk, *table.columns) if column.type in wanted]


def pool(column: Column) -> list[Any]:
    """Return the values that are not missing that a column is filled with and compared to."""
    if column.type == "int":
        return INTS if column.index == "range" else INTS + BIG
    pools: dict[str, list[Any]] = {"float": FLOATS, "str": [*TEXTS, ""], "bytes": [*BYTES, b""]}
    return pools[column.type]


@cache
def values(column: Column) -> SearchStrategy[Any]:
    """Return what a row may hold: often the first few values, so that rows clash and match."""
    some = pool(column)
    return st.one_of(st.none(), st.sampled_from(some[:3]), st.sampled_from(some))


@cache
def operands(column: Column) -> SearchStrategy[Any]:
    """Return what a query may ask for, also numbers of the other type."""
    if number(column):
        return st.sampled_from([None, "", *INTS, *FLOATS, *BIG])
    return st.sampled_from([None, "", b"", *pool(column)])


def weighted(*choices: tuple[int, SearchStrategy[Any]]) -> SearchStrategy[Any]:
    """Return one of several strategies, each as often as its weight says (``one_of`` would flatten them)."""
    some = [strategy for weight, strategy in choices for _ in range(weight)]
    return st.integers(0, len(some) - 1).flatmap(lambda n: some[n])


# plans


@cache
def leaves(table: Table) -> SearchStrategy[Plan]:
    everything = (table.pk, *table.columns)
    ids: SearchStrategy[Any] = st.lists(st.sampled_from(IDS[table.name]), max_size=4)
    answering = [column for column in everything if number(column) and (column.index == "range" or column is table.pk)]
    kinds: list[tuple[int, list[SearchStrategy[Plan]]]] = [
        (2, [st.just(All()), ids.map(lambda some: Ids(tuple(some)))]),
        (3, [equals(column) for column in table.columns if indexed(column)]),
        (3, [ranges(column) for column in answering]),
        (3, [scans(column) for column in everything]),
        (2, [wheres(table)]),
    ]
    return weighted(*((weight, st.one_of(some)) for weight, some in kinds if some))


def equals(column: Column) -> SearchStrategy[Plan]:
    return st.lists(operands(column), max_size=3).map(lambda some: Eq(column.name, tuple(some)))


def ranges(column: Column) -> SearchStrategy[Plan]:
    bound = st.one_of(st.none(), st.sampled_from([*INTS, *FLOATS, *BIG]))
    return st.builds(Range, st.just(column.name), bound, bound, st.booleans(), st.booleans())


def scans(column: Column) -> SearchStrategy[Plan]:
    """Return scans of one column; every op fits every type."""
    ops = ["contains", "startswith", "endswith", "icontains", "istartswith", "iendswith"]
    parts: list[Any] = [part.encode() for part in PARTS] + [b"\xff", b"\x00"] if column.type == "bytes" else PARTS
    name = st.just(column.name)
    return st.one_of(
        st.builds(Scan, name, st.sampled_from(["lt", "le", "gt", "ge"]), st.sampled_from(pool(column))),
        st.builds(Scan, name, st.sampled_from(ops), st.sampled_from(parts)),
        st.builds(Scan, name, st.just("isnull"), st.sampled_from([0, 1])),
    )


@cache
def joins(table: Table, depth: int) -> SearchStrategy[Plan]:
    """Return ``In`` nodes: any two columns that hold numbers, or text, or bytes."""
    fields = [column for column in table.columns if indexed(column)] + [table.pk]
    pairs = [
        (column.name, other, of.name)
        for column in fields
        for other in (table, *TABLES)  # often the very table that is asked
        for of in (other.pk, *other.columns)
        if column.type == of.type or (number(column) and number(of))
    ]
    return st.sampled_from(pairs).flatmap(
        lambda pair: st.builds(In, st.just(pair[0]), st.just(pair[1]), plans(pair[1], depth - 1), st.just(pair[2]))
    )


@cache
def plans(table: Table, depth: int = 2) -> SearchStrategy[Plan]:
    if depth == 0:
        return leaves(table)
    below = plans(table, depth - 1)
    several = st.lists(below, max_size=3).map(tuple)
    return st.one_of(
        leaves(table),
        leaves(table),
        st.builds(Union, several),
        st.builds(Intersect, st.lists(below, min_size=1, max_size=3).map(tuple)),
        st.builds(Diff, below, below),
        joins(table, depth),
    )


# where

Program = tuple[Instruction, ...]


def postfix(*parts: SearchStrategy[Program], then: SearchStrategy[Instruction]) -> SearchStrategy[Program]:
    """Return the operands' programs one after the other, and the instruction that takes what they push."""
    return st.tuples(*parts, then.map(lambda step: (step,))).map(lambda some: sum(some, ()))


def operation(*choices: str) -> SearchStrategy[Instruction]:
    return st.sampled_from([(name, None) for name in choices])


def pushes(fields: list[str], consts: list[Any]) -> SearchStrategy[Program]:
    leaves: list[SearchStrategy[Instruction]] = [st.sampled_from([("const", value) for value in consts])]
    leaves += [st.sampled_from([("field", name) for name in fields])] * 2 if fields else []
    return st.one_of(leaves).map(lambda step: (step,))


@cache
def numeric(table: Table, depth: int) -> SearchStrategy[Program]:
    leaf = pushes(names(table, "int", "float"), FLOATS)
    if depth == 0:
        return leaf
    below = numeric(table, depth - 1)
    return st.one_of(
        leaf,
        postfix(below, below, then=operation("+", "-", "*", "/", "%")),
        postfix(below, then=operation("neg", "abs", "floor")),
        postfix(textual(table, depth - 1), then=operation("len")),
    )


@cache
def textual(table: Table, depth: int) -> SearchStrategy[Program]:
    leaf = pushes(names(table, "str"), [*PARTS, *TEXTS])
    return st.one_of(leaf, postfix(textual(table, depth - 1), then=operation("lower", "upper"))) if depth else leaf


@cache
def boolean(table: Table, depth: int) -> SearchStrategy[Program]:
    if depth == 0:
        return pushes([], [True, False])
    number, text, truth = numeric(table, depth - 1), textual(table, depth - 1), boolean(table, depth - 1)
    nothing = pushes([], [None])
    order = operation("==", "!=", "<", "<=", ">", ">=")
    equality = operation("==", "!=")
    return st.one_of(
        postfix(number, number, then=order),
        postfix(text, text, then=order),
        postfix(text, text, then=operation("contains", "startswith", "endswith")),
        postfix(truth, truth, then=equality),
        postfix(st.one_of(number, text, truth), nothing, then=equality),
        postfix(truth, truth, then=operation("and", "or")),
        postfix(truth, then=operation("not")),
        memberships(number),
        memberships(text),
    )


def memberships(kind: SearchStrategy[Program]) -> SearchStrategy[Program]:
    choices = st.lists(kind, max_size=3)
    return st.tuples(kind, choices).map(lambda some: (*some[0], *sum(some[1], ()), ("in", len(some[1]))))


@cache
def wheres(table: Table) -> SearchStrategy[Plan]:
    def where(program: Program) -> Plan:
        fields = {str(argument) for name, argument in program if name == "field"}
        return Where(program, tuple(sorted(fields)))

    return boolean(table, 3).map(where)


# requests


@st.composite
def subset(draw: DrawFn, table: Table) -> tuple[str, ...]:
    """Draw some names of columns, in any order."""
    return tuple(draw(st.lists(st.sampled_from(table.names), unique=True))) if table.names else ()


@cache
def scores(table: Table) -> SearchStrategy[float | None]:
    return st.none() if table.order == "id" else st.sampled_from([None, 0.0, 1.0, -1.0, 2.5])


@cache
def rows(table: Table, fields: tuple[str, ...]) -> SearchStrategy[Row]:
    return st.tuples(*(values(table.column(name)) for name in fields))


@st.composite
def changes(draw: DrawFn, table: Table) -> Change:
    """Draw a new, replaced, rewritten, completed, or moved row, or one that fits nowhere."""
    kind = draw(st.sampled_from(["new", "old", "old", "old", "moved"]))
    id = draw(st.sampled_from(IDS[table.name]))
    previous = None if kind == "new" else id if kind == "old" else draw(st.sampled_from(IDS[table.name]))
    fields = None if previous is None else draw(st.one_of(st.none(), subset(table)))
    row = draw(rows(table, table.names if fields is None else fields))
    allot = table.auto and kind != "old" and draw(st.booleans())
    return Change(None if allot else id, previous, row, fields, draw(scores(table)))


@cache
def populations(table: Table) -> SearchStrategy[Save]:
    """Return saves that cannot clash on an empty table."""

    def free(n: int) -> Callable[[Change], Any]:
        return lambda change: (change.id, "blank") if change.values[n] in (None, "", b"") else change.values[n]

    parts = st.tuples(st.sampled_from(IDS[table.name]), rows(table, table.names), scores(table))
    new = parts.map(lambda some: Change(some[0], None, some[1], score=some[2]))
    uniques = [free(n) for n, column in enumerate(table.columns) if column.unique]
    some = st.lists(new, min_size=2, max_size=5, unique_by=(lambda change: change.id, *uniques))
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
def selects(table: Table) -> SearchStrategy[Request]:
    bounds = weighted((2, st.none()), (2, st.integers(0, 4)), (1, st.integers(-4, 6)))
    ranged = [column.name for column in table.columns if column.index == "range"]
    keys = [table.pk.name, *table.names, *ranged, *ranged]
    sorts = st.builds(Sort, st.sampled_from(keys), st.booleans())
    fields = st.one_of(st.none(), st.just(()), subset(table))
    asked = weighted((1, st.just(All())), (4, plans(table)))
    return st.builds(Select, st.just(table), asked, weighted((1, st.none()), (2, sorts)), bounds, bounds, fields)


@cache
def mistakes(table: Table) -> SearchStrategy[Request]:
    """Return requests that name a field that is not there."""
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
            Select(table, All(), Sort("nope")),
            Select(table, Ids(()), fields=("nope",)),
        ]
    )


def questions(table: Table) -> SearchStrategy[Request]:
    return weighted((3, selects(table)), (1, st.builds(Count, st.just(table), plans(table))))


@cache
def requests(cast: tuple[Table, ...]) -> SearchStrategy[Request]:
    tables = st.sampled_from(cast)
    anything = st.sampled_from(TABLES)
    return weighted(
        (60, commits(tables)),
        (30, tables.flatmap(questions)),
        (4, st.builds(Flush, weighted((1, st.none()), (2, tables), (2, anything)))),
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


def interviews() -> SearchStrategy[list[list[Request]]]:
    """Return programs of two round trips: fill some tables, and ask one of them many questions."""
    return st.sampled_from(CASTS).flatmap(
        lambda cast: st.builds(
            lambda first, rest: [[first], rest], filled(*cast), st.lists(questions(cast[0]), min_size=6, max_size=25)
        )
    )
