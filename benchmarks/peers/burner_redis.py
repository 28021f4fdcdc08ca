"""burner-redis, an engine in Rust with a part of the commands of Redis: pipelines by hand, as they are in the floor.

It is asynchronous, so each verb runs a loop; cases of many single calls do so once. It takes texts alone as values, and
what it lacks is done otherwise: an intersection and a count read whole sets, and a row is read with all its values.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from datetime import date
from typing import Any

from burner_redis import BurnerRedis

from ..workload import Held, Row, Share

LOOP = asyncio.new_event_loop()


def contestant(url: str) -> Rows:
    """Return the contestant; ``url`` says nothing to it."""
    return Rows()


class Blocking:
    """Makes a verb of a method that is awaited; ``each`` calls it with one argument after the other."""

    def __init__(self, method: Callable[..., Coroutine[Any, Any, Any]]) -> None:
        self.method = method

    def __get__(self, who: Any, owner: Any = None) -> Bound:
        return Bound(self.method, who)


class Bound:
    """The verb of one contestant."""

    def __init__(self, method: Callable[..., Coroutine[Any, Any, Any]], who: Any) -> None:
        self.method = method
        self.who = who

    def __call__(self, *arguments: Any) -> Any:
        return LOOP.run_until_complete(self.method(self.who, *arguments))

    def each(self, arguments: list[Any]) -> list[Any]:
        async def run() -> list[Any]:
            return [await self.method(self.who, argument) for argument in arguments]

        return LOOP.run_until_complete(run())


class Rows:
    """Rows and structures of an engine of their own."""

    def __init__(self) -> None:
        self.client = LOOP.run_until_complete(self._open())

    async def _open(self) -> Any:
        return BurnerRedis()

    @Blocking
    async def insert(self, data: list[dict[str, Any]]) -> None:
        pipe = self.client.pipeline()
        names = [values["name"] for values in data]
        pipe.hincrby("last", "row", len(data))
        for name in names:
            pipe.hget("names", name)
        last, *taken = await pipe.execute()
        if any(taken) or len(set(names)) != len(names):
            raise ValueError("a name is taken")
        pipe = self.client.pipeline()
        for id, values in enumerate(data, last - len(data) + 1):
            key, size = str(id), values["size"]
            stored = {**values, "price": repr(values["price"]), "size": str(size), "dt": str(values["dt"].toordinal())}
            pipe.hset(f"row:{key}", mapping=stored)
            pipe.zadd("all", {key: id})
            pipe.hset("names", values["name"], key)
            pipe.sadd(f"ccy:{values['ccy']}", key)
            pipe.sadd(f"sector:{values['sector']}", key)
            pipe.zadd("size", {key: size})
        await pipe.execute()

    async def _many(self, kind: str, ids: Iterable[Any]) -> list[dict[bytes, bytes]]:
        pipe = self.client.pipeline()
        for id in ids:
            pipe.hgetall(f"{kind}:{id}")
        return await pipe.execute()

    async def _load(self, ids: Iterable[Any]) -> list[Row]:
        ids = [int(id) for id in ids]
        return [_row(id, values) for id, values in zip(ids, await self._many("row", ids), strict=True)]

    @Blocking
    async def by_key(self, id: int) -> Row:
        return _row(id, await self.client.hgetall(f"row:{id}"))

    @Blocking
    async def by_name(self, name: str) -> Row:
        id = await self.client.hget("names", name)
        return _row(int(id), await self.client.hgetall(f"row:{int(id)}"))

    @Blocking
    async def equal(self, ccy: str) -> list[Row]:
        return await self._load(sorted(await self.client.smembers(f"ccy:{ccy}"), key=int))

    @Blocking
    async def both(self, ccy: str, sector: str) -> list[Row]:
        found = await self.client.smembers(f"ccy:{ccy}") & await self.client.smembers(f"sector:{sector}")
        return await self._load(sorted(found, key=int))

    @Blocking
    async def between(self, low: int, high: int) -> list[Row]:
        found = await self.client.zrangebyscore("size", low, high - 1)  # it has no open ends; sizes are whole numbers
        return await self._load(sorted(found, key=int))

    @Blocking
    async def count(self, ccy: str) -> int:
        return len(await self.client.smembers(f"ccy:{ccy}"))

    @Blocking
    async def first(self, n: int) -> list[Row]:
        return await self._load(await self.client.zrange("size", 0, n - 1))

    @Blocking
    async def enlarge(self, ids: list[int]) -> None:
        pipe = self.client.pipeline()
        for row in await self._load(ids):
            pipe.hset(f"row:{row.id}", "size", str(row.size + 1))
            pipe.zadd("size", {str(row.id): row.size + 1})
        await pipe.execute()

    @Blocking
    async def delete(self, ids: list[int]) -> None:
        pipe = self.client.pipeline()
        for row in await self._load(ids):
            id = str(row.id)
            pipe.delete(f"row:{id}")
            pipe.zrem("all", id)
            pipe.hdel("names", row.name)
            pipe.srem(f"ccy:{row.ccy}", id)
            pipe.srem(f"sector:{row.sector}", id)
            pipe.zrem("size", id)
        await pipe.execute()

    @Blocking
    async def hold(self, instruments: list[dict[str, Any]], holdings: list[dict[str, Any]]) -> None:
        pipe = self.client.pipeline()
        for number, values in enumerate(instruments, 1):
            id = str(number)
            pipe.hset(f"share:{id}", mapping={**values, "price": repr(values["price"])})
            pipe.zadd("shares", {id: number})
            pipe.sadd(f"share:name:{values['name']}", id)
            pipe.sadd(f"share:ccy:{values['ccy']}", id)
        for number, values in enumerate(holdings, 1):
            id, share = str(number), str(values["instrument"] + 1)
            pipe.hset(f"held:{id}", mapping={"instrument": share, "desk": values["desk"], "size": str(values["size"])})
            pipe.zadd("held", {id: number})
            pipe.sadd(f"held:share:{share}", id)
            pipe.sadd(f"held:desk:{values['desk']}", id)
            pipe.zadd("held:size", {id: values["size"]})
        await pipe.execute()

    async def _load_held(self, ids: Iterable[Any]) -> list[Held]:
        ids = sorted(int(id) for id in ids)
        return [
            Held(id, int(row[b"instrument"]), row[b"desk"].decode(), int(row[b"size"]))
            for id, row in zip(ids, await self._many("held", ids), strict=True)
        ]

    async def _members(self, keys: Iterable[str]) -> set[bytes]:
        pipe = self.client.pipeline()
        for key in keys:
            pipe.smembers(key)
        return set().union(*await pipe.execute())

    @Blocking
    async def eager(self, desk: str) -> list[Held]:
        found = await self._load_held(await self.client.smembers(f"held:desk:{desk}"))
        ids = list({each.instrument_id for each in found})
        rows = zip(ids, await self._many("share", ids), strict=True)
        shares = {id: Share(id, row[b"name"].decode(), row[b"ccy"].decode(), float(row[b"price"])) for id, row in rows}
        for each in found:
            each.instrument = shares[each.instrument_id]
        return found

    @Blocking
    async def across(self, ccy: str) -> list[Held]:
        shares = await self.client.smembers(f"share:ccy:{ccy}")
        return await self._load_held(await self._members(f"held:share:{int(id)}" for id in shares))

    @Blocking
    async def cascade(self, ids: list[int]) -> int:
        shares = await self._many("share", ids)
        found = await self._load_held(await self._members(f"held:share:{id}" for id in ids))
        pipe = self.client.pipeline()
        for number, share in zip(ids, shares, strict=True):
            id = str(number)
            pipe.delete(f"share:{id}", f"held:share:{id}")
            pipe.zrem("shares", id)
            pipe.srem(f"share:name:{share[b'name'].decode()}", id)
            pipe.srem(f"share:ccy:{share[b'ccy'].decode()}", id)
        for each in found:
            id = str(each.id)
            pipe.delete(f"held:{id}")
            pipe.zrem("held", id)
            pipe.srem(f"held:desk:{each.desk}", id)
            pipe.zrem("held:size", id)
        await pipe.execute()
        return len(found)

    @Blocking
    async def push(self, values: list[bytes]) -> None:
        await self.client.rpush("queue", *values)

    @Blocking
    async def pop(self) -> bytes | None:
        return await self.client.lpop("queue")

    @Blocking
    async def rank(self, pairs: list[tuple[float, bytes]]) -> None:
        await self.client.zadd("ranking", {value: score for score, value in pairs})

    @Blocking
    async def ranked(self, low: float, high: float) -> list[tuple[float, bytes]]:
        found = await self.client.zrangebyscore("ranking", low, high, withscores=True)
        return [(score, member) for member, score in found]

    @Blocking
    async def fill(self, pairs: list[tuple[str, bytes]]) -> None:
        await self.client.hset("hash", mapping=dict(pairs))

    @Blocking
    async def table(self) -> dict[str, bytes]:
        return {key.decode(): value for key, value in (await self.client.hgetall("hash")).items()}

    @Blocking
    async def record(self, pairs: list[tuple[float, bytes]]) -> None:
        await self.client.zadd("series", {b"%.17g:%b" % (time, value): time for time, value in pairs})

    @Blocking
    async def recorded(self, low: float, high: float) -> list[tuple[float, bytes]]:
        found = await self.client.zrangebyscore("series", low, high, withscores=True)
        return [(time, member.partition(b":")[2]) for member, time in found]

    @Blocking
    async def close(self) -> None:
        await self.client.aclose()


def _row(id: int, values: dict[bytes, bytes]) -> Row:
    return Row(
        id,
        values[b"name"].decode(),
        values[b"ccy"].decode(),
        values[b"sector"].decode(),
        float(values[b"price"]),
        int(values[b"size"]),
        date.fromordinal(int(values[b"dt"])),
    )
