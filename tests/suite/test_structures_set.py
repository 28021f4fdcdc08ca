"""Sets on their own."""

from __future__ import annotations

from stdnet import odm
from stdnet.errors import BadStructureValue
from stdnet.utils import encoders

from ..conftest import do, round_trips, transaction
from .structures import listed, make, raises, surface


async def test_adding_and_removing(models):
    s = await make(models, odm.Set)
    assert await do(s.add("a")) is s
    assert await do(s.update(["b", "c", "a", "b"])) is s
    assert await do(s.size()) == 3
    assert sorted(await listed(s)) == sorted(await do(s.items())) == ["a", "b", "c"]
    await do(s.discard("a"))
    await do(s.remove("b"))
    await do(s.remove("never"))
    assert await do(s.items()) == ["c"]
    await do(s.update("xyz"))
    await do(s.difference_update(["x", "c", "never"]))
    assert sorted(await do(s.items())) == ["y", "z"]


async def test_membership_is_by_what_is_stored(models):
    s = await make(models, odm.Set)
    await do(s.update([1, "a"]))
    assert [await do(s.contains(v)) for v in (1, "1", "a", 1.0, "b")] == [True, True, True, False, False]
    s = await make(models, odm.Set, value_pickler=encoders.Json())
    await do(s.update([1, "1", ["a"]]))
    assert await do(s.size()) == 3
    assert [await do(s.contains(v)) for v in (1, "1", ["a"], ["b"])] == [True, True, True, False]


async def test_the_last_change_of_a_value_counts(models):
    s = surface(models, odm.Set)()
    for change, value in ((s.add, "k"), (s.discard, "k"), (s.add, "j"), (s.discard, "z"), (s.add, "z")):
        await do(change(value))
    assert s.cache.toadd == {b"j", b"z"}
    assert s.cache.toremove == {b"k"}
    await do(models.session().add(models.register(s)))
    assert sorted(await do(s.items())) == ["j", "z"]
    async with transaction(s.session):
        await do(s.discard("j"))
        await do(s.update("jk"))
        await do(s.difference_update("zk"))
        assert (s.cache.toadd, s.cache.toremove) == ({b"j"}, {b"k", b"z"})
    assert (s.cache.toadd, s.cache.toremove) == (set(), set())
    assert await do(s.items()) == ["j"]


async def test_without_a_session(models):
    s = surface(models, odm.Set)()
    assert await do(s.add(1)) is None
    assert await do(s.update([2])) is None


async def test_the_algebra_is_done_by_the_backend(models):
    a, b, c, empty = [await make(models, odm.Set) for _ in range(4)]
    await do(a.update("abcd"))
    await do(b.update("bcx"))
    await do(c.update("cy"))
    async with round_trips(models, 1):
        assert await do(a.union(b, c)) == list("abcdxy")
    async with round_trips(models, 1):
        assert await do(a.intersection(b, c)) == ["c"]
    async with round_trips(models, 1):
        assert await do(a.difference(b, c)) == ["a", "d"]
    assert await do(a.intersection(b)) == ["b", "c"]
    assert await do(a.union(empty)) == await do(a.difference(empty)) == await do(a.union()) == list("abcd")
    assert await do(a.intersection(empty)) == await do(empty.difference(a)) == []
    assert await do(empty.union(b)) == ["b", "c", "x"]


async def test_the_algebra_needs_sets_of_one_backend(models):
    a = await make(models, odm.Set)
    z = await make(models, odm.Zset)
    far = models.register(surface(models, odm.Set)(), "memory://elsewhere")
    await raises(BadStructureValue, "is not a set", a.union, z)
    await raises(BadStructureValue, "is not a set", a.difference, ["a"])
    await raises(BadStructureValue, "another backend", a.intersection, far)


async def test_odd_values(models):
    s = await make(models, odm.Set, value_pickler=encoders.Bytes())
    values = [b"", b"\x00", b"\xff" * 300, b"a:b", b"{x}", "é".encode()]
    await do(s.update(values))
    assert await do(s.items()) == sorted(values)
    assert [await do(s.contains(v)) for v in values] == [True] * len(values)


async def test_many(models):
    s = await make(models, odm.Set)
    async with round_trips(models, 1):
        await do(s.update(range(5000)))
    assert await do(s.size()) == 5000
    assert sorted(await do(s.items())) == list(range(5000))


def test_operators():
    models = odm.Router("memory://")
    s = models.session().add(models.register(odm.Set()))
    assert s.add("a").update("bc").size() == len(s) == 3
    assert "a" in s
    assert "x" not in s
    assert set(s) == {"a", "b", "c"}
