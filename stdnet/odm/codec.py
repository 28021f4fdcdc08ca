"""Codec: the compiled conversions of one model, between instances and the rows of the contract.

Everything that does not depend on a row is worked out once per model: which columns need a conversion, which are
required, and a loader function for each set of fields that is asked for. Loaders are generated source, as
``dataclasses`` and ``collections.namedtuple`` do it: one dict display per row is three times faster than a loop
over fields. Only attribute names, which are identifiers, enter that source, and as literals.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from ..contract import Id, Row, Scalar
from ..errors import AbstractModel
from . import writers
from .fields import Field
from .jsonfield import JSONField, Leaf

if TYPE_CHECKING:
    from .meta import ModelMeta
    from .model import Model

M = TypeVar("M", bound="Model")

Loader = Callable[[Sequence[Id], Sequence[Row], Any], "list[Any]"]
"""(ids, rows, session) -> instances."""


class Codec(Generic[M]):
    """The conversions of one model."""

    def __init__(self, meta: ModelMeta[M]) -> None:
        if meta.abstract:
            raise AbstractModel(str(meta))
        self.meta = meta
        self.pkname = meta.pkname()
        self.fill = writers.filler(self.pkname, [field for field in meta.scalarfields if not field.is_relation])
        self.make_row = writers.row_maker(meta.scalarfields)
        self.added = writers.adder(meta, self.make_row)
        self.linked = [field for field in meta.scalarfields if field.is_relation]
        self.maps = {field.attname: field for field in meta.maps}
        self.scalars = {name: writers.scalar_maker(field) for name, field in meta.indexed.items()}
        self.columns = [
            (field.attname, field.to_python, writers.dumper(field), field.required) for field in meta.scalarfields
        ]
        self.pk_load = _loader_of(meta.pk)
        self.pk_scalar = writers.scalar_maker(meta.pk)
        self._loaders: dict[tuple[str, ...] | None, Loader] = {}

    def clean(self, instance: M) -> tuple[dict[str, Scalar], dict[str, str]]:
        """Convert the attributes of an instance, in place, and return its scalars and its errors, by column name."""
        state, loaded = instance.__dict__, instance._loadedfields
        values: dict[str, Scalar] = {}
        errors: dict[str, str] = {}
        for attname, to_python, dump, required in self.columns:
            if loaded is not None and attname not in state:
                continue
            value = state.get(attname)
            try:
                converted = to_python(value)
                scalar = converted if converted is None or dump is None else dump(converted)
            except Exception as error:
                errors[attname] = str(error)
                continue
            if converted is not value:
                state[attname] = converted
            if required and (scalar is None or scalar == ""):
                errors[attname] = f"Field '{attname}' is required for '{self.meta}'."
            elif loaded is not None and attname in self.maps and attname not in loaded:
                values.update(self.maps[attname].changes(value, scalar))
            else:
                values[attname] = scalar
        return values, errors

    def dump_pk(self, value: Any) -> Id | None:
        """Return the id for a pk value, ``None`` for a missing one."""
        scalar = self.pk_scalar(value)
        if scalar is not writers.LONG_WAY:
            return None if scalar == "" else scalar
        pk = self.meta.pk
        converted = pk.to_python(value)
        return None if converted is None or converted == "" else pk.dump(converted)

    def load_pk(self, id: Id) -> Any:
        """Return the pk value for an id."""
        return id if self.pk_load is None else self.pk_load(id)

    def loader(self, names: tuple[str, ...] | None) -> Loader:
        """Return the function that makes instances from rows with these fields; ``None``: from whole rows."""
        found = self._loaders.get(names)
        if found is None:
            found = self._loaders[names] = self._compile(names)
        return found

    def _compile(self, names: tuple[str, ...] | None) -> Loader:
        fields = self.meta.scalarfields if names is None else [self.meta.field(name) for name in names]
        scope: dict[str, Any] = {"cls": self.meta.model, "new": object.__new__, "load_pk": self.pk_load}
        items = [f"{self.pkname!r}: pk"]
        leaves: dict[str, list[tuple[int, str]]] = {}
        for n, field in enumerate(fields):
            if isinstance(field, Leaf):
                leaves.setdefault(field.of.attname, []).append((n, field.path))
            elif field is not None:
                items.append(f"{field.attname!r}: {_expression(n, field, scope)}")
        items[1:1] = [_part(self.maps[attname], some, scope) for attname, some in leaves.items()]
        items += [f"{name!r}: None" for name in self.meta.attributes]
        kept = "'row': row"
        if names is not None:
            scope["names"], scope["columns"] = names, self.meta.columns(names)
            items.append("'_loadedfields': names")
            kept += ", 'columns': columns"
        source = _SOURCE.format(
            columns="".join(f"v{n}, " for n in range(len(fields))),
            rows="rows" if fields else "((),) * len(ids)",
            pk="id" if self.pk_load is None else "load_pk(id)",
            items=", ".join(items),
            pkname=repr(self.pkname),
            kept=kept,
        )
        exec(source, scope)
        loader: Loader = scope["load"]
        return loader


_SOURCE = """
def load(ids, rows, session):
    made = []
    for id, row in zip(ids, {rows}):
        ({columns}) = row
        pk = {pk}
        instance = new(cls)
        instance.__dict__ = {{{items}, '_dbdata': {{'session': session, {pkname}: pk, {kept}}}}}
        made.append(instance)
    return made
"""


def _loader_of(field: Field[Any]) -> Callable[[Any], Any] | None:
    """Return the field's ``load``, or ``None`` if scalars of this field are its Python values."""
    return field.storage.load if type(field.storage).load is not Field.load else None


def _part(field: JSONField, leaves: list[tuple[int, str]], scope: dict[str, Any]) -> str:
    """Return the source of the item that is made of some leaves; the whole field, if it is there, comes after it."""
    name = f"part{leaves[0][0]}"
    scope[name], scope[f"{name}_paths"] = field.assemble, tuple(path for _, path in leaves)
    return f"{field.attname!r}: {name}({name}_paths, ({''.join(f'v{n}, ' for n, _ in leaves)}))"


def _expression(n: int, field: Field[Any], scope: dict[str, Any]) -> str:
    """Return the source that turns column ``n`` of a row into the field's Python value."""
    value = f"v{n}"
    if _loader_of(field) is not None:
        scope[f"load{n}"] = field.storage.load
        value = f"load{n}(v{n})"
    if field.default is not None:
        scope[f"default{n}"] = field.get_default
        return f"(default{n}() if v{n} is None else {value})"
    return value if value == f"v{n}" else f"(None if v{n} is None else {value})"
