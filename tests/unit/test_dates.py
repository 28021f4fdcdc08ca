"""Dates as numbers, runs of days, intervals and what is missing between them."""

from __future__ import annotations

import pickle
import time
from datetime import date, datetime, timedelta, timezone

import pytest

from stdnet.errors import NotConvertible, WrongType
from stdnet.utils import (
    Interval,
    Intervals,
    date2timestamp,
    dategenerator,
    default_parse_interval,
    missing_intervals,
    timestamp2date,
    todate,
    todatetime,
    totimestamp,
    totimestamp2,
)

DAY = date(2010, 5, 1)
NOON = datetime(2010, 5, 1, 12, 0, 0, 250_000)
SECONDS = 1272672000


def day(n: int) -> date:
    return date(2010, 5, n)


def test_timestamps_count_as_if_utc_and_keep_their_types():
    assert [(v, type(v)) for v in map(date2timestamp, (DAY, datetime(2010, 5, 1)))] == [
        (SECONDS, int),
        (SECONDS, float),
    ]
    assert date2timestamp(NOON) == totimestamp2(NOON) == SECONDS + 43200.25
    assert totimestamp(NOON) == SECONDS + 43200
    assert totimestamp(datetime(1969, 12, 31, 23, 59, 59, 1)) == -1
    assert timestamp2date(SECONDS + 43200.25) == NOON
    assert timestamp2date(-1) == datetime(1969, 12, 31, 23, 59, 59)


def test_the_time_zone_of_the_machine_does_not_matter(monkeypatch):
    for zone in ("America/New_York", "Asia/Tokyo"):
        monkeypatch.setenv("TZ", zone)
        time.tzset()
        assert date2timestamp(DAY) == SECONDS
        assert timestamp2date(SECONDS) == datetime(2010, 5, 1)
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("convert", [date2timestamp, totimestamp, totimestamp2])
def test_what_is_no_naive_date_is_refused(convert):
    with pytest.raises(NotConvertible, match=rf"{convert.__name__}: .* has a time zone"):
        convert(NOON.replace(tzinfo=timezone.utc))
    with pytest.raises(WrongType, match=rf"{convert.__name__}: '2010-05-01' is neither a date nor a datetime"):
        convert("2010-05-01")


@pytest.mark.parametrize("seconds", [1e15, -1e15, 1e300, float("nan"), float("inf")])
def test_seconds_beyond_the_calendar_are_refused(seconds):
    with pytest.raises(NotConvertible, match="years 1 to 9999"):
        timestamp2date(seconds)


def test_seconds_are_numbers():
    with pytest.raises(WrongType, match="is not a number of seconds"):
        timestamp2date("tomorrow")


def test_between_dates_and_datetimes():
    assert todatetime(DAY) == datetime(2010, 5, 1)
    assert todatetime(NOON) is NOON
    assert todate(NOON) == DAY
    assert todate(DAY) is DAY
    assert (todate(5), todatetime("x")) == (5, "x")
    assert default_parse_interval(DAY) is DAY
    assert default_parse_interval(NOON, 2) == NOON + timedelta(2)


@pytest.mark.parametrize(
    ("start", "end", "options", "days"),
    [
        (1, 3, {}, [1, 2, 3]),
        (1, 6, {"step": 2}, [1, 3, 5]),
        (1, 6, {"step": -2}, [1, 3, 5]),
        (1, 6, {"step": 2, "desc": True}, [6, 4, 2]),
        (3, 1, {}, [3]),
        (3, 1, {"desc": True}, [3]),
        (1, 2, {"step": 5}, [1]),
    ],
)
def test_dategenerator(start, end, options, days):
    assert [found.day for found in dategenerator(day(start), day(end), **options)] == days


def test_dategenerator_at_the_end_of_time():
    assert list(dategenerator(date.max, date.max)) == [date.max]
    assert list(dategenerator(date.min, date.min, desc=True)) == [date.min]
    assert list(dategenerator(NOON, NOON + timedelta(1.5))) == [NOON, NOON + timedelta(1)]
    with pytest.raises(NotConvertible, match="use 1 for every day"):
        dategenerator(DAY, DAY, step=0)


def test_an_interval_is_a_pair():
    interval = Interval(1, 3)
    assert interval == (1, 3)
    assert (interval.start, interval.end) == (1, 3)
    assert repr(interval) == "Interval(1, 3)"
    assert len({interval, Interval(1, 3), (1, 3)}) == 1
    assert type(pickle.loads(pickle.dumps(interval))) is tuple
    assert [x in interval for x in (0, 1, 2, 3, 4)] == [False, True, True, True, False]


