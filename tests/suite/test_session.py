"""Sessions: what is pending, adding and deleting."""

from __future__ import annotations

from datetime import date

import pytest

from stdnet import CommitException, InvalidTransaction, QuerySetError, odm

from ..conftest import do, round_trips, transaction
from .golden import again, codes, simple, store, stored
from .models import Country, Fund, SimpleModel

MODELS = [SimpleModel, Country]


# -- what is pending --------------------------------------------------------------------------------------------


async def test_adding_outside_a_transaction_commits(models):
    session, row = models.session(), SimpleModel(code="a")
    async with round_trips(models, 1):
        assert await do(session.add(row)) is row
    assert (row.id, row.session) == (1, session)
    assert row not in session
    assert session.dirty == frozenset()
    assert session.transaction is None


async def test_what_is_pending(models):
    session = models.session()
    new, stored_row, doomed = SimpleModel(code="n"), SimpleModel(code="s"), SimpleModel(code="d")
    await do(session.add(stored_row))
    await do(session.add(doomed))
    async with round_trips(models, 1), transaction(session) as t:
        for row in (stored_row, new):
            assert t.add(row) is row
        assert t.delete(doomed) is doomed
        sm = session.model(SimpleModel)
        assert (sm.new, sm.modified, sm.dirty, sm.deleted) == ((new,), (stored_row,), (new, stored_row), (2,))
        assert list(sm.iterdirty()) == [new, stored_row]
        assert session.dirty == {new, stored_row}
        assert all(row in session for row in (new, stored_row, doomed))
        assert SimpleModel(code="n") not in session
        assert Country(code="n", name="x") not in session
        assert (len(session), len(sm), list(session)) == (1, 3, [sm])
        assert (sm.model, sm.backend, sm.read_backend) == (SimpleModel, models.counting, models.counting)
        assert new.id is None
    assert not any(row in session for row in (new, stored_row, doomed))
    assert (len(session), len(sm)) == (1, 0)


async def test_models_are_processed_in_order_of_first_use(models):
    session, seen = models.session(), []
    models.pre_commit.bind(lambda event, sender, **kw: seen.append(sender))
    async with transaction(session) as t:
        t.add(Country(code="it", name="Italy"))
        t.add(SimpleModel(code="a"))
        t.add(Country(code="fr", name="France"))
    assert [each.model for each in session] == seen == [Country, SimpleModel]


async def test_adding_a_row_twice_sends_it_once(models):
    session, row = models.session(), SimpleModel(code="a")
    async with transaction(session) as t:
        t.add(row)
        t.add(row)
    assert t.saved[SimpleModel] == [row]
    first, second = await do(session.query(SimpleModel).get(id=1)), await do(session.query(SimpleModel).get(id=1))
    first.group, second.group = "first", "second"
    async with transaction(session) as t:
        t.add(first)
        t.add(second)
        assert session.model(SimpleModel).dirty == (second,)
    assert [row["group"] for row in await stored(models)] == ["second"]


async def test_a_row_that_gets_its_pk_while_it_is_pending(models):
    session, row = models.session(), SimpleModel(code="a")
    async with transaction(session) as t:
        t.add(row)
        row.id = 7
        t.add(row)
        assert session.model(SimpleModel).dirty == (row,)
    assert [row["id"] for row in await stored(models)] == [7]


async def test_a_new_row_replaces_a_pending_change_of_the_same_pk(models):
    session = await store(models, Country(code="it", name="Italy"))
    row = await do(session.query(Country).get())
    row.name, other, last = "changed", Country(code="fr", name="France"), Country(code="it", name="new")
    async with transaction(session) as t:
        for country in (row, Country(code="it", name="dropped"), other, last):
            t.add(country)
        assert session.model(Country).dirty == (other, last)
    assert [(row["code"], row["name"]) for row in await stored(models, Country)] == [("fr", "France"), ("it", "new")]


