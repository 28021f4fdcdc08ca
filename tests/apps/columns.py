"""What the tests of column time series share."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from stdnet.apps.columnts import ColumnTS

from ..conftest import do
from ..suite.structures import make

nan = math.nan
EPOCH = datetime(1970, 1, 1)
DAYS = [date(2012, 1, day) for day in (20, 21, 23)]
TIMES = [datetime(2012, 1, day) for day in (20, 21, 23)]
GOLDEN = dict(zip(DAYS, [{"open": 1, "close": 2}, {"open": 3}, {"open": 5, "vol": 7}], strict=True))


def second(number: float) -> datetime:
    """Return the time so many seconds after 1970."""
    return EPOCH + timedelta(seconds=number)


async def series(models: Any, rows: Mapping[Any, Any] | None = None, **options: Any) -> Any:
    """Return a new series in a session of the router, with rows."""
    made = await make(models, ColumnTS, **options)
    return made if rows is None else await do(made.update(rows))


async def single(models: Any, **numbers: Mapping[float, float]) -> Any:
    """Return a new series of columns that map seconds to numbers."""
    made = await series(models)
    for name, cells in numbers.items():
        await do(made.update({second(time): {name: cell} for time, cell in cells.items()}))
    return made


def same(a: Any, b: Any) -> bool:
    """Return whether two answers are equal, where one NaN equals another."""
    return bool(spelled(a) == spelled(b))


def spelled(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: spelled(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [spelled(each) for each in value]
    return "nan" if isinstance(value, float) and value != value else value
