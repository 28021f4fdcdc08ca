"""Relations where only Redis can go wrong: one script, one round trip, atomic in every fault, many rows, no rests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain, repeat
from typing import Any

import pytest
import redis

from stdnet import odm
from stdnet.backends.redis import talk
from stdnet.backends.redis.backend import RedisServer
from stdnet.backends.redis.scripts import script
from stdnet.contract import (
    All,
    Change,
    Column,
    Commit,
    Committed,
    Count,
    Delete,
    Eq,
    Held,
    Ids,
    In,
    Reference,
    Refused,
    Related,
    Save,
    Select,
    Sort,
    Table,
)
from stdnet.errors import CommitUnknown, ConnectionError
from tests.redis.check import check, contents
from tests.redis.proxy import AFTER, BEFORE, PASS, Proxy, at_random
from tests.redis.test_scripts import ALLOWED, Trips
from tests.servers import Server

MANY = 20_000

TEAM = Table("team", Column("id", "int"), (Column("name", "str", unique=True),), auto=True)
PERSON = Table(
    "person",
    Column("key", "str"),
    (Column("team", "int", index="equal"), Column("boss", "str", index="equal"), Column("age", "int", index="range")),
)
NOTE = Table(
    "note",
    Column("id", "int"),
    (Column("person", "str", index="equal"), Column("title", "str", unique=True), Column("rank", "float")),
    auto=True,
    order="score",
)
TABLES = [TEAM, PERSON, NOTE]

MEMBERS = Reference(PERSON, "team", TEAM, "cascade")
STAFF = Reference(PERSON, "boss", PERSON, "cascade")
NOTES = Reference(NOTE, "person", PERSON, "cascade")
CASCADE = (MEMBERS, STAFF, NOTES)
HOLDING = (MEMBERS, STAFF, Reference(NOTE, "person", PERSON, "restrict"))
LETTING = (MEMBERS, STAFF, Reference(NOTE, "person", PERSON, "null"))


def teams(count: int, people: int, notes: int) -> Commit:
    """Return a commit of teams, of people in each, the first without a boss, and of notes of each of these."""
    keys = [(team, f"p{team}:{n}") for team in range(1, count + 1) for n in range(people)]
    return Commit(
        saves=(
            Save(TEAM, [Change(team, None, (f"team {team}",)) for team in range(1, count + 1)]),
            Save(PERSON, [Change(key, None, (team, None, len(key))) for team, key in keys]),
            Save(
                NOTE,
                [Change(None, None, (key, f"{key}/{n}", 1.5), score=float(n)) for _, key in keys for n in range(notes)],
            ),
        )
    )


def without_team(team: int, references: tuple[Reference, ...] = CASCADE, *saves: Save) -> Commit:
    return Commit((Delete(TEAM, Ids((team,))),), saves, references)


@pytest.fixture
def trips(server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> Trips:
    server.execute([teams(2, 2, 2), without_team(9), Select(TEAM, All(), related=(Related("id", PERSON, "team"),))])
    return Trips(server, monkeypatch)


def test_a_cascade_is_one_call_in_one_round_trip(url: str, server: RedisServer, trips: Trips) -> None:
    with redis.Redis.from_url(url) as watcher, watcher.monitor() as monitor:
        server.execute([without_team(1)])
        with redis.Redis.from_url(url) as client:
            client.echo("that was all")
        events = []
        for event in monitor.listen():
            if event["command"].startswith("ECHO"):
                break
            events.append(event)
    assert trips.made == [[b"EVALSHA"]]
    sent = [event["command"].split()[:2] for event in events if event["client_type"] != "lua"]
    assert [words for words in sent if words[0] == "EVALSHA"] == [["EVALSHA", script("cascade").sha.decode()]]
    assert {event["command"].split()[0].upper() for event in events if event["client_type"] == "lua"} <= ALLOWED
    assert server.execute([Count(table, All()) for table in TABLES]) == [1, 2, 4]


def test_what_is_brought_along_comes_in_one_round_trip(server: RedisServer, trips: Trips) -> None:
    deep = Related("id", PERSON, "team", ("age",), (Related("key", NOTE, "person", ("title",)),))
    sort = Sort("name", desc=True, through=(("person", PERSON), ("team", TEAM)))
    requests = [
        Select(TEAM, All(), related=(deep, Related("id", PERSON, "team", ()))),
        Select(NOTE, In("person", PERSON, In("team", TEAM, Eq("name", ("team 2",)), "id"), "key"), sort),
    ]
    found, notes = server.execute(requests)
    assert trips.made == [[b"EVALSHA", b"EVALSHA"]]
    assert [len(part.ids) for part in (found, *found.related, found.related[0].related[0])] == [2, 4, 4, 8]
    assert [row[0] for row in notes.rows] == ["p2:0", "p2:1"] * 2


class Owner(odm.StdModel):
    name = odm.SymbolField()

    class Meta:
        app_label = "redisrelations"
        register = False


class Desk(odm.StdModel):
    owner = odm.ForeignKey(Owner)

    class Meta:
        app_label = "redisrelations"
        register = False


class Trade(odm.StdModel):
    desk = odm.ForeignKey(Desk)
    size = odm.IntegerField()

    class Meta:
        app_label = "redisrelations"
        register = False


def test_models_two_keys_away_are_loaded_in_one_round_trip(server: RedisServer, monkeypatch: Any) -> None:
    models = odm.Router(server)
    for model in (Owner, Desk, Trade):
        models.register(model)
    with models.session().begin() as transaction:
        for n in range(4):
            owner = Owner(name=f"owner{n % 2}")
            transaction.add(Trade(desk=Desk(owner=owner), size=n))
    models.trade.query().load_related("desk__owner").all()  # loads the script
    trips = Trips(server, monkeypatch)
    trades = models.trade.query().load_related("desk__owner").all()
    assert [(trade.size, trade.desk.owner.name) for trade in trades] == [(n, f"owner{n % 2}") for n in range(4)]
    assert trips.made == [[b"EVALSHA"]]
    models.owner.filter(name="owner0").delete()
    assert models.trade.count() == models.desk.count() == models.owner.count() == 2


def test_a_refused_cascade_changes_nothing(server: RedisServer, client: redis.Redis) -> None:
    server.execute([teams(2, 3, 2)])
    before = contents(client, server.namespace)
    extra = Save(TEAM, [Change(None, None, ("team 3",))])
    (reply,) = server.execute([without_team(1, HOLDING, extra)])
    assert isinstance(reply, Refused)
    assert reply.held == tuple(Held(2, f"p1:{n}", 2 * n + note) for n in range(3) for note in (1, 2))
    assert contents(client, server.namespace) == before
    clash = Save(NOTE, [Change(None, None, ("p2:0", "p2:1/1", None))])
    (reply,) = server.execute([without_team(1, CASCADE, clash)])
    assert isinstance(reply, Refused)
    assert contents(client, server.namespace) == before


@pytest.mark.parametrize("key", ["note:obj:3", "note:uni:title", "person:idx:team:1", "person:idx:age", "note:id"])
def test_a_foreign_key_in_the_way_of_a_cascade_changes_nothing(
    server: RedisServer, client: redis.Redis, key: str
) -> None:
    server.execute([teams(2, 3, 2)])
    client.delete(server.namespace + key)
    client.set(server.namespace + key, "foreign")
    before = contents(client, server.namespace)
    with pytest.raises(Exception, match=r"WRONGTYPE|another type"):
        server.execute([without_team(1)])
    assert contents(client, server.namespace) == before
    client.delete(server.namespace + key)


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Attempts without pauses."""
    monkeypatch.setattr(talk, "PAUSES", (0.0, 0.0))


