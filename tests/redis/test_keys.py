"""Keys: odd ids and values, neighbours, wrong types, and that nothing is left behind."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest
import redis

from stdnet.backends.redis.backend import RedisServer
from stdnet.contract import (
    All,
    Change,
    Commit,
    Committed,
    Count,
    Delete,
    Eq,
    Flush,
    Ids,
    Keys,
    Plan,
    Range,
    Request,
    Save,
    Select,
    Sort,
    Table,
)
from stdnet.errors import ResponseError, TableMismatch
from tests.redis.check import check, contents
from tests.redis.conftest import connect
from tests.redis.tables import ITEM, LOG, TAG, ids, insert, put
from tests.servers import running

ODD = [
    "1",
    "1:value",
    "value",
    ":",
    "a:b",
    "{a}",
    "}{",
    "*",
    "?[a]",
    "a b",
    "a\nb\r\n",
    "\x00",
    "%3A",
    "é",
    "\U0001f600",
]
ODD += ["idx:value:x", "id"]


def test_odd_ids_and_values_name_no_other_key(server: RedisServer, client: redis.Redis) -> None:
    for text in ODD:
        server.execute([put(TAG, text, text, text.encode() + b"\xff")])
    assert ids(server, TAG, All()) == sorted(ODD)
    for text in ODD:
        (found,) = server.execute([Select(TAG, Eq("value", (text,)))])
        assert (found.ids, found.rows) == ([text], [(text, text.encode() + b"\xff")])
    assert len(server.execute([Keys(TAG)])[0]) == 2 * len(ODD) + 1
    check(client, server.namespace, [TAG])
    server.execute([Commit((Delete(TAG, Ids(tuple(ODD))),))])
    assert contents(client, server.namespace) == {}


@pytest.fixture
def neighbours(url: str, namespace: str) -> Iterator[list[RedisServer]]:
    """Servers of namespaces that start alike, or end in what looks like a pattern."""
    stem = namespace.rstrip(".")
    found = [connect(url, namespace=name) for name in (stem, stem + ".", stem + "*", stem + "?.", stem + "it")]
    yield found
    for server in found:
        server.flush()
        server.close()


def test_a_flush_never_touches_a_neighbour(neighbours: list[RedisServer]) -> None:
    longer = Table("item2", ITEM.pk, ITEM.columns, auto=True)
    shorter = Table("ite", ITEM.pk, ITEM.columns, auto=True)
    tables = (ITEM, longer, shorter)
    for server in neighbours:
        for table in tables:
            server.execute([insert(table, ("a", "k", 1, "x"), ("b", None, None, None))])
    for server in neighbours:
        others = [(other, table) for other in neighbours for table in tables if (other, table) != (server, ITEM)]
        before = [other.execute([Keys(table)]) for other, table in others]
        assert server.execute([Flush(ITEM)]) == [len(before[0][0])]
        assert [other.execute([Keys(table)]) for other, table in others] == before
        server.execute([insert(ITEM, ("a", "k", 1, "x"), ("b", None, None, None))])
    assert neighbours[0].flush() == 3 * 9
    assert [server.execute([Count(table, All())]) for server in neighbours[1:] for table in tables] == [[2]] * 12


def test_a_flush_finds_what_the_table_was_when_it_was_written(server: RedisServer, client: redis.Redis) -> None:
    server.execute([insert(ITEM, ("a", "k", 1, "x"))])
    plain = Table("item", ITEM.pk, auto=True)
    with pytest.raises(TableMismatch):
        server.execute([insert(plain, ())])
    server.execute([Flush(plain)])
    assert contents(client, server.namespace) == {}
    server.execute([insert(plain, ())])


ROW = ("a", "k", 1, "x")
WRONG: dict[str, list[Request]] = {
    "item:id": [insert(ITEM, ROW), Select(ITEM, All()), Count(ITEM, All())],
    "item:ids": [insert(ITEM, ROW)],
    "item:obj:1": [insert(ITEM, ROW)],
    "item:uni:name": [insert(ITEM, ROW), Count(ITEM, Eq("name", ("a",)))],
    "item:idx:kind:k": [insert(ITEM, ROW), Count(ITEM, Eq("kind", ("k",)))],
    "item:idx:kind:": [insert(ITEM, ("a", "", 1, "x"))],
    "item:idx:rank": [insert(ITEM, ROW), Count(ITEM, Range("rank", 1))],
    "item:idx:rank:": [insert(ITEM, ("a", "k", None, "x"))],
    ":tables": [insert(ITEM, ROW), Flush()],
}


@pytest.mark.parametrize(("key", "request_"), [(key, request) for key, some in WRONG.items() for request in some])
def test_a_foreign_key_in_the_way_changes_nothing(
    server: RedisServer, client: redis.Redis, key: str, request_: Any
) -> None:
    client.rpush(server.namespace + key, "foreign")
    before = client.dbsize()
    with pytest.raises(ResponseError):
        server.execute([request_])
    assert client.dbsize() == before
    client.delete(server.namespace + key)


@pytest.mark.parametrize("key", ["item:obj:1", "item:uni:name", "item:idx:kind:k", "item:idx:kind:j", "item:idx:rank"])
def test_a_foreign_key_in_the_way_of_an_update_or_delete(server: RedisServer, client: redis.Redis, key: str) -> None:
    server.execute([insert(ITEM, ROW, ("b", "k", 2, "y"))])
    client.delete(server.namespace + key)
    client.rpush(server.namespace + key, "foreign")
    before = contents_but(client, server.namespace, key)
    update = Commit((), (Save(ITEM, [Change(2, 2, ("c", "j", 5, "z")), Change(1, 1, ("d", "j", 6, "z"))]),))
    for commit in (update, Commit((Delete(ITEM, Ids((2, 1))),))):
        if key == "item:idx:kind:j" and commit is not update:
            continue
        with pytest.raises(ResponseError, match=r"another type|WRONGTYPE"):
            server.execute([commit])
        assert contents_but(client, server.namespace, key) == before
    client.delete(server.namespace + key)


def contents_but(client: redis.Redis, namespace: str, foreign: str) -> Any:
    key = (namespace + foreign).encode()
    client.rename(key, "aside")
    found = contents(client, namespace)
    client.rename("aside", key)
    return found


def test_nothing_is_left_after_thousands_of_steps(server: RedisServer, client: redis.Redis) -> None:
    chance = random.Random(5)
    some: dict[Table, list[list[Any]]] = {
        ITEM: [[None, *"abcdefgh"], [None, "", "x", "y"], [None, 1, 2], [None]],
        TAG: [[None, "", "a:b"], [None, b"", b"\xff"]],
    }
    names: dict[Table, list[Any]] = {ITEM: [1, 2, 3, 4], TAG: ["a", "b:", "c"]}
    for step in range(2500):
        table = chance.choice([ITEM, TAG])
        id, previous = chance.choice(names[table]), chance.choice([None, *names[table]])
        change = Change(
            None if table.auto and chance.random() < 0.3 else id, previous, tuple(map(chance.choice, some[table]))
        )
        doomed: list[Plan] = [All(), Ids((id,)), Ids(())]
        deletes = (Delete(table, chance.choice(doomed)),) if chance.random() < 0.4 else ()
        sort = chance.choice([None, Sort(table.names[0]), Sort(table.pk.name, desc=True)])
        replies = server.execute([Commit(deletes, (Save(table, [change]),)), Select(table, All(), sort, 0, 2)])
        if step % 250 == 0:
            check(client, server.namespace, [ITEM, TAG])
        if isinstance(replies[0], Committed) and len(names[ITEM]) > 40:
            server.execute([Commit((Delete(ITEM, All()),))])
    server.execute([Commit((Delete(ITEM, All()), Delete(TAG, All())))])
    left = contents(client, server.namespace)
    prefix = server.namespace.encode()
    assert set(left) == {prefix + b"item:ids", prefix + b":tables"}
    assert set(left[prefix + b":tables"]) == {b"item"}
    server.flush()
    assert contents(client, server.namespace) == {}


def test_temporary_keys_are_gone_after_an_error(server: RedisServer, client: redis.Redis) -> None:
    server.execute([insert(ITEM, ROW, ("b", "k", 2, "y"))])
    client.delete(server.namespace + "item:obj:2")
    client.rpush(server.namespace + "item:obj:2", "foreign")
    with pytest.raises(ResponseError):
        server.execute([Select(ITEM, Range("rank", 1), Sort("note"))])
    assert not [key for key in client.scan_iter(count=1000) if b":tmp:" in key]
    client.delete(server.namespace + "item:obj:2")


def test_reads_leave_no_trace_in_the_append_only_file(namespace: str) -> None:
    with running("--appendonly", "yes") as own:
        server = connect(own.url, namespace=namespace)
        server.execute([insert(LOG, *((number, 1) for number in range(50)))])
        queries: list[Request] = [Select(LOG, Range("number", 10, 40), Sort("half")), Count(LOG, Ids((1, 2)))]
        server.execute(queries)  # loads the scripts, which some servers replicate
        with redis.Redis.from_url(own.url) as client:
            before = client.info("persistence")["aof_current_size"]
            server.execute(queries * 5)
            assert client.info("persistence")["aof_current_size"] == before > 0
            server.execute([insert(LOG, (1, 1))])
            assert client.info("persistence")["aof_current_size"] > before
        server.close()
