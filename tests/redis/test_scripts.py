"""Scripts and round trips: one call each, fixed texts, and no command that is slow, dangerous or young."""

from __future__ import annotations

import re
from typing import Any

import pytest
import redis

from stdnet.backends.redis.backend import RedisServer
from stdnet.backends.redis.packing import pack, stored, texts
from stdnet.backends.redis.scripts import PARTS, script
from stdnet.backends.redis.talk import groups
from stdnet.contract import (
    All,
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
    Range,
    Request,
    Scan,
    Select,
    Sort,
    Union,
    Where,
)
from tests.redis.tables import ITEM, LOG, insert, put

ALLOWED = {
    *("EXISTS", "UNLINK", "GET", "SET"),
    *("HGET", "HSET", "HDEL", "HLEN", "HMGET"),
    *("SADD", "SREM", "SCARD", "SMEMBERS"),
    *("ZADD", "ZREM", "ZCARD", "ZCOUNT", "ZSCORE", "ZMSCORE", "ZRANGE", "ZREVRANGE", "ZRANGEBYSCORE", "ZRANGESTORE"),
    *("ZINTERSTORE", "ZUNIONSTORE", "ZDIFFSTORE"),
}
"""What scripts may call: all of it is in Redis 6.2, and none of it is among the dangerous commands of its ACL."""

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
    assert trips.made[0] in ([b"EVALSHA"], [b"ZCOUNT"], [b"SCARD"], [b"PING"])


def test_many_requests_are_one_round_trip(server: RedisServer, trips: Trips) -> None:
    server.execute(REQUESTS[:1] + REQUESTS[2:10])
    assert trips.made == [[b"EVALSHA"] * 5 + [b"ZCOUNT", b"SCARD", b"EVALSHA", b"PING"]]


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
    assert set(re.findall(r"call\('(\w+)'", text)) <= ALLOWED
    assert not re.search(r"cjson|loadstring|tostring\((?!reply)", text)
    assert max(map(len, text.splitlines())) <= 120


def test_no_script_is_added_by_use(server: RedisServer, client: redis.Redis) -> None:
    server.execute(REQUESTS)
    before = client.info("memory")["number_of_cached_scripts"]
    for number in range(30):
        server.execute([Count(ITEM, Scan("note", "contains", f"x{number}")), insert(LOG, (number, number))])
    assert client.info("memory")["number_of_cached_scripts"] == before


@pytest.mark.parametrize(
    "values", [[], ["", "a", "é" * 20, "x" * 40, "y" * 300, "z" * 70000], [None, "a", None], ["v"] * 20, ["v"] * 70000]
)
def test_what_is_packed_is_what_the_server_unpacks(client: redis.Redis, values: list[str | None]) -> None:
    code = "local t, out = cmsgpack.unpack(ARGV[1]), {}"
    code += " for i = 1, tonumber(ARGV[2]) do out[i] = t[i] or false end return out"
    expected = [None if value is None else value.encode() for value in values]
    for packed in (pack(values), texts(stored("str", values))):
        assert client.eval(code, 0, packed, len(values)) == expected
