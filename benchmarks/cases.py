"""The cases: what each contestant is asked to do, and how fast ours should be. No timing here, and nothing but the
standard library.

A contestant has one verb for each kind of work, or lacks it; the answers of those who have it are compared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple, Protocol

from .workload import (
    DESKS,
    HELD,
    Points,
    documents,
    elements,
    holdings,
    instruments,
    minute,
    paired,
    points,
    rows,
    scored,
    timed,
    used,
    used_holdings,
    used_instruments,
    used_pairs,
    used_points,
)

Rows = list[dict[str, Any]]
Pairs = list[tuple[float, bytes]]


class Contestant(Protocol):
    """Someone who can store and find rows; reading verbs return objects with one attribute for each value."""

    def insert(self, data: Rows) -> None:
        """Store rows in one step, as objects of the mapper if there are such."""

    def insert_plain(self, data: Rows) -> None:
        """Store rows in one step as they are, without objects, if the mapper has a way to do so."""

    def by_key(self, id: int) -> Any: ...
    def by_name(self, name: str) -> Any: ...
    def equal(self, ccy: str) -> list[Any]: ...
    def both(self, ccy: str, sector: str) -> list[Any]: ...
    def between(self, low: int, high: int) -> list[Any]:
        """Return the rows whose sizes are at least ``low`` and less than ``high``."""

    def count(self, ccy: str) -> int: ...
    def first(self, n: int) -> list[Any]:
        """Return the n rows with the smallest sizes."""

    def enlarge(self, ids: list[int]) -> None:
        """Load rows, add one to the size of each object, and store them in one step."""

    def increase(self, ids: list[int]) -> None:
        """Add one to the size of rows where they are, in one step."""

    def delete(self, ids: list[int]) -> None: ...
    def hold(self, instruments: Rows, holdings: Rows) -> None:
        """Store instruments and what is held of them, in one step."""

    def eager(self, desk: str) -> list[Any]:
        """Return the holdings of a desk, each with its instrument."""

    def across(self, ccy: str) -> list[Any]:
        """Return the holdings whose instruments are in a currency."""

    def cascade(self, ids: list[int]) -> int:
        """Delete instruments with all that is held of them, and return how many holdings that were."""

    def push(self, values: list[bytes]) -> None:
        """Add values at the end of the list, in one step."""

    def pop(self) -> bytes | None:
        """Remove and return the first value of the list."""

    def rank(self, pairs: Pairs) -> None:
        """Add values with their scores to the sorted set, in one step."""

    def ranked(self, low: float, high: float) -> Pairs:
        """Return the pairs of the sorted set with scores between two numbers, ends included."""

    def fill(self, pairs: list[tuple[str, bytes]]) -> None:
        """Add keys and values to the hash table, in one step."""

    def table(self) -> dict[str, bytes]:
        """Return the whole hash table."""

    def record(self, pairs: Pairs) -> None:
        """Add times and values to the series, in one step."""

    def recorded(self, low: float, high: float) -> Pairs:
        """Return the pairs of the series between two times, ends included."""

    def append(self, points: Points) -> None:
        """Store points of a time series of five columns, in one step."""

    def window(self, start: datetime, stop: datetime) -> tuple[list[datetime], dict[str, list[float]]]:
        """Return the times of that series from one to another, both included, and its columns."""

    def index(self, texts: list[str]) -> None:
        """Store documents with the ids 1, 2, … and index their words, in one step."""

    def search(self, one: str, other: str) -> list[Any]:
        """Return the documents with two words."""

    def best(self, one: str, other: str) -> list[Any]:
        """Return the ten documents with two words that a ranking puts first."""

    def close(self) -> None: ...


class Goal(NamedTuple):
    """How many times the floor's time ours may take in memory and on Redis, or how many seconds for one object."""

    memory: float | None = None
    redis: float | None = None
    seconds: float | None = None


