"""Transactions: all or nothing, their states, and what they report."""

from __future__ import annotations

from contextlib import asynccontextmanager

import pytest

from stdnet import CommitException, FieldValueError, InvalidTransaction, QuerySetError, odm

from ..conftest import do, round_trips, transaction
from .golden import again, codes, simple
from .models import Country, SimpleModel

MODELS = [SimpleModel, Country]


class Trouble(Exception):
    """What a test's block raises."""


@asynccontextmanager
async def entered(begun):
    """Be ``with begun`` or ``async with begun``, whichever the transaction has."""
    if isinstance(begun, odm.AsyncTransaction):
        async with begun:
            yield
    else:
        with begun:
            yield


async def count(models, model=SimpleModel):
    return await do(models.session().query(model).count())


async def test_what_a_transaction_reports(models):
    q = await simple(models)
    a = await do(q.get(code="a"))
    async with round_trips(models, 1), transaction(q.session, name="move") as t:
        assert (t.name, t.session, t.executed, t.on_result) == ("move", q.session, False, None)
        assert (t.saved, t.deleted) == ({}, {})
        new = t.add(SimpleModel(code="new"))
        a.group = "changed"
        t.add(a)
        t.delete(q.filter(group="g2"))
        t.delete(never := Country(code="x", name="never stored"))
        assert q.session.transaction is t
    assert never.session is None
    assert (t.session, t.executed, t.on_result, q.session.transaction) == (None, True, True, None)
    assert t.saved[SimpleModel] == [new, a]
    assert t.deleted[SimpleModel] == [3]
    assert (t.saved.get(Country), t.deleted.get(Country)) == (None, None)
    assert all(key in t.saved for key in (SimpleModel, SimpleModel._meta, models.simplemodel, new))


async def test_nothing_is_sent_before_the_end(models):
    session = models.session()
    async with transaction(session) as t:
        async with round_trips(models, 0):
            row = t.add(SimpleModel(code="a"))
            assert await do(session.add(SimpleModel(code="b"))) is not row
            assert row.id is None
        assert await count(models) == await do(t.query(SimpleModel).count()) == 0
    assert await count(models) == 2


async def test_an_error_in_the_block_rolls_back(models):
    q = await simple(models)
    row, doomed = SimpleModel(code="new"), await do(q.get(code="a"))
    t = q.session.begin()

    async def block():
        async with entered(t):
            t.add(row)
            t.delete(doomed)
            raise Trouble

    async with round_trips(models, 0):
        with pytest.raises(Trouble):
            await block()
    assert (t.executed, t.on_result, q.session.transaction) == (True, None, None)
    assert row not in q.session
    assert not doomed.get_state().deleted
    assert await codes(again(q)) == "a b c d"
    await do(q.session.add(row))
    assert await codes(again(q)) == "a b c d new"


async def test_rollback(models):
    session = models.session()
    async with transaction(session) as t:
        t.add(SimpleModel(code="a"))
        t.rollback()
        assert t.executed
        assert session.transaction is None
        t.rollback()
    assert await count(models) == 0
    assert "rolled back" in repr(t)


async def test_an_explicit_commit(models):
    session, seen = models.session(), []
    async with transaction(session) as t:
        t.add(SimpleModel(code="a"))
        assert await do(t.commit(callback=seen.append)) is True
        assert t.executed
    assert seen == [True]
    t.add_callback(seen.append)
    assert seen == [True, True]
    assert await count(models) == 1
    with pytest.raises(InvalidTransaction, match="executed already"):
        await do(t.commit())


async def test_a_callback_of_a_transaction_that_was_not_committed(models):
    session, seen = models.session(), []
    t = session.begin()
    t.add_callback(seen.append)
    t.rollback()
    t.add_callback(seen.append)
    assert seen == []


async def test_an_executed_transaction_is_of_no_more_use(models):
    t = models.session().begin(name="old")
    t.rollback()
    for use in (
        lambda: t.add(SimpleModel(code="a")),
        lambda: t.delete(SimpleModel(code="a")),
        lambda: t.query(SimpleModel),
        lambda: t.model(SimpleModel),
        t.expunge,
        t.commit,
    ):
        with pytest.raises(InvalidTransaction, match='Transaction "old" was executed already'):
            await do(use())
    assert await count(models) == 0


