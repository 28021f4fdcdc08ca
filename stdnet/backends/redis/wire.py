"""The wire: requests as calls of scripts, and their replies as data. Pure: nothing here sends anything.

Each request is a generator that yields ``Call``s, one after the other, takes what the server answers to each, and
returns the reply. Most make one call; what can be large is continued in parts, so that no call is long.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, TypeAlias

from ...contract import (
    All,
    Change,
    Clash,
    Commit,
    Committed,
    Count,
    Eq,
    Flush,
    Id,
    Ids,
    Keys,
    Ping,
    Plan,
    Range,
    Refused,
    Request,
    Save,
    Select,
    Selected,
    Table,
    keys,
)
from .packing import NIL, Packed, array, loaded, pack, stored, texts
from .plans import encode_plan
from .tables import encode_fields, encode_table, from_layout, layout, pack_fields
from .values import bounds, spelled

PART = 1000
"""Rows that one call reads, or removes in a flush."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a script, or, with an empty name, a plain command. ``size``: the rows that it writes."""

    script: str
    arguments: tuple[bytes, ...]
    writes: bool = False
    token: str | None = None
    size: int = 0


Steps: TypeAlias = Generator[Call, Any, Any]


def call(script: str, namespace: str, *request: Any, **options: Any) -> Call:
    """Return the call of a script with its key, the namespace and the packed request."""
    prefix = namespace.encode()
    return Call(script, (b"1", prefix + b":tables", prefix, pack(request)), **options)


def steps(request: Request, namespace: str) -> Steps:
    """Return the conversation that answers ``request``."""
    match request:
        case Commit():
            return _commit(request, namespace)
        case Select(table, Ids((id,)), sort=None, start=None, stop=None) if len(table.columns) < PART:
            return _get(request, id, namespace)
        case Select():
            return _select(request, namespace)
        case Count(table, plan):
            return _count(table, plan, namespace)
        case Keys(table):
            return _keys(table, namespace)
        case Flush(table):
            return _flush(table, namespace)
        case Ping():
            return _ping()


def _ping() -> Steps:
    yield Call("", (b"PING",))
    return True


# count


def _count(table: Table, plan: Plan, namespace: str) -> Steps:
    command = _counting(table, plan, (namespace + table.name).encode())
    if command is not None:
        return (yield Call("", command))
    return (yield call("count", namespace, encode_table(table), encode_plan(table, plan)))


def _counting(table: Table, plan: Plan, base: bytes) -> tuple[bytes, ...] | None:
    """Return the command that counts a plan by itself, if there is one."""
    match plan:
        case All():
            return b"ZCARD", base + b":id"
        case Eq(field, (value,)) if (column := table.columns[table.positions[field]]).index and not column.unique:
            key, own = base + b":idx:" + field.encode(), spelled(column, value)
            if not own:
                return None
            return (b"ZCOUNT", key, own, own) if column.index == "range" else (b"SCARD", key + b":" + keys.escape(own))
        case Range(field) if field != table.pk.name and table.columns[table.positions[field]].index == "range":
            low, high = bounds(plan)
            return b"ZCOUNT", base + b":idx:" + field.encode(), low, high
        case _:
            return None


# select


def _get(request: Select, id: Id, namespace: str) -> Steps:
    """Read one row by its id, which is what a program asks most."""
    table, base = request.table, (namespace + request.table.name).encode()
    stored_id = spelled(table.pk, id)
    if stored_id is None:
        return (yield from _select(request, namespace))
    names = table.names if request.fields is None else request.fields
    types = pack_fields(table, names)[0] if request.fields is not None else encode_fields(table)[0]
    key = base + b":obj:" + keys.escape(stored_id)
    row = yield Call("get", (b"2", base + b":id", key, stored_id, *map(str.encode, names)))
    return _selected(request, types, [stored_id], [row]) if row is not None else Selected([], [])


def _selected(request: Select, types: list[str], ids: list[bytes], rows: list[Any]) -> Selected:
    found = loaded(request.table.pk.type, ids)
    if not types:
        return Selected(found, [] if request.fields == () else [()] * len(ids))
    return Selected(found, list(zip(*map(loaded, types, zip(*rows, strict=True)), strict=True)))


