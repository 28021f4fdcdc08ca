"""Column time series: statistics, merges, expressions, buckets and windows, on each backend."""

from __future__ import annotations

import math
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from stdnet import odm
from stdnet.apps.columnts import AsyncColumnTS, ColumnTS
from stdnet.errors import BadExpression, BadStructureValue, InvalidTransaction, NotConvertible, SessionNotAvailable

from ..conftest import do, round_trips, transaction
from ..suite.structures import raises
from .columns import DAYS, GOLDEN, TIMES, nan, same, second, series, single

A = {1001: 1, 1002: 3, 1003: 2, 1004: 4}
B = {1001: 1, 1002: 1.5, 1004: 2, 1005: 4, 1006: 1.5}
C = {1001: -2, 1002: 3, 1003: 2.4, 1004: 4, 1009: 6.4}


def surface(models):
    return AsyncColumnTS if isinstance(models, odm.AsyncRouter) else ColumnTS


async def test_the_statistics_of_columns(models):
    ts = await series(models, GOLDEN)
    sums = {"N": 3, "min": 1, "max": 5, "sum": 3, "sum2": 35 / 3, "dsum": 2, "dsum2": 4, "dsum3": 8, "dsum4": 16}
    async with round_trips(models, 1):
        assert await do(ts.istats()) == {"start": TIMES[0], "stop": TIMES[2], "len": 3, "stats": {"open": sums}}
    assert await do(ts.stats(DAYS[1], "+inf", fields="open")) == {
        "start": TIMES[1],
        "stop": TIMES[2],
        "len": 2,
        "stats": {
            "open": {"N": 2, "min": 3, "max": 5, "sum": 4, "sum2": 17, "dsum": 2, "dsum2": 4, "dsum3": 8, "dsum4": 16}
        },
    }
    assert await do(ts.istats(-1, -1)) == {"start": TIMES[2], "stop": TIMES[2], "len": 1, "stats": {}}
    assert await do(ts.stats(date(2013, 1, 1), "+inf")) == {}


async def test_extremes_are_true_and_sums_exact(models):
    ts = await single(models, a={1: 1e300, 2: 1.0, 3: -1e300, 4: 0.1}, b={1: 10, 2: 1e18, 3: -1e18})
    stats = (await do(ts.istats()))["stats"]
    assert (stats["a"]["max"], stats["a"]["min"], stats["a"]["sum"]) == (1e300, -1e300, 1.1 / 4)
    assert (stats["b"]["max"], stats["b"]["min"], stats["b"]["N"]) == (1e18, -1e18, 3)
    assert stats["a"]["sum2"] == math.inf


async def test_statistics_of_several_series(models):
    a, b, c = [await single(models, x=rows) for rows in (A, B, C)]
    async with round_trips(models, 1):
        found = await do(a.imulti_stats(series=[(b, None), (c, ["x"])]))
    assert found == {
        "type": "multi",
        "N": 3,
        "start": second(1001),
        "stop": second(1004),
        "fields": [f"{each.backend_structure().id} @ x" for each in (a, b, c)],
        "sum": [8, 4.5, 5],
        "sum2": [26, 13.5, 7.25, 23, 10.5, 29],
        "dsum": [3, 1, 6],
        "dsum2": [5, 1.5, 0.5, 11, 3, 26],
    }
    assert await do(a.multi_stats("-inf", "+inf", [(b, None), (c, None)])) == found
    part = await do(a.multi_stats(second(1002), second(1004), [(b, None)]))
    assert (part["N"], part["sum"], part["dsum2"]) == (2, [7, 3.5], [1, 0.5, 0.25])
    assert (await do(a.imulti_stats(1, 2)))["start"] == second(1002)
    assert await do(a.multi_stats(second(1003), second(1003), [(b, None)])) is None


