"""The statistics of series: each formula once, as its definition. Pure; a missing number is NaN.

Sums are exact until they are rounded (``math.fsum``), so that no result depends on an order or loses digits on the way.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

Numbers = Sequence[float]


def present(values: Iterable[float]) -> list[float]:
    """Return the values that are not missing."""
    return [value for value in values if value == value]


def total(values: Iterable[float]) -> float:
    """Return the sum of numbers, rounded once; infinite ones add up as floats do."""
    values = list(values)
    try:
        return math.fsum(values)
    except (OverflowError, ValueError):  # beyond all doubles, or infinite with both signs
        return float(sum(values))


def mean(values: Numbers) -> float:
    """Return Σv / N; NaN of nothing."""
    return total(values) / len(values) if values else math.nan


def variance(values: Numbers) -> float:
    """Return Σ(v - mean)² / (N - 1), the sample variance; NaN of less than two."""
    if len(values) < 2:
        return math.nan
    middle = mean(values)
    return total((value - middle) * (value - middle) for value in values) / (len(values) - 1)


def deviation(values: Numbers) -> float:
    """Return the square root of the sample variance."""
    return math.sqrt(variance(values))


def median(values: Numbers) -> float:
    """Return the middle one in order, or the mean of the two; NaN of nothing."""
    ordered, half = sorted(values), len(values) // 2
    if not ordered:
        return math.nan
    return ordered[half] if len(ordered) % 2 else mean(ordered[half - 1 : half + 1])


def covariance(x: Numbers, y: Numbers) -> float:
    """Return Σ(x - mean x)(y - mean y) / (N - 1) of pairs without a missing number; NaN of less than two."""
    pairs = [(a, b) for a, b in zip(x, y, strict=True) if a == a and b == b]
    if len(pairs) < 2:
        return math.nan
    middle_x, middle_y = mean([a for a, _ in pairs]), mean([b for _, b in pairs])
    return total((a - middle_x) * (b - middle_y) for a, b in pairs) / (len(pairs) - 1)


def correlation(x: Numbers, y: Numbers) -> float:
    """Return Pearson's coefficient of pairs without a missing number; NaN if one of the two does not vary."""
    pairs = [(a, b) for a, b in zip(x, y, strict=True) if a == a and b == b]
    if len(pairs) < 2:
        return math.nan
    xs, ys = [a for a, _ in pairs], [b for _, b in pairs]
    scale = deviation(xs) * deviation(ys)
    return max(-1.0, min(1.0, covariance(xs, ys) / scale)) if scale > 0 else math.nan


def differences(values: Numbers) -> list[float]:
    """Return v₂ - v₁, v₃ - v₂, and so on."""
    return [b - a for a, b in pairwise(values)]


def univariate(values: Iterable[float]) -> dict[str, float] | None:
    """Return the statistics of one column; ``None`` of less than two numbers.

    >>> univariate([1, 3, math.nan, 5]) == {
    ...     "N": 3, "min": 1, "max": 5, "sum": 3, "sum2": 35 / 3, "dsum": 2, "dsum2": 4, "dsum3": 8, "dsum4": 16
    ... }
    True
    """
    v = present(values)
    if len(v) < 2:
        return None
    d = differences(v)
    return {
        "N": len(v),
        "min": min(v),
        "max": max(v),
        "sum": mean(v),
        "sum2": mean([x * x for x in v]),
        "dsum": mean(d),
        "dsum2": mean([x * x for x in d]),
        "dsum3": mean([x * x * x for x in d]),
        "dsum4": mean([x * x * x * x for x in d]),
    }


def triangle(vectors: Sequence[Numbers]) -> list[float]:
    """Return Σ xᵢxⱼ over vectors x for j up to i: the lower triangle of the sum of products, row by row.

    >>> triangle([(2, 4, 9, -2)])
    [4.0, 8.0, 16.0, 18.0, 36.0, 81.0, -4.0, -8.0, -18.0, 4.0]
    """
    columns = list(zip(*vectors, strict=True))
    return [
        total(a * b for a, b in zip(columns[i], columns[j], strict=True))
        for i in range(len(columns))
        for j in range(i + 1)
    ]


def cross_sections(
    series: Sequence[tuple[Numbers, Sequence[Numbers]]],
) -> tuple[list[float], list[tuple[float, ...]]]:
    """Return the times of the first series at which all have all numbers, and the vectors of these numbers.

    A series is its times, and a column of numbers for each of its components.
    """
    rows: list[Mapping[float, tuple[float, ...]]] = [
        dict(zip(times, zip(*columns, strict=True), strict=True)) if columns else {} for times, columns in series
    ]
    times, vectors = [], []
    for time in series[0][0]:
        if all(time in each for each in rows):
            vector = tuple(x for each in rows for x in each[time])
            if not any(x != x for x in vector):
                times.append(time)
                vectors.append(vector)
    return times, vectors


def multivariate(vectors: Sequence[Numbers]) -> dict[str, Any] | None:
    """Return the sums and the sums of products of vectors and of their differences; ``None`` of less than two."""
    if len(vectors) < 2:
        return None
    steps = [[b - a for a, b in zip(x, y, strict=True)] for x, y in pairwise(vectors)]
    return {
        "N": len(vectors),
        "sum": [total(column) for column in zip(*vectors, strict=True)],
        "sum2": triangle(vectors),
        "dsum": [total(column) for column in zip(*steps, strict=True)],
        "dsum2": triangle(steps),
    }
