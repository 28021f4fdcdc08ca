"""Related rows that are loaded along with a query: in the same round trip, one object for one row."""

from __future__ import annotations

import gc
import pickle

import pytest

from stdnet import FieldError, QuerySetError, odm
from stdnet.errors import UnknownField

from ..conftest import do, round_trips
from .golden import store
from .holdings import holdings, ids, members, profiles, users
from .relation_models import (
    City,
    CrossData,
    Entry,
    Feed1,
    Instrument,
    Manager,
    Member,
    Node,
    Portfolio,
    Position,
    Profile,
    Remark,
    Role,
    State,
    User,
    names,
    related,
)

MODELS = [Position, Profile, Member, User, Node, City, Remark, Feed1]


async def test_one_relation(models):
    q = await holdings(models)
    async with round_trips(models, 1):
        rows = await do(q.load_related("instrument").all())
        assert [(row.id, row.instrument.name, row.instrument.price) for row in rows] == [
            (1, "bond", 100.0),
            (2, "coal", 50.0),
            (3, "coal", 50.0),
            (4, "corn", None),
            (5, "bond", 100.0),
        ]
    assert all(row.has_all_data and row.instrument.has_all_data for row in rows)
    assert not hasattr(rows[0], "_portfolio_cache")


async def test_equal_ids_share_one_object(models):
    q = (await holdings(models)).load_related("instrument").load_related("portfolio")
    rows = await do(q.all())
    assert rows[0].instrument is rows[4].instrument
    assert rows[1].instrument is rows[2].instrument
    assert rows[0].portfolio is rows[1].portfolio
    assert len({id(row.instrument) for row in rows}) == 3


async def test_several_relations(models):
    q = await holdings(models)
    async with round_trips(models, 1):
        rows = await do(q.load_related("instrument").load_related("portfolio").all())
        assert [(row.instrument.name, row.portfolio.name) for row in rows] == [
            ("bond", "alpha"),
            ("coal", "alpha"),
            ("coal", "beta"),
            ("corn", "beta"),
            ("bond", "gamma"),
        ]


async def test_what_is_loaded_belongs_to_the_session(models):
    q = await holdings(models)
    row = await do(q.load_related("portfolio__manager").load_related("instrument", "name").get(id=1))
    for loaded in (row, row.instrument, row.portfolio, row.portfolio.manager):
        assert loaded.session is q.session
        assert not q.session.dirty
    row.portfolio.name = "changed"
    await do(q.session.add(row.portfolio))
    assert (await do(q.session.query(Portfolio).get(id=1))).name == "changed"
    row.instrument.name = "bund"
    await do(q.session.add(row.instrument))
    assert (await do(q.session.query(Instrument).get(id=1))).ccy == "EUR"


async def test_what_is_loaded_on_the_many_side_belongs_to_the_session_too(models):
    session = (await holdings(models)).session
    portfolio = await do(session.query(Portfolio).load_related("positions__instrument", "ccy").get(name="alpha"))
    position, _ = await do(portfolio.positions.all())
    assert position.session is position.instrument.session is session
    position.size = 99
    await do(session.add(position))
    position.instrument.ccy = "CHF"
    await do(session.add(position.instrument))
    found = await do(models.instrument.get(name="bond"))
    assert (found.ccy, found.price, (await do(models.position.get(id=1))).size) == ("CHF", 100.0, 99)
    profile = await do((await profiles(models)).load_related("roles").get(name="b"))
    (role,) = await do(profile.roles.all())
    assert role.session is profile.session
    assert await do(role.session.delete(role)) == [2]
    assert not session.dirty


async def test_with_fields(models):
    q = await holdings(models)
    query = q.load_related("instrument", "ccy", "price")
    assert query.select_related == {"instrument": ("ccy", "price")}
    instrument = (await do(query.all()))[0].instrument
    assert (instrument.id, instrument.ccy, instrument.price) == (1, "EUR", 100.0)
    assert set(instrument._loadedfields) == {"ccy", "price"}
    assert not hasattr(instrument, "name")
    assert not instrument.has_all_data
    instrument = (await do(q.load_related("instrument", "id").all()))[0].instrument
    assert (instrument.id, instrument._loadedfields) == (1, ())


