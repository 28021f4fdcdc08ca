"""Strings and arrays of numbers on their own."""

from __future__ import annotations

import math

from stdnet import odm
from stdnet.errors import BadStructureValue, WrongType
from stdnet.utils import encoders

from ..conftest import do, round_trips, transaction
from .structures import listed, make, raises, setitem, surface

INF = float("inf")


async def test_appending(models):
    s = await make(models, odm.String)
    assert await do(s.push_back("é")) is s
    await do(s.push_back(b"\xff\x00"))
    await do(s.extend(["a", b"b"]))
    content = "é".encode() + b"\xff\x00ab"
    assert (await do(s.size()), await do(s.items()), s.cache.cache) == (6, content, content)
    assert await listed(s) == list(content)
    await raises(WrongType, "neither bytes nor text", s.push_back, 5)


async def test_parts_of_a_string(models):
    s = await make(models, odm.String)
    await do(s.push_back("abcde"))
    for loaded in (False, True):
        assert (s.cache.cache is not None) is loaded
        assert [await do(s[n]) for n in (0, -1, 4, -5)] == [97, 101, 101, 97]
        for outside in (5, -6):
            await raises(IndexError, "has no place", lambda n: s[n], outside)
        for cut in (slice(1, 3), slice(None), slice(-2, None), slice(3, 1), slice(-9, 99), slice(None, -9)):
            assert await do(s[cut]) == b"abcde"[cut]
        await do(s.items())
    assert await do(s[::-1]) == b"edcba"
    assert await do(s.slice(1, 2)) == b"b"
    empty = await make(models, odm.String)
    assert (await do(empty.items()), await do(empty[:3]), await do(empty.size())) == (b"", b"", 0)


async def test_counting(models):
    s = await make(models, odm.String)
    assert [await do(s.incr()), await do(s.incr()), await do(s.incr(3)), await do(s.incr(-7))] == [1, 2, 5, -2]
    assert await do(s.items()) == b"-2"
    assert await do(s.incr(2**62)) == 2**62 - 2
    await raises(BadStructureValue, "incr", s.incr, 2**63 - 1)
    await do(s.session.delete(s))
    await do(s.push_back("text"))
    await raises(ValueError, "incr", s.incr)
    assert await do(s.items()) == b"text"


async def test_what_waits_of_a_string(models):
    s = await make(models, odm.String)
    async with transaction(s.session):
        await do(s.push_back("ab"))
        await do(s.push_back("c"))
        assert (bytes(s.cache.data), await do(s.size()), s in s.session) == (b"abc", 0, True)
    assert (bytes(s.cache.data), await do(s.items())) == (b"", b"abc")
    await do(s.session.delete(s))
    assert await do(s.size()) == 0


async def test_contents_of_a_string(models):
    s = await make(models, odm.String)
    await do(s.push_back("one two"))
    assert [await do(s.contains(v)) for v in (b"two", b"three", "two", "three")] == [True, False, True, False]
    assert [await do(s.contains(v)) for v in (ord("o"), ord("x"))] == [True, False]
    await raises(WrongType, "neither bytes nor text", s.contains, None)


async def test_numbers(models):
    a = await make(models, odm.NumberArray)
    assert await do(a.push_back(3)) is a
    await do((await do(a.push_back(0.0))).push_back(-1.5))
    assert (await do(a.size()), await do(a.capacity()), await do(a.items())) == (3, 3, [3.0, 0.0, -1.5])
    assert a.cache.cache == await listed(a) == [3.0, 0.0, -1.5]
    assert (await do(a.size()), await do(a.contains(0.0)), await do(a.contains(7))) == (3, True, False)
    await do(a.extend([None, math.nan, INF, -INF, 5e-324]))
    values = await do(a.items())
    assert [math.isnan(v) for v in values[3:5]] == [True, True]
    assert values[5:] == [INF, -INF, 5e-324]
    await raises(WrongType, "not a number", a.push_back, "text")


async def test_places_of_numbers(models):
    a = await make(models, odm.NumberArray)
    await do(a.extend(range(5)))
    for loaded in (False, True):
        assert (a.cache.cache is not None) is loaded
        assert [await do(a[n]) for n in (0, 4, -1, -5)] == [0.0, 4.0, 4.0, 0.0]
        for outside in (5, -6, 2**80):
            await raises(IndexError, "has no place", lambda n: a[n], outside)
        for cut in (slice(1, 3), slice(None), slice(-2, None), slice(3, 1), slice(-9, 99), slice(None, -9)):
            assert await do(a[cut]) == [0.0, 1.0, 2.0, 3.0, 4.0][cut]
        await do(a.items())
    assert await do(a.slice(-3, -1)) == [2.0, 3.0]
    assert await do(a[::2]) == [0.0, 2.0, 4.0]


async def test_replacing_numbers(models):
    a = await make(models, odm.NumberArray)
    await do(a.extend(range(3)))
    await do(a.items())
    await setitem(a, 0, 7)
    await setitem(a, -1, None)
    values = await do(a.items())
    assert values[:2] == [7.0, 1.0]
    assert math.isnan(values[2])
    for outside in (3, -4):
        await raises(IndexError, f"no place {outside}", a.set, outside, 1)
    assert await do(a.size()) == 3


async def test_resizing(models):
    a = await make(models, odm.NumberArray)
    await do(a.extend([1, 2]))
    await do(a.items())
    assert await do(a.resize(10)) == 10
    values = await do(a.items())
    assert values[:2] == [1.0, 2.0]
    assert all(map(math.isnan, values[2:]))
    assert [await do(a.resize(n)) for n in (3, 0, -5)] == [10, 10, 10]
    assert await do(a.size()) == 10
    for huge in (2**26 + 1, 2**70):  # a server would be busy with it until it has no memory left
        await raises(BadStructureValue, "are more than 67108864", a.resize, huge)
    await raises(TypeError, "is an integer, not", a.resize, "x")
    empty = await make(models, odm.NumberArray)
    assert [await do(empty.resize(0)), await do(empty.resize(2)), await do(empty.size())] == [0, 2, 2]


async def test_taking_numbers(models):
    a = await make(models, odm.NumberArray)
    await do(a.extend([1, 2]))
    await do(a.items())
    assert [await do(a.pop_back()) for _ in range(3)] == [2.0, 1.0, None]
    assert (await do(a.items()), await do(a.size())) == ([], 0)


async def test_many_numbers(models):
    a = await make(models, odm.NumberArray)
    async with round_trips(models, 1):
        await do(a.extend(range(20_000)))
    assert await do(a.items()) == [float(n) for n in range(20_000)]


async def test_numbers_wait_without_a_session(models):
    a = surface(models, odm.NumberArray)()
    assert await do(a.push_back(1)) is a
    assert bytes(a.cache.data) == encoders.CompactDouble().dumps(1)
    await do(models.session().add(models.register(a)))
    assert await do(a.items()) == [1.0]


def test_operators():
    models = odm.Router("memory://")
    a = models.session().add(models.register(odm.NumberArray()))
    a.extend([1, 2, 3])
    a[1] = 9
    assert (len(a), list(a), a[1], a[1:], 9.0 in a) == (3, [1.0, 9.0, 3.0], 9.0, [9.0, 3.0], True)
    s = models.session().add(models.register(odm.String()))
    s.push_back("abc")
    assert (len(s), list(s), s[1:], s[0]) == (3, [97, 98, 99], b"bc", 97)
