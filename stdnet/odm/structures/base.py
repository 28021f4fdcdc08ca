"""Structure: what all data structures have in common.

A structure is a handle: it says where its content is, and keeps what was loaded of it and what waits to be sent. The
operations of each kind are in the modules beside this one, the two surfaces, blocking and awaiting, in ``surfaces``.
Nothing here performs I/O; sessions commit what waits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import uuid4

from ...contract import Call, Kind, Place, Refused
from ...contract.keys import shown as shown_key
from ...contract.keys import structure as structure_key
from ...contract.keys import text
from ...errors import BadStructureValue, ModelNotAvailable, StructureFieldError, StructureNotBound, shown
from ...utils.encoders import Encoder, NumericDefault
from ..runner import Program, Trip
from ..state import ModelState
from .cache import StructureCache
from .meta import BackendStructure, StructureMeta
from .verbs import verb

if TYPE_CHECKING:
    from ...backends.base import BackendDataServer


class Structure:
    """A named container in a database: on its own, or beside a row, or one for a whole model.

    On its own it has an ``id``; two with the same are the same data. Beside a row it is made by a structure field, and
    ``field`` and ``model`` tell of which. ``value_pickler`` writes and reads its values. Options of subclasses go to
    ``setup``.

    Changes wait in ``cache``, and are sent when the session commits: at once outside a transaction. Reads go to the
    database, and do not see what waits; when the whole content was loaded, by ``items`` or with a query, they are
    answered from that until the structure is changed here. What removes and returns something acts at once.
    """

    kind: ClassVar[Kind | None] = None
    cache_class: ClassVar[type[StructureCache]] = StructureCache
    value_pickler: Any = None
    default_value_pickler: ClassVar[Encoder] = NumericDefault()
    is_async: ClassVar[bool] = False
    twin: ClassVar[type[Structure] | None] = None
    """The class of the same structures with the other surface."""

    _model_type: ClassVar[str] = "structure"
    _meta: ClassVar[StructureMeta]

    def __init__(
        self,
        value_pickler: Encoder | None = None,
        name: str = "",
        field: Any = None,
        session: Any = None,
        owner: Any = None,
        id: Any = None,
        **options: Any,
    ) -> None:
        self.value_pickler = value_pickler or type(self).value_pickler or self.default_value_pickler
        self.name = name
        self.field = field or None
        self.owner = owner
        self.id: Any = None if self.field else uuid4().hex[:8] if id is None else str(id)
        self.dbdata: dict[str, Any] = {"session": session, "cache": self.cache_class()}
        self.setup(**options)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        kind = cls.__dict__.get("kind")
        if kind is not None:
            cls._meta = StructureMeta(kind)

    def setup(self, **options: Any) -> None:
        """Take the options that the constructor does not know; those that are left over are ignored."""

    # -- what it is ---------------------------------------------------------------------------------------------

    @property
    def cache(self) -> Any:
        """What was loaded, and what waits to be sent."""
        return self.dbdata["cache"]

    @property
    def session(self) -> Any:
        """The session, ``None`` before there is one."""
        return self.dbdata["session"]

    @session.setter
    def session(self, session: Any) -> None:
        self.dbdata["session"] = session

    @property
    def model(self) -> Any:
        """The model of the field; ``None`` for a structure on its own."""
        return None if self.field is None else self.field.model

    @property
    def _pkvalue(self) -> Any:
        if self.owner is None or self.id is not None:  # of a row that is yet to be stored, loaders set the id
            return self.id
        return self.owner.dbdata.get(self.owner._meta.pkname())

    @property
    def uuid(self) -> str:
        """The identifier of a structure on its own, unique over all kinds."""
        return f"{self._meta.hash}.{self.id}"

    @property
    def backend(self) -> BackendDataServer:
        """The backend that is written to."""
        backend: BackendDataServer = self._bound("backend").manager(self).backend
        return backend

    @property
    def read_backend(self) -> BackendDataServer:
        """The backend that is read from."""
        backend: BackendDataServer = self._bound("read_backend").manager(self).read_backend
        return backend

    def backend_structure(self, client: Any = None) -> BackendStructure:
        """Return a view of where this is written; ``StructureNotBound`` without a session. Nothing is sent."""
        return self._view(self._bound("backend_structure").manager(self).backend, client)

    def read_backend_structure(self, client: Any = None) -> BackendStructure:
        """Return a view of where this is read; ``StructureNotBound`` without a session. Nothing is sent."""
        return self._view(self._bound("read_backend_structure").manager(self).read_backend, client)

    def _view(self, backend: BackendDataServer, client: Any) -> BackendStructure:
        return BackendStructure(self, backend, client, shown_key(structure_key(backend.namespace, self.place())))

    def get_state(self) -> ModelState:
        """Return the state, which is that of something stored: a structure that does not exist is empty."""
        self.dbdata["id"] = self._pkvalue or self.name
        return ModelState(self.dbdata["id"], "update")

    def place(self) -> Place:
        """Return where this is, in the contract's words; ``StructureFieldError`` if the row is not stored."""
        kind = self.kind
        if kind is None:
            raise ModelNotAvailable(f"{type(self).__name__} has no kind. Set it to a stdnet.contract.Kind.")
        if self.field is None:
            return Place(kind, self.id or "")
        meta, name = self.field.meta, self.field.name
        if self.owner is None:
            return Place(kind, name, meta.table)
        pk = self._pkvalue
        if pk is None:
            raise StructureFieldError(
                f'Cannot use "{name}" of a "{meta}" that is not persistent: it needs the id of the row. Save it first.'
            )
        return Place(kind, name, meta.table, meta.codec.dump_pk(pk))

    @property
    def key(self) -> tuple[Any, ...]:
        """What two handles of the same data have in common."""
        place = self.place()
        return place.kind.name, place.table and place.table.name, place.id, place.name

    def _bound(self, operation: str) -> Any:
        if self.session is None:
            raise StructureNotBound(self, operation)
        return self.session

    # -- values -------------------------------------------------------------------------------------------------

    def _dump(self, value: Any, operation: str = "add") -> bytes:
        """Return the stored form of a value."""
        return self._stored(self.value_pickler.dumps(value), value, operation)

    def _dump_all(self, values: Iterable[Any], operation: str = "update", pickler: Any = None) -> list[bytes]:
        """Return the stored forms of values, all or none, as the value pickler or another one writes them."""
        dumps, values = (pickler or self.value_pickler).dumps, list(values)
        data = [dumps(value) for value in values]
        if set(map(type, data)) <= {bytes}:
            return data
        return [self._stored(each, value, operation) for each, value in zip(data, values, strict=True)]

    def _stored(self, data: Any, value: Any, operation: str) -> bytes:
        if isinstance(data, bytes):
            return data
        if isinstance(data, (str, int, float)):
            return text(data)
        raise BadStructureValue(
            self,
            operation,
            f"{shown(value)} is written as {type(data).__name__}. Use a pickler whose dumps gives bytes",
        )

    def _decode(self, data: Sequence[bytes]) -> Program[list[Any]]:
        """Return the values of stored forms."""
        program = getattr(self.value_pickler, "load_program", None)
        if program is not None:
            return list((yield from program(data, self.session)))
        found: list[Any] = self.value_pickler.load_iterable(data, self.session)
        return found

    def _encoded(self, raw: Any) -> Sequence[bytes]:
        """Return the stored values in what the operation ``items`` gave."""
        return list(raw)

    def _assembled(self, raw: Any, values: list[Any]) -> Any:
        """Return the content for what the operation ``items`` gave, and the values of it."""
        return values

    def _content(self, raw: Any) -> Program[Any]:
        return self._assembled(raw, (yield from self._decode(self._encoded(raw))))

    def refill(self, content: Any) -> None:
        """Let wait that this holds what the operation ``items`` gave elsewhere, and nothing else.

        A structure of a kind of one's own, whose ``items`` is "raw", overrides it if it is to be loaded from dumps.
        """
        assert self.kind is not None
        reply = self.kind.operations["items"].reply
        self.cache.delete()
        change = getattr(self.cache, getattr(self, "append", "add"))
        change([content] if reply == "bytes" else content)

    # -- operations ---------------------------------------------------------------------------------------------

    def _call(self, server: BackendDataServer, operation: str, arguments: tuple[Any, ...]) -> Program[Any]:
        (reply,) = yield Trip(server, [Call(self.place(), operation, arguments)])
        return reply

    def _read(self, operation: str, *arguments: Any) -> Program[Any]:
        """Return the reply of an operation that reads."""
        return (yield from self._call(self._bound(operation).manager(self).read_backend, operation, arguments))

    def _act(self, operation: str, *arguments: Any) -> Program[Any]:
        """Return the reply of an operation that changes something at once; what was loaded is dropped."""
        session = self._bound(operation)
        session._structures.check(self)
        try:
            reply = yield from self._call(session.manager(self).backend, operation, arguments)
        finally:
            self.cache.cache = None
        if isinstance(reply, Refused):
            raise StructureFieldError(f'Cannot call "{operation}" of {self}: the row does not exist any more.')
        return reply

    def _loaded(self) -> Program[Any]:
        """Return the content, loaded unless it is there."""
        if self.cache.cache is None:
            raw = yield from self._read("items")
            self.cache.set_cache((yield from self._content(raw)))
        return self.cache.cache

    def _iterated(self) -> Program[Iterable[Any]]:
        """Return what iteration is over."""
        return list((yield from self._loaded()))

    @verb
    def size(self) -> Program[int]:
        """Return the number of elements. O(1)."""
        if self.cache.cache is not None:
            return len(self.cache.cache)
        return int((yield from self._read("size")))

    @verb
    def items(self) -> Program[Any]:
        """Return the whole content, which is kept to answer later reads. O(n)."""
        return list((yield from self._loaded()))

    @verb
    def contains(self, value: Any) -> Program[bool]:
        """Return whether a value is there. O(n)."""
        return value in (yield from self._loaded())

    @verb
    def load_data(self, data: Any, callback: Callable[[Any], Any] | None = None) -> Program[Any]:
        """Return the content for what a backend gave as the whole content, or what ``callback`` makes of that."""
        return (yield from self._content(data)) if callback is None else callback(data)

    # -- identity -----------------------------------------------------------------------------------------------

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Structure) and self.key == other.key)

    def __hash__(self) -> int:
        return hash(self.key)

    def __str__(self) -> str:
        name = self._meta.name if self.kind is not None else type(self).__name__
        if self.field is None:
            return f'{name} "{self.id}"'
        return f'{name} "{self.field}"' + ("" if self.owner is None else f" of {self._pkvalue!r}")

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self}>"