async def test_an_instance_that_was_replaced_and_moves_on_leaves_its_successor(models):
    session, first, second = models.session(), SimpleModel(id=5, code="a"), SimpleModel(id=5, code="b")
    async with transaction(session) as t:
        t.add(first)
        t.add(second)
        assert (first in session, second in session) == (False, True)
        first.id = 6
        t.add(first)
        assert session.model(SimpleModel).dirty == (second, first)
    assert [row["code"] for row in await stored(models)] == ["b", "a"]


async def test_two_handles_of_a_row_are_pending_by_themselves(models):
    q = await simple(models)
    one, two = await do(q.get(code="a")), await do(q.get(code="a"))
    t = q.session.begin()
    t.add(one)
    q.session.expunge(two)
    assert (one in q.session, two in q.session) == (True, False)
    t.delete(one)
    t.delete(two)
    assert q.session.model(SimpleModel).deleted == (1,)
    assert (one in q.session, two in q.session) == (True, True)
    t.expunge(one)
    assert (one in q.session, two in q.session) == (False, True)
    t.delete(one)
    t.rollback()
    assert (one.get_state().deleted, two.get_state().deleted) == (False, False)
    two.id = None
    assert await do(q.session.delete(two)) == [1]


async def test_adding_unmodified(models):
    q = await simple(models)
    session, row = models.session(), await do(q.get(code="a"))
    row.group = "changed"
    async with round_trips(models, 0):
        assert await do(session.add(row, modified=False)) is row
    assert row.session is session
    assert row not in session
    new = await do(session.add(SimpleModel(code="new"), modified=False))
    assert new in session  # a new row is queued nevertheless, and sent with the next commit
    assert await do(session.commit()) is True
    assert await codes(again(q)) == "a b c d new"
    assert (await do(q.get(code="a"))).group == "g1"


async def test_adding_unmodified_never_drops_a_pending_change(models):
    q = await simple(models)
    session = q.session
    changed, other = await do(q.get(code="a")), await do(q.get(code="a"))
    replacement = SimpleModel(id=2, code="b2")
    changed.group = "changed"
    async with transaction(session) as t:
        t.add(changed)
        t.add(replacement)
        session.enqueue(other, modified=False)
        session.enqueue(await do(q.get(code="b")), modified=False)
        assert session.model(SimpleModel).dirty == (replacement, changed)
    assert [row["group"] for row in await stored(models)][:2] == ["changed", ""]


async def test_loading_never_drops_a_pending_change(models):
    q = await simple(models)
    row = await do(q.get(code="a"))
    async with transaction(q.session) as t:
        row.number = 99
        t.add(row)
        loaded = await do(again(q).all())
        assert loaded[0] is not row
        assert loaded[0].number == 3
        assert row in q.session
    assert (await do(q.get(code="a"))).number == 99


async def test_a_get_by_pk_looks_among_the_pending_instances_first(models):
    q = await simple(models)
    row, new = await do(q.get(code="a")), SimpleModel(id=77, code="new")
    async with transaction(q.session) as t:
        row.number = 99
        t.add(row)
        t.add(new)
        async with round_trips(models, 0):
            assert await do(q.get(id=1)) is row
            assert await do(q.get(id="1")) is row
            assert await do(t.query(SimpleModel).get(id=77)) is new
        assert await do(q.get(code="a")) is not row
        assert await do(q.filter(group="g1").get(id=1)) is not row
        assert await do(q.get(id=2)) not in q.session
        assert await do(q.get_field("code").get(id=1)) == "a"
        with pytest.raises(SimpleModel.DoesNotExist):
            await do(q.get(id=78))
        with pytest.raises(QuerySetError):
            await do(q.get(id=[1, 2]))
        with pytest.raises(QuerySetError):
            await do(q.get(id="abc"))
    fresh = await do(q.get(id=1))
    assert fresh is not row
    assert fresh.number == 99


