"""JSON fields: declarations, leaves and what they are stored as. No I/O."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum
from typing import Any

import pytest

from stdnet import FieldError, InvalidValue, odm
from stdnet.odm.jsonvalues import flattened, moment, nested
from stdnet.utils import JSONDateDecimalEncoder, date_decimal_hook

from .test_fields import bound


class Ccy(str, Enum):
    EUR = "€"


class Money:
    def tojson(self) -> dict[str, int]:
        return {"cents": 5}


def flat(**options: Any) -> Any:
    return bound(odm.JSONField(as_string=False, **options))


def test_class_defaults():
    field = odm.JSONField(index=True, unique=True, primary_key=True)
    assert (field.type, field.internal_type, field.python_type) == ("json object", "serialized", dict)
    assert (field.index, field.unique, field.primary_key, field.required) == (False, False, False, False)
    assert (field.default, field.as_string, odm.JSONField(as_string=False).copy().as_string) == ({}, True, False)
    assert (bound(odm.JSONField()).column().type, flat().column().type) == ("str", "map")
    with pytest.raises(TypeError, match="unknown options: indx"):
        odm.JSONField(indx=True)


@pytest.mark.parametrize("default", [[1], "[]", 3])
def test_the_default_of_a_flat_field_is_a_dict(default):
    with pytest.raises(FieldError, match=r"is not a dictionary|is a text alone"):
        flat(default=default)


def test_defaults_are_copied():
    for field in (flat(default={"a": {"b": [1]}}), bound(odm.JSONField(default={"a": {"b": [1]}}))):
        field.get_default()["a"]["b"].append(2)
        assert field.get_default() == field.to_python(None) == field.to_python("null") == {"a": {"b": [1]}}


def test_other_encoders_and_hooks():
    class Sets(json.JSONEncoder):
        def default(self, o: Any) -> Any:
            return {"set": sorted(o)}

    def hook(found: dict[str, Any]) -> Any:
        return set(found["set"]) if "set" in found else found

    for as_string in (True, False):
        field = bound(odm.JSONField(as_string=as_string, encoder_class=Sets, decoder_hook=hook).copy())
        value = {"a": {1, 2}}
        assert field.load(field.dump(value)) == field.from_json(field.json_serialise(value)) == value


@pytest.mark.parametrize(
    ("value", "leaf"),
    [
        (None, b""),
        (True, b"true"),
        (5, 5),
        (0.5, 0.5),
        ("é", "é"),
        (Ccy.EUR, "€"),
        ([1, "é"], '[1, "é"]'.encode()),
        (Decimal("1.10"), b'{"__decimal__": "1.10"}'),
        (date(1970, 1, 2), b'@100000086400000000{"__date__": 86400}'),
        (datetime(1970, 1, 1, 0, 0, 1), b'@100000000001000000{"__datetime__": 1.0}'),
        (Money(), b'{"cents": 5}'),
    ],
)
def test_leaves(value, leaf):
    stored = flat().dump({"a": value})["a"]
    assert (stored, type(stored)) == (leaf, type(leaf))


def test_values_of_numpy_and_the_like_are_stored_as_plain_numbers():
    class Real(float):
        pass

    class Whole(int):
        pass

    assert [type(leaf) for leaf in flat().dump({"a": Real(2), "b": Whole(3)}).values()] == [float, int]


def test_stored_dates_sort_by_time():
    moments = [
        datetime.min,
        datetime(1969, 12, 31),
        datetime(1970, 1, 1),
        datetime(2020, 1, 2, 3, 4, 5, 6),
        datetime.max,
    ]
    found = [moment(value) for value in moments]
    assert found == sorted(found, key=lambda text: text or b"")
    assert {len(text or b"") for text in found} == {19}
    zone = timezone(timedelta(hours=23))
    assert (moment(datetime.min.replace(tzinfo=zone)) or b"") < (found[0] or b"")
    assert moment("2020-01-02") is None


@pytest.mark.parametrize(
    "text", ['{"__date__": "x"}', '{"__datetime__": "x"}', '{"__decimal__": "x"}', '{"__date__": 1e99}']
)
def test_what_only_looks_like_a_date_stays_as_it_is(text):
    assert json.loads(text, object_hook=date_decimal_hook) == json.loads(text)
    with pytest.raises(TypeError):
        json.dumps({1, 2}, cls=JSONDateDecimalEncoder)


def test_flat_and_nested():
    value = {"a": {"": 1, "b": {"c": 2, "": 0}}, "d": [{}], "e": {"f": {}}}
    leaves = dict(flattened(value))
    assert leaves == {"a": 1, "a__b__c": 2, "a__b": 0, "d": [{}]}
    for order in (leaves, dict(reversed(leaves.items()))):
        assert nested(order) == {"a": {"": 1, "b": {"c": 2, "": 0}}, "d": [{}]}


def test_only_a_flat_field_has_an_inside():
    field = bound(odm.JSONField())
    row = field.model(field={"a": 1})
    with pytest.raises(AttributeError, match="no part 'a'"):
        row.get_attr_value("field__a")
    with pytest.raises(AttributeError):
        row.field__a  # noqa: B018
    assert field.meta.field("field__a") is None
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(InvalidValue, match="cannot be stored as JSON"):
        field.dump(deep)


def test_attributes_of_models_without_flat_fields_are_untouched():
    assert "__setattr__" not in vars(bound(odm.JSONField()).model)
    model = flat().model
    child = odm.ModelType("Child", (model,), {"__module__": "shop", "register": False})
    row = child(field={"a": {"b": 1}})
    assert (row.field__a__b, row.field__a) == (1, {"b": 1})
    with pytest.raises(AttributeError, match='"Child" object has no attribute'):
        row.nothing  # noqa: B018
