"""Where structures live in memory, what commits and moving rows make of them, and how rows bring them along."""

from __future__ import annotations

import pytest

from stdnet import getdb
from stdnet.contract import (
    HASH,
    KINDS,
    LIST,
    NOTHING,
    SET,
    STRING,
    TS,
    ZSET,
    All,
    Call,
    Change,
    Column,
    Commit,
    Committed,
    Delete,
    Flush,
    Ids,
    Keys,
    Place,
    Reference,
    Refused,
    Related,
    Save,
    Select,
    Table,
)
from stdnet.errors import ResponseError, TableMismatch

from .structures import COUNTRY, Database, of_row

NO_ROW = Refused((), (), (0,))


@pytest.fixture
def db():
    return Database(getdb("memory://?namespace=test."))


# -- where they live --------------------------------------------------------------------------------------------

CONTENT = {
    "list": (("push_back", b"v"), ("pop_front",)),
    "set": (("add", b"v"), ("remove", b"v")),
    "zset": (("add", (1.0, b"v")), ("ipop_range", 0, 0, 0)),
    "hashtable": (("add", (b"k", b"v")), ("pop", b"k")),
    "ts": (("add", (1.0, b"v")), ("pop", 1.0)),
    "string": (("append", b"v"), ("delete",)),
    "numberarray": (("resize", 1, b"v"), ("truncate", 1)),
}


@pytest.mark.parametrize("kind", KINDS.values(), ids=str)
@pytest.mark.parametrize("where", ["alone", "table", "row"])
def test_an_empty_structure_does_not_exist(db, kind, where):
    db.save("CH")
    place = {"alone": Place(kind, "x"), "table": of_row(kind, "x", None), "row": of_row(kind, "x", "CH")}[where]
    empty, before = db.call(place, "items"), db(Keys(COUNTRY))
    for makes, takes in [CONTENT[kind.name], (CONTENT[kind.name][0], ("delete",))]:
        db.call(place, *makes)
        assert db.call(place, "items") != empty
        assert len(db(Keys(COUNTRY))) == len(before) + (where != "alone")
        db.call(place, *takes)
        assert (db.call(place, "items"), db.call(place, "size")) == (empty, 0)
        assert db(Keys(COUNTRY)) == before
    assert db.call(place, "delete") is None
    assert db(Flush()) == len(before)


def test_structures_are_keys(db):
    db.save("CH")
    for place in [of_row(LIST, "log", "CH"), of_row(LIST, "log", None), Place(LIST, "a b"), Place(LIST, "c")]:
        db.call(place, "push_back", b"v")
    keys = db(Keys(COUNTRY))
    assert {"test.country:obj:CH:log", "test.country:struct:log"} <= set(keys)
    other = Database(type(db.server)(db.server.database, "", "other."))
    other.call(Place(LIST, "c"), "push_back", b"other")
    assert db(Flush(COUNTRY)) == len(keys)
    assert db(Keys(COUNTRY)) == []
    assert [db.call(Place(LIST, name), "items") for name in ("a b", "c")] == [[b"v"], [b"v"]]
    assert (db(Flush()), db(Flush())) == (2, 0)
    assert db.call(Place(LIST, "c"), "items") == []
    assert other.call(Place(LIST, "c"), "items") == [b"other"]


def test_a_structure_of_the_table_outlives_its_rows(db):
    db.save("CH")
    db.call(of_row(LIST, "log", None), "push_back", b"v")
    db(Commit(deletes=(Delete(COUNTRY, All()),)))
    other = Table("country", Column("id", "int"), (Column("name", "str"),), auto=True)
    assert db.call(Place(LIST, "log", other), "items") == [b"v"]


def test_an_operation_that_makes_needs_the_row(db):
    place = of_row(LIST, "log", "CH")
    assert db.call(place, "push_back", b"v") == db.call(place, "push_back") == NO_ROW
    assert (db.call(place, "items"), db.call(place, "pop_back"), db.call(place, "delete")) == ([], None, None)
    assert db.call(of_row(STRING, "s", "CH"), "incr", 1) == NO_ROW
    db.save("CH")
    assert db.call(place, "push_back", b"v") is None
    assert db.call(place, "items") == [b"v"]


@pytest.mark.parametrize("other", [SET, HASH, STRING, ZSET])
def test_a_place_holds_one_kind(db, other):
    db.save("CH")
    db.call(of_row(LIST, "log", "CH"), "push_back", b"v")
    wrong, operation = of_row(other, "log", "CH"), next(iter(other.operations))
    with pytest.raises(ResponseError, match=r'"test[.]country:obj:CH:log" holds another type'):
        db.call(wrong, "size")
    with pytest.raises(ResponseError, match="holds another type"):
        db(
            Commit(
                saves=(Save(COUNTRY, [Change("IT", None, ("italy", None))]),),
                calls=(Call(Place(LIST, "x"), "push_back", (b"v",)), Call(wrong, operation)),
            )
        )
    assert (db(Select(COUNTRY, All())).ids, db.call(Place(LIST, "x"), "size")) == (["CH"], 0)
    assert db.call(of_row(LIST, "log", "CH"), "items") == [b"v"]


