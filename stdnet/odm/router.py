"""Routers: which model lives in which database.

``RouterBase`` keeps the registry and does no I/O; ``Router`` and ``AsyncRouter`` are the surfaces.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, cast, overload

from ..backends import getdb
from ..backends.base import BackendDataServer
from ..errors import ImproperlyConfigured
from . import programs
from .applications import Application, model_iterator
from .loading import Mode, checked_mode
from .managers import AsyncManager, Manager, ManagerBase, StructureManager
from .meta import ModelMeta
from .references import related_models
from .runner import arun, run
from .search import SearchEngine, checked_engine
from .session import AsyncSession, Session, SessionBase
from .signals import Event
from .structures import Structure

if TYPE_CHECKING:
    from .model import Model

M = TypeVar("M", bound="Model")
T = TypeVar("T", bound="Model | Structure")
S = TypeVar("S", bound=Structure)
G = TypeVar("G", bound="ManagerBase[Any, Any]")


class RouterBase(Generic[G]):
    """The registry of a router: a manager for each model, reached by ``router[Model]`` or ``router.modelname``.

    ``relations`` is the default of its sessions: ``"lazy"``, ``"raise"`` or ``"batch"``, see ``query.relations``.
    ``install_global`` makes the manager an attribute of the model, too: ``Model.objects``, the last router's.
    """

    manager_class: ClassVar[type[ManagerBase[Any, Any]]]
    manager_attribute: ClassVar[str]
    session_class: ClassVar[type[SessionBase]]

    def __init__(
        self,
        default_backend: BackendDataServer | str | None = None,
        install_global: bool = False,
        relations: Mode = "lazy",
    ) -> None:
        self.default_backend = default_backend
        self.relations: Mode = checked_mode(relations)
        self.install_global = install_global
        self.search_engine: SearchEngine | None = None
        self.pre_commit = Event()
        self.pre_delete = Event()
        self.post_commit = Event()
        self.post_delete = Event()
        self._managers: dict[ModelMeta[Any], G] = {}
        self._names: dict[str, G] = {}
        self._structures: dict[Any, StructureManager] = {}
        self._servers: dict[Any, BackendDataServer] = {}

    def set_search_engine(self, engine: SearchEngine) -> None:
        """Install a search engine: ``query.search`` asks it, and commits keep its index up to date."""
        self.search_engine = checked_engine(engine)
        engine.set_router(self)

    @property
    def registered_models(self) -> list[ModelMeta[Any]]:
        """The metas of the registered models, in order of registration."""
        return list(self._managers)

    @overload
    def register(self, model: S, *args: Any, **params: Any) -> S: ...
    @overload
    def register(self, model: type[Any], *args: Any, **params: Any) -> BackendDataServer | None: ...
    def register(
        self,
        model: Any,
        backend: BackendDataServer | str | None = None,
        read_backend: BackendDataServer | str | None = None,
        include_related: bool = True,
        **params: Any,
    ) -> Any:
        """Make a model, or a structure on its own, available here, in ``backend`` or the router's default one.

        ``read_backend`` answers its queries, if given; ``params`` are parameters of the connection string. The models
        that it is related to are registered with it, unless ``include_related`` is false. Returns the backend, or
        ``None`` if all of them were registered before. An abstract model is skipped. A structure is returned itself.
        """
        if isinstance(model, Structure):
            return self._register_structure(model, backend, read_backend, params)
        if isinstance(model, type) and issubclass(model, Structure):
            raise ImproperlyConfigured(f"Cannot register the class {model.__name__}. Register an instance of it.")
        if not (isinstance(model, type) and hasattr(model, "_meta")):
            raise ImproperlyConfigured(f"Cannot register {model!r}: it is not a model. Derive it from odm.StdModel.")
        models = related_models(model) if include_related else [model]
        metas = [each._meta for each in models if not each._meta.abstract and each._meta not in self._managers]
        if not metas:
            return None
        server = self._server(backend or self.default_backend, params)
        reader = None if read_backend is None else self._server(read_backend, params)
        for meta in metas:
            self._enter(meta, server, reader)
        return server

    def _register_structure(self, structure: S, backend: Any, read_backend: Any, params: dict[str, Any]) -> S:
        if structure.field is not None:
            raise ImproperlyConfigured(f"Cannot register {structure}: it belongs to a model. Register that.")
        if structure.is_async is not self.session_class.is_async:
            twin = "a class with the other surface" if structure.twin is None else f"odm.{structure.twin.__name__}"
            raise ImproperlyConfigured(f"{type(self).__name__} cannot use {type(structure).__name__}. Use {twin}.")
        if structure.key not in self._structures:
            server = self._server(backend or self.default_backend, params)
            reader = None if read_backend is None else self._server(read_backend, params)
            self._structures[structure.key] = StructureManager(structure, server, reader, self)
        return structure

    def structure(self, instance: Any) -> StructureManager | None:
        """Return the manager of a structure on its own that is registered here, or ``None``."""
        own = isinstance(instance, Structure) and instance.field is None
        return self._structures.get(instance.key) if own else None

    def register_applications(
        self,
        applications: Application | Iterable[Application],
        models: Collection[str] | None = None,
        backends: Mapping[str, Any] | None = None,
    ) -> list[type[Model]]:
        """Register the models of applications, as ``odm.model_iterator`` finds them; return those that are new here.

        ``models`` picks some by model key. ``backends`` says by model key, or by app label, where models live that do
        not live in the default backend: a backend, a connection string, or a dict of arguments of ``register``.
        """
        wanted = (models,) if isinstance(models, str) else models
        registered: list[type[Model]] = []
        for model in model_iterator(applications):
            meta = model._meta
            if wanted is None or str(meta) in wanted:
                found = (backends or {}).get(str(meta), (backends or {}).get(meta.app_label))
                options = dict(found) if isinstance(found, Mapping) else {"backend": found}
                if self.register(model, **{"include_related": False, **options}) is not None:
                    registered.append(model)
        return registered

    def _enter(self, meta: ModelMeta[Any], server: BackendDataServer, reader: BackendDataServer | None) -> None:
        own = getattr(meta.model, "objects", None)
        if self.install_global and ("objects" in meta.dfields or not isinstance(own, (ManagerBase, type(None)))):
            raise ImproperlyConfigured(
                f'Cannot install the manager of "{meta}": its "objects" is something else. Rename that, or leave out '
                "install_global."
            )
        made = getattr(meta.model, self.manager_attribute) or self.manager_class
        manager = self._managers[meta] = cast("G", made(meta.model, server, reader, self))
        self._names.setdefault(meta.name, manager)
        if self.install_global:
            meta.model.objects = manager

    def _leave(self, manager: G) -> None:
        """Take the manager off the model, if ``install_global`` has put it there."""
        if vars(manager.model).get("objects") is manager:
            del manager.model.objects

    def _server(self, backend: BackendDataServer | str | None, params: dict[str, Any]) -> BackendDataServer:
        """Return the backend of a connection string, the same one each time."""
        if isinstance(backend, BackendDataServer):
            return getdb(backend, **params)
        key = (backend, tuple(sorted(params.items())))
        if key not in self._servers:
            self._servers[key] = getdb(backend, **params)
        return self._servers[key]

    def unregister(self, model: Any = None) -> Any:
        """Forget a model or structure; return ``[manager]``, or ``None`` if it is not here. Without one forget all."""
        if model is None:
            managers = list(self._managers.values())
            self._managers.clear()
            self._names.clear()
            self._structures.clear()
            for each in managers:
                self._leave(each)
            return managers
        if isinstance(model, Structure):
            found = self._structures.pop(model.key, None)
            return None if found is None else [found]
        manager = self._managers.pop(getattr(model, "_meta", None), None)  # type: ignore[arg-type]
        if manager is None:
            return None
        self._leave(manager)
        self._names = {name: each for name, each in self._names.items() if each is not manager}
        return [manager]

    def session(self, relations: Mode | None = None) -> Any:
        """Return a new session; ``relations`` says what touching a relation that is not loaded does in it."""
        return self.session_class(self, relations)

    def _selected(self, exclude: Collection[str] | None = None, include: Collection[str] | None = None) -> list[G]:
        """Return the managers whose model key or app label is included and not excluded."""

        def named(meta: ModelMeta[Any], names: Collection[str]) -> bool:
            names = (names,) if isinstance(names, str) else names
            return str(meta) in names or meta.app_label in names

        return [
            manager
            for meta, manager in self._managers.items()
            if (include is None or named(meta, include)) and not named(meta, exclude or ())
        ]

    def _by_hash(self) -> dict[str | None, type[Model]]:
        return {meta.hash: meta.model for meta in self._managers if meta.hash is not None}

    def _own(self, session: SessionBase | None) -> SessionBase:
        own: SessionBase = session if session is not None and session.router is self else self.session()
        return own

    def __getitem__(self, model: Any) -> Any:
        meta = model if isinstance(model, ModelMeta) else getattr(model, "_meta", model)
        found = self._managers.get(meta) if isinstance(meta, ModelMeta) else self.structure(model)
        if found is None:
            raise KeyError(f'"{meta}" is not registered in this router. Call register(…) first.')
        return found

    def __contains__(self, model: object) -> bool:
        meta = getattr(model, "_meta", model)
        return (isinstance(meta, ModelMeta) and meta in self._managers) or self.structure(model) is not None

    def __getattr__(self, name: str) -> Any:
        manager = self.__dict__.get("_names", {}).get(name)
        if manager is None:
            raise AttributeError(f'No model named "{name}" is registered in this router. Call register(…) first.')
        return manager

    def __iter__(self) -> Any:
        return iter(list(self._managers.values()))

    def __len__(self) -> int:
        return len(self._managers)

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {', '.join(map(str, self._managers)) or 'no models'}>"


class Router(RouterBase["Manager[Any]"]):
    """Models and their databases; its sessions block.

    >>> from stdnet import odm
    >>> class City(odm.StdModel):
    ...     name = odm.SymbolField(unique=True)
    ...     class Meta:
    ...         register = False
    >>> models = odm.Router("memory://")
    >>> backend = models.register(City)
    >>> models.city.new(name="Genoa").id
    1
    >>> models[City].filter(name="Genoa").count()
    1
    """

    manager_class = Manager
    manager_attribute = "manager_class"
    session_class = Session

    if TYPE_CHECKING:

        def __getitem__(self, model: type[M] | M) -> Manager[M]: ...
        def session(self, relations: Mode | None = None) -> Session: ...

    def add(self, instance: T) -> T:
        """Save an instance, or what waits in a structure, in a new session and return it."""
        return self.session().add(instance)

    def from_uuid(self, uuid: str, session: Session | None = None) -> Model:
        """Return the instance with that ``uuid``; ``DoesNotExist`` if there is none or the text is malformed."""
        return run(programs.row_of_uuid(self._own(session), uuid, self._by_hash()))

    def flush(
        self,
        exclude: Collection[str] | None = None,
        include: Collection[str] | None = None,
        dryrun: bool = False,
    ) -> list[Any]:
        """Remove everything of the registered models; return the number of keys removed for each.

        ``include`` and ``exclude`` hold model keys or app labels. ``dryrun`` returns the managers instead.
        """
        managers = self._selected(exclude, include)
        return list(managers) if dryrun else run(programs.flush_all(managers))

    def create_all(self) -> None:
        """Call ``create_all`` of each manager."""
        for manager in self:
            manager.create_all()

    def close(self) -> None:
        """Release the connections of this router's backends."""
        for manager in (*self, *self._structures.values()):
            manager.backend.close()
            manager.read_backend.close()

    def __enter__(self) -> Router:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


