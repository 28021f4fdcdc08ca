"""Queries that span models: filters, excludes, values and orders along paths of relations."""

from __future__ import annotations

import pytest

from stdnet import QuerySetError, getdb, odm
from stdnet.errors import BadLookupValue, NotIndexed, UnknownField, UnknownLookup

from ..conftest import do, round_trips
from .golden import store
from .holdings import holdings, ids, members, profiles, users
from .relation_models import (
    City,
    Entry,
    Feed1,
    Instrument,
    Manager,
    Member,
    Membership,
    Node,
    Portfolio,
    Position,
    Profile,
    Remark,
    Role,
    State,
    User,
    names,
)

MODELS = [Position, Profile, Member, User, Node, City, Remark, Feed1]


def over(model):
    """Return what makes a query of a model from one of positions."""
    return lambda q: q.session.query(model)


POSITIONS = {
    "a value": (lambda q: q.filter(instrument__ccy="EUR"), [1, 5]),
    "several values": (lambda q: q.filter(instrument__name=("bond", "corn")), [1, 4, 5]),
    "in": (lambda q: q.filter(instrument__name__in={"bond", "corn"}), [1, 4, 5]),
    "repeated widens": (lambda q: q.filter(instrument__name="bond").filter(instrument__name="corn"), [1, 4, 5]),
    "a range": (lambda q: q.filter(instrument__price__gt=60), [1, 5]),
    "two ranges": (lambda q: q.filter(instrument__price__ge=50, instrument__price__lt=100), [2, 3]),
    "a repeated range": (lambda q: q.filter(instrument__price__lt=100).filter(instrument__price__lt=50), []),
    "a text lookup": (lambda q: q.filter(instrument__name__startswith="co"), [2, 3, 4]),
    "two lookups": (lambda q: q.filter(instrument__name__startswith="co", instrument__name__endswith="l"), [2, 3]),
    "without case": (lambda q: q.filter(instrument__name__icontains="O"), [1, 2, 3, 4, 5]),
    "missing": (lambda q: q.filter(instrument__price__isnull=True), [4]),
    "not missing": (lambda q: q.filter(instrument__price__isnull=False), [1, 2, 3, 5]),
    "an id at the end": (lambda q: q.filter(portfolio__id=1), [1, 2]),
    "a range of ids": (lambda q: q.filter(portfolio__id__gt=1), [3, 4, 5]),
    "a key at the end": (lambda q: q.filter(portfolio__manager=2), [3, 4]),
    "a key that is missing": (lambda q: q.filter(portfolio__manager=None), [5]),
    "a null at the end": (lambda q: q.filter(portfolio__manager__isnull=True), [5]),
    "no null at the end": (lambda q: q.filter(portfolio__manager__isnull=False), [1, 2, 3, 4]),
    "two steps": (lambda q: q.filter(portfolio__manager__name="ann"), [1, 2]),
    "two steps and a range": (lambda q: q.filter(portfolio__manager__id__ge=2), [3, 4]),
    "two paths": (lambda q: q.filter(portfolio__manager__name="ann", instrument__ccy="USD"), [2]),
    "two paths that part late": (lambda q: q.filter(portfolio__manager__name="ann", portfolio__name="delta"), []),
    "a path and a field": (lambda q: q.filter(instrument__ccy="USD", size__gt=4), [2, 3]),
    "a path and its key": (lambda q: q.filter(instrument__ccy="USD", instrument=(1, 2)), [2, 3]),
    "a null of the key": (lambda q: q.filter(instrument__isnull=True), []),
    "no values": (lambda q: q.filter(instrument__ccy__in=()), []),
    "no such value": (lambda q: q.filter(instrument__ccy="CHF"), []),
    "chained": (lambda q: q.filter(instrument__ccy="USD").filter(portfolio__name="beta"), [3, 4]),
    "excluded": (lambda q: q.exclude(instrument__ccy="EUR"), [2, 3, 4]),
    "excluded range": (lambda q: q.exclude(instrument__price__ge=60), [2, 3, 4]),
    "excluded two steps": (lambda q: q.exclude(portfolio__manager__name="ann"), [3, 4, 5]),
    "any keyword excludes": (lambda q: q.exclude(instrument__ccy="EUR", portfolio__name="beta"), [2]),
    "any keyword of one relation": (lambda q: q.exclude(instrument__ccy="EUR", instrument__name="corn"), [2, 3]),
    "excluded nothing": (lambda q: q.exclude(instrument__ccy__in=()), [1, 2, 3, 4, 5]),
    "filter and exclude": (lambda q: q.filter(instrument__ccy="USD").exclude(portfolio__manager__name="bob"), [2]),
    "excluded missing key": (lambda q: q.exclude(portfolio__manager=None), [1, 2, 3, 4]),
    "there and back": (lambda q: q.filter(portfolio__positions__instrument__name="bond"), [1, 2, 5]),
    "there and back by size": (lambda q: q.filter(instrument__positions__size__gt=6), [1, 2, 3, 5]),
    "a union": (lambda q: q.filter(instrument__name="corn").union(q.filter(portfolio__name="gamma")), [4, 5]),
    "an intersection": (lambda q: q.filter(instrument__ccy="USD").intersect(q.filter(portfolio__name="alpha")), [2]),
    "an expression": (lambda q: q.filter(instrument__ccy="USD").where("this.size > 5"), [3]),
    "a query": (lambda q: q.filter(instrument=over(Instrument)(q).filter(ccy="EUR")), [1, 5]),
    "a query and an id": (lambda q: q.filter(instrument=[3, over(Instrument)(q).filter(ccy="EUR")]), [1, 4, 5]),
    "a query at the end": (lambda q: q.filter(portfolio__manager=over(Manager)(q).filter(name="bob")), [3, 4]),
    "values of a field at the end": (
        lambda q: q.filter(instrument__ccy=over(Instrument)(q).filter(name="dax").get_field("ccy")),
        [1, 5],
    ),
    "values of a key": (
        lambda q: q.filter(portfolio=over(Position)(q).filter(instrument__name="corn").get_field("portfolio")),
        [3, 4],
    ),
    "ids from a key": (
        lambda q: q.filter(portfolio__id=over(Position)(q).filter(size=1).get_field("portfolio")),
        [3, 4],
    ),
    "an excluded query": (lambda q: q.exclude(instrument=over(Instrument)(q).filter(ccy="EUR")), [2, 3, 4]),
    "a query with a path": (lambda q: q.filter(id=q.filter(instrument__ccy="EUR")), [1, 5]),
}