def test_a_refusal_comes_before_a_place_of_another_kind(db):
    db.save("CH")
    db.call(of_row(LIST, "log", "CH"), "push_back", b"v")
    calls = [Call(of_row(SET, "log", "CH"), "add", (b"v",)), Call(of_row(LIST, "log", "XX"), "push_back", (b"v",))]
    assert db(Commit(calls=tuple(calls))) == Refused((), (), (1,))
    assert [db.call(of_row(SET, "log", "XX"), "add"), db.call(of_row(LIST, "log", "CH"), "size")] == [NO_ROW, 1]


def test_rows_of_another_layout_are_not_taken_for_ours(db):
    db.save("CH")
    other = Table("country", Column("code", "str"), (Column("name", "str", index="equal"),))
    with pytest.raises(TableMismatch):
        db.call(Place(LIST, "log", other, "CH"), "items")


def test_replies_are_not_changed_later(db):
    place = Place(LIST, "x")
    db.call(place, "push_back", b"a")
    before = db.call(place, "items")
    db.call(place, "push_back", b"b")
    assert before == [b"a"]


# -- commits ----------------------------------------------------------------------------------------------------


@pytest.fixture
def countries(db):
    """Two rows with a log each, and one without."""
    db.save("CH", "IT", "FR")
    for code in ("CH", "IT"):
        db.call(of_row(LIST, "log", code), "push_back", code.encode())
    return db


def logs(db, *codes):
    return [db.call(of_row(LIST, "log", code), "items") for code in codes]


def push(code, *values):
    return Call(of_row(LIST, "log", code), "push_back", values)


def test_calls_rows_and_deletes_in_one_commit(countries):
    reply = countries(
        Commit(
            deletes=(Delete(COUNTRY, Ids(["IT"])),),
            saves=(Save(COUNTRY, [Change("DE", None, ("germany", None))]),),
            calls=(
                push("CH", b"2"),
                push("IT", b"nothing"),
                Call(Place(SET, "s"), "add", (b"a", b"b")),
                Call(Place(SET, "s"), "remove", (b"a",)),
                Call(of_row(TS, "series", "FR"), "add", ((1.0, b"v"),)),
                Call(of_row(TS, "series", None), "add", ((2.0, b"v"),)),
            ),
        )
    )
    assert isinstance(reply, Committed)
    assert logs(countries, "CH", "IT", "FR", "DE") == [[b"CH", b"2"], [], [], []]
    assert countries.call(Place(SET, "s"), "items") == [b"b"]
    assert countries.call(of_row(TS, "series", "FR"), "items") == [(1.0, b"v")]
    assert countries.call(of_row(TS, "series", None), "items") == [(2.0, b"v")]


def test_new_rows_come_with_their_structures(countries):
    saves = (Save(COUNTRY, [Change("XX", None, ("new", None)), Change("CH", None, ("ch", None))]),)
    calls = (push("XX", b"1"), push("XX", b"2"), Call(of_row(LIST, "log", "CH"), "delete"), push("CH", b"3"))
    assert isinstance(countries(Commit(saves=saves, calls=calls)), Committed)
    assert logs(countries, "XX", "CH") == [[b"1", b"2"], [b"3"]]
    for moved in ("XX", "YY"):
        move = Save(COUNTRY, [Change("YY", "XX", ("new", None)), Change("ZZ", None, ("zz", None))])
        countries(Commit(deletes=(Delete(COUNTRY, Ids(["XX", "YY", "ZZ"])),)))
        add = Save(COUNTRY, [Change("XX", None, ("new", None))])
        reply = countries(Commit(saves=(add, move), calls=(push("ZZ", b"1"), push(moved, b"1"))))
        assert (reply.clashes, reply.gone) == ((), (1,))


def test_a_refusal_names_all_that_is_gone_and_changes_nothing(countries):
    reply = countries(
        Commit(
            deletes=(Delete(COUNTRY, Ids(["IT"])),),
            saves=(Save(COUNTRY, [Change("XX", None, ("new", None)), Change("DE", None, ("ch", None))]),),
            calls=(push("CH", b"2"), push("YY", b"v"), Call(of_row(LIST, "log", "YY"), "delete"), push("ZZ", b"v")),
        )
    )
    assert isinstance(reply, Refused)
    assert ([clash.value for clash in reply.clashes], reply.held, reply.gone) == (["ch"], (), (1, 3))
    assert logs(countries, "CH", "IT", "XX") == [[b"CH"], [b"IT"], []]
    assert countries(Select(COUNTRY, All())).ids == ["CH", "FR", "IT"]


