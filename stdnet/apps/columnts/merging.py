"""Weighted sums and products of series. Pure: blocks in, a block out."""

from __future__ import annotations

import math
from array import array
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from .blocks import Block
from .storage import Numbers

Weight: TypeAlias = "float | Mapping[str, float]"


class Term(NamedTuple):
    """weight · block, or weight · multiplier · block, where the multiplier is the only column of another block."""

    weight: Weight
    block: Block
    multiplier: Block | None = None


def combined(terms: Sequence[Term], fields: Collection[str] = ()) -> Block:
    """Return the sum of terms: at all of their times, in all of their columns, or those among ``fields``.

    A cell is a number only if each term has all of its factors there. A mapping of weights that does not name a column
    leaves it missing.
    """
    blocks = [each for term in terms for each in (term.block, term.multiplier) if each is not None]
    times = _union([block.times for block in blocks])
    names = sorted({name for term in terms for name in term.block.columns})
    if fields:
        names = [name for name in names if name in fields]
    factors = [None if term.multiplier is None else _only(term.multiplier.at(times)) for term in terms]
    tables = [term.block.at(times).columns for term in terms]
    found: dict[str, Numbers] = {}
    for name in names:
        parts = [
            _weighted(term.weight, factor, table.get(name), name, len(times))
            for term, factor, table in zip(terms, factors, tables, strict=True)
        ]
        found[name] = array("d", map(_added, zip(*parts, strict=True)))
    return Block(times, found)


def _only(block: Block) -> Numbers:
    """Return the cells of the only column."""
    (cells,) = block.columns.values()
    return cells


def _union(each: Sequence[Numbers]) -> Numbers:
    if all(times == each[0] for times in each):
        return each[0]
    return array("d", sorted(set().union(*each)))


def _weighted(weight: Weight, factor: Numbers | None, cells: Numbers | None, name: str, rows: int) -> Numbers:
    number = weight.get(name, math.nan) if isinstance(weight, Mapping) else weight
    if cells is None:
        return array("d", (math.nan,)) * rows
    if factor is None:
        return array("d", [number * cell for cell in cells])
    return array("d", [number * by * cell for by, cell in zip(factor, cells, strict=True)])


def _added(cells: Sequence[float]) -> float:
    """Add from left to right."""
    first, *rest = cells
    for cell in rest:
        first += cell
    return first
