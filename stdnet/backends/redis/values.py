"""What a query compares with, put exactly into the type of the column that it meets. Pure arithmetic on scalars.

Numbers are equal by value in the contract and by text on the server, so each has one spelling here: that of its
column's type. A value that no row of the column can have becomes ``None``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from ...contract import Column, Range, Scalar

BEYOND = b"1" + b"0" * 4300
"""More than any integer that Python turns into text."""

ROUNDS_UP = ("lt", "ge")


EXACT = 2**53
"""Up to here an integer is exact as a score; the integers of a range index lie within."""


def spelled(column: Column, value: Scalar) -> bytes | None:
    """Return the stored form of the value of ``column``'s type that equals ``value``; ``None`` if there is none.

    >>> spelled(Column("n", "int"), 5.0), spelled(Column("x", "float"), 5), spelled(Column("n", "int"), 5.5)
    (b'5', b'5.0', None)
    """
    match column.type, value:
        case "str", str():
            return value.encode()
        case "bytes", bytes():
            return value
        case "int", int() if column.index == "range" and abs(value) > EXACT:
            return None
        case "int", int():
            return b"%d" % value
        case "int", float() if value.is_integer():
            return b"%d" % value
        case "float", int() | float():
            number = nearest(value)
            return repr(number + 0.0).encode() if number == value else None
        case _:
            return None


def all_spelled(column: Column, values: Iterable[Scalar]) -> list[bytes]:
    """Return the stored forms of those values that a row of ``column`` can have, each once."""
    found = (spelled(column, value) for value in values)
    return list(dict.fromkeys(value for value in found if value is not None))


def nearest(value: float) -> float:
    """Return the double next to a number."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def bounds(plan: Range) -> tuple[bytes, bytes]:
    """Return the bounds of a range as ``ZRANGEBYSCORE`` takes them."""
    return bound(plan.low, plan.low_open, low=True), bound(plan.high, plan.high_open, low=False)


def bound(value: float | None, is_open: bool, low: bool) -> bytes:
    """Return a bound as ``ZRANGEBYSCORE`` takes it, exact for every number.

    >>> bound(2, True, low=True), bound(None, False, low=False), bound(2**53 + 1, False, low=True)
    (b'(2.0', b'+inf', b'9007199254740994.0')
    """
    if value is None:
        return b"-inf" if low else b"+inf"
    number = nearest(value)
    if number != value:  # the double beside it, on the inner side
        is_open = False
        if low and number < value:
            number = math.nextafter(number, math.inf)
        elif not low and number > value:
            number = math.nextafter(number, -math.inf)
    return (b"(" if is_open else b"") + repr(number).encode()


def comparand(column: Column, op: str, value: Any) -> bytes:
    """Return the text that ``op`` compares the values of ``column`` with, exact across ints and floats.

    >>> comparand(Column("n", "int"), "lt", 2.5), comparand(Column("n", "int"), "gt", 2.5)
    (b'3', b'2')
    """
    match column.type, value:
        case "str", str():
            return value.encode()
        case "bytes", bytes():
            return bytes(value)
        case "int", float():
            if math.isinf(value):
                return BEYOND if value > 0 else b"-" + BEYOND
            return b"%d" % (math.ceil(value) if op in ROUNDS_UP else math.floor(value))
        case "int", int():
            return b"%d" % value
        case "float", int() | float():
            number = nearest(value)
            if op in ROUNDS_UP and number < value:
                number = math.nextafter(number, math.inf)
            elif op not in ROUNDS_UP and number > value:
                number = math.nextafter(number, -math.inf)
            return repr(number).encode()
        case _:
            raise TypeError(f"column {column.name} holds {column.type}, not {type(value).__name__}")