async def test_one_transaction_at_a_time(models):
    session = models.session()
    async with transaction(session) as t:
        with pytest.raises(InvalidTransaction, match="open transaction already"):
            session.begin()
        assert session.transaction is t
    async with transaction(session) as second:
        assert second is not t


async def test_unknown_options(models):
    session = models.session()
    with pytest.raises(TypeError):
        session.begin(nothing=1)
    assert session.transaction is None


async def test_the_name(models):
    assert models.session().begin().name == "transaction"
    assert models.session().begin(name="mine").name == "mine"


async def test_an_empty_transaction(models):
    async with round_trips(models, 0), transaction(models.session()) as t:
        pass
    assert (t.on_result, t.saved, t.deleted) == (True, {}, {})
    assert await do(models.session().commit()) is True


async def test_a_refusal_at_the_end_of_the_block(models):
    q = await simple(models)
    t = q.session.begin()

    async def block():
        async with entered(t):
            t.add(SimpleModel(code="new"))
            t.add(SimpleModel(code="a"))

    with pytest.raises(CommitException):
        await block()
    assert (t.executed, t.on_result, q.session.transaction) == (True, None, None)
    assert await codes(again(q)) == "a b c d"


async def test_all_models_of_a_transaction_are_refused_together(models):
    q = await simple(models)
    t = q.session.begin()
    t.add(Country(code="it", name="Italy"))
    t.delete(q.filter(code="b"))
    t.add(SimpleModel(code="a"))
    with pytest.raises(CommitException):
        await do(t.commit())
    assert await count(models, Country) == 0
    assert await count(models) == 4
    t = q.session.begin()
    t.add(SimpleModel(code="new"))
    t.delete(q)
    t.add(Country(code="it"))
    with pytest.raises(FieldValueError):
        await do(t.commit())
    assert await count(models, Country) == 0
    assert await count(models) == 4


async def test_a_delete_that_cannot_be_compiled_refuses_everything(models):
    q = await simple(models)
    t = q.session.begin()
    t.add(SimpleModel(code="new"))
    t.delete(q.filter(nope=1))
    with pytest.raises(QuerySetError, match="nope"):
        await do(t.commit())
    assert q.session.transaction is None
    assert await count(models) == 4


async def test_several_deletes_of_one_model_are_one(models):
    q = await simple(models)
    rows = await do(q.all())
    async with round_trips(models, 1), transaction(q.session) as t:
        t.delete(rows[3])
        t.delete(q.filter(code="b"))
        t.delete(rows[0])
        t.delete(q.filter(code=("a", "b")))
    assert t.deleted[SimpleModel] == [1, 2, 4]
    assert all(rows[n].get_state().deleted for n in (0, 3))


async def test_deletes_see_the_state_before(models):
    q = await simple(models)
    async with transaction(q.session) as t:
        t.add(SimpleModel(code="e", group="g1"))
        t.delete(q.filter(group="g1"))
    assert await codes(again(q)) == "c d e"


async def test_delete_queries_alone_do_not_narrow_each_other(models):
    q = await simple(models)
    async with transaction(q.session) as t:
        t.delete(q.where("this.number > 4"))
        t.delete(q.filter(code="a"))
    assert t.deleted[SimpleModel] == [1, 3]


async def test_saved_and_deleted_are_keyed_by_model(models):
    found = odm.ModelDictionary()
    found[SimpleModel] = 1
    found[models.country] = 2
    assert (found[SimpleModel._meta], found[SimpleModel(code="a")], found.get(Country)) == (1, 1, 2)
    assert found.pop(Country._meta) == 2
    assert (Country in found, found.get(Country, 0), found.pop(Country, None)) == (False, 0, None)
    with pytest.raises(KeyError):
        found[Country]
    with pytest.raises(KeyError):
        found.pop(Country)
