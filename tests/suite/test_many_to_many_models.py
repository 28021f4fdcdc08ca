"""Declaring many-to-many relations: through models, what both sides know, inheritance, names, what is refused."""

from __future__ import annotations

import pytest

from stdnet import (
    FieldError,
    InvalidTransaction,
    ManyToManyError,
    odm,
)
from stdnet.errors import ImproperlyConfigured

from ..conftest import do
from .relation_models import Manager, Member, Membership, Position, Profile, Role, User, names

MODELS = [Profile, Member, User, Position]

ProfileRole = Profile.roles.through


def test_the_automatic_through_model():
    meta = ProfileRole._meta
    assert (meta.name, meta.app_label, meta.modelkey) == ("profile_role", "related", "related.profile_role")
    assert list(meta.dfields) == ["profile", "role", "id"]
    assert {field.attname for field in meta.indices} == {"profile_id", "role_id"}
    assert isinstance(meta.pk, odm.CompositeIdField)
    assert [field.name for field in meta.pk.fields] == ["profile", "role"]
    assert (ProfileRole.profile.field.relmodel, ProfileRole.role.field.relmodel) == (Profile, Role)
    assert odm.get_model_from_hash(odm.meta.hash_of("related.profile_role")) is ProfileRole


def test_what_both_sides_know():
    assert "roles" in Profile._meta.related
    assert "profiles" in Role._meta.related
    assert "roles" not in Profile._meta.dfields
    assert {field.name for field in Profile._meta.fields} == {"id", "name", "roles"}
    manager = Profile.roles
    assert (manager.model, manager.through, manager.formodel, manager.relmodel) == (
        ProfileRole,
        ProfileRole,
        Role,
        Profile,
    )
    assert (manager.name_relmodel, manager.name_formodel) == ("profile", "role")
    other = Role.profiles
    assert (other.model, other.formodel, other.relmodel) == (ProfileRole, Profile, Role)
    assert (other.name_relmodel, other.name_formodel) == ("role", "profile")
    assert next(field for field in Profile._meta.fields if field.name == "roles").through is ProfileRole


def test_the_same_model_on_both_sides():
    through = User.following.through
    assert through._meta.name == "user_user"
    assert list(through._meta.dfields) == ["user", "user2", "id"]
    assert (User.following.name_relmodel, User.following.name_formodel) == ("user", "user2")
    assert (User.followers.name_relmodel, User.followers.name_formodel) == ("user2", "user")


def test_a_through_model_of_ones_own():
    assert Member.clubs.through is Membership
    assert list(Membership._meta.dfields) == ["level", "note", "member", "club", "id"]
    assert isinstance(Membership._meta.pk, odm.CompositeIdField)


@pytest.mark.parametrize("model", [Profile, Role])
async def test_registering_either_side_registers_the_through_model(server, router_class, model):
    router = router_class(server)
    router.register(model)
    assert ProfileRole in router
    assert Profile in router
    assert Role in router
    assert router.profile_role.model is ProfileRole


async def test_without_related_models(server, router_class):
    router = router_class(server)
    router.register(Profile, include_related=False)
    assert (ProfileRole in router, Role in router, len(router)) == (False, False, 1)
    profile = await do(router.profile.new(name="a"))
    for outcome in (
        lambda: profile.roles.all(),
        lambda: profile.roles.throughquery(),
        lambda: profile.roles.add(Role(id=1)),
        lambda: router.profile.filter(roles__name="x").all(),
        lambda: router.profile.query().load_related("roles").all(),
    ):
        with pytest.raises((InvalidTransaction, ManyToManyError)):
            await do(outcome())


