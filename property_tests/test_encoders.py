"""Encoders: whatever they write they read back, and whatever they get they convert or refuse with an error of ours."""

from __future__ import annotations

import json
import math
import pickle
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stdnet.errors import NotConvertible
from stdnet.utils import dict_flat_generator, encoders, flat_to_nested

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
FLOATS = st.floats(allow_nan=False)
EXACT = st.datetimes(datetime(1685, 1, 1), datetime(2255, 1, 1))
WHOLE_SECONDS = st.datetimes().map(lambda value: value.replace(microsecond=0))
LEAVES = st.one_of(st.none(), st.booleans(), st.integers(), FLOATS, TEXT, st.dates(), st.datetimes())
AWARE = st.datetimes(timezones=st.timezones(), allow_imaginary=False)
KEYS = TEXT.filter(lambda key: key not in ("__date__", "__datetime__", "__decimal__"))
DOCUMENTS = st.recursive(
    LEAVES | st.decimals(allow_nan=False) | AWARE,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)

ROUND_TRIPS: dict[encoders.Encoder, st.SearchStrategy[Any]] = {
    encoders.Default(): TEXT,
    encoders.Default("utf-16"): TEXT,
    encoders.NumericDefault(): st.integers() | FLOATS | st.from_regex(r"[A-Z]{3}x", fullmatch=True),
    encoders.Bytes(): st.binary(),
    encoders.NoEncoder(): LEAVES,
    encoders.Double(): FLOATS,
    encoders.CompactDouble(): FLOATS,
    encoders.Json(): DOCUMENTS,
    encoders.PythonPickle(): LEAVES | st.binary() | st.sets(st.integers()),
    encoders.DateTimeConverter(): EXACT | WHOLE_SECONDS,
    encoders.DateConverter(): st.dates(),
}
NUMBERS = (encoders.Double, encoders.DateTimeConverter, encoders.NoEncoder)
ANYTHING = st.one_of(
    LEAVES, DOCUMENTS, st.binary(), st.text(), st.floats(), st.complex_numbers(), st.timedeltas(), AWARE
)
CASES = st.sampled_from(list(ROUND_TRIPS)).flatmap(lambda encoder: st.tuples(st.just(encoder), ROUND_TRIPS[encoder]))


def same(one: Any, other: Any) -> bool:
    """Return whether two values are equal and of one type, but for a whole float of ``NumericDefault``."""
    return one == other and (type(one) is type(other) or (type(one) is int and type(other) is float))


@given(CASES)
def test_values_come_back(case: tuple[encoders.Encoder, Any]) -> None:
    encoder, value = case
    stored = encoder.dumps(value)
    assert isinstance(encoder, NUMBERS) or type(stored) is bytes
    assert same(encoder.loads(stored), value)
    assert encoder.load_iterable([stored]) == [value]


BULKS = st.lists(TEXT) | st.lists(st.binary()) | st.lists(FLOATS) | st.lists(ANYTHING)


@given(st.sampled_from(list(ROUND_TRIPS)), BULKS, st.booleans())
def test_a_bulk_is_converted_as_one_by_one(encoder: encoders.Encoder, values: list[Any], load: bool) -> None:
    def outcome(convert: Callable[[], list[Any]]) -> str:
        try:
            return repr(convert())
        except Exception as error:
            return repr(error)

    if load:  # whatever could be stored
        values = [value for value in values if isinstance(value, (bytes, float))]
        bulk, one = (lambda: encoder.load_iterable(iter(values))), (lambda: [encoder.loads(value) for value in values])
    else:
        bulk, one = (lambda: encoder.dump_iterable(iter(values))), (lambda: [encoder.dumps(value) for value in values])
    assert outcome(bulk) == outcome(one)


@given(st.sampled_from(list(ROUND_TRIPS)), st.binary() | st.floats())
def test_what_an_encoder_keeps_is_as_it_was(encoder: encoders.Encoder, stored: Any) -> None:
    if encoder.keeps(type(stored)):
        assert encoder.loads(stored) is stored


@given(st.floats())
def test_the_bits_of_a_double_come_back(value: float) -> None:
    encoder = encoders.CompactDouble()
    stored = encoder.dumps(value)
    assert len(stored) == 8
    assert (stored == encoder.missing) == math.isnan(value)
    assert repr(encoder.loads(stored)) == repr(value)


