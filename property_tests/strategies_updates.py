"""Random updates over the tables of ``tables``: constants, copies and arithmetic, fitting their columns or not."""

from __future__ import annotations

from functools import cache
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from stdnet.contract import All, Assign, Column, Table, Update

from .plans import arithmetic, plans
from .tables import number, values, weighted

LIMITS = [None, None, None, (0.0, 5.0), (-1e15, 1e15)]


def copies(table: Table, column: Column) -> list[str]:
    """Return the names of what can be copied into a column: what has its type, and a number into any other."""
    everything = (table.pk, *table.columns)
    return [each.name for each in everything if each.type == column.type or (number(each) and number(column))]


@cache
def assigns(table: Table, column: Column) -> SearchStrategy[Assign]:
    required = st.sampled_from([False, False, False, True])
    constant = st.tuples(values(column), required).map(lambda some: Assign(column.name, some[0], required=some[1]))
    sources = copies(table, column)
    if not sources:
        return constant
    copy: SearchStrategy[Any] = st.sampled_from(sources).map(lambda source: (("field", source),))
    program = weighted((1, copy), (2, arithmetic(table, 2))) if number(column) else copy
    limits = st.sampled_from(LIMITS) if number(column) else st.none()
    computed = st.tuples(program, required, limits).map(lambda some: Assign(column.name, None, *some))
    return weighted((1, constant), (3, computed))


@st.composite
def updates(draw: DrawFn, table: Table) -> Update:
    """Draw an update of some columns, or of none, of some rows, or of all."""
    free = [column for column in table.columns if column.name != "version"]
    some = draw(st.lists(st.sampled_from(free), max_size=3, unique=True)) if free else []
    sets = tuple(draw(assigns(table, column)) for column in some)
    version = "version" if "version" in table.names and draw(st.booleans()) else None
    numbers = [column.name for column in table.columns if number(column)]
    score = None
    if table.order == "score" and numbers and draw(st.booleans()):
        factor = draw(st.sampled_from([1.0, -1.0]))
        score = draw(st.sampled_from(numbers)), factor, -1e99 * factor
    return Update(table, draw(weighted((1, st.just(All())), (1, plans(table, 1)))), sets, version, score)
