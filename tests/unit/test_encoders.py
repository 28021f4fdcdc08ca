"""Encoders: what each writes, what it reads, and what it refuses."""

from __future__ import annotations

import json
import math
import pickle
import struct
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from stdnet.errors import NotConvertible, WrongType
from stdnet.utils.encoders import (
    Bytes,
    CompactDouble,
    DateConverter,
    DateTimeConverter,
    Default,
    Double,
    Encoder,
    Json,
    NoEncoder,
    NumericDefault,
    PythonPickle,
    safe_number,
)

ALL = [Default, NumericDefault, Bytes, NoEncoder, Double, CompactDouble, Json, PythonPickle]
ALL += [DateTimeConverter, DateConverter]


class HasScore:
    def tojson(self):
        return {"score": 3}


class Opaque:
    pass


@pytest.mark.parametrize(
    ("encoder", "value", "stored"),
    [
        (Default(), "über", "über".encode()),
        (Default("latin-1"), "über", b"\xfcber"),
        (Default(), b"\xff", b"\xff"),
        (Default(), 5, b"5"),
        (Default(), None, b"None"),
        (NumericDefault(), 2.5, b"2.5"),
        (Bytes(), "é", b"\xc3\xa9"),
        (Bytes(), b"\xff\x00", b"\xff\x00"),
        (Bytes(), bytearray(b"ab"), b"ab"),
        (NoEncoder(), [1], [1]),
        (Double(), "2.5", 2.5),
        (CompactDouble(), 0.0, bytes(8)),
        (CompactDouble(), 1, struct.pack(">d", 1.0)),
        (CompactDouble(), None, CompactDouble.missing),
        (CompactDouble(), -math.nan, CompactDouble.missing),
        (Json(), {"a": [1, "é"], "b": None}, '{"a":[1,"é"],"b":null}'.encode()),
        (Json(), date(1970, 1, 2), b'{"__date__":86400}'),
        (Json(), HasScore(), b'{"score":3}'),
        (PythonPickle(), None, pickle.dumps(None, 2)),
        (DateTimeConverter(), datetime(1970, 1, 2, 0, 0, 0, 1), 86_400_000_001),
        (DateTimeConverter(), date(1970, 1, 2), 86_400_000_000),
        (DateTimeConverter(), datetime(1969, 12, 31, 23, 59, 59, 999_999), -1),
        (DateTimeConverter(), datetime(9999, 12, 31, 23, 59, 59), 253_402_300_799_000_000),
        (DateConverter(), date(1970, 1, 2), 86_400_000_000),
        (DateConverter(), datetime(1969, 12, 31, 12), -86_400_000_000),
    ],
)
def test_dumps(encoder, value, stored):
    found = encoder.dumps(value)
    assert (found, type(found)) == (stored, type(stored))


@pytest.mark.parametrize(
    ("encoder", "stored", "value"),
    [
        (Default(), b"5", "5"),
        (Default(), 5, "5"),
        (Default(), None, None),
        (Default("ascii", "ignore"), b"a\xff", "a"),
        (NumericDefault(), b"3.0", 3),
        (NumericDefault(), b"007", 7),
        (NumericDefault(), "0.5", 0.5),
        (NumericDefault(), b"inf", math.inf),
        (NumericDefault(), b"9007199254740993", 2**53 + 1),
        (NumericDefault(), b"EUR", "EUR"),
        (NumericDefault(), b"", ""),
        (NumericDefault(), 3.0, 3),
        (NumericDefault(), None, None),
        (Bytes(), "é", b"\xc3\xa9"),
        (Double(), b"2.5", 2.5),
        (Double(), "-inf", -math.inf),
        (CompactDouble(), bytes(8), 0.0),
        (CompactDouble(), 2, 2.0),
        (Json(), b"[1.5]", [1.5]),
        (Json(), '"\\u00e9"', "é"),
        (Json(), [1], [1]),
        (Json(), None, None),
        (Json(), b'{"__date__":86400}', date(1970, 1, 2)),
        (PythonPickle(), None, None),
        (PythonPickle(), "text", "text"),
        (DateTimeConverter(), 1_000_001, datetime(1970, 1, 1, 0, 0, 1, 1)),
        (DateTimeConverter(), -1.0, datetime(1969, 12, 31, 23, 59, 59, 999_999)),
        (DateTimeConverter(), b"1000001", datetime(1970, 1, 1, 0, 0, 1, 1)),
        (DateTimeConverter(), "1.000001e6", datetime(1970, 1, 1, 0, 0, 1, 1)),
        (DateTimeConverter(), date(2010, 5, 1), datetime(2010, 5, 1)),
        (DateTimeConverter(), datetime(2010, 5, 1, 12), datetime(2010, 5, 1, 12)),
        (DateConverter(), 86_400_000_001, date(1970, 1, 2)),
        (DateConverter(), b"-1", date(1969, 12, 31)),
        (DateConverter(), datetime(2010, 5, 1, 12), date(2010, 5, 1)),
        (DateConverter(), date(2010, 5, 1), date(2010, 5, 1)),
    ],
)
def test_loads(encoder, stored, value):
    found = encoder.loads(stored)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize("encoder", [Double(), CompactDouble()])
