"""Instances: construction, identity, their methods, partly loaded ones, and life with a session."""

from __future__ import annotations

from datetime import date

import pytest

from stdnet import InvalidTransaction, ObjectNotFound, QuerySetError, SessionNotAvailable, StdNetException
from stdnet.errors import InvalidKeyword, UnknownField

from ..conftest import do, round_trips, transaction
from .instances import User, full, part_of, verb, wrong_verb
from .models import Country, Event, Fund, SimpleModel, Word

MODELS = [SimpleModel, Fund, Country, Event, Word, User]


# -- construction -------------------------------------------------------------------------------------------------


async def test_a_constructor_converts_and_fills_defaults(models):
    fund = Fund(name=b"Alpha", ccy="EUR", size="3", opened="2020-01-02", active=1)
    assert (fund.name, fund.ccy, fund.size, fund.opened, fund.active) == ("Alpha", "EUR", 3, date(2020, 1, 2), True)
    assert (fund.id, fund.price, fund.description) == (None, None, "")
    stored = await do(models.session().add(fund))
    assert stored is fund
    loaded = await do(models.fund.get(id=fund.id))
    for name in ("id", "name", "ccy", "size", "opened", "active", "price", "description"):
        assert getattr(loaded, name) == getattr(fund, name)
        assert type(getattr(loaded, name)) is type(getattr(fund, name))


async def test_a_given_pk_is_converted_when_it_is_saved(models):
    fund = Fund(id="7", name="a", ccy="EUR")
    assert fund.id == fund.pkvalue() == "7"
    await do(models.session().add(fund))
    assert fund.id == fund.pkvalue() == 7


@pytest.mark.parametrize(
    ("kwargs", "text"),
    [
        ({"nmae": "x"}, '"nmae" is an invalid keyword for suite.fund. Did you mean "name"?'),
        ({"a": 1, "b": 2}, "a, b are invalid keywords for suite.fund."),
    ],
)
async def test_unknown_keywords_are_refused(models, kwargs, text):
    with pytest.raises(ValueError, match=text) as refused:
        await do(models.fund.new(name="n", ccy="EUR", **kwargs))
    assert isinstance(refused.value, InvalidKeyword)
    with pytest.raises(InvalidKeyword, match="positional"):
        await do(models.fund.new("n", "EUR"))
    assert await do(models.fund.count()) == 0


@pytest.mark.parametrize(
    "bad", [{"size": "abc"}, {"price": "x"}, {"opened": "soon"}, {"active": "maybe"}, {"name": "\ud800"}]
)
async def test_a_value_that_cannot_be_converted_is_refused_at_once(models, bad):
    (name,) = bad
    with pytest.raises(ValueError, match=f"suite.fund.{name}") as refused:
        await do(models.fund.new(**{"name": "n", "ccy": "EUR", **bad}))
    assert isinstance(refused.value, StdNetException)
    assert await do(models.fund.count()) == 0
    assert (await do(models.fund.new(name="n", ccy="EUR"))).id == 1


async def test_a_local_model_can_be_stored(models):
    users = [User("ann", email="a@b.c"), User()]
    async with transaction(models.session()) as t:
        for user in users:
            t.add(user)
    assert [user.id for user in users] == [1, 2]
    loaded = await do(models.user.all())
    assert loaded == users
    assert [(user.name, user.email) for user in loaded] == [(None, None)] * 2


# -- identity -----------------------------------------------------------------------------------------------------


async def test_unsaved_instances_are_equal_to_themselves_alone(models):
    one, two = Fund(name="a", ccy="EUR"), Fund(name="a", ccy="EUR")
    assert one == one
    assert one != two
    assert len({one, two}) == 2


async def test_stored_instances_are_equal_by_class_and_pk(models):
    made = await do(models.fund.new(name="a", ccy="EUR"))
    loaded = await do(models.fund.get(name="a"))
    partial = (await do(models.fund.query().load_only("size").all()))[0]
    assert made is not loaded
    assert made == loaded == partial
    assert hash(made) == hash(loaded) == hash(partial)
    assert made != await do(models.fund.new(name="b", ccy="EUR"))
    other = await do(models.simplemodel.new(code="a"))
    assert other.id == made.id
    assert made != other
    assert hash(made) != hash(other)
    assert (made == 1, made == None) == (False, False)  # noqa: E711


