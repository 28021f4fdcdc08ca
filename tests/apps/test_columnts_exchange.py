"""Column time series as arrays, frames and charts."""

from __future__ import annotations

import sys
from datetime import date, datetime

import matplotlib.figure
import numpy as np
import pandas as pd
import polars as pl
import pytest
from matplotlib.image import imread

from stdnet.errors import BadStructureValue, MissingExtra

from ..conftest import do, round_trips
from ..suite.structures import raises
from .columns import DAYS, GOLDEN, TIMES, nan, same, series


async def test_numpy(models):
    ts = await series(models, GOLDEN)
    async with round_trips(models, 1):
        times, columns = await do(ts.to_numpy())
    assert times.dtype == "datetime64[us]"
    assert times.tolist() == TIMES
    assert sorted(columns) == ["close", "open", "vol"]
    np.testing.assert_array_equal(columns["close"], [2, nan, nan])
    columns["close"] += 1  # an array of one's own
    times, part = await do(ts.to_numpy(DAYS[1], DAYS[1], fields="open"))
    assert (times.tolist(), {name: column.tolist() for name, column in part.items()}) == (TIMES[1:2], {"open": [3.0]})
    copy = await series(models)
    assert await do(copy.from_numpy(*await do(ts.to_numpy()))) is copy
    assert same(await do(copy.items()), await do(ts.items()))
    assert (await do((await series(models)).to_numpy()))[0].shape == (0,)


async def test_numpy_in_any_order_and_unit(models):
    ts = await series(models, retention=3)
    days = np.array(["2012-01-23", "2012-01-20", "2012-01-20", "2012-01-21", "2011-01-01"], dtype="datetime64[D]")
    await do(ts.from_numpy(days, {"a": [1, 2, 3, 4, 5], "b": np.arange(5, dtype="float32")}))
    assert await do(ts.items()) == (TIMES, {"a": [3.0, 4.0, 1.0], "b": [2.0, 3.0, 0.0]})
    await raises(BadStructureValue, "shape", ts.from_numpy, days, {"a": [1, 2]})
    await raises(BadStructureValue, "the times are int64", ts.from_numpy, np.arange(5), {"a": [1] * 5})
    await raises(BadStructureValue, "missing", ts.from_numpy, np.array(["NaT"], dtype="M8[D]"), {"a": [1]})
    odd = np.array(["3001-01-01T00:00:00.000001"], dtype="M8[us]")
    await raises(BadStructureValue, "whole seconds", ts.from_numpy, odd, {"a": [1]})


async def test_pandas(models):
    ts = await series(models, GOLDEN)
    async with round_trips(models, 1):
        frame = await do(ts.to_pandas())
    assert (frame.index.name, list(frame.columns)) == ("time", ["close", "open", "vol"])
    assert frame["open"].to_dict() == dict(zip(map(pd.Timestamp, DAYS), [1.0, 3.0, 5.0], strict=True))
    copy = await series(models)
    await do(copy.from_pandas(frame))
    assert same(await do(copy.items()), await do(ts.items()))
    await do(copy.from_pandas(pd.DataFrame({"n": pd.array([7, None], dtype="Int64")}, index=frame.index[:2])))
    assert same((await do(copy.irange(fields="n")))[1], {"n": [7.0, nan, nan]})
    await raises(BadStructureValue, "has a time zone", copy.from_pandas, frame.tz_localize("UTC"))
    await raises(BadStructureValue, "the times are", copy.from_pandas, frame.reset_index(drop=True))


async def test_polars(models):
    ts = await series(models, GOLDEN)
    async with round_trips(models, 1):
        frame = await do(ts.to_polars())
    assert frame.columns == ["time", "close", "open", "vol"]
    assert frame["time"].to_list() == TIMES
    copy = await series(models)
    await do(copy.from_polars(frame))
    assert same(await do(copy.items()), await do(ts.items()))
    days = pl.DataFrame({"day": DAYS[:1], "n": [None]}, schema={"day": pl.Date, "n": pl.Float64})
    await do(copy.from_polars(days, time="day"))
    assert same(await do(copy.get(DAYS[0])), {"close": 2.0, "open": 1.0, "vol": nan, "n": nan})
    zoned = frame.with_columns(pl.col("time").dt.replace_time_zone("UTC"))
    await raises(BadStructureValue, "has a time zone", copy.from_polars, zoned)
    await do(copy.add(DAYS[0], "time", 5))
    await raises(BadStructureValue, 'a column "time" of its own', copy.to_polars)


async def test_a_chart_in_a_file(models, tmp_path):
    ts = await series(models, GOLDEN)
    axes = await do(ts.plot(tmp_path / "chart.png", fields=["open", "close"], title="Prices", ylabel="EUR"))
    picture = imread(tmp_path / "chart.png")
    assert picture.shape[:2] == (450, 900)
    assert len(np.unique(picture.reshape(-1, picture.shape[-1]), axis=0)) > 50
    assert (axes.get_title(), axes.get_xlabel(), axes.get_ylabel()) == ("Prices", "time", "EUR")
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["open", "close"]
    opens, closes = axes.get_lines()
    assert opens.get_ydata().tolist() == [1.0, 3.0, 5.0]
    assert (closes.get_ydata().tolist(), closes.get_marker()) == ([2.0], "o")


async def test_a_chart_on_axes(models):
    ts = await series(models, {datetime(2024, 1, day): {"a": day} for day in range(1, 9)})
    axes = matplotlib.figure.Figure().add_subplot()
    assert await do(ts.plot(ax=axes, start=date(2024, 1, 3))) is axes
    assert (axes.get_title(), axes.get_ylabel(), axes.get_legend()) == (str(ts), "a", None)
    assert len(axes.get_lines()[0].get_xdata()) == 6
    empty = await do((await series(models)).plot())
    assert not empty.get_lines()


@pytest.mark.parametrize(
    ("module", "verb", "extra"),
    [
        ("numpy", "to_numpy", "numpy"),
        ("pandas", "to_pandas", "pandas"),
        ("polars", "to_polars", "polars"),
        ("matplotlib.figure", "plot", "plot"),
    ],
)
async def test_an_extra_that_is_not_installed(models, monkeypatch, module, verb, extra):
    ts = await series(models, GOLDEN)
    monkeypatch.setitem(sys.modules, module, None)
    await raises(MissingExtra, rf'{verb} needs .* pip install "python-stdnet\[{extra}\]"', getattr(ts, verb))
