"""ColumnTS, AsyncColumnTS and the field: the classes that programs use."""

from __future__ import annotations

import builtins
from collections.abc import Iterable
from typing import Any

from ...odm import TS, AsyncTS, Structure, StructureField, twins
from ...odm.runner import arun, run
from .analysis import AnalysisMixin
from .exchange import ExchangeMixin
from .series import Columns
from .transforms import RowsMixin


class ColumnTS(AnalysisMixin, RowsMixin, ExchangeMixin, TS):
    """A time series of many columns: a table of numbers with a row for each time, in the order of time.

    >>> from datetime import date
    >>> from stdnet import odm
    >>> models = odm.Router("memory://")
    >>> prices = models.session().add(models.register(ColumnTS()))
    >>> prices.update({date(2024, 1, 2): {"open": 10, "close": 12}, date(2024, 1, 3): {"close": 15}}).fields()
    ('close', 'open')
    >>> prices[date(2024, 1, 3)], len(prices)
    ({'close': 15.0, 'open': nan}, 2)
    >>> prices.irange(fields=["close"])[1], prices.istats()["stats"]["close"]["max"]
    ({'close': [12.0, 15.0]}, 15.0)
    """

    @classmethod
    def merged_series(cls, *series: Any, fields: Iterable[str] = ()) -> Columns:
        """Return what ``merge`` would store: times, and cells by column. Nothing is written. O(n log n)."""
        return run(cls._merged(series, fields))


class AsyncColumnTS(AnalysisMixin, RowsMixin, ExchangeMixin, AsyncTS):
    """A time series of many columns whose verbs are awaited; see ``ColumnTS``."""

    @classmethod
    async def merged_series(cls, *series: Any, fields: Iterable[str] = ()) -> Columns:
        """Return what ``merge`` would store: times, and cells by column. Nothing is written. O(n log n)."""
        return await arun(cls._merged(series, fields))


twins(ColumnTS, AsyncColumnTS)


class ColumnTSField(StructureField):
    """A time series of many columns beside each row; ``retention`` limits how long it gets."""

    type = "columnts"

    def structure_class(self) -> builtins.type[Structure]:
        return ColumnTS
