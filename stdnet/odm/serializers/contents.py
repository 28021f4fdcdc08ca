"""What is in structures, as JSON: the stored bytes and numbers exactly, whatever the picklers of their fields make of
them. Pure.

Bytes are text where they are UTF-8, which is what most picklers write, and else ``{"base64": "…"}``; infinite scores
are ``{"float": "inf"}``; sequences and pairs are lists.
"""

from __future__ import annotations

import base64
import math
from typing import Any

from ...contract import Kind
from ...errors import SerializerError, shown
from ..structures import Structure


def fields_of(meta: Any) -> list[Any]:
    """Return the structure fields of a model whose structures are dumped with its rows.

    ``SerializerError`` for one of an application's own kind, if its class does not say how ``refill`` does its work.
    """
    found = [field for field in getattr(meta, "multifields", ()) if not field.class_field]
    for field in found:
        if field.kind.operations["items"].reply == "raw" and field.structure_class().refill is Structure.refill:
            name = field.structure_class().__name__
            raise SerializerError(f"Cannot dump {field}: {name} does not override refill, which would load it again.")
    return found


def written(content: Any) -> Any:
    """Return the JSON form of what the operation ``items`` of a kind gave.

    >>> written([(1.5, b"a"), (float("inf"), b"\\xff")])
    [[1.5, 'a'], [{'float': 'inf'}, {'base64': '/w=='}]]
    """
    match content:
        case bytes():
            try:
                return content.decode()
            except UnicodeDecodeError:
                return {"base64": base64.b64encode(content).decode("ascii")}
        case list() | tuple():
            return [written(each) for each in content]
        case float() if math.isinf(content):
            return {"float": str(content)}
        case _:
            return content


def read(kind: Kind, form: Any) -> Any:
    """Return what ``items`` of a kind gave, for its JSON form; ``ValueError`` if it cannot be that."""
    content, reply = _read(form), kind.operations["items"].reply
    if not _fits(content, reply):
        raise ValueError(f"{shown(form)} is not what a {kind.name} holds")
    if reply == "scored":
        return [(float(score) + 0.0, value) for score, value in content]
    return [tuple(pair) for pair in content] if reply == "pairs" else content


def _read(form: Any) -> Any:
    match form:
        case str():
            return form.encode()
        case list():
            return [_read(each) for each in form]
        case {"base64": str(text)} if len(form) == 1:
            return base64.b64decode(text, validate=True)
        case {"float": ("inf" | "-inf") as text} if len(form) == 1:
            return float(text)
        case dict():
            raise ValueError(f"{shown(form)} stands neither for bytes nor for a number")
        case _:
            return form


def _fits(content: Any, reply: str) -> bool:
    if reply in ("raw", "bytes"):
        return reply == "raw" or isinstance(content, bytes)
    if not isinstance(content, list):
        return False
    if reply == "list":
        return all(isinstance(each, bytes) for each in content)
    key: Any = bytes if reply == "pairs" else (int, float)
    return all(
        isinstance(pair, list)
        and len(pair) == 2
        and isinstance(pair[0], key)
        and not isinstance(pair[0], bool)
        and pair[0] == pair[0]
        and isinstance(pair[1], bytes)
        for pair in content
    )
