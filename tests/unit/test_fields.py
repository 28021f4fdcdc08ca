"""Fields: options, conversions and the scalars that stand for their values. No I/O."""

from __future__ import annotations

import math
import os
import time
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum
from typing import Any

import pytest

from stdnet import FieldError, FieldValueError, InvalidValue, StdNetException, odm

EXACT = 2**53
HUGE = 10**400
FIELDS = [
    odm.BooleanField,
    odm.IntegerField,
    odm.FloatField,
    odm.DateField,
    odm.DateTimeField,
    odm.SymbolField,
    odm.CharField,
    odm.ByteField,
]


class Colour(str, Enum):
    RED = "red"


class Size(IntEnum):
    SMALL = 1


class Hostile:
    def __repr__(self) -> str:
        raise RuntimeError("no repr")

    __str__ = __repr__


def bound(field: Any) -> Any:
    """Return the field after it was given to a model, whose name it then bears."""
    odm.ModelType("Thing", (odm.StdModel,), {"__module__": "shop", "register": False, "field": field})
    return field


# -- options ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cls", "type", "internal_type", "python_type", "index", "required", "default"),
    [
        (odm.AtomField, None, None, None, True, True, None),
        (odm.BooleanField, "bool", "numeric", bool, True, False, False),
        (odm.IntegerField, "integer", "numeric", int, True, True, None),
        (odm.FloatField, "float", "numeric", float, False, True, None),
        (odm.DateField, "date", "numeric", date, True, True, None),
        (odm.DateTimeField, "datetime", "numeric", datetime, False, True, None),
        (odm.SymbolField, "text", "text", str, True, True, ""),
        (odm.CharField, "text", "text", str, False, False, ""),
        (odm.ByteField, "bytes", "bytes", bytes, False, False, b""),
    ],
)
def test_class_defaults(cls, type, internal_type, python_type, index, required, default):
    field = cls()
    assert (field.type, field.internal_type, field.python_type) == (type, internal_type, python_type)
    assert (field.index, field.required, field.default) == (index, required, default)
    assert (field.unique, field.primary_key, field.as_cache, field.hidden) == (False, False, False, False)
    assert field.charset == "utf-8"


def test_a_primary_key_is_unique_indexed_required_and_has_no_default():
    field = odm.SymbolField(primary_key=True, required=False, index=False, as_cache=True, default="x")
    assert (field.unique, field.index, field.required, field.as_cache, field.default) == (True, True, True, False, None)
    assert odm.AutoIdField().primary_key


def test_unique_means_index():
    field = odm.FloatField(unique=True, index=False)
    assert (field.unique, field.index, field.primary_key) == (True, True, False)


def test_a_cache_field_is_neither_required_nor_indexed():
    field = odm.SymbolField(as_cache=True, required=True, unique=True, index=True)
    assert (field.as_cache, field.required, field.unique, field.index) == (True, False, False, False)


@pytest.mark.parametrize("cls", [odm.CharField, odm.ByteField])
def test_some_fields_never_have_an_index(cls):
    field = cls(unique=True, index=True, primary_key=True, required=True)
    assert (field.unique, field.index, field.primary_key, field.required) == (False, False, False, True)


def test_options_overrule_the_class_default():
    assert odm.FloatField(index=True).index
    assert not odm.IntegerField(index=False).index
    assert odm.BooleanField(required=True).required
    assert odm.SymbolField(hidden=True).hidden
    assert not odm.CharField(max_length=1).required


@pytest.mark.parametrize("cls", [*FIELDS, odm.AutoIdField])
def test_an_unknown_option_is_a_type_error_that_names_it(cls):
    with pytest.raises(TypeError, match=f"{cls.__name__} got unknown options: indx") as refused:
        cls(indx=True)
    assert isinstance(refused.value, FieldError)


def test_fields_count_their_creation():
    first, second = odm.SymbolField(), odm.IntegerField()
    assert first.creation_counter < second.creation_counter


def test_a_field_knows_its_place():
    field = odm.SymbolField()
    assert str(field) == "SymbolField"
    bound(field)
    assert (field.name, field.attname, str(field)) == ("field", "field", "shop.thing.field")
    assert field.model._meta is field.meta
    assert repr(field) == "<SymbolField shop.thing.field>"


