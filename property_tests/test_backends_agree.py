"""The oracle and every backend get the same random programs and must give the same replies, errors by type.

To try another backend, add what connects to it to ``FACTORIES``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from itertools import count
from typing import Any, Protocol, cast
from uuid import uuid4

import pytest
from hypothesis import given

from stdnet.backends import getdb
from stdnet.contract import All, Commit, Count, Flush, Keys, Request, Select
from stdnet.records import Record, replace
from tests.redis.check import Checked
from tests.servers import shared_url

from .oracle import Oracle
from .strategies import interviews, programs
from .tables import TABLES

NAMESPACE = "prop:"


class Server(Protocol):
    """A backend that can verify its own store."""

    def execute(self, requests: Sequence[Request]) -> list[Any]: ...

    def check(self) -> None: ...

    def flush(self) -> int: ...

    def close(self) -> None: ...


def memory() -> Server:
    return cast("Server", getdb(f"memory://?namespace={NAMESPACE}"))


@cache
def redis() -> Server:
    return Checked(getdb(shared_url(), namespace=NAMESPACE), shared_url(), TABLES)


FACTORIES: list[Callable[[], Server]] = [memory, redis]
"""Each call connects; the namespace is ``NAMESPACE``."""

CONTENTS: list[Request] = [
    request for table in TABLES for request in (Select(table, All()), Count(table, All()), Keys(table))
]
_runs = count()
_process = uuid4().hex


def spelled(reply: Any) -> Any:
    """Return a reply as lists and the reprs of its scalars, which tell 5 from 5.0 and 0.0 from -0.0."""
    if isinstance(reply, Record):
        return [type(reply).__name__, *(spelled(getattr(reply, name)) for name in reply.__match_args__)]
    if isinstance(reply, Sequence) and not isinstance(reply, (str, bytes)):
        return [spelled(part) for part in reply]
    return repr(reply)


def answer(server: Oracle | Server, requests: list[Request]) -> Any:
    try:
        return server.execute(requests)
    except KeyError as error:
        return type(error).__name__


def renamed(requests: list[Request], run: str) -> list[Request]:
    """Give each run tokens of its own, since a server that outlives the run remembers them."""
    return [
        replace(request, token=f"{run}-{request.token}") if isinstance(request, Commit) and request.token else request
        for request in requests
    ]


@pytest.mark.parametrize("connect", FACTORIES)
@given(program=programs())
def test_commits(connect: Callable[[], Server], program: list[list[Request]]) -> None:
    agree(connect, program)


@pytest.mark.parametrize("connect", FACTORIES)
@given(interview=interviews())
def test_questions(connect: Callable[[], Server], interview: tuple[Request, list[Select | Count]]) -> None:
    first, questions = interview
    trips: list[list[Request]] = [[first]]
    # to draw a question is dear and to ask is cheap: each plan is also counted, and answered uncut
    trips += ([q, Count(q.table, q.plan), Select(q.table, q.plan, fields=())] for q in questions)
    agree(connect, trips)


def agree(connect: Callable[[], Server], program: list[list[Request]]) -> None:
    """Send a program to the oracle and to a backend, and compare what they say and what they then hold."""
    oracle, server, run = Oracle(NAMESPACE), connect(), f"{_process}-{next(_runs)}"
    server.flush()
    given_out: list[tuple[Any, Any]] = []
    for trip in program:
        requests = renamed(trip, run)
        expected, reply = answer(oracle, requests), answer(server, requests)
        assert spelled(reply) == spelled(expected), requests
        given_out.append((reply, spelled(reply)))
        if any(isinstance(request, (Commit, Flush)) for request in requests):
            server.check()
            assert spelled(server.execute(CONTENTS)) == spelled(oracle.execute(CONTENTS)), requests
    server.check()  # once more: questions leave nothing behind
    assert [spelled(reply) for reply, _ in given_out] == [before for _, before in given_out], "a reply was changed"
    server.close()
