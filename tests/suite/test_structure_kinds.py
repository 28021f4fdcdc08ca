"""A kind of an application: its operations, its structures and its field, without a change of a backend."""

from __future__ import annotations

from collections import Counter
from typing import Any

from stdnet import odm
from stdnet.contract import Operation, kind
from stdnet.odm.runner import Program

from ..conftest import do, round_trips, transaction
from .structures import make


class Container(Counter[bytes]):
    """Values and how often each was added."""

    def add(self, *values: bytes) -> None:
        self.update(values)

    def size(self) -> int:
        return self.total() if hasattr(self, "total") else sum(self.values())

    def items(self) -> Any:
        return [[value, self[value]] for value in sorted(self)]

    def most(self) -> Any:
        return min(((-count, value) for value, count in super().items()), default=(0, None))[1]


BAG = kind(
    "suitebag",
    [
        Operation("add", "none", "makes", commits=True),
        Operation("size", "int"),
        Operation("items", "raw"),
        Operation("most", "raw"),
    ],
    container=Container,
    lua="""kinds.suitebag = {
    add = function(key, a)
        for i = 1, #a do redis.call('HINCRBY', key, a[i], 1) end
    end,
    size = function(key)
        local sum = 0
        for _, each in ipairs(redis.call('HVALS', key)) do sum = sum + tonumber(each) end
        return sum
    end,
    items = function(key)
        local flat, found = redis.call('HGETALL', key), {}
        for i = 1, #flat, 2 do found[#found + 1] = {flat[i], tonumber(flat[i + 1])} end
        table.sort(found, function(a, b) return a[1] < b[1] end)
        return found
    end,
    most = function(key)
        local flat, best, top = redis.call('HGETALL', key), false, 0
        for i = 1, #flat, 2 do
            local times = tonumber(flat[i + 1])
            if times > top or (times == top and flat[i] < best) then best, top = flat[i], times end
        end
        return best
    end,
}
""",
    type="hash",
)


class BagCache(odm.StructureCache):
    def reset(self):
        self.added = []

    def add(self, values):
        self.added += values

    def waiting(self):
        return [("add", tuple(self.added))] if self.added else []


class BagBase(odm.Structure):
    kind = BAG
    cache_class = BagCache

    @odm.commit_when_no_transaction
    def add(self, *values):
        self.cache.add(self._dump_all(values, "add"))

    @odm.verb
    def most(self) -> Program[Any]:
        data = yield from self._read("most")
        return None if data is None else (yield from self._decode([data]))[0]

    def _encoded(self, raw):
        return [value for value, _ in raw]

    def _assembled(self, raw, values):
        return dict(zip(values, (count for _, count in raw), strict=True))

    @odm.verb
    def items(self) -> Program[dict[Any, int]]:
        return dict((yield from self._loaded()))


class Bag(BagBase, odm.BlockingStructure):
    pass


class AsyncBag(BagBase, odm.AwaitingStructure):
    pass


odm.twins(Bag, AsyncBag)


class BagField(odm.StructureField):
    def structure_class(self):
        return Bag


class Basket(odm.StdModel):
    name = odm.SymbolField()
    fruit = BagField()

    class Meta:
        app_label = "suite"


MODELS = [Basket]


async def test_on_its_own(models):
    bag = await make(models, Bag)
    assert (bag._meta.name, await do(bag.most())) == ("suitebag", None)
    assert (await do(bag.items()), await do(bag.size())) == ({}, 0)
    assert await do(bag.add("pear", "fig", "pear")) is bag
    assert await do(bag.most()) == "pear"
    assert (await do(bag.items()), await do(bag.size())) == ({"fig": 1, "pear": 2}, 2)
    assert await do(bag.session.delete(bag)) is None
    assert await do(bag.size()) == 0


async def test_beside_a_row(models):
    row = await do(models[Basket].new(name="one"))
    async with transaction(row.session) as t:
        await do(row.fruit.add("fig"))
        await do(row.fruit.add("pear", "fig"))
        row.name = "two"
        t.add(row)
        assert await do(row.fruit.size()) == 0
    assert await do(row.fruit.size()) == 3
    async with round_trips(models, 1):
        (found,) = await do(models[Basket].query().load_related("fruit").all())
        assert (found.name, await do(found.fruit.items())) == ("two", {"fig": 2, "pear": 1})
    await do(row.session.delete(row))
    assert await do(found.fruit.most()) is None
    assert not [key for key in await do(models.basket.keys()) if "obj" in key]
