"""Column time series: the container in memory and the script on Redis against rows in a dict, and against each other.

Chunks have three rows here, so that a few rows make many of them.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from stdnet.apps.columnts.storage import KIND
from stdnet.contract import Call, Commit, Kind, Place

from .test_backends_agree import FACTORIES
from .test_structure_kinds import case

SMALL = Kind(
    KIND.name,
    KIND.operations,
    KIND.container,
    (KIND.lua or "").replace("ROWS = 510", "ROWS = 3"),
    KIND.suffixes,
    KIND.type,
)
NAMES = [b"a", b"b", b"\xc3\xa9:0"]
Row = dict[bytes, float]


def packed(numbers: Sequence[float]) -> bytes:
    return struct.pack(f"<{len(numbers)}d", *numbers)


def unpacked(data: bytes) -> tuple[float, ...]:
    return struct.unpack(f"<{len(data) // 8}d", data)


class Rows:
    """Rows by time, and the names of the columns; every question looks at everything."""

    def __init__(self) -> None:
        self.rows: dict[float, Row] = {}
        self.names: set[bytes] = set()

    def add(self, *blocks: Sequence[bytes]) -> None:
        for times, *rest in blocks:
            for name, cells in zip(rest[::2], rest[1::2], strict=True):
                self.names.add(name)
                for time, cell in zip(unpacked(times), unpacked(cells), strict=True):
                    self.rows.setdefault(time, {})[name] = cell

    def settle(self) -> None:
        if not self.rows or not self.names:
            self.rows, self.names = {}, set()

    def delete(self) -> None:
        self.rows = {}

    def remove(self, times: bytes) -> None:
        self.rows = {time: row for time, row in self.rows.items() if time not in unpacked(times)}

    def forget(self, *names: bytes) -> None:
        self.names -= set(names)
        for row in self.rows.values():
            for name in names:
                row.pop(name, None)

    def retain(self, age: float, rows: int) -> None:
        kept = [time for time in self.order() if time >= self.order()[-1] - age][-rows:]
        self.rows = {time: self.rows[time] for time in kept}

    def order(self) -> list[float]:
        return sorted(self.rows)

    def block(self, times: Sequence[float], names: Sequence[bytes] = ()) -> list[bytes]:
        found = [packed(times)]
        for name in (names or sorted(self.names)) if times else ():
            if name in self.names:
                found += name, packed([self.rows[time].get(name, math.nan) for time in times])
        return found

    def size(self) -> int:
        return len(self.rows)

    def items(self) -> list[bytes]:
        return self.block(self.order())

    def fields(self) -> list[bytes]:
        return sorted(self.names)

    def between(self, low: float, high: float) -> list[float]:
        return [time for time in self.order() if low <= time <= high]

    def placed(self, start: int, stop: int) -> list[float]:
        size = self.size()
        first, last = (place + size if place < 0 else place for place in (start, stop))
        return [time for place, time in enumerate(self.order()) if first <= place <= last]

    def range(self, low: float, high: float, *names: bytes) -> list[bytes]:
        return self.block(self.between(low, high), names)

    def irange(self, start: int, stop: int, *names: bytes) -> list[bytes]:
        return self.block(self.placed(start, stop), names)

    def times(self, low: float, high: float) -> bytes:
        return packed(self.between(low, high))

    def itimes(self, start: int, stop: int) -> bytes:
        return packed(self.placed(start, stop))

    def pop_range(self, low: float, high: float) -> list[bytes]:
        found = self.range(low, high)
        self.remove(found[0])
        return found

    def ipop_range(self, start: int, stop: int) -> list[bytes]:
        found = self.irange(start, stop)
        self.remove(found[0])
        return found

    def rank(self, time: float) -> int | None:
        return self.order().index(time) if time in self.rows else None

    def count(self, low: float, high: float) -> int:
        return len(self.between(low, high))


moments = st.integers(-3, 40).map(float)
cells = st.sampled_from([1.5, -0.0, math.nan, math.inf, 1e300, 5e-324]) | st.integers(0, 99).map(float)
bounds = st.tuples(*[moments | st.sampled_from([-math.inf, math.inf])] * 2)
spots = st.tuples(*[st.integers(-45, 45)] * 2)
wanted = st.lists(st.sampled_from([*NAMES, b"none"]), unique=True, max_size=3).map(tuple)


@st.composite
def blocks(draw: st.DrawFn) -> tuple[bytes, ...]:
    """Draw times in order, now and then in a row, and cells for some columns."""
    start, step = draw(st.integers(-3, 40)), draw(st.integers(1, 3))
    times = draw(
        st.lists(moments, min_size=1, max_size=8, unique=True).map(sorted)
        | st.integers(1, 15).map(lambda n: [float(start + i * step) for i in range(n)])
    )
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True))
    parts = [(name, packed(draw(st.lists(cells, min_size=len(times), max_size=len(times))))) for name in names]
    return packed(times), *[each for part in parts for each in part]


writes = st.one_of(
    st.tuples(st.just("add"), st.lists(blocks(), min_size=1, max_size=3).map(tuple)),
    st.tuples(st.just("add"), blocks().map(lambda block: (block,))),
    st.tuples(st.just("remove"), st.lists(moments, unique=True).map(lambda times: (packed(sorted(times)),))),
    st.tuples(st.just("forget"), st.lists(st.sampled_from(NAMES), max_size=2).map(tuple)),
    st.tuples(st.just("retain"), st.tuples(st.sampled_from([0.0, 3.0, 20.0, math.inf]), st.integers(1, 30))),
)
others = st.one_of(
    st.tuples(st.sampled_from(["pop_range", "times", "count"]), bounds),
    st.tuples(st.sampled_from(["ipop_range", "itimes"]), spots),
    st.tuples(st.just("range"), st.tuples(bounds, wanted).map(lambda both: (*both[0], *both[1]))),
    st.tuples(st.just("irange"), st.tuples(spots, wanted).map(lambda both: (*both[0], *both[1]))),
    st.tuples(st.just("rank"), st.tuples(moments)),
)


class ColumnsMachine(RuleBasedStateMachine):
    """One series on each backend, on its own."""

    def __init__(self) -> None:
        super().__init__()
        self.oracle, self.servers = Rows(), [connect() for connect in FACTORIES]
        self.place = Place(SMALL, uuid4().hex)

    def agree(self, operation: str, arguments: tuple[Any, ...] = ()) -> None:
        expected = getattr(self.oracle, operation)(*arguments)
        self.oracle.settle()
        for server in self.servers:
            (reply,) = server.execute([Call(self.place, operation, arguments)])
            assert reply == expected, (server, operation, arguments)

    def look(self) -> None:
        for operation in ("items", "size", "fields"):
            self.agree(operation)

    @rule(write=writes)
    def write(self, write: tuple[str, tuple[Any, ...]]) -> None:
        self.agree(*write)
        self.look()

    @rule(calls=st.lists(writes | st.just(("delete", ())), max_size=4))
    def commit(self, calls: list[tuple[str, tuple[Any, ...]]]) -> None:
        """Write several things in one commit."""
        for operation, arguments in calls:
            getattr(self.oracle, operation)(*arguments)
            self.oracle.settle()
        for server in self.servers:
            server.execute([Commit(calls=tuple(Call(self.place, *each) for each in calls))])
        self.look()

    @rule(call=others)
    def call(self, call: tuple[str, tuple[Any, ...]]) -> None:
        self.agree(*call)
        self.look()

    def teardown(self) -> None:
        for server in self.servers:
            server.execute([Call(self.place, "delete")])
            server.check()
            assert server.execute([Call(self.place, "size")]) == [0]
            server.close()


TestColumnsOnMemoryAndRedis = case(ColumnsMachine, 1 / 3, 20)
