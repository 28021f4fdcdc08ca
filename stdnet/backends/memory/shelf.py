"""A shelf: the structures of one table, or those on their own, by owner and name.

An empty structure does not stand here. Nothing here knows what a container can do.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

from ...contract import Id, Kind

Structure: TypeAlias = tuple[Kind, Any]
"""A kind and a container of it."""


class Shelf:
    """Structures by owner and name: rows' under their ids, those of the whole table under ``None``."""

    def __init__(self) -> None:
        self.owners: dict[Id | None, dict[str, Structure]] = {}

    def __iter__(self) -> Iterator[tuple[Id | None, str, Structure]]:
        for owner, structures in self.owners.items():
            for name, structure in structures.items():
                yield owner, name, structure

    def get(self, owner: Id | None, name: str) -> Structure | None:
        """Return a structure, or ``None``."""
        return self.owners[owner].get(name) if owner in self.owners else None

    def put(self, owner: Id | None, name: str, structure: Structure) -> None:
        """Keep a structure, or forget it if it is empty now."""
        if structure[1]:
            self.owners.setdefault(owner, {})[name] = structure
        else:
            self.remove(owner, name)

    def remove(self, owner: Id | None, name: str) -> None:
        """Forget a structure, if it is there."""
        structures = self.owners.get(owner, {})
        structures.pop(name, None)
        if not structures:
            self.owners.pop(owner, None)

    def drop(self, owner: Id) -> None:
        """Forget all structures of an owner."""
        self.owners.pop(owner, None)

    def move(self, owner: Id, other: Id) -> None:
        """Give all structures of an owner to another, which has none."""
        if owner in self.owners:
            self.owners[other] = self.owners.pop(owner)
