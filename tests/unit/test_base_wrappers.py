"""The wrappers around a backend: counting, read-only, failing on demand."""

from __future__ import annotations

import asyncio

import pytest

from stdnet import getdb
from stdnet.backends.base import BackendDataServer, Counting, FaultInjecting, ReadOnlyServer
from stdnet.contract import (
    LIST,
    All,
    Call,
    Change,
    Column,
    Commit,
    Count,
    Flush,
    Keys,
    Ping,
    Place,
    Save,
    Select,
    Table,
    Take,
)
from stdnet.errors import ReadOnly

TABLE = Table("thing", Column("id", "int"), (Column("name", "str"),), auto=True)
WRITE = Commit(saves=(Save(TABLE, [Change(None, None, ("x",))]),))
JOBS = Place(LIST, "jobs")
READS = [Ping(), Count(TABLE, All()), Select(TABLE, All()), Keys(TABLE), Call(JOBS, "items"), Call(JOBS, "get", (0,))]


def blocking(server, requests):
    return server.execute(requests)


def awaiting(server, requests):
    return asyncio.run(server.execute_async(requests))


CALLS = [blocking, awaiting]


class Closing(Counting):
    """Remember what was closed."""

    closed = ()

    def close(self):
        self.closed += ("close",)

    async def aclose(self):
        self.closed += ("aclose",)


@pytest.mark.parametrize("wrap", [Counting, ReadOnlyServer, lambda server: FaultInjecting(server, lambda *args: None)])
def test_a_wrapper_is_a_backend_like_the_one_that_it_holds(wrap):
    inner = Closing(getdb("memory://?namespace=test."))
    server = wrap(inner)
    assert isinstance(server, BackendDataServer)
    assert (server.name, server.namespace) == ("memory", "test.")
    assert str(server) == server.connection_string == "memory://?namespace=test."
    assert server.ping() is True
    server.close()
    asyncio.run(server.aclose())
    assert inner.closed == ("close", "aclose")


@pytest.mark.parametrize("call", CALLS)
def test_counting(call):
    server = Counting(getdb("memory://"))
    assert call(server, [WRITE, *READS])[2] == 1
    call(server, [])
    assert server.trips == 2
    assert server.seen == [(WRITE, *READS), ()]


@pytest.mark.parametrize("call", CALLS)
def test_failed_trips_count_too(call):
    server = Counting(ReadOnlyServer(getdb("memory://")))
    with pytest.raises(ReadOnly):
        call(server, [WRITE])
    assert server.trips == 1


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("request_", [WRITE, Commit(), Flush(), Flush(TABLE)])
def test_a_read_only_server_refuses_what_writes(call, request_):
    inner = getdb("memory://")
    inner.execute([WRITE])
    server = ReadOnlyServer(inner)
    assert call(server, READS)[1] == 1
    with pytest.raises(ReadOnly, match=f"{type(request_).__name__} writes"):
        call(server, [Ping(), request_])
    assert inner.execute([Count(TABLE, All())]) == [1]


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("operation", [each.name for each in LIST.operations.values() if each.effect != "reads"])
def test_a_read_only_server_refuses_operations_that_write(call, operation):
    inner = getdb("memory://")
    inner.execute([Call(JOBS, "push_back", (b"a", b"b"))])
    server = ReadOnlyServer(inner)
    with pytest.raises(ReadOnly, match=f'Call of "{operation}" writes'):
        call(server, [Call(JOBS, operation)])
    with pytest.raises(ReadOnly, match="Take writes"):
        call(server, [Take(JOBS, "front", 0)])
    assert call(server, [Call(JOBS, "items"), Call(JOBS, "size")]) == [[b"a", b"b"], 2]


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(("when", "rows"), [("before", 0), ("after", 1)])
def test_faults_before_and_after(call, when, rows):
    inner, seen = getdb("memory://"), []

    def fault(now, requests):
        seen.append((now, requests))
        return ZeroDivisionError("now") if now == when else None

    with pytest.raises(ZeroDivisionError):
        call(FaultInjecting(inner, fault), [WRITE])
    assert inner.execute([Count(TABLE, All())]) == [rows]
    assert seen[-1] == (when, [WRITE])
