"""A kind of an application's own in commits and plans: operations that follow the rows, and what a plan asks of it."""

from __future__ import annotations

from typing import Any

import pytest

from stdnet.contract import (
    LIST,
    After,
    All,
    Change,
    Column,
    Commit,
    Count,
    Delete,
    Diff,
    Found,
    Ids,
    In,
    Intersect,
    Operation,
    Place,
    Reference,
    Refused,
    Save,
    Scores,
    Select,
    Table,
    kind,
)
from stdnet.errors import AnalyzerMismatch, WrongKind


class Marks(dict[Any, int]):
    """Ids and how often each was marked."""

    def guard(self, operation: str, *arguments: Any) -> None:
        if arguments[-1:] == ("bad",):
            raise AnalyzerMismatch("good", "bad")

    def mark(self, ids: list[Any], times: int, *words: str) -> None:
        for id in ids:
            self[id] = self.get(id, 0) + times

    def unmark(self, ids: list[Any]) -> None:
        for id in ids:
            self.pop(id, None)

    def size(self) -> int:
        return len(self)

    def marked(self, least: int) -> set[Any]:
        return {id for id, times in super().items() if times >= least}

    def times(self, ids: list[Any], factor: int) -> list[float]:
        return [self.get(id, 0) * factor / 2 for id in ids]

    def items(self) -> Any:
        return sorted([id, times] for id, times in super().items())


MARKS = kind(
    "suitemarks",
    [
        Operation("mark", "none", "makes", commits=True),
        Operation("unmark", "none", "takes", commits=True),
        Operation("size", "int"),
        Operation("items", "raw"),
        Operation("marked", "raw"),
        Operation("times", "raw"),
    ],
    container=Marks,
    lua="""kinds.suitemarks = {
    guard = function(key, operation, a)
        if a[#a] == 'bad' then fail('analyzer', 'good\\tbad') end
    end,
    mark = function(key, a)
        for _, id in ipairs(a[1]) do call('HINCRBY', key, id, a[2]) end
    end,
    unmark = function(key, a) send('HDEL', key, a[1]) end,
    size = function(key) return call('HLEN', key) end,
    items = function(key) return call('HGETALL', key) end,
    marked = function(key, a)
        local flat, out = call('HGETALL', key), {}
        for i = 1, #flat, 2 do
            if tonumber(flat[i + 1]) >= tonumber(a[1]) then out[#out + 1] = flat[i] end
        end
        return out
    end,
    times = function(key, a)
        local out = {}
        for i, id in ipairs(a[1]) do out[i] = tonumber(call('HGET', key, id) or 0) * tonumber(a[2]) / 2 end
        return out
    end,
}
""",
    type="hash",
)

OWNER = Table("suite.owner", Column("id", "int"), (Column("name", "str", unique=True),), auto=True)
THING = Table("suite.thing", Column("id", "str"), (Column("owner", "int", index="equal"),))
OWNERS, THINGS = Place(MARKS, "marks", OWNER), Place(MARKS, "marks", THING)
CASCADE = Reference(THING, "owner", OWNER, "cascade")


def owner(name: str, id: int | None = None, previous: int | None = None) -> Change:
    return Change(id, previous, (name,))


def ids(server: Any, plan: Any, table: Table = OWNER, **options: Any) -> Any:
    return server.execute([Select(table, plan, fields=(), **options)])[0].ids


@pytest.fixture
def filled(server):
    saves = (
        Save(OWNER, [owner("a"), owner("b"), owner("c")]),
        Save(THING, [Change("x", None, (1,)), Change("y", None, (2,))]),
    )
    again = (After(OWNERS, "mark", 0, (1,)), After(THINGS, "mark", 1, (2,)))
    assert server.execute([Commit(saves=saves, after=again)])[0].ids == ([1, 2, 3], ["x", "y"])
    server.execute([Commit(saves=(Save(OWNER, [owner("b", 2, 2)]),), after=(After(OWNERS, "mark", 0, (4,)),))])
    return server


