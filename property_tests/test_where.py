"""``where`` expressions against a naive evaluator, and nonsense that must be refused and never crash."""

from __future__ import annotations

import math
import re
from typing import Any, TypeAlias

from hypothesis import given, settings
from hypothesis import strategies as st

from stdnet.backends.memory.where import compile_where
from stdnet.contract import Column, Row, Table, Where
from stdnet.errors import BadExpression
from stdnet.odm.where import parse

COLUMNS = (Column("n", "int"), Column("f", "float"), Column("t", "str"), Column("flag", "int"), Column("raw", "bytes"))
TABLE = Table("thing", Column("id", "int"), COLUMNS)
Tree: TypeAlias = tuple[Any, ...]

NUMBERS = st.sampled_from([0.0, 1.0, 2.5, 3.0, 7.0, 1e308, 5e-324, 2.0**53])
TEXTS = st.sampled_from(
    ["", "a", "A", "b", "É", "é", "aB", "ab É", "it's", '"\\\n', "~=", "nil", "\U0001f600", "\uffff"]
)
VALUES = (
    st.sampled_from([0, 1, -1, 7, 2**53 + 1, 10**400, -(10**400)]),
    st.sampled_from([0.0, -0.0, 0.5, -2.5, 1e308, math.inf, -math.inf]),
    TEXTS,
    st.sampled_from([0, 1]),
    st.just(b"x"),
)
ROWS = st.tuples(*VALUES) | st.tuples(*(st.none() | values for values in VALUES))
IDS = st.sampled_from([0, 1, 3, 10**400])


# --- random expressions: a tree is (operation, operands...)


def numbers(depth: int) -> st.SearchStrategy[Tree]:
    leaf = NUMBERS.map(lambda v: ("number", v)) | st.sampled_from([("field", "n"), ("field", "f"), ("field", "id")])
    if not depth:
        return leaf
    below = numbers(depth - 1)
    return (
        leaf
        | st.tuples(st.sampled_from("+-*/%"), below, below)
        | st.tuples(st.sampled_from(["neg", "abs", "floor"]), below)
        | st.tuples(st.just("len"), texts(depth - 1))
    )


def texts(depth: int) -> st.SearchStrategy[Tree]:
    leaf = TEXTS.map(lambda v: ("text", v)) | st.just(("field", "t"))
    return leaf if not depth else leaf | st.tuples(st.sampled_from(["lower", "upper"]), texts(depth - 1))


def booleans(depth: int) -> st.SearchStrategy[Tree]:
    leaf = st.sampled_from([("word", "true"), ("word", "False"), ("flag",)])
    if not depth:
        return leaf
    number, text, below = numbers(depth - 1), texts(depth - 1), booleans(depth - 1)
    equal, compare = st.sampled_from(["==", "!=", "~="]), st.sampled_from(["==", "~=", "<", "<=", ">", ">="])
    among = st.sampled_from(["in", "not in"])
    nil = st.sampled_from([("word", "nil"), ("word", "None")])
    return (
        leaf
        | st.tuples(compare, number, number)
        | st.tuples(compare, text, text)
        | st.tuples(equal, below, below)
        | st.tuples(equal, number | text | below, nil)
        | st.tuples(st.just("chain"), number, compare, number, compare, number)
        | st.tuples(among, number, st.lists(NUMBERS.map(lambda v: ("number", v)), max_size=3))
        | st.tuples(among, text, st.lists(TEXTS.map(lambda v: ("text", v)), max_size=3))
        | st.tuples(st.sampled_from(["and", "or"]), below, below)
        | st.tuples(st.just("not"), below)
        | st.tuples(st.sampled_from(["contains", "startswith", "endswith"]), text, text)
    )


def render(tree: Tree) -> str:
    match tree:
        case ("number" | "text", value):
            return repr(value)
        case ("word", word):
            return str(word)
        case ("field", name):
            return f"this.{name}"
        case ("flag",):
            return "this.flag"
        case ("neg" | "not" as op, operand):
            return f"({'-' if op == 'neg' else 'not '}{render(operand)})"
        case ("chain", a, first, b, second, c):
            return f"({render(a)} {first} {render(b)} {second} {render(c)})"
        case ("in" | "not in" as op, value, list(members)):
            return f"({render(value)} {op} [{', '.join(map(render, members))}])"
        case ("contains" | "startswith" | "endswith" as op, left, right):
            return f"{op}({render(left)},{render(right)})"
        case (op, left, right):
            return (
                f"({render(left)}{op}{render(right)})"
                if op not in ("and", "or")
                else (f"({render(left)}\n{op} {render(right)})")
            )
        case (op, operand):
            return f"{op}({render(operand)})"
    raise AssertionError(tree)


def names(tree: Any) -> set[str]:
    match tree:
        case ("field", name):
            return {name}
        case ("flag",):
            return {"flag"}
        case tuple() | list():
            return set().union(*map(names, tree))
        case _:
            return set()