@given(EXACT | WHOLE_SECONDS, EXACT | WHOLE_SECONDS)
def test_datetimes_are_exact_as_floats_and_keep_their_order(one: datetime, other: datetime) -> None:
    encoder = encoders.DateTimeConverter()
    first, second = encoder.dumps(one), encoder.dumps(other)
    assert (one < other) == (first < second) == (float(first) < float(second))
    for number in (first, float(first), str(first), repr(float(first)).encode(), b"%d" % first):
        assert encoder.loads(number) == one
    assert encoder.loads(encoder.dumps(one.date())) == datetime.combine(one, datetime.min.time())
    assert encoders.DateConverter().loads(first) == encoders.DateConverter().loads(one) == one.date()


@given(st.datetimes())
def test_a_datetime_is_exact_as_a_float_or_refused(value: datetime) -> None:
    try:
        number = encoders.DateTimeConverter().dumps(value)
    except NotConvertible:
        assert (value - datetime(1970, 1, 1)) // timedelta(microseconds=1) not in range(-(2**53), 2**53 + 1)
    else:
        assert datetime(1970, 1, 1) + timedelta(microseconds=int(float(number))) == value


@given(st.sampled_from(list(ROUND_TRIPS)), ANYTHING)
def test_anything_is_converted_or_refused_with_an_error_of_ours(encoder: encoders.Encoder, value: Any) -> None:
    for convert in (encoder.dumps, encoder.loads):
        if convert == encoders.PythonPickle().loads and isinstance(value, bytes):
            continue  # arbitrary data is what it must not be given
        try:
            convert(value)
        except NotConvertible as error:
            text, again = str(error), str(pickle.loads(pickle.dumps(error)))
            assert text.startswith(f"{type(encoder).__name__}: ")
            assert text == again


@given(st.integers() | st.text() | FLOATS)
def test_safe_number_reads_every_spelling(value: Any) -> None:
    found = encoders.safe_number(value)
    try:
        number = float(value)
    except (ValueError, OverflowError):
        assert found is value
        return
    assert found == value or float(found) == number or (math.isnan(found) and math.isnan(number))
    assert type(found) is int or not found.is_integer()


NAMES = st.from_regex(r"[a-zA-Z][a-zA-Z0-9]{0,4}", fullmatch=True)
TREES = st.recursive(
    LEAVES | st.lists(LEAVES, max_size=2),
    lambda inner: st.dictionaries(NAMES | st.just(""), inner, min_size=1, max_size=3),
    max_leaves=8,
)


def as_flat_names_say(tree: Any, root: bool = True) -> Any:
    """Return a tree without what flat names cannot tell from something else.

    No dictionary is empty, and an empty key stands below the root, beside other keys, and for a leaf.
    """
    if not isinstance(tree, dict):
        return tree
    kept = {key: as_flat_names_say(value, False) for key, value in tree.items() if key != ""}
    if not root and kept and "" in tree and not isinstance(tree[""], dict):
        kept[""] = tree[""]
    return kept or {"x": 1}


@given(st.dictionaries(NAMES, TREES, max_size=4).map(as_flat_names_say), st.sampled_from([None, "data"]))
def test_flat_names_nest_again_in_any_order(tree: dict[str, Any], attname: str | None) -> None:
    encoder = encoders.Json()
    flat = dict(dict_flat_generator(tree, attname, dumps=encoder.dumps))
    assert all(type(value) is bytes for value in flat.values())
    for stored in (flat, dict(reversed(flat.items()))):
        assert flat_to_nested(stored, attname=attname, loads=encoder.loads) == tree


@given(st.decimals())
def test_decimals_keep_their_digits(value: Decimal) -> None:
    again = encoders.Json().loads(encoders.Json().dumps(value))
    assert str(again) == str(value)


@given(DOCUMENTS)
def test_json_is_compact_and_standard(value: Any) -> None:
    stored = encoders.Json().dumps(value)
    plain = json.loads(stored)
    assert json.dumps(plain, ensure_ascii=False, separators=(",", ":")).encode() == stored


@pytest.mark.parametrize("value", [date.min, date.max, datetime.min, datetime.max])
def test_the_ends_of_the_calendar_are_json(value: date) -> None:
    assert same(encoders.Json().loads(encoders.Json().dumps(value)), value)
