"""ForeignKey and the attribute that it makes: one row refers to another by its id.

The id is a plain column, ``<name>_id``; the attribute ``<name>`` is the row itself, fetched when it is first touched.
The other side's managers are in ``related``, many-to-many relations in ``manytomany``.
"""

from __future__ import annotations

import builtins
from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

from ..contract import Column, Scalar
from ..errors import FieldError, ImproperlyConfigured, InvalidValue
from . import loading
from .fields import AtomField, Field, LazyProxy
from .links import Hop, Link
from .references import refer
from .related import One2ManyRelatedManager

if TYPE_CHECKING:
    from .meta import ModelMeta
    from .model import Model

M = TypeVar("M", bound="Model | None")
R = TypeVar("R", bound="Model")

OnDelete = Literal["cascade", "restrict", "null"]
CASCADE: OnDelete = "cascade"
"""Delete the rows that refer to a deleted row; the default of required keys and of keys to the model itself."""
RESTRICT: OnDelete = "restrict"
"""Refuse a commit that would leave rows referring to a deleted row."""
SET_NULL: OnDelete = "null"
"""Make the key of the rows that refer to a deleted row ``None``; the default of optional keys."""


class LazyForeignKey(LazyProxy):
    """The attribute of a foreign key: the related object on an instance, this object on the class."""

    field: ForeignKey[Any]

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is None:
            return self
        found = self.field.cached(instance)
        return self.load(instance, instance.session) if found is None else found

    def load(self, instance: Any, session: Any) -> Any:
        """Fetch the related object, and remember it; ``None`` if there is none and the key is optional."""
        if getattr(instance, self.field.attname) is None:
            return self.field.missing(instance)
        return loading.fetch(instance, session, self.field.link())

    def __set__(self, instance: Any, value: Any) -> None:
        field, state = self.field, instance.__dict__
        if value is None:
            state[field.attname] = None
            state.pop(field.cache_name, None)
        elif hasattr(value, "_meta") and not isinstance(value, type):
            pk = field.checked(value).pkvalue()
            state[field.attname] = pk
            state[field.cache_name] = value
            if value._meta.pkname() not in value.dbdata:
                state[field.unsaved_name] = pk
                return
        else:
            field.invalid(
                value, f'is not a "{field.related_meta}"; assign an instance, or assign an id to {field.attname}'
            )
        state.pop(field.unsaved_name, None)


