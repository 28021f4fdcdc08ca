"""Many datetimes as numbers and back, quickly: what ``DateTimeConverter`` does one by one. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import accumulate
from operator import sub
from typing import Any

from ...utils.dates import EPOCH

EXACT = 2**52
"""Microseconds, some 142 years, within which all numbers and all differences are exact as floats."""


def microseconds(moments: Sequence[object]) -> list[float] | None:
    """Return the microseconds since 1970 of naive datetimes near to it; ``None`` if there are others."""
    if set(map(type, moments)) != {datetime}:
        return None
    try:
        gaps = [moment - EPOCH for moment in moments]  # type: ignore[operator]
    except TypeError:  # there is a time zone
        return None
    found = [gap.days * 86_400_000_000 + gap.seconds * 1_000_000 + gap.microseconds for gap in gaps]
    return list(map(float, found)) if min(found) > -EXACT and max(found) < EXACT else None


def moments(times: Sequence[float]) -> list[datetime] | None:
    """Return the datetimes of numbers in order; ``None`` if they are not all near to 1970.

    Series repeat their steps, and to make a ``timedelta`` takes longer than to find it.
    """
    if times and not (times[0] > -EXACT and times[-1] < EXACT):
        return None
    if not times:
        return []
    gaps = list(map(sub, times[1:], times))
    steps: dict[float, Any] = {gap: timedelta(0, 0, gap) for gap in set(gaps)}
    return list(accumulate(map(steps.__getitem__, gaps), initial=EPOCH + timedelta(0, 0, times[0])))
