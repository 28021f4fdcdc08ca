"""The Redis server: ``execute`` and its async twin, which do what ``talk`` says with the connections of ``pools``."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Sequence
from typing import Any
from weakref import WeakValueDictionary

from ...contract import Commit, Committed, Request
from ...errors import BadConnectionString, ImproperlyConfigured, MissingExtra
from ...records import replace
from ..base import BackendDataServer
from .address import EXAMPLE, Address, parse
from .commits import resolve
from .talk import Batch, Talk, Wait, converse, run_all

try:
    from .pools import Pools
    from .waiting import wait, wait_async
except ImportError as error:
    if error.name is None or error.name.partition(".")[0] != "redis":
        raise
    raise MissingExtra("redis://", "redis") from None


class RedisServer(BackendDataServer):
    """A database on a Redis or Valkey server; safe to share between threads, event loops, forks and routers.

    A commit gets a token if it has none, so that it can be sent again when its reply was lost. A list of requests is
    one round trip for each commit in it: what comes before a commit is answered first.
    """

    def __init__(self, pools: Pools, address: Address) -> None:
        self.name = address.scheme
        self.namespace = address.namespace
        self.connection_string = address.shown
        self._pools = pools
        self._address = address

    def execute(self, requests: Sequence[Request]) -> list[Any]:
        return self._drive(converse([with_token(request) for request in requests], self.namespace))

    async def execute_async(self, requests: Sequence[Request]) -> list[Any]:
        return await self._drive_async(converse([with_token(request) for request in requests], self.namespace))

    def resolve(self, token: str) -> Committed | None:
        """Return what the commit of a ``CommitUnknown`` did, or ``None`` if it was not applied.

        ``None`` is final: a commit that is still on its way will be refused. The server knows ten minutes of commits.
        """
        program = resolve(token, self.namespace)
        reply: Committed | None = self._drive(run_all([program], [next(program)]))[0]
        return reply

    async def resolve_async(self, token: str) -> Committed | None:
        """Return what the commit of a ``CommitUnknown`` did, as ``resolve`` does."""
        program = resolve(token, self.namespace)
        reply: Committed | None = (await self._drive_async(run_all([program], [next(program)])))[0]
        return reply

    def close(self) -> None:
        self._pools.close()

    async def aclose(self) -> None:
        await self._pools.aclose()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RedisServer) and other._address == self._address

    def __hash__(self) -> int:
        return hash(self.connection_string)

    def _drive(self, talk: Talk) -> list[Any]:
        try:
            step = next(talk)
            while True:
                if isinstance(step, Batch):
                    step = talk.send(self._pools.exchange(step))
                elif isinstance(step, Wait):
                    step = talk.send(wait(self._pools, step))
                else:
                    time.sleep(step.seconds)
                    step = next(talk)
        except StopIteration as stop:
            replies: list[Any] = stop.value
            return replies

    async def _drive_async(self, talk: Talk) -> list[Any]:
        try:
            step = next(talk)
            while True:
                if isinstance(step, Batch):
                    step = talk.send(await self._pools.exchange_async(step))
                elif isinstance(step, Wait):
                    step = talk.send(await wait_async(self._pools, step))
                else:
                    await asyncio.sleep(step.seconds)
                    step = next(talk)
        except StopIteration as stop:
            replies: list[Any] = stop.value
            return replies


def with_token(request: Request) -> Request:
    """Return a commit with a token, any other request as it is."""
    if isinstance(request, Commit) and request.token is None:
        return replace(request, token=os.urandom(12).hex())
    return request


_servers: WeakValueDictionary[Address, RedisServer] = WeakValueDictionary()
_lock = threading.Lock()


def _after_fork_in_child() -> None:
    global _lock
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)


def connect(url: Any, namespace: str | None = None, **params: Any) -> RedisServer:
    """Return the server of a connection string, the same one for the same string, or of a client of redis-py.

    Used by ``stdnet.getdb``. No connection is opened before the first request.
    """
    if not isinstance(url, str):
        return _of_client(url, namespace or "", params)
    address = parse(url, namespace, **params)
    with _lock:
        server = _servers.get(address)
        if server is None:
            server = _servers[address] = RedisServer(Pools.to(address), address)
        return server


def _of_client(client: Any, namespace: str, params: dict[str, Any]) -> RedisServer:
    keywords = getattr(getattr(client, "connection_pool", None), "connection_kwargs", None)
    if keywords is None:
        what = f"{type(client).__module__}.{type(client).__qualname__}"
        raise ImproperlyConfigured(
            f"Cannot use {what} as a backend: it is neither a connection string nor a client of redis-py "
            "for one server. Pass a string such as redis://127.0.0.1:6379, or redis.Redis(...)."
        )
    if params:
        problem = f"a client brings its own {sorted(params)[0]}; only namespace can be given"
        raise BadConnectionString("redis", problem, EXAMPLE)
    path = keywords.get("path")
    place = path or f"{keywords.get('host', '127.0.0.1')}:{keywords.get('port', 6379)}"
    options = (("client", client), ("db", keywords.get("db") or 0))
    return RedisServer(Pools.of(client), Address("unix" if path else "redis", place, namespace, options))