async def test_the_order_of_components_is_told(models):
    ts = await single(models, b={1: 2, 2: 4}, a={1: 1, 2: 1, 3: 5})
    found = await do(ts.imulti_stats())
    assert [name.rpartition(" @ ")[2] for name in found["fields"]] == ["a", "b"]
    assert (found["sum"], found["N"]) == ([2, 6], 2)
    found = await do(ts.imulti_stats(fields=["b", "a"]))
    assert ([name[-1] for name in found["fields"]], found["sum"]) == (["b", "a"], [6, 2])


async def test_correlation(models):
    ts = await single(models, a={1: 1, 2: 2, 3: 3, 4: 9}, b={1: -2, 2: -4, 3: -6}, c={1: 5, 2: 5, 3: 5})
    other = await single(models, a={1: 3, 2: 1, 3: 2, 9: 0})
    found = await do(ts.correlation(series=[(other, None)]))
    assert (found["a", "a"], found["a", "b"], found["b", "a"]) == (1.0, -1.0, -1.0)
    assert found["a", "1.a"] == -0.5
    assert math.isnan(found["a", "c"])


async def test_merges_take_what_all_have(models):
    a, b = await single(models, a=A), await single(models, a=C, b={1001: 1, 1009: 2})
    merged = surface(models).merged_series
    async with round_trips(models, 1):
        times, fields = await do(merged((2, a), (-1, b)))
    assert times == [second(time) for time in (1001, 1002, 1003, 1004, 1009)]
    assert same(fields, {"a": [4.0, 3.0, 1.6, 4.0, nan], "b": [nan] * 5})
    times, fields = await do(merged((2, a, b)))
    assert same(fields, {"a": [-4.0, 18.0, 9.6, 32.0, nan], "b": [2.0, nan, nan, nan, nan]})
    assert (await do(merged((1, b), fields=("b", "badone"))))[1].keys() == {"b"}
    times, fields = await do(merged(({"a": 10}, b)))
    assert same(fields, {"a": [-20.0, 30.0, 24.0, 40.0, 64.0], "b": [nan] * 5})
    assert await do(merged((1, await single(models)))) == ([], {})


async def test_a_merge_replaces_the_content_in_the_commit(models):
    a, b, target = await single(models, a=A), await single(models, a=B), await single(models, z={5: 5})
    async with transaction(target.session) as t:
        t.add(target)
        await do(target.merge((1, a), (1, b), fields=["a"]))
        assert target.cache.merged_series.columns.keys() == {"a"}
        await do(target.add(second(2000), "a", 7))
        assert await do(target.fields()) == ("z",)
    assert target.cache.merged_series is None
    times, fields = await do(target.items())
    assert times == [second(time) for time in (1001, 1002, 1003, 1004, 1005, 1006, 2000)]
    assert same(fields, {"a": [2.0, 4.5, nan, 6.0, nan, nan, 7.0]})
    assert await do(target.merge((2, target))) is target
    assert (await do(target.back())) == (second(2000), {"a": 14.0})
    await do(target.merge((1, await single(models))))
    assert await do(target.size()) == 0


async def test_merges_that_are_refused(models):
    a, two, loose = await single(models, a=A), await single(models, a=A, b=B), surface(models)()
    target = await single(models, z={5: 5})
    await raises(TypeError, "takes tuples", target.merge, a)
    await raises(TypeError, "takes column time series", target.merge, (1, "a"))
    await raises(TypeError, "takes numbers as weights", target.merge, ("1", a))
    await raises(ValueError, "not 1 of them", target.merge, (a,))
    await raises(ValueError, "not 4 of them", target.merge, (1, a, a, a))
    await raises(ValueError, "pairs of a weight and a series", target.merge)
    await raises(BadStructureValue, "has 2 columns, and must have rows and one", target.merge, (1, two, a))
    await raises(BadStructureValue, "has 0 columns", target.merge, (1, await single(models), a))
    await raises(SessionNotAvailable, "it has no session", target.merge, (1, loose))
    await raises(SessionNotAvailable, "it has no session", loose.merge, (1, a))
    elsewhere = type(models)("memory://")
    await raises(InvalidTransaction, "different routers", target.merge, (1, a), (1, await single(elsewhere, a=A)))
    assert await do(target.fields()) == ("z",)


