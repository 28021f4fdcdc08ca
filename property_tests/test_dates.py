"""Dates and intervals: conversions come back, and the algebra of intervals is that of sets of points."""

from __future__ import annotations

import pickle
from datetime import date, datetime, timedelta
from itertools import pairwise

from hypothesis import example, given
from hypothesis import strategies as st

from stdnet.utils import (
    Interval,
    Intervals,
    date2timestamp,
    dategenerator,
    missing_intervals,
    timestamp2date,
    todate,
    totimestamp,
    totimestamp2,
)

POINTS = st.integers(0, 30)
PAIRS = st.tuples(POINTS, POINTS).map(lambda pair: (min(pair), max(pair)))
DAYS = st.integers(0, 40).map(lambda n: date(2010, 1, 1) + timedelta(n))
RANGES = st.tuples(DAYS, DAYS).map(sorted)


def grid(pairs: list[tuple[int, int]]) -> set[int]:
    """Return the points and the gaps between neighbours that the intervals cover; halves stand for gaps."""
    return {point for start, end in pairs for point in range(2 * start, 2 * end + 1)}


@given(st.dates())
def test_dates_come_back_from_their_seconds(value: date) -> None:
    seconds = date2timestamp(value)
    assert type(seconds) is int
    assert seconds == totimestamp(value) == totimestamp2(value)
    assert todate(timestamp2date(seconds)) == value


@given(st.datetimes(datetime(1698, 1, 1), datetime(2242, 1, 1)))
@example(datetime(2241, 12, 31, 23, 59, 59, 999_999))
@example(datetime(1698, 1, 1, 0, 0, 0, 1))
def test_datetimes_come_back_from_their_seconds(value: datetime) -> None:
    assert timestamp2date(date2timestamp(value)) == timestamp2date(totimestamp2(value)) == value
    assert timestamp2date(totimestamp(value)) == value.replace(microsecond=0)


@given(DAYS, DAYS, st.integers(-5, 5).filter(bool), st.booleans())
def test_runs_of_days(start: date, end: date, step: int, desc: bool) -> None:
    found = list(dategenerator(start, end, step, desc))
    end = max(start, end)
    days = [start + timedelta(n) for n in range((end - start).days + 1)]
    assert found == (days[::-1] if desc else days)[:: abs(step)]


@given(PAIRS, PAIRS, POINTS)
def test_two_intervals(one: tuple[int, int], other: tuple[int, int], point: int) -> None:
    a, b = Interval(*one), Interval(*other)
    points, others = set(range(one[0], one[1] + 1)), set(range(other[0], other[1] + 1))
    assert (point in a) == (point in points)
    assert (a < b) == all(x < y for x in points for y in others) == (b > a)
    assert (a <= b) == (a < b or a == b) == (b >= a)
    assert (a < b or b < a) == points.isdisjoint(others)
    union = a.union(b)
    assert union == b.union(a) == (min(points | others), max(points | others))
    assert pickle.loads(pickle.dumps(a)) == a == one


@given(st.lists(PAIRS, max_size=12))
def test_intervals_are_the_runs_of_what_they_cover(pairs: list[tuple[int, int]]) -> None:
    found = Intervals(pairs)
    assert grid(found) == grid(pairs)
    assert all(type(interval) is Interval for interval in found)
    assert all(before.end < after.start for before, after in pairwise(found))
    assert found.start() == min((start for start, _ in pairs), default=None)
    assert found.end() == max((end for _, end in pairs), default=None)
    assert found == Intervals(reversed(pairs)) == Intervals(found)
    assert pickle.loads(pickle.dumps(found)) == found


@given(
    DAYS, DAYS, st.none() | st.tuples(DAYS, DAYS).map(sorted), st.lists(st.tuples(DAYS, DAYS).map(sorted), max_size=3)
)
def test_what_is_missing_and_what_is_stored_cover_the_request(
    first: date, last: date, stored: list[date] | None, more: list[list[date]]
) -> None:
    start, end = stored or (None, None)
    missing = missing_intervals(first, last, start, end)
    asked = set(dategenerator(first, last))
    have = set(dategenerator(start, end)) if start and end else set()
    got = {day for interval in missing for day in dategenerator(*interval)}
    between = set(dategenerator(min(asked | have), max(asked | have)))
    assert len(missing) <= (2 if have else 1)
    assert got == between - have
    assert asked <= got | have
    merged = missing_intervals(first, last, start, end, intervals=more)
    assert merged == Intervals([*missing, *more])
