"""Column time series that are longer than one reply: they come in parts, and are put together."""

from __future__ import annotations

from stdnet import odm
from stdnet.apps.columnts import AsyncColumnTS, ColumnTS
from stdnet.apps.columnts.storage import KIND
from stdnet.contract import Kind

from ..conftest import do, round_trips
from ..suite.structures import make
from .columns import nan, same, second

LUA = (KIND.lua or "").replace("PART = 500000", "PART = 12").replace("ROWS = 510", "ROWS = 3")
SHORT = Kind(KIND.name, KIND.operations, KIND.container, LUA, KIND.suffixes, KIND.type)


class Short(ColumnTS):
    kind = SHORT


class AsyncShort(AsyncColumnTS):
    kind = SHORT


odm.twins(Short, AsyncShort)


async def test_parts_are_put_together(models):
    ts = await make(models, Short)
    await do(ts.update({second(n): {"a": n, "b": -n} for n in range(0, 100, 2)}))
    await do(ts.update({second(n): {"b": 0} for n in (1, 51)}))
    times = sorted([*range(0, 100, 2), 1, 51])
    expected = [float(n) if n % 2 == 0 else nan for n in times]
    for found in (ts.items(), ts.irange(), ts.range("-inf", "+inf"), ts.irange(-52, 51)):
        seen, fields = await do(found)
        assert seen == [second(n) for n in times]
        assert same(fields["a"], expected)
    assert same((await do(ts.values()))["a"], expected)
    assert (await do(ts.irange(3, 44, "b")))[0] == [second(n) for n in times[3:45]]
    assert (await do(ts.range(second(3), second(77))))[0] == [second(n) for n in times if 3 <= n <= 77]
    assert (await do(ts.istats()))["stats"]["b"]["N"] == 52
    assert await do(ts.evaluate("sum(this.a) + sum(series1.b)", ts)) == 0
    assert (await do(ts.imulti_stats(series=[(ts, None)])))["N"] == 50
    assert (await do(ts.pop_range("-inf", "+inf")))[0] == [second(n) for n in times]


async def test_what_fits_is_one_round_trip(models):
    ts = await make(models, Short)
    await do(ts.update({second(n): {"a": n, "b": -n} for n in range(20)}))
    async with round_trips(models, 2):
        assert len((await do(ts.irange(4, 7)))[0]) == 4
        assert len((await do(ts.irange(4, 9, fields=["a"])))[0]) == 6
