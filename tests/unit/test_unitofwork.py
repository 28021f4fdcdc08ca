"""The unit of work: pending instances in, one commit per backend out, the reply back to the instances."""

from __future__ import annotations

import pytest

from stdnet import CommitException, FieldValueError, getdb, odm
from stdnet.contract import Change, Clash, Commit, Committed, Delete, Eq, Ids, Refused, Save
from stdnet.odm.unitofwork import units


class Cask(odm.StdModel):
    mark = odm.SymbolField(unique=True)
    litres = odm.IntegerField(required=False)

    class Meta:
        register = False


class Cellar(odm.StdModel):
    name = odm.SymbolField(primary_key=True)
    depth = odm.FloatField(required=False)

    class Meta:
        register = False
        ordering = "-depth"


@pytest.fixture
def session():
    models = odm.Router("memory://")
    models.register(Cask)
    models.register(Cellar)
    return models.session()


def unit_of(session):
    (unit,) = units(session.pending())
    return unit


def stored(cask, id=1):
    cask.id = cask.dbdata["id"] = id
    return cask


def test_the_commit(session):
    row = stored(Cask(mark="b", litres=2), 5)
    part = stored(Cask(mark="c"), 6)
    del part.litres
    part._loadedfields = ("mark",)
    session.enqueue(row)
    session.enqueue(Cask(mark="a", litres="1"))
    session.enqueue(part)
    session.enqueue(Cellar(name="deep", depth=3))
    session.enqueue_delete(session.query(Cellar).filter(name="old"))
    unit = unit_of(session)
    assert unit.server is session.model(Cask).backend
    assert unit.validated() == Commit(
        deletes=(Delete(Cellar._meta.table, Ids(("old",))),),
        saves=(
            Save(
                Cask._meta.table,
                [
                    Change(None, None, ("a", 1)),
                    Change(5, 5, ("b", 2)),
                    Change(6, 6, ("c",), ("mark",)),
                ],
            ),
            Save(Cellar._meta.table, [Change("deep", None, (3.0,), None, -3.0)]),
        ),
    )


def test_a_moved_row_keeps_its_previous_id(session):
    row = stored(Cask(mark="a"), 5)
    row.id = 9
    session.enqueue(row)
    assert unit_of(session).validated().saves[0].changes == [Change(9, 5, ("a", None))]


def test_deletes_of_instances_and_queries_are_one(session):
    session.enqueue_delete(stored(Cask(mark="a"), 3))
    session.enqueue_delete(stored(Cask(mark="b"), 2))
    assert unit_of(session).deletes == (Delete(Cask._meta.table, Ids((3, 2))),)
    session.enqueue_delete(session.query(Cask).filter(mark="x"))
    (delete,) = unit_of(session).deletes
    assert delete.plan.plans == (Ids((3, 2)), Eq("mark", ("x",)))


def test_validation_converts_the_instances_and_sends_none_of_the_invalid(session):
    good, bad = Cask(mark="a"), Cask(mark="")
    good.litres, bad.litres = "7", "many"
    session.enqueue(good)
    session.enqueue(bad)
    with pytest.raises(FieldValueError) as info:
        unit_of(session).validated()
    assert info.value.instances == (bad,)
    assert sorted(info.value.errors[0]) == ["litres", "mark"]
    assert (good.litres, bad.litres) == (7, "many")


def test_a_missing_id_is_a_refusal(session):
    session.enqueue(Cellar(depth=1))
    session.enqueue(Cellar(depth=2))
    with pytest.raises(CommitException, match="There were 2 exceptions") as info:
        unit_of(session).validated()
    assert [cellar.depth for cellar in info.value.instances] == [1.0, 2.0]


def test_the_reply_comes_back_to_the_instances(session):
    cask, cellar, doomed = Cask(mark="a"), Cellar(name="deep", depth=3), stored(Cask(mark="b"), 4)
    session.enqueue(cask)
    session.enqueue(cellar)
    session.enqueue_delete(doomed)
    unit = unit_of(session)
    unit.validated()
    saved, deleted = unit.applied(Committed(ids=([7], ["deep"]), scores=((), ()), deleted=([4],)))
    assert saved == {Cask._meta: [cask], Cellar._meta: [cellar]}
    assert deleted == {Cask._meta: [4]}
    assert (cask.id, cask.dbdata["id"], cask.get_state().persistent, cask.get_state().iid) == (7, 7, True, 7)
    assert cellar.get_state().score == 3.0
    assert doomed.get_state().deleted
    assert all(not len(each) for each in session)


def test_deletes_that_found_nothing_are_not_reported(session):
    session.enqueue_delete(stored(Cask(mark="b"), 4))
    assert unit_of(session).applied(Committed((), (), ([],))) == ({}, {})


def test_a_refusal_names_each_instance_once(session):
    casks = [Cask(mark="a"), stored(Cask(mark="b"), 2), stored(Cask(mark="c"), 3)]
    for cask in casks:
        session.enqueue(cask)
    clashes = (
        Clash("unique", 0, 0, "mark", "a", 9),
        Clash("unique", 0, 1, "mark", "b"),
        Clash("id", 0, 1, "id", 2, 2),
        Clash("gone", 0, 2, "id", 3),
    )
    error = unit_of(session).refusal(Refused(clashes))
    assert (error.failures, error.instances) == (3, tuple(casks))
    unique, twice, moved, gone = error.reasons
    assert "Unique constraint \"mark\" violated: 'a' is already in database, held by id=9" in unique
    assert "held by another instance of this commit" in twice
    assert "Cannot move to id=2: a row stands there" in moved
    assert "The row id=3 does not exist any more" in gone


def test_one_unit_for_each_backend():
    first, second = getdb("memory://"), getdb("memory://")
    models = odm.Router(first)
    models.register(Cask)
    models.register(Cellar, second)
    session = models.session()
    session.enqueue(Cellar(name="deep"))
    session.enqueue(Cask(mark="a"))
    assert [unit.server for unit in units(session.pending())] == [second, first]
    assert units([]) == []
