"""Rows that expire on a server: by its clock, cleaned up in bounded steps, and nothing left behind."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
import redis

from stdnet.backends.redis.backend import RedisServer
from stdnet.backends.redis.scripts import PARTS, script
from stdnet.contract import (
    LIST,
    SET,
    All,
    Call,
    Change,
    Column,
    Commit,
    Committed,
    Count,
    Delete,
    Eq,
    Flush,
    Id,
    Ids,
    In,
    Keys,
    Place,
    Range,
    Reference,
    Related,
    Request,
    Save,
    Select,
    Selected,
    Sort,
    Table,
    Take,
)
from stdnet.errors import TableMismatch, WrongKind
from tests.redis.check import check, contents
from tests.redis.test_scripts import Trips
from tests.servers import Server, running

COLUMNS = (
    Column("name", "str", unique=True),
    Column("kind", "str", index="equal"),
    Column("rank", "int", index="range"),
    Column("note", "str"),
)
MORTAL = Table("mortal", Column("id", "int"), COLUMNS, auto=True, structures=(("log", LIST), ("tags", SET)), ttl=True)
OTHER = Table("other", Column("key", "str"), (Column("of", "int", index="equal"),))
LOG = Place(LIST, "log", MORTAL, 1)
TAGS = Place(SET, "tags", MORTAL, 1)


def rows(number: int, expires: float | None = None, first: int = 1) -> Commit:
    """Return a commit of rows that all expire at once."""
    changes = [
        Change(id, None, (f"n{id}", f"k{id % 3}", id, "x"), expires=expires) for id in range(first, first + number)
    ]
    return Commit(saves=(Save(MORTAL, changes),))


def expire(*ids: Id) -> Commit:
    """Return a commit that lets rows expire."""
    return Commit(saves=(Save(MORTAL, [Change(id, id, (), (), expires=0.0) for id in ids]),))


@pytest.fixture
def left(server: RedisServer, client: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The number of rows that are there after each round trip."""
    exchange, found = server._pools.exchange, []

    def watched(batch: Any) -> Any:
        answers = exchange(batch)
        found.append(client.zcard(server.namespace + "mortal:id"))
        return answers

    monkeypatch.setattr(server._pools, "exchange", watched)
    return found


BIND = Select(OTHER, All(), related=(Related("of", MORTAL, "id"),))
REQUESTS: list[tuple[Request, Any]] = [
    (Count(MORTAL, All()), 0),
    (Count(MORTAL, Eq("kind", ("k1",))), 0),
    (Count(MORTAL, Range("rank", 1, 10)), 0),
    (Select(MORTAL, Ids((1,))), Selected([], [])),
    (Select(MORTAL, Eq("name", ("n1",))), Selected([], [])),
    (Select(MORTAL, All(), Sort("rank"), structures=("log",)), Selected([], [], (), ([],))),
    (BIND, Selected(["a"], [(1,)], (Selected([], []),))),
    (Select(OTHER, All(), Sort("note", through=(("of", MORTAL),)), fields=()), Selected(["a"], [])),
    (Count(OTHER, In("of", MORTAL, All(), "id")), 0),
    (Call(LOG, "size"), 0),
    (Call(LOG, "items"), []),
    (Call(LOG, "pop_front"), None),
    (Call(TAGS, "union", (TAGS,)), []),
    (Call(Place(SET, "all"), "union", (TAGS,)), []),
    (Take(LOG, "front", 0), None),
    (Keys(MORTAL), None),
    (Commit((Delete(MORTAL, All()),)), Committed((), (), ([],))),
    (
        Commit((Delete(OTHER, All()),), references=(Reference(MORTAL, "kind", OTHER, "cascade"),)),
        Committed((), (), (["a"],), ([],)),
    ),
]


