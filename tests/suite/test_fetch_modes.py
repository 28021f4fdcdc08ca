"""What touching a relation does that was not loaded along: load it, refuse, or load it for the whole result."""

from __future__ import annotations

import gc

import pytest

from stdnet import ImproperlyConfigured, InvalidTransaction, RelationNotLoaded
from stdnet.errors import NotARelation

from ..conftest import do, round_trips
from .golden import store
from .holdings import holdings, members, profiles
from .relation_models import (
    CrossData,
    Feed1,
    Instrument,
    Manager,
    Member,
    Node,
    Portfolio,
    Position,
    Profile,
    names,
    related,
)

MODELS = [Position, Profile, Member, Node, Feed1]


async def listed(instance, name):
    """Return the rows on a many side."""
    return await do(getattr(instance, name).all())


async def test_lazy_is_the_default(models):
    q = await holdings(models)
    assert models.relations == q.session.relations == "lazy"
    rows = await do(q.all())
    async with round_trips(models, 5):
        assert [(await related(row, "instrument")).name for row in rows] == ["bond", "coal", "coal", "corn", "bond"]
    async with round_trips(models, 0):
        assert [row.instrument.name for row in rows] == ["bond", "coal", "coal", "corn", "bond"]
        assert await related(rows[0], "instrument") is rows[0].instrument


async def test_raise_by_query(models):
    q = (await holdings(models)).relations("raise")
    rows = await do(q.all())
    async with round_trips(models, 0):
        for name in ("instrument", "portfolio"):
            with pytest.raises(
                RelationNotLoaded,
                match=rf'"{name}" of this "related\.position".*query has relations=.*\.load_related\("{name}"\)',
            ):
                getattr(rows[0], name)
    assert rows[0].instrument_id == 1
    rows = await do(q.load_related("instrument").all())
    assert rows[0].instrument.name == "bond"
    with pytest.raises(RelationNotLoaded, match=r'\.load_related\("portfolio"\)'):
        _ = rows[0].portfolio


async def test_raise_reaches_what_is_loaded_along(models):
    q = (await holdings(models)).relations("raise")
    row = (await do(q.load_related("portfolio").all()))[0]
    with pytest.raises(RelationNotLoaded, match=r'"manager" of this "related\.portfolio"'):
        _ = row.portfolio.manager
    row = (await do(q.load_related("portfolio__manager").all()))[0]
    assert row.portfolio.manager.name == "ann"


async def test_raise_by_session(models):
    await holdings(models)
    session = models.session(relations="raise")
    row = await do(session.query(Position).get(id=1))
    with pytest.raises(RelationNotLoaded, match=r"session has relations='raise'.*\.load_related\(\"instrument\"\)"):
        _ = row.instrument
    row = await do(session.query(Position).relations("lazy").get(id=1))
    assert (await related(row, "instrument")).name == "bond"
    row = await do(models.session().query(Position).get(id=1))
    assert (await related(row, "instrument")).name == "bond"


async def test_raise_by_router(server, router_class):
    router = router_class(server, relations="raise")
    router.register(Position)
    await holdings(router)
    row = await do(router.position.get(id=1))
    with pytest.raises(RelationNotLoaded, match=r'\.load_related\("instrument"\)'):
        _ = row.instrument
    assert router.session("lazy").relations == "lazy"
    row = await do(router.session("lazy").query(Position).get(id=1))
    assert (await related(row, "instrument")).name == "bond"


async def test_raise_leaves_what_needs_no_load(models):
    await store(models, Feed1(name="a"), Node())
    feed = await do(models.feed1.query().relations("raise").get())
    assert feed.live is None
    session = models.session(relations="raise")
    data = CrossData(name="x")
    new = Feed1(name="b", live=data)
    await do(session.add(new))
    assert (new.live, new.prev) == (data, None)
    new.prev = data
    assert new.prev is data


