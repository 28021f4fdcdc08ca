"""Column time series as arrays and frames of other packages, and as charts. Each is imported when it is asked for."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from importlib import import_module
from os import PathLike
from typing import Any

from ...errors import BadStructureValue, MissingExtra, shown
from ...odm import commit_when_no_transaction, verb
from ...odm.runner import Program
from .blocks import Block, of_columns
from .series import ColumnTSBase, Fields
from .storage import Numbers, pack

FIGURE = (9.0, 4.5)
"""Inches of a chart."""


def extra(module: str, what: str, name: str) -> Any:
    """Return a module of an optional dependency; ``MissingExtra`` if it is not installed."""
    try:
        return import_module(module)
    except ImportError:
        raise MissingExtra(what, name) from None


class ExchangeMixin(ColumnTSBase):
    """Conversions and charts."""

    # -- out ----------------------------------------------------------------------------------------------------

    @verb
    def to_numpy(
        self, start: Any = "-inf", end: Any = "+inf", fields: Fields = None
    ) -> Program[tuple[Any, dict[str, Any]]]:
        """Return times as an array of ``datetime64[us]``, and arrays of doubles by column. Extra ``numpy``. O(k)."""
        numpy = extra("numpy", "to_numpy", "numpy")
        block = yield from self._by_time(start, end, fields)
        return _moments(numpy, block), {name: numpy.array(cells) for name, cells in block.columns.items()}

    @verb
    def to_pandas(self, start: Any = "-inf", end: Any = "+inf", fields: Fields = None) -> Program[Any]:
        """Return a ``pandas.DataFrame`` by time. Extra ``pandas``. O(k)."""
        pandas, numpy = extra("pandas", "to_pandas", "pandas"), extra("numpy", "to_pandas", "pandas")
        block = yield from self._by_time(start, end, fields)
        index = pandas.DatetimeIndex(_moments(numpy, block), name="time")
        return pandas.DataFrame({name: numpy.array(cells) for name, cells in block.columns.items()}, index=index)

    @verb
    def to_polars(self, start: Any = "-inf", end: Any = "+inf", fields: Fields = None) -> Program[Any]:
        """Return a ``polars.DataFrame`` with the times as its column ``time``. Extra ``polars``. O(k)."""
        polars = extra("polars", "to_polars", "polars")
        block = yield from self._by_time(start, end, fields)
        if "time" in block.columns:
            raise BadStructureValue(self, "to_polars", 'it has a column "time" of its own. Name the fields you want')
        times = polars.Series("time", array("q", map(int, block.times))).cast(polars.Datetime("us"))
        return polars.DataFrame([times, *(polars.Series(name, cells) for name, cells in block.columns.items())])

    # -- in -----------------------------------------------------------------------------------------------------

    @commit_when_no_transaction
    def from_numpy(self, times: Any, columns: Mapping[str, Any]) -> None:
        """Write columns: times are ``datetime64``, and the columns have a number for each. O(k) at the end."""
        numpy = extra("numpy", "from_numpy", "numpy")
        self._write_arrays("from_numpy", numpy, numpy.asarray(times), columns)

    @commit_when_no_transaction
    def from_pandas(self, frame: Any) -> None:
        """Write the columns of a ``pandas.DataFrame`` whose index is of naive times. O(k) at the end."""
        numpy = extra("numpy", "from_pandas", "pandas")
        if getattr(frame.index, "tz", None) is not None:
            problem = (
                "its index has a time zone, and none is kept; convert it to the one you mean, then tz_localize(None)"
            )
            raise BadStructureValue(self, "from_pandas", problem)
        self._write_arrays("from_pandas", numpy, frame.index.to_numpy(), {name: frame[name] for name in frame.columns})

    @commit_when_no_transaction
    def from_polars(self, frame: Any, time: str = "time") -> None:
        """Write the columns of a ``polars.DataFrame``; the one named ``time`` has naive times. O(k) at the end."""
        numpy = extra("numpy", "from_polars", "polars")
        if getattr(frame[time].dtype, "time_zone", None) is not None:
            problem = f'"{time}" has a time zone, and none is kept; convert it to the one you mean, then remove it'
            raise BadStructureValue(self, "from_polars", problem)
        columns = {name: frame[name].to_numpy() for name in frame.columns if name != time}
        self._write_arrays("from_polars", numpy, frame[time].to_numpy(), columns)

    def _write_arrays(self, operation: str, numpy: Any, times: Any, columns: Mapping[Any, Any]) -> None:
        if times.dtype.kind != "M" or times.ndim != 1 or numpy.isnat(times).any():
            raise BadStructureValue(self, operation, f"the times are {times.dtype}, or some of them are missing")
        micros = times.astype("datetime64[us]").astype("int64")
        moments = micros.astype("<f8")
        if (moments.astype("int64") != micros).any():
            raise BadStructureValue(self, operation, "times before 1684 or after 2255 must be whole seconds")
        cells: dict[str, Numbers] = {}
        for name, column in columns.items():
            numbers = numpy.asarray(column, dtype="<f8")
            if numbers.shape != times.shape:
                problem = f"the column {shown(name)} has the shape {numbers.shape}, the times have {times.shape}"
                raise BadStructureValue(self, operation, problem)
            cells[self._name(name)] = array("d", numbers.tobytes())
        self._write(of_columns(array("d", moments.tobytes()), cells))

    # -- charts -------------------------------------------------------------------------------------------------

    @verb
    def plot(
        self,
        path: str | PathLike[str] | None = None,
        fields: Fields = None,
        start: Any = "-inf",
        end: Any = "+inf",
        title: str | None = None,
        ylabel: str | None = None,
        ax: Any = None,
    ) -> Program[Any]:
        """Draw columns over time, and return the ``matplotlib`` axes. Extra ``plot``. O(k).

        With ``path`` the chart is written there, in the format of its ending; with ``ax`` it is drawn onto these axes.
        """
        figure = extra("matplotlib.figure", "plot", "plot")
        block = yield from self._by_time(start, end, fields)
        ax = figure.Figure(figsize=FIGURE, layout="constrained").add_subplot() if ax is None else ax
        draw(ax, self._moments(block.times), block, title or str(self), ylabel)
        if path is not None:
            ax.figure.savefig(path)
        return ax


def draw(ax: Any, times: list[Any], block: Block, title: str, ylabel: str | None) -> None:
    """Draw the columns of a block: lines that bridge what is missing, with a legend, a title and labels."""
    for name, cells in block.columns.items():
        points = [(time, cell) for time, cell in zip(times, cells, strict=True) if cell == cell]
        marker = "o" if len(points) < 2 else None  # a line of one point cannot be seen
        ax.plot([time for time, _ in points], [cell for _, cell in points], label=name, linewidth=1.2, marker=marker)
    ax.set_title(title)
    ax.set_xlabel("time")
    ax.set_ylabel(ylabel or ", ".join(block.columns))
    ax.grid(alpha=0.3)
    if times:
        dates = import_module("matplotlib.dates")
        locator = dates.AutoDateLocator()
        ax.xaxis.set_major_locator(locator)
        ax.xaxis.set_major_formatter(dates.ConciseDateFormatter(locator))
    if len(block.columns) > 1:
        ax.legend()


def _moments(numpy: Any, block: Block) -> Any:
    return numpy.frombuffer(pack(block.times), dtype="<f8").astype("int64").view("datetime64[us]")
