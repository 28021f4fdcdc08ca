"""Exchange rates of the euro, each trading day of two years: a time series, a set, a sorted set and a list.

Run ``python examples/market_data.py``; with ``--url redis://localhost`` it runs on a server, in a namespace of its own.
The rates are the European Central Bank's.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
from collections.abc import Iterable
from datetime import date
from itertools import pairwise
from pathlib import Path

from stdnet import odm
from stdnet.utils.encoders import DateConverter

DATA = Path(__file__).with_name("data") / "prices.csv"
WILD = 1.0
"""From a change by this many percent on a day counts as wild."""

Rates = dict[str, dict[date, float]]


class Currency(odm.StdModel):
    """A currency; its rate is how many units of it one euro buys."""

    code = odm.SymbolField(unique=True)
    until = odm.DateField(required=False)
    rates = odm.TimeSeriesField(pickler=DateConverter())
    changes = odm.SetField(value_pickler=DateConverter(), ordered=True)
    wild_days = odm.SetField(value_pickler=DateConverter())
    news = odm.ListField(class_field=True)

    class Meta:
        app_label = "market"

    def __str__(self) -> str:
        return self.code


def read(lines: Iterable[str]) -> Rates:
    """Return the rates by currency and day."""
    rates: Rates = {}
    for row in csv.DictReader(lines):
        rates.setdefault(row["currency"], {})[date.fromisoformat(row["day"])] = float(row["rate"])
    return rates


def changed(rates: dict[date, float]) -> list[tuple[float, date]]:
    """Return by how many percent each day's rate differs from that of the day before, and the day."""
    return [(round(100 * (rates[day] / rates[before] - 1), 2), day) for before, day in pairwise(rates)]


def load(models: odm.Router, rates: Rates) -> None:
    """Store the currencies, then, in one transaction, what belongs to them and the last day in each row."""
    with models.session().begin() as transaction:
        for code in rates:
            transaction.add(Currency(code=code))
    session = models.session()
    with session.begin() as transaction:
        for currency in session.query(Currency):
            known = rates[currency.code]
            changes = changed(known)
            currency.rates.update(known)
            currency.changes.update(changes)
            currency.wild_days.update(day for percent, day in changes if abs(percent) >= WILD)
            currency.until = max(known)
            transaction.add(currency)
        waiting = currency.rates.size(), models[Currency].filter(until__ge=date(2020, 1, 1)).count()
    stored = [currency.rates.size() for currency in models[Currency].query()]
    print(f"Stored {sum(stored):,} rates of {len(stored)} currencies on {models[Currency].backend}")
    print("    before the end of the transaction: {} rates of the last one, {} rows with a last day".format(*waiting))


def listed(pairs: Iterable[tuple[date, float]]) -> str:
    return ", ".join(f"{day} {rate:g}" for day, rate in pairs)


def series(models: odm.Router) -> None:
    """Print a time series by day and by place."""
    franc = models[Currency].get(code="CHF")
    rates, newyear = franc.rates, date(2020, 1, 1)
    (first, _), (last, _) = rates.front(), rates.back()
    print(f"\nFrancs for a euro: {len(rates)} days from {first} to {last}, as the row says: {franc.until == last}")
    print("    Easter 2019:", listed(rates.range(date(2019, 4, 18), date(2019, 4, 24))))
    print("    the first three days:", listed(rates.irange(0, 2)))
    print("    the last three days:", listed(rates.irange(-3, -1)))
    march = rates.range(date(2020, 3, 1), date(2020, 3, 31), withscores=False)
    print(f"    March 2020: {len(march)} days, {min(march)} to {max(march)}")
    print(f"    from {newyear} on: {rates.count(newyear, '+inf')} days")
    print(f"    on {newyear}: {rates.get(newyear, 'no trade')}, then on {rates.times(newyear, '+inf')[0]}")
    print(f"    on {last}: {rates[last]}, at place {rates.rank(last)}")


def turbulence(models: odm.Router) -> None:
    """Print the largest changes, from a sorted set, and what sets of days have in common."""
    pound, dollar, krona = (models[Currency].get(code=code) for code in ("GBP", "USD", "SEK"))
    print(f"\nDays of {WILD} % and more: " + ", ".join(f"{c} {len(c.wild_days)}" for c in (pound, dollar, krona)))
    print("    pound and dollar:", *sorted(pound.wild_days.intersection(dollar.wild_days)))
    print("    the krona alone:", *sorted(krona.wild_days.difference(pound.wild_days, dollar.wild_days)))
    print("    the dollar on 19 March 2020:", date(2020, 3, 19) in dollar.wild_days)
    print("What a euro buys in pounds, and its change in a day:")
    print("    most up:", ", ".join(f"{day} {percent:+} %" for percent, day in pound.changes.irange(0, 2, desc=True)))
    print("    most down:", ", ".join(f"{day} {percent:+} %" for percent, day in pound.changes.irange(0, 2)))
    print("    by a tenth at most:", pound.changes.count(-0.1, 0.1), "days")


def trim(models: odm.Router) -> None:
    """Take the year 2019 out of the series, tell about it in the list of the model, and read that like a queue."""
    session, news = models.session(), models[Currency].news
    for currency in session.query(Currency):
        old = currency.rates.pop_range("-inf", date(2019, 12, 31), withscores=False)
        news.push_back(f"{currency}: {len(old)} rates, {sum(old) / len(old):.6g} on average")
    print("\nTaken out, of 2019:")
    while (line := news.pop_front()) is not None:
        print(f"    {line}")
    session.delete(session.query(Currency).filter(code__in=("AUD", "CNY")))
    kept = models[Currency].query().sort_by("code").load_related("rates")
    print("Kept: " + ", ".join(f"{currency} {len(currency.rates)}" for currency in kept))


async def again(url: str, rates: dict[date, float]) -> None:
    """Do the same with ``await``, on a smaller scale."""
    async with odm.AsyncRouter(url) as models:
        models.register(Currency, namespace="stdnet-market-data-async.")
        await models.flush()
        yen = await models[Currency].new(code="JPY")
        async with yen.session.begin():
            await yen.rates.update(rates)
        print(f"\nAwaited: {await yen.rates.size()} days of yen,", listed(await yen.rates.irange(-2)), end="")
        print(f"; highest {max([rate for _, rate in await yen.rates.items()]):g}")
        await models.flush()


def main(url: str = "memory://") -> None:
    with DATA.open(encoding="utf-8") as file:
        rates = read(file)
    with odm.Router(url) as models:
        models.register(Currency, namespace="stdnet-market-data.")
        models.flush()
        load(models, rates)
        series(models)
        turbulence(models)
        trim(models)
        models.flush()
    asyncio.run(again(url, rates["JPY"]))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Daily exchange rates: time series, sets, sorted sets and a list.")
    parser.add_argument("--url", default="memory://", help="memory:// or redis://host:port/db")
    main(parser.parse_args().url)
