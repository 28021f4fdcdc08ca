"""walrus on Redis; its search index for the search.

It has no bulk insert, no relations, no unique fields, no count, and no limit: an order sorts everything. A save deletes
and writes the whole row.
"""

from __future__ import annotations

import os
from itertools import islice
from typing import Any

from walrus import Database
from walrus.models import AutoIncrementField, DateField, FloatField, IntegerField, Model, TextField

NAMESPACE = "peer"


def contestant(url: str) -> Rows:
    """Return the contestant on a server."""
    return Rows(url)


class Found:
    """A document that was found, as an object."""

    __slots__ = ("id", "text")

    def __init__(self, id: str, stored: dict[str, str]) -> None:
        self.id, self.text = int(id), stored["content"]


class Rows:
    """The rows and structures of a database, under a name of their own."""

    def __init__(self, url: str) -> None:
        database = self.database = Database.from_url(url)

        class Position(Model):
            __database__ = database
            __namespace__ = NAMESPACE
            id = AutoIncrementField()
            name = TextField(index=True)
            ccy = TextField(index=True)
            sector = TextField(index=True)
            price = FloatField()
            size = IntegerField(index=True)
            dt = DateField()

        self.model = Position
        self.queue = database.List(f"{NAMESPACE}|queue")
        self.ranking = database.ZSet(f"{NAMESPACE}|ranking")
        self.hash = database.Hash(f"{NAMESPACE}|hash")
        # words as they are, without stop words
        self.pages = database.Index(f"{NAMESPACE}|pages", stemmer=False, stopwords_file=os.devnull)

    def insert(self, data: list[dict[str, Any]]) -> None:
        for values in data:
            self.model.create(**values)

    def by_key(self, id: int) -> Any:
        return self.model.load(id)

    def by_name(self, name: str) -> Any:
        return self.model.get(self.model.name == name)

    def equal(self, ccy: str) -> list[Any]:
        return sorted(self.model.query(self.model.ccy == ccy), key=_id)

    def both(self, ccy: str, sector: str) -> list[Any]:
        return sorted(self.model.query((self.model.ccy == ccy) & (self.model.sector == sector)), key=_id)

    def between(self, low: int, high: int) -> list[Any]:
        return sorted(self.model.query((self.model.size >= low) & (self.model.size < high)), key=_id)

    def first(self, n: int) -> list[Any]:
        return list(islice(self.model.query(order_by=self.model.size), n))

    def enlarge(self, ids: list[int]) -> None:
        for id in ids:
            position = self.model.load(id)
            position.size += 1
            position.save()

    def increase(self, ids: list[int]) -> None:
        for id in ids:
            self.model.load(id).incr(self.model.size)

    def delete(self, ids: list[int]) -> None:
        for id in ids:
            self.model.load(id).delete()

    def push(self, values: list[bytes]) -> None:
        self.queue.extend(values)

    def pop(self) -> bytes | None:
        return self.queue.popleft()

    def rank(self, pairs: list[tuple[float, bytes]]) -> None:
        self.ranking.add({value: score for score, value in pairs})

    def ranked(self, low: float, high: float) -> list[tuple[float, bytes]]:
        return [(score, value) for value, score in self.ranking.range_by_score(low, high, with_scores=True)]

    def fill(self, pairs: list[tuple[str, bytes]]) -> None:
        self.hash.update(dict(pairs))

    def table(self) -> dict[str, bytes]:
        return {key.decode(): value for key, value in self.hash.as_dict().items()}

    def index(self, texts: list[str]) -> None:
        for id, text in enumerate(texts, 1):
            self.pages.add(id, text)

    def search(self, one: str, other: str) -> list[Found]:
        return sorted((Found(*pair) for pair in self.pages.search_items(f"{one} {other}")), key=_id)

    def best(self, one: str, other: str) -> list[Found]:
        return [Found(*pair) for pair in self.pages.search_items(f"{one} {other}")][:10]

    def close(self) -> None:
        for pattern in (f"{NAMESPACE}|*", f"fts.{NAMESPACE}|*", f"doc.{NAMESPACE}|*"):
            pipe = self.database.pipeline(transaction=False)
            for key in self.database.scan_iter(pattern, count=1000):
                pipe.unlink(key)
            pipe.execute()
        self.database.close()


def _id(found: Any) -> int:
    return int(found.id)
