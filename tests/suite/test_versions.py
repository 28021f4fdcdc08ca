"""VersionField: who comes too late is told, and nothing of it is stored."""

from __future__ import annotations

import pickle

import pytest

from stdnet import CommitException, ConflictError, FieldError, FieldValueError, odm

from ..conftest import do, round_trips


class Page(odm.StdModel):
    title = odm.SymbolField()
    text = odm.CharField()
    views = odm.IntegerField(default=0)
    version = odm.VersionField()

    class Meta:
        app_label = "versions"


class Note(odm.StdModel):
    page = odm.ForeignKey(Page, related_name="notes")
    text = odm.CharField()

    class Meta:
        app_label = "versions"


MODELS = [Page, Note]


async def saved(models, **values):
    return await do(models.session().add(Page(**{"title": "a", **values})))


async def test_a_version_counts_the_saves(models):
    page = await saved(models)
    assert page.version == 1
    for expected in (2, 3):
        page.text += "."
        assert (await do(page.session.add(page))).version == expected
    stored = await do(models.page.get(id=1))
    assert (stored.version, stored.text) == (3, "..")
    assert (await saved(models, version=7)).version == 1


async def test_a_stale_copy_is_refused_and_told_what_has_changed(models):
    await saved(models)
    first, second = await do(models.page.get(id=1)), await do(models.page.get(id=1))
    first.text, first.views = "first", 5
    await do(first.session.add(first))
    second.title = "b"
    with pytest.raises(ConflictError, match="at version 2, not 1, and differs in text, views") as info:
        await do(second.session.add(second))
    error = info.value
    assert isinstance(error, CommitException)
    assert (error.failures, error.instances) == (1, (second,))
    (conflict,) = error.conflicts
    assert (conflict.model, conflict.pk, conflict.fields) == ("versions.page", 1, ("text", "views"))
    assert (conflict.expected, conflict.found, conflict.gone) == (1, 2, False)
    copy = pickle.loads(pickle.dumps(ConflictError(error.conflicts)))
    assert (copy.conflicts, str(copy).partition(". ")[2]) == (error.conflicts, error.reasons[0])
    assert second.version == 1
    again = await do(models.page.get(id=1))
    again.title = second.title
    assert (await do(again.session.add(again))).version == 3


async def test_the_whole_commit_is_refused(models):
    await saved(models)
    stale = await do(models.page.get(id=1))
    await do(models.page.filter(id=1).update(text="x"))
    session = models.session()
    begun = session.begin()
    begun.add(Page(title="new"))
    begun.add(stale)
    with pytest.raises(ConflictError) as info:
        await do(session.commit())
    assert info.value.instances == (stale,)
    assert await do(models.page.count()) == 1


async def test_a_row_that_was_deleted(models):
    page = await saved(models)
    await do(models.page.filter(id=1).delete())
    page.text = "late"
    with pytest.raises(ConflictError, match=r"The row 1 of versions\.page was deleted since") as info:
        await do(models.session().add(page))
    assert info.value.conflicts[0].gone
    assert await do(models.page.count()) == 0


async def test_parts_of_rows_are_checked_too(models):
    await saved(models)
    part = await do(models.page.query().load_only("title").get())
    other = await do(models.page.query().dont_load("version", "text").get())
    assert part.version == other.version == 1
    part.title = "b"
    await do(part.session.add(part))
    other.views = 3
    with pytest.raises(ConflictError, match="differs in title"):
        await do(other.session.add(other))


async def test_rows_that_were_loaded_along(models):
    page = await saved(models)
    await do(models.session().add(Note(page=page, text="n")))
    note = await do(models.note.query().load_related("page", "title").get())
    note.page.title = "b"
    assert (await do(note.session.add(note.page))).version == 2


async def test_a_form_brings_the_version_that_it_was_made_for(models):
    await saved(models)
    await do(models.page.filter(id=1).update(views=1))
    page = await do(models.page.get(id=1))
    page.version, page.text = 1, "from a form"
    with pytest.raises(ConflictError, match="it is at version 2, not 1"):
        await do(page.session.add(page))


async def test_an_instance_of_unknown_version_is_not_saved(models):
    await saved(models)
    session = models.session()
    with pytest.raises(FieldValueError, match=r"The version of this 'versions\.page' is not known"):
        await do(session.add(Page(id=1, title="b"), persistent=True))
    known = await do(session.add(Page(id=1, title="b", version=1), persistent=True, force_update=True))
    assert (known.version, (await do(models.page.get(id=1))).title) == (2, "b")


async def test_pickles_keep_their_version(models):
    page = pickle.loads(pickle.dumps(await saved(models)))
    page.text = "b"
    assert (await do(models.session().add(page))).version == 2


async def test_updates_raise_versions(models):
    for _ in range(3):
        await saved(models)
    assert await do(models.page.filter(id__gt=1).update(views=odm.F("views") + 1)) == 2
    assert [page.version for page in await do(models.page.all())] == [1, 2, 2]


async def test_a_version_for_rows_that_had_none(models, server):
    class Former(odm.StdModel):
        title = odm.SymbolField()
        text = odm.CharField()
        views = odm.IntegerField(default=0)

        class Meta:
            app_label = "versions"
            name = "page"
            register = False

    former = type(models)(server)
    former.register(Former)
    for _ in range(2):
        await do(former.session().add(Former(title="a")))
    page = await do(models.page.get(id=1))
    assert page.version is None
    page.text = "b"
    assert (await do(page.session.add(page))).version == 1
    await do(models.page.filter(id=2).update(text="c"))
    assert (await do(models.page.get(id=2))).version == 1


async def test_a_check_costs_no_round_trip(models):
    page = await saved(models)
    async with round_trips(models, 1):
        await do(page.session.add(page))


@pytest.mark.parametrize("option", ["unique", "primary_key", "required", "as_cache", "default"])
def test_a_version_is_no_ordinary_field(option):
    with pytest.raises(FieldError, match=f"cannot have {option}"):
        odm.VersionField(**{option: True})


def test_a_model_has_one_version():
    with pytest.raises(FieldError, match="two versions, one and two"):
        type("Twice", (odm.StdModel,), {"one": odm.VersionField(), "two": odm.VersionField()})
