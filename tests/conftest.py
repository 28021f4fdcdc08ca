"""Fixtures: the same test on each backend and with each runner.

A test of the suite is a coroutine function that takes ``models``, an empty router with the models that the test's
module lists in ``MODELS``, and wraps each verb in ``do``: ``await do(models.fund.count())``. It runs once for each
backend in ``BACKENDS`` and each runner: with a ``Router``, whose verbs return, and an ``AsyncRouter``, whose verbs
are awaited.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, ClassVar
from uuid import uuid4
from weakref import WeakSet

import pytest
import redis

from stdnet import getdb, odm
from stdnet.backends.base import BackendDataServer, Counting, Wrapper
from stdnet.backends.memory.backend import MemoryServer
from stdnet.contract import Commit, Request, Table

from .redis.check import check, wipe
from .servers import shared_url

BACKENDS: dict[str, Callable[[], str]] = {"memory": lambda: "memory://", "redis": shared_url}
"""Name -> function that returns a URL; a backend joins the whole suite by an entry here."""

ROUTERS = {"sync": odm.Router, "async": odm.AsyncRouter}


async def do(outcome: Any) -> Any:
    """Return what a verb returned, awaited if it has to be."""
    return await outcome if inspect.isawaitable(outcome) else outcome


@asynccontextmanager
async def transaction(session: Any, **options: Any) -> Any:
    """Be ``with session.begin()`` or ``async with session.begin()``, whichever the session has."""
    begun = session.begin(**options)
    if isinstance(begun, odm.AsyncTransaction):
        async with begun:
            yield begun
    else:
        with begun:
            yield begun


@asynccontextmanager
async def round_trips(router: Any, expected: int) -> Any:
    """Fail unless the block makes that many round trips to the router's backend."""
    before = router.counting.trips
    yield
    made = router.counting.trips - before
    assert made == expected, f"{made} round trips instead of {expected}"


class Checked(Wrapper):
    """A backend that can be checked: all index entries against the rows of all tables that were written."""

    opened: ClassVar[WeakSet[Checked]] = WeakSet()

    def __init__(self, url: str, namespace: str) -> None:
        super().__init__(getdb(url, namespace=namespace))
        self.url = url
        self.tables: dict[str, Table] = {}
        self.opened.add(self)

    def before(self, requests: Sequence[Request]) -> None:
        for request in requests:
            if isinstance(request, Commit):
                self.tables |= {save.table.name: save.table for save in request.saves}

    def wipe(self) -> None:
        """Leave nothing behind."""
        self.flush()
        if not isinstance(self.server, MemoryServer):
            with redis.Redis.from_url(self.url) as client:
                wipe(client, self.namespace)

    def check(self) -> None:
        """Raise ``AssertionError`` unless every index fits its rows and nothing else is there."""
        if isinstance(self.server, MemoryServer):
            self.server.check()
        else:
            with redis.Redis.from_url(self.url) as client:
                check(client, self.namespace, self.tables.values())


def connect(backend: str) -> Checked:
    """Return a backend of ``BACKENDS`` with an empty namespace of its own."""
    return Checked(BACKENDS[backend](), f"test-{uuid4().hex[:8]}.")


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run coroutine tests in an event loop of their own."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    arguments = {name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames}

    async def test() -> None:
        try:
            await pyfuncitem.obj(**arguments)
        finally:
            for server in tuple(Checked.opened):  # their connections belong to this event loop
                await server.aclose()

    asyncio.run(test())
    return True


@pytest.fixture(params=sorted(BACKENDS))
def server(request: pytest.FixtureRequest) -> Iterator[Checked]:
    """A backend with an empty namespace of its own, which is checked and emptied afterwards."""
    made = connect(request.param)
    yield made
    try:
        made.check()
    finally:
        made.wipe()
        made.close()


@pytest.fixture(params=sorted(ROUTERS))
def router_class(request: pytest.FixtureRequest) -> Any:
    """``Router`` and ``AsyncRouter``."""
    return ROUTERS[request.param]


@pytest.fixture
def models(request: pytest.FixtureRequest, server: BackendDataServer, router_class: Any) -> Any:
    """A router over the backend with the models of the test's module; ``models.counting`` counts round trips."""
    counting = Counting(server)
    router = router_class(counting)
    router.counting = counting
    for model in getattr(request.module, "MODELS", ()):
        router.register(model)
    return router
