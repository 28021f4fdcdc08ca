"""Structures beside rows and models: whose they are, what they hold, and when they go."""

from __future__ import annotations

import copy
import pickle
from datetime import date, datetime

import pytest

from stdnet import CommitException, FieldError, InvalidTransaction, odm
from stdnet.contract import ZSET
from stdnet.errors import InvalidKeyword, StructureFieldError
from stdnet.utils import encoders

from ..conftest import do, transaction
from .structures import Author, Book, Chapter, Code, again, book, raises, surface

MODELS = [Book, Chapter, Code]


# -- whose they are -----------------------------------------------------------------------------------------------


async def test_a_structure_of_a_row(models):
    row = await book(models)
    notes = row.notes
    assert (notes.field, notes.model, notes.id, notes._pkvalue, notes.session) == (
        Book.notes.field,
        Book,
        None,
        row.id,
        row.session,
    )
    assert row.notes is notes
    assert type(notes) is surface(models, odm.List)
    assert len(row.session._models) == 1
    assert row.session.manager(notes) is models[Book]
    assert await do(notes.push_back("first")) is notes
    assert await do((await again(models, row)).notes.items()) == ["first"]
    assert str(notes) == 'list "shelf.book.notes" of 1'
    assert notes.backend_structure().id == f"{models.counting.namespace}shelf.book:obj:1:notes"
    assert notes.get_state().persistent


async def test_each_row_has_its_own(models):
    one, two = await book(models, "one"), await book(models, "two")
    await do(one.notes.push_back(1))
    assert (await do(one.notes.items()), await do(two.notes.items())) == ([1], [])
    assert one.notes != two.notes
    assert one.notes == (await again(models, one)).notes
    assert hash(one.notes) == hash((await again(models, one)).notes)
    assert one.notes != one.writers


async def test_all_kinds_of_fields(models):
    row = await book(models)
    day = datetime(2024, 1, 2, 3, 4, 5, 6)
    await do(row.notes.extend([1, "1", {"a": [None]}]))
    await do(row.tags.update([1, "1"]))
    await do(row.ranks.update([(2, "b"), (1, "a")]))
    await do(row.facts.update({"k": 1, 2: {"day": date(2024, 1, 1)}}))
    await do(row.sales.update({day: 7}))
    await do(row.log.push_back("text"))
    row = await again(models, row)
    assert await do(row.notes.items()) == [1, "1", {"a": [None]}]
    assert set(await do(row.tags.items())) == {1, "1"}
    assert await do(row.ranks.irange()) == [(1.0, "a"), (2.0, "b")]
    assert dict(await do(row.facts.items())) == {"k": 1, "2": {"day": date(2024, 1, 1)}}
    assert await do(row.sales.items()) == [(day, 7)]
    assert await do(row.log.items()) == b"text"
    assert [type(each) for each in (row.tags, row.ranks, row.facts, row.sales, row.log)] == [
        surface(models, cls) for cls in (odm.Set, odm.Zset, odm.HashTable, odm.TS, odm.String)
    ]


async def test_an_unsaved_owner(models):
    row = Book(title="new")
    for name in ("notes", "tags", "facts"):
        with pytest.raises(StructureFieldError, match=f'No session available for "{name}"'):
            getattr(row, name)
    session = models.session()
    async with transaction(session) as t:
        t.add(row)
        with pytest.raises(StructureFieldError, match="not persistent"):
            row.notes.push_back("x")
    await do(row.notes.push_back("x"))
    assert await do(row.notes.items()) == ["x"]
    assert row.notes.session is session


async def test_the_session_of_the_owner(models):
    row = await book(models)
    notes = row.notes
    session = models.session()
    await do(session.add(row))
    assert (row.notes is notes, notes.session is session) == (True, True)
    row.session = None
    with pytest.raises(StructureFieldError, match="No session"):
        _ = row.notes


