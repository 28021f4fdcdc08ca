"""Routers: the registry, several backends, read backends, uuids and flushing."""

from __future__ import annotations

import inspect

import pytest

from stdnet import (
    CommitException,
    ConnectionError,
    FieldValueError,
    ImproperlyConfigured,
    InvalidTransaction,
    QuerySetError,
    odm,
)
from stdnet.backends.base import FaultInjecting, ReadOnlyServer
from stdnet.errors import BadConnectionString, ReadOnly, UnknownScheme

from ..conftest import connect, do, round_trips, transaction
from .golden import simple, store
from .models import Base, Country, Fund, SimpleModel, SportAtDate

MODELS = [SimpleModel, Country]


class Other(odm.StdModel):
    """A model of another application."""

    name = odm.SymbolField()

    class Meta:
        app_label = "elsewhere"
        name = "thing"


@pytest.fixture
def second(request):
    """A second, empty database of the same kind."""
    made = connect(request.node.callspec.params["server"])
    yield made
    made.check()
    made.flush()
    made.close()


# -- the registry -----------------------------------------------------------------------------------------------


async def test_managers_by_model_and_by_name(models):
    manager = models[SimpleModel]
    row = SimpleModel(code="a")
    assert models.simplemodel is models[row] is models[SimpleModel._meta] is models[manager] is manager
    assert isinstance(manager, (odm.Manager, odm.AsyncManager))
    for key in (SimpleModel, row, SimpleModel._meta, manager):
        assert key in models
    for key in (Fund, Fund._meta, "simplemodel", None, 5, [], odm.StdModel, Base):
        assert key not in models
        with pytest.raises(KeyError, match="not registered in this router"):
            models[key]
    for name in ("fund", "SimpleModel", "nope"):
        with pytest.raises(AttributeError, match=f'No model named "{name}"'):
            getattr(models, name)


async def test_what_is_registered(models):
    assert models.registered_models == [SimpleModel._meta, Country._meta]
    assert [manager.model for manager in models] == [SimpleModel, Country]
    assert len(models) == 2
    assert repr(models) == f"<{type(models).__name__}: suite.simplemodel, suite.country>"
    assert repr(type(models)("memory://")) == f"<{type(models).__name__}: no models>"
    assert models


async def test_register_tells_whether_it_did(models):
    assert models.register(Fund) is models.counting
    assert models.register(Fund) is None
    assert models.register(Base) is None
    assert models.register(odm.StdModel) is None
    assert models.fund.model is Fund


@pytest.mark.parametrize("thing", [object, odm.List, 5, "suite.fund", None, SimpleModel(code="a"), [], lambda: None])
async def test_what_cannot_be_registered(models, thing):
    with pytest.raises(ImproperlyConfigured, match="Cannot register"):
        models.register(thing)
    assert len(models) == 2


@pytest.mark.parametrize(("backend", "error"), [
    ("nope://x", UnknownScheme), ("memory", BadConnectionString), ("memory://?nope=1", BadConnectionString),
    ("memory://a b", BadConnectionString), ("memory://[", BadConnectionString),
])  # fmt: skip
async def test_backends_that_cannot_be(models, backend, error):
    with pytest.raises(error) as info:
        models.register(Fund, backend)
    assert isinstance(info.value, ImproperlyConfigured)
    assert Fund not in models
    with pytest.raises(AttributeError):
        models.fund  # noqa: B018


async def test_the_first_of_a_name_wins(models):
    class Country2(odm.StdModel):
        class Meta:
            name = "country"
            app_label = "second"
            register = False

    models.register(Country2)
    assert models.country.model is Country
    assert models[Country2].model is Country2


async def test_unregister(models):
    manager = models.simplemodel
    assert models.unregister(Fund) is None
    assert models.unregister(object()) is None
    assert models.unregister(SimpleModel) == [manager]
    assert models.unregister(SimpleModel) is None
    assert SimpleModel not in models
    with pytest.raises(AttributeError):
        models.simplemodel  # noqa: B018
    country = models.country
    assert models.unregister() == [country]
    assert len(models) == 0
    with pytest.raises(AttributeError):
        models.country  # noqa: B018
    assert models.register(Country) is models.counting


async def test_a_model_in_two_routers(models, router_class, second):
    other = router_class(second)
    other.register(Country)
    await do(models.country.new(code="it", name="Italy"))
    assert await do(other.country.count()) == 0
    assert await do(models.country.count()) == 1
    with pytest.raises(ValueError, match="another session"):
        await do(other.session().delete(models.session().query(Country)))


