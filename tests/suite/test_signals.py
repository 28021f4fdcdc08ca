"""Signals: when they fire, what they are told, and what their callbacks may do."""

from __future__ import annotations

import inspect

import pytest

from stdnet import CommitException, FieldValueError, InvalidTransaction, odm

from ..conftest import do, round_trips, transaction
from .golden import again, codes, simple
from .models import Country, SimpleModel

MODELS = [SimpleModel, Country]
NAMES = ("pre_commit", "pre_delete", "post_commit", "post_delete")


class Trouble(Exception):
    """What a callback raises."""


def watch(models):
    """Bind to all four events; return the list of (event, model, keywords) that they were fired with."""
    seen = []
    for name in NAMES:
        getattr(models, name).bind(lambda event, sender, name=name, **kwargs: seen.append((name, sender, kwargs)))
    return seen


async def test_the_events_of_adding_and_deleting(models):
    seen, session = watch(models), models.session()
    row = await do(session.add(SimpleModel(code="a")))
    assert [(name, sender) for name, sender, _ in seen] == [("pre_commit", SimpleModel), ("post_commit", SimpleModel)]
    (_, _, before), (_, _, after) = seen
    assert sorted(before) == ["instances", "session"]
    assert sorted(after) == ["instances", "session", "transaction"]
    assert (before["instances"], after["instances"]) == ((row,), [row])
    assert before["session"] is after["session"] is session
    assert after["transaction"].saved[SimpleModel] == [row]
    seen.clear()
    await do(session.delete(row))
    assert [(name, sender) for name, sender, _ in seen] == [("pre_delete", SimpleModel), ("post_delete", SimpleModel)]
    (_, _, before), (_, _, after) = seen
    assert sorted(before) == ["instances", "session"]
    assert isinstance(before["instances"], odm.QueryBase)
    assert after["instances"] == [1]


async def test_the_order_of_events(models):
    q = await simple(models)
    seen = watch(models)
    async with transaction(q.session) as t:
        t.add(Country(code="it", name="Italy"))
        t.delete(q.filter(code="a"))
        t.add(SimpleModel(code="new"))
        assert seen == []
    assert [f"{name} {sender._meta.name}" for name, sender, _ in seen] == [
        "pre_commit country",
        "pre_delete simplemodel",
        "pre_commit simplemodel",
        "post_commit country",
        "post_delete simplemodel",
        "post_commit simplemodel",
    ]


async def test_the_query_of_pre_delete_finds_the_rows(models):
    q, seen = await simple(models), []
    models.pre_delete.bind(lambda event, sender, instances, session: seen.append(instances))
    await do(q.filter(group="g1").delete())
    assert (await do(again(seen[0]).count()), len(seen)) == (0, 1)
    async with transaction(q.session) as t:
        t.delete(await do(q.get(code="c")))
        t.delete(q.filter(code="d"))
        models.pre_delete.bind(lambda event, sender, instances, session: seen.append(repr(instances.construct())))
    assert len(seen) == 3


async def test_nothing_to_report_fires_nothing_after(models):
    q = await simple(models)
    seen = watch(models)
    await do(q.filter(code="zz").delete())
    assert [name for name, _, _ in seen] == ["pre_delete"]
    seen.clear()
    await do(q.session.commit())
    assert seen == []


async def test_signals_can_be_switched_off(models):
    q = await simple(models)
    seen = watch(models)
    async with transaction(q.session, signal_commit=False) as t:
        t.add(SimpleModel(code="e"))
        t.delete(q.filter(code="a"))
    assert [name for name, _, _ in seen] == ["pre_delete", "post_delete"]
    seen.clear()
    async with transaction(q.session, signal_delete=False) as t:
        t.add(SimpleModel(code="f"))
        t.delete(q.filter(code="b"))
    assert [name for name, _, _ in seen] == ["pre_commit", "post_commit"]


async def test_callbacks_of_one_sender(models):
    seen = []

    def callback(event, sender, **kwargs):
        seen.append(sender)

    models.post_commit.bind(callback, sender=Country)
    await do(models.simplemodel.new(code="a"))
    await do(models.country.new(code="it", name="Italy"))
    assert seen == [Country]
    models.post_commit.unbind(callback)
    await do(models.country.new(code="fr", name="France"))
    models.post_commit.unbind(callback, sender=Country)
    await do(models.country.new(code="de", name="Germany"))
    assert seen == [Country, Country]


async def test_a_pre_commit_callback_can_change_what_is_saved(models):
    def shout(event, sender, instances, session):
        for row in instances:
            row.group = row.code.upper()
        if len(instances) == 1:
            session.enqueue(SimpleModel(code="extra"))

    models.pre_commit.bind(shout, sender=SimpleModel)
    async with round_trips(models, 1):
        await do(models.simplemodel.new(code="a"))
    rows = await do(models.simplemodel.all())
    assert sorted([(row.code, row.group) for row in rows]) == [("a", "A"), ("extra", "")]


