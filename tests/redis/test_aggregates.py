"""Aggregates of many rows: in parts, none of them long, and right when rows change between two parts."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
import redis

from stdnet.backends.redis.backend import RedisServer
from stdnet.contract import Aggregate, All, Commit, Delete, Ids, Range, Term
from tests.redis.tables import ITEM, LOG, insert

MANY = 25_000
TERMS = (Term("count"), Term("sum", "number"), Term("min", "number"), Term("max", "id"))


def spied(server: RedisServer, monkeypatch: pytest.MonkeyPatch, then: Any = None) -> list[Any]:
    """Return a list that gets each batch that is sent; ``then`` is called before the second one."""
    exchange, sent = server._pools.exchange, []

    def between(batch: Any) -> Any:
        sent.append(batch)
        if len(sent) == 2 and then is not None:
            monkeypatch.setattr(server._pools, "exchange", exchange)
            then()
        return exchange(batch)

    monkeypatch.setattr(server._pools, "exchange", between)
    return sent


def test_25_000_rows_in_parts_of_which_none_is_long(
    server: RedisServer, client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.execute([insert(LOG, *((number - 5000, number % 3) for number in range(MANY)))])
    server.execute([Aggregate(LOG, Ids(()), ("half",), TERMS)])  # loads the script
    exchange, reads = server._pools.exchange, [rows_read(client)]

    def counted(batch: Any) -> Any:
        answers = exchange(batch)
        reads.append(rows_read(client))
        return answers

    monkeypatch.setattr(server._pools, "exchange", counted)
    (found,) = server.execute([Aggregate(LOG, All(), ("half",), TERMS)])
    parts = {half: [n for n in range(MANY) if n % 3 == half] for half in range(3)}
    assert found == [
        ((half,), (len(ns), sum(n - 5000 for n in ns), ns[0] - 5000, ns[-1] + 1)) for half, ns in parts.items()
    ]
    assert [after - before for before, after in pairwise(reads)] == [1000] * 25


def rows_read(client: redis.Redis) -> int:
    """Return how many rows the server has read since it began."""
    return int(client.info("commandstats").get("cmdstat_hmget", {"calls": 0})["calls"])


def test_rows_that_go_between_two_parts_are_left_out(server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    server.execute([insert(LOG, *((1, number) for number in range(2500))), Aggregate(LOG, All(), ("half",))])
    gone = Commit((Delete(LOG, Ids((5, 1200, 2499))),))
    spied(server, monkeypatch, lambda: server.execute([gone]))
    (found,) = server.execute([Aggregate(LOG, All(), (), (Term("count"), Term("sum", "number"), Term("max", "id")))])
    assert found == [((), (2498, 2498, 2500))]  # 5 had been read


def test_to_count_all_rows_is_one_command(server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    server.execute([insert(LOG, *((number, 1) for number in range(2500)))])
    sent = spied(server, monkeypatch)
    plans = (All(), Range("number", 10, 19))
    replies = server.execute([Aggregate(LOG, plan, (), (Term("count"),)) for plan in plans])
    assert replies == [[((), (2500,))], [((), (10,))]]
    (batch,) = sent
    assert [command[0] for command in batch.commands[:2]] == [b"ZCARD", b"ZCOUNT"]


@pytest.mark.parametrize("size", [0, 1, 999, 1000, 1001, 2000])
def test_sizes_around_those_of_parts(server: RedisServer, size: int) -> None:
    server.execute([insert(ITEM, *((f"n{n}", f"k{n % 2}", n, "x:y") for n in range(size)))])
    kinds = sorted({f"k{n % 2}" for n in range(size)})
    expected = [(("x:y", kind), (max(n for n in range(size) if kind == f"k{n % 2}"),)) for kind in kinds]
    assert server.execute([Aggregate(ITEM, All(), ("note", "kind"), (Term("max", "rank"),))]) == [expected]


def test_ints_of_any_size_are_added_exactly(server: RedisServer) -> None:
    numbers = [sign * (10**digits - 1) for digits in range(1, 60) for sign in (1, 1, -1)] + [-(10**4000), 10**4200, 0]
    server.execute([insert(LOG, *((None, number) for number in numbers * 20))])
    terms = (Term("sum", "half"), Term("min", "half"), Term("max", "half"))
    (found,) = server.execute([Aggregate(LOG, All(), (), terms)])
    assert found == [((), (20 * sum(numbers), min(numbers), max(numbers)))]
