"""``ModelState``: what an instance is towards the database, through its whole life."""

from __future__ import annotations

from typing import Any

import pytest

from stdnet import CommitException, FieldValueError, odm

from ..conftest import do, round_trips, transaction
from .models import Country, SimpleModel, SportAtDate, SportAtDate2, Word

MODELS = [SimpleModel, Country, Word, SportAtDate, SportAtDate2]


def facts(instance: Any) -> tuple[str, bool, bool]:
    state = instance.get_state()
    return state.action, state.persistent, instance.has_all_data


async def test_a_new_instance(models):
    row = SimpleModel(code="a")
    assert facts(row) == ("add", False, False)
    state = row.get_state()
    assert state.iid == f"new.{id(row)}"
    assert (state.deleted, state.score, str(state)) == (False, 0, state.iid)
    assert repr(state) == f"ModelState({state.iid}, add)"
    assert row.get_state() is state


async def test_the_dbdata_of_an_instance_is_made_when_it_is_asked_for(models):
    row = SimpleModel(code="a")
    assert "_dbdata" not in row.__dict__
    row.get_state()
    assert set(row._dbdata) == {"state"}


async def test_a_saved_and_a_loaded_instance(models):
    row = await do(models.simplemodel.new(code="a"))
    loaded = await do(models.simplemodel.get(id=1))
    for each in (row, loaded):
        assert facts(each) == ("override", True, True)
        assert (each.get_state().iid, str(each.get_state())) == (1, "1")
        assert each._dbdata["id"] == 1


async def test_a_partly_loaded_instance(models):
    await do(models.simplemodel.new(code="a"))
    row = await do(models.simplemodel.query().load_only("code").get())
    assert facts(row) == ("update", True, False)
    assert row.get_state_action() == "update"


async def test_a_given_pk_does_not_make_a_row(models):
    row = Country(code="it", name="Italy")
    assert facts(row) == ("add", False, False)
    assert row.get_state().iid == "it"
    await do(models.session().add(row))
    assert facts(row) == ("override", True, True)


async def test_a_pk_of_zero_is_a_pk(models):
    row = SimpleModel(id=0, code="a")
    assert row.get_state().iid == 0
    await do(models.session().add(row))
    assert (row.id, facts(row)) == (0, ("override", True, True))
    assert row.uuid.endswith(".0")
    assert await do(models.simplemodel.get(id=0)) == row


async def test_keywords_make_a_new_state(models):
    row = await do(models.simplemodel.new(code="a"))
    state = row.get_state()
    forced = row.get_state(action="update")
    assert forced is not state
    assert row.get_state() is forced
    assert (forced.action, forced.iid) == ("update", 1)
    assert row.get_state(iid=7).iid == 7
    assert SimpleModel(code="b").get_state(action="update").action == "add"
    assert SimpleModel(id=3, code="b").get_state(action="update").action == "update"


async def test_inside_a_transaction(models):
    row = await do(models.simplemodel.new(code="a"))
    new = SimpleModel(code="b")
    async with transaction(models.session()) as t:
        t.add(row, force_update=True)
        t.add(new)
        assert facts(row)[0] == "update"
        assert (new.id, facts(new)[0]) == (None, "add")
    assert (new.id, facts(new)[0], facts(row)[0]) == (2, "override", "override")


async def test_a_changed_pk_leaves_the_state_at_the_old_one_and_moves_the_row(models):
    row = await do(models.country.new(code="it", name="Italy"))
    row.code = "IT"
    assert row.get_state().iid == "it"
    await do(models.session().add(row))
    assert row.get_state().iid == "IT"
    assert [each.code for each in await do(models.country.all())] == ["IT"]


async def test_a_forced_update_with_a_changed_pk_moves_the_row(models):
    row = await do(models.country.new(code="it", name="Italy"))
    row.code = "IT"
    await do(models.session().add(row, force_update=True))
    assert [(each.code, each.name) for each in await do(models.country.all())] == [("IT", "Italy")]