def evaluate(tree: Tree, row: dict[str, Any]) -> Any:
    match tree:
        case ("number" | "text", value):
            return value
        case ("word", word):
            return {"true": True, "False": False, "nil": None, "None": None}[word]
        case ("field", name):
            return as_double(row[name]) if name != "t" else row[name]
        case ("flag",):
            return row["flag"] == 1
        case ("chain", a, first, b, second, c):
            return evaluate((first, a, b), row) and evaluate((second, b, c), row)
        case ("in" | "not in" as op, value, list(members)):
            wanted = evaluate(value, row)
            return any(wanted == evaluate(member, row) for member in members) == (op == "in")
        case (op, *operands):
            return apply(op, *(evaluate(operand, row) for operand in operands))
    raise AssertionError(tree)


def as_double(value: float) -> float:
    if isinstance(value, int) and abs(value) >= 10**309:
        return math.inf if value > 0 else -math.inf
    return float(value)


def apply(op: str, a: Any, b: Any = None) -> Any:
    match op:
        case "+":
            return a + b
        case "-":
            return a - b
        case "*":
            return a * b
        case "/":
            return divide(a, b)
        case "%":
            return a - apply("floor", divide(a, b)) * b
        case "neg":
            return a * -1.0
        case "abs":
            return math.fabs(a)
        case "floor":
            return a if math.isinf(a) else a // 1.0
        case "len":
            return 1.0 * len(list(a))
        case "lower":
            return "".join(chr(ord(c) + 32) if "A" <= c <= "Z" else c for c in a)
        case "upper":
            return "".join(chr(ord(c) - 32) if "a" <= c <= "z" else c for c in a)
        case "contains":
            return a.find(b) >= 0
        case "startswith":
            return a[: len(b)] == b
        case "endswith":
            return b == "" or a[-len(b) :] == b
        case "==":
            return a == b
        case "!=" | "~=":
            return not a == b  # noqa: SIM201
        case "<":
            return a < b
        case "<=":
            return a <= b
        case ">":
            return b < a
        case ">=":
            return b <= a
        case "and":
            return a and b
        case "or":
            return a or b
        case "not":
            return not a
    raise AssertionError(op)


def divide(a: float, b: float) -> float:
    try:
        return a / b
    except ZeroDivisionError:
        return a * math.copysign(math.inf, b)  # 0 * inf is NaN, as 0 / 0


@settings(max_examples=300, deadline=None)
@given(booleans(4), IDS, st.lists(ROWS, min_size=1, max_size=4))
def test_agrees_with_a_naive_evaluator(tree: Tree, id: int, rows: list[Row]) -> None:
    where = parse(render(tree), TABLE, {"flag"})
    matches = compile_where(where, TABLE)
    assert set(where.fields) == names(tree)
    for row in rows:
        values = {"id": id, **dict(zip(TABLE.names, row, strict=True))}
        expected = all(values[name] is not None for name in names(tree)) and evaluate(tree, values)
        assert matches(id, row) is expected, (render(tree), row)


# --- nonsense

TOKENS = re.findall(
    r"\S+",
    r"""this.n this.f this.t this.flag this.id this.raw this.no this that 0 1 2.5 1e308 .5 1. 007 1j 0x1 1_0 'a' "b" ''
    '\d' ''' f'x' true false nil None and or not in is if else lambda for yield await == != ~= < <= > >= = := + - * /
    % ** // & | ^ ~ ( ) [ ] { } , . : ; # \ ! @ $ lower( len( abs( contains( print(""",
)
TOKENS += [" ", "\n", "\t", "\0", "\ufeff", "é", "ª", "\uff12", "\uff34rue"]  # the last two are a wide 2 and True
ANY_ROW: Row = (-3, 0.5, "aé", 1, b"x")
soups = st.tuples(st.sampled_from(["", " "]), st.lists(st.sampled_from(TOKENS), max_size=12)).map(
    lambda p: p[0].join(p[1])
)
characters = st.characters(codec=None) | st.sampled_from("this.ntf()[]'\"\\=<>!~+-*/%,. 01e_")
places = st.integers(0, 10**6)


def mutated(tree: Any, place: int, width: int, more: str) -> str:
    """Return the text of an expression with some characters replaced by others."""
    code = render(tree)
    at = place % (len(code) + 1)
    return code[:at] + more + code[at + width :]


mutants = st.builds(
    mutated,
    booleans(2),
    places,
    st.integers(0, 3),
    st.text(characters, max_size=2) | st.sampled_from(TOKENS),
)


@settings(max_examples=600, deadline=None)
@given(soups | st.text(characters, max_size=30) | mutants)
def test_any_text_is_a_program_that_runs_or_an_error_that_points_into_it(code: str) -> None:
    where = attempt(code)
    if isinstance(where, BadExpression):
        assert 0 <= where.position <= len(code)
        assert str(where).encode()
    else:
        matches = compile_where(where, TABLE)
        assert isinstance(matches(1, ANY_ROW), bool)
        assert matches(1, (None,) * 5) is False or not set(where.fields) - {"id"}


def attempt(code: str) -> Where | BadExpression:
    try:
        return parse(code, TABLE, {"flag"})
    except BadExpression as error:
        return error
