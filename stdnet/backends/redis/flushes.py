"""``Flush``: what is in a namespace, found in its registers, and removed part by part. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from ...contract import Column, Table
from .calls import PART, Call, Steps, call
from .tables import from_layout

_NO_ROWS = json.dumps(Table("", Column("", "str")).layout).encode()
"""The layout of a table that has a structure of its own and never had rows."""

_SPECIAL = re.compile(rb"[\\*?\[\]]")


def flush(table: Table | None, namespace: str) -> Steps:
    """Remove a table, or all tables and structures of the namespace; return the number of keys."""
    tables = _map((yield Call("", (b"HGETALL", namespace.encode() + b":tables"))))
    entries = _map((yield Call("", (b"HGETALL", namespace.encode() + b":structures"))))
    for field in entries:
        if field[:7] != b"struct.":
            tables.setdefault(_table_of(field), _NO_ROWS)
    removed = 0
    for name, layout in tables.items():
        if table is None or table.name.encode() == name:
            packed, expiring = from_layout(name.decode(), layout)
            more = b"1"
            while more:
                number, more = yield call("flush", namespace, packed, PART, writes=True, expiring=expiring)
                removed += int(number)
    for field, suffixes in entries.items():
        if table is None and field[:7] == b"struct.":
            removed += yield from _standalone(field, suffixes, namespace.encode())
    return removed


def _map(reply: Any) -> dict[bytes, bytes]:
    """Return a map, which comes as a dict or flat, by protocol."""
    return reply if isinstance(reply, dict) else dict(zip(reply[::2], reply[1::2], strict=True))


def _table_of(field: bytes) -> bytes:
    """Return the table of a structure from its field in the register, which ``lua/known.lua`` tells about."""
    _, size, rest = field.split(b":", 2)
    return rest[int(size) :]


def _standalone(field: bytes, suffixes: bytes, namespace: bytes) -> Steps:
    """Remove the structures of a kind that stand on their own.

    They are in no register by name, so they are searched for. What is made meanwhile, and may not be found, takes away
    the mark in the register, and the next flush finds it.
    """
    register, mark, removed = namespace + b":structures", suffixes.rstrip(b"\n") + b"\n", 0
    yield Call("", (b"HSET", register, field, mark), writes=True)
    cursor = b"0"
    pattern = _SPECIAL.sub(rb"\\\g<0>", namespace + field)
    while True:
        cursor, found = yield Call("", (b"SCAN", cursor, b"MATCH", pattern + b":*", b"COUNT", b"%d" % PART))
        names, parts = _sorted_out(found, namespace + field + b":", suffixes.split(b"\n"))
        if names:
            removed += yield Call("", (b"UNLINK", *names), writes=True)
        if parts:
            yield Call("", (b"UNLINK", *parts), writes=True)
        if cursor == b"0":
            break
    yield Call("forget", (b"1", register, field, mark), writes=True)
    return removed


def _sorted_out(found: Sequence[bytes], prefix: bytes, suffixes: Sequence[bytes]) -> tuple[list[bytes], list[bytes]]:
    """Return the keys that name structures and those that are parts of one; no escaped id has a colon."""
    names: list[bytes] = []
    parts: list[bytes] = []
    for key in found:
        tail = key[len(prefix) :]
        suffix = next((suffix for suffix in suffixes if tail.endswith(suffix)), b"")
        if key.startswith(prefix) and b":" not in tail[: len(tail) - len(suffix)]:
            (parts if suffix else names).append(key)
    return names, parts
