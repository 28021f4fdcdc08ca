"""Tables as scripts need them, and the layout that a namespace keeps of each. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from ...contract import Column, Table, joint
from .calls import Call, Claim
from .packing import READ, Packed, pack, read_texts, texts, untagged


class Fields(NamedTuple):
    """Types and names of some columns, the names as words of a command and in packed form, too."""

    types: list[str | Callable[[bytes], Any]]
    readers: list[Callable[[bytes], Any]]
    names: list[bytes]
    packed: Packed


class _Described(NamedTuple):
    """What is worked out once for a table."""

    table: Table
    packed: Packed
    layout: bytes
    fields: Fields
    claims: dict[str, Claim]


_known: dict[int, _Described] = {}


def _described(table: Table) -> _Described:
    """Return what was worked out for this very table; tables are few and live long."""
    found = _known.get(id(table))
    if found is None or found.table is not table:
        if len(_known) >= 1000:
            _known.clear()
        layout = json.dumps(table.layout, ensure_ascii=False).encode()
        found = _Described(table, _encode(table, layout), layout, _fields(table, table.names), {})
        _known[id(table)] = found
    return found


def encode_table(table: Table) -> Packed:
    """Return ``table`` as ``open`` of ``lua/lib.lua`` reads it."""
    return _described(table).packed


def layout_of(table: Table) -> bytes:
    """Return the layout of ``table`` as the register of a namespace has it."""
    return _described(table).layout


def fields_of(table: Table, names: Sequence[str] | None) -> Fields:
    """Return the columns of ``names``, all of them for ``None``; ``KeyError`` for one that is not there."""
    return _described(table).fields if names is None else _fields(table, names)


def _fields(table: Table, names: Sequence[str]) -> Fields:
    if not all(name in table.positions for name in names):
        return _with_leaves(table, names)
    types: list[str | Callable[[bytes], Any]] = [table.columns[table.positions[name]].type for name in names]
    encoded = [name.encode() for name in names]
    return Fields(types, [READ[table.column(name).type] for name in names], encoded, texts(encoded))


def _with_leaves(table: Table, names: Sequence[str]) -> Fields:
    """Return names of which some are leaves: the map is fetched for each, and the leaf taken out of it here."""
    readers, encoded = [], []
    for name in names:
        if name in table.positions:
            readers.append(READ[table.columns[table.positions[name]].type])
            encoded.append(name.encode())
        else:
            place, path = table.leaf(name)
            readers.append(_leaf(path))
            encoded.append(table.names[place].encode())
    return Fields([*readers], readers, encoded, texts(encoded))


def _leaf(path: str) -> Callable[[bytes], Any]:
    return lambda stored: untagged(read_texts(stored).get(path))


def claim(table: Table, namespace: str) -> Claim:
    """Return what a call relies on that goes without ``open`` of ``lua/lib.lua``."""
    known = _described(table)
    found = known.claims.get(namespace)
    if found is None:
        if len(known.claims) >= 1000:
            known.claims.clear()
        found = known.claims[namespace] = _claim(table.name, known.layout, namespace)
    return found


def _claim(name: str, layout: bytes, namespace: str) -> Claim:
    register, ids, table = (namespace + ":tables").encode(), f"{namespace}{name}:id".encode(), name.encode()
    proof = Call("check", (b"2", register, ids, table, layout))
    return Claim(layout, Call("", (b"HGET", register, table)), proof)


def from_layout(name: str, layout: bytes) -> tuple[Packed, bool]:
    """Return as much of a table as its layout tells, enough to find all of its keys, and whether rows can expire."""
    order, auto, kind, columns, *more = json.loads(layout)
    together = tuple(tuple(names) for part in more if isinstance(part, list) for names in part)
    named = {name: Column(name, "str") for combined in together for name in combined}
    named |= {column[0]: Column(*column) for column in columns}
    ttl = "ttl" in more
    table = Table(name, Column("", kind), tuple(named.values()), auto, order, together=together, ttl=ttl)
    return _encode(table, None), ttl


def _encode(table: Table, layout: bytes | None) -> Packed:
    columns = [column.indexed for column in table.columns]
    parts = [table.name, table.pk.name, table.pk.type, table.auto, table.order, columns, layout]
    if table.structures or table.together or table.ttl:
        endings = [f":{name}{suffix}" for name, kind in table.structures for suffix in kind.suffixes]
        parts.append(endings or None)
    if table.together or table.ttl:
        parts.append([(joint(names), names) for names in table.together] or None)
    if table.ttl:
        parts.append(True)
    return Packed(pack(parts))
