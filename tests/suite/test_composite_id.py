"""Composite ids: the digest, lookups, keys to such rows, and what happens when a part of the id changes."""

from __future__ import annotations

import pickle
from datetime import date, datetime
from hashlib import blake2b

import pytest

from stdnet import CommitException, FieldError, FieldValueError, InvalidTransaction, odm

from ..conftest import do, round_trips, transaction
from .golden import store
from .relation_models import Entry, Group, Person, Remark, related


class Cell(odm.StdModel):
    sheet = odm.SymbolField()
    key = odm.CompositeIdField("sheet", "row", "day", "at", "open", "weight")
    row = odm.IntegerField()
    day = odm.DateField(required=False)
    at = odm.DateTimeField(required=False)
    open = odm.BooleanField()
    weight = odm.FloatField(required=False)
    text = odm.CharField()

    class Meta:
        app_label = "composite"
        pkname = "key"


class Seat(odm.StdModel):
    id = odm.CompositeIdField("person", "row")
    person = odm.ForeignKey(Person, related_name="seats")
    row = odm.IntegerField()
    guest = odm.ForeignKey(Group, required=False, related_name="+")

    class Meta:
        app_label = "composite"


class Draft(odm.StdModel):
    entry = odm.ForeignKey(Entry, required=False, related_name="drafts")

    class Meta:
        app_label = "composite"


MODELS = [Remark, Cell, Seat, Draft]

HANDSOME = "982af99b1d08b020cc5f9c15f2e5b5e9"
"""The id of (Emma, handsome), in every process and for good."""


def test_the_digest_never_changes():
    assert Entry(book="Emma", word="handsome").pkvalue() == HANDSOME
    assert blake2b(b"4:Emma8:handsome", digest_size=16).hexdigest() == HANDSOME
    cell = Cell(sheet="a", row=-3, day=date(2020, 2, 29), at=datetime(2020, 2, 29, 12, 30), open=True, weight=0.5)
    stored = b"1:a2:-310:158293440016:15829794000000001:13:0.5"
    assert cell.pkvalue() == blake2b(stored, digest_size=16).hexdigest() == "ff0c23c27ce75c3bab7ad92b8d98b926"
    assert Cell(sheet="a", row=-3).pkvalue() == "13a0040a9c5f2e833956694cbf90e6ba"
    assert Seat(person=1, row=2).pkvalue() == blake2b(b"1:11:2", digest_size=16).hexdigest()


def test_only_equal_parts_give_equal_ids():
    pairs = [("ab", "c"), ("a", "bc"), ("abc", "x"), ("x", "abc"), ("1:a", "b"), ("a", "1:b"), ("", "a"), ("a", "")]
    assert len({Entry(book=book, word=word).pkvalue() for book, word in pairs}) == len(pairs)
    assert Entry(book="a", word="b", note="x").pkvalue() == Entry(book="a", word="b").pkvalue()
    assert Cell(sheet="a", row=1, weight=0.0).pkvalue() == Cell(sheet="a", row="1", weight=-0.0).pkvalue()
    assert Cell(sheet="a", row=1, weight=None).pkvalue() != Cell(sheet="a", row=1, weight=0).pkvalue()
    assert len(Entry(book="Grüße", word="日本").pkvalue()) == 32


def test_the_parts_are_fields():
    pk = Cell._meta.pk
    assert [field.name for field in pk.fields] == ["sheet", "row", "day", "at", "open", "weight"]
    assert pk.fields[0] is Cell._meta.dfields["sheet"]
    assert (Cell._meta.pkname(), pk.primary_key, pk.unique, pk.required) == ("key", True, True, True)


async def test_the_id_is_known_before_the_row_is_stored(models):
    entry = Entry(book="Emma", word="handsome")
    assert (entry.id, entry.pkvalue()) == (None, HANDSOME)
    async with round_trips(models, 1):
        await do(models.session().add(entry))
    assert entry.id == entry.pkvalue() == HANDSOME
    entry.word = "clever"
    assert entry.id == HANDSOME != entry.pkvalue()
    loaded = await do(models.entry.get(id=HANDSOME))
    assert (loaded.book, loaded.word, loaded.pkvalue()) == ("Emma", "handsome", HANDSOME)


async def test_an_id_of_ones_own_does_not_count(models):
    entry = await do(models.entry.new(id="mine", book="Emma", word="handsome"))
    assert entry.id == HANDSOME
    assert await do(models.entry.filter(id="mine").count()) == 0


