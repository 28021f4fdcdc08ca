"""stdnet as a contestant, on any backend."""

from __future__ import annotations

from datetime import datetime
from functools import cached_property
from typing import Any

from stdnet import odm

from .models import Basket, Holding, Instrument, Position
from .workload import Points


def contestant(url: str) -> Mapper:
    """Return ours on the database of a URL."""
    return Mapper(url)


class Mapper:
    """Rows of ``Position`` in a database."""

    def __init__(self, url: str) -> None:
        self.models = odm.Router(url)
        self.models.register(Position)
        self.models.register(Holding)  # and the instruments
        self.models.register(Basket)
        self.holdings = self.models[Holding].query()
        self.positions = self.models[Position]
        self.query = self.positions.query()

    @cached_property
    def basket(self) -> Any:
        """The row with structures."""
        return self.models[Basket].new()

    @cached_property
    def series(self) -> Any:
        """The time series of five columns."""
        from stdnet.apps.columnts import ColumnTS  # a program that has none does not import it

        return self.models.session().add(self.models.register(ColumnTS(id="bench")))

    def insert(self, data: list[dict[str, Any]]) -> None:
        if len(data) == 1:
            self.positions.new(**data[0])
            return
        with self.models.session().begin() as transaction:
            for values in data:
                transaction.add(Position(**values))

    def insert_plain(self, data: list[dict[str, Any]]) -> None:
        self.insert(data)

    def by_key(self, id: int) -> Any:
        return self.query.get(id=id)

    def by_name(self, name: str) -> Any:
        return self.query.get(name=name)

    def equal(self, ccy: str) -> list[Any]:
        return self.query.filter(ccy=ccy).all()

    def both(self, ccy: str, sector: str) -> list[Any]:
        return self.query.filter(ccy=ccy, sector=sector).all()

    def between(self, low: int, high: int) -> list[Any]:
        return self.query.filter(size__ge=low, size__lt=high).all()

    def count(self, ccy: str) -> int:
        return self.query.filter(ccy=ccy).count()

    def first(self, n: int) -> list[Any]:
        return self.query.sort_by("size")[:n]

    def enlarge(self, ids: list[int]) -> None:
        session = self.models.session()
        with session.begin() as transaction:
            for position in session.query(Position).filter(id__in=ids):
                position.size += 1
                transaction.add(position)

    def increase(self, ids: list[int]) -> None:
        self.query.filter(id__in=ids).update(size=odm.F("size") + 1)

    def delete(self, ids: list[int]) -> None:
        self.positions.filter(id__in=ids).delete()

    def hold(self, instruments: list[dict[str, Any]], holdings: list[dict[str, Any]]) -> None:
        made = [Instrument(**values) for values in instruments]
        with self.models.session().begin() as transaction:
            for instrument in made:
                transaction.add(instrument)
            for values in holdings:
                transaction.add(Holding(**{**values, "instrument": made[values["instrument"]]}))

    def eager(self, desk: str) -> list[Any]:
        return self.holdings.filter(desk=desk).load_related("instrument").all()

    def across(self, ccy: str) -> list[Any]:
        return self.holdings.filter(instrument__ccy=ccy).all()

    def cascade(self, ids: list[int]) -> int:
        with self.models.session().begin() as transaction:
            transaction.delete(transaction.query(Instrument).filter(id__in=ids))
        return len(transaction.deleted[Holding])

    def push(self, values: list[bytes]) -> None:
        self.basket.queue.extend(values)

    def pop(self) -> bytes | None:
        return self.basket.queue.pop_front()

    def rank(self, pairs: list[tuple[float, bytes]]) -> None:
        self.basket.ranking.update(pairs)

    def ranked(self, low: float, high: float) -> list[tuple[float, bytes]]:
        return self.basket.ranking.range(low, high)

    def fill(self, pairs: list[tuple[str, bytes]]) -> None:
        self.basket.table.update(pairs)

    def table(self) -> dict[str, bytes]:
        return dict(self.models[Basket].get(id=self.basket.id).table.items())  # what was loaded before is not asked

    def record(self, pairs: list[tuple[float, bytes]]) -> None:
        self.basket.series.update(pairs)

    def recorded(self, low: float, high: float) -> list[tuple[float, bytes]]:
        return self.basket.series.range(low, high)

    def append(self, points: Points) -> None:
        self.series.update(points)

    def window(self, start: datetime, stop: datetime) -> tuple[list[datetime], dict[str, list[float]]]:
        return self.series.range(start, stop)

    def close(self) -> None:
        if "series" in self.__dict__:
            self.series.session.delete(self.series)
        self.models.flush()
        self.models.close()
