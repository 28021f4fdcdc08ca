"""The interpreter of ``Where`` programs: each becomes a function of a row, once, before the rows are looked at.

What an instruction means stands at ``contract.Where``; this module computes it with Python's floats, which are
IEEE doubles, and mends the places where Python raises instead of giving an infinity or NaN.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from string import ascii_lowercase, ascii_uppercase
from typing import Any, TypeAlias

from ...contract import Id, Instruction, Row, Table, Where

_Run: TypeAlias = Callable[[Sequence[Any]], Any]
"""A piece of a program: from the values of ``Where.fields`` to the value that the piece pushes."""

_LOWER = str.maketrans(ascii_uppercase, ascii_lowercase)
_UPPER = str.maketrans(ascii_lowercase, ascii_uppercase)


def ascii_lower(text: str) -> str:
    """Return ``text`` with its ASCII letters in lower case, all others as they are.

    >>> ascii_lower("GENÈVE")
    'genÈve'
    """
    return text.lower() if text.isascii() else text.translate(_LOWER)


def ascii_upper(text: str) -> str:
    """Return ``text`` with its ASCII letters in upper case, all others as they are.

    >>> ascii_upper("genève, straße")
    'GENèVE, STRAßE'
    """
    return text.upper() if text.isascii() else text.translate(_UPPER)


def compile_where(where: Where, table: Table) -> Callable[[Id, Row], bool]:
    """Return a function that tells of an id and its row whether they match. It recurses as deep as the expression."""
    return compile_program(where, table, missing=False)


def compile_program(where: Where, table: Table, missing: Any = None) -> Callable[[Id, Row], Any]:
    """Return a function that gives what a program leaves of an id and its row; ``missing`` where a field is missing."""
    fields = [(table.positions.get(name), table.column(name).type) for name in where.fields]
    readers = [(position, kind in ("int", "float")) for position, kind in fields]
    run = _build(where)

    def left(id: Id, row: Row) -> Any:
        values: list[Any] = []
        for position, is_number in readers:
            value: Any = id if position is None else row[position]
            if value is None:
                return missing
            values.append(double(value) if is_number else value)
        return run(values)

    return left


def _build(where: Where) -> _Run:
    """Run the program once on a stack of pieces instead of values."""
    stack: list[_Run] = []
    program = where.program
    for n, (op, argument) in enumerate(program):
        match op:
            case "field":
                stack.append(operator.itemgetter(where.fields.index(str(argument))))
            case "const":
                stack.append(_constant(argument))
            case "in":
                count = int(argument or 0)
                first = len(stack) - count
                members = stack[first:]
                del stack[first:]
                stack.append(_in(stack.pop(), members, program[n - count : n]))
            case "and" | "or":
                right, left = stack.pop(), stack.pop()
                stack.append(_and(left, right) if op == "and" else _or(left, right))
            case _ if op in _UNARY:
                stack.append(_unary(_UNARY[op], stack.pop()))
            case _:
                right, left = stack.pop(), stack.pop()
                stack.append(_binary(_BINARY[op], left, right))
    return stack.pop()


def _constant(value: Any) -> _Run:
    return lambda values: value


def _unary(compute: Callable[[Any], Any], operand: _Run) -> _Run:
    return lambda values: compute(operand(values))


def _binary(compute: Callable[[Any, Any], Any], left: _Run, right: _Run) -> _Run:
    return lambda values: compute(left(values), right(values))


def _and(left: _Run, right: _Run) -> _Run:
    return lambda values: left(values) and right(values)


def _or(left: _Run, right: _Run) -> _Run:
    return lambda values: left(values) or right(values)


def _in(value: _Run, members: Sequence[_Run], program: Sequence[Instruction]) -> _Run:
    if all(op == "const" for op, _ in program):
        constants = frozenset(argument for _, argument in program)  # a computed NaN is not one of them
        return lambda values: value(values) in constants

    def search(values: Sequence[Any]) -> bool:
        wanted = value(values)
        return any(wanted == member(values) for member in members)

    return search


def double(value: float) -> float:
    """Return the double next to a number."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _divide(a: float, b: float) -> float:
    if b:
        return a / b
    if not a or math.isnan(a):
        return math.nan
    return math.copysign(math.inf, a) * math.copysign(1.0, b)


def _floor(value: float) -> float:
    if not math.isfinite(value):
        return value
    return math.copysign(float(math.floor(value)), value)  # floor(-0.0) is -0.0; no other sign changes


def _modulo(a: float, b: float) -> float:
    return a - _floor(_divide(a, b)) * b


def _length(text: str) -> float:
    return float(len(text))


_UNARY: dict[str, Callable[[Any], Any]] = {
    "not": operator.not_,
    "neg": operator.neg,
    "abs": abs,
    "floor": _floor,
    "len": _length,
    "lower": ascii_lower,
    "upper": ascii_upper,
}
_BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": _divide,
    "%": _modulo,
    "contains": operator.contains,
    "startswith": str.startswith,
    "endswith": str.endswith,
}