async def test_the_hash_changes_when_an_instance_is_saved(models):
    fund = Fund(name="a", ccy="EUR")
    before = hash(fund)
    assert hash(fund) == before
    await do(models.session().add(fund))
    assert hash(fund) != before
    assert fund in {fund}


async def test_a_uuid_names_a_row_of_a_model(models):
    fund = Fund(name="a", ccy="EUR")
    with pytest.raises(Fund.DoesNotExist, match="no primary key"):
        _ = fund.uuid
    await do(models.session().add(fund))
    assert fund.uuid == Fund.get_uuid(1) == f"{Fund._meta.hash}.1"
    assert await do(models.from_uuid(fund.uuid)) == fund
    country = await do(models.country.new(code="x.y", name="X"))
    assert await do(models.from_uuid(country.uuid)) == country


@pytest.mark.parametrize(
    "uuid", ["", ".", "1", "00000000.1", "None.1", f"{Fund._meta.hash}.2", f"{Fund._meta.hash}.x", 3]
)
async def test_a_uuid_that_names_nothing_is_refused(models, uuid):
    await do(models.fund.new(name="a", ccy="EUR"))
    with pytest.raises(ObjectNotFound):
        await do(models.from_uuid(uuid))


async def test_rows_of_unregistered_models_have_no_uuid(models):
    user = await do(models.user.new("ann"))
    with pytest.raises(ObjectNotFound, match=r"base\.user"):
        _ = user.uuid


async def test_texts_of_instances(models):
    assert str(Fund(name="a")) == "a"
    assert repr(Fund(name="a")) == "Fund: a"
    assert str(SimpleModel(code="c")) == "c"
    assert str(Event()) == "Event object"


async def test_errors_are_attributes_of_models(models):
    assert Fund.DoesNotExist is Country.DoesNotExist is ObjectNotFound
    assert issubclass(Fund.DoesNotValidate, StdNetException)
    with pytest.raises(Fund.DoesNotExist):
        await do(models.fund.get(id=1))


async def test_get_unique_instance(models):
    one, two = Fund(id=1), Fund(id=2)
    assert Fund.get_unique_instance(iter([one])) is one
    with pytest.raises(QuerySetError, match="Non unique results"):
        Fund.get_unique_instance([one, two])
    with pytest.raises(Fund.DoesNotExist):
        Fund.get_unique_instance([])


# -- sessions -----------------------------------------------------------------------------------------------------


async def test_an_instance_without_a_session_cannot_reach_a_database(models):
    fund = Fund(name="a", ccy="EUR")
    assert (fund.session, fund.backend, fund.read_backend) == (None, None, None)
    partial = Fund._meta.make_object((1, ("size",), {"size": 1}))
    for use in (fund.save, fund.delete, partial.load_fields):
        with pytest.raises(SessionNotAvailable, match=r"suite\.fund"):
            use()
    for use in (fund.asave, fund.adelete, partial.aload_fields):
        with pytest.raises(SessionNotAvailable, match=r"suite\.fund"):
            await use()


async def test_an_instance_saves_and_deletes_itself(models):
    fund = await do(models.fund.new(name="a", ccy="EUR"))
    assert fund.backend is models.fund.backend
    assert fund.read_backend is models.fund.read_backend
    fund.size = 5
    assert await do(verb(fund, "save")()) is fund
    assert (await do(models.fund.get(id=1))).size == 5
    assert await do(verb(fund, "delete")()) == [1]
    assert await do(models.fund.count()) == 0
    assert await do(verb(fund, "delete")()) is None


async def test_the_verb_of_the_other_kind_of_session_is_refused(models):
    fund = await do(models.fund.new(name="a", ccy="EUR"))
    partial = await do(models.fund.query().load_only("size").get())
    for name, instance in [("save", fund), ("delete", fund), ("load_fields", partial)]:
        with pytest.raises(InvalidTransaction, match=r"Write: (await )?obj\."):
            await do(wrong_verb(instance, name)())
    assert await do(models.fund.count()) == 1


async def test_results_have_the_session_of_their_query(models):
    await do(models.fund.new(name="a", ccy="EUR"))
    session = models.session()
    (found,) = await do(session.query(Fund).all())
    assert found.session is session
    other = models.session()
    found.session = other
    assert found.session is other


# -- fields by name -----------------------------------------------------------------------------------------------