async def test_inherited_from_an_abstract_base(models):
    class Tagged(odm.StdModel):
        tags = odm.ManyToManyField(Manager)

        class Meta:
            abstract = True

    class Post(Tagged):
        class Meta:
            register = False
            app_label = "related"

    class Photo(Tagged):
        class Meta:
            register = False
            app_label = "related"

    try:
        assert Post.tags.through is not Photo.tags.through
        assert Post.tags.through._meta.name == "post_manager"
        assert {"post_set", "photo_set"} <= set(Manager._meta.related)
        assert "tags" not in Tagged._meta.related
        models.register(Post)
        models.register(Photo)
        post, photo, tag = (
            await do(models.post.new()),
            await do(models.photo.new()),
            await do(models.manager.new(name="x")),
        )
        await do(post.tags.add(tag))
        assert names(await do(post.tags.all())) == ["x"]
        assert await do(photo.tags.all()) == []
        assert [each.id for each in await do(tag.post_set.all())] == [1]
        assert await do(models.post.filter(tags__name="x").count()) == 1
        assert await do(models.photo.filter(tags__name="x").count()) == 0
        assert await do(tag.session.delete(tag)) == [1]
        assert await do(post.tags.count()) == 0
    finally:
        for model in (Post, Photo):
            Manager._meta.drop_related(model.tags.through)


async def test_by_name_before_the_class_exists(models, request):
    label = request.node.name

    class Book(odm.StdModel):
        authors = odm.ManyToManyField("author", through="wrote", related_name="books")

        class Meta:
            register = False
            app_label = label

    assert not hasattr(Book, "authors") or Book._meta.related == {}

    class Author(odm.StdModel):
        name = odm.SymbolField()

        class Meta:
            register = False
            app_label = label

    assert "authors" not in Book._meta.related

    class Wrote(odm.StdModel):
        share = odm.FloatField(default=1.0)

        class Meta:
            register = False
            app_label = label

    assert Book.authors.through is Wrote
    models.register(Author)
    assert [model in models for model in (Book, Author, Wrote)] == [True, True, True]
    book, author = await do(models.book.new()), await do(models.author.new(name="Ann"))
    assert (await do(book.authors.add(author))).share == 1.0
    assert names(await do(book.authors.all())) == ["Ann"]
    assert await do(author.books.count()) == 1


async def test_a_custom_through_model_with_keys_of_its_own(models, request):
    class Team(odm.StdModel):
        name = odm.SymbolField()

        class Meta:
            register = False

    class Player(odm.StdModel):
        name = odm.SymbolField()
        teams = odm.ManyToManyField(Team, through="contract", related_name="players")

        class Meta:
            register = False
            app_label = request.node.name

    class Contract(odm.StdModel):
        team = odm.ForeignKey(Team, related_name="contracts")
        player = odm.ForeignKey(Player, related_name="contracts")
        pay = odm.IntegerField()

        class Meta:
            register = False
            app_label = request.node.name

    models.register(Player)
    team, player = await do(models.team.new(name="t")), await do(models.player.new(name="p"))
    await do(player.teams.add(team, pay=3))
    assert [each.pay for each in await do(player.contracts.all())] == [3]
    assert await do(models.player.filter(contracts__pay__gt=2, teams__name="t").count()) == 1
    assert names(await do(team.players.all())) == ["p"]


async def test_two_relations_to_one_model(models):
    class Task(odm.StdModel):
        owners = odm.ManyToManyField(Role, related_name="owned")
        watchers = odm.ManyToManyField(Role, related_name="watched")

        class Meta:
            register = False

    try:
        assert Task.owners.through is not Task.watchers.through
        models.register(Task)
        task, role = await do(models.task.new()), await do(models.role.new(name="r"))
        await do(task.owners.add(role))
        assert [await do(task.owners.count()), await do(task.watchers.count())] == [1, 0]
        assert await do(models.task.filter(watchers=role).count()) == 0
        assert await do(models.task.filter(owners=role).count()) == 1
    finally:
        for through in (Task.owners.through, Task.watchers.through):
            Role._meta.drop_related(through)