def test_a_token_that_comes_again_calls_nothing(countries):
    request = Commit(calls=(push("CH", b"2"),), token="t1")
    assert countries(request) == countries(request) == Committed()
    assert logs(countries, "CH") == [[b"CH", b"2"]]


def test_a_refused_commit_leaves_no_token(countries):
    request = Commit(calls=(push("DE", b"2"),), token="t2")
    assert countries(request) == NO_ROW
    countries.save("DE")
    assert countries(request) == Committed()
    assert logs(countries, "DE") == [[b"2"]]


def test_structures_go_with_rows_that_are_deleted_by_cascade(db):
    db(Commit(saves=(Save(COUNTRY, [Change("GB", None, ("uk", None)), Change("SC", None, ("scotland", "GB"))]),)))
    db(Commit(calls=(push("GB", b"1"), push("SC", b"2"))))
    cascade = Reference(COUNTRY, "part_of", COUNTRY, "cascade")
    db(Commit(deletes=(Delete(COUNTRY, Ids(["GB"])),), references=(cascade,)))
    db.save("GB", "SC")
    assert logs(db, "GB", "SC") == [[], []]


def test_structures_of_a_row_that_is_deleted_and_saved_anew_go(countries):
    new = Save(COUNTRY, [Change("CH", None, ("new", None)), Change("IT", "IT", ("other", None))])
    countries(Commit(deletes=(Delete(COUNTRY, Ids(["CH"])),), saves=(new,)))
    assert logs(countries, "CH", "IT") == [[], [b"IT"]]


def test_a_row_that_is_replaced_keeps_its_structures(countries):
    countries(Commit(saves=(Save(COUNTRY, [Change("CH", None, ("new", None))]),)))
    assert logs(countries, "CH") == [[b"CH"]]


def test_structures_move_with_their_rows(countries):
    chain = [Change("XX", "IT", ("x", None)), Change("IT", "CH", ("i", None)), Change("CH", "FR", ("c", None))]
    countries(Commit(saves=(Save(COUNTRY, chain),), calls=(push("CH", b"!"),)))
    assert logs(countries, "XX", "IT", "CH", "FR") == [[b"IT"], [b"CH", b"!"], [], []]


def test_a_row_that_moves_to_a_released_id_leaves_nothing_of_the_old_one(countries):
    countries(
        Commit(deletes=(Delete(COUNTRY, Ids(["IT"])),), saves=(Save(COUNTRY, [Change("IT", "FR", ("f", None))]),))
    )
    assert logs(countries, "IT", "FR") == [[], []]


def test_a_row_stored_anew_under_another_id_brings_nothing(countries):
    gone = Commit(deletes=(Delete(COUNTRY, Ids(["IT"])),), saves=(Save(COUNTRY, [Change("XX", "IT", ("x", None))]),))
    countries(gone)
    assert logs(countries, "IT", "XX") == [[], []]


# -- select -----------------------------------------------------------------------------------------------------


def test_rows_bring_their_structures(countries):
    countries.call(of_row(TS, "series", "FR"), "add", (2.0, b"b"), (1.0, b"a"))
    reply = countries(Select(COUNTRY, All(), fields=("name",), structures=("log", "series", "neighbours")))
    assert reply.ids == ["CH", "FR", "IT"]
    assert reply.rows == [("ch",), ("fr",), ("it",)]
    assert reply.structures == (
        [[b"CH"], [], [b"IT"]],
        [[], [(1.0, b"a"), (2.0, b"b")], []],
        [[], [], []],
    )
    assert countries(Select(COUNTRY, All(), start=2, structures=("log",))).structures == ([[b"IT"]],)
    assert countries(Select(COUNTRY, NOTHING, fields=(), structures=("log",))).structures == ([],)
    related = Related("code", COUNTRY, "code")
    assert countries(Select(COUNTRY, All(), related=(related,))).structures == ()


def test_the_check_finds_structures_without_a_row_and_empty_ones(countries):
    table = countries.server.database.store.tables["test.", "country"]
    shelf = table.structures
    shelf.owners["ghost"] = shelf.owners["CH"]
    with pytest.raises(AssertionError, match="log of 'ghost', which is no row"):
        countries.server.check()
    del shelf.owners["ghost"]
    shelf.owners["CH"]["log"][1].values.clear()
    with pytest.raises(AssertionError, match="log of 'CH' is empty"):
        countries.server.check()