class Case(NamedTuple):
    """A row of the table: the work, and what fills the tables for it.

    ``size`` is the number of objects, or calls, that the work is about: the cost of one should not grow with the table.
    ``changes``: the work changes the data, so each repetition needs a new contestant. ``checks`` read what it left.
    """

    name: str
    size: int
    work: Callable[[Any], Any]
    fill: Callable[[Any], Any]
    goal: Goal = Goal()
    changes: bool = False
    checks: tuple[Callable[[Any], Any], ...] = ()


GETS = Goal(6, 1.3)
IN_BULK, RANGES = Goal(5, 1.2), Goal(2, 1.2)
"""Goals of structures."""


def cases(n: int) -> Iterator[Case]:
    """Yield the cases for tables of ``n`` rows."""
    yield from of_rows(n)
    yield from of_relations(n)
    yield from of_points(n)
    yield from of_structures(n)


def each(verb: Callable[..., Any], arguments: list[Any]) -> list[Any]:
    """Call a verb with one argument after the other; that of an asynchronous engine does so in one run of its loop."""
    in_one_run = getattr(verb, "each", None)
    return in_one_run(arguments) if in_one_run else [verb(argument) for argument in arguments]


def empty(who: Contestant) -> None:
    """Fill nothing."""


def of_rows(n: int) -> Iterator[Case]:
    """Yield the cases of one table."""
    data, more = cache(lambda: rows(n)), rows(200, start=n)
    names = [f"name-{i * 37 % n}" for i in range(200)]
    ids = [i * 37 % n + 1 for i in range(200)]
    some = [i + 1 for i in range(0, n, max(1, n // 1000))]

    def full(who: Contestant) -> None:
        who.insert(data())

    def single(who: Contestant) -> None:
        each(who.insert, [[row] for row in more])

    def keys(who: Contestant) -> float:
        return used(each(who.by_key, ids))

    def last(who: Contestant) -> float:
        return used(who.first(20))

    def counted(who: Contestant) -> int:
        return sum(each(who.count, ["C03"] * 100))

    stored = (keys, last, counted)
    yield Case("bulk insert", n, lambda who: who.insert(data()), empty, Goal(6, 1.0), True, stored)
    yield Case("bulk insert, no objects", n, lambda who: who.insert_plain(data()), empty, Goal(), True, stored)
    yield Case("single inserts", 200, single, full, Goal(8, 1.3), True, stored)
    yield Case("gets by key", 200, keys, full, GETS)
    yield Case("gets by unique field", 200, lambda who: used(each(who.by_name, names)), full, GETS)
    yield Case("equality filter", n // 10, lambda who: used(who.equal("C03")), full, Goal(2.5, 0.8))
    yield Case("two filters", n // 60, lambda who: used(who.both("C03", "sector 1")), full, Goal(3, 0.9))
    yield Case("range of 1 %", n // 100, lambda who: used(who.between(0, 10_000)), full, Goal(3, 0.9))
    yield Case("count", 100, counted, full, Goal(None, 1.3, 5e-6))
    yield Case("first 20 by a number", 20, last, full, Goal(4, 1.3))
    yield Case("update", len(some), lambda who: who.enlarge(some), full, Goal(12, 1.0), True, stored)
    yield Case("update, in place", len(some), lambda who: who.increase(some), full, Goal(), True, stored)
    yield Case("delete", len(some), lambda who: who.delete(some), full, Goal(1.6, 1.0), True, (last, counted))


def of_relations(n: int) -> Iterator[Case]:
    """Yield the cases of two tables, of which one refers to the other."""
    few = [i + 1 for i in range(0, n // HELD, max(1, n // 1000))]
    parents, children = cache(lambda: instruments(n)), cache(lambda: holdings(n))

    def held(who: Contestant) -> None:
        who.hold(parents(), children())

    def found(who: Contestant) -> int:
        return used_holdings(who.across("C03"))

    yield Case("eager load", n // 10, lambda who: used_instruments(who.eager(DESKS[3])), held, Goal(3, 0.8))
    yield Case("filter across a key", n // 10, found, held)
    yield Case("cascade", len(few) * HELD, lambda who: who.cascade(few), held, Goal(), True, (found,))


def of_points(n: int) -> Iterator[Case]:
    """Yield the cases of a time series of five columns, of ten points for each row and 100,000 at most."""
    size = min(10 * n, 100_000)
    series, starts = cache(lambda: points(size)), [i * 7919 % (size - 100) for i in range(1000)]

    def appended(who: Contestant) -> None:
        who.append(series())

    def windows(who: Contestant) -> float:
        """Read a thousand windows of a hundred points."""
        return sum(used_points(who.window(minute(start), minute(start + 99))) for start in starts)

    whole = (lambda who: used_points(who.window(minute(0), minute(size))),)
    yield Case("points of five, append", size, appended, empty, IN_BULK, True, whole)
    yield Case("points of five, ranges", 100_000, windows, appended, RANGES)


def of_structures(n: int) -> Iterator[Case]:
    """Yield the cases of structures of ``n`` elements; a range is a hundredth of them."""
    values, scores, pairs, times = (cache(lambda make=make: make(n)) for make in (elements, scored, paired, timed))
    step, minutes = 1_000_003 // 100, n / 100 * 60.0
    low_scores, low_times = [i * 1000 for i in range(1000)], [i * 37 % n * 60.0 for i in range(1000)]

    def pushed(who: Contestant) -> None:
        who.push(values())

    def ranked(who: Contestant) -> None:
        who.rank(scores())

    def filled(who: Contestant) -> None:
        who.fill(pairs())

    def recorded(who: Contestant) -> None:
        who.record(times())

    def read(who: Contestant) -> int:
        return sum(map(len, who.table().values()))

    def by_score(who: Contestant) -> float:
        return sum(used_pairs(who.ranked(low, low + step)) for low in low_scores)

    def by_time(who: Contestant) -> float:
        return sum(used_pairs(who.recorded(low, low + minutes)) for low in low_times)

    pushes = [[value] for value in elements(1000)]

    def push_each(who: Contestant) -> None:
        each(who.push, pushes)

    def pop_each(who: Contestant) -> list[bytes | None]:
        return [who.pop() for _ in range(1000)]

    ahead = (lambda who: who.pop(),)
    yield Case("list, push", n, pushed, empty, IN_BULK, True, ahead)
    yield Case("list, single pushes", 1000, push_each, empty, Goal(), True, ahead)
    yield Case("list, single pops", 1000, pop_each, pushed, Goal(), True)
    yield Case("sorted set, add", n, ranked, empty, IN_BULK, True, (by_score,))
    yield Case("sorted set, ranges", 10 * n, by_score, ranked, RANGES)
    yield Case("hash, fill", n, filled, empty, IN_BULK, True, (read,))
    yield Case("hash, read", n, read, filled, RANGES)
    yield Case("series, append", n, recorded, empty, IN_BULK, True, (by_time,))
    yield Case("series, ranges", 10 * n, by_time, recorded, RANGES)


def searches(n: int) -> Iterator[Case]:
    """Yield the cases of full-text search: a document of fifty words for each five rows."""
    made = cache(lambda: documents(max(1, n // 5)))

    def indexed(who: Contestant) -> None:
        who.index(made()[0])

    def searched(who: Contestant) -> list[str]:
        return [found.text for pair in made()[1] for found in who.search(*pair)]

    def best(who: Contestant) -> int:
        """Return how many there are: each one ranks differently."""
        return sum(len(who.best(*pair)) for pair in made()[1])

    yield Case("index documents", n // 5, indexed, empty, Goal(), True, (searched,))
    yield Case("search for two words", 200, searched, indexed)
    yield Case("the best ten", 200, best, indexed)
