"""Time series on their own."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

from stdnet import odm
from stdnet.errors import BadStructureValue, NotConvertible
from stdnet.utils import encoders

from ..conftest import do, round_trips, transaction
from .structures import listed, make, raises, setitem, surface

DAYS = [datetime(2024, 1, day) for day in range(1, 7)]
MICROS = DAYS[0].replace(tzinfo=timezone.utc).timestamp() * 1e6
PAIRS = [(day, day.day * 1.5) for day in DAYS]


async def closes(models):
    ts = await make(models, odm.TS)
    return await do(ts.update(reversed(PAIRS)))


async def test_the_whole(models):
    ts = await closes(models)
    assert await do(ts.size()) == 6
    assert await do(ts.items()) == PAIRS
    assert await do(ts.keys()) == await listed(ts) == DAYS
    assert await do(ts.values()) == [value for _, value in PAIRS]
    assert ts.cache.cache is None
    assert (await do(ts.front()), await do(ts.back())) == (PAIRS[0], PAIRS[-1])
    empty = await make(models, odm.TS)
    assert (await do(empty.front()), await do(empty.back()), await do(empty.items())) == (None, None, [])


async def test_one_time(models):
    ts = await closes(models)
    assert (await do(ts[DAYS[2]]), await do(ts.get(DAYS[2]))) == (4.5, 4.5)
    assert (await do(ts.get(datetime(2024, 2, 1))), await do(ts.get(datetime(2024, 2, 1), 0))) == (None, 0)
    await raises(KeyError, "datetime", lambda: ts[datetime(2024, 1, 1, 1)])
    assert (await do(ts.contains(DAYS[0])), await do(ts.contains(datetime(2024, 2, 1)))) == (True, False)
    assert await do(ts[date(2024, 1, 3)]) == 4.5
    assert [await do(ts.rank(day)) for day in (DAYS[0], DAYS[5], datetime(2024, 1, 1, 1))] == [0, 5, None]
    await setitem(ts, DAYS[0], "changed")
    assert (await do(ts.size()), await do(ts[DAYS[0]])) == (6, "changed")


async def test_ranges_by_time(models):
    ts = await closes(models)
    assert await do(ts.range(DAYS[1], DAYS[3])) == PAIRS[1:4]
    assert await do(ts.range(datetime(2024, 1, 1, 12), datetime(2024, 1, 3, 12))) == PAIRS[1:3]
    assert await do(ts.range(DAYS[3], DAYS[1])) == []
    assert await do(ts.range("-inf", "+inf")) == PAIRS
    assert await do(ts.range(DAYS[4], "+inf", withscores=False)) == [7.5, 9.0]
    assert await do(ts.times(DAYS[1], DAYS[2])) == DAYS[1:3]
    assert await do(ts.times("-inf", DAYS[0], callback=list)) == [MICROS]
    assert await do(ts.count(DAYS[1], DAYS[3])) == 3
    assert await do(ts.range(DAYS[0], DAYS[0], callback=lambda raw: [value for _, value in raw])) == [b"1.5"]


async def test_ranges_by_place(models):
    ts = await closes(models)
    for a in range(6):
        assert await do(ts.irange(0, a)) == PAIRS[: a + 1]
        assert await do(ts.irange(a, -1)) == PAIRS[a:]
    assert await do(ts.irange()) == PAIRS
    assert await do(ts.irange(-2)) == PAIRS[-2:]
    assert await do(ts.irange(4, 2)) == []
    assert await do(ts.itimes()) == DAYS
    assert await do(ts.itimes(-1)) == DAYS[-1:]
    assert len(await do(ts.itimes(1, 2, callback=list))) == 2
    await raises(TypeError, "no descending ranges", ts.irange, desc=True)


async def test_taking(models):
    ts = await closes(models)
    assert await do(ts.pop(DAYS[0])) == 1.5
    await raises(KeyError, "datetime", ts.pop, DAYS[0])
    assert await do(ts.pop(DAYS[0], None)) is None
    assert [await do(ts.ipop(n)) for n in (0, -1, 7, -7)] == [3.0, 9.0, None, None]
    assert await do(ts.pop_range(DAYS[3], DAYS[3])) == PAIRS[3:4]
    assert await do(ts.ipop_range(0, 0)) == PAIRS[2:3]
    assert await do(ts.items()) == PAIRS[4:5]
    assert await do(ts.ipop_range(withscores=False)) == [7.5]
    assert await do(ts.size()) == 0


async def test_removing(models):
    ts = await closes(models)
    assert await do(ts.remove(DAYS[0], DAYS[5], datetime(2000, 1, 1))) is ts
    assert await do(ts.items()) == PAIRS[1:5]
    async with transaction(ts.session):
        await do(ts.remove(DAYS[1]))
        await do(ts.add(DAYS[1], 0))
        await do(ts.remove(DAYS[2]))
        assert (len(ts.cache.toadd), len(ts.cache.toremove)) == (1, 1)
    assert await do(ts.irange(0, 1)) == [(DAYS[1], 0), PAIRS[3]]


async def test_microseconds(models):
    ts = await make(models, odm.TS)
    moments = [datetime(2024, 1, 1, 12, 30, 15, n) for n in (1, 2, 999_999)]
    await do(ts.update((moment, n) for n, moment in enumerate(moments)))
    assert await do(ts.keys()) == moments
    assert await do(ts.get(moments[1])) == 1
    assert await do(ts.range(moments[1], moments[1])) == [(moments[1], 1)]
    extremes = [datetime(1, 1, 1), datetime(1690, 6, 1, 1, 1, 1, 1), datetime(9999, 12, 31)]
    await do(ts.update((moment, "x") for moment in extremes))
    assert await do(ts.keys()) == [*extremes[:2], *moments, extremes[2]]


async def test_dates(models):
    ts = await make(models, odm.TS, pickler=encoders.DateConverter(), value_pickler=encoders.Double())
    await do(ts.add(date(2024, 2, 29), 3))
    await do(ts.add(datetime(2024, 3, 1, 18), 4))
    assert await do(ts.items()) == [(date(2024, 2, 29), 3.0), (date(2024, 3, 1), 4.0)]
    assert await do(ts.times(date(2024, 3, 1), date(2024, 3, 9))) == [date(2024, 3, 1)]


async def test_other_times(models):
    ts = await make(models, odm.TS, pickler=encoders.Double())
    await do(ts.update({3: "c", -1.5: "a", -0.0: "b"}))
    assert await do(ts.items()) == [(-1.5, "a"), (0.0, "b"), (3.0, "c")]
    assert (await do(ts.get(0)), await do(ts.get(-0.0))) == ("b", "b")
    await raises(BadStructureValue, "not a number that orders", ts.add, float("nan"), 1)


async def test_values_keep_their_types(models):
    ts = await make(models, odm.TS)
    values = [1, 2.5, "3", {"open": 1, "day": date(2024, 1, 1)}, [None, True]]
    await do(ts.update(zip(DAYS, values, strict=False)))
    assert await do(ts.values()) == values


async def test_times_that_are_none(models):
    ts = await make(models, odm.TS)
    for bad in ("2024", 5, None, datetime(2024, 1, 1, tzinfo=timezone.utc)):
        await raises(NotConvertible, "DateTimeConverter", ts.add, bad, 1)
        await raises(NotConvertible, "DateTimeConverter", ts.get, bad)
    assert await do(ts.size()) == 0


async def test_many(models):
    ts = await make(models, odm.TS)
    start = datetime(2000, 1, 1)
    early = start + timedelta(hours=10)
    async with round_trips(models, 1):
        await do(ts.update((start + timedelta(minutes=n), n) for n in range(5000)))
    assert await do(ts.size()) == 5000
    assert await do(ts.irange(4000, 4001, withscores=False)) == [4000, 4001]
    assert await do(ts.range(early, early + timedelta(minutes=1), withscores=False)) == [600, 601]
    assert len(await do(ts.pop_range(start, start + timedelta(minutes=2999)))) == 3000
    assert await do(ts.front()) == (start + timedelta(minutes=3000), 3000)


async def test_without_a_session(models):
    ts = surface(models, odm.TS)()
    assert await do(ts.add(DAYS[0], 1)) is None
    await do(models.session().add(models.register(ts)))
    assert await do(ts.items()) == [(DAYS[0], 1)]


def test_operators():
    models = odm.Router("memory://")
    ts = models.session().add(models.register(odm.TS()))
    ts[DAYS[1]] = 2
    ts[DAYS[0]] = 1
    assert (list(ts), len(ts), DAYS[0] in ts, ts[DAYS[1]]) == (DAYS[:2], 2, True, 2)
    del ts[DAYS[0]]
    assert ts.items() == [(DAYS[1], 2)]
