"""What the state machines over the public API share: handles, what a session has pending, and the rules of a session.

What rows there are, and what a commit makes of them, is the matter of each machine and its oracle.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from stdnet import CommitException, FieldValueError, odm
from tests.conftest import connect

PLACES = st.integers(0, 11)


@dataclass(eq=False)
class Handle:
    """An instance that the program holds on to, and what the machine knows of it.

    Some are new, some whole, some partly loaded, some stale, and some were deleted or refused.
    """

    instance: Any
    stored: Any = None
    """The id under which its row was when it was loaded or saved."""
    values: dict[str, Any] = field(default_factory=dict)
    """What it was given or loaded with, if the machine keeps account of that."""
    seen: dict[str, Any] | None = None
    """The values that its row had when it was loaded or saved, unless the session has let go of it since."""
    deleted: bool = False
    key: Any = None
    """Under what it is queued: two handles of one key replace each other."""

    @property
    def model(self) -> type[odm.StdModel]:
        return type(self.instance)


def changed(handle: Handle, values: dict[str, Any], old: Any) -> dict[str, Any]:
    """Return what a save writes: all values, or, if there is a row, those that differ from what the handle has seen."""
    seen = handle.seen
    if old is None or seen is None:
        return values
    return {name: value for name, value in values.items() if name not in seen or seen[name] != value}


class Refusal(Exception):
    """The oracle's answer to a commit that has to be refused."""


@dataclass
class Outcome:
    """What a commit has to do: the handles it saves with their ids, and the ids it deletes, by model."""

    saved: list[tuple[Handle, Any]]
    deleted: dict[type[odm.StdModel], list[Any]]


@dataclass
class Pending:
    """What a session has queued: models by first use, in each new rows, then modified ones, by their keys."""

    models: dict[type[odm.StdModel], None] = field(default_factory=dict)
    new: dict[Any, Handle] = field(default_factory=dict)
    modified: dict[Any, Handle] = field(default_factory=dict)
    doomed: list[Handle] = field(default_factory=list)
    queries: list[Any] = field(default_factory=list)
    """What says which rows are to be deleted."""

    def add(self, handle: Handle) -> None:
        self.forget(handle)
        given = vars(handle.instance).get(handle.model._meta.pkname())  # composite ids are not given
        handle.key = (handle.model, handle.stored or given or handle)
        for queue in (self.new, self.modified):
            queue.pop(handle.key, None)
        (self.new if handle.stored is None else self.modified)[handle.key] = handle

    def delete(self, handle: Handle) -> None:
        if handle.stored is None:
            self.forget(handle)
            return
        self.models.setdefault(handle.model)
        for queue in (self.new, self.modified):
            queue.pop((handle.model, handle.stored), None)
        handle.deleted = True
        self.doomed.append(handle)

    def forget(self, handle: Handle) -> None:
        self.models.setdefault(handle.model)
        for queue in (self.new, self.modified):
            if queue.get(handle.key) is handle:
                del queue[handle.key]

    def expunge(self, handle: Handle) -> None:
        if self.holds(handle):
            handle.seen = None
        self.forget(handle)
        if handle in self.doomed:
            self.doomed = [each for each in self.doomed if each is not handle]
            handle.deleted = False

    def holds(self, handle: Handle) -> bool:
        return handle in self.doomed or any(queue.get(handle.key) is handle for queue in (self.new, self.modified))

    def dirty(self) -> list[Handle]:
        queued = [*self.new.values(), *self.modified.values()]
        return [handle for model in self.models for handle in queued if handle.model is model]

    def clear(self, undone: bool) -> None:
        for handle in self.doomed if undone else ():
            handle.deleted = False
        for queue in (self.new, self.modified, self.doomed, self.queries):
            queue.clear()

    def commit(self) -> Outcome:
        """Apply what is queued, or raise ``Refusal`` and change nothing."""
        raise NotImplementedError


