"""Sequence, the base of structures whose elements have places, and List."""

from __future__ import annotations

import operator
from collections.abc import Coroutine, Iterable
from collections.abc import Sequence as Values
from typing import Any, ClassVar, Literal

from ...contract import LIST, Take
from ...errors import BadStructureValue, shown
from ..runner import Program, Trip, arun, run
from ..scalarfields import EXACT
from .base import Structure
from .cache import ListCache
from .surfaces import AwaitingStructure, BlockingStructure, twins
from .verbs import commit_when_no_transaction, verb


class Sequence(Structure):
    """Base of the structures whose elements have places, counted from 0, and negative ones from the end."""

    append: ClassVar[str] = "append"
    """The change of the cache that adds at the end."""

    @commit_when_no_transaction
    def push_back(self, value: Any) -> Any:
        """Add a value at the end. O(1). Returns the structure."""
        getattr(self.cache, self.append)([self._dump(value, "push_back")])
        return self

    @commit_when_no_transaction
    def extend(self, values: Iterable[Any]) -> Any:
        """Add values at the end, in order. O(k). Returns the structure."""
        getattr(self.cache, self.append)(self._dump_all(values, "extend"))
        return self

    @verb
    def slice(self, start: int | None = None, stop: int | None = None) -> Program[Any]:
        """Return the elements from ``start`` up to, and without, ``stop``, as Python's slices do; O(n)."""
        return (yield from self._part(slice(start, stop)))

    def _item(self, key: Any) -> Program[Any]:
        """Return the element at a place, or those of a slice."""
        if isinstance(key, slice):
            return (yield from self._part(key))
        place = self._place(key)
        content = self.cache.cache
        if content is not None and -len(content) <= place < len(content):
            return content[place]
        found = () if content is not None else (yield from self._at(place))
        if not found:
            self._outside(place)
        return found[0]

    def _part(self, cut: Any) -> Program[Any]:
        start, stop, step = (None if each is None else self._place(each) for each in (cut.start, cut.stop, cut.step))
        if self.cache.cache is not None or step not in (None, 1):
            return (yield from self._loaded())[start:stop:step]
        if stop == 0:
            return self._assembled([], [])
        return (yield from self._range(start or 0, -1 if stop is None else stop - 1))

    def _place(self, value: Any) -> int:
        """Return a place as an int; none is beyond what a database can count to."""
        try:
            return max(-EXACT, min(EXACT, operator.index(value)))
        except TypeError:
            raise TypeError(f"A place in a {self._meta.name} is an integer, not {shown(value)}.") from None

    def _outside(self, place: int) -> None:
        raise IndexError(f"{self} has no place {place}.")

    def _at(self, place: int) -> Program[Values[Any]]:
        """Return a sequence of the element at a place, empty if there is none."""
        found: Values[Any] = yield from self._range(place, place)
        return found

    def _range(self, start: int, stop: int) -> Program[Any]:
        """Return the elements from one place to another, both included."""
        return (yield from self._content((yield from self._read("slice", start, stop))))


class BlockingSequence(Sequence, BlockingStructure):
    """The operators of a blocking sequence."""

    def __getitem__(self, key: Any) -> Any:
        return run(self._item(key))


class AwaitingSequence(Sequence, AwaitingStructure):
    """The operators of an awaiting sequence: ``await s[0]``."""

    def __getitem__(self, key: Any) -> Coroutine[Any, Any, Any]:
        return arun(self._item(key))


class ListBase(Sequence):
    """The operations of lists."""

    kind = LIST
    cache_class = ListCache
    append = "push_back"

    @commit_when_no_transaction
    def push_front(self, value: Any) -> Any:
        """Add a value at the front. O(1). Returns the structure.

        Of several that wait the last is the first afterwards, and all of them are added before those of ``push_back``.
        """
        self.cache.push_front([self._dump(value, "push_front")])
        return self

    @verb
    def pop_front(self) -> Program[Any]:
        """Remove and return the first value, at once; ``None`` if the list is empty. O(1)."""
        return (yield from self._popped((yield from self._act("pop_front"))))

    @verb
    def pop_back(self) -> Program[Any]:
        """Remove and return the last value, at once; ``None`` if the list is empty. O(1)."""
        return (yield from self._popped((yield from self._act("pop_back"))))

    @verb
    def block_pop_front(self, timeout: float | None = 10) -> Program[Any]:
        """Remove and return the first value, waiting for one up to ``timeout`` seconds, then ``None``. O(1).

        ``None`` waits for ever. Those who wait are served in the order in which they came.
        """
        return (yield from self._taken("front", timeout))

    @verb
    def block_pop_back(self, timeout: float | None = 10) -> Program[Any]:
        """Remove and return the last value, waiting for one as ``block_pop_front`` does. O(1)."""
        return (yield from self._taken("back", timeout))

    def _taken(self, end: Literal["front", "back"], timeout: float | None) -> Program[Any]:
        operation = f"block_pop_{end}"
        session = self._bound(operation)
        if timeout is not None and not (isinstance(timeout, (int, float)) and timeout >= 0):
            raise BadStructureValue(self, operation, f"{shown(timeout)} is not a number of seconds")
        session._structures.check(self)
        try:
            (data,) = yield Trip(session.manager(self).backend, [Take(self.place(), end, timeout)])
        finally:
            self.cache.cache = None
        return (yield from self._popped(data))

    def _popped(self, data: bytes | None) -> Program[Any]:
        return None if data is None else (yield from self._decode([data]))[0]

    @verb
    def set(self, index: int, value: Any) -> Program[None]:
        """Replace the value at a place, at once; ``IndexError`` outside. O(n)."""
        place = self._place(index)
        if not (yield from self._act("set", place, self._dump(value, "set"))):
            self._outside(place)

    @verb
    def contains(self, value: Any) -> Program[bool]:
        """Return whether a value is in the list, compared as it is stored. O(n)."""
        return bool((yield from self._read("contains", self._dump(value, "contains"))))

    def _at(self, place: int) -> Program[Values[Any]]:
        data = yield from self._read("get", place)
        return [] if data is None else (yield from self._decode([data]))


class List(ListBase, BlockingSequence):
    """A list of values, duplicates allowed; its ends are cheap.

    >>> from stdnet import odm
    >>> models = odm.Router("memory://")
    >>> queue = models.session().add(models.register(odm.List()))
    >>> queue.push_back("b").push_back("c").push_front("a").size()
    3
    >>> queue.pop_front(), list(queue), queue[-1], "b" in queue
    ('a', ['b', 'c'], 'c', True)
    """

    def __setitem__(self, index: int, value: Any) -> None:
        self.set(index, value)


class AsyncList(ListBase, AwaitingSequence):
    """A list whose verbs are awaited; see ``List``."""


twins(List, AsyncList)