async def test_the_owner_is_gone(models):
    row = await book(models)
    other = await again(models, row)
    await do(other.session.delete(other))
    assert await do(row.notes.items()) == []
    with pytest.raises(
        CommitException, match=r'Cannot change list "shelf.book.notes" of 1: the row does not exist'
    ) as e:
        await do(row.notes.push_back("x"))
    assert (e.value.failures, e.value.instances) == (1, (row.notes,))
    assert row.notes.cache.back == []
    assert await do(row.notes.pop_back()) is None
    assert await do(row.tags.remove("x")) is row.tags
    await raises(StructureFieldError, "the row does not exist any more", row.log.incr)


async def test_assigning_is_refused(models):
    row = await book(models)
    with pytest.raises(AttributeError, match=r'"notes" of "shelf.book" cannot be set'):
        row.notes = [1]
    with pytest.raises(AttributeError, match="is a structure"):
        Book(title="x").tags = ()
    with pytest.raises(InvalidKeyword, match="notes"):
        Book(title="x", notes=[])


async def test_copies_of_instances(models):
    row = await book(models)
    await do(row.notes.push_back(1))
    for other in (copy.copy(row), pickle.loads(pickle.dumps(row))):
        assert "_notes_cache" not in other.__dict__
    made = row.clone(title="Emma 2")
    await do(made.session.add(made))
    assert await do(made.notes.size()) == 0


# -- the field ------------------------------------------------------------------------------------------------------


def test_the_field():
    field = Book.ranks.field
    assert isinstance(field, odm.SetField)
    assert (field.index, field.unique, field.required, field.primary_key) == (False, False, False, False)
    assert (field.to_python(5), field.todelete(), field.get_cache_name(), str(field)) == (
        None,
        True,
        "_ranks_cache",
        "shelf.book.ranks",
    )
    assert (field.kind, field.structure_class()) == (ZSET, odm.Zset)
    assert repr(Book.ranks) == "ranks"
    assert [field.type for field in Book._meta.multifields][:6] == ["list", None, None, "hash", "ts", None]
    assert "notes" not in Book._meta.dfields
    assert Book.get_field("notes") is Book.notes.field
    assert Book._meta.as_dict()["multi_fields"][:2] == ["notes", "tags"]
    assert [name for name, _ in Book._meta.table.structures] == [
        "notes", "tags", "ranks", "facts", "sales", "log", "readers", "writers", "best", "roles", "turns", "next",
    ]  # fmt: skip
    assert odm.ListField(required=True, unique=True, index=True, primary_key=True).required is False
    with pytest.raises(NotImplementedError):
        odm.StructureField().structure_class()


def test_names_that_clash():
    with pytest.raises(FieldError, match="book_id"):

        class Clash(odm.StdModel):
            book = odm.ForeignKey(Book, related_name="+")
            book_id = odm.ListField()

            class Meta:
                register = False


async def test_inheritance(models):
    class Base(odm.StdModel):
        data = odm.HashField(value_pickler=encoders.NumericDefault())

        class Meta:
            abstract = True

    class First(Base):
        class Meta:
            register = False

    class Second(First):
        more = odm.ListField()

        class Meta:
            register = False

    models.register(Second)
    assert [field.name for field in Second._meta.multifields] == ["data", "more"]
    assert First.data.field.meta is First._meta
    row = await do(models[Second].new())
    await do(row.data.add("k", "5"))
    assert await do(row.data["k"]) == 5


async def test_options_go_to_the_structure(models):
    class Penalized(odm.Zset):
        def setup(self, penalty=0, **options):
            self.penalty = penalty
            super().setup(**options)

        def dump_data(self, mapping):
            return [(score - self.penalty, value) for score, value in super().dump_data(mapping)]

    class AsyncPenalized(odm.AsyncZset):
        def dump_data(self, mapping):
            return [(score - self.penalty, value) for score, value in super().dump_data(mapping)]

        def setup(self, penalty=0, **options):
            self.penalty = penalty
            super().setup(**options)

    odm.twins(Penalized, AsyncPenalized)

    class PenalizedField(odm.StructureField):
        def structure_class(self):
            return Penalized

    class Race(odm.StdModel):
        laps = PenalizedField(penalty=5)
        plain = PenalizedField()

        class Meta:
            register = False

    models.register(Race)
    row = await do(models[Race].new())
    await do(row.laps.add(7, "x"))
    await do(row.plain.add(7, "x"))
    assert (await do(row.laps.front()), await do(row.plain.front())) == ((2.0, "x"), (7.0, "x"))
    assert (row.laps.penalty, row.plain.penalty) == (5, 0)