async def test_calls_merge_and_leave_each_other_alone(models):
    q = models.session().query(Position)
    assert q.select_related == {}
    one = q.load_related("instrument", "name")
    two = one.load_related("instrument", "ccy").load_related("portfolio")
    three = one.load_related("portfolio__manager", "name")
    assert q.select_related == {}
    assert one.select_related == {"instrument": ("name",)}
    assert two.select_related == {"instrument": ("name", "ccy"), "portfolio": ()}
    assert three.select_related == {"instrument": ("name",), "portfolio": (), "portfolio__manager": ("name",)}
    assert two.filter(size=1).select_related == two.select_related


async def test_nested(models):
    q = await holdings(models)
    async with round_trips(models, 1):
        rows = await do(q.load_related("portfolio__manager").all())
        found = [row.portfolio.manager and row.portfolio.manager.name for row in rows]
        assert found == ["ann", "ann", "bob", "bob", None]
    assert rows[4].portfolio.name == "gamma"
    async with round_trips(models, 1):
        rows = await do(q.load_related("portfolio", "name").load_related("portfolio__manager", "name").all())
        assert rows[0].portfolio.manager.name == "ann"
    assert set(rows[0].portfolio._loadedfields) == {"name", "manager"}
    assert rows[0].portfolio.manager._loadedfields == ("name",)


async def test_reverse(models):
    q = (await holdings(models)).session.query(Portfolio)
    async with round_trips(models, 1):
        rows = await do(q.load_related("positions").all())
        assert [[each.size for each in await do(row.positions.all())] for row in rows] == [[10, 5], [7, 1], [2], []]
        assert [await do(row.positions.count()) for row in rows] == [2, 2, 1, 0]
        assert [await do(row.positions.query().all()) for row in rows][3] == []
        assert (await do(rows[0].positions.all()))[0].portfolio is rows[0]
        assert await ids(rows[0].positions.query()) == [1, 2]
    async with round_trips(models, 1):
        assert await ids(rows[0].positions.filter(size=5)) == [2]


async def test_reverse_with_fields(models):
    q = (await holdings(models)).session.query(Portfolio)
    row = await do(q.load_related("positions", "size").get(name="alpha"))
    found = await do(row.positions.all())
    assert [each.size for each in found] == [10, 5]
    assert set(found[0]._loadedfields) == {"size", "portfolio"}
    assert found[0].portfolio is row
    row = await do(q.load_only("positions__note").get(name="alpha"))
    assert [each.note for each in await do(row.positions.all())] == ["Long", ""]


async def test_reverse_and_nested(models):
    session = (await holdings(models)).session
    async with round_trips(models, 1):
        query = session.query(Manager).load_related("portfolios__positions__instrument")
        ann, bob = await do(query.load_related("portfolios__positions", "size").all())
        alpha, delta = await do(ann.portfolios.all())
        held = [(each.size, each.instrument.name) for each in await do(alpha.positions.all())]
        assert held == [(10, "bond"), (5, "coal")]
        assert await do(delta.positions.all()) == []
        assert names(await do(bob.portfolios.all())) == ["beta"]


async def test_there_and_back_and_on(models):
    query = (await holdings(models)).session.query(Portfolio).load_related("positions__portfolio__manager")
    async with round_trips(models, 1):
        alpha = (await do(query.all()))[0]
        assert [each.portfolio.manager.name for each in await do(alpha.positions.all())] == ["ann", "ann"]


async def test_many_to_many(models):
    q = await profiles(models)
    async with round_trips(models, 1):
        a, b, c = await do(q.load_related("roles").all())
        assert [names(await do(each.roles.all())) for each in (a, b, c)] == [["admin", "editor"], ["editor"], []]
        assert await do(a.roles.count()) == 2
    assert (await do(a.roles.all()))[1] is (await do(b.roles.all()))[0]
    async with round_trips(models, 1):
        roles = await do(q.session.query(Role).load_related("profiles", "name").all())
        assert [names(await do(role.profiles.all())) for role in roles] == [["a"], ["a", "b"], []]
    assert (await do(roles[0].profiles.all()))[0]._loadedfields == ("name",)
    async with round_trips(models, 1):
        roles = await do(q.session.query(Role).load_related("profiles__roles").all())
        (profile,) = await do(roles[0].profiles.all())
        assert names(await do(profile.roles.all())) == ["admin", "editor"]


