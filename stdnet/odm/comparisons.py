"""Lookups that are no equality, ranges and parts of texts, as nodes of a plan. Pure: knows fields, but no query."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from ..contract import All, Diff, Eq, Ids, Intersect, Plan, Range, Scalar, Scan
from ..errors import BadLookupValue, InvalidValue
from .fields import Field
from .jsonfield import Leaf
from .jsonvalues import DATES

TEXT = ("contains", "startswith", "endswith", "icontains", "istartswith", "iendswith")


def is_query(value: Any) -> bool:
    """Return whether a value is a query."""
    return hasattr(value, "construct")


def serialise(field: Field[Any], value: Any, lookup: str = "") -> Scalar:
    """Return the scalar of a value that a field is compared with; ``BadLookupValue`` if there is none."""
    if value == "" and field.column_type in ("int", "float") and field.python_type is not bool:
        return None
    if isinstance(value, (list, tuple, set, frozenset, dict)):
        raise BadLookupValue(field, lookup, value, "is a collection inside a collection")
    if field.primary_key and hasattr(value, "_meta") and not isinstance(value, type):
        if value._meta is not field.meta:
            raise BadLookupValue(field, lookup, value, f'is a "{value._meta}", not a "{field.meta}"')
        if value.pkvalue() is None:
            raise BadLookupValue(field, lookup, value, "is not saved yet, so it has no id")
    try:
        return field.serialise(value, lookup or None)
    except InvalidValue as error:
        raise BadLookupValue(field, lookup, value, error.problem) from None
    except (TypeError, ValueError, AttributeError, OverflowError):
        raise BadLookupValue(field, lookup, value, f"cannot be compared with a {type(field).__name__}") from None


def comparison(field: Field[Any], lookup: str, value: Any) -> Plan:
    """Return the rows of a lookup other than equality."""
    if lookup == "isnull":
        return _isnull(field, value)
    if lookup in TEXT:
        return Scan(field.attname, lookup, _text(field, lookup, value))  # type: ignore[arg-type]
    scalar = _bound(field, lookup, value)
    if isinstance(field, Leaf) and isinstance(scalar, bytes):  # a date: other bytes are not compared with it
        first, end = DATES
        bounds = (("ge", first), ("lt", end), (lookup, scalar))
        return Intersect(tuple(Scan(field.attname, op, bound) for op, bound in bounds))  # type: ignore[arg-type]
    if isinstance(scalar, float) and field.column_type == "int":
        if math.isinf(scalar):
            return _isnull(field, False) if (scalar > 0) == (lookup in ("lt", "le")) else Ids(())
        lookup, scalar = _whole(lookup, scalar)
    if field.column_type in ("int", "float") and (
        field.primary_key or field.meta.table.column(field.attname).index == "range"
    ):
        if lookup in ("gt", "ge"):
            return Range(field.attname, low=scalar, low_open=lookup == "gt")
        return Range(field.attname, high=scalar, high_open=lookup == "lt")
    return Scan(field.attname, lookup, scalar)  # type: ignore[arg-type]


def _isnull(field: Field[Any], value: Any) -> Plan:
    if not isinstance(value, bool):
        raise BadLookupValue(field, "isnull", value, "is neither True nor False")
    if field.primary_key:
        return Ids(()) if value else All()
    if field.index:
        blank = Eq(field.attname, (None,))
        return blank if value else Diff(All(), blank)
    return Scan(field.attname, "isnull", 1 if value else 0)


def _text(field: Field[Any], lookup: str, value: Any) -> Scalar:
    if field.column_type == "bytes" and value is not None:
        return serialise(field, value, lookup)
    if isinstance(value, bytes):
        try:
            value = value.decode()
        except UnicodeDecodeError:
            raise BadLookupValue(field, lookup, value, "is not UTF-8 text") from None
    if value is None or not isinstance(value, (str, int, float)):
        raise BadLookupValue(field, lookup, value, "is not text")
    text = str(value)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise BadLookupValue(field, lookup, value, "has lone surrogates") from None
    return text


def _bound(field: Field[Any], lookup: str, value: Any) -> Any:
    """Return the scalar of a range bound; numbers keep their fraction, also towards an integer field."""
    if value is None:
        raise BadLookupValue(field, lookup, value, "is no bound; use isnull to find missing values")
    if isinstance(value, (list, tuple, set, frozenset, dict)) or is_query(value):
        raise BadLookupValue(field, lookup, value, "is not a single value")
    number = value
    if isinstance(value, str) and field.type in ("integer", "auto", "float"):
        number = _number(field, lookup, value)
    if field.type in ("integer", "auto") and isinstance(number, (int, float)):
        if number != number:
            raise BadLookupValue(field, lookup, value, "has no place in an order")
        return int(number) if isinstance(number, int) else number
    return serialise(field, value, lookup)


def _number(field: Field[Any], lookup: str, text: str) -> int | float:
    for convert in (int, float):
        try:
            return convert(text)
        except ValueError:
            pass
    raise BadLookupValue(field, lookup, text, "is not a number")


def _whole(lookup: str, value: float) -> tuple[str, int]:
    """Return an equivalent bound that is whole: ``x > 2.5`` says the same of integers as ``x >= 3``."""
    if value.is_integer():
        return lookup, int(value)
    return ("ge", math.ceil(value)) if lookup in ("gt", "ge") else ("le", math.floor(value))


def joined(plans: list[Plan]) -> list[Plan]:
    """Join the lower and upper bounds of one field into one range each."""
    ranges = [each for each in plans if isinstance(each, Range)]
    if len(ranges) < 2:
        return plans
    others: list[Plan] = [each for each in plans if not isinstance(each, Range)]
    low, low_open = _tightest([(each.low, each.low_open) for each in ranges if each.low is not None], max)
    high, high_open = _tightest([(each.high, each.high_open) for each in ranges if each.high is not None], min)
    return [Range(ranges[0].field, low, high, low_open, high_open), *others]


def _tightest(bounds: list[tuple[Any, bool]], pick: Callable[[list[Any]], Any]) -> tuple[Any, bool]:
    if not bounds:
        return None, False
    best = pick([value for value, _ in bounds])
    return best, any(is_open for value, is_open in bounds if value == best)
