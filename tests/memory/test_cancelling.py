"""Waiting for elements and being cancelled, interrupted or destroyed meanwhile: nothing is lost on the way."""

from __future__ import annotations

import asyncio
import gc
import logging
import random
import sys
import time
from collections import Counter

import pytest

from stdnet.contract import LIST, Call, Commit, Delete, Ids, Kind, Place

from .test_threads import in_a_child
from .waiters import (
    JOBS,
    LONG,
    QUEUE,
    commit,
    content,
    push,
    queued,
    rows,
    start,
    start_tasks,
    take,
    take_async,
)

# -- cancelled, interrupted, destroyed ----------------------------------------------------------------------------


def test_one_that_is_cancelled_takes_nothing(server):
    async def main():
        first, second, third = await start_tasks(server, "front", "front", "front")
        second.cancel()
        with pytest.raises(asyncio.CancelledError):
            await second
        assert queued(server) == 2
        push(server, b"a", b"b", b"c")
        return await asyncio.gather(first, third)

    assert asyncio.run(main()) == [b"a", b"b"]
    assert content(server) == [b"c"]


@pytest.mark.parametrize(("end", "left"), [("front", [b"a", b"b", b"c"]), ("back", [b"a", b"b", b"c"])])
def test_what_one_that_is_cancelled_got_goes_back_to_its_end(server, end, left):
    async def main():
        (task,) = await start_tasks(server, end)
        push(server, b"a", b"b", b"c")
        assert len(content(server)) == 2
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert content(server) == left


def test_what_one_that_is_cancelled_got_goes_to_the_next(server, pool):
    async def main():
        (task,) = await start_tasks(server, "front")
        (waiter,) = start(server, pool, "front")
        push(server, b"a")
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return await asyncio.wrap_future(waiter)

    assert asyncio.run(main()) == b"a"
    assert content(server) == []


def test_what_comes_back_after_its_row_is_gone_is_gone_with_it(server):
    place = Place(LIST, "jobs", QUEUE, "q")

    async def main():
        server.execute([Commit(saves=(rows(("q", None)),))])
        (task,) = await start_tasks(server, "front", place=place)
        push(server, b"a", place=place)
        server.execute([Commit(deletes=(Delete(QUEUE, Ids(["q"])),))])
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert content(server, place) == []


def test_a_time_out_of_asyncio_loses_nothing(server):
    async def main():
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(take_async(server, "front", None), 0.001)
        assert queued(server) == 0

    asyncio.run(main())
    push(server, b"a")
    assert content(server) == [b"a"]


def test_the_end_of_a_loop_cancels_those_who_wait_in_it(server):
    async def main():
        (task,) = await start_tasks(server, "front")
        return task

    assert asyncio.run(main()).cancelled()
    push(server, b"a")
    assert content(server) == [b"a"]


def test_an_interrupt_gives_back(server, monkeypatch):
    def interrupted(waiter):
        push(server, b"a", b"b")
        raise KeyboardInterrupt

    monkeypatch.setattr("stdnet.backends.memory.backend.block", interrupted)
    with pytest.raises(KeyboardInterrupt):
        take(server)
    assert (content(server), queued(server)) == ([b"a", b"b"], 0)


def test_time_is_over_just_when_an_element_comes(server, monkeypatch):
    monkeypatch.setattr("stdnet.backends.memory.backend.block", lambda waiter: push(server, b"a", b"b"))
    assert take(server) == b"a"
    assert content(server) == [b"b"]


@pytest.fixture
def quiet(caplog):
    """Asyncio says that a task was destroyed; that is what is tested."""
    with caplog.at_level(logging.CRITICAL, "asyncio"):
        yield


def abandoned(server, *ends):
    """Return a loop in which tasks wait, and that does not run any more."""
    loop = asyncio.new_event_loop()
    loop.run_until_complete(start_tasks(server, *ends))
    return loop


