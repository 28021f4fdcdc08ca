"""What a commit refuses, how it says so, and that nothing of it is stored."""

from __future__ import annotations

import json

import pytest

from stdnet import CommitException, FieldValueError, InvalidTransaction, SessionNotAvailable
from stdnet.errors import InvalidValue

from ..conftest import do, round_trips, transaction
from .golden import again, codes, simple, store, stored
from .models import Country, Fund, SimpleModel

MODELS = [SimpleModel, Country]


async def test_ids(models):
    session = models.session()
    with pytest.raises(CommitException, match=r"Id not available. Cannot commit"):
        await do(session.add(Country(name="nowhere")))
    with pytest.raises(CommitException, match="Give 'code' a value"):
        await do(session.add(Country(code="", name="nowhere")))
    assert await stored(models, Country) == []
    assert (await do(session.add(SimpleModel(id="12", code="a")))).id == 12
    assert (await do(session.add(SimpleModel(id=-3, code="b")))).id == -3
    assert (await do(session.add(SimpleModel(code="c")))).id == 13


@pytest.mark.parametrize("id", ["abc", "1.5", 2**60, object(), [1], float("nan"), b"\xff"])
async def test_ids_that_are_none(models, id):
    session = models.session()
    with pytest.raises((FieldValueError, InvalidValue), match="id"):
        await do(session.add(SimpleModel(id=id, code="a")))
    assert await stored(models) == []
    assert (await do(session.add(SimpleModel(code="a")))).id == 1


async def test_a_clash_names_instance_field_and_value(models):
    q = await simple(models)
    row, other = SimpleModel(code="a"), SimpleModel(code="fine")
    async with round_trips(models, 1):
        t = q.session.begin()
        t.add(other)
        t.add(row)
        with pytest.raises(CommitException) as info:
            await do(t.commit())
    assert (info.value.failures, info.value.instances) == (1, (row,))
    assert len(info.value.reasons) == 1
    for part in ("suite.simplemodel", '"code"', "'a'", "id=1", "Nothing was stored"):
        assert part in str(info.value)
    assert not info.value.instances[0].get_state().persistent
    assert await codes(again(q)) == "a b c d"
    assert (t.saved, t.on_result, t.executed) == ({}, None, True)


async def test_every_clash_is_named(models):
    q = await simple(models)
    rows = [SimpleModel(code=code) for code in ("a", "x", "x", "y", "b")]
    t = q.session.begin()
    for row in rows:
        t.add(row)
    with pytest.raises(CommitException, match="There were 3 exceptions") as info:
        await do(t.commit())
    assert info.value.failures == 3
    assert list(info.value.instances) == [rows[0], rows[2], rows[4]]
    assert all(instance is row for instance, row in zip(info.value.instances, (rows[0], rows[2], rows[4]), strict=True))
    assert "another instance of this commit" in info.value.reasons[1]


async def test_uniqueness_holds_on_update(models):
    q = await simple(models)
    row = await do(q.get(code="b"))
    row.code = "a"
    with pytest.raises(CommitException):
        await do(q.session.add(row))
    part = await do(q.load_only("code").get(code="b"))
    part.code = "a"
    with pytest.raises(CommitException):
        await do(q.session.add(part))
    assert await codes(again(q)) == "a b c d"


async def test_refused_instances_stay_usable(models):
    q = await simple(models)
    session, new, old = q.session, SimpleModel(code="a"), await do(q.get(code="b"))
    old.code = "c"
    t = session.begin()
    t.add(new)
    t.add(old)
    with pytest.raises(CommitException) as info:
        await do(t.commit())
    assert info.value.failures == 2
    assert (new.id, new.get_state().action, old.id, old.get_state().action) == (None, "add", 2, "override")
    assert session.dirty == frozenset()
    new.code, old.code = "e", "b2"
    async with transaction(session) as t:
        t.add(new)
        t.add(old)
    assert await codes(again(q)) == "a b2 c d e"
    assert new.id == 5  # the refused commit has consumed no id


async def test_a_refused_instance_does_not_spoil_the_session(models):
    session = models.session()
    await do(session.add(SimpleModel(code="a")))
    for bad in (SimpleModel(code="a"), SimpleModel(), Country(name="x")):
        with pytest.raises((CommitException, FieldValueError)):
            await do(session.add(bad))
        assert bad not in session
        assert await do(session.commit()) is True
    session.expunge()
    assert (await do(session.add(SimpleModel(code="b")))).id == 2


