"""Rich fields: declarations, conversions and scalars. No I/O."""

from __future__ import annotations

import pickle
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal, getcontext, localcontext
from enum import Enum, Flag
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from stdnet import FieldError, InvalidValue, odm

from .test_fields import Hostile, bound

EXACT = 2**53
DAY = timedelta(days=1)
HALF_PAST = datetime(2024, 3, 31, 2, 30, tzinfo=ZoneInfo("Europe/Zurich"))


class Colour(Enum):
    RED = "r"
    GREEN = "g"


class Mixed(Enum):
    A = 1
    B = "b"


class Blank(Enum):
    NONE = ""


class Right(Flag):
    READ = 1


class Empty(Enum):
    pass


def cents(**options: Any) -> Any:
    return bound(odm.DecimalField(decimal_places=2, **options))


# -- declarations ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "type", "internal_type", "python_type", "index", "required"),
    [
        (lambda: odm.DecimalField(decimal_places=2), "decimal", "numeric", Decimal, True, True),
        (odm.TimeDeltaField, "timedelta", "numeric", timedelta, True, True),
        (odm.UUIDField, "uuid", "text", UUID, True, True),
        (lambda: odm.EnumField(Colour), "enum", "text", Colour, True, True),
        (lambda: odm.EnumField(Right, by="value"), "enum", "numeric", Right, True, True),
        (odm.PickleObjectField, "object", "bytes", object, False, False),
        (odm.ModelField, "model", "text", type, True, True),
    ],
)
def test_class_defaults(make, type, internal_type, python_type, index, required):
    field = make()
    assert (field.type, field.internal_type, field.python_type) == (type, internal_type, python_type)
    assert (field.index, field.required, field.default) == (index, required, None)
    assert not odm.PickleObjectField(index=True, unique=True, primary_key=True).index


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (odm.DecimalField, "decimal_places=2"),
        (lambda: odm.DecimalField(decimal_places=-1), "decimal_places=2"),
        (lambda: odm.DecimalField(decimal_places=2, max_digits=1), "at least 2"),
        (lambda: odm.DecimalField(decimal_places=0, max_digits="3"), "at least 1"),
        (lambda: odm.DecimalField(decimal_places=2, max_digits=16), "index=False"),
        (lambda: odm.EnumField("Colour"), "needs the enum"),
        (lambda: odm.EnumField(Empty), "needs the enum"),
        (lambda: odm.EnumField(Colour, by="hand"), "by='hand'"),
        (lambda: odm.EnumField(Mixed, by="value"), "stores Mixed by='name'"),
        (lambda: odm.EnumField(Blank, by="value"), "stores Blank by='name'"),
        (lambda: odm.EnumField(Right), "flags only by='value'"),
        (lambda: odm.DateTimeField(tz="Europe/Nowhere"), "no time zone 'Europe/Nowhere'"),
        (lambda: odm.DateTimeField(tz="../etc"), "no time zone"),
        (lambda: odm.DateTimeField(tz=3), "not 3"),
    ],
)  # fmt: skip
def test_impossible_declarations(make, problem):
    with pytest.raises(FieldError, match=problem):
        make()


@pytest.mark.parametrize(
    "make",
    [
        lambda **o: odm.DecimalField(decimal_places=2, **o),
        odm.TimeDeltaField,
        odm.UUIDField,
        lambda **o: odm.EnumField(Colour, **o),
        odm.PickleObjectField,
        odm.ModelField,
        lambda **o: odm.DateTimeField(tz="UTC", **o),
    ],
)
def test_an_unknown_option_is_a_type_error(make):
    with pytest.raises(TypeError, match="unknown options: indx"):
        make(indx=True)


def test_copies_keep_what_was_declared():
    price = odm.DecimalField(decimal_places=3, max_digits=9, index=False).copy()
    assert (price.decimal_places, price.max_digits, price.index) == (3, 9, False)
    colour = odm.EnumField(Colour, by="value", unique=True).copy()
    assert (colour.python_type, colour.by, colour.unique) == (Colour, "value", True)
    assert odm.DateTimeField(tz="Europe/Zurich").copy().tz == ZoneInfo("Europe/Zurich")


def test_columns():
    assert (cents().column().type, cents().column().index) == ("int", "range")
    assert cents(index=False).column().index == ""
    assert bound(odm.EnumField(Right, by="value")).column().index == "range"
    assert bound(odm.EnumField(Colour)).column().index == bound(odm.UUIDField()).column().index == "equal"
    assert bound(odm.TimeDeltaField(unique=True)).column().unique


def test_a_default_that_can_change_is_copied():
    field = bound(odm.PickleObjectField(default=[1]))
    field.get_default().append(2)
    assert field.get_default() == [1]


# -- conversions ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "value"),
    [("1.5", "1.50"), (3, "3.00"), (0.1, "0.10"), (-0.0, "0.00"), ("-0", "0.00"), (" 1e3 ", "1000.00"), (True, "1.00")],
)
def test_decimals_have_the_places_of_their_field(given, value):
    got = cents().to_python(given)
    assert (str(got), type(got)) == (value, Decimal)
    assert cents().load(cents().dump(got)) == got


@pytest.mark.parametrize(
    "given", ["0.001", 0.001, "abc", "nan", "-inf", "sNaN", "1e999999999", [1], (0, (1,), 0), None.__class__]
)
def test_what_is_no_decimal_of_a_field_is_refused(given):
    with pytest.raises(InvalidValue, match=r"^shop\.thing\.field: "):
        cents(index=False).to_python(given)
    assert cents().to_python("1e-999999999".replace("1", "0", 1)) == 0