async def test_expunge(models):
    q = await simple(models)
    session, row, new, doomed = q.session, await do(q.get(id=1)), SimpleModel(code="new"), await do(q.get(id=2))
    async with round_trips(models, 1), transaction(session) as t:
        row.number = 99
        t.add(row)
        t.add(new)
        t.delete(doomed)
        for instance in (row, new, doomed):
            session.expunge(instance)
            assert instance not in session
            assert instance.session is None
        assert not doomed.get_state().deleted
        session.expunge(row)
        t.add(SimpleModel(code="kept"))
    assert [row["code"] for row in await stored(models)] == ["a", "b", "c", "d", "kept"]
    async with transaction(session) as t:
        t.add(row)
        t.delete(q)
        t.expunge()
        assert session.dirty == frozenset()
        t.add(SimpleModel(code="also"))
    assert [row["number"] for row in await stored(models)] == [3, 4, 5, None, None, None]
    session.expunge()
    session.expunge(SimpleModel(code="never added"))
    with pytest.raises(InvalidTransaction):
        session.expunge(Fund(name="x", ccy="y"))


# -- saving -----------------------------------------------------------------------------------------------------


async def test_replacing_a_row_by_its_pk(models):
    q = await simple(models)
    await do(q.session.add(SimpleModel(id=1, code="new")))
    assert await codes(again(q)) == "new b c d"
    assert await codes(q.filter(group="g1")) == "b"
    assert await do(q.filter(code="a").count()) == 0


async def test_a_pk_change_moves_the_row(models):
    q = await simple(models)
    row = await do(q.get(code="a"))
    row.id = 50
    await do(q.session.add(row))
    assert [(row["id"], row["code"]) for row in await stored(models)] == [(2, "b"), (3, "c"), (4, "d"), (50, "a")]
    assert (row.id, row.get_state().iid) == (50, 50)
    row.code = "a2"
    await do(q.session.add(row))
    assert await do(q.filter(code="a").count()) == 0
    assert (await do(q.session.add(SimpleModel(code="e")))).id == 51
    country = await do(models.country.new(code="it", name="Italy"))
    country.code = "IT"
    await do(models.country.save(country))
    assert [(row["code"], row["name"]) for row in await stored(models, Country)] == [("IT", "Italy")]


async def test_a_row_cannot_move_to_where_another_stands(models):
    q = await simple(models)
    row = await do(q.get(code="a"))
    row.id = 2
    with pytest.raises(CommitException, match="Cannot move to id=2") as info:
        await do(q.session.add(row))
    assert info.value.instances == (row,)
    assert await codes(again(q)) == "a b c d"
    row.id = 9
    await do(q.session.add(row))
    assert await codes(again(q)) == "b c d a"


async def test_two_rows_can_change_places(models):
    q = await simple(models)
    a, b = await do(q.get(code="a")), await do(q.get(code="b"))
    a.code, b.code = b.code, a.code
    async with transaction(q.session) as t:
        t.add(a)
        t.add(b)
    assert await codes(again(q)) == "b a c d"
    assert (await do(q.get(code="a"))).id == 2


async def test_a_stale_handle_stores_the_row_again(models):
    q = await simple(models)
    row, part = await do(q.get(code="a")), await do(q.load_only("code").get(code="b"))
    await do(q.delete())
    row.group = "back"
    await do(q.session.add(row))
    assert [(row["id"], row["code"], row["group"]) for row in await stored(models)] == [(1, "a", "back")]
    part.code = "b2"
    with pytest.raises(CommitException, match="does not exist any more"):
        await do(q.session.add(part))
    assert await codes(again(q)) == "a"


async def test_a_part_that_becomes_blank(models):
    q = await simple(models)
    part = await do(q.load_only("number", "group").get(code="a"))
    part.number, part.group = None, ""
    await do(q.session.add(part))
    row = await do(q.get(id=1))
    assert (row.code, row.number, row.group) == ("a", None, "")
    assert await codes(q.filter(group=None)) == "a d"


async def test_saying_that_a_row_exists(models):
    q = await simple(models)
    row = SimpleModel(id=1, code="a", group="forced")
    async with transaction(q.session) as t:
        t.add(row, persistent=True, force_update=True)
        assert row.get_state().action == "update"
        assert row in q.session
    assert (await do(q.get(id=1))).group == "forced"
    assert await do(q.count()) == 4


