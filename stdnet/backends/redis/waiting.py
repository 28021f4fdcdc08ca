"""Popping from a list, and waiting until it has a value, so that who is cancelled takes nothing.

To wait takes a connection that does nothing else, and so keeps nobody else waiting. A task may be cancelled when the
server has popped a value for it already. So it is told to let go, what it answers is read to the end, and a value that
came goes back to its end of the list.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from .pools import ANSWERED, TROUBLE, Pools, described, failure
from .talk import Batch, Failure, Lost, Wait

POPS = {"front": (b"LPOP", b"BLPOP", b"LPUSH"), "back": (b"RPOP", b"BRPOP", b"RPUSH")}
"""By end of the list: what pops, what waits, and what undoes either."""

LONGEST = 1e9
"""Seconds that servers still take."""

_running: set[asyncio.Task[Any]] = set()
"""Tasks that event loops know only weakly."""


def _started(work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
    task = asyncio.get_running_loop().create_task(work)
    _running.add(task)
    task.add_done_callback(_running.discard)
    return task


def _words(wait: Wait) -> tuple[bytes, ...]:
    pop, waiting_pop, _ = POPS[wait.end]
    if wait.seconds == 0:
        return (pop, wait.key)
    return (waiting_pop, wait.key, b"0" if wait.seconds is None else b"%.6f" % min(max(wait.seconds, 0.001), LONGEST))


def _popped(reply: Any) -> Any:
    return reply[1] if isinstance(reply, list) else reply


def _trouble(error: BaseException) -> Failure | Lost:
    return failure(error) if isinstance(error, ANSWERED) else Lost(True, False, described(error))


def wait(pools: Pools, wait: Wait) -> Any:
    """Block until there is a value or the time is over."""
    if wait.seconds == 0:
        outcome = pools.exchange(Batch([_words(wait)]))
        return outcome if isinstance(outcome, Lost) else outcome[0]
    connection = pools.apart(wait.seconds)
    try:
        connection.connect()
    except TROUBLE as error:
        return pools.not_connected(error)
    try:
        connection.send_packed_command(connection.pack_command(*_words(wait)))
        return _popped(connection.read_response(disable_decoding=True))
    except TROUBLE as error:
        return _trouble(error)
    finally:
        connection.disconnect()


class _Seat:
    """An open connection of a task that pops; ``client`` is its number at the server, which may keep it waiting."""

    def __init__(self, pools: Pools, pool: Any, connection: Any, client: int = 0) -> None:
        self.pools = pools
        self.connection = connection
        self.client = client
        self._pool = pool

    def leave(self) -> None:
        """Give the connection back. It does not wait, so no cancellation can come in between."""
        _started(self._leave())

    async def _leave(self) -> None:
        if self._pool is None:
            await self.connection.disconnect(nowait=True)
        else:
            await self._pool.release(self.connection)


async def wait_async(pools: Pools, wait: Wait) -> Any:
    """Wait without blocking the event loop until there is a value or the time is over."""
    try:
        if wait.seconds == 0:
            pool = pools.shared_async()
            seat = _Seat(pools, pool, await pool.get_connection())
        else:
            seat = await _apart(pools, wait.seconds)
    except TROUBLE as error:
        return pools.not_connected(error)
    return await _pop(seat, wait)


async def _apart(pools: Pools, seconds: float | None) -> _Seat:
    connection = pools.apart(seconds, is_async=True)
    try:
        await connection.connect()
        return _Seat(pools, None, connection, await _client_id(connection))
    except BaseException:
        await connection.disconnect(nowait=True)
        raise


async def _client_id(connection: Any) -> int:
    """Return the number that the server has for a connection; 0 if it does not tell this user."""
    try:
        await connection.send_command(b"CLIENT", b"ID")
        return int(await connection.read_response())
    except ANSWERED:
        return 0


async def _pop(seat: _Seat, wait: Wait) -> Any:
    connection = seat.connection
    patience, connection.socket_timeout = connection.socket_timeout, None  # else sending is a task that can be cut off
    try:
        await connection.send_packed_command(connection.pack_command(*_words(wait)), check_health=False)
        connection.socket_timeout = patience
        reply = await connection.read_response(disable_decoding=True, disconnect_on_error=False)
    except asyncio.CancelledError:
        connection.socket_timeout = patience
        await asyncio.shield(_started(_let_go(seat, wait)))
        raise
    except TROUBLE as error:
        if not isinstance(error, ANSWERED):
            await connection.disconnect(nowait=True)
        seat.leave()
        return _trouble(error)
    except BaseException:
        await connection.disconnect(nowait=True)
        seat.leave()
        raise
    seat.leave()
    return _popped(reply)


async def _let_go(seat: _Seat, wait: Wait) -> None:
    """Have the server end the waiting, and give back what it popped before."""
    other = seat.pools.apart(0.0, is_async=True)
    try:
        if wait.seconds != 0 and not seat.client:  # nothing but the end of the connection can end the waiting
            await seat.connection.disconnect(nowait=True)
            return
        await other.connect()
        value = await _last_reply(seat, other)
        if value is not None:
            await other.send_command(POPS[wait.end][2], wait.key, value)
            await other.read_response()
    except TROUBLE:  # the server is gone, or this user may not end what waits
        await seat.connection.disconnect(nowait=True)
    finally:
        seat.leave()
        await other.disconnect(nowait=True)


async def _last_reply(seat: _Seat, other: Any) -> Any:
    """Return what the server popped, if it did; it is told again in case that it heard of the end first."""
    reading = _started(seat.connection.read_response(disable_decoding=True))
    try:
        while not reading.done():
            if seat.client:
                await other.send_command(b"CLIENT", b"UNBLOCK", str(seat.client))
                await other.read_response()
            await asyncio.wait((reading,), timeout=0.1)
        return _popped(await reading)
    finally:
        reading.cancel()
