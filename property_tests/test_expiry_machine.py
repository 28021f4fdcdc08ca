"""State machines whose clock is moved: deadlines come, and the oracle, memory and the public API must see it alike.

What a server can be asked without waiting, rows that are due at once or not in the time of a test, is in the programs
that all backends get: ``commits.deadlines`` is what they give.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, cast

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from stdnet import CommitException, getdb, odm
from stdnet.contract import Count, Table
from stdnet.records import replace

from .oracle import Oracle
from .plans import plans
from .strategies import filled, tours
from .strategies_structures import any_calls, mixed_commits
from .tables import EVENT, ITEM, PERSON, QUEUE, TICKET
from .test_backends_agree import NAMESPACE, Server
from .test_structure_kinds import Agreement, case
from .test_structure_machine import everything

CASTS = [(EVENT,), (EVENT,), (TICKET,), (EVENT, ITEM), (PERSON, EVENT), (TICKET, QUEUE), (QUEUE, EVENT)]


class MovedClock(Agreement):
    """Some tables whose rows expire, and the oracle and memory, which share a clock."""

    cast: tuple[Table, ...] = ()

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.oracle = Oracle(NAMESPACE, self.clock)
        self.servers = [cast("Server", getdb(f"memory://?namespace={NAMESPACE}", clock=self.clock))]

    def clock(self) -> float:
        return self.now

    @initialize(data=st.data(), cast=st.sampled_from(CASTS))
    def fill(self, data: Any, cast: tuple[Table, ...]) -> None:
        self.cast = cast
        self.agree(data.draw(filled(cast, related=True)))

    @rule(seconds=st.sampled_from([0.5, 1.0, 3599.0, 3600.0, 3600.5]))
    def wait(self, seconds: float) -> None:
        """Let time pass; nobody looks, so that some other request is the first to notice."""
        self.now += seconds

    @rule(data=st.data())
    def commit(self, data: Any) -> None:
        commit = data.draw(mixed_commits(self.cast))
        self.agree(replace(commit, token=commit.token and self.run + commit.token))
        self.look()

    @rule(data=st.data())
    def ask(self, data: Any) -> None:
        table = data.draw(st.sampled_from(self.cast))
        counts = plans(table).map(lambda plan: Count(table, plan))
        self.agree(*data.draw(st.lists(st.one_of(tours(table), counts, any_calls(self.cast)), min_size=1, max_size=3)))

    @rule()
    def look(self) -> None:
        self.agree(*everything(self.cast))
        self.check()


TestMovedClock = case(MovedClock, 1 / 2, 20)


# the public API


class Pass(odm.StdModel):
    """A row that lives for ten seconds after each save."""

    code = odm.SymbolField(unique=True)
    kind = odm.SymbolField(required=False)
    uses = odm.IntegerField(index=True, default=0)

    class Meta:
        app_label = "prop.expiry"
        ttl = 10


@dataclass(eq=False)
class Row:
    """What the machine knows of a row, whose instance it holds on to."""

    instance: Any
    code: str
    kind: str
    uses: int
    deadline: float


CODES = st.sampled_from("abcde")
KINDS = st.sampled_from(["", "x", "y"])
SECONDS = st.sampled_from([None, 0, 1, 5, 10, 25, math.inf, -1])
PLACES = st.integers(0, 20)


class Passes(RuleBasedStateMachine):
    """Rows as a dict has them, from which what is due is filtered before each question."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.server: Any = getdb("memory://", clock=lambda: self.now)
        self.models = odm.Router(self.server)
        self.models.register(Pass)
        self.rows: list[Row] = []

    def living(self) -> list[Row]:
        return sorted((row for row in self.rows if row.deadline > self.now), key=lambda row: row.instance.id)

    def pick(self, n: int) -> Row:
        return self.rows[n % len(self.rows)]

    def is_taken(self, code: str, but: Row | None = None) -> bool:
        return any(row.code == code and row is not but for row in self.living())

    @rule(seconds=st.sampled_from([0.5, 1, 4, 10]))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @rule(code=CODES, kind=KINDS, seconds=st.one_of(st.just("ttl"), SECONDS))
    def new(self, code: str, kind: str, seconds: Any) -> None:
        """Store a row, with a deadline of its own or not, in one transaction."""
        instance, taken = Pass(code=code, kind=kind), self.is_taken(code)
        transaction = self.models.session().begin()
        transaction.add(instance)
        if seconds != "ttl":
            instance.expire(seconds)
        if taken:
            with pytest.raises(CommitException, match="Unique constraint"):
                transaction.commit()
            return
        transaction.commit()
        deadline = self.now + 10 if seconds == "ttl" else self.until(seconds)
        self.rows.append(Row(instance, code, kind, 0, deadline))

    def until(self, seconds: float | None) -> float:
        return math.inf if seconds is None else self.now + seconds

    @precondition(lambda self: self.rows)
    @rule(n=PLACES, code=CODES, uses=st.integers(0, 3))
    def save(self, n: int, code: str, uses: int) -> None:
        """Change a row and save it, whether it is there or has expired: then it is stored anew."""
        row = self.pick(n)
        row.instance.code, row.instance.uses = code, uses
        if self.is_taken(code, row):
            with pytest.raises(CommitException, match="Unique constraint"):
                row.instance.save()
            row.instance.code, row.instance.uses = row.code, row.uses
            return
        row.instance.save()
        row.code, row.uses, row.deadline = code, uses, self.now + 10

    @precondition(lambda self: self.rows)
    @rule(n=PLACES, seconds=SECONDS)
    def expire(self, n: int, seconds: float | None) -> None:
        row = self.pick(n)
        if row.deadline <= self.now:
            with pytest.raises(CommitException, match="does not exist any more"):
                row.instance.expire(seconds)
            return
        row.instance.expire(seconds)
        row.deadline = self.until(seconds)

    @precondition(lambda self: self.rows)
    @rule(n=PLACES)
    def delete(self, n: int) -> None:
        """Delete rows by a query, which leaves instances as they are."""
        row = self.pick(n)
        there = row.deadline > self.now
        session = self.models.session()
        found = session.delete(session.query(Pass).filter(id=row.instance.id))
        assert (found or []) == ([row.instance.id] if there else [])
        row.deadline = -math.inf

    @rule(kind=KINDS, code=CODES, uses=st.integers(0, 3))
    def ask(self, kind: str, code: str, uses: int) -> None:
        query, living = self.models[Pass].query(), self.living()
        assert query.filter(kind=kind).count() == sum(row.kind == kind for row in living)
        assert [row.id for row in query.filter(code=code)] == [row.instance.id for row in living if row.code == code]
        assert query.filter(uses__gt=uses).count() == sum(row.uses > uses for row in living)
        assert query.exclude(kind=kind).get_field("code").all() == [row.code for row in living if row.kind != kind]

    @rule()
    def look(self) -> None:
        found = [(row.id, row.code, row.uses) for row in self.models[Pass].query()]
        assert found == [(row.instance.id, row.code, row.uses) for row in self.living()]

    @invariant()
    def the_store_is_sound(self) -> None:
        self.server.check()


TestPasses = case(Passes, 2 / 3, 30)


def test_the_clock_of_a_case_can_be_moved() -> None:
    """The machines would pass with a clock that stands still."""
    machine = Passes()
    machine.new("a", "x", "ttl")
    machine.wait(10)
    assert machine.living() == []
    assert machine.models[Pass].count() == 0
