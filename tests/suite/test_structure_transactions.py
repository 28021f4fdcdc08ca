"""Changes of structures in transactions: they wait, travel with the rows in one commit, or are dropped together."""

from __future__ import annotations

from datetime import datetime

import pytest

from stdnet import CommitException, FieldValueError, InvalidTransaction, odm
from stdnet.contract import Commit
from stdnet.errors import CallUnknown, StructureFieldError

from ..conftest import do, round_trips, transaction
from .structures import Author, Book, Chapter, Code, handle, make, raises, surface

MODELS = [Book, Chapter, Code]
DAY = datetime(2024, 1, 1)


class Trouble(Exception):
    """What a test's block raises."""


async def rows(models, *titles):
    return [await do(models[Book].new(title=title)) for title in titles]


CHANGES = {
    odm.List: lambda s: s.extend(["a"]),
    odm.Set: lambda s: s.add("a"),
    odm.Zset: lambda s: s.add(1, "a"),
    odm.HashTable: lambda s: s.add("k", "a"),
    odm.TS: lambda s: s.add(DAY, "a"),
    odm.String: lambda s: s.push_back("a"),
    odm.NumberArray: lambda s: s.push_back(1),
}


@pytest.mark.parametrize("cls", CHANGES)
async def test_changes_wait(models, cls):
    s = await make(models, cls)
    session = s.session
    async with round_trips(models, 2), transaction(session):
        assert await do(CHANGES[cls](s)) is s
        assert s in session
        assert handle(models, s) in session
        assert s.cache.calls() != []
        assert await do(s.size()) == 0
    assert (s in session, s.cache.calls()) == (False, [])
    assert await do(s.size()) == 1


@pytest.mark.parametrize("cls", CHANGES)
async def test_a_rollback_drops_them(models, cls):
    s = await make(models, cls)
    t = s.session.begin()
    await do(CHANGES[cls](s))
    t.rollback()
    assert (s in s.session, s.cache.calls(), await do(s.size())) == (False, [], 0)

    async def block():
        async with transaction(s.session):
            await do(CHANGES[cls](s))
            raise Trouble

    with pytest.raises(Trouble):
        await block()
    assert (s.cache.calls(), await do(s.size())) == ([], 0)
    await do(CHANGES[cls](s))
    assert await do(s.size()) == 1


@pytest.mark.parametrize("cls", CHANGES)
async def test_deleting_waits(models, cls):
    s = await make(models, cls)
    await do(CHANGES[cls](s))
    async with transaction(s.session) as t:
        await do(CHANGES[cls](s))
        assert t.delete(s) is s
        assert (s in s.session, s.cache.calls()) == (True, [("delete", ())])
        assert await do(s.size()) == 1
    assert await do(s.size()) == 0
    async with transaction(s.session) as t:
        t.delete(s)
        await do(CHANGES[cls](s))
    assert await do(s.size()) == 1
    t = s.session.begin()
    t.delete(s)
    t.rollback()
    assert await do(s.size()) == 1


async def test_one_commit_for_rows_and_structures(models):
    one, two = await rows(models, "one", "two")
    lst = await make(models, odm.List)
    session = models.session()
    for row in (one, two):
        await do(session.add(row))
    models.counting.seen.clear()
    async with round_trips(models, 1), transaction(session) as t:
        t.add(Author(name="ann"))
        one.title = "changed"
        t.add(one)
        await do(one.notes.extend([1, 2]))
        await do(two.facts.update({"a": 1}))
        await do(one.tags.add("x"))
        t.delete(models[Code].query(session).filter(code="none"))
        t.add(lst)
        await do(lst.push_back("l"))
    ((commit,),) = models.counting.seen
    assert isinstance(commit, Commit)
    assert [call.operation for call in commit.calls] == ["push_back", "add", "add", "push_back"]
    assert commit.calls[0].arguments == (b"1", b"2")
    assert (await do(one.notes.items()), await do(two.facts["a"]), await do(lst.items())) == ([1, 2], 1, ["l"])
    assert await do(models[Book].filter(title="changed").count()) == await do(models[Author].count()) == 1


