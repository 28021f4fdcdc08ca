"""Sessions: what is pending for each model, and the verbs that send it.

``SessionBase`` keeps the pending instances and does no I/O; ``Session`` and ``AsyncSession`` are the surfaces, each
verb two lines around a program. A session is cheap, belongs to one thread or task, and is no identity map: after
a commit it holds nothing.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from ..errors import InvalidTransaction, InvalidValue
from . import programs
from .deadlines import Deadlines
from .loading import Mode, checked_mode
from .meta import ModelMeta
from .query import QueryBase
from .results import AsyncQuery, Query
from .runner import arun, run
from .state import ModelState, temporary
from .structures.base import Structure
from .structures.queue import StructureQueue
from .transaction import AsyncTransaction, Transaction, TransactionBase

if TYPE_CHECKING:
    from typing_extensions import Self

    from ..backends.base import BackendDataServer
    from .managers import ManagerBase
    from .model import Model
    from .router import RouterBase

M = TypeVar("M", bound="Model")
T = TypeVar("T", bound="Model | Structure")


class SessionModel:
    """What a session has pending for one model: new, modified and deleted instances, and queries to delete."""

    def __init__(self, session: SessionBase, manager: ManagerBase[Any, Any]) -> None:
        self.session = session
        self.manager = manager
        self.meta: ModelMeta[Any] = manager.meta
        self._pkname, self._auto = self.meta.pkname(), self.meta.table.auto
        self._new: dict[Any, Model] = {}
        self._modified: dict[Any, Model] = {}
        self._deleted: dict[Any, list[Model]] = {}
        self._queries: list[QueryBase[Any]] = []
        self.deadlines = Deadlines()

    @property
    def model(self) -> type[Model]:
        """The model."""
        return self.meta.model

    @property
    def backend(self) -> BackendDataServer:
        """The backend that the model is written to."""
        return self.manager.backend

    @property
    def read_backend(self) -> BackendDataServer:
        """The backend that the model is read from."""
        return self.manager.read_backend

    @property
    def new(self) -> tuple[Model, ...]:
        """The pending instances that are not stored yet."""
        return tuple(self._new.values())

    @property
    def modified(self) -> tuple[Model, ...]:
        """The pending instances that are stored."""
        return tuple(self._modified.values())

    @property
    def deleted(self) -> tuple[Any, ...]:
        """The pks of the instances to delete."""
        return tuple(self._deleted)

    @property
    def dirty(self) -> tuple[Model, ...]:
        """The instances to save: new ones, then modified ones, each in the order in which they were added."""
        return (*self._new.values(), *self._modified.values())

    def iterdirty(self) -> Iterator[Model]:
        """Yield the instances to save."""
        return iter(self.dirty)

    @property
    def has_deletes(self) -> bool:
        """Whether rows are to be deleted."""
        return bool(self._deleted or self._queries)

    def delete_query(self) -> QueryBase[Any]:
        """Return one query for all rows to delete."""
        if len(self._queries) == 1 and not self._deleted:
            return self._queries[0]
        named: QueryBase[Any] = self.session.query(self.model)
        return named.filter(**{f"{self.meta.pkname()}__in": tuple(self._deleted)}).union(*self._queries)

    def add(self, instance: Model, modified: bool, persistent: bool | None, force_update: bool) -> None:
        """Queue an instance to be saved."""
        pkname, attributes = self._pkname, instance.__dict__
        dbdata = attributes["_dbdata"]
        if self._auto and attributes[pkname] is None and "state" not in dbdata and pkname not in dbdata:
            iid = temporary(instance)  # the common case: a new instance, seen for the first time
            dbdata["state"] = ModelState(iid, "add")
            self._new[iid] = instance
            return
        if self.deadlines:
            self.deadlines.pop(id(instance), None)
        state = instance.get_state()
        if state.deleted:
            raise ValueError(f'State is deleted. Cannot add this "{self.meta}" again: make a new instance.')
        earlier = state.iid
        if not isinstance(earlier, Hashable):
            raise InvalidValue(self.meta.pk, earlier, "cannot be a primary key")
        if persistent and instance.pkvalue() is not None:
            dbdata[pkname] = instance.pkvalue()
        if pkname in dbdata:
            state = instance.get_state(iid=dbdata[pkname], action="update" if force_update else None)
        else:
            state = instance.get_state(action="add")
        if state.persistent and not modified:
            return
        for pending in (self._new, self._modified):
            if pending.get(earlier) is instance:
                del pending[earlier]
            pending.pop(state.iid, None)
        (self._modified if state.persistent else self._new)[state.iid] = instance

    def delete(self, instance: Model) -> None:
        """Queue a stored instance to be deleted; drop one that is not stored."""
        stored = instance.dbdata.get(self.meta.pkname())
        if stored is None:
            self.pop(instance)
            instance.session = None
            return
        self._new.pop(stored, None)
        self._modified.pop(stored, None)
        instance.get_state(iid=stored).deleted = True
        self._deleted.setdefault(stored, []).append(instance)

    def delete_rows(self, query: QueryBase[Any]) -> None:
        """Queue the rows of a query to be deleted."""
        self._queries.append(query._clone(_get_field=None))

    def pop(self, instance: Model) -> bool:
        """Drop an instance that is to be saved or deleted; return whether it was."""
        held = self._holding(instance)
        self.deadlines.pop(id(instance), None)
        for pending in held:
            del pending[instance.get_state().iid]
        doomed = self._deleted.get(instance.dbdata.get(self.meta.pkname()), [])
        if any(each is instance for each in doomed):
            instance.get_state().deleted = False
            doomed[:] = [each for each in doomed if each is not instance]
            self._deleted = {pk: instances for pk, instances in self._deleted.items() if instances}
            return True
        return bool(held)

    def _holding(self, instance: Model) -> list[dict[Any, Model]]:
        """Return where this very instance is queued to be saved."""
        iid = instance.get_state().iid
        if not isinstance(iid, Hashable):
            return []
        return [pending for pending in (self._new, self._modified) if pending.get(iid) is instance]

    def expunge(self, instance: Model | None = None) -> None:
        """Drop one pending instance, which then has no session, or everything."""
        if instance is None:
            self.drop(restore=True)
        elif self.pop(instance):
            instance.session = None

    def drop(self, restore: bool) -> None:
        """Forget everything; ``restore``: nothing was stored, so instances are as they were before."""
        if restore:
            for instance in (each for doomed in self._deleted.values() for each in doomed):
                instance.get_state().deleted = False
        for pending in (self._new, self._modified, self._deleted, self._queries, self.deadlines):
            if pending:
                pending.clear()

    def saving(self, instance: Model) -> Model | None:
        """Return the instance that is queued to be saved for the row of this one: itself, another one, or ``None``."""
        stored = instance.dbdata.get(self.meta.pkname(), instance.get_state().iid)
        return self._modified.get(stored) or self._new.get(stored)

    def find(self, pk: Any) -> Model | None:
        """Return the pending instance with that primary key, if it is to be saved."""
        for pending in (self._modified, self._new):
            found = pending.get(pk)
            if found is not None and found.pkvalue() == pk:
                return found
        return None

    def __contains__(self, instance: Model) -> bool:
        doomed = self._deleted.get(instance.dbdata.get(self.meta.pkname()), [])
        return bool(self._holding(instance)) or any(each is instance for each in doomed)

    def __len__(self) -> int:
        return len(self._new) + len(self._modified) + len(self._deleted) + len(self._queries)

    def __bool__(self) -> bool:
        return True


class SessionBase:
    """The pending changes of one unit of work, by model in order of first use."""

    transaction_class: type[TransactionBase]
    query_class: type[QueryBase[Any]]
    is_async: ClassVar[bool] = False

    def __init__(self, router: RouterBase[Any], relations: Mode | None = None) -> None:
        self.router = router
        self.relations: Mode = router.relations if relations is None else checked_mode(relations)
        self.transaction: TransactionBase | None = None
        self._models: dict[ModelMeta[Any], SessionModel] = {}
        self._queue: StructureQueue | None = None

    @property
    def _structures(self) -> StructureQueue:
        """The queue of structures; most sessions, those of one question, need none."""
        if self._queue is None:
            self._queue = StructureQueue(self)
        return self._queue

    def queued(self) -> list[Structure]:
        """Return one handle of each structure that is queued, in order of first use."""
        return [] if self._queue is None else list(self._queue)

    @property
    def dirty(self) -> frozenset[Model]:
        """All instances that are to be saved."""
        return frozenset(instance for each in self for instance in each.dirty)

    def manager(self, model: Any) -> Any:
        """Return the router's manager of a model; ``InvalidTransaction`` if it is not registered there.

        A structure on its own has a manager; the one of a structure field is that of the field's model.
        """
        if not isinstance(model, ModelMeta) and isinstance(model, Structure) and model.field is not None:
            model = model.model
        try:
            return self.router[model]
        except KeyError:
            meta = getattr(model, "_meta", model)
            raise InvalidTransaction(
                f'"{meta}" not valid in this session: it is not registered. Call router.register(…) first.'
            ) from None

    def model(self, model: Any, create: bool = True) -> SessionModel:
        """Return what is pending for a model; ``create=False``: only if it was used in this session."""
        meta = model if isinstance(model, ModelMeta) else getattr(model, "_meta", model)
        found = self._models.get(meta) if isinstance(meta, ModelMeta) else None
        if found is not None:
            return found
        made = SessionModel(self, self.manager(model))
        if create:
            self._models[made.meta] = made
        return made

    def pending(self) -> list[SessionModel]:
        """Return what is pending, by model in order of first use."""
        return list(self._models.values())

    def begin(self, **options: Any) -> Any:
        """Begin a transaction and return it; ``InvalidTransaction`` if one is open."""
        if self.transaction is not None:
            raise InvalidTransaction("This session has an open transaction already. Commit it or roll it back first.")
        self.transaction = self.transaction_class(self, **options)
        return self.transaction

    def query(self, model: type[Any], **kwargs: Any) -> Any:
        """Return a query over the rows of a model."""
        manager = self.manager(model)
        return (manager.query_class or self.query_class)(manager.meta, self, **kwargs)

    def empty(self, model: type[Any]) -> Any:
        """Return a query without rows, which needs no round trip."""
        query = self.query(model)
        empty = query.filter(**{f"{query.meta.pkname()}__in": ()})
        empty._count = 0
        return empty

    def enqueue(
        self,
        instance: Model | Structure,
        modified: bool = True,
        persistent: bool | None = None,
        force_update: bool = False,
    ) -> None:
        """Queue an instance to be saved, or a structure; nothing is sent."""
        meta = getattr(instance, "_meta", None)
        if meta is None or isinstance(instance, type):
            raise InvalidTransaction(f"{type(instance).__name__} is not an instance of a model. Add instances.")
        if self.transaction is not None and self.transaction.sent:
            self._accepting()
        if isinstance(instance, Structure):
            self._structures.add(instance, modified)
            return
        pending = self._models.get(meta)
        if pending is None:
            pending = self.model(meta)
        dbdata = instance.dbdata
        if "row" in dbdata:
            former = dbdata.get("session")
            if former is not self and (former is None or former.router is not self.router):
                del dbdata["row"]  # it may be that of another database, so what differs from it tells nothing
        dbdata["session"] = self
        pending.add(instance, modified, persistent, force_update)

    def _accepting(self) -> None:
        """Raise ``InvalidTransaction`` if the open transaction was sent, and would drop what is added."""
        if self.transaction is not None and self.transaction.sent:
            raise InvalidTransaction(
                "The transaction of this session has been sent, and its post signals are running. "
                "Use a new session in the callback: session.router.session()."
            )

    def enqueue_delete(self, target: Any) -> SessionModel | None:
        """Queue an instance, the rows of a query, or a structure, to be deleted; nothing is sent.

        Returns what is pending for the model, ``None`` for a structure.
        """
        self._accepting()
        if isinstance(target, Structure):
            self._structures.add(target)
            target.cache.delete()
            return None
        if isinstance(target, QueryBase):
            if target.session is not self:
                raise ValueError("Cannot delete a query of another session. Make it with this session's query().")
            pending = self.model(target.meta)
            pending.delete_rows(target)
            return pending
        if not hasattr(target, "_meta") or isinstance(target, type):
            raise InvalidTransaction(
                f"{getattr(target, '__name__', type(target).__name__)} is neither an instance of a model nor a query."
            )
        pending = self.model(target)
        target.session = self
        pending.delete(target)
        return pending

    def expunge(self, instance: Model | Structure | None = None) -> None:
        """Drop one pending instance or structure, or everything that is pending."""
        if isinstance(instance, Structure):
            self._structures.drop([instance])
            instance.session = None
        elif instance is not None:
            self.model(instance).expunge(instance)
        else:
            self.drop_pending()

    def drop_pending(self) -> None:
        """Forget everything that is pending; nothing of it was stored."""
        for each in self._models.values():
            each.drop(restore=True)
        if self._queue is not None:
            self._queue.clear()

    def pending_instance(self, query: QueryBase[M], criteria: Mapping[str, Any]) -> M | None:
        """Return the session's own instance for a ``get`` by primary key alone, if it has one."""
        if query._meta not in self._models:
            return None
        pkname = query.meta.pkname()
        parts = (query.fargs, query.eargs, query.unions, query.intersections, query.wheres, query.searches, query.plans)
        if any(parts) or set(criteria) != {pkname} or query._get_field is not None:
            return None
        try:
            pk = query.meta.pk_to_python(criteria[pkname])
        except InvalidValue:
            return None
        found: M | None = self._models[query.meta].find(pk)  # type: ignore[assignment]
        return found

    def blocking(self, cure: str) -> Any:
        """Return this session if its verbs block; ``InvalidTransaction`` with the line to write otherwise."""
        raise InvalidTransaction(f"This session is async. Write: {cure}")

    def awaiting(self, cure: str) -> Any:
        """Return this session if its verbs are awaited; ``InvalidTransaction`` with the line to write otherwise."""
        raise InvalidTransaction(f"This session is not async. Write: {cure}")

    def __contains__(self, instance: Model | Structure) -> bool:
        if isinstance(instance, Structure):
            return instance in self._structures
        meta = getattr(instance, "_meta", None)
        return meta in self._models and instance in self._models[meta]

    def __iter__(self) -> Iterator[SessionModel]:
        return iter(self.pending())

    def __len__(self) -> int:
        return len(self._models)

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        pending = sum(len(each) for each in self) + len(self._structures)
        return f"<{type(self).__name__}: {pending} pending{', in a transaction' if self.transaction else ''}>"


