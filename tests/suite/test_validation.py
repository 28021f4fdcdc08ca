"""Validation: errors by field, cleaned data, and commits that are refused before anything is sent."""

from __future__ import annotations

import json
import math
from datetime import date, datetime, timezone
from typing import Any

import pytest

from stdnet import CommitException, FieldValueError, odm

from ..conftest import do, round_trips, transaction
from .models import Country, Event, Fund, SimpleModel


class Level(odm.IntegerField):
    """A field of a user's own, whose errors are plain."""

    def convert(self, value: Any) -> int:
        value = super().convert(value)
        if value > 9:
            raise LookupError(f"no level {value}")
        return value


class Position(odm.StdModel):
    code = odm.SymbolField()
    size = odm.FloatField()
    day = odm.DateField()
    amount = odm.IntegerField()
    level = Level(required=False)
    note = odm.CharField()
    blob = odm.ByteField(required=True)

    class Meta:
        app_label = "suite"


MODELS = [Position, SimpleModel, Country, Event, Fund]


def position(**changes: Any) -> Position:
    return Position(**{"code": "a", "size": 1, "day": "2020-01-02", "amount": 3, **changes})


async def commit(session: Any, *rows: Any) -> None:
    async with transaction(session) as t:
        for row in rows:
            t.add(row)


async def test_a_valid_instance(models):
    row = position(blob=b"x")
    assert row.is_valid()
    assert row._dbdata["errors"] == {}
    assert row._dbdata["cleaned_data"] == {
        "code": "a",
        "size": 1.0,
        "day": 1577923200,
        "amount": 3,
        "note": "",
        "blob": b"x",
    }
    assert not row.get_state().persistent
    assert await do(models.position.count()) == 0


async def test_missing_values_of_required_fields(models):
    row = Position(size=10)
    assert not row.is_valid()
    assert row._dbdata["errors"] == {
        name: f"Field '{name}' is required for 'suite.position'." for name in ("code", "day", "amount")
    }
    assert row._dbdata["cleaned_data"] == {"size": 10.0, "note": "", "blob": b""}


async def test_what_is_blank_and_what_is_not(models):
    assert position(size=0, amount=0, blob=b"").is_valid()
    for blank in ({"code": ""}, {"code": None}, {"code": b""}, {"size": None}, {"amount": ""}, {"day": ""}):
        row = position(**blank)
        assert not row.is_valid()
        assert list(row._dbdata["errors"]) == list(blank)


async def test_none_is_not_in_the_cleaned_data(models):
    row = SimpleModel(code="a")
    assert row.is_valid()
    assert row._dbdata["cleaned_data"] == {
        "code": "a",
        "group": "",
        "description": "",
        "somebytes": b"",
        "cached_data": b"",
    }


async def test_validation_converts_what_was_assigned(models):
    row = position()
    row.code, row.size, row.day, row.note = 5, "2.5", datetime(2020, 1, 2, 3), None
    assert row.is_valid()
    assert (row.code, row.size, row.day, row.note) == ("5", 2.5, date(2020, 1, 2), "")


async def test_validation_starts_afresh(models):
    row = Position(code="a")
    assert not row.is_valid()
    row.size, row.day, row.amount = 1, date(2020, 1, 2), 1
    assert row.is_valid()
    assert row._dbdata["errors"] == {}


