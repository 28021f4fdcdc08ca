"""What the tests of waiting have in common: short ways to push and take, and to start those who wait, in order."""

from __future__ import annotations

import asyncio
import time

from stdnet.contract import LIST, Call, Change, Column, Commit, Place, Save, Table, Take

LONG = 60.0
JOBS = Place(LIST, "jobs")
QUEUE = Table("queue", Column("name", "str"), (), structures=(("jobs", LIST),))


def push(server, *values, place=JOBS, end="back"):
    return server.execute([Call(place, f"push_{end}", values)])[0]


def content(server, place=JOBS):
    return server.execute([Call(place, "items")])[0]


def take(server, end="front", seconds=LONG, place=JOBS):
    return server.execute([Take(place, end, seconds)])[0]


async def take_async(server, end="front", seconds=LONG, place=JOBS):
    return (await server.execute_async([Take(place, end, seconds)]))[0]


def queued(server):
    with server.database.lock:
        return sum(map(len, server.database.store.waiting.queues.values()))


def waiting(server, count):
    """Return when ``count`` wait."""
    while queued(server) < count:
        time.sleep(0)


def start(server, pool, *ends, **options):
    """Start threads that wait, one after the other, and return their futures."""
    before, started = queued(server), []
    for number, end in enumerate(ends, 1):
        started.append(pool.submit(take, server, end, **options))
        waiting(server, before + number)
    return started


async def start_tasks(server, *ends, **options):
    before, tasks = queued(server), []
    for number, end in enumerate(ends, 1):
        tasks.append(asyncio.create_task(take_async(server, end, **options)))
        await asyncio.sleep(0)
        assert queued(server) == before + number
    return tasks


def results(futures):
    return [each.result(LONG) for each in futures]


def commit(server, *calls, **parts):
    return server.execute([Commit(calls=calls, **parts)])


def rows(*changes):
    return Save(QUEUE, [Change(*change, ()) for change in changes])
