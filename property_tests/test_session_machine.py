"""A state machine over the public API: what sessions store, refuse and forget, against plain dicts.

The model of the machine is ``rows``, a dict of what is stored; ``Oracle.commit`` says in the simplest way what a
commit makes of it and of what is pending.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from stdnet import CommitException, odm
from stdnet.backends.base import Counting

from .machine import PLACES, Handle, Machine, Outcome, Pending, Refusal, case_of, changed

NAMES = ("code", "group", "number")


class Thing(odm.StdModel):
    code = odm.SymbolField(unique=True, required=False)
    group = odm.SymbolField(required=False)
    number = odm.IntegerField(required=False, index=True)

    class Meta:
        app_label = "machine"


CODES = st.sampled_from(["", "a", "b", "c", "d"])
GROUPS = st.sampled_from(["", "g", "h"])
NUMBERS = st.none() | st.integers(-2, 3)
IDS = st.none() | st.integers(1, 6)
CHANGES = st.one_of(
    st.tuples(st.just("code"), CODES),
    st.tuples(st.just("group"), GROUPS),
    st.tuples(st.just("number"), NUMBERS),
    st.tuples(st.just("id"), IDS),
)
NAMED = st.none() | st.lists(st.sampled_from(NAMES), unique=True)


@dataclass
class Oracle(Pending):
    """Plain dicts: what is stored, and what is queued; ``queries`` are the groups whose rows are to be deleted."""

    rows: dict[int, dict[str, Any]] = field(default_factory=dict)
    counter: int = 0

    def commit(self) -> Outcome:
        rows, counter = dict(self.rows), self.counter
        names = {handle.stored for handle in self.doomed}
        gone = sorted(id for id, row in rows.items() if id in names or row["group"] in self.queries)
        for id in gone:
            del rows[id]
        ids, clashes = [], 0
        for handle in self.dirty():
            counter, id = self._allot(counter, handle.instance.id)
            clashes += not self._write(rows, handle, id)
            ids.append(id)
        codes = [row["code"] for row in rows.values() if row["code"]]
        if clashes or len(codes) != len(set(codes)):
            raise Refusal
        saved = list(zip(self.dirty(), ids, strict=True))
        for handle, id in saved:
            handle.stored, handle.seen = id, self._values(handle)
        self.rows, self.counter = rows, counter
        return Outcome(saved, {Thing: gone} if gone else {})

    def _allot(self, counter: int, id: int | None) -> tuple[int, int]:
        return (counter + 1, counter + 1) if id is None else (max(counter, id), id)

    def _write(self, rows: dict[int, dict[str, Any]], handle: Handle, id: int) -> bool:
        values = self._values(handle)
        old = None if handle.stored is None else rows.get(handle.stored)
        if handle.stored is not None and old is None and len(values) < len(NAMES):
            return False  # there is nothing to complete it from
        if old is not None and id != handle.stored:
            if id in rows:
                return False
            del rows[handle.stored]
        rows[id] = {**(old or {}), **changed(handle, values, old)}
        return True

    def _values(self, handle: Handle) -> dict[str, Any]:
        return {name: value for name, value in vars(handle.instance).items() if name in NAMES}


class SessionMachine(Machine):
    """One model, and everything that a session does with it."""

    MODELS = (Thing,)

    def __init__(self) -> None:
        super().__init__()
        self.oracle = Oracle()

    def refused(self, error: Any) -> None:
        dirty = [id(handle.instance) for handle in self.oracle.dirty()]
        assert isinstance(error, CommitException)
        assert error.failures == len(error.instances) >= 1
        assert all(id(each) in dirty for each in error.instances)

    # -- what a program does ------------------------------------------------------------------------------------

    @rule(code=CODES, group=GROUPS, number=NUMBERS, id=IDS)
    def make(self, code: str, group: str, number: int | None, id: int | None) -> None:
        handle = Handle(Thing(id=id, code=code, group=group, number=number))
        self.keep(handle)
        self.save(-1)

    @precondition(lambda self: self.oracle.rows)
    @rule(n=st.integers(0, 5), names=NAMED, changes=st.lists(CHANGES, max_size=2))
    def load(self, n: int, names: list[str] | None, changes: list[tuple[str, Any]]) -> None:
        id = sorted(self.oracle.rows)[n % len(self.oracle.rows)]
        query = self.session.query(Thing).filter(id=id, id__in=[id])
        (found,) = query.all() if names is None else query.load_only("id", *names).all()
        for name in names if names is not None else NAMES:
            assert getattr(found, name) == self.oracle.rows[id][name]
        seen = {name: getattr(found, name) for name in (NAMES if names is None else names)}
        self.keep(Handle(found, id, seen=seen))
        if changes:
            self.change(-1, changes, save=True)

    @precondition(lambda self: self.handles)
    @rule(n=PLACES, changes=st.lists(CHANGES, min_size=1, max_size=2), save=st.booleans())
    def change(self, n: int, changes: list[tuple[str, Any]], save: bool) -> None:
        for name, value in changes:
            setattr(self.pick(n).instance, name, value)
        if save:
            self.save(n)

    @rule(group=GROUPS)
    def delete_rows(self, group: str) -> None:
        self.oracle.models.setdefault(Thing)
        self.oracle.queries.append(group)
        query = self.session.query(Thing).filter(group=group).sort_by("-code")
        self.perform(lambda: self.session.delete(query), query, Thing)

    # -- what must hold after each step -------------------------------------------------------------------------

    @invariant()
    def the_rows_are_those_of_the_oracle(self) -> None:
        found = self.models.thing.all()
        assert [(row.id, row.code, row.group, row.number) for row in found] == [
            (id, *(row[name] for name in NAMES)) for id, row in sorted(self.oracle.rows.items())
        ]

    @invariant()
    def queries_answer_as_comprehensions_do(self) -> None:
        query = self.models.session().query(Thing)
        rows = sorted(self.oracle.rows.items())
        for code in ("", "a", "b"):
            assert query.filter(code=code).get_field("id").all() == [id for id, row in rows if row["code"] == code]
        assert query.filter(group="g").count() == sum(row["group"] == "g" for _, row in rows)
        expected = [id for id, row in rows if row["number"] is not None and row["number"] >= 1 and row["group"] != "g"]
        assert query.filter(number__ge=1).exclude(group="g").get_field("id").all() == expected
        assert query.filter(number=None).count() == sum(row["number"] is None for _, row in rows)
        pages = sorted(rows, key=lambda item: (item[1]["code"], item[0]))
        assert [row.id for row in query.sort_by("code")[1:4]] == [id for id, _ in pages[1:4]]


class RedisSessionMachine(SessionMachine):
    """The same on a server."""

    backend = "redis"


TestSession = case_of(SessionMachine, 2 / 3, 40)
TestSessionOnRedis = case_of(RedisSessionMachine, 1 / 3, 30)


def test_the_oracle_refuses_and_keeps_what_it_had() -> None:
    oracle = Oracle()
    oracle.add(Handle(Thing(code="a")))
    outcome = oracle.commit()
    assert ([id for _, id in outcome.saved], outcome.deleted) == ([1], {})
    oracle.clear(undone=False)
    oracle.add(Handle(Thing(code="a")))
    with pytest.raises(Refusal):
        oracle.commit()
    assert (oracle.counter, list(oracle.rows)) == (1, [1])


def test_a_commit_of_the_machine_is_one_round_trip() -> None:
    machine = SessionMachine()
    machine.models.unregister(Thing)
    counting = Counting(machine.server)
    machine.models.register(Thing, counting)
    machine.begin()
    for code in "ab":
        machine.make(code=code, group="g", number=1, id=None)
    machine.commit()
    assert counting.trips == 1
