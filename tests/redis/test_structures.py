"""Structures on Redis: what is written with what, what is left behind, what is never sent twice, and sizes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
import redis

from stdnet.backends.redis import talk
from stdnet.backends.redis.backend import RedisServer
from stdnet.backends.redis.kinds import COMMANDS
from stdnet.backends.redis.scripts import script
from stdnet.contract import (
    HASH,
    KINDS,
    LIST,
    SET,
    STRING,
    TS,
    ZSET,
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
    Ids,
    Keys,
    Kind,
    Operation,
    Ping,
    Place,
    Reference,
    Refused,
    Request,
    Save,
    Select,
    Sort,
    Table,
    kind,
)
from stdnet.errors import BadStructureValue, CallUnknown, ConnectionError, ResponseError
from tests.redis.check import check, contents
from tests.redis.conftest import connect
from tests.redis.proxy import AFTER, BEFORE, PASS, Proxy
from tests.redis.tables import put
from tests.servers import Server, free_port

OpenServer = Callable[..., RedisServer]

FIELDS = tuple((f"a_{name}", kind) for name, kind in KINDS.items())
DOC = Table("doc", Column("id", "int"), (Column("name", "str", unique=True),), auto=True, structures=FIELDS)
PAGE = Table("page", Column("key", "str"), (Column("doc", "int", index="equal"),), structures=(("words", LIST),))
FILL: dict[str, tuple[str, tuple[Any, ...]]] = {
    "list": ("push_back", (b"a", b"b")),
    "set": ("add", (b"b", b"a")),
    "zset": ("add", ((2.0, b"a"), (float("-inf"), b"b"))),
    "hashtable": ("add", ((b"k", b"v"), (b"", b"\xff"))),
    "ts": ("add", ((2.5, b"a:b"), (1.0, b"b"))),
    "string": ("append", (b"12", b"3")),
    "numberarray": ("append", (b"12345678",)),
}
FULL: dict[str, Any] = {
    "list": [b"a", b"b"],
    "set": [b"a", b"b"],
    "zset": [(float("-inf"), b"b"), (2.0, b"a")],
    "hashtable": [(b"", b"\xff"), (b"k", b"v")],
    "ts": [(1.0, b"b"), (2.5, b"a:b")],
    "string": b"123",
    "numberarray": b"12345678",
}


def of_row(id: int, name: str = "list") -> Place:
    return Place(KINDS[name], f"a_{name}", DOC, id)


def fill(*places: Place) -> tuple[Call, ...]:
    return tuple(Call(place, *FILL[place.kind.name]) for place in places)


def all_of_row(id: int) -> list[Place]:
    return [of_row(id, name) for name in KINDS]


def items(server: RedisServer, *places: Place) -> list[Any]:
    return server.execute([Call(place, "items") for place in places])


def sizes(server: RedisServer, *places: Place) -> list[int]:
    return server.execute([Call(place, "size") for place in places])


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: str(kind.name))
def test_every_operation_is_a_command_or_in_the_text_of_the_kind(kind: Kind) -> None:
    text = script("operate", (kind,)).text.decode()
    for name in kind.operations.keys() - {"delete"}:
        in_text = f"    {name} = " in text
        assert in_text or name in COMMANDS[kind.name]
        assert in_text or not kind.operations[name].commits
    assert "    items = " in text, "scripts that read rows need it"


def test_rows_structures_and_deletes_in_one_commit(server: RedisServer, client: redis.Redis) -> None:
    server.execute([put(DOC, 1, "one"), put(DOC, 2, "two"), *fill(*all_of_row(1), *all_of_row(2))])
    alone, whole = Place(LIST, "alone"), Place(SET, "whole", DOC)
    commit = Commit(
        (Delete(DOC, Eq("name", ("two",))),),
        (Save(DOC, [Change(3, None, ("two",)), Change(1, 1, ("uno",), ("name",))]),),
        calls=(
            *fill(alone, whole, of_row(2), Place(LIST, "other", DOC)),
            Call(of_row(1), "push_front", (b"x", b"y")),
            Call(of_row(1, "set"), "remove", (b"a", b"nothing")),
            Call(of_row(1, "zset"), "delete"),
        ),
    )
    (reply,) = server.execute([commit])
    assert reply.deleted == ([2],)
    found = items(server, of_row(1), of_row(1, "set"), of_row(1, "zset"), alone, whole, *all_of_row(2), *all_of_row(3))
    assert found[:5] == [[b"y", b"x", b"a", b"b"], [b"b"], [], [b"a", b"b"], [b"a", b"b"]]
    assert not any(found[5:])
    check(client, server.namespace, [DOC])
    assert server.flush() == 3 + 2 + 6 + 3
    assert contents(client, server.namespace) == {}


def test_a_token_covers_calls(server: RedisServer) -> None:
    commit = Commit(calls=fill(Place(LIST, "x")), token="once")
    assert server.execute([commit, commit]) == [Committed(), Committed()]
    assert items(server, Place(LIST, "x")) == [[b"a", b"b"]]


@pytest.mark.parametrize("wrong", range(4))
def test_a_key_of_another_type_stops_all_of_a_commit(server: RedisServer, client: redis.Redis, wrong: int) -> None:
    server.execute([put(DOC, 1, "one"), *fill(of_row(1, "set"))])
    places = [Place(ZSET, "z"), of_row(1), Place(STRING, "s", DOC), of_row(1, "hashtable")]
    keys = ["struct.zset:z", "doc:obj:1:a_list", "doc:struct:s", "doc:obj:1:a_hashtable"]
    client.set(server.namespace + keys[wrong], "x") if wrong != 2 else client.rpush(server.namespace + keys[wrong], "x")
    before = contents(client, server.namespace)
    commit = Commit((Delete(DOC, All()),), (Save(DOC, [Change(2, None, ("two",))]),), calls=fill(*places))
    for request in (commit, Call(places[wrong], "size"), fill(places[wrong])[0], Call(places[wrong], "items")):
        with pytest.raises(ResponseError, match="holds another type"):
            server.execute([request])
    assert contents(client, server.namespace) == before


def test_what_is_made_for_a_row_that_is_not_there_is_refused(server: RedisServer, client: redis.Redis) -> None:
    server.execute([put(DOC, 1, "one")])
    before = contents(client, server.namespace)
    for place in (of_row(9), of_row(9, "ts"), of_row(9, "string")):
        assert server.execute([*fill(place)]) == [Refused((), (), (0,))]
    assert server.execute([Call(of_row(9, "string"), "incr", (1,))]) == [Refused((), (), (0,))]
    assert server.execute([Call(of_row(9), "pop_front"), Call(of_row(9, "set"), "remove", (b"a",))]) == [None, None]
    calls = (*fill(of_row(1), of_row(9)), Call(of_row(9), "delete"), *fill(Place(LIST, "x"), of_row(8, "set")))
    saves = (Save(DOC, [Change(9, None, ("nine",)), Change(5, None, ("nine",))]),)
    (refused,) = server.execute([Commit(saves=saves, calls=calls)])
    assert (len(refused.clashes), refused.held, refused.gone) == (1, (), (1, 4))
    (refused,) = server.execute([Commit(calls=calls)])
    assert refused == Refused((), (), (1, 4))
    assert contents(client, server.namespace) == before


def test_structures_move_with_their_rows(server: RedisServer, client: redis.Redis) -> None:
    server.execute([put(DOC, 1, "one"), put(DOC, 2, "two"), *fill(*all_of_row(1), of_row(2))])
    server.execute([Call(of_row(2), "push_back", (b"c",))])
    chain = [Change(9, 1, ("one",)), Change(1, 2, ("two",)), Change(2, 9, ("one",))]
    assert isinstance(server.execute([Commit(saves=(Save(DOC, chain),), calls=fill(of_row(1)))])[0], Committed)
    assert items(server, of_row(1), of_row(2), of_row(9)) == [[b"a", b"b", b"c"], [b"a", b"b", b"a", b"b"], []]
    assert items(server, *all_of_row(2))[1:] == list(FULL.values())[1:]
    server.execute([put(DOC, 2, "replaced"), Commit(saves=(Save(DOC, [Change(1, 7, ("new",))]),))])
    assert sizes(server, of_row(1), of_row(2)) == [3, 4]
    check(client, server.namespace, [DOC])
    onto = Commit((Delete(DOC, Ids((1,))),), (Save(DOC, [Change(1, 2, ("x",))]),))
    server.execute([onto])
    assert sizes(server, of_row(1), of_row(2)) == [4, 0]
    anew = Commit((Delete(DOC, Ids((1,))),), (Save(DOC, [Change(1, 1, ("y",))]),))
    server.execute([anew])
    assert not any(sizes(server, *all_of_row(1)))
    check(client, server.namespace, [DOC])


def test_structures_of_rows_that_a_cascade_removes(server: RedisServer, client: redis.Redis) -> None:
    words = [Place(LIST, "words", PAGE, key) for key in ("p:1", "q")]
    server.execute([put(DOC, 1, "one"), put(DOC, 2, "two"), put(PAGE, "p:1", 1), put(PAGE, "q", 2), *fill(*words)])
    references = (Reference(PAGE, "doc", DOC, "cascade"),)
    commit = Commit((Delete(DOC, Ids((1,))),), references=references, calls=fill(of_row(2)))
    assert server.execute([commit])[0].cascaded == (["p:1"],)
    assert sizes(server, *words, of_row(2)) == [0, 2, 2]
    check(client, server.namespace, [DOC, PAGE])


def test_a_flush_finds_structures_and_no_key_of_others(server: RedisServer, url: str, client: redis.Redis) -> None:
    stem = server.namespace.rstrip(".")
    names = (stem, stem + ".", stem + "*", stem + "?.", stem + ".struct.list:")
    servers = [connect(url, namespace=name) for name in names]
    longer = Table("doc2", DOC.pk, DOC.columns, True, structures=FIELDS)
    rows = [Place(LIST, "a_list", table, 1) for table in (DOC, longer)]
    wholes = [Place(SET, "w", table) for table in (DOC, longer)]
    alone = [Place(kind, id) for kind in KINDS.values() for id in ("x", "a:b", "*", "")]
    for each in servers:
        each.execute([put(DOC, 1, "one"), put(longer, 1, "one"), *fill(*rows, *wholes, *alone)])
    everything = rows + wholes + alone
    for number, each in enumerate(servers):
        assert len(each.execute([Keys(DOC)])[0]) == 6
        assert each.execute([Flush(DOC), Keys(DOC), Count(longer, All())]) == [6, [], 1]
        assert sizes(each, rows[0], wholes[0]) == [0, 0]
        assert all(sizes(each, rows[1], wholes[1], *alone))
        assert each.flush() == 6 + len(alone)
        for other in servers[number + 1 :]:
            assert all(sizes(other, *everything))
    left = [key for key in contents(client, stem) if b":commit:" not in key]
    assert left == []
    for each in servers:
        each.close()


def test_a_structure_that_is_made_during_a_flush_is_found_by_the_next(
    server: RedisServer, client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.execute([*fill(Place(LIST, "x"))])
    exchange = server._pools.exchange

    def meanwhile(batch: Any) -> Any:
        answers = exchange(batch)
        if batch.commands[0][0] == b"SCAN" and answers[0][0] == b"0":
            monkeypatch.setattr(server._pools, "exchange", exchange)
            server.execute([*fill(Place(LIST, "y"))])
        return answers

    monkeypatch.setattr(server._pools, "exchange", meanwhile)
    assert server.flush() == 1
    assert sizes(server, Place(LIST, "x"), Place(LIST, "y")) == [0, 2]
    assert server.flush() == 1
    assert contents(client, server.namespace) == {}


def test_contents_come_with_rows(server: RedisServer) -> None:
    changes = [Change(id, None, (f"n{id % 7}-{id}",)) for id in range(1, 2301)]
    server.execute([Commit(saves=(Save(DOC, changes),)), *fill(*all_of_row(1), *all_of_row(2222))])
    names = tuple(name for name, _ in FIELDS)
    selects = [
        Select(DOC, All(), structures=names),
        Select(DOC, All(), Sort("name", desc=True), fields=(), structures=names[::-1]),
        Select(DOC, Ids((2222,)), fields=("name",), structures=("a_ts", "a_list", "a_list")),
    ]
    every, backwards, one = server.execute(list[Request](selects))
    for found in (every, backwards):
        by_id = {id: row for id, *row in zip(found.ids, *found.structures, strict=True)}
        assert list(map(bool, by_id[3])) == [False] * 7
        for id in (1, 2222):
            assert by_id[id] == list(FULL.values())[:: 1 if found is every else -1]
    assert every.rows[2221] == (changes[2221].values[0],)
    assert (one.rows, one.structures) == ([("n3-2222",)], ([FULL["ts"]], [FULL["list"]], [FULL["list"]]))


BAG = kind(
    "bag",
    [Operation("add", "none", "makes", commits=True), Operation("size", "int"), Operation("items", "raw")],
    lua="""kinds.bag = {
        add = function(key, a)
            for _, pair in ipairs(a) do
                redis.call('HINCRBY', key, pair[1], pair[2])
                redis.call('LPUSH', key .. ':log', pair[1])
            end
        end,
        size = function(key) return redis.call('HLEN', key) end,
        items = function(key) return {redis.call('HGETALL', key), redis.call('LRANGE', key .. ':log', 0, -1)} end,
    }""",
    suffixes=("", ":log"),
    type="hash",
)


def test_a_kind_of_an_application(server: RedisServer, client: redis.Redis) -> None:
    table = Table("t", Column("id", "int"), (), True, structures=(("bag", BAG),))
    places = [Place(BAG, "x"), Place(BAG, "bag", table, 1), Place(BAG, "y", table)]
    server.execute([put(table, 1), put(table, 2)])
    add = ((b"a", 2), (b"b", 1), (b"a", -1))
    server.execute([Commit(calls=tuple(Call(place, "add", add) for place in places))])
    server.execute([Commit(saves=(Save(table, [Change(5, 1, ())]),))])
    place = Place(BAG, "bag", table, 5)
    assert server.execute([Call(place, "add", add[:1]), Call(place, "items"), Call(place, "size")]) == [
        None,
        [[b"a", b"3", b"b", b"1"], [b"a", b"a", b"b", b"a"]],
        2,
    ]
    (found,) = server.execute([Select(table, All(), structures=("bag",))])
    assert found.structures[0][1] == server.execute([Call(place, "items")])[0]
    assert len(server.execute([Keys(table)])[0]) == 4
    server.execute([Commit((Delete(table, Ids((5,))),), calls=(Call(places[2], "delete"),))])
    check(client, server.namespace, [table])
    assert server.flush() == 2 + 1
    assert contents(client, server.namespace) == {}


def test_numbers_in_strings(server: RedisServer) -> None:
    place = Place(STRING, "n")
    assert server.execute([Call(place, "incr", (number,)) for number in (2**53, 1, -1)])[1] == 2**53 + 1
    for number in (2**63 - 1, 2**63, -(2**64)):
        with pytest.raises(BadStructureValue, match="incr"):
            server.execute([Call(place, "incr", (number,))])
    server.execute([Call(place, "append", (b"x",))])
    with pytest.raises(BadStructureValue):
        server.execute([Call(place, "incr", (1,))])
    assert items(server, place) == [b"%dx" % 2**53]


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Attempts without pauses."""
    monkeypatch.setattr(talk, "PAUSES", (0.0, 0.0))


