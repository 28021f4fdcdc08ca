"""Expressions over columns: the language of ``query.where`` with columns in the place of fields, and their functions.

``compiled`` checks a text and returns what can run; running takes columns and gives a column or a single value. No text
of a user is ever evaluated. Arithmetic is that of doubles: a number divided by zero is infinite, zero by zero missing.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Literal, TypeAlias

from ...odm.where import Syntax, syntax
from ...records import Record, field
from . import statistics, windows

Column: TypeAlias = "Sequence[Any]"
Tables: TypeAlias = "Mapping[str, Mapping[str, Column]]"
"""Columns by the name of their series and their own."""

_Type: TypeAlias = Literal["a number", "true or false"]


def _infinite(value: float, sign: float) -> float:
    return math.nan if value == 0 or value != value else math.copysign(math.inf, value) * math.copysign(1.0, sign)


def divided(a: float, b: float) -> float:
    """Return a / b, as doubles divide."""
    return a / b if b else _infinite(a, b)


def modulo(a: float, b: float) -> float:
    """Return what is left of a after whole b, with the sign of b; missing if there is no such number."""
    return a % b if b and math.isfinite(a) else math.nan


def _safely(function: Callable[[float], float], beyond: Callable[[float], float]) -> Callable[[float], float]:
    def safe(value: float) -> float:
        try:
            return function(value)
        except (ValueError, OverflowError):
            return beyond(value)

    return safe


ARITHMETIC: dict[type[ast.operator], tuple[str, Callable[[float, float], float]]] = {
    ast.Add: ("+", operator.add),
    ast.Sub: ("-", operator.sub),
    ast.Mult: ("*", operator.mul),
    ast.Div: ("/", divided),
    ast.Mod: ("%", modulo),
}
COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
ELEMENTS: dict[str, Callable[[float], Any]] = {
    "abs": abs,
    "sqrt": _safely(math.sqrt, lambda value: math.nan),
    "exp": _safely(math.exp, lambda value: math.inf),
    "log": _safely(math.log, lambda value: -math.inf if value == 0 else math.nan),
    "floor": _safely(lambda value: float(math.floor(value)), lambda value: value),
    "ceil": _safely(lambda value: float(math.ceil(value)), lambda value: value),
    "isnan": lambda value: value != value,
}
"""Functions of each number."""

SHIFTS: dict[str, Callable[[Column, int], list[float]]] = {"lag": windows.lag, "diff": windows.diff}
"""Functions of a column and a number of rows, one if it is not said."""

RUNNING: dict[str, Callable[[Column], list[float]]] = {"cumsum": windows.cumsum, "previous": windows.previous}
"""Functions of a column."""

SUMMARIES: dict[str, Callable[[list[float]], float]] = {
    "mean": statistics.mean,
    "std": statistics.deviation,
    "sum": statistics.total,
    "median": statistics.median,
    "min": lambda values: min(values, default=math.nan),
    "max": lambda values: max(values, default=math.nan),
    "count": lambda values: float(len(values)),
}
"""Functions that make one number of those of a column that are not missing."""

ENDS = {"first": 0, "last": -1}
"""Functions that give one cell of a column, missing or not."""

FUNCTIONS = sorted({*ELEMENTS, *SHIFTS, *RUNNING, *SUMMARIES, *ENDS, "ewm", "where", "rows"})


class Part(Record):
    """What a node compiles to: its type, whether it is a column, and what runs it on tables and a number of rows."""

    type: _Type
    is_column: bool
    run: Callable[[Tables, int], Any]


class Expression(Record, frozen=False):
    """A text that was checked. ``needed`` are the columns that it names, by series."""

    part: Part
    needed: dict[str, list[str]] = field(factory=dict)


def compiled(code: str, series: Sequence[str], parameters: Mapping[str, float]) -> Expression:
    """Return an expression over the series ``this`` and others of these names; ``BadExpression`` if it is none."""
    found = syntax(code)
    compiler = Compiler(found, ["this", *series], parameters)
    try:
        return Expression(compiler.part(found.tree), compiler.needed)
    except RecursionError:
        raise found.bad(found.tree, "it is nested too deeply") from None


class Compiler:
    """Compile the nodes of a tree, depth first."""

    def __init__(self, syntax: Syntax, series: Sequence[str], parameters: Mapping[str, float]) -> None:
        self.bad = syntax.bad
        self.series = series
        self.parameters = parameters
        self.needed: dict[str, list[str]] = {name: [] for name in series}

    def part(self, node: ast.expr) -> Part:
        match node:
            case ast.Constant(value=bool() as value):
                return _single("true or false", value)
            case ast.Constant(value=int() | float() as value):
                return _single("a number", float(value))
            case ast.Name(id="true" | "false" as name):
                return _single("true or false", name == "true")
            case ast.Name():
                return self.name(node)
            case ast.Attribute(value=ast.Name(id=series), attr=name):
                return self.column(node, series, name)
            case ast.Subscript(value=ast.Name(id=series), slice=ast.Constant(value=str() as name)):
                return self.column(node, series, name)
            case ast.UnaryOp():
                return self.unary(node)
            case ast.BinOp():
                return self.binary(node)
            case ast.BoolOp():
                return self.boolean(node)
            case ast.Compare():
                return self.comparison(node)
            case ast.Call():
                return self.call(node)
            case _:
                raise self.bad(node, f"{type(node).__name__} is not part of the expressions over columns")

    def name(self, node: ast.Name) -> Part:
        if node.id in self.parameters:
            return _single("a number", self.parameters[node.id])
        if node.id in self.series:
            raise self.bad(node, f'{node.id} must be followed by a column, as in {node.id}.price or {node.id}["a b"]')
        raise self.bad(node, f"there is no name {node.id}{_like(node.id, [*self.series, *self.parameters])}")

    def column(self, node: ast.expr, series: str, name: str) -> Part:
        if series not in self.series:
            raise self.bad(node, f"there is no series {series}{_like(series, self.series)}")
        if name not in self.needed[series]:
            self.needed[series].append(name)

        def run(tables: Tables, rows: int) -> Column:
            if name not in tables[series]:
                raise self.bad(node, f"{series} has no column {name}{_like(name, list(tables[series]))}")
            return tables[series][name]

        return Part("a number", True, run)

    def need(self, wanted: _Type, node: ast.expr, who: str) -> Part:
        part = self.part(node)
        if part.type != wanted:
            raise self.bad(node, f"{who} {wanted}, not {part.type}")
        return part

    def unary(self, node: ast.UnaryOp) -> Part:
        match node.op:
            case ast.Not():
                return _each("true or false", operator.not_, self.need("true or false", node.operand, "not takes"))
            case ast.USub():
                return _each("a number", operator.neg, self.need("a number", node.operand, "- takes"))
            case _:
                raise self.bad(node, "a number has no sign but -")

    def binary(self, node: ast.BinOp) -> Part:
        if type(node.op) not in ARITHMETIC:
            raise self.bad(node, f"{type(node.op).__name__} is not an operation of the expression language")
        sign, function = ARITHMETIC[type(node.op)]
        sides = [self.need("a number", side, f"{sign} takes") for side in (node.left, node.right)]
        return _each("a number", function, *sides)

    def boolean(self, node: ast.BoolOp) -> Part:
        word, function = ("and", _both) if isinstance(node.op, ast.And) else ("or", _either)
        first, *others = [self.need("true or false", each, f"{word} takes") for each in node.values]
        for other in others:
            first = _each("true or false", function, first, other)
        return first

    def comparison(self, node: ast.Compare) -> Part:
        """Compile ``a < b < c`` as ``a < b and b < c``; what is missing is not equal to, below or above anything."""
        left, found = self.need("a number", node.left, "a comparison takes"), None
        for op, each in zip(node.ops, node.comparators, strict=True):
            if type(op) not in COMPARISONS:
                raise self.bad(each, "in and is cannot be used; write == or !=")
            right = self.need("a number", each, "a comparison takes")
            test = _each("true or false", COMPARISONS[type(op)], left, right)
            found, left = test if found is None else _each("true or false", _both, found, test), right
        if found is None:
            raise self.bad(node, "there is nothing to compare with")
        return found

    def call(self, node: ast.Call) -> Part:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name not in FUNCTIONS or node.keywords:
            raise self.bad(node, f"only these functions can be called, without keywords: {', '.join(FUNCTIONS)}")
        arguments = node.args
        match name, len(arguments):
            case "rows", 0:
                return Part("a number", False, lambda tables, rows: float(rows))
            case "where", 3:
                test = self.need("true or false", arguments[0], "where takes first")
                values = [self.need("a number", each, "where takes") for each in arguments[1:]]
                return _each("a number", lambda test, a, b: a if test else b, test, *values)
            case _, 1 if name in ELEMENTS:
                part = self.need("a number", arguments[0], f"{name} takes")
                return _each("true or false" if name == "isnan" else "a number", ELEMENTS[name], part)
            case _, 1 if name in SHIFTS:
                return self.moved(name, arguments[0], None)
            case _, 1 if name in {*RUNNING, *SUMMARIES, *ENDS}:
                return self.summed(name, arguments[0])
            case _, 2 if name in {*SHIFTS, *windows.WINDOWS}:
                return self.moved(name, arguments[0], arguments[1])
            case _:
                raise self.bad(node, f"{name} does not take {len(arguments)} arguments")

    def cells(self, name: str, node: ast.expr) -> Part:
        part = self.need("a number", node, f"{name} takes")
        if not part.is_column:
            raise self.bad(node, f"{name} takes a column, not a single number")
        return part

    def summed(self, name: str, node: ast.expr) -> Part:
        part = self.cells(name, node)
        if name in RUNNING:
            return Part("a number", True, lambda tables, rows: RUNNING[name](part.run(tables, rows)))
        if name in SUMMARIES:
            return Part(
                "a number", False, lambda tables, rows: SUMMARIES[name](statistics.present(part.run(tables, rows)))
            )

        def end(tables: Tables, rows: int) -> Any:
            return part.run(tables, rows)[ENDS[name]] if rows else math.nan

        return Part("a number", False, end)

    def moved(self, name: str, node: ast.expr, size: ast.expr | None) -> Part:
        part, function = self.cells(name, node), SHIFTS.get(name) or windows.WINDOWS[name]
        places = _single("a number", 1.0) if size is None else self.need("a number", size, f"{name} takes")
        if places.is_column:
            raise self.bad(size or node, f"{name} takes a single number of rows, not a column")

        def run(tables: Tables, rows: int) -> list[float]:
            number = places.run(tables, rows)
            if number % 1 or (number < 1 and name not in SHIFTS):
                raise self.bad(size or node, f"{name} takes a whole number of rows, from 1 on, not {number}")
            return function(part.run(tables, rows), int(number))

        return Part("a number", True, run)


def _both(a: bool, b: bool) -> bool:
    return a and b


def _either(a: bool, b: bool) -> bool:
    return a or b


def _single(type: _Type, value: Any) -> Part:
    return Part(type, False, lambda tables, rows: value)


def _each(type: _Type, function: Callable[..., Any], *parts: Part) -> Part:
    """Return what calls a function with the cells of each row, or once if there is no column."""
    if not any(part.is_column for part in parts):
        return Part(type, False, lambda tables, rows: function(*(part.run(tables, rows) for part in parts)))

    def run(tables: Tables, rows: int) -> list[Any]:
        values = [part.run(tables, rows) for part in parts]
        columns = [value if part.is_column else [value] * rows for part, value in zip(parts, values, strict=True)]
        return list(map(function, *columns))

    return Part(type, True, run)


def _like(name: str, known: Sequence[str]) -> str:
    close = get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]}?" if close else f"; there are {', '.join(known)}" if known else ""
