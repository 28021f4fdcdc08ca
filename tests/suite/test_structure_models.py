"""Structures that hold instances of a model."""

from __future__ import annotations

from datetime import date

import pytest

from stdnet import FieldError, InvalidTransaction, odm
from stdnet.errors import NotConvertible, StructureFieldError, WrongType

from ..conftest import do, round_trips
from .structures import Author, Book, Chapter, Code, again, authors, book, listed, raises, surface

MODELS = [Book, Chapter, Code]


# -- of instances ---------------------------------------------------------------------------------------------------


async def test_models_are_registered_along(models):
    assert Author in models
    assert Book.writers.field.relmodel is Author
    assert Book.next.field.relmodel is Book


async def test_instances_in_structures(models):
    ann, bob, cid = await authors(models, "ann", "bobby", "cid")
    row = await book(models)
    await do(row.writers.extend([bob, ann, bob]))
    await do(row.readers.update([cid, ann, cid]))
    await do(row.best.update([ann, bob]))
    await do(row.roles.update({"main": bob, "other": ann}))
    await do(row.turns.update({date(2024, 1, 2): cid, date(2024, 1, 1): ann}))
    row = await again(models, row)
    async with round_trips(models, 2):
        assert await do(row.writers.items()) == [bob, ann, bob]
    assert row.writers.cache.cache[0] is row.writers.cache.cache[2]
    assert {each.session for each in row.writers.cache.cache} == {row.session}
    async with round_trips(models, 0):
        assert await do(row.writers.items()) == [bob, ann, bob]
    assert sorted(each.name for each in await listed(row.readers)) == ["ann", "cid"]
    assert await do(row.readers.contains(ann))
    assert not await do(row.readers.contains(bob))
    assert await do(row.best.irange()) == [(3.0, ann), (5.0, bob)]
    assert await do(row.best.range(4, "+inf", withscores=False)) == [bob]
    assert await do(row.best.rank(bob)) == 1
    assert (await do(row.roles["main"]), await do(row.roles.values())) == (bob, [bob, ann])
    assert dict(await do(row.roles.items())) == {"main": bob, "other": ann}
    assert await do(row.turns.items()) == [(date(2024, 1, 1), ann), (date(2024, 1, 2), cid)]
    assert await do(row.writers.pop_front()) == bob
    assert await do(row.roles.pop("main")) == bob
    assert await do(row.best.front()) == (3.0, ann)
    assert await do(row.writers[0]) == ann


async def test_rows_that_are_gone(models):
    ann, bob = await authors(models, "ann", "bob")
    row = await book(models)
    await do(row.writers.extend([ann, bob, ann]))
    await do(ann.session.delete(ann))
    assert await do(row.writers.items()) == [None, bob, None]
    assert await do(row.writers.pop_front()) is None
    assert await do(row.writers.size()) == 2


async def test_an_empty_structure_of_instances(models):
    row = await book(models)
    async with round_trips(models, 1):
        assert await do(row.writers.items()) == []
    assert (await do(row.best.irange()), dict(await do(row.roles.items())), await do(row.turns.items())) == ([], {}, [])


async def test_what_is_no_saved_instance(models):
    row = await book(models)
    await raises(
        NotConvertible, "has no id, by which it is kept: save it first", row.writers.push_back, Author(name="new")
    )
    for bad in (1, "ann", row, Author, None):
        await raises(WrongType, 'is not a "shelf.author"', row.writers.push_back, bad)
    assert await do(row.writers.size()) == 0


async def test_the_pickler_of_a_model(models):
    ann, bob = await authors(models, "ann", "bob")
    pickler = odm.ModelFieldPickler(Author)
    assert (pickler.dumps(bob), pickler.loads(b"2"), pickler.loads(b"x"), pickler.require_session()) == (
        b"2",
        2,
        None,
        True,
    )
    with pytest.raises(StructureFieldError, match="without a session"):
        pickler.load_iterable([b"1"])
    session = models.session()
    if isinstance(models, odm.AsyncRouter):
        with pytest.raises(InvalidTransaction, match="async"):
            pickler.load_iterable([b"1"], session)
    else:
        assert pickler.load_iterable([b"2", b"1", b"7", b"2", b"x"], session) == [bob, ann, None, bob, None]
        assert pickler.load_iterable([], session) == []
    code = await do(models[Code].new(code="a:é"))
    pickler = odm.ModelFieldPickler(Code)
    assert (pickler.dumps(code), pickler.loads("a:é".encode())) == ("a:é".encode(), "a:é")


async def test_a_structure_on_its_own_holds_instances(models):
    ann, bob = await authors(models, "ann", "bob")
    lst = surface(models, odm.List)(value_pickler=odm.ModelFieldPickler(Author))
    await do(models.session().add(models.register(lst)))
    await do(lst.extend([bob, ann]))
    assert await do(lst.items()) == [bob, ann]


async def test_rows_of_the_same_model(models):
    one, two = await book(models, "one"), await book(models, "two")
    await do(one.next.add(two))
    assert await do((await again(models, one)).next.items()) == [two]


def test_models_that_cannot_be_held():
    class Base(odm.StdModel):
        class Meta:
            abstract = True

    with pytest.raises(FieldError, match="abstract and has no rows"):

        class Holder(odm.StdModel):
            held = odm.ListField(model=Base)

            class Meta:
                register = False


async def test_a_model_that_is_never_defined(models):
    class Waiter(odm.StdModel):
        data = odm.ListField(model="Godot")

        class Meta:
            register = False

    models.register(Waiter)
    row = await do(models[Waiter].new())
    with pytest.raises(FieldError, match='"Godot", which is not defined'):
        _ = row.data
