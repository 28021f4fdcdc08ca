"""Three funds, the shares of eleven indices, and what the funds hold: relations from the first row to the cascade.

Run ``python examples/hedge_fund.py``; with ``--url redis://localhost`` it runs on a server, in a namespace of its own.
The shares are real, the funds and their positions are not.
"""

from __future__ import annotations

import argparse
import csv
import textwrap
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from stdnet import FieldValueError, RelationNotLoaded, odm

DATA = Path(__file__).with_name("data") / "instruments.csv"

FUNDS = {
    "Markowitz": ("EUR", {"AEX", "CAC 40", "DAX"}),
    "Sharpe": ("USD", {"DOW JONES", "FTSE 100"}),
    "Tobin": ("CHF", {"Switzerland 20", "EURO STOXX 50"}),
}
"""The currency of each fund, and the indices whose shares it holds."""


class Fund(odm.StdModel):
    """A fund, which owns its positions."""

    name = odm.SymbolField(unique=True)
    ccy = odm.SymbolField()

    positions: odm.One2ManyRelatedManager

    class Meta:
        app_label = "hedge"

    def __str__(self) -> str:
        return self.name


class Instrument(odm.StdModel):
    """A share, its currency and its place of trading."""

    symbol = odm.SymbolField(unique=True)
    name = odm.SymbolField()
    exchange = odm.SymbolField()
    ccy = odm.SymbolField()

    positions: odm.One2ManyRelatedManager

    class Meta:
        app_label = "hedge"

    def __str__(self) -> str:
        return self.name


class Position(odm.StdModel):
    """How many of an instrument a fund holds; it goes when either of them goes."""

    fund = odm.ForeignKey(Fund, related_name="positions")
    instrument = odm.ForeignKey(Instrument, related_name="positions")
    size = odm.IntegerField(default=100)

    class Meta:
        app_label = "hedge"

    def __str__(self) -> str:
        return f"{self.size} {self.instrument}"


Question = tuple[str, odm.Query[Any], Callable[[odm.Query[Any]], Any]]


def create(models: odm.Router, lines: Iterable[str]) -> None:
    """Store everything in one transaction; keys are set to objects that have no ids yet."""
    funds = {name: Fund(name=name, ccy=ccy) for name, (ccy, _) in FUNDS.items()}
    with models.session().begin() as transaction:
        for row in csv.DictReader(lines):
            indices = set(row.pop("indices").split("|"))
            instrument = transaction.add(Instrument(ccy=row.pop("currency"), **row))
            for name, (_, wanted) in FUNDS.items():
                if wanted & indices:
                    transaction.add(Position(fund=funds[name], instrument=instrument, size=100 * len(indices)))
    counts = ", ".join(f"{models[model].count()} {model._meta.name}s" for model in (Fund, Instrument, Position))
    print(f"Stored {counts} in one transaction on {models[Fund].backend}")


def joined(rows: Iterable[Any]) -> str:
    return ", ".join(map(str, rows)) or "none"


def questions(models: odm.Router) -> list[Question]:
    """Return questions across keys: in words, as a query, and how its answer is put into words."""
    positions, instruments, funds = (models[model].query() for model in (Position, Instrument, Fund))
    large = positions.filter(fund__name="Markowitz", size__ge=200).exclude(instrument__exchange="Paris")
    held = instruments.filter(positions__fund__name="Tobin", ccy="EUR", name__istartswith="a")
    foreign = positions.filter(fund__name="Sharpe").exclude(instrument__ccy="GBP")
    shared = held.intersect(instruments.filter(positions__fund__name="Markowitz"))
    return [
        ("How many positions does Sharpe hold outside pounds?", foreign, len),
        (
            "Which holdings of Markowitz are 200 or more, Paris apart?",
            large.sort_by("instrument__name").load_related("instrument", "name"),
            joined,
        ),
        ("What in euro that begins with A does Tobin hold?", held, joined),
        ("And Markowitz, too?", shared, joined),
        ("Who holds Airbus?", funds.filter(positions__instrument__name__startswith="Airbus"), joined),
        ("How many shares does nobody hold?", instruments.exclude(positions__size__gt=0), len),
        (
            "Who trades in which currencies?",
            funds.load_related("positions", "size").load_related("positions__instrument", "ccy"),
            lambda q: "; ".join(f"{f}: {joined(sorted({p.instrument.ccy for p in f.positions.all()}))}" for f in q),
        ),
    ]


def ask(models: odm.Router) -> None:
    """Print each question with its query, its answer and how the answer was found."""
    for number, (words, query, answer) in enumerate(questions(models), 1):
        print(f"\n{number}. {words}\n    {query}")
        print(textwrap.fill(str(answer(query)), 116, initial_indent="    = ", subsequent_indent="      "))
        print(textwrap.indent(str(query.explain()), "    | "))


def touch(models: odm.Router) -> None:
    """Print what it takes to read the instruments of twenty positions in each of the three modes."""
    positions = models[Position].filter(fund__name="Markowitz")
    print("\nThe instruments of twenty positions that were loaded without them:")
    print("    lazily, a round trip each:", len({p.instrument.id for p in positions.relations("lazy")[:20]}))
    print("    as a batch, one round trip:", len({p.instrument.id for p in positions.relations("batch")[:20]}))
    try:
        print([p.instrument.id for p in positions.relations("raise")[:20]])
    except RelationNotLoaded as error:
        print(f"    not at all: {error}")
    print("    with the rows themselves:", len({p.instrument.id for p in positions.load_related("instrument")[:20]}))


def refuse(models: odm.Router) -> None:
    """Print what is said about a position without an instrument, and that its fund was not stored either."""
    print("\nA new fund with a position in nothing:")
    try:
        models[Position].save(Position(fund=Fund(name="Merton", ccy="USD")))
    except FieldValueError as error:
        print(textwrap.fill(f"refused: {error}", 116, initial_indent="    ", subsequent_indent="    "))
    print(f"    {models[Fund].filter(name='Merton').count()} funds of that name")


def cascade(models: odm.Router) -> None:
    """Print what goes when an instrument goes, and when a fund goes."""
    session = models.session()
    with session.begin() as transaction:
        transaction.delete(session.query(Instrument).filter(name__startswith="Airbus"))
        transaction.delete(session.query(Fund).filter(name="Sharpe"))
    gone = ", ".join(f"{len(transaction.deleted.get(m, ()))} {m._meta.name}s" for m in (Fund, Instrument, Position))
    left = ", ".join(f"{models[m].count()} {m._meta.name}s" for m in (Fund, Instrument, Position))
    print(f"\nWithout Airbus and Sharpe, in one transaction:\n    gone: {gone}\n    left: {left}")


def main(url: str = "memory://") -> None:
    with odm.Router(url) as models:
        models.register(Position, namespace="stdnet-hedge-fund.")  # and what it refers to
        models.flush()
        with DATA.open(encoding="utf-8") as file:
            create(models, file)
        ask(models)
        touch(models)
        refuse(models)
        cascade(models)
        models.flush()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Funds, instruments and positions: relations on real data.")
    parser.add_argument("--url", default="memory://", help="memory:// or redis://host:port/db")
    main(parser.parse_args().url)
