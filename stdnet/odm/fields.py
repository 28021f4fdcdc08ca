"""Field: the base of all fields, its options and its place in a model.

A field converts twice. ``to_python`` turns what a user gives into the Python value that an instance holds; ``dump``
turns that into the scalar that crosses the contract, and ``load`` turns the scalar back. Concrete scalar fields
are in ``scalarfields``; nothing here knows a session, a query or a backend.
"""

from __future__ import annotations

import builtins
import codecs
from collections.abc import Hashable
from itertools import count
from typing import TYPE_CHECKING, Any, ClassVar, Generic, NoReturn, TypeVar, overload

from ..contract import Column, Scalar
from ..contract.requests import ScalarType
from ..errors import FieldError, FieldOptionError, FieldValueError, InvalidValue

if TYPE_CHECKING:
    from typing_extensions import Self

    from .links import Link
    from .meta import ModelMeta
    from .model import Model

T = TypeVar("T")

_creation = count()


class Field(Generic[T]):
    """One attribute of a model and the column that stores it.

    Options, all by keyword: ``unique`` (no two rows share a value; implies ``index``), ``primary_key``, ``required``
    (a blank value is refused at commit), ``index`` (equality filters are possible; on numbers and dates also
    ranges in O(log n + k)), ``hidden`` (left out of full-text search), ``as_cache`` (reproducible data: never
    required or indexed, left out of clones and dumps), ``default`` (a value, or a function without arguments).

    An unknown option raises ``FieldOptionError``, which is a ``TypeError``.
    """

    type: str | None = None
    """The kind of field, by its traditional name."""

    internal_type: str | None = None
    """``"text"``, ``"numeric"`` or ``"bytes"``."""

    python_type: Any = None
    """The type of the values on instances."""

    column_type: ClassVar[ScalarType | None] = None
    """The type of the scalars that are stored; ``None`` on abstract field classes."""

    indexable: ClassVar[bool] = True
    class_index: ClassVar[bool] = True
    class_required: ClassVar[bool] = True
    class_default: ClassVar[Any] = None
    equal_index: ClassVar[bool] = False
    """Whether an index on this kind of number is for equality alone (few distinct values)."""
    is_column: ClassVar[bool] = True
    """Whether the field is stored with the row."""
    is_relation: ClassVar[bool] = False
    """Whether the field refers to rows of a model."""
    is_version: ClassVar[bool] = False
    """Whether the field counts the saves of its row."""
    is_structure: ClassVar[bool] = False
    """Whether the field is a structure beside the row."""
    class_field: bool = False
    """Whether the field belongs to the model as a whole."""
    proxy: ClassVar[builtins.type[LazyProxy] | None] = None
    """What the field leaves on the model class, if anything."""

    name: str
    attname: str
    meta: ModelMeta[Any]
    model: Any

    def __init__(
        self,
        unique: bool = False,
        primary_key: bool = False,
        required: bool | None = None,
        index: bool | None = None,
        hidden: bool | None = None,
        as_cache: bool = False,
        **extras: Any,
    ) -> None:
        self.options = {
            "unique": unique,
            "primary_key": primary_key,
            "required": required,
            "index": index,
            "hidden": hidden,
            "as_cache": as_cache,
            **extras,
        }
        self.creation_counter = next(_creation)
        self.primary_key = primary_key and self.indexable
        self.unique = (unique or self.primary_key) and self.indexable
        self.required = self.class_required if required is None else required
        self.index = (self.unique or (self.class_index if index is None else index)) and self.indexable
        self.as_cache = as_cache and not self.primary_key
        self.hidden = bool(hidden)
        if self.primary_key:
            self.required = True
        if self.as_cache:
            self.required = self.unique = self.index = False
        self.charset: str = extras.pop("charset", None) or "utf-8"
        try:
            codecs.lookup(self.charset)
        except LookupError:
            raise FieldError(f"{type(self).__name__} has the unknown charset {self.charset!r}.") from None
        self._default = None if self.primary_key else extras.pop("default", self.class_default)
        extras.pop("default", None)
        self._constant: Any = None
        self._handle_extras(**extras)

    if TYPE_CHECKING:
        # Field objects leave the class when the model is made; to a type checker they are descriptors.
        @overload
        def __get__(self, instance: None, owner: Any) -> Self: ...
        @overload
        def __get__(self, instance: object, owner: Any) -> T: ...
        def __get__(self, instance: object, owner: Any) -> Any: ...
        def __set__(self, instance: object, value: T) -> None: ...

    def _handle_extras(self, **extras: Any) -> None:
        """Take the options of a subclass; raise ``FieldOptionError`` for what is left over."""
        if extras:
            raise FieldOptionError(type(self).__name__, extras)

    @property
    def default(self) -> Any:
        """The default as it was declared: a value, a function, or ``None``."""
        return self._default

    def get_default(self) -> Any:
        """Return the default as a Python value of this field; a function is called anew each time."""
        if callable(self._default):
            value = self._default()
            return None if value is None else self.convert(value)
        if self._constant is None and self._default is not None:
            self._constant = self.convert(self._default)
        return self._constant

    def get_attname(self) -> str:
        """Return the name of the instance attribute and of the column."""
        return self.name

    def copy(self) -> Self:
        """Return an unregistered field of the same class and options, for a model that inherits it."""
        return type(self)(**self.options)

    def register_with_model(self, name: str, model: Any) -> None:
        """Bind the field to a model under ``name``; a second time raises ``FieldError``."""
        if hasattr(self, "meta"):
            raise FieldError(f"Field {self} is already registered. Declare a field of its own for {model.__name__}.")
        if self.column_type is None and self.is_column:
            raise FieldError(f"{type(self).__name__} {name!r} of {model.__name__} is abstract: use a subclass of it.")
        if name.startswith("_") or "__" in name:
            raise FieldError(
                f"Field name {name!r} of {model.__name__} begins with '_' or contains '__', which separates lookups. "
                "Choose another name."
            )
        if hasattr(model, name) and not (self.proxy and isinstance(getattr(model, name), LazyProxy)):
            raise FieldError(f"Field name {name!r} hides the attribute {model.__name__}.{name}. Choose another name.")
        self.name = name
        self.meta, self.model = model._meta, model
        self.attname = self.get_attname()
        if not callable(self._default):
            self.get_default()  # an impossible default is an error of the declaration
        if self.proxy is not None:
            setattr(model, name, self.proxy(self))

    def prepare(self) -> None:
        """Do what needs the complete model; called once, when all of its fields are registered."""

    def link(self) -> Link | None:
        """Return how rows reach other rows by this field; ``None`` if it is not a relation."""
        return None

    @property
    def storage(self) -> Field[Any]:
        """The field whose ``dump`` and ``load`` are used: this one, but for a relation."""
        return self

    @property
    def unit(self) -> Hashable:
        """What the scalars mean, ``None`` for plain text and numbers; queries join fields of one unit only."""
        return None

    @property
    def is_map(self) -> bool:
        """Whether the column is a map, whose leaves have names of their own."""
        return False

    @property
    def scale(self) -> float:
        """How many of the stored units are one to a ``where`` expression."""
        return 1.0

    @property
    def cure(self) -> str:
        """What to do about a primary key that is missing."""
        return f"Give '{self.name}' a value."

    def pk_of(self, instance: Model) -> Any:
        """Return the primary key of an instance, if this field is it; ``None`` before it is known."""
        return instance.__dict__.get(self.name)

    def column(self) -> Column:
        """Return the description of the column for backends."""
        assert self.column_type is not None
        numeric = self.column_type in ("int", "float")
        if not self.index or self.primary_key:
            return Column(self.attname, self.column_type)
        if numeric and not self.equal_index:
            return Column(self.attname, self.column_type, self.unique, "range")
        return Column(self.attname, self.column_type, self.unique, "" if self.unique else "equal")

    # -- values -------------------------------------------------------------------------------------------------

    def to_python(self, value: Any, backend: Any = None) -> Any:
        """Return the Python value for ``value``, the default for a missing one; raise ``InvalidValue``."""
        return self.get_default() if value is None else self.convert(value)

    def convert(self, value: Any) -> Any:
        """Return the Python value for a value that is not ``None``; raise ``InvalidValue``."""
        return value

    def as_is(self, value: str) -> str | None:
        """Return the source of a test that a value of ``python_type`` needs no ``convert``, ``None`` if there is none.

        ``value`` is the expression for the value. An empty text means that there is nothing to test. It stands beside
        ``convert``: a class that has a ``convert`` of its own and no ``as_is`` has no test.
        """
        return None

    def dump(self, value: Any) -> Scalar:
        """Return the scalar for a Python value of this field that is not ``None``."""
        scalar: Scalar = value
        return scalar

    def load(self, scalar: Any) -> Any:
        """Return the Python value for a scalar that is not ``None``."""
        return scalar

    def set_value(self, instance: Model, value: Any) -> None:
        """Convert ``value`` and set it on ``instance``."""
        setattr(instance, self.attname, self.to_python(value))

    def set_get_value(self, instance: Model, value: Any) -> Scalar:
        """Convert ``value``, set it on ``instance``, and return its scalar."""
        converted = self.to_python(value)
        setattr(instance, self.attname, converted)
        return None if converted is None else self.dump(converted)

    def get_value(self, instance: Model, *bits: str) -> Any:
        """Return the value on ``instance``; ``bits`` descend into it where the field has an inside."""
        if bits:
            raise AttributeError(f"Field {self} has no part {'__'.join(bits)!r}.")
        return getattr(instance, self.attname)

    def serialise(self, value: Any, lookup: str | None = None) -> Scalar:
        """Return the scalar that a query compares with; model instances stand for their pk."""
        if hasattr(value, "_meta") and not isinstance(value, type):
            value = value.pkvalue()
        return None if value is None else self.dump(self.convert(value))

    def json_serialise(self, value: Any) -> Any:
        """Return a JSON form of a Python value of this field, or ``None``."""
        return value

    def from_json(self, value: Any) -> Any:
        """Return the Python value for what ``json_serialise`` gave."""
        return self.to_python(value)

    def scorefun(self, value: Any) -> float:
        """Return the number by which a model that is ordered by this field sorts ``value``."""
        raise FieldValueError(f"Could not obtain score from {type(self).__name__} {self}. Order by a number or a date.")

    def invalid(self, value: Any, problem: str) -> NoReturn:
        """Raise ``InvalidValue`` for ``value``."""
        raise InvalidValue(self, value, problem)

    def __str__(self) -> str:
        meta = getattr(self, "meta", None)
        return f"{meta}.{self.name}" if meta is not None else type(self).__name__

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self}>"


class LazyProxy:
    """Base of what a field leaves on its model class: itself on the class, something to fetch on an instance."""

    def __init__(self, field: Field[Any]) -> None:
        self.field = field

    @property
    def name(self) -> str:
        """The name of the field."""
        return self.field.name

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else self.load(instance, instance.session)

    def load(self, instance: Any, session: Any) -> Any:
        """Return the value for an instance."""
        raise NotImplementedError(f"{type(self).__name__} does not say how it is loaded.")

    def load_from_manager(self, manager: Any) -> Any:
        """Return the value for a model as a whole."""
        raise NotImplementedError(f"{self.field} belongs to instances, not to {manager}.")

    def __repr__(self) -> str:
        return self.name


class AtomField(Field[T]):
    """Base of the fields whose value is a single scalar. A model instance given as value stands for its pk."""

    def to_python(self, value: Any, backend: Any = None) -> Any:
        if type(value) is self.python_type:  # what most values are already
            return self.convert(value)
        if value is None or (value == "" and self.internal_type == "numeric"):
            return self.get_default()
        if hasattr(value, "_meta") and not isinstance(value, type):
            value = value.pkvalue()
        return self.convert(value)
