"""JSON with dates and decimals, and nested dictionaries flattened into one and back. Fields build on it.

A flat name joins the keys that lead to a value with ``__``. The empty key stands for the value of the level itself,
so ``{"pv": {"": 1, "mean": 2}}`` has the flat names ``pv`` and ``pv__mean``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from .dates import EPOCH, date2timestamp, timestamp2date

JSPLITTER = "__"
"""What separates the keys in a flat name."""

EMPTYJSON = (b"", "", None)
"""The stored forms of no JSON at all."""


class JSONDateDecimalEncoder(json.JSONEncoder):
    """Writes dates, datetimes, decimals and objects with a ``tojson`` method; ``date_decimal_hook`` reads them back.

    A date is the seconds from 1970-01-01 to its midnight, a datetime the seconds with microseconds, both as if UTC. A
    datetime that a float cannot hold to the microsecond, and one with a time zone, is ISO text instead.

    >>> json.dumps([date(1970, 1, 2), datetime(1970, 1, 2, 0, 0, 0, 500_000)], cls=JSONDateDecimalEncoder)
    '[{"__date__": 86400}, {"__datetime__": 86400.5}]'
    """

    def default(self, o: Any) -> Any:
        if hasattr(o, "tojson"):
            return o.tojson()
        if isinstance(o, datetime):
            return {"__datetime__": _moment(o)}
        if isinstance(o, date):
            return {"__date__": date2timestamp(o)}
        if isinstance(o, Decimal):
            return {"__decimal__": str(o)}
        return super().default(o)


def date_decimal_hook(mapping: dict[str, Any]) -> Any:
    """Return what ``JSONDateDecimalEncoder`` wrote as this mapping, or the mapping itself if it is none of that.

    What only looks like it, such as a mapping of your own with the one key ``__date__`` and a number, is read as it.

    >>> date_decimal_hook({"__date__": 86400}), date_decimal_hook({"__date__": "tomorrow"})
    (datetime.date(1970, 1, 2), {'__date__': 'tomorrow'})
    """
    if len(mapping) != 1:
        return mapping
    ((name, value),) = mapping.items()
    reader = _READERS.get(name)
    try:
        return mapping if reader is None else reader(value)
    except (TypeError, ValueError, ArithmeticError):
        return mapping


def _moment(value: datetime) -> float | str:
    if value.tzinfo is None:
        seconds = date2timestamp(value)
        if timedelta(seconds=seconds) == value - EPOCH:
            return seconds
    return value.isoformat()


def _read_datetime(value: Any) -> datetime:
    return datetime.fromisoformat(value) if isinstance(value, str) else timestamp2date(value)


def _read_date(value: Any) -> date:
    return timestamp2date(value).date()


_READERS: dict[str, Callable[[Any], Any]] = {
    "__datetime__": _read_datetime,
    "__date__": _read_date,
    "__decimal__": Decimal,
}
DefaultJSONEncoder = JSONDateDecimalEncoder
DefaultJSONHook = date_decimal_hook


def dict_flat_generator(
    value: Any,
    attname: str | None = None,
    splitter: str = JSPLITTER,
    dumps: Callable[[Any], Any] | None = None,
    prefix: str | None = None,
    error: type[Exception] = ValueError,
    recursive: bool = True,
) -> Iterator[tuple[str, Any]]:
    """Yield the flat name and the value of each leaf of a nested dictionary; what is no dictionary is a leaf.

    Names begin with ``attname`` and ``prefix`` where given, values pass through ``dumps``. An empty dictionary has no
    leaves, and with ``recursive=False`` a dictionary is a leaf. A leaf without any name raises ``error``.

    >>> dict(dict_flat_generator({"pv": {"": 1, "mean": 2}, "none": {}}, attname="data"))
    {'data__pv': 1, 'data__pv__mean': 2}
    """
    if not isinstance(value, dict) or not recursive:
        if not prefix:
            raise error("Cannot assign a non dictionary to a JSON field")
        yield (f"{attname}{splitter}{prefix}" if attname else prefix), (dumps(value) if dumps else value)
        return
    for key, inner in value.items():
        path = prefix if key == "" else f"{prefix}{splitter}{key}" if prefix else str(key)
        yield from dict_flat_generator(inner, attname, splitter, dumps, path, error, recursive=key != "")


def flat_to_nested(
    data: Mapping[str, Any],
    instance: object = None,
    attname: str | None = None,
    separator: str | None = None,
    loads: Callable[[Any], Any] | None = None,
) -> dict[str, Any]:
    """Return the nested dictionary of flat names and values. ``None`` values are passed over; the others go through
    ``loads``.

    With ``attname`` only the names that begin with it count, and that part is dropped. The value of ``attname`` itself
    is a marker: if it is ``None`` once loaded, the answer is empty. A name that is a leaf and a parent, too, keeps its
    own value under the empty key. Each flat name is also set as an attribute of ``instance``, if there is one.

    >>> flat_to_nested({"a": 2, "a__b": 1})
    {'a': {'': 2, 'b': 1}}
    """
    separator = separator or JSPLITTER
    leaves: dict[tuple[str, ...], Any] = {}
    names: dict[str, Any] = {}
    for name, value in data.items():
        path = tuple(name.split(separator))
        if value is None or (attname and path[0] != attname):
            continue
        loaded = loads(value) if loads else value
        path = path[1:] if attname else path
        if path:
            leaves[path] = names[name] = loaded
        elif loaded is None:
            return {}
    if instance is not None:
        for name, value in names.items():
            setattr(instance, name, value)
    return _nested(leaves)


def _nested(leaves: Mapping[tuple[str, ...], Any]) -> dict[str, Any]:
    parents = {path[:length] for path in leaves for length in range(1, len(path))}
    root: dict[str, Any] = {}
    for path, value in leaves.items():
        level = root
        for key in path if path in parents else path[:-1]:
            level = level.setdefault(key, {})
        level["" if path in parents else path[-1]] = value
    return root


def value_type(values: Iterable[Any]) -> type | None:
    """Return ``float`` if all values are numbers or spell one, ``dict`` if all are dictionaries, else ``None``.

    >>> value_type([1, "2.5"]), value_type([{}, {"a": 1}]), value_type([1, {}])
    (<class 'float'>, <class 'dict'>, None)
    """
    kinds = {dict if isinstance(value, Mapping) else _number_type(value) for value in values}
    return kinds.pop() if len(kinds) == 1 else None


def _number_type(value: Any) -> type | None:
    try:
        float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return float


def addmul_number_dicts(series: Sequence[tuple[float, Any]]) -> Any:
    """Return the sum of numbers, or of dictionaries of numbers, each multiplied with its weight.

    Of dictionaries only keys that all have are added, and of those only where all values are numbers, text that spells
    one, or dictionaries. ``None`` if there is nothing to add, or if the values are of different kinds.

    >>> addmul_number_dicts([(2, {"a": 1, "b": "x"}), (1, {"a": "0.5", "b": 1})])
    {'a': 2.5}
    """
    series = tuple(series)
    kind = value_type(value for _, value in series)
    if kind is float:
        return float(sum(weight * float(value) for weight, value in series))
    if kind is None:
        return None
    common = [key for key in series[0][1] if all(key in value for _, value in series)]
    sums = {key: addmul_number_dicts([(weight, value[key]) for weight, value in series]) for key in common}
    return {key: value for key, value in sums.items() if value is not None}
