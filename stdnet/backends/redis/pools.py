"""Connections of redis-py, blocking and async: the only module that imports it. What to send is none of its business.

Connections are taken from redis-py's pools and used directly, below its clients: so nothing is sent twice behind our
back, a connection that failed to open is told from one that was lost, and no exception carries the arguments of
a command.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine, Sequence
from typing import Any
from weakref import WeakKeyDictionary

import redis
import redis.asyncio
from redis import exceptions
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.retry import Retry

from .address import Address
from .talk import Answers, Batch, Failure, Lost

if sys.version_info >= (3, 11):
    time_limit = asyncio.timeout
else:
    import async_timeout  # type: ignore[import-not-found, unused-ignore]  # redis-py brings it

    time_limit = async_timeout.timeout

TROUBLE = (exceptions.RedisError, OSError)
FINAL = (
    exceptions.AuthenticationError,
    exceptions.AuthorizationError,
    exceptions.MaxConnectionsError,
    exceptions.ResponseError,
    exceptions.DataError,
)
"""Trouble that another attempt does not help against."""

ENDLESS = 1e6
"""Seconds that are too many for the time-out of a socket."""

ANSWERED = exceptions.ResponseError
"""An error that is the answer of the server."""

KINDS = {"rediss": "SSLConnection", "unix": "UnixDomainSocketConnection"}
SHARED = (
    "host",
    "port",
    "path",
    "db",
    "username",
    "password",
    "credential_provider",
    "socket_timeout",
    "socket_connect_timeout",
    "socket_keepalive",
    "health_check_interval",
    "client_name",
    "ssl_ca_certs",
    "ssl_ca_path",
    "ssl_certfile",
    "ssl_keyfile",
    "ssl_password",
    "ssl_cert_reqs",
    "ssl_check_hostname",
)
"""Keywords of connections that mean the same, blocking or async."""


def settings(address: Address) -> dict[str, Any]:
    """Return the keywords of a connection to ``address``."""
    found: dict[str, Any] = {name: address.option(name) for name in SHARED}
    found["socket_timeout"] = address.option("timeout")
    if address.scheme == "unix":
        found["path"] = address.place
        del found["socket_keepalive"]
    else:
        host, _, port = address.place.rpartition(":")
        found["host"], found["port"] = host.strip("[]"), int(port)
    return {name: value for name, value in found.items() if value is not None}


def blocking_pool(kind: str, keywords: dict[str, Any], size: int, wait: float) -> Any:
    """Return a pool of blocking connections that waits for one to be free."""
    return redis.BlockingConnectionPool(  # type: ignore[no-untyped-call]
        connection_class=getattr(redis.connection, kind),
        max_connections=size,
        timeout=wait,
        retry=Retry(NoBackoff(), 0),
        protocol=2,
        **keywords,
    )


def async_pool(kind: str, keywords: dict[str, Any], size: int, wait: float) -> Any:
    """Return a pool of connections for the running event loop that waits for one to be free."""
    return redis.asyncio.BlockingConnectionPool(
        connection_class=HEEDFUL[kind],
        max_connections=size,
        timeout=wait,
        retry=AsyncRetry(NoBackoff(), 0),
        protocol=2,
        **keywords,
    )


async def unmissed(connection: Any, sending: Coroutine[Any, Any, None]) -> None:
    """Let a connection send within its time-out. redis-py does it by ``asyncio.wait_for``.

    Before Python 3.12 that loses a cancellation that comes when all is sent, and who is cancelled goes on.
    """
    patience, connection.socket_timeout = connection.socket_timeout, None
    try:
        async with time_limit(patience):
            await sending
    except asyncio.TimeoutError:
        raise exceptions.TimeoutError("Timeout writing to socket") from None
    finally:
        connection.socket_timeout = patience


class Heedful:
    """Mixin of async connections, which send when they open, too: no cancellation is lost."""

    async def send_packed_command(self, command: Any, check_health: bool = True) -> None:
        """Send a command, or some."""
        await unmissed(self, super().send_packed_command(command, check_health))  # type: ignore[misc]


HEEDFUL: dict[str, Any] = {
    kind: type(kind, (Heedful, getattr(redis.asyncio.connection, kind)), {}) for kind in ("Connection", *KINDS.values())
}
"""The async connections, by the names of their blocking twins."""


class Pools:
    """The connections to one server: a blocking pool, and one for each event loop that asks."""

    def __init__(self, kind: str, keywords: dict[str, Any], size: int = 50, wait: float = 20.0) -> None:
        self._parameters = (kind, keywords, size, wait)
        self._timeout: float | None = keywords.get("socket_timeout")
        self._wait = wait
        self._blocking = blocking_pool(*self._parameters)
        self._given_async: Any = None
        self._async: WeakKeyDictionary[asyncio.AbstractEventLoop, Any] = WeakKeyDictionary()
        self._running: set[asyncio.Task[Any]] = set()

    @classmethod
    def to(cls, address: Address) -> Pools:
        """Return the pools for an address."""
        kind = KINDS.get(address.scheme, "Connection")
        return cls(kind, settings(address), address.option("max_connections"), address.option("wait"))

    @classmethod
    def of(cls, client: Any) -> Pools:
        """Return pools that use the connections of a client of redis-py, and like ones for its other mode."""
        given = client.connection_pool
        keywords = {name: value for name, value in given.connection_kwargs.items() if name in SHARED}
        pools = cls(given.connection_class.__name__, keywords)
        if isinstance(client, redis.asyncio.Redis):
            pools._given_async = given
        else:
            pools._blocking = given
        return pools

    def exchange(self, batch: Batch) -> Answers | Lost:
        """Make a round trip."""
        pool = blocking_pool(*self._patient(batch)) if self._is_long(batch) else self._blocking
        try:
            connection = pool.get_connection()
        except TROUBLE as error:
            return self.not_connected(error)
        try:
            connection.send_packed_command([packed(batch.commands)])
            return [self._read(connection) for _ in batch.commands]
        except TROUBLE as error:
            connection.disconnect()
            return Lost(True, not isinstance(error, FINAL), described(error))
        except BaseException:  # its reply is still to come: nobody else may read that
            connection.disconnect()
            raise
        finally:
            pool.release(connection)
            if pool is not self._blocking:
                pool.disconnect()

    def _read(self, connection: Any) -> Any:
        try:
            return connection.read_response(disable_decoding=True)
        except exceptions.ResponseError as error:
            return failure(error)

    async def exchange_async(self, batch: Batch) -> Answers | Lost:
        """Make a round trip without blocking the event loop."""
        usual = self.shared_async()
        pool = async_pool(*self._patient(batch)) if self._is_long(batch) else usual
        try:
            connection = await pool.get_connection()
        except TROUBLE as error:
            return self.not_connected(error)
        try:
            await unmissed(connection, connection.send_packed_command([packed(batch.commands)]))
            return [await self._read_async(connection) for _ in batch.commands]
        except TROUBLE as error:
            await connection.disconnect(nowait=True)
            return Lost(True, not isinstance(error, FINAL), described(error))
        except BaseException:  # cancelled: its reply is still to come
            await connection.disconnect(nowait=True)
            raise
        finally:
            await pool.release(connection)
            if pool is not usual:
                await pool.disconnect()

    async def _read_async(self, connection: Any) -> Any:
        try:
            return await connection.read_response(disable_decoding=True)
        except exceptions.ResponseError as error:
            return failure(error)

    def _is_long(self, batch: Batch) -> bool:
        return self._timeout is not None and batch.seconds > self._timeout

    def _patient(self, batch: Batch) -> tuple[str, dict[str, Any], int, float]:
        """Return the parameters of a pool for one batch that needs more than the usual time."""
        kind, keywords, _, wait = self._parameters
        return kind, {**keywords, "socket_timeout": batch.seconds}, 1, wait

    def apart(self, seconds: float | None, is_async: bool = False) -> Any:
        """Return a connection of its own for a reply that may take that long; it is not open yet."""
        kind, keywords, _, _ = self._parameters
        patience = None if seconds is None or seconds > ENDLESS else seconds + (self._timeout or 10.0)
        keywords = {**keywords, "socket_timeout": patience, "health_check_interval": 0, "protocol": 2}
        if is_async:
            return HEEDFUL[kind](retry=AsyncRetry(NoBackoff(), 0), **keywords)
        return getattr(redis.connection, kind)(retry=Retry(NoBackoff(), 0), **keywords)

    def start(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Return a task that ``aclose`` waits for."""
        task = asyncio.get_running_loop().create_task(work)
        self._running.add(task)  # event loops know tasks only weakly
        task.add_done_callback(self._running.discard)
        return task

    def not_connected(self, error: BaseException) -> Lost:
        """Return what a connection comes to that could not be opened."""
        if "No connection available" in str(error):
            size = self._parameters[2]
            message = f"All {size} connections were in use for {self._wait:g} seconds. Raise max_connections or wait."
            return Lost(False, False, message)
        return Lost(False, not isinstance(error, FINAL), described(error))

    def shared_async(self) -> Any:
        """Return the pool of the running event loop."""
        loop = asyncio.get_running_loop()
        pool = self._async.get(loop)
        if pool is None:
            for closed in [other for other in self._async if other.is_closed()]:
                del self._async[closed]  # it is not forgotten by itself: the connections refer to it
            pool, self._given_async = self._given_async or async_pool(*self._parameters), None
            self._async[loop] = pool
        return pool

    def close(self) -> None:
        """Close the blocking connections that are idle; those in use belong to other users of this server."""
        try:
            self._blocking.disconnect(inuse_connections=False)
        except TypeError:  # before redis-py 7 a blocking pool cannot tell them apart
            self._blocking.disconnect()

    async def aclose(self) -> None:
        """Wait for what runs on its own in the running event loop, and close its connections that are idle."""
        loop = asyncio.get_running_loop()
        running = [task for task in self._running if task.get_loop() is loop]
        if running:
            await asyncio.wait(running)
        pool = self._async.get(loop)
        if pool is not None:
            await pool.disconnect(inuse_connections=False)


def packed(commands: Sequence[tuple[bytes, ...]]) -> bytes:
    """Return commands in the form of the protocol, in a third of the time that redis-py takes for it."""
    parts = []
    for command in commands:
        parts.append(b"*%d\r\n" % len(command))
        for word in command:
            parts += (b"$%d\r\n" % len(word), word, b"\r\n")
    return b"".join(parts)


def failure(error: exceptions.ResponseError) -> Failure:
    """Return an error that the server answered; redis-py cuts the word off that names a missing script."""
    prefix = "NOSCRIPT " if isinstance(error, exceptions.NoScriptError) else ""
    return Failure(prefix + str(error))


def described(error: BaseException) -> str:
    """Return what to tell of a connection that failed."""
    return f"The data server could not be reached: {error or type(error).__name__}"
