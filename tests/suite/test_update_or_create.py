"""update_or_create: what it looks up, what it sets, when it creates."""

from __future__ import annotations

import pytest

from stdnet import CommitException, FieldValueError, QuerySetError
from stdnet.errors import InvalidKeyword, InvalidValue

from ..conftest import do, transaction
from .golden import stored
from .models import Country, SimpleModel

MODELS = [SimpleModel, Country]


async def test_update_or_create(models):
    session = models.session()
    row, created = await do(session.update_or_create(SimpleModel, code="a", number=1))
    assert (row.id, row.number, created) == (1, 1.0, True)
    row, created = await do(session.update_or_create(SimpleModel, code="a", number="2"))
    assert (row.id, row.number, created) == (1, 2.0, False)
    assert [(row["code"], row["number"]) for row in await stored(models)] == [("a", 2.0)]


async def test_update_or_create_by_pk(models):
    session = models.session()
    assert [await upsert(session, id=7, code="a"), await upsert(session, id="7", code="b")] == [
        (7, "a", True),
        (7, "b", False),
    ]
    assert await upsert(session, id=None, code="c") == (8, "c", True)
    row, created = await do(session.update_or_create(Country, code="it", name="Italy"))
    assert (row.code, created) == ("it", True)
    row, created = await do(session.update_or_create(Country, code="it", name="Italia"))
    assert (row.name, created) == ("Italia", False)


async def upsert(session, **kwargs):
    row, created = await do(session.update_or_create(SimpleModel, **kwargs))
    return row.id, row.code, created


async def test_update_or_create_takes_all_indexed_keywords_as_the_lookup(models):
    session = models.session()
    await upsert(session, code="a", group="g")
    with pytest.raises(CommitException):
        await upsert(session, code="a", group="other")
    assert await upsert(session, code="b", group="g") == (2, "b", True)
    # two rows have the group: neither is updated, and a third needs a code
    with pytest.raises(FieldValueError):
        await do(session.update_or_create(SimpleModel, group="g", number=5))
    assert [row["number"] for row in await stored(models)] == [None, None]


async def test_update_or_create_without_an_indexed_keyword_creates(models):
    with pytest.raises(FieldValueError):
        await do(models.session().update_or_create(SimpleModel, number=5))
    with pytest.raises(FieldValueError):
        await do(models.session().update_or_create(SimpleModel))


async def test_update_or_create_with_bad_keywords(models):
    session = models.session()
    await upsert(session, code="a")
    for code in ("a", "new"):
        with pytest.raises(InvalidKeyword, match="nope"):
            await do(session.update_or_create(SimpleModel, code=code, nope=1))
        with pytest.raises(InvalidValue):
            await do(session.update_or_create(SimpleModel, code=code, number="abc"))
    with pytest.raises(QuerySetError):
        await do(session.update_or_create(SimpleModel, id="abc", code="x"))
    assert [row["code"] for row in await stored(models)] == ["a"]


async def test_update_or_create_inside_a_transaction(models):
    session = models.session()
    async with transaction(session):
        row, created = await do(session.update_or_create(SimpleModel, code="a"))
        assert (row.id, created) == (None, True)
    assert row.id == 1
