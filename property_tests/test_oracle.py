"""The oracle itself, on examples that were worked out by hand."""

from __future__ import annotations

import math
from typing import Any

import pytest

from stdnet.contract import (
    All,
    Assign,
    Change,
    Clash,
    Commit,
    Committed,
    Count,
    Delete,
    Eq,
    Flush,
    Held,
    Ids,
    In,
    Keys,
    Match,
    Plan,
    Range,
    Reference,
    Refused,
    Related,
    Save,
    Scan,
    Select,
    Selected,
    Sort,
    Table,
    Update,
    Where,
)

from .oracle import Oracle
from .tables import EVENT, ITEM, PERSON, QUEUE


def save(table: Table, *changes: Change) -> Commit:
    return Commit(saves=(Save(table, changes),))


def person(id: str, nick: str | None, item: int | None = None, score: float = 0.0) -> Change:
    return Change(id, None, (nick, item, None, None, None, None), score=score)


def ask(oracle: Oracle, table: Table, plan: Plan, sort: Sort | None = None) -> list[Any]:
    return list(oracle.execute([Select(table, plan, sort, fields=())])[0].ids)


@pytest.fixture
def oracle() -> Oracle:
    oracle = Oracle("ns.")
    oracle.execute([save(PERSON, person("b", "x", 3), person("a", "", 1), person("c", None, score=-1.0))])
    return oracle


def test_rows_come_by_score_and_id(oracle: Oracle) -> None:
    assert ask(oracle, PERSON, All()) == ["c", "a", "b"]
    assert oracle.execute([Select(PERSON, Ids(("b", "z")), fields=("item", "nick"))]) == [Selected(["b"], [(3, "x")])]


def test_sorting_takes_missing_for_empty_and_keeps_ties(oracle: Oracle) -> None:
    assert ask(oracle, PERSON, All(), Sort("nick", desc=True)) == ["b", "c", "a"]
    assert ask(oracle, PERSON, All(), Sort("item")) == ["c", "a", "b"]


@pytest.mark.parametrize(
    ("plan", "ids"),
    [
        (Eq("nick", (b"",)), ["c", "a"]),
        (Eq("item", (3.0, 3)), ["b"]),
        (Range("item"), ["a", "b"]),
        (Range("item", 1, 3, low_open=True), ["b"]),
        (Scan("nick", "contains", ""), ["a", "b"]),
        (Scan("nick", "isnull", 1), ["c", "a"]),
        (Scan("item", "startswith", "3"), ["b"]),
        (In("item", PERSON, Ids(("b", "c")), "item"), ["b"]),
        (
            Where((("field", "item"), ("const", 0.0), ("/", None), ("const", math.inf), ("==", None)), ("item",)),
            ["a", "b"],
        ),
    ],
)
def test_plans(oracle: Oracle, plan: Plan, ids: list[str]) -> None:
    assert ask(oracle, PERSON, plan) == ids


def test_a_swap_of_unique_values_is_fine_and_a_taken_one_is_not(oracle: Oracle) -> None:
    rename = [Change(id, id, (nick,), ("nick",)) for id, nick in (("a", "x"), ("b", "y"))]
    assert oracle.execute([save(PERSON, *rename[:1])]) == [Refused((Clash("unique", 0, 0, "nick", "x", "b"),))]
    assert ask(oracle, PERSON, Eq("nick", ("",))) == ["c", "a"]
    assert oracle.execute([save(PERSON, *rename)]) == [Committed((["a", "b"],), ([],), ())]


def test_moves(oracle: Oracle) -> None:
    moves = save(PERSON, Change("a", "b", (), ()), Change("d", "x", (), ()), Change("e", "b", (), ()))
    assert oracle.execute([moves]) == [
        Refused((Clash("id", 0, 0, "login", "a", "a"), Clash("gone", 0, 1, "login", "x"))),
    ]
    release = Commit((Delete(PERSON, Ids(("a",))),), (Save(PERSON, (Change("a", "b", (), ()),)),))
    assert oracle.execute([release]) == [Committed((["a"],), ([],), (["a"],))]
    assert ask(oracle, PERSON, Eq("item", (3,))) == ["a"]


