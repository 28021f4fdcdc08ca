"""What deleting a row does to the rows that refer to it, and what is said about it."""

from __future__ import annotations

import pytest

from stdnet import CommitException, odm

from ..conftest import do, round_trips, transaction
from .relation_models import CrossData, Feed1, Group, Instrument, Node, Person, Portfolio, Position, names, related

MODELS = [Person, Node, Feed1, Position]


async def fill(models, people=3):
    async with transaction(models.session()) as t:
        for name in ("a", "b"):
            group = Group(name=name)
            for n in range(people):
                t.add(Person(name=f"{name}{n}", group=group))
    return t.saved[Group]


async def test_a_required_key_cascades(models):
    one, _ = await fill(models)
    async with round_trips(models, 1):
        assert await do(one.session.delete(one)) == [1]
    assert names(await do(models.person.all())) == ["b0", "b1", "b2"]
    assert await do(models.group.count()) == 1


async def test_a_query_cascades(models):
    await fill(models)
    async with round_trips(models, 1):
        assert await do(models.group.query().delete()) == [1, 2]
    assert await do(models.person.count()) == 0
    assert await do(models.group.query().delete()) is None


async def test_what_is_gone_is_reported(models):
    one, _ = await fill(models)
    async with transaction(one.session) as t:
        t.delete(one)
    assert dict(t.deleted) == {Person._meta: [1, 2, 3], Group._meta: [1]}
    assert list(t.deleted) == [Person._meta, Group._meta]


async def test_signals_tell_what_went_children_first(models):
    seen = []
    for name in ("pre_commit", "post_commit", "pre_delete", "post_delete"):
        getattr(models, name).bind(
            lambda event, sender, name=name, **kwargs: seen.append((name, sender, kwargs["instances"], set(kwargs)))
        )
    group = await do(models.group.new(name="x"))
    person = await do(models.person.new(name="p", group=group))
    await do(group.session.delete(group))
    before, after = {"instances", "session"}, {"instances", "session", "transaction"}
    assert [(name, model, keys) for name, model, _, keys in seen] == [
        ("pre_commit", Group, before),
        ("post_commit", Group, after),
        ("pre_commit", Person, before),
        ("post_commit", Person, after),
        ("pre_delete", Group, before),
        ("post_delete", Person, after),
        ("post_delete", Group, after),
    ]
    assert [instances for name, _, instances, _ in seen if name == "post_delete"] == [[person.id], [group.id]]


async def test_unsaved_parents_get_signals_of_their_own(models):
    seen = []
    models.pre_commit.bind(lambda event, sender, instances, **kwargs: seen.append((sender, len(instances))))
    await do(models.person.new(name="p", group=Group(name="x")))
    assert seen == [(Person, 1), (Group, 1)]


async def test_an_optional_key_is_emptied_in_the_same_commit(models):
    data = await do(models.crossdata.new(name="x"))
    async with transaction(data.session) as t:
        t.add(Feed1(name="a", live=data))
        t.add(Feed1(name="b", live=data, prev=data))
    async with round_trips(models, 1):
        assert await do(data.session.delete(data)) == [1]
    assert [(feed.name, feed.live_id, feed.prev_id) for feed in await do(models.feed1.all())] == [
        ("a", None, None),
        ("b", None, None),
    ]
    assert names(await do(models.feed1.filter(live=None).all())) == ["a", "b"]
    assert await related(await do(models.feed1.get(name="a")), "live") is None


async def test_a_row_that_is_saved_with_the_delete_of_its_parent_loses_an_optional_key(models):
    data = await do(models.crossdata.new(name="x"))
    async with transaction(data.session) as t:
        t.add(Feed1(name="a", live=data))
        t.delete(data)
    assert [(feed.name, feed.live_id) for feed in await do(models.feed1.all())] == [("a", None)]


async def grow(models):
    root = Node(weight=0)
    async with transaction(models.session()) as t:
        for _ in range(2):
            child = Node(parent=root)
            for _ in range(2):
                t.add(Node(parent=Node(parent=child)))
    return t.saved[Node]


async def test_a_key_to_the_model_itself_takes_the_subtree(models):
    root, child, *_ = await grow(models)
    assert child.parent_id == root.id
    async with round_trips(models, 1):
        deleted = await do(child.session.delete(child))
    assert len(deleted) == len(set(deleted)) == 5
    assert await do(models.node.count()) == 6
    assert len(await do(root.session.delete(root))) == 6
    assert await do(models.node.count()) == 0