async def test_a_default_is_evaluated_when_the_value_is_missing(models):
    row = Event(when=datetime(2020, 1, 2))
    first = row.created
    row.created, row.day = None, None
    await do(models.session().add(row))
    assert row.created >= first
    assert row.day >= first.date()
    loaded = await do(models.event.get(id=1))
    assert (loaded.created, loaded.day) == (row.created, row.day)


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("size", "abc", "'abc' is not a number"),
        ("size", math.nan, "nan"),
        ("amount", [1], "is not an integer"),
        ("amount", 2**53 + 1, "index=False"),
        pytest.param("amount", 10**5000, "<int> is beyond", id="huge"),
        ("day", "tomorrow", "'tomorrow' is not a date"),
        ("day", datetime(2020, 1, 2, tzinfo=timezone.utc), "time zone"),
        ("code", "\ud800", "lone surrogates"),
        ("note", b"\xff", "is not utf-8 text"),
        ("blob", 5, "is neither bytes nor text"),
        ("level", 10, "no level 10"),
        ("id", "seven", "is not an integer id"),
    ],
)
async def test_a_commit_of_a_bad_value_is_refused_and_nothing_is_sent(models, name, value, text):
    row, good = position(), position(code="good")
    setattr(row, name, value)
    session = models.session()
    async with round_trips(models, 0):
        with pytest.raises(FieldValueError, match=text) as refused:
            await commit(session, good, row)
    assert list(json.loads(str(refused.value))) == [name]
    assert refused.value.instances == (row,)
    assert (good.id, session.transaction, session.dirty) == (None, None, frozenset())
    assert await do(models.position.count()) == 0
    setattr(row, name, None if name in ("level", "id") else getattr(good, name))
    await commit(session, good, row)
    assert (good.id, row.id) == (1, 2)


async def test_the_error_of_a_commit_is_json_and_names_all_fields(models):
    with pytest.raises(FieldValueError) as refused:
        await do(models.position.new(size=10))
    errors = json.loads(str(refused.value))
    assert list(errors) == ["code", "day", "amount"]
    assert refused.value.errors == [errors]


async def test_the_error_of_a_commit_names_all_instances(models):
    with pytest.raises(FieldValueError) as refused:
        await commit(models.session(), position(), position(code=""), position(size=None))
    assert [list(each) for each in json.loads(str(refused.value))] == [["code"], ["size"]]
    assert len(refused.value.instances) == 2
    assert await do(models.position.count()) == 0


async def test_fields_that_were_not_loaded_are_neither_checked_nor_written(models):
    await do(models.session().add(position()))
    part = await do(models.position.query().load_only("size").get())
    assert part.is_valid()
    assert part._dbdata["cleaned_data"] == {"size": 1.0}
    part.size = None
    assert not part.is_valid()
    assert list(part._dbdata["errors"]) == ["size"]
    part.size = 7
    await do(models.session().add(part))
    loaded = await do(models.position.get(id=1))
    assert (loaded.size, loaded.code, loaded.amount) == (7.0, "a", 3)


async def test_a_row_without_its_given_pk_is_refused(models):
    for pk in (None, ""):
        with pytest.raises(CommitException, match="Id not available"):
            await do(models.country.new(code=pk, name="X"))
    assert await do(models.country.count()) == 0


async def test_a_pk_that_cannot_be_is_refused(models):
    for pk in ("\ud800", b"\xff"):
        with pytest.raises(FieldValueError, match="code"):
            await do(models.country.new(code=pk, name="X"))
    assert await do(models.country.count()) == 0


async def test_blank_unique_values_do_not_clash(models):
    for code in ("", None):
        with pytest.raises(FieldValueError):
            await do(models.simplemodel.new(code=code))
    await do(models.simplemodel.new(code="a"))
    with pytest.raises(CommitException, match="Unique constraint"):
        await do(models.simplemodel.new(code=b"a"))
    assert await do(models.simplemodel.count()) == 1


async def test_a_wrong_default_of_a_function_is_an_error_of_the_commit(models):
    made = odm.ModelType(
        "Bad",
        (odm.StdModel,),
        {"__module__": __name__, "register": False, "size": odm.IntegerField(default=lambda: "many")},
    )
    models.register(made)
    with pytest.raises(ValueError, match="'many' is not an integer"):
        made()
    row = made(size=1)
    row.size = None
    with pytest.raises(FieldValueError, match="'many' is not an integer"):
        await do(models.session().add(row))
    assert await do(models.bad.count()) == 0
