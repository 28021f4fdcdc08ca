"""Updates, versions and combinations on the server: one script call, all or nothing, nothing left behind."""

from __future__ import annotations

from typing import Any

import pytest
import redis

from stdnet.backends.redis.backend import RedisServer
from stdnet.contract import (
    All,
    Assign,
    Change,
    Clash,
    Column,
    Commit,
    Committed,
    Count,
    Eq,
    Flush,
    Keys,
    Match,
    Refused,
    Save,
    Select,
    Table,
    Update,
)
from stdnet.errors import ResponseError, TableMismatch
from tests.redis.check import check, contents
from tests.redis.test_scripts import Trips

PART = Table(
    "part",
    Column("id", "int"),
    (
        Column("code", "str", unique=True),
        Column("kind", "str", index="equal"),
        Column("rank", "int", index="range"),
        Column("ratio", "float"),
        Column("note", "str"),
        Column("version", "int"),
    ),
    auto=True,
    together=(("kind", "rank"), ("note", "ratio")),
)
UP = Assign("rank", None, (("field", "rank"), ("const", 1.0), ("+", None)))


@pytest.fixture
def trips(server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> Trips:
    rows = [(f"c{n}", "k" if n % 2 else "", n, n / 2, "x:y", 1) for n in range(1, 2501)]
    server.execute([Commit(saves=(Save(PART, [Change(None, None, row) for row in rows]),))])
    server.execute([Commit(updates=(Update(PART, Eq("kind", ("nobody",)), (UP,)),))])  # loads the script
    server.execute([Select(PART, Match(("kind", "rank"), (("k", 5),)))])
    return Trips(server, monkeypatch)


def test_thousands_of_rows_are_one_call(server: RedisServer, client: redis.Redis, trips: Trips) -> None:
    update = Update(PART, Eq("kind", ("k",)), (UP, Assign("kind", "z")), "version")
    (reply,) = server.execute([Commit(updates=(update,))])
    assert reply == Committed(updated=(1250,))
    assert trips.made == [[b"EVALSHA"]]
    assert server.execute([Select(PART, Match(("kind", "rank"), (("z", 8), ("k", 7))), fields=("code", "version"))])[
        0
    ].rows == [("c7", 2)]
    check(client, server.namespace, [PART])


def test_a_refused_update_changes_no_key(server: RedisServer, client: redis.Redis, trips: Trips) -> None:
    before = contents(client, server.namespace)
    for sets in (
        (UP, Assign("code", "same")),
        (Assign("kind", "k"), Assign("rank", 1)),
        (UP, Assign("note", required=True)),
        (Assign("rank", None, (("field", "ratio"),)),),
        (UP, Assign("ratio", None, (("field", "ratio"),), limits=(0.0, 10.0))),
    ):
        (reply,) = server.execute([Commit(updates=(Update(PART, All(), sets, "version"),))])
        assert isinstance(reply, Refused)
    assert contents(client, server.namespace) == before


def test_a_key_of_another_type_is_found_before_anything_is_written(
    server: RedisServer, client: redis.Redis, trips: Trips
) -> None:
    client.delete(f"{server.namespace}part:uni:kind,rank")
    client.set(f"{server.namespace}part:uni:kind,rank", "something else")
    before = contents(client, server.namespace)
    with pytest.raises(ResponseError):
        server.execute([Commit(updates=(Update(PART, All(), (UP,)),))])
    assert contents(client, server.namespace) == before


def test_a_combination_is_found_by_two_short_commands(server: RedisServer, trips: Trips) -> None:
    plans = [Match(("kind", "rank"), (("k", value),)) for value in (5, 5.0, 6, 5.5)]
    found = [list(server.execute([Select(PART, plan, fields=())])[0].ids) for plan in plans]
    assert found == [[5], [5], [], []]
    assert trips.made[0] == [b"EVALSHA", b"HGET"]
    assert server.execute([Count(PART, Match(("note", "ratio"), (("x:y", 1.5), ("x:y", 2), ("", 1.0))))]) == [2]
    with pytest.raises(KeyError):
        server.execute([Count(PART, Match(("rank", "kind"), ()))])


def test_an_update_is_applied_once(server: RedisServer, trips: Trips) -> None:
    commit = Commit(updates=(Update(PART, Eq("rank", (7,)), (UP,)), Update(PART, All(), ())), token="once")
    assert server.execute([commit]) == server.execute([commit]) == [Committed(updated=(1, 2500))]
    assert server.resolve("once") == Committed(updated=(1, 2500))
    assert server.execute([Count(PART, Eq("rank", (8,)))]) == [2]


def test_a_stale_change_tells_the_row_as_it_stands(server: RedisServer, trips: Trips) -> None:
    def change(version: Any, id: int = 3) -> Commit:
        row = ("new", None, 5, None, None, 2)
        return Commit(saves=(Save(PART, [Change(id, id, row, changed=("code",), version=("version", version))]),))

    (reply,) = server.execute([change(9)])
    assert reply == Refused((Clash("stale", 0, 0, "version", 1, row=("c3", "k", 3, 1.5, "x:y", 1)),))
    assert server.execute([change(None)])[0].clashes[0].value == 1
    assert server.execute([change(1, 9999)]) == [Refused((Clash("stale", 0, 0, "version", None),))]
    assert isinstance(server.execute([change(1)])[0], Committed)
    rows = server.execute([Select(PART, Eq("code", ("new",)))])[0].rows
    assert list(rows) == [("new", "k", 3, 1.5, "x:y", 1)]


def test_another_combination_is_another_layout(server: RedisServer, trips: Trips) -> None:
    other = Table(PART.name, PART.pk, PART.columns, auto=True, together=(("rank", "kind"),))
    with pytest.raises(TableMismatch):
        server.execute([Count(other, All())])


def test_keys_and_flush(server: RedisServer, client: redis.Redis, trips: Trips) -> None:
    (names,) = server.execute([Keys(PART)])
    assert {f"{server.namespace}part:uni:{pair}" for pair in ("kind,rank", "note,ratio")} <= set(names)
    assert server.execute([Flush()]) == [len(names)]
    assert contents(client, server.namespace) == {}
