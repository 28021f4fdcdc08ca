"""The wire: requests as calls of scripts, and their replies as data. Pure: nothing here sends anything.

Each request is a generator that yields ``Call``s, one after the other, takes what the server answers to each, and
returns the reply. Most make one call; what can be large is continued in parts, so that no call is long. What reads is
in ``reads`` and ``aggregates``, what writes in ``commits``; the rest is here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...contract import Aggregate, Commit, Count, Eq, Flush, Ids, Keys, Ping, Range, Request, Select, Table, keys
from .aggregates import aggregate
from .calls import PART, Call, Steps, call
from .commits import commit
from .reads import count, find, get, is_simple, select
from .tables import encode_table, from_layout


def steps(request: Request, namespace: str) -> Steps:
    """Return the conversation that answers ``request``."""
    match request:
        case Commit():
            return commit(request, namespace)
        case Select(plan=Ids((id,)), sort=None) if is_simple(request):
            return get(request, id, namespace)
        case Select(plan=Eq() | Range(), sort=None) if is_simple(request):
            return find(request, namespace)
        case Select():
            return select(request, namespace)
        case Count(table, plan):
            return count(table, plan, namespace)
        case Aggregate():
            return aggregate(request, namespace)
        case Keys(table):
            return _keys(table, namespace)
        case Flush(table):
            return _flush(table, namespace)
        case Ping():
            return _ping()


def _ping() -> Steps:
    yield Call("", (b"PING",))
    return True


def _keys(table: Table, namespace: str) -> Steps:
    names: set[bytes] = set()
    more, start = b"1", 0
    while more:
        found, more = yield call("keys", namespace, encode_table(table), start, PART)
        names.update(found)
        start += PART
    return sorted(map(keys.shown, names))


def _flush(table: Table | None, namespace: str) -> Steps:
    known = yield Call("", (b"HGETALL", namespace.encode() + b":tables"))
    removed = 0
    for name, description in _pairs(known):
        if table is None or table.name == name:
            more = b"1"
            while more:
                number, more = yield call("flush", namespace, from_layout(name, description), PART, writes=True)
                removed += int(number)
    return removed


def _pairs(reply: Any) -> Iterator[tuple[str, bytes]]:
    """Yield name and description of each table; a map comes as a dict or flat, by protocol."""
    flat = [part for pair in reply.items() for part in pair] if isinstance(reply, dict) else reply
    for name, description in zip(flat[::2], flat[1::2], strict=True):
        yield name.decode(), description