@pytest.mark.parametrize("value", [None, math.nan])
def test_a_missing_number_loads_as_nan(encoder, value):
    assert math.isnan(encoder.loads(encoder.dumps(value)))
    assert math.isnan(encoder.loads(value))


def test_impossible_numbers():
    assert all(math.isnan(Double().dumps(x)) for x in ("EUR", b"", [], 10**400))
    assert math.isnan(NumericDefault().loads(b"nan"))


AWARE = datetime(2010, 5, 1, tzinfo=timezone(timedelta(hours=2)))
CIRCULAR: list = []
CIRCULAR.append(CIRCULAR)


@pytest.mark.parametrize(
    ("encoder", "value", "kind", "problem"),
    [
        (Default(), "\ud800", NotConvertible, "Default: '\\ud800' cannot be written as utf-8"),
        (Default("latin-1"), "€", NotConvertible, "cannot be written as latin-1"),
        (Bytes(), 5, WrongType, "Bytes: 5 is neither bytes nor text"),
        (CompactDouble(), "EUR", WrongType, "CompactDouble: 'EUR' is not a number"),
        (CompactDouble(), 10**400, WrongType, "fits into 8 bytes"),
        (Json(), {1, 2}, WrongType, "Json: {1, 2} cannot be written as JSON"),
        (Json(), Opaque(), WrongType, "Opaque is not JSON serializable"),
        (Json(), CIRCULAR, NotConvertible, "Circular reference"),
        (Json(), "\ud800", NotConvertible, "cannot be written as utf-8"),
        (PythonPickle(), lambda: 0, WrongType, "cannot be pickled"),
        (DateTimeConverter(), AWARE, NotConvertible, "DateTimeConverter: .* has a time zone"),
        (DateTimeConverter(), 5, WrongType, "DateTimeConverter: 5 is neither a date nor a datetime"),
        (DateTimeConverter(), datetime(9999, 12, 31, 23, 59, 59, 999_999), NotConvertible, "use whole seconds"),
        (DateConverter(), AWARE, NotConvertible, "DateConverter: .* has a time zone"),
        (DateConverter(), None, WrongType, "DateConverter: None is neither"),
    ],
)
def test_refused_by_dumps(encoder, value, kind, problem):
    with pytest.raises(NotConvertible, match=problem.replace("\\", "\\\\")) as caught:
        encoder.dumps(value)
    assert type(caught.value) is kind


@pytest.mark.parametrize(
    ("encoder", "stored", "problem"),
    [
        (Default(), b"\xff", "Default: b'\\\\xff' is not utf-8 text"),
        (CompactDouble(), b"123", "is not 8 bytes long"),
        (CompactDouble(), "EUR", "is not a number"),
        (Json(), b"{", "Json: b'{' is not JSON"),
        (Json(), b"", "is not JSON"),
        (Json(), b"\xff", "is not utf-8 text"),
        (PythonPickle(), b"text", "PythonPickle: b'text' cannot be unpickled"),
        (PythonPickle(), b"", "cannot be unpickled"),
        (PythonPickle(), pickle.dumps({})[:-1], "cannot be unpickled"),
        (DateTimeConverter(), b"tomorrow", "DateTimeConverter: b'tomorrow' is not a number of microseconds"),
        (DateTimeConverter(), math.nan, "is not a number of microseconds"),
        (DateTimeConverter(), 10**18, "in the years 1 to 9999"),
        (DateTimeConverter(), None, "is not a number of microseconds"),
        (DateTimeConverter(), AWARE, "has a time zone"),
    ],
)
def test_refused_by_loads(encoder, stored, problem):
    with pytest.raises(NotConvertible, match=problem):
        encoder.loads(stored)


