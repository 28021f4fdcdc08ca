"""A state machine over the public API: what sessions store, refuse and forget, against plain dicts.

The model of the machine is ``rows``, a dict of what is stored, and ``pending``, what the open transaction has queued;
``Oracle.commit`` says in the simplest way what a commit makes of them. Handles are instances that the program
holds on to: new ones, whole and partly loaded ones, stale ones, and those that were deleted or refused.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from stdnet import CommitException, odm
from stdnet.backends.base import Counting
from tests.conftest import connect

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
PLACES = st.integers(0, 5)


@dataclass(eq=False)
class Handle:
    """An instance, and what the machine knows of it."""

    instance: Thing
    stored: int | None = None
    """The id under which its row was when it was loaded or saved."""
    deleted: bool = False
    key: Any = None
    """Under what it is queued: two handles of one key replace each other."""


class Refusal(Exception):
    """The oracle's answer to a commit that has to be refused."""


@dataclass
class Oracle:
    """Plain dicts: what is stored, and what is queued."""

    rows: dict[int, dict[str, Any]] = field(default_factory=dict)
    counter: int = 0
    new: dict[Any, Handle] = field(default_factory=dict)
    modified: dict[Any, Handle] = field(default_factory=dict)
    doomed: list[Handle] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)

    def add(self, handle: Handle) -> None:
        self.forget(handle)
        handle.key = handle.stored or handle.instance.id or handle
        for queue in (self.new, self.modified):
            queue.pop(handle.key, None)
        (self.new if handle.stored is None else self.modified)[handle.key] = handle

    def delete(self, handle: Handle) -> None:
        if handle.stored is None:
            self.forget(handle)
            return
        for queue in (self.new, self.modified):
            queue.pop(handle.stored, None)
        handle.deleted = True
        self.doomed.append(handle)

    def forget(self, handle: Handle) -> None:
        for queue in (self.new, self.modified):
            if queue.get(handle.key) is handle:
                del queue[handle.key]

    def expunge(self, handle: Handle) -> None:
        self.forget(handle)
        if handle in self.doomed:
            self.doomed = [each for each in self.doomed if each is not handle]
            handle.deleted = False

    def pending(self, handle: Handle) -> bool:
        return handle in self.doomed or any(queue.get(handle.key) is handle for queue in (self.new, self.modified))

    def dirty(self) -> list[Handle]:
        return [*self.new.values(), *self.modified.values()]

    def clear(self, undone: bool) -> None:
        for handle in self.doomed if undone else ():
            handle.deleted = False
        for queue in (self.new, self.modified, self.doomed, self.groups):
            queue.clear()

    def commit(self) -> tuple[list[int], list[int]]:
        """Return the deleted ids and the ids of what was saved, or raise ``Refusal`` and change nothing."""
        rows, counter = dict(self.rows), self.counter
        names = {handle.stored for handle in self.doomed}
        gone = sorted(id for id, row in rows.items() if id in names or row["group"] in self.groups)
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
        for handle, id in zip(self.dirty(), ids, strict=True):
            handle.stored = id
        self.rows, self.counter = rows, counter
        return gone, ids

    def _allot(self, counter: int, id: int | None) -> tuple[int, int]:
        return (counter + 1, counter + 1) if id is None else (max(counter, id), id)

    def _write(self, rows: dict[int, dict[str, Any]], handle: Handle, id: int) -> bool:
        values = {name: value for name, value in vars(handle.instance).items() if name in NAMES}
        old = None if handle.stored is None else rows.get(handle.stored)
        if handle.stored is not None and old is None and len(values) < len(NAMES):
            return False  # there is nothing to complete it from
        if old is not None and id != handle.stored:
            if id in rows:
                return False
            del rows[handle.stored]
        rows[id] = {**(old or {}), **values}
        return True


