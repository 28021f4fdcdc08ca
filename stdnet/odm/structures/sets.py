"""Set and Zset: distinct values, without order and in the order of their scores."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from ...contract import SET, ZSET, Place
from ...errors import BadStructureValue
from ...utils.encoders import Double, Encoder
from ..runner import Program
from .base import Structure
from .cache import SetCache, ZsetCache
from .pairs import OrderedMixin, Raw
from .surfaces import AwaitingStructure, BlockingStructure, twins
from .verbs import commit_when_no_transaction, verb


class DistinctMixin(Structure):
    """Structures of values that are there once, compared as they are stored."""

    @commit_when_no_transaction
    def discard(self, value: Any) -> None:
        """Remove a value; one that is not there is ignored. O(1), in a sorted set O(log n)."""
        self.cache.remove([self._dump(value, "discard")])

    remove = discard

    @commit_when_no_transaction
    def difference_update(self, values: Iterable[Any]) -> None:
        """Remove values; those that are not there are ignored. O(k), in a sorted set O(k log n)."""
        self.cache.remove(self._dump_all(values, "difference_update"))

    def _others(self, operation: str, others: Iterable[Structure]) -> list[Place]:
        """Return the places of structures of the same kind that the same backend has."""
        session, places = self._bound(operation), []
        server = session.manager(self).read_backend
        for other in others:
            if not isinstance(other, Structure) or other.kind is not self.kind:
                raise BadStructureValue(self, operation, f"{other!r} is not a {self._meta.name}")
            theirs = session.manager(other).read_backend
            if theirs is not server and theirs != server:
                raise BadStructureValue(self, operation, f"{other} is in another backend. Combine their items instead")
            places.append(other.place())
        return places


class SetBase(DistinctMixin):
    """The operations of sets."""

    kind = SET
    cache_class = SetCache

    @commit_when_no_transaction
    def add(self, value: Any) -> None:
        """Add a value. O(1)."""
        self.cache.add([self._dump(value)])

    @commit_when_no_transaction
    def update(self, values: Iterable[Any]) -> None:
        """Add values. O(k)."""
        self.cache.add(self._dump_all(values))

    @verb
    def contains(self, value: Any) -> Program[bool]:
        """Return whether a value is there, compared as it is stored. O(1)."""
        return bool((yield from self._read("contains", self._dump(value, "contains"))))

    @verb
    def union(self, *others: Structure) -> Program[list[Any]]:
        """Return the values of this or another of the sets, found by the backend. O(n log n)."""
        return (yield from self._combined("union", others))

    @verb
    def intersection(self, *others: Structure) -> Program[list[Any]]:
        """Return the values of this and all of the other sets, found by the backend. O(n log n)."""
        return (yield from self._combined("intersection", others))

    @verb
    def difference(self, *others: Structure) -> Program[list[Any]]:
        """Return the values of this and none of the other sets, found by the backend. O(n log n)."""
        return (yield from self._combined("difference", others))

    def _combined(self, operation: str, others: tuple[Structure, ...]) -> Program[list[Any]]:
        return (yield from self._decode((yield from self._read(operation, *self._others(operation, others)))))


class Set(SetBase, BlockingStructure):
    """A set of values.

    >>> from stdnet import odm
    >>> models = odm.Router("memory://")
    >>> seen = models.session().add(models.register(odm.Set()))
    >>> seen.update(["a", "b", "a"]).discard("c").size(), "a" in seen, sorted(seen)
    (2, True, ['a', 'b'])
    """


class AsyncSet(SetBase, AwaitingStructure):
    """A set whose verbs are awaited; see ``Set``."""


class ZsetBase(OrderedMixin, DistinctMixin):
    """The operations of sorted sets. What is loaded is kept as pairs of score and value."""

    kind = ZSET
    cache_class = ZsetCache
    default_pickler: ClassVar[Encoder] = Double()

    def _assembled(self, raw: Raw, values: list[Any]) -> list[tuple[Any, Any]]:
        return self._zipped(raw, values)

    def _loaded_values(self) -> list[Any]:
        return [value for _, value in self.cache.cache]

    def _iterated(self) -> Program[Iterable[Any]]:
        yield from self._loaded()
        return self._loaded_values()

    def _desc(self, desc: bool) -> tuple[int, ...]:
        return (int(bool(desc)),)

    @verb
    def items(self) -> Program[list[Any]]:
        """Return all values, in the order of their scores; they are kept to answer later reads. O(n)."""
        yield from self._loaded()
        return self._loaded_values()

    @verb
    def contains(self, value: Any) -> Program[bool]:
        """Return whether a value is there, compared as it is stored. O(1)."""
        return (yield from self._read("score", self._dump(value, "contains"))) is not None

    @verb
    def score(self, value: Any) -> Program[Any]:
        """Return the score of a value, or ``None``. O(1)."""
        score = yield from self._read("score", self._dump(value, "score"))
        return None if score is None else self.pickler.loads(score)

    @verb
    def rank(self, value: Any) -> Program[int | None]:
        """Return the place of a value, or ``None``. O(log n)."""
        place: int | None = yield from self._read("rank", self._dump(value, "rank"))
        return place

    @verb
    def union(self, *others: Structure, withscores: bool = True) -> Program[list[Any]]:
        """Return the pairs of this or another of the sorted sets, with the sums of their scores. O(n log n)."""
        return (yield from self._combined("union", others, withscores))

    @verb
    def intersection(self, *others: Structure, withscores: bool = True) -> Program[list[Any]]:
        """Return the pairs of this and all of the others, with the sums of their scores. O(n log n)."""
        return (yield from self._combined("intersection", others, withscores))

    @verb
    def difference(self, *others: Structure, withscores: bool = True) -> Program[list[Any]]:
        """Return the pairs of this whose values are in none of the others. O(n log n)."""
        return (yield from self._combined("difference", others, withscores))

    def _combined(self, operation: str, others: tuple[Structure, ...], withscores: bool) -> Program[list[Any]]:
        raw = yield from self._read(operation, *self._others(operation, others))
        found: list[Any] = yield from self._found(raw, None, withscores)
        return found


class Zset(ZsetBase, BlockingStructure):
    """A set of values in the order of their scores, which are numbers and come first; equal ones by the stored value.

    >>> from stdnet import odm
    >>> models = odm.Router("memory://")
    >>> ranking = models.session().add(models.register(odm.Zset()))
    >>> ranking.update([(2, "two"), (1, "one"), (3, "three")]).items()
    ['one', 'two', 'three']
    >>> ranking.range(2, "+inf"), ranking.rank("three"), ranking.front()
    ([(2.0, 'two'), (3.0, 'three')], 2, (1.0, 'one'))
    """

    def __setitem__(self, score: Any, value: Any) -> None:
        self.add(score, value)


class AsyncZset(ZsetBase, AwaitingStructure):
    """A sorted set whose verbs are awaited; see ``Zset``."""


twins(Set, AsyncSet)
twins(Zset, AsyncZset)
