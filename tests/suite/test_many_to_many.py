"""Links between rows of a many-to-many relation: adding, removing, queries from both sides, what deletes do to them."""

from __future__ import annotations

import pytest

from stdnet import CommitException, FieldValueError, ManyToManyError, QuerySetError, getdb

from ..conftest import do, round_trips, transaction
from .golden import store
from .holdings import holdings, members, profiles, users
from .relation_models import Club, Group, Member, Membership, Position, Profile, Role, User, names

MODELS = [Profile, Member, User, Position]

ProfileRole = Profile.roles.through


async def test_add(models):
    session = await store(models, Profile(name="a"), Role(name="admin"))
    profile, role = await do(session.query(Profile).get()), await do(session.query(Role).get())
    async with round_trips(models, 1):
        link = await do(profile.roles.add(role))
    assert type(link) is ProfileRole
    assert (link.profile_id, link.role_id, link.profile, link.role) == (1, 1, profile, role)
    assert link.id == link.pkvalue()
    assert names(await do(profile.roles.all())) == ["admin"]
    assert names(await do(role.profiles.all())) == ["a"]
    assert await do(profile.roles.count()) == await do(models.profile_role.count()) == 1


async def test_adding_twice_is_harmless(models):
    q = await profiles(models)
    a = await do(q.get(name="a"))
    role = await do(q.session.query(Role).get(name="admin"))
    again = await do(a.roles.add(role))
    await do(role.profiles.add(a))
    assert await do(models.profile_role.count()) == 3
    assert (await do(a.roles.throughquery().filter(role=role).get())).id == again.id


async def test_adding_from_the_other_side(models):
    session = await store(models, Profile(name="a"), Role(name="admin"))
    profile, role = await do(session.query(Profile).get()), await do(session.query(Role).get())
    link = await do(role.profiles.add(profile))
    assert (link.profile_id, link.role_id) == (1, 1)
    assert names(await do(profile.roles.all())) == ["admin"]


async def test_remove(models):
    q = await profiles(models)
    a = await do(q.get(name="a"))
    admin = await do(q.session.query(Role).get(name="admin"))
    (link,) = await do(a.roles.throughquery().filter(role=admin).all())
    async with round_trips(models, 1):
        assert await do(a.roles.remove(admin)) == [link.id]
    assert names(await do(a.roles.all())) == ["editor"]
    assert await do(a.roles.remove(admin)) is None
    editor = await do(q.session.query(Role).get(name="editor"))
    assert len(await do(editor.profiles.remove(a))) == 1
    assert await do(a.roles.all()) == []
    assert names(await do(editor.profiles.all())) == ["b"]
    assert await do(models.role.count()) == 3


async def test_in_a_transaction(models):
    q = await profiles(models)
    a, _, c = await do(q.all())
    admin, editor, guest = await do(q.session.query(Role).all())
    async with round_trips(models, 1), transaction(q.session) as t:
        for role in (admin, guest):
            await do(c.roles.add(role))
        await do(a.roles.remove(editor))
    assert len(t.saved[ProfileRole]) == 2
    assert len(t.deleted[ProfileRole._meta]) == 1
    assert names(await do(c.roles.all())) == ["admin", "guest"]
    assert names(await do(a.roles.all())) == ["admin"]


async def test_a_transaction_does_not_show_what_is_pending(models):
    q = await profiles(models)
    c = await do(q.get(name="c"))
    admin = await do(q.session.query(Role).get(name="admin"))
    async with transaction(q.session):
        await do(c.roles.add(admin))
        assert await do(c.roles.count()) == 0
    assert await do(c.roles.count()) == 1


async def test_a_refused_transaction_links_nothing(models):
    q = await profiles(models)
    c = await do(q.get(name="c"))
    admin = await do(q.session.query(Role).get(name="admin"))
    before = await do(models.profile_role.count())
    t = q.session.begin()
    await do(c.roles.add(admin))
    t.add(Role(name="admin"))
    with pytest.raises(CommitException, match="Unique"):
        await do(t.commit())
    assert await do(models.profile_role.count()) == before
    assert await do(models.profile.filter(name="c", roles__isnull=True).count()) == 1


async def test_with_another_session(models):
    q = await profiles(models)
    c = await do(q.get(name="c"))
    guest = await do(q.session.query(Role).get(name="guest"))
    session = models.session()
    async with transaction(session) as t:
        await do(c.roles.add(guest, session=session))
    assert len(t.saved[ProfileRole]) == 1
    assert (await do(c.roles.query(session).all()))[0].session is session
    assert c.roles.query().session is q.session
    assert c.roles.throughquery(session).session is session
    assert len(await do(c.roles.remove(guest, session=session))) == 1


