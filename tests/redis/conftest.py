"""Fixtures for what only Redis has: a server that all tests share, one that a test may torture, and clients of both."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest
import redis

from stdnet.backends import getdb
from stdnet.backends.redis.backend import RedisServer
from tests.redis.check import wipe
from tests.servers import Server, running, shared_url


@pytest.fixture(scope="session")
def url() -> str:
    """The URL of a server that all tests share."""
    return shared_url()


@pytest.fixture(scope="session")
def own_server() -> Iterator[Server]:
    """A server that tests may stop, restart and empty."""
    with running() as server:
        yield server


@pytest.fixture
def namespace(url: str) -> Iterator[str]:
    """A prefix of keys on the shared server, under which nothing is left behind."""
    made = f"t{uuid4().hex[:8]}."
    yield made
    with redis.Redis.from_url(url) as client:
        wipe(client, made)


@pytest.fixture
def server(url: str, namespace: str) -> Iterator[RedisServer]:
    """A backend with a namespace of its own."""
    found = connect(url, namespace=namespace)
    yield found
    found.close()


@pytest.fixture
def client(url: str) -> Iterator[redis.Redis]:
    """A plain client of the shared server."""
    with redis.Redis.from_url(url) as found:
        yield found


@pytest.fixture
def open_server() -> Iterator[Callable[..., RedisServer]]:
    """A function that connects; what it opened is closed after the test."""
    opened: list[RedisServer] = []

    def opening(url: str, **params: object) -> RedisServer:
        opened.append(connect(url, **params))
        return opened[-1]

    yield opening
    for found in opened:
        found.close()


def connect(url: str, **params: object) -> RedisServer:
    found = getdb(url, **params)
    assert isinstance(found, RedisServer)
    return found
