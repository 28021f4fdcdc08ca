"""Copies of instances: clones, dumps as scalars and as JSON, and pickles."""

from __future__ import annotations

import copy
import json
import pickle
from datetime import date, datetime
from typing import Any

import pytest

from stdnet import odm
from stdnet.errors import InvalidKeyword

from ..conftest import do
from .instances import User, full, part_of, verb
from .models import Country, Fund, SimpleModel

MODELS = [SimpleModel, Fund, Country]


# -- copies -------------------------------------------------------------------------------------------------------


async def test_a_clone_is_a_new_instance_with_the_same_values(models):
    source = await do(models.session().add(full()))
    clone = source.clone(code="b")
    assert (clone.id, clone.code, clone.group, clone.somebytes) == (None, "b", "g", b"\xff\x00")
    assert (clone.number, type(clone.number)) == (0.0, float)
    assert (clone.cached_data, clone.timestamp) == (b"", None)
    assert clone.session is source.session
    assert clone.get_state().action == "add"
    assert source.code == "a"
    await do(verb(clone, "save")())
    assert (clone.id, await do(models.simplemodel.count())) == (2, 2)


async def test_a_clone_takes_a_pk_cache_values_and_attributes(models):
    source = await do(models.session().add(full()))
    clone = source.clone(id=9, code="b", cached_data=b"x")
    assert (clone.id, clone.cached_data) == (9, b"x")
    assert not clone.get_state().persistent
    assert User("ann", email="e").clone(name="bob").email == "e"
    with pytest.raises(InvalidKeyword):
        source.clone(cod="b")


async def test_falsy_values_survive_clones_and_pickles(models):
    made = odm.ModelType(
        "Falsy",
        (odm.StdModel,),
        {
            "__module__": __name__,
            "register": False,
            "n": odm.IntegerField(default=7),
            "b": odm.BooleanField(default=True),
            "s": odm.SymbolField(default="x"),
        },
    )
    source = made(n=0, b=False, s="")
    assert source.todict() == {"n": 0, "b": 0, "s": ""}
    for again in (source.clone(), made._meta.make_object((None, None, source.todict()))):
        assert (again.n, again.b, again.s) == (0, False, "")


async def test_clear_cache_fields(models):
    source = await do(models.session().add(full()))
    source.clear_cache_fields()
    assert (source.cached_data, source.timestamp, source.somebytes) == (None, None, b"\xff\x00")
    await do(verb(source, "save")())
    loaded = await do(models.simplemodel.get(id=1))
    assert (loaded.cached_data, loaded.timestamp, loaded.code) == (b"", None, "a")


# -- dumps --------------------------------------------------------------------------------------------------------


async def test_todict_holds_scalars_of_what_is_not_none(models):
    source = full()
    micros = 1589718600000001
    scalars = {"code": "a", "group": "g", "description": "text é", "somebytes": b"\xff\x00", "number": 0.0}
    assert source.todict() == {**scalars, "cached_data": b"cache", "timestamp": micros}
    assert source.todict(exclude_cache=True) == scalars
    await do(models.session().add(source))
    assert source.todict(exclude_cache=True) == {**scalars, "__dbdata__": {"id": 1}}
    assert "opened" not in Fund(name="a").todict()


async def test_todict_and_tojson_convert_what_was_assigned(models):
    fund = Fund(id="3", name="a")
    fund.opened, fund.size = "1970-01-02", "5"
    assert (fund.todict()["opened"], fund.todict()["size"]) == (86400, 5)
    assert (fund.tojson()["opened"], fund.tojson()["size"], fund.tojson()["id"]) == (86400, 5, 3)
    fund.opened = "soon"
    for dump in (fund.todict, fund.tojson):
        with pytest.raises(ValueError, match=r"suite\.fund\.opened"):
            dump()


async def test_tojson_is_the_golden_example(models):
    source = SimpleModel(code="x", somebytes=b"\xff\x00", timestamp=datetime(1970, 1, 1, 0, 0, 1, 500000))
    assert source.tojson() == {}
    await do(models.session().add(source))
    assert source.tojson() == {"id": 1, "code": "x", "somebytes": "/wA="}
    assert source.tojson(exclude_cache=False) == {"id": 1, "code": "x", "somebytes": "/wA=", "timestamp": 1.5}


async def test_tojson_keeps_zero_and_false(models):
    fund = await do(models.fund.new(name="a", ccy="EUR", price=0, opened=date(1970, 1, 2)))
    assert fund.tojson() == {
        "id": 1,
        "name": "a",
        "ccy": "EUR",
        "size": 0,
        "price": 0.0,
        "opened": 86400,
        "active": False,
    }
    country = await do(models.country.new(code="x", name="X"))
    assert country.tojson() == {"code": "x", "name": "X"}


async def test_from_base64_data_reads_what_tojson_wrote(models):
    source = await do(models.session().add(full()))
    text = json.dumps(source.tojson(exclude_cache=False))
    again = SimpleModel.from_base64_data(**json.loads(text), what="ever")
    assert again == source
    assert not again.get_state().persistent
    for field in SimpleModel._meta.scalarfields:
        assert getattr(again, field.name) == getattr(source, field.name)
    with pytest.raises(ValueError, match="base64"):
        SimpleModel.from_base64_data(somebytes="é")


# -- pickles ------------------------------------------------------------------------------------------------------


def pickled(instance: Any, protocol: int) -> Any:
    return pickle.loads(pickle.dumps(instance, protocol))


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
async def test_pickling_a_stored_instance(models, protocol):
    source = await do(models.session().add(full()))
    assert source.is_valid()
    again = pickled(source, protocol)
    assert again == source
    assert hash(again) == hash(source)
    for field in SimpleModel._meta.scalarfields:
        assert getattr(again, field.name) == getattr(source, field.name)
    assert again.session is None
    assert "cleaned_data" not in again._dbdata
    assert again.has_all_data
    again.group = "changed"
    await do(models.session().add(again))
    assert [row.group for row in await do(models.simplemodel.all())] == ["changed"]


async def test_pickling_a_new_instance(models):
    again = pickled(full(), 4)
    assert (again.id, again.code, again.number) == (None, "a", 0.0)
    assert not again.get_state().persistent
    again = pickled(Country(code="x", name="X"), 4)
    assert (again.code, again.get_state().action) == ("x", "add")


async def test_pickling_with_another_pk(models):
    source = await do(models.country.new(code="it", name="Italy"))
    again = pickled(source, 4)
    assert again == source
    assert (again.name, again.get_state().action) == ("Italy", "override")
    source.code = "IT"
    moved = pickled(source, 4)
    assert moved.get_state().persistent
    await do(models.session().add(moved))
    assert [row.code for row in await do(models.country.all())] == ["IT"]


async def test_pickling_a_part(models):
    part = await part_of(models, "code", "number")
    again = pickled(part, 4)
    assert again == part
    assert again._loadedfields == ("code", "number")
    assert (again.get_state().action, hasattr(again, "group")) == ("update", False)
    again.number = 9
    await do(models.session().add(again))
    loaded = await do(models.simplemodel.get(id=1))
    assert (loaded.number, loaded.group) == (9.0, "g")


async def test_copies_of_an_instance_are_pickles_of_it(models):
    source = await do(models.session().add(full()))
    for again in (copy.copy(source), copy.deepcopy(source)):
        assert again == source
        assert again.session is None
        assert again.timestamp == source.timestamp