async def test_set_converts_and_knows_all_names(models):
    fund, user = Fund(), User()
    fund.set("size", "4")
    fund.set("opened", None)
    fund.set("id", "7")
    user.set("name", "ann")
    assert (fund.size, fund.opened, fund.id, user.name) == (4, None, 7, "ann")
    with pytest.raises(AttributeError, match="'sise'"):
        fund.set("sise", 4)
    with pytest.raises(ValueError, match="not an integer"):
        fund.set("size", "x")
    assert fund.size == 4


async def test_get_attr_value(models):
    fund = Fund(name="a", size=3)
    assert (fund.get_attr_value("name"), fund.get_attr_value("size"), fund.get_attr_value("id")) == ("a", 3, None)
    assert fund.get_attr_value("has_all_data") is False
    assert fund.get_attr_value("__class__") is Fund
    for name in ("what", "name__x", "what__x", "size__gt", ""):
        with pytest.raises(AttributeError):
            fund.get_attr_value(name)


async def test_get_field(models):
    assert Fund.get_field("size") is Fund._meta.dfields["size"]
    assert Fund.get_field("id") is Fund.pk()
    assert Fund.get_field("what") is None


async def test_loadedfields_and_fieldvalue_pairs(models):
    await do(models.session().add(full()))
    whole = await do(models.simplemodel.get(id=1))
    assert [field.name for field in whole.loadedfields()] == [f.name for f in SimpleModel._meta.scalarfields]
    pairs = {field.name: value for field, value in whole.fieldvalue_pairs()}
    assert pairs["somebytes"] == b"\xff\x00"
    assert pairs.keys() - {field.name for field, _ in whole.fieldvalue_pairs(exclude_cache=True)} == {
        "cached_data",
        "timestamp",
    }
    part = await do(models.simplemodel.query().load_only("group", "code").get())
    assert [field.name for field in part.loadedfields()] == ["group", "code"]
    assert [(field.name, value) for field, value in part.fieldvalue_pairs()] == [("code", "a"), ("group", "g")]


# -- partly loaded instances --------------------------------------------------------------------------------------


async def test_attributes_that_were_not_loaded_do_not_exist(models):
    part = await part_of(models, "code")
    assert part._loadedfields == ("code",)
    assert (part.id, part.code) == (1, "a")
    assert not hasattr(part, "group")
    assert not part.has_all_data
    with pytest.raises(AttributeError):
        part.get_attr_value("group")


async def test_load_fields_fetches_what_it_names(models):
    part = await part_of(models, "code")
    part.code = "changed"
    async with round_trips(models, 1):
        await do(verb(part, "load_fields")("number", "group"))
    assert (part.number, part.group, part.code) == (0.0, "g", "changed")
    assert part._loadedfields == ("code", "number", "group")
    assert not hasattr(part, "somebytes")
    part.number = 5
    await do(verb(part, "save")())
    loaded = await do(models.simplemodel.get(id=1))
    assert (loaded.code, loaded.number, loaded.somebytes) == ("changed", 5.0, b"\xff\x00")


async def test_load_fields_without_names_fetches_what_is_not_there(models):
    part = await part_of(models, "code", "group")
    part.group, part.number = "changed", 8.0
    async with round_trips(models, 1):
        await do(verb(part, "load_fields")())
    assert (part.group, part.number, part.somebytes) == ("changed", 8.0, b"\xff\x00")
    async with round_trips(models, 0):
        await do(verb(part, "load_fields")())


async def test_load_fields_of_a_whole_instance_does_nothing(models):
    await do(models.session().add(full()))
    whole = await do(models.simplemodel.get(id=1))
    async with round_trips(models, 0):
        assert await do(verb(whole, "load_fields")("group")) is None
    Fund(id=1).load_fields("name")


async def test_load_fields_refuses_unknown_names_and_deleted_rows(models):
    part = await part_of(models, "code")
    with pytest.raises(QuerySetError, match="gruop"):
        await do(verb(part, "load_fields")("gruop"))
    assert part._loadedfields == ("code",)
    await do(models.simplemodel.query().delete())
    with pytest.raises(SimpleModel.DoesNotExist):
        await do(verb(part, "load_fields")("group"))
    assert not hasattr(part, "group")


async def test_load_only_of_an_unknown_name_is_refused(models):
    await do(models.session().add(full()))
    with pytest.raises(UnknownField):
        await do(models.simplemodel.query().load_only("cod").all())
