"""Lists on their own, and what all structures have in common."""

from __future__ import annotations

from datetime import date

import pytest

from stdnet import ImproperlyConfigured, InvalidTransaction, ModelNotAvailable, odm
from stdnet.errors import BadStructureValue, NotConvertible, StructureFieldError, StructureNotBound
from stdnet.utils import encoders

from ..conftest import do, round_trips, transaction
from .structures import handle, listed, make, raises, setitem, surface


async def test_both_ends(models):
    lst = await make(models, odm.List)
    assert await do(lst.push_back("b")) is lst
    await do(lst.push_back("c"))
    assert await do(lst.push_front("a")) is lst
    assert await do(lst.size()) == 3
    assert await do(lst.items()) == await listed(lst) == lst.cache.cache == ["a", "b", "c"]
    assert await do(lst.pop_front()) == "a"
    assert await do(lst.pop_back()) == "c"
    assert await do(lst.items()) == ["b"]
    assert [await do(lst.pop_back()), await do(lst.pop_back()), await do(lst.pop_front())] == ["b", None, None]
    assert await do(lst.items()) == []


async def test_numbers_come_back_from_text(models):
    lst = await make(models, odm.List)
    await do(lst.extend([3, 5.6, "save", {"test": 1}, "07"]))
    assert await do(lst.items()) == [3, 5.6, "save", "{'test': 1}", 7]


async def test_picklers_keep_types(models):
    lst = await make(models, odm.List, value_pickler=encoders.Json())
    values = [3, "3", 5.6, {"test": [1, None]}, date(2024, 2, 29), None, True]
    await do(lst.extend(values))
    assert await do(lst.items()) == values
    lst = await make(models, odm.List, value_pickler=encoders.PythonPickle())
    await do(lst.push_back({1, 2}))
    assert await do(lst.pop_back()) == {1, 2}
    lst = await make(models, odm.List, value_pickler=encoders.Double())
    await do(lst.extend([1, 0.1, -0.0]))
    assert await do(lst.items()) == [1.0, 0.1, 0.0]
    lst = await make(models, odm.List, value_pickler=encoders.NoEncoder())
    await do(lst.extend([b"\xff", "text", 7]))
    assert await do(lst.items()) == [b"\xff", b"text", b"7"]
    await raises(BadStructureValue, r"list .* None is written as NoneType", lst.push_back, None)


async def test_a_value_that_cannot_be_written_changes_nothing(models):
    lst = await make(models, odm.List, value_pickler=encoders.Json())
    await raises(NotConvertible, "JSON", lst.extend, [1, object()])
    assert lst not in lst.session
    assert (lst.cache.back, await do(lst.size())) == ([], 0)


async def test_places(models):
    lst = await make(models, odm.List)
    await do(lst.extend("abcde"))
    for loaded in (False, True):
        assert (lst.cache.cache is not None) is loaded
        assert [await do(lst[n]) for n in (0, 4, -1, -5)] == ["a", "e", "e", "a"]
        for outside in (5, -6, 2**80, -(2**80)):
            await raises(IndexError, "has no place", lambda n: lst[n], outside)
        for cut in (slice(1, 3), slice(None), slice(-2, None), slice(None, -1), slice(3, 1), slice(0, 0)):
            assert await do(lst[cut]) == list("abcde")[cut]
        for cut in (slice(-9, 99), slice(None, -9), slice(9, None), slice(None, 2**80), slice(-(2**80), 2)):
            assert await do(lst[cut]) == list("abcde")[cut]
        assert await do(lst.slice(1, 3)) == await do(lst.slice(-4, -2)) == ["b", "c"]
        assert await do(lst.slice()) == list("abcde")
        await raises(TypeError, "A place in a list is an integer, not 'a'", lambda: lst["a"])
        await do(lst.items())
    assert await do(lst[::-2]) == ["e", "c", "a"]


async def test_replacing_a_value(models):
    lst = await make(models, odm.List)
    await do(lst.extend("abc"))
    assert await do(lst.items()) == ["a", "b", "c"]
    await setitem(lst, 0, "x")
    await setitem(lst, -1, "z")
    assert await do(lst.items()) == ["x", "b", "z"]
    for outside in (3, -4):
        await raises(IndexError, f"has no place {outside}", lst.set, outside, "y")
    await raises(TypeError, "is an integer, not slice", lst.set, slice(0, 1), "y")
    assert await do(lst.items()) == ["x", "b", "z"]


async def test_membership(models):
    lst = await make(models, odm.List, value_pickler=encoders.Json())
    await do(lst.extend(["a", {"k": 1}]))
    assert [await do(lst.contains(v)) for v in ("a", {"k": 1}, "b")] == [True, True, False]


