"""Structures in memory: every operation of every kind."""

from __future__ import annotations

import random
from math import inf

import pytest

from stdnet import getdb
from stdnet.contract import HASH, LIST, NUMBERARRAY, SET, STRING, TS, ZSET, Place
from stdnet.errors import BadStructureValue

from .structures import Database


@pytest.fixture
def db():
    return Database(getdb("memory://?namespace=test."))


class Handle:
    """One structure: its operations as methods."""

    def __init__(self, db, place):
        self.db, self.place = db, place

    def __getattr__(self, operation):
        return lambda *arguments: self.db.call(self.place, operation, *arguments)


@pytest.fixture
def make(db):
    """Return a function that makes a handle of a structure on its own."""
    return lambda kind, name="x": Handle(db, Place(kind, name))


# -- lists ------------------------------------------------------------------------------------------------------


@pytest.fixture
def letters(make):
    values = make(LIST)
    values.push_back(b"c", b"d", b"e")
    values.push_front(b"b", b"a")
    return values


def test_list_ends(letters):
    assert letters.items() == [b"a", b"b", b"c", b"d", b"e"]
    assert (letters.pop_front(), letters.pop_back(), letters.size()) == (b"a", b"e", 3)
    assert letters.push_back() is None
    assert letters.items() == [b"b", b"c", b"d"]


PLACES = [*range(-7, 8), -100, 100]


def between(items, start, stop):
    """The plain meaning of two places, both included and negative ones from the end."""
    size = len(items)
    first, last = (place + size if place < 0 else place for place in (start, stop))
    return [item for n, item in enumerate(items) if first <= n <= last]


@pytest.mark.parametrize("start", PLACES)
def test_list_slices(letters, start):
    for stop in PLACES:
        assert letters.slice(start, stop) == between(letters.items(), start, stop), (start, stop)


def test_list_places(letters):
    assert [letters.get(place) for place in (0, 4, -1, -5, 5, -6)] == [b"a", b"e", b"e", b"a", None, None]
    assert [letters.set(place, b"z") for place in (1, -1, 5, -6)] == [True, True, False, False]
    assert letters.items() == [b"a", b"z", b"c", b"d", b"z"]
    assert (letters.contains(b"z"), letters.contains(b"q")) == (True, False)


def test_an_empty_list(make):
    empty = make(LIST)
    assert (empty.pop_front(), empty.pop_back(), empty.size(), empty.items()) == (None, None, 0, [])
    assert (empty.slice(0, -1), empty.get(0), empty.set(0, b"x"), empty.contains(b"")) == ([], None, False, False)


# -- sets -------------------------------------------------------------------------------------------------------


def test_sets(make):
    values = make(SET)
    values.add(b"b", b"a", b"\xff", b"", b"a")
    values.remove(b"b", b"q")
    assert (values.items(), values.size()) == ([b"", b"a", b"\xff"], 3)
    assert (values.contains(b""), values.contains(b"b")) == (True, False)


def test_set_algebra(make):
    one, two, none = make(SET, "1"), make(SET, "2"), make(SET, "none")
    one.add(b"a", b"b", b"c")
    two.add(b"b", b"c", b"d")
    assert one.union(two.place, none.place) == [b"a", b"b", b"c", b"d"]
    assert (one.intersection(two.place), one.intersection(two.place, none.place)) == ([b"b", b"c"], [])
    assert (one.difference(two.place, none.place), none.difference(one.place)) == ([b"a"], [])
    assert one.union() == one.intersection() == one.difference() == one.intersection(one.place) == [b"a", b"b", b"c"]


# -- sorted sets ------------------------------------------------------------------------------------------------

PAIRS = [(-inf, b"low"), (-1.5, b"c"), (1.0, b""), (1.0, b"a"), (1.0, b"b"), (2.0, b"d"), (inf, b"high")]
BOUNDS = [-inf, -2.0, -1.5, 0.0, 1.0, 1.5, 2.0, 3.0, inf]


@pytest.fixture
def scored(make):
    values = make(ZSET)
    pairs = PAIRS * 2
    random.Random(7).shuffle(pairs)
    values.add(*pairs)
    return values


@pytest.mark.parametrize("desc", [0, 1])
def test_zset_ranges(scored, desc):
    assert scored.items() == PAIRS
    for low in BOUNDS:
        for high in BOUNDS:
            expected = [pair for pair in PAIRS if low <= pair[0] <= high]
            assert scored.range(low, high, desc) == (expected[::-1] if desc else expected)
            assert scored.count(low, high) == len(expected)


@pytest.mark.parametrize("desc", [0, 1])
def test_zset_places(scored, desc):
    turned = PAIRS[::-1] if desc else PAIRS
    for start in [*PLACES, -8, 8]:
        for stop in [*PLACES, -8, 8]:
            assert scored.irange(start, stop, desc) == between(turned, start, stop), (start, stop)


