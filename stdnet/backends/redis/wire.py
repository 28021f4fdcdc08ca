"""The wire: requests as calls of scripts, and their replies as data. Pure: nothing here sends anything.

Each request is a generator that yields ``Call``s, one after the other, takes what the server answers to each, and
returns the reply. Most make one call; what can be large is continued in parts, so that no call is long. What reads is
in ``reads`` and ``aggregates``, what writes in ``commits``, and ``structures`` and ``flushes`` have modules of their
own, too; the rest is here.
"""

from __future__ import annotations

from ... import contract
from ...contract import (
    Aggregate,
    Commit,
    Count,
    Eq,
    Flush,
    Found,
    Ids,
    Keys,
    Match,
    Ping,
    Range,
    Request,
    Select,
    Table,
    Take,
    keys,
)
from .aggregates import aggregate
from .calls import PART, Call, Steps, call
from .commits import commit
from .flushes import flush
from .reads import count, find, get, is_simple, select, sought
from .structures import operate
from .tables import encode_table


def steps(request: Request, namespace: str) -> Steps:
    """Return the conversation that answers ``request``."""
    match request:
        case Commit():
            return commit(request, namespace)
        case Select(plan=Ids((id,)), sort=None) if is_simple(request):
            return get(request, id, namespace)
        case Select(plan=Eq() | Match() | Range(), sort=None) if is_simple(request):
            return find(request, namespace)
        case Select(plan=Found() as plan, sort=None) if is_simple(request):
            return sought(request, plan, namespace)
        case Select():
            return select(request, namespace)
        case Count(table, plan):
            return count(table, plan, namespace)
        case contract.Call():
            return operate(request, namespace)
        case Take(place):  # whether there is anything; to pop it, or to wait, is the business of ``talk``
            return operate(contract.Call(place, "size"), namespace)
        case Aggregate():
            return aggregate(request, namespace)
        case Keys(table):
            return _keys(table, namespace)
        case Flush(table):
            return flush(table, namespace)
        case Ping():
            return _ping()


def _ping() -> Steps:
    yield Call("", (b"PING",))
    return True


def _keys(table: Table, namespace: str) -> Steps:
    names: set[bytes] = set()
    more, start = b"1", 0
    while more:
        found, more = yield call("keys", namespace, encode_table(table), start, PART, expiring=table.ttl)
        names.update(found)
        start += PART
    return sorted(map(keys.shown, names))
