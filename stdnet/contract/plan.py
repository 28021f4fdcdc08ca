"""Plan nodes: what a query means, as data.

A plan denotes a set of ids of one table. Nodes are frozen and hold scalars, names and other nodes, nothing
else: no model, no key, no script. Each docstring is the specification that both backends answer to. A node
names the table's id by the name of its pk column; any other name is one of the table's columns, and a name
that the table does not have is an error of the caller (``KeyError``), not an empty set.

Two words are used throughout. A value is *missing* when it is ``None``; it is *blank* when it is missing or
the empty text or bytes. Numbers are compared by value, exactly (``5`` equals ``5.0``), text by code point,
bytes by byte.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from ..records import Record

if TYPE_CHECKING:
    from .requests import Place, Table

Scalar: TypeAlias = str | int | float | bytes | None
"""What crosses the contract. Floats are never NaN; text has no lone surrogates; ``bool`` is not used."""

Id: TypeAlias = str | int | float | bytes
"""An id: a scalar that is not blank, of the type of the table's pk column; not -0.0."""

Compare: TypeAlias = Literal["lt", "le", "gt", "ge"]
TextMatch: TypeAlias = Literal["contains", "startswith", "endswith", "icontains", "istartswith", "iendswith"]
ScanOp: TypeAlias = Compare | TextMatch | Literal["isnull", "eq"]

Instruction: TypeAlias = tuple[str, str | float | bool | None]
"""One step of a ``Where`` program: an operation and its argument."""


class All(Record):
    """Every id of the table."""


class Ids(Record):
    """The given ids, as far as they exist.

    Order and repetitions mean nothing; unknown ids are ignored; no ids give the empty set.
    """

    ids: tuple[Id, ...]


class Eq(Record):
    """The rows whose ``field`` equals any of ``values``.

    The field is unique, equality-indexed or range-indexed. ``None``, ``''`` and ``b''`` stand for one and the
    same thing here: the rows where the field is blank. Values that no row has are ignored, repetitions mean
    nothing, no values give the empty set. Cost: O(k) for k matching rows; O(log n + k) on a range index.
    """

    field: str
    values: tuple[Scalar, ...]


class Match(Record):
    """The rows that have one of ``values`` in ``fields``, which are one of ``Table.together``, in its order.

    A combination with a blank value matches nothing. Values that no row has are ignored, repetitions mean nothing.
    Cost: O(k) for k values.
    """

    fields: tuple[str, ...]
    values: tuple[tuple[Scalar, ...], ...]


class Range(Record):
    """The rows whose ``field`` lies between ``low`` and ``high``.

    The field is range-indexed, or it is the pk of a table whose ids are numbers. A bound of ``None`` is open
    towards infinity; ``low_open`` and ``high_open`` leave the bound itself out. Rows where the field is missing
    never match, not even when both bounds are ``None``. ``low > high`` gives the empty set.
    Cost: O(log n + k) for k matching rows.
    """

    field: str
    low: int | float | None = None
    high: int | float | None = None
    low_open: bool = False
    high_open: bool = False


class Scan(Record):
    """The rows whose ``field``, indexed or not, compares to ``value`` as ``op`` says. It looks at each row.

    * ``lt le gt ge``: ``value`` has the type of the column.
    * ``contains startswith endswith``: plain text search (no patterns) in the text of the field: text as it is,
      an int as decimal digits, a float as Python's ``repr``; ``value`` is text. On bytes, ``value`` is bytes.
      The empty text is found in every value.
    * ``icontains istartswith iendswith``: the same after both sides are lower-cased in ASCII letters only.
    * ``isnull``: ``value`` is 1 for the rows where the field is blank, 0 for the others. An empty map is blank.
    * ``eq``, for leaves of maps only: the leaf equals ``value``.

    A leaf is compared with ``value`` only if both are numbers, both are text or both are bytes, and matches nothing
    otherwise; its text is searched as that of a column of its type, bytes as the text that they are in UTF-8. A map
    itself answers ``isnull`` alone.

    Rows where the field is missing match none of these but ``isnull`` with 1. Cost: O(n), or O(k) for the k
    candidates that the other members of an ``Intersect`` leave.
    """

    field: str
    op: ScanOp
    value: Scalar


class Where(Record):
    """The rows for which a small program leaves ``True``.

    ``fields`` are the names that the program reads. A row where one of them is missing does not match. The
    program is in postfix order and runs on a stack; it was type-checked when it was parsed, so a run cannot
    fail. Numbers are IEEE doubles (an int beyond 2**53 is rounded); text is compared by code point.

    ====================== =============================================================================
    ``("field", name)``    push the value of the row's field, or the row's id
    ``("const", value)``   push a float, text, ``True``, ``False`` or ``None``
    ``("==", None)`` …     ``== != < <= > >=``: pop b, pop a, push a boolean; NaN is unequal to all
    ``("and", None)`` …    ``and or``: pop two booleans, push one; ``not``: pop one, push one
    ``("+", None)`` …      ``+ - * / %``: pop b, pop a, push a number. ``x / 0`` is an infinity or NaN;
                           ``a % b`` is ``a - floor(a / b) * b``
    ``("neg", None)``      pop a number, push it negated
    ``("in", n)``          pop n values, pop a, push whether a equals one of them
    ``("lower", None)`` …  ``lower upper``: ASCII letters only; ``len``: code points; ``abs``; ``floor``
    ``("contains", None)`` ``contains startswith endswith``: pop part, pop text, push a boolean
    ====================== =============================================================================

    Cost as for ``Scan``.
    """

    program: tuple[Instruction, ...]
    fields: tuple[str, ...]


class In(Record):
    """The rows whose ``field`` equals the ``of`` value of any row of ``plan`` in ``table``.

    ``field`` is the pk, or a field that ``Eq`` accepts. ``of`` is a column of ``table``, or its pk, and has the
    same type. ``table`` may be the very table that is asked. Rows of ``plan`` where ``of`` is blank contribute
    nothing, so blank fields are never matched. Values that no row has are ignored.
    Cost: that of ``plan``, and O(k) for its k rows.
    """

    field: str
    table: Table
    plan: Plan
    of: str


class Found(Record):
    """The ids that an operation of a structure gives, as far as they exist.

    ``place`` is a structure of the whole table. The operation reads; its reply is ``"raw"``: ids, in any order, as a
    container holds them or as a script knows them. Cost: that of the operation, and O(k) for its k ids.
    """

    place: Place
    operation: str
    arguments: tuple[Any, ...] = ()


class Union(Record):
    """The ids that are in at least one of ``plans``; of no plans, the empty set."""

    plans: tuple[Plan, ...]


class Intersect(Record):
    """The ids that are in all of ``plans``, one or more. Order means nothing."""

    plans: tuple[Plan, ...]


class Diff(Record):
    """The ids of ``plan`` that are not in ``minus``."""

    plan: Plan
    minus: Plan


Plan: TypeAlias = All | Ids | Eq | Match | Range | Scan | Where | In | Found | Union | Intersect | Diff

NOTHING = Ids(())
"""The empty set."""


def is_nothing(plan: Plan) -> bool:
    """Return whether a plan is the empty set by its form alone, so that nobody needs to be asked."""
    return type(plan) is Ids and not plan.ids


def walk(plan: Plan) -> Iterator[Plan]:
    """Yield ``plan`` and every node below it, parents first."""
    yield plan
    match plan:
        case Union(plans) | Intersect(plans):
            for child in plans:
                yield from walk(child)
        case Diff(left, minus):
            yield from walk(left)
            yield from walk(minus)
        case In(plan=inner):
            yield from walk(inner)
        case _:
            pass
