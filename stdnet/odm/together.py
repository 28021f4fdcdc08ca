"""Unique combinations of fields: how ``Meta.unique_together`` is declared, and what filters they answer. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from typing import TYPE_CHECKING, Any, TypeAlias

from ..contract import Eq, Intersect, Match, Plan, Scalar, Scan
from ..errors import FieldError

if TYPE_CHECKING:
    from .fields import Field
    from .meta import ModelMeta

Combination: TypeAlias = "tuple[Field[Any], ...]"

TYPES = ("int", "float", "str", "bytes")


def combinations(meta: ModelMeta[Any], given: Any) -> tuple[Combination, ...]:
    """Return the fields of each combination that a model declares; ``FieldError`` for one that cannot be."""
    if not isinstance(given, (list, tuple)):
        raise FieldError(f'unique_together of "{meta.modelkey}" is a list of tuples of field names, not {given!r}.')
    groups: Sequence[Any] = (given,) if given and all(isinstance(each, str) for each in given) else given
    return tuple(dict.fromkeys(_combination(meta, group) for group in groups))


def _combination(meta: ModelMeta[Any], names: Any) -> Combination:
    where = f'unique_together of "{meta.modelkey}"'
    if not isinstance(names, (list, tuple)) or len(set(map(str, names))) < max(2, len(names)):
        raise FieldError(f"{where} has {names!r}. Name two or more different fields.")
    for name in names:
        field = meta.dfields.get(name) if isinstance(name, str) else None
        if field is None:
            known = ", ".join(field.name for field in meta.scalarfields)
            raise FieldError(f'{where} names "{name}", which is not a field of the model. Its fields: {known}.')
        if field.primary_key or field.as_cache or not (field.is_relation or field.column_type in TYPES):
            kind = "the primary key" if field.primary_key else f"a {type(field).__name__} that cannot be unique"
            raise FieldError(f'{where} names "{name}", which is {kind}. Leave it out.')
    return tuple(meta.dfields[name] for name in names)


def matching(meta: ModelMeta[Any], wanted: Mapping[str, Sequence[Scalar]]) -> tuple[Combination, list[Plan]] | None:
    """Return a combination all of whose fields are to equal some scalars, and the plans of which one must hold.

    ``None`` if there is none, or if the fields have indices of their own that are as good.
    """
    for combination in meta.together:
        if not all(field.name in wanted for field in combination):
            continue
        values = [wanted[field.name] for field in combination]
        if all(field.index for field in combination) and any(len(some) != 1 for some in values):
            continue
        found = list(product(*values))
        whole = tuple(row for row in found if not any(map(_is_blank, row)))
        plans: list[Plan] = [Match(tuple(field.attname for field in combination), whole)] if whole else []
        plans += [_each(combination, row) for row in found if any(map(_is_blank, row))]
        return combination, plans
    return None


def _each(combination: Combination, row: Sequence[Scalar]) -> Plan:
    """Return the rows where each field equals its scalar; one that is blank is not among the combinations."""
    return Intersect(
        tuple(plan for field, value in zip(combination, row, strict=True) for plan in _equals(field, value))
    )


def _equals(field: Field[Any], value: Scalar) -> list[Plan]:
    if field.index:
        return [Eq(field.attname, (value,))]
    if _is_blank(value):
        return [Scan(field.attname, "isnull", 1)]
    return [Scan(field.attname, "le", value), Scan(field.attname, "ge", value)]


def _is_blank(value: Scalar) -> bool:
    return value is None or value in ("", b"")


def lookup(meta: ModelMeta[Any], names: Iterable[str]) -> set[str]:
    """Return those of the names that a unique combination can be looked up by."""
    given = set(names)
    whole = ({field.name for field in combination} for combination in meta.together)
    return set().union(*(each for each in whole if each <= given))
