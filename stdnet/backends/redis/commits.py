"""What writes: ``Commit``, and what became of one. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from ...contract import Change, Clash, Commit, Committed, Held, Reference, Refused, Save, Table
from .calls import Steps, call
from .packing import NIL, Packed, array, loaded, pack, stored, texts
from .plans import encode_plan
from .structures import encode_calls, kinds_of
from .tables import encode_table
from .values import spelled


def commit(request: Commit, namespace: str) -> Steps:
    """Send a commit whole; that it comes again is no harm, by its token."""
    deletes = [(encode_table(delete.table), encode_plan(delete.table, delete.plan)) for delete in request.deletes]
    parts: list[Any] = [request.token, deletes, [_save(save) for save in request.saves]]
    size = sum(len(save.changes) for save in request.saves)
    name, kinds = "commit" if deletes else "save", kinds_of(request)
    if request.references:
        name = "cascade"
        parts.append([_reference(reference) for reference in request.references])
    if request.calls or request.after:
        size += sum(len(each.arguments) for each in request.calls)
        parts += ([None] if len(parts) == 3 else []) + [encode_calls(request.calls, request.after, namespace)]
    reply = yield call(name, namespace, *parts, writes=True, token=request.token, size=size, kinds=kinds)
    return _refused(request, *reply[1:]) if reply[0] == b"refused" else committed(reply)


def _reference(reference: Reference) -> tuple[Any, ...]:
    table = reference.table
    field = table.columns[table.positions[reference.field]].name
    return (encode_table(table), field, reference.parent.name, reference.on_delete)


def _save(save: Save) -> Packed:
    table, changes = save.table, save.changes
    ids: Sequence[Any] = ()
    previous: Sequence[Any] = ()
    scores: Sequence[Any] = ()
    refs: Sequence[Any] = ()
    if changes:
        ids, previous, _, _, scores, refs = zip(*changes, strict=True)
    runs = [_run(table, fields, list(some)) for fields, some in groupby(changes, lambda change: change.fields)]
    return array(
        [
            encode_table(table),
            pack(len(changes)),
            texts(_ids(table, ids)),
            texts(_ids(table, previous)),
            texts(stored("float", scores)) if table.order != "id" else NIL,
            array(runs),
            *([pack(_refs(table, changes))] if any(refs) else ()),
        ]
    )


def _refs(table: Table, changes: Sequence[Change]) -> list[int]:
    """Return change, column, save and change of each id that a change takes from another, counted from one."""
    found: list[int] = []
    for place, change in enumerate(changes, 1):
        names = table.names if change.fields is None else change.fields
        for name, save, other in change.refs:
            found += (place, names.index(name) + 1, save + 1, other + 1)
    return found


def _ids(table: Table, ids: Sequence[Any]) -> list[bytes | None]:
    if table.pk.type == "float":
        return [None if id is None else spelled(table.pk, id) for id in ids]
    return stored(table.pk.type, ids)


def _run(table: Table, fields: tuple[str, ...] | None, changes: list[Change]) -> Packed:
    places = [_place(table, name) for name in (table.names if fields is None else fields)]
    columns = zip(*(change.values for change in changes), strict=True)
    packed = [texts(stored(kind, column)) for (_, kind), column in zip(places, columns, strict=True)]
    return array(
        [
            pack(len(changes)),
            NIL if fields is None else pack([place for place, _ in places]),
            array(packed),
        ]
    )


def _place(table: Table, name: str) -> tuple[str, str]:
    """Return the place of a column, counted from one, or of a leaf, ``place:path``, and the type of its values."""
    if name in table.positions:
        place = table.positions[name]
        return f"{place + 1}", table.columns[place].type
    place, path = table.leaf(name)
    return f"{place + 1}:{path}", "leaf"


def committed(reply: list[Any]) -> Committed:
    """Return what a commit did, as its script or its token tells."""
    _, ids, scores, deleted, types, gone, *more = reply
    cascaded, kinds = more or ((), ())
    return Committed(
        _loaded(types, ids),
        tuple(loaded("float", some) for some in scores),
        _loaded(gone, deleted),
        _loaded(kinds, cascaded),
    )


def _loaded(types: Sequence[bytes], groups: Sequence[list[bytes | None]]) -> tuple[list[Any], ...]:
    return tuple(loaded(kind.decode(), ids) for kind, ids in zip(types, groups, strict=True))


def _refused(
    request: Commit, clashes: list[list[Any]], held: Sequence[list[bytes]] = (), gone: Sequence[bytes] = ()
) -> Refused:
    return Refused(
        tuple(_clash(request, *clash) for clash in clashes),
        tuple(_held(request, *each) for each in held),
        tuple(map(int, gone)),
    )


def _clash(request: Commit, reason: Any, save: Any, change: Any, field: Any, value: Any, holder: Any = None) -> Clash:
    table, name = request.saves[int(save)].table, field.decode()
    (shown,), (id,) = loaded(table.column(name).type, [value]), loaded(table.pk.type, [holder])
    return Clash(reason.decode(), int(save), int(change), name, shown, id)


def _held(request: Commit, number: bytes, id: bytes, by: bytes) -> Held:
    reference = request.references[int(number)]
    (parent,), (child,) = loaded(reference.parent.pk.type, [id]), loaded(reference.table.pk.type, [by])
    return Held(int(number), parent, child)


def resolve(token: str, namespace: str) -> Steps:
    """Ask what became of the commit with ``token``; return ``Committed`` or ``None``."""
    reply = yield call("resolve", namespace, token, writes=True)
    return None if reply is None else committed(reply)
