"""Rows that expire. Deadlines here are far away, or due, or so near that a test can wait until the row is gone."""

from __future__ import annotations

import asyncio
import math
from datetime import timedelta
from time import monotonic

import pytest

from stdnet import CannotExpire, CommitException, ImproperlyConfigured, InvalidTransaction, odm
from stdnet.contract import LIST, STRING, Call, Change, Column, Commit, Keys, Place, Refused, Save, Table

from ..conftest import do, round_trips, transaction
from .instances import verb, wrong_verb


class User(odm.StdModel):
    name = odm.SymbolField(unique=True)

    class Meta:
        app_label = "suite.expiry"


class Visit(odm.StdModel):
    """A row that lives for an hour after each save."""

    token = odm.SymbolField(unique=True)
    user = odm.ForeignKey(User, related_name="visits", required=False)
    page = odm.SymbolField(required=False)
    hits = odm.IntegerField(index=True, default=0)
    note = odm.CharField(required=False)
    path = odm.ListField()
    seen = odm.SetField()

    class Meta:
        app_label = "suite.expiry"
        ttl = timedelta(hours=1)


class Click(odm.StdModel):
    visit = odm.ForeignKey(Visit, related_name="clicks")

    class Meta:
        app_label = "suite.expiry"


class Blink(odm.StdModel):
    """A row that is gone as soon as anybody looks."""

    name = odm.SymbolField(unique=True)

    class Meta:
        app_label = "suite.expiry"
        ttl = 0.000001


class Lock(odm.StdModel):
    """A row that lives until ``expire`` says otherwise."""

    name = odm.SymbolField(primary_key=True)
    owner = odm.SymbolField(required=False)

    class Meta:
        app_label = "suite.expiry"
        ttl = math.inf
        ordering = -odm.autoincrement()


MODELS = [User, Visit, Click, Blink, Lock]


async def visits(models, *tokens, **values):
    return [await do(models[Visit].new(token=token, **values)) for token in tokens]


async def expired(models, *tokens, **values):
    """Store rows and let them expire."""
    rows = await visits(models, *tokens, **values)
    for row in rows:
        await do(verb(row, "expire")(0))
    return rows


async def gone(query, patience=20.0):
    """Wait until a query has no rows."""
    end = monotonic() + patience
    while await do(query._clone().count()):
        assert monotonic() < end, f"{query} still has rows"
        await asyncio.sleep(0.01)


# -- deadlines --------------------------------------------------------------------------------------------------------


async def test_a_row_lives_until_its_deadline(models):
    row, other = await visits(models, "a", "b")
    assert await do(models[Visit].count()) == 2
    assert await do(verb(row, "expire")(0.05)) is row
    await gone(models[Visit].filter(token="a"))
    assert [each.token for each in await do(models[Visit].query().all())] == ["b"]
    assert await do(models[Visit].get(id=other.id)) == other


async def test_meta_ttl_counts_from_each_save(models):
    row = await do(models[Visit].new(token="a"))
    await do(verb(row, "expire")(0.3))
    await do(verb(row, "save")())  # for another hour
    await do(models[Blink].new(name="a"))
    await gone(models[Blink].query())
    await asyncio.sleep(0.35)
    assert await do(models[Visit].count()) == 1


async def test_none_removes_the_deadline(models):
    row = await do(models[Visit].new(token="a"))
    assert [key for key in await do(models[Visit].session().keys(Visit)) if key.endswith(":ttl")]
    await do(verb(row, "expire")(timedelta(minutes=1)))
    await do(verb(row, "expire")(None))
    assert await do(models[Visit].count()) == 1
    assert not [key for key in await do(models[Visit].session().keys(Visit)) if key.endswith(":ttl")]


async def test_infinity_means_that_only_expire_sets_deadlines(models):
    row = await do(models[Lock].new(name="a"))
    assert not [key for key in await do(models[Lock].session().keys(Lock)) if key.endswith(":ttl")]
    await do(verb(row, "expire")(1000))
    assert [key for key in await do(models[Lock].session().keys(Lock)) if key.endswith(":ttl")]
    await do(verb(row, "expire")(-5))
    assert await do(models[Lock].count()) == 0


