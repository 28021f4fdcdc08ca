"""The data that every contestant stores, and what it is as plain objects. No timing here, and nothing but the standard
library: the environments of the peers have no stdnet."""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta
from typing import Any, TypeAlias

CURRENCIES = tuple(f"C{n:02}" for n in range(10))
SECTORS = tuple(f"sector {n}" for n in range(6))
DESKS = tuple(f"desk {n}" for n in range(10))
HELD = 10
"""Holdings of each instrument."""
_FIRST_DAY = date(2000, 1, 1)
_FIRST_MINUTE = datetime(2024, 1, 1)
COLUMNS = ("open", "high", "low", "close", "volume")
Points: TypeAlias = list[tuple[datetime, dict[str, float]]]
"""Points of a time series: a time, and a number for each column."""


class Row:
    """A plain object, which the floors make of each row that is read."""

    def __init__(self, id: int, name: str, ccy: str, sector: str, price: float, size: int, dt: date) -> None:
        self.id = id
        self.name = name
        self.ccy = ccy
        self.sector = sector
        self.price = price
        self.size = size
        self.dt = dt


class Share:
    """A plain instrument."""

    def __init__(self, id: int, name: str, ccy: str, price: float) -> None:
        self.id = id
        self.name = name
        self.ccy = ccy
        self.price = price


class Held:
    """A plain holding; ``instrument`` is there if it was asked for."""

    instrument: Share

    def __init__(self, id: int, instrument_id: int, desk: str, size: int) -> None:
        self.id = id
        self.instrument_id = instrument_id
        self.desk = desk
        self.size = size


def rows(n: int, start: int = 0) -> list[dict[str, Any]]:
    """Return ``n`` rows, the same ones each time; a tenth has each currency, a sixtieth each one with each sector."""
    return [
        {
            "name": f"name-{i}",
            "ccy": CURRENCIES[i * 7 % 10],
            "sector": SECTORS[i // 10 % 6],
            "price": i * 0.25,
            "size": i * 7919 % 1_000_003,
            "dt": _FIRST_DAY + timedelta(days=i % 9000),
        }
        for i in range(start, start + n)
    ]


def minute(number: int) -> datetime:
    """Return the time so many minutes after the beginning of the series."""
    return _FIRST_MINUTE + timedelta(minutes=number)


def points(n: int) -> Points:
    """Return ``n`` points of five columns, a minute apart."""
    return [
        (minute(i), dict(zip(COLUMNS, (i * 0.5, i * 0.25, i + 0.5, 100.0, float(i % 97)), strict=True)))
        for i in range(n)
    ]


def used_points(found: tuple[list[datetime], dict[str, list[float]]]) -> float:
    """Read a window of points, and return a checksum."""
    times, columns = found
    return len(times) + times[0].minute + sum(sum(columns[name]) for name in COLUMNS)


def used(objects: list[Any]) -> float:
    """Read each value of each object as what it is, and return a checksum."""
    return sum(len(o.name) + len(o.ccy) + len(o.sector) + o.price + o.size + o.dt.toordinal() for o in objects)


def instruments(n: int) -> list[dict[str, Any]]:
    """Return the instruments of ``n`` holdings: one for ten."""
    return [
        {"name": f"name-{i}", "ccy": CURRENCIES[i * 7 % 10], "price": i * 0.25} for i in range((n + HELD - 1) // HELD)
    ]


def holdings(n: int) -> list[dict[str, Any]]:
    """Return ``n`` holdings; ``instrument`` counts the instruments from 0."""
    return [{"instrument": i // HELD, "desk": DESKS[i * 3 % 10], "size": i * 7919 % 1_000_003} for i in range(n)]


def used_holdings(objects: list[Any]) -> int:
    """Read each value of each holding, and return a checksum."""
    return sum(o.instrument_id + len(o.desk) + o.size for o in objects)


def used_instruments(objects: list[Any]) -> float:
    """Read each value of the instrument of each holding, and return a checksum."""
    return sum(len(o.instrument.name) + len(o.instrument.ccy) + o.instrument.price for o in objects)


def elements(n: int) -> list[bytes]:
    """Return ``n`` different values."""
    return [b"value-%d" % i for i in range(n)]


def scored(n: int) -> list[tuple[float, bytes]]:
    """Return ``n`` pairs of score and value; no score is there twice, and they come in no order."""
    return [(float(i * 7919 % 1_000_003), value) for i, value in enumerate(elements(n))]


def paired(n: int) -> list[tuple[str, bytes]]:
    """Return ``n`` pairs of key and value."""
    return [(f"key-{i * 37 % n}", value) for i, value in enumerate(elements(n))]


def timed(n: int) -> list[tuple[float, bytes]]:
    """Return ``n`` pairs of time and value, a minute apart."""
    return [(i * 60.0, value) for i, value in enumerate(elements(n))]


def used_pairs(pairs: list[tuple[float, bytes]]) -> float:
    """Read each pair, and return a checksum."""
    return sum(number + len(value) for number, value in pairs)


def documents(n: int, words: int = 50) -> tuple[list[str], list[tuple[str, str]]]:
    """Return ``n`` texts, their words as frequent as words are, and 200 pairs of words that stand together somewhere.

    Nobody looks for the hundred most frequent words, which a list of stop words has.
    """
    chance = random.Random(7)
    syllables = [a + b for a in "bdfgklmnprstvz" for b in ("a", "e", "i", "o", "u", "an", "er", "ol")]
    known = sorted({"".join(chance.choices(syllables, k=chance.randint(2, 4))) for _ in range(10_000)})
    chance.shuffle(known)
    known = known[:5000]
    weights = [1 / (number + 5) for number in range(len(known))]
    texts = [chance.choices(known, weights, k=words) for _ in range(n)]
    common = set(known[:100])
    rare = [found for found in (sorted(set(text) - common) for text in texts) if len(found) > 1]
    pairs = [chance.sample(chance.choice(rare), 2) for _ in range(200)]
    return [" ".join(text) for text in texts], [(one, other) for one, other in pairs]