REVERSE = {
    "a field": (lambda q: over(Portfolio)(q).filter(positions__size=7), [2]),
    "several values": (lambda q: over(Portfolio)(q).filter(positions__size=(7, 2)), [2, 3]),
    "a range": (lambda q: over(Portfolio)(q).filter(positions__size__gt=5), [1, 2]),
    "a text lookup": (lambda q: over(Portfolio)(q).filter(positions__note__icontains="LONG"), [1, 2]),
    "one row for all keywords": (
        lambda q: over(Portfolio)(q).filter(positions__size=10, positions__instrument__name="coal"),
        [],
    ),
    "one row for all of a chain": (
        lambda q: over(Portfolio)(q).filter(positions__size=5).filter(positions__instrument__name="coal"),
        [1],
    ),
    "two rows by two queries": (
        lambda q: (
            over(Portfolio)(q)
            .filter(positions__size=10)
            .intersect(over(Portfolio)(q).filter(positions__instrument__name="coal"))
        ),
        [1],
    ),
    "two steps forward": (lambda q: over(Portfolio)(q).filter(positions__instrument__ccy="EUR"), [1, 3]),
    "two steps back": (lambda q: over(Manager)(q).filter(portfolios__positions__size__lt=6), [1, 2]),
    "three steps": (lambda q: over(Manager)(q).filter(portfolios__positions__instrument__name="corn"), [2]),
    "an instance": (lambda q: over(Portfolio)(q).filter(positions=4), [2]),
    "instances": (lambda q: over(Portfolio)(q).filter(positions__in=[1, 5]), [1, 3]),
    "a query": (lambda q: over(Portfolio)(q).filter(positions=q.filter(size__gt=6)), [1, 2]),
    "an id": (lambda q: over(Portfolio)(q).filter(positions__id=4), [2]),
    "none": (lambda q: over(Portfolio)(q).filter(positions__isnull=True), [4]),
    "some": (lambda q: over(Portfolio)(q).filter(positions__isnull=False), [1, 2, 3]),
    "none of none": (lambda q: over(Instrument)(q).filter(positions__isnull=True), [4]),
    "none further on": (lambda q: over(Manager)(q).filter(portfolios__positions__isnull=True), [1]),
    "excluded": (lambda q: over(Portfolio)(q).exclude(positions__size__gt=5), [3, 4]),
    "excluded by each keyword": (
        lambda q: over(Portfolio)(q).exclude(positions__size=10, positions__instrument__name="corn"),
        [3, 4],
    ),
    "excluded none": (lambda q: over(Portfolio)(q).exclude(positions__isnull=True), [1, 2, 3]),
    "None": (lambda q: over(Portfolio)(q).filter(positions=None), [4]),
    "None or one": (lambda q: over(Portfolio)(q).filter(positions=(None, 5)), [3, 4]),
    "None or one, repeated": (lambda q: over(Portfolio)(q).filter(positions=None).filter(positions=5), [3, 4]),
    "None in": (lambda q: over(Portfolio)(q).filter(positions__in=[None, 5], name="gamma"), [3]),
    "excluded None": (lambda q: over(Portfolio)(q).exclude(positions=None), [1, 2, 3]),
    "None further on": (lambda q: over(Manager)(q).filter(portfolios__positions=None), [1]),
    "None and another keyword": (lambda q: over(Portfolio)(q).filter(positions=None, positions__size=5), []),
    "of an optional key": (lambda q: over(Manager)(q).filter(portfolios__name="gamma"), []),
}