@pytest.fixture
def through(own_server: Server, namespace: str, open_server: Any) -> Iterator[Callable[..., RedisServer]]:
    """A function that fills the tables and connects through a proxy with the given fate of each request."""
    proxies = []

    def connecting(choose: Callable[[], str], commit: Commit) -> RedisServer:
        open_server(own_server.url, namespace=namespace).execute([commit])
        proxies.append(Proxy(own_server.port, choose))
        return open_server(proxies[0].url, namespace=namespace)  # type: ignore[no-any-return]

    yield connecting
    for proxy in proxies:
        with proxy:
            pass


GONE = Committed((), (), ([1],), (["p1:0", "p1:1"], [], [1, 3, 2, 4]))


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("fate", [BEFORE, AFTER])
def test_a_cascade_whose_connection_is_cut_is_done_once(through: Any, own_server: Server, fate: str) -> None:
    fates: list[str] = []
    server = through(lambda: fates.pop() if fates else PASS, teams(2, 2, 2))
    assert server.execute([Count(TEAM, All()), without_team(9)])[0] == 2
    fates[:] = [fate]
    assert server.execute([without_team(1)]) == [GONE]
    assert server.execute([Count(table, All()) for table in TABLES]) == [1, 2, 4]
    with redis.Redis.from_url(own_server.url) as client:
        check(client, server.namespace, TABLES)


@pytest.mark.usefixtures("hasty")
def test_an_unknown_cascade_is_resolved_with_all_that_went(through: Any) -> None:
    fates = [PASS]
    server = through(lambda: fates[0], teams(2, 2, 2))
    server.execute([without_team(9)])
    fates[0] = AFTER
    with pytest.raises(CommitUnknown) as caught:
        server.execute([without_team(1)])
    fates[0] = PASS
    assert server.resolve(caught.value.token) == GONE
    assert server.execute([Count(table, All()) for table in TABLES]) == [1, 2, 4]