WRITES = [
    Call(Place(LIST, "x"), "push_back", (b"b",)),
    Call(Place(LIST, "x"), "pop_front"),
    Call(Place(STRING, "n"), "incr", (1,)),
    Call(Place(TS, "t"), "ipop_range", (0, 0)),
    Call(Place(HASH, "h"), "delete"),
]


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("call", WRITES, ids=lambda call: str(call.operation))
@pytest.mark.parametrize("is_async", [False, True])
def test_a_lost_reply_of_a_write_is_unknown_and_it_is_not_sent_again(
    own_server: Server, namespace: str, open_server: OpenServer, call: Call, is_async: bool
) -> None:
    direct = open_server(own_server.url, namespace=namespace)
    fill_all = fill(Place(LIST, "x"), Place(TS, "t"), Place(HASH, "h"))
    direct.execute([*fill_all, call])
    size = sizes(direct, call.place)[0]
    direct.flush()
    direct.execute([*fill_all, Call(Place(STRING, "n"), "incr", (0,))])
    fates: list[str] = []
    with Proxy(own_server.port, lambda: fates.pop() if fates else PASS) as proxy:
        server = open_server(proxy.url, namespace=namespace)
        requests: list[Request] = [call, Call(call.place, "size")]
        with pytest.raises(CallUnknown, match=call.operation):
            run(server, requests, is_async, lambda: fates.append(AFTER))
        server.close()
    assert proxy.seen[AFTER] == 1
    assert sizes(direct, call.place) == [size]
    if call.operation == "incr":
        assert items(direct, call.place) == [b"1"]