@pytest.mark.parametrize("name", POSITIONS)
async def test_forward(models, name):
    build, expected = POSITIONS[name]
    query = build(await holdings(models))
    async with round_trips(models, int(name != "no values")):
        assert await ids(query) == expected
    fresh = query.load_only()
    assert await do(fresh.count()) == len(expected)


@pytest.mark.parametrize("name", REVERSE)
async def test_reverse(models, name):
    build, expected = REVERSE[name]
    query = build(await holdings(models))
    async with round_trips(models, 1):
        assert await ids(query) == expected
    assert await do(query.load_only().count()) == len(expected)


LINKED = {
    "a field": (lambda q: q.filter(roles__name="admin"), ["a"]),
    "several values": (lambda q: q.filter(roles__name=("admin", "editor")), ["a", "b"]),
    "a text lookup": (lambda q: q.filter(roles__name__startswith="edi"), ["a", "b"]),
    "an id": (lambda q: q.filter(roles=1), ["a"]),
    "ids": (lambda q: q.filter(roles__in=(1, 3)), ["a"]),
    "a range of ids": (lambda q: q.filter(roles__id__gt=1), ["a", "b"]),
    "a query": (lambda q: q.filter(roles=over(Role)(q).filter(name="editor")), ["a", "b"]),
    "none": (lambda q: q.filter(roles__isnull=True), ["c"]),
    "None": (lambda q: q.filter(roles=None), ["c"]),
    "None or one": (lambda q: q.filter(roles=[None, 1]), ["a", "c"]),
    "some": (lambda q: q.filter(roles__isnull=False), ["a", "b"]),
    "excluded": (lambda q: q.exclude(roles__name="admin"), ["b", "c"]),
    "excluded none": (lambda q: q.exclude(roles__isnull=True), ["a", "b"]),
    "there and back": (lambda q: q.filter(roles__profiles__name="b"), ["a", "b"]),
    "one row for all keywords": (lambda q: q.filter(roles__name="admin", roles__id=2), []),
    "the other side": (lambda q: over(Role)(q).filter(profiles__name="b"), ["editor"]),
    "the other side, none": (lambda q: over(Role)(q).filter(profiles__isnull=True), ["guest"]),
    "the other side, excluded": (lambda q: over(Role)(q).exclude(profiles=2), ["admin", "guest"]),
}