async def test_other_fields_are_neither_saved_nor_overwritten(models):
    (row,) = await visits(models, "a", page="p")
    stale = await do(models[Visit].get(token="a"))
    row.page = "q"
    await do(verb(row, "save")())
    stale.note = "unsaved"
    await do(verb(stale, "expire")(100))
    found = await do(models[Visit].get(token="a"))
    assert (found.page, found.note, stale.note) == ("q", "", "unsaved")
    await do(verb(stale, "save")())
    assert (await do(models[Visit].get(token="a"))).note == "unsaved"


async def test_a_score_that_counts_is_not_counted_up(models):
    first = await do(models[Lock].new(name="a"))
    for _ in range(2):
        await do(models[Lock].new(name="b"))
    for _ in range(3):
        await do(verb(first, "expire")(100))
    assert [row.name for row in await do(models[Lock].query().all())] == ["b", "a"]


# -- an expired row does not exist ------------------------------------------------------------------------------------


async def test_gone_from_every_query(models):
    await visits(models, "a", page="p", hits=3, note="x")
    (row,) = await expired(models, "b", page="p", hits=5, note="x")
    query = models[Visit].query()
    for found in (
        query,
        query.filter(page="p"),
        query.filter(hits__gt=1),
        query.filter(hits=(3, 5)),
        query.filter(note__startswith="x"),
        query.where("this.hits > 1"),
        query.filter(id__in=[1, 2]),
        query.filter(token=("a", "b")),
        query.exclude(token="c"),
        query.filter(token="b").union(query.filter(page="p")),
        query.sort_by("-hits"),
        query.sort_by("note"),
        query.load_only("token"),
    ):
        assert [each.token for each in await do(found.all())] == ["a"], found
        assert await do(found._clone().count()) == 1, found
    assert await do(query.get_field("id").all()) == [1]
    assert await do(query.filter(id=row.id).count()) == 0
    assert await do(query.filter(token="b").all()) == []
    with pytest.raises(Visit.DoesNotExist):
        await do(models[Visit].get(id=row.id))
    with pytest.raises(Visit.DoesNotExist):
        await do(models[Visit].get(token="b"))


async def test_the_first_request_about_it_does_not_see_it(models):
    asked = [
        lambda query: query.count(),
        lambda query: query.all(),
        lambda query: query.filter(id=1).all(),
        lambda query: query.filter(token="a").all(),
        lambda query: query.filter(hits__ge=0).count(),
        lambda query: query.filter(page="p").count(),
    ]
    for ask in asked:
        (row,) = await visits(models, "a", page="p")
        await do(verb(row, "expire")(0))
        assert await do(ask(models[Visit].query())) in (0, [])
        await do(models[Visit].flush())


async def test_unique_values_are_free(models):
    (row,) = await expired(models, "a")
    (again,) = await visits(models, "a")
    assert again.id != row.id
    with pytest.raises(CommitException, match="Unique constraint"):
        await visits(models, "a")
    for _ in range(3):
        await do(models[Blink].new(name="b"))
        await asyncio.sleep(0.002)


async def test_related_rows(models):
    user = await do(models[User].new(name="u"))
    await visits(models, "a", user=user)
    (row,) = await expired(models, "b", user=user)
    await do(models[Click].new(visit=row.id))
    assert await do(models[User].filter(visits__token="b").count()) == 0
    assert await do(models[User].filter(visits__token="a").count()) == 1
    async with round_trips(models, 1):
        (found,) = await do(models[User].query().load_related("visits").all())
        assert [each.token for each in await do(found.visits.query().all())] == ["a"]
    assert [each.id for each in await do(models[Click].query().sort_by("visit__token").all())] == [1]
    assert await do(models[Click].filter(visit__hits__ge=0).count()) == 0
    (click,) = await do(models[Click].query().load_related("visit").all())
    assert click.visit_id == row.id
    with pytest.raises(Visit.DoesNotExist, match="does not exist"):
        await do(click.load("visit") if isinstance(models, odm.AsyncRouter) else click.visit)


