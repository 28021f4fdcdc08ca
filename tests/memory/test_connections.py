"""Databases of the embedded backend: private and shared ones, namespaces, connection strings."""

from __future__ import annotations

import asyncio
import gc
import weakref
from uuid import uuid4

import pytest

from stdnet import getdb, odm
from stdnet.backends.base import BackendDataServer
from stdnet.errors import BadConnectionString, ImproperlyConfigured, TableMismatch, UnknownScheme


class Port(odm.StdModel):
    code = odm.SymbolField(unique=True)

    class Meta:
        app_label = "memory"


@pytest.fixture
def name():
    """The name of a database that no other test uses."""
    return f"db-{uuid4().hex[:8]}"


def router(url, **options):
    models = odm.Router(url, **options)
    models.register(Port)
    return models


def codes(models):
    return [port.code for port in models.port.all()]


def test_a_database_without_a_name_belongs_to_its_router():
    first, second = router("memory://"), router("memory://")
    first.port.new(code="a")
    assert (codes(first), codes(second)) == (["a"], [])
    assert first.port.backend != second.port.backend
    assert first.port.backend is first.session().model(Port).read_backend


def test_a_named_database_is_shared_in_the_process(name):
    first, second = router(f"memory://{name}"), odm.AsyncRouter(f"memory://{name}")
    second.register(Port)
    first.port.new(code="a")
    assert asyncio.run(second.port.count()) == 1
    assert codes(router(f"memory://{name}")) == ["a"]
    assert codes(router(f"memory://{name}2")) == []
    assert first.port.backend == second.port.backend
    assert hash(first.port.backend) == hash(second.port.backend)


def test_namespaces_are_apart(name):
    first, second = router(f"memory://{name}?namespace=a."), router(f"memory://{name}?namespace=a.b.")
    first.port.new(code="x")
    second.port.new(code="y")
    assert (codes(first), codes(second), codes(router(f"memory://{name}"))) == (["x"], ["y"], [])
    assert first.port.backend != second.port.backend
    assert first.session().keys(Port)[0].startswith("a.memory.port:")
    assert first.port.backend.flush() > 0
    assert (codes(first), codes(second)) == ([], ["y"])
    assert codes(router(getdb(f"memory://{name}", namespace="a.b."))) == ["y"]


def test_keyword_arguments_win(name):
    server = getdb(f"memory://{name}?namespace=a.", namespace="b.")
    assert (server.namespace, server.connection_string) == ("b.", f"memory://{name}?namespace=b.")


@pytest.mark.parametrize("url", ["memory://", "memory://x", "memory://x.y-z_1?namespace=n.", "memory://?namespace=n."])
def test_a_connection_string_leads_back(url):
    server = getdb(url)
    assert isinstance(server, BackendDataServer)
    assert str(server) == server.connection_string == url
    assert repr(server) == f"MemoryServer({url!r})"
    assert (getdb(server) is server, server.name, server.ping()) == (True, "memory", True)


@pytest.mark.parametrize(("url", "problem"), [
    ("memory://a b", "is not a name"),
    ("memory://a/b", "is not a name"),
    ("memory://a:1", "is not a name"),
    ("memory://\ud800", "is not a name"),
    ("memory://?db=1", "no parameter 'db'"),
    ("memory://x?namespace=a&Namespace=b", "no parameter 'Namespace'"),
    ("memory://[", "Invalid IPv6"),
    ("memory:", "it has no scheme"),
    ("", "it has no scheme"),
])  # fmt: skip
def test_bad_connection_strings(url, problem):
    with pytest.raises(BadConnectionString, match=problem) as info:
        getdb(url)
    assert isinstance(info.value, ValueError)
    assert "Example: " in str(info.value)


def test_unknown_schemes_and_parameters():
    with pytest.raises(UnknownScheme, match=r"Known schemes: memory://") as info:
        getdb("mongodb://x")
    assert isinstance(info.value, (NotImplementedError, ImproperlyConfigured))
    with pytest.raises(BadConnectionString, match="no parameter 'timeout'"):
        getdb("memory://", timeout=5)


def test_a_private_database_ends_with_its_router():
    models = router("memory://")
    models.port.new(code="a")
    database = weakref.ref(models.port.backend.database)
    del models
    gc.collect()
    assert database() is None


def test_two_models_of_one_key(name):
    class Port2(odm.StdModel):
        code = odm.SymbolField()

        class Meta:
            app_label = "memory"
            name = "port"
            register = False

    old, new = router(f"memory://{name}"), odm.Router(f"memory://{name}")
    new.register(Port2)
    old.port.new(code="a")
    for verb in (lambda: new.port.new(code="b"), new.port.count, new.port.all):
        with pytest.raises(TableMismatch, match=r'rows of "memory[.]port" with other indexed fields'):
            verb()
    assert codes(old) == ["a"]
    assert new.port.flush() > 0
    assert new.port.new(code="b").id == 1
    with pytest.raises(TableMismatch):
        codes(old)


def test_the_check_finds_what_is_wrong():
    models = router("memory://")
    models.port.new(code="a")
    server = models.port.backend
    server.check()
    (table,) = server.database.store.tables.values()
    table.lookups["code"].ids["ghost"] = 99
    with pytest.raises(AssertionError, match="index entries differ"):
        server.check()
