"""Aggregates: what is computed from the rows of a plan, by groups, as data. How numbers are added is defined here.

As in ``plan``, a value is *missing* when it is ``None``; the empty text is a value like any other.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal, TypeAlias

from ..records import Record
from .plan import Plan, Scalar

if TYPE_CHECKING:
    from .requests import Table

Op: TypeAlias = Literal["count", "sum", "min", "max"]

Group: TypeAlias = tuple[tuple[Scalar, ...], tuple[Scalar, ...]]
"""The values that the rows of a group have in common, and the result of each term. A sum may be NaN."""

BLOCK = 1000
"""The number of rows whose floats are added to a sum of their own first."""


class Term(Record):
    """One number to compute; ``column`` is a column or the pk, and rows where it is missing are left out.

    * ``count``: the number of rows; ``column`` may be ``None``, which counts all of them.
    * ``sum``: of a column of ints, the exact sum, of any size. Floats are added in the order of the table, in blocks:
      those of the first ``BLOCK`` rows of the plan from left to right to 0.0, likewise those of the next, and at last
      the sums of the blocks. So there is one answer to the last bit; infinities of both signs give NaN.
    * ``min``, ``max``: numbers by value, text by code point, bytes by byte.

    ``-0.0`` counts as ``0.0``. Of no values, ``count`` is 0 and the others are ``None``.
    """

    op: Op
    column: str | None = None


class Aggregate(Record):
    """The results of ``terms`` for each group of rows of ``plan``: those with equal values in the columns ``group``.

    The reply is a list of ``Group``, sorted by the values of the groups, as ``rank`` says. Missing values are equal to
    each other and to nothing else. Without ``group`` there is one group, also of no rows. Cost: that of the plan, and
    O(k log k) for its k rows, which a server looks at in parts, as it does for a ``Select``.
    """

    table: Table
    plan: Plan
    group: tuple[str, ...] = ()
    terms: tuple[Term, ...] = ()


def rank(values: Iterable[Scalar]) -> tuple[tuple[bool, Scalar], ...]:
    """Return what a group is sorted by: numbers by value, text by code point, bytes by byte, missing values first.

    >>> sorted([("b",), (None,), ("a",)], key=rank)
    [(None,), ('a',), ('b',)]
    """
    return tuple((value is not None, value) for value in values)
