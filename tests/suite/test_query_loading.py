"""What is loaded of a row: load_only, dont_load, get_field."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from stdnet import QuerySetError
from stdnet.errors import UnknownField

from ..conftest import do, round_trips
from .golden import again, simple, store
from .models import Country, Event, Fund, SimpleModel

MODELS = [SimpleModel, Fund, Country, Event]


async def test_load_only(models):
    q = await simple(models)
    query = q.load_only("number", "code")
    assert query.fields == ("number", "code")
    row = await do(query.get(code="a"))
    assert (row.id, row.number, row.code) == (1, 3.0, "a")
    assert set(row._loadedfields) == {"number", "code"}
    assert not hasattr(row, "group")
    assert not hasattr(row, "description")
    assert not row.has_all_data
    assert row.get_state().action == "update"
    assert [field.name for field in row.loadedfields()] == list(row._loadedfields)


async def test_calls_add_up_and_keep_their_order(models):
    q = models.session().query(SimpleModel)
    assert q.load_only("number").load_only("code", "number").fields == ("number", "code")
    assert q.dont_load("number").dont_load("code").exclude_fields == ("number", "code")
    assert q.load_only().fields == q.fields == ()
    assert q.load_only("id").fields == ("id",)


async def test_the_pk_is_always_there(models):
    q = await simple(models)
    for query in (q.load_only("id"), q.load_only("code").dont_load("code"), q.dont_load(*SimpleModel._meta.dfields)):
        rows = await do(query.all())
        assert [row.id for row in rows] == [1, 2, 3, 4]
        assert {row._loadedfields for row in rows} == {()}
        assert not hasattr(rows[0], "code")
    row = await do(q.load_only("id", "code").get(code="b"))
    assert (row.id, row._loadedfields) == (2, ("code",))


async def test_everything_without_names(models):
    row = (await do((await simple(models)).load_only().all()))[0]
    assert (row._loadedfields, row.has_all_data) == (None, True)


async def test_dont_load(models):
    q = await simple(models)
    row = await do(q.dont_load("number", "group", "id").get(code="a"))
    assert (row.id, row.code, row.description) == (1, "a", "")
    assert not hasattr(row, "number")
    assert not hasattr(row, "group")
    row = await do(q.load_only("code", "number").dont_load("number").get(code="a"))
    assert row._loadedfields == ("code",)


async def test_filters_and_orders_need_not_be_loaded(models):
    q = await simple(models)
    rows = await do(
        q.filter(group="g1", number__gt=0).where("this.number < 100").sort_by("-number").load_only("code").all()
    )
    assert [row.code for row in rows] == ["b", "a"]


@pytest.mark.parametrize("name", ["nope", "", "id__x", "__dict__", "-code"])
async def test_unknown_names(models, name):
    q = await simple(models)
    for query in (q.load_only("code", name), q.dont_load(name)):
        with pytest.raises(UnknownField, match="Could not load"):
            await do(query.all())
    with pytest.raises(UnknownField, match="Could not get field"):
        q.get_field(name)


@pytest.mark.parametrize("name", [5, b"code", ["code"], {}, SimpleModel])
async def test_names_are_text(models, name):
    q = models.session().query(SimpleModel)
    for method in (q.load_only, q.dont_load, q.get_field):
        with pytest.raises(QuerySetError):
            method(name)


async def test_get_field(models):
    q = await simple(models)
    query = q.get_field("code")
    assert query._get_field == "code"
    async with round_trips(models, 1):
        values = await do(query.all())
    assert values == ["a", "b", "c", "d"]
    assert await do(query.count()) == 4
    assert await do(q.get_field("id").all()) == [1, 2, 3, 4]
    assert await do(q.filter(group="g1").get_field("group").all()) == ["g1", "g1"]
    assert await do(query.filter(code="c").get()) == "c"
    assert await do(query.get_field("number").get(code="a")) == 3.0
    assert await do(query.items(callback=sorted)) == values
    with pytest.raises(SimpleModel.DoesNotExist):
        await do(query.get(code="zz"))


async def test_missing_values_of_get_field(models):
    q = await simple(models)
    assert await do(q.get_field("number").all()) == [3.0, 4.0, 5.0, None]
    assert await do(q.get_field("timestamp").all()) == [None] * 4
    assert await do(q.get_field("somebytes").all()) == [b""] * 4
    assert await do(q.filter(code="d").get_field("group").all()) == [""]


async def test_values_of_get_field_have_the_types_of_the_field(models):
    moment = datetime(2014, 1, 2, 3, 4, 5, 6)
    await store(
        models, Fund(name="x", ccy="EUR", opened=date(2014, 1, 2), active=True, size=0), Country(code="it", name="I")
    )
    await store(models, Event(when=moment))
    funds = models.session().query(Fund)
    for name, value in (("opened", date(2014, 1, 2)), ("active", True), ("size", 0), ("price", None), ("id", 1)):
        (found,) = await do(funds.get_field(name).all())
        assert (found, type(found)) == (value, type(value))
    assert await do(models.session().query(Country).get_field("code").all()) == ["it"]
    assert await do(models.session().query(Event).get_field("when").all()) == [moment]


async def test_the_rest_of_a_row_can_be_loaded_later(models):
    q = await simple(models)
    row = await do(q.load_only("code").get(code="a"))
    await do(row.aload_fields("number") if hasattr(q, "__aiter__") else row.load_fields("number"))
    assert (row.number, row._loadedfields) == (3.0, ("code", "number"))
    row.number = 9
    await do(q.session.add(row))
    whole = await do(again(q).get(code="a"))
    assert (whole.number, whole.group) == (9.0, "g1")
