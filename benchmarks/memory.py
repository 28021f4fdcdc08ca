"""The workloads on the embedded backend, each beside its floor. A case is a pair of functions that give equal answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, NamedTuple

from stdnet import odm

from .floor import Floor
from .workload import Position, rows, used


class Case(NamedTuple):
    """One row of the table; ``prepare`` makes a fresh pair of functions for each repetition."""

    name: str
    prepare: Callable[[], tuple[Callable[[], Any], Callable[[], Any]]]


def _filled(n: int) -> tuple[Any, Floor]:
    models, floor = odm.Router("memory://"), Floor()
    models.register(Position)
    _commit(models, rows(n))
    floor.insert(rows(n))
    return models, floor


def _commit(models: Any, data: list[dict[str, Any]]) -> int:
    with models.session().begin() as transaction:
        for values in data:
            transaction.add(Position(**values))
    return len(data)


def cases(n: int) -> Iterator[Case]:
    """Yield the cases for tables of ``n`` rows."""
    data = rows(n)
    few = rows(n + 200)[n:]
    names = [f"name-{i * 37 % n}" for i in range(200)]
    ids = [i * 37 % n + 1 for i in range(200)]
    low, high = 0, 10_000

    def bulk() -> tuple[Callable[[], Any], Callable[[], Any]]:
        models, floor = odm.Router("memory://"), Floor()
        models.register(Position)
        return (lambda: _commit(models, data)), (lambda: (floor.insert(data), n)[1])

    def single() -> tuple[Callable[[], Any], Callable[[], Any]]:
        models, floor = _filled(n)

        def ours() -> int:
            for values in few:
                models.position.new(**values)
            return len(few)

        def theirs() -> int:
            for values in few:
                floor.insert([values])
            return len(few)

        return ours, theirs

    yield Case(f"bulk insert of {n:,}", bulk)
    yield Case("200 single inserts", single)

    shared: list[Any] = []

    def filled() -> tuple[Any, Floor]:
        if not shared:
            shared.extend(_filled(n))
        return shared[0], shared[1]

    def by_key() -> tuple[Callable[[], Any], Callable[[], Any]]:
        models, floor = filled()
        query = models.position.query()
        return (
            lambda: used([query.get(id=id) for id in ids]),
            lambda: used([floor.load([id])[0] for id in ids]),
        )

    def by_unique() -> tuple[Callable[[], Any], Callable[[], Any]]:
        models, floor = filled()
        query = models.position.query()
        return (
            lambda: used([query.get(name=name) for name in names]),
            lambda: used([floor.load([floor.names[name]])[0] for name in names]),
        )

    def equality() -> tuple[Callable[[], Any], Callable[[], Any]]:
        models, floor = filled()
        query = models.position.query()
        return (
            lambda: used(query.filter(ccy="C03").all()),
            lambda: used(floor.load(sorted(floor.ccys["C03"]))),
        )

    def both() -> tuple[Callable[[], Any], Callable[[], Any]]:
        models, floor = filled()
        query = models.position.query()
        return (
            lambda: used(query.filter(ccy="C03", sector="sector 1").all()),
            lambda: used(floor.load(sorted(floor.ccys["C03"] & floor.sectors["sector 1"]))),
        )

    def between() -> tuple[Callable[[], Any], Callable[[], Any]]:
        models, floor = filled()
        query = models.position.query()
        return (
            lambda: used(query.filter(size__ge=low, size__lt=high).all()),
            lambda: used(floor.load(sorted(id for _, id in floor.sizes.irange((low, 0), (high, 0))))),
        )

    def count() -> tuple[Callable[[], Any], Callable[[], Any]]:
        models, floor = filled()
        query = models.position.query()
        return (
            lambda: [query.filter(ccy="C03").count() for _ in range(100)][0],
            lambda: [len(floor.ccys["C03"]) for _ in range(100)][0],
        )

    def first() -> tuple[Callable[[], Any], Callable[[], Any]]:
        models, floor = filled()
        query = models.position.query()
        return (
            lambda: used(query.sort_by("size")[:20]),
            lambda: used(floor.load(id for _, id in islice(floor.sizes, 20))),
        )

    yield Case("200 gets by key", by_key)
    yield Case("200 gets by unique field", by_unique)
    yield Case("equality filter, a tenth", equality)
    yield Case("intersection, a sixtieth", both)
    yield Case("range of 1 %", between)
    yield Case("100 counts", count)
    yield Case("first 20 by a number", first)

    some = [i + 1 for i in range(0, n, max(1, n // 1000))]

    def update() -> tuple[Callable[[], Any], Callable[[], Any]]:
        models, floor = _filled(n)

        def ours() -> int:
            session = models.session()
            with session.begin() as transaction:
                for position in session.query(Position).filter(id__in=some):
                    position.size += 1
                    transaction.add(position)
            return len(some)

        return ours, (lambda: (floor.update_size(some, 1), len(some))[1])

    def delete() -> tuple[Callable[[], Any], Callable[[], Any]]:
        models, floor = _filled(n)
        return (
            lambda: len(models.position.filter(id__in=some).delete()),
            lambda: (floor.delete(some), len(some))[1],
        )

    yield Case(f"update of {len(some):,}", update)
    yield Case(f"delete of {len(some):,}", delete)
