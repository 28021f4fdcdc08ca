"""Copies of instances with relations and computed ids: keys and ids stay, in clones, dumps, pickles and dicts."""

from __future__ import annotations

import copy
import json
import pickle
from datetime import datetime
from typing import Any

import pytest

from stdnet import ModelNotAvailable, odm

from ..conftest import do, round_trips, transaction
from .instances import User as Plain
from .instances import full, verb
from .models import Country, Event, Fund, SimpleModel
from .relation_models import City, CrossData, Feed1, Group, Node, Person, Profile, Remark, Role, State

MODELS = [Person, City, Node, Remark, Profile, Feed1, SimpleModel, Fund, Event, Country]


async def person(models: Any) -> Person:
    made: Person = await do(models.person.new(name="p", group=Group(name="g")))
    return made


def copies(instance: Any) -> list[Any]:
    """Return an instance as it comes back from pickles, copies and its dump as JSON."""
    return [
        *(pickle.loads(pickle.dumps(instance, n)) for n in range(2, pickle.HIGHEST_PROTOCOL + 1)),
        copy.copy(instance),
        copy.deepcopy(instance),
        type(instance).from_base64_data(**json.loads(json.dumps(instance.tojson(exclude_cache=False)))),
    ]


# -- foreign keys -------------------------------------------------------------------------------------------------


async def test_keys_survive_pickles_and_dumps(models):
    source = await person(models)
    assert source.todict() == {"name": "p", "group": 1, "__dbdata__": {"id": 1}}
    assert source.tojson() == {"id": 1, "name": "p", "group": 1}
    for again in copies(source):
        assert (again, again.group_id, again.session) == (source, 1, None)
        assert "_group_cache" not in again.__dict__
    again = copies(source)[0]
    again.name = "q"
    await do(models.session().add(again))
    found = await do(models.person.query().load_related("group").get(id=1))
    assert (found.name, found.group.name, await do(models.person.count())) == ("q", "g", 1)


async def test_a_clone_keeps_its_related_objects(models):
    source = await do(models.person.query().load_related("group").get(id=(await person(models)).id))
    clone = source.clone(name="q")
    async with round_trips(models, 0):
        assert clone.group is source.group
    assert (clone.id, clone.group_id, clone.get_state().persistent) == (None, 1, False)
    await do(verb(clone, "save")())
    assert [(each.id, each.group_id) for each in await do(models.person.all())] == [(1, 1), (2, 1)]
    assert (await do(models.group.count()), source.name) == (1, "p")


async def test_a_clone_of_what_was_not_loaded_keeps_the_id(models):
    await person(models)
    source = await do(models.person.get(id=1))
    assert source.clone().group_id == 1
    other = Group(name="other")
    for clone in (source.clone(group=other), source.clone(group=None), source.clone(group=7)):
        assert source.group_id == 1
        assert clone.group_id in (None, 7)
    assert source.clone(group=other).group is other
    assert source.clone(id=5).id == 5


async def test_a_parent_that_was_saved_after_it_was_assigned(models):
    group = Group(name="g")
    child = Person(name="p", group=group)
    await do(models.session().add(group))
    assert child.clone().group is group
    again = pickle.loads(pickle.dumps(child))
    assert (again.group_id, again.get_state().action) == (1, "add")
    assert Person(id=5, name="p", group=group).tojson() == {"id": 5, "name": "p", "group": 1}


async def test_a_clone_shares_a_parent_that_is_not_saved(models):
    child = Person(name="p", group=Group(name="g"))
    clone = child.clone(name="q")
    async with transaction(models.session()) as t:
        t.add(child)
        t.add(clone)
    assert (await do(models.group.count()), child.group_id, clone.group_id) == (1, 1, 1)


async def test_optional_keys_and_keys_to_text_ids(models):
    first = await do(models.node.new())
    second = await do(models.node.new(parent=first, weight=0))
    for again in copies(first):
        assert (again.parent_id, again.weight) == (None, None)
    for again in copies(second):
        assert (again.parent_id, again.weight) == (1, 0.0)
    feed = await do(models.feed1.new(name="f", prev=CrossData(name="c")))
    for again in copies(feed):
        assert (again.live_id, again.prev_id) == (None, 1)
    city = await do(models.city.new(name="c", state=State(code="TX")))
    for again in copies(city):
        assert again.state_id == "TX"


