"""``F`` and ``query.update``: expressions of fields, and the update that they compile to. Pure.

What an expression computes is worked out by the backend, row by row, on doubles; ``contract.updates`` says how.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from ..contract import Assign, Instruction, Refused, Update
from ..errors import BadUpdate, CommitException, FieldValueError, QuerySetError, UnknownField
from .fields import Field
from .meta import MISSING_SCORE, ModelMeta
from .together import TYPES
from .unitofwork import reason_of

if TYPE_CHECKING:
    from .query import QueryBase

EXACT = 2**53
SHOWN = 10
"""The number of reasons that a refusal tells at most."""

MICROSECOND = timedelta(microseconds=1)
DAY = 86_400_000_000
"""Microseconds."""


class Expression:
    """A value that is computed from fields: ``F("size") * 2 + F("bonus")``. It has the operators ``+ - * / %``."""

    def __add__(self, other: Any) -> Expression:
        return Operation("+", self, other)

    def __radd__(self, other: Any) -> Expression:
        return Operation("+", other, self)

    def __sub__(self, other: Any) -> Expression:
        return Operation("-", self, other)

    def __rsub__(self, other: Any) -> Expression:
        return Operation("-", other, self)

    def __mul__(self, other: Any) -> Expression:
        return Operation("*", self, other)

    def __rmul__(self, other: Any) -> Expression:
        return Operation("*", other, self)

    def __truediv__(self, other: Any) -> Expression:
        return Operation("/", self, other)

    def __rtruediv__(self, other: Any) -> Expression:
        return Operation("/", other, self)

    def __mod__(self, other: Any) -> Expression:
        return Operation("%", self, other)

    def __rmod__(self, other: Any) -> Expression:
        return Operation("%", other, self)

    def __neg__(self) -> Expression:
        return Operation("-", 0, self)


class F(Expression):
    """The value that a field of the row has before the update, or its primary key.

    Numbers can be computed with, and a ``timedelta`` added to dates; ``F`` alone copies a field of any kind into one of
    the same kind. Where a field in an expression is missing, so is the result.

    >>> F("size") + 1
    (F('size') + 1)
    """

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"F({self.name!r})"


class Operation(Expression):
    """Two operands, of which one at least is an expression, and the sign between them."""

    def __init__(self, sign: str, left: Any, right: Any) -> None:
        self.sign = sign
        self.left = left
        self.right = right

    def __repr__(self) -> str:
        return f"({self.left!r} {self.sign} {self.right!r})"


class _Part(NamedTuple):
    """A compiled operand: what its number means, and whether it is a difference. A timedelta has no program yet."""

    program: tuple[Instruction, ...]
    unit: str = ""
    step: bool = False
    micros: int = 0


UNITS = {"integer": "", "float": "", "auto": "", "date": "date", "datetime": "datetime"}
"""Kinds of fields that can be computed with, and what their numbers mean."""


def request(query: QueryBase[Any], values: Mapping[str, Any]) -> Update:
    """Return the update for the keywords of ``query.update``; it raises what that raises."""
    meta = query.meta
    if not values:
        raise QuerySetError(f'There is nothing to update on "{meta}". Name fields: query.update(field=value).')
    for name in values:
        if name not in meta.dfields:
            raise UnknownField(str(meta), name, "update", [field.name for field in meta.scalarfields])
    engine = query.session.router.search_engine
    for name in () if engine is None else engine.indexed_fields(meta):
        if name in values:
            cure = "the search engine indexes it. Load the rows, change the field, and save them"
            raise BadUpdate(meta.dfields[name], values[name], cure)
    sets = tuple(_assign(meta, meta.dfields[name], value) for name, value in values.items())
    score, info = None, meta.ordering
    if info is not None and info.auto is None and info.field.name in values:
        sign = -1.0 if info.desc else 1.0
        score = (info.name, sign, sign * MISSING_SCORE)
    version = None if meta.version is None else meta.version.attname
    return Update(meta.table, query.construct(), sets, version, score)


def refusal(meta: ModelMeta[Any], reply: Refused) -> CommitException:
    """Return the error for an update that was refused."""
    reasons = [_reason(meta, clash) for clash in reply.clashes[:SHOWN]]
    if len(reply.clashes) > SHOWN:
        reasons.append(f"… and {len(reply.clashes) - SHOWN} more.")
    return CommitException(reasons, len({clash.change for clash in reply.clashes}))


def _reason(meta: ModelMeta[Any], clash: Any) -> str:
    if clash.reason != "value":
        return reason_of(meta, clash)
    field = next(field for field in meta.scalarfields if field.attname == clash.field)
    what = "a missing value or no number" if clash.value is None else f"the number {clash.value!r}"
    return (
        f"Exception while updating {meta}. {field} of the row {meta.pkname()}={clash.id!r} would become {what}, which "
        f"this {type(field).__name__} cannot hold. Leave such rows out by a filter, or change the expression."
    )


def _assign(meta: ModelMeta[Any], field: Field[Any], value: Any) -> Assign:
    if field.primary_key:
        raise BadUpdate(field, value, "it is the primary key. To move a row, load it, change the key, and save it")
    if field.is_version:
        raise BadUpdate(field, value, "it is the version, which goes up by itself")
    if field.name in getattr(meta.pk, "names", ()):
        raise BadUpdate(field, value, "the primary key is made of it. Load the row, change the field, and save it")
    if isinstance(value, Expression):
        return _computed(meta, field, value)
    return Assign(field.attname, _constant(meta, field, value))


def _constant(meta: ModelMeta[Any], field: Field[Any], value: Any) -> Any:
    if hasattr(value, "_meta") and not isinstance(value, type) and value.pkvalue() is None:
        raise BadUpdate(field, value, "it is not saved yet, so it has no id. Save it first")
    converted = field.to_python(value)
    scalar = None if converted is None else field.dump(converted)
    if field.required and (scalar is None or scalar == ""):
        raise FieldValueError([{field.attname: f"Field '{field.attname}' is required for '{meta}'."}])
    if meta.ordering is not None and meta.ordering.field is field and converted is not None:
        field.scorefun(converted)  # raises if it cannot order
    return scalar


def _computed(meta: ModelMeta[Any], field: Field[Any], value: Expression) -> Assign:
    limits = None
    if isinstance(value, F) and _is_alike(field, _named(meta, field, value)):
        source = _named(meta, field, value)
        return Assign(field.attname, None, (("field", source.attname),), field.required)
    if field.type not in UNITS:
        raise BadUpdate(
            field, value, f"a {type(field).__name__} takes a constant, or F of one field of the same kind alone"
        )
    try:
        part = _compiled(meta, field, value)
    except RecursionError:
        raise BadUpdate(field, value, "it is nested too deeply") from None
    if part.unit != UNITS[field.type]:
        raise BadUpdate(field, value, f"that gives {f'a {part.unit}' if part.unit else 'a number'}")
    if field.type == "date":
        limits = float(field.dump(date.min)), float(field.dump(date.max))  # type: ignore[arg-type]
    return Assign(field.attname, None, part.program, field.required, limits)


def _named(meta: ModelMeta[Any], field: Field[Any], value: F) -> Field[Any]:
    found = meta.dfields.get(value.name) if isinstance(value.name, str) else None
    if found is None:
        raise UnknownField(str(meta), str(value.name), f"update {field.name}", meta.dfields)
    return found


def _is_alike(field: Field[Any], other: Field[Any]) -> bool:
    """Return whether the stored values of two fields mean the same."""
    if field.is_relation or other.is_relation:
        return field.is_relation and other.is_relation and _meta_of(field) is _meta_of(other)
    alike = field.type == other.type and getattr(field, "unit", None) == getattr(other, "unit", None)
    return alike and field.column_type == other.column_type and field.column_type in TYPES


def _meta_of(key: Any) -> Any:
    return key.related_meta


def _compiled(meta: ModelMeta[Any], field: Field[Any], value: Any) -> _Part:
    """Return the program of an operand, which is a number, a date, or a difference of dates."""
    if isinstance(value, F):
        source = _named(meta, field, value)
        unit = UNITS.get(source.type or "")
        if unit is None or source.is_version:
            raise BadUpdate(field, value, f"a {type(source).__name__} cannot be computed with")
        return _Part((("field", source.attname),), unit)
    if isinstance(value, Operation):
        return _operation(meta, field, value)
    if isinstance(value, timedelta):
        return _Part((), "timedelta", step=True, micros=value // MICROSECOND)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise BadUpdate(field, value, f"a {type(value).__name__} cannot be computed with")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if number != value:
        raise BadUpdate(field, value, "this number is not exact as a double")
    return _Part((("const", number),))


def _operation(meta: ModelMeta[Any], field: Field[Any], value: Operation) -> _Part:
    sign = value.sign
    left, right = _compiled(meta, field, value.left), _compiled(meta, field, value.right)
    unit = next((part.unit for part in (left, right) if part.unit and part.unit != "timedelta"), "")
    left, right = (_in_unit(field, value, part, unit) for part in (left, right))
    program = (*left.program, *right.program, (sign, None))
    if not left.unit and not right.unit:
        return _Part(program)
    moved = left.step != right.step and (sign == "+" or (sign == "-" and right.step))
    if left.unit != right.unit or not moved:
        raise BadUpdate(field, value, "of dates only F + timedelta, timedelta + F, and F - timedelta can be computed")
    return _Part(program, left.unit)


def _in_unit(field: Field[Any], value: Operation, part: _Part, unit: str) -> _Part:
    """Return a timedelta as a number of what dates are counted in: microseconds, or seconds of whole days."""
    if part.unit != "timedelta" or not unit:
        return part
    if unit == "date" and part.micros % DAY:
        raise BadUpdate(field, value, "a date moves by whole days")
    number = part.micros if unit == "datetime" else part.micros // 1_000_000
    if abs(number) > EXACT:
        raise BadUpdate(field, value, "this timedelta is longer than the range of a date")
    return _Part((("const", float(number)),), unit, step=True)