def test_allotted_ids_and_counted_scores() -> None:
    oracle = Oracle()
    new = [Change(None, None, (None, None), score=2.0), Change(7, None, ("a", None)), Change(None, None, ("a", None))]
    assert oracle.execute([save(QUEUE, *new)]) == [Refused((Clash("unique", 0, 2, "person", "a", 7),))]
    assert oracle.execute([save(QUEUE, *new[:2]), Keys(QUEUE)]) == [
        Committed(([1, 7],), ([2.0, 0.0],), ()),
        ["queue:id", "queue:ids", "queue:idx:next:", "queue:idx:person:", "queue:obj:7", "queue:uni:person"],
    ]
    again = Commit(saves=(Save(QUEUE, (Change(1, 1, (), (), 1.5), *new[:1])),), token="t")
    first = oracle.execute([again])
    assert first == [Committed(([1, 8],), ([3.5, 2.0],), ())]
    assert oracle.execute([again, Count(QUEUE, All())]) == [*first, 3]


def family(*rows: tuple[int, int | None]) -> Save:
    """Return a save of items, each with its parent."""
    return Save(ITEM, tuple(Change(id, None, (*(None,) * 10, parent, None)) for id, parent in rows))


def heir(id: str, boss: str | None, thing: int | None) -> Change:
    return Change(id, None, (None, None, None, None, boss, thing))


CASCADE = Reference(ITEM, "parent", ITEM, "cascade")


def test_cascades_end_and_are_reported_where_they_begin() -> None:
    oracle = Oracle()
    oracle.execute([Commit(saves=(family((1, 3), (2, 1), (3, 2), (4, 4), (5, None)),))])
    delete = Commit((Delete(ITEM, Ids((2,))),), references=(CASCADE, CASCADE))
    assert oracle.execute([delete]) == [Committed((), (), ([2],), ([1, 3], []))]
    assert ask(oracle, ITEM, All()) == [4, 5]


def test_a_restricting_reference_holds_and_an_optional_one_lets_go(oracle: Oracle) -> None:
    rows = (family((1, None), (2, 1)), Save(PERSON, (heir("a", "b", 1), heir("c", None, 2))))
    oracle.execute([Commit(saves=rows)])
    bosses, things = (Reference(PERSON, "boss", PERSON, "null"), Reference(PERSON, "thing", ITEM, "restrict"))
    delete = Delete(ITEM, Ids((1,)))
    assert oracle.execute([Commit((delete,), references=(bosses, CASCADE, things))]) == [
        Refused((), (Held(2, 1, "a"), Held(2, 2, "c")))
    ]
    again = Commit((delete,), (family((1, None), (2, None)),), (CASCADE, things))
    assert oracle.execute([again]) == [Committed(([1, 2],), ([],), ([1],), ([2], []))]
    both = Commit((Delete(PERSON, Ids(("b",))),), (Save(PERSON, (heir("d", "b", None),)),), (bosses,))
    assert oracle.execute([both]) == [Committed((["d"],), ([],), (["b"],), ([],))]
    assert ask(oracle, PERSON, Scan("boss", "isnull", 1)) == ["c", "a", "d"]


def test_ids_of_the_same_commit() -> None:
    oracle = Oracle()
    queue = Save(QUEUE, (Change(None, None, (None, None)), Change(None, None, (None, None), refs=(("next", 0, 0),))))
    items = Save(ITEM, (Change(None, None, (None,), ("parent",), refs=(("parent", 0, 1),)),))
    assert oracle.execute([Commit(saves=(queue, items))]) == [Committed(([1, 2], [1]), ([0.0, 0.0], []), ())]
    assert oracle.execute([Select(QUEUE, All(), fields=("next",)), Select(ITEM, All(), fields=("parent",))]) == [
        Selected([1, 2], [(None,), (1,)]),
        Selected([1], [(2,)]),
    ]


def test_a_change_of_some_columns_and_of_one_version(oracle: Oracle) -> None:
    row = ("n", 5, None, None, None, None)
    change = Change("b", "b", row, score=-9.0, changed=("item",), rescored=False, version=("nick", "x"))
    assert oracle.execute([save(PERSON, change)]) == [Committed((["b"],), ([],), ())]
    assert ask(oracle, PERSON, Eq("item", (5,))) == ask(oracle, PERSON, Eq("nick", ("x",))) == ["b"]
    assert ask(oracle, PERSON, All()) == ["c", "a", "b"]
    stale = change._replace(version=("item", 3))
    stands = ("x", 5, None, None, None, None)
    assert oracle.execute([save(PERSON, stale)]) == [Refused((Clash("stale", 0, 0, "item", 5, row=stands),))]
    gone = change._replace(id="z", previous="z")
    assert oracle.execute([save(PERSON, gone)]) == [Refused((Clash("stale", 0, 0, "nick", None),))]


