"""``F`` and ``query.update``: expressions of fields, and the update that they compile to. Pure.

What an expression computes is worked out by the backend, row by row, on doubles; ``contract.updates`` says how.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import suppress
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from ..contract import Assign, Instruction, Refused, Update
from ..errors import BadUpdate, CommitException, FieldValueError, QuerySetError, UnknownField, shown
from .fields import Field
from .meta import MISSING_SCORE, ModelMeta
from .richfields import MOST_PLACES, UNROUNDED, DecimalField, TimeDeltaField
from .scalarfields import DateTimeField
from .together import TYPES
from .unitofwork import reason_of

if TYPE_CHECKING:
    from .query import QueryBase

EXACT = 2**53
SHOWN = 10
"""The number of reasons that a refusal tells at most."""

MICROSECOND = timedelta(microseconds=1)
SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)


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

    ``F`` alone copies a field of any kind into one of the same kind. Numbers can be computed with. Decimals of equal
    ``decimal_places`` are added and subtracted, also with an ``int`` or a ``Decimal``, and multiplied and divided by
    numbers; so are spans of time, with a ``timedelta``. A ``timedelta`` moves a date, and a ``TimeDeltaField`` a
    datetime. Nothing is rounded: a decimal or a span between two that the field can hold is refused. The arithmetic is
    one of doubles, so it is exact while no number in it is beyond ±2**53 of the last place, or microseconds. Where a
    field in an expression is missing, so is the result.

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


class _Unit(NamedTuple):
    """What a number counts; ``days`` are seconds that make whole days."""

    kind: str = "number"
    places: int | None = None

    def __str__(self) -> str:
        article = "an" if self.kind[0] == "a" else "a"
        return f"{article} {self.kind}" + ("" if self.places is None else f" of {self.places} decimal places")


class _Part(NamedTuple):
    """A compiled operand."""

    program: tuple[Instruction, ...]
    unit: _Unit


NUMBER = _Unit()
DAYS, SPAN = _Unit("days"), _Unit("timedelta")
DATE, DATETIME, AWARE = _Unit("date"), _Unit("datetime"), _Unit("aware datetime")

UNITS = {"integer": NUMBER, "float": NUMBER, "auto": NUMBER, "date": DATE, "timedelta": SPAN}
"""What the numbers of simple fields count, by their type."""

STEPS = {DATE: DAYS, DATETIME: SPAN, AWARE: SPAN}
"""What moves a date."""

RULES = {
    "date": "of dates only F + timedelta, timedelta + F, and F - timedelta can be computed, and of days without a time "
    "only with a timedelta that is no field",
    "decimal": "a decimal can be added to, and subtracted from, an int, a Decimal and a field of as many "
    "decimal_places, and multiplied and divided by an int, a float and a field of those",
    "timedelta": "a timedelta can be added to dates and timedeltas and subtracted from them, and multiplied and "
    "divided by numbers",
}
"""What can be computed, by the kind of one operand; the first that fits is told."""


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
    what = "a missing value or no number" if clash.value is None else _told(field, clash.value)
    return (
        f"Exception while updating {meta}. {field} of the row {meta.pkname()}={clash.id!r} would become {what}, which "
        f"this {type(field).__name__} cannot hold. Leave such rows out by a filter, or change the expression."
    )


def _told(field: Field[Any], number: float) -> str:
    """Return a number that a field cannot hold, as the field would show it if it could."""
    if isinstance(field, (DecimalField, TimeDeltaField)) and number.is_integer():
        with suppress(OverflowError):  # longer than a timedelta
            return shown(field.load(int(number)))
    if isinstance(field, DecimalField) and math.isfinite(number):
        return repr(Decimal(repr(number)).scaleb(-field.decimal_places, UNROUNDED))
    return f"{number!r} microseconds" if isinstance(field, TimeDeltaField) else f"the number {number!r}"


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
    if isinstance(value, F) and _is_alike(field, source := _named(meta, field, value)):
        narrower = _digits(field) < _digits(source)
        limits = _limits(field, math.inf) if narrower else None
        return Assign(field.attname, None, (("field", source.attname),), field.required, limits)
    unit = _unit(field)
    if unit is None:
        raise BadUpdate(
            field, value, f"a {type(field).__name__} takes a constant, or F of one field of the same kind alone"
        )
    try:
        part = _compiled(meta, field, value)
    except RecursionError:
        raise BadUpdate(field, value, "it is nested too deeply") from None
    if part.unit != unit:
        raise BadUpdate(field, value, f"that gives {part.unit}, and the field holds {unit}")
    return Assign(field.attname, None, part.program, field.required, _limits(field, EXACT - 1))


def _unit(field: Field[Any]) -> _Unit | None:
    """Return what the stored numbers of a field count; ``None`` if they cannot be computed with."""
    if isinstance(field, DecimalField):
        return _Unit("decimal", field.decimal_places)
    if isinstance(field, DateTimeField):
        return DATETIME if field.tz is None else AWARE
    return None if field.is_version else UNITS.get(field.type or "")


def _digits(field: Field[Any]) -> float:
    return getattr(field, "max_digits", None) or math.inf


def _limits(field: Field[Any], most: float) -> tuple[float, float] | None:
    """Return what the numbers of a field lie between, at most ``most`` where the column alone does not tell enough.

    What is computed stays within 2**53, which sums beyond it are rounded to.
    """
    if field.type == "date":
        return float(field.dump(date.min)), float(field.dump(date.max))  # type: ignore[arg-type]
    if not isinstance(field, (DecimalField, TimeDeltaField)):
        return None
    most = min(most, math.nextafter(10.0 ** min(_digits(field), MOST_PLACES), 0.0))
    return -most, most


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
    """Return the program of an expression, and what it gives."""
    if isinstance(value, Operation):
        return _operation(meta, field, value)
    source = _named(meta, field, value)
    unit = _unit(source)
    if unit is None:
        raise BadUpdate(field, value, f"a {type(source).__name__} cannot be computed with")
    return _Part((("field", source.attname),), unit)


def _operation(meta: ModelMeta[Any], field: Field[Any], value: Operation) -> _Part:
    sign, operands = value.sign, (value.left, value.right)
    parts = [_compiled(meta, field, each) if isinstance(each, Expression) else None for each in operands]
    beside = next((part.unit for part in parts if part), NUMBER)
    left, right = (part or _given(field, each, sign, beside) for part, each in zip(parts, operands, strict=True))
    unit = _outcome(sign, left.unit, right.unit)
    if unit is None:
        kinds = f"{left.unit.kind} {right.unit.kind}"
        rule = next(rule for kind, rule in RULES.items() if kind in kinds)
        raise BadUpdate(field, value, f"{left.unit} {sign} {right.unit} means nothing; {rule}")
    return _Part((*left.program, *right.program, (sign, None)), unit)


def _outcome(sign: str, left: _Unit, right: _Unit) -> _Unit | None:
    """Return what an operation gives; ``None`` if it means nothing."""
    if left == right == NUMBER:
        return NUMBER
    if sign in "+-":
        if STEPS.get(left) == right or (left == right and left not in STEPS):
            return left
        return right if sign == "+" and STEPS.get(right) == left else None
    scaled, factor = (right, left) if sign == "*" and left == NUMBER else (left, right)
    return scaled if sign in "*/" and factor == NUMBER and scaled not in STEPS else None


def _given(field: Field[Any], value: Any, sign: str, beside: _Unit) -> _Part:
    """Return a constant as the number that it is for what stands beside it."""
    if isinstance(value, timedelta):
        return _span(field, value, beside)
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        raise BadUpdate(field, value, f"a {type(value).__name__} cannot be computed with")
    added = sign in "+-"
    if added and beside.places is not None and not isinstance(value, float):
        return _decimal(field, value, beside)
    if isinstance(value, Decimal):
        return _Part((), _Unit("decimal"))  # which nothing can be computed with
    unit = SPAN if added and beside == SPAN and value == 0 else NUMBER  # -F(name) is 0 - F(name)
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if number != value:
        raise BadUpdate(field, value, "this number is not exact as a double")
    return _Part((("const", number),), unit)


def _span(field: Field[Any], value: timedelta, beside: _Unit) -> _Part:
    if beside == DATE and value % DAY:
        raise BadUpdate(field, value, "a date moves by whole days")
    number, unit = (value // SECOND, DAYS) if beside == DATE else (value // MICROSECOND, SPAN)
    if abs(number) > EXACT:
        raise BadUpdate(field, value, "this timedelta is longer than the range of what is computed, 285 years")
    return _Part((("const", float(number)),), unit)


def _decimal(field: Field[Any], value: int | Decimal, unit: _Unit) -> _Part:
    places, number = unit.places or 0, Decimal(value)
    if (
        not number.is_finite()
        or number.copy_abs() > EXACT
        or (number := number.scaleb(places, UNROUNDED)).copy_abs() > EXACT
    ):
        raise BadUpdate(field, value, f"it is beyond ±2**53 units of the last of {places} decimal places")
    if number != number.to_integral_value():
        raise BadUpdate(field, value, f"it has more than {places} decimal places; round it first")
    return _Part((("const", float(number)),), unit)
