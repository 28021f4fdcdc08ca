"""The examples run, and print what is true."""

from __future__ import annotations

import csv
import re
import statistics
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from examples import countries, hedge_fund, market_data, prices, search, social
from examples.countries import DATA, BadInput, Country
from stdnet import odm
from tests.servers import running

HEADER = "code,alpha3,numeric,name,region,currency,area,population,independence"
UTOPIA = "ZU,ZUT,901,Utopia,Europe,EUR,100,5000,"
SOCIAL = """\
anna follows ben, carla, and is followed by ben, dario
    both ways: ben
    those she follows also follow: dario, emil
Who follows somebody who writes of tickets? anna
Followers, loaded with the users in one round trip:
    anna: ben, dario
    ben: anna
    carla: anna
    dario: ben, carla
    emil: carla
The latest that anna sees:
    09:00 ben: Thanks, dario, see you there.
    08:20 ben: Does anybody have a spare ticket?
    08:10 carla: The bread is in the oven.
anna now follows carla, emil, and sees:
    08:50 emil: First light on the ridge.
    08:10 carla: The bread is in the oven.
Without emil there are 4 users, 5 posts and 5 links; anna follows carla
refused: Cannot link a "social.user" that is not saved. Save it first.
    still 4 users, 5 posts and 5 links
"""


@pytest.fixture
def models() -> Iterator[odm.Router]:
    with odm.Router("memory://") as router:
        router.register(Country)
        yield router


@pytest.fixture
def world(models: odm.Router) -> odm.Router:
    with DATA.open(encoding="utf-8") as file:
        countries.load(models, file)
    return models


def refused(models: odm.Router, *lines: str) -> tuple[str, ...]:
    before = models[Country].count()
    with pytest.raises(BadInput) as caught:
        countries.load(models, lines)
    assert models[Country].count() == before
    return caught.value.problems


def test_the_program_asks_a_dozen_questions_and_refuses_three_batches(capsys: pytest.CaptureFixture[str]) -> None:
    countries.main()
    printed = capsys.readouterr().out
    assert printed.startswith("Stored 249 countries in one transaction on memory://")
    assert "12. How many are in Oceania" in printed
    assert "= CHF\n" in printed
    assert "    = India, China, United States, Indonesia, Pakistan, Nigeria, Brazil\n" in printed
    assert "unique index code" in printed
    assert "refused: line 3: world.country.population: 'plenty' is not an integer." in printed
    assert printed.count("refused: line 3: ") == printed.count("still 249 countries; the first row was not stored") == 3


@pytest.mark.parametrize(
    ("program", "first_line"),
    [
        (countries.main, "Stored 249 countries in one transaction on "),
        (hedge_fund.main, "Stored 3 funds, 364 instruments, 298 positions in one transaction on "),
        (prices.main, "Stored 8 currencies, 4,096 rates on "),
        (social.main, "Stored 5 users, 6 posts and 7 links on "),
        (market_data.main, "Stored 4,096 rates of 8 currencies on "),
        (search.main, "Stored 3994 verses in one transaction on "),
    ],
    ids=["countries", "hedge_fund", "prices", "social", "market_data", "search"],
)
def test_a_server_gives_the_same_answers_and_is_left_empty(
    capsys: pytest.CaptureFixture[str], program: Callable[..., None], first_line: str
) -> None:
    program()
    stored, *in_memory = capsys.readouterr().out.splitlines()
    assert stored.startswith(first_line + "memory://")
    with running() as server:
        program(server.url)
        names = server.command("KEYS", "*").split(b"\r\n")[2::2]
    stored, *on_redis = capsys.readouterr().out.splitlines()
    assert stored.startswith(first_line + "redis://")
    assert on_redis == in_memory
    assert [name for name in names if b".:commit:" not in name] == []  # what a lost reply would be told


