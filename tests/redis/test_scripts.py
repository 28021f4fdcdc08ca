"""Scripts and round trips: one call each, fixed texts, and no command that is slow, dangerous or young."""

from __future__ import annotations

import re
from typing import Any

import pytest
import redis

from stdnet.backends.redis.backend import RedisServer
from stdnet.backends.redis.packing import pack, stored, texts
from stdnet.backends.redis.scripts import ADDED, PARTS, script
from stdnet.backends.redis.talk import groups
from stdnet.contract import (
    KINDS,
    Aggregate,
    All,
    Change,
    Column,
    Commit,
    Count,
    Delete,
    Diff,
    Eq,
    Flush,
    Ids,
    In,
    Intersect,
    Keys,
    Ping,
    Plan,
    Range,
    Request,
    Save,
    Scan,
    Select,
    Sort,
    Table,
    Term,
    Union,
    Where,
)
from tests.redis.tables import ITEM, LOG, insert, put

ALLOWED = {
    *("EXISTS", "UNLINK", "GET", "SET", "TIME"),
    *("HGET", "HSET", "HDEL", "HLEN", "HMGET", "HGETALL"),
    *("SADD", "SREM", "SCARD", "SMEMBERS"),
    *("ZADD", "ZREM", "ZCARD", "ZCOUNT", "ZSCORE", "ZMSCORE", "ZRANGE", "ZREVRANGE", "ZRANGEBYSCORE", "ZRANGESTORE"),
    *("ZINTER", "ZINTERSTORE", "ZUNIONSTORE", "ZDIFFSTORE"),
}
"""What scripts may call: all of it is in Redis 6.2, and none of it is among the dangerous commands of its ACL."""

OF_STRUCTURES = {
    *(
        "TYPE",
        "RENAME",
        "APPEND",
        "GETRANGE",
        "SETRANGE",
        "STRLEN",
        "INCRBY",
        "LPUSH",
        "RPUSH",
        "LRANGE",
    ),
    *("LSET", "SUNION", "SINTER", "SDIFF", "ZUNION", "ZDIFF", "ZRANK", "ZREMRANGEBYSCORE", "ZREMRANGEBYRANK"),
}
"""What scripts of structures may call besides, alike."""

WHERE = Where((("field", "rank"), ("const", 1.0), (">", None)), ("rank",))
REQUESTS: list[Request] = [
    insert(ITEM, ("a", "k", 1, "x"), ("b", "", None, None), ("c", "k", 3, "z")),
    put(ITEM, 2, "a2", "k", 2, None),
    Select(ITEM, Intersect((Eq("kind", ("k", "j")), Range("rank", 1, 5))), Sort("rank", desc=True)),
    Select(ITEM, Union((Ids((1, 2)), Scan("note", "contains", "x"), WHERE)), Sort("note"), 0, 10),
    Select(ITEM, Diff(All(), In("id", LOG, All(), "number")), Sort("id")),
    Select(ITEM, Eq("name", ("a", None)), Sort("kind")),
    Count(ITEM, Range("rank", None, 2)),
    Count(ITEM, Eq("kind", ("k",))),
    Keys(ITEM),
    Ping(),
    Aggregate(ITEM, Scan("note", "ge", ""), ("kind",), (Term("sum", "rank"), Term("max", "name"))),
    Commit((Delete(ITEM, Eq("kind", ("k",))),)),
    Flush(),
]


