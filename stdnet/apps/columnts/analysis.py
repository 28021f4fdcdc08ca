"""What is computed from column time series, as verbs: they read, in one round trip, and call the pure modules."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence
from numbers import Real
from typing import Any, TypeAlias

from ...errors import BadStructureValue, InvalidTransaction, SessionNotAvailable, shown
from ...odm import commit_when_no_transaction, verb
from ...odm.runner import Program
from . import statistics
from .blocks import Block
from .merging import Term, combined
from .series import EVERYTHING, Asked, Columns, ColumnTSBase, Fields

Others: TypeAlias = "Sequence[tuple[ColumnTSBase, Fields]] | None"


class AnalysisMixin(ColumnTSBase):
    """Statistics and merges."""

    # -- statistics ---------------------------------------------------------------------------------------------

    @verb
    def stats(self, start: Any, end: Any, fields: Fields = None) -> Program[dict[str, Any]]:
        """Return the statistics of each column from one time to another, both included; ``{}`` without rows. O(k).

        Of the N numbers v of a column in the order of time, and of the N - 1 differences d of each to the one before:
        ``N``, ``min``, ``max``, ``sum`` and ``sum2``, which are the means of v and v², and ``dsum`` to ``dsum4``, those
        of d to d⁴. Columns with less than two numbers are left out.
        """
        return self._univariate((yield from self._by_time(start, end, fields)))

    @verb
    def istats(self, start: int = 0, end: int = -1, fields: Fields = None) -> Program[dict[str, Any]]:
        """Return what ``stats`` does, from one place to another, both included. O(k)."""
        return self._univariate((yield from self._by_place(start, end, fields)))

    def _univariate(self, block: Block) -> dict[str, Any]:
        if not block.times:
            return {}
        each = {name: statistics.univariate(cells) for name, cells in block.columns.items()}
        first, last = self._moments(block.times[:1] + block.times[-1:])
        found = {name: stats for name, stats in each.items() if stats is not None}
        return {"start": first, "stop": last, "len": len(block), "stats": found}

    @verb
    def multi_stats(
        self, start: Any, end: Any, series: Others = None, fields: Fields = None, stats: Any = None
    ) -> Program[dict[str, Any] | None]:
        """Return sums and sums of products over this and other series, from one time to another. O(k).

        ``series`` are pairs of another series and its fields. A vector x has the columns of this one, then those of the
        others; there is one for each time of this series at which no column is missing. ``sum`` has Σxᵢ, ``sum2`` the
        lower triangle of Σxᵢxⱼ, row by row, ``dsum`` and ``dsum2`` the same of the differences between vectors that
        follow each other. ``None`` if there are less than two. ``stats`` is for subclasses, and ignored here.
        """
        bounds = tuple(self._bounds("multi_stats", start, end))
        return (yield from self._multivariate("range", bounds, bounds, series, fields))

    @verb
    def imulti_stats(
        self, start: int = 0, end: int = -1, series: Others = None, fields: Fields = None, stats: Any = None
    ) -> Program[dict[str, Any] | None]:
        """Return what ``multi_stats`` does, from one place of this series to another, both included. O(k)."""
        return (yield from self._multivariate("irange", tuple(self._places(start, end)), EVERYTHING, series, fields))

    def _multivariate(
        self, operation: str, own: tuple[Any, ...], bounds: tuple[Any, ...], series: Others, fields: Fields
    ) -> Program[dict[str, Any] | None]:
        asked: Asked = [(self, operation, (*own, *self._names(fields)))]
        asked += [(other, "range", (*bounds, *other._names(names))) for other, names in series or ()]
        blocks = yield from self._gather(asked)
        tables = [(block.times, list(block.columns.values())) for block in blocks]
        times, vectors = statistics.cross_sections(tables)
        found = statistics.multivariate(vectors)
        if found is None:
            return None
        first, last = self._moments(array("d", (times[0], times[-1])))
        names = [
            f"{each.read_backend_structure().id} @ {name}"
            for (each, _, _), block in zip(asked, blocks, strict=True)
            for name in block.columns
        ]
        return {"type": "multi", "start": first, "stop": last, "fields": names, **found}

    @verb
    def correlation(
        self, start: Any = "-inf", end: Any = "+inf", series: Others = None, fields: Fields = None
    ) -> Program[dict[tuple[str, str], float]]:
        """Return Pearson's coefficient of each two columns, by their names, over the times at which both have numbers.

        Columns of other series, given as to ``multi_stats``, count at the times of this one, and are named ``1.price``,
        ``2.price``, by the place of their series. O(k).
        """
        bounds = tuple(self._bounds("correlation", start, end))
        asked: Asked = [(self, "range", (*bounds, *self._names(fields)))]
        asked += [(other, "range", (*bounds, *other._names(names))) for other, names in series or ()]
        own, *others = yield from self._gather(asked)
        columns = dict(own.columns)
        for n, block in enumerate(others, 1):
            columns |= {f"{n}.{name}": cells for name, cells in block.at(own.times).columns.items()}
        return {(a, b): statistics.correlation(columns[a], columns[b]) for a in columns for b in columns}

    # -- merges -------------------------------------------------------------------------------------------------

    @verb
    def merge(self, *series: Any, fields: Iterable[str] = ()) -> Program[Any]:
        """Replace the content by a weighted sum of series: Σ weight · series, or Σ weight · multiplier · series.

        Each argument is ``(weight, series)`` or ``(weight, multiplier, series)``; a weight is a number or a mapping of
        columns to numbers, a multiplier a series of one column. The sum has all times and all columns, or those among
        ``fields``; a cell is missing unless all have it. The series are read now, in one round trip, without what waits
        in them; the replacement waits for the commit. O(n log n).
        """
        if self.session is None:
            raise SessionNotAvailable(str(self), "merge")
        self.session._accepting()
        block = yield from weighted_sum(self, series, fields)
        return (yield from _replace.program(self, block))

    @classmethod
    def _merged(cls, series: Sequence[Any], fields: Iterable[str]) -> Program[Columns]:
        """Return what a merge would store."""
        block = yield from weighted_sum(None, series, fields)
        first: ColumnTSBase = series[0][-1]
        return first._shown(block)


@commit_when_no_transaction
def _replace(series: ColumnTSBase, block: Block) -> None:
    series.cache.merge(block)


def weighted_sum(target: ColumnTSBase | None, series: Sequence[Any], fields: Iterable[str]) -> Program[Block]:
    """Return the block of a merge, from the arguments of ``merge``."""
    if not series:
        raise ValueError("merge() takes series: pairs of a weight and a series.")
    terms = [_checked(term) for term in series]
    involved = [each for _, *rest in terms for each in rest]
    home = target if target is not None else involved[0]
    for each in involved:
        if each.session is None:
            raise SessionNotAvailable(str(each), "merge")
        if each.session.router is not home.session.router or each.backend is not home.backend:
            raise InvalidTransaction(f"Cannot merge {each} with {home}: they are of different routers or backends.")
    wanted = [fields] if isinstance(fields, str) else list(fields or ())
    blocks = iter((yield from ColumnTSBase._gather([(each, "range", EVERYTHING) for each in involved])))
    found = []
    for weight, *rest in terms:
        multiplier = next(blocks) if len(rest) == 2 else None
        if multiplier is not None and len(multiplier.columns) != 1:
            problem = f"the multiplier {rest[0]} has {len(multiplier.columns)} columns, and must have rows and one"
            raise BadStructureValue(home, "merge", problem)
        found.append(Term(weight, next(blocks), multiplier))
    return combined(found, wanted)


def _checked(term: Any) -> tuple[Any, ...]:
    """Return a term of a merge if it is one."""
    if not isinstance(term, (tuple, list)):
        raise TypeError(f"merge() takes tuples of a weight and a series, not {shown(term)}.")
    if len(term) not in (2, 3):
        raise ValueError(f"merge() takes (weight, series) or (weight, multiplier, series), not {len(term)} of them.")
    weight, *series = term
    for each in series:
        if not isinstance(each, ColumnTSBase):
            raise TypeError(f"merge() takes column time series, not {shown(each)}.")
    weights = list(weight.values()) if isinstance(weight, Mapping) else [weight]
    if not all(isinstance(number, Real) for number in weights):
        raise TypeError(f"merge() takes numbers as weights, not {shown(weight)}.")
    return tuple(term)