async def test_extra_fields(models):
    q = await members(models)
    x = await do(q.get(name="x"))
    links = await do(x.clubs.throughquery().sort_by("level").all())
    assert [(link.level, link.note) for link in links] == [(1, ""), (3, "black")]
    chess, go, golf = await do(q.session.query(Club).all())
    await do(x.clubs.add(chess, level=5, note="up"))
    assert [link.level for link in await do(x.clubs.throughquery().sort_by("level").all())] == [3, 5]
    with pytest.raises(FieldValueError, match="level"):
        await do(x.clubs.add(golf))
    with pytest.raises(ValueError, match="colour"):
        await do(x.clubs.add(golf, level=1, colour="red"))
    assert names(await do(x.clubs.all())) == ["chess", "go"]
    assert len(await do(x.clubs.remove(go))) == 1
    assert names(await do(x.clubs.all())) == ["chess"]


async def test_through_rows_are_ordinary_rows(models):
    q = await members(models)
    link = await do(q.session.query(Membership).filter(club__name="go").get())
    link.level = 9
    await do(q.session.add(link))
    x = await do(q.get(name="x"))
    assert [each.level for each in await do(x.clubs.throughquery().sort_by("-level").all())] == [9, 1]
    direct = Membership(member=x, club=3, level=4)
    await do(q.session.add(direct))
    assert names(await do(x.clubs.all())) == ["chess", "go", "golf"]
    await do(q.session.delete(direct))
    assert names(await do(x.clubs.all())) == ["chess", "go"]


async def test_moving_a_link(models):
    q = await members(models)
    link = await do(q.session.query(Membership).filter(club__name="go").get())
    old = link.id
    link.club_id = 3
    await do(q.session.add(link))
    assert link.id == link.pkvalue() != old
    x = await do(q.get(name="x"))
    assert names(await do(x.clubs.all())) == ["chess", "golf"]
    assert await do(models.membership.count()) == 3


async def test_queries_of_an_instance(models):
    q = await profiles(models)
    a = await do(q.get(name="a"))
    assert names(await do(a.roles.filter(name="admin").all())) == ["admin"]
    assert names(await do(a.roles.filter(name=("admin", "guest")).all())) == ["admin"]
    assert names(await do(a.roles.exclude(name="admin").all())) == ["editor"]
    assert names(await do(a.roles.where("this.id > 1").all())) == ["editor"]
    assert names(await do(a.roles.query().sort_by("-name").all())) == ["editor", "admin"]
    assert (await do(a.roles.get(name="editor"))).id == 2
    with pytest.raises(Role.DoesNotExist):
        await do(a.roles.get(name="guest"))
    assert await do(a.roles.filter(profiles__name="b").count()) == 1
    assert await do(a.roles.filter(id=3).all()) == []
    assert a.roles.query().session is q.session
    async with round_trips(models, 1):
        await do(a.roles.all())
    assert await do(a.roles.query().get_field("name").all()) == ["admin", "editor"]
    assert await do(a.roles.throughquery().filter(role=3).all()) == []
    assert await do(a.roles.throughquery().filter(profile=2).all()) == []


async def test_queries_of_the_class(models):
    q = await profiles(models)
    session = q.session
    assert names(await do(Profile.roles.query(session).all())) == ["admin", "editor", "guest"]
    assert names(await do(Role.profiles.query(session).all())) == ["a", "b", "c"]
    assert await do(Profile.roles.throughquery(session).count()) == 3
    assert await do(models[Profile.roles.model].count()) == 3
    for ask in (Profile.roles.query, Profile.roles.throughquery, Profile.roles.all, Role.profiles.count):
        with pytest.raises(QuerySetError, match="session"):
            ask()


async def test_an_instance_that_is_not_ready(models):
    with pytest.raises(QuerySetError, match="session"):
        Profile(id=1, name="x").roles.query()
    profile = Profile(name="x")
    profile.session = models.session()
    with pytest.raises(QuerySetError, match="not saved"):
        profile.roles.query()
    with pytest.raises(QuerySetError, match="not saved"):
        profile.roles.throughquery()
    with pytest.raises(AttributeError, match="cannot be set"):
        profile.roles = []
    with pytest.raises(ValueError, match="roles"):
        Profile(name="x", roles=[])


