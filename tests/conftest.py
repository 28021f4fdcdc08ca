"""Fixtures: the same test on each backend and with each runner.

A test of the suite is a coroutine function that takes ``models``, an empty router with the models that the test's
module lists in ``MODELS``, and wraps each verb in ``do``: ``await do(models.fund.count())``. It runs once for each
backend in ``BACKENDS`` and each runner: with a ``Router``, whose verbs return, and an ``AsyncRouter``, whose verbs are awaited.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import pytest

from stdnet import getdb, odm
from stdnet.backends.base import BackendDataServer, Counting

BACKENDS: dict[str, Callable[[str], BackendDataServer]] = {
    "memory": lambda namespace: getdb("memory://", namespace=namespace),
}
"""Name -> function from a namespace to a backend; a backend joins the whole suite by an entry here."""

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


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run coroutine tests in an event loop of their own."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = pyfuncitem._fixtureinfo.argnames
    asyncio.run(pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in names}))
    return True


@pytest.fixture(params=sorted(BACKENDS))
def server(request: pytest.FixtureRequest) -> Iterator[BackendDataServer]:
    """A backend with an empty namespace of its own, which is checked and emptied afterwards."""
    made = BACKENDS[request.param](f"test-{uuid4().hex[:8]}.")
    yield made
    made.check()  # type: ignore[attr-defined]
    made.flush()
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