class ForeignKey(AtomField[M]):
    """A reference to a row of another model, or of the same one.

    ``model`` is a class, ``'self'``, ``'name'`` or ``'app_label.name'``. The related model gets a manager of the rows
    that refer to it, named ``related_name`` or ``<model>_<field>_set``; ``'+'`` means none. ``on_delete`` says what a
    deletion of the row does to those that refer to it: ``CASCADE``, ``RESTRICT`` or ``SET_NULL``.

    >>> from stdnet import odm
    >>> class Team(odm.StdModel):
    ...     name = odm.SymbolField()
    ...     class Meta:
    ...         register = False
    >>> class Player(odm.StdModel):
    ...     team = odm.ForeignKey(Team, related_name="players")
    ...     class Meta:
    ...         register = False
    >>> Player(team=3).team_id
    3
    """

    relmodel: Any
    related_name: str | None
    related_manager_class: Any
    on_delete: OnDelete | None

    type = "related object"
    internal_type = "numeric"
    python_type = int
    is_relation = True
    proxy = LazyForeignKey

    if TYPE_CHECKING:

        @overload
        def __init__(
            self: ForeignKey[R],
            model: builtins.type[R],
            related_name: str | None = ...,
            *,
            required: Literal[True] = ...,
            **options: Any,
        ) -> None: ...
        @overload
        def __init__(
            self: ForeignKey[R | None],
            model: builtins.type[R],
            related_name: str | None = ...,
            *,
            required: bool,
            **options: Any,
        ) -> None: ...
        @overload
        def __init__(
            self: ForeignKey[Any], model: str, related_name: str | None = ..., *, required: bool = ..., **options: Any
        ) -> None: ...
        def __init__(self, model: Any, related_name: str | None = None, **options: Any) -> None: ...

    else:

        def __init__(self, model: Any, related_name: str | None = None, **options: Any) -> None:
            if not model:
                raise FieldError("A ForeignKey needs the model that it refers to.")
            own = {name: options.pop(name, None) for name in ("related_manager_class", "on_delete")}
            super().__init__(**options)
            self.options |= {"model": model, "related_name": related_name, **own}
            self.relmodel = model
            self.related_name = related_name
            self.related_manager_class = own["related_manager_class"] or One2ManyRelatedManager
            self.on_delete = own["on_delete"]
            self.index = True  # deletes and related managers look for it
            self._check()

    def _check(self) -> None:
        model = self.relmodel
        if not isinstance(model, str) and getattr(getattr(model, "_meta", None), "abstract", True):
            raise FieldError(f"A ForeignKey refers to a model that has rows, or to the name of one, not to {model!r}.")
        if self.primary_key:
            raise FieldError("A ForeignKey cannot be the primary key. Declare it unique=True.")
        if self.on_delete not in (None, CASCADE, RESTRICT, SET_NULL):
            raise FieldError(f"on_delete of a ForeignKey is CASCADE, RESTRICT or SET_NULL, not {self.on_delete!r}.")
        if self.on_delete == SET_NULL and self.required:
            raise FieldError("A ForeignKey with on_delete=SET_NULL cannot be required. Add required=False.")

    @property
    def column_type(self) -> Any:  # type: ignore[override]
        """The type of the related model's ids."""
        return "int" if isinstance(self.relmodel, str) else self.related_pk.column_type

    @property
    def storage(self) -> Field[Any]:
        """The field whose ``dump`` and ``load`` are used: the related model's primary key."""
        storage: Field[Any] = self.related_pk.storage
        return storage

    @property
    def related_meta(self) -> ModelMeta[Any]:
        """The meta of the related model; ``ImproperlyConfigured`` while that model is not defined."""
        if isinstance(self.relmodel, str):
            raise ImproperlyConfigured(f'{self} refers to the model "{self.relmodel}", which is not defined (yet).')
        meta: ModelMeta[Any] = self.relmodel._meta
        return meta

    @property
    def related_pk(self) -> Field[Any]:
        """The primary key of the related model."""
        return self.related_meta.pk

    def get_attname(self) -> str:
        return f"{self.name}_id"

    def register_with_model(self, name: str, model: Any) -> None:
        super().register_with_model(name, model)
        self.cache_name = f"_{name}_cache"
        self.unsaved_name = f"_{name}_unsaved"

    def prepare(self) -> None:
        refer(self.model, self.relmodel, self._found)

    def _found(self, relmodel: Any) -> None:
        name = self.related_name or f"{self.meta.name}_{self.name}_set"
        if name != "+":
            relmodel._meta.add_related(name, self.related_manager_class(self, name))
        self.relmodel, self.related_name = relmodel, name
        if self.on_delete is None:
            self.on_delete = CASCADE if self.required or relmodel is self.model else SET_NULL

    def link(self) -> Link:
        return Link(self.name, (Hop(self.attname, self.related_meta, self.related_pk.attname),), self, many=False)

    def column(self) -> Column:
        return Column(self.attname, self.related_pk.column_type, self.unique, "" if self.unique else "equal")

    # -- values -------------------------------------------------------------------------------------------------

    def to_python(self, value: Any, backend: Any = None) -> Any:
        if value is None or value == "":
            return self.get_default()
        return self.convert(value)

    def convert(self, value: Any) -> Any:
        if hasattr(value, "_meta") and not isinstance(value, type):
            return self.checked(value).pkvalue()
        try:
            return self.related_pk.to_python(value)
        except InvalidValue:
            self.invalid(value, f'is neither a "{self.related_meta}" nor an id of one')

    def as_is(self, value: str) -> str | None:
        test: str | None = self.related_pk.as_is(value)
        if test is None or self.storage.python_type is not str:
            return test
        return f"{value}{test and f' and {test}'}"  # an empty text stands for no reference

    def get_default(self) -> Any:
        value = self._default() if callable(self._default) else self._default
        return value if value is None or isinstance(self.relmodel, str) else self.convert(value)

    def checked(self, value: Any) -> Any:
        """Return a model instance if this key can refer to it; raise ``InvalidValue``."""
        if value._meta is not self.related_meta:
            self.invalid(value, f'is a "{value._meta}", and this key refers to a "{self.related_meta}"')
        return value

    def dump(self, value: Any) -> Scalar:
        scalar: Scalar = self.storage.dump(value)
        return scalar

    def load(self, scalar: Any) -> Any:
        return self.storage.load(scalar)

    def serialise(self, value: Any, lookup: str | None = None) -> Scalar:
        converted = None if value is None or value == "" else self.convert(value)
        if converted is None:
            if hasattr(value, "_meta"):
                self.invalid(value, "is not saved yet, so no row can refer to it")
            return None
        return self.dump(converted)

    def json_serialise(self, value: Any) -> Any:
        return None if value is None else self.related_pk.json_serialise(self.to_python(value))

    def from_json(self, value: Any) -> Any:
        return self.get_default() if value is None or value == "" else self.convert(self.related_pk.from_json(value))

    def set_value(self, instance: Model, value: Any) -> None:
        if hasattr(value, "_meta"):
            setattr(instance, self.name, value)
        else:
            instance.__dict__[self.attname] = self.to_python(value)
            instance.__dict__.pop(self.unsaved_name, None)

    def get_value(self, instance: Any, *bits: str) -> Any:
        value = getattr(instance, self.name)
        return value.get_attr_value("__".join(bits)) if bits and value is not None else value

    # -- the related object on an instance ----------------------------------------------------------------------

    def cached(self, instance: Any) -> Any:
        """Return the related object if it is on the instance and still the one that the id names, else ``None``."""
        state = instance.__dict__
        found = state.get(self.cache_name)
        if found is None:
            return None
        id = state.get(self.attname)
        return found if (id is not None and found.pkvalue() == id) or self.unsaved(instance) is found else None

    def unsaved(self, instance: Any) -> Any:
        """Return the related object if it was assigned before it was saved, so that its id is still to be taken."""
        state = instance.__dict__
        if self.unsaved_name not in state or state.get(self.attname) != state[self.unsaved_name]:
            return None
        return state.get(self.cache_name)

    def settle(self, instance: Any) -> Any:
        """Take the id of an object that was assigned unsaved, and return it; ``None`` if it has none yet."""
        state = instance.__dict__
        found = self.unsaved(instance)
        if found is not None:
            state[self.attname] = found.pkvalue()
            if found._meta.pkname() in found.dbdata:
                del state[self.unsaved_name]
            else:
                state[self.unsaved_name] = state[self.attname]
        return state.get(self.attname)

    def missing(self, instance: Any) -> None:
        """Return ``None`` if the key is optional; raise ``DoesNotExist`` if it is not."""
        if self.required:
            id = instance.__dict__.get(self.attname)
            what = "is not set" if id is None else f"refers to {id!r}, which does not exist"
            raise self.relmodel.DoesNotExist(f"{self} of this instance {what}.")

    def put(self, instance: Any, related: Any) -> None:
        """Put what was loaded for an instance in its place; ``None``: there is no such row, so the key is not set."""
        if related is not None:
            instance.__dict__[self.cache_name] = related
        elif not self.required:
            instance.__dict__[self.attname] = None
