"""What writes: ``Commit``, and what became of one. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from operator import attrgetter
from typing import Any

from ...contract import Assign, Change, Clash, Commit, Committed, Held, Reference, Refused, Save, Table, Update
from .calls import Steps, call
from .expiry import by_commit
from .packing import NIL, Packed, array, loaded, pack, stored, texts
from .plans import encode_plan, encode_program
from .structures import encode_calls, kinds_of
from .tables import encode_table
from .values import spelled

_MANNER = attrgetter("fields", "changed", "rescored")
"""What consecutive changes have to have in common to be sent as one run."""


def commit(request: Commit, namespace: str) -> Steps:
    """Send a commit whole; that it comes again is no harm, by its token."""
    deletes = [(encode_table(delete.table), encode_plan(delete.table, delete.plan)) for delete in request.deletes]
    parts: list[Any] = [request.token, deletes, [_save(save) for save in request.saves]]
    size = sum(len(save.changes) for save in request.saves)
    name, kinds = "commit" if deletes else "save", kinds_of(request)
    if request.references:
        name = "cascade"
        parts.append([_reference(reference) for reference in request.references])
    if request.updates:
        name = "update"
    if request.calls or request.after:
        size += sum(len(each.arguments) for each in request.calls)
        parts += ([None] if len(parts) == 3 else []) + [encode_calls(request, namespace)]
    if request.updates:
        parts += [None] * (5 - len(parts)) + [[_update(update) for update in request.updates]]
    options: dict[str, Any] = {"size": size, "kinds": kinds, "expiring": by_commit(request)}
    reply = yield call(name, namespace, *parts, writes=True, token=request.token, **options)
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
    versions: Sequence[Any] = ()
    expires: Sequence[Any] = ()
    if changes:
        ids, previous, _, _, scores, refs, _, _, versions, expires = zip(*changes, strict=True)
    runs = [_run(table, list(some)) for _, some in groupby(changes, _MANNER)]
    return array(
        [
            encode_table(table),
            pack(len(changes)),
            texts(_ids(table, ids)),
            texts(_ids(table, previous)),
            texts(stored("float", scores)) if table.order != "id" else NIL,
            array(runs),
            *([pack(_refs(table, changes))] if any(refs) else [NIL] if any(versions) or table.ttl else ()),
            *([pack(_versions(table, versions))] if any(versions) else [NIL] if table.ttl else ()),
            *([texts(stored("float", expires))] if table.ttl else ()),
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


def _versions(table: Table, versions: Sequence[tuple[str, Any] | None]) -> list[Any]:
    """Return change, column and expected value of each change that is for one version of its row, counted from one."""
    found: list[Any] = []
    for place, version in enumerate(versions, 1):
        if version is not None:
            position = table.positions[version[0]]
            found += (place, position + 1, stored(table.columns[position].type, [version[1]])[0])
    return found


def _ids(table: Table, ids: Sequence[Any]) -> list[bytes | None]:
    if table.pk.type == "float":
        return [None if id is None else spelled(table.pk, id) for id in ids]
    return stored(table.pk.type, ids)


def _run(table: Table, changes: list[Change]) -> Packed:
    fields, changed = changes[0].fields, changes[0].changed
    places = [_place(table, name) for name in (table.names if fields is None else fields)]
    columns = zip(*(change.values for change in changes), strict=True)
    packed = [texts(stored(kind, column)) for (_, kind), column in zip(places, columns, strict=True)]
    parts = [
        pack(len(changes)),
        NIL if fields is None else pack([place for place, _ in places]),
        array(packed),
    ]
    if changed is not None or not changes[0].rescored:
        names = table.names if fields is None else fields
        parts.append(NIL if changed is None else pack([names.index(name) + 1 for name in changed]))
        parts.append(pack(not changes[0].rescored))
    return array(parts)


def _update(update: Update) -> tuple[Any, ...]:
    table = update.table
    sets = [_assign(table, each) for each in update.sets]
    version = None if update.version is None else table.positions[update.version] + 1
    score: tuple[Any, ...] | None = None
    if update.score is not None:
        name, factor, otherwise = update.score
        score = (table.positions[name] + 1, float(factor), float(otherwise))
    return (encode_table(table), encode_plan(table, update.plan), sets, version, score)


def _assign(table: Table, each: Assign) -> tuple[Any, ...]:
    """Return what becomes of a column, as ``lua/updates.lua`` reads it."""
    position = table.positions[each.column]
    low, high = (None, None) if each.limits is None else map(float, each.limits)
    head = (position + 1, each.required, low, high)
    if not each.program:
        return (*head, "value", stored(table.columns[position].type, [each.value])[0])
    names = dict.fromkeys(str(name) for op, name in each.program if op == "field")
    types = [table.column(name).type for name in names]
    if len(each.program) == 1 and types == [table.columns[position].type]:
        return (*head, "copy", *names)
    return (*head, "program", encode_program(each.program), list(names))


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
    cascaded, kinds, updated = [*more, (), (), ()][:3]
    return Committed(
        _loaded(types, ids),
        tuple(loaded("float", some) for some in scores),
        _loaded(gone, deleted),
        _loaded(kinds, cascaded),
        tuple(map(int, updated)),
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


def _clash(
    request: Commit, reason: Any, save: Any, change: Any, field: Any, value: Any, holder: Any, row: Any, id: Any
) -> Clash:
    number, name = int(save), field.decode()
    updates = request.updates[number - len(request.saves) :] if number >= len(request.saves) else ()
    table = updates[0].table if updates else request.saves[number].table
    kind = "float" if reason == b"value" else "str" if "," in name else table.column(name).type
    (shown,), ids = loaded(kind, [value]), loaded(table.pk.type, [holder, id])
    stands = None
    if row is not None:
        stands = tuple(loaded(column.type, [part])[0] for column, part in zip(table.columns, row, strict=True))
    return Clash(reason.decode(), number, int(change), name, shown, ids[0], stands, ids[1])


def _held(request: Commit, number: bytes, id: bytes, by: bytes) -> Held:
    reference = request.references[int(number)]
    (parent,), (child,) = loaded(reference.parent.pk.type, [id]), loaded(reference.table.pk.type, [by])
    return Held(int(number), parent, child)


def resolve(token: str, namespace: str) -> Steps:
    """Ask what became of the commit with ``token``; return ``Committed`` or ``None``."""
    reply = yield call("resolve", namespace, token, writes=True)
    return None if reply is None else committed(reply)