class Session(SessionBase):
    """A session whose verbs block. Made by ``router.session()``."""

    transaction_class = Transaction
    query_class = Query

    if TYPE_CHECKING:

        def begin(self, **options: Any) -> Transaction: ...
        def query(self, model: type[M], **kwargs: Any) -> Query[M]: ...
        def empty(self, model: type[M]) -> Query[M]: ...

    def blocking(self, cure: str) -> Self:
        return self

    def commit(self) -> bool:
        """Send what is pending, beginning a transaction if there is none."""
        transaction: Any = self.transaction or self.begin()
        return bool(transaction.commit())

    def add(self, instance: T, modified: bool = True, **params: Any) -> T:
        """Save an instance, or what waits in a structure, at once or with the open transaction, and return it.

        ``modified=False`` only ties it to the session. ``persistent=True`` says that its row exists;
        ``force_update=True`` writes the fields that the instance has and keeps the others. Raises ``FieldValueError``
        and ``CommitException``, and then nothing is stored; ``InvalidTransaction`` for a model that is not registered.
        """
        return run(programs.add(self, instance, modified, params))

    def delete(self, instance_or_query: Any) -> Any:
        """Delete an instance, the rows of a query, or the content of a structure.

        Returns the list of deleted pks, ``None`` if there were none; inside a transaction its argument.
        """
        return run(programs.delete(self, instance_or_query))

    def update_or_create(self, model: type[M], **kwargs: Any) -> tuple[M, bool]:
        """Update the one row that the indexed keywords (or the pk) find, or create one; return (row, is new).

        It looks and then writes, in two steps: two callers at once may both create, unless a unique field forbids it.
        """
        return run(programs.update_or_create(self, model, kwargs))

    def flush(self, model: Any) -> int:
        """Remove everything of a model, its id counter too; return the number of keys removed."""
        return run(programs.flush(self.manager(model)))

    def clean(self, model: Any) -> int:
        """Remove temporary keys of a model; there never are any, so this returns 0."""
        self.manager(model)
        return 0

    def keys(self, model: Any) -> list[str]:
        """Return the names of a model's keys, sorted."""
        return run(programs.keys(self.manager(model)))