def test_refusals_are_the_builtin_errors_too():
    with pytest.raises(TypeError):
        Json().dumps({1})
    with pytest.raises(AttributeError):
        Bytes().dumps(1)
    with pytest.raises(ValueError, match="JSON"):
        Json().loads("{")


@pytest.mark.parametrize("encoder", [cls() for cls in ALL], ids=repr)
def test_what_every_encoder_has(encoder):
    again = pickle.loads(pickle.dumps(encoder))
    assert again == encoder == type(encoder)()
    assert hash(again) == hash(encoder)
    assert [cls for cls in ALL if cls() == encoder] == [type(encoder)]
    assert repr(encoder).startswith(f"{type(encoder).__name__}(")
    assert encoder.require_session() is False
    value = date(2010, 5, 1) if isinstance(encoder, DateTimeConverter) else "5"
    stored = encoder.dumps(value)
    assert encoder.load_iterable(iter([stored, stored]), session=None) == [encoder.loads(stored)] * 2
    assert encoder == again
    assert encoder.type in (None, str, bytes, float, date, datetime)


@pytest.mark.parametrize(("base", "values"), [(Bytes, [b"a", b"b"]), (Double, [1.0, 2.0])])
def test_many_values_are_loaded_as_one_is(base, values):
    class Doubled(base):
        def loads(self, x):
            return super().loads(x) * 2

    assert base().load_iterable(values) == values
    assert base().load_iterable([*values, "3"]) == [*values, base().loads("3")]
    assert Doubled().load_iterable(values) == [value * 2 for value in values]


def test_options_tell_encoders_apart():
    assert Default("latin-1") != Default() == Default("utf-8", "strict")
    assert PythonPickle(4) != PythonPickle()
    assert Json(object_hook=dict) != Json()
    assert len({Json(), Json(), Json("ascii"), Default()}) == 3
    assert repr(Default("ascii", "ignore")) == "Default(charset='ascii', encoding_errors='ignore')"


def test_the_base_is_abstract_and_open():
    with pytest.raises(NotImplementedError, match="Encoder has no dumps"):
        Encoder().dumps(1)
    with pytest.raises(NotImplementedError, match="Encoder has no loads"):
        Encoder().loads(1)

    class Scaled(Encoder):
        def __init__(self, scale):
            self.scale = scale

        def dumps(self, x):
            return x * self.scale

        def loads(self, x):
            return x / self.scale

    assert Scaled(2) == Scaled(2) != Scaled(3)
    assert Scaled(2).load_iterable([2, 4]) == [1, 2]


def test_json_with_an_encoder_and_a_hook_of_ones_own():
    class Sorted(json.JSONEncoder):
        def default(self, o):
            return {"set": sorted(o)} if isinstance(o, set) else super().default(o)

    encoder = Json(json_encoder=Sorted, object_hook=lambda found: set(found["set"]) if "set" in found else found)
    assert encoder.dumps([{2, 1}]) == b'[{"set":[1,2]}]'
    assert encoder.loads(encoder.dumps([{2, 1}])) == [{1, 2}]


def test_pickles_of_a_chosen_protocol():
    assert PythonPickle().dumps("x") == pickle.dumps("x", 2)
    assert PythonPickle(5).dumps("x") == pickle.dumps("x", 5)


class Trap:
    sprung: list = []  # noqa: RUF012

    def __reduce__(self):
        return self.sprung.append, (1,)


@pytest.mark.parametrize("encoder", [cls() for cls in ALL if cls is not PythonPickle], ids=repr)
def test_no_other_encoder_unpickles(encoder):
    for protocol in (0, 2):
        try:
            found = encoder.loads(pickle.dumps(Trap(), protocol))
        except NotConvertible:
            continue
        assert isinstance(found, (str, bytes, float))
    assert Trap.sprung == []


@pytest.mark.parametrize(
    ("value", "number"),
    [("3.0", 3), (b"7", 7), (Decimal("0.5"), 0.5), (Decimal("inf"), math.inf), (True, 1), (2**70, 2**70)],
)
def test_safe_number(value, number):
    found = safe_number(value)
    assert (found, type(found)) == (number, type(number))


def test_whole_numbers_are_exact_however_long():
    assert safe_number("9" * 400) == 10**400 - 1


@pytest.mark.parametrize("value", ["EUR", b"\xff", None, [1], date(2010, 1, 1), 1j])
def test_what_is_no_number_stays_as_it_is(value):
    assert safe_number(value) is value