class Trips:
    """The round trips of a server, each with the names of its commands."""

    def __init__(self, server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
        self.made: list[list[bytes]] = []
        exchange = server._pools.exchange

        def counted(batch: Any) -> Any:
            self.made.append([command[0] for command in batch.commands])
            return exchange(batch)

        monkeypatch.setattr(server._pools, "exchange", counted)


@pytest.fixture
def trips(server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> Trips:
    server.execute(REQUESTS)  # loads the scripts
    return Trips(server, monkeypatch)


@pytest.mark.parametrize("request_", REQUESTS[:-1], ids=lambda request: type(request).__name__)
def test_one_round_trip_of_one_command(server: RedisServer, trips: Trips, request_: Request) -> None:
    server.execute([request_])
    assert len(trips.made) == 1
    assert trips.made[0] in ([b"EVALSHA"], [b"ZCOUNT", b"HGET"], [b"SCARD", b"HGET"], [b"PING"])


SCORED = Table("scored", Column("id", "int"), ITEM.columns, order="score")
NAMED = Table("named", Column("key", "str"), ITEM.columns)
PLANS: list[Plan] = [
    *(Eq("name", (value,)) for value in ("a:1", "a:2", "nobody", "")),
    *(Eq("kind", (value,)) for value in ("k:{1}", "other", "nobody", "")),
    *(Eq("rank", (value,)) for value in (5, 10, 99, None)),
    *(Range("rank", low, high, low_open=True) for low, high in ((None, None), (5, None), (5, 10), (10, 5))),
]


@pytest.mark.parametrize("table", [ITEM, SCORED, NAMED], ids=lambda table: str(table.name))
def test_what_an_index_finds_by_itself_is_what_a_plan_finds(server: RedisServer, table: Table) -> None:
    keys: list[Any] = ["x:1", "10", "{2}", "9", "b c"] if table is NAMED else [100, 10, 2, 9, 11]
    rows = [(f"a:{n}" if n else None, "k:{1}" if n % 2 else "", (5, 10, None)[n % 3], None) for n in range(5)]
    changes = [Change(key, None, row, score=7.0) for key, row in zip(keys, rows, strict=True)]
    server.execute([Commit(saves=(Save(table, changes),))])
    for plan in PLANS:
        for stop, fields in ((None, None), (1, ("note", "name")), (3, ()), (0, None)):
            short = Select(table, plan, stop=stop, fields=fields)
            general = Select(table, Intersect((All(), plan)), stop=stop, fields=fields)
            assert server.execute([short]) == server.execute([general]), short


def test_a_row_without_values_is_found_by_its_id(server: RedisServer, trips: Trips) -> None:
    server.execute([put(ITEM, 50, None, None, None, None), put(ITEM, 51, "z", None, None, None)])
    trips.made.clear()
    asked = [server.execute([Select(ITEM, Ids((id,)), stop=2)])[0] for id in (50, 51, 52)]
    assert [list(found.ids) for found in asked] == [[50], [51], []]
    assert [list(found.rows) for found in asked] == [[(None,) * 4], [("z", None, None, None)], []]
    assert trips.made.count([b"HMGET", b"HGET"]) == 3


def test_many_requests_are_one_round_trip(server: RedisServer, trips: Trips) -> None:
    server.execute(REQUESTS[:1] + REQUESTS[2:10])
    assert trips.made == [[b"EVALSHA"] * 5 + [b"ZCOUNT", b"SCARD", b"EVALSHA", b"PING", b"HGET"]]


def test_what_is_sent_together() -> None:
    commit, flush, count = REQUESTS[0], REQUESTS[-1], REQUESTS[6]
    assert groups([count, count, commit, count, commit, flush, count]) == [
        [count, count],
        [commit, count],
        [commit],
        [flush],
        [count],
    ]


def test_a_mistake_stops_what_comes_after_it(server: RedisServer) -> None:
    with pytest.raises(KeyError):
        server.execute([insert(LOG, (1, 1)), Count(LOG, Eq("nope", ("x",))), insert(LOG, (2, 1))])
    assert server.execute([Count(LOG, All())]) == [1]


def test_the_commands_that_reach_the_server(url: str, server: RedisServer, client: redis.Redis) -> None:
    server.execute(REQUESTS)
    seen = set()
    with redis.Redis.from_url(url) as watcher, watcher.monitor() as monitor:
        server.execute(REQUESTS)
        client.echo("that was all")
        for event in monitor.listen():
            word = event["command"].split(" ", 1)[0].upper()
            if word == "ECHO":
                break
            if event["client_type"] == "lua":
                seen.add(word)
    assert seen <= ALLOWED
    assert len(seen) > 15


@pytest.mark.parametrize("name", sorted(PARTS))
def test_texts_of_scripts(name: str) -> None:
    text = script(name).text.decode()
    text += script(name, tuple(KINDS.values())).text.decode() if name in ADDED else ""
    text += "\n" + script(name, expiring=True).text.decode() if PARTS[name][0] == "lib" else ""
    text = re.sub(r"cjson\.(en|de)code\((map|text)\)", "", text)  # maps of texts: no number passes through cjson
    allowed = ALLOWED | OF_STRUCTURES if name in ADDED else ALLOWED
    assert set(re.findall(r"call\('(\w+)'", text)) <= allowed
    assert not re.search(r"cjson|loadstring|tostring\((?!reply)", text)
    assert max(map(len, text.splitlines())) <= 120


def test_no_script_is_added_by_use(server: RedisServer, client: redis.Redis) -> None:
    known = []
    for number in range(30):
        server.execute([Count(ITEM, Scan("note", "contains", f"x{number}")), insert(LOG, (number, number))])
        known.append(client.info("memory")["number_of_cached_scripts"])
    assert len(set(known)) == 1


@pytest.mark.parametrize(
    "values", [[], ["", "a", "é" * 20, "x" * 40, "y" * 300, "z" * 70000], [None, "a", None], ["v"] * 20, ["v"] * 70000]
)
def test_what_is_packed_is_what_the_server_unpacks(client: redis.Redis, values: list[str | None]) -> None:
    code = "local t, out = cmsgpack.unpack(ARGV[1]), {}"
    code += " for i = 1, tonumber(ARGV[2]) do out[i] = t[i] or false end return out"
    expected = [None if value is None else value.encode() for value in values]
    for packed in (pack(values), texts(stored("str", values))):
        assert client.eval(code, 0, packed, len(values)) == expected
