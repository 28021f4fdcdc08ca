"""Sorted sets on their own."""

from __future__ import annotations

from datetime import date

from stdnet import odm
from stdnet.errors import BadStructureValue
from stdnet.utils import encoders

from ..conftest import do, round_trips
from .structures import listed, make, raises, setitem, surface

INF = float("inf")


async def golden(models):
    z = await make(models, odm.Zset)
    return await do(z.update([(2, "two"), (1, "one"), (2, "deux"), (0.5, "half")]))


async def test_order(models):
    z = await golden(models)
    values = ["half", "one", "deux", "two"]
    assert await do(z.items()) == await listed(z) == await do(z.values()) == values
    assert await do(z.size()) == 4
    assert await do(z.irange()) == [(0.5, "half"), (1.0, "one"), (2.0, "deux"), (2.0, "two")]
    assert z.cache.cache == await do(z.irange())
    async with round_trips(models, 0):
        assert (await do(z.values()), await do(z.size())) == (values, 4)


async def test_ranges(models):
    z = await golden(models)
    assert await do(z.irange(-2, -1, withscores=False)) == ["deux", "two"]
    assert await do(z.irange(desc=True)) == [(2.0, "two"), (2.0, "deux"), (1.0, "one"), (0.5, "half")]
    assert await do(z.irange(0, 1, desc=True, withscores=False)) == ["two", "deux"]
    assert await do(z.range(1, 2)) == [(1.0, "one"), (2.0, "deux"), (2.0, "two")]
    assert await do(z.range(1, 2, desc=True, withscores=False)) == ["two", "deux", "one"]
    assert await do(z.range("-inf", 1, withscores=False)) == ["half", "one"]
    assert await do(z.range(1.5, "+inf", withscores=False)) == ["deux", "two"]
    assert await do(z.range("-inf", "inf")) == await do(z.range(-INF, INF)) == await do(z.irange())
    assert await do(z.range(2, 1)) == await do(z.irange(3, 1)) == await do(z.range(7, 9)) == []
    assert [await do(z.count(1, 2)), await do(z.count("-inf", "+inf")), await do(z.count(2, 1))] == [3, 4, 0]
    assert await do(z.range(1, 1, callback=lambda raw: list(raw))) == [(1.0, b"one")]
    assert await do(z.irange(0, 0, callback=len)) == 1


async def test_ends_and_ranks(models):
    z = await golden(models)
    assert (await do(z.front()), await do(z.back())) == ((0.5, "half"), (2.0, "two"))
    assert [await do(z.rank(v)) for v in ("half", "deux", "two", "never")] == [0, 2, 3, None]
    assert [await do(z.score(v)) for v in ("half", "two", "never")] == [0.5, 2.0, None]
    assert [await do(z.contains(v)) for v in ("half", "never")] == [True, False]
    empty = await make(models, odm.Zset)
    assert (await do(empty.front()), await do(empty.back()), await do(empty.items())) == (None, None, [])


async def test_taking(models):
    z = await golden(models)
    assert await do(z.items())
    assert await do(z.pop_range(1, 1)) == [(1.0, "one")]
    assert await do(z.items()) == ["half", "deux", "two"]
    assert await do(z.ipop_range(0, 0, desc=True, withscores=False)) == ["two"]
    assert await do(z.items()) == ["half", "deux"]
    assert await do(z.ipop_range(0, 0, callback=list)) == [(0.5, b"half")]
    assert await do(z.pop_range(5, 9)) == []
    assert await do(z.ipop_range()) == [(2.0, "deux")]
    assert await do(z.size()) == 0


async def test_ways_of_adding(models):
    z = await make(models, odm.Zset)
    assert await do(z.add(3, "a")) is z
    await do(z.add((2, "b")))
    await setitem(z, 1, "c")
    await do(z.update({0: "d", 4: "e"}))
    assert await do(z.items()) == ["d", "c", "b", "a", "e"]
    await do(z.add(9, "d"))
    assert (await do(z.size()), await do(z.back())) == (5, (9.0, "d"))
    await do(z.update([(1, "x"), (2, "x")]))
    assert await do(z.score("x")) == 2.0
    for arguments in ((), (1, 2, 3), ("single",), ((1, 2, 3),)):
        await raises(TypeError, "a pair", z.add, *arguments)
    await raises(TypeError, "neither a pair nor", z.update, ["ab", 3])