async def test_what_cannot_be_linked(models):
    q = await profiles(models)
    a = await do(q.get(name="a"))
    admin = await do(q.session.query(Role).get(name="admin"))
    guest = await do(q.session.query(Role).get(name="guest"))
    new = Profile(name="new")
    new.session = q.session
    before = await do(models.profile_role.count())
    for verb in ("add", "remove"):
        for manager, value, problem in (
            (Profile.roles, admin, "class"),
            (Role.profiles, a, "class"),
            (a.roles, Role(name="new"), "not saved"),
            (new.roles, admin, "not saved"),
            (a.roles, a, "holds"),
            (a.roles, Group(name="x"), "holds"),
            (a.roles, 1, "holds"),
            (a.roles, "admin", "holds"),
            (a.roles, None, "holds"),
            (a.roles, Role, "holds"),
            (a.roles, [admin], "holds"),
        ):
            with pytest.raises(ManyToManyError, match=problem):
                await do(getattr(manager, verb)(value))
    assert issubclass(ManyToManyError, QuerySetError)
    for verb in ("add", "remove"):
        with pytest.raises(QuerySetError, match="one object at a time"):
            await do(getattr(a.roles, verb)(admin, guest))
    assert await do(models.profile_role.count()) == before
    assert await do(models.role.count()) == 3
    assert not q.session.dirty
    await do(q.session.delete(guest))
    with pytest.raises(ManyToManyError, match="deleted"):
        await do(a.roles.add(guest))
    assert await do(a.roles.remove(guest)) is None
    assert await do(models.profile_role.count()) == before


async def test_deleting_either_end(models):
    q = await profiles(models)
    a = await do(q.get(name="a"))
    async with round_trips(models, 1):
        assert await do(q.session.delete(a)) == [1]
    assert await do(models.profile_role.count()) == 1
    assert await do(models.role.count()) == 3
    editor = await do(q.session.query(Role).get(name="editor"))
    async with transaction(q.session) as t:
        t.delete(editor)
    assert {meta.model: len(pks) for meta, pks in t.deleted.items()} == {ProfileRole: 1, Role: 1}
    assert await do(models.profile_role.count()) == 0
    assert names(await do(models.profile.all())) == ["b", "c"]
    b = await do(q.get(name="b"))
    assert await do(b.roles.all()) == []


async def test_signals_tell_which_links_went(models):
    q = await profiles(models)
    seen = []
    for name in ("post_commit", "post_delete"):
        getattr(models, name).bind(
            lambda event, sender, instances, name=name, **_: seen.append((name, sender, len(instances)))
        )
    b, guest = await do(q.get(name="b")), await do(q.session.query(Role).get(name="guest"))
    link = await do(b.roles.add(guest))
    assert seen == [("post_commit", ProfileRole, 1)]
    await do(b.roles.remove(guest))
    assert seen[1:] == [("post_delete", ProfileRole, 1)]
    await do(q.session.delete(await do(q.get(name="a"))))
    assert seen[2:] == [("post_delete", ProfileRole, 2), ("post_delete", Profile, 1)]
    assert await do(b.roles.throughquery().filter(id=link.id).count()) == 0


async def test_deleting_by_queries(models):
    q = await profiles(models)
    a = await do(q.get(name="a"))
    assert len(await do(a.roles.throughquery().delete())) == 2
    assert await do(a.roles.all()) == []
    b = await do(q.get(name="b"))
    assert await do(b.roles.query().delete()) == [2]
    assert names(await do(models.role.all())) == ["admin", "guest"]
    assert await do(models.profile_role.count()) == 0


async def test_users_who_follow_users(models):
    found = await users(models)
    ann, bob = found["ann"], found["bob"]
    assert names(await do(ann.following.all())) == ["bob", "cat"]
    assert names(await do(ann.followers.all())) == ["bob"]
    assert names(await do(bob.followers.filter(name="ann").all())) == ["ann"]
    await do(ann.following.add(ann))
    assert names(await do(ann.following.all())) == ["ann", "bob", "cat"]
    assert names(await do(ann.followers.all())) == ["ann", "bob"]
    assert len(await do(ann.following.remove(bob))) == 1
    assert names(await do(bob.following.all())) == ["ann"]
    assert await do(bob.followers.all()) == []
    assert await do(ann.session.delete(ann)) == [1]
    assert await do(models.user_user.count()) == 0


async def test_both_sides_and_the_links_live_in_one_backend(server, router_class):
    router = router_class(server)
    router.register(Role, getdb("memory://"), include_related=False)
    router.register(Profile)
    profile, role = await do(router.profile.new(name="a")), await do(router.role.new(name="x"))
    await do(profile.roles.add(role))
    assert await do(profile.roles.throughquery().count()) == 1
    with pytest.raises(QuerySetError, match="another backend"):
        await do(profile.roles.all())


async def test_links_do_not_disturb_other_relations(models):
    await holdings(models)
    q = await profiles(models)
    a = await do(q.get(name="a"))
    a.name = "renamed"
    await do(q.session.add(a))
    assert names(await do(a.roles.all())) == ["admin", "editor"]
    assert a.todict().keys() >= {"name"}
    assert "roles" not in a.tojson()