def test_combinations() -> None:
    oracle = Oracle()
    rows = [Change(id, None, (None, id, "p", start, None)) for id, start in ((1, 0.0), (2, None), (3, None))]
    assert oracle.execute([save(EVENT, *rows)]) == [Committed(([1, 2, 3],), ([0.0] * 3,), ())]
    twice = save(EVENT, Change(2, 2, (-0.0,), ("start",)))
    assert oracle.execute([twice]) == [Refused((Clash("unique", 0, 0, "start,person", None, 1),))]
    assert ask(oracle, EVENT, Match(("start", "person"), ((0, "p"), (None, "p")))) == [1]
    assert "app.event:uni:start,person" in oracle.execute([Keys(EVENT)])[0]


def test_updates(oracle: Oracle) -> None:
    half = Assign("item", None, (("field", "item"), ("const", 2.0), ("/", None)))
    copy = Assign("nick", None, (("field", "login"),))
    update = Update(PERSON, All(), (half, copy), score=("item", -1.0, 7.0))
    wrong = [Clash("value", 0, place, "item", value, id=id) for place, id, value in ((1, "a", 0.5), (2, "b", 1.5))]
    assert oracle.execute([Commit(updates=(update,))]) == [Refused(tuple(wrong))]
    double = half._replace(program=(*half.program[:2], ("*", None)))
    update = Update(PERSON, All(), (double, copy), score=("item", -1.0, 7.0))
    assert oracle.execute([Commit(updates=(update,))]) == [Committed(updated=(3,))]
    assert oracle.execute([Select(PERSON, All(), fields=("nick", "item"))]) == [
        Selected(["b", "a", "c"], [("b", 6), ("a", 2), ("c", None)])
    ]
    same = Update(PERSON, Ids(("a", "b", "z")), (Assign("nick", "n"),))
    assert oracle.execute([Commit(updates=(same,))]) == [Refused((Clash("unique", 0, 1, "nick", "n", "b"),))]
    required = Update(PERSON, Ids(("c",)), (half._replace(required=True),))
    assert oracle.execute([Commit(updates=(required,))]) == [Refused((Clash("value", 0, 0, "item", None, id="c"),))]


def test_paths(oracle: Oracle) -> None:
    people = (heir("a", "b", 2), heir("b", None, 9), heir("c", "a", 1))
    oracle.execute([Commit(saves=(family((1, None), (2, 1)), Save(PERSON, people)))])
    assert ask(oracle, PERSON, All(), Sort("parent", True, (("boss", PERSON), ("thing", ITEM)))) == ["c", "a", "b"]
    parents = Related("parent", ITEM, "id", fields=())
    along = (Related("thing", ITEM, "id", ("parent",), (parents,)), Related("login", PERSON, "boss", ()))
    assert oracle.execute([Select(PERSON, Ids(("a", "b")), fields=(), related=along)]) == [
        Selected(["a", "b"], [], (Selected([2], [(1,)], (Selected([1], []),)), Selected(["c", "a"], [])))
    ]


def test_keys_and_flush(oracle: Oracle) -> None:
    oracle.execute([save(EVENT, Change(1, None, (None,) * 5))])
    assert oracle.execute([Keys(EVENT)])[0] == [
        "ns.app.event:id",
        "ns.app.event:idx:before:",
        "ns.app.event:idx:code:",
        "ns.app.event:idx:person:",
        "ns.app.event:idx:place:",
        "ns.app.event:idx:start:",
    ]
    everything = oracle.execute([Keys(PERSON)])[0]
    assert oracle.execute([Flush(EVENT), Flush(), Keys(PERSON)]) == [6, len(everything), []]


def test_unknown_names_are_key_errors_and_change_nothing(oracle: Oracle) -> None:
    for request in (Count(ITEM, Eq("nope", ())), Commit((Delete(PERSON, All()), Delete(PERSON, Range("nope"))))):
        with pytest.raises(KeyError):
            oracle.execute([request])
    assert oracle.execute([Count(PERSON, All())]) == [3]