def test_zset_members(scored):
    assert [scored.rank(value) for value in (b"low", b"a", b"high", b"q")] == [0, 3, 6, None]
    assert [scored.score(value) for value in (b"low", b"a", b"q")] == [-inf, 1.0, None]
    scored.add((9.0, b"a"), (8.0, b"q"), (7.0, b"q"))
    scored.remove(b"low", b"high", b"zzz")
    assert scored.items() == [(-1.5, b"c"), (1.0, b""), (1.0, b"b"), (2.0, b"d"), (7.0, b"q"), (9.0, b"a")]
    assert (scored.size(), scored.rank(b"a")) == (6, 5)


def test_zset_pops(scored):
    assert scored.pop_range(3.0, -3.0) == scored.ipop_range(5, 2, 0) == scored.ipop_range(-1, 0, 1) == []
    assert scored.pop_range(1.0, 1.0) == [(1.0, b""), (1.0, b"a"), (1.0, b"b")]
    assert scored.ipop_range(0, 1, 1) == [(inf, b"high"), (2.0, b"d")]
    assert scored.ipop_range(-100, 0, 0) == [(-inf, b"low")]
    assert scored.items() == [(-1.5, b"c")]
    assert scored.pop_range(-inf, inf) == [(-1.5, b"c")]
    assert (scored.size(), scored.score(b"c")) == (0, None)


def test_zset_algebra(make):
    one, two, none = make(ZSET, "1"), make(ZSET, "2"), make(ZSET, "none")
    one.add((1.0, b"a"), (2.0, b"b"), (inf, b"c"))
    two.add((5.0, b"b"), (-inf, b"c"), (0.5, b"d"))
    assert one.union(two.place, none.place) == [(0.0, b"c"), (0.5, b"d"), (1.0, b"a"), (7.0, b"b")]
    assert (one.intersection(two.place), none.union(one.place)) == ([(0.0, b"c"), (7.0, b"b")], one.items())
    assert one.intersection(two.place, none.place) == none.intersection(one.place) == []
    assert one.difference(two.place) == [(1.0, b"a")]
    assert one.union(one.place, one.place) == [(3.0, b"a"), (6.0, b"b"), (inf, b"c")]


def test_zset_scores_are_added_from_left_to_right(make):
    for name, score in [("1", 0.1), ("2", 0.2), ("3", 0.3), ("4", inf), ("5", -inf)]:
        make(ZSET, name).add((score, b"v"))
    places = [make(ZSET, name).place for name in "12345"]
    assert make(ZSET, "1").union(*places[1:3]) == [(0.1 + 0.2 + 0.3, b"v")]
    assert make(ZSET, "3").union(*places[1::-1]) == [(0.3 + 0.2 + 0.1, b"v")]
    assert make(ZSET, "4").intersection(places[4], places[0]) == [(0.1, b"v")]


def test_an_empty_zset(make):
    empty = make(ZSET)
    assert empty.items() == empty.range(-inf, inf, 0) == empty.irange(0, -1, 1) == empty.pop_range(-inf, inf) == []
    assert (empty.size(), empty.count(-inf, inf), empty.rank(b"a"), empty.score(b"a")) == (0, 0, None, None)
    assert empty.union() == empty.intersection() == empty.difference() == empty.ipop_range(0, -1, 0) == []


# -- hash tables ------------------------------------------------------------------------------------------------


def test_hashes(make):
    values = make(HASH)
    values.add((b"b", b"1"), (b"a", b""), (b"", b"3"), (b"b", b"2"))
    assert (values.items(), values.size()) == ([(b"", b"3"), (b"a", b""), (b"b", b"2")], 3)
    assert values.keys() == [b"", b"a", b"b"]
    assert (values.get(b"a"), values.get(b"q"), values.contains(b"a"), values.contains(b"q")) == (
        b"",
        None,
        True,
        False,
    )
    assert (values.pop(b"a"), values.pop(b"a")) == (b"", None)
    values.remove(b"", b"q", b"b")
    assert (values.items(), values.keys(), values.size()) == ([], [], 0)


# -- time series ------------------------------------------------------------------------------------------------

SERIES = [(-5.25, b"z"), (0.0, b""), (1.000001, b"a"), (1.000002, b"a"), (1e9 + 0.5, b"end")]
TIMES = [-inf, -6.0, -5.25, 0.0, 1.0, 1.000001, 1.000002, 1e9, 2e9, inf]


@pytest.fixture
def series(make):
    values = make(TS)
    values.add(*[(time, b"old") for time, _ in SERIES], *SERIES[::-1])
    return values