async def test_a_line_of_descent(models):
    await do(models.node.save(Node(parent=Node(parent=Node()))))
    child = await do(models.node.get(id=2))
    assert sorted(await do(child.session.delete(child))) == [2, 3]
    assert [node.id for node in await do(models.node.all())] == [1]


async def test_cycles_end(models):
    one = await do(models.node.new())
    two = await do(models.node.new(parent=one))
    one.parent = two
    await do(models.node.save(one))
    assert sorted(await do(two.session.delete(two))) == [1, 2]


class Country(odm.StdModel):
    name = odm.SymbolField()
    capital = odm.ForeignKey("related.capital")

    class Meta:
        app_label = "related"


class Capital(odm.StdModel):
    country = odm.ForeignKey(Country, required=False, on_delete=odm.CASCADE)

    class Meta:
        app_label = "related"


async def test_cycles_of_models_end(models):
    models.register(Country)
    session = models.session()
    countries = [await do(session.add(Country(name=name, capital=Capital()))) for name in "abc"]
    for n, country in enumerate(countries):
        capital = country.capital
        capital.country = countries[(n + 1) % 3]
        await do(session.add(capital))
    other = await do(session.add(Country(name="d", capital=Capital())))
    async with round_trips(models, 1), transaction(session) as t:
        t.delete(countries[0])
    assert {meta.model: sorted(pks) for meta, pks in t.deleted.items()} == {Country: [1, 2, 3], Capital: [1, 2, 3]}
    assert names(await do(models.country.all())) == ["d"]
    assert [each.id for each in await do(models.capital.all())] == [4]
    capital = other.capital
    capital.country = other
    await do(session.add(capital))
    assert await do(capital.session.delete(capital)) == [4]
    assert await do(models.country.count()) == 0


class Branch(odm.StdModel):
    up = odm.ForeignKey("self", required=False, on_delete=odm.SET_NULL, related_name="twigs")

    class Meta:
        app_label = "related"


class Brick(odm.StdModel):
    below = odm.ForeignKey("self", required=False, on_delete=odm.RESTRICT, related_name="above")

    class Meta:
        app_label = "related"


async def test_a_key_to_the_model_itself_can_be_emptied(models):
    models.register(Branch)
    await do(models.branch.save(Branch(up=Branch(up=Branch()))))
    root = await do(models.branch.get(up=None))
    assert await do(root.session.delete(root)) == [1]
    assert [(each.id, each.up_id) for each in await do(models.branch.all())] == [(2, None), (3, 2)]
    assert await do(models.branch.query().delete()) == [2, 3]


async def test_a_key_to_the_model_itself_can_restrict(models):
    models.register(Brick)
    await do(models.brick.save(Brick(below=Brick(below=Brick()))))
    with pytest.raises(CommitException, match=r'related\.brick\.id=2: related\.brick\.id=3 refers to it by "below"'):
        await do(models.brick.filter(id=(1, 2)).delete())
    assert await do(models.brick.count()) == 3
    assert await do(models.brick.query().delete()) == [1, 2, 3]


async def test_a_long_chain(models):
    node = None
    for _ in range(3000):
        node = Node(parent=node)
    await do(models.node.save(node))
    root = await do(models.node.get(parent=None))
    assert len(await do(root.session.delete(root))) == 3000


async def test_a_cascade_over_several_models_is_one_commit(models):
    async with transaction(models.session()) as t:
        for n in range(6):
            name = str(n % 2)
            portfolio = t.saved.get(name) or t.saved.setdefault(name, Portfolio(name=name))
            t.add(Position(portfolio=portfolio, instrument=Instrument(name=f"i{n}", ccy="EUR"), size=n))
        t.saved.clear()
    portfolio = await do(models.portfolio.get(name="0"))
    async with round_trips(models, 1):
        await do(portfolio.session.delete(portfolio))
    assert [position.size for position in await do(models.position.all())] == [1, 3, 5]
    assert await do(models.instrument.count()) == 6


async def test_a_row_that_goes_for_two_reasons_is_reported_once(models):
    position = Position(portfolio=Portfolio(name="p"), instrument=Instrument(name="i", ccy="EUR"), size=1)
    await do(models.position.save(position))
    seen = []
    models.post_delete.bind(lambda event, sender, instances, **kwargs: seen.append((sender, instances)))
    async with round_trips(models, 1), transaction(position.session) as t:
        t.delete(position.instrument)
        t.delete(position)
        t.delete(position.portfolio)
    assert sorted((str(model._meta), pks) for model, pks in seen) == [
        ("related.instrument", [1]),
        ("related.portfolio", [1]),
        ("related.position", [1]),
    ]
    assert dict(t.deleted) == {Position._meta: [1], Portfolio._meta: [1], Instrument._meta: [1]}


