"""The oracle's structures, on examples that were worked out by hand."""

from __future__ import annotations

import math
from typing import Any

import pytest

from stdnet.contract import (
    KINDS,
    All,
    Call,
    Change,
    Commit,
    Committed,
    Delete,
    Flush,
    Ids,
    Keys,
    Place,
    Refused,
    Save,
    Select,
)
from stdnet.errors import BadStructureValue, ResponseError

from .oracle import Oracle
from .tables import PERSON

INF = math.inf

Steps = list[tuple[str, tuple[Any, ...], Any]]
"""Operations, their arguments, and the replies."""


@pytest.mark.parametrize(
    ("kind", "steps"),
    [
        ("list", [("push_front", (b"a", b"b"), None), ("push_back", (b"c",), None), ("items", (), [b"b", b"a", b"c"])]),
        ("list", [("push_back", (b"a", b"b", b"c"), None), ("slice", (-5, -2), [b"a", b"b"]), ("get", (-4,), None)]),
        ("list", [("push_back", (b"a",), None), ("set", (-1, b"z"), True), ("set", (1, b"y"), False), ("size", (), 1)]),
        ("list", [("pop_back", (), None), ("push_back", (b"a",), None), ("pop_front", (), b"a"), ("items", (), [])]),
        ("set", [("add", (b"b", b"a", b"b"), None), ("remove", (b"z",), None), ("items", (), [b"a", b"b"])]),
        ("zset", [("add", ((1.0, b"b"), (1.0, b"a"), (0.0, b"b")), None), ("items", (), [(0.0, b"b"), (1.0, b"a")])]),
        (
            "zset",
            [("add", ((1.0, b"a"), (2.0, b"b")), None), ("ipop_range", (0, 0, 1), [(2.0, b"b")])],
        ),
        ("zset", [("add", ((INF, b"a"), (1.0, b"b")), None), ("range", (1.0, INF, 1), [(INF, b"a"), (1.0, b"b")])]),
        (
            "hashtable",
            [("add", ((b"b", b"1"), (b"a", b""), (b"b", b"2")), None), ("pop", (b"b",), b"2")],
        ),
        ("ts", [("add", ((2.0, b"x"), (1.0, b"y"), (2.0, b"z")), None), ("items", (), [(1.0, b"y"), (2.0, b"z")])]),
        ("ts", [("add", ((2.0, b"x"),), None), ("rank", (2.0,), 0), ("pop_range", (0.0, 2.0), [(2.0, b"x")])]),
        ("string", [("incr", (5,), 5), ("append", (b"0",), None), ("incr", (-51,), -1), ("items", (), b"-1")]),
        ("string", [("append", (b"abc",), None), ("slice", (-2, 9), b"bc"), ("slice", (0, -9), b"")]),
        ("numberarray", [("resize", (3, b"ab"), 4), ("assign", (2, b"xyz"), False), ("assign", (2, b"xy"), True)]),
        ("numberarray", [("append", (b"abcd",), None), ("truncate", (5,), b""), ("truncate", (4,), b"abcd")]),
    ],
)
def test_operations(kind: str, steps: Steps) -> None:
    oracle, place = Oracle(), Place(KINDS[kind], "a")
    assert [oracle.execute([Call(place, name, arguments)])[0] for name, arguments, _ in steps] == [
        reply for *_, reply in steps
    ]


def test_scores_are_added_from_left_to_right() -> None:
    oracle, zset = Oracle(), KINDS["zset"]
    for name, score in (("a", INF), ("b", -INF), ("c", 1.0)):
        oracle.execute([Call(Place(zset, name), "add", ((score, b"x"), (score, name.encode())))])
    others = Place(zset, "b"), Place(zset, "c")
    assert oracle.execute([Call(Place(zset, "a"), "intersection", others)]) == [[(1.0, b"x")]]
    assert oracle.execute([Call(Place(zset, "a"), "difference", others)]) == [[(INF, b"a")]]


def test_errors() -> None:
    oracle, text = Oracle(), Place(KINDS["string"], "s", PERSON)
    oracle.execute([Call(text, "append", (b"007",))])
    with pytest.raises(BadStructureValue):
        oracle.execute([Call(text, "incr", (1,))])
    with pytest.raises(ResponseError):
        oracle.execute([Call(Place(KINDS["list"], "s", PERSON), "size")])
    assert oracle.execute([Call(text, "items"), Keys(PERSON), Flush()]) == [b"007", ["item2:struct:s"], 1]


def test_structures_of_rows_move_and_go_with_them() -> None:
    oracle, blank = Oracle(), (None,) * len(PERSON.columns)
    log = {id: Place(KINDS["list"], "log", PERSON, id) for id in "abc"}
    push = {id: Call(log[id], "push_back", (id.encode(),)) for id in "abc"}
    assert oracle.execute([Commit(calls=(push["a"],)), push["a"]]) == [Refused((), (), (0,))] * 2
    new = Save(PERSON, (Change("c", None, blank), Change("a", "c", (), ()), Change("b", None, blank)))
    request = Commit(saves=(new,), calls=(push["b"], push["a"], push["c"]))
    assert oracle.execute([request]) == [Refused((), (), (1, 2))]
    request = Commit(saves=(Save(PERSON, (Change("c", None, blank),)),), calls=(push["c"], push["c"]))
    oracle.execute([request])
    assert oracle.execute([Call(log["c"], "items")]) == [[b"c", b"c"]]
    oracle.execute([Commit(deletes=(Delete(PERSON, All()),))])
    oracle.execute([Commit(saves=(Save(PERSON, (Change("a", None, blank), Change("b", None, blank))),))])
    move = Save(PERSON, (Change("b", "a", (), ()), Change("a", None, blank)))
    request = Commit((Delete(PERSON, Ids(("b",))),), (move,), calls=(push["a"], push["b"]), token="t")
    assert oracle.execute([request, request]) == [Committed((["b", "a"],), ([],), (["b"],))] * 2
    found = oracle.execute([Select(PERSON, All(), fields=(), structures=("log",))])[0]
    assert (found.ids, found.structures) == (["a", "b"], ([[], [b"a"]],))