def run(server: RedisServer, requests: list[Request], is_async: bool, before: Callable[[], None]) -> list[Any]:
    """Execute requests on a connection that is open; call `before` in between."""
    if not is_async:
        server.ping()
        before()
        return server.execute(requests)

    async def main() -> list[Any]:
        try:
            await server.execute_async([Ping()])
            before()
            return await server.execute_async(requests)
        finally:
            await server.aclose()

    return asyncio.run(main())


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("fate", [BEFORE, AFTER])
def test_a_commit_with_calls_is_sent_again_and_applied_once(
    own_server: Server, namespace: str, open_server: OpenServer, fate: str
) -> None:
    fates: list[str] = []
    with Proxy(own_server.port, lambda: fates.pop() if fates else PASS) as proxy:
        server = open_server(proxy.url, namespace=namespace)
        server.execute([Commit(calls=fill(Place(LIST, "x")))])
        fates.append(fate)
        server.execute([Commit(calls=fill(Place(LIST, "x")))])
        assert items(server, Place(LIST, "x")) == [[b"a", b"b"] * 2]
        fates.append(fate)
        assert sizes(server, Place(LIST, "x")) == [4], "what reads is sent again"
        server.close()


def test_a_write_that_could_not_be_sent_is_no_unknown(open_server: OpenServer, namespace: str) -> None:
    server = open_server(f"redis://127.0.0.1:{free_port()}", namespace=namespace)
    with pytest.raises(ConnectionError) as caught:
        server.execute([WRITES[0]])
    assert not isinstance(caught.value, CallUnknown)


