"""Arguments of scripts as msgpack: arrays of text, bytes and nil, nothing else. Knows neither a request nor a key.

Numbers travel as text, so nothing depends on how Lua reads or writes them. Columns of many values are packed by
functions of the standard library that loop in C; that is what makes a large commit cheap on this side.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from struct import pack as struct_pack
from typing import Any

from ...contract import Scalar
from ...contract.keys import text

NIL = b"\xc0"


class _Heads(dict[int, bytes]):
    """The bytes that stand before a text of some length."""

    def __missing__(self, size: int) -> bytes:
        if size < 32:
            head = bytes((0xA0 | size,))
        elif size < 1 << 8:
            head = struct_pack(">BB", 0xD9, size)
        elif size < 1 << 16:
            head = struct_pack(">BH", 0xDA, size)
        else:
            head = struct_pack(">BI", 0xDB, size)
        if size < 1 << 12:  # long ones are rare and of many sizes
            self[size] = head
        return head


_HEADS = _Heads()
_head: Callable[[int], bytes] = _HEADS.__getitem__


def _array_head(size: int) -> bytes:
    if size < 16:
        return bytes((0x90 | size,))
    return struct_pack(">BH", 0xDC, size) if size < 1 << 16 else struct_pack(">BI", 0xDD, size)


class Packed(bytes):
    """A piece that is packed already."""


def pack(value: Any) -> bytes:
    """Pack ``None``, scalars, booleans (``"1"`` and ``""``), and lists and tuples of such.

    >>> pack(["a", 10, None, True])
    b'\\x94\\xa1a\\xa210\\xc0\\xa11'
    """
    return _PACK.get(type(value), _pack_scalar)(value)


def _pack_scalar(value: Scalar) -> bytes:
    stored = text(value)
    return _head(len(stored)) + stored


def _pack_str(value: str) -> bytes:
    stored = value.encode()
    return _head(len(stored)) + stored


def _pack_array(values: Sequence[Any]) -> bytes:
    return _array_head(len(values)) + b"".join(map(pack, values))


def array(parts: Sequence[bytes]) -> Packed:
    """Join parts that are packed into an array."""
    return Packed(_array_head(len(parts)) + b"".join(parts))


_PACK: dict[type, Callable[[Any], bytes]] = {
    Packed: lambda value: value,
    type(None): lambda value: NIL,
    bool: lambda value: b"\xa11" if value else b"\xa0",
    str: _pack_str,
    list: _pack_array,
    tuple: _pack_array,
}


def texts(values: Sequence[bytes | None]) -> Packed:
    """Pack many texts, some of them perhaps missing."""
    if None in values:
        parts: Iterable[bytes] = (NIL if value is None else _head(len(value)) + value for value in values)
    else:
        parts = chain.from_iterable(zip(map(_head, map(len, values)), values, strict=True))  # type: ignore[arg-type]
    return Packed(_array_head(len(values)) + b"".join(parts))


def tagged(leaf: Any) -> str:
    """Return the stored form of a leaf of a map: a letter for its type before the text.

    >>> tagged(5), tagged(0.5), tagged("a"), tagged(b"[1]")
    ('i5', 'f0.5', 'sa', 'b[1]')
    """
    if isinstance(leaf, str):
        return f"s{leaf}"
    return f"b{leaf.decode()}" if isinstance(leaf, bytes) else f"{'i' if isinstance(leaf, int) else 'f'}{leaf!r}"


_LEAF: dict[str, Callable[[str], Any]] = {"i": int, "f": float, "s": str, "b": str.encode}


def untagged(stored: str | None) -> Any:
    """Return the leaf of a stored form."""
    return None if stored is None else _LEAF[stored[0]](stored[1:])


def _map(leaves: Mapping[str, Any]) -> bytes:
    """Return the stored form of a map, a JSON object of texts; the empty one is blank as all that is empty is."""
    texts = {path: tagged(leaf) for path, leaf in leaves.items()}
    return json.dumps(texts, ensure_ascii=False, separators=(",", ":")).encode() if texts else b""


def read_texts(stored: bytes) -> dict[str, str]:
    """Return the paths and the stored leaves of a map."""
    found: dict[str, str] = json.loads(stored) if stored else {}
    return found


def _read_map(stored: bytes) -> dict[str, Any]:
    return {path: untagged(leaf) for path, leaf in read_texts(stored).items()}


_STORED: dict[str, Callable[[Iterable[Any]], Iterable[bytes]]] = {
    "str": lambda values: map(str.encode, values),
    "bytes": lambda values: values,
    "int": lambda values: map(b"%d".__mod__, values),
    "float": lambda values: map(str.encode, map(repr, map(float, values))),
    "map": lambda values: map(_map, values),
    "leaf": lambda values: map(str.encode, map(tagged, values)),
}


def stored(kind: str, values: Sequence[Scalar]) -> list[bytes | None]:
    """Return the stored form of many values of one type; missing ones stay ``None``."""
    write = _STORED[kind]
    if None not in values:
        return list(write(values))
    present = iter(write([value for value in values if value is not None]))
    return [None if value is None else next(present) for value in values]


READ: dict[str, Callable[[bytes], Any]] = {
    "str": bytes.decode,
    "bytes": bytes,
    "int": int,
    "float": float,
    "map": _read_map,
}
"""What makes a value of a type from its stored form."""


def loaded(kind: str | Callable[[bytes], Any], values: Sequence[bytes | None]) -> list[Any]:
    """Return the values of one type, or those that a function reads, from their stored form."""
    read = READ[kind] if isinstance(kind, str) else kind
    if None not in values:
        return list(map(read, values))  # type: ignore[arg-type]
    return [None if value is None else read(value) for value in values]
