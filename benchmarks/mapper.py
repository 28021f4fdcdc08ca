"""stdnet as a contestant, on any backend."""

from __future__ import annotations

from typing import Any

from stdnet import odm

from .workload import Position


class Mapper:
    """Rows of ``Position`` in a database."""

    def __init__(self, url: str, model: type[Any] = Position) -> None:
        self.models = odm.Router(url)
        self.model = model
        self.models.register(model)
        self.positions = self.models[model]
        self.query = self.positions.query()

    def insert(self, data: list[dict[str, Any]]) -> None:
        if len(data) == 1:
            self.positions.new(**data[0])
            return
        with self.models.session().begin() as transaction:
            for values in data:
                transaction.add(self.model(**values))

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
            for position in session.query(self.model).filter(id__in=ids):
                position.size += 1
                transaction.add(position)

    def delete(self, ids: list[int]) -> None:
        self.positions.filter(id__in=ids).delete()

    def close(self) -> None:
        self.positions.flush()
        self.models.close()
