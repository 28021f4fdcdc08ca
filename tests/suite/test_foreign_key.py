"""Foreign keys: the two attributes, lazy loading, parents that are not saved yet, managers of the other side."""

from __future__ import annotations

import pickle

import pytest

from stdnet import CommitException, FieldError, FieldValueError, InvalidTransaction, QuerySetError, getdb, odm
from stdnet.errors import ImproperlyConfigured, RelationNotLoaded

from ..conftest import do, round_trips, transaction
from .relation_models import City, Entry, Feed1, Feed2, Group, Node, Person, Remark, State, names, related

MODELS = [Person, Node, Feed1, Feed2, City, Remark]


async def test_a_key_is_an_id_and_an_object(models):
    group = await do(models.group.new(name="admin"))
    person = await do(models.person.new(name="luca", group=group))
    assert (person.group_id, person.group) == (1, group)
    loaded = await do(models.person.get(id=1))
    assert loaded.group_id == 1
    assert not hasattr(loaded, "_group_cache")
    async with round_trips(models, 1):
        found = await related(loaded, "group")
        assert found.name == "admin"
        assert loaded.group is found
        assert loaded._group_cache is found
    assert found.session is loaded.session


async def test_a_key_takes_an_id(models):
    await do(models.group.new(name="admin"))
    person = await do(models.person.new(name="luca", group=1))
    assert (await related(person, "group")).name == "admin"
    assert (await do(models.person.new(name="anna", group="1"))).group_id == 1


async def test_a_new_id_makes_the_object_stale(models):
    one, two = await do(models.group.new(name="one")), await do(models.group.new(name="two"))
    person = await do(models.person.new(name="luca", group=one))
    person.group_id = two.id
    assert await related(person, "group") == two
    person.group = one
    assert person.group_id == 1
    person.group = None
    assert person.group_id is None


@pytest.mark.parametrize("value", [3, "admin", Node(), Group])
def test_only_an_object_of_the_related_model_can_be_assigned(value):
    person = Person(name="luca")
    with pytest.raises(ValueError, match=r"related\.person\.group.*related\.group"):
        person.group = value
    assert person.group_id is None


def test_the_constructor_refuses_other_objects_and_the_name_of_the_id():
    with pytest.raises(ValueError, match="refers to a"):
        Person(group=Node())
    with pytest.raises(ValueError, match="neither"):
        Person(group="abc")
    with pytest.raises(ValueError, match='Did you mean "group"'):
        Person(group_id=1)


async def test_a_required_key_that_leads_nowhere(models):
    with pytest.raises(Group.DoesNotExist, match="is not set"):
        _ = Person(name="luca").group
    with pytest.raises(FieldValueError, match="group_id"):
        await do(models.person.new(name="luca"))
    person = await do(models.person.new(name="luca", group=7))
    with pytest.raises(Group.DoesNotExist, match="refers to 7"):
        await related(await do(models.person.get(id=person.id)), "group")


async def test_an_optional_key_that_leads_nowhere_reads_as_none_and_loses_its_id(models):
    feed = await do(models.feed1.new(name="a", live=7))
    loaded = await do(models.feed1.get(id=feed.id))
    assert loaded.live_id == 7
    assert await related(loaded, "live") is None
    assert loaded.live_id is None
    assert loaded.prev is None


async def test_parents_are_saved_with_their_children(models):
    person = Person(name="luca", group=Group(name="admin"))
    assert person.group_id is None
    async with round_trips(models, 1), transaction(models.session()) as t:
        t.add(person)
    assert (person.group_id, person.group.id, person.group.session) == (1, 1, person.session)
    assert t.saved[Group] == [person.group]
    assert [each.group_id for each in await do(models.person.all())] == [1]


async def test_children_of_one_unsaved_parent_share_it(models):
    group = Group(name="admin")
    session = models.session()
    async with transaction(session) as t:
        for name in ("a", "b", "c"):
            t.add(Person(name=name, group=group))
        t.add(group)
    assert await do(models.group.count()) == 1
    assert [person.group_id for person in await do(models.person.all())] == [1, 1, 1]
    assert [person.name for person in t.saved[Person]] == ["a", "b", "c"]


async def test_ids_follow_the_order_of_adding_whatever_waits_for_what(models):
    old = await do(models.group.new(name="old"))
    async with transaction(models.session()) as t:
        for n in range(6):
            t.add(Person(name=str(n), group=old if n % 2 else Group(name=f"new {n}")))
    assert names(await do(models.person.all())) == ["0", "1", "2", "3", "4", "5"]
    assert [person.group_id for person in await do(models.person.all())] == [2, 1, 3, 1, 4, 1]


