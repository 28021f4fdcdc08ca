"""Query and AsyncQuery: the verbs that ask for results, blocking and awaited. The logic is in ``programs``."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar, overload

from . import aggregates, programs
from .aggregates import Aggregation, AsyncGroups, Groups
from .query import QueryBase
from .runner import arun, run

if TYPE_CHECKING:
    from .explain import Explanation
    from .model import Model

M = TypeVar("M", bound="Model")


class Query(QueryBase[M]):
    """A query whose verbs block.

    What was fetched is remembered: asking the same object twice gives the same list. Any method that returns a
    query returns a fresh one.
    """

    if TYPE_CHECKING:

        def get_field(self, field: str) -> Query[Any]: ...

    def all(self) -> list[M]:
        """Return all results as a list. O(k) for k results, and the cost of finding them."""
        return run(programs.load(self))

    def items(self, callback: Callable[[list[M]], Any] | None = None) -> Any:
        """Return all results as a list, or what ``callback`` makes of it."""
        found = self.all()
        return found if callback is None else callback(found)

    def get(self, **kwargs: Any) -> M:
        """Return the only row that matches; ``DoesNotExist`` for none, ``QuerySetError`` for several.

        By primary key alone, an instance that is pending in the session is returned as it is there.
        """
        return run(programs.get(self, kwargs))

    def count(self) -> int:
        """Return the number of rows. O(1) for all rows or one value of an index."""
        return run(programs.count(self))

    def aggregate(self, **terms: Aggregation) -> dict[str, Any]:
        """Return the value of each term, ``total=odm.Sum("size")``, under its name, computed by the backend.

        Terms are ``Count``, ``Sum``, ``Avg``, ``Min`` and ``Max``; all are answered in one pass over the rows, O(k) for
        k of them. ``BadAggregate`` for a field that a term cannot be computed of.
        """
        return run(aggregates.totals(self, terms))

    def group_by(self, *names: str) -> Groups:
        """Return the groups of rows with equal values in the fields, to aggregate; ``UnknownField`` for other names."""
        return Groups(self, names)

    def distinct(self, name: str) -> list[Any]:
        """Return the different values of a field, each once, sorted; ``None`` first if it is missing somewhere."""
        return run(aggregates.distinct(self, name))

    def contains(self, value: Any) -> bool:
        """Return whether an instance or a pk is among the rows; also spelt ``value in query``."""
        return run(programs.contains(self, value))

    def delete(self) -> Any:
        """Delete the rows: returns their pks, ``None`` if there are none; in a transaction it is queued."""
        return run(programs.delete(self.session, self))

    def update(self, **values: Any) -> int:
        """Set fields of all rows in one atomic step of its own, also inside a transaction; return their number.

        A value is one that the field takes, or an expression of ``odm.F``: ``query.update(size=odm.F("size") + 1)``.
        Indices, unique fields and combinations are kept, and versions go up; a refusal, ``CommitException``, changes
        nothing. No signals are fired, and instances do not follow. ``UnknownField``, ``BadUpdate``, ``InvalidValue``
        and ``FieldValueError`` are raised before anything is sent. O(k) for k rows, and the cost of finding them.
        """
        return run(programs.update(self, values))

    def test_unique(
        self, fieldname: str, value: Any, instance: Model | None = None, exception: type[Exception] | None = None
    ) -> Any:
        """Return ``value`` if no row but ``instance`` has it; raise ``exception`` or ``DoesNotValidate``."""
        return run(programs.test_unique(self, fieldname, value, instance, exception))

    def explain(self) -> Explanation:
        """Return how this query is answered: which index serves each clause, what is scanned, and the cost."""
        return run(programs.explain(self))

    def __iter__(self) -> Iterator[M]:
        return iter(self.all())

    def __len__(self) -> int:
        return self.count()

    def __contains__(self, value: object) -> bool:
        return self.contains(value)

    @overload
    def __getitem__(self, index: int) -> M: ...
    @overload
    def __getitem__(self, index: slice) -> list[M]: ...
    def __getitem__(self, index: int | slice) -> M | list[M]:
        if isinstance(index, slice):
            return run(programs.part(self, index))
        found: M = run(programs.item(self, index))
        return found


class AsyncQuery(QueryBase[M]):
    """A query whose verbs are awaited; ``await query[0]``, ``await query[:20]`` and ``async for`` work, too."""

    if TYPE_CHECKING:

        def get_field(self, field: str) -> AsyncQuery[Any]: ...

    async def all(self) -> list[M]:
        """Return all results as a list. O(k) for k results, and the cost of finding them."""
        return await arun(programs.load(self))

    async def items(self, callback: Callable[[list[M]], Any] | None = None) -> Any:
        """Return all results as a list, or what ``callback`` makes of it."""
        found = await self.all()
        return found if callback is None else callback(found)

    async def get(self, **kwargs: Any) -> M:
        """Return the only row that matches; ``DoesNotExist`` for none, ``QuerySetError`` for several.

        By primary key alone, an instance that is pending in the session is returned as it is there.
        """
        return await arun(programs.get(self, kwargs))

    async def count(self) -> int:
        """Return the number of rows. O(1) for all rows or one value of an index."""
        return await arun(programs.count(self))

    async def aggregate(self, **terms: Aggregation) -> dict[str, Any]:
        """Return the value of each term, ``total=odm.Sum("size")``, under its name, computed by the backend.

        Terms are ``Count``, ``Sum``, ``Avg``, ``Min`` and ``Max``; all are answered in one pass over the rows, O(k) for
        k of them. ``BadAggregate`` for a field that a term cannot be computed of.
        """
        return await arun(aggregates.totals(self, terms))

    def group_by(self, *names: str) -> AsyncGroups:
        """Return the groups of rows with equal values in the fields, to aggregate; ``UnknownField`` for other names."""
        return AsyncGroups(self, names)

    async def distinct(self, name: str) -> list[Any]:
        """Return the different values of a field, each once, sorted; ``None`` first if it is missing somewhere."""
        return await arun(aggregates.distinct(self, name))

    async def contains(self, value: Any) -> bool:
        """Return whether an instance or a pk is among the rows."""
        return await arun(programs.contains(self, value))

    async def delete(self) -> Any:
        """Delete the rows: returns their pks, ``None`` if there are none; in a transaction it is queued."""
        return await arun(programs.delete(self.session, self))

    async def update(self, **values: Any) -> int:
        """Set fields of all rows in one atomic step of its own, also inside a transaction; return their number.

        As ``Query.update``.
        """
        return await arun(programs.update(self, values))

    async def test_unique(
        self, fieldname: str, value: Any, instance: Model | None = None, exception: type[Exception] | None = None
    ) -> Any:
        """Return ``value`` if no row but ``instance`` has it; raise ``exception`` or ``DoesNotValidate``."""
        return await arun(programs.test_unique(self, fieldname, value, instance, exception))

    async def explain(self) -> Explanation:
        """Return how this query is answered: which index serves each clause, what is scanned, and the cost."""
        return await arun(programs.explain(self))

    def __iter__(self) -> NoReturn:
        raise TypeError("This query is async. Write: async for row in query, or: for row in await query.all()")

    def __contains__(self, value: object) -> NoReturn:
        raise TypeError("This query is async. Write: await query.contains(value)")

    async def __aiter__(self) -> AsyncIterator[M]:
        for instance in await self.all():
            yield instance

    @overload
    def __getitem__(self, index: int) -> Awaitable[M]: ...
    @overload
    def __getitem__(self, index: slice) -> Awaitable[list[M]]: ...
    def __getitem__(self, index: int | slice) -> Awaitable[Any]:
        return arun(programs.part(self, index) if isinstance(index, slice) else programs.item(self, index))
