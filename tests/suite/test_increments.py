"""Eight threads, or tasks, that count in one row: by F, and by versions with retries; no increment is lost."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from stdnet import ConflictError, odm

WORKERS, EACH = 8, 40


class Counter(odm.StdModel):
    name = odm.SymbolField(unique=True)
    total = odm.IntegerField(default=0)
    other = odm.IntegerField(default=0)
    version = odm.VersionField()

    class Meta:
        app_label = "increments"


class Pair(odm.StdModel):
    left = odm.IntegerField(default=0)
    right = odm.IntegerField(default=0)

    class Meta:
        app_label = "increments"


@pytest.fixture
def router(server: Any) -> Iterator[odm.Router]:
    """A router that threads share, which take turns a thousand times as often as usual."""
    models = odm.Router(server)
    models.register(Counter)
    models.register(Pair)
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield models
    sys.setswitchinterval(before)


def in_threads(work: Any) -> list[Any]:
    with ThreadPoolExecutor(WORKERS) as threads:
        return list(threads.map(work, range(WORKERS)))


def test_threads_that_increment_by_an_expression(router: odm.Router) -> None:
    router[Counter].new(name="a")

    def work(number: int) -> int:
        query = router[Counter].filter(name="a")
        return sum(query.update(total=odm.F("total") + 1) for _ in range(EACH))

    assert in_threads(work) == [EACH] * WORKERS
    row = router[Counter].get(name="a")
    assert (row.total, row.version) == (WORKERS * EACH, WORKERS * EACH + 1)


def test_threads_that_increment_by_versions(router: odm.Router) -> None:
    router[Counter].new(name="a")

    def once() -> int:
        conflicts = 0
        while True:
            row = router[Counter].get(name="a")
            row.total += 1
            try:
                row.session.add(row)
            except ConflictError as error:
                conflicts += len(error.conflicts)
            else:
                return conflicts

    conflicts = sum(in_threads(lambda number: sum(once() for _ in range(EACH))))
    row = router[Counter].get(name="a")
    assert (row.total, row.version) == (WORKERS * EACH, WORKERS * EACH + 1)
    assert conflicts > 0


def test_threads_that_change_different_fields(router: odm.Router) -> None:
    router[Pair].new()

    def work(number: int) -> None:
        if number > 1:
            return
        for n in range(1, 3 * EACH):
            row = router[Pair].get(id=1)
            setattr(row, ("left", "right")[number], n)
            row.session.add(row)

    in_threads(work)
    row = router[Pair].get(id=1)
    assert (row.left, row.right) == (3 * EACH - 1, 3 * EACH - 1)


async def test_tasks_that_increment_both_ways(server: Any) -> None:
    models = odm.AsyncRouter(server)
    models.register(Counter)
    await models[Counter].new(name="a")

    async def by_expression() -> None:
        await models[Counter].filter(name="a").update(other=odm.F("other") + 1)

    async def by_version() -> None:
        while True:
            row = await models[Counter].get(name="a")
            row.total += 1
            try:
                return await row.session.add(row)
            except ConflictError:
                continue

    await asyncio.gather(*(work() for _ in range(WORKERS) for work in (by_expression, by_version)))
    row = await models[Counter].get(name="a")
    assert (row.total, row.other, row.version) == (WORKERS, WORKERS, 2 * WORKERS + 1)
