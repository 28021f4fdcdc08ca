"""Waiting for an element of a list: queues of those who wait, and the two ways to wait.

Whoever puts elements into a list hands them over, under the lock of the database, to those who wait for it, in the
order in which they came. A waiter itself sleeps without that lock, until its future has a result or its time is over:
a thread in ``block``, a task in ``suspend``. Nothing here knows a container but by what ``pop`` gives. What they wait
with is imported when somebody waits: ``asyncio`` alone takes as long as all of stdnet.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from ...contract import Id, Place, Take
from ...records import Record, field

if TYPE_CHECKING:
    import asyncio
    from concurrent.futures import Future

Address: TypeAlias = tuple[str, str | None, Id | None, str]
"""A place in a namespace: the namespace, the table, the id or, without a table, the kind, and the name."""


def address(namespace: str, place: Place) -> Address:
    """Return the address of a place."""
    if place.table is None:
        return namespace, None, place.kind.name, place.name
    return namespace, place.table.name, place.id, place.name


def _future() -> Future[bytes]:
    from concurrent.futures import Future

    return Future()


class Waiter(Record, frozen=False, eq=False):
    """One who waits; ``element`` has a result as soon as something was handed over."""

    namespace: str
    take: Take
    loop: asyncio.AbstractEventLoop | None
    element: Future[bytes] = field(factory=_future)

    @property
    def address(self) -> Address:
        """Where the element comes from."""
        return address(self.namespace, self.take.place)


class Waiting:
    """Those who wait, by address, and those who were given up by a garbage collector, which must not take a lock."""

    def __init__(self) -> None:
        self.queues: dict[Address, deque[Waiter]] = {}
        self.abandoned: deque[Waiter] = deque()

    def join(self, waiter: Waiter) -> None:
        """Add one who waits."""
        self.queues.setdefault(waiter.address, deque()).append(waiter)

    def leave(self, waiter: Waiter) -> None:
        """Forget one who does not wait any more."""
        queue = self.queues.get(waiter.address, deque())
        if waiter in queue:
            queue.remove(waiter)
        if not queue:
            self.queues.pop(waiter.address, None)

    def serve(self, at: Address, pop: Callable[[Take], bytes | None]) -> None:
        """Hand over what ``pop`` gives, until it gives nothing or nobody waits; a closed loop waits for nothing."""
        queue = self.queues.get(at)
        while queue:
            waiter = queue[0]
            if waiter.loop is None or not waiter.loop.is_closed():
                element = pop(waiter.take)
                if element is None:
                    return
                waiter.element.set_result(element)
            queue.popleft()
        self.queues.pop(at, None)

    def clear(self) -> None:
        """Forget all: after a fork, none of them is in this process."""
        self.queues.clear()
        self.abandoned.clear()


def block(waiter: Waiter) -> None:
    """Sleep until there is an element or the time is over."""
    if not waiter.element.done() and waiter.take.seconds != 0:
        from concurrent.futures import wait

        wait([waiter.element], _seconds(waiter.take))


async def suspend(waiter: Waiter) -> None:
    """Suspend the task until there is an element or the time is over."""
    if not waiter.element.done() and waiter.take.seconds != 0:
        import asyncio

        await asyncio.wait([asyncio.wrap_future(waiter.element)], timeout=_seconds(waiter.take))


def _seconds(take: Take) -> float | None:
    return None if take.seconds is None else min(take.seconds, threading.TIMEOUT_MAX)
