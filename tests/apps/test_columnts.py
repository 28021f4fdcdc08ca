"""Column time series: writing, reading and taking rows; fields of models; transactions."""

from __future__ import annotations

import math
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from stdnet import odm
from stdnet.apps.columnts import AsyncColumnTS, ColumnTS, ColumnTSField, TimeseriesCache, as_dict
from stdnet.errors import BadStructureValue, NotConvertible, StructureNotBound
from stdnet.utils.encoders import DateConverter

from ..conftest import do, round_trips, transaction
from ..suite.structures import handle, listed, raises, setitem
from .columns import DAYS, EPOCH, GOLDEN, TIMES, nan, same, second, series


class Share(odm.StdModel):
    name = odm.SymbolField(unique=True)
    prices = ColumnTSField()
    recent = ColumnTSField(retention=2)
    market = ColumnTSField(class_field=True)

    class Meta:
        app_label = "columns"


class Coin(odm.StdModel):
    code = odm.SymbolField(primary_key=True)
    prices = ColumnTSField()

    class Meta:
        app_label = "columns"


MODELS = [Share, Coin]


async def test_the_golden_rows(models):
    ts = await series(models, GOLDEN)
    expected = (TIMES, {"open": [1.0, 3.0, 5.0], "close": [2.0, nan, nan], "vol": [nan, nan, 7.0]})
    for found in (await do(ts.irange()), await do(ts.items()), await do(ts.range("-inf", "+inf"))):
        assert same(found, expected)
    assert same(await do(ts.values()), expected[1])
    assert await do(ts.front("open")) == (TIMES[0], {"open": 1.0})
    assert await do(ts.back("open", "vol")) == (TIMES[2], {"open": 5.0, "vol": 7.0})
    assert await do(ts.fields()) == ("close", "open", "vol")
    assert (await do(ts.numfields()), await do(ts.size())) == (3, 3)
    assert await do(ts.info()) == {
        "size": 3,
        "fields": {"open": {"missing": 0}, "close": {"missing": 2}, "vol": {"missing": 2}},
        "start": TIMES[0],
        "stop": TIMES[2],
    }
    assert list((await do(ts.istats()))["stats"]) == ["open"]


async def test_nothing_is_there_at_first(models):
    ts = await series(models)
    assert ts._meta.name == "columnts"
    for found in (ts.irange(), ts.items(), ts.range(*DAYS[:2]), ts.pop_range(*DAYS[:2]), ts.ipop_range()):
        assert await do(found) == ([], {})
    for found in (ts.front(), ts.back("a"), ts.get(DAYS[0]), ts.rank(DAYS[0]), ts.ipop(0), ts.imulti_stats()):
        assert await do(found) is None
    assert (await do(ts.fields()), await do(ts.size()), await do(ts.istats()), await do(ts.keys())) == ((), 0, {}, [])
    assert (await do(ts.info()), await do(ts.values())) == ({"size": 0, "fields": {}}, {})
    assert await do(ts.count("-inf", "+inf")) == 0
    await do(ts.update({}))
    await do(ts.add(DAYS[0], {}))
    await do(ts.remove(*DAYS))
    await do(ts.retain(5))
    assert await do(ts.size()) == 0


async def test_each_way_to_add(models):
    ts = await series(models)
    assert await do(ts.add(DAYS[0], "a", 1)) is ts
    await do(ts.add(DAYS[0], {"b": 2, "c": "many"}))
    await do(ts.add(DAYS[1], [("a", Decimal("0.5")), ("b", None)]))
    await do(ts.update([(DAYS[2], {"a": True}), (DAYS[2], {"c": "2.5"})]))
    await setitem(ts, DAYS[1], {"c": 10**400})
    assert same(await do(ts.irange()), (TIMES, {"a": [1.0, 0.5, 1.0], "b": [2.0, nan, nan], "c": [nan, nan, 2.5]}))
    await raises(TypeError, "add\\(\\) takes a time and cells", ts.add, DAYS[0])
    await raises(TypeError, "add\\(\\) takes a time and cells", ts.add, DAYS[0], "a", 1, 2)
    await raises(BadStructureValue, "neither a mapping nor pairs", ts.add, DAYS[0], 5)
    await raises(BadStructureValue, "cannot be the name of a column", ts.add, DAYS[0], "\ud800", 5)
    await raises(NotConvertible, "time zone", ts.add, datetime.now().astimezone(), "a", 5)
    await raises(NotConvertible, "neither a date", ts.update, {DAYS[0]: {"z": 1}, "soon": {"z": 2}})
    assert (await do(ts.fields()), await do(ts.size())) == (("a", "b", "c"), 3)


