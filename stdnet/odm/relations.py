"""ForeignKey and the attribute that it makes: one row refers to another by its id.

The id is a plain column, ``<name>_id``; the attribute ``<name>`` is the row itself, fetched when it is first touched.
The other side's managers are in ``related``, many-to-many relations in ``manytomany``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

from ..contract import Column, Scalar
from ..errors import FieldError, ImproperlyConfigured, InvalidValue, RelationNotLoaded
from .fields import AtomField, Field, LazyProxy
from .references import refer

if TYPE_CHECKING:
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


class ForeignKey(AtomField[M]):
    """A reference to a row of another model, or of the same one.

    ``model`` is a class, ``'self'``, ``'name'`` or ``'app_label.name'``. The related model gets a manager of the rows that
    refer to it, named ``related_name`` or ``<model>_<field>_set``. ``on_delete`` says what a deletion of the row does to
    those that refer to it: ``CASCADE``, ``RESTRICT`` or ``SET_NULL``.

    >>> from stdnet import odm
    >>> class Group(odm.StdModel):
    ...     name = odm.SymbolField()
    >>> class Person(odm.StdModel):
    ...     group = odm.ForeignKey(Group, related_name="people")
    >>> Person(group=3).group_id
    3
    """

    type = "related object"
    internal_type = "numeric"
    equal_index = True

    if TYPE_CHECKING:

        @overload
        def __init__(
            self: ForeignKey[R], model: type[R], related_name: str | None = ..., *, required: Literal[True] = ...,
            **options: Any,
        ) -> None: ...
        @overload
        def __init__(
            self: ForeignKey[R | None], model: type[R], related_name: str | None = ..., *, required: Literal[False],
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
            self.related_manager_class = options.pop("related_manager_class", None)
            self.on_delete = options.pop("on_delete", None)
            super().__init__(**options)
            self.options |= {
                "model": model,
                "related_name": related_name,
                "related_manager_class": self.related_manager_class,
                "on_delete": self.on_delete,
            }
            self.relmodel: Any = model
            self.related_name = related_name
            if self.on_delete == SET_NULL and self.required:
                raise FieldError("A ForeignKey with on_delete=SET_NULL cannot be required. Add required=False.")

    @property
    def column_type(self) -> Any:  # type: ignore[override]
        """The type of the related model's ids."""
        return self.related_pk.column_type if not isinstance(self.relmodel, str) else "int"

    @property
    def storage(self) -> Field[Any]:
        """The field whose scalars are stored: the related model's primary key."""
        return self.related_pk

    @property
    def related_pk(self) -> Field[Any]:
        """The primary key of the related model; ``ImproperlyConfigured`` while that model is not defined."""
        if isinstance(self.relmodel, str):
            raise ImproperlyConfigured(f'{self} refers to the model "{self.relmodel}", which is not defined (yet).')
        pk: Field[Any] = self.relmodel._meta.pk
        return pk

    def get_attname(self) -> str:
        return f"{self.name}_id"

    def register_with_model(self, name: str, model: Any) -> None:
        super().register_with_model(name, model)
        setattr(model, name, LazyForeignKey(self))
        if not model._meta.abstract:
            refer(model, self.relmodel, self._found)

    def _found(self, relmodel: Any) -> None:
        from .related import One2Many

        self.relmodel = relmodel
        if self.on_delete is None:
            own = relmodel is self.model
            self.on_delete = CASCADE if self.required or own else SET_NULL
        name = self.related_name or f"{self.meta.name}_{self.name}_set"
        self.related_name = name
        relmodel._meta.add_related(name, One2Many(self, name))

    def column(self) -> Column:
        return Column(self.attname, self.column_type, self.unique, "" if self.unique else "equal")

    def to_python(self, value: Any, backend: Any = None) -> Any:
        if value is None or value == "":
            return self.get_default()
        if hasattr(value, "_meta"):
            return self._checked(value).pkvalue()
        return self.related_pk.to_python(value)

    def _checked(self, value: Any) -> Any:
        if not isinstance(value, self.relmodel):
            raise InvalidValue(self, value, f'is not a "{self.relmodel._meta}", which this key refers to')
        return value

    def dump(self, value: Any) -> Scalar:
        return self.related_pk.dump(value)

    def load(self, scalar: Any) -> Any:
        return self.related_pk.load(scalar)

    def serialise(self, value: Any, lookup: str | None = None) -> Scalar:
        converted = None if value is None or value == "" else self.to_python(value)
        return None if converted is None else self.dump(converted)

    def json_serialise(self, value: Any) -> Any:
        return None if value is None else self.related_pk.json_serialise(value)

    def set_value(self, instance: Model, value: Any) -> None:
        if hasattr(value, "_meta"):
            setattr(instance, self.name, value)
        else:
            instance.__dict__[self.attname] = self.to_python(value)
            instance.__dict__.pop(self.cache_name, None)

    def get_value(self, instance: Model, *bits: str) -> Any:
        value = getattr(instance, self.name)
        return value.get_attr_value("__".join(bits)) if bits and value is not None else value

    def scorefun(self, value: Any) -> float:
        return self.related_pk.scorefun(value)

    @property
    def cache_name(self) -> str:
        """The instance attribute that holds the related object."""
        return f"_{self.name}_cache"

    def cached(self, instance: Model) -> Any:
        """Return the related object if it is on the instance and still the one that the id names, else ``None``."""
        found = instance.__dict__.get(self.cache_name)
        if found is None:
            return None
        id = instance.__dict__.get(self.attname)
        return found if id is None or found.pkvalue() == id else None

    def put(self, instance: Model, related: Any) -> None:
        """Put the related object that was loaded for an instance in its place; ``None``: there is no such row."""
        if related is None:
            instance.__dict__[self.attname] = None
        instance.__dict__[self.cache_name] = related


class LazyForeignKey(LazyProxy):
    """The attribute of a foreign key: the related object on an instance, this object on the class."""

    field: ForeignKey[Any]

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is None:
            return self
        field = self.field
        found = field.cached(instance)
        if found is not None:
            return found
        id = getattr(instance, field.attname)
        if id is None:
            return self._missing(instance, None)
        related = self.load(instance, id)
        if related is None and field.required:
            return self._missing(instance, id)
        field.put(instance, related)
        return related

    def load(self, instance: Any, id: Any) -> Any:
        """Fetch the related object in the instance's session, blocking; ``None`` if there is no such row."""
        if instance.session is None:
            raise RelationNotLoaded(self.field, "the instance has no session; load it through one")
        session = instance.session.blocking(f'await obj.load("{self.field.name}")')
        found = session.query(self.field.relmodel).filter(**{self.field.related_pk.name: id})[:1]
        return found[0] if found else None

    def _missing(self, instance: Any, id: Any) -> None:
        if self.field.required:
            what = "is not set" if id is None else f"refers to {id!r}, which does not exist"
            raise self.field.relmodel.DoesNotExist(f"{self.field} of this instance {what}.")

    def __set__(self, instance: Any, value: Any) -> None:
        field = self.field
        if value is None:
            instance.__dict__[field.attname] = None
            instance.__dict__.pop(field.cache_name, None)
        elif hasattr(value, "_meta"):
            instance.__dict__[field.attname] = field._checked(value).pkvalue()
            instance.__dict__[field.cache_name] = value
        else:
            problem = f'is not a "{field.relmodel._meta}"; assign an instance, or an id to {field.attname}'
            raise InvalidValue(field, value, problem)
