"""Full-text search: index 2,000 documents of 50 words in one commit, then 200 searches for two words.

``python -m benchmarks.search`` prints medians in memory beside two floors: a dict of postings, and SQLite's FTS5 by the
standard library, without a mapper. With ``--url redis://…`` the floor is hand-written pipelines of redis-py on the same
server.
"""

from __future__ import annotations

import argparse
import gc
import random
import sqlite3
import statistics
from collections.abc import Callable, Iterator
from time import perf_counter
from typing import Any
from uuid import uuid4

from stdnet import odm
from stdnet.apps.searchengine import SearchEngine

DOCUMENTS, WORDS, SEARCHES, VOCABULARY = 2000, 50, 200, 5000


class Page(odm.StdModel):
    """A document."""

    text = odm.CharField()

    class Meta:
        app_label = "benchmarks"


class Text:
    """A document of a floor."""

    __slots__ = ("id", "text")

    def __init__(self, id: int, text: str) -> None:
        self.id, self.text = id, text


def workload() -> tuple[list[str], list[tuple[str, str]]]:
    """Return documents, their words as frequent as words are, and pairs of words that stand together somewhere.

    Nobody looks for the hundred most frequent words, which a list of stop words has.
    """
    chance = random.Random(7)
    syllables = [a + b for a in "bdfgklmnprstvz" for b in ("a", "e", "i", "o", "u", "an", "er", "ol")]
    known = sorted({"".join(chance.choices(syllables, k=chance.randint(2, 4))) for _ in range(VOCABULARY * 2)})
    chance.shuffle(known)
    known = known[:VOCABULARY]
    weights = [1 / (n + 5) for n in range(VOCABULARY)]
    documents = [chance.choices(known, weights, k=WORDS) for _ in range(DOCUMENTS)]
    common = set(known[:100])
    rare = [sorted(set(words) - common) for words in documents]
    pairs = [tuple(chance.sample(chance.choice(rare), 2)) for _ in range(SEARCHES)]
    return [" ".join(words) for words in documents], pairs  # type: ignore[return-value]


class Mapper:
    """stdnet."""

    def __init__(self, url: str, **options: Any) -> None:
        self.models = odm.Router(url)
        engine = SearchEngine(**options)
        self.models.set_search_engine(engine)
        engine.register(Page)
        self.models[Page].flush()

    def index(self, documents: list[str]) -> None:
        with self.models.session().begin() as transaction:
            for text in documents:
                transaction.add(Page(text=text))

    def search(self, one: str, other: str) -> list[Any]:
        return self.models[Page].search(f"{one} {other}").all()

    def ranked(self, one: str, other: str) -> list[Any]:
        return self.models[Page].search(f"{one} {other}").ranked()[:10]

    def close(self) -> None:
        self.models[Page].flush()


class Postings:
    """Sets of numbers by word, in a dict."""

    def index(self, documents: list[str]) -> None:
        self.texts, self.words = dict(enumerate(documents, 1)), {}
        for id, text in self.texts.items():
            for word in text.split():
                self.words.setdefault(word, set()).add(id)

    def search(self, one: str, other: str) -> list[Text]:
        return [Text(id, self.texts[id]) for id in sorted(self.words[one] & self.words[other])]

    def close(self) -> None:
        """Nothing to close."""


class Fts5:
    """SQLite's full-text search; a plain table for the rows, as a mapper would have."""

    def __init__(self) -> None:
        self.base = sqlite3.connect(":memory:")
        self.base.execute("CREATE TABLE page (id INTEGER PRIMARY KEY, text TEXT)")
        self.base.execute("CREATE VIRTUAL TABLE found USING fts5(text, content='page', content_rowid='id')")

    def index(self, documents: list[str]) -> None:
        with self.base:
            self.base.executemany("INSERT INTO page VALUES (?, ?)", enumerate(documents, 1))
            self.base.executemany("INSERT INTO found (rowid, text) VALUES (?, ?)", enumerate(documents, 1))

    def search(self, one: str, other: str) -> list[Text]:
        sql = "SELECT page.id, page.text FROM found JOIN page ON page.id = found.rowid WHERE found MATCH ? ORDER BY id"
        return [Text(*row) for row in self.base.execute(sql, (f"{one} {other}",))]

    def ranked(self, one: str, other: str) -> list[Text]:
        sql = "SELECT page.id, page.text FROM found JOIN page ON page.id = found.rowid WHERE found MATCH ? "
        return [Text(*row) for row in self.base.execute(sql + "ORDER BY rank LIMIT 10", (f"{one} {other}",))]

    def close(self) -> None:
        self.base.close()


class Pipeline:
    """A hash for each document and a set for each word, written and read by pipelines of redis-py."""

    def __init__(self, url: str) -> None:
        import redis  # not needed for memory

        self.client: Any = redis.Redis.from_url(url.partition("?")[0])
        self.prefix = f"floor-{uuid4().hex[:8]}:"

    def index(self, documents: list[str]) -> None:
        pipe = self.client.pipeline(transaction=False)
        for id, text in enumerate(documents, 1):
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


def contestants(url: str) -> dict[str, Callable[[], Any]]:
    """Return what makes each contestant: ours with words as they are, with stems and sounds, and the floors."""
    made: dict[str, Callable[[], Any]] = {
        "stdnet, words": lambda: Mapper(url, stemming=False, metaphone=False, stop_words=()),
        "stdnet, stems, sounds": lambda: Mapper(url),
    }
    if not url.startswith("memory:"):
        return {**made, "redis-py pipeline": lambda: Pipeline(url)}
    floors: dict[str, Callable[[], Any]] = {"dict of postings": Postings}
    try:
        Fts5().close()
    except sqlite3.OperationalError:  # compiled without it
        return {**made, **floors}
    return {**made, **floors, "SQLite FTS5": Fts5}


def timed(who: Any, documents: list[str], pairs: list[tuple[str, str]]) -> Iterator[float]:
    """Yield the seconds of a document, of a search, and of a ranked search for ten, if there are any."""
    gc.collect()
    gc.disable()
    try:
        began = perf_counter()
        who.index(documents)
        yield (perf_counter() - began) / len(documents)
        for name in ("search", "ranked"):
            verb = getattr(who, name, None)
            if verb is None:
                yield float("nan")
                continue
            began = perf_counter()
            for pair in pairs:
                verb(*pair)
            yield (perf_counter() - began) / len(pairs)
    finally:
        gc.enable()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.search", description=__doc__)
    parser.add_argument("--url", default="memory://", help="the database (default: memory://)")
    parser.add_argument("-r", "--repeat", type=int, default=5, help="repetitions (default: 5)")
    options = parser.parse_args()
    documents, pairs = workload()
    spent: dict[str, list[tuple[float, ...]]] = {}
    for _ in range(options.repeat):
        answers = {}
        for name, make in contestants(options.url).items():
            who = make()
            spent.setdefault(name, []).append(tuple(timed(who, documents, pairs)))
            if "sounds" not in name:
                answers[name] = [[each.text for each in who.search(*pair)] for pair in pairs]
            who.close()
        assert len(set(map(repr, answers.values()))) == 1, "the answers differ"
    scheme = options.url.partition(":")[0]
    print(f"{DOCUMENTS:,} documents of {WORDS} words on {scheme}, {SEARCHES} searches for two words")
    print(f"{'':<24}{'document':>12}{'search':>12}{'ranked':>12}")
    for name, times in spent.items():
        print(f"{name:<24}" + "".join(f"{statistics.median(part) * 1e6:>9.0f} µs" for part in zip(*times, strict=True)))


if __name__ == "__main__":
    main()
