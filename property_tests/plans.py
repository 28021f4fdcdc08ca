"""Random plans, and random ``Where`` programs in postfix order. A strategy is built once for each table and depth.

Nothing is drawn that the contract leaves to the caller: a plan asks of a column what its type and index allow, and
programs are well-typed. They read no bytes, for which ``Where`` has no operations.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from stdnet.contract import (
    All,
    Column,
    Diff,
    Eq,
    Ids,
    In,
    Instruction,
    Intersect,
    Match,
    Plan,
    Range,
    Scan,
    Table,
    Union,
    Where,
)

from .tables import (
    BIG,
    FLOATS,
    IDS,
    INTS,
    PARTS,
    TABLES,
    TEXTS,
    few_or_all,
    indexed,
    names,
    number,
    operands,
    pool,
    weighted,
)


@cache
def leaves(table: Table) -> SearchStrategy[Plan]:
    everything = (table.pk, *table.columns)
    ids: SearchStrategy[Any] = st.lists(st.sampled_from(IDS[table.name]), max_size=4)
    answering = [column for column in everything if number(column) and (column.index == "range" or column is table.pk)]
    kinds: list[tuple[int, list[SearchStrategy[Plan]]]] = [
        (2, [st.just(All()), ids.map(lambda some: Ids(tuple(some)))]),
        (3, [equals(column) for column in table.columns if indexed(column)]),
        (1, [matches(table, names) for names in table.together]),
        (3, [ranges(column) for column in answering]),
        (3, [scans(column) for column in everything]),
        (2, [wheres(table)]),
    ]
    return weighted(*((weight, st.one_of(some)) for weight, some in kinds if some))


def equals(column: Column) -> SearchStrategy[Plan]:
    return st.lists(operands(column), max_size=3).map(lambda some: Eq(column.name, tuple(some)))


def matches(table: Table, fields: tuple[str, ...]) -> SearchStrategy[Plan]:
    one = st.tuples(*(operands(table.column(name)) for name in fields))
    few = st.tuples(*(st.sampled_from(pool(table.column(name))[:3]) for name in fields))
    return st.lists(weighted((1, one), (3, few)), max_size=4).map(lambda some: Match(fields, tuple(some)))


def ranges(column: Column) -> SearchStrategy[Plan]:
    bound = st.one_of(st.none(), few_or_all([*INTS, *FLOATS, *BIG]))
    return st.builds(Range, st.just(column.name), bound, bound, st.booleans(), st.booleans())


def scans(column: Column) -> SearchStrategy[Plan]:
    """Return scans of one column; every op fits every type."""
    ops = ["contains", "startswith", "endswith", "icontains", "istartswith", "iendswith"]
    parts: list[Any] = [part.encode() for part in PARTS] + [b"\xff", b"\x00"] if column.type == "bytes" else PARTS
    name = st.just(column.name)
    return st.one_of(
        st.builds(Scan, name, st.sampled_from(["lt", "le", "gt", "ge"]), few_or_all(pool(column))),
        st.builds(Scan, name, st.sampled_from(ops), few_or_all(parts)),
        st.builds(Scan, name, st.just("isnull"), st.sampled_from([0, 1])),
    )


@cache
def joins(table: Table, depth: int) -> SearchStrategy[Plan]:
    """Return ``In`` nodes: any two columns of one type."""
    fields = [column for column in table.columns if indexed(column)] + [table.pk]
    pairs = [
        (column.name, other, of.name)
        for column in fields
        for other in (table, *TABLES)  # often the very table that is asked
        for of in (other.pk, *other.columns)
        if column.type == of.type
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
def arithmetic(table: Table, depth: int) -> SearchStrategy[Program]:
    """Return what an update may compute."""
    leaf = pushes(names(table, "int", "float"), FLOATS)
    if depth == 0:
        return leaf
    below = arithmetic(table, depth - 1)
    return st.one_of(
        leaf,
        postfix(below, below, then=operation("+", "-", "*", "/", "%")),
        postfix(below, then=operation("neg")),
        postfix(below, pushes([], [1.0, -1.0, 2.0, 0.5]), then=operation("+", "-", "*", "/")),
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
