"""Model classes: the metaclass, ``Model`` and ``StdModel``.

An instance is plain attributes plus ``_dbdata``, a dict made when needed with what ties it to a database: its
session, its state, and the pk under which it is stored. All I/O goes through the session; the few methods here
that need it say so.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from datetime import timedelta
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar, cast

from ..errors import (
    ImproperlyConfigured,
    InvalidKeyword,
    ModelNotAvailable,
    ObjectNotFound,
    ObjectNotValidated,
    QuerySetError,
    SessionNotAvailable,
)
from . import loading, programs, versions
from .fields import Field
from .meta import JSPLITTER, ModelMeta, get_model_from_hash
from .runner import arun, run
from .state import ModelState

if TYPE_CHECKING:
    from typing_extensions import Self

    from .managers import ManagerBase
    from .session import AsyncSession, Session, SessionBase


class ModelType(type):
    """The metaclass: takes the fields and the inner ``Meta`` out of the class body and makes ``_meta`` of them."""

    def __new__(mcs, name: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> Any:
        options = _options(namespace)
        own = {key: value for key, value in namespace.items() if isinstance(value, Field)}
        for key in own:
            del namespace[key]
        cls = super().__new__(mcs, name, bases, namespace)
        fields: dict[str, Field[Any]] = {}
        for base in reversed(bases):
            if "_meta" in base.__dict__:
                fields.update(_inherited(base.__dict__["_meta"]))
        fields.update(sorted(own.items(), key=lambda item: item[1].creation_counter))
        ModelMeta(cast("type[Any]", cls), fields, **options)
        return cls

    def __str__(cls) -> str:
        return str(cls.__dict__["_meta"]) if "_meta" in cls.__dict__ else cls.__name__


def _options(namespace: dict[str, Any]) -> dict[str, Any]:
    """Take the model's options out of a class body: those of ``Meta``, and three that may stand beside it."""
    meta = namespace.pop("Meta", None)
    if meta is not None and not isinstance(meta, type):
        raise ImproperlyConfigured(f"Meta of a model is an inner class, not {meta!r}.")
    options = {key: value for key, value in vars(meta).items() if not key.startswith("__")} if meta else {}
    for key in ("register", "abstract", "attributes"):
        if key in namespace and not isinstance(namespace[key], Field):
            options[key] = namespace.pop(key)
    return options


def _inherited(meta: ModelMeta[Any]) -> dict[str, Field[Any]]:
    """Return unregistered copies of a base's fields."""
    return {field.name: field.copy() for field in meta.fields if field.is_column or field.is_structure or meta.abstract}


