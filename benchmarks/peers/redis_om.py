"""redis-om on Redis: hash models. Without RediSearch on the server it can save, get and delete by key alone.

It has no relations, no unique fields and no atomic increments; its keys are texts, so each row has its number twice.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from redis.exceptions import ResponseError
from redis_om import Field, HashModel, Migrator, get_redis_connection

MOST = 100_000
"""Rows of one page, so that no query takes more than one round trip."""


def contestant(url: str) -> Stored:
    """Return the contestant on a server: one that queries if there is RediSearch."""
    connection = get_redis_connection(url=url.partition("?")[0])
    try:
        connection.execute_command("FT._LIST")
    except ResponseError:
        return Stored(connection)
    return Searched(connection)


class Stored:
    """Rows under a prefix of their own, reached by their keys."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection

        class Position(HashModel, index=True):
            pk: str = Field(primary_key=True)
            name: str = Field(index=True)
            ccy: str = Field(index=True)
            sector: str = Field(index=True)
            price: float = Field(index=False)
            size: int = Field(index=True, sortable=True)
            dt: date = Field(index=False)

            class Meta:
                global_key_prefix = "peer"
                model_key_prefix = "position"
                database = connection

        self.model = Position
        self.last = 0

    def _made(self, data: list[dict[str, Any]]) -> list[Any]:
        first, self.last = self.last + 1, self.last + len(data)
        return [self.model(pk=str(id), **values) for id, values in enumerate(data, first)]

    def insert(self, data: list[dict[str, Any]]) -> None:
        if len(data) == 1:
            self._made(data)[0].save()
        else:
            self.model.add(self._made(data))

    def by_key(self, id: int) -> Any:
        return self.model.get(str(id))

    def enlarge(self, ids: list[int]) -> None:
        found = [self.model.get(str(id)) for id in ids]
        for position in found:
            position.size += 1
        self.model.add(found)

    def delete(self, ids: list[int]) -> None:
        self.model.delete_many([self.model.get(str(id)) for id in ids])

    def close(self) -> None:
        pipe = self.connection.pipeline(transaction=False)
        for key in self.connection.scan_iter("peer:*", count=1000):
            pipe.unlink(key)
        pipe.execute()
        self.connection.close()


class Searched(Stored):
    """The same with queries."""

    def __init__(self, connection: Any) -> None:
        super().__init__(connection)
        Migrator().run()

    def by_name(self, name: str) -> Any:
        return self.model.find(self.model.name == name).first()

    def equal(self, ccy: str) -> list[Any]:
        return self.model.find(self.model.ccy == ccy).all(MOST)

    def both(self, ccy: str, sector: str) -> list[Any]:
        return self.model.find((self.model.ccy == ccy) & (self.model.sector == sector)).all(MOST)

    def between(self, low: int, high: int) -> list[Any]:
        return self.model.find((self.model.size >= low) & (self.model.size < high)).all(MOST)

    def count(self, ccy: str) -> int:
        return int(self.model.find(self.model.ccy == ccy).count())

    def first(self, n: int) -> list[Any]:
        return list(self.model.find().sort_by("size").page(0, n))

    def close(self) -> None:
        self.connection.execute_command("FT.DROPINDEX", self.model.Meta.index_name)
        super().close()
