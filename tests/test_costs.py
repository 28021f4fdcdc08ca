"""What the inner loop of a program costs, counted instead of timed: calls of functions of ours, and round trips.

Time depends on the machine, and these do not. A change that makes a figure smaller lowers it here; one that makes it
greater has to say why it is worth that. Calls are counted on CPython 3.11, newer ones need fewer; not counted are
calls of C code, of ``sortedcontainers`` and of redis-py.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

import stdnet
from stdnet import odm
from stdnet.backends.base import Counting

from .conftest import BACKENDS, connect

SOURCES = str(Path(stdnet.__file__).parent)
ROWS = 600


class Desk(odm.StdModel):
    name = odm.SymbolField(unique=True)


class Deal(odm.StdModel):
    name = odm.SymbolField(unique=True)
    ccy = odm.SymbolField()
    sector = odm.SymbolField()
    price = odm.FloatField()
    size = odm.IntegerField()
    dt = odm.DateField(index=False)
    desk = odm.ForeignKey(Desk)


class Basket(odm.StdModel):
    names = odm.ListField()
    weights = odm.HashField()
    ranks = odm.SetField(ordered=True)
    prices = odm.TimeSeriesField()


MODELS = (Desk, Deal, Basket)


def deals(desks: list[Desk], first: int, number: int) -> list[Deal]:
    return [
        Deal(
            name=f"deal{n}",
            ccy=f"C{n % 10}",
            sector=f"S{n % 6}",
            price=n / 8,
            size=n,
            dt=date(2024, 1, 1 + n % 28),
            desk=desks[n % 3],
        )
        for n in range(first, first + number)
    ]


class World:
    """A router with rows, and what is done with them."""

    def __init__(self, server: Any) -> None:
        self.counting = Counting(server)
        self.models = odm.Router(self.counting)
        for model in MODELS:
            self.models.register(model)
        self.desks = [self.models[Desk].new(name=f"desk{n}") for n in range(3)]
        self.made = deals(self.desks, 0, ROWS)
        session = self.models.session()
        with session.begin():
            for deal in self.made:
                session.add(deal)
        self.basket = self.models[Basket].new()
        self.fill(25)

    def fill(self, number: int) -> int:
        basket = self.basket
        with basket.session.begin():
            basket.names.extend(map(str, range(number)))
            basket.weights.update({str(n): n / 8 for n in range(number)})
            basket.ranks.update((n / 8, str(n)) for n in range(number))
            basket.prices.update({date.fromordinal(740000 + n): n / 8 for n in range(number)})
        return 4 * number

    def insert_100(self) -> int:
        session = self.models.session()
        with session.begin():
            for deal in deals(self.desks, ROWS, 100):
                session.add(deal)
        return 100

    def insert_1(self) -> int:
        (deal,) = deals(self.desks, ROWS + 200, 1)
        self.models.session().add(deal)
        return 1

    def get_by_key_1(self) -> int:
        return len([self.models[Deal].get(id=1).name])

    def get_by_unique_1(self) -> int:
        return len([self.models[Deal].get(name="deal7").name])

    def equal_60(self) -> int:
        return len([(deal.price, deal.dt) for deal in self.models[Deal].filter(ccy="C1")])

    def two_filters_20(self) -> int:
        return len([(deal.price, deal.dt) for deal in self.models[Deal].filter(ccy="C1", sector="S1")])

    def range_50(self) -> int:
        return len([(deal.price, deal.dt) for deal in self.models[Deal].filter(size__ge=100, size__lt=150)])

    def count_60(self) -> int:
        return self.models[Deal].filter(ccy="C1").count()

    def first_20(self) -> int:
        return len([(deal.price, deal.dt) for deal in self.models[Deal].query().sort_by("-size")[:20]])

    def eager_60(self) -> int:
        return len([deal.desk.name for deal in self.models[Deal].filter(ccy="C1").load_related("desk")])

    def update_100(self) -> int:
        session = self.models.session()
        with session.begin():
            for deal in self.made[:100]:
                deal.size += 1
                session.add(deal)
        return 100

    def delete_100(self) -> int:
        return len(self.models[Deal].filter(size__lt=100).delete())

    def fill_400(self) -> int:
        return self.fill(100)

    def push_1(self) -> int:
        self.basket.names.push_back("one")
        return 1

    def read_100(self) -> int:
        basket = self.basket
        read = (basket.names[:25], basket.weights.items(), basket.ranks.irange(0, 24), basket.prices.irange(0, 24))
        return sum(map(len, read))


FIGURES: dict[str, tuple[int, int, int]] = {
    # work: (calls on memory, calls on Redis, round trips)
    "insert_100": (3416, 3226, 1),
    "insert_1": (126, 252, 1),
    "get_by_key_1": (45, 88, 1),
    "get_by_unique_1": (45, 91, 1),
    "equal_60": (50, 104, 1),
    "two_filters_20": (66, 205, 1),
    "range_50": (90, 142, 1),
    "count_60": (41, 83, 1),
    "first_20": (133, 163, 1),
    "eager_60": (195, 317, 1),
    "update_100": (4424, 4129, 1),
    "delete_100": (495, 334, 1),
    "fill_400": (1644, 1716, 1),
    "push_1": (160, 258, 1),
    "read_100": (554, 743, 4),
}


@contextmanager
def counted() -> Iterator[list[str]]:
    """Keep the names of our functions that are called within the block."""
    names: list[str] = []

    def notice(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and frame.f_code.co_filename.startswith((SOURCES, "<")):
            names.append(frame.f_code.co_name)

    before = sys.getprofile()
    sys.setprofile(notice)
    try:
        yield names
    finally:
        sys.setprofile(before)


@pytest.mark.parametrize("backend", sorted(BACKENDS))
@pytest.mark.parametrize("work", FIGURES)
def test_costs(work: str, backend: str) -> None:
    server = connect(backend)
    try:
        getattr(World(server), work)()  # makes what is made once
        server.wipe()
        world = World(server)
        method: Callable[[], int] = getattr(world, work)
        before = world.counting.trips
        with counted() as names:
            done = method()
        trips = world.counting.trips - before
    finally:
        server.wipe()
        server.close()
    memory, redis, expected = FIGURES[work]
    calls = memory if backend == "memory" else redis
    assert done == int(work.rpartition("_")[2])
    assert trips == expected
    assert len(names) <= calls, f"{len(names)} calls: {Counter(names).most_common(20)}"
