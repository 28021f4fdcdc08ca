"""SQLAlchemy 2 on SQLite in memory, by its unit of work and its bulk statements."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import ForeignKey, create_engine, delete, event, func, insert, select, update
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, joinedload, mapped_column, relationship


class Base(DeclarativeBase):
    """What the tables derive from."""


class Position(Base):
    """A row."""

    __tablename__ = "position"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    ccy: Mapped[str] = mapped_column(index=True)
    sector: Mapped[str] = mapped_column(index=True)
    price: Mapped[float]
    size: Mapped[int] = mapped_column(index=True)
    dt: Mapped[date]


class Instrument(Base):
    """What a holding refers to."""

    __tablename__ = "instrument"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(index=True)
    ccy: Mapped[str] = mapped_column(index=True)
    price: Mapped[float]


class Holding(Base):
    """A row with a foreign key."""

    __tablename__ = "holding"
    id: Mapped[int] = mapped_column(primary_key=True)
    instrument_id: Mapped[int] = mapped_column(ForeignKey("instrument.id"), index=True)
    instrument: Mapped[Instrument] = relationship()
    desk: Mapped[str] = mapped_column(index=True)
    size: Mapped[int] = mapped_column(index=True)


def contestant(url: str) -> Tables:
    """Return the contestant; ``url`` says nothing to it."""
    return Tables()


class Tables:
    """The tables in a database of their own; each verb has a session."""

    def __init__(self) -> None:
        self.engine = create_engine("sqlite://")
        event.listen(self.engine, "connect", lambda base, _: base.execute("PRAGMA foreign_keys = ON"))
        Base.metadata.create_all(self.engine)

    def _all(self, statement: Any) -> list[Any]:
        with Session(self.engine) as session:
            return list(session.scalars(statement))

    def insert(self, data: list[dict[str, Any]]) -> None:
        with Session(self.engine) as session:
            session.add_all([Position(**values) for values in data])
            session.commit()

    def insert_plain(self, data: list[dict[str, Any]]) -> None:
        with Session(self.engine) as session:
            session.execute(insert(Position), data)
            session.commit()

    def by_key(self, id: int) -> Any:
        with Session(self.engine) as session:
            return session.get_one(Position, id)

    def by_name(self, name: str) -> Any:
        with Session(self.engine) as session:
            return session.scalars(select(Position).where(Position.name == name)).one()

    def equal(self, ccy: str) -> list[Any]:
        return self._all(select(Position).where(Position.ccy == ccy).order_by(Position.id))

    def both(self, ccy: str, sector: str) -> list[Any]:
        return self._all(select(Position).where(Position.ccy == ccy, Position.sector == sector).order_by(Position.id))

    def between(self, low: int, high: int) -> list[Any]:
        return self._all(select(Position).where(Position.size >= low, Position.size < high).order_by(Position.id))

    def count(self, ccy: str) -> int:
        with Session(self.engine) as session:
            return session.scalar(select(func.count()).select_from(Position).where(Position.ccy == ccy)) or 0

    def first(self, n: int) -> list[Any]:
        return self._all(select(Position).order_by(Position.size).limit(n))

    def enlarge(self, ids: list[int]) -> None:
        with Session(self.engine) as session:
            for position in session.scalars(select(Position).where(Position.id.in_(ids))):
                position.size += 1
            session.commit()

    def increase(self, ids: list[int]) -> None:
        with Session(self.engine) as session:
            found = update(Position).where(Position.id.in_(ids)).values(size=Position.size + 1)
            session.execute(found, execution_options={"synchronize_session": False})
            session.commit()

    def delete(self, ids: list[int]) -> None:
        with Session(self.engine) as session:
            found = delete(Position).where(Position.id.in_(ids))
            session.execute(found, execution_options={"synchronize_session": False})
            session.commit()

    def hold(self, instruments: list[dict[str, Any]], holdings: list[dict[str, Any]]) -> None:
        with Session(self.engine) as session:
            made = [Instrument(**values) for values in instruments]
            session.add_all(made)
            session.add_all([Holding(**{**values, "instrument": made[values["instrument"]]}) for values in holdings])
            session.commit()

    def eager(self, desk: str) -> list[Any]:
        found = select(Holding).where(Holding.desk == desk).order_by(Holding.id)
        return self._all(found.options(joinedload(Holding.instrument, innerjoin=True)))

    def across(self, ccy: str) -> list[Any]:
        return self._all(select(Holding).join(Holding.instrument).where(Instrument.ccy == ccy).order_by(Holding.id))

    def cascade(self, ids: list[int]) -> int:
        with Session(self.engine) as session:
            unsynchronized = {"synchronize_session": False}
            held = session.execute(
                delete(Holding).where(Holding.instrument_id.in_(ids)), execution_options=unsynchronized
            )
            session.execute(delete(Instrument).where(Instrument.id.in_(ids)), execution_options=unsynchronized)
            session.commit()
            return int(held.rowcount)

    def close(self) -> None:
        self.engine.dispose()