@pytest.mark.parametrize("name", LINKED)
async def test_many_to_many(models, name):
    build, expected = LINKED[name]
    query = build(await profiles(models))
    async with round_trips(models, 1):
        assert names(await do(query.all())) == expected


async def test_fields_of_the_link_itself(models):
    q = await members(models)
    through = q.session.query(Membership)
    assert names(await do(q.filter(clubs__name="chess").all())) == ["x", "y"]
    found = q.filter(id=through.filter(level__ge=2).get_field("member"))
    assert names(await do(found.all())) == ["x", "y"]
    assert [row.level for row in await do(through.filter(member__name="x").sort_by("level").all())] == [1, 3]
    assert [row.level for row in await do(through.filter(club__name="chess", member__name="y").all())] == [2]


async def test_many_to_many_to_the_same_model(models):
    await users(models)
    user = models.user
    assert names(await do(user.filter(following__name="ann").all())) == ["bob"]
    assert names(await do(user.filter(followers__name="ann").all())) == ["bob", "cat"]
    assert names(await do(user.filter(following__following__name="ann").all())) == ["ann"]
    assert names(await do(user.filter(followers__followers__name="ann").all())) == ["ann"]
    assert names(await do(user.filter(followers__isnull=True).all())) == ["dan"]
    assert names(await do(user.exclude(following__name=("bob", "ann")).all())) == ["cat", "dan"]


async def test_instances_as_values(models):
    q = await holdings(models)
    bond = await do(q.session.query(Instrument).get(name="bond"))
    ann = await do(q.session.query(Manager).get(name="ann"))
    fourth = await do(q.get(id=4))
    assert await ids(q.filter(instrument=bond)) == [1, 5]
    assert await ids(q.filter(instrument__in=[bond, 3])) == [1, 4, 5]
    assert await ids(q.filter(portfolio__manager=ann)) == [1, 2]
    assert await ids(q.exclude(portfolio__manager=ann)) == [3, 4, 5]
    assert await ids(q.session.query(Portfolio).filter(positions=fourth)) == [2]
    assert await ids(q.session.query(Portfolio).filter(positions__in=[fourth])) == [2]


async def tree(models):
    """Store root 1 with children 2 and 3, and 4 below 2; return a query over the nodes."""
    root = Node(weight=1)
    two, three = Node(parent=root, weight=2), Node(parent=root)
    session = await store(models, root, two, three, Node(parent=two, weight=4))
    return session.query(Node)


async def test_a_tree(models):
    q = await tree(models)
    assert await ids(q.filter(parent=None)) == [1]
    assert await ids(q.filter(parent__parent=None)) == [2, 3]
    assert await ids(q.filter(parent__parent__parent=None)) == [4]
    assert await ids(q.filter(parent__isnull=False)) == [2, 3, 4]
    assert await ids(q.filter(parent__weight__ge=2)) == [4]
    assert await ids(q.filter(children__weight__gt=3)) == [2]
    assert await ids(q.filter(children__children__weight__gt=3)) == [1]
    assert await ids(q.filter(children__isnull=True)) == [3, 4]
    assert await ids(q.filter(parent__children__weight__le=2)) == [2, 3]
    assert await ids(q.exclude(parent__parent=None)) == [1, 4]
    assert (await do(q.get(parent=None))).id == 1


