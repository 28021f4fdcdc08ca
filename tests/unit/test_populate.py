"""Random values: of the kind, in the number and within the bounds that were asked for."""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta
from importlib import import_module

import pytest

from stdnet.errors import WrongType
from stdnet.utils import gen_unique_id, populate


@pytest.mark.parametrize(
    ("options", "kind", "low", "high"),
    [
        ({"datatype": "date"}, date, date(1990, 1, 1), date.today() + timedelta(1)),
        ({"datatype": "integer"}, int, 0, 1_000_000),
        ({"datatype": "float"}, float, 0.0, 10.0),
        ({"datatype": "float", "start": -1, "end": 1}, float, -1.0, 1.0),
        ({"datatype": "integer", "start": -3, "end": 0}, int, -3, 1_000_000),
        ({"datatype": "choice", "choice_from": "ab"}, str, "a", "b"),
    ],
)
def test_kinds_and_bounds(options, kind, low, high):
    values = populate(size=200, **options)
    assert len(values) == 200
    assert {type(value) for value in values} == {kind}
    assert all(low <= value <= high for value in values)


def test_both_ends_are_included():
    assert set(populate("integer", 200, start=1, end=3)) == {1, 2, 3}
    days = populate("date", 200, start=datetime(2010, 5, 1, 23), end=date(2010, 5, 2))
    assert set(days) == {date(2010, 5, 1), date(2010, 5, 2)}


def test_text_by_default():
    values = populate()
    assert len(values) == 10
    assert all(3 <= len(value) <= 20 and value.isalnum() and value.isascii() for value in values)
    assert {len(value) for value in populate("string", 300, min_len=2, max_len=4)} == {2, 3, 4}
    assert {len(value) for value in populate("anything", 50, min_len=5, max_len=5)} == {5}
    assert {len(value) for value in populate("string", 50, min_len=5, max_len=2)} == {5}


def test_converter():
    assert all(isinstance(value, str) for value in populate("integer", 5, converter=str))
    assert set(populate("choice", 50, choice_from=[1], converter=str)) == {1}


def test_a_choice_needs_something_to_choose_from():
    with pytest.raises(WrongType, match="pass a sequence as choice_from"):
        populate("choice")


def test_a_seed_repeats_the_values():
    random.seed(7)
    first = populate("string", 5)
    random.seed(7)
    assert populate("string", 5) == first


def test_unique_ids():
    assert len({gen_unique_id(short=False) for _ in range(100)}) == 100
    assert len(gen_unique_id()) == 8


def test_the_function_and_its_module_share_a_name():
    assert import_module("stdnet.utils.populate").populate is populate
    assert import_module("stdnet.utils").populate is populate
