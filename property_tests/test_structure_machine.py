"""A state machine for everything at once: structures of all kinds, and the rows that they live and die with.

Commits save, move, delete and cascade, and carry calls; others are refused, or fail, or are sent a second time.
"""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from stdnet.contract import All, Change, Commit, Delete, Ids, Keys, Request, Save, Select, Table
from stdnet.records import replace

from .strategies import filled
from .strategies_structures import any_calls, content, flushes, mixed_commits, takes
from .tables import EVENT, IDS, ITEM, PERSON, POINT, TICKET, weighted
from .test_structure_kinds import Agreement, case

CASTS = [(ITEM,), (ITEM, PERSON), (ITEM, PERSON), (PERSON, EVENT), (TICKET, POINT), (EVENT,)]


def everything(cast: tuple[Table, ...]) -> list[Request]:
    """Return requests that bring all rows of some tables with their structures, and the names of all keys."""
    selects = [Select(table, All(), structures=tuple(name for name, _ in table.structures)) for table in cast]
    return [*selects, *(Keys(table) for table in cast)]


class StructureMachine(Agreement):
    """Some tables, whose rows have structures, and structures on their own."""

    cast: tuple[Table, ...] = ()

    @initialize(data=st.data(), cast=st.sampled_from(CASTS))
    def fill(self, data: Any, cast: tuple[Table, ...]) -> None:
        self.cast = cast
        self.agree(data.draw(filled(cast, related=True)))

    @rule(data=st.data())
    def commit(self, data: Any) -> None:
        commit = data.draw(mixed_commits(self.cast))
        self.agree(replace(commit, token=commit.token and self.run + commit.token))
        self.look()

    @rule(data=st.data())
    def ask(self, data: Any) -> None:
        """Call, take or select, several at a time but for takes."""
        cast = self.cast
        question = weighted((3, any_calls(cast)), (1, st.sampled_from(cast).flatmap(content)))
        self.agree(*data.draw(weighted((4, st.lists(question, min_size=1, max_size=3)), (1, st.tuples(takes(cast))))))
        self.look()

    @rule(data=st.data())
    def move(self, data: Any) -> None:
        """Move rows in a ring, or delete one and move another to where it was, and write to structures of both."""
        table = data.draw(st.sampled_from(self.cast))
        first, second, third = data.draw(st.permutations(IDS[table.name][:3]))
        rest = data.draw(st.sampled_from([(third, first), (first, first), (None, second)]))
        moves = [Change(second, first, (), ()), Change(rest[1], rest[0], (), ())]
        if rest[0] is None:  # a new row, where the one that moved away was
            moves[1] = Change(first, None, (None,) * len(table.columns))
        calls = data.draw(st.lists(any_calls((table,), waiting=True), max_size=3))
        self.agree(Commit((Delete(table, Ids((second,))),), (Save(table, tuple(moves)),), calls=tuple(calls)))
        self.look()

    @rule(data=st.data())
    def flush(self, data: Any) -> None:
        self.agree(data.draw(flushes(self.cast)))
        self.look()

    def look(self) -> None:
        self.agree(*everything(self.cast))
        self.check()


TestStructuresOnMemoryAndRedis = case(StructureMachine, 2 / 5, 20)