async def test_text_and_composite_ids(models):
    session = await store(
        models,
        City(name="Genoa", state=State(code="IT", name="Italy")),
        City(name="Bern", state=State(code="CH")),
        Remark(text="!", entry=Entry(book="Emma", word="rich", note="x")),
        Remark(text="?", entry=Entry(book="Persuasion", word="rich")),
    )
    cities, remarks = session.query(City), session.query(Remark)
    assert names(await do(cities.filter(state__name="Italy").all())) == ["Genoa"]
    assert names(await do(cities.filter(state="CH").all())) == ["Bern"]
    assert names(await do(cities.filter(state__code__startswith="C").all())) == ["Bern"]
    assert names(await do(cities.filter(state__name=None).all())) == ["Bern"]
    assert [each.code for each in await do(session.query(State).filter(cities__name="Genoa").all())] == ["IT"]
    assert names(await do(cities.sort_by("state__code").all())) == ["Bern", "Genoa"]
    assert names(await do(cities.sort_by("-state").all())) == ["Genoa", "Bern"]
    assert [each.text for each in await do(remarks.filter(entry__book="Emma").all())] == ["!"]
    assert [each.text for each in await do(remarks.filter(entry__word="rich").sort_by("-entry__book").all())] == [
        "?",
        "!",
    ]
    assert [each.book for each in await do(session.query(Entry).filter(remarks__text__contains="?").all())] == [
        "Persuasion"
    ]


async def test_values_along_a_filter(models):
    q = await holdings(models)
    assert await do(q.filter(instrument__ccy="EUR").get_field("size").all()) == [10, 2]
    assert await do(q.filter(instrument__ccy="EUR").get_field("portfolio").all()) == [1, 3]
    assert await do(q.session.query(Portfolio).get_field("manager").all()) == [1, 2, None, 1]
    assert await do(q.filter(instrument__ccy="EUR").contains(1))
    assert not await do(q.filter(instrument__ccy="EUR").contains(2))
    assert (await do(q.get(portfolio__name="gamma"))).id == 5
    with pytest.raises(Position.DoesNotExist):
        await do(q.get(portfolio__name="delta"))
    with pytest.raises(QuerySetError, match="Non unique"):
        await do(q.get(portfolio__name="alpha"))


async def test_deleting_along_a_filter(models):
    q = await holdings(models)
    async with round_trips(models, 1):
        assert await do(q.filter(portfolio__manager__name="ann").delete()) == [1, 2]
    assert await ids(q.session.query(Portfolio).filter(positions__isnull=True)) == [1, 4]


async def test_the_answer_follows_the_data(models):
    q = await holdings(models)
    coal = await do(q.session.query(Instrument).get(name="coal"))
    coal.ccy = "EUR"
    await do(q.session.add(coal))
    assert await ids(q.filter(instrument__ccy="EUR")) == [1, 2, 3, 5]
    third = await do(q.get(id=3))
    third.portfolio_id = 4
    await do(q.session.add(third))
    assert await ids(q.filter(portfolio__manager__name="ann")) == [1, 2, 3]
    assert await ids(q.session.query(Portfolio).filter(positions__isnull=True)) == []


