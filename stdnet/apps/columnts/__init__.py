"""Multivariate time series: tables of numbers by time, with statistics, merges, calendar buckets and charts."""

from .cache import TimeseriesCache
from .series import as_dict
from .surfaces import AsyncColumnTS, ColumnTS, ColumnTSField

__all__ = ["AsyncColumnTS", "ColumnTS", "ColumnTSField", "TimeseriesCache", "as_dict"]
