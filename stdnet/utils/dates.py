"""Dates as numbers, days one after another, and intervals. What is stored as a date lives in the fields and encoders.

Nothing here asks for the time zone of the machine: a naive date or datetime is counted as it reads, as if it were UTC,
so that numbers mean the same day everywhere and every hour of the year exists once. An aware datetime is refused.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime, timedelta
from typing import Any, NoReturn, Protocol, SupportsIndex, TypeVar

from ..errors import NotConvertible, WrongType

EPOCH = datetime(1970, 1, 1)
_MILLION = 1_000_000
_MICROSECOND = timedelta(microseconds=1)


class Ordered(Protocol):
    """What can be an end of an interval: dates, datetimes, numbers, texts."""

    def __lt__(self, other: Any, /) -> bool: ...
    def __le__(self, other: Any, /) -> bool: ...


D = TypeVar("D", bound=date)
T = TypeVar("T", bound=Ordered)


def date2micros(value: date, helper: str = "date2micros") -> int:
    """Return the whole microseconds from 1970-01-01 to a date's midnight or to a naive datetime, exactly.

    ``helper`` is whom an error names.

    >>> date2micros(date(1970, 1, 2)), date2micros(datetime(1970, 1, 1, 0, 0, 1, 5))
    (86400000000, 1000005)
    """
    if not isinstance(value, date):
        raise WrongType(helper, value, "is neither a date nor a datetime")
    if isinstance(value, datetime) and value.tzinfo is not None:
        problem = "has a time zone, and none is kept; convert it to the zone you mean, then .replace(tzinfo=None)"
        raise NotConvertible(helper, value, problem)
    delta: timedelta = todatetime(value) - EPOCH
    return delta // _MICROSECOND


def micros2date(micros: int) -> datetime:
    """Return the naive datetime that is so many microseconds after 1970-01-01.

    >>> micros2date(1000005)
    datetime.datetime(1970, 1, 1, 0, 0, 1, 5)
    """
    try:
        return EPOCH + timedelta(microseconds=micros)
    except OverflowError:
        raise NotConvertible("micros2date", micros, "microseconds lead out of the years 1 to 9999") from None


def date2timestamp(value: date) -> int | float:
    """Return the seconds from 1970-01-01, as if UTC: an ``int`` for a date, else a ``float``.

    The float has the microseconds, exactly so from 1698 to 2242.

    >>> date2timestamp(date(1970, 1, 2)), date2timestamp(datetime(1970, 1, 2, 0, 0, 0, 500_000))
    (86400, 86400.5)
    """
    micros = date2micros(value, "date2timestamp")
    return micros / _MILLION if isinstance(value, datetime) else micros // _MILLION


def timestamp2date(timestamp: float) -> datetime:
    """Return the naive datetime of so many seconds since 1970-01-01, to the next microsecond.

    >>> timestamp2date(86400.5)
    datetime.datetime(1970, 1, 2, 0, 0, 0, 500000)
    """
    try:
        return EPOCH + timedelta(seconds=timestamp)
    except TypeError:
        raise WrongType("timestamp2date", timestamp, "is not a number of seconds") from None
    except (ValueError, OverflowError):
        raise NotConvertible("timestamp2date", timestamp, "seconds lead out of the years 1 to 9999") from None


def totimestamp(value: date) -> float:
    """Return the seconds from 1970-01-01 as a float, without the microseconds.

    >>> totimestamp(datetime(1970, 1, 2, 0, 0, 0, 500_000))
    86400.0
    """
    return float(date2micros(value, "totimestamp") // _MILLION)


def totimestamp2(value: date) -> float:
    """Return the seconds from 1970-01-01 as a float, with the microseconds.

    >>> totimestamp2(datetime(1970, 1, 2, 0, 0, 0, 500_000))
    86400.5
    """
    return date2micros(value, "totimestamp2") / _MILLION


def todatetime(value: Any) -> Any:
    """Return the midnight of a date; a datetime or anything else comes back unchanged.

    >>> todatetime(date(2010, 5, 1))
    datetime.datetime(2010, 5, 1, 0, 0)
    """
    if isinstance(value, date) and not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day)
    return value


def todate(value: Any) -> Any:
    """Return the day of a datetime; a date or anything else comes back unchanged.

    >>> todate(datetime(2010, 5, 1, 12, 30))
    datetime.date(2010, 5, 1)
    """
    return value.date() if isinstance(value, datetime) else value


def default_parse_interval(dt: D, delta: int = 0) -> D:
    """Return the date ``delta`` days after ``dt``.

    >>> default_parse_interval(date(2010, 5, 1), -1)
    datetime.date(2010, 4, 30)
    """
    return dt + timedelta(days=delta) if delta else dt


def dategenerator(start: D, end: D, step: int = 1, desc: bool = False) -> Iterator[D]:
    """Return an iterator over the dates from ``start`` to ``end``, both included, ``step`` days apart.

    An ``end`` before ``start`` counts as ``start``, and the sign of ``step`` as none. ``desc`` walks down from ``end``.

    >>> [day.day for day in dategenerator(date(2010, 5, 1), date(2010, 5, 4), step=2)]
    [1, 3]
    >>> [day.day for day in dategenerator(date(2010, 5, 1), date(2010, 5, 4), step=2, desc=True)]
    [4, 2]
    """
    if step == 0:
        raise NotConvertible("dategenerator", step, "is no step; use 1 for every day")
    pace = timedelta(days=abs(step))
    end = max(start, end)
    first, pace_on = (end, -pace) if desc else (start, pace)
    return (first + n * pace_on for n in range((end - start) // pace + 1))


class Interval(tuple[T, T]):
    """A pair of a start and an end, both included. One point is an interval, too.

    Two intervals are ordered if they are disjoint: ``a < b`` says that ``a`` ends before ``b`` starts. A pickle of
    an interval is one of a plain tuple.

    >>> 3 in Interval(1, 5), Interval(1, 2) < Interval(3, 5), Interval(1, 4) < Interval(3, 5)
    (True, True, False)
    """

    __slots__ = ()

    def __new__(cls, start: T, end: T) -> Interval[T]:
        if not start <= end:
            raise NotConvertible("Interval", (start, end), "does not end after its start")
        return super().__new__(cls, (start, end))

    @property
    def start(self) -> T:
        """The first point."""
        return self[0]

    @property
    def end(self) -> T:
        """The last point."""
        return self[1]

    def union(self, other: tuple[T, T]) -> Interval[T]:
        """Return the smallest interval that contains both.

        >>> Interval(1, 2).union(Interval(4, 5))
        Interval(1, 5)
        """
        return Interval(min(self[0], other[0]), max(self[1], other[1]))

    def __contains__(self, value: Any) -> bool:
        return bool(self[0] <= value <= self[1])

    def __lt__(self, other: tuple[T, ...]) -> bool:
        return self[1] < other[0]

    def __gt__(self, other: tuple[T, ...]) -> bool:
        return other[1] < self[0]

    def __le__(self, other: tuple[T, ...]) -> bool:
        return self == other or self < other

    def __ge__(self, other: tuple[T, ...]) -> bool:
        return self == other or self > other

    def __repr__(self) -> str:
        return f"Interval({self[0]!r}, {self[1]!r})"

    def __reduce__(self) -> Any:
        return tuple, (tuple(self),)


class Intervals(list[Interval[T]]):
    """A sorted list of disjoint intervals. What is added merges with all it touches or overlaps.

    An addition costs O(log n) comparisons. The days 1 to 2 and 3 to 4 do not touch. A pickle is one of a plain list.

    >>> Intervals([(8, 9), (1, 2), (3, 4), (2, 3)])
    [Interval(1, 4), Interval(8, 9)]
    """

    def __init__(self, data: Iterable[tuple[T, T]] | None = None) -> None:
        super().__init__()
        self.extend(data or ())

    def start(self) -> T | None:
        """Return the start of the first interval, ``None`` if there is none."""
        return self[0].start if self else None

    def end(self) -> T | None:
        """Return the end of the last interval, ``None`` if there is none."""
        return self[-1].end if self else None

    def append(self, interval: tuple[T, T]) -> None:
        """Add an interval, or a pair of its start and its end, at its place.

        Raises a ``TypeError`` if it is no pair and a ``ValueError`` if it ends before it starts.
        """
        try:
            start, end = interval
        except (TypeError, ValueError):
            raise WrongType("Intervals", interval, "is not a pair of a start and an end") from None
        merged = Interval(start, end)
        first = bisect_left(self, start, key=_end)
        stop = bisect_right(self, end, lo=first, key=_start)
        if first < stop:
            merged = merged.union(self[first]).union(self[stop - 1])
        super().__setitem__(slice(first, stop), [merged])

    def extend(self, data: Iterable[tuple[T, T]]) -> None:
        """Add several intervals."""
        for interval in data:
            self.append(interval)

    def __iadd__(self, data: Iterable[tuple[T, T]]) -> Intervals[T]:  # type: ignore[override, misc]
        self.extend(data)
        return self

    def insert(self, index: SupportsIndex, interval: Any) -> NoReturn:
        """Refuse: the place of an interval is its own."""
        raise WrongType("Intervals", interval, "cannot be put at a place of your choice; use append")

    def __setitem__(self, index: Any, interval: Any) -> NoReturn:
        self.insert(0, interval)

    def __reduce__(self) -> Any:
        return list, (list(self),)


def _start(interval: Interval[Any]) -> Any:
    return interval[0]


def _end(interval: Interval[Any]) -> Any:
    return interval[1]


def missing_intervals(
    startdate: Any,
    enddate: Any,
    start: Any,
    end: Any,
    dateconverter: Callable[[Any], Any] | None = None,
    parseinterval: Callable[[Any, int], Any] | None = None,
    intervals: Iterable[tuple[Any, Any]] | None = None,
) -> Intervals[Any]:
    """Return what has to be loaded so that a stored range ``[start, end]`` grows to cover ``[startdate, enddate]``.

    These are none, one or two intervals: from ``startdate`` to the day before ``start``, and from the day after
    ``end`` to ``enddate``. If nothing is stored (``start`` or ``end`` is ``None``) it is the whole request. An
    ``enddate`` before ``startdate`` counts as ``startdate``. The request may lie apart from the stored range; what is
    between them is missing, too. ``intervals`` are merged into the answer.

    ``dateconverter`` makes a point of what is given (default ``todate``), and ``parseinterval(point, n)`` the point
    ``n`` steps on (default: days).

    >>> missing_intervals(date(2010, 5, 1), date(2010, 5, 9), date(2010, 5, 3), date(2010, 5, 9))
    [Interval(datetime.date(2010, 5, 1), datetime.date(2010, 5, 2))]
    """
    convert, move = dateconverter or todate, parseinterval or default_parse_interval
    first = convert(move(startdate, 0))
    last = max(first, convert(move(enddate, 0)))
    if start is None or end is None:
        gaps = [(first, last)]
    else:
        gaps = [(first, convert(move(convert(start), -1))), (convert(move(convert(end), 1)), last)]
    missing: Intervals[Any] = Intervals(gap for gap in gaps if gap[0] <= gap[1])
    missing.extend(intervals or ())
    return missing
