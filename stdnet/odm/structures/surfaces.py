"""The two surfaces of structures: blocking, with Python's operators, and awaiting."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any, NoReturn

from ..runner import arun, run
from .base import Structure
from .verbs import surface


class BlockingStructure(Structure):
    """The surface of sessions that block."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        surface(cls, "blocking")

    def __len__(self) -> int:
        return self.size()

    def __iter__(self) -> Iterator[Any]:
        return iter(run(self._iterated()))

    def __contains__(self, value: object) -> bool:
        return self.contains(value)


class AwaitingStructure(Structure):
    """The surface of async sessions: verbs are awaited, and ``async for`` iterates."""

    is_async = True

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        surface(cls, "awaiting")

    async def __aiter__(self) -> AsyncIterator[Any]:
        for each in await arun(self._iterated()):
            yield each

    def __iter__(self) -> NoReturn:
        raise TypeError(f"This {self._meta.name} is async. Write: async for each in structure, or: await items()")

    def __contains__(self, value: object) -> NoReturn:
        raise TypeError(f"This {self._meta.name} is async. Write: await structure.contains(value)")


def twins(blocking: type[BlockingStructure], awaiting: type[AwaitingStructure]) -> None:
    """Say that two classes are the surfaces of the same structures."""
    blocking.twin, awaiting.twin = awaiting, blocking