async def test_what_is_not_named_stays(models):
    ts = await series(models, {second(n): {"a": n, "b": -n} for n in range(5)})
    await do(ts.update({second(n): {"a": 10 * n} for n in (3, 1, 7)}))
    times, fields = await do(ts.irange())
    assert times == [second(n) for n in (0, 1, 2, 3, 4, 7)]
    assert same(fields, {"a": [0.0, 10.0, 2.0, 30.0, 4.0, 70.0], "b": [-0.0, -1.0, -2.0, -3.0, -4.0, nan]})


async def test_ranges_and_places(models):
    ts = await series(models, {second(n): {"a": n, "b": n * n} for n in range(0, 2400, 2)})
    assert await do(ts.range(second(9), second(14), fields="a")) == (
        [second(n) for n in (10, 12, 14)],
        {"a": [10.0, 12.0, 14.0]},
    )
    assert await do(ts.range(second(14), second(9))) == ([], {})
    assert await do(ts.irange(2, 3, fields=["b", "none"])) == ([second(4), second(6)], {"b": [16.0, 36.0]})
    assert await do(ts.irange(-2, -1, ["b"])) == ([second(2396), second(2398)], {"b": [2396.0**2, 2398.0**2]})
    assert (await do(ts.irange(-5000, 1)))[0] == [second(0), second(2)]
    assert (await do(ts.irange(1199, 5000)), await do(ts.irange(1200, 5000))) == (
        ([second(2398)], {"a": [2398.0], "b": [2398.0**2]}),
        ([], {}),
    )
    assert await do(ts.irange(0, 0, ["none"])) == ([second(0)], {})
    assert (await do(ts.rank(second(1200))), await do(ts.rank(second(1201)))) == (600, None)
    assert await do(ts.count(second(1), second(2000))) == 1000
    assert await do(ts.times(second(5), second(9))) == [second(6), second(8)]
    assert await do(ts.itimes(-1, -1, callback=list)) == [2398e6]
    assert await do(ts.times("-inf", second(1), callback=list)) == [0.0]
    assert await do(ts.keys()) == await listed(ts) == [second(n) for n in range(0, 2400, 2)]
    assert await do(ts.info(second(0), second(10), ["b"])) == {
        "size": 6,
        "fields": {"b": {"missing": 0}},
        "start": second(0),
        "stop": second(10),
    }


async def test_one_row(models):
    ts = await series(models, GOLDEN)
    assert same(await do(ts[DAYS[1]]), await do(ts.get(TIMES[1])))
    assert same(await do(ts.get(DAYS[1])), {"open": 3.0, "close": nan, "vol": nan})
    assert await do(ts.get(date(2013, 1, 1), "none")) == "none"
    assert await do(ts.contains(DAYS[1]))
    assert not await do(ts.contains(date(2013, 1, 1)))
    with pytest.raises(KeyError):
        await do(ts[date(2013, 1, 1)])


async def test_taking_rows(models):
    ts = await series(models, {second(n): {"a": n} for n in range(1300)})
    expected = await do(ts.range(second(100.5), second(899.5)))
    assert await do(ts.pop_range(second(100.5), second(899.5))) == expected
    assert (len(expected[0]), await do(ts.size())) == (799, 501)
    expected = await do(ts.irange(-250, -2))
    assert await do(ts.ipop_range(-250, -2)) == expected
    assert await do(ts.back()) == (second(1299), {"a": 1299.0})
    assert await do(ts.ipop(-1)) == {"a": 1299.0}
    assert await do(ts.ipop(251)) is None
    assert await do(ts.pop(second(3))) == {"a": 3.0}
    assert await do(ts.pop(second(3), None)) is None
    await raises(KeyError, "1970", ts.pop, second(3))
    await raises(TypeError, "a time and a default", ts.pop, second(3), 1, 2)
    assert (await do(ts.rank(second(4))), await do(ts.size())) == (3, 250)
    assert (await do(ts.ipop_range()))[0][-1] == second(1049)
    assert (await do(ts.fields()), await do(ts.items())) == ((), ([], {}))


async def test_removing_rows_and_columns(models):
    ts = await series(models, {second(n): {"a": n, "b": n, "c": n} for n in range(1000)})
    await do(ts.remove(*[second(n) for n in range(0, 1000, 2)], second(5000)))
    assert (await do(ts.items()))[1]["b"] == [float(n) for n in range(1, 1000, 2)]
    await do(ts.remove_fields("b", "none"))
    assert (await do(ts.fields()), await do(ts.size())) == (("a", "c"), 500)
    await do(ts.add(second(1), "b", 5))
    assert same((await do(ts.irange(0, 1)))[1]["b"], [5.0, nan])
    await do(ts.remove_fields("a", "b", "c"))
    assert (await do(ts.size()), await do(ts.fields())) == (0, ())