class Model(metaclass=ModelType):
    """Base of everything that a router can register. Users derive from ``StdModel``."""

    abstract = True

    _model_type: ClassVar[str] = "object"
    _meta: ClassVar[ModelMeta[Any]]
    _loadedfields: tuple[str, ...] | None = None

    DoesNotExist: ClassVar[type[ObjectNotFound]] = ObjectNotFound
    DoesNotValidate: ClassVar[type[ObjectNotValidated]] = ObjectNotValidated

    manager_class: ClassVar[type[ManagerBase[Any, Any]] | None] = None
    """The manager that a ``Router`` makes for this model; ``None`` means ``Manager``."""

    async_manager_class: ClassVar[type[ManagerBase[Any, Any]] | None] = None
    """The manager that an ``AsyncRouter`` makes for this model; ``None`` means ``AsyncManager``."""

    @property
    def dbdata(self) -> dict[str, Any]:
        """What ties this instance to a database; made when first asked for."""
        found: dict[str, Any] | None = self.__dict__.get("_dbdata")
        if found is None:
            found = self.__dict__["_dbdata"] = {}
        return found

    @property
    def session(self) -> SessionBase | None:
        """The session that loaded this instance or to which it was added."""
        return self.dbdata.get("session")

    @session.setter
    def session(self, session: SessionBase | None) -> None:
        self.dbdata["session"] = session

    def _session(self, operation: str) -> Any:
        session = self.session
        if session is None:
            raise SessionNotAvailable(f'a "{self._meta}"', operation)
        return session

    @property
    def backend(self) -> Any:
        """The write backend of this model in the instance's session, or ``None`` without a session."""
        return None if self.session is None else self.session.model(self).backend

    @property
    def read_backend(self) -> Any:
        """The read backend of this model in the instance's session, or ``None`` without a session."""
        return None if self.session is None else self.session.model(self).read_backend

    def get_state(self, **kwargs: Any) -> ModelState:
        """Return the current state; keywords, or the lack of a state, make a new one."""
        dbdata = self.dbdata
        if kwargs or "state" not in dbdata:
            dbdata["state"] = ModelState.of(self, **kwargs)
        state: ModelState = dbdata["state"]
        return state

    def get_state_action(self) -> str:
        """Return what saving a stored instance does: ``"override"`` its row, or ``"update"`` a part of it."""
        return "override" if self._loadedfields is None else "update"

    def pkvalue(self) -> Any:
        """Return the value of the primary key, ``None`` before it is known."""
        return self._meta.pk.pk_of(self)

    @classmethod
    def pk(cls) -> Field[Any]:
        """Return the primary key field."""
        return cls._meta.pk

    @classmethod
    def get_uuid(cls, pk: Any) -> str:
        """Return the identifier, unique over all models, of the row with that primary key."""
        if cls._meta.hash is None:
            raise cls.DoesNotExist(f'Rows of "{cls._meta}" have no uuid: the model is abstract or not registered.')
        return f"{cls._meta.hash}.{pk}"

    @property
    def uuid(self) -> str:
        """The identifier of this row, unique over all models; ``DoesNotExist`` before there is a pk."""
        pk = self.pkvalue()
        if pk is None or pk == "":
            raise self.DoesNotExist(f'This "{self._meta}" has no primary key yet, so it has no uuid. Save it first.')
        return self.get_uuid(pk)

    @classmethod
    def get_unique_instance(cls, items: Iterable[Self]) -> Self:
        """Return the only one of ``items``; ``DoesNotExist`` if there is none, ``QuerySetError`` if there are more."""
        found = list(items)
        if len(found) > 1:
            raise QuerySetError(f'Non unique results: {len(found)} rows of "{cls._meta}" match, one was asked for.')
        if not found:
            raise cls.DoesNotExist(f'No "{cls._meta}" matches.')
        return found[0]

    def save(self) -> Self:
        """Save this instance in its session: at once, or with the session's transaction.

        Raises ``SessionNotAvailable`` without a session. On an async session use ``await obj.asave()``.
        """
        session: Session = self._session("save").blocking("await obj.asave()")
        return session.add(self)

    async def asave(self) -> Self:
        """Save this instance in its async session, as ``save`` does."""
        session: AsyncSession = self._session("save").awaiting("obj.save()")
        return await session.add(self)

    def delete(self) -> Any:
        """Delete this instance in its session and return what ``session.delete`` returns.

        Raises ``SessionNotAvailable`` without a session. On an async session use ``await obj.adelete()``.
        """
        session: Session = self._session("delete").blocking("await obj.adelete()")
        return session.delete(self)

    async def adelete(self) -> Any:
        """Delete this instance in its async session, as ``delete`` does."""
        session: AsyncSession = self._session("delete").awaiting("obj.delete()")
        return await session.delete(self)

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if type(other) is not type(self):
            return False
        pk = self.pkvalue()
        return pk is not None and pk == other.pkvalue()

    def __hash__(self) -> int:
        return hash(f"{self._meta.hash}.{self.get_state().iid}")

    def __unicode__(self) -> str:
        return f"{type(self).__name__} object"

    def __str__(self) -> str:
        return self.__unicode__()

    def __repr__(self) -> str:
        return f"{type(self).__name__}: {self}"


