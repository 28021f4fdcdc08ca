"""Commit: evaluate, check, apply.

``evaluate`` reads the state before, ``check`` works out the state after without touching anything, ``apply`` writes
and cannot fail. So a refused commit needs no undo.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass, field

from ...contract import Change, Clash, Commit, Committed, Id, Refused, Row, Save, Scalar
from .indexes import ScoreOrder
from .plans import Reader
from .store import Step, TableStore


@dataclass(slots=True)
class Draft:
    """What a commit makes of one table: the rows it touches, as they will be (``None``: gone)."""

    store: TableStore
    deleted: Set[Id]
    counter: int | None
    after: dict[Id, Row | None] = field(default_factory=dict)
    scores: dict[Id, float] = field(default_factory=dict)
    author: dict[Id, tuple[int, int]] = field(default_factory=dict)
    pending: set[Id] = field(default_factory=set)

    def current(self, id: Id) -> Row | None:
        """Return the row under ``id`` as far as the commit has been worked out."""
        if id in self.after:
            return self.after[id]
        return None if id in self.deleted else self.store.rows.get(id)


def commit(reader: Reader, request: Commit) -> Committed | Refused:
    """Do everything that ``request`` says, or say why not and do nothing."""
    deleted = evaluate(reader, request)
    drafts, ids, clashes = check(reader, request, deleted)
    if clashes:
        return Refused(tuple(clashes))
    return apply(request, deleted, drafts, ids)


def evaluate(reader: Reader, request: Commit) -> list[tuple[TableStore, list[Id]]]:
    """Return the ids of each delete, in the order of its table, on the state before."""
    found = []
    for delete in request.deletes:
        table = reader.store.table(reader.namespace, delete.table)
        found.append((table, table.order.sort(reader.evaluate(table, delete.plan))))
    return found


def check(
    reader: Reader, request: Commit, deleted: Sequence[tuple[TableStore, list[Id]]]
) -> tuple[dict[str, Draft], list[list[Id]], list[Clash]]:
    """Work out the state after: drafts by table name, the ids of each save's changes, and all clashes."""
    drafts: dict[str, Draft] = {}
    for table, gone in deleted:
        draft = _draft(drafts, table)
        draft.deleted = draft.deleted | set(gone)
    ids: list[list[Id]] = []
    clashes: list[Clash] = []
    for number, save in enumerate(request.saves):
        draft = _draft(drafts, reader.store.table(reader.namespace, save.table))
        ids.append(_work_out(draft, save, number, clashes))
    for draft in drafts.values():
        clashes += _unique_clashes(draft)
    columns = [save.table.positions for save in request.saves]
    clashes.sort(key=lambda clash: (clash.save, clash.change, columns[clash.save].get(clash.field, -1)))
    return drafts, ids, clashes


def _draft(drafts: dict[str, Draft], table: TableStore) -> Draft:
    name = table.table.name
    if name not in drafts:
        drafts[name] = Draft(table, frozenset(), table.counter)
    return drafts[name]


def _work_out(draft: Draft, save: Save, number: int, clashes: list[Clash]) -> list[Id]:
    """Let the changes of one save act on the draft, in order, and return their ids."""
    pk, after, author, ids = save.table.pk.name, draft.after, draft.author, []
    scored = save.table.order != "id"
    for place, change in enumerate(save.changes):
        id, row = _allot(draft, change), change.values
        ids.append(id)
        source = id if change.previous is None else change.previous
        base = draft.current(source)
        if scored:
            score = _score(draft, change, source if base is not None else None)
        if change.previous is not None:
            if base is None and change.fields is not None and len(change.fields) < len(save.table.names):
                clashes.append(Clash("gone", number, place, pk, source))
                continue
            if base is not None and id != source:
                if draft.current(id) is not None:
                    clashes.append(Clash("id", number, place, pk, id, id))
                    continue
                after[source] = None
                author.pop(source, None)
        if change.fields is not None:
            kept = base if change.previous is not None else None
            row = _patched(kept or (None,) * len(save.table.names), change, save.table.positions)
        if scored:
            draft.scores[id] = score
        author.pop(id, None)  # the last change of a row answers for it
        author[id] = (number, place)
        after[id] = row
    return ids


def _allot(draft: Draft, change: Change) -> Id:
    id = change.id
    if id is None:
        id = draft.counter = (draft.counter or 0) + 1
        draft.pending.add(id)
    elif draft.store.table.auto and isinstance(id, int):
        draft.counter = max(id, draft.counter or 0)
    return id


def _patched(base: Row, change: Change, positions: dict[str, int]) -> Row:
    values = list(base)
    for name, value in zip(change.fields or (), change.values, strict=True):
        values[positions[name]] = value
    return tuple(values)


def _score(draft: Draft, change: Change, source: Id | None) -> float:
    """Return the score of a row after ``change``; ``source`` is the row that it continues, if any."""
    order = draft.store.order
    assert isinstance(order, ScoreOrder)
    old = 0.0 if source is None else draft.scores.get(source, order.scores.get(source, 0.0))
    if draft.store.table.order == "count":
        return old + (change.score or 0.0)
    return old if change.score is None else change.score


def _unique_clashes(draft: Draft) -> list[Clash]:
    """Compare the unique values of the rows that were touched with each other and with all other rows."""
    clashes = []
    author, after = draft.author, draft.after
    rows = [(id, row) for id in author if (row := after[id]) is not None]
    for position, name, index in draft.store.unique:
        claims: dict[Scalar, Id] = {}
        for id, row in rows:
            value = row[position]
            if value is None or value in ("", b""):
                continue
            holder = claims.setdefault(value, id)
            if holder == id:
                stored = index.ids.get(value)
                if stored is None or stored in after or stored in draft.deleted:
                    continue
                holder = stored
            shown = None if holder in draft.pending else holder
            clashes.append(Clash("unique", *author[id], name, value, shown))
    return clashes


def apply(
    request: Commit,
    deleted: Sequence[tuple[TableStore, list[Id]]],
    drafts: dict[str, Draft],
    ids: Sequence[Sequence[Id]],
) -> Committed:
    """Write the drafts into their tables and report."""
    for draft in drafts.values():
        _write(draft)
    scores = tuple(
        [drafts[save.table.name].scores[id] for id in saved] if save.table.order == "count" else ()
        for save, saved in zip(request.saves, ids, strict=True)
    )
    return Committed(tuple(ids), scores, tuple(gone for _, gone in deleted))


def _write(draft: Draft) -> None:
    table, rows = draft.store, draft.store.rows
    steps: list[Step] = [(id, rows[id], None) for id in draft.deleted if id not in draft.after]
    for id, new in draft.after.items():
        old = rows.get(id)
        if old is not None or new is not None:
            steps.append((id, old, new))
    order = table.order
    if isinstance(order, ScoreOrder):
        for id, old, new in steps:
            if new is not None:
                order.put(id, draft.scores[id])
            elif old is not None:
                order.remove(id)
    else:
        for id, _, new in steps:
            if new is None:
                order.remove(id)
        added = [id for id, old, _ in steps if old is None]
        if added:
            order.extend(added)
    table.counter = draft.counter
    table.write(steps)