class AsyncRouter(RouterBase["AsyncManager[Any]"]):
    """Models and their databases; what its sessions, managers and queries fetch is awaited.

    >>> import asyncio
    >>> from stdnet import odm
    >>> class Harbour(odm.StdModel):
    ...     code = odm.SymbolField(unique=True)
    ...     class Meta:
    ...         register = False
    >>> async def main() -> int:
    ...     models = odm.AsyncRouter("memory://")
    ...     models.register(Harbour)
    ...     async with models.session().begin() as t:
    ...         t.add(Harbour(code="GOA"))
    ...     return await models.harbour.filter(code="GOA").count()
    >>> asyncio.run(main())
    1
    """

    manager_class = AsyncManager
    manager_attribute = "async_manager_class"
    session_class = AsyncSession

    if TYPE_CHECKING:

        def __getitem__(self, model: type[M] | M) -> AsyncManager[M]: ...
        def session(self, relations: Mode | None = None) -> AsyncSession: ...

    async def add(self, instance: T) -> T:
        """Save an instance, or what waits in a structure, in a new session and return it."""
        return await self.session().add(instance)

    async def from_uuid(self, uuid: str, session: AsyncSession | None = None) -> Model:
        """Return the instance with that ``uuid``; ``DoesNotExist`` if there is none or the text is malformed."""
        return await arun(programs.row_of_uuid(self._own(session), uuid, self._by_hash()))

    async def flush(
        self,
        exclude: Collection[str] | None = None,
        include: Collection[str] | None = None,
        dryrun: bool = False,
    ) -> list[Any]:
        """Remove everything of the registered models; return the number of keys removed for each.

        ``include`` and ``exclude`` hold model keys or app labels. ``dryrun`` returns the managers instead.
        """
        managers = self._selected(exclude, include)
        return list(managers) if dryrun else await arun(programs.flush_all(managers))

    async def create_all(self) -> None:
        """Call ``create_all`` of each manager."""
        for manager in self:
            await manager.create_all()

    async def close(self) -> None:
        """Release the connections of this router's backends in the running event loop."""
        for manager in (*self, *self._structures.values()):
            await manager.backend.aclose()
            await manager.read_backend.aclose()

    async def __aenter__(self) -> AsyncRouter:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close()