async def test_a_class_without_the_surface_that_is_needed(models):
    class Lonely(odm.List):
        pass

    class LonelyField(odm.ListField):
        def structure_class(self):
            return Lonely

    class Hermit(odm.StdModel):
        data = LonelyField()

        class Meta:
            register = False

    Lonely.twin = None
    models.register(Hermit)
    row = await do(models[Hermit].new())
    if isinstance(models, odm.AsyncRouter):
        with pytest.raises(InvalidTransaction, match="Lonely has no async twin"):
            _ = row.data
    else:
        assert isinstance(row.data, Lonely)


def test_picklers_are_chosen_in_order():
    class Own(odm.List):
        value_pickler = encoders.Bytes()

    class OwnField(odm.ListField):
        def structure_class(self):
            return Own

    class Shelf(odm.StdModel):
        plain = odm.ListField()
        given = odm.ListField(value_pickler=encoders.Double())
        own = OwnField()
        own_given = OwnField(value_pickler=encoders.Double())
        models = odm.ListField(model=Author)
        times = odm.TimeSeriesField(pickler=encoders.DateConverter())
        scores = odm.SetField(ordered=True)
        text = odm.StringField()

        class Meta:
            register = False

    router = odm.Router("memory://")
    router.register(Shelf)
    row = router[Shelf].new()
    assert row.plain.value_pickler == encoders.Json()
    assert row.given.value_pickler == row.own_given.value_pickler == encoders.Double()
    assert row.own.value_pickler == encoders.Bytes()
    assert row.models.value_pickler == odm.ModelFieldPickler(Author)
    assert (row.times.pickler, row.times.value_pickler) == (encoders.DateConverter(), encoders.Json())
    assert (row.scores.pickler, row.scores.value_pickler) == (encoders.Double(), encoders.Json())
    assert row.text.value_pickler == encoders.Bytes()


# -- one for the model ----------------------------------------------------------------------------------------------


async def test_a_structure_of_the_model(models):
    row = await book(models)
    assert row.recent is Book.recent
    assert isinstance(Book.recent, odm.StructureFieldProxy)
    recent = models.book.recent
    assert (recent.model, recent.field, recent._pkvalue, recent.id) == (Book, Book.recent.field, None, None)
    assert models[Book].recent is not recent
    assert models[Book].recent.session is not recent.session
    assert models[Book].recent == recent
    await do(recent.push_back("a"))
    assert await do(models.book.recent.items()) == ["a"]
    assert recent.backend_structure().id == f"{models.counting.namespace}shelf.book:struct:recent"
    assert str(recent) == 'list "shelf.book.recent"'
    with pytest.raises(NotImplementedError, match="belongs to instances"):
        _ = models.book.notes
    with pytest.raises(AttributeError, match="cannot be set"):
        row.recent = []
    await do(row.session.delete(row))
    assert await do(models.book.recent.items()) == ["a"]
    async with transaction(recent.session) as t:
        t.delete(recent)
    assert await do(models.book.recent.size()) == 0
    with pytest.raises(FieldError):
        models[Book].query().load_related("recent")


async def test_flushing_the_model(models):
    row = await book(models)
    await do(row.notes.push_back(1))
    await do(models.book.recent.push_back(1))
    assert len(await do(models.book.keys())) >= 4
    await do(models.book.flush())
    assert await do(models.book.keys()) == []
    assert (await do(models.book.recent.size()), await do(row.notes.size())) == (0, 0)