class SessionMachine(RuleBasedStateMachine):
    """One session, many handles, on one backend."""

    backend = "memory"

    def __init__(self) -> None:
        super().__init__()
        self.server = connect(self.backend)
        self.models = odm.Router(self.server)
        self.models.register(Thing)
        self.session = self.models.session()
        self.transaction: odm.Transaction | None = None
        self.oracle = Oracle()
        self.handles: list[Handle] = []

    def pick(self, n: int) -> Handle:
        return self.handles[n % len(self.handles)]

    def keep(self, handle: Handle) -> None:
        self.handles = [*self.handles[-5:], handle]

    def settle(self, act: Any) -> Any:
        """Run what commits: the outcome, the refusal and everything that it leaves behind must be the oracle's."""
        dirty = self.oracle.dirty()
        try:
            expected = self.oracle.commit()
        except Refusal:
            with pytest.raises(CommitException) as info:
                act()
            assert info.value.failures == len(info.value.instances) >= 1
            assert all(any(each is handle.instance for handle in dirty) for each in info.value.instances)
            self.oracle.clear(undone=True)
            return None
        act()
        assert [handle.instance.id for handle in dirty] == expected[1]
        self.oracle.clear(undone=False)
        return expected

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
        self.keep(Handle(found, id))
        if changes:
            self.change(-1, changes, save=True)

    @precondition(lambda self: self.handles)
    @rule(n=PLACES, changes=st.lists(CHANGES, min_size=1, max_size=2), save=st.booleans())
    def change(self, n: int, changes: list[tuple[str, Any]], save: bool) -> None:
        for name, value in changes:
            setattr(self.pick(n).instance, name, value)
        if save:
            self.save(n)

    @precondition(lambda self: self.handles)
    @rule(n=PLACES)
    def save(self, n: int) -> None:
        handle = self.pick(n)
        if handle.deleted:
            with pytest.raises(ValueError, match="State is deleted"):
                self.session.add(handle.instance)
            return
        self.oracle.add(handle)
        if self.transaction is None:
            self.settle(lambda: self.session.add(handle.instance))
        else:
            assert self.session.add(handle.instance) is handle.instance

    @precondition(lambda self: self.handles)
    @rule(n=PLACES)
    def delete(self, n: int) -> None:
        handle = self.pick(n)
        self.oracle.delete(handle)
        self._delete(handle.instance)

    @rule(group=GROUPS)
    def delete_rows(self, group: str) -> None:
        self.oracle.groups.append(group)
        self._delete(self.session.query(Thing).filter(group=group).sort_by("-code"))

    def _delete(self, target: Any) -> None:
        reply: list[Any] = []
        if self.transaction is not None:
            assert self.session.delete(target) is target
            return
        expected = self.settle(lambda: reply.append(self.session.delete(target)))
        assert expected is not None
        assert reply == [expected[0] or None]

    @precondition(lambda self: self.transaction is None)
    @rule()
    def begin(self) -> None:
        self.transaction = self.session.begin()

    @precondition(lambda self: self.transaction is not None)
    @rule()
    def commit(self) -> None:
        transaction, self.transaction = self.transaction, None
        assert transaction is not None
        dirty = [handle.instance for handle in self.oracle.dirty()]
        expected = self.settle(transaction.commit)
        assert transaction.executed
        if expected is None:
            assert (transaction.saved, transaction.deleted, transaction.on_result) == ({}, {}, None)
        else:
            saved = transaction.saved.get(Thing, [])
            assert len(saved) == len(dirty)
            assert all(one is other for one, other in zip(saved, dirty, strict=True))
            assert transaction.deleted.get(Thing, []) == expected[0]

    @precondition(lambda self: self.transaction is not None)
    @rule()
    def rollback(self) -> None:
        assert self.transaction is not None
        self.transaction.rollback()
        self.transaction = None
        self.oracle.clear(undone=True)

    @precondition(lambda self: self.handles)
    @rule(n=PLACES)
    def expunge(self, n: int) -> None:
        handle = self.pick(n)
        was_pending = self.oracle.pending(handle)
        self.oracle.expunge(handle)
        self.session.expunge(handle.instance)
        assert not was_pending or handle.instance.session is None

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

    @invariant()
    def the_session_holds_what_is_pending(self) -> None:
        assert (self.session.transaction is None) == (self.transaction is None)
        for handle in self.handles:
            assert (handle.instance in self.session) == self.oracle.pending(handle)
            assert handle.instance.get_state().deleted == handle.deleted
        dirty = [handle.instance for handle in self.oracle.dirty()]
        assert [id(each) for each in self.session.model(Thing).dirty] == [id(each) for each in dirty]

    @invariant()
    def the_store_is_sound(self) -> None:
        self.server.check()

    def teardown(self) -> None:
        self.server.flush()
        self.server.close()


class RedisSessionMachine(SessionMachine):
    """The same on a server."""

    backend = "redis"


TestSession = SessionMachine.TestCase
TestSession.settings = settings(
    settings.default, max_examples=max(1, settings.default.max_examples * 2 // 3), stateful_step_count=40
)
TestSessionOnRedis = RedisSessionMachine.TestCase
TestSessionOnRedis.settings = settings(
    settings.default, max_examples=max(1, settings.default.max_examples // 3), stateful_step_count=30
)


def test_the_oracle_refuses_and_keeps_what_it_had() -> None:
    oracle = Oracle()
    oracle.add(Handle(Thing(code="a")))
    assert oracle.commit() == ([], [1])
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
