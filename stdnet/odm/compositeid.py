"""CompositeIdField: a primary key that is computed from other fields, the same in every process.

The id is a digest of the stored forms of its components, each with its length before it, so that no two different
rows of components look alike. It follows the components: when one of them changes, saving moves the row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..contract.keys import text
from ..errors import FieldError
from .fields import Field

if TYPE_CHECKING:
    from typing_extensions import Self

    from .model import Model


class CompositeIdField(Field[str]):
    """A primary key made of two or more other fields, which may be declared after it.

    The components are text, numbers, dates, booleans or foreign keys. Two rows with equal components are the same row.
    ``pkvalue()`` gives the id before the instance is saved; the attribute holds the id under which it is stored.
    Keys of other rows do not follow a row that moves: assign it to them again, in the same transaction.

    >>> from stdnet import odm
    >>> class Entry(odm.StdModel):
    ...     id = odm.CompositeIdField("book", "word")
    ...     book = odm.SymbolField()
    ...     word = odm.SymbolField()
    ...     class Meta:
    ...         register = False
    >>> Entry(book="Emma", word="handsome").pkvalue()
    '982af99b1d08b020cc5f9c15f2e5b5e9'
    """

    type = "composite"
    column_type = "str"

    def __init__(self, *fields: str, **options: Any) -> None:
        if len(fields) < 2:
            raise FieldError(f"A CompositeIdField is made of two or more fields, not of {len(fields)}.")
        options["primary_key"] = True
        super().__init__(**options)
        self.names = fields
        self.fields: tuple[Field[Any], ...] = ()

    def copy(self) -> Self:
        return type(self)(*self.names, **self.options)

    def prepare(self) -> None:
        self.fields = tuple(self._component(name) for name in self.names)

    def _component(self, name: str) -> Field[Any]:
        field = self.meta.dfields.get(name)
        if field is None or field is self:
            raise FieldError(f'{self} is made of "{name}", which is not another field of "{self.meta}".')
        if field.internal_type not in ("text", "numeric"):
            raise FieldError(f"{self} is made of {field}, a {type(field).__name__}. Only text and numbers can be.")
        return field

    def pk_of(self, instance: Model) -> Any:
        state = instance.__dict__
        scalars = []
        for field in self.fields:
            if field.attname not in state:
                return state.get(self.name)  # a part was not loaded: the id is that of the stored row
            value = field.settle(instance) if field.is_relation else state[field.attname]  # type: ignore[attr-defined]
            converted = field.to_python(value)
            if converted is None and field.is_relation:
                return None
            scalars.append(None if converted is None else field.dump(converted))
        return digest(scalars)

    @property
    def cure(self) -> str:
        return f"'{self.name}' is made of {', '.join(self.names)}, and one of them refers to nothing that is saved."

    def convert(self, value: Any) -> Any:
        return str(value)


def digest(scalars: list[Any]) -> str:
    """Return the id for the stored values of the components."""
    parts = [text(scalar or 0.0 if isinstance(scalar, float) else scalar) for scalar in scalars]  # -0.0 is 0.0
    from hashlib import blake2b  # late: it loads OpenSSL

    return blake2b(b"".join(b"%d:%s" % (len(part), part) for part in parts), digest_size=16).hexdigest()