BAD = {
    "unknown field": ({"nothing": 1}, UnknownField, r'related\.position".*"nothing"'),
    "unknown field far away": ({"instrument__nothing": 1}, UnknownField, r'related\.instrument".*"nothing"'),
    "misspelt": ({"instrument__pric__gt": 1}, UnknownField, r'related\.instrument".*Did you mean "price"'),
    "unknown two steps away": ({"portfolio__manager__nothing": 1}, UnknownField, r'related\.manager".*"nothing"'),
    "unknown with a lookup": ({"portfolio__manager__nothing__gt": 1}, UnknownField, r"related\.manager"),
    "unknown lookup far away": ({"instrument__ccy__like": 1}, UnknownLookup, r"like.*related\.instrument\.ccy"),
    "unknown after a back step": ({"portfolio__positions__nothing": 1}, UnknownField, r"related\.position"),
    "the name of the id": ({"portfolio_id": 1}, UnknownField, "portfolio_id"),
    "the name of an id far away": ({"portfolio__manager_id": 1}, UnknownField, "manager_id"),
    "not a relation": ({"size__name": 1}, UnknownLookup, "size"),
    "a dangling path": ({"instrument__": 1}, QuerySetError, "related"),
    "two separators": ({"instrument____ccy": 1}, QuerySetError, "related"),
    "not indexed": ({"instrument__price": 1}, NotIndexed, "price"),
    "a bad value": ({"portfolio__id": "x"}, BadLookupValue, "x"),
    "a bad key": ({"portfolio": "x"}, BadLookupValue, "x"),
    "an object of another model": ({"portfolio": Instrument(name="x")}, BadLookupValue, r"related\.portfolio"),
    "the same far away": ({"portfolio__manager": Instrument(name="x")}, BadLookupValue, r"related\.manager"),
    "an unsaved object": ({"portfolio": Portfolio(name="x")}, BadLookupValue, "not saved"),
    "an unsaved object on the many side": ({"portfolio__positions": Position()}, BadLookupValue, "not saved"),
    "an object on the wrong many side": ({"portfolio__positions": Instrument(id=1)}, BadLookupValue, "related"),
    "in without values": ({"instrument__ccy__in": 3}, BadLookupValue, "collection"),
    "isnull of a text": ({"instrument__price__isnull": "x"}, BadLookupValue, "neither True nor False"),
    "isnull of many": ({"portfolio__positions__isnull": 1}, BadLookupValue, "neither True nor False"),
    "a range of a relation": ({"portfolio__positions__gt": object()}, QuerySetError, "positions|related"),
}


@pytest.mark.parametrize("name", BAD)
async def test_bad_input(models, name):
    keywords, error, problem = BAD[name]
    q = await holdings(models)
    for query in (q.filter(**keywords), q.exclude(**keywords)):
        with pytest.raises(error, match=problem):
            await do(query.all())
        with pytest.raises(error, match=problem):
            await do(query.count())


async def test_queries_of_other_models_as_values(models):
    q = await holdings(models)
    for bad in (
        {"instrument": q.session.query(Portfolio)},
        {"portfolio__manager": q.session.query(Instrument)},
        {"portfolio": q.session.query(Instrument).get_field("name")},
        {"portfolio": q.session.query(Position).get_field("instrument")},
        {"id": q.session.query(Instrument)},
        {"id": q.session.query(Position).get_field("instrument")},
        {"portfolio__positions": q.session.query(Portfolio)},
        {"instrument__positions__in": [1, q.session.query(Manager)]},
    ):
        with pytest.raises(BadLookupValue):
            await do(q.filter(**bad).all())
    for bad in (q.session.query(User), q.session.query(Profile)):
        with pytest.raises(BadLookupValue, match=r"related\.role"):
            await do(q.session.query(Profile).filter(roles=bad).all())
    assert await ids(q.filter(id=q.session.query(Manager).get_field("id"))) == [1, 2]  # by request


async def test_no_query_spans_two_backends(server, router_class):
    router = router_class(server)
    router.register(Instrument, getdb("memory://"))
    router.register(Position)
    q = await holdings(router)
    for query in (
        q.filter(instrument__ccy="EUR"),
        q.exclude(instrument__ccy="EUR"),
        q.sort_by("instrument__name"),
        q.load_related("instrument"),
        q.load_only("instrument__name"),
        q.session.query(Instrument).filter(positions__size=1),
        q.session.query(Instrument).load_related("positions"),
        q.session.query(Portfolio).filter(positions__instrument__ccy="EUR"),
    ):
        with pytest.raises(QuerySetError, match="another backend"):
            await do(query.all())
    assert await ids(q.filter(instrument=1, portfolio__name="alpha")) == [1]


async def test_a_hidden_other_side_cannot_be_queried(models):
    class Shy(odm.StdModel):
        portfolio = odm.ForeignKey(Portfolio, related_name="+")

        class Meta:
            register = False

    models.register(Shy)
    with pytest.raises(UnknownField):
        await do(models.portfolio.filter(shy_portfolio_set__id=1).all())
    assert await do(models.shy.filter(portfolio__name="alpha").all()) == []
