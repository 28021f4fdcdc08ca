"""The cases: what each contestant is asked to do. A contestant has one verb for each; answers are compared."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from .workload import (
    DESKS,
    HELD,
    Points,
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
        """Store rows in one step."""

    def by_key(self, id: int) -> Any: ...
    def by_name(self, name: str) -> Any: ...
    def equal(self, ccy: str) -> list[Any]: ...
    def both(self, ccy: str, sector: str) -> list[Any]: ...
    def between(self, low: int, high: int) -> list[Any]: ...
    def count(self, ccy: str) -> int: ...
    def first(self, n: int) -> list[Any]:
        """Return the n rows with the smallest sizes."""

    def enlarge(self, ids: list[int]) -> None:
        """Add one to the size of rows, in one step."""

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

    def close(self) -> None: ...


class Case(NamedTuple):
    """A row of the table: the work, and what fills the tables for it.

    ``changes``: the work changes the data, so each repetition needs a new contestant.
    """

    name: str
    work: Callable[[Any], Any]
    fill: Callable[[Any], Any]
    changes: bool = False


def cases(n: int) -> Iterator[Case]:
    """Yield the cases for tables of ``n`` rows."""
    data, more = rows(n), rows(n + 200)[n:]
    series, starts = points(10 * n), [i * 7919 % (10 * n - 100) for i in range(1000)]
    names = [f"name-{i * 37 % n}" for i in range(200)]
    ids = [i * 37 % n + 1 for i in range(200)]
    some = [i + 1 for i in range(0, n, max(1, n // 1000))]
    few = [i + 1 for i in range(0, n // HELD, max(1, n // 1000))]

    def empty(who: Contestant) -> None:
        """Fill nothing."""

    def full(who: Contestant) -> None:
        who.insert(data)

    def appended(who: Contestant) -> None:
        who.append(series)

    def windows(who: Contestant) -> float:
        """Read a thousand windows of a hundred points."""
        return sum(used_points(who.window(minute(start), minute(start + 99))) for start in starts)

    def held(who: Contestant) -> None:
        who.hold(instruments(n), holdings(n))

    yield Case(f"bulk insert of {n:,}", lambda who: who.insert(data), empty, changes=True)
    yield Case("200 single inserts", lambda who: [who.insert([row]) for row in more], full, changes=True)
    yield Case("200 gets by key", lambda who: used([who.by_key(id) for id in ids]), full)
    yield Case("200 gets by unique field", lambda who: used([who.by_name(name) for name in names]), full)
    yield Case("equality filter, a tenth", lambda who: used(who.equal("C03")), full)
    yield Case("intersection, a sixtieth", lambda who: used(who.both("C03", "sector 1")), full)
    yield Case("range of 1 %", lambda who: used(who.between(0, 10_000)), full)
    yield Case("100 counts", lambda who: sum(who.count("C03") for _ in range(100)), full)
    yield Case("first 20 by a number", lambda who: used(who.first(20)), full)
    yield Case(f"update of {len(some):,}", lambda who: who.enlarge(some), full, changes=True)
    yield Case(f"delete of {len(some):,}", lambda who: who.delete(some), full, changes=True)
    yield Case("a tenth with instruments", lambda who: used_instruments(who.eager(DESKS[3])), held)
    yield Case("filter across a key", lambda who: used_holdings(who.across("C03")), held)
    yield Case(f"append {len(series):,} points of 5", lambda who: who.append(series), empty, changes=True)
    yield Case("1,000 ranges of 100 points", windows, appended)
    yield Case(f"cascade of {len(few) * HELD:,}", lambda who: who.cascade(few), held, changes=True)
    yield from structures(n)


def structures(n: int) -> Iterator[Case]:
    """Yield the cases for structures of ``n`` elements; a range is a hundredth of them."""
    values, scores, pairs, times = elements(n), scored(n), paired(n), timed(n)
    step, minutes = 1_000_003 // 100, n / 100 * 60.0
    low_scores, low_times = [i * 1000 for i in range(1000)], [times[i * 37 % n][0] for i in range(1000)]

    def empty(who: Contestant) -> None:
        """Fill nothing."""

    yield Case(f"push of {n:,}", lambda who: who.push(values), empty, changes=True)
    yield Case("1,000 pushes", lambda who: [who.push([value]) for value in values[:1000]], empty, changes=True)
    yield Case("1,000 pops", lambda who: [who.pop() for _ in range(1000)], lambda who: who.push(values), changes=True)
    yield Case(f"sorted set, add {n:,}", lambda who: who.rank(scores), empty, changes=True)
    yield Case(
        "1,000 score ranges",
        lambda who: sum(used_pairs(who.ranked(low, low + step)) for low in low_scores),
        lambda who: who.rank(scores),
    )
    yield Case(f"hash fill of {n:,}", lambda who: who.fill(pairs), empty, changes=True)
    yield Case("hash read", lambda who: sum(map(len, who.table().values())), lambda who: who.fill(pairs))
    yield Case(f"series append of {n:,}", lambda who: who.record(times), empty, changes=True)
    yield Case(
        "1,000 time ranges",
        lambda who: sum(used_pairs(who.recorded(low, low + minutes)) for low in low_times),
        lambda who: who.record(times),
    )
