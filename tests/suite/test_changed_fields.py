"""A save writes what has changed since the row was loaded or saved; a row that is gone is stored whole."""

from __future__ import annotations

import pickle

import pytest

from stdnet import CommitException, odm
from stdnet.contract import Commit

from ..conftest import do, transaction
from .models import Country, Event, SportAtDate2


class Account(odm.StdModel):
    name = odm.SymbolField(unique=True)
    owner = odm.SymbolField(required=False)
    size = odm.IntegerField(required=False)
    rate = odm.FloatField(required=False)
    data = odm.ByteField()

    class Meta:
        app_label = "changed"


MODELS = [Account, SportAtDate2, Country, Event]


async def two(models, **values):
    """Return two copies of one row, in two sessions."""
    await do(models.session().add(Account(name="a", **values)))
    return await do(models.account.get(id=1)), await do(models.account.get(id=1))


def sent(models):
    """Return the change that the last commit brought."""
    commits = [request for requests in models.counting.seen for request in requests if isinstance(request, Commit)]
    return commits[-1].saves[0].changes[-1]


async def save(instance):
    return await do(instance.session.add(instance))


async def test_two_sessions_that_change_different_fields_both_keep_their_change(models):
    first, second = await two(models, owner="x", size=1)
    first.owner, second.size = "y", 2
    await save(first)
    assert sent(models).changed == ("owner",)
    await save(second)
    row = await do(models.account.get(id=1))
    assert (row.name, row.owner, row.size) == ("a", "y", 2)
    assert await do(models.account.filter(owner="y", size=2).count()) == 1
    assert await do(models.account.filter(owner="x").count()) == 0


async def test_what_was_sent_is_what_the_next_save_starts_from(models):
    first, second = await two(models, size=1)
    first.size = 2
    await save(first)
    second.owner = "y"
    await save(second)
    first.rate = 0.5
    await save(first)
    assert sent(models).changed == ("rate",)
    row = await do(models.account.get(id=1))
    assert (row.owner, row.size, row.rate) == ("y", 2, 0.5)


async def test_a_new_instance_is_known_after_its_first_save(models):
    row = await do(models.session().add(Account(name="a", size=1)))
    await do(models.account.query().update(owner="z"))
    row.size = 5
    await save(row)
    assert (await do(models.account.get(id=1))).owner == "z"


async def test_values_that_are_equal_and_not_the_same(models):
    row, _ = await two(models, rate=0.0, data=b"x")
    row.rate = -0.0
    await save(row)
    assert sent(models).changed == ("rate",)
    row.data, row.size = b"", None
    await save(row)
    assert sent(models).changed == ("data",)


async def test_nothing_changed_is_nothing_written(models):
    first, second = await two(models, size=1)
    first.size = 2
    await save(first)
    await save(second)
    assert sent(models).changed == ()
    assert (await do(models.account.get(id=1))).size == 2


async def test_a_row_that_is_gone_is_stored_whole(models):
    row, _ = await two(models, owner="x", size=1)
    await do(models.account.filter(id=1).delete())
    row.size = 7
    await save(row)
    stored = await do(models.account.get(id=1))
    assert (stored.name, stored.owner, stored.size) == ("a", "x", 7)
    part = await do(models.account.query().load_only("size").get())
    await do(models.account.filter(id=1).delete())
    part.size = 8
    with pytest.raises(CommitException, match="does not exist any more"):
        await save(part)


async def test_parts_of_rows(models):
    await two(models, owner="x", size=1)
    part = await do(models.account.query().load_only("owner", "size").get())
    part.size, part.rate = 2, 1.5
    await do(models.account.query().update(owner="y"))
    await save(part)
    assert set(sent(models).changed) == {"size", "rate"}
    assert (await do(models.account.get(id=1))).owner == "y"
    part.owner = "z"
    await save(part)
    assert sent(models).changed == ("owner",)


async def test_fields_that_are_loaded_later(models):
    await two(models, owner="x", size=1)
    part = await do(models.account.query().load_only("owner").get())
    await do((part.aload_fields if isinstance(part.session, odm.AsyncSession) else part.load_fields)("size"))
    part.size = 2
    await save(part)
    assert sent(models).changed == ("size",)


async def test_a_row_that_moves_takes_what_others_have_changed_along(models):
    await do(models.session().add(Country(code="it", name="Italy")))
    row = await do(models.country.get(code="it"))
    await do(models.country.query().update(name="Italia"))
    row.code = "IT"
    await save(row)
    assert [(each.code, each.name) for each in await do(models.country.all())] == [("IT", "Italia")]


async def test_the_order_follows_its_field_only(models):
    for day in (1, 2, 3):
        await do(models.session().add(SportAtDate2(person="p", name=str(day), dt=f"2024-01-0{day}")))
    stale, other = await do(models.sportatdate2.get(id=1)), await do(models.sportatdate2.get(id=1))
    other.dt = "2024-02-01"
    await save(other)
    stale.name = "first"
    await save(stale)
    assert [row.name for row in await do(models.sportatdate2.all())] == ["first", "3", "2"]
    await do(models.sportatdate2.filter(id=1).delete())
    await save(stale)  # as it was loaded
    assert [row.name for row in await do(models.sportatdate2.all())] == ["3", "2", "first"]


async def test_what_came_from_another_database_is_written_whole(models, server):
    first, _ = await two(models, owner="x", size=1)
    there = type(models)("memory://")
    there.register(Account)
    await do(there.session().add(Account(name="old", owner="old", size=9)))
    await do(there.session().add(first))
    copy = await do(there[Account].get(id=1))
    assert (copy.name, copy.owner, copy.size) == ("a", "x", 1)


async def test_what_was_expunged_or_unpickled_is_written_whole(models):
    first, second = await two(models, owner="x", size=1)
    session = first.session
    async with transaction(session) as t:
        t.add(first)
        t.expunge(first)
    first.size, copy = 2, pickle.loads(pickle.dumps(second))
    second.owner = "y"
    await save(second)
    await do(session.add(first))
    assert (await do(models.account.get(id=1))).owner == "x"
    await do(session.add(copy))
    assert (await do(models.account.get(id=1))).size == 1


async def test_force_update_writes_everything(models):
    first, second = await two(models, owner="x", size=1)
    second.owner = "y"
    await save(second)
    await do(first.session.add(first, force_update=True))
    assert (await do(models.account.get(id=1))).owner == "x"


async def test_a_refused_save_is_still_to_be_done(models):
    await do(models.session().add(Account(name="b")))
    await do(models.session().add(Account(name="c", size=1)))
    row = await do(models.account.get(id=2))
    row.name, row.size = "b", 2
    with pytest.raises(CommitException):
        await save(row)
    row.name = "c"
    await save(row)
    assert sent(models).changed == ("size",)


async def test_defaults_that_are_not_stored_are_written(models):
    class Former(odm.StdModel):
        name = odm.SymbolField(unique=True)
        owner = odm.SymbolField(required=False)

        class Meta:
            app_label = "changed"
            name = "former"
            register = False

    class Later(odm.StdModel):
        name = odm.SymbolField(unique=True)
        owner = odm.SymbolField(required=False)
        rate = odm.FloatField(default=1.5)

        class Meta:
            app_label = "changed"
            name = "former"
            register = False

    server = models.counting
    former, later = type(models)(server), type(models)(server)
    former.register(Former)
    later.register(Later)
    await do(former.session().add(Former(name="a")))
    row = await do(later[Later].get(id=1))
    await save(row)
    assert sent(models).changed == ("rate",)