def test_ids_that_a_commit_allots_and_ids_out_of_a_structure(filled):
    assert ids(filled, Found(OWNERS, "marked", (1,))) == [1, 2, 3]
    assert ids(filled, Found(OWNERS, "marked", (5,))) == [2]
    assert ids(filled, Diff(All(), Found(OWNERS, "marked", (5,)))) == [1, 3]
    assert ids(filled, Intersect((Ids((1, 2)), Found(OWNERS, "marked", (1,))))) == [1, 2]
    assert ids(filled, In("owner", OWNER, Found(OWNERS, "marked", (5,)), "id"), THING) == ["y"]
    assert filled.execute([Count(OWNER, Found(OWNERS, "marked", (2,)))]) == [1]
    assert filled.execute([Count(OWNER, Found(Place(MARKS, "none", OWNER), "marked", (0,)))]) == [0]


def test_what_is_gone_is_told(filled):
    gone = (After(OWNERS, "unmark", OWNER), After(THINGS, "unmark", THING))
    filled.execute([Commit((Delete(OWNER, Ids((1,))),), references=(CASCADE,), after=gone)])
    assert ids(filled, Found(OWNERS, "marked", (1,))) == [2, 3]
    assert ids(filled, Found(THINGS, "marked", (1,)), THING) == ["y"]
    move = Commit(saves=(Save(OWNER, [owner("b", 9, 2)]),), after=(*gone, After(OWNERS, "mark", 0, (1,))))
    filled.execute([move])
    assert ids(filled, Found(OWNERS, "marked", (1,))) == [3, 9]
    replaced = Commit((Delete(OWNER, Ids((3,))),), (Save(OWNER, [owner("c", 3)]),), after=gone)
    filled.execute([replaced])
    assert ids(filled, Found(OWNERS, "marked", (1,))) == [3, 9]
    filled.execute([Commit((Delete(OWNER, Found(OWNERS, "marked", (1,))),), after=gone)])
    assert (ids(filled, All()), ids(filled, Found(OWNERS, "marked", (0,)))) == ([], [])


def test_a_structure_that_was_not_told_gives_only_rows_that_exist(filled):
    filled.execute([Commit((Delete(OWNER, Ids((2,))),))])
    assert ids(filled, Found(OWNERS, "marked", (1,))) == [1, 3]


def test_what_is_new_is_told_alone(filled):
    new = (After(OWNERS, "mark", 0, (9,), new=True),)
    filled.execute([Commit(saves=(Save(OWNER, [owner("a", 1, 1), owner("d", 7, 7), owner("e", 8)]),), after=new)])
    assert ids(filled, Found(OWNERS, "marked", (9,))) == [7, 8]
    again = Commit((Delete(OWNER, Ids((2, 7))),), (Save(OWNER, [owner("b", 2, 2), owner("c", 5, 3)]),), after=new)
    filled.execute([again])
    assert ids(filled, Found(OWNERS, "marked", (9,))) == [2, 5, 8]


def test_nothing_follows_a_refused_commit(filled):
    (reply,) = filled.execute([Commit(saves=(Save(OWNER, [owner("a")]),), after=(After(OWNERS, "mark", 0, (9,)),))])
    assert isinstance(reply, Refused)
    assert ids(filled, Found(OWNERS, "marked", (9,))) == []


def test_a_guard_refuses_the_whole_commit(filled):
    with pytest.raises(AnalyzerMismatch, match="good"):
        filled.execute([Commit(saves=(Save(OWNER, [owner("d")]),), after=(After(OWNERS, "mark", 0, (1, "bad")),))])
    assert ids(filled, All()) == [1, 2, 3]


def test_rows_come_by_their_scores(filled):
    scores = (Scores(OWNERS, "times", (1,)),)
    (reply,) = filled.execute([Select(OWNER, All(), fields=("name",), scores=scores)])
    assert (reply.ids, reply.rows, list(reply.scores)) == ([2, 1, 3], [("b",), ("a",), ("c",)], [2.5, 0.5, 0.5])
    assert ids(filled, All(), scores=scores, start=1, stop=3) == [1, 3]
    assert ids(filled, Ids((3, 1)), scores=scores, start=-1) == [3]
    through = (Scores(OWNERS, "times", (2,), (("owner", OWNER),)), Scores(THINGS, "times", (1,)))
    filled.execute([Commit(saves=(Save(THING, [Change("z", None, (None,)), Change("w", None, (7,))]),))])
    (reply,) = filled.execute([Select(THING, All(), fields=(), scores=through)])
    assert (reply.ids, list(reply.scores)) == (["y", "x", "w", "z"], [6.0, 2.0, 0.0, 0.0])


def test_another_kind_is_refused(filled):
    with pytest.raises(WrongKind):
        ids(filled, Found(Place(LIST, "marks", OWNER), "items"))
