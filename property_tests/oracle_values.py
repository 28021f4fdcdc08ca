"""What the oracle makes of single values: equality, ranges, scans and ``Where`` programs.

As ``oracle``, it is written from the docstrings alone. Nothing here knows a table.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

from stdnet import contract as c


def blank(value: c.Scalar) -> bool:
    return value is None or value == "" or value == b""


def same(a: c.Scalar, b: c.Scalar) -> bool:
    return (blank(a) and blank(b)) or a == b


def within(plan: c.Range, value: Any) -> bool:
    if value is None:
        return False
    above = plan.low is None or (value > plan.low if plan.low_open else value >= plan.low)
    below = plan.high is None or (value < plan.high if plan.high_open else value <= plan.high)
    return above and below


def scanned(plan: c.Scan, value: Any) -> bool:
    if plan.op == "isnull":
        return blank(value) == bool(plan.value)
    if value is None:
        return False
    if plan.op in COMPARE:
        return bool(COMPARE[plan.op](value, plan.value))
    part: Any = plan.value
    whole = value if isinstance(value, (str, bytes)) else repr(value)
    if plan.op.startswith("i"):
        whole, part = lower(whole), lower(part)
    return bool(TEXT[plan.op.removeprefix("i")](whole, part))


UPPER, LOWER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz"


def lower(value: Any) -> Any:
    return value.lower() if isinstance(value, bytes) else value.translate(str.maketrans(UPPER, LOWER))


def double(value: Any) -> Any:
    """Return what a ``Where`` program sees of a scalar: numbers are doubles."""
    if not isinstance(value, int):
        return value
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def divide(a: float, b: float) -> float:
    if b != 0:
        return a / b
    return math.nan if a == 0 or math.isnan(a) else math.copysign(math.inf, a) * math.copysign(1, b)


def floor(a: float) -> float:
    return float(math.floor(a)) if math.isfinite(a) and a != 0 else a


COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
}
TEXT: dict[str, Callable[[Any, Any], Any]] = {
    "contains": lambda whole, part: part in whole,
    "startswith": lambda whole, part: whole.startswith(part),
    "endswith": lambda whole, part: whole.endswith(part),
}
UNARY: dict[str, Callable[[Any], Any]] = {
    "not": operator.not_,
    "neg": operator.neg,
    "abs": abs,
    "floor": floor,
    "len": lambda a: float(len(a)),
    "lower": lower,
    "upper": lambda a: a.translate(str.maketrans(LOWER, UPPER)),
}
BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "and": lambda a, b: a and b,
    "or": lambda a, b: a or b,
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": divide,
    "%": lambda a, b: a - floor(divide(a, b)) * b,
    **TEXT,
}


def run(program: tuple[c.Instruction, ...], row: dict[str, Any]) -> Any:
    """Run a ``Where`` program on the values of one row and return what it leaves."""
    stack: list[Any] = []
    for operation, argument in program:
        if operation == "field":
            stack.append(double(row[str(argument)]))
        elif operation == "const":
            stack.append(argument)
        elif operation == "in":
            values = [stack.pop() for _ in range(int(argument or 0))]
            a = stack.pop()
            stack.append(any(a == value for value in values))
        elif operation in UNARY:
            stack.append(UNARY[operation](stack.pop()))
        else:
            b, a = stack.pop(), stack.pop()
            stack.append(BINARY[operation](a, b))
    return stack.pop()
