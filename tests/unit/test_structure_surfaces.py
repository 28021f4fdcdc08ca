"""Both surfaces of each structure have the same verbs, which say what they do and what it costs."""

from __future__ import annotations

import inspect

import pytest

from stdnet import odm
from stdnet.contract import KINDS
from stdnet.odm.structures.verbs import Verb

PAIRS = {
    odm.List: odm.AsyncList,
    odm.Set: odm.AsyncSet,
    odm.Zset: odm.AsyncZset,
    odm.HashTable: odm.AsyncHashTable,
    odm.TS: odm.AsyncTS,
    odm.String: odm.AsyncString,
    odm.NumberArray: odm.AsyncNumberArray,
}


def verbs(cls):
    """Return the names of the verbs of a class."""
    found = {}
    for base in reversed(cls.__mro__):
        found |= {name: isinstance(value, Verb) for name, value in vars(base).items()}
    names = {name for base in cls.__mro__ for name, value in vars(base).items() if isinstance(value, Verb)}
    assert not [name for name in names if found[name]], "each verb is a function on a surface"
    return names


def test_every_kind_has_its_structures():
    assert {cls.kind for cls in PAIRS} == set(KINDS.values())


@pytest.mark.parametrize("cls", PAIRS)
def test_surfaces(cls):
    twin = PAIRS[cls]
    assert (cls.twin, twin.twin, cls.kind) == (twin, cls, twin.kind)
    assert (cls.is_async, twin.is_async) == (False, True)
    assert verbs(cls) == verbs(twin)
    assert {name for name in dir(cls) if not name.startswith("_")} == {
        name for name in dir(twin) if not name.startswith("_")
    }
    for name in verbs(cls):
        one, other = getattr(cls, name), getattr(twin, name)
        assert not inspect.iscoroutinefunction(one), name
        assert inspect.iscoroutinefunction(other), name
        assert inspect.signature(one) == inspect.signature(other), name
        assert one.__name__ == other.__name__


@pytest.mark.parametrize("cls", PAIRS)
def test_every_verb_says_what_it_does_and_costs(cls):
    for name in verbs(cls) - {"load_data", "load_values"}:
        text = inspect.getdoc(getattr(cls, name)) or ""
        assert "O(" in text or "as ``" in text.lower() or "costs" in text.lower(), f"{cls.__name__}.{name}: {text}"
    for name in dir(cls):
        value = inspect.getattr_static(cls, name)
        if not name.startswith("_") and (inspect.isfunction(value) or isinstance(value, property)):
            documented = [vars(base)[name] for base in cls.__mro__ if name in vars(base)]
            assert any(inspect.getdoc(each) for each in documented), f"{cls.__name__}.{name}"


@pytest.mark.parametrize("cls", PAIRS)
def test_the_operations_of_a_cache_are_those_of_the_kind(cls):
    cache = cls.cache_class()
    for name, operation in cls.kind.operations.items():
        assert hasattr(cache, name) or not operation.commits, name
    assert (cache.calls(), cache.items()) == ([], None)
    cache.set_cache([1])
    assert cache.items() == [1]
    cache.delete()
    assert (cache.calls(), cache.cache) == ([("delete", ())], None)
    cache.clear()
    assert cache.calls() == []
