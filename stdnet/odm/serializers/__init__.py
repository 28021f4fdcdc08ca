"""Serializers: rows as JSON, as CSV, and, for sets larger than memory, as lines of JSON; and the registry of them."""

from __future__ import annotations

from typing import Any

from ...errors import SerializerError, UnknownSerializer, shown
from .base import Serializer
from .formats import CsvSerializer, JsonSerializer
from .jsonlines import JsonLinesSerializer

_serializers: dict[str, type[Serializer]] = {
    "csv": CsvSerializer,
    "json": JsonSerializer,
    "jsonl": JsonLinesSerializer,
}


def get_serializer(name: str, **options: Any) -> Serializer:
    """Return a new serializer; ``UnknownSerializer``, a ``ValueError``, if none has that name.

    >>> from stdnet import odm
    >>> odm.all_serializers()
    ['csv', 'json', 'jsonl']
    >>> odm.get_serializer("json", indent=2).options
    {'indent': 2}
    """
    if name not in _serializers:
        raise UnknownSerializer(name, _serializers)
    return _serializers[name](**options)


def register_serializer(name: str, serializer: type[Serializer] | Serializer) -> None:
    """Make a serializer class, or the class of an instance, available by name, in place of one that has it."""
    made = serializer if isinstance(serializer, type) else type(serializer)
    if not issubclass(made, Serializer):
        raise SerializerError(f"Cannot register {shown(serializer)} as {name!r}. Derive it from odm.Serializer.")
    _serializers[name] = made


def unregister_serializer(name: str) -> type[Serializer] | None:
    """Forget a serializer, and return its class; ``None`` if there is none of that name."""
    return _serializers.pop(name, None)


def all_serializers() -> list[str]:
    """Return the names of all serializers, sorted."""
    return sorted(_serializers)


__all__ = [
    "CsvSerializer",
    "JsonLinesSerializer",
    "JsonSerializer",
    "Serializer",
    "all_serializers",
    "get_serializer",
    "register_serializer",
    "unregister_serializer",
]
