"""The content of structures that is loaded along, and structures that go and move with their row."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from stdnet import FieldError, ImproperlyConfigured

from ..conftest import do, round_trips, transaction
from .structures import Book, Chapter, Code, again, authors, book

MODELS = [Book, Chapter, Code]


# -- loading along --------------------------------------------------------------------------------------------------


async def filled(models):
    for n, title in enumerate(("a", "b", "c")):
        row = await book(models, title, words=n)
        await do(row.notes.extend(range(n)))
        await do(row.facts.update({title: n}))
        await do(row.sales.update({datetime(2024, 1, day + 1): day for day in range(n)}))
        await do(row.ranks.update([(n, title)]))
        await do(row.tags.add(title))
        await do(row.log.push_back(title))
    return models[Book].query()


async def test_load_related(models):
    q = await filled(models)
    for name in ("notes", "facts", "sales", "ranks", "tags", "log"):
        q = q.load_related(name)
    assert q.select_related == dict.fromkeys(("notes", "facts", "sales", "ranks", "tags", "log"), ())
    async with round_trips(models, 1):
        rows = await do(q.sort_by("-title").all())
        assert [await do(row.notes.items()) for row in rows] == [[0, 1], [0], []]
        assert [row.notes.cache.cache for row in rows] == [[0, 1], [0], []]
        assert [dict(await do(row.facts.items())) for row in rows] == [{"c": 2}, {"b": 1}, {"a": 0}]
        assert [await do(row.facts.get("c", 9)) for row in rows] == [2, 9, 9]
        assert [await do(row.sales.get(datetime(2024, 1, 1))) for row in rows] == [0, 0, None]
        assert await do(rows[0].sales[datetime(2024, 1, 2)]) == 1
        assert await do(rows[0].sales.items()) == [(datetime(2024, 1, 1), 0), (datetime(2024, 1, 2), 1)]
        assert [await do(row.sales.size()) for row in rows] == [2, 1, 0]
        assert [await do(row.sales.contains(date(2024, 1, 2))) for row in rows] == [True, False, False]
        assert [await do(row.ranks.items()) for row in rows] == [["c"], ["b"], ["a"]]
        assert [await do(row.tags.items()) for row in rows] == [["c"], ["b"], ["a"]]
        assert [await do(row.log.items()) for row in rows] == [b"c", b"b", b"a"]
    assert {row.notes.session for row in rows} == {q.session}
    await do(rows[0].notes.push_back(7))
    assert await do(rows[0].notes.items()) == [0, 1, 7]


async def test_load_related_with_other_things(models):
    q = await filled(models)
    rows = await do(models[Book].query().load_only("title").load_related("notes").all())
    assert [(row.title, row.notes.cache.cache) for row in rows] == [("a", []), ("b", [0]), ("c", [0, 1])]
    assert rows[0]._loadedfields == ("title",)
    assert await do(models[Book].query().load_only("id").load_related("notes")[2]) == rows[2]
    assert (await do(q.load_related("notes").get(title="c"))).notes.cache.cache == [0, 1]
    assert [row.title for row in await do(q.load_related("notes")[1:])] == ["b", "c"]
    assert await do(q.load_related("notes").get_field("title").all()) == ["a", "b", "c"]
    assert await do(q.filter(title="never").load_related("notes").all()) == []
    chapter = await do(models[Chapter].new(book=rows[2]))
    await do(chapter.lines.push_back("l"))
    async with round_trips(models, 1):
        chapter = await do(models[Chapter].query().load_related("book").load_related("lines")[0])
        assert (chapter.book.title, chapter.lines.cache.cache) == ("c", ["l"])


async def test_load_related_of_instances(models):
    ann, bob = await authors(models, "ann", "bob")
    one, two, three = [await book(models, title) for title in ("one", "two", "three")]
    await do(one.writers.extend([bob, ann]))
    await do(two.writers.extend([ann]))
    async with round_trips(models, 2):
        rows = await do(models[Book].query().load_related("writers").all())
        assert [row.writers.cache.cache for row in rows] == [[bob, ann], [ann], []]
    assert rows[0].writers.cache.cache[1] is rows[1].writers.cache.cache[0]
    assert three.id == 3


async def test_load_related_refuses(models):
    q = models[Book].query()
    with pytest.raises(FieldError, match="loaded as a whole"):
        q.load_related("notes", "title")
    for name in ("nopes", "title", "notes__x"):
        with pytest.raises(FieldError, match=f'"{name[:5]}" is not a relation'):
            q.load_related(name)


async def test_many_rows(models):
    session = models.session()
    async with transaction(session) as t:
        rows = [t.add(Book(title=f"t{n}")) for n in range(1500)]
    async with transaction(session):
        for n, row in enumerate(rows):
            await do(row.notes.extend([n, -n]))
    found = await do(models[Book].query().load_related("notes").all())
    assert [row.notes.cache.cache for row in found] == [[n, -n] for n in range(1500)]


# -- when they go and move ------------------------------------------------------------------------------------------


async def test_structures_go_with_their_row(models):
    row = await book(models)
    await do(row.notes.push_back(1))
    await do(row.facts.add("a", 1))
    other = await again(models, row)
    await do(row.notes.items())
    assert await do(row.session.delete(row)) == [1]
    assert (await do(row.notes.size()), await do(other.notes.size()), await do(other.facts.size())) == (0, 0, 0)
    assert not [key for key in await do(models.book.keys()) if "obj" in key]


async def test_structures_go_with_a_query(models):
    await filled(models)
    left = await do(models[Book].get(title="c"))
    assert await do(models[Book].filter(words__lt=2).delete()) == [1, 2]
    assert await do(left.notes.items()) == [0, 1]
    assert [key for key in await do(models.book.keys()) if ":obj:1:" in key or ":obj:2:" in key] == []


async def test_structures_go_with_a_cascade(models):
    row = await book(models)
    chapter = await do(models[Chapter].new(book=row))
    await do(chapter.lines.push_back("l"))
    await do(row.session.delete(row))
    assert await do(chapter.lines.size()) == 0
    assert not [key for key in await do(models.chapter.keys()) if "obj" in key]


async def test_structures_move_with_their_row(models):
    row = await do(models[Code].new(code="old"))
    await do(row.uses.update({"a": 1, "b": 2}))
    uses = row.uses
    before = handle_of = await do(models[Code].get(code="old"))
    await do(before.uses.size())
    row.code = "new"
    await do(row.session.add(row))
    assert row.uses is uses
    assert (uses._pkvalue, dict(await do(uses.items()))) == ("new", {"a": 1, "b": 2})
    assert await do(handle_of.uses.size()) == 0
    assert dict(await do((await do(models[Code].get(code="new"))).uses.items())) == {"a": 1, "b": 2}


async def test_a_change_of_the_id_that_is_not_saved_yet(models):
    row = await do(models[Code].new(code="old"))
    row.code = "new"
    await do(row.uses.add("a", 1))
    assert await do((await do(models[Code].get(code="old"))).uses["a"]) == 1
    async with transaction(row.session) as t:
        await do(row.uses.add("b", 2))
        t.add(row)
    assert dict(await do(row.uses.items())) == {"a": 1, "b": 2}
    assert row.uses._pkvalue == "new"


async def test_a_row_that_is_saved_again_keeps_its_structures(models):
    row = await book(models)
    await do(row.notes.push_back(1))
    row.title = "Persuasion"
    await do(row.session.add(row))
    assert await do((await again(models, row)).notes.items()) == [1]


async def test_ids_with_odd_characters(models):
    for code in ("a:b", "{x}", "a b*", "é", "%3A"):
        row = await do(models[Code].new(code=code))
        await do(row.uses.add("code", code))
    for row in await do(models[Code].query().load_related("uses").all()):
        assert dict(await do(row.uses.items())) == {"code": row.code}


async def test_registering_the_structure_of_a_row_is_refused(models):
    row = await book(models)
    with pytest.raises(ImproperlyConfigured, match="belongs to a model"):
        models.register(row.notes)
