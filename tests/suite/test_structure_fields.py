"""Structures beside rows and models: whose they are, what they hold, and when they go."""

from __future__ import annotations

import copy
import pickle
from datetime import date, datetime

import pytest

from stdnet import CommitException, FieldError, ImproperlyConfigured, InvalidTransaction, odm
from stdnet.contract import ZSET
from stdnet.errors import InvalidKeyword, NotConvertible, StructureFieldError, WrongType
from stdnet.utils import encoders

from ..conftest import do, round_trips, transaction
from .structures import Author, Book, Chapter, Code, listed, raises, surface

MODELS = [Book, Chapter, Code]


async def book(models, title="Emma", **values):
    return await do(models[Book].new(title=title, **values))


async def again(models, row):
    return await do(models[type(row)].get(id=row.id))


async def authors(models, *names):
    return [await do(models[Author].new(name=name)) for name in names]


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
    assert str(notes) == 'list "suite.book.notes" of 1'
    assert notes.backend_structure().id == f"{models.counting.namespace}suite.book:obj:1:notes"
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
        CommitException, match=r'Cannot change list "suite.book.notes" of 1: the row does not exist'
    ) as e:
        await do(row.notes.push_back("x"))
    assert (e.value.failures, e.value.instances) == (1, (row.notes,))
    assert row.notes.cache.back == []
    assert await do(row.notes.pop_back()) is None
    assert await do(row.tags.remove("x")) is row.tags
    await raises(StructureFieldError, "the row does not exist any more", row.log.incr)


async def test_assigning_is_refused(models):
    row = await book(models)
    with pytest.raises(AttributeError, match=r'"notes" of "suite.book" cannot be set'):
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
        "suite.book.ranks",
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
    assert recent.backend_structure().id == f"{models.counting.namespace}suite.book:struct:recent"
    assert str(recent) == 'list "suite.book.recent"'
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
        await raises(WrongType, 'is not a "suite.author"', row.writers.push_back, bad)
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