async def test_equal_parts_are_the_same_row(models):
    await store(models, Entry(book="Emma", word="handsome", note="one"))
    await do(models.entry.new(book="Emma", word="handsome", note="two"))
    assert [entry.note for entry in await do(models.entry.all())] == ["two"]
    assert Entry(book="Emma", word="handsome") == Entry(book="Emma", word="handsome")
    async with transaction(models.session()) as t:
        for note in ("three", "four"):
            t.add(Entry(book="Emma", word="handsome", note=note))
    assert [entry.note for entry in await do(models.entry.all())] == ["four"]


LOOKUPS = {
    "the id": (lambda q, found: q.filter(id=found.id), 1),
    "the row": (lambda q, found: q.filter(id=found), 1),
    "a new row of equal parts": (lambda q, found: q.filter(id=Entry(book="a", word="y")), 1),
    "ids": (lambda q, found: q.filter(id__in=[found.id, "nothing"]), 1),
    "a query": (lambda q, found: q.filter(id=q.filter(book="a")), 2),
    "the begin of the id": (lambda q, found: q.filter(id__startswith=found.id[:8]), 1),
    "no such id": (lambda q, found: q.filter(id="nothing"), 0),
    "not the id": (lambda q, found: q.exclude(id=found.id), 3),
    "one part": (lambda q, found: q.filter(book="a"), 2),
    "both parts": (lambda q, found: q.filter(book="a", word=("x", "z")), 1),
    "a text lookup of a part": (lambda q, found: q.filter(book="b", word__endswith="y"), 1),
}


@pytest.mark.parametrize("name", LOOKUPS)
async def test_lookups(models, name):
    build, expected = LOOKUPS[name]
    session = await store(models, *(Entry(book=book, word=word) for book in "ab" for word in "xy"))
    q = session.query(Entry)
    query = build(q, await do(q.get(book="a", word="y")))
    async with round_trips(models, 1):
        assert len(await do(query.all())) == expected
    assert await do(query.load_only().count()) == expected


async def test_rows_come_by_id_unless_told_otherwise(models):
    session = await store(models, *(Entry(book=book, word=word) for book in "ab" for word in "xy"))
    found = [entry.id for entry in await do(session.query(Entry).all())]
    assert found == sorted(found)
    ordered = await do(session.query(Entry).sort_by("-word").all())
    assert [entry.word for entry in ordered] == ["y", "y", "x", "x"]


async def test_update_or_create_by_parts(models):
    entry, created = await do(models.entry.update_or_create(book="Emma", word="handsome"))
    assert (created, entry.id) == (True, HANDSOME)
    entry, created = await do(models.entry.update_or_create(book="Emma", word="handsome"))
    assert (created, await do(models.entry.count())) == (False, 1)


async def test_all_kinds_of_parts(models):
    cell = Cell(sheet="a", row=-3, day=date(2020, 2, 29), at=datetime(2020, 2, 29, 12, 30), open=True, weight=0.5)
    id = cell.pkvalue()
    session = await store(models, cell, Cell(sheet="b", row=1))
    assert cell.key == id
    loaded = await do(session.query(Cell).get(sheet="a", row=-3, day=date(2020, 2, 29), open=True))
    assert loaded.key == loaded.pkvalue() == id
    assert (await do(session.query(Cell).get(key=id))).weight == 0.5
    bare = await do(session.query(Cell).get(sheet="b"))
    assert (bare.day, bare.weight, bare.key) == (None, None, bare.pkvalue())
    assert cell.uuid == f"{Cell._meta.hash}.{id}"


async def test_copies(models):
    entry = await do(models.entry.new(book="Emma", word="handsome", note="n"))
    copy = pickle.loads(pickle.dumps(entry))
    assert (copy.id, copy.pkvalue(), copy == entry) == (HANDSOME, HANDSOME, True)
    assert entry.tojson() == {"id": HANDSOME, "book": "Emma", "word": "handsome", "note": "n"}
    other = entry.clone(word="clever")
    assert (other.id, other.pkvalue() == HANDSOME, other.note) == (None, False, "n")
    await do(models.entry.save(other))
    assert await do(models.entry.count()) == 2