async def test_a_chain_of_parents_is_saved_from_its_root(models):
    node = None
    for weight in range(2000):
        node = Node(parent=node, weight=weight)
    async with round_trips(models, 1):
        await do(models.node.save(node))
    assert (node.id, node.parent_id, node.parent.parent.weight) == (2000, 1999, 1997)
    assert await do(models.node.filter(parent=None).get_field("weight").all()) == [0.0]


async def test_a_parent_that_was_saved_meanwhile(models):
    group = Group(name="admin")
    person = Person(name="luca", group=group)
    await do(models.group.save(group))
    assert person.group is group
    async with round_trips(models, 1):
        await do(models.person.save(person))
    assert person.group_id == group.id
    assert await do(models.group.count()) == 1


async def test_unsaved_parents_with_ids_of_their_own(models):
    city = City(name="Genoa", state=State(code="IT"))
    remark = Remark(text="!", entry=Entry(book="Emma", word="rich"))
    assert city.state_id == "IT"
    assert remark.entry_id == remark.entry.pkvalue()
    city.state.code = "LI"
    remark.entry.word = "handsome"
    async with transaction(models.session()) as t:
        t.add(city)
        t.add(remark)
    assert (await related(await do(models.city.get()), "state")).code == "LI"
    assert (await related(await do(models.remark.get()), "entry")).word == "handsome"


async def test_a_refused_commit_leaves_parent_and_child_usable(models):
    person = Person(name="", group=Group(name="admin"))
    with pytest.raises(FieldValueError, match="name"):
        await do(models.person.save(person))
    assert (person.group_id, person.group.id) == (None, None)
    person.name = "luca"
    person.group.name = ""
    with pytest.raises(FieldValueError, match=r"related\.group"):
        await do(models.person.save(person))
    assert await do(models.group.count()) == 0
    person.group.name = "admin"
    await do(models.person.save(person))
    assert (person.group_id, await do(models.group.count())) == (1, 1)


async def test_unsaved_objects_in_a_circle_are_refused(models):
    one, two = Node(), Node()
    one.parent, two.parent = two, one
    with pytest.raises(CommitException, match="circle"):
        await do(models.node.save(one))
    assert await do(models.node.count()) == 0
    one.parent = None
    await do(models.node.save(two))
    assert (two.parent_id, one.id) == (1, 1)


async def test_an_unsaved_parent_in_another_backend_is_refused(server, router_class):
    router = router_class(server)
    router.register(Group, getdb("memory://"))
    router.register(Person)
    with pytest.raises(InvalidTransaction, match="another backend"):
        await do(router.person.new(name="luca", group=Group(name="admin")))
    assert await do(router.group.count()) == await do(router.person.count()) == 0
    group = await do(router.group.new(name="admin"))
    person = await do(router.person.new(name="luca", group=group))
    assert (await related(await do(router.person.get(id=person.id)), "group")).name == "admin"


async def test_a_related_model_that_is_not_registered(server, router_class):
    router = router_class(server)
    router.register(Person, include_related=False)
    assert Group not in router
    for outcome in (
        lambda: router.person.new(name="luca", group=Group(name="admin")),
        lambda: router.person.filter(group__name="admin").all(),
        lambda: router.person.query().sort_by("group__name").all(),
        lambda: router.person.query().load_related("group").all(),
        lambda: router.person.query().load_only("group__name").all(),
        lambda: router.person.exclude(group__name__startswith="a").all(),
        lambda: router.add(Group(name="admin")),
        lambda: router.session().query(Group),
    ):
        with pytest.raises(InvalidTransaction, match=r"related\.group.*not registered"):
            await do(outcome())
    assert await do(router.person.count()) == 0
    person = await do(router.person.new(name="luca", group=1))
    with pytest.raises(InvalidTransaction, match=r"related\.group.*not registered"):
        await related(person, "group")


async def test_without_a_session_nothing_is_loaded(models):
    person = Person(name="luca", group=1)
    with pytest.raises(RelationNotLoaded, match="no session"):
        _ = person.group
    assert person.group_id == 1


async def test_a_key_that_was_not_loaded_has_no_attribute(models):
    await do(models.person.new(name="luca", group=Group(name="admin")))
    person = await do(models.person.query().load_only("name").get())
    assert not hasattr(person, "group_id")
    assert not hasattr(person, "group")
    person = await do(models.person.query().load_only("group").get())
    assert (person.group_id, person._loadedfields) == (1, ("group",))