def test_operators():
    models = odm.Router("memory://")
    lst = models.session().add(models.register(odm.List()))
    assert (len(lst), list(lst), "a" in lst) == (0, [], False)
    lst.push_back("a").extend(["b", "c"])
    assert (len(lst), list(lst), "a" in lst, lst[1], lst[1:]) == (3, ["a", "b", "c"], True, "b", ["b", "c"])
    lst[1] = "x"
    assert [*lst] == ["a", "x", "c"]


async def test_operators_of_the_other_surface():
    models = odm.AsyncRouter("memory://")
    lst = await models.session().add(models.register(odm.AsyncList()))
    await (await lst.push_back("a")).extend("bc")
    assert (await lst[0], await lst[1:], [each async for each in lst]) == ("a", ["b", "c"], ["a", "b", "c"])
    for operator in (lambda: list(lst), lambda: "a" in lst, lambda: len(lst)):
        with pytest.raises(TypeError, match=r"async|has no len"):
            operator()


# -- what all structures have in common ---------------------------------------------------------------------------


async def test_changes_wait_before_there_is_a_session(models):
    lst = surface(models, odm.List)()
    assert await do(lst.push_back("b")) is lst
    assert await do(lst.push_front("a")) is lst
    await do(lst.push_front("z"))
    assert (lst.cache.front, lst.cache.back, lst.session) == ([b"a", b"z"], [b"b"], None)
    for verb in (lst.size, lst.items, lst.pop_front, lst.backend_structure, lst.read_backend_structure):
        await raises(StructureNotBound, "has no session", verb)
    await raises(AttributeError, "has no session", lst.size)
    assert models.register(lst) is lst
    assert await do(models.session().add(lst)) is lst
    assert await do(lst.items()) == ["z", "a", "b"]
    assert (lst.cache.front, lst.cache.back) == ([], [])


async def test_a_structure_that_is_not_registered(models):
    lst = surface(models, odm.List)()
    session = models.session()
    for verb in (session.add, session.delete, session.begin().add):
        await raises(InvalidTransaction, r'"struct.list" not valid in this session', verb, lst)
    assert lst.session is None


async def test_registering(models):
    lst = surface(models, odm.List)(id="one")
    assert lst not in models
    assert models.structure(lst) is None
    assert models.register(lst) is models.register(lst) is lst
    assert lst in models
    assert models.structure(lst) is models[lst] is models.session().manager(lst)
    assert "struct.list one" in str(models[lst])
    assert models[lst].backend is models.counting
    assert models.structure(surface(models, odm.Set)(id="one")) is None
    assert models.structure("one") is None
    assert models.unregister(lst)[0].id == "one"
    assert models.unregister(lst) is None
    models.register(lst)
    models.unregister()
    assert models.structure(lst) is None


async def test_the_surface_has_to_fit(models):
    wrong = surface(models, odm.List).twin
    right = surface(models, odm.List)
    with pytest.raises(ImproperlyConfigured, match=rf"cannot use {wrong.__name__}. Use odm.{right.__name__}"):
        models.register(wrong())
    one = models.register(right())
    await raises(
        InvalidTransaction,
        rf"{wrong.__name__} is .*async.* Use {right.__name__}",
        models.session().add,
        wrong(id=one.id),
    )


async def test_handles_of_the_same_data(models):
    lst = await make(models, odm.List, id="same")
    other = handle(models, lst)
    assert lst == other
    assert hash(lst) == hash(other)
    assert lst != surface(models, odm.List)(id="other")
    assert lst != surface(models, odm.Set)(id="same")
    assert lst != "same"
    await do(lst.push_back(1))
    assert await do(other.items()) == [1]
    assert lst.id == "same"
    assert len(surface(models, odm.List)().id) == 8
    assert surface(models, odm.List)() != surface(models, odm.List)()


async def test_names(models):
    for cls, name in (
        (odm.List, "list"),
        (odm.Set, "set"),
        (odm.Zset, "zset"),
        (odm.HashTable, "hashtable"),
        (odm.TS, "ts"),
        (odm.String, "string"),
        (odm.NumberArray, "numberarray"),
    ):
        structure = surface(models, cls)(id="one")
        meta = structure._meta
        assert (meta.name, meta.type, str(meta), structure._model_type) == (
            name,
            "structure",
            f"struct.{name}",
            "structure",
        )
        assert structure.uuid == f"{odm.meta.hash_of(f'struct.{name}')}.one"
        state = structure.get_state()
        assert (state.persistent, state.action, state.iid) == (True, "update", "one")
        assert (structure.field, structure.model) == (None, None)
        assert str(structure) == f'{name} "one"'
        assert repr(structure) == f'<{type(structure).__name__}: {name} "one">'
    assert odm.List()._meta.hash == "b83a2bec"