async def test_objects_that_know_their_score(models):
    class Text(str):
        def score(self):
            return len(self)

    z = await make(models, odm.Zset)
    await do(z.add(Text("long")))
    await do(z.update([Text("longest"), Text("short")]))
    assert await do(z.irange()) == [(4.0, "long"), (5.0, "short"), (7.0, "longest")]


async def test_removing(models):
    z = await golden(models)
    assert await do(z.remove("one")) is z
    await do(z.discard("never"))
    await do(z.difference_update(["two", "half", "never"]))
    assert await do(z.items()) == ["deux"]
    z = surface(models, odm.Zset)()
    for change, args in ((z.add, (1, "k")), (z.discard, "k"), (z.add, (2, "j")), (z.discard, "z"), (z.add, (3, "z"))):
        await do(change(*args))
    assert (z.cache.toadd, z.cache.toremove) == ({b"j": 2.0, b"z": 3.0}, {b"k"})


async def test_extreme_scores(models):
    z = await make(models, odm.Zset)
    await do(z.update([(INF, "top"), (-INF, "bottom"), (-0.0, "zero"), (5e-324, "tiny"), (1.7e308, "big"), (0.1, "a")]))
    assert await do(z.irange()) == [
        (-INF, "bottom"), (0.0, "zero"), (5e-324, "tiny"), (0.1, "a"), (1.7e308, "big"), (INF, "top"),
    ]  # fmt: skip
    assert str(await do(z.score("zero"))) == "0.0"
    assert await do(z.range(0, 0)) == await do(z.range(-0.0, 0)) == [(0.0, "zero")]
    for bad in (float("nan"), "EUR", None, object()):
        await raises(BadStructureValue, "is not a number that orders", z.add, bad, "x")
        await raises(ValueError, "is not a number that orders", z.range, bad, 2)
    assert await do(z.size()) == 6


async def test_scores_by_a_pickler(models):
    z = await make(models, odm.Zset, pickler=encoders.DateConverter())
    await do(z.update({date(2024, 1, 2): "b", date(2023, 1, 2): "a"}))
    assert await do(z.irange()) == [(date(2023, 1, 2), "a"), (date(2024, 1, 2), "b")]
    assert await do(z.range(date(2024, 1, 1), "+inf", withscores=False)) == ["b"]
    assert await do(z.score("a")) == date(2023, 1, 2)
    z = await make(models, odm.Zset, pickler=encoders.Json())
    await raises(BadStructureValue, "the pickler gives no number", z.add, {"a": 1}, "b")


async def test_the_algebra_adds_scores(models):
    a, b = await make(models, odm.Zset), await make(models, odm.Zset)
    await do(a.update([(1, "x"), (2, "y")]))
    await do(b.update([(10, "y"), (20, "z")]))
    assert await do(a.union(b)) == [(1.0, "x"), (12.0, "y"), (20.0, "z")]
    assert await do(a.intersection(b)) == [(12.0, "y")]
    assert await do(a.difference(b)) == [(1.0, "x")]
    assert await do(a.union(b, withscores=False)) == ["x", "y", "z"]
    s = await make(models, odm.Set)
    await raises(BadStructureValue, "is not a zset", a.union, s)


async def test_many(models):
    z = await make(models, odm.Zset)
    async with round_trips(models, 1):
        await do(z.update((n, n) for n in range(5000)))
    assert await do(z.irange(2000, 2001)) == [(2000.0, 2000), (2001.0, 2001)]
    assert await do(z.items()) == list(range(5000))
    assert len(await do(z.pop_range(1000, 3999))) == 3000
    assert await do(z.size()) == 2000


async def test_places_are_integers(models):
    z = await golden(models)
    await raises(TypeError, "interpreted as an integer", z.irange, "a")
    assert await do(z.irange(0, 2**80, withscores=False)) == ["half", "one", "deux", "two"]


def test_operators():
    models = odm.Router("memory://")
    z = models.session().add(models.register(odm.Zset()))
    z[2] = "b"
    z[1] = "a"
    assert (list(z), len(z), "a" in z, "c" in z) == (["a", "b"], 2, True, False)
