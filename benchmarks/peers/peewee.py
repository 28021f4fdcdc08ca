"""peewee on SQLite in memory; its own model of FTS5 for the search."""

from __future__ import annotations

from typing import Any

from peewee import DateField, FloatField, ForeignKeyField, IntegerField, Model, SqliteDatabase, TextField, chunked
from playhouse.sqlite_ext import FTS5Model, SearchField

BASE = SqliteDatabase(":memory:", pragmas={"foreign_keys": 1})
BATCH = 1000
"""Rows of one statement, which may have 32,766 variables."""


class Position(Model):
    """A row."""

    name = TextField(unique=True)
    ccy = TextField(index=True)
    sector = TextField(index=True)
    price = FloatField()
    size = IntegerField(index=True)
    dt = DateField()

    class Meta:
        database = BASE


class Instrument(Model):
    """What a holding refers to."""

    name = TextField(index=True)
    ccy = TextField(index=True)
    price = FloatField()

    class Meta:
        database = BASE


class Holding(Model):
    """A row with a foreign key."""

    instrument = ForeignKeyField(Instrument)
    desk = TextField(index=True)
    size = IntegerField(index=True)

    class Meta:
        database = BASE


class Page(FTS5Model):
    """A document; the index stores its text, too."""

    text = SearchField()

    class Meta:
        database = BASE


TABLES = [Position, Instrument, Holding, Page]


def contestant(url: str) -> Tables:
    """Return the contestant; ``url`` says nothing to it."""
    return Tables()


class Tables:
    """The tables in a database of their own, one at a time."""

    def __init__(self) -> None:
        BASE.connect()
        BASE.create_tables(TABLES)

    def insert(self, data: list[dict[str, Any]]) -> None:
        if len(data) == 1:
            Position.create(**data[0])
            return
        with BASE.atomic():
            Position.bulk_create([Position(**values) for values in data], batch_size=BATCH)

    def insert_plain(self, data: list[dict[str, Any]]) -> None:
        with BASE.atomic():
            for batch in chunked(data, BATCH):
                Position.insert_many(batch).execute()

    def by_key(self, id: int) -> Any:
        return Position.get_by_id(id)

    def by_name(self, name: str) -> Any:
        return Position.get(Position.name == name)

    def equal(self, ccy: str) -> list[Any]:
        return list(Position.select().where(Position.ccy == ccy).order_by(Position.id))

    def both(self, ccy: str, sector: str) -> list[Any]:
        return list(Position.select().where(Position.ccy == ccy, Position.sector == sector).order_by(Position.id))

    def between(self, low: int, high: int) -> list[Any]:
        return list(Position.select().where(Position.size >= low, Position.size < high).order_by(Position.id))

    def count(self, ccy: str) -> int:
        return int(Position.select().where(Position.ccy == ccy).count())

    def first(self, n: int) -> list[Any]:
        return list(Position.select().order_by(Position.size).limit(n))

    def enlarge(self, ids: list[int]) -> None:
        with BASE.atomic():
            found = list(Position.select().where(Position.id.in_(ids)))
            for position in found:
                position.size += 1
            Position.bulk_update(found, fields=[Position.size], batch_size=100)

    def increase(self, ids: list[int]) -> None:
        Position.update(size=Position.size + 1).where(Position.id.in_(ids)).execute()

    def delete(self, ids: list[int]) -> None:
        Position.delete().where(Position.id.in_(ids)).execute()

    def hold(self, instruments: list[dict[str, Any]], holdings: list[dict[str, Any]]) -> None:
        with BASE.atomic():
            for batch in chunked(instruments, BATCH):
                Instrument.insert_many(batch).execute()
            for batch in chunked(({**values, "instrument": values["instrument"] + 1} for values in holdings), BATCH):
                Holding.insert_many(batch).execute()

    def eager(self, desk: str) -> list[Any]:
        found = Holding.select(Holding, Instrument).join(Instrument).where(Holding.desk == desk)
        return list(found.order_by(Holding.id))

    def across(self, ccy: str) -> list[Any]:
        return list(Holding.select().join(Instrument).where(Instrument.ccy == ccy).order_by(Holding.id))

    def cascade(self, ids: list[int]) -> int:
        with BASE.atomic():
            held = Holding.delete().where(Holding.instrument.in_(ids)).execute()
            Instrument.delete().where(Instrument.id.in_(ids)).execute()
            return int(held)

    def index(self, texts: list[str]) -> None:
        with BASE.atomic():
            for batch in chunked(({"text": text} for text in texts), BATCH):
                Page.insert_many(batch).execute()

    def search(self, one: str, other: str) -> list[Any]:
        return list(Page.select(Page.rowid, Page.text).where(Page.match(f"{one} {other}")).order_by(Page.rowid))

    def best(self, one: str, other: str) -> list[Any]:
        return list(Page.search(f"{one} {other}").limit(10))

    def close(self) -> None:
        BASE.close()
