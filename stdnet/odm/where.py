"""The expression language of ``query.where``: text in, a type-checked ``Where`` program out.

Three steps, of which others can use the first two as ``syntax``: ``_admit`` lets only the tokens of the language
pass, ``ast.parse`` puts them into a tree, and ``_Compiler`` checks the types and writes the program. Running a
program is the business of the backends. No text of a user is ever evaluated here, and what could make ``ast`` warn,
exhaust the C stack or differ between versions of Python never reaches it. Each token keeps its width, so that every
error knows its place.
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Collection, Mapping, Sequence
from difflib import get_close_matches
from keyword import iskeyword
from typing import Literal, NamedTuple, TypeAlias

from ..contract import Instruction, Table, Where
from ..errors import BadExpression, shown
from ..records import Record

MAX_LENGTH = 10_000
"""The longest code, in characters, and the longest program, in instructions."""

MAX_DEPTH = 100
"""How deep code may nest: a sign, ``not``, operator or dot counts one, a parenthesis two. See ``_nest``."""

NO_SCALES: Mapping[str, float] = {}

_Type: TypeAlias = Literal["number", "text", "boolean", "nil"]
_Program: TypeAlias = tuple[Instruction, ...]

_TOKEN = re.compile(
    r"""
    (?P<space>\s+)
  | (?P<prefix>(?i:[bfrtu]{1,2})(?=["']))
  | (?P<string>"(?:[^"\\\r\n]|\\.)*"|'(?:[^'\\\r\n]|\\.)*')
  | (?P<number>\.?[0-9](?:[eE][+-]|[\w.])*)
  | (?P<word>(?:and|or|not|in|is)\b)
  | (?P<name>[^\W\d]\w*)
  | (?P<compare>[=!~<>]=|[<>])
  | (?P<open>[(\[])
  | (?P<close>[)\]])
  | (?P<comma>,)
  | (?P<operator>[-+*/%.])
    """,
    re.VERBOSE,
)
_ESCAPE = re.compile(
    r"""\\(?:[\\'"abfnrtv]|0(?![0-9])|x[H]{2}|u[H]{4}|U00(?:0[H]|10)[H]{4}|(?P<unknown>.))""".replace("H", "0-9a-fA-F"),
    re.DOTALL,
)
_LONE = re.compile("[\ud800-\udfff]")
_UNUSABLE = re.compile("[\0\ud800-\udfff]")

_STARTS = {"string", "number", "name"}
_ENDS = {"string", "number", "name", "close"}

_NO_END = "the string that begins here has no end"
_HINTS = {
    "=": "write == to compare",
    "!": "write not",
    "&": "write and",
    "|": "write or",
    "'": _NO_END,
    '"': _NO_END,
}
_WORDS = {"true": True, "false": False, "nil": None, "True": True, "False": False, "None": None}
_SHOWN: dict[_Type, str] = {"number": "a number", "text": "text", "boolean": "true or false", "nil": "nil"}

_ARITHMETIC: dict[type[ast.operator], str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Mod: "%"}
_COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
}
_FUNCTIONS: dict[str, tuple[tuple[_Type, ...], _Type]] = {
    "lower": (("text",), "text"),
    "upper": (("text",), "text"),
    "len": (("text",), "number"),
    "abs": (("number",), "number"),
    "floor": (("number",), "number"),
    "contains": (("text", "text"), "boolean"),
    "startswith": (("text", "text"), "boolean"),
    "endswith": (("text", "text"), "boolean"),
}


def parse(code: str, table: Table, booleans: Collection[str] = (), scales: Mapping[str, float] = NO_SCALES) -> Where:
    """Return the program for ``code``; raise ``BadExpression``, which points at the place, if it is not understood.

    ``booleans`` names the number columns that stand for true and false, ``scales`` those that count parts of a number,
    and how many make one.

    >>> from stdnet.contract import Column, Table
    >>> table = Table("fund", Column("id", "int"), (Column("ccy", "str"), Column("price", "float")))
    >>> where = parse("this.ccy == 'EUR'", table)
    >>> where.program, where.fields
    ((('field', 'ccy'), ('const', 'EUR'), ('==', None)), ('ccy',))
    """
    found = syntax(code)
    try:
        return _Compiler(found, table, booleans, scales).where(found.tree)
    except RecursionError:  # MAX_DEPTH does not know how deep the caller is
        raise _bad(code, "it is nested too deeply") from None


class Syntax(Record):
    """The tree of a code that has the tokens and the nesting of the language; no name in it is known yet."""

    code: str
    source: bytes
    margin: int
    tree: ast.expr

    def bad(self, node: ast.expr, problem: str) -> BadExpression:
        """Return an error that points at a node."""
        position = len(self.source[: node.col_offset].decode())  # ast counts bytes
        return _bad(self.code, problem, self.margin + position)


def syntax(code: str) -> Syntax:
    """Return the tree of ``code``; raise ``BadExpression`` if it has none."""
    if not isinstance(code, str):
        raise BadExpression(shown(code), f"it is not text but {type(code).__name__}")
    if len(code) > MAX_LENGTH:
        raise BadExpression(shown(code[:100]), f"it is {len(code)} characters long, the limit is {MAX_LENGTH}")
    try:
        text = _admit(code)
        source = text.strip()
        if not source:
            raise _bad(code, "it is empty")
        margin = len(text) - len(text.lstrip())
        return Syntax(code, source.encode(), margin, _tree(code, source, margin))
    except RecursionError:
        raise _bad(code, "it is nested too deeply") from None


def _bad(code: str, problem: str, position: int = 0) -> BadExpression:
    """Build the error; each character of ``code`` is shown as one column."""
    line = "".join(c if c.isprintable() else " " if c.isspace() else "?" for c in code)
    return BadExpression(line, problem, position)


def _admit(code: str) -> str:
    """Return ``code`` on one line and in Python's spelling, of the same width; refuse all other tokens."""
    if found := _UNUSABLE.search(code):
        raise _bad(code, f"the character {found[0]!r} cannot be used", found.start())
    parts: list[str] = []
    levels = [0]
    position, before = 0, ""
    while position < len(code):
        kind, token = _token(code, position)
        if kind in _STARTS and before in _ENDS:
            raise _bad(code, "an operator is missing before this", position)
        if _nest(levels, kind, token) > MAX_DEPTH:
            raise _bad(code, "it is nested too deeply", position)
        parts.append(" " * len(token) if kind == "space" else "!=" if token == "~=" else token)
        position += len(token)
        before = before if kind == "space" else kind
    return "".join(parts)


def _nest(levels: list[int], kind: str, token: str) -> int:
    """Count how deep the tree can be at this token; ``levels`` has a number for each open parenthesis."""
    if kind == "open":
        levels[-1] += 1  # calls are chained, too
        levels.append(1)
    elif kind == "close" and len(levels) > 1:
        levels.pop()
    elif kind == "operator" or token == "not":
        levels[-1] += 1
    elif kind == "comma" or token in ("and", "or"):  # what stands before is not above what follows
        levels[-1] = min(1, len(levels) - 1)
    return sum(levels)


def _token(code: str, position: int) -> tuple[str, str]:
    """Return kind and text of the token at ``position``."""
    found = _TOKEN.match(code, position)
    if found is None or found.lastgroup is None:
        character = code[position]
        raise _bad(code, f"{shown(character)} is not understood" + _hint(character), position)
    token = found[0]
    match found.lastgroup:
        case "prefix":
            raise _bad(code, f"a string has no prefix, here it is {token}", position)
        case "string":
            _check_escapes(code, position, token)
        case "number":
            _check_number(code, position, token)
        case "name":
            _check_name(code, position, token)
    return found.lastgroup, token


def _check_escapes(code: str, position: int, token: str) -> None:
    for escape in _ESCAPE.finditer(token):
        if escape["unknown"]:
            problem = f"{shown(escape[0])} is not an escape; a backslash itself is written twice"
            raise _bad(code, problem, position + escape.start())


def _check_name(code: str, position: int, token: str) -> None:
    if not token.isidentifier():
        raise _bad(code, f"{shown(token)} is not a name", position)
    if iskeyword(token) and token not in _WORDS:
        raise _bad(code, f"{token} is not part of the expression language", position)


def _hint(character: str) -> str:
    return f"; {_HINTS[character]}" if character in _HINTS else ""


def _check_number(code: str, position: int, token: str) -> None:
    try:
        value = float(token)
    except ValueError:
        raise _bad(code, f"{shown(token)} is not a number", position) from None
    if math.isinf(value):
        raise _bad(code, "the number is too large", position)


def _tree(code: str, source: str, margin: int) -> ast.expr:
    try:
        return ast.parse(source, mode="eval").body
    except SyntaxError as error:
        column = error.offset - 1 if error.offset else len(source)  # 0 stands for the end
        raise _bad(code, error.msg, margin + min(column, len(source))) from None


def _fold(op: str, programs: Sequence[_Program]) -> _Program:
    """Join programs with ``op``, as a balanced tree: a thousand alternatives nest ten deep."""
    if len(programs) == 1:
        return programs[0]
    middle = len(programs) // 2
    return (*_fold(op, programs[:middle]), *_fold(op, programs[middle:]), (op, None))


class _Part(NamedTuple):
    """What an expression compiles to."""

    type: _Type
    program: _Program


class _Compiler:
    """Compile the nodes of one tree, depth first."""

    def __init__(self, syntax: Syntax, table: Table, booleans: Collection[str], scales: Mapping[str, float]) -> None:
        self.bad = syntax.bad
        self.table = table
        self.booleans = booleans
        self.scales = scales

    def where(self, tree: ast.expr) -> Where:
        program = self.need("boolean", tree, "the expression must be")
        names = (str(name) for op, name in program if op == "field")
        return Where(program, tuple(dict.fromkeys(names)))

    def compile(self, node: ast.expr) -> _Part:
        part = self.part(node)
        if len(part.program) > MAX_LENGTH:  # chains of comparisons repeat what is in their middle
            raise self.bad(node, "it is too complex")
        return part

    def part(self, node: ast.expr) -> _Part:
        match node:
            case ast.Constant():
                return self.constant(node, node.value)
            case ast.Name():
                return self.name(node)
            case ast.Attribute(value=ast.Name(id="this")):
                return self.field(node)
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
            case ast.Attribute():
                raise self.bad(node, "only this has fields; write this.field")
            case ast.Tuple() | ast.List():
                raise self.bad(node, "a list of values can only follow in")
            case _:
                raise self.bad(node, f"{type(node).__name__} is not part of the expression language")

    def need(self, wanted: _Type, node: ast.expr, who: str) -> _Program:
        """Compile a node that must be of one type."""
        part = self.compile(node)
        if part.type != wanted:
            raise self.bad(node, f"{who} {_SHOWN[wanted]}, not {_SHOWN[part.type]}")
        return part.program

    def constant(self, node: ast.expr, value: object) -> _Part:
        match value:
            case None:
                return _Part("nil", (("const", None),))
            case bool():
                return _Part("boolean", (("const", value),))
            case int() | float():
                return _Part("number", (("const", float(value)),))
            case str():
                if _LONE.search(value):
                    raise self.bad(node, "the string has half of a surrogate pair")
                return _Part("text", (("const", value),))
            case _:
                raise self.bad(node, f"{shown(value)} is not part of the expression language")

    def name(self, node: ast.Name) -> _Part:
        name = node.id
        if name in _WORDS:
            return self.constant(node, _WORDS[name])
        if name == "this":
            raise self.bad(node, "this must be followed by a field, as in this.field")
        if name in _FUNCTIONS:
            raise self.bad(node, f"the function {name} must be called, as in {name}(…)")
        raise self.bad(node, f"there is no name {name}" + self.suggestion(name))

    def field(self, node: ast.Attribute) -> _Part:
        name = node.attr
        if name not in self.known():
            raise self.bad(node, f'model "{self.table.name}" has no field {name}' + self.suggestion(name))
        push: Instruction = ("field", name)
        if name in self.booleans:
            return _Part("boolean", (push, ("const", 0.0), ("!=", None)))
        if name in self.scales:
            return _Part("number", (push, ("const", self.scales[name]), ("/", None)))
        match self.table.column(name).type:
            case "int" | "float":
                return _Part("number", (push,))
            case "str":
                return _Part("text", (push,))
            case "map":
                raise self.bad(node, f'field {name} of model "{self.table.name}" holds JSON, which has filters only')
            case "bytes":
                raise self.bad(
                    node, f'field {name} of model "{self.table.name}" holds bytes, which cannot be compared here'
                )

    def known(self) -> tuple[str, ...]:
        return (self.table.pk.name, *self.table.names)

    def suggestion(self, name: str) -> str:
        close = get_close_matches(name, self.known(), n=1)
        return f"; did you mean this.{close[0]}?" if close else f"; known fields: {', '.join(self.known())}"

    def unary(self, node: ast.UnaryOp) -> _Part:
        match node.op:
            case ast.Not():
                return _Part("boolean", (*self.need("boolean", node.operand, "not takes"), ("not", None)))
            case ast.USub():
                program = self.need("number", node.operand, "- takes")
                match program:
                    case (("const", float() as value),):  # -1 is a constant, too
                        return _Part("number", (("const", -value),))
                return _Part("number", (*program, ("neg", None)))
            case _:
                raise self.bad(node, "a number has no sign but -")

    def binary(self, node: ast.BinOp) -> _Part:
        op = _ARITHMETIC.get(type(node.op))
        if op is None:
            raise self.bad(node, f"{type(node.op).__name__} is not an operation of the expression language")
        left = self.need("number", node.left, f"{op} takes")
        return _Part("number", (*left, *self.need("number", node.right, f"{op} takes"), (op, None)))

    def boolean(self, node: ast.BoolOp) -> _Part:
        op = "and" if isinstance(node.op, ast.And) else "or"
        return _Part("boolean", _fold(op, [self.need("boolean", value, f"{op} takes") for value in node.values]))

    def comparison(self, node: ast.Compare) -> _Part:
        """Compile ``a < b < c`` as ``a < b and b < c``."""
        tests: list[_Program] = []
        left = self.compile(node.left)
        for op, right in zip(node.ops, node.comparators, strict=True):
            if isinstance(op, (ast.In, ast.NotIn)):
                if right is not node.comparators[-1]:
                    raise self.bad(right, "a test with in needs parentheses around it when more follows")
                tests.append(self.membership(left, op, right))
            else:
                part = self.compile(right)
                tests.append(self.pair(left, op, part, right))
                left = part
        return _Part("boolean", _fold("and", tests))

    def pair(self, left: _Part, op: ast.cmpop, right: _Part, node: ast.expr) -> _Program:
        sign = _COMPARISONS.get(type(op))
        if sign is None:
            raise self.bad(node, "is cannot be used; write == or !=")
        types = {left.type, right.type}
        ordered = types in ({"number"}, {"text"})
        equated = len(types - {"nil"}) < 2
        if not (equated if sign in ("==", "!=") else ordered):
            raise self.bad(node, f"{sign} cannot compare {_SHOWN[left.type]} with {_SHOWN[right.type]}")
        return (*left.program, *right.program, (sign, None))

    def membership(self, left: _Part, op: ast.cmpop, node: ast.expr) -> _Program:
        if not isinstance(node, (ast.Tuple, ast.List)):
            raise self.bad(node, "in takes a list of constants: (1, 2), or (1,) for a single one; text has contains(…)")
        values: list[Instruction] = []
        for element in node.elts:
            part = self.compile(element)
            if len(part.program) != 1 or part.program[0][0] != "const":
                raise self.bad(element, "in takes constants only")
            if len({left.type, part.type} - {"nil"}) > 1:
                raise self.bad(element, f"in cannot compare {_SHOWN[left.type]} with {_SHOWN[part.type]}")
            values += part.program
        test: _Program = (*left.program, *values, ("in", len(values)))
        return test if isinstance(op, ast.In) else (*test, ("not", None))

    def call(self, node: ast.Call) -> _Part:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name not in _FUNCTIONS:
            raise self.bad(node, f"only these functions can be called: {', '.join(_FUNCTIONS)}")
        types, result = _FUNCTIONS[name]
        if len(node.args) != len(types):
            raise self.bad(node, f"{name} takes {len(types)} argument{'s'[: len(types) - 1]}, not {len(node.args)}")
        arguments = [self.need(*pair, f"{name} takes") for pair in zip(types, node.args, strict=True)]
        return _Part(result, (*(step for program in arguments for step in program), (name, None)))
