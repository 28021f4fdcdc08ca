"""A state machine for each kind of structures: the oracle and every backend carry out the same operations.

One structure of a row, one of a row that is not there, one of a whole table and two on their own are worked with.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from stdnet.contract import KINDS, Call, Change, Commit, Keys, Kind, Request, Save
from stdnet.errors import BadStructureValue, ResponseError

from .oracle import Oracle
from .strategies_structures import STRUCTURED, Spot, calls
from .tables import IDS
from .test_backends_agree import FACTORIES, NAMESPACE, Server, spelled


def outcome(server: Oracle | Server, requests: Sequence[Request]) -> Any:
    """Return the replies, or which error there was."""
    try:
        return spelled(server.execute(requests))
    except (KeyError, BadStructureValue, ResponseError) as error:
        return next(each.__name__ for each in (KeyError, BadStructureValue, ResponseError) if isinstance(error, each))


class Agreement(RuleBasedStateMachine):
    """The oracle and all backends, from a flush on."""

    def __init__(self) -> None:
        super().__init__()
        self.oracle, self.servers, self.run = Oracle(NAMESPACE), [connect() for connect in FACTORIES], uuid4().hex
        for server in self.servers:
            server.flush()

    def agree(self, *requests: Request) -> None:
        expected = outcome(self.oracle, requests)
        for server in self.servers:
            assert outcome(server, requests) == expected, (server, requests)

    def check(self) -> None:
        for server in self.servers:
            server.check()

    def teardown(self) -> None:
        for server in self.servers:
            server.close()


def machine(kind: Kind) -> type[Agreement]:
    """Return the machine of a kind."""
    table, name = next((table, name) for table in STRUCTURED for name, each in table.structures if each is kind)
    row, missing = IDS[table.name][:2]
    places = [Spot(kind, name, table, row), Spot(kind, name, table, missing), Spot(kind, "all", table)]
    places += [Spot(kind, "a"), Spot(kind, "{b}:\x00")]
    somewhere = st.sampled_from([*places[:1] * 6, *places])

    make = calls(kind, st.just(places[0]), waiting=True)

    class KindMachine(Agreement):
        def __init__(self) -> None:
            super().__init__()
            self.agree(Commit(saves=(Save(table, (Change(row, None, (None,) * len(table.columns)),)),)))

        @rule(calls=st.lists(calls(kind, somewhere), min_size=1, max_size=8))
        def call(self, calls: list[Call]) -> None:
            """Call operations, and see what they left behind."""
            self.agree(*calls)
            self.look()

        @rule(calls=st.lists(calls(kind, somewhere, waiting=True), max_size=4), token=st.sampled_from([None, "a", "b"]))
        def commit(self, calls: list[Call], token: str | None) -> None:
            """Commit several at once, now and then with a token that was used before."""
            self.agree(Commit(calls=tuple(calls), token=token and self.run + token))
            self.look()

        @rule(first=make, calls=st.lists(calls(kind, st.just(places[0])), min_size=1, max_size=5))
        def begin_anew(self, first: Call, calls: list[Call]) -> None:
            """Call operations on what has just been made."""
            self.agree(Call(places[0], "delete"), first, *calls)
            self.look()

        def look(self) -> None:
            """Compare everything, and how many keys there are."""
            self.agree(*(Call(place, name) for place in places for name in ("items", "size")), Keys(table))
            self.check()

    KindMachine.__name__ = KindMachine.__qualname__ = f"{kind.name.title()}Machine"
    return KindMachine


def case(made: type[RuleBasedStateMachine], share: float, steps: int) -> Any:
    """Return the test case of a machine, which runs this share of the examples of the profile."""
    found, profile = made.TestCase, settings()
    found.settings = settings(
        profile, max_examples=max(1, round(profile.max_examples * share)), stateful_step_count=steps
    )
    return found


TestListOnMemoryAndRedis = case(machine(KINDS["list"]), 1 / 10, 25)
TestSetOnMemoryAndRedis = case(machine(KINDS["set"]), 1 / 10, 25)
TestZsetOnMemoryAndRedis = case(machine(KINDS["zset"]), 1 / 7, 25)
TestHashOnMemoryAndRedis = case(machine(KINDS["hashtable"]), 1 / 10, 25)
TestTSOnMemoryAndRedis = case(machine(KINDS["ts"]), 1 / 7, 25)
TestStringOnMemoryAndRedis = case(machine(KINDS["string"]), 1 / 4, 25)
TestNumberArrayOnMemoryAndRedis = case(machine(KINDS["numberarray"]), 1 / 10, 25)
