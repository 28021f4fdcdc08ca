"""What reads: ``Select`` in three ways, from the most frequent to the most general, and ``Count``. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...contract import All, Found, Id, Plan, Related, Row, Select, Selected, Sort, Table, keys
from ...errors import TableMismatch
from ...records import replace
from .calls import PART, Call, Steps, call
from .expiry import by_plan, by_select
from .kinds import decoded
from .packing import Packed, array, loaded, pack, stored, texts
from .plans import encode_plan, index_of
from .structures import found_by, in_order, key_of, named
from .tables import Fields, claim, encode_table, fields_of
from .values import spelled


def is_simple(request: Select) -> bool:
    """Return whether all rows, or some of the first, are asked for alone, and not too many columns for one command."""
    stop = request.stop
    return (
        not request.table.ttl
        and not request.start
        and not request.related
        and not request.structures
        and not request.scores
        and (stop is None or 0 < stop <= PART)
        and len(request.table.columns) < PART
    )


def get(request: Select, id: Id, namespace: str) -> Steps:
    """Read one row by its id, which is what a program asks most.

    A row has no hash if all of its values are missing; only then the ids have to be asked, too.
    """
    table, base = request.table, (namespace + request.table.name).encode()
    stored_id = spelled(table.pk, id)
    if stored_id is None:
        return (yield from select(request, namespace))
    fields, claimed = fields_of(table, request.fields), claim(table, namespace)
    key = base + b":obj:" + keys.escape(stored_id)
    row = (yield Call("", (b"HMGET", key, *fields.names), claim=claimed)) if fields.names else []
    if row.count(None) == len(row):
        row = yield Call("get", (b"2", base + b":id", key, stored_id, *fields.names), claim=claimed)
    return _selected(request, fields, [stored_id], [row]) if row is not None else Selected([], [])


def find(request: Select, namespace: str) -> Steps:
    """Read the rows that an index finds by itself, unless to order them needs more than ``find.lua`` can do."""
    table, base = request.table, (namespace + request.table.name).encode()
    numeric = table.pk.type in ("int", "float")
    index = index_of(table, request.plan, base)
    if index is None or not _is_ordered(index[0], numeric, table.order == "id"):
        return (yield from select(request, namespace))
    kind, key, low, high = index
    fields = fields_of(table, request.fields)
    options = (base + b":obj:", b"1" if numeric else b"", b"%d" % (request.stop or 0), b"%d" % PART)
    arguments = (b"2", base + b":id", key, kind, low, high, *options, *fields.names)
    reply = yield Call("find", arguments, claim=claim(table, namespace))
    return (yield from _completed(request, fields, reply, namespace))


def sought(request: Select, plan: Found, namespace: str) -> Steps:
    """Read the rows that a structure finds."""
    place, fields = plan.place, fields_of(request.table, request.fields)
    asked = (place.kind.name, plan.operation, key_of(place, ""), place.kind.type, plan.arguments)
    parts = (encode_table(request.table), *asked, request.stop, fields.packed, PART)
    reply = yield call("sought", namespace, *parts, kinds=(place.kind,))
    return (yield from _completed(request, fields, reply, namespace))


def _is_ordered(kind: bytes, numeric: bool, by_id: bool) -> bool:
    """Return whether ``find.lua`` gives ids in order: one id, ids that are sorted as numbers, or ties as text."""
    return kind == b"unique" or (numeric and by_id) or (kind == b"equal" and not numeric)


def select(request: Select, namespace: str) -> Steps:
    """Read what a plan tells, in any order, and what is to be brought along."""
    table, sort = request.table, request.sort
    fields = fields_of(table, request.fields)
    parts: list[Any] = [
        encode_table(table),
        encode_plan(table, request.plan),
        _scores(request) if request.scores else None if sort is None else _sort(table, sort),
        _clamped(request.start),
        _clamped(request.stop),
        fields.packed,
        PART,
    ]
    if request.related:
        parts.append(_related(table, request.related))
    if request.structures or request.scores:
        return (yield from _filled(request, fields, parts, namespace))
    kinds, expiring = found_by(request.plan), by_select(request)
    reply = yield call(_script(request), namespace, *parts, kinds=kinds, expiring=expiring)
    return (yield from _completed(request, fields, reply, namespace))


def _script(request: Select) -> str:
    if request.scores:
        return "ranked"
    return "join" if request.related or (request.sort is not None and request.sort.through) else "select"


def _filled(request: Select, fields: Fields, parts: list[Any], namespace: str) -> Steps:
    """Read rows with their scores, or with what structures of theirs hold: of the first rows at once, then in parts."""
    known = dict(request.table.structures)
    asked, kinds = named(request.table, request.structures), in_order(known[name] for name in request.structures)
    parts += ([] if request.related else [None]) + [asked]
    needed = in_order((*kinds, *(found_by(request.plan) or ()), *(each.place.kind for each in request.scores)))
    asking = call(_script(request), namespace, *parts, kinds=needed, expiring=by_select(request))
    *reply, raw, scores = yield from _with_scores(request, asking)
    selected = yield from _completed(request, fields, reply, namespace)
    ids = stored(request.table.pk.type, selected.ids)
    options: dict[str, Any] = {"kinds": kinds, "expiring": request.table.ttl}
    for first in range(PART, len(ids) if request.structures else 0, PART):
        packed = [encode_table(request.table), texts(ids[first : first + PART]), asked]
        for column, more in zip(raw, (yield call("more", namespace, *packed, **options)), strict=True):
            column += more
    contents = zip(request.structures, raw, strict=True)
    filled = tuple(decoded(known[name], "items", column) for name, column in contents)
    return replace(selected, structures=filled, scores=[scores[id] for id in selected.ids] if scores else ())


def _with_scores(request: Select, asking: Call) -> Steps:
    """Ask, and return the reply with the scores by id as its last part; rows may be gone before they are read."""
    reply = yield asking
    if not request.scores:
        return [*reply, {}]
    *rest, sums = reply
    return [*rest, dict(zip(loaded(request.table.pk.type, reply[0]), map(float, sums), strict=True))]


def _scores(request: Select) -> list[Any]:
    return [
        (each.place.kind.name, each.operation, key_of(each.place, ""), each.place.kind.type, each.arguments)
        + ((_path(request.table, each.through)[0],) if each.through else ())
        for each in request.scores
    ]


def _path(table: Table, through: Sequence[tuple[str, Table]]) -> tuple[list[Any], Table]:
    """Return a path as ``lua/paths.lua`` reads it, and the table where it ends."""
    path = []
    for name, other in through:
        path.append((table.columns[table.positions[name]].name, encode_table(other)))
        table = other
    return path, table


def _sort(table: Table, sort: Sort) -> tuple[Any, ...]:
    path, table = _path(table, sort.through)
    field = sort.field
    if field != table.pk.name and field not in table.positions:
        table.leaf(field)  # KeyError
    return (field, sort.desc, path) if path else (field, sort.desc)


def _related(table: Table, related: tuple[Related, ...]) -> Packed:
    """Return what to bring along, as ``lua/paths.lua`` reads it."""
    parts = []
    for each in related:
        field, of = table.column(each.field).name, each.table.column(each.of).name
        fields = fields_of(each.table, each.fields)
        deeper = (_related(each.table, each.related),) if each.related else ()
        parts.append(pack((field, encode_table(each.table), of, fields.packed, *deeper)))
    return array(parts)


def _completed(request: Select | Related, fields: Fields, reply: list[Any], namespace: str) -> Steps:
    """Read the rows that the first call left, part by part, and then those that are brought along."""
    ids, rows, *more = reply
    head = encode_table(request.table)
    for first in range(PART, len(ids) if fields.names else 0, PART):
        part = texts(ids[first : first + PART])
        rows += yield call("fetch", namespace, head, part, fields.packed, expiring=request.table.ttl)
    if None in rows:  # deleted between two parts
        ids = [id for id, row in zip(ids, rows, strict=True) if row is not None]
        rows = [row for row in rows if row is not None]
    related = []
    for each, part in zip(request.related, more[0] if more else (), strict=True):
        related.append((yield from _completed(each, fields_of(each.table, each.fields), part, namespace)))
    return _selected(request, fields, ids, rows, tuple(related))


def _selected(
    request: Select | Related, fields: Fields, ids: list[bytes], rows: list[Any], related: tuple[Selected, ...] = ()
) -> Selected:
    found = loaded(request.table.pk.type, ids)
    if not fields.names:
        return Selected(found, [] if request.fields == () else [()] * len(ids), related)
    try:
        return Selected(found, _rows(fields, rows), related)
    except ValueError:  # a column that is in no index had another type when the row was stored
        raise TableMismatch(request.table.name) from None


def _rows(fields: Fields, rows: list[Any]) -> list[Row]:
    if len(rows) == 1:  # column by column, as below, it takes three times as long
        row = zip(fields.readers, rows[0], strict=True)
        return [tuple([None if value is None else read(value) for read, value in row])]
    return list(zip(*map(loaded, fields.types, zip(*rows, strict=True)), strict=True))


def _clamped(bound: int | None) -> int | None:
    return bound if bound is None else max(-(2**53), min(bound, 2**53))


def count(table: Table, plan: Plan, namespace: str) -> Steps:
    """Count the rows of a plan, by one command if an index knows."""
    command = None if table.ttl else _counting(table, plan, (namespace + table.name).encode())
    if command is not None:
        return (yield Call("", command, claim=claim(table, namespace)))
    options: dict[str, Any] = {"kinds": found_by(plan), "expiring": by_plan(table, plan)}
    return (yield call("count", namespace, encode_table(table), encode_plan(table, plan), **options))


def _counting(table: Table, plan: Plan, base: bytes) -> tuple[bytes, ...] | None:
    """Return the command that counts a plan by itself, if there is one."""
    if isinstance(plan, All):
        return b"ZCARD", base + b":id"
    match index_of(table, plan, base):
        case b"equal", key, _, _:
            return b"SCARD", key
        case b"range", key, low, high:
            return b"ZCOUNT", key, low, high
        case _:
            return None
