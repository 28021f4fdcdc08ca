"""Updates: what a commit makes of rows that it changes where they stand.

It works on the drafts of ``commit``, which checks and writes them with everything else.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from ...contract import Assign, Clash, Column, Commit, Id, Row, Table, Update, Where
from .indexes import key_of
from .plans import Reader
from .store import TableStore
from .where import compile_program, double

if TYPE_CHECKING:
    from .commit import Draft

EXACT = 2**53
"""Up to here each whole number is a double."""

_Compute: TypeAlias = Callable[[Id, Row], Any]
"""From an id and its row to the value that a column gets."""


class Unfit(Exception):
    """A value that a column cannot have; its argument is what a clash tells of it."""


def update_all(
    reader: Reader, request: Commit, draft_of: Callable[[TableStore], Draft], clashes: list[Clash]
) -> tuple[int, ...]:
    """Let the updates act on their drafts, in order; return the number of rows of each."""
    counts = []
    for number, update in enumerate(request.updates, len(request.saves)):
        table = reader.store.table(reader.namespace, update.table)
        draft = draft_of(table)
        matched = table.order.sort(reader.evaluate(table, update.plan))
        ids = [id for id in matched if draft.current(id) is not None]
        _work_out(draft, update, ids, number, clashes)
        counts.append(len(ids))
    return tuple(counts)


def _work_out(draft: Draft, update: Update, ids: Sequence[Id], number: int, clashes: list[Clash]) -> None:
    table = draft.store.table
    sets = [(table.positions[each.column], each.column, _compiled(each, table)) for each in update.sets]
    for place, id in enumerate(ids):
        row = draft.current(id) or ()
        values = list(row)
        for position, name, compute in sets:
            try:
                values[position] = compute(id, row)
            except Unfit as unfit:
                clashes.append(Clash("value", number, place, name, unfit.args[0], id=id))
        if update.version is not None:
            values[table.positions[update.version]] = 1 + int(row[table.positions[update.version]] or 0)
        draft.put(id, tuple(values))
        draft.author.pop(id, None)  # the last change of a row answers for it
        draft.author[id] = (number, place)
        if update.score is not None:
            name, factor, otherwise = update.score
            value: Any = values[table.positions[name]]
            draft.scores[id] = otherwise if value is None else factor * double(value)


def _compiled(each: Assign, table: Table) -> _Compute:
    """Return what computes a value for a column; it raises ``Unfit`` for one that the column cannot have."""
    column, copied = table.column(each.column), _copied(each, table)
    compute = _source(each, table, copied)

    def computed(id: Id, row: Row) -> Any:
        value = compute(id, row)
        if each.program and value is not None and column.type in ("int", "float"):
            value = fitting(value, column, each.limits, is_copy=copied is not None)
        if each.required and key_of(value) is None:
            raise Unfit(None)
        return value

    return computed


def _copied(each: Assign, table: Table) -> str | None:
    """Return the name of the column, or of the pk, whose value is copied as it is."""
    match each.program:
        case (("field", str(name)),) if table.column(name).type == table.column(each.column).type:
            return name
        case _:
            return None


def _source(each: Assign, table: Table, copied: str | None) -> _Compute:
    if not each.program:
        return lambda id, row: each.value
    if copied is not None:
        position = table.positions.get(copied)
        return lambda id, row: id if position is None else row[position]
    names = tuple(dict.fromkeys(str(name) for op, name in each.program if op == "field"))
    return compile_program(Where(each.program, names), table)


def fitting(value: Any, column: Column, limits: tuple[float, float] | None, is_copy: bool) -> int | float:
    """Return a number as the column has it; ``Unfit`` if it cannot."""
    number = double(value)
    if math.isnan(number):
        raise Unfit(None)
    exact = is_copy and column.index != "range"
    if column.type == "int" and not exact and not (abs(number) <= EXACT and number.is_integer()):
        raise Unfit(number)
    if limits is not None and not limits[0] <= value <= limits[1]:
        raise Unfit(number)
    if column.type == "int":
        return int(value)
    return float(value) if is_copy else value + 0.0
