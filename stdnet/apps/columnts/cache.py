"""What a column time series keeps here: its content, if a query brought it along, and the changes that wait. Pure."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from typing import Any

from ...odm import StructureCache
from .blocks import Block, joined
from .storage import pack


class TimeseriesCache(StructureCache):
    """The changes, in the order in which they were made; ``merged_series`` is what a merge made, until it is sent.

    ``cache`` is ``None``, but after ``load_related``: then it is a container that answers all reads.
    """

    def reset(self) -> None:
        self.log: list[tuple[str, list[Any]]] = []
        self.limits: tuple[float, int] | None = None
        self.merged_series: Block | None = None

    def _note(self, operation: str, arguments: Iterable[Any]) -> None:
        if not self.log or self.log[-1][0] != operation:
            self.log.append((operation, []))
        self.log[-1][1].extend(arguments)

    def add(self, timestamp: float, field: str, value: float) -> None:
        """Write a cell."""
        self.write([Block(array("d", (timestamp,)), {field: array("d", (value,))})])

    def write(self, blocks: Iterable[Block]) -> None:
        """Write the cells of blocks."""
        self._note("add", blocks)

    def remove(self, times: Iterable[float]) -> None:
        """Remove rows."""
        self._note("remove", times)

    def forget(self, names: Iterable[str]) -> None:
        """Remove columns."""
        self._note("forget", names)

    def retain(self, age: float, rows: int) -> None:
        """Remove, after all other changes, all but the last rows."""
        self.limits = (age, rows)

    def merge(self, block: Block) -> None:
        """Replace everything."""
        self.delete()
        self.merged_series = block
        if block.times and block.columns:
            self.write([block])

    @property
    def fields(self) -> dict[str, list[float]]:
        """The columns that are to be written, with the times of their cells."""
        found: dict[str, set[float]] = {}
        for block in self._noted("add"):
            for name in block.columns:
                found.setdefault(name, set()).update(block.times)
        return {name: sorted(times) for name, times in found.items()}

    @property
    def deleted_timestamps(self) -> set[float]:
        """The times whose rows are to be removed."""
        return set(self._noted("remove"))

    @property
    def delete_fields(self) -> set[str]:
        """The columns that are to be removed."""
        return set(self._noted("forget"))

    def _noted(self, operation: str) -> list[Any]:
        return [each for noted, arguments in self.log if noted == operation for each in arguments]

    def waiting(self) -> list[tuple[str, tuple[Any, ...]]]:
        calls = [(operation, _sent(operation, arguments)) for operation, arguments in self.log]
        return calls if self.limits is None else [*calls, ("retain", self.limits)]

    def absorb(self, other: StructureCache) -> None:
        if not isinstance(other, TimeseriesCache):
            return
        self.cache = None
        if other.deleted:
            self.delete()
        for operation, arguments in other.log:
            self._note(operation, arguments)
        self.limits, self.merged_series = other.limits or self.limits, other.merged_series


def _sent(operation: str, arguments: Sequence[Any]) -> tuple[Any, ...]:
    """Return the arguments of an operation as they cross the contract."""
    if operation == "add":
        return tuple(block.raw() for block in joined(arguments))
    if operation == "remove":
        return (pack(array("d", sorted(set(arguments)))),)
    return tuple(name.encode() for name in dict.fromkeys(arguments))
