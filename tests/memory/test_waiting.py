"""Waiting for elements: threads and tasks, in order, without spinning, and nothing is lost on the way.

No test depends on how long something takes: one waits for a state (``waiting``), and time-outs are either zero, tiny
and bound to run out, or so long that a test that needs them would hang.
"""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import contextmanager

import pytest

from stdnet.contract import LIST, SET, Call, Change, Column, Commit, Delete, Flush, Ids, Place, Save, Table
from stdnet.errors import ResponseError

from .waiters import (
    JOBS,
    LONG,
    QUEUE,
    commit,
    content,
    push,
    queued,
    results,
    rows,
    start,
    start_tasks,
    take,
    take_async,
)

# -- what is there, and what is not ------------------------------------------------------------------------------


@pytest.mark.parametrize("seconds", [0, 0.0, LONG, None])
def test_what_is_there_is_taken_at_once(server, seconds):
    push(server, b"a", b"b", b"c")
    assert (take(server, "front", seconds), take(server, "back", seconds)) == (b"a", b"c")
    assert asyncio.run(take_async(server, "back", seconds)) == b"b"
    assert content(server) == []


@pytest.mark.parametrize("seconds", [0, 0.001])
def test_a_time_out_gives_none_and_leaves_the_queue(server, seconds):
    assert take(server, "front", seconds) is None
    assert asyncio.run(take_async(server, "back", seconds)) is None
    assert (queued(server), server.database.store.waiting.queues) == (0, {})
    push(server, b"a")
    assert content(server) == [b"a"]


def test_only_those_whose_time_is_over_leave_the_queue(server, pool):
    patient = start(server, pool, "front", "back")
    assert take(server, "front", 0.001) is None
    assert queued(server) == 2
    push(server, b"a", b"b", b"c")
    assert (results(patient), content(server)) == ([b"a", b"c"], [b"b"])


def test_a_place_of_another_kind_is_refused(server):
    server.execute([Call(Place(SET, "jobs", QUEUE), "add", (b"a",))])
    place = Place(LIST, "jobs", QUEUE)
    with pytest.raises(ResponseError, match="holds another type"):
        take(server, place=place)
    with pytest.raises(ResponseError, match="holds another type"):
        asyncio.run(take_async(server, place=place))
    assert queued(server) == 0


def test_what_comes_to_the_place_and_is_no_list_wakes_nobody(server, pool):
    place = Place(LIST, "jobs", QUEUE)
    (waiter,) = start(server, pool, "front", place=place)
    server.execute([Call(Place(SET, "jobs", QUEUE), "add", (b"a",))])
    assert queued(server) == 1
    server.execute([Call(Place(SET, "jobs", QUEUE), "delete")])
    push(server, b"b", place=place)
    assert waiter.result(LONG) == b"b"


def test_as_long_as_it_takes(server, pool):
    far = start(server, pool, "front", seconds=float(10**12)) + start(server, pool, "front", seconds=None)
    push(server, b"a", b"b")
    assert results(far) == [b"a", b"b"]


# -- order -------------------------------------------------------------------------------------------------------


def test_threads_are_served_in_the_order_in_which_they_came(server, pool):
    ends = ["front", "back", "back", "front", "front"]
    waiters = start(server, pool, *ends)
    push(server, b"1", b"2", b"3", b"4")
    push(server, b"5", b"6")
    assert results(waiters) == [b"1", b"4", b"3", b"2", b"5"]
    assert content(server) == [b"6"]


def test_tasks_are_served_in_the_order_in_which_they_came(server):
    async def main():
        tasks = await start_tasks(server, "front", "back", "back", "front", "front")
        push(server, b"1", b"2", b"3", b"4")
        push(server, b"5", b"6")
        return await asyncio.gather(*tasks)

    assert asyncio.run(main()) == [b"1", b"4", b"3", b"2", b"5"]
    assert content(server) == [b"6"]


def test_threads_and_tasks_in_one_queue(server, pool):
    async def main():
        waiters = []
        for _ in range(3):
            waiters += await start_tasks(server, "front")
            waiters += map(asyncio.wrap_future, start(server, pool, "front"))
        await asyncio.to_thread(push, server, *[b"%d" % n for n in range(6)])
        return await asyncio.gather(*waiters)

    assert asyncio.run(main()) == [b"0", b"1", b"2", b"3", b"4", b"5"]


def test_one_queue_for_each_place(server, pool):
    other = Place(LIST, "other")
    first, second = start(server, pool, "front"), start(server, pool, "front", place=other)
    push(server, b"o", place=other, end="front")
    assert results(second) == [b"o"]
    push(server, b"j")
    assert results(first) == [b"j"]


