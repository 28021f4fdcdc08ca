"""The memory server: one lock around a store, and a branch for each request.

``memory://`` is private to the server that was made for it; ``memory://name`` is one database for the whole
process. Both live as long as the process or the server does, and a forked child has a copy of its own.
"""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any
from weakref import WeakSet

from ...contract import (
    Aggregate,
    Call,
    Commit,
    Committed,
    Count,
    Flush,
    Group,
    Keys,
    Ping,
    Refused,
    Request,
    Select,
    Selected,
    Take,
    keys,
)
from ...errors import BadConnectionString, shown
from .. import parse_backend
from ..base import BackendDataServer
from .aggregate import aggregate
from .commit import commit
from .places import begin, end, give_back, is_ownerless, perform, serve, sweep
from .plans import Reader
from .select import select
from .shelf import Shelf
from .store import Store
from .waiting import Waiter, block, suspend


class Database:
    """A store, the lock that guards it, and the clock, in seconds, that its rows and tokens age by."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.lock = threading.RLock()
        self.store = Store(clock)
        with _registry_lock:
            _databases.add(self)


_databases: WeakSet[Database] = WeakSet()
_named: dict[str, Database] = {}
_registry_lock = threading.RLock()
_held: list[Database] = []


def _before_fork() -> None:
    """Wait until no thread is inside a store, so that the child's copy is whole."""
    _registry_lock.acquire()
    _held[:] = _databases
    for database in _held:
        database.lock.acquire()


def _after_fork_in_parent() -> None:
    for database in _held:
        database.lock.release()
    _held.clear()
    _registry_lock.release()


def _after_fork_in_child() -> None:
    global _registry_lock
    for database in _held:
        database.lock = threading.RLock()
        database.store.waiting.clear()
    _held.clear()
    _registry_lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork_in_parent, after_in_child=_after_fork_in_child)


class MemoryServer(BackendDataServer):
    """A database in this process; safe to share between threads, event loops and routers."""

    name = "memory"

    def __init__(self, database: Database, address: str = "", namespace: str = "") -> None:
        self.database = database
        self.namespace = namespace
        self._reader = Reader(database.store, namespace)
        self.connection_string = f"memory://{address}" + (f"?namespace={namespace}" if namespace else "")
        self._answer: dict[type, Callable[[Any], Any]] = {
            Commit: self._commit,
            Select: self._select,
            Count: self._count,
            Call: self._call,
            Aggregate: self._aggregate,
            Keys: self._keys,
            Flush: self._flush,
            Ping: lambda request: True,
        }

    def execute(self, requests: Sequence[Request]) -> list[Any]:
        match requests:
            case [Take() as request]:
                return [self._take(request)]
        with self.database.lock:
            if self.database.store.waiting.abandoned:
                sweep(self.database.store)
            replies = []
            for each in requests:
                if self.database.store.mortal:
                    self.database.store.expire()
                replies.append(self._answer[type(each)](each))
            return replies

    async def execute_async(self, requests: Sequence[Request]) -> list[Any]:
        match requests:
            case [Take() as request]:
                return [await self._take_async(request)]
        return self.execute(requests)

    def check(self) -> None:
        """Raise ``AssertionError`` unless every invariant of the database holds."""
        with self.database.lock:
            self.database.store.check()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, MemoryServer) and other.database is self.database and other.namespace == self.namespace

    def __hash__(self) -> int:
        return hash((id(self.database), self.namespace))

    def _commit(self, request: Commit) -> Committed | Refused:
        store, key = self.database.store, (self.namespace, request.token or "")
        if request.token is None:
            return commit(self._reader, request)
        if key in store.tokens and store.is_fresh(key, store.clock()):
            return store.tokens[key][1]
        reply = commit(self._reader, request)
        if isinstance(reply, Committed):
            store.remember(key, reply, store.clock())
        return reply

    def _select(self, request: Select) -> Selected:
        return select(self._reader, request)

    def _count(self, request: Count) -> int:
        return self._reader.count(self.database.store.table(self.namespace, request.table), request.plan)

    def _call(self, request: Call) -> Any:
        reader = self._reader
        if is_ownerless(reader, request):
            return Refused((), (), (0,))
        reply = perform(reader, request)
        serve(reader, request.place)
        return reply

    def _take(self, request: Take) -> bytes | None:
        waiter = self._begin(Waiter(self.namespace, request, None))
        try:
            block(waiter)
        except BaseException:  # an interrupt: what was handed over meanwhile must not be lost
            self._give_back(waiter)
            raise
        return self._end(waiter)

    async def _take_async(self, request: Take) -> bytes | None:
        import asyncio  # late, see waiting

        waiter = self._begin(Waiter(self.namespace, request, asyncio.get_running_loop()))
        try:
            await suspend(waiter)
        except GeneratorExit:  # perhaps inside a garbage collection, where taking the lock is not safe
            self.database.store.waiting.abandoned.append(waiter)
            raise
        except BaseException:
            self._give_back(waiter)
            raise
        return self._end(waiter)

    def _begin(self, waiter: Waiter) -> Waiter:
        with self.database.lock:
            sweep(self.database.store)
            self.database.store.expire()
            begin(self._reader, waiter)
            return waiter

    def _end(self, waiter: Waiter) -> bytes | None:
        with self.database.lock:
            return end(self._reader, waiter)

    def _give_back(self, waiter: Waiter) -> None:
        with self.database.lock:
            give_back(self._reader, waiter)

    def _aggregate(self, request: Aggregate) -> list[Group]:
        return aggregate(self._reader, request)

    def _keys(self, request: Keys) -> list[str]:
        found = self.database.store.table(self.namespace, request.table)
        return sorted(keys.shown(key) for key in found.keys(self.namespace))

    def _flush(self, request: Flush) -> int:
        store, removed = self.database.store, 0
        for namespace, name in list(store.tables):
            if namespace == self.namespace and (request.table is None or request.table.name == name):
                removed += store.flush(namespace, name)
        if request.table is None:
            removed += sum(1 for _ in store.standalone.pop(self.namespace, Shelf()))
        return removed


_NAME = re.compile(r"[\w.-]*")


def connect(
    url: str, namespace: str | None = None, clock: Callable[[], float] | None = None, **params: Any
) -> MemoryServer:
    """Return the server of a ``memory://`` connection string; used by ``stdnet.getdb``.

    ``clock`` returns seconds, from any moment on; rows expire by it. A test brings one that it can move.
    """
    _, address, given = parse_backend(url)
    written = given.pop("namespace", "")
    prefix = written if namespace is None else namespace
    example = "memory://name?namespace=test."
    if unknown := sorted({*given, *params}):
        raise BadConnectionString("memory", f"it has no parameter {unknown[0]!r}, only namespace", example)
    if not _NAME.fullmatch(address):
        raise BadConnectionString("memory", f"{address!r} is not a name of letters, digits, '_', '-', '.'", example)
    if clock is not None and not callable(clock):
        raise BadConnectionString("memory", f"clock is a function that returns seconds, not {shown(clock)}", example)
    if not address:
        return MemoryServer(Database(clock or time.monotonic), "", prefix)
    with _registry_lock:
        database = _named.get(address) or _named.setdefault(address, Database(clock or time.monotonic))
    if clock not in (None, database.store.clock):
        raise BadConnectionString("memory", f"the database {address!r} is there already, with another clock", example)
    return MemoryServer(database, address, prefix)
