"""The floor on Redis: hand-written redis-py pipelines for the same work, with hiredis and without atomicity.

The layout is what one would write by hand: a hash for each row, a hash of ids by unique name, a set of ids for each
value of an indexed field, a sorted set for the number. Where an answer needs ids first and rows then, it takes two
round trips; so does an insert, which asks for ids and whether the names are free first.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from struct import Struct
from typing import Any

from .workload import COLUMNS, Held, Points, Row, Share

NAMES = ("name", "ccy", "sector", "price", "size", "dt")
SHARE = ("name", "ccy", "price")
HELD = ("instrument", "desk", "size")
EPOCH = datetime(1970, 1, 1)
POINT = Struct("<6d")


def contestant(url: str) -> Pipelines:
    """Return the floor on a server."""
    import redis  # the pipelines can do with any client that looks like one of redis-py

    return Pipelines(redis.Redis.from_url(url.partition("?")[0]))


class Pipelines:
    """Rows of a server, or of an engine in the process with the same interface, under a prefix of their own."""

    def __init__(self, client: Any, prefix: str = "floor:") -> None:
        self.client = client
        self.prefix = prefix

    def insert(self, data: list[dict[str, Any]]) -> None:
        p, pipe = self.prefix, self.client.pipeline(transaction=False)
        names = [values["name"] for values in data]
        last, taken = pipe.incrby(p + "last", len(data)).hmget(p + "names", names).execute()
        if any(taken) or len(set(names)) != len(names):
            raise ValueError("a name is taken")
        for id, values in enumerate(data, last - len(data) + 1):
            stored = {**values, "dt": values["dt"].toordinal()}
            pipe.hset(f"{p}row:{id}", mapping=stored)
            pipe.zadd(p + "all", {str(id): id})
            pipe.hset(p + "names", values["name"], id)
            pipe.sadd(f"{p}ccy:{values['ccy']}", id)
            pipe.sadd(f"{p}sector:{values['sector']}", id)
            pipe.zadd(p + "size", {str(id): values["size"]})
        pipe.execute()

    def insert_plain(self, data: list[dict[str, Any]]) -> None:
        self.insert(data)

    def load(self, ids: Iterable[Any]) -> list[Row]:
        """Make an object for each id, in the given order."""
        ids = [int(id) for id in ids]
        pipe = self.client.pipeline(transaction=False)
        for id in ids:
            pipe.hmget(f"{self.prefix}row:{id}", NAMES)
        return [_row(id, values) for id, values in zip(ids, pipe.execute(), strict=True)]

    def by_key(self, id: int) -> Row:
        return _row(id, self.client.hmget(f"{self.prefix}row:{id}", NAMES))

    def by_name(self, name: str) -> Row:
        return self.by_key(int(self.client.hget(self.prefix + "names", name)))

    def equal(self, ccy: str) -> list[Row]:
        return self.load(sorted(self.client.smembers(f"{self.prefix}ccy:{ccy}"), key=int))

    def both(self, ccy: str, sector: str) -> list[Row]:
        found: Any = self.client.sinter([f"{self.prefix}ccy:{ccy}", f"{self.prefix}sector:{sector}"])
        return self.load(sorted(found, key=int))

    def between(self, low: int, high: int) -> list[Row]:
        found: Any = self.client.zrangebyscore(self.prefix + "size", low, f"({high}")
        return self.load(sorted(found, key=int))

    def count(self, ccy: str) -> int:
        return int(self.client.scard(f"{self.prefix}ccy:{ccy}"))

    def first(self, n: int) -> list[Row]:
        return self.load(self.client.zrange(self.prefix + "size", 0, n - 1))

    def enlarge(self, ids: list[int]) -> None:
        pipe = self.client.pipeline(transaction=False)
        for row in self.load(ids):
            pipe.hset(f"{self.prefix}row:{row.id}", "size", row.size + 1)
            pipe.zadd(self.prefix + "size", {str(row.id): row.size + 1})
        pipe.execute()

    def increase(self, ids: list[int]) -> None:
        pipe = self.client.pipeline(transaction=False)
        for id in ids:
            pipe.hincrby(f"{self.prefix}row:{id}", "size", 1)
            pipe.zincrby(self.prefix + "size", 1, str(id))
        pipe.execute()

    def delete(self, ids: list[int]) -> None:
        p, pipe = self.prefix, self.client.pipeline(transaction=False)
        for row in self.load(ids):
            pipe.unlink(f"{p}row:{row.id}")
            pipe.zrem(p + "all", row.id)
            pipe.hdel(p + "names", row.name)
            pipe.srem(f"{p}ccy:{row.ccy}", row.id)
            pipe.srem(f"{p}sector:{row.sector}", row.id)
            pipe.zrem(p + "size", row.id)
        pipe.execute()

    def hold(self, instruments: list[dict[str, Any]], holdings: list[dict[str, Any]]) -> None:
        p, pipe = self.prefix, self.client.pipeline(transaction=False)
        for id, values in enumerate(instruments, 1):
            pipe.hset(f"{p}share:{id}", mapping=values)
            pipe.zadd(p + "shares", {str(id): id})
            pipe.sadd(f"{p}share:name:{values['name']}", id)
            pipe.sadd(f"{p}share:ccy:{values['ccy']}", id)
        for id, values in enumerate(holdings, 1):
            share = values["instrument"] + 1
            pipe.hset(f"{p}held:{id}", mapping={**values, "instrument": share})
            pipe.zadd(p + "held", {str(id): id})
            pipe.sadd(f"{p}held:share:{share}", id)
            pipe.sadd(f"{p}held:desk:{values['desk']}", id)
            pipe.zadd(p + "held:size", {str(id): values["size"]})
        pipe.execute()

    def load_held(self, ids: Iterable[Any]) -> list[Held]:
        """Make an object for each holding, in the given order."""
        ids = [int(id) for id in ids]
        rows = self._many("held", ids, HELD)
        return [Held(id, int(row[0]), row[1].decode(), int(row[2])) for id, row in zip(ids, rows, strict=True)]

    def _many(self, kind: str, ids: Iterable[int], names: tuple[str, ...]) -> list[Any]:
        pipe = self.client.pipeline(transaction=False)
        for id in ids:
            pipe.hmget(f"{self.prefix}{kind}:{id}", names)
        return pipe.execute()

    def _members(self, keys: Iterable[str]) -> list[Any]:
        among = list(keys)
        return sorted(self.client.sunion(among), key=int) if among else []

    def eager(self, desk: str) -> list[Held]:
        found = self.load_held(self._members([f"{self.prefix}held:desk:{desk}"]))
        ids = list({each.instrument_id for each in found})
        rows = zip(ids, self._many("share", ids, SHARE), strict=True)
        shares = {id: Share(id, name.decode(), ccy.decode(), float(price)) for id, (name, ccy, price) in rows}
        for each in found:
            each.instrument = shares[each.instrument_id]
        return found

    def across(self, ccy: str) -> list[Held]:
        shares = self._members([f"{self.prefix}share:ccy:{ccy}"])
        return self.load_held(self._members(f"{self.prefix}held:share:{int(id)}" for id in shares))

    def cascade(self, ids: list[int]) -> int:
        p, shares = self.prefix, self._many("share", ids, SHARE)
        found = self.load_held(self._members(f"{p}held:share:{id}" for id in ids))
        pipe = self.client.pipeline(transaction=False)
        for id, (name, ccy, _) in zip(ids, shares, strict=True):
            pipe.unlink(f"{p}share:{id}", f"{p}held:share:{id}")
            pipe.zrem(p + "shares", id)
            pipe.srem(f"{p}share:name:{name.decode()}", id)
            pipe.srem(f"{p}share:ccy:{ccy.decode()}", id)
        for each in found:
            pipe.unlink(f"{p}held:{each.id}")
            pipe.zrem(p + "held", each.id)
            pipe.srem(f"{p}held:desk:{each.desk}", each.id)
            pipe.zrem(p + "held:size", each.id)
        pipe.execute()
        return len(found)

    def push(self, values: list[bytes]) -> None:
        self.client.rpush(self.prefix + "queue", *values)

    def pop(self) -> bytes | None:
        return self.client.lpop(self.prefix + "queue")

    def rank(self, pairs: list[tuple[float, bytes]]) -> None:
        self.client.zadd(self.prefix + "ranking", {value: score for score, value in pairs})

    def ranked(self, low: float, high: float) -> list[tuple[float, bytes]]:
        return self._between("ranking", low, high)

    def _between(self, key: str, low: float, high: float) -> list[tuple[float, bytes]]:
        found: Any = self.client.zrangebyscore(self.prefix + key, low, high, withscores=True)
        return [(number, member) for member, number in found]

    def fill(self, pairs: list[tuple[str, bytes]]) -> None:
        self.client.hset(self.prefix + "hash", mapping=dict(pairs))

    def table(self) -> dict[str, bytes]:
        found: Any = self.client.hgetall(self.prefix + "hash")
        return {key.decode(): value for key, value in found.items()}

    def record(self, pairs: list[tuple[float, bytes]]) -> None:
        """Add a member ``time:value`` for each pair, so that equal values at two times are two; none is replaced."""
        self.client.zadd(self.prefix + "series", {b"%.17g:%b" % (time, value): time for time, value in pairs})

    def recorded(self, low: float, high: float) -> list[tuple[float, bytes]]:
        return [(time, member.partition(b":")[2]) for time, member in self._between("series", low, high)]

    def append(self, points: Points) -> None:
        pipe = self.client.pipeline(transaction=False)
        for start in range(0, len(points), 1000):
            members: dict[bytes, float] = {}
            for time, values in points[start : start + 1000]:
                number = (time - EPOCH).total_seconds()
                members[POINT.pack(number, *(values[name] for name in COLUMNS))] = number
            pipe.zadd(self.prefix + "bars", members)
        pipe.execute()

    def window(self, start: datetime, stop: datetime) -> tuple[list[datetime], dict[str, list[float]]]:
        low, high = (start - EPOCH).total_seconds(), (stop - EPOCH).total_seconds()
        found: Any = self.client.zrangebyscore(self.prefix + "bars", low, high)
        times, *columns = zip(*map(POINT.unpack, found), strict=True)
        moments = [EPOCH + timedelta(seconds=time) for time in times]
        return moments, dict(zip(COLUMNS, map(list, columns), strict=True))

    def close(self) -> None:
        pipe = self.client.pipeline(transaction=False)
        for key in self.client.scan_iter(self.prefix + "*", count=1000):
            pipe.unlink(key)
        pipe.execute()
        self.client.close()


def _row(id: int, values: Any) -> Row:
    name, ccy, sector, price, size, dt = values
    return Row(id, name.decode(), ccy.decode(), sector.decode(), float(price), int(size), date.fromordinal(int(dt)))