def test_custom_fields_may_take_options_of_their_own():
    class Level(odm.IntegerField):
        def _handle_extras(self, **extras: Any) -> None:
            self.top = extras.pop("top")
            super()._handle_extras(**extras)

        def convert(self, value: Any) -> int:
            return min(super().convert(value), self.top)

    field = Level(top=3)
    assert bound(field.copy()).to_python("7") == 3
    with pytest.raises(TypeError, match="bottom"):
        Level(top=3, bottom=1)


# -- defaults and missing values ----------------------------------------------------------------------------------


@pytest.mark.parametrize("cls", FIELDS)
def test_none_becomes_the_default(cls):
    assert cls().to_python(None) == cls().default


@pytest.mark.parametrize("cls", [odm.IntegerField, odm.FloatField, odm.BooleanField])
def test_empty_text_is_a_missing_number(cls):
    assert cls(default=1).to_python("") == 1
    assert cls(default=None).to_python("") is None


@pytest.mark.parametrize("cls", [odm.DateField, odm.DateTimeField])
def test_empty_text_is_a_missing_date(cls):
    assert cls().to_python("") is None
    assert cls(default=datetime(2020, 1, 2)).to_python("") == cls().to_python("2020-01-02")


def test_a_function_as_default_is_called_each_time():
    numbers = iter(range(9))
    field = odm.IntegerField(default=lambda: next(numbers))
    assert callable(field.default)
    assert [field.get_default(), field.to_python(None), field.to_python(""), field.to_python(None)] == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (odm.FloatField(default=1), 1.0),
        (odm.IntegerField(default="5"), 5),
        (odm.SymbolField(default=3), "3"),
        (odm.ByteField(default="é"), b"\xc3\xa9"),
        (odm.DateField(default=lambda: datetime(2020, 1, 2, 3)), date(2020, 1, 2)),
        (odm.DateTimeField(default=date(2020, 1, 2)), datetime(2020, 1, 2)),
        (odm.BooleanField(default=1), True),
    ],
)
def test_a_default_is_a_value_of_its_field(field, value):
    for got in (field.get_default(), field.to_python(None)):
        assert got == value
        assert type(got) is type(value)


def test_a_default_that_cannot_be_is_an_error_of_the_declaration():
    with pytest.raises(ValueError, match=r"shop.thing.field: 'abc' is not an integer"):
        bound(odm.IntegerField(default="abc"))


# -- conversions --------------------------------------------------------------------------------------------------


def convert(cls: Any, value: Any) -> Any:
    return bound(cls()).to_python(value)


@pytest.mark.parametrize(
    ("cls", "given", "value"),
    [
        (odm.IntegerField, "4", 4),
        (odm.IntegerField, b"4", 4),
        (odm.IntegerField, " -4 ", -4),
        (odm.IntegerField, 2.7, 2),
        (odm.IntegerField, True, 1),
        (odm.IntegerField, Size.SMALL, 1),
        (odm.IntegerField, Decimal("3"), 3),
        (odm.IntegerField, 0, 0),
        (odm.IntegerField, EXACT, EXACT),
        (odm.FloatField, 5, 5.0),
        (odm.FloatField, "5", 5.0),
        (odm.FloatField, b"2.5", 2.5),
        (odm.FloatField, "inf", math.inf),
        (odm.FloatField, "-1e300", -1e300),
        (odm.FloatField, Decimal("0.1"), 0.1),
        (odm.FloatField, 0, 0.0),
        (odm.BooleanField, 1, True),
        (odm.BooleanField, "0", False),
        (odm.BooleanField, b"1", True),
        (odm.BooleanField, 7, True),
        (odm.SymbolField, 3, "3"),
        (odm.SymbolField, b"caf\xc3\xa9", "café"),
        (odm.SymbolField, bytearray(b"x"), "x"),
        (odm.SymbolField, Colour.RED, "red"),
        (odm.SymbolField, "\x00\U0001f600", "\x00\U0001f600"),
        (odm.CharField, 2.5, "2.5"),
        (odm.ByteField, "é", b"\xc3\xa9"),
        (odm.ByteField, bytearray(b"\xff"), b"\xff"),
        (odm.ByteField, memoryview(b"\x00"), b"\x00"),
        (odm.ByteField, "", b""),
        (odm.DateField, date(2020, 1, 2), date(2020, 1, 2)),
        (odm.DateField, datetime(2020, 1, 2, 23, 59), date(2020, 1, 2)),
        (odm.DateField, 86400 + 3600, date(1970, 1, 2)),
        (odm.DateField, "-1", date(1969, 12, 31)),
        (odm.DateField, "2020-01-02", date(2020, 1, 2)),
        (odm.DateField, "2020-01-02 10:00", date(2020, 1, 2)),
        (odm.DateTimeField, date(2020, 1, 2), datetime(2020, 1, 2)),
        (odm.DateTimeField, "2020-01-02T03:04:05.000006", datetime(2020, 1, 2, 3, 4, 5, 6)),
        (odm.DateTimeField, 1.5, datetime(1970, 1, 1, 0, 0, 1, 500000)),
        (odm.DateTimeField, b"1.5", datetime(1970, 1, 1, 0, 0, 1, 500000)),
        (odm.DateTimeField, "1e-06", datetime(1970, 1, 1, 0, 0, 0, 1)),
        (odm.AutoIdField, "7", 7),
        (odm.AutoIdField, b"7", 7),
        (odm.AutoIdField, -3, -3),
    ],
)
def test_conversions(cls, given, value):
    got = convert(cls, given)
    assert got == value
    assert type(got) is type(value)
    assert convert(cls, got) == value