def test_the_sizes_of_decimals():
    assert cents().dump(cents().to_python("90071992547409.92")) == EXACT
    with pytest.raises(InvalidValue, match="index=False"):
        cents().to_python("-90071992547409.93")
    digits = "9" * 3000
    assert str(cents(index=False).to_python(digits)) == f"{digits}.00"
    assert cents(max_digits=4).to_python("99.99") == Decimal("99.99")
    with pytest.raises(InvalidValue, match="more than 4 digits"):
        cents(max_digits=4).to_python("100")


def test_decimals_do_not_depend_on_the_context():
    field = bound(odm.DecimalField(decimal_places=30, index=False))
    with localcontext() as context:
        context.prec = 3
        context.traps = dict.fromkeys(context.traps, True)
        value = field.to_python("123456789.123456789012345678901234567891")
        assert field.load(field.dump(value)) == value
        assert field.json_serialise(value) == "123456789.123456789012345678901234567891"
    assert getcontext().prec != 3


@pytest.mark.parametrize(
    ("lookup", "given", "units"),
    [
        ("gt", "0.015", 1),
        ("ge", "0.015", 2),
        ("lt", "0.015", 2),
        ("le", "0.015", 1),
        ("gt", "-0.015", -2),
        ("lt", "0.01", 1),
        (None, "0.01", 1),
        (None, "0.015", 0.5),
        ("lt", float("inf"), float("inf")),
        ("lt", Decimal("-inf"), float("-inf")),
        (None, None, None),
    ],
)
def test_bounds_between_two_units_are_moved_to_the_right_one(lookup, given, units):
    assert cents().serialise(given, lookup) == units


@pytest.mark.parametrize(
    ("given", "value"),
    [(DAY, DAY), (90, timedelta(seconds=90)), ("0.000001", timedelta(microseconds=1)), (0.1, timedelta(0, 0, 100000))],
)
def test_spans(given, value):
    field = bound(odm.TimeDeltaField())
    assert field.to_python(given) == value
    assert field.from_json(field.json_serialise(value)) == value


@pytest.mark.parametrize(
    "given", ["abc", "nan", "inf", "1e99", "1e999999999", [], DAY * 999999, date(2020, 1, 2), Hostile()]
)
def test_what_is_no_span_is_refused(given):
    with pytest.raises(InvalidValue, match=r"^shop\.thing\.field: "):
        bound(odm.TimeDeltaField()).to_python(given)


@pytest.mark.parametrize("given", ["abc", 5, b"short", [], Hostile()])
def test_what_is_no_uuid_is_refused(given):
    with pytest.raises((InvalidValue, RuntimeError)):
        bound(odm.UUIDField()).to_python(given)


@pytest.mark.parametrize("cls", [odm.UUIDField, odm.ModelField, lambda **o: odm.EnumField(Colour, **o)])
def test_blank_text_is_a_missing_token(cls):
    field = bound(cls())
    assert field.to_python("") is field.serialise("") is field.to_python(None) is None
    assert field.from_json("") is field.json_serialise(None) is None


def test_enums_store_what_was_declared():
    by_name, by_value = bound(odm.EnumField(Colour)), bound(odm.EnumField(Colour, by="value", default="g"))
    assert (by_name.dump(Colour.RED), by_value.dump(Colour.RED)) == ("RED", "r")
    assert by_name.to_python("RED") is by_value.to_python("r") is Colour.RED
    assert by_value.get_default() is Colour.GREEN
    for field, given in ((by_name, "r"), (by_value, "RED"), (by_name, 1), (by_name, []), (by_name, Mixed.A)):
        with pytest.raises(InvalidValue, match="is not a member of Colour"):
            field.to_python(given)
    assert bound(odm.EnumField(Right, by="value")).from_json("1") is Right.READ


def test_a_time_that_the_clocks_skip_is_moved_once():
    field = bound(odm.DateTimeField(tz="Europe/Zurich"))
    got = field.to_python(HALF_PAST)
    assert (got.hour, got.timestamp()) == (3, HALF_PAST.timestamp())
    assert field.to_python(got) == got == field.load(field.dump(got))


def test_the_ends_of_the_calendar_have_no_other_zone():
    field = bound(odm.DateTimeField(tz="Asia/Tokyo"))
    with pytest.raises(InvalidValue, match="too close to the end of the calendar"):
        field.to_python(datetime.max.replace(tzinfo=timezone.utc))
    assert field.serialise("1970-01-01T09:00:01+09:00") == 1_000_000


def test_only_a_pickle_field_unpickles_and_only_what_it_stored():
    field = bound(odm.PickleObjectField())
    pickled = pickle.dumps([1], 2)
    assert field.to_python(pickled) == pickled
    assert field.load(field.dump(pickled)) == pickled
    assert field.load(pickled) == field.from_json("gAJdcQBLAWEu") == [1]
    assert field.from_json("") is None
    for bad in ("?", 5):
        with pytest.raises(InvalidValue, match="not the base64 text of a pickle"):
            field.from_json(bad)


def test_a_hash_that_no_model_has_is_no_model():
    field = bound(odm.ModelField())
    assert field.to_python("00000000") is field.to_python(b"\xff") is field.load("00000000") is None
    with pytest.raises(InvalidValue, match="not registered"):
        field.to_python(odm.StdModel)


def test_rich_fields_are_parts_of_composite_ids():
    def made(day: Any) -> Any:
        return odm.ModelType(
            "Row",
            (odm.StdModel,),
            {
                "__module__": "shop",
                "register": False,
                "id": odm.CompositeIdField("price", "colour", "key"),
                "price": odm.DecimalField(decimal_places=2),
                "colour": odm.EnumField(Colour),
                "key": odm.UUIDField(),
            },
        )(price=day, colour="RED", key=UUID(int=1))

    assert made("1.5").pkvalue() == made(Decimal("1.50")).pkvalue() != made("1.51").pkvalue()
