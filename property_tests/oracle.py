"""A backend as naive as can be: lists of rows and comprehensions, written from the contract's docstrings alone.

No index, no undo, no sharing of code with a backend (only the spelling of key names comes from the contract).
A commit works on a deep copy; every question looks at every row. It is slow, and short enough to be believed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from math import inf
from typing import Any

from stdnet import contract as c
from stdnet.contract.keys import escape, shown
from stdnet.errors import ResponseError
from stdnet.records import replace

from .oracle_structures import Shelf, look_up, perform
from .oracle_updates import updated
from .oracle_values import blank, run, same, scanned, within

EMPTY: dict[str, Any] = {"int": 0, "float": 0, "str": "", "bytes": b""}
"""What a missing value of a column counts as when rows are sorted by it."""

Origin = tuple[int, int]
"""The places of a save in its commit and of a change in its save."""


@dataclass(eq=False)
class Line:
    """One row. ``at`` is the last change of the commit at hand that wrote it."""

    id: Any
    values: dict[str, Any]
    score: float = 0.0
    at: Origin | None = None
    shelf: Shelf = field(default_factory=dict)
    deadline: float = inf


@dataclass
class Place:
    """The rows of a table, in no particular order, and the largest int that an auto table has seen.

    ``allotted`` are the ids that the commit at hand made up, ``scores`` what it gave to which id, ``moved`` from or to
    where it moved rows.
    """

    table: c.Table
    lines: list[Line] = field(default_factory=list)
    top: int | None = None
    allotted: set[Any] = field(default_factory=set)
    scores: dict[Any, float] = field(default_factory=dict)
    moved: set[Any] = field(default_factory=set)
    shelf: Shelf = field(default_factory=dict)

    def under(self, id: c.Id | None) -> Line | None:
        return next((line for line in self.lines if line.id == id), None)


class Oracle:
    """What the docstrings of ``stdnet.contract`` say, executed."""

    def __init__(self, namespace: str = "", clock: Callable[[], float] = lambda: 0.0) -> None:
        self.namespace = namespace
        self.clock = clock
        self.places: dict[str, Place] = {}
        self.alone: dict[str, Shelf] = {kind: {} for kind in c.KINDS}
        self.tokens: dict[str, tuple[float, c.Committed]] = {}

    def execute(self, requests: Sequence[c.Request]) -> list[Any]:
        return [self.answer(request) for request in requests]

    def expire(self) -> None:
        """Forget the rows that are due."""
        for place in self.places.values():
            place.lines = [line for line in place.lines if line.deadline > self.clock()]

    def answer(self, request: c.Request) -> Any:
        self.expire()
        match request:
            case c.Commit():
                return self.commit(request)
            case c.Select():
                return self.select(request)
            case c.Count(table, plan):
                return len(self.find(table, plan))
            case c.Call():
                return self.call(request)
            case c.Take(place, end):
                return self.call(c.Call(place, f"pop_{end}"))
            case c.Keys(table):
                return self.keys(table)
            case c.Flush(table):
                return self.flush(table)
            case c.Ping():
                return True

    def place(self, table: c.Table) -> Place:
        return self.places.setdefault(table.name, Place(table))

    # queries

    def find(self, table: c.Table, plan: c.Plan) -> list[Line]:
        """Return the rows of ``plan`` in the order of the table."""
        lines = sorted(self.place(table).lines, key=lambda line: (line.score, line.id))
        match plan:
            case c.All():
                return lines
            case c.Ids(ids):
                return [line for line in lines if line.id in ids]
            case c.Eq(name, values):
                read = reader(table, name)
                return [line for line in lines if any(same(read(line), value) for value in values)]
            case c.Match(names, wanted):
                if names not in table.together:
                    raise KeyError(names)
                rows = [(line, tuple(line.values[name] for name in names)) for line in lines]
                return [line for line, found in rows if found in wanted and not any(map(blank, found))]
            case c.Range(name):
                read = reader(table, name)
                return [line for line in lines if within(plan, read(line))]
            case c.Scan(name):
                read = reader(table, name)
                return [line for line in lines if scanned(plan, read(line))]
            case c.Where(program, names):
                reads = {name: reader(table, name) for name in names}
                seen = [(line, {name: read(line) for name, read in reads.items()}) for line in lines]
                return [line for line, row in seen if None not in row.values() and run(program, row) is True]
            case c.In(name, other, inner, of):
                read, source = reader(table, name), reader(other, of)
                values = tuple(source(line) for line in self.find(other, inner))
                return [line for line in lines if not blank(read(line)) and read(line) in values]
            case c.Union(plans):
                found = [self.find(table, child) for child in plans]
                return [line for line in lines if any(line in some for some in found)]
            case c.Intersect(plans):
                found = [self.find(table, child) for child in plans]
                return [line for line in lines if all(line in some for some in found)]
            case c.Diff(left, minus):
                taken, kept = self.find(table, minus), self.find(table, left)
                return [line for line in kept if line not in taken]

    def select(self, request: c.Select) -> c.Selected:
        lines = self.find(request.table, request.plan)
        if request.sort is not None:
            lines.sort(key=self.sort_key(request.table, request.sort), reverse=request.sort.desc)
        lines = lines[request.start : request.stop]
        places = [self.content(request.table, name, lines) for name in request.structures]
        return replace(self.bring(request.table, lines, request.fields, request.related), structures=tuple(places))

    def content(self, table: c.Table, name: str, lines: list[Line]) -> list[Any]:
        kind = dict(table.structures)[name]
        return [self.call(c.Call(c.Place(kind, name, table, line.id), "items")) for line in lines]

    def sort_key(self, table: c.Table, sort: c.Sort) -> Callable[[Line], Any]:
        """Return what a row is sorted by: the value at the end of the path, or what a missing one counts as."""
        for name, other in sort.through:
            table.positions[name]  # KeyError
            table = other
        read, empty = reader(table, sort.field), EMPTY[table.column(sort.field).type]

        def key(line: Line | None) -> Any:
            for name, other in sort.through:
                line = None if line is None else self.place(other).under(line.values[name])
            value = None if line is None else read(line)
            return empty if value is None else value

        return key

    def bring(
        self, table: c.Table, lines: list[Line], fields: tuple[str, ...] | None, related: tuple[c.Related, ...]
    ) -> c.Selected:
        """Return what was asked for of these rows, and what comes along with them."""
        names = table.names if fields is None else fields
        for name in names:
            table.positions[name]  # KeyError
        rows = [tuple(line.values[name] for name in names) for line in lines]
        along = [self.bring_along(table, lines, each) for each in related]
        return c.Selected([line.id for line in lines], [] if fields == () else rows, tuple(along))

    def bring_along(self, table: c.Table, lines: list[Line], related: c.Related) -> c.Selected:
        read, of = reader(table, related.field), reader(related.table, related.of)
        values = [read(line) for line in lines]
        found = [line for line in self.find(related.table, c.All()) if not blank(of(line)) and of(line) in values]
        return self.bring(related.table, found, related.fields, related.related)

    # structures

    def shelf(self, place: c.Place) -> Shelf | None:
        """Return where a structure is, ``None`` if that is a row which does not exist."""
        if place.table is None:
            return self.alone[place.kind.name]
        if place.id is None:
            return self.place(place.table).shelf
        line = self.place(place.table).under(place.id)
        return None if line is None else line.shelf

    def is_homeless(self, call: c.Call) -> bool:
        """Return whether a call would make something for a row that does not exist."""
        return self.shelf(call.place) is None and call.place.kind.operations[call.operation].effect == "makes"

    def misplaced(self, calls: Sequence[c.Call]) -> ResponseError | None:
        """Return the error of calls that name a place by another kind than is there, or by two."""
        named: dict[Any, str] = {}
        for place in (call.place for call in calls if call.place.table is not None):
            try:
                look_up(self.shelf(place) or {}, place)
            except ResponseError as error:
                return error
            if named.setdefault((place.table, place.id, place.name), place.kind.name) != place.kind.name:
                return ResponseError(f"{place.name} is named by two kinds.")
        return None

    def call(self, call: c.Call) -> Any:
        shelf = self.shelf(call.place)
        return c.Refused((), (), (0,)) if self.is_homeless(call) else self.operate({} if shelf is None else shelf, call)

    def operate(self, shelf: Shelf, call: c.Call) -> Any:
        def given(each: Any) -> Any:
            return look_up(self.shelf(each) or {}, each) if isinstance(each, c.Place) else each

        return perform(shelf, call, [given(each) for each in call.arguments])

    # commits

    def commit(self, request: c.Commit) -> c.Committed | c.Refused:
        committed = self.tokens.get(request.token or "")
        if committed is not None and self.clock() - committed[0] <= 600:
            return committed[1]
        matched = [[line.id for line in self.find(delete.table, delete.plan)] for delete in request.deletes]
        chosen = [[line.id for line in self.find(update.table, update.plan)] for update in request.updates]
        doomed = self.cascade(request, matched)
        before = self.places, self.alone
        self.places, self.alone = deepcopy(before)
        try:
            reply = self.attempt(request, matched, doomed, chosen)
        except BaseException:
            self.places, self.alone = before
            raise
        if isinstance(reply, c.Refused):
            self.places, self.alone = before
        elif request.token is not None:
            self.tokens[request.token] = self.clock(), reply
        return reply

    def cascade(self, request: c.Commit, matched: list[list[c.Id]]) -> dict[str, list[Any]]:
        """Return the ids of all rows that go, by table and in its order."""
        tables = [delete.table for delete in request.deletes] + [each.table for each in request.references]
        doomed: dict[str, list[Any]] = {table.name: [] for table in tables}
        for delete, ids in zip(request.deletes, matched, strict=True):
            doomed[delete.table.name] += ids
        size = -1
        while size != sum(map(len, doomed.values())):
            size = sum(map(len, doomed.values()))
            for each in request.references:
                if each.on_delete != "cascade":
                    continue
                parents, gone = doomed.get(each.parent.name, []), doomed[each.table.name]
                found = [line.id for line in self.place(each.table).lines if line.values[each.field] in parents]
                gone += [id for id in found if id not in gone]
        return {
            table.name: [line.id for line in self.find(table, c.Ids(tuple(doomed[table.name])))] for table in tables
        }

    def attempt(
        self, request: c.Commit, matched: list[list[c.Id]], doomed: dict[str, list[Any]], chosen: list[list[c.Id]]
    ) -> c.Committed | c.Refused:
        wrong = self.misplaced(request.calls)
        homeless = [n for n, call in enumerate(request.calls) if self.is_homeless(call)]
        waiting: dict[Any, Shelf] = {}
        for call in request.calls if wrong is None else ():
            shelf, home = self.shelf(call.place), (call.place.table, call.place.id)
            self.operate(waiting.setdefault(home, {}) if shelf is None else shelf, call)
        for place in self.places.values():
            gone = doomed.get(place.table.name, [])
            place.lines = [line for line in place.lines if line.id not in gone]
            place.allotted, place.scores, place.moved = set(), {}, set()
            for line in place.lines:
                line.at = None
        clashes, ids = self.save(request.saves)
        for (table, id), shelf in waiting.items():
            line = self.place(table).under(id)
            if line is not None and id not in self.place(table).moved:
                line.shelf = shelf
                here = [n for n, call in enumerate(request.calls) if (call.place.table, call.place.id) == (table, id)]
                homeless = [n for n in homeless if n not in here]
        counts = []
        for n, (update, some) in enumerate(zip(request.updates, chosen, strict=True), len(request.saves)):
            lines = [line for id in some if (line := self.place(update.table).under(id)) is not None]
            clashes += updated(update, lines, n)
            counts.append(len(lines))
        written = [save.table for save in request.saves] + [update.table for update in request.updates]
        for table in {table.name: table for table in written}.values():
            clashes += self.taken(table)
        held = self.let_go(request.references, doomed)
        if clashes or held or homeless:
            clashes.sort(key=lambda found: (found[1].save, found[1].change, found[0]))
            return c.Refused(tuple(clash for _, clash in clashes), tuple(held), tuple(homeless))
        if wrong is not None:
            raise wrong
        scores = [
            [self.place(save.table).scores[id] for id in some] if save.table.order == "count" else []
            for save, some in zip(request.saves, ids, strict=True)
        ]
        cascades = tuple(cascaded(request, matched, doomed))
        return c.Committed(tuple(ids), tuple(scores), tuple(matched), cascades, tuple(counts))

    def save(self, saves: Sequence[c.Save]) -> tuple[list[tuple[int, c.Clash]], list[list[Any]]]:
        """Do all changes; return what could not be done, and the ids that they went to."""
        clashes, ids = [], []
        for i, save in enumerate(saves):
            some: list[Any] = []
            ids.append(some)
            for j, change in enumerate(save.changes):
                some.append(self.allot(save.table, change))
                refs = {name: ids[other][place] for name, other, place in change.refs}
                clash = self.write(save.table, change, some[-1], refs, (i, j))
                clashes += [] if clash is None else [(-1, clash)]
        return clashes, ids

    def allot(self, table: c.Table, change: c.Change) -> Any:
        """Return the id that a change is to go to."""
        place = self.place(table)
        id: Any = change.id if change.id is not None else (place.top or 0) + 1
        if table.auto:
            place.top = max(place.top or 0, id)
        if change.id is None:
            place.allotted.add(id)
        return id

    def write(self, table: c.Table, change: c.Change, id: Any, refs: dict[str, Any], at: Origin) -> c.Clash | None:
        """Do one change, or say why it cannot be done."""
        place = self.place(table)
        names = table.names if change.fields is None else change.fields
        for name in names:
            table.positions[name]  # KeyError
        line = None if change.previous is None else place.under(change.previous)
        if change.version is not None and change.previous is not None:
            column, wanted = change.version
            if line is None or line.values[column] != wanted:
                row = None if line is None else tuple(line.values[name] for name in table.names)
                return c.Clash("stale", *at, column, None if line is None else line.values[column], None, row)
        if line is None and change.previous is not None and set(names) != set(table.names):
            return c.Clash("gone", *at, table.pk.name, change.previous)
        standing = place.under(id)
        if line is not None and standing is not None and standing is not line:
            return c.Clash("id", *at, table.pk.name, id, id)
        before = standing if change.previous is None else line
        score, deadline = (0.0, inf) if before is None else (before.score, before.deadline)
        given = {**dict(zip(names, change.values, strict=True)), **refs}
        keeps = line is not None and not change.rescored
        if line is not None and change.changed is not None:
            given = {name: given[name] for name in change.changed}
        if line is None:
            line = Line(id, dict.fromkeys(table.names), shelf={} if standing is None else standing.shelf)
            place.lines = [other for other in place.lines if other is not standing] + [line]
        if line.id != id:
            place.moved |= {line.id, id}
        line.id, line.at = id, at
        line.score = rescored(table, id, score, None if keeps else change.score)
        line.values.update(given)
        line.deadline = deadline if change.expires is None else self.clock() + change.expires
        place.scores[id] = line.score
        return None

    def taken(self, table: c.Table) -> list[tuple[int, c.Clash]]:
        """Return a clash, and the column's place, for each unique value that another row has already."""
        place, found = self.place(table), []
        others = [line for line in place.lines if line.at is None]
        touched = sorted((line for line in place.lines if line.at is not None), key=lambda line: line.at or ())
        unique = [(n, (column.name,)) for n, column in enumerate(table.columns) if column.unique]
        for n, names in [*unique, *enumerate(table.together, len(table.columns))]:
            for k, line in enumerate(touched):
                values = [line.values[name] for name in names]
                if any(map(blank, values)):
                    continue
                rows = [*touched[:k], *others]
                holder = next((row for row in rows if [row.values[name] for name in names] == values), None)
                if holder is not None and line.at is not None:
                    shown_id = None if holder.id in place.allotted else holder.id
                    value = values[0] if len(names) == 1 else None
                    found.append((n, c.Clash("unique", *line.at, ",".join(names), value, shown_id)))
        return found

    def let_go(self, references: Sequence[c.Reference], doomed: dict[str, list[Any]]) -> list[c.Held]:
        """Clear the keys that lead to rows that are gone, or return the rows that may not lose theirs."""
        held = []
        for n, each in enumerate(references):
            parent = self.place(each.parent)
            gone = [id for id in doomed.get(each.parent.name, []) if parent.under(id) is None]
            for id in gone if each.on_delete != "cascade" else ():
                for line in self.find(each.table, c.All()):
                    if line.values[each.field] != id:
                        continue
                    if each.on_delete == "restrict":
                        held.append(c.Held(n, id, line.id))
                    else:
                        line.values[each.field] = None
        return held

    # keys

    def keys(self, table: c.Table) -> list[str]:
        place, base = self.place(table), (self.namespace + table.name).encode()
        names = {base + b":id" for _ in place.lines}
        names |= {base + b":ids"} if place.top is not None else set()
        names |= {base + b":ttl" for line in place.lines if line.deadline < inf}
        names |= {base + b":struct:" + name.encode() for name in place.shelf}
        for line in place.lines:
            if any(value is not None for value in line.values.values()):
                names.add(base + b":obj:" + escape(line.id))
            names |= {base + b":obj:" + escape(line.id) + b":" + name.encode() for name in line.shelf}
            for joined in table.together:
                if not any(blank(line.values[name]) for name in joined):
                    names.add(base + b":uni:" + ",".join(joined).encode())
            for column in table.columns:
                value, name = line.values[column.name], column.name.encode()
                if blank(value) and (column.unique or column.index):
                    names.add(base + b":idx:" + name + b":")
                elif column.index == "equal" and not column.unique:
                    names.add(base + b":idx:" + name + b":" + escape(value))
                elif column.index == "range":
                    names.add(base + b":idx:" + name)
                if column.unique and not blank(value):
                    names.add(base + b":uni:" + name)
        return sorted(shown(name) for name in names)

    def flush(self, table: c.Table | None) -> int:
        if table is None:
            removed = sum(map(len, self.alone.values())) + sum(
                len(self.keys(each.table)) for each in self.places.values()
            )
            self.places, self.alone = {}, {kind: {} for kind in c.KINDS}
            return removed
        removed = len(self.keys(table))
        self.places.pop(table.name, None)
        return removed


def reader(table: c.Table, name: str) -> Callable[[Line], Any]:
    """Return what reads a column, or the id, of a row; ``KeyError`` if the table has no such name."""
    if name == table.pk.name:
        return lambda line: line.id
    table.positions[name]  # KeyError
    return lambda line: line.values[name]


def cascaded(request: c.Commit, matched: list[list[c.Id]], doomed: dict[str, list[Any]]) -> list[list[Any]]:
    """Return, for each reference, the ids to report there: those that went, but not because of a delete's plan."""
    reported = []
    cascading = [each.table.name if each.on_delete == "cascade" else None for each in request.references]
    for n, name in enumerate(cascading):
        asked = [ids for delete, ids in zip(request.deletes, matched, strict=True) if delete.table.name == name]
        first = name is not None and name not in cascading[:n]
        reported.append([id for id in doomed[name or ""] if not any(id in ids for ids in asked)] if first else [])
    return reported


def rescored(table: c.Table, id: Any, score: float, given: float | None) -> float:
    if table.order == "id":
        return id if isinstance(id, (int, float)) else 0.0
    if given is None:
        return score
    return score + given if table.order == "count" else given