@pytest.mark.parametrize(("request_", "reply"), REQUESTS)
def test_five_thousand_rows_at_once(server: RedisServer, left: list[int], request_: Request, reply: Any) -> None:
    other = Commit(saves=(Save(OTHER, [Change("a", None, (1,))]),))
    server.execute([other, rows(5000, 0.0), Flush(MORTAL), rows(3, 60.0)])  # loads scripts
    server.execute([request_, other, Flush(MORTAL)])
    for place, word in ((LOG, "push_back"), (TAGS, "add")):
        server.execute([rows(1), Call(place, word, (b"x",))])
    server.execute([rows(5000, 0.0)])
    left.clear()
    answer = server.execute([request_])[0]
    assert left[:6] == [4000, 3000, 2000, 1000, 0, 0]
    assert left[6:] == []
    if reply is None and isinstance(request_, Keys):
        reply = [server.namespace + "mortal:ids"]
    assert answer == reply


def test_nothing_is_left_behind(server: RedisServer, client: redis.Redis) -> None:
    server.execute([rows(2500), Call(LOG, "push_back", (b"x",)), Call(TAGS, "add", (b"x",))])
    server.execute([expire(*range(1, 2501))])
    check(client, server.namespace, [MORTAL])
    assert server.execute([Count(MORTAL, All())]) == [0]
    found = contents(client, server.namespace)
    tables = found.pop(server.namespace.encode() + b":tables")
    structures = found.pop(server.namespace.encode() + b":structures")
    assert found == {server.namespace.encode() + b"mortal:ids": b"2500"}
    assert (list(tables), len(structures)) == ([b"mortal"], 2)
    assert server.execute([Flush()]) == [1]
    assert contents(client, server.namespace) == {}


def test_a_table_without_a_counter_leaves_the_register(server: RedisServer, client: redis.Redis) -> None:
    table = Table("t", Column("key", "str"), (Column("v", "str", index="equal"),), ttl=True)
    for number in (3, 1000, 1001):
        changes = [Change(f"{n}", None, ("x",), expires=0.0) for n in range(number)]
        server.execute([Commit(saves=(Save(table, changes),)), Count(table, All())])
        assert contents(client, server.namespace) == {}


def test_structures_go_whoever_looks(server: RedisServer, client: redis.Redis) -> None:
    """A description of the table that does not name the structures cleans them up, too."""
    server.execute([rows(1), Call(LOG, "push_back", (b"x",)), expire(1)])
    bare = Table("mortal", Column("id", "int"), COLUMNS, auto=True, ttl=True)
    assert server.execute([Count(bare, All())]) == [0]
    assert not [key for key in contents(client, server.namespace) if b":obj:" in key]


def test_commits_are_done_once_and_whole(server: RedisServer, left: list[int]) -> None:
    server.execute([rows(1500, 0.0)])
    left.clear()
    moved = Save(MORTAL, [Change(None, None, ("n7", "k", 7, None)), Change(2, 7, ("n2",), ("name",))])
    (refused,) = server.execute([Commit(saves=(moved,))])
    assert [clash.reason for clash in refused.clashes] == ["gone"]
    assert left == [500, 0]
    (done,) = server.execute([Commit(saves=(Save(MORTAL, [Change(None, None, ("n7", "k", 7, None))]),), token="t1")])
    assert done.ids == ([1501],)
    assert server.execute([expire(1501), Count(MORTAL, All())])[1] == 0
    (again,) = server.execute([Commit(saves=(Save(MORTAL, [Change(None, None, ("n7", "k", 7, None))]),), token="t1")])
    assert again == done
    assert server.execute([Count(MORTAL, All())]) == [0]


def test_each_request_of_a_list_looks_anew(server: RedisServer) -> None:
    due = Commit(saves=(Save(MORTAL, [Change(None, None, ("a", "k", 1, None), expires=0.0)]),))
    first, none, second, selected = server.execute([due, Count(MORTAL, All()), due, Select(MORTAL, All())])
    assert (first.ids, none, second.ids, list(selected.ids)) == (([1],), 0, ([2],), [])


