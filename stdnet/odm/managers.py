"""Managers: one model in one router, with its backends. The surfaces are short-hands for a new session's verbs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from . import programs
from .fields import LazyProxy
from .meta import ModelMeta
from .query import QueryBase
from .results import AsyncQuery, Query
from .runner import arun, run
from .session import AsyncSession, Session, SessionBase

if TYPE_CHECKING:
    from ..backends.base import BackendDataServer
    from .model import Model
    from .router import RouterBase
    from .structures import Structure

M = TypeVar("M", bound="Model")
Q = TypeVar("Q", bound=QueryBase[Any])


class ManagerBase(Generic[M, Q]):
    """A model as a router sees it. Attributes that it does not have are those of the model class."""

    session_factory: ClassVar[type[SessionBase]]
    query_class: ClassVar[type[QueryBase[Any]] | None] = None
    """The class of this model's queries, if it is not the session's."""

    def __init__(
        self,
        model: type[M],
        backend: BackendDataServer,
        read_backend: BackendDataServer | None = None,
        router: RouterBase[Any] | None = None,
    ) -> None:
        self.model = model
        self.backend = backend
        self.read_backend = read_backend or backend
        self.router = router

    @property
    def _meta(self) -> ModelMeta[M]:
        return self.model._meta

    @property
    def meta(self) -> ModelMeta[M]:
        """The model's meta."""
        return self.model._meta

    def session(self, session: SessionBase | None = None) -> Any:
        """Return a new session of the router."""
        return self.session_factory(self.router)  # type: ignore[arg-type]

    def query(self, session: SessionBase | None = None) -> Q:
        """Return a query over all rows, in ``session`` if it belongs to the same router, else in a new one."""
        own = session is not None and session.router is self.router
        query: Q = (session if own and session is not None else self.session()).query(self.model)
        return query

    def filter(self, **kwargs: Any) -> Q:
        """Return ``query().filter(…)``."""
        return self.query().filter(**kwargs)

    def exclude(self, **kwargs: Any) -> Q:
        """Return ``query().exclude(…)``."""
        return self.query().exclude(**kwargs)

    def where(self, code: str) -> Q:
        """Return ``query().where(…)``."""
        return self.query().where(code)

    def search(self, text: str, lookup: str | None = None) -> Q:
        """Return ``query().search(…)``."""
        return self.query().search(text, lookup)

    def empty(self) -> Q:
        """Return a query without rows."""
        query: Q = self.session().empty(self.model)
        return query

    def pkvalue(self, instance: M) -> Any:
        """Return the primary key of an instance."""
        return instance.pkvalue()

    def __call__(self, *args: Any, **kwargs: Any) -> M:
        return self.model(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}.")
        found = getattr(self.model, name)
        if isinstance(found, LazyProxy) and found.field.is_structure:
            return found.load_from_manager(self)
        return found

    def __hash__(self) -> int:
        return hash(self.model._meta)

    def __eq__(self, other: object) -> bool:
        return self is other

    def __str__(self) -> str:
        return f"{type(self).__name__}({self.model._meta} - {self.backend})"

    __repr__ = __str__


class StructureManager:
    """A structure on its own as a router sees it."""

    def __init__(
        self, structure: Structure, backend: BackendDataServer, read_backend: BackendDataServer | None, router: Any
    ) -> None:
        self._meta = self.meta = structure._meta
        self.id = structure.id
        self.backend = backend
        self.read_backend = read_backend or backend
        self.router = router

    def __str__(self) -> str:
        return f"{type(self).__name__}({self.meta} {self.id} - {self.backend})"

    __repr__ = __str__


class Manager(ManagerBase[M, Query[M]]):
    """The manager of a ``Router``. Subclass it, and set ``manager_class`` on a model, to add methods of your own."""

    session_factory = Session

    if TYPE_CHECKING:

        def session(self, session: SessionBase | None = None) -> Session: ...

    def new(self, *args: Any, **kwargs: Any) -> M:
        """Create an instance, commit it and return it."""
        return self.session().add(self.model(*args, **kwargs))

    def save(self, instance: M) -> M:
        """Save an instance in a new session and return it."""
        return self.session().add(instance)

    def update_or_create(self, **kwargs: Any) -> tuple[M, bool]:
        """Update the one row that the indexed keywords (or the pk) find, or create one; return (row, is new)."""
        return self.session().update_or_create(self.model, **kwargs)

    def all(self) -> list[M]:
        """Return all rows, in the model's order."""
        return self.query().all()

    def get(self, **kwargs: Any) -> M:
        """Return the only row that matches; ``DoesNotExist`` for none, ``QuerySetError`` for several."""
        return self.query().get(**kwargs)

    def count(self) -> int:
        """Return the number of rows. O(1)."""
        return self.query().count()

    def flush(self) -> int:
        """Remove everything of the model, its id counter too; return the number of keys removed."""
        return run(programs.flush(self))

    def clean(self) -> int:
        """Remove temporary keys; there never are any, so this returns 0."""
        return 0

    def keys(self) -> list[str]:
        """Return the names of the model's keys, sorted."""
        return run(programs.keys(self))

    def create_all(self) -> None:
        """Hook for subclasses: called by ``router.create_all``; does nothing."""


class AsyncManager(ManagerBase[M, AsyncQuery[M]]):
    """The manager of an ``AsyncRouter``. For one of your own set ``async_manager_class`` on a model."""

    session_factory = AsyncSession

    if TYPE_CHECKING:

        def session(self, session: SessionBase | None = None) -> AsyncSession: ...

    async def new(self, *args: Any, **kwargs: Any) -> M:
        """Create an instance, commit it and return it."""
        return await self.session().add(self.model(*args, **kwargs))

    async def save(self, instance: M) -> M:
        """Save an instance in a new session and return it."""
        return await self.session().add(instance)

    async def update_or_create(self, **kwargs: Any) -> tuple[M, bool]:
        """Update the one row that the indexed keywords (or the pk) find, or create one; return (row, is new)."""
        return await self.session().update_or_create(self.model, **kwargs)

    async def all(self) -> list[M]:
        """Return all rows, in the model's order."""
        return await self.query().all()

    async def get(self, **kwargs: Any) -> M:
        """Return the only row that matches; ``DoesNotExist`` for none, ``QuerySetError`` for several."""
        return await self.query().get(**kwargs)

    async def count(self) -> int:
        """Return the number of rows. O(1)."""
        return await self.query().count()

    async def flush(self) -> int:
        """Remove everything of the model, its id counter too; return the number of keys removed."""
        return await arun(programs.flush(self))

    async def clean(self) -> int:
        """Remove temporary keys; there never are any, so this returns 0."""
        return 0

    async def keys(self) -> list[str]:
        """Return the names of the model's keys, sorted."""
        return await arun(programs.keys(self))

    async def create_all(self) -> None:
        """Hook for subclasses: called by ``router.create_all``; does nothing."""
