"""Commit: evaluate, check, apply.

``evaluate`` reads the state before, ``check`` works out the state after without touching anything, ``apply`` writes
and cannot fail. So a refused commit needs no undo.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass, field
from math import inf
from typing import Any

from ...contract import (
    After,
    Call,
    Change,
    Clash,
    Commit,
    Committed,
    Held,
    Id,
    Place,
    Reference,
    Refused,
    Row,
    Save,
    Scalar,
    Table,
)
from .indexes import ScoreOrder
from .leaves import is_whole, patched
from .places import is_ownerless, perform, serve, verify
from .plans import Reader
from .store import Step, TableStore
from .updates import update_all


@dataclass(slots=True)
class Draft:
    """What a commit makes of one table: the rows it touches, as they will be (``None``: gone)."""

    store: TableStore
    deleted: Set[Id]
    counter: int | None
    after: dict[Id, Row | None] = field(default_factory=dict)
    scores: dict[Id, float] = field(default_factory=dict)
    deadlines: dict[Id, float] = field(default_factory=dict)
    author: dict[Id, tuple[int, int]] = field(default_factory=dict)
    pending: set[Id] = field(default_factory=set)
    moves: list[tuple[Id, Id]] = field(default_factory=list)

    def current(self, id: Id) -> Row | None:
        """Return the row under ``id`` as far as the commit has been worked out."""
        if id in self.after:
            return self.after[id]
        return None if id in self.deleted else self.store.rows.get(id)

    def referring(self, field: str, position: int, values: Sequence[Id]) -> dict[Id, list[Id]]:
        """Return, for each value, the rows that will have it in ``field``, in the order that the table will have."""
        found: dict[Id, set[Id]] = {value: set() for value in values}
        for id, row in self.after.items():
            if row is not None and row[position] in found:
                found[row[position]].add(id)
        for value, ids in found.items():
            ids.update(id for id in self.store.lookups[field].find(value) - self.deleted if id not in self.after)
        return {value: sorted(ids, key=lambda id: (self.score(id), id)) for value, ids in found.items()}

    def score(self, id: Id) -> float:
        """Return the score that a row will have; the same for all if ids are the order."""
        order = self.store.order
        return 0.0 if not isinstance(order, ScoreOrder) else self.scores[id] if id in self.scores else order.scores[id]

    def is_new(self, id: Id) -> bool:
        """Return whether there is no row that a change under ``id`` could continue, before the commit is done."""
        return id in self.deleted or id not in self.store.rows

    def lost(self) -> list[Id]:
        """Return the ids that were deleted or moved away from, once the commit is done."""
        return [id for id in (*self.deleted, *(source for source, _ in self.moves)) if id not in self.store.rows]

    def clear(self, id: Id, position: int) -> None:
        """Make one value of a row missing; its score stays."""
        row = self.current(id) or ()
        self.put(id, (*row[:position], None, *row[position + 1 :]))

    def put(self, id: Id, row: Row) -> None:
        """Let a row that exists be another; its score stays."""
        self.after[id] = row
        if isinstance(self.store.order, ScoreOrder):
            self.scores.setdefault(id, self.score(id))


def commit(reader: Reader, request: Commit) -> Committed | Refused:
    """Do everything that ``request`` says, or say why not and do nothing."""
    deleted = evaluate(reader, request)
    drafts, ids, updated, clashes, held = check(reader, request, deleted)
    gone = _homeless(reader, request, drafts) if request.calls else ()
    if clashes or held or gone:
        return Refused(tuple(clashes), tuple(held), gone)
    if request.calls or request.after:
        verify(reader, [*request.calls, *request.after])
    return apply(reader, request, deleted, drafts, ids, updated)


def _homeless(reader: Reader, request: Commit, drafts: dict[str, Draft]) -> tuple[int, ...]:
    """Return the places of the calls that would make something for a row that does not exist, and is not added."""
    ownerless = [(number, call.place) for number, call in enumerate(request.calls) if is_ownerless(reader, call)]
    return tuple(number for number, place in ownerless if not _is_added(drafts, place))


def _is_added(drafts: dict[str, Draft], place: Place) -> bool:
    """Return whether the row of a place, which does not exist, is added under its id, and not by a move."""
    draft = drafts.get(place.table.name) if place.table is not None else None
    if draft is None or place.id is None or draft.after.get(place.id) is None:
        return False
    return all(place.id not in move for move in draft.moves)


@dataclass(slots=True)
class Deleted:
    """What a commit deletes, worked out on the state before: by delete, by reference, and all of it by table."""

    by_delete: list[list[Id]]
    by_reference: list[list[Id]]
    tables: dict[str, tuple[TableStore, set[Id]]]

    def of(self, table: str) -> Set[Id]:
        """Return all ids that go from a table."""
        return self.tables[table][1] if table in self.tables else frozenset()


def evaluate(reader: Reader, request: Commit) -> Deleted:
    """Return what the deletes match on the state before, and what follows by cascade."""
    if not request.deletes:
        return Deleted([], [[] for _ in request.references], {})
    by_delete: list[list[Id]] = []
    tables: dict[str, tuple[TableStore, set[Id]]] = {}
    for delete in request.deletes:
        table = reader.store.table(reader.namespace, delete.table)
        by_delete.append(table.order.sort(reader.evaluate(table, delete.plan)))
        tables.setdefault(delete.table.name, (table, set()))[1].update(by_delete[-1])
    matched = {name: frozenset(ids) for name, (_, ids) in tables.items()}
    cascading = [each for each in request.references if each.on_delete == "cascade"]
    _cascade(reader, cascading, tables)
    by_reference: list[list[Id]] = [[] for _ in request.references]
    for name in dict.fromkeys(each.table.name for each in cascading):
        first = next(n for n, each in enumerate(request.references) if each in cascading and each.table.name == name)
        if name in tables:
            table, ids = tables[name]
            by_reference[first] = table.order.sort(ids - matched.get(name, frozenset()))
    return Deleted(by_delete, by_reference, tables)


def _cascade(reader: Reader, references: Sequence[Reference], tables: dict[str, tuple[TableStore, set[Id]]]) -> None:
    """Add to ``tables`` what refers to their ids, until nothing more is found."""
    fresh: dict[str, Set[Id]] = {name: frozenset(ids) for name, (_, ids) in tables.items() if ids}
    while fresh:
        parent, parents = fresh.popitem()
        for reference in references:
            if reference.parent.name != parent:
                continue
            child = reader.store.table(reader.namespace, reference.table)
            found = reader.matching(child, reference.field, parents)
            gone = tables.setdefault(reference.table.name, (child, set()))[1]
            if more := found - gone:
                gone |= more
                fresh[reference.table.name] = fresh.get(reference.table.name, frozenset()) | more


def check(
    reader: Reader, request: Commit, deleted: Deleted
) -> tuple[dict[str, Draft], list[list[Id]], tuple[int, ...], list[Clash], list[Held]]:
    """Work out the state after: drafts by table name, the ids of each save's changes, the rows of each update, and what
    stands against it.
    """
    drafts = {name: Draft(table, gone, table.counter) for name, (table, gone) in deleted.tables.items()}
    ids: list[list[Id]] = []
    clashes: list[Clash] = []
    for number, save in enumerate(request.saves):
        draft = _draft(drafts, reader.store.table(reader.namespace, save.table))
        ids.append([])
        _work_out(draft, save, number, ids, clashes, reader.store.clock() if save.table.ttl else None)
    updated = update_all(reader, request, lambda table: _draft(drafts, table), clashes) if request.updates else ()
    for draft in drafts.values():
        clashes += _unique_clashes(draft)
    if len(clashes) > 1:
        tables = [save.table for save in request.saves] + [update.table for update in request.updates]
        clashes.sort(key=lambda clash: (clash.save, clash.change, tables[clash.save].rank(clash.field)))
    return drafts, ids, updated, clashes, _dangling(reader, request, drafts, deleted)


def _dangling(reader: Reader, request: Commit, drafts: dict[str, Draft], deleted: Deleted) -> list[Held]:
    """Deal with the rows that would refer to a deleted row: clear their field, or return what holds the commit."""
    held = []
    for number, reference in enumerate(request.references):
        parents = deleted.of(reference.parent.name)
        if reference.on_delete == "cascade" or not parents:
            continue
        parent = drafts[reference.parent.name]
        gone = [id for id in parent.store.order.sort(parents) if parent.current(id) is None]
        child = _draft(drafts, reader.store.table(reader.namespace, reference.table))
        position = child.store.table.positions[reference.field]
        for id, referring in child.referring(reference.field, position, gone).items():
            for by in referring:
                if reference.on_delete == "restrict":
                    held.append(Held(number, id, by))
                else:
                    child.clear(by, position)
    return held


def _draft(drafts: dict[str, Draft], table: TableStore) -> Draft:
    name = table.table.name
    if name not in drafts:
        drafts[name] = Draft(table, frozenset(), table.counter)
    return drafts[name]


def _work_out(
    draft: Draft, save: Save, number: int, allotted: list[list[Id]], clashes: list[Clash], now: float | None
) -> None:
    """Let the changes of one save act on the draft, in order, and add their ids to ``allotted``.

    ``now`` is ``None`` if rows do not expire.
    """
    pk, after, author, ids = save.table.pk.name, draft.after, draft.author, allotted[number]
    scored, stored = save.table.order != "id", draft.store.table
    every = None if draft.store.is_as(save.table) else save.table.names
    plain = every is None and now is None and not scored
    for place, given in enumerate(save.changes):
        if plain and given.id is None and given.fields is None and given.previous is None and not given.refs:
            id = _allot(draft, given)  # what follows comes to this for a new row, which most are
            ids.append(id)
            author[id], after[id] = (number, place), given.values
            continue
        change = _resolved(save, given, allotted) if given.refs else given
        id, row = _allot(draft, change), change.values
        ids.append(id)
        source = id if change.previous is None else change.previous
        base = draft.current(source)
        if scored:
            score = _score(draft, change, source if base is not None else None)
        if change.previous is not None:
            if change.version is not None and (stale := _stale(stored, save.table, change, base)):
                clashes.append(Clash("stale", number, place, change.version[0], *stale))
                continue
            if base is None and change.fields is not None and not is_whole(save.table, change.fields):
                clashes.append(Clash("gone", number, place, pk, source))
                continue
            if base is not None and id != source:
                if draft.current(id) is not None:
                    clashes.append(Clash("id", number, place, pk, id, id))
                    continue
                after[source] = None
                draft.moves.append((source, id))
                author.pop(source, None)
        names = every if change.fields is None else change.fields
        kept = base if change.previous is not None else None
        if kept is not None and change.changed is not None:
            row = _narrowed(kept, save.table, change, change.changed, stored)
        elif names is not None:
            row = _patched(kept or (None,) * len(stored.names), names, change.values, stored)
        if scored:
            draft.scores[id] = score
        if now is not None:
            draft.deadlines[id] = _deadline(draft, change, source if base is not None else None, now)
        author.pop(id, None)  # the last change of a row answers for it
        author[id] = (number, place)
        after[id] = row


def _stale(stored: Table, table: Table, change: Change, base: Row | None) -> tuple[Scalar, None, Row | None] | None:
    """Return what a clash tells of a row that is of another version than the change says, ``None`` if it is of that."""
    if base is None:
        return None, None, None
    assert change.version is not None
    column, expected = change.version
    found = base[stored.positions[column]]
    return None if found == expected else (found, None, tuple(base[stored.positions[name]] for name in table.names))


def _narrowed(base: Row, table: Table, change: Change, names: Sequence[str], stored: Table) -> Row:
    """Return a row with the values that a change has for some of its columns, or leaves."""
    places = table.positions if change.fields is None else {name: n for n, name in enumerate(change.fields)}
    return _patched(base, names, [change.values[places[name]] for name in names], stored)


def _resolved(save: Save, change: Change, allotted: Sequence[Sequence[Id]]) -> Change:
    """Return a change with the ids that it refers to in their places."""
    values = list(change.values)
    names = change.fields or save.table.names
    for name, other, place in change.refs:
        values[names.index(name)] = allotted[other][place]
    return change._replace(values=tuple(values), refs=())


def _allot(draft: Draft, change: Change) -> Id:
    id = change.id
    if id is None:
        id = draft.counter = (draft.counter or 0) + 1
        draft.pending.add(id)
    elif draft.store.table.auto and isinstance(id, int):
        draft.counter = max(id, draft.counter or 0)
    return id


def _patched(base: Row, names: Sequence[str], given: Sequence[Any], table: Table) -> Row:
    values = list(base)
    for name, value in zip(names, given, strict=True):
        if name in table.positions:
            values[table.positions[name]] = value
        else:
            patched(values, table, name, value)
    return tuple(values)


def _score(draft: Draft, change: Change, source: Id | None) -> float:
    """Return the score of a row after ``change``; ``source`` is the row that it continues, if any."""
    order = draft.store.order
    assert isinstance(order, ScoreOrder)
    old = 0.0 if source is None else draft.scores.get(source, order.scores.get(source, 0.0))
    if source is not None and change.previous is not None and not change.rescored:
        return old
    if draft.store.table.order == "count":
        return old + (change.score or 0.0)
    return old if change.score is None else change.score


def _deadline(draft: Draft, change: Change, source: Id | None, now: float) -> float:
    """Return the deadline of a row after ``change``, infinity for none; ``source`` is the row that it continues."""
    if change.expires is not None:
        return now + change.expires
    return inf if source is None else draft.deadlines.get(source, draft.store.deadlines.scores.get(source, inf))


def _unique_clashes(draft: Draft) -> list[Clash]:
    """Compare the unique values and combinations of the rows that were touched with each other and all other rows."""
    clashes = []
    author, after = draft.author, draft.after
    rows = [(id, row) for id in author if (row := after[id]) is not None]
    for name, value_of, ids in draft.store.unique:
        claims: dict[Any, Id] = {}
        for id, row in rows:
            value = value_of(row)
            if value is None or value in ("", b""):
                continue
            holder = claims.setdefault(value, id)
            if holder == id:
                stored = ids.get(value)
                if stored is None or stored in after or stored in draft.deleted:
                    continue
                holder = stored
            shown, told = None if holder in draft.pending else holder, None if type(value) is tuple else value
            clashes.append(Clash("unique", *author[id], name, told, shown))
    return clashes


def apply(
    reader: Reader,
    request: Commit,
    deleted: Deleted,
    drafts: dict[str, Draft],
    ids: Sequence[Sequence[Id]],
    updated: tuple[int, ...],
) -> Committed:
    """Carry out the calls, write the drafts into their tables and report."""
    for call in request.calls:
        perform(reader, call)
    concerned = [_saved(each, request, drafts, ids) for each in request.after]
    for draft in drafts.values():
        _write(draft)
    for each, saved in zip(request.after, concerned, strict=True):
        _follow(reader, each, drafts, saved)
    _serve(reader, request, drafts)
    scores = tuple(
        [
            [drafts[save.table.name].scores[id] for id in saved] if save.table.order == "count" else ()
            for save, saved in zip(request.saves, ids, strict=True)
        ]
    )
    return Committed(tuple(ids), scores, tuple(deleted.by_delete), tuple(deleted.by_reference), updated)


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
    if table.table.ttl:
        for id, _, new in steps:
            if new is None:
                table.deadlines.drop(id)
            elif id in draft.deadlines:
                table.deadlines.set(id, draft.deadlines[id])
    for id in draft.deleted:
        table.structures.drop(id)
    for source, id in draft.moves:
        table.structures.move(source, id)


def _saved(after: After, request: Commit, drafts: dict[str, Draft], ids: Sequence[Sequence[Id]]) -> list[Id]:
    """Return the ids of a save that an operation follows, before anything is written."""
    if not isinstance(after.rows, int):
        return []
    draft = drafts[request.saves[after.rows].table.name]
    return [id for id in ids[after.rows] if not after.new or draft.is_new(id)]


def _follow(reader: Reader, after: After, drafts: dict[str, Draft], saved: list[Id]) -> None:
    """Call an operation with the ids that a save has, or with those that a table has lost."""
    concerned = saved
    if isinstance(after.rows, Table):
        concerned = drafts[after.rows.name].lost() if after.rows.name in drafts else []
    if concerned:
        perform(reader, Call(after.place, after.operation, (concerned, *after.arguments)))


def _serve(reader: Reader, request: Commit, drafts: dict[str, Draft]) -> None:
    """Hand over what came, by a call or with a row that moved, to a place where somebody waits."""
    if not reader.store.waiting.queues:
        return
    for call in request.calls:
        serve(reader, call.place)
    for draft in drafts.values():
        table, moved = draft.store, {id for _, id in draft.moves}
        for owner, name, (kind, _) in [each for each in table.structures if each[0] in moved]:
            serve(reader, Place(kind, name, table.table, owner))
