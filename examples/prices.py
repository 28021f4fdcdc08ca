"""Eight currencies over two years: column time series from loading to a chart, on the reference rates of the ECB.

Run ``python examples/prices.py``; with ``--url redis://localhost`` it runs on a server, in a namespace of its own. The
chart, which needs ``pip install "python-stdnet[plot]"``, is written to ``rates.png``, or where ``--chart`` says.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterable
from datetime import date, datetime
from pathlib import Path

from stdnet import odm
from stdnet.apps.columnts import ColumnTS, ColumnTSField
from stdnet.errors import MissingExtra

DATA = Path(__file__).with_name("data") / "prices.csv"
CHARTED = ("CHF", "GBP", "JPY", "SEK", "USD")
SPRING = (date(2020, 2, 15), date(2020, 4, 15))


class Currency(odm.StdModel):
    """A currency, and its units for one euro: ``rate``, by day.

    Two series are of all currencies, with a column for each: daily changes in percent, and what a euro was worth.
    """

    code = odm.SymbolField(primary_key=True)
    rates = ColumnTSField()
    changes = ColumnTSField(class_field=True)
    worth = ColumnTSField(class_field=True)

    class Meta:
        app_label = "prices"


def create(models: odm.Router, lines: Iterable[str]) -> None:
    """Store the currencies, then all of their series in one transaction."""
    rates: dict[str, dict[date, dict[str, float]]] = {}
    for row in csv.DictReader(lines):
        rates.setdefault(row["currency"], {})[date.fromisoformat(row["day"])] = {"rate": float(row["rate"])}
    with models.session().begin() as transaction:
        currencies = {code: transaction.add(Currency(code=code)) for code in rates}
    with models.session().begin() as transaction:
        for code, currency in currencies.items():
            transaction.add(currency, modified=False)
            currency.rates.update(rates[code])
    total = sum(map(len, rates.values()))
    print(f"Stored {len(rates)} currencies, {total:,} rates on {models[Currency].backend}")


def month(times: Iterable[datetime]) -> str:
    return "  ".join(f"{time:%b %y}" for time in times)


def numbers(values: Iterable[float], digits: int = 4) -> str:
    return "  ".join(f"{value:.{digits}f}" for value in values)


def look(models: odm.Router) -> None:
    """Print what a series knows of itself: its size, its ends, its extremes, a week of it."""
    dollar = models[Currency].get(code="USD").rates
    info, stats = dollar.info(), dollar.istats()["stats"]["rate"]
    print(f"\n1. Dollars for a euro, {info['size']} days from {info['start']:%d %b %Y} to {info['stop']:%d %b %Y}")
    print(f"    lowest {stats['min']}, highest {stats['max']}, mean {stats['sum']:.4f}")
    times, fields = dollar.range(date(2020, 3, 16), date(2020, 3, 20))
    print(f"    {times[0]:%d %b} to {times[-1]:%d %b}: {numbers(fields['rate'])}")


def buckets(models: odm.Router) -> None:
    """Print the last rates of months, and the range of quarters."""
    pound = models[Currency].get(code="GBP").rates
    print("\n2. Pounds for a euro at the ends of months, and the range of each quarter")
    times, fields = pound.resample("1M", "last", start=date(2020, 1, 1), end=date(2020, 6, 30))
    print(f"    {month(times)}\n    {numbers(fields['rate'])}")
    (_, low), (_, high) = (pound.resample("1Q", how, start=date(2020, 1, 1)) for how in ("min", "max"))
    print("    " + ", ".join(f"{a:.4f} to {b:.4f}" for a, b in zip(low["rate"], high["rate"], strict=True)))


def merges(models: odm.Router) -> None:
    """Print a basket, which is a weighted sum, and a cross rate, which is an expression over two series."""
    session = models.session()
    dollar, yen, franc = (session.query(Currency).get(code=code).rates for code in ("USD", "JPY", "CHF"))
    times, fields = ColumnTS.merged_series((0.5, dollar), (0.005, yen))
    print(f"\n3. Half a dollar and half a hundred yen: {fields['rate'][0]:.4f} on {times[0]:%d %b %Y}, ", end="")
    print(f"{fields['rate'][-1]:.4f} on {times[-1]:%d %b %Y}")
    times, cross = dollar.evaluate("this.rate / chf.rate", chf=franc, start=date(2020, 12, 28))
    print(f"    dollars for a franc in the last days: {numbers(cross)}")
    change = dollar.evaluate("100 * (last(this.rate) / first(this.rate) - 1)")
    print(f"    the euro rose by {change:.2f} % against the dollar")


def correlations(models: odm.Router) -> None:
    """Store the daily changes of each currency, and print how they go together."""
    changes = models[Currency].changes
    with changes.session.begin():
        for currency in models[Currency].query().load_related("rates"):
            times, values = currency.rates.evaluate("100 * (this.rate / lag(this.rate) - 1)")
            changes.update({time: {currency.code: value} for time, value in zip(times, values, strict=True)})
    found, codes = changes.correlation(), changes.fields()
    print("\n4. Correlations of daily changes\n         " + "   ".join(codes))
    for a in codes:
        print(f"    {a} " + " ".join(f"{found[a, b]:5.2f}" for b in codes))
    times, moved = changes.moving("std", 20, fields=["USD", "SEK"], start=SPRING[0], end=SPRING[1])
    print(f"    twenty days' deviation on {times[-1]:%d %b %Y}: ", end="")
    print(", ".join(f"{code} {values[-1]:.2f} %" for code, values in moved.items()))


def chart(models: odm.Router, path: str | Path) -> None:
    """Draw what a euro was worth, 100 at first, into a file."""
    worth = models[Currency].worth
    with worth.session.begin():
        for currency in models[Currency].filter(code=CHARTED).load_related("rates"):
            times, values = currency.rates.evaluate("100 * this.rate / first(this.rate)")
            worth.update({time: {currency.code: value} for time, value in zip(times, values, strict=True)})
    try:
        worth.plot(path, title="What a euro was worth", ylabel="2 January 2019 = 100")
        print(f"\n5. A chart is in {Path(path).name}")
    except MissingExtra as error:
        print(f"\n5. No chart: {error}")


def main(url: str = "memory://", path: str | Path | None = None) -> None:
    with odm.Router(url) as models:
        models.register(Currency, namespace="stdnet-prices.")
        models.flush()
        with DATA.open(encoding="utf-8") as file:
            create(models, file)
        look(models)
        buckets(models)
        merges(models)
        correlations(models)
        if path is not None:
            chart(models, path)
        models.flush()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Exchange rates: time series from loading to a chart.")
    parser.add_argument("--url", default="memory://", help="memory:// or redis://host:port/db")
    parser.add_argument("--chart", default="rates.png", help="where the chart goes (default: rates.png)")
    options = parser.parse_args()
    main(options.url, options.chart)
