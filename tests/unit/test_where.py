"""The ``where`` language: what parses, what it means, and that errors point at the place."""

from __future__ import annotations

import inspect
import sys
import threading
import warnings
from typing import Any

import pytest

from stdnet.backends.memory.where import ascii_lower, ascii_upper, compile_where
from stdnet.contract import Column, Scalar, Table, Where
from stdnet.errors import BadExpression, QuerySetError
from stdnet.odm.where import MAX_LENGTH, parse

TABLE = Table(
    "fund",
    Column("id", "int"),
    (
        Column("ccy", "str"),
        Column("price", "float"),
        Column("size", "int"),
        Column("open", "int"),
        Column("raw", "bytes"),
        Column("größe", "float"),
    ),
)
ROW: dict[str, Scalar] = {"ccy": "EUR", "price": 2.5, "size": 7, "open": 1, "raw": b"x", "größe": 1.0}


def program(code: str) -> Where:
    return parse(code, TABLE, ("open",))


def holds(code: str, id: int = 3, **values: Scalar) -> bool:
    row = tuple({**ROW, **values}[name] for name in TABLE.names)
    return compile_where(program(code), TABLE)(id, row)


def error(code: Any) -> BadExpression:
    with pytest.raises(BadExpression) as caught:
        program(code)
    return caught.value


# --- what it means


@pytest.mark.parametrize(
    "code",
    [
        "this.size == 7",
        "this.size == 7.0",
        "this.size != 8",
        "this.size ~= 8",
        "this.price < 3",
        "this.price <= 2.5",
        "this.price > .5",
        "this.price >= 2.5e0",
        "this.size > this.price",
        "this.id == 3",
        "this.größe == 1",
        "this.ccy == 'EUR'",
        'this.ccy == "EUR"',
        "this.ccy < 'EUS'",
        "'Z' < 'a' < 'é' < '\\uffff' < '\\U0001f600'",
        "1 < this.price < this.size <= 7",
        "not 1 < this.price < 2",
        "this.open",
        "this.open == true",
        "this.open != False",
        "(this.price > 1) == (this.size > 1)",
        "this.size == 1 or this.size == 7 and this.ccy == 'EUR'",
        "not (this.size == 1 or this.size == 2)",
        "not this.size == 1",
        "true and True and not false and not False",
    ],
)
def test_comparisons_and_logic(code: str) -> None:
    assert holds(code)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("this.size + 1 == 8", True),
        ("this.size - 1 - 1 == 5", True),
        ("1 + this.size * 2 == 15", True),
        ("(1 + this.size) * 2 == 16", True),
        ("this.size / 2 == 3.5", True),
        ("this.size % 4 == 3", True),
        ("-this.size % 4 == 1", True),
        ("this.size % -4 == -1", True),
        ("- - this.size == 7", True),
        ("-this.size == -7", True),
        ("abs(-this.price) == 2.5 and abs(this.price) == 2.5", True),
        ("floor(this.price) == 2 and floor(-this.price) == -3", True),
        ("1 / 0 > 1e308 and -1 / 0 < -1e308", True),
        ("1 / -0.0 < 0 and 1 / floor(-0.0) < 0 and 1 / floor(0.5) > 0", True),
        ("1 / (0 / -1) < 0", True),
        ("0 / 0 == 0 / 0", False),
        ("0 / 0 != 0 / 0", True),
        ("0 / 0 < 1 or 0 / 0 >= 1", False),
        ("0 / 0 in (0, 1)", False),
        ("(0 / 0) / 0 != (0 / 0) / 0", True),
        ("floor(1 / 0) == 1 / 0", True),
        ("5 % (1 / 0) == 5", False),
        ("5 % (1 / 0) != 5 % (1 / 0)", True),
        ("5 % 0 == 5 % 0", False),
        ("1e308 * 10 == 1 / 0 and 1e308 + 1e308 == 1 / 0 and -1e308 - 1e308 == -1 / 0", True),
        ("1e308 / 1e-10 == 1 / 0", True),
        ("9007199254740993 == 9007199254740992", True),
    ],
)
def test_numbers_are_ieee_doubles(code: str, expected: bool) -> None:
    assert holds(code) is expected


def test_ints_of_a_row_become_doubles() -> None:
    assert holds("this.size == 9007199254740992", size=2**53 + 1)
    assert holds("this.size == 1 / 0", size=10**400)
    assert holds("this.size == -1 / 0", size=-(10**400))
    assert holds("this.id == 1 / 0", id=10**400)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("this.size in (1, 7)", True),
        ("this.size in [1, 7]", True),
        ("this.size in (7,)", True),
        ("this.size in (1, -7)", False),
        ("-this.size in (1, -7, nil)", True),
        ("this.size not in (1, 2)", True),
        ("not this.size in (1, 7)", False),
        ("this.ccy in ('USD', 'EUR')", True),
        ("this.ccy in ()", False),
        ("this.ccy not in ()", True),
        ("this.open in (true,)", True),
        ("nil in (1, None)", True),
        ("1 < this.size in (7,)", True),
    ],
)
def test_membership(code: str, expected: bool) -> None:
    assert holds(code) is expected


