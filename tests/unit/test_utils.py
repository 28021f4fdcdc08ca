"""The small tools and the JSON helpers of ``stdnet.utils``."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from stdnet import utils
from stdnet.utils import (
    DefaultJSONEncoder,
    DefaultJSONHook,
    JSONDateDecimalEncoder,
    addmul_number_dicts,
    date_decimal_hook,
    dict_flat_generator,
    flat_to_nested,
    value_type,
)


def through_json(value):
    return json.loads(json.dumps(value, cls=JSONDateDecimalEncoder), object_hook=date_decimal_hook)


def test_every_name_is_there():
    assert [name for name in utils.__all__ if not hasattr(utils, name)] == []
    assert utils.encoders.Json
    assert (DefaultJSONEncoder, DefaultJSONHook) == (JSONDateDecimalEncoder, date_decimal_hook)


def test_grouper():
    groups = utils.grouper(3, range(5), "x")
    assert not hasattr(groups, "__len__")
    assert list(groups) == [(0, 1, 2), (3, 4, "x")]
    assert list(utils.grouper(2, [])) == []


def test_pairs():
    assert utils.flat_mapping({"a": 1, "b": 2}) == ["a", 1, "b", 2]
    assert utils.flat_mapping([("a", 1)]) == ["a", 1]
    assert utils.flat2d({"a": 1}) == ("a", 1)
    assert utils.flatzset(kwargs={"a": 1}) == (1, "a")
    assert utils.flatzset([(1, "a")], {"b": 2}) == (1, "a", 2, "b")
    assert utils.flatzset() == ()
    pairs = [("a", 1)]
    assert utils.iterpair(pairs) is pairs
    assert utils.unique_tuple([2, 1], None, (), [1, 3]) == (2, 1, 3)


def test_numbers():
    assert [utils.int_or_float(v) for v in ("1", 1.0, "1.5", "1e3")] == [1, 1, 1.5, 1000]
    with pytest.raises(ValueError, match="EUR"):
        utils.int_or_float("EUR")
    with pytest.raises(TypeError):
        utils.int_or_float(None)
    assert utils._format_int(4500780) == "4,500,780"
    assert utils._format_int(-780) == "-780"
    assert (utils.is_int(1), utils.is_int("1"), utils.is_string("1"), utils.is_string(b"1")) == (
        True,
        False,
        True,
        False,
    )


def test_text():
    assert utils.to_bytes(1) == b"1"
    assert utils.to_bytes("é".encode(), "latin-1") == b"\xe9"
    assert utils.to_bytes(b"\xff") == b"\xff"
    assert utils.to_bytes("é", "ascii", "ignore") == b""
    assert utils.to_string(b"\xe9", "latin-1") == utils.to_string("é") == "é"
    assert utils.to_string(1) == "1"
    assert utils.native_str(b"a") == "a"
    assert utils.native_str(None) is None


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (date(1969, 12, 31), '{"__date__": -86400}'),
        (datetime(1970, 1, 1, 0, 0, 1, 250_000), '{"__datetime__": 1.25}'),
        (datetime(9999, 12, 31, 23, 59, 59, 999_999), '{"__datetime__": "9999-12-31T23:59:59.999999"}'),
        (
            datetime(2010, 5, 1, tzinfo=timezone(timedelta(hours=2))),
            '{"__datetime__": "2010-05-01T00:00:00+02:00"}',
        ),
        (Decimal("0.10"), '{"__decimal__": "0.10"}'),
    ],
)
def test_json_of_dates_and_decimals(value, text):
    assert json.dumps(value, cls=JSONDateDecimalEncoder) == text
    again = through_json(value)
    assert (again, type(again), str(again)) == (value, type(value), str(value))


def test_json_of_other_objects():
    class Price:
        def tojson(self):
            return [Decimal(1), "EUR"]

    assert through_json({"price": Price()}) == {"price": [Decimal(1), "EUR"]}
    with pytest.raises(TypeError):
        json.dumps(object(), cls=JSONDateDecimalEncoder)


@pytest.mark.parametrize(
    "mapping",
    [
        {},
        {"__date__": 1, "more": 2},
        {"__date__": "today"},
        {"__date__": None},
        {"__date__": 1e300},
        {"__datetime__": "noon"},
        {"__datetime__": []},
        {"__decimal__": "ten"},
        {"__decimal__": {}},
        {"other": 1},
    ],
)
def test_the_hook_leaves_other_mappings_alone(mapping):
    assert date_decimal_hook(mapping) is mapping


NESTED = {"pv": {"": 0.5, "mean": 1}, "l": [1, 2], "n": None, "e": {}, "deep": {"er": {"x": 1}}}
FLAT = {"data__pv": 0.5, "data__pv__mean": 1, "data__l": [1, 2], "data__n": None, "data__deep__er__x": 1}


def test_flattening():
    assert dict(dict_flat_generator(NESTED, "data")) == FLAT
    assert dict(dict_flat_generator({"a": {"b": 1}}, splitter=".", dumps=str)) == {"a.b": "1"}
    assert dict(dict_flat_generator({"a": {"": {"b": 1}}})) == {"a": {"b": 1}}
    assert dict(dict_flat_generator({"a": 1}, prefix="p")) == {"p__a": 1}
    assert dict(dict_flat_generator({"a": 1}, prefix="p", recursive=False)) == {"p": {"a": 1}}
    assert dict(dict_flat_generator({0: {1: 2}})) == {"0__1": 2}
    assert list(dict_flat_generator({})) == []


@pytest.mark.parametrize("value", [5, [1], None, {"": 1}])
def test_only_dictionaries_are_flattened(value):
    with pytest.raises(KeyError, match="Cannot assign a non dictionary to a JSON field"):
        list(dict_flat_generator(value, "data", error=KeyError))


def test_nesting():
    stored = {name: json.dumps(value) for name, value in FLAT.items()}
    wanted = {name: value for name, value in NESTED.items() if name != "e"}
    assert flat_to_nested(stored, attname="data", loads=json.loads) == wanted
    assert flat_to_nested({"a__b": 1, "a": 2}) == flat_to_nested({"a": 2, "a__b": 1}) == {"a": {"": 2, "b": 1}}
    assert flat_to_nested({"a": {"x": 1}, "a__b": 2}) == {"a": {"": {"x": 1}, "b": 2}}
    assert flat_to_nested({"a.b": 1, "n": None}, separator=".") == {"a": {"b": 1}}
    assert flat_to_nested({"data__a": 1, "other__b": 2, "dat": 3}, attname="data") == {"a": 1}
    assert flat_to_nested({}) == {}


def test_the_root_marker():
    assert flat_to_nested({"data__a": "1", "data": "null"}, attname="data", loads=json.loads) == {}
    assert flat_to_nested({"data__a": "1", "data": '""'}, attname="data", loads=json.loads) == {"a": 1}


def test_nesting_sets_the_flat_attributes():
    class Row:
        pass

    row = Row()
    flat_to_nested({"data__a__b": 1, "data__a": 2, "data": ""}, row, "data")
    assert vars(row) == {"data__a__b": 1, "data__a": 2}


def test_weighted_sums():
    assert addmul_number_dicts(()) is None
    assert addmul_number_dicts([(2, 1), (3, "0.5")]) == 3.5
    assert type(addmul_number_dicts([(1, 1)])) is float
    assert addmul_number_dicts([(1, 1), (1, {})]) is None
    assert addmul_number_dicts([(1, [1]), (1, [2])]) is None
    series = [(2, {"a": 1, "b": 1, "c": {"x": 1, "y": 2}, "d": 1}), (0.5, {"a": 2, "b": "t", "c": {"x": 4}, "d": {}})]
    assert addmul_number_dicts(series) == {"a": 3.0, "c": {"x": 4.0}}
    assert value_type([]) is None
    assert value_type([1, None]) is None