def test_the_hedge_fund_tells_what_its_funds_hold(capsys: pytest.CaptureFixture[str]) -> None:
    hedge_fund.main()
    printed = capsys.readouterr().out
    with hedge_fund.DATA.open(encoding="utf-8") as file:
        shares = [{**row, "indices": set(row["indices"].split("|"))} for row in csv.DictReader(file)]
    held = {
        name: {row["symbol"] for row in shares if row["indices"] & wanted}
        for name, (_, wanted) in hedge_fund.FUNDS.items()
    }
    nobody = len(shares) - len(set.union(*held.values()))
    assert f"Stored 3 funds, {len(shares)} instruments, {sum(map(len, held.values()))} positions" in printed
    assert answers(printed)["5. Who holds Airbus?"] == "Tobin, Markowitz"
    assert answers(printed)["6. How many shares does nobody hold?"] == str(nobody)
    assert answers(printed)["7. Who trades in which currencies?"] == "Sharpe: GBP, USD; Tobin: CHF, EUR; Markowitz: EUR"
    assert "fund_id in id of hedge.fund " in printed
    assert 'not at all: "instrument" of this "hedge.position" is not loaded' in printed
    assert "\"instrument_id\": \"Field 'instrument_id' is required for 'hedge.position'.\"" in printed
    assert "0 funds of that name" in printed
    gone = len(held["Sharpe"]) + sum("AIR.PA" in symbols for symbols in held.values())
    assert f"gone: 1 funds, 1 instruments, {gone} positions" in printed
    assert f"left: 2 funds, {len(shares) - 1} instruments, {sum(map(len, held.values())) - gone} positions" in printed


def test_the_market_data_tell_what_the_bank_published(capsys: pytest.CaptureFixture[str]) -> None:
    market_data.main()
    printed = capsys.readouterr().out
    with market_data.DATA.open(encoding="utf-8") as file:
        table = list(csv.DictReader(file))
    rates = {
        code: [(row["day"], float(row["rate"])) for row in table if row["currency"] == code]
        for code in ("AUD", "CHF", "GBP", "JPY", "USD")
    }
    franc, march = rates["CHF"], [rate for day, rate in rates["CHF"] if day.startswith("2020-03")]
    in_2019 = [rate for day, rate in rates["AUD"] if day.startswith("2019")]
    wild = {code: wild_days(rates[code]) for code in ("GBP", "USD")}
    assert "before the end of the transaction: 0 rates of the last one, 0 rows with a last day" in printed
    assert (
        f"Francs for a euro: {len(franc)} days from {franc[0][0]} to {franc[-1][0]}, as the row says: True" in printed
    )
    assert "the last three days: " + ", ".join(f"{day} {rate:g}" for day, rate in franc[-3:]) in printed
    assert f"March 2020: {len(march)} days, {min(march)} to {max(march)}" in printed
    assert "on 2020-01-01: no trade, then on 2020-01-02" in printed
    assert f"on {franc[-1][0]}: {franc[-1][1]}, at place {len(franc) - 1}" in printed
    assert f"Days of 1.0 % and more: GBP {len(wild['GBP'])}, USD {len(wild['USD'])}" in printed
    assert "pound and dollar: " + " ".join(sorted(wild["GBP"] & wild["USD"])) in printed
    assert f"AUD: {len(in_2019)} rates, {sum(in_2019) / len(in_2019):.6g} on average" in printed
    left = len(franc) - len(in_2019)
    assert "Kept: " + ", ".join(f"{code} {left}" for code in ("CAD", "CHF", "GBP", "JPY", "SEK", "USD")) in printed
    assert f"Awaited: {len(rates['JPY'])} days of yen" in printed


def wild_days(rates: list[tuple[str, float]]) -> set[str]:
    """Return the days whose rate differs from the one before by a percent and more."""
    return {day for (_, before), (day, rate) in pairwise(rates) if abs(round(100 * (rate / before - 1), 2)) >= 1}


def answers(printed: str) -> dict[str, str]:
    """Return the answer to each question, which stands under its query."""
    lines = printed.splitlines()
    return {lines[n - 2]: line.removeprefix("    = ") for n, line in enumerate(lines) if line.startswith("    = ")}


def test_the_social_network_tells_who_follows_whom(capsys: pytest.CaptureFixture[str]) -> None:
    social.main()
    _, *printed = capsys.readouterr().out.splitlines()
    assert printed == SOCIAL.splitlines()


