"""Fields: any value is converted once and for all, and comes back from its scalar, its JSON form, and a backend."""

from __future__ import annotations

import json
import pickle
from datetime import datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from stdnet import InvalidValue, odm

EXACT = 2**53
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
FLOATS = st.floats(allow_nan=False)


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
}
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


@given(PAIRS)
def test_a_value_of_a_field_is_its_own_conversion_and_comes_back_from_its_scalar(pair: tuple[str, Any]) -> None:
    name, value = pair
    field = META.dfields[name]
    assert same(field.to_python(value), value)
    if value is not None:
        scalar = field.dump(value)
        assert type(scalar).__name__ == field.column_type
        assert same(field.load(scalar), value)
        assert same(field.serialise(value), scalar)


@given(PAIRS)
def test_a_value_comes_back_from_json(pair: tuple[str, Any]) -> None:
    name, value = pair
    field = META.dfields[name]
    again = field.from_json(json.loads(json.dumps(field.json_serialise(value))))
    if name == "any_moment" and value is not None:  # seconds as a float, which far from 1970 are not exact
        assert abs((again - value).total_seconds()) < 1e-4
    elif name == "moment" and value is not None:
        assert abs((again - value).total_seconds()) < 2e-6
    else:
        assert same(again, value)


@given(st.datetimes(datetime(1830, 1, 1), datetime(2106, 1, 1)))
def test_a_datetime_of_our_time_comes_back_from_json_to_the_microsecond(value: datetime) -> None:
    field = META.dfields["moment"]
    assert field.from_json(json.loads(json.dumps(field.json_serialise(value)))) == value


@given(st.sampled_from([*META.scalarfields, META.pk]), ANYTHING)
def test_anything_is_converted_or_refused_with_an_error_of_ours(field: odm.Field[Any], value: Any) -> None:
    try:
        converted = field.to_python(value)
    except InvalidValue as error:
        converted = field.to_python(None)
        assert str(error).startswith(f"{field}: ")  # noqa: PT017
    assert same(field.to_python(converted), converted)
    if converted is not None:
        assert same(field.load(field.dump(converted)), converted)


@given(st.lists(ROWS, max_size=4))
@settings(max_examples=100)
def test_rows_come_back_from_a_backend_as_they_were(rows: list[dict[str, Any]]) -> None:
    models = odm.Router("memory://")
    models.register(Everything)
    with models.session().begin() as t:
        stored = [t.add(Everything(**values)) for values in rows]
    loaded = models.everything.all()
    assert [row.id for row in loaded] == list(range(1, len(rows) + 1))
    for row, source, values in zip(loaded, stored, rows, strict=True):
        for field in META.scalarfields:
            expected = values[field.name] if field.name in values else field.get_default()
            for got in (row, source):
                assert same(getattr(got, field.name), expected)


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
    if isinstance(value, (int, float)) or hasattr(value, "year"):
        assert models.everything.filter(**{f"{name}__ge": value}).count() == 1
        assert models.everything.filter(**{f"{name}__lt": value}).count() == 0
