"""Transactions: what ``session.begin()`` returns. The logic is ``programs.commit``; here is the surface, twice."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from ..errors import InvalidTransaction
from . import programs
from .runner import arun, run

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from .model import Model
    from .session import SessionBase, SessionModel
    from .structures import Structure

M = TypeVar("M", bound="Model")
T = TypeVar("T", bound="Model | Structure")


class ModelDictionary(dict[Any, Any]):
    """A dict by model: a model, an instance, a meta and a manager are the same key."""

    def __getitem__(self, model: Any) -> Any:
        return super().__getitem__(model._meta if hasattr(model, "_meta") else model)

    def __setitem__(self, model: Any, value: Any) -> None:
        super().__setitem__(model._meta if hasattr(model, "_meta") else model, value)

    def __contains__(self, model: object) -> bool:
        return super().__contains__(model._meta if hasattr(model, "_meta") else model)

    def get(self, model: Any, default: Any = None) -> Any:
        return super().get(model._meta if hasattr(model, "_meta") else model, default)

    def pop(self, model: Any, *default: Any) -> Any:
        return super().pop(model._meta if hasattr(model, "_meta") else model, *default)


class TransactionBase:
    """All or nothing: what is added and deleted until the commit is sent in one atomic step for each backend.

    As a context manager it commits at the end of the block, or rolls back if the block raises. Queries do not see
    what is pending. After the commit ``saved`` maps models to the saved instances and ``deleted`` to the deleted pks.
    """

    def __init__(
        self,
        session: SessionBase,
        name: str | None = None,
        signal_commit: bool = True,
        signal_delete: bool = True,
    ) -> None:
        self.session: SessionBase | None = session
        self.name = name or "transaction"
        self.signal_commit = signal_commit
        self.signal_delete = signal_delete
        self.saved = ModelDictionary()
        self.deleted = ModelDictionary()
        self.on_result: bool | None = None
        self.sent = False

    @property
    def executed(self) -> bool:
        """Whether the transaction was committed or rolled back."""
        return self.session is None

    def _open(self) -> SessionBase:
        if self.session is None:
            raise InvalidTransaction(f'Transaction "{self.name}" was executed already. Begin a new one.')
        return self.session

    def add(self, instance: T, **kwargs: Any) -> T:
        """Queue an instance, or what waits in a structure, to be saved and return it; nothing is sent."""
        session = self._open() if self.session is None else self.session
        session.enqueue(instance, **kwargs)
        return instance

    def delete(self, instance_or_query: Any) -> Any:
        """Queue an instance, the rows of a query, or a structure, to be deleted, and return it; nothing is sent."""
        self._open().enqueue_delete(instance_or_query)
        return instance_or_query

    def expunge(self, instance: Model | Structure | None = None) -> None:
        """Drop one pending instance or structure, or everything that is pending."""
        self._open().expunge(instance)

    def model(self, model: Any) -> SessionModel:
        """Return what the session has pending for a model."""
        return self._open().model(model)

    def rollback(self) -> None:
        """Drop everything that is pending and end the transaction; nothing is sent."""
        if self.session is not None:
            self.close()

    def add_callback(self, callback: Callable[[bool], Any]) -> None:
        """Call ``callback(True)`` if the transaction was committed."""
        if self.on_result:
            callback(True)

    def close(self) -> None:
        """End the transaction; whatever is still pending is dropped. For the commit program."""
        session, self.session = self._open(), None
        session.transaction = None
        session.drop_pending()

    def __repr__(self) -> str:
        done = "committed" if self.on_result else "committed in part" if self.saved or self.deleted else "rolled back"
        state = "open" if self.session is not None else done
        return f"<{type(self).__name__} {self.name}: {state}>"


class Transaction(TransactionBase):
    """A transaction of a ``Session``."""

    def commit(self, callback: Callable[[bool], Any] | None = None) -> bool:
        """Send everything; ``FieldValueError`` or ``CommitException`` if it is refused, and then nothing is stored."""
        result = run(programs.commit(self))
        if callback is not None:
            callback(result)
        return result

    def query(self, model: type[M], **kwargs: Any) -> Any:
        """Return a query in the transaction's session."""
        return self._open().query(model, **kwargs)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self.rollback()
        elif not self.executed:
            self.commit()


class AsyncTransaction(TransactionBase):
    """A transaction of an ``AsyncSession``. Only ``commit`` and the context manager are awaited."""

    async def commit(self, callback: Callable[[bool], Any] | None = None) -> bool:
        """Send everything; ``FieldValueError`` or ``CommitException`` if it is refused, and then nothing is stored."""
        result = await arun(programs.commit(self))
        if callback is not None:
            callback(result)
        return result

    def query(self, model: type[M], **kwargs: Any) -> Any:
        """Return a query in the transaction's session."""
        return self._open().query(model, **kwargs)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self.rollback()
        elif not self.executed:
            await self.commit()
