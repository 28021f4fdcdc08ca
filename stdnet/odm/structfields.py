"""Structure fields: a structure beside each row, or one for the model, as an attribute.

The field is no column. Its proxy gives each instance its own handle, of the surface that fits the instance's session.
"""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

from ..contract import Kind
from ..errors import FieldError, InvalidTransaction, ModelNotAvailable, StructureFieldError
from ..utils.encoders import Bytes, Encoder, Json
from .fields import Field, LazyProxy
from .modelpickler import ModelFieldPickler
from .references import refer
from .runner import Program
from .structures import TS, HashTable, List, Set, String, Structure, Zset

if TYPE_CHECKING:
    from typing_extensions import Self

    from .model import Model


class StructureFieldProxy(LazyProxy):
    """The attribute of a structure field: the structure on an instance, this object on the class."""

    field: StructureField

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is None or self.field.class_field:
            return self
        return self.load(instance, instance.session)

    def __set__(self, instance: Any, value: Any) -> None:
        raise AttributeError(
            f'"{self.name}" of "{instance._meta}" cannot be set: it is a structure. Change it by its own methods.'
        )

    def load(self, instance: Any, session: Any) -> Structure:
        """Return the structure of an instance, the same one each time, in the instance's session."""
        if session is None:
            raise StructureFieldError(
                f'No session available for "{self.name}" of this "{instance._meta}". Add the instance to one first.'
            )
        structure: Structure | None = instance.__dict__.get(self.field.cache_name)
        if structure is None or structure.is_async is not session.is_async:
            structure = self.field.structure(session, instance)
            structure.place()  # raises unless the row is stored
            instance.__dict__[self.field.cache_name] = structure
        structure.session = session
        return structure

    def load_from_manager(self, manager: Any) -> Structure:
        """Return the structure of the model, in a new session; ``NotImplementedError`` if each row has its own."""
        if not self.field.class_field:
            raise NotImplementedError(f"{self.field} belongs to instances, not to {manager}.")
        made: Structure = self.field.structure(manager.session())
        return made