async def test_a_refused_delete_is_undone(models):
    q = await simple(models)
    row = await do(q.get(code="d"))
    t = q.session.begin()
    t.delete(row)
    t.add(SimpleModel(code="a"))
    with pytest.raises(CommitException):
        await do(t.commit())
    assert not row.get_state().deleted
    assert await codes(again(q)) == "a b c d"
    assert await do(q.session.delete(row)) == [4]
    assert row.get_state().deleted


async def test_invalid_instances_are_all_named_and_nothing_is_sent(models):
    session, good, bad, worse = models.session(), SimpleModel(code="g"), SimpleModel(), SimpleModel(code="w")
    worse.number, worse.timestamp = "abc", "never"
    async with round_trips(models, 0):
        t = session.begin()
        for row in (good, bad, worse):
            t.add(row)
        with pytest.raises(FieldValueError) as info:
            await do(t.commit())
    errors = json.loads(str(info.value))
    assert [sorted(each) for each in errors] == [["code"], ["number", "timestamp"]]
    assert all(instance is row for instance, row in zip(info.value.instances, (bad, worse), strict=True))
    assert await stored(models) == []
    bad.code, worse.number, worse.timestamp = "b", 1, None
    await store(models, good, bad, worse)
    assert [row["id"] for row in await stored(models)] == [1, 2, 3]


async def test_a_single_invalid_instance_gives_its_errors(models):
    with pytest.raises(FieldValueError) as info:
        await do(models.session().add(SimpleModel()))
    assert json.loads(str(info.value)) == {"code": "Field 'code' is required for 'suite.simplemodel'."}


BAD_VALUES = [
    *(("number", value) for value in ("abc", float("nan"), object(), [1], 10**400, b"\xff", 1j)),
    *(("code", value) for value in ("\ud800", b"\xff", "", None)),
    *(("group", value) for value in ("a\udfffb",)),
    *(("somebytes", value) for value in (5, "\ud800", object(), [1])),
    *(("timestamp", value) for value in ("abc", float("nan"), float("inf"), 10**40, object(), [1])),
]


@pytest.mark.parametrize("case", range(len(BAD_VALUES)), ids=lambda n: "{}={!r:.12}".format(*BAD_VALUES[n]))
async def test_values_that_cannot_be_stored(models, case):
    name, value = BAD_VALUES[case]
    q = await simple(models)
    before, row = await stored(models), await do(q.get(code="a"))
    setattr(row, name, value)
    with pytest.raises(FieldValueError, match=name):
        await do(q.session.add(row))
    part = await do(q.load_only(name).get(id=1))
    setattr(part, name, value)
    with pytest.raises(FieldValueError, match=name):
        await do(q.session.add(part))
    assert await stored(models) == before


@pytest.mark.parametrize("thing", [None, 5, "text", object(), [SimpleModel(code="a")], SimpleModel, {"code": "a"}])
async def test_what_is_not_an_instance(models, thing):
    session = models.session()
    with pytest.raises(InvalidTransaction):
        await do(session.add(thing))
    with pytest.raises(InvalidTransaction):
        await do(session.delete(thing))
    assert session.transaction is None
    assert await stored(models) == []


async def test_models_that_are_not_registered(models):
    session, fund = models.session(), Fund(name="x", ccy="EUR")
    for verb in (session.add, session.delete, session.expunge):
        with pytest.raises(InvalidTransaction, match=r'"suite[.]fund" not valid in this session'):
            await do(verb(fund))
    for verb in (
        session.flush,
        session.keys,
        session.clean,
        session.query,
        session.empty,
        session.model,
        session.manager,
    ):
        with pytest.raises(InvalidTransaction, match="not registered"):
            await do(verb(Fund))
    with pytest.raises(InvalidTransaction):
        await do(session.update_or_create(Fund, name="x"))
    assert session.transaction is None


async def test_an_instance_without_a_session(models):
    row = SimpleModel(code="a")
    for verb in (row.save, row.delete, row.asave, row.adelete):
        with pytest.raises(SessionNotAvailable):
            await do(verb())