class Machine(RuleBasedStateMachine):
    """One session, many handles, on one backend."""

    backend = "memory"
    MODELS: ClassVar[Sequence[type[odm.StdModel]]]
    oracle: Any

    def __init__(self) -> None:
        super().__init__()
        self.server = connect(self.backend)
        self.models = odm.Router(self.server)
        for model in self.MODELS:
            self.models.register(model)
        self.session = self.models.session()
        self.transaction: odm.Transaction | None = None
        self.handles: list[Handle] = []

    def pick(self, n: int) -> Handle:
        return self.handles[n % len(self.handles)]

    def keep(self, handle: Handle) -> None:
        self.handles = [*self.handles[-5:], handle]

    def settle(self, act: Callable[[], Any]) -> Outcome | None:
        """Run what commits: the outcome, the refusal and everything that it leaves behind must be the oracle's."""
        try:
            expected: Outcome = self.oracle.commit()
        except Refusal:
            with pytest.raises((CommitException, FieldValueError)) as info:
                act()
            self.refused(info.value)
            self.oracle.clear(undone=True)
            return None
        act()
        assert [handle.instance.pkvalue() for handle, _ in expected.saved] == [id for _, id in expected.saved]
        self.oracle.clear(undone=False)
        return expected

    def refused(self, error: Exception) -> None:
        """Check what a refusal says."""

    # -- what a program does ------------------------------------------------------------------------------------

    @precondition(lambda self: self.handles)
    @rule(n=PLACES)
    def save(self, n: int) -> None:
        self.put(self.pick(n))

    def put(self, handle: Handle) -> None:
        """Save what a handle holds."""
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
        self.perform(lambda: self.session.delete(handle.instance), handle.instance, handle.model)

    def perform(self, act: Callable[[], Any], target: Any, model: type[odm.StdModel]) -> None:
        """Run what deletes: in a transaction it returns its target, else the ids that are gone."""
        reply: list[Any] = []
        if self.transaction is not None:
            found = act()
            assert target is None or found is target
            return
        expected = self.settle(lambda: reply.append(act()))
        assert reply == ([] if expected is None else [expected.deleted.get(model)])

    @precondition(lambda self: self.transaction is None)
    @rule()
    def begin(self) -> None:
        self.transaction = self.session.begin()

    @precondition(lambda self: self.transaction is not None)
    @rule()
    def commit(self) -> None:
        transaction, self.transaction = self.transaction, None
        assert transaction is not None
        expected = self.settle(transaction.commit)
        assert transaction.executed
        if expected is None:
            assert (transaction.saved, transaction.deleted, transaction.on_result) == ({}, {}, None)
            return
        saved = {meta: [id(each) for each in instances] for meta, instances in transaction.saved.items()}
        assert saved == by_model(expected.saved)
        assert dict(transaction.deleted) == {model._meta: ids for model, ids in expected.deleted.items()}

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
        was_pending = self.oracle.holds(handle)
        self.oracle.expunge(handle)
        self.session.expunge(handle.instance)
        assert not was_pending or handle.instance.session is None

    # -- what must hold after each step -------------------------------------------------------------------------

    @invariant()
    def the_session_holds_what_is_pending(self) -> None:
        assert (self.session.transaction is None) == (self.transaction is None)
        for handle in self.handles:
            assert (handle.instance in self.session) == self.oracle.holds(handle)
            assert handle.instance.get_state().deleted == handle.deleted
        found = [instance for each in self.session for instance in each.dirty]
        assert [id(each) for each in found] == [id(handle.instance) for handle in self.oracle.dirty()]

    @invariant()
    def the_store_is_sound(self) -> None:
        self.server.check()

    def teardown(self) -> None:
        self.server.flush()
        self.server.close()


def by_model(saved: Sequence[tuple[Handle, Any]]) -> dict[Any, list[int]]:
    """Return the identities of the instances by the meta of their model."""
    found: dict[Any, list[int]] = {}
    for handle, _ in saved:
        found.setdefault(handle.model._meta, []).append(id(handle.instance))
    return found


def case_of(machine: type[Machine], share: float, steps: int) -> Any:
    """Return the test case of a machine, which runs this share of the examples of the profile."""
    case, profile = machine.TestCase, settings()
    examples = max(1, round(profile.max_examples * share))
    case.settings = settings(profile, max_examples=examples, stateful_step_count=steps)
    return case
