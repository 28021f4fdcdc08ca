"""Leaves of maps: how they are read, written, compared and ordered. Maps are never changed in place."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ...contract import Id, Row, Scan, Table

Read = Callable[[Id, Row], Any]


def read_of(table: Table, name: str) -> Read:
    """Return what reads a column, the pk or a leaf of a row; ``KeyError`` for another name."""
    if name == table.pk.name:
        return lambda id, row: id
    if name in table.positions:
        position = table.positions[name]
        return lambda id, row: row[position]
    position, path = table.leaf(name)
    return lambda id, row: (row[position] or {}).get(path)


def is_leaf(table: Table, name: str) -> bool:
    """Return whether a name is neither that of a column nor of the pk; ``KeyError`` if it is not of a leaf either."""
    return name != table.pk.name and name not in table.positions and bool(table.leaf(name))


def is_whole(table: Table, names: Sequence[str]) -> bool:
    """Return whether names are those of all columns; leaves do not make up for the map that holds them."""
    return len(names) >= len(table.names) and all(name in table.positions for name in names)


def patched(values: list[Any], table: Table, name: str, value: Any) -> None:
    """Set one leaf, or remove it, in a new map that takes the place of the old one."""
    position, path = table.leaf(name)
    leaves: Mapping[str, Any] = values[position] or {}
    if value is not None:
        values[position] = {**leaves, path: value}
    else:
        values[position] = {key: leaf for key, leaf in leaves.items() if key != path}


def rank(value: Any) -> tuple[int, Any]:
    """Return what leaves are ordered and compared by.

    >>> sorted([b"b", "a", 2.5, None, -1], key=rank)
    [-1, None, 2.5, 'a', b'b']
    """
    match value:
        case None | b"":
            return 0, 0
        case bytes():
            return 2, value
        case str():
            return 1, value
        case _:
            return 0, value


def predicate(plan: Scan, compare: Callable[[str, Any, bool], Callable[[Any], bool]]) -> Callable[[Any], bool]:
    """Return the test of a ``Scan`` for a leaf; ``compare`` makes those of columns."""
    if plan.op == "isnull":
        return lambda value: (value in (None, "", b"")) == bool(plan.value)
    wanted: Any = plan.value
    if plan.op in ("eq", "lt", "le", "gt", "ge"):
        test = (lambda value: value == wanted) if plan.op == "eq" else compare(plan.op, wanted, False)
        return lambda value: value is not None and _kind(value) == _kind(wanted) and bool(test(value))
    search = compare(plan.op, wanted, False)
    return lambda value: value is not None and search(_text(value))


def _kind(value: Any) -> int:
    return 1 if isinstance(value, str) else 2 if isinstance(value, bytes) else 0


def _text(value: Any) -> str:
    return value if isinstance(value, str) else value.decode() if isinstance(value, bytes) else repr(value)
