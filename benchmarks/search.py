"""Full-text search: ours with words as they are and with stems and sounds, and the floors.

The floors in memory are a dict of postings and SQLite's FTS5 by the standard library, without a mapper; that on Redis
is hand-written pipelines.
"""

from __future__ import annotations

import sqlite3
from typing import Any

from stdnet import odm
from stdnet.apps.searchengine import SearchEngine

from .models import Page


class Text:
    """A document of a floor."""

    __slots__ = ("id", "text")

    def __init__(self, id: int, text: str) -> None:
        self.id, self.text = id, text


def words(url: str) -> Searcher:
    """Return ours with words as they are: what everyone else does."""
    return Searcher(url, stemming=False, metaphone=False, stop_words=())


def stems(url: str) -> Searcher:
    """Return ours as it is without options: it finds more. Both may be on one server at a time."""
    return Searcher(f"{url}?namespace=stems.")


class Searcher:
    """stdnet."""

    def __init__(self, url: str, **options: Any) -> None:
        self.models = odm.Router(url)
        engine = SearchEngine(**options)
        self.models.set_search_engine(engine)
        engine.register(Page)
        self.models[Page].flush()

    def index(self, texts: list[str]) -> None:
        with self.models.session().begin() as transaction:
            for text in texts:
                transaction.add(Page(text=text))

    def search(self, one: str, other: str) -> list[Any]:
        return self.models[Page].search(f"{one} {other}").all()

    def best(self, one: str, other: str) -> list[Any]:
        return self.models[Page].search(f"{one} {other}").ranked()[:10]

    def close(self) -> None:
        self.models[Page].flush()
        self.models.close()


class Postings:
    """Sets of numbers by word, in a dict."""

    def __init__(self, url: str) -> None:
        self.texts: dict[int, str] = {}
        self.words: dict[str, set[int]] = {}

    def index(self, texts: list[str]) -> None:
        self.texts = dict(enumerate(texts, 1))
        for id, text in self.texts.items():
            for word in text.split():
                self.words.setdefault(word, set()).add(id)

    def search(self, one: str, other: str) -> list[Text]:
        return [Text(id, self.texts[id]) for id in sorted(self.words[one] & self.words[other])]

    def close(self) -> None:
        """Nothing to close."""


class Fts5:
    """SQLite's full-text search; a plain table for the rows, as a mapper would have."""

    def __init__(self, url: str) -> None:
        self.base = sqlite3.connect(":memory:")
        self.base.execute("CREATE TABLE page (id INTEGER PRIMARY KEY, text TEXT)")
        self.base.execute("CREATE VIRTUAL TABLE found USING fts5(text, content='page', content_rowid='id')")

    def index(self, texts: list[str]) -> None:
        with self.base:
            self.base.executemany("INSERT INTO page VALUES (?, ?)", enumerate(texts, 1))
            self.base.executemany("INSERT INTO found (rowid, text) VALUES (?, ?)", enumerate(texts, 1))

    def search(self, one: str, other: str) -> list[Text]:
        sql = "SELECT page.id, page.text FROM found JOIN page ON page.id = found.rowid WHERE found MATCH ? ORDER BY id"
        return [Text(*row) for row in self.base.execute(sql, (f"{one} {other}",))]

    def best(self, one: str, other: str) -> list[Text]:
        sql = "SELECT page.id, page.text FROM found JOIN page ON page.id = found.rowid WHERE found MATCH ? "
        return [Text(*row) for row in self.base.execute(sql + "ORDER BY rank LIMIT 10", (f"{one} {other}",))]

    def close(self) -> None:
        self.base.close()


class Pipeline:
    """A hash for each document and a set for each word, written and read by pipelines of redis-py."""

    prefix = "floor-search:"

    def __init__(self, url: str) -> None:
        import redis  # not needed for memory

        self.client: Any = redis.Redis.from_url(url.partition("?")[0])

    def index(self, texts: list[str]) -> None:
        pipe = self.client.pipeline(transaction=False)
        for id, text in enumerate(texts, 1):
            pipe.hset(f"{self.prefix}page:{id}", "text", text)
            for word in set(text.split()):
                pipe.sadd(f"{self.prefix}word:{word}", id)
        pipe.execute()

    def search(self, one: str, other: str) -> list[Text]:
        ids = sorted(map(int, self.client.sinter(f"{self.prefix}word:{one}", f"{self.prefix}word:{other}")))
        pipe = self.client.pipeline(transaction=False)
        for id in ids:
            pipe.hget(f"{self.prefix}page:{id}", "text")
        return [Text(id, text.decode()) for id, text in zip(ids, pipe.execute(), strict=True)]

    def close(self) -> None:
        for key in self.client.scan_iter(f"{self.prefix}*", count=1000):
            self.client.unlink(key)
        self.client.close()
