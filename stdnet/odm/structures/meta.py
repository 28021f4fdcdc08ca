"""The names of structures, as models have them and as a backend sees them."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from ...contract import Kind
from ..meta import hash_of

if TYPE_CHECKING:
    from ...backends.base import BackendDataServer
    from .base import Structure


class StructureMeta:
    """The names of a kind of structure, in the words that models use."""

    type = "structure"
    app_label = "struct"
    abstract = False

    def __init__(self, kind: Kind) -> None:
        self.name = kind.name
        self.modelkey = f"{self.app_label}.{kind.name}"

    @cached_property
    def hash(self) -> str:
        """The hash of the key, which begins the ``uuid`` of a structure."""
        return hash_of(self.modelkey)

    def pkname(self) -> str:
        """Return the name of the attribute that tells structures of one kind apart."""
        return "id"

    def __str__(self) -> str:
        return self.modelkey

    __repr__ = __str__


class BackendStructure(NamedTuple):
    """A structure as a backend sees it: ``id`` is the name of its key."""

    instance: Structure
    backend: BackendDataServer
    client: Any
    id: str
