"""The interface of a backend, and small wrappers that hold a backend and are one.

A backend interprets the requests of ``stdnet.contract``; it knows nothing of models. What speaks to a server
lives in the packages beside this module, and nothing here imports them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

from ..contract import Call, Commit, Flush, Ping, Request, Take
from ..errors import ReadOnly


class BackendDataServer(ABC):
    """A database, reached blocking by ``execute`` and from a coroutine by ``execute_async``.

    Both take a list of requests, make one round trip and return one reply for each request, in order. The first
    request that cannot be answered raises, and those after it are not executed. A backend may be shared by any
    number of routers, threads and event loops.
    """

    name: str = ""
    """The scheme of the connection string."""

    namespace: str = ""
    """Prefix of every table's name in this database."""

    connection_string: str = ""
    """The URL that leads here, without secrets."""

    @abstractmethod
    def execute(self, requests: Sequence[Request]) -> list[Any]:
        """Answer the requests; raise ``ConnectionError`` if the server cannot be reached."""

    @abstractmethod
    async def execute_async(self, requests: Sequence[Request]) -> list[Any]:
        """Answer the requests as ``execute`` does, without blocking the event loop."""

    def ping(self) -> bool:
        """Return ``True`` if the server answers; raise ``ConnectionError`` otherwise."""
        return bool(self.execute([Ping()])[0])

    def flush(self) -> int:
        """Remove everything of this namespace and return the number of keys removed."""
        return int(self.execute([Flush()])[0])

    def close(self) -> None:  # noqa: B027  (nothing to do unless there are connections)
        """Release the blocking connections. A later ``execute`` opens new ones."""

    async def aclose(self) -> None:  # noqa: B027
        """Release the connections of the running event loop."""

    def __str__(self) -> str:
        return self.connection_string

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.connection_string!r})"


class Wrapper(BackendDataServer):
    """A backend that passes everything on to another one; base of the wrappers below."""

    def __init__(self, server: BackendDataServer) -> None:
        self.server = server
        self.name = server.name
        self.namespace = server.namespace
        self.connection_string = server.connection_string

    def execute(self, requests: Sequence[Request]) -> list[Any]:
        self.before(requests)
        replies = self.server.execute(requests)
        self.after(requests)
        return replies

    async def execute_async(self, requests: Sequence[Request]) -> list[Any]:
        self.before(requests)
        replies = await self.server.execute_async(requests)
        self.after(requests)
        return replies

    def close(self) -> None:
        self.server.close()

    async def aclose(self) -> None:
        await self.server.aclose()

    def before(self, requests: Sequence[Request]) -> None:
        """Look at requests on their way in; raise to stop them."""

    def after(self, requests: Sequence[Request]) -> None:
        """Look at requests that were answered; raise to lose the reply."""


class Counting(Wrapper):
    """Count the round trips and keep the requests that made them.

    >>> from stdnet import getdb
    >>> server = Counting(getdb("memory://"))
    >>> server.ping(), server.trips
    (True, 1)
    """

    def __init__(self, server: BackendDataServer) -> None:
        super().__init__(server)
        self.seen: list[tuple[Request, ...]] = []

    @property
    def trips(self) -> int:
        """The number of round trips so far."""
        return len(self.seen)

    def before(self, requests: Sequence[Request]) -> None:
        self.seen.append(tuple(requests))


class ReadOnlyServer(Wrapper):
    """Refuse requests that write, with ``ReadOnly``."""

    def before(self, requests: Sequence[Request]) -> None:
        for request in requests:
            if isinstance(request, (Commit, Flush, Take)):
                raise ReadOnly(type(request).__name__)
            if isinstance(request, Call) and request.place.kind.operations[request.operation].effect != "reads":
                raise ReadOnly(f'Call of "{request.operation}"')


class FaultInjecting(Wrapper):
    """Fail where a test says so: before the server sees the requests, or after it has answered them.

    ``fault(when, requests)`` is called with ``"before"`` and ``"after"``; what it returns, if anything, is raised.
    """

    def __init__(
        self, server: BackendDataServer, fault: Callable[[str, Sequence[Request]], BaseException | None]
    ) -> None:
        super().__init__(server)
        self.fault = fault

    def before(self, requests: Sequence[Request]) -> None:
        if error := self.fault("before", requests):
            raise error

    def after(self, requests: Sequence[Request]) -> None:
        if error := self.fault("after", requests):
            raise error