async def test_expressions_over_columns(models):
    ts = await single(models, close={1: 4, 2: 5, 3: 4, 5: 8}, volume={1: 10, 3: 0, 5: 30})
    fx = await single(models, rate={1: 2, 2: 0.5, 4: 9})
    await do(ts.add(second(5), "adj close", 6))
    expected = {
        "this.close / lag(this.close) - 1": [nan, 0.25, 4 / 5 - 1, 1.0],
        "this.close * series1.rate": [8.0, 2.5, nan, nan],
        "this.close * fx.rate + k": [9.0, 3.5, nan, nan],
        'this["adj close"] - this.close': [nan, nan, nan, -2.0],
        "diff(this.close, 2)": [nan, nan, 0.0, 3.0],
        "lag(this.close, -1)": [5.0, 4.0, 8.0, nan],
        "cumsum(this.volume)": [10.0, nan, 10.0, 40.0],
        "previous(this.volume)": [10.0, 10.0, 0.0, 30.0],
        "this.close / this.volume": [0.4, nan, math.inf, 8 / 30],
        "-this.close % 3": [2.0, 1.0, 2.0, 1.0],
        "where(isnan(this.volume), k, this.volume)": [10.0, 1.0, 0.0, 30.0],
        "this.volume > 5 and not this.close >= 8": [True, False, False, False],
        "4 < this.close <= 5 or this.volume == 30": [False, True, False, True],
        "mean(this.close, 2)": [nan, 4.5, 4.5, 6.0],
        "max(this.close, 3) - min(this.close, 3)": [nan, nan, 1.0, 4.0],
        "sqrt(abs(-this.close)) + 0 * exp(log(2))": [2.0, math.sqrt(5), 2.0, math.sqrt(8)],
        "floor(this.close / 3) + ceil(this.close / 3)": [3.0, 3.0, 3.0, 5.0],
    }
    for code, values in expected.items():
        times, found = await do(ts.evaluate(code, fx, fx=fx, k=1))
        assert times == [second(1), second(2), second(3), second(5)]
        assert same(found, values), code
    times, found = await do(ts.evaluate("this.close", start=second(2), end=second(3)))
    assert (times, found) == ([second(2), second(3)], [5.0, 4.0])


async def test_expressions_that_are_single_values(models):
    ts = await single(models, close={1: 4, 2: 5, 3: 4, 5: 16}, volume={1: 10, 3: 0, 5: 30})
    expected = {
        "last(this.close) - last(lag(this.close))": 12.0,
        "rows()": 4.0,
        "count(this.volume)": 3.0,
        "sum(this.volume) / count(this.volume)": 40 / 3,
        "median(this.close) + first(this.close)": 8.5,
        "max(this.close) > 2 * min(this.close)": True,
        "1 / 0": math.inf,
        "2 + 3 * 4 % 5": 4.0,
        "true and not false": True,
    }
    async with round_trips(models, len(expected)):
        assert {code: await do(ts.evaluate(code)) for code in expected} == expected
    empty = await single(models)
    assert await do(empty.evaluate("rows()")) == 0
    assert await do(empty.evaluate("1 + 1")) == 2


async def test_a_function_instead_of_an_expression(models):
    ts, other = await single(models, close={1: 4, 2: 5}), await single(models, rate={9: 2})

    def rise(this, others, scale):
        (_, fields), ((times, _),) = this, others
        return (fields["close"][-1] - fields["close"][0]) * scale, times

    assert await do(ts.evaluate(rise, other, scale=10)) == (10.0, [second(9)])