def test_the_namespace_is_a_part_of_the_place(server, pool):
    other = type(server)(server.database, "", "other.")
    (waiter,) = start(server, pool, "front")
    push(other, b"other")
    assert (queued(server), content(other)) == (1, [b"other"])
    push(server, b"mine")
    assert waiter.result(LONG) == b"mine"


# -- who wakes ---------------------------------------------------------------------------------------------------


def test_a_commit_wakes_when_it_is_done(server, pool):
    waiters = start(server, pool, "front", "back", "front")
    calls = [Call(JOBS, "push_back", (b"%d" % n,)) for n in range(4)]
    commit(server, *calls, Call(JOBS, "push_front", (b"first",)))
    assert results(waiters) == [b"first", b"3", b"0"]
    assert content(server) == [b"1", b"2"]


def test_a_commit_that_takes_back_what_it_pushes_wakes_nobody(server, pool):
    (waiter,) = start(server, pool, "front")
    commit(server, Call(JOBS, "push_back", (b"a",)), Call(JOBS, "delete"))
    assert (queued(server), content(server)) == (1, [])
    push(server, b"b")
    assert waiter.result(LONG) == b"b"


def test_a_refused_commit_wakes_nobody(server, pool):
    (waiter,) = start(server, pool, "front")
    missing = Call(Place(LIST, "jobs", QUEUE, "q"), "push_back", (b"a",))
    assert commit(server, Call(JOBS, "push_back", (b"a",)), missing)[0].gone == (1,)
    assert queued(server) == 1
    push(server, b"b")
    assert waiter.result(LONG) == b"b"


def test_a_row_that_moves_to_where_somebody_waits(server, pool):
    old, new = (Place(LIST, "jobs", QUEUE, name) for name in ("old", "new"))
    server.execute([Commit(saves=(rows(("old", None)),))])
    push(server, b"a", b"b", place=old)
    waiters = start(server, pool, "back", place=new)
    server.execute([Commit(saves=(rows(("new", "old")),))])
    assert (results(waiters), content(server, new)) == ([b"b"], [b"a"])


def test_those_who_wait_outlive_the_row_and_the_table(server, pool):
    place = Place(LIST, "jobs", QUEUE, "q")
    server.execute([Commit(saves=(rows(("q", None)),))])
    (waiter,) = start(server, pool, "front", place=place)
    server.execute([Commit(deletes=(Delete(QUEUE, Ids(["q"])),)), Flush(QUEUE), Flush()])
    other = Table("queue", Column("name", "str"), (Column("size", "int", index="range"),))
    server.execute([Commit(saves=(Save(other, [Change("q", None, (1,))]),))])
    push(server, b"a", place=Place(LIST, "jobs", other, "q"))
    assert waiter.result(LONG) == b"a"


def test_each_request_of_a_list_wakes(server, pool):
    (waiter,) = start(server, pool, "front")
    assert server.execute([Call(JOBS, "push_back", (b"a",)), Call(JOBS, "pop_front"), Call(JOBS, "size")])[1:] == [
        None,
        0,
    ]
    assert waiter.result(LONG) == b"a"


# -- without spinning --------------------------------------------------------------------------------------------


class CountingLock:
    """A lock that counts how often it was taken."""

    def __init__(self, lock):
        self.lock, self.count = lock, 0

    def __enter__(self):
        self.count += 1
        return self.lock.__enter__()

    def __exit__(self, *args):
        return self.lock.__exit__(*args)


@contextmanager
def counted(server):
    plain = server.database.lock
    server.database.lock = CountingLock(plain)
    yield server.database.lock
    server.database.lock = plain


def test_a_thread_sleeps_without_the_lock_until_it_is_woken(server, pool, monkeypatch):
    sleeps = []
    condition = threading.Condition.wait
    monkeypatch.setattr(threading.Condition, "wait", lambda *args: sleeps.append(1) or condition(*args))
    with counted(server) as lock:
        waiter = threading.Thread(target=take, args=(server, "front", None))
        waiter.start()
        while not server.database.store.waiting.queues:
            time.sleep(0)
        sleeps.clear()
        threads = threading.active_count()
        assert content(server) == []
        push(server, b"a")
        waiter.join(LONG)
        assert lock.count == 4, "the waiter looks twice: when it comes and when it goes"
        assert len(sleeps) <= 2
        assert threads == threading.active_count() + 1


def test_a_task_is_suspended_until_it_is_woken(server):
    async def main():
        with counted(server) as lock:
            steps, threads = 0, threading.active_count()
            task = asyncio.create_task(take_async(server, "front", None))
            for _ in range(100):
                await asyncio.sleep(0)
                steps += 1
            assert (steps, lock.count, threading.active_count()) == (100, 1, threads)
            push(server, b"a")
            assert await task == b"a"
            return lock.count

    assert asyncio.run(main()) == 3