def test_ts_ranges(series):
    assert series.items() == SERIES
    for low in TIMES:
        for high in TIMES:
            expected = [pair for pair in SERIES if low <= pair[0] <= high]
            assert (series.range(low, high), series.count(low, high)) == (expected, len(expected))


@pytest.mark.parametrize("start", PLACES)
def test_ts_places(series, start):
    for stop in PLACES:
        assert series.irange(start, stop) == between(SERIES, start, stop), (start, stop)


def test_ts_times(series):
    assert [series.get(time) for time in (0.0, 1.0, 1.000002)] == [b"", None, b"a"]
    assert [series.rank(time) for time in (-5.25, 1.0, 1.000002, inf)] == [0, None, 3, None]
    assert (series.pop(0.0), series.pop(0.0), series.pop(5.0)) == (b"", None, None)
    series.remove(1.000001, 77.0)
    assert (series.items(), series.size()) == ([SERIES[0], *SERIES[3:]], 3)


def test_ts_pops(series):
    assert series.pop_range(9.0, 0.0) == series.ipop_range(3, 1) == series.ipop_range(5, 9) == []
    assert series.pop_range(0.0, 1.000001) == SERIES[1:3]
    assert series.ipop_range(-1, -1) == SERIES[4:]
    assert series.ipop_range(-9, 9) == [SERIES[0], SERIES[3]]
    assert (series.items(), series.size(), series.irange(0, -1), series.rank(0.0)) == ([], 0, [], None)


def test_a_long_series(make):
    values = make(TS)
    for start in range(0, 5000, 500):
        values.add(*[(float(time), b"%d" % time) for time in range(start, start + 500)])
    assert (values.size(), values.count(10.0, 19.5), values.rank(4321.0)) == (5000, 10, 4321)
    assert values.pop_range(5.0, 4994.0)[::4989] == [(5.0, b"5"), (4994.0, b"4994")]
    assert [int(time) for time, _ in values.items()] == [*range(5), *range(4995, 5000)]


# -- strings and arrays of numbers ------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [STRING, NUMBERARRAY])
def test_bytes(make, kind):
    content = make(kind)
    assert (content.size(), content.items(), content.slice(0, -1)) == (0, b"", b"")
    content.append()
    assert content.size() == 0
    content.append(b"ab", b"", b"c\x00")
    content.append(b"\xff")
    assert (content.size(), content.items()) == (5, b"abc\x00\xff")
    for start in PLACES:
        for stop in PLACES:
            assert content.slice(start, stop) == bytes(between(list(content.items()), start, stop)), (start, stop)


def test_increments(make):
    number = make(STRING)
    assert [number.incr(by) for by in (1, 1, 3, -7, 0)] == [1, 2, 5, -2, -2]
    assert number.items() == b"-2"
    assert (number.incr(2**63 - 1), number.incr(2)) == (2**63 - 3, 2**63 - 1)
    with pytest.raises(BadStructureValue):
        number.incr(1)
    assert number.items() == b"%d" % (2**63 - 1)
    assert number.incr(-(2**63)) == -1
    assert number.incr(-(2**63) + 1) == -(2**63)


@pytest.mark.parametrize(
    "content", [b"x", b"1.0", b" 1", b"1 ", b"+1", b"01", b"-0", b"--1", b"9" * 19, b"1\n", b"\xff"]
)
def test_what_is_no_integer_cannot_be_incremented(make, content):
    text = make(STRING)
    text.append(content)
    with pytest.raises(BadStructureValue, match=r'Cannot call "incr" of a string: .*integer'):
        text.incr(1)
    assert text.items() == content


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1])
def test_an_increment_out_of_range_makes_nothing(make, number):
    text = make(STRING)
    with pytest.raises(BadStructureValue):
        text.incr(number)
    assert text.size() == 0


def test_numbers_are_assigned_inside(make):
    array = make(NUMBERARRAY)
    assert array.assign(0, b"1234") is False
    array.append(b"11112222")
    assert [array.assign(place, b"abcd") for place in (4, 5, 8)] == [True, False, False]
    assert (array.items(), array.assign(0, b"ABCD"), array.items()) == (b"1111abcd", True, b"ABCDabcd")


def test_numbers_grow_and_shrink(make):
    array = make(NUMBERARRAY)
    assert (array.resize(0, b"...."), array.size()) == (0, 0)
    assert (array.resize(8, b"...,"), array.items()) == (8, b"...,...,")
    assert (array.resize(4, b"xxxx"), array.size()) == (8, 8)
    assert (array.truncate(9), array.truncate(0), array.size()) == (b"", b"", 8)
    array.append(b"last")
    assert (array.truncate(4), array.truncate(8), array.truncate(1), array.size()) == (b"last", b"...,...,", b"", 0)
