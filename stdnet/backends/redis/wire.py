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
from .tables import Fields, encode_table, fields_of, from_layout, layout
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
        case Select(plan=Ids((id,)), sort=None) if _is_simple(request):
            return _get(request, id, namespace)
        case Select(plan=Eq() | Range(), sort=None) if _is_simple(request):
            return _find(request, namespace)
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
    if isinstance(plan, All):
        return b"ZCARD", base + b":id"
    match _index(table, plan, base):
        case b"equal", key, _, _:
            return b"SCARD", key
        case b"range", key, low, high:
            return b"ZCOUNT", key, low, high
        case _:
            return None


def _index(table: Table, plan: Plan, base: bytes) -> tuple[bytes, bytes, bytes, bytes] | None:
    """Return kind and key of the index that answers a plan by itself, if there is one, and the bounds to look for."""
    if not isinstance(plan, (Eq, Range)) or plan.field == table.pk.name:
        return None
    column, name = table.columns[table.positions[plan.field]], plan.field.encode()
    if isinstance(plan, Range):
        return (b"range", base + b":idx:" + name, *bounds(plan)) if column.index == "range" else None
    own = spelled(column, plan.values[0]) if len(plan.values) == 1 else None
    if not own:
        return None
    if column.unique:
        return b"unique", base + b":uni:" + name, own, own
    if column.index == "range":
        return b"range", base + b":idx:" + name, own, own
    return (b"equal", base + b":idx:" + name + b":" + keys.escape(own), b"", b"") if column.index else None


# select


def _is_simple(request: Select) -> bool:
    """Return whether all rows, or some of the first, are asked for, and not too many columns for one command."""
    stop = request.stop
    return not request.start and (stop is None or 0 < stop <= PART) and len(request.table.columns) < PART


def _get(request: Select, id: Id, namespace: str) -> Steps:
    """Read one row by its id, which is what a program asks most.

    A row has no hash if all of its values are missing; only then the ids have to be asked, too.
    """
    table, base = request.table, (namespace + request.table.name).encode()
    stored_id = spelled(table.pk, id)
    if stored_id is None:
        return (yield from _select(request, namespace))
    fields = fields_of(table, request.fields)
    key = base + b":obj:" + keys.escape(stored_id)
    row = (yield Call("", (b"HMGET", key, *fields.names))) if fields.names else []
    if row.count(None) == len(row):
        row = yield Call("get", (b"2", base + b":id", key, stored_id, *fields.names))
    return _selected(request, fields, [stored_id], [row]) if row is not None else Selected([], [])


def _find(request: Select, namespace: str) -> Steps:
    """Read the rows that an index finds by itself, unless to order them needs more than ``find.lua`` can do."""
    table, base = request.table, (namespace + request.table.name).encode()
    numeric = table.pk.type in ("int", "float")
    index = _index(table, request.plan, base)
    if index is None or not _is_ordered(index[0], numeric, table.order == "id"):
        return (yield from _select(request, namespace))
    kind, key, low, high = index
    fields = fields_of(table, request.fields)
    options = (base + b":obj:", b"1" if numeric else b"", b"%d" % (request.stop or 0), b"%d" % PART)
    ids, rows = yield Call("find", (b"2", base + b":id", key, kind, low, high, *options, *fields.names))
    return (yield from _completed(request, fields, ids, rows, namespace))


def _is_ordered(kind: bytes, numeric: bool, by_id: bool) -> bool:
    """Return whether ``find.lua`` gives ids in order: one id, ids that are sorted as numbers, or ties as text."""
    return kind == b"unique" or (numeric and by_id) or (kind == b"equal" and not numeric)


def _select(request: Select, namespace: str) -> Steps:
    table = request.table
    fields = fields_of(table, request.fields)
    sort = None
    if request.sort is not None:
        sort = (table.column(request.sort.field).name, request.sort.desc)
    ids, rows = yield call(
        "select",
        namespace,
        encode_table(table),
        encode_plan(table, request.plan),
        sort,
        _clamped(request.start),
        _clamped(request.stop),
        fields.packed,
        PART,
    )
    return (yield from _completed(request, fields, ids, rows, namespace))


def _completed(request: Select, fields: Fields, ids: list[bytes], rows: list[Any], namespace: str) -> Steps:
    """Read the rows that the first call left, part by part."""
    head = encode_table(request.table)
    for first in range(PART, len(ids) if fields.names else 0, PART):
        part = texts(ids[first : first + PART])
        rows += yield call("fetch", namespace, head, part, fields.packed)
    if None in rows:  # deleted between two parts
        ids = [id for id, row in zip(ids, rows, strict=True) if row is not None]
        rows = [row for row in rows if row is not None]
    return _selected(request, fields, ids, rows)


def _selected(request: Select, fields: Fields, ids: list[bytes], rows: list[Any]) -> Selected:
    found = loaded(request.table.pk.type, ids)
    if not fields.names:
        return Selected(found, [] if request.fields == () else [()] * len(ids))
    if len(rows) == 1:  # column by column, as below, it takes three times as long
        row = zip(fields.readers, rows[0], strict=True)
        return Selected(found, [tuple([None if value is None else read(value) for read, value in row])])
    return Selected(found, list(zip(*map(loaded, fields.types, zip(*rows, strict=True)), strict=True)))


def _clamped(bound: int | None) -> int | None:
    return bound if bound is None else max(-(2**53), min(bound, 2**53))


# commit


def _commit(request: Commit, namespace: str) -> Steps:
    deletes = [(*_head(delete.table), encode_plan(delete.table, delete.plan)) for delete in request.deletes]
    saves = [_save(save) for save in request.saves]
    size = sum(len(save.changes) for save in request.saves)
    name = "commit" if deletes else "save"
    reply = yield call(name, namespace, request.token, deletes, saves, writes=True, token=request.token, size=size)
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