async def test_the_view_of_the_backend(models):
    lst = await make(models, odm.List, id="a b")
    view = lst.backend_structure()
    assert (view.instance, view.backend, view.client) == (lst, models.counting, None)
    assert view.id == f"{models.counting.namespace}struct.list:a%20b"
    assert lst.read_backend_structure("c").client == "c"


async def test_what_is_loaded_answers_reads_until_it_changes_here(models):
    lst = await make(models, odm.List)
    await do(lst.extend([1, 2]))
    assert lst.cache.cache is None
    await do(lst.items())
    async with round_trips(models, 0):
        assert (await do(lst.size()), await do(lst[0])) == (2, 1)
        assert await do(lst.items()) == await listed(lst) == [1, 2]
    (await do(lst.items())).append(3)
    assert await do(lst.items()) == [1, 2]
    await do(handle(models, lst).push_back(3))
    assert await do(lst.size()) == 2
    for change in (lambda: lst.push_back(4), lst.pop_back, lambda: lst.set(0, 9)):
        await do(lst.items())
        await do(change())
        assert lst.cache.cache is None
    assert await do(lst.items()) == [9, 2, 3]
    await do(lst.block_pop_front(0))
    assert lst.cache.cache is None


async def test_deleting(models):
    lst = await make(models, odm.List)
    await do(lst.extend("abc"))
    session = lst.session
    await do(lst.items())
    assert await do(session.delete(lst)) is None
    assert (await do(lst.size()), await do(lst.items()), lst.session) == (0, [], session)
    await do(lst.push_back("d"))
    assert await do(lst.items()) == ["d"]


async def test_read_and_write_backends(models):
    lst = surface(models, odm.List)()
    models.register(lst, read_backend="memory://")
    await do(models.session().add(lst))
    await do(lst.push_back(1))
    assert await do(lst.size()) == 0
    assert await do(lst.pop_back()) == 1
    assert lst.backend is models.counting
    assert lst.read_backend is not lst.backend


async def test_raw_content(models):
    lst = await make(models, odm.List)
    assert await do(lst.load_data([b"1", b"a"])) == [1, "a"]
    assert await do(lst.load_data([b"1"], callback=list)) == [b"1"]


async def test_a_structure_without_a_kind(models):
    class Odd(surface(models, odm.List).__mro__[1].__mro__[1]):
        kind = None

    with pytest.raises(ModelNotAvailable, match="Odd has no kind"):
        Odd().place()


async def test_unknown_options_are_for_subclasses(models):
    base = surface(models, odm.List)

    class Limited(base):
        def setup(self, limit=3, **options):
            self.limit = limit
            super().setup(**options)

    assert (Limited(limit=5).limit, Limited(other=1).limit) == (5, 3)


async def test_verbs_of_an_application(models):
    base = surface(models, odm.List)

    class Stack(base):
        @odm.verb
        def peek(self):
            return (yield from self._at(-1))[0]

        @odm.commit_when_no_transaction
        def push(self, *values):
            self.cache.push_back(self._dump_all(values, "push"))

    stack = models.register(Stack())
    assert await do(stack.push(0)) is None
    await do(models.session().add(stack))
    assert await do(stack.push(1, 2)) is stack
    assert await do(stack.peek()) == 2
    assert await do(stack.items()) == [0, 1, 2]


async def test_one_round_trip_for_a_change(models):
    lst = await make(models, odm.List)
    async with round_trips(models, 1):
        await do(lst.extend(range(2500)))
    async with round_trips(models, 0):
        await do(lst.session.add(lst))
        await do(lst.extend([]))
    assert await do(lst.items()) == list(range(2500))


async def test_expunge(models):
    lst = await make(models, odm.List)
    async with transaction(session := lst.session) as t:
        await do(lst.push_back(1))
        assert lst in session
        assert "1 pending" in repr(session)
        t.expunge(lst)
        assert (lst in session, lst.session, lst.cache.back) == (False, None, [])
    assert await do(handle(models, lst).size()) == 0


async def test_only_tied_to_the_session(models):
    lst = models.register(surface(models, odm.List)())
    await do(lst.push_back(1))
    session = models.session()
    async with round_trips(models, 0):
        assert await do(session.add(lst, modified=False)) is lst
    assert (lst.session, lst in session, lst.cache.back) == (session, False, [b"1"])


async def test_errors_of_structures_are_of_one_family():
    assert issubclass(StructureNotBound, StructureFieldError)
    assert issubclass(BadStructureValue, ValueError)
