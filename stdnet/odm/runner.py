"""The drivers: they run a program to its end, blocking or with ``await``, and are the only place that waits.

A program is a generator. It yields an effect (requests for a backend, a signal to fire), is sent the outcome,
and returns its result. What goes wrong outside, cancellation included, is thrown into the program, so that its
``finally`` blocks run. Programs do no I/O themselves and know no event loop.
"""

from __future__ import annotations

from collections.abc import Awaitable, Generator, Sequence
from types import CoroutineType
from typing import Any, TypeAlias, TypeVar

from ..backends.base import BackendDataServer
from ..contract import Request
from ..errors import InvalidTransaction
from ..records import Record, field
from .signals import Event

R = TypeVar("R")


class Trip(Record, frozen=False, eq=False):
    """One round trip; the outcome is the list of replies."""

    server: BackendDataServer
    requests: Sequence[Request]

    def run(self) -> list[Any]:
        """Make the trip, blocking."""
        return self.server.execute(self.requests)

    async def arun(self) -> list[Any]:
        """Make the trip, awaiting."""
        return await self.server.execute_async(self.requests)


class Fire(Record):
    """A signal; the outcome is the list of what the callbacks returned. Only async sessions await coroutines."""

    event: Event
    sender: Any
    params: dict[str, Any] = field(factory=dict)

    def run(self) -> list[Any]:
        """Call the callbacks."""
        results = []
        for callback in self.event.callbacks(self.sender):
            result = callback(self.event, self.sender, **self.params)
            if isinstance(result, CoroutineType):
                result.close()
                raise InvalidTransaction(
                    f"A coroutine function is bound to a signal of {self.sender}, and this session is not async. "
                    "Bind a plain function, or use an AsyncRouter."
                )
            results.append(result)
        return results

    async def arun(self) -> list[Any]:
        """Call the callbacks, one after the other, and await what can be awaited."""
        results = []
        for callback in self.event.callbacks(self.sender):
            result = callback(self.event, self.sender, **self.params)
            results.append(await result if isinstance(result, Awaitable) else result)
        return results


Effect: TypeAlias = Trip | Fire
Program: TypeAlias = Generator[Effect, list[Any], R]


def run(program: Program[R]) -> R:
    """Run ``program`` blocking and return its result."""
    try:
        effect = next(program)
        while True:
            try:
                outcome = effect.run()
            except BaseException as error:
                effect = program.throw(error)
            else:
                effect = program.send(outcome)
    except StopIteration as stop:
        result: R = stop.value
        return result


async def arun(program: Program[R]) -> R:
    """Run ``program`` with ``await`` and return its result."""
    try:
        effect = next(program)
        while True:
            try:
                outcome = await effect.arun()
            except BaseException as error:
                effect = program.throw(error)
            else:
                effect = program.send(outcome)
    except StopIteration as stop:
        result: R = stop.value
        return result
