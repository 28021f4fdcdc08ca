"""Leaves of maps: all backends answer random programs as a few lines of Python do, and agree on every kind of value."""

from __future__ import annotations

from collections.abc import Callable
from functools import cmp_to_key
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stdnet.contract import All, Change, Column, Commit, Count, Refused, Save, Scan, Select, Sort, Table
from tests.redis.check import Checked
from tests.servers import shared_url

from .oracle_values import COMPARE, TEXT, lower
from .tables import BIG, FLOATS, INTS, PARTS, TEXTS, few_or_all
from .test_backends_agree import NAMESPACE, getdb

TABLE = Table("leafy", Column("id", "int"), (Column("kind", "str", index="equal"), Column("data", "map")))
PATHS = ["a", "a__b", "A", "é", "/", "in", "\x00", "10"]
NUMBERS: list[Any] = [number for number in [*INTS, *BIG, *FLOATS] if number - number == 0]
OTHERS = [b"", b"true", b"[1]", "é".encode(), b"@1"]
VALUES: list[Any] = [1, "a", *NUMBERS, *TEXTS, "", *OTHERS]

leaves = few_or_all(VALUES)
maps = st.dictionaries(st.sampled_from(PATHS), leaves, max_size=4)
patches = st.dictionaries(st.sampled_from(PATHS), st.none() | leaves, min_size=1, max_size=3)
changes = st.tuples(st.integers(1, 4), st.none() | maps | patches.map(lambda some: ("patch", some)))


def scans() -> st.SearchStrategy[Scan]:
    name = st.sampled_from(PATHS[:3]).map(lambda path: f"data__{path}")
    ops = [*TEXT, *(f"i{op}" for op in TEXT)]
    return st.one_of(
        st.builds(Scan, name, st.sampled_from([*COMPARE, "eq"]), leaves),
        st.builds(Scan, name, st.sampled_from(ops), few_or_all(PARTS)),
        st.builds(Scan, name | st.just("data"), st.just("isnull"), st.sampled_from([0, 1])),
    )


def kind(value: Any) -> int:
    return {str: 1, bytes: 2}.get(type(value), 0)


def matches(scan: Scan, value: Any) -> bool:
    """Return what the contract says of one leaf, or of the map."""
    if scan.op == "isnull":
        return (not value and value != 0) == bool(scan.value)
    if value is None:
        return False
    if scan.op == "eq" or scan.op in COMPARE:
        test = COMPARE.get(scan.op, lambda a, b: a == b)
        return kind(value) == kind(scan.value) and bool(test(value, scan.value))
    part: Any = scan.value
    whole = value if kind(value) == 1 else value.decode() if kind(value) else repr(value)
    if scan.op.startswith("i"):
        whole, part = lower(whole), lower(part)
    return bool(TEXT[scan.op.removeprefix("i")](whole, part))


def compared(one: Any, other: Any) -> int:
    one, other = (0 if value in (None, b"") else value for value in (one, other))
    if kind(one) != kind(other):
        return kind(one) - kind(other)
    return (one > other) - (one < other)


def read(row: Any, name: str) -> Any:
    return row if name == "data" else (row or {}).get(name[6:])


def applied(rows: dict[int, Any], id: int, given: Any) -> Change | None:
    """Write one change into ``rows``, and return it; ``None`` for a part of a row that is not there."""
    if not isinstance(given, tuple):
        rows[id] = given
        return Change(id, None, ("x", given))
    if id not in rows:
        return None
    merged = {**(rows[id] or {}), **given[1]}
    rows[id] = {path: leaf for path, leaf in merged.items() if leaf is not None}
    return Change(id, id, tuple(given[1].values()), tuple(f"data__{path}" for path in given[1]))


FACTORIES: dict[str, Callable[[], Any]] = {
    "memory": lambda: getdb(f"memory://?namespace={NAMESPACE}"),
    "redis": lambda: Checked(getdb(shared_url(), namespace=NAMESPACE), shared_url(), [TABLE]),
}


@pytest.fixture(scope="module", params=sorted(FACTORIES))
def server(request: pytest.FixtureRequest) -> Any:
    made = FACTORIES[request.param]()
    yield made
    made.close()


@given(st.lists(changes, max_size=6), st.lists(scans(), max_size=5), st.sampled_from(PATHS[:3]), st.booleans())
def test_backends_answer_about_leaves_as_python_does(
    server: Any, given: list[Any], asked: list[Scan], path: str, desc: bool
) -> None:
    server.flush()
    rows: dict[int, Any] = {}
    for id, value in given:
        change = applied(rows, id, value)
        if change is not None:
            (reply,) = server.execute([Commit((), (Save(TABLE, (change,)),))])
            assert not isinstance(reply, Refused)
    ids = sorted(rows)
    requests = [Count(TABLE, scan) for scan in asked] + [Select(TABLE, scan, fields=()) for scan in asked]
    replies = server.execute(requests)
    for scan, count, selected in zip(asked, replies, replies[len(asked) :], strict=False):
        expected = [id for id in ids if matches(scan, read(rows[id], scan.field))]
        assert (count, list(selected.ids)) == (len(expected), expected)
    name = f"data__{path}"
    whole, part = server.execute(
        [Select(TABLE, All(), Sort(name, desc)), Select(TABLE, All(), Sort(name, desc), fields=(name, "kind"))]
    )
    order = sorted(ids, key=cmp_to_key(lambda a, b: compared(read(rows[a], name), read(rows[b], name))), reverse=desc)
    assert list(whole.ids) == list(part.ids) == order
    assert repr([sorted((row[1] or {"": row[1]}).items()) for row in whole.rows]) == repr(
        [sorted((rows[id] or {"": rows[id]}).items()) for id in order]
    )
    assert [repr(row) for row in part.rows] == [repr((read(rows[id], name), "x")) for id in order]
    server.check()


def test_leaves_never_make_a_row_whole(server: Any) -> None:
    server.flush()
    change = Change(1, 1, (1, 2), ("data__a", "data__b"))
    (reply,) = server.execute([Commit((), (Save(TABLE, (change,)),))])
    assert [clash.reason for clash in reply.clashes] == ["gone"]
    for request in (Count(TABLE, Scan("kind__a", "isnull", 1)), Select(TABLE, All(), Sort("datum__a"))):
        with pytest.raises(KeyError):
            server.execute([request])
