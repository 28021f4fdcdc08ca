"""Search together with what else a commit can do: rows that expire, updates, and saves of what has changed."""

from __future__ import annotations

from datetime import timedelta

import pytest

from stdnet import odm
from stdnet.apps.searchengine import SearchEngine
from stdnet.apps.searchengine.engine import NAME
from stdnet.apps.searchengine.index import INDEX
from stdnet.contract import Call, Place
from stdnet.errors import BadUpdate

from ..conftest import do, round_trips, transaction
from ..suite.instances import verb


class Topic(odm.StdModel):
    name = odm.CharField()

    class Meta:
        app_label = "alongside"
        ttl = timedelta(hours=1)


class Note(odm.StdModel):
    code = odm.SymbolField(unique=True)
    text = odm.CharField(required=False)
    more = odm.CharField(required=False)
    size = odm.IntegerField(default=0, index=True)
    topic = odm.ForeignKey(Topic, required=False, related_name="notes")
    lines = odm.ListField()

    class Meta:
        app_label = "alongside"
        ttl = timedelta(hours=1)


class Page(odm.StdModel):
    code = odm.SymbolField(primary_key=True)
    text = odm.CharField(required=False)
    more = odm.CharField(required=False)
    size = odm.IntegerField(default=0, index=True)
    topic = odm.ForeignKey(Topic, required=False, related_name="pages")
    place = odm.IntegerField(default=0, index=True)

    class Meta:
        app_label = "alongside"
        unique_together = ("size", "place")


def operate(manager, operation, *arguments):
    """Carry out one operation of the index of notes."""
    (reply,) = manager.backend.execute([Call(Place(INDEX, NAME, Note._meta.table), operation, arguments)])
    return reply


MODELS = [Topic, Note, Page]


@pytest.fixture
def engine(models):
    made = SearchEngine(metaphone=False, stemming=False, stop_words=())
    models.set_search_engine(made)
    made.register(Note, ["topic"])
    made.register(Page, ["topic"])
    return made


async def codes(query):
    return [each.code for each in await do(query.all())]


async def documents(engine, model):
    return {id: " ".join(sorted(" ".join(texts.values()).split())) for id, texts in await do(engine.items(model))}


async def test_rows_that_expire_are_found_until_then(models, engine):
    async with transaction(models.session()) as t:
        for code in "abc":
            t.add(Note(code=code, text="common words", more=f"own{code}", size=ord(code)))
    query = models.note.search("common")
    first = await do(models.note.get(code="a"))
    await do(verb(first, "expire")(-1))
    async with round_trips(models, 1):
        assert await codes(query) == ["b", "c"]
    async with round_trips(models, 1):
        assert await codes(query.ranked()) == ["b", "c"]
    async with round_trips(models, 1):
        assert await codes(query.filter(size__gt=98)) == ["c"]
    assert await do(query.count()) == 2
    assert await do(query.aggregate(last=odm.Max("size"))) == {"last": 99}
    assert await codes(query.sort_by("-size")) == ["c", "b"]
    assert await codes(query.load_related("lines").ranked()) == ["b", "c"]
    assert await codes(models.note.exclude(size=98).search("owna ownc", "in")) == ["c"]
    assert await do(query.update(size=odm.F("size") + 1)) == 2
    assert await do(query.filter(size=99).delete()) == [2]
    assert await codes(models.note.search("common")) == ["c"]
    assert sorted(await documents(engine, Note)) == [1, 3]  # what is left of an expired row is nowhere seen
    assert await do(engine.reindex()) == 1
    assert await documents(engine, Note) == {3: "common ownc words"}


async def test_related_rows_that_expire(models, engine):
    topic = await do(models.topic.new(name="trees"))
    for code in "xy":
        await do(models.page.new(code=code, text="leaves", size=ord(code), topic=topic if code == "y" else None))
    query = models.page.search("leaves")
    assert await codes(models.page.search("trees")) == ["y"]
    ranked = models.page.search("leaves trees", "in").ranked()
    assert await codes(ranked) == ["y", "x"]
    await do(verb(topic, "expire")(-1))
    again = models.page.search("leaves trees", "in").ranked()
    assert await codes(again) == ["x", "y"]
    assert len({again.score(each) for each in await do(again.all())}) == 1
    assert await codes(models.page.search("trees")) == []
    assert await codes(query) == ["x", "y"]


async def test_a_deadline_alone_leaves_the_index_as_it_is(models, engine):
    note = await do(models.note.new(code="a", text="stored"))
    note.text = "changed, and not saved"
    await do(verb(note, "expire")(60))
    assert await documents(engine, Note) == {1: "stored"}
    assert await codes(models.note.search("changed")) == []
    await do(verb(note, "save")())
    assert await codes(models.note.search("changed")) == ["a"]