@pytest.mark.usefixtures("hasty")
def test_faults_never_leave_a_cascade_half_done(through: Any, own_server: Server) -> None:
    server = through(at_random(11, before=0.2, after=0.2, delay=0.0), teams(300, 2, 2))
    failed = 0
    for team in range(1, 301):
        try:
            server.execute([without_team(team)])
        except (CommitUnknown, ConnectionError):
            failed += 1
    with redis.Redis.from_url(own_server.url) as client:
        check(client, server.namespace, TABLES)
        left = [client.zcard(f"{server.namespace}{table.name}:id") for table in TABLES]
    assert left == [left[0], 2 * left[0], 4 * left[0]]
    assert 0 < left[0] <= failed < 100


def lua_memory(client: redis.Redis) -> int:
    info = client.info("memory")
    return int(info.get("used_memory_vm_eval", info["used_memory_lua"]))


@pytest.mark.parametrize("spread", [1, MANY // 2], ids=["of one row", "of many rows"])
@pytest.mark.parametrize("references", [CASCADE, LETTING], ids=["cascade", "null"])
def test_a_cascade_of_many_rows(
    server: RedisServer, client: redis.Redis, spread: int, references: tuple[Reference, ...]
) -> None:
    server.execute([teams(spread, MANY // 2 // spread, 1)])
    before = client.info("memory")["used_memory"]
    (reply,) = server.execute([Commit((Delete(TEAM, All()),), references=references)])
    assert [len(ids) for ids in reply.deleted] == [spread]
    cascaded = [MANY // 2, 0, MANY // 2 if references is CASCADE else 0]
    assert [len(ids) for ids in reply.cascaded] == cascaded
    assert server.execute([Count(NOTE, Eq("person", (None,)))]) == [MANY // 2 - cascaded[2]]
    check(client, server.namespace, TABLES)
    assert client.info("memory")["used_memory"] < before
    assert lua_memory(client) < 10e6  # what the script took is free again


def test_many_rows_hold_a_commit(server: RedisServer) -> None:
    server.execute([teams(1, 1, MANY)])
    (reply,) = server.execute([without_team(1, HOLDING)])
    assert reply.held == tuple(Held(2, "p1:0", note) for note in range(1, MANY + 1))
    assert server.execute([Count(NOTE, All())]) == [MANY]


def test_a_long_chain_of_rows_goes(server: RedisServer, client: redis.Redis) -> None:
    chain_ = [Change(f"{n}", None, (None, f"{n - 1}" if n else f"{MANY - 1}", n)) for n in range(MANY)]
    server.execute([Commit(saves=(Save(PERSON, chain_),))])
    (reply,) = server.execute([Commit((Delete(PERSON, Ids(("7",))),), references=(STAFF,))])
    assert reply.deleted == (["7"],)
    assert len(reply.cascaded[0]) == MANY - 1
    assert contents(client, server.namespace) == {}


def test_many_rows_are_brought_along(server: RedisServer, trips: Trips) -> None:
    server.flush()
    server.execute([teams(1, MANY // 2, 1)])
    deep = Related("id", PERSON, "team", None, (Related("key", NOTE, "person", ("title",)),))
    select = Select(TEAM, Ids((1,)), related=(deep,))
    server.execute([select])  # loads the scripts
    trips.made.clear()
    (found,) = server.execute([select])
    people, notes = found.related[0], found.related[0].related[0]
    assert len(people.rows) == len(people.ids) == MANY // 2
    assert {row[0] for row in notes.rows} == {f"p1:{n}/0" for n in range(MANY // 2)}
    assert len(trips.made) == 1 + 9 + 9  # the parts of a thousand rows that a first reply leaves


def test_cascades_leave_no_key(server: RedisServer, client: redis.Redis) -> None:
    for references in (CASCADE, LETTING, CASCADE):
        server.execute([teams(5, 3, 2)])
        bosses = [Change(f"p1:{n}", f"p1:{n}", (f"p2:{n}",), ("boss",)) for n in range(3)]
        server.execute([Commit(saves=(Save(PERSON, bosses),))])
        for team in chain(range(1, 6), repeat(1, 2)):
            server.execute([without_team(team, references)])
            check(client, server.namespace, TABLES)
        server.execute([Commit((Delete(NOTE, All()),))])
    prefix = server.namespace.encode()
    left = contents(client, server.namespace)
    assert set(left) == {prefix + b"team:ids", prefix + b"note:ids", prefix + b":tables"}
    assert set(left[prefix + b":tables"]) == {b"team", b"note"}