async def test_pre_commit_fires_before_validation(models):
    seen = watch(models)
    with pytest.raises(FieldValueError):
        await do(models.simplemodel.new())
    assert [name for name, _, _ in seen] == ["pre_commit"]
    models.pre_commit.bind(lambda event, sender, instances, session: setattr(instances[0], "code", "given"))
    assert (await do(models.simplemodel.new())).code == "given"


async def test_a_refused_commit_fires_nothing_after(models):
    await simple(models)
    seen = watch(models)
    with pytest.raises(CommitException):
        await do(models.simplemodel.new(code="a"))
    assert [name for name, _, _ in seen] == ["pre_commit"]


@pytest.mark.parametrize("name", ["pre_commit", "pre_delete"])
async def test_an_error_before_the_commit_stops_it(models, name):
    q = await simple(models)
    row = await do(q.get(code="a"))

    def fail(event, sender, **kwargs):
        raise Trouble

    getattr(models, name).bind(fail)
    async with round_trips(models, 0):
        t = q.session.begin()
        t.add(SimpleModel(code="new"))
        t.delete(row)
        with pytest.raises(Trouble):
            await do(t.commit())
    assert (q.session.transaction, t.on_result) == (None, None)
    assert not row.get_state().deleted
    assert await codes(again(q)) == "a b c d"


@pytest.mark.parametrize("name", ["post_commit", "post_delete"])
async def test_an_error_after_the_commit_leaves_it_standing(models, name):
    q = await simple(models)
    row, new = await do(q.get(code="a")), SimpleModel(code="new")

    def fail(event, sender, **kwargs):
        raise Trouble

    getattr(models, name).bind(fail)
    t = q.session.begin()
    t.add(new)
    t.delete(row)
    with pytest.raises(Trouble):
        await do(t.commit())
    assert (q.session.transaction, t.executed, t.on_result) == (None, True, True)
    assert (new in q.session, new.id) == (False, 5)
    assert row.get_state().deleted
    assert await codes(again(q)) == "b c d new"


async def test_a_callback_can_use_a_session_of_its_own(models):
    def log(event, sender, instances, session, transaction):
        assert session.transaction is transaction
        own = session.router.session()
        return own.add(Country(code=instances[0].code, name="log"))  # if it is a coroutine, the commit awaits it

    models.post_commit.bind(log, sender=SimpleModel)
    await do(models.simplemodel.new(code="a"))
    assert [row.code for row in await do(models.country.all())] == ["a"]


async def test_coroutine_functions_are_awaited_in_order_by_async_sessions_alone(models):
    seen = []

    async def first(event, sender, instances, **kwargs):
        seen.append("first")
        await models.country.new(code="it", name="Italy")
        seen.append(await models.country.count())

    async def second(event, sender, **kwargs):
        seen.append("second")

    models.post_commit.bind(first, sender=SimpleModel)
    models.post_commit.bind(second, sender=SimpleModel)
    if inspect.iscoroutinefunction(models.add):
        await models.simplemodel.new(code="a")
        assert seen == ["first", 1, "second"]
    else:
        with pytest.raises(InvalidTransaction, match="not async"):
            models.simplemodel.new(code="a")
        assert seen == []


async def test_a_coroutine_that_fails_ends_the_others(models):
    seen = []

    async def fail(event, sender, **kwargs):
        raise Trouble

    async def never(event, sender, **kwargs):
        seen.append(sender)

    models.pre_commit.bind(fail)
    models.pre_commit.bind(never)
    async with round_trips(models, 0):
        with pytest.raises((Trouble, InvalidTransaction)):
            await do(models.simplemodel.new(code="a"))
    assert seen == []


def test_events():
    event, seen = odm.Event(), []

    class Bound:
        def method(self, event, sender, **kwargs):
            seen.append((sender, kwargs))
            return len(seen)

    bound = Bound()
    event.bind(bound.method)
    event.bind(bound.method, sender=int)
    assert len(event) == 2
    assert event.fire(int, n=1) == [1, 2]
    assert event.fire() == [3]
    assert seen == [(int, {"n": 1}), (int, {"n": 1}), (None, {})]
    event.unbind(bound.method)
    assert event.fire(str) == []
    event.unbind(bound.method, sender=int)
    event.unbind(bound.method, sender=int)
    assert len(event) == 0


def test_a_callback_may_unbind_itself():
    event, seen = odm.Event(), []

    def once(event, sender, **kwargs):
        seen.append("once")
        event.unbind(once)

    event.bind(once)
    event.bind(lambda event, sender, **kwargs: seen.append("always"))
    event.fire()
    event.fire()
    assert seen == ["once", "always", "always"]


async def test_what_a_post_signal_adds_to_the_session_is_refused_and_not_lost(models):
    def add_more(event, sender, instances, session, **kwargs):
        instances[0].number = 2
        session.enqueue(instances[0])

    models.post_commit.bind(add_more, SimpleModel)
    with pytest.raises(InvalidTransaction, match=r"session\.router\.session\(\)"):
        await do(models.simplemodel.new(code="a"))
    assert await do(models.simplemodel.count()) == 1
