"""HashTable and TS: maps of keys, and of times in their order, to values."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, ItemsView
from typing import Any, ClassVar

from ...contract import HASH
from ...contract import TS as TIMES
from ...utils.encoders import DateTimeConverter, Default, Encoder, Json
from ..runner import Program, arun, run
from .cache import MapCache, TSCache
from .pairs import KeyValueMixin, OrderedMixin
from .surfaces import AwaitingStructure, BlockingStructure, twins
from .verbs import verb


class BlockingMap(KeyValueMixin, BlockingStructure):
    """The operators of a blocking map."""

    def __getitem__(self, key: Any) -> Any:
        return run(self._item(key))

    def __setitem__(self, key: Any, value: Any) -> None:
        self.add(key, value)

    def __delitem__(self, key: Any) -> None:
        self.pop(key)


class AwaitingMap(KeyValueMixin, AwaitingStructure):
    """The operators of an awaiting map: ``await m["key"]``."""

    def __getitem__(self, key: Any) -> Coroutine[Any, Any, Any]:
        return arun(self._item(key))


class HashTableBase(KeyValueMixin):
    """The operations of hash tables."""

    kind = HASH
    cache_class = MapCache
    default_pickler: ClassVar[Encoder] = Default()

    @verb
    def items(self) -> Program[ItemsView[Any, Any]]:
        """Return the pairs, as a view of the content, which is kept to answer later reads. O(n log n)."""
        content: dict[Any, Any] = yield from self._loaded()
        return content.items()

    def _keys(self) -> Program[list[Any]]:
        return self.load_keys((yield from self._read("keys")))

    @verb
    def contains(self, key: Any) -> Program[bool]:
        """Return whether a key is there. O(1)."""
        if self.cache.cache is not None:
            return self._same(key) in self.cache.cache
        return bool((yield from self._read("contains", self._key(key, "contains"))))


class HashTable(HashTableBase, BlockingMap):
    """A map of keys, which are text, to values.

    >>> from stdnet import odm
    >>> models = odm.Router("memory://")
    >>> words = models.session().add(models.register(odm.HashTable()))
    >>> words["ciao"] = "hello"
    >>> words.update({"sole": "sun", "luna": "moon"}).pop("luna")
    'moon'
    >>> words["sole"], words.get("mare"), list(words), dict(words.items())
    ('sun', None, ['ciao', 'sole'], {'ciao': 'hello', 'sole': 'sun'})
    """


class AsyncHashTable(HashTableBase, AwaitingMap):
    """A hash table whose verbs are awaited; see ``HashTable``."""


class TSBase(OrderedMixin, KeyValueMixin):
    """The operations of time series."""

    kind = TIMES
    cache_class = TSCache
    default_pickler: ClassVar[Encoder] = DateTimeConverter()
    default_value_pickler: ClassVar[Encoder] = Json()

    @verb
    def items(self) -> Program[list[Any]]:
        """Return all pairs of time and value, in order; from the database, unless a query brought them along. O(n)."""
        if self.cache.cache is not None:
            return list(self.cache.cache.items())
        raw = yield from self._read("items")
        return self._zipped(raw, (yield from self._decode(self._encoded(raw))))

    @verb
    def contains(self, time: Any) -> Program[bool]:
        """Return whether there is a value at exactly that time. O(log n)."""
        if self.cache.cache is not None:
            return self._same(time) in self.cache.cache
        return (yield from self._read("rank", self._key(time, "contains"))) is not None

    @verb
    def rank(self, time: Any) -> Program[int | None]:
        """Return the place of exactly that time, or ``None``. O(log n)."""
        place: int | None = yield from self._read("rank", self._key(time, "rank"))
        return place

    @verb
    def ipop(self, index: int) -> Program[Any]:
        """Remove the value at a place, at once, and return it; ``None`` if there is none. O(log n)."""
        (place,) = self._places(index)
        raw = yield from self._act("ipop_range", place, place)
        values = yield from self._decode(self._encoded(raw))
        return values[0] if values else None

    @verb
    def times(self, start: Any, stop: Any, callback: Callable[[Any], Any] | None = None) -> Program[Any]:
        """Return the times from ``start`` to ``stop``, both included. O(log n + k).

        ``callback`` replaces the decoding: it is called with the numbers, and its result is returned.
        """
        return self._times((yield from self._read("range", *self._bounds("times", start, stop))), callback)

    @verb
    def itimes(self, start: int = 0, stop: int = -1, callback: Callable[[Any], Any] | None = None) -> Program[Any]:
        """Return the times from one place to another, both included, as ``times`` does. O(log n + k)."""
        return self._times((yield from self._read("irange", *self._places(start, stop))), callback)

    def _times(self, raw: Any, callback: Callable[[Any], Any] | None) -> Any:
        numbers = [time for time, _ in raw]
        return self.load_keys(numbers) if callback is None else callback(numbers)


class TS(TSBase, BlockingMap):
    """A time series: one value for each time, in the order of time, which is exact to the microsecond.

    >>> from datetime import datetime
    >>> from stdnet import odm
    >>> models = odm.Router("memory://")
    >>> closes = models.session().add(models.register(odm.TS()))
    >>> closes.update({datetime(2024, 1, day): day * 1.5 for day in (4, 2, 3)}).size()
    3
    >>> closes[datetime(2024, 1, 3)], closes.front()
    (4.5, (datetime.datetime(2024, 1, 2, 0, 0), 3.0))
    >>> closes.times(datetime(2024, 1, 3), "+inf")
    [datetime.datetime(2024, 1, 3, 0, 0), datetime.datetime(2024, 1, 4, 0, 0)]
    """


class AsyncTS(TSBase, AwaitingMap):
    """A time series whose verbs are awaited; see ``TS``."""


twins(HashTable, AsyncHashTable)
twins(TS, AsyncTS)