@pytest.mark.parametrize(("start", "end"), [(8, 2), (DAY, DAY - timedelta(1)), (float("nan"), 1), (1, float("nan"))])
def test_an_interval_does_not_end_before_it_starts(start, end):
    with pytest.raises(ValueError, match=r"Interval: .* does not end after its start"):
        Interval(start, end)


def test_the_order_of_intervals():
    a, b, c = Interval(1, 2), Interval(2, 3), Interval(3, 4)
    assert a < c
    assert c > a
    assert a <= c
    assert c >= a
    assert [a < b, a > b, a <= b, a >= b] == [False] * 4
    assert a <= Interval(1, 2) >= a
    assert a.union(c) == c.union(a) == Interval(1, 4)
    assert Interval(1, 9).union(b) == (1, 9)


def test_intervals_merge():
    found = Intervals()
    assert (found.start(), found.end(), found) == (None, None, [])
    found.append(Interval(1, 2))
    found.append((2, 3))
    assert found == [(1, 3)]
    found.append([5, 6])
    assert found == [(1, 3), (5, 6)]
    assert all(type(interval) is Interval for interval in found)
    found += [(8, 9), (4, 4)]
    assert found == [(1, 3), (4, 4), (5, 6), (8, 9)]
    assert (found.start(), found.end()) == (1, 9)
    found.append((0, 7))
    assert found == [(0, 7), (8, 9)]
    assert Intervals(found) == found
    assert Intervals([(1, 2), (3, 4)]) == [(1, 2), (3, 4)]


def test_intervals_pickle_as_a_plain_list():
    copy = pickle.loads(pickle.dumps(Intervals([(1, 2), (5, 6)])))
    assert (type(copy), type(copy[0]), copy) == (list, tuple, [(1, 2), (5, 6)])


@pytest.mark.parametrize("value", [3, None, (1,), (1, 2, 3)])
def test_only_pairs_are_intervals(value):
    with pytest.raises(TypeError, match="is not a pair of a start and an end"):
        Intervals().append(value)


def test_intervals_keep_their_order():
    found = Intervals([(1, 2)])
    with pytest.raises(ValueError, match="does not end after its start"):
        found.append((8, 2))
    with pytest.raises(TypeError, match="use append"):
        found.insert(0, (5, 6))
    with pytest.raises(TypeError, match="use append"):
        found[0] = (5, 6)
    assert found == [(1, 2)]
    del found[0]
    assert found == []


@pytest.mark.parametrize(
    ("asked", "stored", "missing"),
    [
        ((1, 9), (None, None), [(1, 9)]),
        ((9, 1), (None, None), [(9, 9)]),
        ((1, 9), (1, 9), []),
        ((3, 4), (1, 9), []),
        ((1, 9), (3, 9), [(1, 2)]),
        ((1, 9), (1, 8), [(9, 9)]),
        ((1, 9), (4, 5), [(1, 3), (6, 9)]),
        ((1, 2), (5, 6), [(1, 4)]),
        ((8, 9), (5, 6), [(7, 9)]),
        ((9, 1), (5, 6), [(7, 9)]),
    ],
)
def test_missing_intervals(asked, stored, missing):
    wanted = [(day(a), day(b)) for a, b in missing]
    ends = [None if n is None else day(n) for n in stored]
    found = missing_intervals(day(asked[0]), day(asked[1]), *ends)
    assert isinstance(found, Intervals)
    assert found == wanted
    times = [None if end is None else datetime(2010, 5, end.day, 12) for end in ends]
    assert missing_intervals(datetime(2010, 5, asked[0], 9), day(asked[1]), *times) == wanted


def test_more_intervals_are_merged_in():
    extra = Intervals([(day(2), day(3)), (day(20), day(21))])
    found = missing_intervals(day(1), day(5), day(3), day(5), intervals=extra)
    assert found == [(day(1), day(3)), (day(20), day(21))]
    found = missing_intervals(day(3), day(5), day(3), day(5), intervals=extra)
    assert found == extra
    assert found is not extra
    assert missing_intervals(day(1), day(2), day(1), day(2), intervals=[]) == []


def test_other_points_than_days():
    found = missing_intervals(0, 100, 20, 80, dateconverter=int, parseinterval=lambda point, n: point + 10 * n)
    assert found == [(0, 10), (90, 100)]
    hour = missing_intervals(
        NOON, NOON + timedelta(hours=5), NOON + timedelta(hours=1), NOON + timedelta(hours=5),
        dateconverter=todatetime, parseinterval=lambda point, n: point + timedelta(hours=n),
    )  # fmt: skip
    assert hour == [(NOON, NOON)]
