"""Updates: columns of many rows that are changed where they stand, by constants or from other columns, as data.

It is a part of ``requests``, whose ``Commit`` carries updates out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ..records import Record
from .plan import Instruction, Plan, Scalar

if TYPE_CHECKING:
    from .requests import Table


class Assign(NamedTuple):
    """What becomes of one column in the rows of an update: ``value``, or, if there is a program, what that leaves.

    A program is one of ``Where``, made of ``field``, constants that are numbers, and ``+ - * / % neg``; its fields are
    numbers. It reads the row as it is before the update; if one of its fields is missing, so is the result. A zero is
    never negative. A program that is a single field of the column's type, which may be any, copies the value as it is.

    What a program gives has to be a value that the column can have: not NaN; in an int column whole and, unless it is a
    copy in a column without a range index, within ±2**53; within ``limits``, if there are any. With ``required`` it
    must not be blank either.
    """

    column: str
    value: Scalar = None
    program: tuple[Instruction, ...] = ()
    required: bool = False
    limits: tuple[float, float] | None = None


class Update(Record):
    """The rows to change where they stand: those of ``plan`` in the state before the commit.

    What stands under their ids is changed as deletes, saves and earlier updates have left it; if nothing does, there is
    nothing to change. ``sets`` are of different columns. ``version`` is a column of ints that goes up by one, to 1 if
    it is missing. ``score``, for tables of the order ``"score"``, is (column, factor, otherwise): the score becomes the
    factor times the new value of that column, or ``otherwise`` if that is missing. No other score changes.
    """

    table: Table
    plan: Plan
    sets: tuple[Assign, ...]
    version: str | None = None
    score: tuple[str, float, float] | None = None
