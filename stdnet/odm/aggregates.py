"""Aggregates of a query: what to compute, the program that asks the backend for it, and the queries by group.

A backend computes with the scalars of columns; what they stand for, and which fields can be added, is known here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar

from ..contract import Aggregate, Group, Term, is_nothing
from ..contract.aggregates import Op
from ..errors import BadAggregate
from .fields import Field
from .runner import Program, Trip, arun, run

if TYPE_CHECKING:
    from .query import QueryBase

NUMBERS = (int, float, bool, Decimal, timedelta)
"""What can be added: the types of values of the fields that ``Sum`` and ``Avg`` take."""


class Aggregation:
    """One value to compute of the rows of a query, from a field where it is not missing. O(k) for k rows."""

    ops: ClassVar[tuple[Op, ...]]
    """What the backend computes for it."""

    def __init__(self, name: str) -> None:
        self.name: str | None = name

    def check(self, field: Field[Any]) -> None:
        """Raise ``BadAggregate`` unless this can be computed of a field."""

    def load(self, field: Field[Any] | None, *results: Any) -> Any:
        """Return the Python value for the results of ``ops``, of which none is ``None``."""
        assert field is not None
        return field.load(results[0])

    def __repr__(self) -> str:
        return f"{type(self).__name__}({'' if self.name is None else repr(self.name)})"


class Count(Aggregation):
    """The number of rows, or of those where the field ``name`` is not missing."""

    ops = ("count",)

    def __init__(self, name: str | None = None) -> None:
        self.name = name

    def load(self, field: Field[Any] | None, *results: Any) -> Any:
        return results[0]


class Min(Aggregation):
    """The least value of a field: numbers and dates by value, text by code point; ``None`` if there is none."""

    ops = ("min",)


class Max(Aggregation):
    """The greatest value of a field, in the order of ``Min``; ``None`` if there is none."""

    ops = ("max",)


class Sum(Aggregation):
    """The sum of a field of numbers or spans of time; ``None``, as in SQL, if there is nothing to add.

    Integers and decimals are exact, of any size, and booleans count as 0 and 1. Floats are added in a defined order, so
    that every backend gives the same sum to the last bit.
    """

    ops: ClassVar[tuple[Op, ...]] = ("sum",)

    def check(self, field: Field[Any]) -> None:
        if field.python_type not in NUMBERS or field.column_type not in ("int", "float") or field.is_relation:
            problem = f"{type(field).__name__} holds nothing that can be added; use Min, Max or Count"
            raise BadAggregate(str(field.meta), self, problem)

    def load(self, field: Field[Any] | None, *results: Any) -> Any:
        assert field is not None
        return results[0] if field.python_type is bool else field.load(results[0])


class Avg(Sum):
    """The mean of a field that ``Sum`` can add: a float for integers, floats and booleans, else of the field's type."""

    ops = ("sum", "count")

    def load(self, field: Field[Any] | None, *results: Any) -> Any:
        return super().load(field, results[0]) / results[1]


def aggregate(
    query: QueryBase[Any], names: Sequence[str], terms: Mapping[str, Aggregation]
) -> Program[list[dict[str, Any]]]:
    """Return the values of ``terms`` for each group of rows of a query, the fields ``names`` of the group first."""
    fields = [_field(query, name, "group") for name in names]
    wanted = {name: _checked(query, name, term, names) for name, term in terms.items()}
    asked: dict[Term, int] = {}
    for term, field in wanted.values():
        for op in term.ops:
            asked.setdefault(Term(op, None if field is None else field.attname), len(asked))
    request = Aggregate(query.meta.table, query.construct(), tuple(field.attname for field in fields), tuple(asked))
    groups: list[Group] = _of_nothing(request)
    if not is_nothing(request.plan):
        (groups,) = yield Trip(query.backend, [request])
    found = []
    for values, results in groups:
        row = {field.name: _loaded(field, value) for field, value in zip(fields, values, strict=True)}
        for name, (term, field) in wanted.items():
            column = None if field is None else field.attname
            row[name] = _value(query, term, field, [results[asked[Term(op, column)]] for op in term.ops])
        found.append(row)
    return found


def totals(query: QueryBase[Any], terms: Mapping[str, Aggregation]) -> Program[dict[str, Any]]:
    """Return the values of ``terms`` for all rows of a query."""
    (found,) = yield from aggregate(query, (), terms)
    return found


def distinct(query: QueryBase[Any], name: str) -> Program[list[Any]]:
    """Return the different values of a field, in order."""
    return [row[name] for row in (yield from aggregate(query, (name,), {}))]


def _field(query: QueryBase[Any], name: Any, purpose: str) -> Field[Any]:
    query.known(name, purpose)
    field = query.meta.dfields.get(name)
    if field is None or field.is_map:  # field is None: a leaf
        problem = "it is no column of single values; give the value a field of its own"
        raise BadAggregate(str(query.meta), name, problem)
    return field


def _checked(
    query: QueryBase[Any], name: str, term: Aggregation, names: Sequence[str]
) -> tuple[Aggregation, Field[Any] | None]:
    """Return a term and its field, if it has one."""
    if not isinstance(term, Aggregation):
        raise BadAggregate(str(query.meta), term, f'it is none; write, for example, {name}=odm.Sum("size")')
    if name in names:
        raise BadAggregate(str(query.meta), term, f'"{name}" is a field of the group; give the result another name')
    if term.name is None and isinstance(term, Count):
        return term, None
    field = _field(query, term.name, "aggregate")
    term.check(field)
    return term, field


def _of_nothing(request: Aggregate) -> list[Group]:
    """Return the reply for no rows."""
    return [] if request.group else [((), tuple(0 if term.op == "count" else None for term in request.terms))]


def _loaded(field: Field[Any], value: Any) -> Any:
    return None if value is None else field.load(value)


def _value(query: QueryBase[Any], term: Aggregation, field: Field[Any] | None, results: list[Any]) -> Any:
    if None in results:
        return None
    try:
        return term.load(field, *results)
    except OverflowError:
        raise BadAggregate(str(query.meta), term, "the result is larger than its type can hold") from None


class GroupsBase:
    """The rows of a query by the values of some fields; nothing is sent before a result is asked for."""

    def __init__(self, query: QueryBase[Any], names: Sequence[str]) -> None:
        for name in names:
            query.known(name, "group")
        self.query = query
        self.names = tuple(dict.fromkeys(names))

    def __repr__(self) -> str:
        return f"{self.query!r}.group_by({', '.join(map(repr, self.names))})"


class Groups(GroupsBase):
    """What ``Query.group_by`` returns."""

    def aggregate(self, **terms: Aggregation) -> list[dict[str, Any]]:
        """Return a dict for each group: its values, under the names of their fields, and the results of the terms.

        The groups come in the order of their values; a value that is missing, ``None``, makes a group, the first one.
        """
        return run(aggregate(self.query, self.names, terms))


class AsyncGroups(GroupsBase):
    """What ``AsyncQuery.group_by`` returns."""

    async def aggregate(self, **terms: Aggregation) -> list[dict[str, Any]]:
        """Return a dict for each group: its values, under the names of their fields, and the results of the terms.

        The groups come in the order of their values; a value that is missing, ``None``, makes a group, the first one.
        """
        return await arun(aggregate(self.query, self.names, terms))
