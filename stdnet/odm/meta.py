"""ModelMeta: what is known about a model class, and the table of all models by hash.

A model's meta is filled once, when the class is made, and does not change afterwards. From it come the contract's
``Table`` and the codec. Nothing here does I/O or knows a session.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from ..contract import Table
from ..errors import AbstractModel, DuplicateModel, FieldError, ImproperlyConfigured
from . import together
from .codec import Codec
from .deadlines import checked_ttl
from .fields import Field, LazyProxy
from .scalarfields import AutoIdField
from .signals import Event
from .state import autoincrement, orderinginfo

if TYPE_CHECKING:
    from .jsonfield import JSONField
    from .links import Link
    from .model import Model

JSPLITTER = "__"

M = TypeVar("M", bound="Model")

_models: dict[str, type[Model]] = {}

class_prepared = Event()
"""Fired by each model that is not abstract, as soon as its meta is complete."""

class_dropped = Event()
"""Fired when a class statement failed after its model was tied to others."""


def split(name: str) -> tuple[str, str]:
    """Split a name at its first ``__``; underscores at the end of a field's name are a part of it.

    >>> split("group__name__gt"), split("type___gt"), split("type_")
    (('group', 'name__gt'), ('type_', 'gt'), ('type_', ''))
    """
    first, _, rest = name.partition(JSPLITTER)
    tail = rest.lstrip("_")
    return first + "_" * (len(rest) - len(tail)), tail


def hash_of(modelkey: str) -> str:
    """Return the hash of a model key: 8 hexadecimal digits that are stored in databases and never change.

    >>> hash_of("examples.simplemodel")
    'afc1f074'
    """
    from hashlib import sha1  # late: few programs ask, and it loads OpenSSL

    return sha1(f"python-stdnet({modelkey})".encode()).hexdigest()[:8]


def hashmodel(model: type[Model]) -> str:
    """Return the model's hash, and enter the model into the table of all models.

    Raises ``DuplicateModel``, a ``KeyError``, if another class, or the same a second time, has that key.
    """
    enter(model)
    return hash_of(model._meta.modelkey)


def enter(model: type[Model]) -> None:
    """Enter a model into the table of all models, as ``hashmodel`` does."""
    meta = model._meta
    if meta.modelkey in _models:
        raise DuplicateModel(meta.modelkey)
    _models[meta.modelkey] = model


def forget(model: type[Model]) -> None:
    """Undo what a model that is not to be has entered elsewhere."""
    class_dropped.fire(model)
    if _models.get(model._meta.modelkey) is model:
        del _models[model._meta.modelkey]


def get_model_from_hash(hash: str) -> type[Model] | None:
    """Return the model with that hash, or ``None``."""
    return next((model for model in _models.values() if model._meta.hash == hash), None)


def get_hash_from_model(model: type[Model]) -> str | None:
    """Return the hash of a registered model, ``None`` for an abstract or unregistered one."""
    return model._meta.hash


def unique_tuple(*iterables: Iterable[Any] | None) -> tuple[Any, ...]:
    """Return the elements in order, each once; arguments that are empty or ``None`` are skipped."""
    return tuple(dict.fromkeys(element for iterable in iterables if iterable for element in iterable))


class ModelMeta(Generic[M]):
    """Everything about a model class: its names, fields, primary key, ordering and table.

    ``fields`` holds all fields, the pk last; ``dfields`` maps names to fields; ``scalarfields`` are the fields that are
    columns, without the pk; ``indices`` are those with an index, ``foreignkeys`` those that refer to other rows.
    ``manytomany`` are the names of many-to-many fields, ``multifields`` the structure fields; neither are columns, and
    ``dfields`` does not have them. ``together`` are the combinations of fields that are unique, ``version`` is the
    ``VersionField``, if there is one. ``related`` holds, by attribute name, the managers of rows that other models link
    to this one. ``abstract`` models have no rows. ``ttl`` is the
    number of seconds that a row lives after each save, infinity if only ``expire`` sets deadlines, ``None`` if rows
    cannot have any.
    """

    def __init__(
        self,
        model: type[M],
        fields: dict[str, Field[Any]],
        /,
        app_label: str | None = None,
        modelkey: str | None = None,
        name: str | None = None,
        register: bool = True,
        pkname: str | None = None,
        ordering: str | autoincrement | None = None,
        attributes: Iterable[str] | None = None,
        abstract: bool = False,
        unique_together: Any = (),
        ttl: float | timedelta | None = None,
        **unknown: Any,
    ) -> None:
        _check_options(model, attributes, app_label=app_label, modelkey=modelkey, name=name, pkname=pkname)
        self.model = model
        self.abstract = abstract
        self.registers = register
        self.app_label = app_label_of(model.__module__) if app_label is None else app_label
        self.name = (name or model.__name__).lower()
        self.modelkey = modelkey or (f"{self.app_label}.{self.name}" if self.app_label else self.name)
        self.attributes: tuple[str, ...] = unique_tuple(attributes)
        self.dfields: dict[str, Field[Any]] = {}
        self.parsed: dict[str, tuple[Field[Any], str]] = {}  # keywords of filters: what they mean, once they were used
        self.fields: list[Field[Any]] = []
        self.scalarfields: list[Field[Any]] = []
        self.foreignkeys: list[Any] = []
        self.manytomany: list[str] = []
        self.multifields: list[Any] = []
        self.maps: list[Any] = []
        self.related: dict[str, Any] = {}
        model._meta = self
        if pk := self._primary_key(fields, pkname or "id"):
            fields = {name: field for name, field in fields.items() if field is not pk[1]} | {pk[0]: pk[1]}
        for name, field in fields.items():
            self._enter(name, field)
        if pk:
            self.pk: Field[Any] = pk[1]
        self._check_attributes()
        self.indices = [field for field in self.scalarfields if field.index]
        self.together = together.combinations(self, unique_together)
        self.version = self._version()
        self.ordering = None if ordering is None else self._ordering(ordering)
        self.ttl = checked_ttl(model, ttl)
        if not abstract:
            self._prepare(register)

    def _enter(self, name: str, field: Field[Any]) -> None:
        """Register a field and put it where it belongs."""
        field.register_with_model(name, self.model)
        self.fields.append(field)
        if not field.is_column and not field.is_structure:
            self.manytomany.append(name)
            return
        for other in (*self.dfields.values(), *self.multifields):
            if field.attname in (other.name, other.attname) or name == other.attname:
                raise FieldError(f"{field} and {other} share the attribute {other.attname!r}. Choose another name.")
        if field.is_structure:
            self.multifields.append(field)
            return
        self.dfields[name] = field
        if not field.primary_key:
            self.scalarfields.append(field)
            if field.is_relation:
                self.foreignkeys.append(field)
            elif field.is_map:
                self.maps.append(field)

    def _prepare(self, register: bool) -> None:
        """Tie the model to others; after a ``FieldError`` nothing is left of it."""
        if register:
            enter(self.model)
        try:
            for field in sorted(
                self.fields, key=lambda field: not field.is_column
            ):  # links change other models, so last
                field.prepare()
            class_prepared.fire(self.model)
        except BaseException:
            forget(self.model)
            raise

    def adopt(self, fields: dict[str, Field[Any]]) -> None:
        """Add fields to a model that exists, the last of them as its primary key instead of the automatic one."""
        if type(self.pk) is not AutoIdField:
            raise FieldError(
                f'"{self.modelkey}" joins two models, so its primary key is made of theirs. Remove {self.pk}.'
            )
        del self.dfields[self.pk.name]
        self.fields.remove(self.pk)
        for name, field in fields.items():
            self._enter(name, field)
        self.pk = self.fields[-1]
        self.indices = [field for field in self.scalarfields if field.index]
        for name in ("table", "codec"):
            self.__dict__.pop(name, None)
        for field in fields.values():
            field.prepare()

    def add_related(self, name: str, manager: Any) -> None:
        """Give the model a manager of rows that refer to it; ``FieldError`` if the name is taken."""
        self.check_related(name, manager.field)
        self.related[name] = manager
        setattr(self.model, name, manager)

    def check_related(self, name: str, field: Field[Any]) -> None:
        """Raise ``FieldError`` unless a field of another model can give this one a manager ``name``."""
        taken = name in self.related or any(name in (own.name, own.attname) for own in self.dfields.values())
        if self.abstract:
            raise FieldError(f'{field} refers to "{self.modelkey}", which is abstract and has no rows.')
        if taken or not _is_free(self.model, name):
            raise FieldError(
                f'{field} would give "{self.modelkey}" the attribute {name!r}, which it has already. '
                "Choose another related_name."
            )
        if name.startswith("_") or JSPLITTER in name:
            raise FieldError(f"{field}: related_name {name!r} begins with '_' or contains '__'. Choose another.")

    def drop_related(self, model: type[Any]) -> None:
        """Undo each ``add_related`` that a field of ``model`` did."""
        for name in [name for name, manager in self.related.items() if manager.field.model is model]:
            del self.related[name]
            delattr(self.model, name)

    def field(self, name: str) -> Field[Any] | None:
        """Return the field of that name, or what stands for a leaf of a flat JSON field; ``None`` if there is none."""
        of, path = self.flat(name)
        return self.dfields.get(name) if of is None else of.leaf(path)

    def columns(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return the names by which a backend knows fields, and leaves of flat JSON fields."""
        fields = map(self.field, names)
        return tuple(field.attname for field in fields if field is not None)

    def flat(self, name: str) -> tuple[JSONField | None, str]:
        """Return the flat JSON field that a name begins with, and the path that follows; ``None`` if there is none."""
        for field in self.maps:
            if name.startswith(f"{field.attname}{JSPLITTER}") and len(name) > len(field.attname) + 2:
                return field, name[len(field.attname) + 2 :]
        return None, ""

    def link(self, name: str) -> Link | None:
        """Return how rows reach others by the field or the related name; ``None`` if that is not a relation."""
        source = self.dfields.get(name) or self.related.get(name)
        link: Link | None = None if source is None else source.link()
        return link

    def multifield(self, name: str) -> Any:
        """Return the structure field of that name that rows have one of each, or ``None``."""
        return next((field for field in self.multifields if field.name == name and not field.class_field), None)

    def _primary_key(self, fields: dict[str, Field[Any]], default_name: str) -> tuple[str, Field[Any]] | None:
        declared = [(name, field) for name, field in fields.items() if field.primary_key]
        if len(declared) > 1:
            names = " and ".join(name for name, _ in declared)
            raise FieldError(f'Model "{self.modelkey}" has two primary keys, {names}. Declare one.')
        if declared or self.abstract:
            return declared[0] if declared else None
        if default_name in fields:
            raise FieldError(
                f'Model "{self.modelkey}" has a field "{default_name}" that is not its primary key, which needs the '
                "name. Give that field primary_key=True, or set Meta.pkname to another name."
            )
        return default_name, AutoIdField(primary_key=True)

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            if name in ("pk", "codec", "table"):  # what an abstract model lacks
                raise AbstractModel(self.modelkey)
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}.")

    def _version(self) -> Field[Any] | None:
        found = [field for field in self.scalarfields if field.is_version]
        if len(found) > 1:
            raise FieldError(
                f'Model "{self.modelkey}" has two versions, {found[0].name} and {found[1].name}. Keep one.'
            )
        return found[0] if found else None

    def _check_attributes(self) -> None:
        for name in self.attributes:
            if not isinstance(name, str) or name.startswith("_") or name in self.dfields or hasattr(self.model, name):
                raise FieldError(
                    f'Attribute {name!r} of model "{self.modelkey}" begins with "_" or is the name of a field '
                    "or of an attribute that the class has. Choose another name."
                )

    def _ordering(self, ordering: Any) -> orderinginfo:
        info = self.get_sorting(ordering, ImproperlyConfigured)
        if info.auto is None and (info.field.internal_type != "numeric" or info.field.is_relation):
            raise ImproperlyConfigured(
                f'"{self.modelkey}" cannot be ordered by "{info.name}": {type(info.field).__name__} gives no number. '
                "Order by a number or a date, or use sort_by in queries."
            )
        return info

    @property
    def type(self) -> str:
        """``"object"`` for models with rows."""
        return self.model._model_type

    @property
    def hash(self) -> str | None:
        """The model's hash; ``None`` if it is abstract or not in the table of all models."""
        return hash_of(self.modelkey) if _models.get(self.modelkey) is self.model else None

    @cached_property
    def table(self) -> Table:
        """The contract's description of this model."""
        order = "id" if self.ordering is None else "score" if self.ordering.auto is None else "count"
        return Table(
            self.modelkey,
            self.pk.column(),
            tuple(field.column() for field in self.scalarfields),
            auto=isinstance(self.pk, AutoIdField),
            order=order,  # type: ignore[arg-type]
            structures=tuple((field.name, field.kind) for field in self.multifields if not field.class_field),
            together=tuple(tuple(field.attname for field in fields) for fields in self.together),
            ttl=self.ttl is not None,
        )

    @cached_property
    def indexed(self) -> dict[str, Field[Any]]:
        """The fields, by name, that are found by value through an index, but for relations."""
        return {name: field for name, field in self.dfields.items() if field.index and not field.is_relation}

    @cached_property
    def codec(self) -> Codec[M]:
        """The compiled conversions between instances and rows."""
        return Codec(self)

    def pkname(self) -> str:
        """Return the name of the primary key."""
        return self.pk.name

    def pk_to_python(self, value: Any, backend: Any = None) -> Any:
        """Return the Python value of a primary key."""
        return self.pk.to_python(value, backend)

    def make_object(self, state: tuple[Any, Any, dict[str, Any]] | None = None, backend: Any = None) -> M:
        """Return an instance made without ``__init__``, filled by ``load_state`` if a state is given."""
        instance = self.model.__new__(self.model)
        if state is not None:
            self.load_state(instance, state, backend)
        return instance

    def load_state(self, obj: Any, state: tuple[Any, Any, dict[str, Any]], backend: Any = None) -> Any:
        """Fill an instance from ``(pk, loadedfields, data)``; fields that are absent in ``data`` get their defaults.

        ``data`` holds what ``todict`` gives: scalars by field name, and the pk under which the row is stored, if it is.
        """
        pk, loadedfields, data = state
        pkname = self.pkname()
        setattr(obj, pkname, None if pk is None else self.pk.to_python(pk, backend))
        if loadedfields is not None:
            obj._loadedfields = tuple(loadedfields)
        for field in obj.loadedfields():
            scalar = data.get(field.name)
            if field.is_map and loadedfields is not None and field.name not in loadedfields:
                obj.__dict__[field.attname] = field.assemble(scalar or {}, (scalar or {}).values())
            else:
                setattr(obj, field.attname, field.get_default() if scalar is None else field.load(scalar))
        for name in self.attributes:
            setattr(obj, name, data.get(name))
        stored = data.get("__dbdata__", {}).get(pkname)
        if stored is not None or backend is not None:
            obj.dbdata[pkname] = getattr(obj, pkname) if stored is None else stored
        return obj

    def is_valid(self, instance: M) -> bool:
        """Validate: fill ``dbdata['cleaned_data']`` and ``dbdata['errors']`` and return whether there are no errors."""
        values, errors = self.codec.clean(instance)
        instance.dbdata["errors"] = errors
        cleaned = {name: value for name, value in values.items() if value is not None}
        for name in [name for name in cleaned if self.maps]:
            of = self.flat(name)[0] or self.dfields.get(name)
            if of is not None and of.is_map:
                cleaned |= of.shown(name, cleaned.pop(name))  # type: ignore[attr-defined]
        instance.dbdata["cleaned_data"] = cleaned
        return not errors

    def get_sorting(
        self, sortby: str | autoincrement, errorClass: Callable[[str], Exception] | None = None
    ) -> orderinginfo:
        """Parse an ordering: a field name, with a leading ``-`` for descending, or an ``autoincrement``."""
        if isinstance(sortby, autoincrement):
            return orderinginfo(sortby, self.pk, sortby.desc, self.model, None, sortby)
        desc = isinstance(sortby, str) and sortby.startswith("-")
        name = sortby[1:] if desc else sortby
        first, rest = split(name) if isinstance(name, str) else ("", "")
        field = self.dfields.get(first)
        of, path = self.flat(name) if isinstance(name, str) else (None, "")
        if of is not None:
            leaf = of.leaf(path)
            return orderinginfo(leaf.attname, leaf, desc, self.model, None, None)
        nests = field is not None and field.is_relation and not rest.startswith("-")
        if field is None or field.is_map or not (nests if rest else name == first):
            raise (errorClass or ValueError)(
                f'"{self.modelkey}" cannot order by attribute "{name}". It is not a scalar field.'
            )
        nested = field.related_meta.get_sorting(rest, errorClass) if rest else None  # type: ignore[attr-defined]
        return orderinginfo(field.attname, field, desc, self.model, nested, None)

    def backend_fields(self, fields: Iterable[str]) -> tuple[list[str], list[str]]:
        """Return the names and the column names of ``fields``, without the pk, repetitions and unknown names."""
        known = [self.dfields[name] for name in dict.fromkeys(fields) if name in self.dfields]
        scalars = [field for field in known if not field.primary_key]
        return [field.name for field in scalars], [field.attname for field in scalars]

    def as_dict(self) -> dict[str, Any]:
        """Return a description of the model as plain data."""
        auto = None if self.ordering is None else self.ordering.auto
        return {
            "id_name": self.pkname(),
            "id_type": 1 if isinstance(self.pk, AutoIdField) else 3,
            "sorted": self.ordering is not None,
            "autoincr": None if auto is None else auto.incrby,
            "multi_fields": [field.name for field in self.multifields],
            "indices": {field.attname: field.unique for field in self.indices},
        }

    def score(self, instance: M) -> float | None:
        """Return the score of an instance for the model's ordering; ``None`` if it is unknown or there is none."""
        info = self.ordering
        if info is None:
            return None
        sign = -1.0 if info.desc else 1.0
        if info.auto is not None:
            return sign * info.auto.incrby
        if info.name not in instance.__dict__:
            return None
        value = instance.__dict__[info.name]
        return sign * (MISSING_SCORE if value is None else info.field.scorefun(value))

    def __str__(self) -> str:
        return self.modelkey

    __repr__ = __str__


MISSING_SCORE = -1e99
"""Rows without a value for the ordering field come first."""


def _is_free(model: type[Any], name: str) -> bool:
    """Whether an attribute can be set on a model; what a base got from other models can be replaced."""
    return not hasattr(model, name) or (name not in vars(model) and isinstance(getattr(model, name), LazyProxy))


def _check_options(model: type[Any], attributes: Any, **names: Any) -> None:
    for option, value in names.items():
        if value is not None and (not isinstance(value, str) or _has_surrogates(value)):
            raise ImproperlyConfigured(f"Meta.{option} of {model.__name__} is a text, not {value!r}.")
    if isinstance(attributes, str) or not isinstance(attributes, (Iterable, type(None))):
        raise ImproperlyConfigured(f"attributes of {model.__name__} is a tuple of names, not {attributes!r}.")


def _has_surrogates(text: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in text)


def app_label_of(module: str) -> str:
    """Return the app label of the models of a module: the last part of its name that is not ``models``."""
    parts = module.split(".")
    return parts[-2] if parts[-1] == "models" and len(parts) > 1 else parts[-1]