async def test_copies_keep_keys(models):
    person = await do(models.person.new(name="luca", group=Group(name="admin")))
    assert pickle.loads(pickle.dumps(person)).group_id == 1
    assert person.clone(name="anna").group_id == 1
    assert person.clone(group=None).group_id is None
    assert person.tojson() == {"id": 1, "name": "luca", "group": 1}
    assert person.todict()["group"] == 1
    assert Person.from_base64_data(**person.tojson()).group_id == 1
    other = Person(name="x", group=Group(name="new")).clone()
    await do(models.person.save(other))
    assert other.group.name == "new"
    assert person.get_attr_value("group__name") == "admin"


async def test_managers_of_the_other_side(models):
    one = await do(models.group.new(name="one"))
    async with transaction(one.session) as t:
        for n in range(4):
            t.add(Person(name=f"p{n}", group=one if n < 3 else Group(name="two")))
    manager = one.person_group_set
    assert names(await do(manager.all())) == ["p0", "p1", "p2"]
    assert await do(manager.count()) == 3
    assert names(await do(manager.filter(name=("p1", "p3")).all())) == ["p1"]
    assert names(await do(manager.exclude(name="p1").all())) == ["p0", "p2"]
    assert await do(manager.filter(group=2).all()) == []
    assert (await do(manager.get(name="p2"))).group_id == 1
    assert manager.query().session is one.session
    assert Group._meta.related["person_group_set"].relmodel is Group
    assert Group.person_group_set.model is Person


async def test_managers_need_an_instance_that_is_saved_and_a_session(models):
    with pytest.raises(QuerySetError, match="belongs to a class"):
        Group.person_group_set.query()
    with pytest.raises(QuerySetError, match="without a session"):
        Group(id=1).person_group_set.query()
    group = Group(name="x")
    group.session = models.session()
    with pytest.raises(QuerySetError, match="not saved"):
        group.person_group_set.filter(name="x")
    assert await do(Group.person_group_set.query(models.session()).count()) == 0
    with pytest.raises(AttributeError, match="cannot be set"):
        group.person_group_set = []


async def test_a_manager_class_of_ones_own(models):
    class Recent(odm.One2ManyRelatedManager):
        def newest(self):
            return self.query().sort_by("-id")

    class Owner(odm.StdModel):
        class Meta:
            register = False

    class Pet(odm.StdModel):
        owner = odm.ForeignKey(Owner, related_name="pets", related_manager_class=Recent)

        class Meta:
            register = False

    models.register(Pet)
    owner = await do(models.owner.new())
    async with transaction(owner.session) as t:
        for _ in range(3):
            t.add(Pet(owner=owner))
    assert [pet.id for pet in await do(owner.pets.newest().all())] == [3, 2, 1]


def test_names_of_the_other_side():
    assert set(CrossDataRelated := vars(Feed1.live.field.relmodel)["_meta"].related) == {
        "feed1_live_set",
        "feed1_prev_set",
        "feed2_live_set",
        "feed2_prev_set",
    }
    assert CrossDataRelated["feed2_prev_set"].model is Feed2
    assert (Feed1.live.field.attname, Feed1.live.field.on_delete) == ("live_id", odm.SET_NULL)
    assert repr(Feed1.live) == "live"


class Plain(odm.StdModel):
    people = odm.SymbolField()

    class Meta:
        register = False


@pytest.mark.parametrize("name", ["people", "id", "save", "_people", "a__b"])
def test_related_names_that_clash(name):
    with pytest.raises(FieldError, match=name):

        class Clash(odm.StdModel):
            key = odm.ForeignKey(Plain, related_name=name)

            class Meta:
                app_label = "related"

    assert Plain._meta.related == {}
    assert odm.get_model_from_hash(odm.meta.hash_of("related.clash")) is None


def test_of_two_keys_with_one_related_name_nothing_is_left():
    with pytest.raises(FieldError, match="people_of"):

        class Twice(odm.StdModel):
            one = odm.ForeignKey(Plain, related_name="people_of")
            two = odm.ForeignKey(Plain, related_name="people_of")

            class Meta:
                register = False

    assert Plain._meta.related == {}
    assert not hasattr(Plain, "people_of")


