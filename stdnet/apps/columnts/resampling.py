"""Calendar buckets: rows gathered by weeks, months, quarters of an hour. Pure: a block in, a block out.

Times are naive, and stand for UTC where a time zone is named; then days begin at midnight there. A rule is a number and
a unit. Buckets do not depend on the data: weeks begin on Mondays, several days or weeks count from the first Monday of
1970, several months from January of the year 0, and parts of a day from midnight.
"""

from __future__ import annotations

import math
import re
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta, timezone, tzinfo
from numbers import Real
from typing import Any, Literal, NamedTuple, TypeAlias

from ...utils.dates import EPOCH
from . import statistics, windows
from .blocks import Block
from .storage import Numbers

Measure: TypeAlias = "Callable[[Sequence[float]], float]"
How: TypeAlias = "str | Measure | Mapping[str, str | Measure]"
Side: TypeAlias = Literal["left", "right"]

RULE = re.compile(r"([1-9][0-9]{0,5})?\s*([A-Za-z]+)")
UNITS = {
    "us": timedelta(microseconds=1),
    "ms": timedelta(milliseconds=1),
    "s": timedelta(seconds=1),
    "min": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "D": timedelta(days=1),
    "W": timedelta(weeks=1),
}
MONTHS = {"M": 1, "Q": 3, "Y": 12}
DAY = timedelta(days=1)
MICROSECOND = timedelta(microseconds=1)
MONDAY = datetime(1970, 1, 5)

MEASURES: Mapping[str, Measure] = {
    "first": lambda values: values[0] if values else math.nan,
    "last": lambda values: values[-1] if values else math.nan,
    "min": lambda values: min(values, default=math.nan),
    "max": lambda values: max(values, default=math.nan),
    "sum": lambda values: statistics.total(values) if values else math.nan,
    "mean": statistics.mean,
    "median": statistics.median,
    "std": statistics.deviation,
    "count": lambda values: float(len(values)),
}
"""What becomes of the numbers of a column in a bucket, without those that are missing."""

FILLS = ("nan", "previous", "linear")


class Calendar:
    """The buckets of a rule. ``ValueError`` if it is none."""

    def __init__(self, rule: str, zone: tzinfo | None = None) -> None:
        found = RULE.fullmatch(rule.strip()) if isinstance(rule, str) else None
        if found is None or found[2] not in {*UNITS, *MONTHS}:
            raise ValueError(f'{rule!r} is no rule, such as "15min", "1h", "1D", "1W", "1M", "1Q" or "1Y"')
        self.zone, number = zone, int(found[1] or 1)
        self.months = MONTHS.get(found[2], 0) * number
        self.step = timedelta(0) if self.months else UNITS[found[2]] * number
        if not self.months and (DAY % self.step if self.step < DAY else self.step % DAY):
            raise ValueError(f"{rule!r} is neither a number of days nor does it divide a day")
        self.known = (EPOCH, EPOCH)

    def bucket(self, moment: datetime) -> tuple[datetime, datetime]:
        """Return the beginning of the bucket that an instant is in, and of the next one."""
        if not self.known[0] <= moment < self.known[1]:
            day = self.floor(self.local(moment))
            self.known = self.instant(day), self.instant(self.next(day))
        begin, end = self.known
        if self.months or self.step >= DAY:
            return begin, end
        begin += (moment - begin) // self.step * self.step
        return begin, end if end - begin <= self.step else begin + self.step

    def floor(self, moment: datetime) -> datetime:
        """Return the midnight that the days of a local time are counted from."""
        if self.months:
            month = (moment.year * 12 + moment.month - 1) // self.months * self.months
            return datetime(max(1, month // 12), month % 12 + 1, 1)
        midnight = datetime(moment.year, moment.month, moment.day)
        return midnight if self.step <= DAY else midnight - (midnight - MONDAY) % self.step

    def next(self, day: datetime) -> datetime:
        """Return the midnight behind those days, or the end of time."""
        month = (day.year * 12 + day.month - 1) // (self.months or 1) * self.months + self.months
        try:
            return datetime(month // 12, month % 12 + 1, 1) if self.months else day + max(self.step, DAY)
        except (ValueError, OverflowError):
            return datetime.max

    def local(self, moment: datetime) -> datetime:
        """Return the local time of an instant."""
        if self.zone is None:
            return moment
        return moment.replace(tzinfo=timezone.utc).astimezone(self.zone).replace(tzinfo=None)

    def instant(self, moment: datetime) -> datetime:
        """Return the instant of a local midnight."""
        if self.zone is None:
            return moment
        return moment.replace(tzinfo=self.zone).astimezone(timezone.utc).replace(tzinfo=None)


class Bucket(NamedTuple):
    """The bounds of a bucket, and the places of its rows, from one on to before another."""

    begin: datetime
    end: datetime
    first: int
    last: int


def buckets(times: Numbers, calendar: Calendar, closed: Side, gaps: bool) -> Iterator[Bucket]:
    """Yield the buckets that have rows, and with ``gaps`` those between them, too."""
    place, before = 0, None
    while place < len(times):
        moment = EPOCH + timedelta(microseconds=times[place])
        begin, end = calendar.bucket(moment if closed == "left" else moment - MICROSECOND)
        while gaps and before is not None and before < begin:
            start, before = calendar.bucket(before)
            yield Bucket(start, before, place, place)
        last = (bisect_left if closed == "left" else bisect_right)(times, micros(end), place)
        yield Bucket(begin, end, place, last)
        place, before = last, end


def check(how: How, closed: str, label: str, fill: Any) -> None:
    """Raise ``ValueError`` for what is none of the choices."""
    if closed not in ("left", "right") or label not in ("left", "right"):
        raise ValueError(f"closed and label are 'left' or 'right', not {closed!r} and {label!r}")
    if not (fill is None or fill in FILLS or isinstance(fill, Real)):
        raise ValueError(f"{fill!r} does not fill gaps; take None, a number, or one of {', '.join(FILLS)}")
    for measure in how.values() if isinstance(how, Mapping) else (how,):
        if not callable(measure) and measure not in MEASURES:
            raise ValueError(f"{measure!r} is none of {', '.join(MEASURES)}, nor a function")


def resampled(
    block: Block, calendar: Calendar, how: How, closed: Side = "left", label: Side = "left", fill: Any = None
) -> Block:
    """Return one row for each bucket."""
    chosen = measures(block, how)
    found = list(buckets(block.times, calendar, closed, fill is not None))
    times = array("d", [micros(each.begin if label == "left" else each.end) for each in found])
    columns = {}
    for name, measure in chosen.items():
        cells = block.columns[name]
        parts = [measure(statistics.present(cells[each.first : each.last])) for each in found]
        columns[name] = array("d", filled(parts, times, fill))
    return Block(times, columns)


def measures(block: Block, how: How) -> dict[str, Measure]:
    """Return what becomes of each column; those that a mapping does not name are left out."""
    named = how if isinstance(how, Mapping) else dict.fromkeys(block.columns, how)
    return {
        name: MEASURES[measure] if isinstance(measure, str) else measure
        for name, measure in named.items()
        if name in block.columns
    }


def filled(values: list[float], times: Numbers, fill: Any) -> list[float]:
    """Return the values with those that are missing filled in."""
    match fill:
        case None | "nan":
            return values
        case "previous":
            return windows.previous(values)
        case "linear":
            return windows.linear(values, times)
        case _:
            return [fill if value != value else value for value in values]


def micros(moment: datetime) -> float:
    """Return the number of a time."""
    return float((moment - EPOCH) // MICROSECOND)