async def test_a_part_without_the_key(models):
    await person(models)
    part = await do(models.person.query().load_only("name").get())
    for again in copies(part)[:-1]:
        assert (again.name, again._loadedfields, hasattr(again, "group_id")) == ("p", ("name",), False)
    assert part.tojson() == {"id": 1, "name": "p"}


# -- computed ids and links ---------------------------------------------------------------------------------------


async def test_composite_ids(models):
    entry = await do(models.entry.new(book="b", word="w", note="n"))
    remark = await do(models.remark.new(entry=entry, text="t"))
    for again in copies(entry):
        assert (again, again.id, again.pkvalue(), again.note) == (entry, entry.id, entry.id, "n")
    for again in copies(remark):
        assert again.entry_id == entry.id
    entry.word = "other"
    again = pickle.loads(pickle.dumps(entry))
    await do(models.session().add(again))
    assert [each.word for each in await do(models.entry.all())] == ["other"]
    clone = again.clone(word="third")
    assert (clone.id, clone.pkvalue() != again.pkvalue()) == (None, True)


async def test_rows_of_a_through_model(models):
    async with transaction(models.session()) as t:
        profile, role = t.add(Profile(name="p")), t.add(Role(name="r"))
    await do(profile.roles.add(role))
    link = await do(models.profile_role.get())
    for again in copies(link):
        assert (again, again.profile_id, again.role_id) == (link, 1, 1)
    with pytest.raises(ModelNotAvailable, match="00000000"):
        pickle.loads(pickle.dumps(link, 0).replace(str(type(link)._meta.hash).encode(), b"00000000"))
    assert profile.todict() == {"name": "p", "__dbdata__": {"id": 1}}
    for again in copies(profile):
        again.session = models.session()
        assert await do(again.roles.count()) == 1


# -- values -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("moment", [datetime.min, datetime.max, datetime(1969, 12, 31, 23, 59, 59, 999999)])
async def test_a_moment_that_no_float_holds_is_text(models, moment):
    event = Event(id=1, created=moment)
    form = event.tojson()["created"]
    assert (form == moment.isoformat()) is (type(form) is str)
    assert Event.from_base64_data(**event.tojson()).created == moment


async def test_what_json_has_no_word_for(models):
    for value in (float("inf"), float("-inf")):
        node = Node(id=1, weight=value)
        assert json.loads(json.dumps(node.tojson(), allow_nan=False)) == {"id": 1, "weight": str(value)}
        assert Node.from_base64_data(**node.tojson()).weight == value


async def test_from_base64_data(models):
    row = SimpleModel.from_base64_data(id="3", code="a", number="2.5", somebytes="/wA=", nope=1)
    assert (row.id, row.code, row.number, row.somebytes, row.get_state().action) == (3, "a", 2.5, b"\xff\x00", "add")
    assert Person.from_base64_data(name="p", group="7").group_id == 7
    assert Person.from_base64_data(name="p", group="").group_id is None
    assert Fund.from_base64_data(active="true").active is True
    assert Fund.from_base64_data(active="false").active is False
    with pytest.raises(ValueError, match="group"):
        Person.from_base64_data(group="x")
    with pytest.raises(ValueError, match="active"):
        Fund.from_base64_data(active="maybe")


# -- model_to_dict ------------------------------------------------------------------------------------------------


async def test_model_to_dict_of_an_instance(models):
    row = await do(models.session().add(full()))
    assert odm.model_to_dict(row) == row.todict()
    assert odm.model_to_dict(row, fields=["code", "number", "nope"]) == {"code": "a", "number": 0.0}
    assert odm.model_to_dict(row, exclude=["code", "__dbdata__"]).keys() == row.todict().keys() - {"code", "__dbdata__"}
    assert odm.model_to_dict(row, fields=iter(["code", "group"]), exclude=iter(["code"])) == {"group": "g"}
    assert odm.model_to_dict(await person(models), ["group"]) == {"group": 1}


async def test_model_to_dict_of_a_class():
    class Defaults(odm.StdModel):
        name = odm.SymbolField(default="x")
        size = odm.IntegerField(default=lambda: 3)
        zero = odm.IntegerField(default=0)
        group = odm.ForeignKey(Group, default=2, related_name="+")

        class Meta:
            register = False

    assert odm.model_to_dict(Defaults) == {"name": "x", "size": 3, "group": 2}
    assert odm.model_to_dict(Defaults, exclude=["size"]) == {"name": "x", "group": 2}
    assert odm.model_to_dict(Defaults, fields=["size", "zero"]) == {"size": 3}
    assert odm.model_to_dict(SimpleModel) == odm.model_to_dict(Plain) == {}
