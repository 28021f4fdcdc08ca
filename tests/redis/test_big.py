"""Sizes: a commit of 100,000 rows, reads in parts, wide tables and long lists."""

from __future__ import annotations

from typing import Any

import pytest
import redis

from stdnet.backends.redis import reads
from stdnet.backends.redis.backend import RedisServer
from stdnet.contract import (
    All,
    Change,
    Column,
    Commit,
    Committed,
    Count,
    Delete,
    Eq,
    Ids,
    In,
    Keys,
    Plan,
    Range,
    Save,
    Select,
    Sort,
    Table,
    Union,
)
from tests.redis.check import check
from tests.redis.tables import ITEM, LOG, insert, new_ids
from tests.redis.test_scripts import Trips

MANY = 100_000


def test_100_000_rows_in_one_commit(server: RedisServer, client: redis.Redis) -> None:
    rows = [(f"name{number}", f"kind{number % 7}", number, None) for number in range(MANY)]
    (reply,) = server.execute([insert(ITEM, *rows)])
    assert new_ids(reply) == list(range(1, MANY + 1))
    assert server.execute([Count(ITEM, Eq("kind", ("kind3",)))]) == [MANY // 7 + 1]
    (found,) = server.execute([Select(ITEM, All())])
    assert found.rows == rows
    changes = [Change(id, id, (-id,), ("rank",)) for id in range(1, MANY + 1)]
    server.execute([Commit((), (Save(ITEM, changes),))])
    (found,) = server.execute([Select(ITEM, Range("rank", -5, None), Sort("rank"))])
    assert found.ids == [5, 4, 3, 2, 1]
    (reply,) = server.execute([Commit((Delete(ITEM, All()),))])
    assert len(reply.deleted[0]) == MANY
    check(client, server.namespace, [ITEM])


def test_no_call_of_a_large_read_or_flush_takes_more_than_a_part(
    server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.execute([insert(LOG, *((number, number % 3) for number in range(20_000)))])
    trips = Trips(server, monkeypatch)
    (found,) = server.execute([Select(LOG, All())])
    assert len(found.rows) == 20_000
    assert trips.made.count([b"EVALSHA"]) - trips.made.count([b"SCRIPT"]) == 20  # what is not known is sent again
    trips.made.clear()
    assert server.flush() == 20_000 + 3
    assert trips.made.count([b"EVALSHA"]) - trips.made.count([b"SCRIPT"]) == 20


def test_rows_that_go_between_two_parts_are_left_out(server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reads, "PART", 10)
    server.execute([insert(LOG, *((number, 1) for number in range(35)))])
    exchange, other = server._pools.exchange, Commit((Delete(LOG, Ids((5, 12, 33))),))
    calls = []

    def between(batch: Any) -> Any:
        calls.append(batch)
        if len(calls) == 2:
            monkeypatch.setattr(server._pools, "exchange", exchange)
            server.execute([other])
        return exchange(batch)

    monkeypatch.setattr(server._pools, "exchange", between)
    (found,) = server.execute([Select(LOG, All())])
    assert [id for id in range(1, 36) if id not in found.ids] == [12, 33]  # 5 had been read
    assert [row[0] for row in found.rows] == [id - 1 for id in found.ids]


def test_a_wide_table(server: RedisServer, client: redis.Redis) -> None:
    wide = Table("wide", Column("id", "int"), tuple(Column(f"c{n}", "int") for n in range(9000)), auto=True)
    row = tuple(range(9000))
    server.execute([insert(wide, row)])
    assert server.execute([Select(wide, All())])[0].rows == [row]
    server.execute([Commit((), (Save(wide, [Change(1, 1, (None,) * 9000)]),))])
    assert server.execute([Keys(wide)])[0] == [f"{server.namespace}wide:id", f"{server.namespace}wide:ids"]
    check(client, server.namespace, [wide])


def test_long_lists_in_plans(server: RedisServer) -> None:
    server.execute([insert(ITEM, *((f"n{n}", f"k{n}", n, None) for n in range(3000)))])
    everything = tuple(range(20_000))
    plans: list[Plan] = [
        Ids(everything),
        Eq("name", tuple(f"n{n}" for n in everything)),
        Eq("kind", tuple(f"k{n}" for n in everything)),
        Eq("rank", everything),
        Union(tuple(Ids((n,)) for n in range(1, 3001))),
        In("rank", ITEM, All(), "rank"),
        In("kind", ITEM, All(), "kind"),
    ]
    assert server.execute([Count(ITEM, plan) for plan in plans]) == [3000] * len(plans)


def test_a_commit_whose_time_is_long_gets_a_connection_of_its_own(server: RedisServer, namespace: str) -> None:
    server._pools._timeout = 0.001
    (reply,) = server.execute([insert(LOG, *((number, 1) for number in range(100)))])
    assert isinstance(reply, Committed)
    assert server.execute([Count(LOG, All())]) == [100]
