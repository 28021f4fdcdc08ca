"""Popping from a list, and waiting until it has a value, so that who is cancelled takes nothing.

To wait takes a connection that does nothing else, and so keeps nobody else waiting. A task may be cancelled when the
server has popped a value for it already. So it is told to let go, what it answers is read to the end, and a value that
came goes back to its end of the list.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from .pools import ANSWERED, TROUBLE, Pools, described, failure, packed, time_limit, unmissed
from .talk import Batch, Failure, Lost, Wait

POPS = {"front": (b"LPOP", b"BLPOP", b"LPUSH"), "back": (b"RPOP", b"BRPOP", b"RPUSH")}
"""By end of the list: what pops, what waits, and what undoes either."""

LONGEST = 1e9
"""Seconds that servers still take."""

NUDGES = 100
"""How often, every tenth of a second, the server is told to let go before its silence counts as a lost connection."""


PATIENCE = 10.0
"""Seconds for giving back, beside the time-out: after a short one a value would be lost."""


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
    connection, sent = pools.apart(wait.seconds), False
    try:
        connection.connect()
        sent = True
        connection.send_packed_command([packed([_words(wait)])])
        return _popped(connection.read_response(disable_decoding=True))
    except TROUBLE as error:
        return _trouble(error) if sent else pools.not_connected(error)
    finally:
        connection.disconnect()


class _Seat:
    """An open connection of a task that pops; ``client`` is its number at the server, which may keep it waiting."""

    def __init__(self, pools: Pools, pool: Any, connection: Any, client: int = 0) -> None:
        self.pools = pools
        self.client = client
        self.answered = self.leaving = False
        self.value: bytes | None = None
        self._pool = pool
        self._connection = connection

    async def ask(self, words: tuple[bytes, ...]) -> None:
        """Send a command. It is small, so that is done at once."""
        sending = self._connection.send_packed_command([packed([words])], check_health=False)
        await unmissed(self._connection, sending)

    async def read(self) -> None:
        """Wait for the value. Who is cut off loses nothing and may read again."""
        try:
            reply = await self._connection.read_response(disable_decoding=True, disconnect_on_error=False)
        except ANSWERED:
            self.answered = True
            raise
        self.answered, self.value = True, _popped(reply)

    async def leave(self) -> None:
        """Give the connection back. Nothing in here waits, so no cancellation can come in between."""
        if self._pool is None or not self.answered:
            await self._connection.disconnect(nowait=True)
        if self._pool is not None:
            await self._pool.release(self._connection)


async def wait_async(pools: Pools, wait: Wait) -> Any:
    """Wait without blocking the event loop until there is a value or the time is over."""
    try:
        seat = await _seat(pools, wait)
    except TROUBLE as error:
        return pools.not_connected(error)
    return await _pop(seat, wait)


async def _seat(pools: Pools, wait: Wait) -> _Seat:
    if wait.seconds == 0:
        pool = pools.shared_async()
        return _Seat(pools, pool, await pool.get_connection())
    connection = pools.apart(wait.seconds, is_async=True)
    try:
        await connection.connect()
        return _Seat(pools, None, connection, await _client_id(connection))
    except BaseException:
        await connection.disconnect(nowait=True)
        raise


async def _client_id(connection: Any) -> int:
    """Return the number that the server has for a connection; 0 if it does not tell this user."""
    try:
        return int(await _asked(connection, b"CLIENT", b"ID"))
    except ANSWERED:
        return 0


async def _asked(connection: Any, *words: bytes) -> Any:
    await connection.send_packed_command([packed([words])])
    return await connection.read_response(disable_decoding=True)


async def _pop(seat: _Seat, wait: Wait) -> Any:
    trouble: Failure | Lost | None = None
    try:
        await seat.ask(_words(wait))
        await seat.read()
    except asyncio.CancelledError:
        while not seat.leaving:  # what lets go may be cancelled, too, before it has begun
            with suppress(asyncio.CancelledError):
                await asyncio.shield(seat.pools.start(_let_go(seat, wait)))
        raise
    except TROUBLE as error:
        trouble = _trouble(error)
    except BaseException:
        await seat.leave()
        raise
    await seat.leave()
    return trouble or seat.value


async def _let_go(seat: _Seat, wait: Wait) -> None:
    """Have the server end the waiting, and give back what it popped before."""
    if seat.leaving:
        return
    seat.leaving = True
    try:
        await _give_back(seat, wait)
    except asyncio.CancelledError:  # by an event loop that is about to end, but waits for everybody once more
        await _give_back(seat, wait)
    finally:
        await seat.leave()


async def _give_back(seat: _Seat, wait: Wait) -> None:
    other = seat.pools.apart(PATIENCE, is_async=True)
    try:
        if wait.seconds != 0 and not seat.client:  # nothing but the end of the connection can end the waiting
            return
        await other.connect()
        await _end(seat, other)
        value, seat.value = seat.value, None
        if value is not None:
            await _asked(other, POPS[wait.end][2], wait.key, value)
    except TROUBLE:  # the server is gone, or this user may not end what waits
        return
    finally:
        await other.disconnect(nowait=True)


async def _end(seat: _Seat, other: Any) -> None:
    """Read the last reply; the server is told again in case that it heard of the end first."""
    for _ in range(NUDGES):
        if seat.answered:
            return
        if seat.client:
            await _asked(other, b"CLIENT", b"UNBLOCK", b"%d" % seat.client)
        with suppress(asyncio.TimeoutError):
            async with time_limit(0.1):
                await seat.read()