def test_declarations_that_cannot_work():
    with pytest.raises(FieldError, match="needs the model"):
        odm.ManyToManyField(None)
    before = set(Role._meta.related)
    for options, problem in (
        ({"related_name": "name"}, "name"),
        ({"related_name": "profiles"}, "profiles"),
        ({"related_name": "_x"}, "_x"),
    ):
        with pytest.raises(FieldError, match=problem):

            class Clash(odm.StdModel):
                roles = odm.ManyToManyField(Role, **options)

                class Meta:
                    register = False

    with pytest.raises(FieldError, match="abstract"):

        class ToAbstract(odm.StdModel):
            others = odm.ManyToManyField(odm.StdModel)

            class Meta:
                register = False

    class Keyed(odm.StdModel):
        code = odm.SymbolField(primary_key=True)

        class Meta:
            register = False

    with pytest.raises(FieldError, match="primary key"):

        class ThroughKeyed(odm.StdModel):
            roles = odm.ManyToManyField(Role, through=Keyed)

            class Meta:
                register = False

    class Wrong(odm.StdModel):
        role = odm.SymbolField()

        class Meta:
            register = False

    with pytest.raises(FieldError, match="required ForeignKey"):

        class ThroughWrong(odm.StdModel):
            roles = odm.ManyToManyField(Role, through=Wrong)

            class Meta:
                register = False

    for model in (3, object()):
        with pytest.raises(FieldError, match="refers to"):

            class ToNothing(odm.StdModel):
                others = odm.ManyToManyField(model)

                class Meta:
                    register = False

    assert set(Role._meta.related) == before


def test_a_model_that_failed_leaves_no_through_model_behind():
    for _ in range(2):
        with pytest.raises(FieldError, match="profiles"):

            class Failed(odm.StdModel):
                roles = odm.ManyToManyField(Role, related_name="profiles")

                class Meta:
                    app_label = "related"

    assert odm.get_model_from_hash(odm.meta.hash_of("related.failed")) is None
    assert odm.get_model_from_hash(odm.meta.hash_of("related.failed_role")) is None
    assert odm.get_model_from_hash(odm.meta.hash_of("related.profile_role")) is ProfileRole


def test_a_through_model_of_ones_own_stays_as_it_is_when_the_model_fails():
    class Link(odm.StdModel):
        level = odm.IntegerField()

        class Meta:
            register = False

    def declare(name, other):
        class Linked(odm.StdModel):
            roles = odm.ManyToManyField(Role, through=Link, related_name=name)
            role = odm.ForeignKey(Role, related_name=other)

            class Meta:
                register = False

        return Linked

    before = set(Role._meta.related)
    for name, other in (("profiles", "+"), ("linked", "profiles")):
        with pytest.raises(FieldError, match=r"linked\.role.*'profiles', which it has already"):
            declare(name, other)
        assert list(Link._meta.dfields) == ["level", "id"]
        assert set(Role._meta.related) == before
    try:
        assert declare("linked", "+").roles.through is Link
        assert list(Link._meta.dfields) == ["level", "linked", "role", "id"]
    finally:
        Role._meta.drop_related(Link)


def test_what_waits_for_a_model_that_fails_waits_for_the_next(request):
    class Meta:
        app_label = request.node.name

    many = type("Many", (odm.StdModel,), {"late": odm.ManyToManyField("late", related_name="many"), "Meta": Meta})
    one = type("One", (odm.StdModel,), {"late": odm.ForeignKey("late", related_name="label"), "Meta": Meta})
    with pytest.raises(FieldError, match=r"one\.late.*'label', which it has already"):
        type("Late", (odm.StdModel,), {"label": odm.SymbolField(), "Meta": Meta})
    assert many._meta.related == {}
    late = type("Late", (odm.StdModel,), {"title": odm.SymbolField(), "Meta": Meta})
    assert many.late.formodel is one.late.field.relmodel is late
    assert set(late._meta.related) == {"many", "label"}


def test_a_name_that_is_never_defined_stays_pending(request):
    class Waiting(odm.StdModel):
        others = odm.ManyToManyField("never.defined")

        class Meta:
            register = False
            app_label = request.node.name

    router = odm.Router("memory://")
    router.register(Waiting)
    waiting = router.waiting.new()
    with pytest.raises((ImproperlyConfigured, AttributeError)):
        waiting.others.all()