async def test_all_or_nothing(models):
    one, two = await rows(models, "one", "two")
    await do(two.notes.push_back("before"))
    session = one.session
    t = session.begin()
    await do(one.notes.push_back("x"))
    t.add(Book(title="two"))
    t.delete(two.notes)
    with pytest.raises(CommitException, match="Unique"):
        await do(t.commit())
    assert (one.notes.cache.calls(), one.notes in session) == ([], False)
    assert (await do(one.notes.size()), await do(two.notes.items())) == (0, ["before"])
    t = session.begin()
    await do(one.notes.push_back("x"))
    t.add(Book(title=""))
    with pytest.raises(FieldValueError):
        await do(t.commit())
    assert (one.notes.cache.calls(), await do(one.notes.size())) == ([], 0)
    assert await do(models[Book].count()) == 2


async def test_a_row_that_is_gone_refuses_everything(models):
    one, two = await rows(models, "one", "two")
    await do(models[Book].filter(title="two").delete())
    session = one.session
    await do(session.add(two, modified=False))
    t = session.begin()
    new = t.add(Book(title="new"))
    await do(one.notes.push_back(1))
    await do(two.notes.push_back(2))
    await do(two.facts.add("a", 1))
    await do(two.tags.remove("harmless"))
    with pytest.raises(CommitException, match="There were 2 exceptions") as refused:
        await do(t.commit())
    assert refused.value.instances == (two.notes, two.facts)
    assert [reason[:50] for reason in refused.value.reasons] == [
        'Cannot change list "shelf.book.notes" of 2: the ro',
        'Cannot change hashtable "shelf.book.facts" of 2: t',
    ]
    assert (await do(one.notes.size()), await do(models[Book].count()), new.id) == (0, 1, None)
    assert (one.notes.cache.calls(), two.notes.cache.calls()) == ([], [])


async def test_a_row_and_its_structures_are_deleted_together(models):
    (one,) = await rows(models, "one")
    await do(one.notes.push_back(1))
    async with transaction(one.session) as t:
        await do(one.notes.push_back(2))
        t.delete(one)
    assert await do(one.notes.size()) == 0
    assert await do(models[Book].count()) == 0


async def test_a_row_that_is_stored_in_this_transaction_has_no_structures_yet(models):
    session = models.session()
    async with transaction(session) as t:
        row = t.add(Book(title="new"))
        with pytest.raises(StructureFieldError, match="not persistent"):
            row.notes.extend([1])
    await do(row.notes.push_back(1))
    assert await do(row.notes.items()) == [1]


async def test_what_takes_acts_at_once(models):
    session = models.session()
    made = []
    for cls in (odm.List, odm.Zset, odm.HashTable, odm.TS, odm.String, odm.NumberArray):
        s = await do(session.add(models.register(surface(models, cls)())))
        await do(CHANGES[cls](s))
        made.append(s)
    lst, z, h, ts, text, numbers = made
    await do(text.session.delete(text))
    await do(lst.items())
    t = session.begin()
    async with round_trips(models, 7):
        assert await do(lst.pop_front()) == "a"
        assert await do(z.ipop_range()) == [(1.0, "a")]
        assert await do(h.pop("k")) == "a"
        assert await do(ts.ipop(0)) == "a"
        assert await do(text.incr(5)) == 5
        assert await do(numbers.resize(3)) == 3
        await do(numbers.set(0, 7))
    assert lst not in session
    t.rollback()
    assert [await do(s.size()) for s in made] == [0, 0, 0, 0, 1, 3]
    assert await do(numbers[0]) == 7.0


async def test_what_waits_stays_when_something_acts_at_once(models):
    lst = await make(models, odm.List)
    await do(lst.extend("ab"))
    async with transaction(lst.session):
        await do(lst.push_back("c"))
        await do(lst.items())
        assert await do(lst.pop_front()) == "a"
        assert (lst.cache.back, lst.cache.cache) == ([b"c"], None)
        assert await do(lst.items()) == ["b"]
    assert await do(lst.items()) == ["b", "c"]


async def test_several_handles_share_what_waits(models):
    (one,) = await rows(models, "one")
    session = one.session
    other = await do(session.query(Book).get(id=one.id))
    async with transaction(session):
        await do(one.facts.add("a", 1))
        await do(other.facts.remove("a", "b"))
        await do(other.facts.add("c", 3))
        await do(one.facts.add("b", 2))
        assert len(session._structures) == 1
    assert one.facts.cache is not other.facts.cache
    assert dict(await do(other.facts.items())) == {"b": 2, "c": 3}
    assert one.facts.cache.cache is None
    async with transaction(session) as t:
        await do(one.facts.add("d", 4))
        t.delete(other.facts)
        await do(one.facts.add("e", 5))
    assert dict(await do(one.facts.items())) == {"e": 5}
    async with transaction(session):
        await do(one.notes.push_back(1))
        await do(other.notes.push_front(0))
        await do(other.notes.push_back(2))
        await do(one.notes.push_back(3))
    assert await do(other.notes.items()) == [0, 1, 2, 3]