async def test_changing_a_part_moves_the_row(models):
    session = await store(models, Entry(book="Emma", word="handsome", note="n"), Entry(book="Emma", word="rich"))
    entry = await do(session.query(Entry).get(word="handsome"))
    entry.word = "clever"
    async with round_trips(models, 1):
        await do(session.add(entry))
    assert entry.id == entry.pkvalue() != HANDSOME
    assert await do(models.entry.filter(id=HANDSOME).count()) == 0
    assert await do(models.entry.filter(word="handsome").count()) == 0
    moved = await do(models.entry.get(word="clever"))
    assert (moved.id, moved.note) == (entry.id, "n")
    assert await do(models.entry.count()) == 2
    assert await do(session.delete(entry)) == [entry.id]
    assert [each.word for each in await do(models.entry.all())] == ["rich"]


async def test_a_row_that_is_loaded_in_part_keeps_its_id_or_moves_whole(models):
    session = await store(models, Entry(book="Emma", word="handsome", note="n"))
    part = await do(session.query(Entry).load_only("note").get())
    assert part.pkvalue() == part.id == HANDSOME
    part.note = "m"
    await do(session.add(part))
    part = await do(session.query(Entry).load_only("word", "book").get())
    part.word = "clever"
    await do(session.add(part))
    found = await do(models.entry.get())
    assert (found.id, found.word, found.note) == (part.id, "clever", "m")
    assert part.id != HANDSOME
    half = await do(session.query(Entry).load_only("word").get())
    assert half.pkvalue() == half.id == part.id


async def test_no_row_moves_onto_another(models):
    session = await store(models, Entry(book="Emma", word="handsome", note="n"), Entry(book="Emma", word="rich"))
    rich = await do(session.query(Entry).get(word="rich"))
    old = rich.id
    rich.word = "handsome"
    with pytest.raises(CommitException, match=rf"related\.entry.*Cannot move to id='{HANDSOME}'.*Delete it first"):
        await store(models, rich, Entry(book="Emma", word="new"))
    assert [(each.word, each.note) for each in await do(models.entry.query().sort_by("word").all())] == [
        ("handsome", "n"),
        ("rich", ""),
    ]
    assert rich.id == old
    async with transaction(session) as t:
        t.delete(session.query(Entry).filter(word="handsome"))
        t.add(rich)
    assert [(each.id, each.note) for each in await do(models.entry.all())] == [(HANDSOME, "")]


async def test_keys_to_such_rows(models):
    entry = Entry(book="Emma", word="handsome", note="n")
    async with round_trips(models, 1):
        await do(models.session().add(Remark(entry=entry, text="!")))
    assert entry.id == HANDSOME
    await do(models.remark.new(entry=HANDSOME, text="?"))
    remark = await do(models.remark.get(text__startswith="!"))
    assert remark.entry_id == HANDSOME
    assert (await related(remark, "entry")).note == "n"
    assert await do(models.remark.filter(entry=entry).count()) == 2
    assert await do(models.remark.filter(entry__book="Emma", entry__word="handsome").count()) == 2
    assert await do(entry.remarks.count()) == 2
    async with round_trips(models, 1):
        assert [row.entry.word for row in await do(models.remark.query().load_related("entry").all())] == [
            "handsome",
            "handsome",
        ]
    assert await do(entry.session.delete(entry)) == [HANDSOME]
    assert await do(models.remark.count()) == 0


async def test_a_part_of_an_unsaved_row_may_still_change_when_a_key_refers_to_it(models):
    entry = Entry(book="Emma", word="rich")
    remark = Remark(entry=entry, text="!")
    entry.word = "handsome"
    await do(models.remark.save(remark))
    assert (remark.entry_id, remark.entry) == (HANDSOME, entry)
    assert [each.entry_id for each in await do(models.remark.all())] == [HANDSOME]


async def test_keys_do_not_follow_a_row_that_moves(models):
    entry = await do(models.entry.new(book="Emma", word="handsome"))
    session = entry.session
    remark = await do(session.add(Remark(entry=entry, text="!")))
    draft = await do(session.add(Draft(entry=entry)))
    entry.word = "clever"
    await do(session.add(entry))
    assert await do(entry.remarks.count()) == 0
    remark = await do(models.remark.get(id=remark.id))
    assert remark.entry_id == HANDSOME
    with pytest.raises(Entry.DoesNotExist, match=HANDSOME):
        await related(remark, "entry")
    draft = await do(models.draft.get(id=draft.id))
    assert (draft.entry_id, await related(draft, "entry"), draft.entry_id) == (HANDSOME, None, None)
    assert await do(session.delete(entry)) == [entry.id]
    assert await do(models.remark.count()) == 1