class AsyncSession(SessionBase):
    """A session whose verbs are awaited. Made by ``AsyncRouter.session()``."""

    transaction_class = AsyncTransaction
    query_class = AsyncQuery
    is_async = True

    if TYPE_CHECKING:

        def begin(self, **options: Any) -> AsyncTransaction: ...
        def query(self, model: type[M], **kwargs: Any) -> AsyncQuery[M]: ...
        def empty(self, model: type[M]) -> AsyncQuery[M]: ...

    def awaiting(self, cure: str) -> Self:
        return self

    async def commit(self) -> bool:
        """Send what is pending, beginning a transaction if there is none."""
        transaction: Any = self.transaction or self.begin()
        return bool(await transaction.commit())

    async def add(self, instance: T, modified: bool = True, **params: Any) -> T:
        """Save an instance or what waits in a structure, and return it; as ``Session.add``."""
        return await arun(programs.add(self, instance, modified, params))

    async def delete(self, instance_or_query: Any) -> Any:
        """Delete an instance, the rows of a query, or the content of a structure; as ``Session.delete``."""
        return await arun(programs.delete(self, instance_or_query))

    async def update_or_create(self, model: type[M], **kwargs: Any) -> tuple[M, bool]:
        """Update the one row that the indexed keywords (or the pk) find, or create one; return (row, is new).

        It looks and then writes, in two steps: two callers at once may both create, unless a unique field forbids it.
        """
        return await arun(programs.update_or_create(self, model, kwargs))

    async def flush(self, model: Any) -> int:
        """Remove everything of a model, its id counter too; return the number of keys removed."""
        return await arun(programs.flush(self.manager(model)))

    async def clean(self, model: Any) -> int:
        """Remove temporary keys of a model; there never are any, so this returns 0."""
        self.manager(model)
        return 0

    async def keys(self, model: Any) -> list[str]:
        """Return the names of a model's keys, sorted."""
        return await arun(programs.keys(self.manager(model)))
