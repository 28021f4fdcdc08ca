"""A handle of the index of a model: a structure beside its table, so that transactions can carry its changes."""

from __future__ import annotations

from collections.abc import Callable
from operator import itemgetter
from typing import Any

from ... import odm
from ...records import Record
from .index import INDEX

_READ: dict[str, Callable[[str], Any]] = {"int": int, "float": float, "str": str}


class IndexField(Record):
    """What a structure of a whole table has in the place of its field."""

    model: Any
    name: str

    @property
    def meta(self) -> Any:
        """The meta of the model."""
        return self.model._meta

    def __str__(self) -> str:
        return f"{self.meta}.{self.name}"


class IndexCache(odm.StructureCache):
    """Changes wait as they came."""

    def reset(self) -> None:
        self.changes: list[tuple[str, tuple[Any, ...]]] = []

    def change(self, operation: str, arguments: tuple[Any, ...]) -> None:
        """Let a change wait."""
        self.changes.append((operation, arguments))

    def waiting(self) -> list[tuple[str, tuple[Any, ...]]]:
        return self.changes

    def absorb(self, other: odm.StructureCache) -> None:
        self.cache = None
        for operation, arguments in other.calls():
            if operation == "delete":
                self.delete()
            else:
                self.change(operation, arguments)


class SearchIndexBase(odm.Structure):
    """The documents of an index: primary key -> field -> terms."""

    kind = INDEX
    cache_class = IndexCache

    def _assembled(self, raw: Any, values: list[Any]) -> list[tuple[Any, dict[str, str]]]:
        codec, kind = self.model._meta.codec, self.model._meta.table.pk.type
        found = []
        for id, *parts in raw:
            texts = [part.decode() if isinstance(part, bytes) else part for part in parts]
            own = _READ[kind](id.decode()) if isinstance(id, bytes) and kind != "bytes" else id
            found.append((own, dict(zip(texts[::2], texts[1::2], strict=True))))
        return [(codec.load_pk(id), texts) for id, texts in sorted(found, key=itemgetter(0))]

    def _encoded(self, raw: Any) -> list[bytes]:
        return []


class SearchIndex(SearchIndexBase, odm.BlockingStructure):
    """The surface of blocking sessions."""


class AsyncSearchIndex(SearchIndexBase, odm.AwaitingStructure):
    """The surface of async sessions."""


odm.twins(SearchIndex, AsyncSearchIndex)
