"""The floor on Redis: hand-written redis-py pipelines for the same work, with hiredis, no unique check, no atomicity.

The layout is what one would write by hand: a hash for each row, a set of ids for each value of an indexed field, a
sorted set for the number. Where an answer needs ids first and rows then, it takes two round trips.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

import redis

from .workload import Row

NAMES = ("name", "ccy", "sector", "price", "size", "dt")


class Pipelines:
    """Rows of a server, under a prefix of their own."""

    def __init__(self, url: str, prefix: str = "floor:") -> None:
        self.client = redis.Redis.from_url(url)
        self.prefix = prefix

    def insert(self, data: list[dict[str, Any]]) -> None:
        p, pipe = self.prefix, self.client.pipeline(transaction=False)
        last = int(self.client.incrby(p + "last", len(data))) - len(data)  # type: ignore[arg-type]
        for id, values in enumerate(data, last + 1):
            stored = {**values, "dt": values["dt"].toordinal()}
            pipe.hset(f"{p}row:{id}", mapping=stored)
            pipe.zadd(p + "all", {str(id): id})
            pipe.sadd(f"{p}name:{values['name']}", id)
            pipe.sadd(f"{p}ccy:{values['ccy']}", id)
            pipe.sadd(f"{p}sector:{values['sector']}", id)
            pipe.zadd(p + "size", {str(id): values["size"]})
        pipe.execute()

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
        return self.load(self.client.smembers(f"{self.prefix}name:{name}"))[0]  # type: ignore[arg-type]

    def equal(self, ccy: str) -> list[Row]:
        return self.load(sorted(self.client.smembers(f"{self.prefix}ccy:{ccy}"), key=int))  # type: ignore[arg-type]

    def both(self, ccy: str, sector: str) -> list[Row]:
        found: Any = self.client.sinter([f"{self.prefix}ccy:{ccy}", f"{self.prefix}sector:{sector}"])
        return self.load(sorted(found, key=int))

    def between(self, low: int, high: int) -> list[Row]:
        found: Any = self.client.zrangebyscore(self.prefix + "size", low, f"({high}")
        return self.load(sorted(found, key=int))

    def count(self, ccy: str) -> int:
        return int(self.client.scard(f"{self.prefix}ccy:{ccy}"))  # type: ignore[arg-type]

    def first(self, n: int) -> list[Row]:
        return self.load(self.client.zrange(self.prefix + "size", 0, n - 1))  # type: ignore[arg-type]

    def enlarge(self, ids: list[int]) -> None:
        pipe = self.client.pipeline(transaction=False)
        for row in self.load(ids):
            pipe.hset(f"{self.prefix}row:{row.id}", "size", row.size + 1)
            pipe.zadd(self.prefix + "size", {str(row.id): row.size + 1})
        pipe.execute()

    def delete(self, ids: list[int]) -> None:
        p, pipe = self.prefix, self.client.pipeline(transaction=False)
        for row in self.load(ids):
            pipe.unlink(f"{p}row:{row.id}")
            pipe.zrem(p + "all", row.id)
            pipe.srem(f"{p}name:{row.name}", row.id)
            pipe.srem(f"{p}ccy:{row.ccy}", row.id)
            pipe.srem(f"{p}sector:{row.sector}", row.id)
            pipe.zrem(p + "size", row.id)
        pipe.execute()

    def close(self) -> None:
        pipe = self.client.pipeline(transaction=False)
        for key in self.client.scan_iter(self.prefix + "*", count=1000):
            pipe.unlink(key)
        pipe.execute()
        self.client.close()


def _row(id: int, values: Any) -> Row:
    name, ccy, sector, price, size, dt = values
    return Row(id, name.decode(), ccy.decode(), sector.decode(), float(price), int(size), date.fromordinal(int(dt)))