AWARE = datetime(2020, 1, 2, tzinfo=timezone.utc)
ZONED = "2020-01-02T00:00+01:00"


@pytest.mark.parametrize(
    ("cls", "given"),
    [
        *((odm.IntegerField, value) for value in ("abc", "2.7", [], object(), math.inf, math.nan, EXACT + 1, -HUGE)),
        *((odm.FloatField, value) for value in ("abc", [], object(), math.nan, "nan", 1j, HUGE, b"\xff")),
        *((odm.BooleanField, value) for value in ("abc", "True", [], object(), math.nan, math.inf)),
        *((odm.DateField, value) for value in ("abc", "2020-13-01", [], object(), math.nan, 1e18, AWARE, ZONED)),
        *((odm.DateTimeField, value) for value in ("abc", {}, math.inf, -1e18, AWARE, ZONED, HUGE)),
        *((odm.SymbolField, value) for value in (b"\xff", "\ud800", "a\udfffb", bytearray(b"\x80"))),
        *((odm.CharField, value) for value in (b"\xff", "\ud800")),
        *((odm.ByteField, value) for value in (3, 2.5, [1], object(), "\ud800")),
        *((odm.AutoIdField, value) for value in ("seven", 7.5, [], object(), EXACT + 1, -EXACT - 1, math.nan)),
    ],
)  # fmt: skip
def test_bad_values_are_a_value_error_that_names_field_and_value(cls, given):
    with pytest.raises(ValueError, match=r"^shop\.thing\.field: .+\.$") as refused:
        convert(cls, given)
    assert isinstance(refused.value, (InvalidValue, FieldValueError))
    assert len(str(refused.value)) < 300


@pytest.mark.parametrize("cls", [odm.IntegerField, odm.FloatField, odm.BooleanField, odm.DateField, odm.ByteField])
def test_a_value_that_cannot_even_be_shown_is_refused(cls):
    with pytest.raises(InvalidValue, match="<Hostile>"):
        convert(cls, Hostile())


def test_an_indexed_integer_is_exact_as_a_double_and_another_is_of_any_size():
    for value in (EXACT, -EXACT):
        assert bound(odm.IntegerField()).to_python(value) == value
    with pytest.raises(InvalidValue, match="index=False"):
        bound(odm.IntegerField()).to_python(EXACT + 1)
    assert bound(odm.IntegerField(index=False)).to_python(HUGE) == HUGE