@pytest.mark.parametrize(
    ("code", "problem", "place"),
    [
        ("this.cloes", "this has no column cloes; did you mean close?", 0),
        ("thsi.close", "there is no series thsi; did you mean this?", 0),
        ("1 + this", "this must be followed by a column", 4),
        ("kk + 1", "there is no name kk; did you mean k?", 0),
        ("this.close + (1 > 2)", "+ takes a number, not true or false", 14),
        ("not this.close", "not takes true or false, not a number", 4),
        ("lag(3)", "lag takes a column, not a single number", 4),
        ("mean(this.close, 2.5)", "a whole number of rows", 17),
        ("mean(this.close, this.close)", "a single number of rows, not a column", 17),
        ("mean(this.close, 0)", "from 1 on", 17),
        ("lag()", "lag does not take 0 arguments", 0),
        ("open('x')", "only these functions can be called", 0),
        ("this.close.real", "Attribute is not part", 0),
        ("'text'", "Constant is not part", 0),
        ("this.close in (1, 2)", "write == or !=", 14),
        ("this.close ** 2", "Pow is not an operation", 0),
        ("+this.close", "no sign but -", 0),
        ("", "it is empty", 0),
        ("__import__('os')", "only these functions", 0),
        ("this.close if 1 else 2", "if is not part", 11),
    ],
)
async def test_expressions_that_are_none(models, code, problem, place):
    ts = await single(models, close={1: 4, 2: 5})
    with pytest.raises(BadExpression) as caught:
        await do(ts.evaluate(code, k=1))
    assert problem in str(caught.value)
    assert caught.value.position == place


async def test_names_that_are_no_numbers(models):
    ts = await single(models, close={1: 4, 2: 5})
    await raises(TypeError, "k is 'one'", ts.evaluate, "this.close * k", k="one")
    loose = surface(models)()
    await raises(SessionNotAvailable, "no session", ts.evaluate, "this.close * fx.rate", fx=loose)


async def test_weeks_and_months(models):
    ts = await series(
        models, {date(2024, 1, 1) + timedelta(n): {"price": n, "volume": 10} for n in (0, 3, 7, 8, 21, 35)}
    )
    how = {"price": "last", "volume": "sum", "none": "max"}
    async with round_trips(models, 1):
        found = await do(ts.resample("1W", how))
    assert found == (
        [datetime(2024, 1, 1), datetime(2024, 1, 8), datetime(2024, 1, 22), datetime(2024, 2, 5)],
        {"price": [3.0, 8.0, 21.0, 35.0], "volume": [20.0, 20.0, 10.0, 10.0]},
    )
    found = await do(ts.resample("1M", {"price": "mean"}, end=date(2024, 1, 20), label="right"))
    assert found == ([datetime(2024, 2, 1)], {"price": [4.5]})
    assert await do(ts.resample("1Y", "count")) == ([datetime(2024, 1, 1)], {"price": [6.0], "volume": [6.0]})
    assert (await do(ts.resample("2Q", max)))[1]["price"] == [35.0]
    assert await do((await series(models)).resample("1W", how)) == ([], {})


async def test_gaps_are_filled(models):
    ts = await single(models, a={0: 1, 3600: 2, 4 * 3600: 8}, b={3600: 5})
    expected = {
        None: {"a": [1.0, 2.0, 8.0], "b": [nan, 5.0, nan]},
        "nan": {"a": [1.0, 2.0, nan, nan, 8.0], "b": [nan, 5.0, nan, nan, nan]},
        "previous": {"a": [1.0, 2.0, 2.0, 2.0, 8.0], "b": [nan, 5.0, 5.0, 5.0, 5.0]},
        "linear": {"a": [1.0, 2.0, 4.0, 6.0, 8.0], "b": [nan, 5.0, nan, nan, nan]},
        0: {"a": [1.0, 2.0, 0.0, 0.0, 8.0], "b": [0.0, 5.0, 0.0, 0.0, 0.0]},
    }
    for fill, fields in expected.items():
        times, found = await do(ts.resample("1h", "mean", fill=fill))
        assert len(times) == len(fields["a"])
        assert same(found, fields), fill


async def test_which_end_of_a_bucket_belongs_to_it(models):
    ts = await single(models, a={0: 1, 899: 2, 900: 4, 1800: 8, 1801: 16})
    assert await do(ts.resample("15min", "sum")) == ([second(0), second(900), second(1800)], {"a": [3.0, 4.0, 24.0]})
    found = await do(ts.resample("15min", "sum", closed="right", label="right"))
    assert found == ([second(0), second(900), second(1800), second(2700)], {"a": [1.0, 6.0, 8.0, 16.0]})


