"""Plans as the arrays that ``lua/plans.lua`` reads, or as the one index that answers them by itself.

Pure; an unknown name is a ``KeyError`` before anything is sent.
"""

from __future__ import annotations

from typing import Any

from ...contract import (
    All,
    Column,
    Diff,
    Eq,
    Found,
    Ids,
    In,
    Instruction,
    Intersect,
    Match,
    Plan,
    Range,
    Scalar,
    Scan,
    Table,
    Union,
    Where,
    joint,
    keys,
)
from .packing import Packed, array, pack, tagged, texts
from .structures import key_of
from .tables import encode_table
from .values import all_spelled, bounds, comparand, spelled


def encode_plan(table: Table, plan: Plan) -> Packed:
    """Return ``plan`` of ``table`` in packed form."""
    match plan:
        case All():
            return _node("all")
        case Ids(ids):
            return _node("ids", texts(all_spelled(table.pk, ids)))
        case Eq(field, values):
            column = _lookup(table, field)
            given = [value for value in all_spelled(column, values) if value]
            return _node("eq", field, texts(given), any(value in (None, "", b"") for value in values))
        case Match(fields, values):
            if fields not in table.together:
                raise KeyError(joint(fields))
            found = (combination(table, fields, each) for each in values)
            return _node("match", joint(fields), texts(list(dict.fromkeys(each for each in found if each is not None))))
        case Range(field):
            table.column(field)
            return _node("range", field, *bounds(plan))
        case Scan():
            return _scan(table, plan)
        case Where(program, fields):
            for name in fields:
                table.column(name)
            return _node("where", encode_program(program), texts([name.encode() for name in fields]))
        case In(field, other, inner, of):
            column = table.pk if field == table.pk.name else _lookup(table, field)
            other.column(of)
            return _node("in", column.name, encode_table(other), encode_plan(other, inner), of)
        case Found(place, operation):
            return _node("found", place.kind.name, operation, key_of(place, ""), place.kind.type, plan.arguments)
        case Union(plans):
            return _node("union", array([encode_plan(table, child) for child in plans]))
        case Intersect(plans):
            return _node("intersect", array([encode_plan(table, child) for child in sorted(plans, key=_rank)]))
        case Diff(left, minus):
            return _node("diff", encode_plan(table, left), encode_plan(table, minus))


def encode_program(program: tuple[Instruction, ...]) -> Packed:
    """Return the steps of a program as ``lua/where.lua`` reads them."""
    return array([pack((op, _argument(op, argument))) for op, argument in program])


def combination(table: Table, fields: tuple[str, ...], values: tuple[Scalar, ...]) -> bytes | None:
    """Return the stored form of a combination: each value with its length before it; ``None`` if no row can have it.

    >>> table = Table("t", Column("id", "int"), (Column("a", "str"), Column("b", "int")), together=(("a", "b"),))
    >>> combination(table, ("a", "b"), ("x:y", 10)), combination(table, ("a", "b"), ("", 10))
    (b'3:x:y2:10', None)
    """
    parts = [spelled(_lookup(table, name), value) for name, value in zip(fields, values, strict=True)]
    return b"".join([b"%d:%s" % (len(part), part) for part in parts if part]) if all(parts) else None


def _node(*parts: Any) -> Packed:
    return array([pack(part) for part in parts])


def _lookup(table: Table, field: str) -> Column:
    return table.columns[table.positions[field]]


def _rank(plan: Plan) -> int:
    """Order the members of an intersection: indices first, then what has to look at rows."""
    match plan:
        case Scan() | Where():
            return 3
        case Diff() | Union() | Intersect():
            return 2
        case All():
            return 1
        case _:
            return 0


def _scan(table: Table, plan: Scan) -> Packed:
    leaf = plan.field != table.pk.name and plan.field not in table.positions and table.leaf(plan.field)
    if plan.op == "isnull":
        return _node("scan", plan.field, plan.op, bool(plan.value))
    if plan.op in ("lt", "le", "gt", "ge", "eq"):
        wanted = tagged(plan.value) if leaf else comparand(table.column(plan.field), plan.op, plan.value)
        return _node("scan", plan.field, plan.op, wanted)
    return _node("scan", plan.field, plan.op, plan.value)


def _argument(op: str, argument: Any) -> Any:
    match argument:
        case _ if op != "const":
            return None if argument is None else str(int(argument) if op == "in" else argument)
        case None:
            return "N"
        case bool():
            return "T" if argument else "F"
        case int() | float():
            return "n" + repr(float(argument))
        case bytes():
            return b"t" + argument
        case _:
            return f"t{argument}"


def index_of(table: Table, plan: Plan, base: bytes) -> tuple[bytes, bytes, bytes, bytes] | None:
    """Return kind and key of the index that answers a plan by itself, if there is one, and the bounds to look for."""
    if isinstance(plan, Match):
        known = plan.fields in table.together and len(plan.values) == 1
        found = combination(table, plan.fields, plan.values[0]) if known else None
        return None if found is None else (b"unique", base + b":uni:" + joint(plan.fields).encode(), found, found)
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