async def test_many_to_many_through_a_model_of_ones_own(models):
    q = await members(models)
    async with round_trips(models, 1):
        found = {row.name: names(await do(row.clubs.all())) for row in await do(q.load_related("clubs").all())}
    assert found == {"x": ["chess", "go"], "y": ["chess"], "z": []}


async def test_many_to_many_to_the_same_model(models):
    await users(models)
    async with round_trips(models, 1):
        query = models.user.query().load_related("following").load_related("followers")
        found = {user.name: user for user in await do(query.all())}
        assert names(await do(found["ann"].following.all())) == ["bob", "cat"]
        assert names(await do(found["ann"].followers.all())) == ["bob"]
        assert names(await do(found["dan"].following.all())) == []


async def test_changes_drop_what_was_loaded(models):
    q = await profiles(models)
    (a, *_) = await do(q.load_related("roles").all())
    guest = await do(q.session.query(Role).get(name="guest"))
    await do(a.roles.add(guest))
    assert names(await do(a.roles.all())) == ["admin", "editor", "guest"]
    (a, *_) = await do(q.load_only().load_related("roles").all())
    await do(a.roles.remove(guest))
    assert names(await do(a.roles.all())) == ["admin", "editor"]


async def test_load_only(models):
    q = await holdings(models)
    query = q.load_only("size", "instrument__ccy")
    assert (query.fields, query.select_related) == (("size",), {"instrument": ("ccy",)})
    async with round_trips(models, 1):
        row = (await do(query.all()))[0]
        assert (row.size, row.instrument.ccy) == (10, "EUR")
    assert set(row._loadedfields) == {"size", "instrument"}
    assert row.instrument._loadedfields == ("ccy",)
    assert not hasattr(row, "note")
    assert not hasattr(row, "portfolio_id")


async def test_load_only_of_related_fields_alone(models):
    query = (await holdings(models)).load_only("instrument__ccy")
    assert query.fields == ("id",)
    row = (await do(query.all()))[0]
    assert row._loadedfields == ("instrument",)
    assert row._instrument_cache._loadedfields == ("ccy",)
    query = query.load_only("instrument__name", "portfolio__manager__name")
    assert query.select_related == {
        "instrument": ("ccy", "name"),
        "portfolio": (),
        "portfolio__manager": ("name",),
    }
    row = (await do(query.all()))[0]
    assert (row.instrument.name, row.portfolio.manager.name) == ("bond", "ann")


async def test_load_only_with_load_related(models):
    query = (await holdings(models)).load_only("size", "note").load_related("instrument")
    assert query.fields == ("size", "note")
    row = (await do(query.all()))[0]
    assert set(row._loadedfields) == {"size", "note", "instrument"}
    assert (row.instrument_id, row.instrument.name) == (1, "bond")
    query = models.position.query().dont_load("instrument")
    assert not hasattr((await do(query.all()))[0], "instrument_id")
    assert (await do(query.load_related("instrument").all()))[0].instrument.name == "bond"


async def test_a_row_that_is_missing(models):
    session = await store(models, CrossData(name="x"), Feed1(name="a", live=1, prev=7), Feed1(name="b"))
    feed, empty = await do(session.query(Feed1).load_related("live").load_related("prev").all())
    assert (feed.live.name, feed.live_id) == ("x", 1)
    assert (feed.prev, feed.prev_id) == (None, None)
    assert (empty.live, empty.live_id, empty.prev, empty.prev_id) == (None, None, None, None)
    await store(models, Position(portfolio=77, instrument=78, size=0, note="lost"))
    async with round_trips(models, 1):
        row = await do(
            models.position.query().load_related("portfolio").load_related("instrument").get(note__startswith="lost")
        )
    assert row.portfolio_id == 77
    with pytest.raises(Portfolio.DoesNotExist, match="refers to 77"):
        await related(row, "portfolio")


async def test_the_golden_dangling_key(models):
    session = await store(models, CrossData(name="x"), Feed1(name="a", live=1))
    data = await do(session.query(CrossData).get(id=1))
    await do(session.delete(data))
    (feed,) = await do(session.query(Feed1).load_related("live").all())
    assert (feed.live, feed.live_id) == (None, None)
    assert await do(session.query(Feed1).filter(prev=None).count()) == 1


