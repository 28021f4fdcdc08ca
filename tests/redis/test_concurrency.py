"""Threads, tasks, event loops and forks that share one server object."""

from __future__ import annotations

import asyncio
import gc
import os
import random
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from stdnet.backends.redis.backend import RedisServer
from stdnet.contract import All, Change, Commit, Committed, Count, Delete, Eq, Refused, Save, Select, Sort
from stdnet.errors import ConnectionError
from tests.redis.tables import ITEM, LOG, insert


@pytest.fixture
def busy_threads() -> Iterator[None]:
    """Threads that take turns a thousand times as often as usual."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("busy_threads")
def test_eight_writers_over_200_names_make_no_duplicate(server: RedisServer) -> None:
    def write(seed: int) -> Counter[str]:
        chance, seen = random.Random(seed), Counter[str]()
        for _ in range(400):
            name = f"name{chance.randrange(200)}"
            commit = insert(ITEM, (name, "k", 1, None))
            if chance.random() < 0.3:
                commit = Commit((Delete(ITEM, Eq("name", (name,))),), commit.saves if chance.random() < 0.5 else ())
            elif chance.random() < 0.3:
                id = chance.randrange(1, 300)
                commit = Commit((), (Save(ITEM, [Change(id, id, (name,), ("name",))]),))
            (reply,) = server.execute([commit])
            seen[type(reply).__name__] += 1
        return seen

    with ThreadPoolExecutor(8) as threads:
        seen = sum(threads.map(write, range(8)), Counter[str]())
    assert seen["Committed"] > 500
    assert seen["Refused"] > 500
    names = [row[0] for row in server.execute([Select(ITEM, All(), fields=("name",))])[0].rows]
    assert len(names) == len(set(names)) > 50
    for name in names:
        assert server.execute([Count(ITEM, Eq("name", (name,)))]) == [1]


def test_300_threads_wait_for_a_connection(url: str, namespace: str, open_server: Callable[..., RedisServer]) -> None:
    server, replies = open_server(url, namespace=namespace, max_connections=20), list[int]()
    start = threading.Barrier(300)

    def work(number: int) -> None:
        start.wait()
        server.execute([insert(LOG, (number, 1))])
        replies.extend(server.execute([Count(LOG, Eq("number", (number,)))]))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(300)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert replies == [1] * 300


def test_1000_tasks_wait_for_a_connection(server: RedisServer) -> None:
    async def main() -> list[int]:
        await asyncio.gather(*(server.execute_async([insert(LOG, (number, 1))]) for number in range(1000)))
        found = await asyncio.gather(*(server.execute_async([Count(LOG, All())]) for _ in range(1000)))
        await server.aclose()
        return [count for (count,) in found]

    assert asyncio.run(main()) == [1000] * 1000


def test_no_free_connection_is_a_clear_error(url: str, open_server: Callable[..., RedisServer]) -> None:
    server = open_server(url, max_connections=1, wait=0.1)
    held = server._pools._blocking.get_connection()
    with pytest.raises(ConnectionError, match=r"All 1 connections were in use for 0\.1 seconds"):
        server.ping()
    server._pools._blocking.release(held)

    async def main() -> None:
        pool = server._pools.shared_async()
        held = await pool.get_connection()
        with pytest.raises(ConnectionError, match="All 1 connections were in use"):
            await server.execute_async([Count(LOG, All())])
        await pool.release(held)
        await server.aclose()

    asyncio.run(main())


def test_one_server_in_many_event_loops(server: RedisServer) -> None:
    async def main(number: int) -> int:
        await server.execute_async([insert(LOG, (number, 1))])
        (count,) = await server.execute_async([Count(LOG, All())])
        await server.aclose()
        return int(count)

    assert [asyncio.run(main(number)) for number in range(3)] == [1, 2, 3]
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda number: asyncio.run(main(number)), range(8)))
    assert server.execute([Count(LOG, All())]) == [11]
    gc.collect()  # a connection that was left open would warn now, and a warning is an error


def test_a_swap_of_unique_values_is_never_seen_half_done(server: RedisServer) -> None:
    server.execute([insert(ITEM, ("a", "k", 1, None), ("b", "k", 2, None))])
    done = threading.Event()

    def swap() -> None:
        for number in range(300):
            names = ("a", "b") if number % 2 else ("b", "a")
            changes = [Change(id, id, (name,), ("name",)) for id, name in zip((1, 2), names, strict=True)]
            assert isinstance(server.execute([Commit((), (Save(ITEM, changes),))])[0], Committed)
        done.set()

    thread = threading.Thread(target=swap)
    thread.start()
    seen = set()
    while not done.is_set():
        (found,) = server.execute([Select(ITEM, All(), Sort("name"), fields=("name",))])
        seen.add((tuple(found.ids), tuple(found.rows)))
    thread.join()
    assert seen <= {((1, 2), (("a",), ("b",))), ((2, 1), (("a",), ("b",)))}


def test_forked_children_use_connections_of_their_own(server: RedisServer) -> None:
    server.execute([insert(LOG, (0, 0))])
    children = []
    for number in range(4):
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                for step in range(50):
                    (reply,) = server.execute([insert(LOG, (number, step))])
                    status = 0 if isinstance(reply, Committed) else 1
            finally:
                os._exit(status)
        children.append(pid)
    for step in range(50):
        assert not isinstance(server.execute([insert(LOG, (9, step))])[0], Refused)
    assert [os.waitpid(pid, 0)[1] for pid in children] == [0] * 4
    assert server.execute([Count(LOG, All())]) == [251]
