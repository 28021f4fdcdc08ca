"""Six small tables that refer to each other, and pools of ids and values that make everything collide.

The rows of half of them can expire.

All values have the type of their column. Counting tables are given finite increments only, and no table has both
the ids ``0.0`` and ``-0.0``, which are equal numbers with two spellings; as values of columns both occur.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from stdnet.contract import HASH, LIST, NUMBERARRAY, SET, STRING, TS, ZSET, Column, Table


class Named(Table):
    """A table with a short ``repr``: a program that fails shows it dozens of times."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<{self.name}>"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(repr(self))

    def __deepcopy__(self, memo: Any) -> Named:
        return self


ITEM = Named(
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
        Column("parent", "int", index="equal"),
        Column("version", "int"),
    ),
    auto=True,
    structures=(("log", LIST), ("tags", SET), ("marks", ZSET)),
    together=(("kind", "rank"), ("size", "ratio", "blob")),
)
PERSON = Named(
    "item2",  # a name that starts like another one
    Column("login", "str"),
    (
        Column("nick", "str", unique=True, index="equal"),
        Column("item", "int", index="range"),
        Column("height", "float", unique=True, index="range"),
        Column("data", "bytes", index="equal"),
        Column("boss", "str", index="equal"),
        Column("thing", "int", index="equal"),
    ),
    order="score",
    structures=(("log", LIST), ("facts", HASH), ("text", STRING)),
)
EVENT = Named(
    "app.event",
    Column("id", "int"),
    (
        Column("code", "bytes", unique=True),
        Column("place", "int", unique=True, index="range"),
        Column("person", "str", index="equal"),
        Column("start", "float", index="range"),
        Column("before", "int", index="equal"),
    ),
    order="count",
    structures=(("series", TS), ("cells", NUMBERARRAY)),
    together=(("start", "person"),),
    ttl=True,
)
TICKET = Named("ticket", Column("key", "bytes"), (Column("count", "int"),), structures=(("log", LIST),), ttl=True)
POINT = Named("point", Column("x", "float"), structures=(("tags", SET), ("text", STRING)))
QUEUE = Named(
    "queue",
    Column("id", "int"),
    (Column("person", "str", unique=True), Column("next", "int", unique=True)),
    auto=True,
    order="count",
    ttl=True,
)
TABLES: tuple[Table, ...] = (ITEM, PERSON, EVENT, TICKET, POINT, QUEUE)

EXACT = 2**53
TEXTS = ["a", "A", "É", "é", "b", "a:b", "{a}", "%", "*", "a\nb", "\uffff", "\U0001f600", "10", "9", "%C3%A9", "\x00"]
INTS = [0, 1, 2, 3, -1, 10, EXACT, EXACT - 1, -EXACT]
BIG = [-EXACT - 1, 2**64, 10**30, 10**309, -(10**309)]
FLOATS = [0.0, -0.0, 1.0, 2.0, 2.5, -2.5, 0.1, 0.1 + 0.2, 1e16, 1e-7, float(EXACT), 5e-324, math.inf, -math.inf]
BYTES = [b"a", b"A", b"b", b":", b"%", b"\x00\xff", "é".encode(), b"\xff"]
PARTS = ["a", "A", "é", "É", "", "%", ".", "*", "1", "0", "-", "e", "E+", "inf", "N", "[", "\n", "\U0001f600"]
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


def refers(column: Column) -> bool:
    """Return whether the column can be that of a ``Reference``."""
    return column.index == "equal" or (column.unique and not column.index)


def names(table: Table, *wanted: str) -> list[str]:
    """Return the names of the columns, the pk among them, that have one of the wanted types."""
    return [column.name for column in (table.pk, *table.columns) if column.type in wanted]


def pool(column: Column) -> list[Any]:
    """Return the values that are not missing that a column is filled with and compared to."""
    if column.name == "version":
        return INTS[:6]
    if column.type == "int":
        return INTS if column.index == "range" else [1, 2, EXACT + 1, *INTS, *BIG]  # 1 and 2 are ids
    pools: dict[str, list[Any]] = {"float": FLOATS, "str": [*TEXTS, ""], "bytes": [*BYTES, b""]}
    return pools[column.type]


@cache
def values(column: Column) -> SearchStrategy[Any]:
    """Return what a row may hold: often nothing, often one of the first few values, so that rows clash and match."""
    some = pool(column)
    return st.sampled_from([None] * (len(some) // 2) + some[:4] * (len(some) // 8 + 1) + some)


def few_or_all(some: list[Any]) -> SearchStrategy[Any]:
    """Return a choice that takes one of the first few every other time."""
    return st.sampled_from(some[:4] * (len(some) // 4) + some)


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