async def test_batch_by_query(models):
    q = (await holdings(models)).relations("batch")
    rows = await do(q.all())
    async with round_trips(models, 1):
        assert (await related(rows[2], "instrument")).name == "coal"
        assert [(await related(row, "instrument")).name for row in rows] == ["bond", "coal", "coal", "corn", "bond"]
    assert rows[0].instrument is rows[4].instrument
    async with round_trips(models, 1):
        assert [row.name for row in [await related(row, "portfolio") for row in rows]] == [
            "alpha",
            "alpha",
            "beta",
            "beta",
            "gamma",
        ]
    async with round_trips(models, 1):
        found = [await related(row.portfolio, "manager") for row in rows]
        assert [manager and manager.name for manager in found] == ["ann", "ann", "bob", "bob", None]
    assert rows[0].instrument.session is q.session


async def test_batch_by_session_and_router(models, server, router_class):
    await holdings(models)
    rows = await do(models.session(relations="batch").query(Position).all())
    async with round_trips(models, 1):
        assert len([await related(row, "instrument") for row in rows]) == 5
    router = router_class(models.counting, relations="batch")
    router.register(Position)
    rows = await do(router.position.all())
    async with round_trips(models, 1):
        assert len([await related(row, "instrument") for row in rows]) == 5
    row, *_ = await do(router.position.query().relations("raise").all())
    with pytest.raises(RelationNotLoaded, match="load_related"):
        _ = row.instrument


async def test_batch_of_the_many_side(models):
    session = (await holdings(models)).session
    rows = await do(session.query(Portfolio).relations("batch").all())
    async with round_trips(models, 1):
        assert [[each.id for each in await listed(row, "positions")] for row in rows] == [[1, 2], [3, 4], [5], []]
    async with round_trips(models, 0):
        assert [each.portfolio for each in await listed(rows[0], "positions")] == [rows[0], rows[0]]
    managers = await do(session.query(Manager).relations("batch").all())
    async with round_trips(models, 2):
        portfolios = [each for manager in managers for each in await listed(manager, "portfolios")]
        assert [len(await listed(each, "positions")) for each in portfolios] == [2, 0, 2]


async def test_batch_of_a_filtered_many_side_asks_for_itself(models):
    session = (await holdings(models)).session
    rows = await do(session.query(Portfolio).relations("batch").all())
    async with round_trips(models, 4):
        assert [[each.id for each in await do(row.positions.filter(size__gt=4).all())] for row in rows] == [
            [1, 2],
            [3],
            [],
            [],
        ]


async def test_batch_of_many_to_many(models):
    q = (await profiles(models)).relations("batch")
    rows = await do(q.all())
    async with round_trips(models, 1):
        assert [names(await listed(row, "roles")) for row in rows] == [["admin", "editor"], ["editor"], []]
    q = (await members(models)).relations("batch")
    rows = await do(q.all())
    async with round_trips(models, 1):
        assert [names(await listed(row, "clubs")) for row in rows] == [["chess", "go"], ["chess"], []]


async def test_batch_leaves_what_is_there(models):
    q = (await holdings(models)).relations("batch")
    rows = await do(q.all())
    other = await do(q.session.query(Instrument).get(name="dax"))
    rows[1].instrument = other
    rows[2].instrument_id = 4
    async with round_trips(models, 1):
        found = [(await related(row, "instrument")).name for row in rows]
    assert found == ["bond", "dax", "dax", "corn", "bond"]
    assert rows[1].instrument is other


async def test_batch_forgets_rows_that_nobody_holds(models):
    q = (await holdings(models)).relations("batch")
    row = (await do(q.all()))[0]
    q = None
    gc.collect()
    assert len(row.dbdata["batch"].members()) == 1
    assert (await related(row, "instrument")).name == "bond"


async def test_batch_with_rows_that_are_missing(models):
    await store(models, CrossData(name="x"), Feed1(name="a", live=1), Feed1(name="b", live=9), Feed1(name="c"))
    rows = await do(models.feed1.query().relations("batch").all())
    async with round_trips(models, 1):
        found = [await related(row, "live") for row in rows]
    assert [data and data.name for data in found] == ["x", None, None]
    assert [row.live_id for row in rows] == [1, None, None]