@pytest.mark.parametrize(
    "code",
    [
        "lower(this.ccy) == 'eur'",
        "upper('Straße é') == 'STRAßE é'",
        "lower('ÀB') == 'Àb'",
        "len(this.ccy) + 1 == 4",
        "len('\\U0001f600é') == 2 and len('') == 0",
        "len('') / 0 != 0",
        "contains(this.ccy, 'UR') and contains(this.ccy, '') and not contains(this.ccy, 'X')",
        "startswith(this.ccy, 'EU') and not startswith(this.ccy, 'UR')",
        "endswith(this.ccy, 'UR') and not endswith(this.ccy, 'EU')",
        "contains('a.c', '.') and not contains('abc', 'a.')",
    ],
)
def test_functions(code: str) -> None:
    assert holds(code)


def test_strings_keep_what_looks_like_the_language() -> None:
    assert holds("this.ccy == 'a ~= nil'", ccy="a ~= nil")
    assert holds(r"""this.ccy == 'it\'s \x41\u00e9\n\\\0"'""", ccy="it's Aé\n\\\0\"")
    assert holds("this.ccy == 'tab\there'", ccy="tab\there")
    assert holds("this.ccy\n ==\r\n\t'EUR'\n")


def test_a_row_where_a_named_field_is_missing_does_not_match() -> None:
    assert holds("this.price > 1 or this.size > 1")
    assert not holds("this.price > 1 or this.size > 1", size=None)
    assert not holds("not this.size > 1", size=None)
    assert not holds("this.open or not this.open", open=None)
    assert holds("this.price > 1", size=None)
    assert holds("this.ccy == ''", ccy="")


def test_nothing_that_matches_is_nil() -> None:
    for size in (7, None):
        assert not holds("this.size == nil", size=size)
    assert holds("this.size != None and this.ccy != nil and this.open ~= nil")
    assert holds("nil == None")


def test_a_program_without_fields_is_constant() -> None:
    assert program("1 < 2").fields == ()
    assert holds("true")
    assert not holds("1 > 2")


# --- what it compiles to


def test_the_program_is_postfix() -> None:
    where = program("not (this.price + 1 > -this.size and this.ccy in ('a', 'b'))")
    assert where.fields == ("price", "size", "ccy")
    assert where.program == (
        *(("field", "price"), ("const", 1.0), ("+", None), ("field", "size"), ("neg", None), (">", None)),
        *(("field", "ccy"), ("const", "a"), ("const", "b"), ("in", 2)),
        *(("and", None), ("not", None)),
    )


def test_constants_have_the_types_of_the_contract() -> None:
    arguments = [argument for op, argument in program("1 == -2 or nil == 'x' or true").program if op == "const"]
    assert arguments == [1.0, -2.0, None, "x", True]
    assert [type(argument) for argument in arguments] == [float, float, type(None), str, bool]


def test_booleans_are_numbers_that_are_not_zero() -> None:
    assert program("this.open").program == (("field", "open"), ("const", 0.0), ("!=", None))
    assert program("this.open").fields == ("open",)
    assert holds("this.open", open=5)
    assert not holds("this.open", open=0)


def test_any_values_may_follow_in() -> None:
    where = Where((("field", "size"), ("field", "price"), ("const", 7.0), ("neg", None), ("in", 2)), ("size", "price"))
    run = compile_where(where, Table("t", Column("id", "int"), (Column("size", "int"), Column("price", "float"))))
    assert [run(1, row) for row in ((7, 7.0), (-7, 1.0), (7, 1.0), (7, None))] == [True, True, False, False]


def test_hundreds_of_alternatives_do_not_nest_deeply() -> None:
    code = " or ".join(f"1>{n}" for n in range(100, 1000))
    assert not holds(code)
    assert holds(f"{code} or 1>0")
    assert holds("<".join(str(n) for n in range(900)))


def test_ascii_case() -> None:
    assert ascii_lower("AbZ[É") == "abz[É"
    assert ascii_upper("aBz{é") == "ABZ{é"
    assert (ascii_lower("ABC"), ascii_upper("abc")) == ("abc", "ABC")


# --- what is refused