def test_an_indexed_datetime_is_exact_as_a_double_and_another_is_of_any_year():
    first, last = datetime(1684, 7, 28, 0, 12, 25, 259008), datetime(2255, 6, 5, 23, 47, 34, 740992)
    field = bound(odm.DateTimeField(index=True))
    assert [field.dump(field.to_python(value)) for value in (first, last)] == [-EXACT, EXACT]
    for value in (first - timedelta(microseconds=1), last + timedelta(microseconds=1), datetime.max):
        with pytest.raises(InvalidValue, match="index=False"):
            field.to_python(value)
    for value in (datetime.min, datetime.max):
        assert bound(odm.DateTimeField()).to_python(value) == value


def test_bounds_of_ranges_may_lie_outside_of_what_an_index_holds():
    field = bound(odm.DateTimeField(index=True))
    assert field.serialise(datetime.max, "lt") == field.dump(datetime.max)
    with pytest.raises(InvalidValue):
        field.serialise(datetime.max)


def test_every_date_has_a_place():
    field = bound(odm.DateField())
    for day in (date.min, date.max):
        assert field.load(field.dump(field.to_python(day))) == day


def test_a_model_instance_stands_for_its_pk():
    made = odm.create_model("Made")
    assert convert(odm.IntegerField, made(id=4)) == 4
    assert convert(odm.SymbolField, made(id=4)) == "4"
    assert convert(odm.AutoIdField, made(id=4)) == 4
    assert odm.IntegerField().serialise(made(id=4)) == 4


def test_charset():
    assert convert(lambda: odm.SymbolField(charset="latin-1"), b"\xe9") == "é"
    assert convert(lambda: odm.ByteField(charset="latin-1"), "é") == b"\xe9"
    with pytest.raises(InvalidValue):
        convert(lambda: odm.ByteField(charset="ascii"), "é")
    with pytest.raises(FieldError, match="klingon"):
        odm.SymbolField(charset="klingon")


# -- scalars ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "value", "scalar"),
    [
        (odm.BooleanField(), True, 1),
        (odm.BooleanField(), False, 0),
        (odm.IntegerField(), 5, 5),
        (odm.FloatField(), 5.0, 5.0),
        (odm.DateField(), date(1970, 1, 2), 86400),
        (odm.DateField(), date(1969, 12, 31), -86400),
        (odm.DateTimeField(), datetime(1970, 1, 1, 0, 0, 1, 1), 1_000_001),
        (odm.DateTimeField(), datetime(1969, 12, 31, 23, 59, 59, 999999), -1),
        (odm.SymbolField(), "é", "é"),
        (odm.ByteField(), b"\xff\x00", b"\xff\x00"),
    ],
)
def test_scalars(field, value, scalar):
    assert field.dump(value) == scalar
    assert type(field.dump(value)) is type(scalar)
    assert field.load(scalar) == value
    assert type(field.load(scalar)) is type(value)
    assert field.serialise(value) == scalar


def test_a_query_compares_with_the_same_scalar_however_the_value_is_spelt():
    assert [odm.FloatField(index=True).serialise(value) for value in (5, "5", 5.0, b"5.0")] == [5.0] * 4
    assert [odm.IntegerField().serialise(value) for value in (5, "5", b"5")] == [5] * 3
    assert odm.DateField().serialise(date(2020, 1, 2)) == odm.DateField().serialise("2020-01-02")
    assert [field().serialise(None) for field in (odm.IntegerField, odm.DateField, odm.DateTimeField)] == [None] * 3


def test_a_time_of_day_is_no_date():
    field, noon = odm.DateField(), datetime(2020, 1, 2, 12)
    assert field.serialise(datetime(2020, 1, 2)) == field.serialise(date(2020, 1, 2))
    assert field.serialise(date(2020, 1, 2)) < field.serialise(noon) < field.serialise(date(2020, 1, 3))


@pytest.mark.parametrize(("value", "scalar"), [("bla", 1), ("", 0), (None, 0), ("0", 1), (3, 1), ([], 0)])
def test_a_boolean_query_and_score_go_by_truth(value, scalar):
    assert odm.BooleanField().serialise(value) == scalar
    assert odm.BooleanField().scorefun(value) == scalar


@pytest.mark.parametrize(
    ("cls", "value", "score"),
    [
        (odm.IntegerField, "3", 3.0),
        (odm.FloatField, -0.5, -0.5),
        (odm.DateField, date(1970, 1, 2), 86400.0),
        (odm.DateTimeField, "1970-01-01 00:00:01", 1_000_000.0),
    ],
)
def test_scores(cls, value, score):
    assert cls().scorefun(value) == score


