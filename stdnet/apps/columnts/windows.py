"""Windows that move over a column, as definitions. Pure; a window that has a missing number in it is missing itself."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from operator import ge, le

from . import statistics

Numbers = Sequence[float]
Window = Callable[[Numbers, int], list[float]]


def moving(measure: Callable[[Numbers], float], values: Numbers, size: int) -> list[float]:
    """Return a measure of the last ``size`` values at each place; missing where there are not so many. O(n size)."""
    found, since = [], 0  # numbers since the last missing one
    for stop, value in enumerate(values, 1):
        since = since + 1 if value == value else 0
        found.append(measure(values[stop - size : stop]) if since >= size else math.nan)
    return found


def extreme(better: Callable[[float, float], bool], values: Numbers, size: int) -> list[float]:
    """Return the best of the last ``size`` values at each place. O(n)."""
    found, since = [], 0
    best: deque[int] = deque()  # places of values that no later one is better than
    for place, value in enumerate(values):
        since = since + 1 if value == value else 0
        while best and (value != value or better(value, values[best[-1]])):
            best.pop()
        best.append(place)
        if best[0] <= place - size:
            best.popleft()
        found.append(values[best[0]] if since >= size else math.nan)
    return found


def weighted(values: Numbers, span: float) -> list[float]:
    """Return the exponentially weighted mean: a number k places back counts (1 - a)ᵏ, where a = 2 / (span + 1). O(n).

    Missing numbers count nothing, and take their place.
    """
    decay, found = 1 - 2 / (span + 1), []
    weights, sums, mean = 0.0, 0.0, math.nan
    for value in values:
        weights, sums = weights * decay, sums * decay
        if value == value:
            weights, sums = weights + 1.0, sums + value
            mean = sums / weights
        found.append(mean)
    return found


WINDOWS: Mapping[str, Window] = {
    "mean": lambda values, size: moving(statistics.mean, values, size),
    "std": lambda values, size: moving(statistics.deviation, values, size),
    "sum": lambda values, size: moving(statistics.total, values, size),
    "median": lambda values, size: moving(statistics.median, values, size),
    "min": lambda values, size: extreme(le, values, size),
    "max": lambda values, size: extreme(ge, values, size),
    "ewm": weighted,
}
"""What moves over a column, by name; of ``ewm`` the size is the span."""


def lag(values: Numbers, places: int = 1) -> list[float]:
    """Return the values of so many places before; of negative ones, behind."""
    size = len(values)
    return [values[n - places] if 0 <= n - places < size else math.nan for n in range(size)]


def diff(values: Numbers, places: int = 1) -> list[float]:
    """Return each value minus that of so many places before."""
    return [a - b for a, b in zip(values, lag(values, places), strict=True)]


def cumsum(values: Numbers) -> list[float]:
    """Return the sums of all numbers up to each place; missing where the value is."""
    found, sofar = [], 0.0
    for value in values:
        sofar += value if value == value else 0.0
        found.append(sofar if value == value else math.nan)
    return found


def previous(values: Numbers) -> list[float]:
    """Return the values, and where one is missing the last before it."""
    found, last = [], math.nan
    for value in values:
        last = value if value == value else last
        found.append(last)
    return found


def linear(values: Numbers, times: Numbers) -> list[float]:
    """Return the values, and where some are missing between two numbers those on the line between them, by time."""
    found = list(values)
    known = [n for n, value in enumerate(values) if value == value]
    for a, b in pairwise(known):
        for n in range(a + 1, b):
            share = (times[n] - times[a]) / (times[b] - times[a])
            found[n] = values[a] + (values[b] - values[a]) * share
    return found