def test_the_prices_are_those_of_the_file(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    prices.main(path=tmp_path / "rates.png")
    printed = capsys.readouterr().out
    with prices.DATA.open(encoding="utf-8") as file:
        rates: dict[str, dict[str, float]] = {}
        for row in csv.DictReader(file):
            rates.setdefault(row["currency"], {})[row["day"]] = float(row["rate"])
    dollar, pound = rates["USD"], rates["GBP"]
    assert f"lowest {min(dollar.values())}, highest {max(dollar.values())}" in printed
    ends = [max(day for day in pound if day.startswith(f"2020-0{month}")) for month in range(1, 7)]
    assert "  ".join(f"{pound[day]:.4f}" for day in ends) in printed
    first, last = min(dollar), max(dollar)
    assert f"Half a dollar and half a hundred yen: {0.5 * dollar[first] + 0.005 * rates['JPY'][first]:.4f}" in printed
    assert f"  {dollar[last] / rates['CHF'][last]:.4f}\n" in printed
    assert f"rose by {100 * (dollar[last] / dollar[first] - 1):.2f} %" in printed
    changes = {code: [b / a - 1 for a, b in pairwise(rates[code].values())] for code in ("SEK", "USD")}
    matrix = {line.split()[0]: line.split()[1:] for line in printed.splitlines() if line[4:7] in rates}
    place = sorted(rates).index("USD")
    assert matrix["SEK"][place] == f"{statistics.correlation(changes['SEK'], changes['USD']):.2f}"
    assert (tmp_path / "rates.png").read_bytes().startswith(b"\x89PNG")


def test_the_search_finds_what_the_verses_say(capsys: pytest.CaptureFixture[str]) -> None:
    search.main()
    printed = capsys.readouterr().out
    with search.DATA.open(encoding="utf-8") as file:
        verses = [(place, set(re.findall(r"\w+", text.lower()))) for place, text in (line.split("\t") for line in file)]
    harps = [place for place, words in verses if all(any(w.startswith(p) for w in words) for p in ("harp", "psalter"))]
    assert f"harp* psalter*: {len(harps)} verses" in printed
    shepherds = [place for place, words in verses if any(word.startswith("shepherd") for word in words)]
    assert f"shepherds in the Psalms: {', '.join(place for place in shepherds if 'Psalm' in place)}\n" in printed
    assert f"in the other book: {sum('Genesis' in place for place in shepherds)}\n" in printed
    assert "beside the [still] [waters]" in printed
    assert "Nebuchadnezzar: 0 verses" in printed


def test_words_of_ones_own_are_sought(capsys: pytest.CaptureFixture[str]) -> None:
    search.main(words='"living creature" cattle')
    _, count, *printed = capsys.readouterr().out.splitlines()
    assert count == '"living creature" cattle: 2 verses'
    assert printed[0].endswith("Genesis 9:10")
    assert "shepherd" not in "".join(printed)


def test_the_data_are_the_countries_of_iso_3166(world: odm.Router) -> None:
    assert world[Country].count() == 249
    switzerland = world[Country].get(code="CH")
    assert (switzerland.alpha3, switzerland.numeric, switzerland.name) == ("CHE", "756", "Switzerland")
    assert (switzerland.currency, switzerland.region, switzerland.area) == ("CHF", "Europe", 41277.0)
    assert world[Country].get(code="AQ").population is None
    assert {c.code for c in world[Country].filter(currency="")} == {"AQ"}


def test_each_bad_row_is_named_by_line_and_field(models: odm.Router) -> None:
    rows = ("ZR,ZRU,902,Ruritania,Europe,EUR,wide,plenty,", UTOPIA, "ZS,ZSY,903,Sylvania,Europe,EUR,1,2,soon")
    assert refused(models, HEADER, *rows) == (
        "line 2: world.country.area: 'wide' is not a number.",
        "line 4: world.country.independence: 'soon' is not a date.",
    )


def test_a_missing_name_is_named(models: odm.Router) -> None:
    (problem,) = refused(models, HEADER, UTOPIA, "ZR,ZRU,902,,Europe,EUR,200,6000,")
    assert problem.startswith("line 3: Field 'name' is required")


def test_a_taken_code_is_named(world: odm.Router) -> None:
    (problem,) = refused(world, HEADER, UTOPIA, "CH,ZRU,902,Ruritania,Europe,EUR,200,6000,")
    assert problem.startswith("line 3: ")
    assert "\"code\" violated: 'CH'" in problem


def test_a_column_that_no_field_has_is_named(models: odm.Router) -> None:
    (problem,) = refused(models, HEADER.replace("region", "continent"), UTOPIA)
    assert problem.startswith('line 2: "continent" is an invalid keyword for world.country.')


def test_a_row_that_is_too_long_is_named(models: odm.Router) -> None:
    (problem,) = refused(models, HEADER, UTOPIA + ",1,2")
    assert problem.startswith('line 2: "too many columns" is an invalid keyword')


def test_nothing_is_stored_twice(world: odm.Router) -> None:
    with DATA.open(encoding="utf-8") as file:
        problems = refused(world, *file)
    assert len(problems) >= 249