class StdModel(Model):
    """Base of models whose instances are rows.

    Fields are declared as class attributes; the constructor takes them by keyword, converts their values and sets
    the missing ones to their defaults.

    >>> from stdnet import odm
    >>> class Fund(odm.StdModel):
    ...     name = odm.SymbolField(unique=True)
    ...     size = odm.IntegerField(default=0)
    ...     class Meta:
    ...         register = False
    >>> fund = Fund(name="Alpha", size="3")
    >>> fund.name, fund.size, fund.id
    ('Alpha', 3, None)
    """

    abstract = True

    if TYPE_CHECKING:
        id: Any  # of most models; a primary key of one's own may have another name

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        codec = self._meta.codec
        made = codec.fill(kwargs)
        if self.__dict__:  # of a subclass that sets something first
            self.__dict__.update(made)
        else:
            self.__dict__ = made
        for field in codec.linked:
            field.set_value(self, kwargs.pop(field.name, None))
        if args or kwargs or self._meta.attributes:
            self._set_attributes(args, kwargs)

    def _set_attributes(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        meta = self._meta
        if len(args) > len(meta.attributes):
            raise InvalidKeyword(str(meta), [f"positional argument {len(meta.attributes) + 1}"])
        given = dict(zip(meta.attributes, args, strict=False))
        for name in meta.attributes:
            setattr(self, name, given[name] if name in given else kwargs.pop(name, None))
        if kwargs:
            raise InvalidKeyword(str(meta), list(kwargs), [*meta.dfields, *meta.attributes])

    def expire(self, seconds: float | timedelta | None) -> Self:
        """Let this row expire in so many seconds, or never, for ``None``; at once, or with the session's transaction.

        From then on it does not exist any more. Other changes of this instance are not saved by it; if they wait to be
        saved, the deadline goes with them. A later save sets it anew, by ``Meta.ttl``. Raises ``CannotExpire`` for a
        model without ``Meta.ttl`` and for an instance that is not stored, ``CommitException`` if the row is gone.
        On an async session use ``await obj.aexpire(…)``.
        """
        session: Session = self._session("expire").blocking("await obj.aexpire(…)")
        return run(programs.expire(session, self, seconds))

    async def aexpire(self, seconds: float | timedelta | None) -> Self:
        """Let this row expire in so many seconds, or never, for ``None``; as ``expire``."""
        session: AsyncSession = self._session("expire").awaiting("obj.expire(…)")
        return await arun(programs.expire(session, self, seconds))

    @property
    def has_all_data(self) -> bool:
        """Whether this instance is stored and all of its fields are loaded."""
        return self.get_state().persistent and self._loadedfields is None

    def set(self, name: str, value: Any) -> None:
        """Set a field, with conversion, or a plain attribute; ``AttributeError`` for other names."""
        field = self._meta.dfields.get(name)
        if field is not None:
            field.set_value(self, value)
        elif name in self._meta.attributes:
            setattr(self, name, value)
        else:
            raise AttributeError(f'"{self._meta}" has neither a field nor an attribute {name!r}.')

    def loadedfields(self) -> Iterator[Field[Any]]:
        """Yield the scalar fields that this instance has: all, or those that were loaded."""
        if self._loadedfields is None:
            yield from self._meta.scalarfields
        else:
            meta = self._meta
            yield from dict.fromkeys(meta.flat(name)[0] or meta.dfields[name] for name in self._loadedfields)

    def fieldvalue_pairs(self, exclude_cache: bool = False) -> Iterator[tuple[Field[Any], Any]]:
        """Yield (field, value) for each scalar field that is set on this instance."""
        for key in self._meta.foreignkeys:
            key.settle(self)
        for field in self._meta.scalarfields:
            if field.attname in self.__dict__ and not (exclude_cache and field.as_cache):
                yield field, self.__dict__[field.attname]

    def clear_cache_fields(self) -> None:
        """Set the ``as_cache`` fields to ``None``; saving then removes their values."""
        for field in self._meta.scalarfields:
            if field.as_cache:
                setattr(self, field.attname, None)

    def get_attr_value(self, name: str) -> Any:
        """Return a field's value, or a part of it by a ``__`` path, or any other attribute."""
        first, *bits = [name] if name.startswith(JSPLITTER) else name.split(JSPLITTER)
        field = self._meta.dfields.get(first)
        return getattr(self, name) if field is None else field.get_value(self, *bits)

    def clone(self, **data: Any) -> Self:
        """Return a new, unsaved instance with the same values but for ``data``, without pk and cache fields."""
        meta = self._meta
        values = {field.name: value for field, value in self.fieldvalue_pairs(exclude_cache=True)}
        values |= {key.name: found for key in meta.foreignkeys if (found := key.cached(self)) is not None}
        values |= {name: getattr(self, name, None) for name in meta.attributes}
        made = type(self)(**{meta.pkname(): None, **values, **data})
        made.session = self.session
        return made

    def is_valid(self) -> bool:
        """Validate; the outcome is in ``dbdata['errors']`` and ``dbdata['cleaned_data']``."""
        return self._meta.is_valid(self)

    def todict(self, exclude_cache: bool = False) -> dict[str, Any]:
        """Return field name -> scalar, and ``"__dbdata__"`` with the pk if this instance is stored."""
        data: dict[str, Any] = {}
        for field, value in self.fieldvalue_pairs(exclude_cache):
            if value is not None and (converted := field.to_python(value)) is not None:
                data[field.name] = field.dump(converted)
        pkname = self._meta.pkname()
        if pkname in self.dbdata:
            data["__dbdata__"] = {pkname: self.dbdata[pkname]}
        return data

    def tojson(self, exclude_cache: bool = True) -> dict[str, Any]:
        """Return a JSON-ready dict of the pk and all values that are not blank; empty before there is a pk.

        Foreign keys are there by name, with the id. A blank text is left out where it is what a missing one becomes.
        """
        pk = self.pkvalue()
        if pk is None or pk == "":
            return {}
        data = {self._meta.pkname(): self._meta.pk.json_serialise(self._meta.pk.to_python(pk))}
        for field, value in self.fieldvalue_pairs(exclude_cache):
            form = None if value is None else field.json_serialise(field.to_python(value))
            if form is not None and (form != "" or field.default not in (None, "", b"")):
                data[field.name] = form
        return data

    @classmethod
    def from_base64_data(cls, /, **kwargs: Any) -> Self:
        """Return a new instance from what ``tojson`` gave; unknown names are ignored."""
        instance = cls()
        for name, value in kwargs.items():
            field = cls._meta.dfields.get(name)
            if field is not None:
                setattr(instance, field.attname, field.from_json(value))
        return instance

    def load_fields(self, *fields: str) -> None:
        """Fetch more fields of a partly loaded instance, by name or all that it lacks.

        Nothing happens when everything is loaded, and a field that is not named keeps the value that it has here.
        Raises ``SessionNotAvailable`` without a session. On an async session use ``await obj.aload_fields(…)``.
        """
        if names := self._missing(fields):
            session: Session = self._session("load fields of").blocking("await obj.aload_fields(…)")
            self._take_fields(session.query(type(self)).filter(**self._self_filter()).load_only(*names).get())

    async def aload_fields(self, *fields: str) -> None:
        """Fetch more fields of a partly loaded instance in its async session."""
        if names := self._missing(fields):
            session: AsyncSession = self._session("load fields of").awaiting("obj.load_fields(…)")
            query = session.query(type(self)).filter(**self._self_filter()).load_only(*names)
            self._take_fields(await query.get())

    def _missing(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """Return the fields to fetch: ``names``, or, if there are none, those that are not set here."""
        loaded = self._loadedfields
        if loaded is None:
            return ()
        if names:
            return names
        absent = [field.name for field in self._meta.scalarfields if field.attname not in self.__dict__]
        return tuple(absent + [field.name for field in self._meta.maps if field.name not in (*loaded, *absent)])

    def load_related_model(self, name: str, load_only: Any = None, dont_load: Any = None) -> Any:
        """Return the object that a foreign key refers to; if it is not here yet it is loaded, with these fields only.

        ``ValueError`` if ``name`` is not a foreign key. On an async session use ``await obj.aload_related_model(…)``.
        """
        self._session("load a relation of").blocking(f'await obj.aload_related_model("{name}", …)')
        return run(loading.related_model(self, name, load_only, dont_load))

    async def aload_related_model(self, name: str, load_only: Any = None, dont_load: Any = None) -> Any:
        """Return the object that a foreign key refers to, as ``load_related_model`` does."""
        self._session("load a relation of").awaiting(f'obj.load_related_model("{name}", …)')
        return await arun(loading.related_model(self, name, load_only, dont_load))

    async def load(self, name: str) -> Any:
        """Load a relation, if it is not here yet, and return it: an object, ``None``, or a list.

        In batch mode it is loaded for all instances of the result that this one came with. On a session that is not
        async a relation loads when it is touched.
        """
        self._session("load a relation of").awaiting(f"obj.{name}")
        return await arun(loading.relation(self, loading.link_of(self._meta, name)))

    def _self_filter(self) -> dict[str, Any]:
        return {self._meta.pkname(): self.get_state().iid}

    def _take_fields(self, other: Self) -> None:
        self._loadedfields = tuple(dict.fromkeys((self._loadedfields or ()) + (other._loadedfields or ())))
        for field in other.loadedfields():
            value = getattr(other, field.attname)
            if field.is_map:
                value = field.joined(self.__dict__.get(field.attname), value)  # type: ignore[attr-defined]
            setattr(self, field.attname, value)
        if (known := versions.remembered(self)) is not None:
            known |= versions.remembered(other) or {}
            versions.remember(self, tuple(known), tuple(known.values()))

    @classmethod
    def get_field(cls, name: str) -> Field[Any] | None:
        """Return the field of that name, or ``None``."""
        return cls._meta.dfields.get(name) or cls._meta.multifield(name)

    def __getstate__(self) -> tuple[Any, tuple[str, ...] | None, dict[str, Any]]:
        attributes = {name: getattr(self, name, None) for name in self._meta.attributes}
        return self.pkvalue(), self._loadedfields, {**attributes, **self.todict()}

    def __reduce__(self) -> Any:
        return _blank, _name_of(type(self)), self.__getstate__()

    def __setstate__(self, state: tuple[Any, tuple[str, ...] | None, dict[str, Any]]) -> None:
        self._meta.load_state(self, state)


def _name_of(model: type[Model]) -> tuple[Any, ...]:
    """Return how a pickle names a model: by itself, or, if its module does not have it, by its module and its hash."""
    module, hash = sys.modules.get(model.__module__), model._meta.hash
    hidden = "." not in model.__qualname__ and getattr(module, model.__qualname__, None) is not model
    return (model.__module__, hash) if hidden and hash is not None else (model,)


def _blank(model: Any, hash: str = "") -> Any:
    """Return an instance without attributes, of a model as ``_name_of`` has named it."""
    if not hash:
        return model.__new__(model)
    import_module(model)  # which makes the models that many-to-many fields need
    found = get_model_from_hash(hash)
    if found is None:
        raise ModelNotAvailable(f"A pickle is of a model with the hash {hash!r}, and {model} makes none that has it.")
    return found.__new__(found)


def create_model(name: str, *attributes: str, **params: Any) -> type[StdModel]:
    """Return a local model: no fields but an id, plain ``attributes``, not in the table of all models.

    >>> User = create_model("User", "name", "email", "name")
    >>> User._meta.attributes, User("ann", email="a@b.c").email
    (('name', 'email'), 'a@b.c')
    """
    options = {"register": False, "app_label": "base", **params, "attributes": attributes}
    namespace: dict[str, Any] = {"__module__": __name__, "Meta": type("Meta", (), options)}
    for option in ("manager_class", "async_manager_class"):
        if option in params:
            namespace[option] = params[option]
    made: type[StdModel] = ModelType(name, (StdModel,), namespace)
    return made


def model_to_dict(
    instance_or_model: StdModel | type[StdModel],
    fields: Iterable[str] | None = None,
    exclude: Iterable[str] | None = None,
) -> dict[str, Any]:
    """Return the ``todict`` of an instance, or the defaults of a class, but for those that are blank."""
    if isinstance(instance_or_model, StdModel):
        data = instance_or_model.todict()
    else:
        pairs = ((field.name, field.get_default()) for field in instance_or_model._meta.scalarfields)
        data = {name: value for name, value in pairs if value}
    wanted = data.keys() if fields is None else set(fields)
    unwanted = set(exclude or ())
    return {name: value for name, value in data.items() if name in wanted and name not in unwanted}