async def test_install_global(router_class, server):
    class Global(odm.StdModel):
        class Meta:
            register = False

    router = router_class(server, install_global=True)
    router.register(Global)
    assert Global.objects is router[Global]
    assert router.install_global


async def test_the_default_backend(router_class):
    router = router_class()
    assert router.default_backend is None
    backend = router.register(Country)
    assert backend.name == "memory"
    assert router.register(Fund) is backend
    assert router_class().register(Country) != backend
    assert router_class("memory://x").default_backend == "memory://x"


async def test_mapper_is_another_name():
    assert odm.Mapper is odm.Router
    assert odm.AsyncMapper is odm.AsyncRouter


# -- sessions ---------------------------------------------------------------------------------------------------


async def test_sessions(models):
    session = models.session()
    assert session.router is models
    assert models.session() is not session
    row = await do(models.add(SimpleModel(code="a")))
    assert (row.id, row.session.router) == (1, models)
    with pytest.raises(InvalidTransaction):
        await do(models.add(Fund(name="x", ccy="y")))


# -- several backends -------------------------------------------------------------------------------------------


async def test_two_backends_in_one_router(models, second):
    assert models.register(Fund, second) is second
    session = models.session()
    async with round_trips(models, 1), transaction(session) as t:
        t.add(Country(code="it", name="Italy"))
        t.add(Fund(name="x", ccy="EUR"))
    assert (t.saved[Fund][0].id, t.saved[Country][0].code) == (1, "it")
    async with round_trips(models, 0):
        assert await do(session.query(Fund).count()) == 1
    assert any("suite.fund" in key for key in await do(session.keys(Fund)))
    with pytest.raises(QuerySetError, match="another backend"):
        await do(session.query(Country).filter(code=session.query(Fund).get_field("name")).all())


async def test_each_backend_is_all_or_nothing_by_itself(models, second):
    models.register(Fund, second)
    await store(models, Fund(name="taken", ccy="EUR"))
    session, seen = models.session(), []
    models.post_commit.bind(lambda event, sender, **kw: seen.append(sender))
    country, fund = Country(code="it", name="Italy"), Fund(name="taken", ccy="USD")
    t = session.begin()
    t.add(country)
    t.add(fund)
    with pytest.raises(CommitException, match="taken"):
        await do(t.commit())
    assert (list(t.saved), seen, t.on_result) == ([Country._meta], [Country], None)
    assert await do(models.country.count()) == 1
    assert (country in session, fund in session) == (False, False)
    # validation comes before anything is sent anywhere
    t = session.begin()
    t.add(Country(code="fr", name="France"))
    t.add(Fund(name="y"))
    with pytest.raises(FieldValueError, match="required"):
        await do(t.commit())
    assert await do(models.country.count()) == 1


async def test_a_read_backend_answers_queries(models, second, server, router_class):
    router = router_class(server)
    router.register(SimpleModel, read_backend=second)
    replica = router_class(second)
    replica.register(SimpleModel)
    manager = router.simplemodel
    assert (manager.backend, manager.read_backend) == (server, second)
    row = await do(manager.new(code="a"))
    assert row.id == 1
    assert await do(manager.count()) == await do(manager.query().filter(code="a").count()) == 0
    assert await do(router.session().keys(SimpleModel)) == []
    await do(replica.simplemodel.new(code="replicated"))
    assert [each.code for each in await do(manager.all())] == ["replicated"]
    # deletions run on the write backend
    assert await do(manager.filter(code="a").delete()) == [1]
    assert await do(manager.filter(code="replicated").delete()) is None
    assert row.session.model(SimpleModel).read_backend is second
    assert (row.backend, row.read_backend) == (server, second)


async def test_a_read_only_backend(models, server, router_class):
    await simple(models)
    router = router_class(ReadOnlyServer(server))
    router.register(SimpleModel)
    assert await do(router.simplemodel.count()) == 4
    for verb in (
        lambda: router.simplemodel.new(code="e"),
        lambda: router.simplemodel.query().delete(),
        lambda: router.simplemodel.flush(),
        lambda: router.flush(),
    ):
        with pytest.raises(ReadOnly, match="read-only"):
            await do(verb())
    assert await do(models.simplemodel.count()) == 4


async def test_a_lost_connection(models, server, router_class):
    down = []
    router = router_class(
        FaultInjecting(server, lambda when, requests: down and down[0] == when and ConnectionError("no"))
    )
    router.register(SimpleModel)
    session, row = router.session(), SimpleModel(code="a")
    down.append("before")
    for verb in (
        lambda: session.add(row),
        session.query(SimpleModel).all,
        lambda: router.from_uuid(SimpleModel.get_uuid(1)),
    ):
        with pytest.raises(ConnectionError):
            await do(verb())
    assert (row in session, session.transaction, row.id) == (False, None, None)
    down.clear()
    assert (await do(session.add(row))).id == 1