async def test_forcing_an_update_of_a_row_with_another_pk_moves_it(models):
    q = await simple(models)
    row = await do(q.get(id=1))
    row.id = 60
    await do(q.session.add(row, force_update=True))
    assert await codes(again(q)) == "b c d a"


async def test_blank_unique_values_never_clash(models):
    class Badge(odm.StdModel):
        text = odm.SymbolField(unique=True, required=False)
        number = odm.IntegerField(unique=True, required=False)

        class Meta:
            register = False

    models.register(Badge)
    session = await store(models, Badge(), Badge(text=""), Badge(text=None, number=0))
    assert await do(session.query(Badge).filter(text=None).count()) == 3
    with pytest.raises(CommitException, match="number"):
        await do(session.add(Badge(number=0)))


# -- deleting ---------------------------------------------------------------------------------------------------


async def test_deleting(models):
    q = await simple(models)
    row = await do(q.get(code="a"))
    async with round_trips(models, 1):
        assert await do(q.session.delete(row)) == [1]
    assert (row.id, row.session, row.get_state().deleted) == (1, q.session, True)
    assert await do(q.session.delete(row)) is None
    with pytest.raises(ValueError, match=r"State is deleted\. Cannot add"):
        await do(q.session.add(row))
    assert await codes(q) == "b c d"


async def test_deleting_what_is_not_stored(models):
    session, row = models.session(), SimpleModel(code="a")
    async with round_trips(models, 0):
        assert await do(session.delete(row)) is None
    assert row.session is None
    async with transaction(session) as t:
        t.add(row)
        assert t.delete(row) is row
        assert row not in session
    assert await stored(models) == []


async def test_deleting_a_changed_row(models):
    q = await simple(models)
    row = await do(q.get(code="a"))
    async with transaction(q.session) as t:
        row.code = "changed"
        t.add(row)
        t.delete(row)
        assert session_is_clean(q.session)
    assert await codes(q) == "b c d"
    row = await do(q.get(code="b"))
    row.id = 99
    assert await do(q.session.delete(row)) == [2]
    assert await codes(again(q)) == "c d"


def session_is_clean(session):
    return session.dirty == frozenset()


async def test_a_released_value_can_be_taken_in_the_same_transaction(models):
    q = await simple(models)
    async with round_trips(models, 1), transaction(q.session) as t:
        t.delete(q.filter(code=("a", "b")))
        t.add(SimpleModel(code="a"))
    assert t.deleted[SimpleModel] == [1, 2]
    assert [(row["id"], row["code"]) for row in await stored(models)] == [(3, "c"), (4, "d"), (5, "a")]


async def test_keys_and_flush(models):
    session = models.session()
    assert await do(session.keys(SimpleModel)) == []
    row = await do(session.add(SimpleModel(code="a", group="g")))
    names = await do(session.keys(SimpleModel))
    assert names == sorted(names)
    assert any(name.endswith("suite.simplemodel:obj:1") for name in names)
    await do(session.delete(row))
    assert [name.rpartition(":")[2] for name in await do(session.keys(SimpleModel))] == ["ids"]
    assert await do(session.clean(SimpleModel)) == 0
    assert await do(session.flush(SimpleModel)) == 1
    assert await do(session.keys(SimpleModel)) == []
    assert await do(session.flush(SimpleModel)) == 0
    assert (await do(session.add(SimpleModel(code="a")))).id == 1


async def test_repr(models):
    session = models.session()
    assert "0 pending" in repr(session)
    async with transaction(session) as t:
        t.add(SimpleModel(code="a"))
        assert "1 pending, in a transaction" in repr(session)
        assert "open" in repr(t)
    assert "committed" in repr(t)


async def test_dates_survive_a_session(models):
    models.register(Fund)
    session = await store(models, Fund(name="a", ccy="EUR", opened="1960-02-29"))
    assert (await do(session.query(Fund).get(name="a"))).opened == date(1960, 2, 29)