async def test_no_cascade_and_no_signals(models):
    (row,) = await visits(models, "a")
    await do(models[Click].new(visit=row))
    seen = []
    models.pre_delete.bind(lambda signal, sender, **params: seen.append(sender))
    models.post_delete.bind(lambda signal, sender, **params: seen.append(sender))
    await do(verb(row, "expire")(0))
    assert await do(models[Visit].count()) == 0
    assert await do(models[Click].count()) == 1
    assert seen == []


async def test_deletes_and_updates_of_what_is_gone(models):
    (row,) = await expired(models, "a")
    session = models.session()
    assert not await do(session.delete(session.query(Visit).filter(token="a")))
    assert not await do(verb(row, "delete")())
    (other,) = await expired(models, "b")
    part = await visits(models, "c")
    part = await do(models[Visit].query().load_only("page").filter(token="c").get())
    await do(verb(part, "expire")(0))
    part.page = "q"
    with pytest.raises(CommitException, match="does not exist any more"):
        await do(verb(part, "save")())
    with pytest.raises(CommitException, match="does not exist any more"):
        await do(verb(other, "expire")(5))
    await do(verb(other, "save")())  # a whole row is stored anew
    assert [each.id for each in await do(models[Visit].query().all())] == [other.id]


async def test_keys_and_flush(models):
    before = await do(models[Visit].session().keys(Visit))
    (row,) = await visits(models, "a", page="p", note="x")
    await do(row.path.extend(["x", "y"]))
    assert len(await do(models[Visit].session().keys(Visit))) > len(before) + 5
    await do(verb(row, "expire")(0))
    left = [key.rpartition(":")[2] for key in await do(models[Visit].session().keys(Visit))]
    assert left == ["ids"]
    (row,) = await visits(models, "b")
    await do(verb(row, "expire")(0))
    assert await do(models[Visit].flush()) == 1
    (row,) = await visits(models, "b")
    number = len(await do(models[Visit].session().keys(Visit)))
    assert await do(models[Visit].flush()) == number


# -- structures -------------------------------------------------------------------------------------------------------


async def test_structures_go_with_their_row(models):
    (row,) = await visits(models, "a")
    await do(row.path.extend(["x", "y"]))
    await do(row.seen.add(1))
    await do(verb(row, "expire")(0))
    row.path.cache.cache = row.seen.cache.cache = None
    assert await do(row.path.size()) == 0
    assert await do(row.path.items()) == []
    assert await do(row.seen.contains(1)) is False
    assert await do(row.path.pop_front()) is None
    assert await do(row.path.block_pop_front(timeout=0)) is None
    with pytest.raises(CommitException, match="does not exist any more"):
        await do(row.path.push_back("z"))
    row.session.expunge()
    await do(verb(row, "save")())
    assert await do(row.path.items()) == []


def test_what_makes_something_for_an_expired_row_is_refused(server):
    table = Table("t", Column("id", "int"), structures=(("log", LIST), ("text", STRING)), ttl=True)
    places = [Place(LIST, "log", table, 1), Place(STRING, "text", table, 1)]
    calls = [Call(places[0], "push_back", (b"a",)), Call(places[1], "incr", (1,))]
    server.execute([Commit(saves=(Save(table, [Change(1, None, ())]),))])
    assert server.execute(calls) == [None, 1]
    server.execute([Commit(saves=(Save(table, [Change(1, 1, (), (), expires=0.0)]),))])
    assert server.execute(calls) == [Refused((), (), (0,))] * 2
    assert server.execute([Commit(calls=tuple(calls[:1]))]) == [Refused((), (), (0,))]
    assert server.execute([Call(place, "size") for place in places]) == [0, 0]
    assert server.execute([Keys(table)]) == [[]]


async def test_a_select_brings_structures_of_the_living_only(models):
    (row,) = await visits(models, "a")
    await do(row.path.extend(["x"]))
    (other,) = await visits(models, "b")
    await do(other.path.extend(["y"]))
    await do(verb(row, "expire")(0))
    found = await do(models[Visit].query().load_related("path").all())
    assert [(each.token, each.path.cache.cache) for each in found] == [("b", ["y"])]


