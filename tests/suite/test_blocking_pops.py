"""Pops that wait for a value: in threads and in tasks, in order, and without losing one."""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from stdnet import odm
from stdnet.errors import BadStructureValue, StructureNotBound

from ..conftest import connect, do, transaction
from .structures import Book, handle, make, raises, surface

MODELS = [Book]


async def waiting(models, verb, *args):
    """Start a verb that waits, in a task or in a thread; return what is awaited for its result."""
    if isinstance(models, odm.AsyncRouter):
        task = asyncio.ensure_future(verb(*args))
    else:
        task = asyncio.ensure_future(asyncio.get_running_loop().run_in_executor(None, lambda: verb(*args)))
    await asyncio.sleep(0.15)
    return task


async def test_what_is_there_comes_at_once(models):
    lst = await make(models, odm.List)
    await do(lst.extend("abc"))
    for timeout in (5, 0, None, 0.01):
        await do(lst.push_back("z"))
        assert await do(lst.block_pop_back(timeout)) == "z"
    assert await do(lst.block_pop_front()) == "a"
    assert await do(lst.items()) == ["b", "c"]


async def test_the_time_is_over(models):
    lst = await make(models, odm.List)
    begin = time.monotonic()
    assert await do(lst.block_pop_front(0.2)) is None
    assert await do(lst.block_pop_back(timeout=0.2)) is None
    assert time.monotonic() - begin >= 0.4
    assert await do(lst.block_pop_back(0)) is None


async def test_times_that_are_none(models):
    lst = await make(models, odm.List)
    for bad in (-1, float("nan"), "1"):
        await raises(BadStructureValue, "is not a number of seconds", lst.block_pop_front, bad)
    await raises(StructureNotBound, "block_pop_back", surface(models, odm.List)().block_pop_back)


@pytest.mark.parametrize("end", ["front", "back"])
async def test_a_value_that_comes_later(models, end):
    lst = await make(models, odm.List)
    other = handle(models, lst)
    task = await waiting(models, getattr(lst, f"block_pop_{end}"), 20)
    assert not task.done()
    await do(other.extend(["a", "b", "c"]))
    assert await task == ("a" if end == "front" else "c")
    assert await do(other.items()) == (["b", "c"] if end == "front" else ["a", "b"])


async def test_a_value_that_comes_with_a_transaction(models):
    row = await do(models[Book].new(title="one"))
    other = await do(models[Book].get(id=1))
    task = await waiting(models, row.notes.block_pop_front, 20)
    async with transaction(other.session) as t:
        other.title = "two"
        t.add(other)
        await do(other.notes.push_back({"a": 1}))
        await asyncio.sleep(0.05)
        assert not task.done()
    assert await task == {"a": 1}
    assert await do(other.notes.size()) == 0


async def test_a_rollback_serves_nobody(models):
    lst = await make(models, odm.List)
    other = handle(models, lst)
    task = await waiting(models, lst.block_pop_front, 0.5)
    t = other.session.begin()
    await do(other.push_back("never"))
    t.rollback()
    assert await task is None


async def test_several_are_served_in_order(models):
    lst = await make(models, odm.List)
    tasks = [await waiting(models, handle(models, lst).block_pop_front, 20) for _ in range(3)]
    for value in "abc":
        await do(lst.push_back(value))
    assert await asyncio.gather(*tasks) == ["a", "b", "c"]
    tasks = [await waiting(models, handle(models, lst).block_pop_front, 20) for _ in range(2)]
    await do(lst.extend("xyz"))
    assert await asyncio.gather(*tasks) == ["x", "y"]
    assert await do(lst.items()) == ["z"]


async def test_waiting_drops_what_was_loaded(models):
    lst = await make(models, odm.List)
    await do(lst.push_back("a"))
    await do(lst.items())
    assert await do(lst.block_pop_front(1)) == "a"
    assert await do(lst.items()) == []


async def test_inside_a_transaction(models):
    lst = await make(models, odm.List)
    await do(lst.push_back("a"))
    t = lst.session.begin()
    await do(lst.push_back("b"))
    assert await do(lst.block_pop_front(1)) == "a"
    assert await do(lst.block_pop_front(0.05)) is None
    t.rollback()
    assert await do(lst.size()) == 0


@pytest.fixture
def async_models(server):
    models = odm.AsyncRouter(server)
    models.counting = server
    return models


async def test_a_cancelled_task_takes_nothing(async_models):
    lst = await make(async_models, odm.List)
    others = [handle(async_models, lst) for _ in range(2)]
    tasks = [await waiting(async_models, other.block_pop_front, 20) for other in others]
    tasks[0].cancel()
    with pytest.raises(asyncio.CancelledError):
        await tasks[0]
    await lst.extend(["a", "b"])
    assert await tasks[1] == "a"
    assert await lst.items() == ["b"]


async def test_cancelling_while_values_come_loses_none(async_models):
    lst = await make(async_models, odm.List)
    taken: list[int] = []
    for n in range(30):
        tasks = [asyncio.ensure_future(handle(async_models, lst).block_pop_front(5)) for _ in range(2)]
        await asyncio.sleep(0)
        push = asyncio.ensure_future(handle(async_models, lst).push_back(n))
        await asyncio.sleep(0.002 * (n % 4))
        for task in tasks:
            task.cancel()
        await push
        found = await asyncio.gather(*tasks, return_exceptions=True)
        assert None not in found, "a cancelled task waited to the end"
        taken += [each for each in found if isinstance(each, int)]
    assert sorted([*taken, *await lst.items()]) == list(range(30))


async def test_tasks_wait_side_by_side_with_other_work(async_models):
    lst = await make(async_models, odm.List)
    task = await waiting(async_models, lst.block_pop_front, 20)
    other = handle(async_models, lst)
    for _ in range(20):
        assert await other.size() == 0
    await other.push_back("a")
    assert await task == "a"


@pytest.mark.parametrize("backend", ["memory", "redis"])
def test_threads_share_a_list(backend):
    server = connect(backend)
    models = odm.Router(server)
    lst = models.session().add(models.register(odm.List()))

    def worker() -> list[int]:
        mine = handle(models, lst)
        found = []
        while (value := mine.block_pop_front(20)) != "end":
            found.append(value)
        return found

    with ThreadPoolExecutor(4) as pool:
        workers = [pool.submit(worker) for _ in range(4)]
        producers = [
            threading.Thread(target=lambda part=part: [handle(models, lst).push_back(n) for n in range(part, 200, 2)])
            for part in range(2)
        ]
        for thread in producers:
            thread.start()
        for thread in producers:
            thread.join()
        lst.extend(["end"] * 4)
        taken = [n for done in workers for n in done.result()]
    assert sorted(taken) == list(range(200))
    assert lst.size() == 0
    server.check()
    server.flush()
    server.close()
