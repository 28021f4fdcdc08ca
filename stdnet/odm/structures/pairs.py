"""What structures of pairs share: keys and values, ranges by key and by place.

A pair is a key and a value. In a hash table keys are text, in a time series times, in a sorted set scores.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from math import isnan
from typing import Any, ClassVar

from ...errors import BadStructureValue, StdNetException, shown
from ...utils.encoders import Encoder
from ..runner import Program
from ..scalarfields import EXACT
from .base import Structure
from .verbs import commit_when_no_transaction, verb

Raw = Sequence[tuple[Any, bytes]]
"""Pairs as the contract has them."""

INFINITE = {"inf": float("inf"), "+inf": float("inf"), "-inf": float("-inf")}


class PairMixin(Structure):
    """Structures of pairs. ``pickler`` writes and reads the keys."""

    pickler: Any = None
    default_pickler: ClassVar[Encoder]

    def setup(self, pickler: Encoder | None = None, **options: Any) -> None:
        self.pickler = pickler or type(self).pickler or self.default_pickler
        super().setup(**options)

    def pair(self, pair: Any) -> tuple[Any, Any]:
        """Return a pair for a tuple of two, or for an object whose method ``score()`` gives its key."""
        if isinstance(pair, (tuple, list)) and len(pair) == 2:
            return pair[0], pair[1]
        if not hasattr(pair, "score"):
            raise TypeError(f"{shown(pair)} is neither a pair nor an object with a method score().")
        return pair.score(), pair

    @commit_when_no_transaction
    def add(self, *pair: Any) -> None:
        """Add a pair: two arguments, a tuple of two, or an object with a method ``score()``; the key comes first.

        Replaces what has the key, or, in a sorted set, moves the value. Costs what one element of ``update`` costs.
        """
        if len(pair) not in (1, 2):
            raise TypeError(f"add() takes a pair, not {len(pair)} arguments.")
        self.cache.add(list(self.dump_data([self.pair(pair if len(pair) == 2 else pair[0])])))

    @commit_when_no_transaction
    def update(self, mapping: Any) -> None:
        """Add the pairs of a mapping or an iterable; all or none. O(k), in ordered structures O(k log n)."""
        self.cache.add(list(self.dump_data(mapping)))

    def dump_data(self, mapping: Any) -> Iterable[tuple[Any, Any]]:
        """Return the stored forms of pairs, which come as a mapping or an iterable. Override it to take others."""
        keys: Iterable[Any] = ()
        values: Iterable[Any] = ()
        if isinstance(mapping, Mapping):
            keys, values = mapping.keys(), mapping.values()
        else:
            pairs = list(mapping)
            if not (set(map(type, pairs)) <= {tuple} and set(map(len, pairs)) <= {2}):
                pairs = list(map(self.pair, pairs))
            keys, values = [key for key, _ in pairs], [value for _, value in pairs]
        return list(zip(self._dump_keys(keys), self._dump_all(values), strict=True))

    def _dump_keys(self, keys: Iterable[Any], operation: str = "update") -> list[Any]:
        return self._dump_all(keys, operation, self.pickler)

    def _key(self, key: Any, operation: str) -> Any:
        return self._dump_keys([key], operation)[0]

    def load_keys(self, iterable: Iterable[Any]) -> list[Any]:
        """Return the keys for their stored forms."""
        found: list[Any] = self.pickler.load_iterable(iterable, self.session)
        return found

    @verb
    def load_values(self, iterable: Iterable[bytes]) -> Program[list[Any]]:
        """Return the values for their stored forms."""
        return (yield from self._decode(list(iterable)))

    def _encoded(self, raw: Raw) -> Sequence[bytes]:
        return [value for _, value in raw]

    def _zipped(self, raw: Raw, values: list[Any]) -> list[tuple[Any, Any]]:
        return list(zip(self.load_keys([key for key, _ in raw]), values, strict=True))

    @verb
    def values(self) -> Program[list[Any]]:
        """Return all values, in the order of their keys. O(n), in a hash table O(n log n)."""
        if self.cache.cache is not None:
            return self._loaded_values()
        return (yield from self._decode(self._encoded((yield from self._read("items")))))

    def _loaded_values(self) -> list[Any]:
        return list(self.cache.cache.values())


class KeyValueMixin(PairMixin):
    """Maps: each key has one value. What is loaded is kept as a dict."""

    def _assembled(self, raw: Raw, values: list[Any]) -> dict[Any, Any]:
        return dict(zip(self.load_keys([key for key, _ in raw]), values, strict=True))

    def _same(self, key: Any) -> Any:
        """Return a key as it reads when it comes back."""
        return self.pickler.loads(self._key(key, "get"))

    def _item(self, key: Any) -> Program[Any]:
        """Return the value of a key; ``KeyError`` if there is none."""
        if self.cache.cache is not None:
            return self.cache.cache[self._same(key)]
        data = yield from self._read("get", self._key(key, "get"))
        if data is None:
            raise KeyError(key)
        return (yield from self._decode([data]))[0]

    @verb
    def get(self, key: Any, default: Any = None) -> Program[Any]:
        """Return the value of a key, or ``default``. O(1) in a hash table, O(log n) in a time series."""
        try:
            return (yield from self._item(key))
        except KeyError:
            return default

    @verb
    def pop(self, key: Any, *default: Any) -> Program[Any]:
        """Remove a key, at once, and return its value, or ``default``, or raise ``KeyError``. Costs as ``get``."""
        if len(default) > 1:
            raise TypeError(f"pop() takes a key and a default, not {len(default) + 1} arguments.")
        data = yield from self._act("pop", self._key(key, "pop"))
        if data is not None:
            return (yield from self._decode([data]))[0]
        if not default:
            raise KeyError(key)
        return default[0]

    @commit_when_no_transaction
    def remove(self, *keys: Any) -> None:
        """Remove keys; those that are not there are ignored. O(k), in a time series O(k log n)."""
        self.cache.remove(self._dump_keys(keys, "remove"))

    def _iterated(self) -> Program[Iterable[Any]]:
        return (yield from self._keys())

    def _keys(self) -> Program[list[Any]]:
        return self.load_keys([key for key, _ in (yield from self._read("items"))])

    @verb
    def keys(self) -> Program[list[Any]]:
        """Return all keys, in order. O(n), in a hash table O(n log n)."""
        return list(self.cache.cache) if self.cache.cache is not None else (yield from self._keys())


class OrderedMixin(PairMixin):
    """Structures in the order of a number: a score or a time. Ends of ranges are included."""

    def _dump_keys(self, keys: Iterable[Any], operation: str = "update") -> list[float]:
        keys = list(keys)
        try:
            numbers = [float(each) + 0.0 for each in self.pickler.dump_iterable(keys)]  # -0.0 is 0.0
        except StdNetException:
            raise
        except (TypeError, ValueError, OverflowError) as error:
            raise BadStructureValue(self, operation, f"the pickler gives no number: {error}") from error
        if any(map(isnan, numbers)):
            key = next(key for number, key in zip(numbers, keys, strict=True) if isnan(number))
            raise BadStructureValue(self, operation, f"{shown(key)} is not a number that orders")
        return numbers

    def _bounds(self, operation: str, *bounds: Any) -> list[float]:
        return [
            INFINITE[f"{bound}"]
            if isinstance(bound, (str, float)) and f"{bound}" in INFINITE
            else self._key(bound, operation)
            for bound in bounds
        ]

    def _places(self, *places: Any) -> list[int]:
        return [max(-EXACT, min(EXACT, operator.index(place))) for place in places]

    def _found(self, raw: Raw, callback: Callable[[Any], Any] | None, withscores: bool) -> Program[Any]:
        if callback is not None:
            return callback(raw)
        if withscores and self.pickler.keeps(float) and self.value_pickler.keeps(bytes):
            return list(map(tuple, raw))
        values = yield from self._decode(self._encoded(raw))
        return self._zipped(raw, values) if withscores else values

    def _desc(self, desc: bool) -> tuple[int, ...]:
        """Return the argument of ranges that can be turned round."""
        if desc:
            raise TypeError(f"{self._meta.name} has no descending ranges. Use reversed(…) on the result.")
        return ()

    @verb
    def range(
        self,
        start: Any,
        stop: Any,
        callback: Callable[[Any], Any] | None = None,
        withscores: bool = True,
        desc: bool = False,
    ) -> Program[Any]:
        """Return the pairs with keys from ``start`` to ``stop``, both included. O(log n + k).

        ``"-inf"`` and ``"+inf"`` are open ends. ``withscores=False`` gives the values only. ``callback`` replaces the
        decoding: it is called with pairs of number and stored value, and its result is returned. ``desc`` turns the
        order of a sorted set round.
        """
        raw = yield from self._read("range", *self._bounds("range", start, stop), *self._desc(desc))
        return (yield from self._found(raw, callback, withscores))

    @verb
    def irange(
        self,
        start: int = 0,
        end: int = -1,
        callback: Callable[[Any], Any] | None = None,
        withscores: bool = True,
        desc: bool = False,
    ) -> Program[Any]:
        """Return the pairs from one place to another, both included, as ``range`` does. O(log n + k).

        Negative places count from the end; with ``desc`` places count in the turned order.
        """
        raw = yield from self._read("irange", *self._places(start, end), *self._desc(desc))
        return (yield from self._found(raw, callback, withscores))

    @verb
    def pop_range(
        self, start: Any, stop: Any, callback: Callable[[Any], Any] | None = None, withscores: bool = True
    ) -> Program[Any]:
        """Remove and return, at once, what ``range`` gives. O(k log n)."""
        raw = yield from self._act("pop_range", *self._bounds("pop_range", start, stop))
        return (yield from self._found(raw, callback, withscores))

    @verb
    def ipop_range(
        self,
        start: int = 0,
        stop: int = -1,
        callback: Callable[[Any], Any] | None = None,
        withscores: bool = True,
        desc: bool = False,
    ) -> Program[Any]:
        """Remove and return, at once, what ``irange`` gives. O(k log n)."""
        raw = yield from self._act("ipop_range", *self._places(start, stop), *self._desc(desc))
        return (yield from self._found(raw, callback, withscores))

    @verb
    def front(self) -> Program[Any]:
        """Return the first pair, or ``None``. O(log n)."""
        return (yield from self._end(0))

    @verb
    def back(self) -> Program[Any]:
        """Return the last pair, or ``None``. O(log n)."""
        return (yield from self._end(-1))

    def _end(self, place: int) -> Program[Any]:
        raw = yield from self._read("irange", place, place, *self._desc(False))
        pairs = yield from self._found(raw, None, True)
        return pairs[0] if pairs else None

    @verb
    def count(self, start: Any, stop: Any) -> Program[int]:
        """Return the number of keys from ``start`` to ``stop``, both included. O(log n)."""
        return int((yield from self._read("count", *self._bounds("count", start, stop))))
