"""JSON values: nested dicts as paths and leaves, and leaves as they are stored. Pure.

A leaf is stored as the number or the text that it is, ``None`` as no bytes, and everything else as its JSON in bytes. A
date or a datetime has its moment before that, in digits, so that the bytes sort by time.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from .scalarfields import EPOCH, MOST_BITS

SEPARATOR = "__"

DATES = (b"@", b"A")
"""Between these two are the stored dates, and nothing else."""

_MICROSECOND = timedelta(microseconds=1)
_SHIFT = 10**17  # more microseconds than lie between the beginning of the calendar and 1970
_HEAD = 19


# -- paths --------------------------------------------------------------------------------------------------------


def flattened(value: Mapping[Any, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield path and value of each leaf; ``ValueError`` for keys that could not be told apart again.

    >>> dict(flattened({"pv": {"": 1, "mean": 2}, "tags": [3], "none": {}}))
    {'pv': 1, 'pv__mean': 2, 'tags': [3]}
    """
    for key, inner in value.items():
        if not isinstance(key, str):
            raise ValueError(f"the key {key!r} is not text")
        key.encode()  # lone surrogates
        if SEPARATOR in key or key.endswith("_"):
            raise ValueError(f"the key {key!r} contains '__' or ends with '_', which separate keys")
        if not key:
            if not prefix or isinstance(inner, dict):
                raise ValueError("the empty key stands for the value of its level, below the top, and not for a dict")
            yield prefix, inner
            continue
        path = f"{prefix}{SEPARATOR}{key}" if prefix else key
        if isinstance(inner, dict):
            yield from flattened(inner, path)
        else:
            yield path, inner


def nested(leaves: Mapping[str, Any]) -> dict[str, Any]:
    """Return the dict that was flattened.

    >>> nested({"pv__mean": 2, "pv": 1})
    {'pv': {'mean': 2, '': 1}}
    """
    value: dict[str, Any] = {}
    for path, leaf in leaves.items():
        put(value, path.split(SEPARATOR), leaf)
    return value


def put(value: dict[str, Any], keys: Sequence[str], leaf: Any) -> None:
    """Set what ``keys`` lead to; a leaf where a dict is, or has to be, is at the empty key of that dict."""
    *outer, last = keys
    for key in outer:
        below = value.get(key)
        if not isinstance(below, dict):
            below = value[key] = {"": below} if key in value else {}
        value = below
    if isinstance(value.get(last), dict) and not isinstance(leaf, dict):
        value[last][""] = leaf
    else:
        value[last] = leaf


def part_of(value: Any, keys: Sequence[str]) -> Any:
    """Return what ``keys`` lead to: a leaf, or the dict of what is below; ``KeyError`` if there is nothing."""
    for key in keys:
        if not isinstance(value, dict):
            raise KeyError(key)
        value = value[key]
    return value[""] if isinstance(value, dict) and "" in value else value


# -- leaves -------------------------------------------------------------------------------------------------------


def encoded(value: Any, write: Callable[[Any], str]) -> Any:
    """Return the stored form of a leaf; ``TypeError`` or ``ValueError`` if it has none."""
    match value:
        case None:
            return b""
        case bool():
            return write(value).encode()
        case int():
            if value.bit_length() > MOST_BITS:
                raise ValueError("a number has more than 4,000 digits")
            return int(value)
        case float():
            if not math.isfinite(value):
                raise ValueError(f"{value!r} is not a number in JSON")
            return float(value)
        case str():
            value.encode()  # lone surrogates
            return str.__str__(value)
        case _:
            return (moment(value) or b"") + write(value).encode()


def decoded(leaf: Any, read: Callable[[Any], Any]) -> Any:
    """Return the value of a stored leaf."""
    if not isinstance(leaf, bytes):
        return leaf
    return read(leaf[_HEAD:] if leaf.startswith(DATES[0]) else leaf) if leaf else None


def moment(value: Any) -> bytes | None:
    """Return what a date or a datetime begins with as a stored leaf; ``None`` for anything else."""
    if not isinstance(value, date):
        return None
    if not isinstance(value, datetime):
        value = datetime.combine(value, time())
    delta = value.replace(tzinfo=None) - EPOCH - (value.utcoffset() or timedelta())
    return b"@%018d" % (delta // _MICROSECOND + _SHIFT)
