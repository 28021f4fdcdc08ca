"""Managers: short-hands, what they show of their model, and managers of one's own."""

from __future__ import annotations

import copy

import pytest

from stdnet import CommitException, FieldValueError, QuerySetError, odm
from stdnet.errors import InvalidKeyword, InvalidValue

from ..conftest import do, round_trips
from .golden import codes, store
from .models import Country, SimpleModel

MODELS = [SimpleModel, Country]


class SyncBooks(odm.Manager):
    def something(self):
        return "I am a custom manager"

    def query(self, session=None):
        return super().query(session).filter(shelf="open")

    def titles(self):
        return self.query().get_field("title")


class AsyncBooks(odm.AsyncManager):
    something = SyncBooks.something
    titles = SyncBooks.titles

    def query(self, session=None):
        return super().query(session).filter(shelf="open")


class Long(odm.Query):
    def long(self):
        return self.filter(title__contains="of")


class AsyncLong(odm.AsyncQuery):
    long = Long.long


class Book(odm.StdModel):
    title = odm.SymbolField(unique=True)
    shelf = odm.SymbolField(default="open")

    manager_class = SyncBooks
    async_manager_class = AsyncBooks

    class Meta:
        app_label = "suite"


async def test_short_hands(models):
    manager = models.simplemodel
    row = await do(manager.new(code="a", group="g"))
    assert (row.id, type(row)) == (1, SimpleModel)
    row.number = 3
    assert await do(manager.save(row)) is row
    assert (await do(manager.get(code="a"))).number == 3
    assert await do(manager.update_or_create(code="b")) == (await do(manager.get(code="b")), True)
    assert [each.code for each in await do(manager.all())] == ["a", "b"]
    assert await codes(manager.query()) == "a b"
    assert await codes(manager.filter(group="g")) == "a"
    assert await codes(manager.exclude(group="g")) == "b"
    assert await codes(manager.where("this.number == 3")) == "a"
    assert await do(manager.empty().all()) == []
    assert await do(manager.count()) == 2
    assert manager.pkvalue(row) == 1
    assert manager(code="c").code == "c"
    assert len(await do(manager.keys())) > 2
    assert await do(manager.clean()) == 0
    assert await do(manager.create_all()) is None
    assert await do(manager.flush()) > 0
    assert await do(manager.count()) == 0


async def test_one_round_trip_each(models):
    manager = models.simplemodel
    for verb in (
        lambda: manager.new(code="a"),
        manager.all,
        manager.count,
        lambda: manager.get(code="a"),
        manager.keys,
    ):
        async with round_trips(models, 1):
            await do(verb())


async def test_a_manager_shows_its_model(models):
    manager = models.simplemodel
    assert manager._meta is manager.meta is SimpleModel._meta
    assert manager.DoesNotExist is SimpleModel.DoesNotExist
    assert manager.pk() is SimpleModel._meta.pk
    assert (manager.model, manager.router, manager.backend) == (SimpleModel, models, models.counting)
    assert hash(manager) == hash(SimpleModel._meta)
    assert str(manager) == f"{type(manager).__name__}(suite.simplemodel - {models.counting})"
    assert repr(manager) == str(manager)
    assert manager == manager
    assert manager != models.country
    for name in ("nope", "__nope__"):
        with pytest.raises(AttributeError):
            getattr(manager, name)
    assert copy.copy(manager).model is SimpleModel


async def test_sessions_of_a_manager(models):
    manager, session = models.simplemodel, models.session()
    assert manager.session().router is models
    assert manager.query(session).session is session
    foreign = type(models)("memory://").session()
    assert manager.query(foreign).session is not foreign
    assert manager.query(foreign).session.router is models
    assert manager.session(session) is not session


async def test_a_manager_of_ones_own(models):
    models.register(Book)
    manager = models.book
    assert isinstance(manager, (SyncBooks, AsyncBooks))
    assert manager.something() == "I am a custom manager"
    await store(models, Book(title="end of days"), Book(title="secret", shelf="locked"))
    assert [book.title for book in await do(manager.all())] == ["end of days"]
    assert await do(manager.titles().all()) == ["end of days"]
    assert await do(manager.count()) == await do(manager.filter(title=("end of days", "secret")).count()) == 1
    with pytest.raises(Book.DoesNotExist):
        await do(manager.get(title="secret"))
    assert await do(models.session().query(Book).count()) == 2


async def test_a_query_class_of_ones_own(models):
    models.register(Book)
    models.book.query_class = Long if isinstance(models, odm.Router) else AsyncLong
    await store(models, Book(title="end of days"), Book(title="x"))
    query = models.session().query(Book).exclude(title="x").long()
    assert isinstance(query, (Long, AsyncLong))
    assert [book.title for book in await do(query.all())] == ["end of days"]
    assert await do(models.session().delete(await do(query.get()))) == [1]


async def test_bad_input(models):
    manager = models.simplemodel
    await do(manager.new(code="a"))
    for verb, error in (
        (lambda: manager.new(code="b", nope=1), InvalidKeyword),
        (lambda: manager.new("b"), InvalidKeyword),
        (lambda: manager.new(code="b", number="abc"), InvalidValue),
        (lambda: manager.new(code="\ud800"), InvalidValue),
        (lambda: manager.new(), FieldValueError),
        (lambda: manager.new(code="a"), CommitException),
        (lambda: manager.get(nope=1), QuerySetError),
        (lambda: manager.get(description="x"), QuerySetError),
        (lambda: manager.filter(id="x").delete(), QuerySetError),
        (lambda: manager.update_or_create(code="b", nope=1), InvalidKeyword),
        (lambda: manager.where("this.nope == 1"), QuerySetError),
    ):
        with pytest.raises(error):
            await do(verb())
    assert [row.code for row in await do(manager.all())] == ["a"]
