"""The examples run, and print what is true."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from examples import countries
from examples.countries import DATA, BadInput, Country
from stdnet import odm
from tests.servers import running

HEADER = "code,alpha3,numeric,name,region,currency,area,population,independence"
UTOPIA = "ZU,ZUT,901,Utopia,Europe,EUR,100,5000,"


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


def test_a_server_gives_the_same_answers(capsys: pytest.CaptureFixture[str]) -> None:
    countries.main()
    _, *in_memory = capsys.readouterr().out.splitlines()
    with running() as server:
        countries.main(server.url)
    stored, *on_redis = capsys.readouterr().out.splitlines()
    assert stored.startswith("Stored 249 countries in one transaction on redis://")
    assert on_redis == in_memory


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