def _select(request: Select, namespace: str) -> Steps:
    table = request.table
    names = table.names if request.fields is None else request.fields
    types, fields = encode_fields(table) if request.fields is None else pack_fields(table, names)
    sort = None
    if request.sort is not None:
        sort = (table.column(request.sort.field).name, request.sort.desc)
    head = encode_table(table)
    ids, rows = yield call(
        "select",
        namespace,
        head,
        encode_plan(table, request.plan),
        sort,
        _clamped(request.start),
        _clamped(request.stop),
        fields,
        PART,
    )
    for first in range(PART, len(ids) if names else 0, PART):
        rows += yield call("fetch", namespace, head, texts(ids[first : first + PART]), fields)
    if None in rows:  # deleted between two parts
        ids = [id for id, row in zip(ids, rows, strict=True) if row is not None]
        rows = [row for row in rows if row is not None]
    return _selected(request, types, ids, rows)


def _clamped(bound: int | None) -> int | None:
    return bound if bound is None else max(-(2**53), min(bound, 2**53))


# commit


def _commit(request: Commit, namespace: str) -> Steps:
    deletes = [(*_head(delete.table), encode_plan(delete.table, delete.plan)) for delete in request.deletes]
    saves = [_save(save) for save in request.saves]
    size = sum(len(save.changes) for save in request.saves)
    reply = yield call("commit", namespace, request.token, deletes, saves, writes=True, token=request.token, size=size)
    return _refused(request, reply[1]) if reply[0] == b"refused" else committed(reply)


def _head(table: Table) -> tuple[Packed, str]:
    return encode_table(table), layout(table)


def _save(save: Save) -> Packed:
    table, changes = save.table, save.changes
    ids: Sequence[Any] = ()
    previous: Sequence[Any] = ()
    scores: Sequence[Any] = ()
    if changes:
        ids, previous, _, _, scores = zip(*changes, strict=True)
    runs = [_run(table, fields, list(some)) for fields, some in groupby(changes, lambda change: change.fields)]
    return array(
        [
            *map(pack, _head(table)),
            pack(len(changes)),
            texts(_ids(table, ids)),
            texts(_ids(table, previous)),
            texts(stored("float", scores)) if table.order != "id" else NIL,
            array(runs),
        ]
    )


def _ids(table: Table, ids: Sequence[Any]) -> list[bytes | None]:
    if table.pk.type == "float":
        return [None if id is None else spelled(table.pk, id) for id in ids]
    return stored(table.pk.type, ids)


def _run(table: Table, fields: tuple[str, ...] | None, changes: list[Change]) -> Packed:
    places = range(len(table.columns)) if fields is None else [table.positions[name] for name in fields]
    columns = zip(*(change.values for change in changes), strict=True)
    packed = [texts(stored(table.columns[place].type, column)) for place, column in zip(places, columns, strict=True)]
    return array(
        [
            pack(len(changes)),
            NIL if fields is None else pack([place + 1 for place in places]),
            array(packed),
        ]
    )


def committed(reply: list[Any]) -> Committed:
    """Return what a commit did, as its script or its token tells."""
    _, ids, scores, deleted, types, gone = reply
    return Committed(
        tuple(loaded(kind.decode(), some) for kind, some in zip(types, ids, strict=True)),
        tuple(loaded("float", some) for some in scores),
        tuple(loaded(kind.decode(), some) for kind, some in zip(gone, deleted, strict=True)),
    )


def _refused(request: Commit, clashes: list[list[bytes | None]]) -> Refused:
    return Refused(tuple(_clash(request, *clash) for clash in clashes))


def _clash(request: Commit, reason: Any, save: Any, change: Any, field: Any, value: Any, holder: Any = None) -> Clash:
    table, name = request.saves[int(save)].table, field.decode()
    (shown,), (id,) = loaded(table.column(name).type, [value]), loaded(table.pk.type, [holder])
    return Clash(reason.decode(), int(save), int(change), name, shown, id)


def resolve(token: str, namespace: str) -> Steps:
    """Ask what became of the commit with ``token``; return ``Committed`` or ``None``."""
    reply = yield call("resolve", namespace, token, writes=True)
    return None if reply is None else committed(reply)


# administration


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
                place = encode_table(from_layout(name, description))
                number, more = yield call("flush", namespace, place, PART, writes=True)
                removed += int(number)
    return removed


def _pairs(reply: Any) -> Iterator[tuple[str, bytes]]:
    """Yield name and description of each table; a map comes as a dict or flat, by protocol."""
    flat = [part for pair in reply.items() for part in pair] if isinstance(reply, dict) else reply
    for name, description in zip(flat[::2], flat[1::2], strict=True):
        yield name.decode(), description