def test_declarations_that_cannot_work():
    for options, problem in (
        ({"model": None}, "needs the model"),
        ({"model": Plain, "primary_key": True}, "primary key"),
        ({"model": Plain, "on_delete": "delete"}, "on_delete"),
        ({"model": Plain, "on_delete": odm.SET_NULL}, "required"),
    ):
        with pytest.raises(FieldError, match=problem):
            odm.ForeignKey(**options)
    with pytest.raises(FieldError, match="share the attribute"):

        class Both(odm.StdModel):
            key = odm.ForeignKey(Plain, related_name="+")
            key_id = odm.IntegerField()

            class Meta:
                register = False

    with pytest.raises(FieldError, match="has rows"):

        class ToAbstract(odm.StdModel):
            key = odm.ForeignKey(odm.StdModel)

            class Meta:
                register = False

    with pytest.raises(ImproperlyConfigured, match="cannot be ordered"):

        class Ordered(odm.StdModel):
            key = odm.ForeignKey(Plain, related_name="+")

            class Meta:
                register = False
                ordering = "key"


async def test_keys_by_name(models, request):
    label = request.node.name

    class Early(odm.StdModel):
        later = odm.ForeignKey("later", required=False)
        same = odm.ForeignKey(f"{label.upper()}.LATER", required=False)

        class Meta:
            register = False
            app_label = label

    assert (Early.later.field.relmodel, Early.same.field.relmodel) == ("later", f"{label.upper()}.LATER")
    unready = type(models)("memory://")
    unready.register(Early)
    with pytest.raises(ImproperlyConfigured, match="not defined"):
        await do(unready.early.new())
    with pytest.raises(ImproperlyConfigured, match="not defined"):
        Early()

    class Later(odm.StdModel):
        class Meta:
            register = False
            app_label = label

    assert Early.later.field.relmodel is Early.same.field.relmodel is Later
    models.register(Early)
    assert Later in models
    assert (await do(models.early.new(later=Later()))).later_id == 1


async def test_concrete_models_inherit_keys_with_managers_of_their_own(models):
    class Boss(Person):
        class Meta:
            register = False

    try:
        assert Boss.group is not Person.group
        assert Group._meta.related["boss_group_set"].model is Boss
        models.register(Boss)
        group = await do(models.group.new(name="x"))
        await do(models.boss.new(name="b", group=group))
        assert names(await do(group.boss_group_set.all())) == ["b"]
        assert await do(group.person_group_set.all()) == []
    finally:
        Group._meta.drop_related(Boss)


async def test_update_or_create_and_queries_refuse_an_unsaved_object(models):
    with pytest.raises(QuerySetError, match="not saved yet"):
        await do(models.person.filter(group=Group()).all())
    group = await do(models.group.new(name="x"))
    person, created = await do(models.person.update_or_create(name="luca", group=group))
    assert (created, person.group_id) == (True, 1)
    again, created = await do(models.person.update_or_create(name="luca", group=group))
    assert (created, again.id) == (False, 1)


async def test_a_one_to_one_key(models):
    class Passport(odm.StdModel):
        holder = odm.ForeignKey(Person, related_name="+", unique=True)

        class Meta:
            register = False

    models.register(Passport)
    person = Person(name="luca", group=Group(name="x"))
    await do(models.passport.new(holder=person))
    with pytest.raises(CommitException, match="holder_id"):
        await do(models.passport.new(holder=person))
    assert (await do(models.passport.get(holder=person))).id == 1
    assert await do(person.session.delete(person)) == [1]
    assert await do(models.passport.count()) == 0


async def test_load_related_model(models):
    await do(models.person.new(name="luca", group=Group(name="admin", description="all")))
    person = await do(models.person.get())
    load = person.aload_related_model if person.session.is_async else person.load_related_model
    with pytest.raises(ValueError, match="not a relation"):
        await do(load("name"))
    with pytest.raises(ValueError, match="not a relation"):
        await do(load("nothing"))
    with pytest.raises(QuerySetError, match="nothing"):
        await do(load("group", load_only=["nothing"]))
    group = await do(load("group", load_only="name"))
    assert (group.name, group._loadedfields) == ("admin", ("name",))
    assert person.group is group
    person = await do(models.person.get())
    load = person.aload_related_model if person.session.is_async else person.load_related_model
    assert (await do(load("group", dont_load=["name"])))._loadedfields == ("description",)


async def test_a_pending_object_is_the_related_one(models):
    person = await do(models.person.new(name="luca", group=Group(name="admin")))
    session = models.session()
    async with transaction(session) as t:
        group = await do(session.query(Group).get(id=1))
        group.name = "changed"
        t.add(group)
        found = await do(session.query(Person).get(id=person.id))
        assert await related(found, "group") is group
