"""A state machine over the public API: models that are related, against plain dicts.

What is stored, and what a commit makes of it, is the matter of ``relations.Oracle``; this is what programs do, and
what they see: every row after each step, and now and then filters, orders and objects along paths of relations.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule
from hypothesis.strategies import SearchStrategy

from stdnet.backends.base import Counting
from stdnet.errors import ManyToManyError

from .machine import PLACES, Handle, Machine, case_of
from .relations import (
    KEYS,
    LINKS,
    MODELS,
    NAMES,
    PLAIN,
    Agent,
    Club,
    Condition,
    Deal,
    Key,
    Link,
    Model,
    Oracle,
    Person,
    Query,
    Row,
    Rows,
    named,
)

CODES = ["a", "b", "c"]
VALUES: dict[str, list[Any]] = {
    "code": CODES,
    "city": ["", "x", "y"],
    "fee": [None, 1, 2, 3],
    "name": ["", "", "p", "", "q", "r"],
    "price": [None, 1, 2],
}
KINDS = st.sampled_from([Club, Agent, Person, Person, Person, Deal])
NUMBERS = st.lists(st.integers(0, 9), min_size=5, max_size=5)
"""What says which values and which parents a new row gets."""

CHANGED = st.sampled_from([(model, name) for model in PLAIN for name in NAMES[model]] + [(Club, "code")])
ENDS = [(model, name) for model in LINKS for name, link in LINKS[model].items() if link.through]
LINKED = st.lists(st.tuples(st.sampled_from(ENDS), PLACES, PLACES), max_size=5)
MODES = st.sampled_from(["eager", "lazy", "batch"])


def key_of(model: Model, name: str) -> Any:
    """Return the key of that name, ``None`` for another field."""
    return next((key for key in KEYS if key.model is model and key.name == name), None)


@st.composite
def paths(draw: st.DrawFn, model: Model, keys: bool = False, most: int = 3) -> tuple[tuple[str, ...], Model]:
    """Draw a path of relations, or of keys only, and the model where it ends."""
    path: tuple[str, ...] = ()
    for _ in range(draw(st.integers(0, most))):
        names = [name for name, link in LINKS[model].items() if not (keys and link.many)]
        if names:
            path = (*path, draw(st.sampled_from(names)))
            model = LINKS[model][path[-1]].target
    return path, model


@st.composite
def conditions(draw: st.DrawFn, model: Model) -> Condition:
    path, end = draw(paths(model))
    name = draw(
        st.sampled_from([*NAMES[end], end._meta.pkname(), *(each for each in LINKS[end] if LINKS[end][each].many)])
    )
    if name in LINKS[end] and LINKS[end][name].many:
        return Condition(path, name, "isnull", draw(st.booleans()))
    if (key := key_of(end, name)) is not None or name not in VALUES:
        text = (key.parent if key else end) is Club
        some = CODES if text else [1, 2, 3, 4]
        lookup = draw(st.sampled_from(["", "in"] if name == "id" else ["", "in", "isnull"]))
    else:
        some = VALUES[name]
        lookup = draw(st.sampled_from(["", "in", "ge", "lt", "isnull"] if name != "code" else ["", "in", "ge"]))
    if lookup == "isnull":
        return Condition(path, name, lookup, draw(st.booleans()))
    if lookup == "in":
        return Condition(path, name, lookup, tuple(draw(st.lists(st.sampled_from(some), max_size=2))))
    value = draw(st.sampled_from([each for each in some if each is not None] if lookup else some))
    return Condition(path, name, lookup, value)


def sort_of(condition: Condition) -> Any:
    """Return what two keywords have in common that would widen each other instead of both holding."""
    return condition.path, condition.field, "" if condition.lookup == "in" else condition.lookup


def asked(model: Model, least: int = 0, most: int = 2) -> SearchStrategy[list[Condition]]:
    return st.lists(conditions(model), min_size=least, max_size=most, unique_by=sort_of)


@st.composite
def filters(draw: st.DrawFn, least: int = 0) -> tuple[Model, list[Condition], list[Condition], str]:
    """Draw what to keep, what to leave out, and an order."""
    model = draw(st.sampled_from(list(PLAIN)))
    path, end = draw(paths(model, keys=True))
    order = "__".join([*path, draw(st.sampled_from([*NAMES[end], end._meta.pkname()]))])
    return model, draw(asked(model, least)), draw(asked(model, 0, 1)), draw(st.sampled_from(["", "", "-"])) + order


@st.composite
def tours(draw: st.DrawFn) -> tuple[Model, list[tuple[str, ...]]]:
    """Draw paths along which to load."""
    model = draw(st.sampled_from(list(PLAIN)))
    some = draw(st.lists(paths(model).map(lambda found: found[0]).filter(bool), min_size=1, max_size=2))
    return model, some


Given: TypeAlias = dict[str, SearchStrategy[Any]]

MAKE: Given = {"model": KINDS, "numbers": NUMBERS}
CHANGE: Given = {"kind": CHANGED, "n": PLACES, "number": st.integers(0, 9), "save": st.booleans()}
LOAD: Given = {"model": KINDS, "n": PLACES, "names": st.none() | st.integers(1, 15)}
LINK: Given = {"end": st.sampled_from(ENDS), "n": PLACES, "m": PLACES, "add": st.sampled_from([True, True, False])}
DELETE_ROWS: Given = {"drawn": filters(1)}
STEPS: dict[str, Given] = {
    "make": MAKE,
    "change": {**CHANGE, "save": st.just(True)},
    "link": LINK,
    "load": LOAD,
    "delete": {"n": PLACES},
    "delete_rows": DELETE_ROWS,
}
"""What a transaction is made of."""

WORK = st.lists(
    st.sampled_from(list(STEPS)).flatmap(lambda name: st.tuples(st.just(name), st.fixed_dictionaries(STEPS[name]))),
    min_size=2,
    max_size=5,
)


class RelationMachine(Machine):
    """Models with required keys, optional keys, keys to themselves, restricting ones, and many-to-many relations."""

    MODELS = MODELS

    def __init__(self) -> None:
        super().__init__()
        self.oracle = Oracle()
        self.counting = Counting(self.server)
        for model in MODELS:
            self.models.unregister(model)
            self.models.register(model, self.counting)

    @property
    def rows(self) -> Rows:
        rows: Rows = self.oracle.rows
        return rows

    def keep(self, handle: Handle) -> None:
        others = [each for each in self.handles if each.model is not handle.model]
        self.handles = [*others, *[each for each in self.handles if each.model is handle.model][-2:], handle]

    def pick(self, n: int) -> Handle:
        """Return a handle, seldom one that was deleted."""
        found = [handle for handle in self.handles if not handle.deleted] if n % 4 else []
        return found[n % len(found)] if found else super().pick(n)

    def some(self, model: Model, n: int) -> Handle | None:
        found = [handle for handle in self.handles if handle.model is model]
        return found[n % len(found)] if found else None

    def parent(self, key: Key, n: int, depth: int) -> Handle | None:
        """Return what a key is to be: a handle, an object that is not saved, or nothing."""
        if n >= (9 if key.required else 6):
            return None
        found = None if n == 5 else self.some(key.parent, n)
        return self.born(key.parent, [n] * 5, depth + 1) if found is None and (key.required or depth < 2) else found

    def born(self, model: Model, numbers: list[int], depth: int = 0) -> Handle:
        """Return a new object, whose parents may be new, too."""
        values: Row = {name: VALUES[name][numbers[0] % len(VALUES[name])] for name in PLAIN[model]}
        for key, n in zip((key for key in KEYS if key.model is model), numbers[1:], strict=False):
            values[key.name] = self.parent(key, n, depth)
        handle = Handle(model(code=CODES[numbers[1] % 3]) if model is Club else model())
        self.keep(handle)
        for name, value in values.items():
            self.give(handle, name, value)
        return handle

    def give(self, handle: Handle, name: str, value: Any) -> None:
        """Set a field, or a key to what a handle holds."""
        setattr(handle.instance, name, value.instance if isinstance(value, Handle) else value)
        if isinstance(value, Handle) and value.stored is not None:
            value = value.instance.pkvalue()
        handle.values[name] = value

    # -- what a program does ------------------------------------------------------------------------------------

    @initialize(born=st.lists(st.tuples(KINDS, NUMBERS), min_size=2, max_size=10), linked=LINKED)
    def fill(self, born: list[tuple[Model, list[int]]], linked: list[tuple[tuple[Model, str], int, int]]) -> None:
        for model, numbers in born:
            self.make(model, numbers)
        for end, n, m in linked:
            self.link(end, n, m, add=True)

    @rule(**MAKE)
    def make(self, model: Model, numbers: list[int]) -> None:
        handle = self.born(model, numbers)
        self.put(handle)

    @rule(**CHANGE)
    def change(self, kind: tuple[Model, str], n: int, number: int, save: bool) -> None:
        model, name = kind
        handle = self.some(model, n)
        if handle is None:
            return
        key = key_of(model, name)
        value = self.parent(key, number, 0) if key else VALUES[name][number % len(VALUES[name])]
        if handle not in self.handles:  # a new parent took its place
            return
        self.give(handle, name, value)
        if save:
            self.put(handle)

    @rule(**LOAD)
    def load(self, model: Model, n: int, names: int | None) -> None:
        ids = self.rows.ids(model)
        if not ids:
            return
        id, pk = ids[n % len(ids)], model._meta.pkname()
        wanted = [name for k, name in enumerate(NAMES[model]) if names is None or names >> k & 1]
        query = self.session.query(model).filter(**{pk: id, f"{pk}__in": [id]})
        (found,) = query.all() if names is None else query.load_only(pk, *wanted).all()
        values = {name: self.rows.of[model][id][name] for name in wanted}
        self.keep(Handle(found, id, values, dict(values)))

    @rule(**LINK)
    def link(self, end: tuple[Model, str], n: int, m: int, add: bool) -> None:
        model, name = end
        link = LINKS[model][name]
        one, other = self.some(model, n), self.some(link.target, m)
        if one is None or other is None or one.instance.session is None:
            return
        manager = getattr(one.instance, name)
        verb = manager.add if add else manager.remove
        ends = (one, other)
        if any(each.stored is None or (add and each.deleted) for each in ends):
            with pytest.raises(ManyToManyError):
                verb(other.instance, session=self.session)
        elif add:
            self._link(link, ends, lambda: verb(other.instance, session=self.session))
        else:
            self._unlink(link, ends, lambda: verb(other.instance, session=self.session))

    def _link(self, link: Link, ends: tuple[Handle, Handle], act: Any) -> None:
        assert link.through is not None
        model, *names = link.through
        values = {name: each.instance.pkvalue() for name, each in zip(names, ends, strict=True)}
        handle = Handle(model(**values), values=values)  # a stand-in for the row that the manager makes
        self.oracle.add(handle)
        if self.transaction is not None:
            handle.instance = act()
        else:
            made: list[Any] = []
            expected = self.settle(lambda: made.append(act()))
            assert expected is None or made[0].pkvalue() == expected.saved[-1][1]

    def _unlink(self, link: Link, ends: tuple[Handle, Handle], act: Any) -> None:
        assert link.through is not None
        model, *names = link.through
        gone = {name: each.instance.pkvalue() for name, each in zip(names, ends, strict=True)}
        self.oracle.models.setdefault(model)
        self.oracle.queries.append(Query(model, lambda rows, id: rows.of[model][id] == gone))
        self.perform(act, None, model)

    @rule(**DELETE_ROWS)
    def delete_rows(self, drawn: tuple[Model, list[Condition], list[Condition], str]) -> None:
        model, kept, left_out, _ = drawn
        query = self.narrowed(self.session.query(model), kept, left_out)
        self.oracle.models.setdefault(model)
        self.oracle.queries.append(Query(model, lambda rows, id: fits(rows, model, id, kept, left_out)))
        self.perform(lambda: self.session.delete(query), query, model)

    @precondition(lambda self: self.transaction is None)
    @rule(work=WORK)
    def work(self, work: list[tuple[str, dict[str, Any]]]) -> None:
        """Do several things in one transaction."""
        self.begin()
        for name, arguments in work:
            if name != "delete" or self.handles:
                getattr(self, name)(**arguments)
        self.commit()

    # -- what a program asks ------------------------------------------------------------------------------------

    def narrowed(self, query: Any, kept: list[Condition], left_out: list[Condition]) -> Any:
        query = query.filter(**{each.keyword: each.value for each in kept})
        return query.exclude(**{each.keyword: each.value for each in left_out})

    @rule(drawn=filters())
    def ask(self, drawn: tuple[Model, list[Condition], list[Condition], str]) -> None:
        model, kept, left_out, order = drawn
        query = self.narrowed(self.models.session().query(model), kept, left_out)
        expected = [id for id in self.rows.ids(model) if fits(self.rows, model, id, kept, left_out)]
        assert [row.pkvalue() for row in query.all()] == expected
        assert query.load_only().count() == len(expected)
        *path, name = order.lstrip("-").split("__")
        expected.sort(key=lambda id: counted(self.rows, model, id, tuple(path), name), reverse=order[0] == "-")
        assert query.sort_by(order).get_field(model._meta.pkname()).all() == expected

    @rule(drawn=tours(), mode=MODES)
    def look_along(self, drawn: tuple[Model, list[tuple[str, ...]]], mode: str) -> None:
        model, tour = drawn
        query = self.models.session().query(model)
        for path in tour if mode == "eager" else ():
            query = query.load_related("__".join(path))
        found = query.relations("batch" if mode == "batch" else "lazy").all()
        before = self.counting.trips
        lost = [self.follow(model, found, path, mode) for path in tour]
        assert mode != "eager" or any(lost) or self.counting.trips == before
        assert mode != "batch" or any(lost) or self.counting.trips - before <= sum(map(len, tour))

    def follow(self, model: Model, instances: list[Any], path: tuple[str, ...], mode: str) -> bool:
        """Compare what a path leads to, row by row; return whether a required key led nowhere."""
        if not path:
            return False
        name, *rest = path
        link, lost = LINKS[model][name], False
        seen: list[Any] = []
        for instance in instances:
            expected = self.rows.reach(model, instance.pkvalue(), name)
            if link.many:
                found = getattr(instance, name).all()
            elif not expected and key_of(model, name).required:
                lost = True
                with pytest.raises(link.target.DoesNotExist):
                    getattr(instance, name)
                continue
            else:
                one = getattr(instance, name)
                assert one is not None or getattr(instance, f"{name}_id") is None
                found = [] if one is None else [one]
            assert [each.pkvalue() for each in found] == expected
            assert all(each.session is instance.session for each in found)
            assert [shown(link.target, each) for each in found] == [self.stored(link.target, id) for id in expected]
            seen += [each for each in found if all(each is not other for other in seen)]
        return self.follow(link.target, seen, tuple(rest), mode) or lost

    def stored(self, model: Model, id: Any) -> Row:
        return {name: value for name, value in self.rows.of[model][id].items() if name in PLAIN.get(model, ())}

    # -- what must hold after each step -------------------------------------------------------------------------

    @invariant()
    def the_rows_are_those_of_the_oracle(self) -> None:
        for model in MODELS:
            found = {row.pkvalue(): held(model, row) for row in self.models[model].all()}
            expected = {named(model, id): self.rows.of[model][id] for id in self.rows.ids(model)}
            assert found == expected
            assert list(found) == list(expected)

    @invariant()
    def the_handles_have_what_they_were_given(self) -> None:
        for handle in self.handles:
            for name, value in handle.values.items():
                if isinstance(value, Handle):
                    assert getattr(handle.instance, name) is value.instance
                else:
                    assert held(handle.model, handle.instance, (name,)) == {name: value}


def held(model: Model, instance: Any, names: tuple[str, ...] | None = None) -> Row:
    """Return the values of an instance, the ids of its keys among them."""
    some = NAMES[model] if names is None else names
    return {name: getattr(instance, f"{name}_id" if key_of(model, name) else name) for name in some}


def shown(model: Model, instance: Any) -> Row:
    return {name: getattr(instance, name) for name in PLAIN.get(model, ())}


def fits(rows: Rows, model: Model, id: Any, kept: list[Condition], left_out: list[Condition]) -> bool:
    return rows.matches(model, id, kept) and not any(rows.matches(model, id, [each]) for each in left_out)


def counted(rows: Rows, model: Model, id: Any, path: tuple[str, ...], name: str) -> Any:
    """Return what a row is sorted by; what is missing counts as 0 or as empty."""
    value = rows.end(model, id, path, name)
    for step in path:
        model = LINKS[model][step].target
    text = name in ("code", "city", "name", "club", "home")
    return ("" if text else 0) if value is None else value


class RedisRelationMachine(RelationMachine):
    """The same on a server."""

    backend = "redis"


TestRelations = case_of(RelationMachine, 2 / 3, 30)
TestRelationsOnRedis = case_of(RedisRelationMachine, 1 / 4, 25)
