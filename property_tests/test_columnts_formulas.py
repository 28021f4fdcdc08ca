"""The formulas of column time series against NumPy's and pandas', which were written by others."""

from __future__ import annotations

import math
from array import array
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from stdnet.apps.columnts import resampling, statistics, windows
from stdnet.apps.columnts.blocks import Block
from stdnet.utils.dates import EPOCH

nan = math.nan
numbers = st.floats(-1e6, 1e6, allow_subnormal=False)
columns = st.lists(numbers | st.just(nan), max_size=40)


def close(found, expected):
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-6)


@given(columns)
def test_univariate(values):
    found, v = statistics.univariate(values), np.array([x for x in values if x == x])
    if len(v) < 2:
        assert found is None
        return
    d = np.diff(v)
    powers = {f"dsum{k}".replace("1", ""): np.mean(d**k) for k in (1, 2, 3, 4)}
    expected = {"N": len(v), "min": v.min(), "max": v.max(), "sum": v.mean(), "sum2": np.mean(v**2), **powers}
    assert found.keys() == expected.keys()
    scale = max(1.0, *np.abs(v))
    for name, value in expected.items():
        power = int(name[-1]) if name[-1].isdigit() else 1
        np.testing.assert_allclose(found[name], value, rtol=1e-9, atol=1e-9 * scale**power)


@given(columns)
def test_measures(values):
    present = statistics.present(values)
    close(statistics.mean(present), np.mean(present) if present else nan)
    close(statistics.variance(present), np.var(present, ddof=1) if len(present) > 1 else nan)
    close(statistics.deviation(present), np.std(present, ddof=1) if len(present) > 1 else nan)
    close(statistics.median(present), np.median(present) if present else nan)


@given(st.lists(st.tuples(st.integers(-50, 50), st.integers(-50, 50), st.integers(-50, 50)), min_size=2, max_size=30))
def test_vectors(vectors):
    found, x = statistics.multivariate(vectors), np.array(vectors, dtype=float)
    lower = np.tril_indices(3)
    d = np.diff(x, axis=0)
    assert (found["N"], found["sum"], found["dsum"]) == (len(x), x.sum(axis=0).tolist(), d.sum(axis=0).tolist())
    assert (found["sum2"], found["dsum2"]) == ((x.T @ x)[lower].tolist(), (d.T @ d)[lower].tolist())
    close(statistics.covariance(x[:, 0], x[:, 1]), np.cov(x[:, 0], x[:, 1])[0, 1])
    if x[:, 0].std() and x[:, 1].std():
        close(statistics.correlation(x[:, 0], x[:, 1]), np.corrcoef(x[:, 0], x[:, 1])[0, 1])


def test_sums_are_rounded_once():
    assert statistics.total([1e16, 1.0, -1e16]) == 1.0
    assert statistics.mean([0.1] * 10) == 0.1
    assert statistics.variance([1e9 + n for n in (4, 7, 13, 16)]) == 30.0
    assert statistics.total([math.inf, 1.0]) == math.inf
    assert math.isnan(statistics.total([math.inf, -math.inf]))
    assert statistics.total([1.7e308, 1.7e308]) == math.inf


@given(how=st.sampled_from(["mean", "std", "sum", "median", "min", "max"]), values=columns, size=st.integers(1, 8))
def test_windows(how, values, size):
    rolling = pd.Series(values, dtype=float).rolling(size)
    expected = getattr(rolling, how)().tolist()
    np.testing.assert_allclose(windows.WINDOWS[how](values, size), expected, rtol=1e-6, atol=1e-2)


@given(values=columns, span=st.floats(1, 20))
def test_exponential_weights(values, span):
    close(windows.weighted(values, span), pd.Series(values, dtype=float).ewm(span=span).mean().tolist())


@given(values=columns, places=st.integers(-5, 5))
def test_shifts(values, places):
    frame = pd.Series(values, dtype=float)
    close(windows.lag(values, places), frame.shift(places).tolist())
    close(windows.diff(values, places), frame.diff(places).tolist())
    close(windows.cumsum(values), frame.cumsum().tolist())
    close(windows.previous(values), frame.ffill().tolist())
    times = [float(n * n) for n in range(len(values))]
    filled = pd.Series(values, index=times, dtype=float).interpolate(method="index", limit_area="inside")
    close(windows.linear(values, times), filled.tolist())


RULES = {"1W": "W-MON", "1M": "MS", "1Q": "QS", "1Y": "YS", "1D": "D", "15min": "15min", "1h": "h", "6h": "6h"}
CHOICES = [(rule, "left") for rule in RULES] + [(rule, "right") for rule in ("15min", "1h", "6h")]
"""What pandas means by days that are closed at their right end is something else."""


@given(
    choice=st.sampled_from(CHOICES),
    minutes=st.lists(st.integers(-600_000, 600_000), min_size=1, max_size=12, unique=True).map(sorted),
)
def test_buckets(choice, minutes):
    rule, closed = choice
    moments = [datetime(2024, 1, 1) + timedelta(minutes=n) for n in minutes]
    values = [float(n * n % 97) for n in minutes]
    block = Block(array("d", map(resampling.micros, moments)), {"a": array("d", values)})
    found = resampling.resampled(block, resampling.Calendar(rule), "sum", closed)
    buckets = pd.Series(values, index=pd.DatetimeIndex(moments)).resample(RULES[rule], closed=closed, label="left")
    expected = buckets.sum()[buckets.count() > 0]
    assert [EPOCH + timedelta(microseconds=time) for time in found.times] == expected.index.to_pydatetime().tolist()
    close(found.columns["a"].tolist(), expected.tolist())


@given(hours=st.lists(st.integers(0, 20_000), min_size=1, max_size=12, unique=True).map(sorted))
def test_days_in_a_time_zone(hours):
    moments = [datetime(2023, 1, 1) + timedelta(hours=n) for n in hours]
    block = Block(array("d", map(resampling.micros, moments)), {"a": array("d", map(float, hours))})
    for rule, name in (("1D", "D"), ("1M", "MS"), ("1W", "W-MON")):
        found = resampling.resampled(block, resampling.Calendar(rule, ZoneInfo("America/New_York")), "sum")
        local = pd.DatetimeIndex(moments, tz="UTC").tz_convert("America/New_York")
        buckets = pd.Series(hours, index=local, dtype=float).resample(name, closed="left", label="left")
        expected = buckets.sum()[buckets.count() > 0]
        index = expected.index.tz_convert("UTC").tz_localize(None)
        assert [EPOCH + timedelta(microseconds=time) for time in found.times] == index.to_pydatetime().tolist()
        close(found.columns["a"].tolist(), expected.tolist())