async def test_the_days_of_a_time_zone(models):
    zone = ZoneInfo("Europe/Zurich")
    hours = [datetime(2024, 3, 30, 22) + timedelta(hours=n) for n in range(27)]  # the clocks go forward on the 31st
    ts = await series(models, {hour: {"n": 1} for hour in hours})
    expected = [datetime(2024, 3, 29, 23), datetime(2024, 3, 30, 23), datetime(2024, 3, 31, 22)]
    for tz in (zone, "Europe/Zurich"):
        assert await do(ts.resample("1D", "count", tz=tz)) == (expected, {"n": [1.0, 23.0, 3.0]})
    assert (await do(ts.resample("1D", "count")))[1]["n"] == [2.0, 24.0, 1.0]
    times, fields = await do(ts.resample("4h", "count", tz=zone))
    assert times[1:8] == [datetime(2024, 3, 30, 23) + timedelta(hours=4 * n) for n in range(6)] + [expected[2]]
    assert fields["n"] == [1.0, 4.0, 4.0, 4.0, 4.0, 4.0, 3.0, 3.0]


async def test_buckets_that_are_refused(models):
    ts = await single(models, a={0: 1})
    for rule in ("soon", "0D", "15m", "7h", "-1D", "36h", "", 5):
        await raises(BadStructureValue, "is no rule|divide", ts.resample, rule)
    await raises(BadStructureValue, "is none of first, last", ts.resample, "1D", "best")
    await raises(BadStructureValue, "does not fill gaps", ts.resample, "1D", fill="somehow")
    await raises(BadStructureValue, "'left' or 'right'", ts.resample, "1D", closed="both")
    await raises(BadStructureValue, "no time zone", ts.resample, "1D", tz="Europe/Atlantis")
    await do(ts.add(datetime(9999, 12, 31, 23), "a", 2))
    for rule in ("1D", "1W", "1M", "1Y", "1h"):
        assert (await do(ts.resample(rule, start=date(9000, 1, 1))))[1] == {"a": [2.0]}
    await do(ts.ipop(-1))
    await raises(BadStructureValue, "is none of first, last", ts.resample, "1D", {"a": 5})
    await raises(NotConvertible, "time zone", ts.resample, "1D", start=datetime.now().astimezone())
    assert await do(ts.resample("W")) == ([datetime(1969, 12, 29)], {"a": [1.0]})


async def test_moving_windows(models):
    ts = await single(models, a={1: 1, 2: 3, 3: 2, 4: 8, 5: 8}, b={1: 1, 3: 4, 4: 5})
    times, fields = await do(ts.moving("mean", 2))
    assert times == [second(n) for n in range(1, 6)]
    assert same(fields, {"a": [nan, 2.0, 2.5, 5.0, 8.0], "b": [nan, nan, nan, 4.5, nan]})
    expected = {
        "max": [nan, nan, 3.0, 8.0, 8.0],
        "min": [nan, nan, 1.0, 2.0, 2.0],
        "sum": [nan, nan, 6.0, 13.0, 18.0],
        "median": [nan, nan, 2.0, 3.0, 8.0],
        "std": [nan, nan, 1.0, math.sqrt(31 / 3), math.sqrt(12)],
    }
    for how, values in expected.items():
        assert same((await do(ts.moving(how, 3, fields="a")))[1]["a"], values), how
    assert (await do(ts.moving("ewm", 3, "a", end=second(2))))[1]["a"] == [1.0, 3.5 / 1.5]
    await raises(BadStructureValue, "is none of mean", ts.moving, "best", 3)
    for size in (0, 2.5, "3", nan):
        await raises(BadStructureValue, "is no number of rows", ts.moving, "mean", size)
    await raises(BadStructureValue, "is no number of rows", ts.moving, "ewm", nan)