# -- uuids ------------------------------------------------------------------------------------------------------


async def test_from_uuid(models):
    row = await do(models.simplemodel.new(code="a"))
    country = await do(models.country.new(code="it.x.y", name="Italy"))
    assert await do(models.from_uuid(row.uuid)) == row
    found = await do(models.from_uuid(country.uuid))
    assert (found.name, type(found)) == ("Italy", Country)
    session = models.session()
    assert (await do(models.from_uuid(row.uuid, session))).session is session
    foreign = type(models)("memory://").session()
    assert (await do(models.from_uuid(row.uuid, session=foreign))).session.router is models


async def test_bad_uuids(models):
    await simple(models)
    hash = SimpleModel._meta.hash
    for uuid in (
        "", ".", "abc", "abc.1", hash, f"{hash}.", f"{hash}.abc", f"{hash}.99", f"{hash}.1.5", f".{hash}.1",
        f"{Fund._meta.hash}.1", None, 5, b"x.1", [hash, 1], f"{hash}.{10**40}", f"{hash}.\ud800", "\ud800.1",
    ):  # fmt: skip
        with pytest.raises(odm.StdModel.DoesNotExist):
            await do(models.from_uuid(uuid))


# -- flushing ---------------------------------------------------------------------------------------------------


async def filled(models):
    models.register(Other)
    models.register(SportAtDate)
    await store(models, SimpleModel(code="a"), Country(code="it", name="I"), Other(name="x"))
    return models


async def left(models):
    return {manager.meta.name: await do(manager.count()) for manager in models}


async def test_flush(models):
    counts = await do((await filled(models)).flush())
    assert len(counts) == 4
    assert all(count > 0 for count in counts[:3])
    assert counts[3] == 0
    assert await left(models) == {"simplemodel": 0, "country": 0, "thing": 0, "sportatdate": 0}


@pytest.mark.parametrize(("options", "flushed"), [
    ({"include": ["suite.country"]}, ["country"]),
    ({"include": ["elsewhere"]}, ["thing"]),
    ({"include": ("suite", "elsewhere.thing")}, ["simplemodel", "country", "thing", "sportatdate"]),
    ({"include": []}, []),
    ({"include": ["nope"]}, []),
    ({"include": "suite.country"}, ["country"]),
    ({"include": "suite.countryside"}, []),
    ({"exclude": {"suite"}}, ["thing"]),
    ({"exclude": ["suite.country", "elsewhere"]}, ["simplemodel", "sportatdate"]),
    ({"exclude": "suite.country"}, ["simplemodel", "thing", "sportatdate"]),
    ({"include": ["suite"], "exclude": ["suite.country"]}, ["simplemodel", "sportatdate"]),
    ({"exclude": []}, ["simplemodel", "country", "thing", "sportatdate"]),
])  # fmt: skip
async def test_flush_a_part(models, options, flushed):
    await filled(models)
    async with round_trips(models, 0):
        managers = await do(models.flush(dryrun=True, **options))
    assert [manager.meta.name for manager in managers] == flushed
    assert sum((await left(models)).values()) == 3
    assert len(await do(models.flush(**options))) == len(flushed)
    expected = {"simplemodel", "country", "thing"} - set(flushed)
    assert {name for name, count in (await left(models)).items() if count} == expected


async def test_flushing_a_model_leaves_models_whose_names_only_begin_alike(models, router_class, server):
    class Thing(odm.StdModel):
        class Meta:
            name = "thin"
            app_label = "elsewhere"
            register = False

    models.register(Thing)
    models.register(Other)
    await store(models, Thing(), Other(name="x"))
    assert await do(models[Thing].flush()) > 0
    assert (await do(models[Thing].count()), await do(models[Other].count())) == (0, 1)


# -- the end ----------------------------------------------------------------------------------------------------


async def test_create_all(models):
    assert await do(models.create_all()) is None


async def test_a_router_is_a_context_manager(router_class):
    closed = []

    def watch(backend):
        if inspect.iscoroutinefunction(router_class.close):

            async def aclose():
                closed.append(backend)

            backend.aclose = aclose
        else:
            backend.close = lambda: closed.append(backend)

    router = router_class("memory://")
    watch(router.register(Country))
    if hasattr(router, "__aenter__"):
        async with router as entered:
            assert entered is router
    else:
        with router as entered:
            assert entered is router
    assert closed
