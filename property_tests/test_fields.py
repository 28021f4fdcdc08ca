"""Fields: any value is converted once and for all, and comes back from its scalar, its JSON form, and a backend."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from enum import Enum, Flag, IntEnum
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from stdnet import InvalidValue, odm

from .test_backends_agree import FACTORIES

EXACT = 2**53
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
FLOATS = st.floats(allow_nan=False)


class Side(Enum):
    BUY = "b"
    SELL = ()


class Rank(IntEnum):
    LOW = -1
    HIGH = EXACT


class Right(Flag):
    READ = 1
    WRITE = 2


def is_comparable(moment: datetime) -> bool:
    """Return whether a time is not in the hour of a clock change: such a one equals nothing in another zone."""
    return moment.replace(fold=0).utcoffset() == moment.replace(fold=1).utcoffset()


def decimals(places: int, most: int) -> st.SearchStrategy[Decimal]:
    return st.integers(-most, most).map(lambda units: Decimal(f"{units}e-{places}"))


def zoned(zone: ZoneInfo) -> st.SearchStrategy[datetime]:
    """Return moments in a zone, away from the ends of the calendar."""
    utc = st.datetimes(datetime(1685, 1, 1), datetime(2255, 1, 1), timezones=st.just(ZoneInfo("UTC")))
    return utc.map(lambda moment: moment.astimezone(zone))


KEYS = TEXT.filter(lambda key: key != "" and "__" not in key and not key.endswith("_"))
JSON = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(allow_nan=False, allow_infinity=False),
        TEXT,
        st.dates(),
        st.datetimes(timezones=st.none() | st.timezones()).filter(is_comparable),
        st.decimals(allow_nan=False),
    ),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(TEXT.filter(lambda key: key[:2] != "__"), inner, max_size=3)
    ),
    max_leaves=5,
)


def _is_flat(value: Any) -> bool:
    """Return whether all keys of dicts that are not in lists are such as a flat field has, and no dict is empty."""
    return not isinstance(value, dict) or all(
        key != "" and "__" not in key and not key.endswith("_") and inner != {} and _is_flat(inner)
        for key, inner in value.items()
    )


class Everything(odm.StdModel):
    flag = odm.BooleanField()
    maybe = odm.BooleanField(default=None)
    whole = odm.IntegerField(required=False)
    big = odm.IntegerField(required=False, index=False)
    real = odm.FloatField(required=False, index=True)
    plain = odm.FloatField(required=False)
    day = odm.DateField(required=False)
    moment = odm.DateTimeField(required=False, index=True)
    any_moment = odm.DateTimeField(required=False)
    symbol = odm.SymbolField(required=False)
    text = odm.CharField()
    data = odm.ByteField()
    price = odm.DecimalField(decimal_places=2, required=False)
    exact = odm.DecimalField(decimal_places=30, index=False, required=False)
    span = odm.TimeDeltaField(required=False)
    any_span = odm.TimeDeltaField(required=False, index=False)
    key = odm.UUIDField(required=False)
    side = odm.EnumField(Side, required=False)
    rank = odm.EnumField(Rank, by="value", required=False)
    right = odm.EnumField(Right, by="value", required=False)
    seen = odm.DateTimeField(tz="Europe/Zurich", required=False)
    thing = odm.PickleObjectField()
    kind = odm.ModelField(required=False)
    body = odm.JSONField(default=None)
    flat = odm.JSONField(as_string=False)

    class Meta:
        app_label = "property"


META = Everything._meta

VALUES: dict[str, st.SearchStrategy[Any]] = {
    "flag": st.booleans(),
    "maybe": st.none() | st.booleans(),
    "whole": st.none() | st.integers(-EXACT, EXACT),
    "big": st.none() | st.integers() | st.integers(-(10**400), 10**400),
    "real": st.none() | FLOATS,
    "plain": st.none() | FLOATS,
    "day": st.none() | st.dates(),
    "moment": st.none() | st.datetimes(datetime(1685, 1, 1), datetime(2255, 1, 1)),
    "any_moment": st.none() | st.datetimes(),
    "symbol": TEXT,
    "text": TEXT,
    "data": st.binary(),
    "price": st.none() | decimals(2, EXACT),
    "exact": st.none() | decimals(30, 10**100),
    "span": st.none() | st.timedeltas(timedelta(microseconds=-EXACT), timedelta(microseconds=EXACT)),
    "any_span": st.none() | st.timedeltas(),
    "key": st.none() | st.uuids(),
    "side": st.none() | st.sampled_from(Side),
    "rank": st.none() | st.sampled_from(Rank),
    "right": st.none() | st.sampled_from([Right(0), Right.READ, Right.READ | Right.WRITE]),
    "seen": st.none() | zoned(ZoneInfo("Europe/Zurich")),
    "thing": st.recursive(
        st.none() | st.booleans() | st.integers() | FLOATS | TEXT | st.binary() | st.dates(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3) | st.tuples(inner),
        max_leaves=5,
    ),
    "kind": st.none() | st.just(Everything),
    "body": JSON.filter(lambda value: not isinstance(value, str)),
    "flat": st.recursive(
        JSON,
        lambda inner: st.dictionaries(KEYS, inner.filter(lambda value: value != {}), max_size=3),
        max_leaves=5,
    ).filter(lambda value: isinstance(value, dict) and _is_flat(value)),
}
OPAQUE = ("thing", "body", "flat")
"""The fields whose values are not compared as wholes."""

PAIRS = st.sampled_from(sorted(VALUES)).flatmap(lambda name: VALUES[name].map(lambda value: (name, value)))
ROWS = st.fixed_dictionaries({}, optional=VALUES)
ANYTHING = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.complex_numbers(),
    st.decimals(),
    st.text(),
    st.binary(),
    st.dates(),
    st.datetimes(timezones=st.none() | st.timezones()),
    st.times(),
    st.timedeltas(),
    st.lists(st.integers(), max_size=2),
    st.from_regex(r"-?[0-9]{1,4}(-[0-9]{1,2}){0,2}(\.[0-9]+)?(e-?[0-9]{1,3})?", fullmatch=True),
)


def same(one: Any, other: Any) -> bool:
    """Return whether two values are equal, of one type, and, as zeros, of one sign."""
    return one == other and type(one) is type(other) and (type(one) is not float or repr(one) == repr(other))


def is_nan(value: Any) -> bool:
    """Return whether a value is not equal to itself; some decimals do not even bear the question."""
    return value.is_nan() if isinstance(value, Decimal) else bool(value != value)


@given(PAIRS)
def test_a_value_of_a_field_is_its_own_conversion_and_comes_back_from_its_scalar(pair: tuple[str, Any]) -> None:
    name, value = pair
    field = META.dfields[name]
    assert same(field.to_python(value), value)
    if value is not None:
        scalar = field.dump(value)
        assert type(scalar).__name__ == ("dict" if field.is_map else field.column_type)
        assert same(field.load(scalar), value)
        if name not in OPAQUE:
            assert same(field.serialise(value), scalar)


@given(PAIRS)
def test_a_value_comes_back_from_json(pair: tuple[str, Any]) -> None:
    name, value = pair
    field = META.dfields[name]
    assert same(field.from_json(json.loads(json.dumps(field.json_serialise(value)))), value)


@given(st.sampled_from([*META.scalarfields, META.pk]), ANYTHING)
@example(META.dfields["rank"], Decimal("sNaN"))
def test_anything_is_converted_or_refused_with_an_error_of_ours(field: odm.Field[Any], value: Any) -> None:
    try:
        converted = field.to_python(value)
    except InvalidValue as error:
        converted = field.to_python(None)
        assert str(error).startswith(f"{field}: ")  # noqa: PT017
    if is_nan(converted):  # in a pickle or for JSON
        assert field.name in OPAQUE
        return
    assert same(field.to_python(converted), converted)
    if converted is not None:
        try:
            scalar = field.dump(converted)
        except InvalidValue:
            assert field.type == "json object"  # which looks into a value when it is stored
        else:
            assert same(field.load(scalar), converted)


@given(ROWS, st.sampled_from(META.scalarfields), ANYTHING)
def test_the_short_way_to_a_row_leads_where_the_long_way_does(
    values: dict[str, Any], field: odm.Field[Any], value: Any
) -> None:
    row = Everything(**values)
    row.__dict__[field.attname] = value
    short = META.codec.make_row(row.__dict__)
    if short is not None:
        scalars, errors = META.codec.clean(row)
        assert errors == {}
        for one, other in zip(short, scalars.values(), strict=True):
            assert same(one, other) or is_nan(one)
        assert row.__dict__[field.attname] is value


@pytest.mark.parametrize("connect", FACTORIES)
@given(rows=st.lists(ROWS, max_size=4))
@settings(max_examples=100)
def test_rows_come_back_from_a_backend_as_they_were(connect: Callable[[], Any], rows: list[dict[str, Any]]) -> None:
    models = odm.Router(connect())
    models.register(Everything)
    models.flush()
    with models.session().begin() as t:
        stored = [t.add(Everything(**values)) for values in rows]
    loaded = models.everything.all()
    assert [row.id for row in loaded] == list(range(1, len(rows) + 1))
    for row, source, values in zip(loaded, stored, rows, strict=True):
        for field in META.scalarfields:
            expected = values[field.name] if field.name in values else field.get_default()
            for got in (row, source):
                assert same(getattr(got, field.name), expected)
    connect().flush()


@given(ROWS, st.sets(st.sampled_from(sorted(VALUES))))
@settings(max_examples=100)
def test_parts_pickles_and_clones_keep_every_value(values: dict[str, Any], names: set[str]) -> None:
    models = odm.Router("memory://")
    models.register(Everything)
    stored = models.everything.new(**values)
    whole, part = pickle.loads(pickle.dumps(stored)), models.everything.query().load_only("id", *names).get()
    assert whole == stored == part
    for field in META.scalarfields:
        expected = getattr(stored, field.name)
        assert same(getattr(whole, field.name), expected)
        assert same(getattr(stored.clone(), field.name), expected)
        if field.name in names:
            assert same(getattr(part, field.name), expected)
        else:
            assert field.name not in part.__dict__


@given(PAIRS)
@settings(max_examples=150)
def test_an_indexed_value_finds_its_row(pair: tuple[str, Any]) -> None:
    name, value = pair
    models = odm.Router("memory://")
    models.register(Everything)
    made = models.everything.new(**{name: value})
    if META.dfields[name].index and not (name == "maybe" and value is None):
        assert models.everything.filter(**{name: value}).all() == [made]
    if name not in OPAQUE and (isinstance(value, (int, float, Decimal, timedelta)) or hasattr(value, "year")):
        assert models.everything.filter(**{f"{name}__ge": value}).count() == 1
        assert models.everything.filter(**{f"{name}__lt": value}).count() == 0