async def test_batch_with_rows_that_were_deleted(models):
    q = (await holdings(models)).relations("batch")
    rows = await do(q.all())
    bond = await do(q.session.query(Instrument).get(name="bond"))
    await do(q.session.delete(bond))
    assert (await related(rows[1], "instrument")).name == "coal"
    with pytest.raises(Instrument.DoesNotExist):
        await related(rows[0], "instrument")


async def test_batch_of_part_of_the_fields(models):
    q = (await holdings(models)).relations("batch").load_only("instrument")
    rows = await do(q.all())
    async with round_trips(models, 1):
        assert [(await related(row, "instrument")).name for row in rows][3:] == ["corn", "bond"]
    with pytest.raises(AttributeError):
        await related(rows[0], "portfolio")


async def test_slices_and_single_rows_are_results_of_their_own(models):
    q = (await holdings(models)).relations("batch")
    some = await do(q[:3])
    async with round_trips(models, 1):
        assert names([await related(row, "instrument") for row in some]) == ["bond", "coal", "coal"]
    one = await do(q.get(id=4))
    async with round_trips(models, 1):
        assert (await related(one, "instrument")).name == "corn"


async def test_async_sessions_say_what_to_write(models):
    q = await holdings(models)
    row = (await do(q.all()))[0]
    if not q.session.is_async:
        assert row.instrument.name == "bond"
        with pytest.raises(InvalidTransaction, match=r"obj\.instrument"):
            await row.load("instrument")
        return
    async with round_trips(models, 0):
        with pytest.raises(RelationNotLoaded, match=r'await obj\.load\("instrument"\)'):
            _ = row.instrument
    async with round_trips(models, 1):
        instrument = await row.load("instrument")
        assert row.instrument is instrument is await row.load("instrument")


async def test_load_of_every_kind_of_relation(models):
    q = await holdings(models)
    if not q.session.is_async:
        return
    portfolio = await q.session.query(Portfolio).get(name="alpha")
    async with round_trips(models, 2):
        assert [position.id for position in await portfolio.load("positions")] == [1, 2]
        assert [position.id for position in await portfolio.load("positions")] == [1, 2]
        assert [position.id for position in await portfolio.positions.all()] == [1, 2]
        assert (await portfolio.load("manager")).name == "ann"
    profile = await (await profiles(models)).get(name="a")
    async with round_trips(models, 1):
        assert names(await profile.load("roles")) == ["admin", "editor"]
        assert names(await profile.roles.all()) == ["admin", "editor"]
    gamma = await q.session.query(Portfolio).get(name="gamma")
    assert await gamma.load("manager") is None
    for name in ("name", "nothing", "manager_id", "positions__size", "", None):
        with pytest.raises(NotARelation, match="not a relation"):
            await portfolio.load(name)


async def test_load_works_in_raise_mode_because_it_is_asked_for(models):
    q = (await holdings(models)).relations("raise")
    if not q.session.is_async:
        return
    row = (await q.all())[0]
    assert (await row.load("instrument")).name == "bond"
    assert row.instrument.name == "bond"


async def test_modes_are_checked(models, server, router_class):
    for make in (
        lambda: models.position.query().relations("eager"),
        lambda: models.position.query().relations(None),
        lambda: models.session(relations="eager"),
        lambda: router_class(server, relations="eager"),
        lambda: models.position.query().relations(["lazy"]),
    ):
        with pytest.raises(ImproperlyConfigured, match="'lazy', 'raise' or 'batch'"):
            make()


async def test_a_query_keeps_its_mode(models):
    q = (await holdings(models)).relations("raise")
    row = (await do(q.filter(size__gt=1).sort_by("-size").exclude(id=3).all()))[0]
    with pytest.raises(RelationNotLoaded):
        _ = row.instrument
    row = (await do(q.relations("lazy").all()))[0]
    assert (await related(row, "instrument")).name == "bond"


async def test_the_mode_follows_an_instance_into_another_session(models):
    q = await holdings(models)
    row = (await do(q.all()))[0]
    row.size = 11
    strict = models.session(relations="raise")
    await do(strict.add(row))
    with pytest.raises(RelationNotLoaded, match=r'\.load_related\("portfolio"\)'):
        _ = row.portfolio