@pytest.mark.parametrize("cls", [odm.SymbolField, odm.CharField, odm.ByteField, odm.AutoIdField])
def test_some_fields_give_no_score(cls):
    with pytest.raises(FieldValueError, match="Could not obtain score"):
        cls().scorefun("x")


@pytest.mark.parametrize("cls", [odm.DateField, odm.DateTimeField, odm.IntegerField])
def test_no_scalar_and_no_score_of_what_is_not_a_value(cls):
    for method in (cls(index=False).serialise, cls(index=False).scorefun):
        with pytest.raises(FieldValueError):
            method("hello")
    with pytest.raises(FieldValueError, match="too large"):
        odm.IntegerField(index=False).scorefun(HUGE)


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Kolkata", "Pacific/Auckland"])
def test_dates_do_not_depend_on_the_time_zone_of_the_machine(zone, monkeypatch):
    gap = datetime(2024, 3, 10, 2, 30, 0, 1)  # no such time in New York
    expected = {field: (field.dump(gap), field.json_serialise(gap)) for field in (odm.DateTimeField(),)}
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        for field, forms in expected.items():
            assert (field.dump(gap), field.json_serialise(gap)) == forms
            assert [field.load(forms[0]), field.from_json(forms[1])] == [gap, gap]
        assert odm.DateField().dump(date(1970, 1, 2)) == 86400
        assert odm.DateField().to_python(86400) == date(1970, 1, 2)
    finally:
        monkeypatch.undo()
        time.tzset()
    assert "TZ" not in os.environ or os.environ["TZ"] != zone


# -- JSON ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "value", "form"),
    [
        (odm.BooleanField(), False, False),
        (odm.IntegerField(), 0, 0),
        (odm.FloatField(), 0.5, 0.5),
        (odm.DateField(), date(1970, 1, 2), 86400),
        (odm.DateTimeField(), datetime(1970, 1, 1, 0, 0, 1, 500000), 1.5),
        (odm.SymbolField(), "é", "é"),
        (odm.ByteField(), b"\xff\x00", "/wA="),
        (odm.ByteField(), b"", ""),
    ],
)
def test_json_forms(field, value, form):
    assert field.json_serialise(value) == form
    assert type(field.json_serialise(value)) is type(form)
    assert field.from_json(form) == value


@pytest.mark.parametrize("cls", FIELDS)
def test_json_of_nothing_is_nothing(cls):
    assert cls().json_serialise(None) is None


@pytest.mark.parametrize("text", ["/wA", "é", "/wA=%", "\ud800"])
def test_text_that_is_not_base64_is_refused(text):
    with pytest.raises(InvalidValue, match="base64"):
        odm.ByteField().from_json(text)


# -- values on instances ------------------------------------------------------------------------------------------


def test_set_value_and_set_get_value_convert():
    field = bound(odm.DateField(required=False))
    thing = field.model()
    field.set_value(thing, "1970-01-02")
    assert thing.field == date(1970, 1, 2)
    assert field.set_get_value(thing, 2 * 86400) == 2 * 86400
    assert thing.field == date(1970, 1, 3)
    assert field.set_get_value(thing, None) is None
    assert thing.field is None
    with pytest.raises(InvalidValue):
        field.set_value(thing, "x")
    assert thing.field is None


def test_a_value_has_no_inside():
    field = bound(odm.SymbolField())
    assert field.get_value(field.model(field="x")) == "x"
    with pytest.raises(AttributeError, match="part 'a__b'"):
        field.get_value(field.model(field="x"), "a", "b")


def test_all_errors_of_fields_are_ours():
    assert issubclass(InvalidValue, StdNetException)
    assert issubclass(InvalidValue, FieldValueError)
    assert not issubclass(FieldValueError, ValueError)


def test_the_two_zeros_are_one_primary_key():
    key, value = odm.FloatField(primary_key=True), odm.FloatField()
    assert [str(field.to_python(-0.0)) for field in (key, value)] == ["0.0", "-0.0"]
