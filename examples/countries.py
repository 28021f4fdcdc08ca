"""Load the countries of the world in one transaction, ask a dozen questions, and refuse two bad batches.

Run ``python examples/countries.py``; with ``--url redis://localhost`` it runs on a server, in a namespace of its own.
"""

from __future__ import annotations

import argparse
import csv
import textwrap
from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path
from typing import Any

from stdnet import CommitException, FieldValueError, odm

DATA = Path(__file__).with_name("data") / "countries.csv"

GOOD_ROW = "ZU,ZUT,901,Utopia,Europe,EUR,100,5000,"
BAD_ROWS = {
    "a word for a number": "ZR,ZRU,902,Ruritania,Europe,EUR,200,plenty,",
    "no name": "ZR,ZRU,902,,Europe,EUR,200,6000,",
    "a code that is taken": "CH,ZRU,902,Ruritania,Europe,EUR,200,6000,",
}


class Country(odm.StdModel):
    """A country or territory of ISO 3166-1."""

    code = odm.SymbolField(unique=True)
    alpha3 = odm.SymbolField(unique=True)
    numeric = odm.SymbolField(unique=True)
    name = odm.SymbolField()
    region = odm.SymbolField()
    currency = odm.SymbolField(required=False)
    area = odm.FloatField(required=False, index=True)
    population = odm.IntegerField(required=False)
    independence = odm.DateField(required=False)

    class Meta:
        app_label = "world"

    def __str__(self) -> str:
        return self.name


Countries = odm.Query[Country]
Question = tuple[str, Countries, Callable[[Countries], Any]]


class BadInput(Exception):
    """Rows of the input were refused, and nothing was stored. Each problem names its line and field."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


def load(models: odm.Router, lines: Iterable[str]) -> int:
    """Store all rows of a CSV file, or none and raise ``BadInput``; return how many there are."""
    reader = csv.DictReader(lines, restkey="too many columns")
    countries: list[Country] = []
    line_of: dict[int, int] = {}
    problems: list[str] = []
    for row in reader:
        try:
            country = Country(**row)
        except ValueError as error:  # an InvalidValue, or an InvalidKeyword for a column that no field has
            problems.append(f"line {reader.line_num}: {error}")
        else:
            countries.append(country)
            line_of[id(country)] = reader.line_num
    if problems:
        raise BadInput(problems)
    try:
        with models.session().begin() as transaction:
            for country in countries:
                transaction.add(country)
    except FieldValueError as error:
        pairs = zip(error.instances, error.errors, strict=True)
        raise BadInput(f"line {line_of[id(c)]}: {text}" for c, texts in pairs for text in texts.values()) from None
    except CommitException as error:
        where = ", ".join(str(line_of[id(c)]) for c in error.instances)
        raise BadInput(f"line {where}: {reason}" for reason in error.reasons) from None
    return len(countries)


def names(countries: Iterable[Country]) -> str:
    return ", ".join(map(str, countries))


def questions(country: odm.Manager[Country]) -> list[Question]:
    """Return a dozen questions: in words, as a query, and how its answer is put into words."""
    every, having = country.query(), country.filter
    small = having(region="Europe", population__ge=20_000, population__lt=50_000)
    crowded = country.where("this.population / this.area > 5000")
    dated = having(independence__ge=date(1900, 1, 1)).sort_by("independence")
    return [
        ("How many countries and territories are there?", every, len),
        ("What does Switzerland pay with?", having(code="CH"), lambda q: q.get().currency),
        ("Who pays with the franc or the krone?", having(currency__in=("CHF", "DKK", "NOK")), names),
        ("Who pays with the euro outside Europe?", having(currency="EUR").exclude(region="Europe"), names),
        ("Where do over 200 million live?", having(population__gt=200_000_000).sort_by("-population"), names),
        ("Which five are the largest?", every.sort_by("-area"), lambda q: names(q[:5])),
        ("Which three of the 20th century and later are the youngest?", dated, lambda q: names(q[-3:])),
        ("Which European ones have 20,000 to 50,000 people?", small.sort_by("population"), names),
        ("Whose names begin with 'united', in any case?", having(name__istartswith="united"), names),
        ("Where do over 5,000 people share a square kilometre?", crowded, names),
        ("How many currencies has Africa?", having(region="Africa").get_field("currency"), lambda q: len(set(q))),
        ("How many are in Oceania or use the US dollar?", having(region="Oceania").union(having(currency="USD")), len),
    ]


def ask(models: odm.Router) -> None:
    """Print each question with its query, its answer and how the answer was found."""
    for number, (words, query, answer) in enumerate(questions(models[Country]), 1):
        print(f"\n{number:>2}. {words}\n    {query}")
        print(textwrap.fill(str(answer(query)), 116, initial_indent="    = ", subsequent_indent="      "))
        print(textwrap.indent(str(query.explain()), "    | "))


def refuse(models: odm.Router) -> None:
    """Print what is said about a batch with a bad row, and that nothing of the batch was stored."""
    header = ",".join(field.name for field in Country._meta.scalarfields)
    for what, bad_row in BAD_ROWS.items():
        print(f"\nTwo rows more, the second with {what}:")
        try:
            load(models, (header, GOOD_ROW, bad_row))
        except BadInput as error:
            print(textwrap.indent(str(error), "    refused: "))
        utopia = "is there" if models[Country].filter(code="ZU").count() else "was not stored"
        print(f"    still {models[Country].count()} countries; the first row {utopia}")


def main(url: str = "memory://") -> None:
    with odm.Router(url) as models:
        models.register(Country, namespace="stdnet-example.")
        models.flush()
        with DATA.open(encoding="utf-8") as file:
            print(f"Stored {load(models, file)} countries in one transaction on {models[Country].backend}")
        ask(models)
        refuse(models)
        models.flush()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Countries of the world: a dozen queries on real facts.")
    parser.add_argument("--url", default="memory://", help="memory:// or redis://host:port/db")
    main(parser.parse_args().url)