def test_a_loop_that_is_closed_waits_for_nothing(server, pool, quiet):
    abandoned(server, "front", "front").close()
    assert queued(server) == 2
    (thread,) = start(server, pool, "front")
    push(server, b"a", b"b")
    assert (thread.result(LONG), content(server)) == (b"a", [b"b"])


def test_a_loop_that_stands_still_gets_its_elements_when_it_runs_on(server):
    loop = asyncio.new_event_loop()
    (task,) = loop.run_until_complete(start_tasks(server, "front"))
    push(server, b"a", b"b")
    assert content(server) == [b"b"]
    assert loop.run_until_complete(task) == b"a"
    loop.close()


def test_a_task_that_is_destroyed_gives_back_what_it_got(server, quiet):
    loop = abandoned(server, "front", "back")
    push(server, b"a", b"b", b"c")
    assert content(server) == [b"b"]
    loop.close()
    del loop
    gc.collect()
    assert content(server) == [b"a", b"b", b"c"]


def test_a_coroutine_that_is_closed_leaves_the_queue(server):
    async def main():
        coroutine = take_async(server)
        coroutine.send(None)
        assert queued(server) == 1
        coroutine.close()
        push(server, b"a")
        assert (content(server), queued(server)) == ([b"a"], 0)

    asyncio.run(main())


# -- all at once ---------------------------------------------------------------------------------------------------


def test_nothing_is_lost_and_nothing_comes_twice(server, pool):
    """Threads and tasks take, some impatient or cancelled, while others push by calls and commits."""
    producers, each = 4, 150
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)

    def produce(number):
        for n in range(each):
            value = b"%d-%d" % (number, n)
            if n % 2:
                push(server, value, end=("front", "back")[n % 3 == 0])
            else:
                commit(server, Call(JOBS, "push_back", (value,)))

    def consume(seed):
        patience, got = random.Random(seed), []
        while (value := take(server, patience.choice(["front", "back"]), patience.choice([0, 0.0001, 1]))) != b"end":
            got += [value] if value else []
        return got

    async def consume_async(seed):
        patience, got, cancelled = random.Random(seed), [], 0
        while True:
            task = asyncio.create_task(take_async(server, "front", patience.choice([0, 0.0001, 1])))
            if patience.random() < 0.5:
                await asyncio.sleep(0)
                task.cancel()
            try:
                value = await task
            except asyncio.CancelledError:
                cancelled += 1
                continue
            if value == b"end":
                return got
            got += [value] if value else []

    async def several(seed):
        found = await asyncio.gather(*(consume_async(seed * 10 + n) for n in range(3)))
        return [value for got in found for value in got]

    try:
        consumers = [pool.submit(consume, seed) for seed in range(3)]
        consumers += [pool.submit(lambda seed: asyncio.run(several(seed)), seed) for seed in range(2)]
        for done in [pool.submit(produce, number) for number in range(producers)]:
            done.result(LONG)
        while content(server):
            time.sleep(0.001)
        push(server, *[b"end"] * 9)
        got = Counter(value for consumer in consumers for value in consumer.result(LONG))
    finally:
        sys.setswitchinterval(before)
    assert got == Counter(b"%d-%d" % (number, n) for number in range(producers) for n in range(each))
    assert (content(server), queued(server)) == ([], 0)


def test_nobody_waits_in_a_forked_child(server, pool):
    (waiter,) = start(server, pool, "front")

    def child():
        push(server, b"child")
        return f"{content(server)} {queued(server)}"

    assert in_a_child(child) == "[b'child'] 0"
    push(server, b"parent")
    assert waiter.result(LONG) == b"parent"


def test_a_kind_of_an_application_is_waited_for_by_its_pops(server, pool):
    class Stack(list):
        def push_back(self, *values):
            self.extend(values)

        def pop_front(self):
            return self.pop() if self else None

        items = list.copy

    stack = Kind("stack", LIST.operations, container=Stack)
    place = Place(stack, "s")
    (waiter,) = start(server, pool, "front", place=place)
    push(server, b"a", b"b", place=place)
    assert (waiter.result(LONG), content(server, place)) == (b"b", [b"a"])