class StructureField(Field[Any]):
    """Base of the fields that are structures. Never indexed, unique or required.

    ``model``: the structure holds instances of it, by their primary keys; a class or a name as for a ``ForeignKey``.
    ``pickler`` and ``value_pickler`` write and read keys and values. ``class_field=True``: there is one structure for
    the model, ``router.model.name``, and none on instances. All other options go to the structure.
    """

    class_index = False
    class_required = False
    indexable = False
    is_column = False
    is_structure = True
    proxy = StructureFieldProxy
    default_value_pickler: ClassVar[Encoder | None] = None

    def __init__(
        self,
        model: Any = None,
        pickler: Encoder | None = None,
        value_pickler: Encoder | None = None,
        class_field: bool = False,
        **options: Any,
    ) -> None:
        known: dict[str, Any] = {name: options.pop(name) for name in ("hidden", "charset") if name in options}
        for name in ("unique", "primary_key", "required", "index", "as_cache", "default"):
            options.pop(name, None)  # what a structure never is
        super().__init__(**known)
        self.options = {
            **known,
            **options,
            "model": model,
            "pickler": pickler,
            "value_pickler": value_pickler,
            "class_field": class_field,
        }
        self.relmodel: Any = model
        self.pickler = pickler
        self.value_pickler = value_pickler
        self.class_field = class_field
        self.struct_params = options

    if TYPE_CHECKING:

        def __get__(self, instance: object, owner: Any) -> Any: ...
        def __set__(self, instance: object, value: NoReturn) -> None: ...

    def copy(self) -> Self:
        return type(self)(**self.options)

    def prepare(self) -> None:
        if self.relmodel is not None:
            refer(self.model, self.relmodel, self._found)

    def _found(self, relmodel: Any) -> None:
        if relmodel._meta.abstract:
            raise FieldError(f'{self} refers to "{relmodel._meta}", which is abstract and has no rows.')
        self.relmodel = relmodel

    def structure_class(self) -> builtins.type[Structure]:
        """Return the class of the structures, with either surface."""
        raise NotImplementedError(f"{type(self).__name__} does not say what its structure is.")

    @property
    def kind(self) -> Kind:
        """The kind of the structures."""
        kind = self.structure_class().kind
        if kind is None:
            raise ModelNotAvailable(f"{self.structure_class().__name__} has no kind. Set it to a stdnet.contract.Kind.")
        return kind

    @property
    def cache_name(self) -> str:
        """The instance attribute that holds the structure."""
        return f"_{self.name}_cache"

    def get_cache_name(self) -> str:
        """Return the name of the instance attribute that holds the structure."""
        return self.cache_name

    def todelete(self) -> bool:
        """Return whether the structure goes with its row."""
        return True

    def to_python(self, value: Any, backend: Any = None) -> None:
        return None

    def structure(self, session: Any, owner: Model | None = None) -> Structure:
        """Return a new handle of the structure of a row, or of the model."""
        if isinstance(self.relmodel, str):
            raise FieldError(f'{self} refers to the model "{self.relmodel}", which is not defined. Import its module.')
        cls = self._surface(session.is_async)
        params: dict[str, Any] = dict(self.struct_params)
        if self.pickler is not None:
            params["pickler"] = self.pickler
        value_pickler = self.value_pickler or cls.value_pickler
        if value_pickler is None and self.relmodel is not None:
            value_pickler = ModelFieldPickler(self.relmodel)
        value_pickler = value_pickler or self.default_value_pickler
        return cls(value_pickler, self.name, self, session, owner, **params)

    def _surface(self, is_async: bool) -> builtins.type[Structure]:
        cls = self.structure_class()
        found = cls if cls.is_async is is_async else cls.twin
        if found is None or found.kind is not cls.kind:
            raise InvalidTransaction(
                f"{cls.__name__} has no {'async ' if is_async else 'blocking '}twin. Make one, and call odm.twins."
            )
        return found

    def attach(self, instances: Sequence[Any], raws: Sequence[Any], session: Any) -> Program[None]:
        """Give instances their structures with the content that came along; all values are decoded together."""
        structures = [self.structure(session, instance) for instance in instances]
        parts = [each._encoded(raw) for each, raw in zip(structures, raws, strict=True)]
        if not structures:
            return
        values = yield from structures[0]._decode([each for part in parts for each in part])
        start = 0
        for instance, structure, part, raw in zip(instances, structures, parts, raws, strict=True):
            structure.cache.set_cache(structure._assembled(raw, values[start : start + len(part)]))
            instance.__dict__[self.cache_name] = structure
            start += len(part)


class ListField(StructureField):
    """A list beside each row.

    >>> from stdnet import odm
    >>> class Ticket(odm.StdModel):
    ...     notes = odm.ListField()
    ...     class Meta:
    ...         register = False
    >>> models = odm.Router("memory://")
    >>> backend = models.register(Ticket)
    >>> ticket = models.ticket.new()
    >>> ticket.notes.push_back("opened").push_back({"level": 2}).items()
    ['opened', {'level': 2}]
    """

    type = "list"
    default_value_pickler = Json()

    def structure_class(self) -> builtins.type[Structure]:
        return List


class SetField(StructureField):
    """A set beside each row; with ``ordered=True`` a sorted set."""

    default_value_pickler = Json()

    def __init__(self, *args: Any, ordered: bool = False, **options: Any) -> None:
        super().__init__(*args, **options)
        self.options["ordered"] = ordered
        self.ordered = ordered

    def structure_class(self) -> builtins.type[Structure]:
        return Zset if self.ordered else Set


class HashField(StructureField):
    """A hash table beside each row."""

    type = "hash"
    default_value_pickler = Json()

    def structure_class(self) -> builtins.type[Structure]:
        return HashTable


class TimeSeriesField(StructureField):
    """A time series beside each row."""

    type = "ts"
    default_value_pickler = Json()

    def structure_class(self) -> builtins.type[Structure]:
        return TS


class StringField(StructureField):
    """Bytes beside each row, which grow at the end."""

    default_value_pickler = Bytes()

    def structure_class(self) -> builtins.type[Structure]:
        return String