async def test_changes_of_a_structure_that_was_filled_before(models):
    lst = surface(models, odm.List)()
    await do(lst.push_back("early"))
    models.register(lst)
    async with transaction(models.session()) as t:
        t.add(lst)
        assert lst.session is t.session
        await do(lst.push_back("late"))
        assert await do(lst.size()) == 0
    assert await do(lst.items()) == ["early", "late"]


async def test_the_order_of_fronts_and_backs(models):
    lst = await make(models, odm.List)
    async with transaction(lst.session):
        for value in "ab":
            await do(lst.push_back(value))
            await do(lst.push_front(value.upper()))
        assert (lst.cache.front, lst.cache.back) == ([b"A", b"B"], [b"a", b"b"])
    assert await do(lst.items()) == ["B", "A", "a", "b"]


async def test_ten_thousand_in_one_call(models):
    h = await make(models, odm.HashTable)
    models.counting.seen.clear()
    async with round_trips(models, 1), transaction(h.session):
        await do(h.update({n: n for n in range(10_000)}))
    ((commit,),) = models.counting.seen
    assert len(commit.calls) == 1
    assert await do(h.size()) == 10_000


async def test_several_backends(models):
    near = await make(models, odm.List)
    far = models.register(surface(models, odm.List)(), "memory://")
    async with transaction(near.session) as t:
        t.add(far)
        await do(near.push_back("near"))
        await do(far.push_back("far"))
    assert (await do(near.items()), await do(far.items())) == (["near"], ["far"])
    assert far.backend is not near.backend


async def test_post_signals_find_nothing_waiting(models):
    (one,) = await rows(models, "one")
    seen = []

    def callback(event, model, instances, session, transaction):
        seen.append((one.notes.cache.calls(), one.notes in session))

    models.post_commit.bind(callback, Book)
    async with transaction(one.session) as t:
        t.add(one)
        await do(one.notes.push_back(1))
    assert seen == [([], False)]
    assert await do(one.notes.items()) == [1]


async def test_a_transaction_that_was_sent_takes_no_more(models):
    (one,) = await rows(models, "one")
    lst = await make(models, odm.List)
    seen = []

    def callback(event, model, instances, session, transaction):
        for use in (lambda: transaction.add(lst), lambda: transaction.delete(lst)):
            with pytest.raises(InvalidTransaction, match="has been sent"):
                use()
        seen.append(lst.cache.calls())

    models.post_commit.bind(callback, Book)
    await do(one.session.add(one))
    assert seen == [[]]


async def test_pre_signals_can_change_structures(models):
    (one,) = await rows(models, "one")
    if isinstance(models, odm.AsyncRouter):

        async def callback(event, model, instances, session):
            await instances[0].notes.push_back("signal")
    else:

        def callback(event, model, instances, session):
            instances[0].notes.push_back("signal")

    models.pre_commit.bind(callback, Book)
    async with round_trips(models, 1):
        await do(one.session.add(one))
    assert await do(one.notes.items()) == ["signal"]


async def test_no_commit_for_nothing(models):
    lst = await make(models, odm.List)
    async with round_trips(models, 0), transaction(lst.session) as t:
        t.add(lst)
        assert lst in lst.session
    assert t.on_result


async def test_a_lost_reply_is_not_followed_by_a_second_call(models, monkeypatch):
    lst = await make(models, odm.List)
    await do(lst.extend("abc"))
    await do(lst.items())
    sent = []

    def lose(requests):
        sent.append(requests)
        raise CallUnknown("pop_front", "list", "The connection is gone.")

    monkeypatch.setattr(models.counting, "after", lose)
    await raises(CallUnknown, "Look at the structure", lst.pop_front)
    assert (len(sent), lst.cache.cache) == (1, None)
    monkeypatch.undo()
    assert await do(lst.items()) == ["b", "c"]
