"""What is worked out of column time series row by row, as verbs: buckets, moving windows, expressions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from numbers import Real
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ...errors import BadStructureValue, shown
from ...odm import verb
from ...odm.runner import Program
from . import resampling
from .expressions import Expression, compiled
from .series import Asked, Columns, ColumnTSBase, Fields
from .storage import unpack
from .windows import WINDOWS


class RowsMixin(ColumnTSBase):
    """Buckets, moving windows and expressions."""

    @verb
    def resample(
        self,
        rule: str,
        how: resampling.How = "last",
        start: Any = "-inf",
        end: Any = "+inf",
        tz: Any = None,
        closed: resampling.Side = "left",
        label: resampling.Side = "left",
        fill: Any = None,
    ) -> Program[Columns]:
        """Return times and columns with one row for each bucket of the calendar. O(k).

        ``rule``: a number and a unit, ``"15min"``, ``"1h"``, ``"1D"``, ``"1W"``, ``"1M"``, ``"1Q"``, ``"1Y"``; also
        ``us``, ``ms`` and ``s``. Weeks begin on Mondays, parts of a day divide it, and nothing depends on the data.
        ``how``: ``first last min max sum mean median std count``, or a function of the numbers that are not missing, or
        a mapping of columns to these; columns that it does not name are left out.
        ``tz``: the time zone whose days count; times stand for UTC then, also those that are returned.
        ``closed``: which end of a bucket belongs to it; ``label``: by which one its row is called.
        ``fill``: ``None`` leaves buckets without rows out; ``"nan"`` has them with missing cells, which ``"previous"``,
        ``"linear"`` or a number fills in.
        """
        names = tuple(how) if isinstance(how, Mapping) else ()
        try:
            calendar = resampling.Calendar(rule, _zone(tz))
            resampling.check(how, closed, label, fill)
        except ValueError as error:
            raise BadStructureValue(self, "resample", str(error)) from None
        block = yield from self._by_time(start, end, names)
        return self._shown(resampling.resampled(block, calendar, how, closed, label, fill))

    @verb
    def moving(
        self, how: str, size: float, fields: Fields = None, start: Any = "-inf", end: Any = "+inf"
    ) -> Program[Columns]:
        """Return times and columns with a measure of the last ``size`` rows in the place of each cell.

        ``how``: ``mean std min max sum median``; missing where there are not so many rows, or a cell of them is
        missing. ``"ewm"`` is the exponentially weighted mean with a span of ``size``. Windows begin with the first row
        that is asked for. O(k size), of ``min``, ``max`` and ``ewm`` O(k).
        """
        if how not in WINDOWS:
            raise BadStructureValue(self, "moving", f"{shown(how)} is none of {', '.join(WINDOWS)}")
        if not isinstance(size, Real) or not size >= 1 or (how != "ewm" and size % 1):
            raise BadStructureValue(self, "moving", f"{shown(size)} is no number of rows, from 1 on")
        measure = WINDOWS[how]
        block = yield from self._by_time(start, end, fields)
        size = size if how == "ewm" else int(size)
        moved = {name: measure(cells, size) for name, cells in block.columns.items()}
        return self._moments(block.times), moved

    @verb
    def evaluate(
        self,
        script: str | Callable[..., Any],
        /,
        *series: ColumnTSBase,
        start: Any = "-inf",
        end: Any = "+inf",
        **params: Any,
    ) -> Program[Any]:
        """Return what an expression gives: times and the values at them, or a single value. O(k).

        It is written as in ``query.where``: ``this.close / lag(this.close) - 1``. Columns are ``this.close`` or
        ``this["adj close"]``; those of other ``series`` are ``series1.close``, ``series2.close``, and of series given
        by name ``fx.rate``; they count at the times of this one. Other names stand for numbers in ``params``.
        ``+ - * / %``, comparisons, ``and or not``, and these functions:

        * of numbers ``abs sqrt exp log floor ceil isnan``, and ``where(test, a, b)``;
        * of columns ``lag(x, n) diff(x, n) cumsum(x) previous(x)``, the last with what is missing filled in;
        * of the last n rows ``mean(x, n)``, likewise ``std sum min max median``, and ``ewm(x, span)``;
        * to a single number ``mean(x)``, likewise ``std sum min max median count``, ``first last``, and ``rows()``.

        What is missing stays missing in arithmetic, and is false in comparisons. ``BadExpression`` points at what is
        wrong. Instead of text there may be a function: it is called with times and columns of this series, a list of
        those of the others, and ``params``, and its result is returned.
        """
        bounds = tuple(self._bounds("evaluate", start, end))
        if callable(script):
            blocks = yield from self._gather([(each, "range", bounds) for each in (self, *series)])
            own, *others = [each._shown(block) for each, block in zip((self, *series), blocks, strict=True)]
            return script(own, others, **params)
        named = {f"series{n}": each for n, each in enumerate(series, 1)}
        named |= {name: each for name, each in params.items() if isinstance(each, ColumnTSBase)}
        numbers = {name: value for name, value in params.items() if name not in named}
        for name, value in numbers.items():
            if not isinstance(value, Real):
                raise TypeError(f"evaluate() takes numbers and column time series by name; {name} is {shown(value)}.")
        expression = compiled(script, list(named), {name: float(value) for name, value in numbers.items()})
        return (yield from self._evaluated(expression, named, bounds))

    def _evaluated(
        self, expression: Expression, named: Mapping[str, ColumnTSBase], bounds: tuple[Any, ...]
    ) -> Program[Any]:
        asked: Asked = [(self, "times", bounds)]
        needed = [(name, each) for name, each in {"this": self, **named}.items() if expression.needed[name]]
        for name, each in needed:
            asked.append((each, "range", (*bounds, *each._names(expression.needed[name]))))
            asked.append((each, "fields", ()))
        packed, *replies = yield from self._gather(asked)
        times = unpack(packed)
        tables = {}
        for (name, _), found, known in zip(needed, replies[::2], replies[1::2], strict=True):
            block = found.at(times)
            tables[name] = {column.decode(): block.column(column.decode()) for column in known}
        value = expression.part.run(tables, len(times))
        return (self._moments(times), list(value)) if expression.part.is_column else value


def _zone(tz: Any) -> Any:
    """Return a time zone for its name."""
    if not isinstance(tz, str):
        return tz
    try:
        return ZoneInfo(tz)
    except (ZoneInfoNotFoundError, OSError):
        raise ValueError(f"there is no time zone {tz!r}") from None
