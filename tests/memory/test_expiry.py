"""Rows that expire, by a clock that the test moves."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from stdnet import getdb, odm
from stdnet.contract import (
    LIST,
    All,
    Call,
    Change,
    Column,
    Commit,
    Count,
    Delete,
    Flush,
    Ids,
    Keys,
    Place,
    Range,
    Save,
    Select,
    Table,
    Take,
)
from stdnet.errors import BadConnectionString


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def server(clock):
    found = getdb("memory://", clock=clock)
    yield found
    found.check()


ROW = Table(
    "row",
    Column("id", "int"),
    (Column("name", "str", unique=True), Column("size", "int", index="range"), Column("kind", "str", index="equal")),
    auto=True,
    structures=(("log", LIST),),
    ttl=True,
)


def put(server, id, expires=None, name=None, previous=None, fields=None):
    values = (name, id, "k") if fields is None else ()
    change = Change(id, previous, values, fields, expires=expires)
    (reply,) = server.execute([Commit(saves=(Save(ROW, [change]),))])
    return reply


def living(server):
    return list(server.execute([Select(ROW, All(), fields=())])[0].ids)


def test_a_deadline_is_the_first_moment_without_the_row(server, clock):
    put(server, 1, 10)
    put(server, 2, 10.5)
    clock.now += 9.999
    assert living(server) == [1, 2]
    clock.now = 1010.0
    assert living(server) == [2]
    clock.now = 1010.5
    assert living(server) == []


def test_what_a_change_says_of_the_deadline(server, clock):
    for id in range(1, 6):
        put(server, id, 10)
    put(server, 1)  # replaced: keeps it
    put(server, 2, None, previous=2, fields=())  # completed: keeps it
    put(server, 3, 20, previous=3, fields=())
    put(server, 4, float("inf"), previous=4)
    put(server, 6, None, previous=5)  # moved: takes it along
    clock.now += 10
    assert living(server) == [3, 4]
    clock.now += 10
    assert living(server) == [4]
    put(server, 1)
    clock.now += 1000
    assert living(server) == [1, 4]


def test_a_row_that_is_stored_anew_has_no_deadline(server, clock):
    put(server, 1, 10)
    server.execute([Commit((Delete(ROW, Ids((1,))),), (Save(ROW, [Change(1, None, ("a", 1, "k"))]),))])
    put(server, 2, 10)
    clock.now += 5
    server.execute([Commit((Delete(ROW, All()),))])
    put(server, 2)
    clock.now += 5
    assert living(server) == [2]


def test_nothing_is_left(server, clock):
    put(server, 1, 1, "a")
    server.execute([Call(Place(LIST, "log", ROW, 1), "push_back", (b"x",))])
    assert "row:ttl" in server.execute([Keys(ROW)])[0]
    clock.now += 1
    assert server.execute([Keys(ROW)]) == [["row:ids"]]
    store = server.database.store.tables["", "row"]
    assert (store.rows, store.structures.owners, list(store.deadlines.pairs)) == ({}, {}, [])
    assert not any(list(index.entries()) for _, index in store.maintained)


def test_each_request_of_a_list_looks_anew(server, clock):
    due = Commit(saves=(Save(ROW, [Change(None, None, ("a", 1, "k"), expires=0)]),))
    first, none, second, range_ = server.execute([due, Count(ROW, All()), due, Count(ROW, Range("size"))])
    assert (first.ids, none, second.ids, range_) == (([1],), 0, ([2],), 0)


def test_a_commit_with_a_token_is_remembered_by_the_same_clock(server, clock):
    commit = Commit(saves=(Save(ROW, [Change(None, None, ("a", 1, "k"), expires=5)]),), token="t")
    first = server.execute([commit])
    clock.now += 599
    assert server.execute([commit]) == first
    assert living(server) == []
    clock.now += 2
    assert server.execute([commit]) != first
    assert living(server) == [2]


def test_many_at_once(server, clock):
    changes = [Change(None, None, (f"n{n}", n, "k"), expires=n % 7) for n in range(5000)]
    server.execute([Commit(saves=(Save(ROW, changes),))])
    for passed in range(7):
        assert server.execute([Count(ROW, All())]) == [sum(n % 7 > passed for n in range(5000))]
        server.check()
        clock.now += 1


def test_a_flush_and_another_table_of_the_name(server, clock):
    put(server, 1, 10, "a")
    number = len(server.execute([Keys(ROW)])[0])
    assert server.execute([Flush()]) == [number]
    assert not server.database.store.mortal
    put(server, 1, 10, "a")
    clock.now += 10
    other = Table("row", Column("key", "str"))
    assert server.execute([Count(other, All())]) == [0]
    assert not server.database.store.mortal


def test_who_waits_at_a_list_whose_row_expires_gets_nothing(server, clock):
    put(server, 1, 10)
    place = Place(LIST, "log", ROW, 1)
    server.execute([Call(place, "push_back", (b"x",))])
    clock.now += 10
    assert server.execute([Take(place, "front", 0)]) == [None]


def test_what_a_cancelled_task_gives_back_does_not_go_to_an_expired_row(server, clock):
    put(server, 1, 10)
    place = Place(LIST, "log", ROW, 1)

    async def main():
        task = asyncio.create_task(server.execute_async([Take(place, "front", None)]))
        await asyncio.sleep(0)
        server.execute([Call(place, "push_back", (b"x",))])
        clock.now += 10
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    put(server, 1)
    assert server.execute([Call(place, "items")]) == [[]]


# -- the clock ----------------------------------------------------------------------------------------------------


class Token(odm.StdModel):
    name = odm.SymbolField(unique=True)

    class Meta:
        app_label = "memory.expiry"
        ttl = timedelta(minutes=30)
        register = False


def test_a_router_with_a_clock(clock):
    models = odm.Router("memory://")
    models.register(Token, clock=clock)
    token = models[Token].new(name="a")
    clock.now += 1799
    assert models[Token].count() == 1
    token.save()
    clock.now += 1799
    assert models[Token].count() == 1
    clock.now += 1
    assert models[Token].query().all() == []
    models[Token].new(name="a")


def test_a_named_database_has_one_clock(clock):
    getdb("memory://expiry-clock", clock=clock)
    assert getdb("memory://expiry-clock").database.store.clock is clock
    getdb("memory://expiry-clock?namespace=a.", clock=clock)
    with pytest.raises(BadConnectionString, match="with another clock"):
        getdb("memory://expiry-clock", clock=Clock())


@pytest.mark.parametrize("wrong", [5, "time", True])
def test_a_clock_is_a_function(wrong):
    with pytest.raises(BadConnectionString, match="clock is a function that returns seconds"):
        getdb("memory://", clock=wrong)
    with pytest.raises(BadConnectionString, match="no parameter 'clock'"):
        getdb("memory://?clock=time")
