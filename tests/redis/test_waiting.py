"""Waiting for a value: longer than sockets do, in order, cancelled, cut off; no value and no connection is lost."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, Literal

import pytest
import redis

from stdnet.backends.redis.backend import RedisServer
from stdnet.backends.redis.pools import Pools
from stdnet.contract import LIST, Call, Change, Column, Commit, Place, Save, Table, Take
from stdnet.errors import CallUnknown, ConnectionError, ResponseError, TableMismatch
from tests.redis.proxy import PASS, Proxy
from tests.redis.tables import put
from tests.servers import Server, free_port

OpenServer = Callable[..., RedisServer]
QUEUE = Place(LIST, "queue")
ROW = Table("row", Column("id", "int"), (Column("n", "int"),), structures=(("jobs", LIST),))


def take(seconds: float | None, end: Literal["front", "back"] = "front", place: Place = QUEUE) -> Take:
    return Take(place, end, seconds)


def push(*values: bytes, place: Place = QUEUE) -> Commit:
    return Commit(calls=(Call(place, "push_back", values),))


@pytest.fixture
def blocked(own_server: Server) -> Iterator[Callable[[int], None]]:
    """A function that waits until that many clients wait on the server; afterwards none may."""
    with redis.Redis.from_url(own_server.url) as client:

        def until(number: int) -> None:
            deadline = time.monotonic() + 10
            while client.info("clients")["blocked_clients"] != number:
                assert time.monotonic() < deadline, f"there are not {number} clients that wait"
                time.sleep(0.005)

        yield until
        until(0)


@pytest.fixture
def waiter(own_server: Server, namespace: str, open_server: OpenServer) -> RedisServer:
    return open_server(own_server.url, namespace=namespace, timeout=0.2, max_connections=2)


def clients(server: Server) -> int:
    with redis.Redis.from_url(server.url) as client:
        return len(client.client_list())


def test_what_is_there_is_taken_at_once(waiter: RedisServer) -> None:
    waiter.execute([push(b"a", b"b", b"c")])
    assert waiter.execute([take(None), take(5, "back"), take(0), take(0), push(b"d"), take(0)]) == [
        b"a",
        b"c",
        b"b",
        None,
        waiter.execute([Commit()])[0],
        b"d",
    ]


def test_a_time_out_that_is_longer_than_that_of_the_socket(waiter: RedisServer) -> None:
    start = time.monotonic()
    assert waiter.execute([take(0.7)]) == [None]
    assert time.monotonic() - start >= 0.7


@pytest.mark.parametrize("seconds", [None, 10, 1e7, float("inf")])
@pytest.mark.parametrize("place", [QUEUE, Place(LIST, "jobs", ROW, 1), Place(LIST, "all", ROW)])
def test_a_push_ends_the_waiting(
    waiter: RedisServer, blocked: Callable[[int], None], seconds: float | None, place: Place
) -> None:
    waiter.execute([put(ROW, 1, 1)])
    with ThreadPoolExecutor(2) as threads:
        taken = [threads.submit(waiter.execute, [take(seconds, end, place)]) for end in ("front", "back")]
        blocked(2)
        time.sleep(0.3)
        assert not any(each.done() for each in taken)
        waiter.execute([push(b"x", b"y", place=place)])
        assert sorted(each.result()[0] for each in taken) == [b"x", b"y"]


def test_those_who_wait_are_served_in_order(waiter: RedisServer, blocked: Callable[[int], None]) -> None:
    served: list[tuple[int, bytes]] = []
    with ThreadPoolExecutor(8) as threads:
        taken = []
        for number in range(8):
            taken.append(threads.submit(waiter.execute, [take(20)]))
            blocked(number + 1)
        waiter.execute([push(*(b"%d" % number for number in range(5))), push(b"5", b"6", b"7")])
        served = [(number, each.result()[0]) for number, each in enumerate(taken)]
    assert served == [(number, b"%d" % number) for number in range(8)]
    assert waiter.execute([Call(QUEUE, "size")]) == [0]


def test_more_wait_than_the_pool_has_connections(
    waiter: RedisServer, own_server: Server, blocked: Callable[[int], None]
) -> None:
    blocked(0)
    waiter.ping()
    before = clients(own_server)

    async def main() -> list[Any]:
        tasks = [asyncio.ensure_future(waiter.execute_async([take(20)])) for _ in range(30)]
        await asyncio.to_thread(blocked, 30)
        await waiter.execute_async([push(*(b"%d" % number for number in range(30)))])
        try:
            return await asyncio.gather(*tasks)
        finally:
            await waiter.aclose()

    assert sorted(int(value) for (value,) in asyncio.run(main())) == list(range(30))
    until(lambda: clients(own_server) == before)


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_task_that_is_cancelled_while_it_waits_takes_nothing(
    waiter: RedisServer, own_server: Server, blocked: Callable[[int], None]
) -> None:
    blocked(0)
    waiter.ping()
    before = clients(own_server)

    async def main() -> None:
        tasks = [asyncio.ensure_future(waiter.execute_async([take(None)])) for _ in range(5)]
        await asyncio.to_thread(blocked, 5)
        for task in tasks[:4]:
            task.cancel()
        assert all(
            isinstance(each, asyncio.CancelledError)
            for each in await asyncio.gather(*tasks[:4], return_exceptions=True)
        )
        await waiter.execute_async([push(b"a", b"b")])
        assert await tasks[4] == [b"a"]
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(waiter.execute_async([take(None, place=Place(LIST, "other"))]), 0.1)
        await waiter.aclose()

    asyncio.run(main())
    assert waiter.execute([Call(QUEUE, "items")]) == [[b"b"]]
    until(lambda: clients(own_server) == before)


@pytest.mark.parametrize("end", ["front", "back"])
def test_cancelling_at_any_time_loses_no_value(
    waiter: RedisServer, own_server: Server, blocked: Callable[[int], None], end: Literal["front", "back"]
) -> None:
    blocked(0)
    waiter.ping()
    before = clients(own_server)

    async def main() -> list[bytes]:
        taken: list[bytes] = []
        for number in range(150):
            task = asyncio.ensure_future(waiter.execute_async([take(None, end)]))
            await asyncio.sleep((number % 30) * 0.0002)
            pushing = asyncio.ensure_future(waiter.execute_async([push(b"%d" % number)]))
            await asyncio.sleep((number % 11) * 0.0001)
            task.cancel()
            if number % 3 == 0:
                await asyncio.sleep(0)
                task.cancel()
            await pushing
            with suppress(asyncio.CancelledError):
                taken += await task
        await waiter.aclose()
        assert asyncio.all_tasks() == {asyncio.current_task()}, "cancelled twice, they let go on their own"
        return taken

    taken = asyncio.run(main())
    (rest,) = waiter.execute([Call(QUEUE, "items")])
    assert sorted(map(int, [*taken, *rest])) == list(range(150))
    until(lambda: clients(own_server) == before)


def test_whoever_is_cancelled_does_not_go_on(waiter: RedisServer) -> None:
    async def main() -> None:
        for steps in range(120):
            task = asyncio.ensure_future(waiter.execute_async([take(20)]))
            for _ in range(steps):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait((task,), timeout=5)
            assert task.cancelled(), f"it goes on when it is cancelled after {steps} steps"
        await waiter.aclose()

    asyncio.run(main())


def test_what_did_not_wait_is_closed_with_the_others(waiter: RedisServer, own_server: Server) -> None:
    waiter.execute([push(b"a")])
    before = clients(own_server)

    async def main() -> list[Any]:
        try:
            return await waiter.execute_async([take(0)])
        finally:
            await waiter.aclose()

    assert asyncio.run(main()) == [b"a"]
    until(lambda: clients(own_server) == before)


def test_closing_waits_for_what_lets_go(waiter: RedisServer, blocked: Callable[[int], None]) -> None:
    async def main() -> None:
        task = asyncio.ensure_future(waiter.execute_async([take(None)]))
        await asyncio.to_thread(blocked, 1)
        while not task.done():
            task.cancel()
            await asyncio.sleep(0)
        assert len(asyncio.all_tasks()) == 2
        await waiter.aclose()
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(main())


def test_an_event_loop_may_end_while_tasks_wait_or_let_go(
    own_server: Server, namespace: str, open_server: OpenServer, blocked: Callable[[int], None]
) -> None:
    waiter = open_server(own_server.url, namespace=namespace)
    blocked(0)
    waiter.ping()
    before, taken = clients(own_server), []

    async def one(seconds: float | None) -> None:
        taken.extend(value for value in await waiter.execute_async([take(seconds)]) if value is not None)

    async def close_after(tasks: list[asyncio.Task[None]]) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.wait(tasks)
            await waiter.aclose()

    async def main(number: int) -> asyncio.Task[None]:
        tasks = [asyncio.ensure_future(one(seconds)) for seconds in (None, 0, 20)]
        closing = asyncio.ensure_future(close_after(tasks))
        await asyncio.sleep(number % 8 * 0.001)
        waiter.execute([push(b"%d" % number)])  # the event loop stands still
        for task in tasks[number % 4 :]:
            task.cancel()
        for _ in range(number % 13):
            await asyncio.sleep(0)
        if number % 5 == 0:
            tasks[-1].cancel()
        return closing

    for number in range(60):
        assert asyncio.run(main(number)).cancelled()
    (rest,) = waiter.execute([Call(QUEUE, "items")])
    assert sorted(map(int, [*taken, *rest])) == list(range(60))
    until(lambda: clients(own_server) == before)


def test_a_value_that_came_too_late_goes_back_to_its_end(
    waiter: RedisServer, blocked: Callable[[int], None], own_server: Server
) -> None:
    async def main() -> None:
        for end, expected in (("front", [b"a", b"b", b"c"]), ("back", [b"a", b"b", b"c"])):
            task = asyncio.ensure_future(waiter.execute_async([take(None, end)]))
            await asyncio.to_thread(blocked, 1)
            pushed = threading.Thread(target=waiter.execute, args=([push(b"a", b"b", b"c")],))
            pushed.start()
            pushed.join()  # the event loop stands still, so the reply is there before the cancellation
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            found, _ = await waiter.execute_async([Call(QUEUE, "items"), Call(QUEUE, "size")])
            assert found == expected
            await waiter.execute_async([Call(QUEUE, "delete")])
        await waiter.aclose()

    asyncio.run(main())


def test_event_loops_do_not_wait_for_each_other(waiter: RedisServer, blocked: Callable[[int], None]) -> None:
    closed = threading.Event()

    async def cancelled() -> None:
        task = asyncio.ensure_future(waiter.execute_async([take(None)]))
        await asyncio.to_thread(blocked, 2)
        task.cancel()
        await asyncio.wait((task,))
        await waiter.aclose()
        closed.set()

    async def served() -> list[Any]:
        try:
            return await waiter.execute_async([take(20)])
        finally:
            await waiter.aclose()

    with ThreadPoolExecutor(2) as threads:
        other = threads.submit(asyncio.run, served())
        threads.submit(asyncio.run, cancelled()).result()
        assert closed.is_set()
        assert not other.done()
        waiter.execute([push(b"a")])
        assert other.result() == [b"a"]


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_connections_of_an_event_loop_that_ended_are_forgotten(waiter: RedisServer, own_server: Server) -> None:
    waiter.ping()
    before = clients(own_server)

    async def main(closes: bool) -> None:
        await waiter.execute_async([push(b"a"), take(0)])
        if closes:
            await waiter.aclose()

    asyncio.run(main(False))
    asyncio.run(main(True))
    gc.collect()
    until(lambda: clients(own_server) == before)


def test_an_interrupted_thread_leaves_nothing_behind(
    waiter: RedisServer, own_server: Server, blocked: Callable[[int], None]
) -> None:
    blocked(0)
    waiter.ping()
    before = clients(own_server)

    def interrupt() -> None:
        blocked(1)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        waiter.execute([take(20)])
    thread.join()
    until(lambda: clients(own_server) == before)
    waiter.execute([push(b"a")])
    assert waiter.execute([Call(QUEUE, "items")]) == [[b"a"]]


def test_a_thread_that_is_interrupted_while_it_connects(
    waiter: RedisServer, own_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiter.ping()
    before, made = clients(own_server), []

    def apart(*arguments: Any) -> Any:
        connection = Pools.apart(waiter._pools, *arguments)
        made.append(connection)
        connecting = connection.connect

        def connect() -> None:
            connecting()
            raise KeyboardInterrupt

        connection.connect = connect
        return connection

    monkeypatch.setattr(waiter._pools, "apart", apart)
    with pytest.raises(KeyboardInterrupt):
        waiter.execute([take(20)])
    until(lambda: clients(own_server) == before)
    assert len(made) == 1


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_child_does_not_disturb_who_waits(waiter: RedisServer, blocked: Callable[[int], None]) -> None:
    with ThreadPoolExecutor(1) as threads:
        taken = threads.submit(waiter.execute, [take(20)])
        blocked(1)
        pid = os.fork()
        if pid == 0:
            try:
                found = waiter.execute([push(b"a", b"b"), take(5)])
                os._exit(0 if found[1] == b"b" else 1)
            finally:
                os._exit(2)
        assert os.waitpid(pid, 0)[1] == 0
        assert taken.result() == [b"a"]


@pytest.mark.parametrize("is_async", [False, True])
def test_a_cut_connection_is_an_unknown_outcome(
    own_server: Server, namespace: str, open_server: OpenServer, blocked: Callable[[int], None], is_async: bool
) -> None:
    with Proxy(own_server.port, lambda: PASS) as proxy:
        server = open_server(proxy.url, namespace=namespace)

        async def main() -> list[Any]:
            try:
                return await server.execute_async([take(20)])
            finally:
                await server.aclose()

        with ThreadPoolExecutor(1) as threads:
            taken = threads.submit(asyncio.run, main()) if is_async else threads.submit(server.execute, [take(20)])
            blocked(1)
            own_server.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
            with pytest.raises(CallUnknown, match=r'"block_pop_front" of a list'):
                taken.result()
        server.close()


def test_without_a_server_nothing_is_unknown(open_server: OpenServer) -> None:
    server = open_server(f"redis://127.0.0.1:{free_port()}")
    with pytest.raises(ConnectionError) as caught:
        server.execute([take(5)])
    assert not isinstance(caught.value, CallUnknown)


def test_other_keys_and_other_tables(waiter: RedisServer, own_server: Server) -> None:
    with redis.Redis.from_url(own_server.url) as client:
        client.set(f"{waiter.namespace}struct.list:queue", "x")
    with pytest.raises(ResponseError, match="another type"):
        waiter.execute([take(5)])
    place = Place(LIST, "jobs", ROW, 1)
    waiter.execute([put(ROW, 1, 1), push(b"a", place=place)])
    other = Table("row", ROW.pk, (Column("n", "int", index="range"),), structures=ROW.structures)
    with pytest.raises(TableMismatch):
        waiter.execute([take(5, place=Place(LIST, "jobs", other, 1))])
    assert waiter.execute([Commit(saves=(Save(ROW, [Change(2, 1, (1,))]),)), take(0, place=place)])[1] is None
    assert waiter.execute([take(1, place=Place(LIST, "jobs", ROW, 2))]) == [b"a"]