async def test_a_partly_loaded_row_can_move(models):
    await do(models.country.new(code="it", name="Italy"))
    row = await do(models.country.query().load_only("code").get())
    row.code = "IT"
    await do(models.session().add(row))
    assert [(each.code, each.name) for each in await do(models.country.all())] == [("IT", "Italy")]


async def test_a_stored_instance_that_loses_its_pk_moves_to_the_next_one(models):
    row = await do(models.simplemodel.new(code="a"))
    row.id, row.code = None, "b"
    await do(models.session().add(row))
    assert row.id == 2
    assert [(each.id, each.code) for each in await do(models.simplemodel.all())] == [(2, "b")]


async def test_a_deleted_instance(models):
    row = await do(models.simplemodel.new(code="a"))
    session = models.session()
    async with transaction(session) as t:
        t.delete(row)
        assert row.get_state().deleted
        assert str(row.get_state()) == "1 deleted"
        with pytest.raises(ValueError, match="State is deleted"):
            t.add(row)
    assert await do(models.simplemodel.count()) == 0


async def test_a_refused_commit_leaves_the_state_as_it_was(models):
    await do(models.simplemodel.new(code="a"))
    row = SimpleModel(code="a", group="g")
    with pytest.raises(CommitException):
        await do(models.session().add(row))
    assert (row.id, facts(row)) == (None, ("add", False, False))
    row.code = ""
    with pytest.raises(FieldValueError):
        await do(models.session().add(row))
    assert (row.id, facts(row)) == (None, ("add", False, False))
    row.code = "b"
    await do(models.session().add(row))
    assert (row.id, facts(row)) == (2, ("override", True, True))


async def test_saving_a_row_that_was_deleted_stores_it_again(models):
    row = await do(models.simplemodel.new(code="a", group="g"))
    await do(models.simplemodel.query().delete())
    await do(models.session().add(row))
    assert [(each.id, each.group) for each in await do(models.simplemodel.all())] == [(1, "g")]


async def test_a_part_of_a_row_that_was_deleted_cannot_be_saved(models):
    await do(models.simplemodel.new(code="a", group="g"))
    part = await do(models.simplemodel.query().load_only("group").get())
    await do(models.simplemodel.query().delete())
    with pytest.raises(CommitException, match="does not exist any more"):
        await do(models.session().add(part))
    assert await do(models.simplemodel.count()) == 0


async def test_saving_a_part_updates_and_saving_all_replaces(models):
    await do(models.simplemodel.new(code="w", group="g", description="dd", number=5))
    part = await do(models.simplemodel.query().load_only("code").get())
    part.code = "w2"
    await do(models.session().add(part))
    assert await do(models.simplemodel.filter(code="w").count()) == 0
    whole = await do(models.simplemodel.get(code="w2"))
    assert (whole.group, whole.description, whole.number) == ("g", "dd", 5.0)
    whole.number = None
    await do(models.session().add(whole))
    assert (await do(models.simplemodel.get(code="w2"))).number is None
    assert await do(models.simplemodel.filter(number__isnull=True).count()) == 1


async def test_the_score_counts_saves_of_an_autoincrement_model(models):
    first = await do(models.word.new(text="the"))
    assert first.get_state().score == 1
    async with round_trips(models, 1):
        again = await do(models.word.new(text="the"))
    assert again.get_state().score == 2
    await do(models.session().add(again))
    assert again.get_state().score == 3
    await do(models.word.new(text="rare"))
    loaded = await do(models.word.all())
    assert [word.text for word in loaded] == ["the", "rare"]
    assert [word.get_state().score for word in loaded] == [0, 0]


async def test_the_score_of_an_ordered_model_is_its_value(models):
    for name in ("sportatdate", "sportatdate2"):
        row = await do(getattr(models, name).new(person="p", name="n", dt="1970-01-02"))
        assert row.get_state().score == 86400


async def test_a_model_without_order_has_no_score(models):
    row = await do(models.simplemodel.new(code="a"))
    assert row.get_state().score in (0, -1e99)
    assert isinstance(row.get_state(), odm.ModelState)