MANY = 100_000


def test_100_000_elements_in_one_commit_and_in_one_read(server: RedisServer, client: redis.Redis) -> None:
    server.execute([put(DOC, 1, "one")])
    values = [b"%06d" % number for number in range(MANY)]
    scored = [(float(number), value) for number, value in enumerate(values)]
    arguments: dict[str, tuple[Any, ...]] = {
        "list": tuple(values),
        "set": tuple(values),
        "zset": tuple(scored),
        "hashtable": tuple(zip(values, values, strict=True)),
        "ts": tuple(scored),
        "string": tuple(values),
        "numberarray": tuple(values),
    }
    places = all_of_row(1)
    calls = tuple(Call(place, FILL[place.kind.name][0], arguments[place.kind.name]) for place in places)
    server.execute([Commit(calls=calls)])
    expected = [*map(list, list(arguments.values())[:5]), b"".join(values), b"".join(values)]
    assert items(server, *places) == expected
    (found,) = server.execute([Select(DOC, All(), structures=tuple(name for name, _ in FIELDS))])
    assert [column[0] for column in found.structures] == expected
    half = str(MANY // 2).encode()
    removed = (Call(places[1], "remove", arguments["set"][: MANY // 2]), Call(places[4], "add", arguments["ts"]))
    server.execute([Commit(calls=removed)])
    assert items(server, places[1])[0][0] == half.rjust(6, b"0")
    assert sizes(server, places[1], places[4]) == [MANY // 2, MANY]
    assert len(server.execute([Call(places[4], "pop_range", (0.0, MANY))])[0]) == MANY
    server.execute([Commit((Delete(DOC, All()),))])
    assert server.flush() == 1
    assert contents(client, server.namespace) == {}