@pytest.mark.parametrize(
    ("marked", "problem"),
    [
        # shape
        ("‸", "it is empty"),
        ("‸ \n ", "it is empty"),
        ("this.size >‸", "invalid syntax"),
        ("  ‸(this.size > 1", "never closed"),
        ("this.size > 1‸)", "unmatched"),
        ("this.ccy == 'é' ‸1", "an operator is missing"),
        ("this.ccy == 'é' < ‸< 'ü'", "invalid syntax"),
        ("(this.open) ‸true", "an operator is missing"),
        ("\nthis.size >\n\n‸> 1", "invalid syntax"),
        ("this.size > 1 ‸# big", "not understood"),
        ("this.size ‸= 1", "write == to compare"),
        ("this.open ‸&& true", "write and"),
        ("this.open ‸|| true", "write or"),
        ("‸!this.open", "write not"),
        ("this.size ‸:= 1", "not understood"),
        ("this.size > 1 ‸\\\n", "not understood"),
        ("this.size > 1‸; true", "not understood"),
        ("‸~this.size > 1", "not understood"),
        ("‸\ufeffthis.open", "not understood"),
        ("this.‸a² > 1", "is not a name"),
        ("this.open‸\x00", "cannot be used"),
        ("this.ccy == '‸\ud800'", "cannot be used"),
        ("this.ccy == ‸'\\ud83d\\ude00'", "surrogate"),
        # literals
        ("this.ccy == ‸'EUR", "no end"),
        ('this.ccy == ‸"EUR\n"', "no end"),
        ("this.ccy == ''‸'EUR'''", "an operator is missing"),
        ("this.ccy == 'a' ‸'b'", "an operator is missing"),
        ("this.ccy == '‸\\d'", "not an escape"),
        ("this.ccy == '‸\\477'", "not an escape"),
        ("this.ccy == '‸\\U00110000'", "not an escape"),
        ("this.ccy == '‸\\\r'", "not an escape"),
        ("this.ccy == ‸b'EUR'", "no prefix"),
        ("this.ccy == ‸f'{1}'", "no prefix"),
        ("this.ccy == ‸rB'EUR'", "no prefix"),
        ("this.size > ‸1j", "not a number"),
        ("this.size == ‸1or true", "not a number"),
        ("this.size > ‸0x10", "not a number"),
        ("this.size > ‸1.2.3", "not a number"),
        ("this.size > ‸1e999", "too large"),
        (f"this.size > ‸1{'0' * 5000}", "too large"),
        ("this.size > ‸010", "leading zeros"),
        ("this.size > ‸...", "not part of"),
        # names
        ("‸size > 1", "no name size; did you mean this.size?"),
        ("‸x > 1", "no name x; known fields: id, ccy,"),
        ("‸this.siz > 1", 'model "fund" has no field siz; did you mean this.size?'),
        ("'é' == ‸this.cy", "did you mean this.ccy?"),
        ("‸this.raw == 'x'", 'field raw of model "fund" holds bytes'),
        ("‸this > 1", "followed by a field"),
        ("‸lower == 'a'", "must be called"),
        ("‸that.size > 1", "only this has fields"),
        ("‸this.size.real > 1", "only this has fields"),
        ("‸this.__class__ == 1", "no field __class__"),
        # nodes
        ("‸this['size'] > 1", "Subscript is not part"),
        ("1 < 2 ‸if this.open", "if is not part"),
        ("1 ‸if true else 2", "if is not part"),
        ("‸lambda", "lambda is not part"),
        ("[x ‸for x in (1,)] == 1", "for is not part"),
        ("(‸yield) == 1", "yield is not part"),
        ("‸await this.open", "await is not part"),
        ("‸this.size ** 2 > 1", "Pow is not an operation"),
        ("‸this.size // 2 > 1", "FloorDiv is not an operation"),
        ("‸+this.size > 1", "no sign but -"),
        ("this.size is ‸1", "write == or !="),
        ("this.size == ‸(1, 2)", "can only follow in"),
        # calls
        ("‸print(1)", "only these functions"),
        ("‸this.ccy.lower() == 'a'", "only these functions"),
        ("‸len() > 1", "takes 1 argument, not 0"),
        ("‸contains(this.ccy)", "takes 2 arguments, not 1"),
        ("lower(‸*this.ccy) == 'a'", "Starred is not part"),
        ("lower(x ‸for x in (1,)) == 'a'", "for is not part"),
        # types
        ("‸this.size", "the expression must be true or false, not a number"),
        ("‸'yes'", "must be true or false, not text"),
        ("‸nil", "must be true or false, not nil"),
        ("this.open and ‸this.size", "and takes true or false, not a number"),
        ("‸this.ccy or this.open", "or takes true or false, not text"),
        ("not ‸this.size", "not takes true or false"),
        ("this.size == ‸'a'", "== cannot compare a number with text"),
        ("this.size < ‸this.ccy", "< cannot compare a number with text"),
        ("this.open < ‸true", "< cannot compare true or false with true or false"),
        ("this.open == ‸1", "== cannot compare true or false with a number"),
        ("this.size < ‸nil", "< cannot compare a number with nil"),
        ("1 < this.size < ‸'a'", "< cannot compare a number with text"),
        ("‸this.ccy + 'a' == 'b'", "+ takes a number, not text"),
        ("1 + ‸this.ccy == 'b'", "+ takes a number, not text"),
        ("1 - ‸nil == 1", "- takes a number, not nil"),
        ("-‸this.ccy == 'b'", "- takes a number, not text"),
        ("len(‸this.size) == 1", "len takes text, not a number"),
        ("startswith(this.ccy, ‸1)", "startswith takes text, not a number"),
        ("abs(‸this.open) == 1", "abs takes a number, not true or false"),
        # in
        ("this.size in ‸7", "(1,) for a single one"),
        ("this.size in (‸7)", "(1,) for a single one"),
        ("'E' in ‸this.ccy", "text has contains(…)"),
        ("this.size in (1, ‸'a')", "in cannot compare a number with text"),
        ("this.size in (1, ‸this.price)", "in takes constants only"),
        ("this.size in (1, ‸1 + 1)", "in takes constants only"),
        ("this.size in (1, ‸(2, 3))", "can only follow in"),
        ("this.size in ‸(1,) == true", "needs parentheses around it"),
    ],
)
def test_what_is_refused_and_where(marked: str, problem: str) -> None:
    before, after = marked.split("‸")
    caught = error(before + after)
    assert problem in str(caught)
    assert caught.position == len(before)


