"""JSONField: a JSON value as one text, or its nested keys as fields of their own.

The flat form is a map of the contract: each value that is not a dict is a leaf, named by the keys that lead to it.
``Leaf`` is what such a name stands for in queries; it looks like a field without an index. How values are written is
in ``jsonvalues``.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from ..contract import Column, Scalar
from ..utils.jsontools import JSONDateDecimalEncoder, date_decimal_hook
from .fields import Field
from .jsonvalues import SEPARATOR, decoded, encoded, flattened, moment, nested, part_of, put

if TYPE_CHECKING:
    from .model import Model


class Part(dict[str, Any]):
    """Some leaves of a flat value: what was loaded of it. Saving it leaves the others alone."""


class JSONField(Field[Any]):
    """A JSON value: dicts, lists, numbers, booleans, ``None``, and dates, datetimes and decimals inside of them.

    Text and bytes that are assigned are JSON, and are read; a value that is a text alone has no place here. Never
    indexed. ``encoder_class`` and ``decoder_hook`` are those of ``json``; ``default`` is copied for each instance.

    ``as_string=True`` stores the value as one text, in which text lookups search. ``as_string=False`` stores the
    leaves of a dict: ``data__price__bid`` is an attribute, and can be filtered by equality, ranges, text lookups and
    ``isnull``, sorted by, and loaded alone. Filters look at each row. The key ``""`` holds the value of its level,
    ``{"pv": {"": 1, "mean": 2}}``; empty dicts inside vanish. An instance that holds only some leaves saves those,
    and adds to the others; ``None`` or ``{}`` removes all.
    """

    type = "json object"
    internal_type = "serialized"
    python_type = dict
    column_type = "str"
    indexable = False
    class_required = False
    class_default: ClassVar[Any] = {}  # copied for each instance

    def _handle_extras(self, **extras: Any) -> None:
        self.as_string: bool = extras.pop("as_string", True)
        self.encoder_class: type[json.JSONEncoder] = extras.pop("encoder_class", JSONDateDecimalEncoder)
        self.decoder_hook: Callable[[dict[str, Any]], Any] = extras.pop("decoder_hook", date_decimal_hook)
        super()._handle_extras(**extras)

    @property
    def is_map(self) -> bool:
        return not self.as_string

    def column(self) -> Column:
        return Column(self.attname, "map" if self.is_map else "str")

    def register_with_model(self, name: str, model: Any) -> None:
        super().register_with_model(name, model)
        for hook, function in {"__getattr__": _get_leaf, "__setattr__": _set_leaf}.items():
            if self.is_map and hook not in vars(model):
                setattr(model, hook, function)

    def get_default(self) -> Any:
        default = self._default() if callable(self._default) else self._default
        return None if default is None else self.convert(self._read(self._written(default)))

    def convert(self, value: Any) -> Any:
        if isinstance(value, (str, bytes, bytearray)):
            try:
                value = self._read(value)
            except (ValueError, RecursionError):
                self.invalid(value, "is not JSON")
            if isinstance(value, str):
                self.invalid(value, "is a text alone; put it into a list or a dict, or use a CharField")
        if self.is_map and not isinstance(value, dict) and value is not None:
            self.invalid(value, "is not a dictionary, which a flat JSONField holds")
        return self.get_default() if value is None else value

    def _read(self, text: Any) -> Any:
        return json.loads(text, object_hook=self.decoder_hook)

    def _written(self, value: Any) -> str:
        text = json.dumps(value, cls=self.encoder_class, ensure_ascii=False, allow_nan=False)
        text.encode()  # lone surrogates
        return text

    def dump(self, value: Any) -> Any:
        try:
            return self.leaves(value) if self.is_map else self._written(value)
        except (TypeError, ValueError, RecursionError) as error:
            self.invalid(value, f"cannot be stored as JSON: {error}")

    def load(self, scalar: Any) -> Any:
        if not self.is_map:
            return self._read(scalar)
        return nested({path: self.read_leaf(leaf) for path, leaf in scalar.items()})

    def serialise(self, value: Any, lookup: str | None = None) -> Scalar:
        self.invalid(value, "cannot be compared with JSON as a whole; the only lookups are isnull and text lookups")

    def json_serialise(self, value: Any) -> Any:
        return None if value is None else json.loads(self._written(value))

    def from_json(self, value: Any) -> Any:
        return self.to_python(value if value is None or isinstance(value, str) else json.dumps(value))

    def get_value(self, instance: Model, *bits: str) -> Any:
        value = super().get_value(instance)
        if not bits:
            return value
        if not self.is_map:
            return super().get_value(instance, *bits)
        try:
            return part_of(value, bits)
        except KeyError:
            raise AttributeError(f"{self} has nothing at {SEPARATOR.join(bits)!r}.") from None

    # -- leaves -------------------------------------------------------------------------------------------------

    def leaves(self, value: Any) -> dict[str, Any]:
        """Return the leaves of a dict as they are stored, by path."""
        return {path: self.write_leaf(leaf) for path, leaf in flattened(value)}

    def write_leaf(self, value: Any) -> Any:
        """Return the stored form of a leaf."""
        return encoded(value, self._written)

    def read_leaf(self, leaf: Any) -> Any:
        """Return the value of a stored leaf."""
        return decoded(leaf, self._read)

    def leaf(self, path: str) -> Leaf:
        """Return what stands for the leaf at ``path`` in queries."""
        return Leaf(self, path)

    def changes(self, value: Any, leaves: Mapping[str, Any]) -> dict[str, Any]:
        """Return what an instance writes, by name, that holds a part of the map: its leaves, or that all are gone."""
        if value is None or (not value and not isinstance(value, Part)):
            return {self.attname: leaves}
        return {f"{self.attname}{SEPARATOR}{path}": leaf for path, leaf in leaves.items()}

    def assemble(self, paths: Iterable[str], leaves: Iterable[Any]) -> Part:
        """Return the part of a value that is made of some of its leaves; those that are ``None`` are not there."""
        found = {path: leaf for path, leaf in zip(paths, leaves, strict=True) if leaf is not None}
        return Part(self.load(found))

    def joined(self, held: Any, loaded: dict[str, Any]) -> dict[str, Any]:
        """Return what an instance holds after more was loaded: a leaf that was loaded anew, and what else it held."""
        if not isinstance(held, Part):
            return loaded if held is None or not isinstance(loaded, Part) else held
        first, then = (held, loaded) if isinstance(loaded, Part) else (loaded, held)
        for path, leaf in flattened(then):
            put(first, path.split(SEPARATOR), leaf)
        return first

    def shown(self, name: str, stored: Any) -> dict[str, str]:
        """Return the JSON texts of a column or leaf, and of a column the marker that tells whether it has leaves."""
        if not isinstance(stored, Mapping):
            return {name: self._written(self.read_leaf(stored))}
        texts = {f"{name}{SEPARATOR}{path}": self._written(self.read_leaf(leaf)) for path, leaf in stored.items()}
        return {**texts, name: '""' if texts else "null"}


class Leaf(Field[Any]):
    """A leaf of a flat JSONField, in queries: a field without an index, whose values are of any type."""

    type = "json leaf"
    column_type = "str"
    indexable = False

    def __init__(self, of: JSONField, path: str) -> None:
        super().__init__(required=False)
        self.of, self.path = of, path
        self.name = self.attname = f"{of.attname}{SEPARATOR}{path}"
        self.meta, self.model = of.meta, of.model

    def load(self, scalar: Any) -> Any:
        return self.of.read_leaf(scalar)

    def serialise(self, value: Any, lookup: str | None = None) -> Scalar:
        """Return the leaf that a query compares with; text that reads as a number is one, as a bound."""
        if lookup in ("gt", "ge", "lt", "le"):
            return self._bound(value, lookup)
        return self.of.write_leaf(value)  # type: ignore[no-any-return]

    def _bound(self, value: Any, lookup: str) -> Scalar:
        if isinstance(value, str):
            value = _number(value)
        if isinstance(value, bool) or not isinstance(value, (int, float, str)):
            found = moment(value)
            if found is None:
                self.invalid(value, "is no bound for JSON; give a number, text or a date")
            return found + (b"\x7f" if lookup in ("gt", "le") else b"")
        if isinstance(value, float) and not math.isfinite(value):
            self.invalid(value, "is not a number in JSON")
        return self.of.write_leaf(value)  # type: ignore[no-any-return]


def _number(text: str) -> Any:
    for convert in (int, float):
        try:
            return convert(text)
        except ValueError:
            pass
    return text


def _get_leaf(instance: Any, name: str) -> Any:
    """Return a leaf, or all that is below a key, by its flat name; called for what is no attribute."""
    field, path = _field_of(instance, name)
    if field is None or field.attname not in instance.__dict__:
        raise AttributeError(f'"{type(instance).__name__}" object has no attribute {name!r}')
    return field.get_value(instance, *path.split(SEPARATOR))


def _set_leaf(instance: Any, name: str, value: Any) -> None:
    """Set an attribute, or a leaf by its flat name."""
    field, path = _field_of(instance, name) if SEPARATOR in name else (None, "")
    if field is None:
        object.__setattr__(instance, name, value)
        return
    if not isinstance(instance.__dict__.get(field.attname), dict):
        instance.__dict__[field.attname] = field.assemble((), ()) if field.attname not in instance.__dict__ else {}
    put(instance.__dict__[field.attname], path.split(SEPARATOR), value)


def _field_of(instance: Any, name: str) -> tuple[JSONField | None, str]:
    found: tuple[JSONField | None, str] = instance._meta.flat(name)
    return found