async def test_keys_that_are_assigned_again_move_along(models):
    entry = await do(models.entry.new(book="Emma", word="handsome"))
    remark = await do(entry.session.add(Remark(entry=entry, text="!")))
    entry.word = "clever"
    remark.entry = entry
    async with round_trips(models, 1), transaction(entry.session) as t:
        t.add(entry)
        t.add(remark)
    assert remark.entry_id == entry.id != HANDSOME
    assert [each.text for each in await do(entry.remarks.all())] == ["!"]


async def test_a_key_as_a_part(models):
    person = await do(models.person.new(name="p", group=Group(name="g")))
    seat = await do(models.seat.new(person=person, row=1))
    again = await do(models.seat.new(person=person.id, row="1"))
    assert seat.id == again.id == Seat(person=person, row=1).pkvalue()
    assert await do(models.seat.count()) == 1
    other = await do(models.person.new(name="q", group=1))
    seat.person = other
    await do(models.seat.save(seat))
    assert [(each.id, each.person_id) for each in await do(models.seat.all())] == [(seat.id, 2)]
    assert await do(person.seats.count()) == 0
    assert await do(other.session.delete(other)) == [2]
    assert await do(models.seat.count()) == 0


async def test_a_part_that_refers_to_nothing_saved(models):
    new = Person(name="p", group=Group(name="g"))
    seat = Seat(person=new, row=1)
    assert seat.pkvalue() is None
    with pytest.raises(CommitException, match="'id' is made of person, row, and one of them refers to nothing"):
        await do(models.seat.save(seat))
    assert [await do(models[model].count()) for model in (Seat, Person, Group)] == [0, 0, 0]
    await do(models.person.save(new))
    await do(models.seat.save(seat))
    assert (seat.id, seat.person_id) == (seat.pkvalue(), 1)


async def test_parts_that_are_missing_or_wrong(models):
    for entry in (Entry(book="Emma"), Entry()):
        with pytest.raises(FieldValueError, match="word"):
            await do(models.entry.save(entry))
    with pytest.raises(ValueError, match="row"):
        Cell(sheet="a", row="x")
    cell = Cell(sheet="a", row=1)
    cell.row = "x"
    with pytest.raises(ValueError, match=r"composite\.cell\.row"):
        cell.pkvalue()
    with pytest.raises(FieldValueError, match="row"):
        await do(models.cell.save(cell))
    assert await do(models.entry.count()) == await do(models.cell.count()) == 0


async def test_a_model_with_such_an_id_needs_its_related_models(server, router_class):
    router = router_class(server)
    router.register(Remark, include_related=False)
    with pytest.raises(InvalidTransaction, match=r"related\.entry.*not registered"):
        await do(router.remark.new(entry=Entry(book="Emma", word="handsome"), text="!"))
    assert await do(router.remark.count()) == 0


@pytest.mark.parametrize(
    ("names", "problem"),
    [
        ((), "two or more"),
        (("book",), "two or more"),
        (("book", "nothing"), "nothing"),
        (("book", "id"), "id"),
        (("book", "data"), "ByteField"),
        (("book", "links"), "links"),
    ],
)
def test_declarations_that_cannot_work(names, problem):
    with pytest.raises(FieldError, match=problem):

        class Wrong(odm.StdModel):
            id = odm.CompositeIdField(*names)
            book = odm.SymbolField()
            data = odm.ByteField()
            links = odm.ManyToManyField(Group, related_name="wrong")

            class Meta:
                app_label = "composite"

    assert odm.get_model_from_hash(odm.meta.hash_of("composite.wrong")) is None
    assert "wrong" not in Group._meta.related


def test_two_primary_keys_are_refused():
    with pytest.raises(FieldError, match="two primary keys"):

        class Wrong(odm.StdModel):
            id = odm.CompositeIdField("book", "word")
            book = odm.SymbolField(primary_key=True)
            word = odm.SymbolField()

            class Meta:
                register = False


def test_inherited():
    class Base(odm.StdModel):
        id = odm.CompositeIdField("book", "word")
        book = odm.SymbolField()
        word = odm.SymbolField()

        class Meta:
            abstract = True

    class Note(Base):
        class Meta:
            register = False

    assert Note(book="Emma", word="handsome").pkvalue() == HANDSOME
    assert Note._meta.pk.fields == (Note._meta.dfields["book"], Note._meta.dfields["word"])