async def test_a_save_indexes_what_it_writes(models, engine):
    await do(models.page.new(code="a", text="one", more="two"))
    mine, yours = await do(models.page.get(code="a")), await do(models.page.get(code="a"))
    yours.text = "other"
    await do(verb(yours, "save")())
    mine.size = 5
    await do(verb(mine, "save")())
    assert await documents(engine, Page) == {"a": "other two"}
    mine.more = "three"
    await do(verb(mine, "save")())
    assert await documents(engine, Page) == {"a": "other three"}
    stored = await do(models.page.get(code="a"))
    assert (stored.text, stored.more, stored.size) == ("other", "three", 5)


async def test_a_save_that_moves_a_row_takes_its_texts_along(models, engine):
    await do(models.page.new(code="a", text="one", more="two"))
    mine, yours = await do(models.page.get(code="a")), await do(models.page.get(code="a"))
    yours.text = "other"
    await do(verb(yours, "save")())
    mine.code, mine.more = "b", "three"
    await do(verb(mine, "save")())
    assert await documents(engine, Page) == {"b": "other three"}
    assert (await do(models.page.get(code="b"))).text == "other"


async def test_texts_that_others_made_empty_stay_so(models, engine):
    for code in ("a", "b"):
        await do(models.page.new(code=code, text="one", size=ord(code)))
        mine, yours = await do(models.page.get(code=code)), await do(models.page.get(code=code))
        yours.text = ""
        await do(verb(yours, "save")())
        assert code not in await documents(engine, Page)
        mine.more = "" if code == "a" else "two"
        await do(verb(mine, "save")())
    assert await documents(engine, Page) == {"b": "two"}
    assert await do(engine.index(Page).size()) == 1
    assert await do(models.page.search("one").count()) == 0
    await do(models.page.query().delete())
    assert not [key for key in await do(models.page.keys()) if ":search" in key]


async def test_a_save_of_a_row_that_is_gone_indexes_all_of_it(models, engine):
    page = await do(models.page.new(code="a", text="one", more="two"))
    await do(models.page.filter(code="a").delete())
    page.size = 7
    await do(verb(page, "save")())
    assert await documents(engine, Page) == {"a": "one two"}
    assert await codes(models.page.search("one two")) == ["a"]


async def test_a_save_of_a_row_that_expired_or_goes_indexes_all_of_it(models, engine):
    await do(models.note.new(code="a", text="one", more="two"))
    await do(models.page.new(code="a", text="one", more="two"))
    for manager, code in ((models.note, "a"), (models.page, "a")):
        mine, yours = await do(manager.get(code=code)), await do(manager.get(code=code))
        yours.more = "three"
        await do(verb(yours, "save")())
        async with transaction(models.session()) as t:
            if manager is models.note:
                await do(verb(yours, "expire")(-1))
            else:
                t.delete(t.session.query(Page).filter(code=code))
            mine.text = "four"
            t.add(mine)
        row = await do(manager.get(code=code))
        assert (row.text, row.more) == ("four", "two")
        assert await codes(manager.search("four two")) == ["a"]
        assert await do(manager.search("one three", "in").count()) == 0


async def test_a_save_indexes_a_row_that_is_not_in_the_index(models):
    page = await do(models.page.new(code="a", text="one", more="two"))
    engine = SearchEngine()
    models.set_search_engine(engine)
    engine.register(Page)
    page.size = 7
    await do(verb(page, "save")())
    assert await codes(models.page.search("one two")) == ["a"]


async def test_an_update_leaves_indexed_texts_alone(models, engine):
    await do(models.page.new(code="a", text="one"))
    query = models.page.search("one")
    for value in ("two", odm.F("more")):
        with pytest.raises(BadUpdate, match="the search engine indexes it"):
            await do(query.update(text=value))
    async with round_trips(models, 1):
        assert await do(query.update(size=3)) == 1
    assert (await do(models.page.get(code="a"))).size == 3


async def test_a_row_of_which_only_the_key_is_loaded_moves_with_its_texts(models, engine):
    await do(models.page.new(code="first", text="one", more="two"))
    (page,) = await do(models.page.query().load_only("code").all())
    page.code = "second"
    await do(verb(page, "save")())
    assert await codes(models.page.search("second one two")) == ["second"]
    assert await do(models.page.search("first").count()) == 0


async def test_an_engine_with_texts_of_its_own_indexes_them_whole(models, engine):
    engine.ITEM_PROCESSORS[:] = [lambda item: [item.text, f"size{item.size}"]]
    page = await do(models.page.new(code="a", text="one"))
    page.size = 5
    await do(verb(page, "save")())
    assert await codes(models.page.search("one size5")) == ["a"]
    assert await do(models.page.search("size0").count()) == 0


async def test_what_is_touched_without_its_texts_is_left_to_a_reindex_under_way(models, engine):
    note, fields = await do(models.note.new(code="a", text="words")), (engine.analyzer, ("text",))
    await do(engine.flush())
    operate(models.note, "begin", engine.analyzer, "token")
    operate(models.note, "update", [note.id], *fields, [[None]])
    assert operate(models.note, "size") == 0
    assert operate(models.note, "renew", [note.id], *fields, [["words"]], "token") == 1
    assert operate(models.note, "finish", "token") == 0
    assert await codes(models.note.search("words")) == ["a"]
