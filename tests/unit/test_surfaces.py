"""The sync and the async surface have the same names and signatures; each difference is listed with its reason."""

from __future__ import annotations

import inspect

import pytest

from stdnet import InvalidTransaction, odm
from stdnet.backends.base import BackendDataServer

PAIRS = {
    odm.Query: odm.AsyncQuery,
    odm.Groups: odm.AsyncGroups,
    odm.Session: odm.AsyncSession,
    odm.Manager: odm.AsyncManager,
    odm.Router: odm.AsyncRouter,
    odm.Transaction: odm.AsyncTransaction,
}

PROTOCOLS = {"__enter__": "__aenter__", "__exit__": "__aexit__"}

ONE_SIDED = {
    (odm.Query, "__len__"): "len() cannot be awaited: await query.count()",
    (odm.AsyncQuery, "__aiter__"): "async for; __iter__ is there only to say so",
    (odm.Session, "blocking"): "overrides the refusal of the base class",
    (odm.AsyncSession, "awaiting"): "overrides the refusal of the base class",
}

AWAITED = {
    "Query": {
        "all",
        "items",
        "get",
        "count",
        "aggregate",
        "distinct",
        "contains",
        "delete",
        "update",
        "test_unique",
        "explain",
    },
    "Groups": {"aggregate"},
    "Session": {"commit", "add", "delete", "update_or_create", "flush", "clean", "keys"},
    "Manager": {"new", "save", "update_or_create", "all", "get", "count", "flush", "clean", "keys", "create_all"},
    "Router": {"add", "from_uuid", "flush", "create_all", "close", "__exit__", "__enter__"},
    "Transaction": {"commit", "__exit__", "__enter__"},
}
"""The verbs that need a round trip, and only they, are coroutine functions on the async side."""


def own(cls):
    """Return the functions and properties of a surface that its base does not have as they are."""
    return {
        name: value
        for name, value in vars(cls).items()
        if (inspect.isfunction(value) or isinstance(value, property)) and name != "__init__"
    }


def public(cls):
    return {name for name in dir(cls) if not name.startswith("_")}


@pytest.mark.parametrize("cls", PAIRS)
def test_names(cls):
    twin = PAIRS[cls]
    names = {PROTOCOLS.get(name, name) for name in own(cls)} - {name for of, name in ONE_SIDED if of is cls}
    assert names == own(twin).keys() - {name for of, name in ONE_SIDED if of is twin}
    assert public(cls) == public(twin)


@pytest.mark.parametrize("cls", PAIRS)
def test_signatures(cls):
    twin, theirs = PAIRS[cls], own(PAIRS[cls])
    for name, function in own(cls).items():
        if (cls, name) in ONE_SIDED or name in ("__iter__", "__contains__"):
            continue
        left = inspect.signature(function).parameters
        right = inspect.signature(theirs[PROTOCOLS.get(name, name)]).parameters
        assert list(left) == list(right), f"{cls.__name__}.{name}"
        for one, other in zip(left.values(), right.values(), strict=True):
            assert (one.kind, one.default) == (other.kind, other.default), f"{cls.__name__}.{name}({one.name})"
            expected = str(one.annotation).replace("Session", "AsyncSession").replace("AsyncAsync", "Async")
            found = str(other.annotation).replace("Session", "AsyncSession").replace("AsyncAsync", "Async")
            assert expected == found, f"{twin.__name__}.{name}({one.name})"


@pytest.mark.parametrize("cls", PAIRS)
def test_what_is_awaited(cls):
    theirs = own(PAIRS[cls])
    awaited = {name for name in own(cls) if inspect.iscoroutinefunction(theirs.get(PROTOCOLS.get(name, name)))}
    assert awaited == AWAITED[cls.__name__]
    assert not any(inspect.iscoroutinefunction(value) for value in own(cls).values())


@pytest.mark.parametrize("cls", [*PAIRS, *PAIRS.values()])
def test_every_public_verb_says_what_it_does(cls):
    for name in dir(cls):
        value = inspect.getattr_static(cls, name)
        if not name.startswith("_") and (inspect.isfunction(value) or isinstance(value, property)):
            documented = [vars(base)[name] for base in cls.__mro__ if name in vars(base)]
            assert any(inspect.getdoc(each) for each in documented), f"{cls.__name__}.{name}"


def test_a_backend_has_both_ways_in():
    blocking = inspect.signature(BackendDataServer.execute).parameters
    assert list(blocking) == list(inspect.signature(BackendDataServer.execute_async).parameters)
    assert inspect.iscoroutinefunction(BackendDataServer.execute_async)


# -- the operators that only one side has -----------------------------------------------------------------------


class Tree(odm.StdModel):
    name = odm.SymbolField(unique=True)

    class Meta:
        register = False


def test_the_operators_of_a_query():
    models = odm.Router("memory://")
    models.register(Tree)
    oak = models[Tree].new(name="oak")
    query = models[Tree].query()
    assert (len(query), bool(query), list(query), [tree.name for tree in query]) == (1, True, [oak], ["oak"])
    assert oak in query
    assert 1 in query
    assert 2 not in query
    assert not models[Tree].filter(name="elm")
    assert query[0] == oak


async def test_the_operators_of_an_async_query():
    models = odm.AsyncRouter("memory://")
    models.register(Tree)
    oak = await models[Tree].new(name="oak")
    query = models[Tree].query()
    assert [tree async for tree in query] == [oak]
    assert await query[0] == oak
    assert await query[:5] == [oak]
    for operator in (lambda: list(query), lambda: oak in query, lambda: len(query), lambda: [*query]):
        with pytest.raises(TypeError, match=r"async|has no len"):
            operator()


async def test_instances_of_the_other_kind_of_session_say_what_to_write():
    blocking, awaiting = odm.Router("memory://"), odm.AsyncRouter("memory://")
    blocking.register(Tree)
    awaiting.register(Tree)
    oak, elm = blocking[Tree].new(name="oak"), await awaiting[Tree].new(name="elm")
    for verb, cure in ((elm.save, "asave"), (elm.delete, "adelete")):
        with pytest.raises(InvalidTransaction, match=f"async. Write: await obj.{cure}"):
            verb()
    for verb, cure in ((oak.asave, "save"), (oak.adelete, "delete")):
        with pytest.raises(InvalidTransaction, match=rf"not async. Write: obj.{cure}\(\)"):
            await verb()
    assert oak.save() is oak
    assert await elm.asave() is elm
    assert oak.delete() == await elm.adelete() == [1]


def test_the_wrong_kind_of_with():
    with pytest.raises((TypeError, AttributeError)), odm.AsyncRouter("memory://").session().begin():
        raise AssertionError("not reached")