async def test_rows_in_any_order_are_one_series(models):
    numbers = [n * 7919 % 3001 for n in range(3001)]
    ts = await series(models)
    for start in range(0, 3001, 600):
        await do(ts.update([(second(n), {"a": n}) for n in numbers[start : start + 600]]))
    times, fields = await do(ts.items())
    assert times == [second(n) for n in range(3001)]
    assert fields["a"] == [float(n) for n in range(3001)]
    assert [await do(ts.rank(second(n))) for n in (0, 1, 1500, 3000)] == [0, 1, 1500, 3000]


async def test_times_are_exact(models):
    moments = [datetime(1969, 12, 31, 23, 59, 59, 999999), EPOCH, datetime(2031, 2, 3, 4, 5, 6, 789123)]
    cells = [0.1 + 0.2, -0.0, 5e-324]
    ts = await series(models, dict(zip(moments, ({"a": cell} for cell in cells), strict=True)))
    times, fields = await do(ts.items())
    assert (times, [repr(cell) for cell in fields["a"]]) == (moments, [repr(cell) for cell in cells])
    days = await series(models, GOLDEN, pickler=DateConverter())
    assert await do(days.keys()) == DAYS


async def test_changes_wait_for_the_commit(models):
    ts = await series(models, {second(1): {"a": 1, "b": 1}})
    async with transaction(ts.session) as t:
        t.add(ts)
        await do(ts.add(second(2), "a", 2))
        await do(ts.add(second(3), "a", 3))
        await do(ts.remove(second(1), second(2)))
        await do(ts.add(second(1), "a", 10))
        await do(ts.remove_fields("b"))
        cache = ts.cache
        assert isinstance(cache, TimeseriesCache)
        assert (cache.fields, cache.cache) == ({"a": [1e6, 2e6, 3e6]}, None)
        assert (cache.deleted_timestamps, cache.delete_fields) == ({1e6, 2e6}, {"b"})
        assert await do(ts.size()) == 1
    assert await do(ts.items()) == ([second(1), second(3)], {"a": [10.0, 3.0]})
    assert (ts.cache.fields, ts.cache.deleted_timestamps, ts.cache.delete_fields) == ({}, set(), set())


async def test_many_changes_are_one_round_trip(models):
    ts = await series(models)
    async with round_trips(models, 1), transaction(ts.session):
        for n in range(20):
            await do(ts.add(second(n), {"a": n}))
            await do(ts.add(second(n), {"b": n}))
    assert (await do(ts.items()))[1] == {"a": [float(n) for n in range(20)], "b": [float(n) for n in range(20)]}


async def test_what_was_read_or_noted_elsewhere(models):
    ts = await series(models)
    ts.cache.add(2e6, "a", 5.0)
    ts.cache.add(1e6, "a", 4.0)
    assert ts.cache.fields == {"a": [1e6, 2e6]}
    await do(ts.session.add(ts))
    assert await do(ts.items()) == ([second(1), second(2)], {"a": [4.0, 5.0]})
    raw = [bytes(8), b"b", bytes(8)]
    assert await do(ts.load_data(raw)) == ([EPOCH], {"b": [0.0]})
    assert await do(ts.load_data(raw, callback=len)) == 3
    await do(ts.add(second(3), "a", 6))
    ts.cache.add(4e6, "a", 7.0)
    ts.cache.clear()
    assert (ts.cache.fields, await do(ts.size())) == ({}, 3)


async def test_two_handles_in_one_transaction(models):
    ts = await series(models, {second(0): {"a": 0}})
    other = handle(models, ts)
    other.session = ts.session
    async with transaction(ts.session):
        await do(ts.add(second(1), "a", 1))
        await do(other.add(second(2), "a", 2))
        await do(other.remove(second(0)))
    assert await do(handle(models, ts).items()) == ([second(1), second(2)], {"a": [1.0, 2.0]})
    async with transaction(ts.session):
        await do(other.add(second(3), "a", 3))
        await do(ts.session.delete(ts))
        await do(ts.add(second(9), "a", 9))
    assert await do(other.items()) == ([second(9)], {"a": [9.0]})


async def test_before_there_is_a_session(models):
    cls = AsyncColumnTS if isinstance(models, odm.AsyncRouter) else ColumnTS
    ts = cls()
    await do(ts.add(DAYS[0], "a", 1))
    await raises(StructureNotBound, "it has no session", ts.size)
    models.register(ts)
    await do(models.session().add(ts))
    assert await do(ts.irange()) == (TIMES[:1], {"a": [1.0]})


