"""Random operations on structures: their places, their arguments, and commits of calls.

A new operation gets a line in ``arguments``. Values are few, so that they meet again, and odd; many at once, so that
servers change the form in which they keep them, come now and then. Scores are never NaN or -0.0: nothing that crosses
the contract is.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from stdnet.contract import KINDS, LIST, All, Call, Commit, Flush, Keys, Kind, Place, Request, Select, Table, Take
from stdnet.records import replace

from .commits import commits, kin_commits
from .plans import plans
from .tables import IDS, TABLES, weighted

VALUES = [b"a", b"b", b"c", b"", b"A", b"\x00", b"a\x00b", b"{a}", b":", b"1.0:a", b"*%", b"\xff\xfe", "é".encode()]
VALUES += [b"\r\n", b"10", b"9", b"x" * 70]
INTEGERS = [b"1", b"-5", b"-", b"007", b"+5", b" 5", b"-0", b"1.0", b"9" * 25]
INTEGERS += [b"%d" % n for n in (2**53 + 1, 2**63 - 1, -(2**63), *(2**63, -(2**63) - 1) * 3)]
STEPS = [1, -1, -5, 0, 2**53 + 1, 2**62, 2**63 - 1, -(2**63), 2**63, 2**64 - 1]
SCORES = [0.0, 1.0, 2.0, 3.0, -1.0, math.inf, -math.inf, 0.1, 0.2, 0.3, 0.1 + 0.2, 2.0**53, 2.0**53 + 2, 1e16, 1e21]
SCORES += [1e-7, 5e-324, 1.7976931348623157e308, -1.7976931348623157e308, 1356998400123457.0]
PLACES = [0, 1, 2, -1, -2, -3, 3, 5, -6, 100, -100, 2**31, -(2**31), 2**53, -(2**53)]
CELLS = [b"abcdefgh", b"\x00" * 8, b"\xff" * 8, b"12345678"]
NAMES = ["a", "b", "", "a:b", "{a}*", "\x00", "é", "%41"]
WAITING = {kind.name: [name for name, each in kind.operations.items() if each.commits] for kind in KINDS.values()}


class Spot(Place):
    """A place with a short ``repr``."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<{self.kind.name} {self.name!r} of {self.table} {self.id!r}>"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(repr(self))