class Holder(odm.StdModel):
    name = odm.SymbolField()

    class Meta:
        app_label = "related"


class Account(odm.StdModel):
    holder = odm.ForeignKey(Holder, on_delete=odm.RESTRICT)

    class Meta:
        app_label = "related"


class Statement(odm.StdModel):
    account = odm.ForeignKey(Account, on_delete=odm.CASCADE, required=False)

    class Meta:
        app_label = "related"


async def test_restrict_refuses_the_whole_commit_and_names_the_rows(models):
    models.register(Statement)
    holder = await do(models.holder.new(name="x"))
    account = await do(models.account.new(holder=holder))
    await do(models.statement.new(account=account))
    session = holder.session
    t = session.begin()
    t.add(Holder(name="new"))
    t.delete(holder)
    with pytest.raises(CommitException, match=r'account\.id=1 refers to it by "holder".*RESTRICT') as refused:
        await do(t.commit())
    assert (refused.value.failures, refused.value.instances) == (1, (holder,))
    assert await do(models.holder.count()) == await do(models.account.count()) == 1
    with pytest.raises(CommitException, match=r"related\.holder\.id=1"):
        await do(models.holder.query().delete())
    async with transaction(session) as t:
        t.delete(holder)
        t.delete(account)
    assert dict(t.deleted) == {Statement._meta: [1], Account._meta: [1], Holder._meta: [1]}
    assert [await do(models[model].count()) for model in (Holder, Account, Statement)] == [0, 0, 0]


class Office(odm.StdModel):
    head = odm.ForeignKey(Person, on_delete=odm.RESTRICT)

    class Meta:
        app_label = "related"


async def test_restrict_stops_a_cascade_on_its_way(models):
    models.register(Office)
    person = Person(name="p", group=Group(name="g"))
    await do(models.office.new(head=person))
    seen = []
    models.post_delete.bind(lambda event, sender, **kwargs: seen.append(sender))
    with pytest.raises(CommitException, match=r"related\.person\.id=1: related\.office\.id=1 refers to it") as refused:
        await do(person.session.delete(person.group))
    assert (refused.value.failures, refused.value.instances, seen) == (1, (), [])
    assert [await do(models[model].count()) for model in (Group, Person, Office)] == [1, 1, 1]


async def test_restrict_names_every_row_that_is_held(models):
    models.register(Statement)
    for name in "ab":
        await do(models.account.new(holder=Holder(name=name)))
    with pytest.raises(CommitException) as refused:
        await do(models.holder.query().delete())
    assert refused.value.failures == 2
    for id in (1, 2):
        assert f"Cannot delete related.holder.id={id}: related.account.id={id} refers to it" in str(refused.value)


async def test_restrict_lets_go_when_the_row_refers_elsewhere(models):
    models.register(Statement)
    holder, other = await do(models.holder.new(name="x")), await do(models.holder.new(name="y"))
    account = await do(models.account.new(holder=holder))
    account.holder = other
    async with transaction(holder.session) as t:
        t.add(account)
        t.delete(holder)
    assert [each.holder_id for each in await do(models.account.all())] == [2]


async def test_restrict_refuses_a_row_that_comes_with_the_delete(models):
    models.register(Statement)
    holder = await do(models.holder.new(name="x"))
    t = holder.session.begin()
    t.add(Account(holder=holder))
    t.delete(holder)
    with pytest.raises(CommitException, match="RESTRICT"):
        await do(t.commit())
    assert await do(models.holder.count()) == 1


async def test_models_that_are_not_registered_are_left_alone(server, router_class):
    whole, part = router_class(server), router_class(server)
    whole.register(Person)
    part.register(Group)
    await do(whole.person.new(name="p", group=Group(name="x")))
    assert await do(part.group.query().delete()) == [1]
    assert await do(whole.person.count()) == 1


async def test_a_refused_commit_deletes_nothing(models):
    await do(models.person.new(name="p", group=Group(name="x")))
    group = await do(models.group.get())
    t = group.session.begin()
    t.delete(group)
    for _ in range(2):
        t.add(Instrument(name="same", ccy="EUR"))
    with pytest.raises(CommitException, match="Unique"):
        await do(t.commit())
    assert await do(models.person.count()) == await do(models.group.count()) == 1


def test_defaults():
    assert Person.group.field.on_delete == odm.CASCADE
    assert Node.parent.field.on_delete == odm.CASCADE
    assert Feed1.live.field.on_delete == odm.SET_NULL
    assert Feed1.live.field.relmodel is CrossData