# -- transactions -----------------------------------------------------------------------------------------------------


async def test_in_a_transaction(models):
    (row,) = await visits(models, "a")
    session = models.session()
    async with round_trips(models, 1), transaction(session) as t:
        new = t.add(Visit(token="b"))
        await do(verb(new, "expire")(0))
        kept = t.add(Visit(token="c"))
        mine = row
        t.add(mine)
        await do(verb(mine, "expire")(0))
    assert [each.token for each in await do(models[Visit].query().all())] == ["c"]
    assert kept.id is not None


async def test_a_rollback_forgets_the_deadline(models):
    (row,) = await visits(models, "a")
    t = row.session.begin()
    await do(verb(row, "expire")(0))
    assert row in row.session
    t.rollback()
    assert row not in row.session
    assert await do(models[Visit].count()) == 1
    await do(verb(row, "save")())
    assert await do(models[Visit].count()) == 1


async def test_the_last_word_in_a_transaction_counts(models):
    rows = await visits(models, "a", "b", "c")
    session = models.session()
    a, b, c = [await do(session.query(Visit).get(token=row.token)) for row in rows]
    async with transaction(session) as t:
        await do(verb(a, "expire")(0))
        t.add(a)
        t.add(b)
        await do(verb(b, "expire")(0))
        await do(verb(c, "expire")(0))
        await do(verb(c, "expire")(None))
    assert [each.token for each in await do(models[Visit].query().all())] == ["a", "c"]


async def test_the_deadline_joins_what_another_instance_of_the_row_saves(models):
    await visits(models, "a")
    session = models.session()
    one, other = [(await do(session.query(Visit).all()))[0] for _ in range(2)]
    async with transaction(session) as t:
        other.page = "q"
        t.add(other)
        await do(verb(one, "expire")(100))
    assert (await do(models[Visit].get(token="a"))).page == "q"


async def test_a_refused_commit_sets_no_deadline(models):
    (row,) = await visits(models, "a")
    session = models.session()
    row = await do(session.query(Visit).get(token="a"))
    t = session.begin()
    await do(verb(row, "expire")(0))
    t.add(Visit(token="a"))
    with pytest.raises(CommitException):
        await do(t.commit())
    assert await do(models[Visit].count()) == 1


# -- mistakes ---------------------------------------------------------------------------------------------------------


async def test_rows_that_cannot_expire(models):
    user = await do(models[User].new(name="u"))
    with pytest.raises(CannotExpire, match=r"Meta\.ttl"):
        await do(verb(user, "expire")(1))
    new = Visit(token="a")
    new.session = models.session()
    with pytest.raises(CannotExpire, match="not stored"):
        await do(verb(new, "expire")(1))
    (row,) = await visits(models, "a")
    for wrong in ("1", math.nan, True, object()):
        with pytest.raises(CannotExpire, match="neither a number of seconds"):
            await do(verb(row, "expire")(wrong))
    with pytest.raises(InvalidTransaction, match="Write: "):
        await do(wrong_verb(row, "expire")(1))
    assert await do(models[Visit].count()) == 1
    await do(verb(row, "expire")(10**400))
    assert await do(models[Visit].count()) == 1


@pytest.mark.parametrize("ttl", [0, -1, math.nan, "60", True, timedelta(0), timedelta(-1), [1], -math.inf])
def test_ttl_that_cannot_be(ttl):
    with pytest.raises(ImproperlyConfigured, match=r"Meta\.ttl of Wrong is a number of seconds"):
        odm.create_model("Wrong", ttl=ttl)


@pytest.mark.parametrize(("ttl", "seconds"), [(5, 5.0), (0.5, 0.5), (timedelta(minutes=1), 60.0), (math.inf, math.inf)])
def test_ttl_in_seconds(ttl, seconds):
    made = odm.create_model("Mortal", ttl=ttl)
    assert made._meta.ttl == seconds
    assert made._meta.table.ttl
    assert odm.create_model("Immortal")._meta.ttl is None
    assert not odm.create_model("Immortal")._meta.table.ttl