async def test_with_filters_orders_and_slices(models):
    q = (await holdings(models)).load_related("instrument")
    async with round_trips(models, 3):
        assert [row.instrument.name for row in await do(q.filter(instrument__ccy="USD").all())] == [
            "coal",
            "coal",
            "corn",
        ]
        ordered = q.sort_by("-instrument__name")
        assert [row.instrument.name for row in await do(ordered[:2])] == ["corn", "coal"]
        assert (await do(q.get(size=2))).instrument.name == "bond"
    async with round_trips(models, 1):
        assert (await do(q[1])).instrument.name == "coal"


async def test_no_rows(models):
    q = await holdings(models)
    assert await do(q.filter(size=99).load_related("portfolio__manager").all()) == []
    assert await do(q.filter(id=()).load_related("portfolio__manager").all()) == []
    assert await do(q.load_related("instrument").get_field("size").all()) == [10, 5, 7, 1, 2]
    assert await do(q.load_related("instrument").count()) == 5


async def test_a_tree(models):
    session = await store(models, Node(parent=Node(parent=Node(weight=1), weight=2), weight=3))
    async with round_trips(models, 1):
        rows = await do(session.query(Node).load_related("parent__parent").load_related("children").all())
        root, middle, leaf = rows
        assert (leaf.parent.parent.weight, middle.parent.weight, root.parent) == (1.0, 1.0, None)
        assert [[each.weight for each in await do(row.children.all())] for row in rows] == [[2.0], [3.0], []]


async def test_text_and_composite_ids(models):
    session = await store(
        models,
        City(name="Genoa", state=State(code="IT", name="Italy")),
        City(name="Rome", state="IT"),
        Remark(text="!", entry=Entry(book="Emma", word="rich", note="x")),
    )
    async with round_trips(models, 2):
        one, two = await do(session.query(City).load_related("state").all())
        remark = await do(session.query(Remark).load_related("entry", "book").get())
        assert (one.state.name, one.state is two.state) == ("Italy", True)
        assert (remark.entry.book, remark.entry_id) == ("Emma", remark.entry.id)
    async with round_trips(models, 1):
        state = await do(session.query(State).load_related("cities").get(code="IT"))
        assert names(await do(state.cities.all())) == ["Genoa", "Rome"]


async def test_results_outlive_the_query_and_can_be_copied(models):
    q = await holdings(models)
    row = (await do(q.load_related("instrument").all()))[0]
    gc.collect()
    assert row.instrument.name == "bond"
    assert pickle.loads(pickle.dumps(row)).instrument_id == 1


async def test_saving_what_came_with_relations(models):
    q = await holdings(models)
    row = await do(q.load_related("instrument").load_related("portfolio", "name").get(id=1))
    row.size = 11
    async with round_trips(models, 1):
        await do(q.session.add(row))
    again = await do(q.load_related("portfolio").get(id=1))
    assert (again.size, again.portfolio.manager_id) == (11, 1)


async def test_a_manager_that_always_loads_a_relation(models):
    q = await holdings(models)
    base = q.load_related("portfolio")
    async with round_trips(models, 2):
        assert (await do(base.filter(size=10).get())).portfolio.name == "alpha"
        assert (await do(base.exclude(size__lt=10).all()))[0].portfolio.name == "alpha"


@pytest.mark.parametrize(
    "name",
    ["size", "nothing", "instrument_id", "instrument__ccy", "instrument__nothing", "portfolio__manager__name", "",
     "instrument__", "__", "portfolio____manager", 3, None, Position.instrument],
)  # fmt: skip
def test_what_is_not_a_relation(name):
    router = odm.Router("memory://")
    router.register(Position)
    with pytest.raises(FieldError, match="not a relation"):
        router.position.query().load_related(name)


async def test_fields_that_are_unknown(models):
    q = await holdings(models)
    with pytest.raises(UnknownField, match=r"related\.instrument.*nam"):
        q.load_related("instrument", "nam")
    with pytest.raises(UnknownField, match=r"related\.manager"):
        q.load_related("portfolio__manager", "size")
    with pytest.raises(UnknownField, match=r"related\.instrument"):
        await do(q.load_only("instrument__nothing").all())
    with pytest.raises(QuerySetError, match="nothing"):
        await do(q.load_only("nothing__ccy").all())
    with pytest.raises(QuerySetError, match="size__x"):
        await do(q.load_only("size__x").all())