def test_the_message_shows_the_place() -> None:
    assert str(error("this.open and\n\tthis.ccy == 1")) == (
        "Cannot use this expression: == cannot compare text with a number.\n"
        "  this.open and  this.ccy == 1\n"
        "                             ^"
    )


@pytest.mark.parametrize("code", [None, 5, b"this.open", ["this.open"], lambda this: this.open])
def test_code_must_be_text(code: object) -> None:
    assert f"it is not text but {type(code).__name__}" in str(error(code))


def test_too_long() -> None:
    assert holds("true" + " " * (MAX_LENGTH - 4))
    assert "the limit is 10000" in str(error("true" + " " * (MAX_LENGTH - 3)))


DEEP = {
    "not": "not " * 2400 + "true",
    "minus": "-" * 9900 + "1 < 2",
    "parentheses": "(" * 4000 + "true" + ")" * 4000,
    "plus": "1" + "+1" * 4900 + " > 1",
    "attributes": "this" + ".x" * 4900,
    "calls": "this" + "()" * 4900,
    "items": "this" + "[1]" * 3300,
    "ifs": "1 if 1 else " * 800 + "1",
    "lists": "[" * 190 + "]" * 190 + " == 1",
    "in": "1 in " * 1900 + "1",
}


@pytest.mark.parametrize("code", DEEP.values(), ids=DEEP)
def test_absurd_nesting_is_an_error_like_any_other(code: str) -> None:
    assert isinstance(error(code), QuerySetError)


def test_nesting_has_a_limit_of_its_own() -> None:
    assert holds("not " * 100 + "true")
    assert holds("1" + "+1" * 100 + " == 101")
    assert holds("(" * 50 + "true" + ")" * 50)
    assert holds("-1 == -len('a') and " * 200 + "not 1 in (-1, -2)")
    assert "nested too deeply" in str(error("(true and " * 51 + "true" + ")" * 51))
    for code, position in [("not " * 101 + "true", 400), ("(" * 51 + "1" + ")" * 51, 50), ("1" + "+1" * 101, 201)]:
        caught = error(code)
        assert "nested too deeply" in str(caught)
        assert caught.position == position


def test_nesting_is_limited_by_the_depth_of_the_caller() -> None:
    def parse_below(frames: int) -> BadExpression:
        return error("not " * 100 + "true") if not frames else parse_below(frames - 1)

    free = sys.getrecursionlimit() - len(inspect.stack(0))
    assert "nested too deeply" in str(parse_below(free - 150))


def test_repeated_middles_of_chains_do_not_explode() -> None:
    code = "true"
    for _ in range(40):
        code = f"(true == {code} == true)"
    assert "too complex" in str(error(code))


def test_parsing_warns_of_nothing_in_any_thread() -> None:
    codes = [r"this.ccy == '\d'", "1is 1", "0in (1,)", "1 is 1", "'a'()", "this.ccy == '\\400'", "1()", "1[1]"]
    caught: list[str] = []

    def run() -> None:
        caught.extend(type(error(code)).__name__ for code in codes)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
    assert caught == ["BadExpression"] * len(codes)
