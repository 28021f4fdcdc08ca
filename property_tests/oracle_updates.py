"""What the oracle makes of updates: one row after the other, each column by the docstrings of ``contract.updates``.

Nothing here is shared with a backend. ``oracle`` finds the rows and holds the result to what must be unique.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from stdnet import contract as c

from .oracle_values import blank, double, run

if TYPE_CHECKING:
    from .oracle import Line

EXACT = 2**53


class Impossible(Exception):
    """A value that a column cannot have."""


def updated(update: c.Update, lines: list[Line], number: int) -> list[tuple[int, c.Clash]]:
    """Change the rows; return a clash, and the column's place, for each value that a column cannot have."""
    table, clashes = update.table, []
    for at, line in enumerate(lines):
        before = {**line.values, table.pk.name: line.id}
        for each in update.sets:
            column = table.columns[table.positions[each.column]]
            try:
                line.values[each.column] = result(table, column, each, before)
            except Impossible as error:
                clash = c.Clash("value", number, at, each.column, error.args[0], id=line.id)
                clashes.append((table.positions[each.column], clash))
        line.at = (number, at)
        if update.version is not None:
            old = before[update.version]
            line.values[update.version] = 1 if old is None else old + 1
        if update.score is not None:
            name, factor, otherwise = update.score
            value = line.values[name]
            line.score = otherwise if value is None else factor * double(value)
    return clashes


def result(table: c.Table, column: c.Column, each: c.Assign, row: dict[str, Any]) -> Any:
    value = each.value if not each.program else worked_out(table, column, each, row)
    if each.required and blank(value):
        raise Impossible(None)
    return value


def worked_out(table: c.Table, column: c.Column, each: c.Assign, row: dict[str, Any]) -> Any:
    """Return what a program gives, as the column has it."""
    names = [str(argument) for op, argument in each.program if op == "field"]
    if any(row[name] is None for name in names):
        return None
    copied = len(each.program) == 1 and names != [] and table.column(names[0]).type == column.type
    value = row[names[0]] if copied else run(each.program, row)
    if column.type in ("str", "bytes"):
        return value
    if math.isnan(double(value)):
        raise Impossible(None)
    within = each.limits is None or each.limits[0] <= value <= each.limits[1]
    if column.type == "int" and not (copied and column.index != "range"):
        within = within and math.isfinite(double(value)) and value == math.floor(value) and abs(value) <= EXACT
    if not within:
        raise Impossible(double(value))
    if column.type == "int":
        return int(value)
    return value if copied or value != 0 else 0.0
