"""Hash tables on their own."""

from __future__ import annotations

import pytest

from stdnet import odm
from stdnet.errors import BadStructureValue
from stdnet.utils import encoders

from ..conftest import do, round_trips, transaction
from .structures import listed, make, raises, setitem, surface

WORDS = {"ciao": "hello", "luna": "moon", "sole": "sun"}


async def words(models, **options):
    h = await make(models, odm.HashTable, **options)
    return await do(h.update(WORDS))


async def test_the_whole(models):
    h = await words(models)
    assert await do(h.size()) == 3
    assert await do(h.keys()) == await listed(h) == ["ciao", "luna", "sole"]
    assert await do(h.values()) == ["hello", "moon", "sun"]
    assert h.cache.cache is None
    items = await do(h.items())
    assert items != h.cache.cache
    assert dict(items) == h.cache.cache == WORDS
    async with round_trips(models, 0):
        assert (await do(h.keys()), await do(h.values()), await do(h.size())) == ([*WORDS], [*WORDS.values()], 3)
        assert (await do(h.get("luna")), await do(h["sole"]), await do(h.contains("mare"))) == ("moon", "sun", False)
        assert await do(h.contains("sole"))
        await raises(KeyError, "mare", lambda: h["mare"])


async def test_one_key(models):
    h = await words(models)
    assert (await do(h["ciao"]), await do(h.get("ciao")), await do(h.contains("ciao"))) == ("hello", "hello", True)
    assert (await do(h.get("mare")), await do(h.get("mare", 5)), await do(h.contains("mare"))) == (None, 5, False)
    await raises(KeyError, "mare", lambda: h["mare"])


async def test_ways_of_adding(models):
    h = await make(models, odm.HashTable)
    await setitem(h, "a", 1)
    assert await do(h.add("b", 2)) is h
    await do(h.add(("c", 3)))
    await do(h.update([("d", 4), ["e", 5]]))
    await do(h.update(iter([("a", 6), ("a", 7)])))
    assert dict(await do(h.items())) == {"a": 7, "b": 2, "c": 3, "d": 4, "e": 5}
    for arguments in ((), (1, 2, 3), ("abc",)):
        await raises(TypeError, "a pair", h.add, *arguments)
    await raises(TypeError, "neither a pair", h.update, ["abc"])
    assert await do(h.size()) == 5


async def test_an_object_that_knows_its_key(models):
    class Price:
        def score(self):
            return "EUR"

        def __str__(self):
            return "1.5"

    h = await make(models, odm.HashTable)
    await do(h.add(Price()))
    assert await do(h["EUR"]) == 1.5


async def test_keys_are_text(models):
    h = await make(models, odm.HashTable)
    await do(h.add(5, 6))
    assert (await do(h.keys()), await do(h.get(5)), await do(h.get("5"))) == (["5"], 6, 6)
    assert dict(await do(h.items())) == {"5": 6}
    assert (await do(h.get(5)), await do(h[5]), await do(h.contains(5))) == (6, 6, True)
    assert await do(h.pop(5)) == 6


async def test_picklers(models):
    h = await make(models, odm.HashTable, pickler=encoders.Json(), value_pickler=encoders.Json())
    await do(h.update([(1, [1]), ("1", {"a": None}), ((1, 2), 3)]))
    assert await do(h[1]) == [1]
    assert await do(h["1"]) == {"a": None}
    assert await do(h[[1, 2]]) == 3
    h = await make(models, odm.HashTable, pickler=encoders.NoEncoder())
    await raises(BadStructureValue, "None is written as NoneType", h.add, None, 1)
    assert h.pickler == encoders.NoEncoder()


async def test_taking(models):
    h = await words(models)
    await do(h.items())
    assert await do(h.pop("luna")) == "moon"
    assert dict(await do(h.items())) == {"ciao": "hello", "sole": "sun"}
    assert (await do(h.pop("luna", None)), await do(h.pop("luna", 7))) == (None, 7)
    await raises(KeyError, "luna", h.pop, "luna")
    await raises(TypeError, "a key and a default", h.pop, "sole", 1, 2)
    assert await do(h.size()) == 2


async def test_removing(models):
    h = await words(models)
    assert await do(h.remove("luna", "mare")) is h
    assert await do(h.keys()) == ["ciao", "sole"]
    async with transaction(h.session):
        await do(h.remove("ciao"))
        await do(h.add("ciao", "bye"))
        await do(h.add("mare", "sea"))
        await do(h.remove("mare", "sole"))
        assert (h.cache.toadd, h.cache.toremove) == ({b"ciao": b"bye"}, {b"mare", b"sole"})
        assert await do(h.size()) == 2
    assert (h.cache.toadd, h.cache.toremove) == ({}, set())
    assert dict(await do(h.items())) == {"ciao": "bye"}


async def test_dump_data_is_an_extension_point(models):
    class Upper(surface(models, odm.HashTable)):
        def dump_data(self, mapping):
            for key, value in super().dump_data(mapping):
                yield key.upper(), value

    h = models.register(Upper())
    await do(models.session().add(h))
    await do(h.add("a", 1))
    await do(h.update({"b": 2}))
    assert dict(await do(h.items())) == {"A": 1, "B": 2}


async def test_loading_parts(models):
    h = await make(models, odm.HashTable)
    assert h.load_keys([b"a", b"1"]) == ["a", "1"]
    assert await do(h.load_values([b"a", b"1"])) == ["a", 1]
    assert h.pair(("a", 1)) == ("a", 1)


async def test_empty(models):
    h = await make(models, odm.HashTable)
    assert (await do(h.keys()), await do(h.values()), dict(await do(h.items())), await listed(h)) == ([], [], {}, [])


async def test_many(models):
    h = await make(models, odm.HashTable)
    async with round_trips(models, 1):
        await do(h.update({n: n for n in range(5000)}))
    assert await do(h.size()) == 5000
    assert dict(await do(h.items())) == {str(n): n for n in range(5000)}


def test_operators():
    models = odm.Router("memory://")
    h = models.session().add(models.register(odm.HashTable()))
    h["a"] = 1
    h["b"] = 2
    assert (list(h), len(h), "a" in h, "x" in h, h["a"]) == (["a", "b"], 2, True, False, 1)
    del h["a"]
    assert dict(h.items()) == {"b": 2}
    with pytest.raises(KeyError):
        del h["a"]