def test_the_time_of_the_server_decides(
    server: RedisServer, client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.execute([rows(2, 1000.0)])
    for name in ("time", "monotonic"):
        monkeypatch.setattr(time, name, lambda: 1e12)
    assert server.execute([Count(MORTAL, All())]) == [2]
    monkeypatch.undo()
    seconds, micros = client.time()
    now = seconds * 1000 + micros / 1000
    deadlines = dict(client.zrange(server.namespace + "mortal:ttl", 0, -1, withscores=True))
    assert deadlines.keys() == {b"1", b"2"}
    assert all(now + 900_000 < deadline <= now + 1_000_000 for deadline in deadlines.values())
    client.zadd(server.namespace + "mortal:ttl", {"1": now - 1})
    assert server.execute([Count(MORTAL, All())]) == [1]


def test_one_round_trip_if_little_is_due(server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = [request for request, _ in REQUESTS if not isinstance(request, Take)]
    server.execute([rows(1), Commit(saves=(Save(OTHER, [Change("a", None, (1,))]),)), *asked])
    trips = Trips(server, monkeypatch)
    for request in asked:
        server.execute([rows(5), expire(1, 2, 3)])
        trips.made.clear()
        server.execute([request])
        assert len(trips.made) == 1, request
        assert b"EVALSHA" in trips.made[0]


def test_another_layout_is_refused(server: RedisServer) -> None:
    server.execute([rows(1, 1000.0)])
    with pytest.raises(TableMismatch):
        server.execute([Count(Table("mortal", Column("id", "int"), COLUMNS, auto=True), All())])


def test_a_key_of_another_type_stops_everything(server: RedisServer, client: redis.Redis) -> None:
    server.execute([rows(2), expire(1)])
    key = server.namespace + "mortal:ttl"
    client.delete(key)
    client.set(key, "x")
    for request in (Count(MORTAL, All()), rows(1, 5.0, first=9), Call(LOG, "size")):
        with pytest.raises(WrongKind, match=key):
            server.execute([request])
    assert client.zcard(server.namespace + "mortal:id") == 2
    client.delete(key)
    index = server.namespace + "mortal:idx:kind:k1"
    client.delete(index)
    client.set(index, "x")
    server.execute([expire(2)])
    client.zadd(key, {"1": 0})
    with pytest.raises(WrongKind, match=index):
        server.execute([Count(MORTAL, All())])
    assert client.zcard(server.namespace + "mortal:id") == 2


def test_other_tables_need_none_of_it(server: RedisServer) -> None:
    for name, parts in PARTS.items():
        assert "expiry" not in parts
        if parts[0] == "lib":
            assert b"function expiry.purge" not in script(name).text
            assert script(name).sha != script(name, expiring=True).sha


def test_what_expired_is_gone_from_replicas(open_server: Callable[..., RedisServer]) -> None:
    with (
        running("--repl-diskless-sync-delay", "0") as primary,
        replica(primary) as copy,
        client_of(primary) as one,
        client_of(copy) as other,
    ):
        server = open_server(primary.url, namespace="r.")
        server.execute([rows(1200, 60.0), Call(LOG, "push_back", (b"x",)), expire(*range(1, 1101))])
        assert server.execute([Count(MORTAL, Eq("kind", ("k1", "k2")))]) == [66]
        assert server.execute([Call(LOG, "size"), Call(LOG, "push_back", (b"x",))])[0] == 0
        one.set("last", 1)  # WAIT waits for what the same connection wrote, and so for all that was before
        assert one.wait(1, 20_000) == 1
        assert contents(other, "r.") == contents(one, "r.")


def client_of(server: Server) -> redis.Redis:
    return redis.Redis.from_url(server.url)


def replica(primary: Server) -> Any:
    return running("--replicaof", "127.0.0.1", str(primary.port))