async def test_a_field_of_a_model(models):
    one, two = await do(models[Share].new(name="one")), await do(models[Share].new(name="two"))
    async with transaction(one.session):
        await do(one.prices.update(GOLDEN))
        await do(one.recent.update(GOLDEN))
    assert (await do(one.prices.size()), await do(two.prices.size())) == (3, 0)
    assert (await do(one.recent.keys())) == TIMES[1:]
    await do(models.share.market.add(DAYS[0], "n", 2))
    assert await do(models.share.market.get(DAYS[0])) == {"n": 2.0}
    assert not same(await do(one.prices.irange()), await do(one.recent.irange()))
    assert len([key for key in await do(models.share.keys()) if "prices" in key]) == 1
    await do(one.session.delete(one))
    assert not [key for key in await do(models.share.keys()) if "obj:1" in key]
    assert await do(models[Share].flush()) > 0


async def test_a_series_moves_with_its_row(models):
    coin = await do(models[Coin].new(code="a:b"))
    await do(coin.prices.update({second(n): {"a": n} for n in range(600)}))
    coin.code = "c"
    await do(coin.session.add(coin))
    assert await do(coin.prices.back()) == (second(599), {"a": 599.0})
    other = await do(models[Coin].new(code="a:b"))
    assert await do(other.prices.size()) == 0


async def test_load_related_answers_everything(models):
    row = await do(models[Share].new(name="one"))
    await do(models[Share].new(name="two"))
    await do(row.prices.update({second(n): {"a": n, "b": -n} for n in range(600)}))
    async with round_trips(models, 1):
        found, empty = await do(models[Share].query().sort_by("name").load_related("prices").all())
        ts = found.prices
        assert (await do(ts.size()), await do(ts.fields())) == (600, ("a", "b"))
        assert await do(ts.irange(-1, -1)) == ([second(599)], {"a": [599.0], "b": [-599.0]})
        assert await do(ts.get(second(3))) == {"a": 3.0, "b": -3.0}
        assert (await do(ts.stats("-inf", "+inf")))["stats"]["a"]["N"] == 600
        assert await do(ts.evaluate("sum(this.a) + sum(this.b)")) == 0
        assert (await do(empty.prices.items()), await do(empty.prices.size())) == (([], {}), 0)
    assert await do(ts.ipop(0)) == {"a": 0.0, "b": -0.0}
    assert await do(ts.size()) == 599


async def test_retention(models):
    ts = await series(models, retention=timedelta(seconds=10))
    await do(ts.update({second(n): {"a": n} for n in range(30)}))
    assert await do(ts.keys()) == [second(n) for n in range(19, 30)]
    await do(ts.add(second(0), "a", 5))
    assert await do(ts.front()) == (second(19), {"a": 19.0})
    await do(ts.retain(3))
    assert await do(ts.keys()) == [second(n) for n in (27, 28, 29)]
    await do(ts.retain(timedelta(0)))
    assert await do(ts.size()) == 1
    for wrong in (0, -1, timedelta(-1), "1W", 1.5):
        await raises(BadStructureValue, "neither a timedelta nor a number of rows", ts.retain, wrong)
    with pytest.raises(BadStructureValue, match="number of rows"):
        type(ts)(retention=0)


async def test_a_long_series_in_small_steps(models):
    ts = await series(models)
    for start in range(0, 2000, 97):
        await do(ts.update({second(n): {"a": n} for n in range(start, min(start + 97, 2000))}))
        await do(ts.retain(700))
    assert await do(ts.irange(0, -1)) == (
        [second(n) for n in range(1300, 2000)],
        {"a": [float(n) for n in range(1300, 2000)]},
    )
    assert [await do(ts.rank(second(n))) for n in (1299, 1300, 1999)] == [None, 0, 699]


async def test_the_blocking_surface_has_operators(models):
    ts = await series(models, GOLDEN)
    if ts.is_async:
        with pytest.raises(TypeError, match="is async"):
            iter(ts)
        return
    assert (len(ts), list(ts), DAYS[0] in ts, date(2013, 1, 1) in ts) == (3, TIMES, True, False)
    del ts[DAYS[0]]
    assert list(ts) == TIMES[1:]
    assert isinstance(ts, odm.TS)


def test_columns_as_rows():
    assert as_dict([], {}) == {}
    assert as_dict(DAYS[:1], {"a": [1.0], "b": [math.inf]}) == {DAYS[0]: {"a": 1.0, "b": math.inf}}