def few(some: list[Any]) -> SearchStrategy[Any]:
    """Return a choice that takes one of the first three every other time."""
    return st.sampled_from(some[:3] * (len(some) // 3) + some)


values, scores = few(VALUES), few(SCORES)
spots = st.sampled_from([0, 1, 2, -1, -2, -3, -100] * 2 + PLACES)
flags = st.sampled_from([0, 0, 1])


def several(one: SearchStrategy[Any], many: Any) -> SearchStrategy[tuple[Any, ...]]:
    """Return some of these, none now and then, and now and then ``many(n)`` for all n up to a number."""
    counts = st.sampled_from([130, 130, 1001, 2100])
    bulk = counts.map(lambda count: tuple(many(n) for n in range(count)))
    return weighted((150, st.lists(one, min_size=1, max_size=3).map(tuple)), (5, st.just(())), (1, bulk))


def numbered(n: int) -> bytes:
    return b"v%d" % (n * 7 % 2100)


some_values = several(values, numbered)
scored = several(st.tuples(scores, values), lambda n: (float(n % 40), numbered(n)))
timed = several(st.tuples(scores, values), lambda n: (float(n * 7 % 2100), numbered(n % 40)))
times = several(scores, float)
mapped = several(st.tuples(values, values), lambda n: (numbered(n), b"%d" % n))
bounds, spans = st.tuples(scores, scores), st.tuples(spots, spots)
nothing: SearchStrategy[tuple[Any, ...]] = st.just(())


def alone(one: SearchStrategy[Any]) -> SearchStrategy[tuple[Any, ...]]:
    return st.tuples(one)


def arguments(kind: Kind, name: str, places: SearchStrategy[Place]) -> SearchStrategy[tuple[Any, ...]]:
    """Return arguments of an operation; ``places`` are those of its kind that it may name."""
    if name in ("size", "items", "keys", "delete", "pop_front", "pop_back"):
        return nothing
    if name in ("union", "intersection", "difference"):
        return st.lists(places, max_size=3).map(tuple)
    special: dict[tuple[str, str], SearchStrategy[tuple[Any, ...]]] = {
        ("list", "get"): alone(spots),
        ("list", "set"): st.tuples(spots, values),
        ("zset", "add"): scored,
        ("zset", "range"): st.tuples(scores, scores, flags),
        ("zset", "irange"): st.tuples(spots, spots, flags),
        ("zset", "ipop_range"): st.tuples(spots, spots, flags),
        ("hashtable", "add"): mapped,
        ("ts", "add"): timed,
        ("ts", "remove"): times,
        ("string", "append"): several(weighted((4, st.sampled_from(INTEGERS)), (1, values)), numbered),
        ("numberarray", "append"): several(few([*CELLS, b"", b"xyz"]), lambda n: b"%08d" % n),
    }
    general: dict[str, SearchStrategy[tuple[Any, ...]]] = {
        **dict.fromkeys(("add", "remove", "push_back", "push_front"), some_values),
        **dict.fromkeys(("slice", "irange", "ipop_range"), spans),
        **dict.fromkeys(("range", "pop_range", "count"), bounds),
        **dict.fromkeys(("contains", "score", "rank", "get", "pop"), alone(scores if kind.name == "ts" else values)),
        "incr": alone(few(STEPS)),
        "assign": st.tuples(st.sampled_from([0, 8, 16, 4, 100]), st.sampled_from([*CELLS, b"", b"xyz"])),
        "resize": st.tuples(st.sampled_from([0, 8, 24, 20, 1000 * 8]), st.sampled_from(CELLS)),
        "truncate": alone(st.sampled_from([8, 16, 24, 0, 3, 1000])),
    }
    return special[kind.name, name] if (kind.name, name) in special else general[name]


@cache
def calls(kind: Kind, places: SearchStrategy[Place], waiting: bool = False) -> SearchStrategy[Call]:
    """Return calls of structures of one kind; those that make something come more often than others."""
    names = WAITING[kind.name] if waiting else list(kind.operations)
    makers = [name for name in names if kind.operations[name].effect == "makes"]
    made = {name: st.builds(Call, places, st.just(name), arguments(kind, name, places)) for name in names}
    return st.sampled_from([*names, *makers]).flatmap(made.__getitem__)


@cache
def homes(kind: Kind, cast: tuple[Table, ...]) -> SearchStrategy[Place]:
    """Return places of a kind: of rows that may be there, of whole tables, and on their own."""
    of_rows = [
        Spot(kind, name, table, id)
        for table in cast
        for name, each in table.structures
        if each is kind
        for id in IDS[table.name][:4] * 3 + IDS[table.name]
    ]
    others = [Spot(kind, f"all_{kind.name}", table) for table in cast] * len(NAMES)
    others += [Spot(kind, name) for name in [*NAMES, *NAMES[:2] * 3]]
    return weighted((2, st.sampled_from(of_rows or others)), (1, st.sampled_from(others)))


@cache
def any_calls(cast: tuple[Table, ...], waiting: bool = False) -> SearchStrategy[Call]:
    """Return calls of structures of all kinds, those of rows before others."""
    kinds = [kind for table in cast for _, kind in table.structures] * 2 + list(KINDS.values())
    return weighted(
        (30, st.sampled_from(kinds).flatmap(lambda kind: calls(kind, homes(kind, cast), waiting))),
        (1, misplaced(cast, waiting)),
    )


@cache
def misplaced(cast: tuple[Table, ...], waiting: bool) -> SearchStrategy[Call]:
    """Return calls of a list where something else may be, and of something else where a list may be."""
    others = [
        Spot(LIST if kind is not LIST else KINDS["set"], name, table, id)
        for table in cast
        for name, kind in table.structures
        for id in IDS[table.name][:4]
    ]

    def at(place: Place) -> SearchStrategy[Call]:
        return calls(place.kind, st.just(place), waiting)

    return st.sampled_from(others).flatmap(at)


@cache
def mixed_commits(cast: tuple[Table, ...]) -> SearchStrategy[Request]:
    """Return commits with calls, most of them with rows as well."""
    rows = weighted((2, st.just(Commit())), (2, commits(cast)), (3, kin_commits(cast)))
    several = st.lists(any_calls(cast, waiting=True), min_size=1, max_size=5).map(tuple)
    return st.builds(lambda commit, calls: replace(commit, calls=calls), rows, several)


@cache
def content(table: Table) -> SearchStrategy[Select]:
    """Return selects that bring structures along."""
    names = st.lists(st.sampled_from([name for name, _ in table.structures]), max_size=3).map(tuple)
    asked = weighted((3, st.just(All())), (1, plans(table, 1)))
    cut, fields = st.sampled_from([None, None, 1, -2]), st.sampled_from([None, (), table.names[:1]])
    return st.builds(Select, st.just(table), asked, start=cut, stop=cut, fields=fields, structures=names)


@cache
def takes(cast: tuple[Table, ...]) -> SearchStrategy[Take]:
    return st.builds(Take, homes(LIST, cast), st.sampled_from(["front", "back"]), st.just(0.0))


def flushes(cast: tuple[Table, ...]) -> SearchStrategy[Request]:
    tables = st.sampled_from(cast)
    return weighted((1, st.just(Flush())), (2, st.builds(Flush, tables)), (2, st.builds(Keys, tables)))


STRUCTURED = tuple(table for table in TABLES if table.structures)
