"""From the description of a query to a plan of the contract. Pure: nothing here performs I/O.

A filter keyword is ``field[__path][__lookup]``. Keywords are grouped by field: equality values of one field are
united, ranges and text lookups on it narrow what they leave, fields narrow each other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import Enum
from numbers import Number
from typing import TYPE_CHECKING, Any

from ..contract import NOTHING, All, Diff, Eq, Ids, In, Intersect, Plan, Scalar, Scan, Union, Where, is_nothing
from ..errors import BadLookupValue, InvalidValue, NotIndexed, QuerySetError, UnknownField, UnknownLookup
from . import together
from .comparisons import TEXT, comparison, is_query, joined, serialise
from .fields import Field
from .jsonfield import JSONField, Leaf
from .links import Link, reachable
from .meta import JSPLITTER, ModelMeta, split
from .search import searches
from .writers import LONG_WAY

if TYPE_CHECKING:
    from .query import QueryBase

COMPARISONS = {"gt": "gt", "ge": "ge", "gte": "ge", "lt": "lt", "le": "le", "lte": "le"}
KEYWORDS = 1000
"""Keywords of a model whose meaning is kept at most; a field and a lookup can be spelled in more ways than needed."""

LOOKUPS = ("in", *COMPARISONS, "isnull", *TEXT)


class Every(tuple[Any, ...]):
    """The values of a range or text lookup that was given more than once: all of them must hold."""


def merge(arguments: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of two calls of ``filter`` or ``exclude`` as those of one.

    >>> merge({"a": 1}, {"a": 2, "b": [3]})
    {'a__in': {1, 2}, 'b': [3]}
    """
    merged = dict(arguments)
    for name, value in more.items():
        if type(value) not in _CONSTANT:
            value = _frozen(value)
        if name not in merged and JSPLITTER not in name and f"{name}__in" not in merged:
            merged[name] = value
            continue
        base, _, suffix = name.rpartition(JSPLITTER)
        if base and suffix.lower() in (*COMPARISONS, *TEXT, "isnull"):
            merged[name] = Every((*_every(merged[name]), value)) if name in merged else value
            continue
        key = name if JSPLITTER in name else f"{name}__in"
        earlier = [other for other in dict.fromkeys((name, key)) if other in merged]
        if earlier:
            values = [each for other in earlier for each in alternatives(merged.pop(other))]
            merged[key] = _as_set([*values, *alternatives(value)])
        else:
            merged[name] = value
    return merged


def _frozen(value: Any) -> Any:
    """Return ``value`` as no caller can change it: a query is a value, and may be compiled more than once."""
    if isinstance(value, Iterator):
        return tuple(value)
    return type(value)(value) if type(value) in (list, set, dict) else value


_CONSTANT = (str, int, float, bytes, bool)


def _every(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, Every) else (value,)


def _as_set(values: list[Any]) -> Any:
    try:
        return set(values)
    except TypeError:
        return values


def alternatives(value: Any) -> list[Any]:
    """Return the alternatives that an equality value stands for: itself, or the elements of an iterable."""
    if isinstance(value, (str, bytes, bytearray, Enum)) or is_query(value) or not isinstance(value, Iterable):
        return [value]  # flags are iterable, too
    return list(value)


def _is_collection(value: Any) -> bool:
    return is_query(value) or (isinstance(value, Iterable) and not isinstance(value, (str, bytes, bytearray, Enum)))


def options(kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the attributes of a query for the keywords of ``session.query``."""
    known: dict[str, Callable[[Any], Any]] = {
        "fargs": lambda value: merge({}, value or {}),
        "eargs": lambda value: merge({}, value or {}),
        "unions": tuple,
        "intersections": tuple,
        "ordering": lambda value: value,
        "fields": tuple,
        "exclude_fields": tuple,
        "get_field": lambda value: value,
    }
    if unknown := sorted(kwargs.keys() - known.keys()):
        raise QuerySetError(f"A query has no option {unknown[0]!r}. Known options: {', '.join(known)}.")
    return {("_get_field" if name == "get_field" else name): known[name](value) for name, value in kwargs.items()}


def plan(query: QueryBase[Any]) -> Plan:
    """Return the plan of a query: filters, then excludes, intersections, unions, searches and where expressions."""
    meta = query._meta
    result = plain(meta, query.fargs) or _all_of([_all_of(group) for group in _clauses(query, query.fargs)])
    if query.eargs:
        unwanted = _any_of([_all_of(group) for group in _exclude_clauses(query)])
        if not is_nothing(result) and not is_nothing(unwanted):
            result = Diff(result, unwanted)
    if query.intersections:
        result = _all_of([result, *(_operand(query, other) for other in query.intersections)])
    if query.unions:
        result = _any_of([result, *(_operand(query, other) for other in query.unions)])
    if query.searches or query.plans or query.wheres:
        narrowing = [*(_operand(query, each) for each in searches(query)), *query.plans]
        return _all_of([result, *narrowing, *(where(meta, code) for code in query.wheres)])
    return result


def plain(meta: ModelMeta[Any], arguments: Mapping[str, Any]) -> Plan | None:
    """Return the plan of what most filters are, indexed fields equal to a value of their type; ``None`` for others.

    ``_clauses`` would find the same; this takes a fifth of the time, which is most of that of a small query.
    """
    if len(arguments) > 1 and meta.table.together:
        return None
    found: list[Plan] = []
    scalars = meta.codec.scalars
    try:
        for name in sorted(arguments):
            field, value = meta.indexed.get(name), arguments[name]
            if field is None:
                return None
            scalar = scalars[name](value)
            if scalar is LONG_WAY:
                if type(value) is not field.python_type:
                    return None
                scalar = field.serialise(value)
            if not field.primary_key:
                found.append(Eq(field.attname, (scalar,)))
            elif scalar == "" or scalar is None:
                return NOTHING
            else:
                found.append(Ids((scalar,)))
    except (InvalidValue, OverflowError):
        return None  # there the error gets its words
    return found[0] if len(found) == 1 else _all_of(found)


def where(meta: ModelMeta[Any], code: str) -> Where:
    """Return the node of a where expression; ``BadExpression`` if it is not one."""
    booleans = [field.attname for field in meta.scalarfields if field.python_type is bool]
    scales = {
        field.attname: field.storage.scale for field in meta.fields if field.is_column and field.storage.scale != 1
    }
    from .where import parse

    return parse(code, meta.table, booleans, scales)


def _all_of(plans: list[Plan]) -> Plan:
    """Return the intersection of plans, as simple as it can be; all rows for no plans."""
    if len(plans) == 1:
        return plans[0]
    narrowing = [each for each in plans if not isinstance(each, All)]
    if not narrowing:
        return All()
    if any(map(is_nothing, narrowing)):
        return NOTHING
    flat = [child for each in narrowing for child in (each.plans if isinstance(each, Intersect) else (each,))]
    return flat[0] if len(flat) == 1 else Intersect(tuple(flat))


def _any_of(plans: list[Plan]) -> Plan:
    """Return the union of plans, as simple as it can be; no rows for no plans."""
    giving = [each for each in plans if not is_nothing(each)]
    if not giving:
        return NOTHING
    return giving[0] if len(giving) == 1 else Union(tuple(giving))


def _operand(query: QueryBase[Any], other: QueryBase[Any]) -> Plan:
    """Return another query as a set of this model's ids."""
    if other._get_field is not None:
        return _in(query, query.meta.pk, other)
    if other.meta is not query.meta:
        raise QuerySetError(
            f'Cannot combine a query of "{query.meta}" with one of "{other.meta}". Use get_field to name the field '
            "that holds the ids."
        )
    if other.backend is not query.backend and other.backend != query.backend:
        raise QuerySetError(
            f'Cannot combine two queries of "{query.meta}" that different backends answer. Pass the ids instead.'
        )
    return other.construct()


def _clauses(query: QueryBase[Any], arguments: Mapping[str, Any]) -> Iterator[list[Plan]]:
    """Yield, field by field, the plans that must all hold."""
    grouped: dict[str, tuple[Field[Any], list[Any] | None, list[Plan]]] = {}
    nested: dict[str, tuple[Link, dict[str, Any]]] = {}
    meta = query._meta
    for name, value in arguments.items():
        if name not in meta.parsed and (path := _path(meta, name)) is not None:
            link, rest = path
            if link.many and split(name)[1].lower() in ("", "in") and any(each is None for each in alternatives(value)):
                yield [_without_or(query, link, rest, [each for each in alternatives(value) if each is not None])]
                continue
            nested.setdefault(link.name, (link, {}))[1][rest] = value
            continue
        field, lookup = meta.parsed.get(name) or _parse(meta, name)
        if field is meta.indexed.get(field.name) and len(meta.parsed) < KEYWORDS:
            meta.parsed[name] = field, lookup
        field, values, plans = grouped.setdefault(field.name, (field, None, []))
        if lookup in ("", "in"):
            if lookup == "in" and not _is_collection(value):
                raise BadLookupValue(field, "in", value, "is not a collection of values or a query")
            grouped[field.name] = (field, (values or []) + alternatives(value), plans)
        else:
            plans.extend(comparison(field, lookup, each) for each in _every(value))
    if query.meta.together and (combined := _combined(query, grouped)) is not None:
        yield [combined]
    for field, values, plans in (grouped[name] for name in sorted(grouped)):
        yield [*([] if values is None else [_equals(query, field, values)]), *joined(plans)]
    for link, inner in nested.values():
        yield [_across(query, link, inner)]


def _combined(
    query: QueryBase[Any], grouped: dict[str, tuple[Field[Any], list[Any] | None, list[Plan]]]
) -> Plan | None:
    """Take the values of a unique combination out of ``grouped`` and return its rows; ``None`` if there is none."""
    wanted = {
        name: _scalars(field, values)
        for name, (field, values, _) in grouped.items()
        if values is not None and not any(map(is_query, values))
    }
    found = together.matching(query.meta, wanted)
    if found is None:
        return None
    for each in found[0]:
        grouped[each.name] = (each, None, grouped[each.name][2])
    return _any_of(found[1])


def _path(meta: ModelMeta[Any], name: str) -> tuple[Link, str] | None:
    """Return the relation that a filter keyword begins with, if any, and what it says of the other side."""
    if name in meta.dfields:
        return None
    first, rest = split(name)
    link = meta.link(first)
    if link is None or (not rest and not link.many):
        return None
    lookup = rest.lower()
    if JSPLITTER not in rest and lookup in LOOKUPS and rest not in link.meta.dfields and not link.many:
        return None  # a lookup on the key itself
    if link.many and lookup in ("", "in"):
        return link, f"{link.meta.pkname()}{JSPLITTER if rest else ''}{lookup}"
    return link, rest


def _across(query: QueryBase[Any], link: Link, arguments: dict[str, Any]) -> Plan:
    """Return the rows that are related to one row of which all the arguments hold."""
    reachable(query.session, query.backend, link)
    isnull = arguments.pop("isnull", None) if link.many and "isnull" not in link.meta.dfields else None
    other = query.session.query(link.meta.model)
    plans = [link.rows(_all_of([_all_of(group) for group in _clauses(other, arguments)]))] if arguments else []
    if isnull is not None:
        if not isinstance(isnull, bool):
            raise BadLookupValue(link.name, "isnull", isnull, "is neither True nor False")
        plans.append(_without(link) if isnull else link.rows(All()))
    return _all_of(plans)


def _without(link: Link) -> Plan:
    """Return the rows that are related to none."""
    return Diff(All(), link.rows(All()))


def _without_or(query: QueryBase[Any], link: Link, name: str, values: list[Any]) -> Plan:
    """Return the rows that are related to none, or to one of the values: ``None`` among values stands for none."""
    related = [_across(query, link, {name: values})] if values else []
    reachable(query.session, query.backend, link)
    return _any_of([_without(link), *related])


def _exclude_clauses(query: QueryBase[Any]) -> Iterator[list[Plan]]:
    """Yield the plans to exclude: any keyword is enough, also of one that is repeated."""
    for name, value in query.eargs.items():
        for each in _every(value):
            yield from _clauses(query, {name: each})


def _parse(meta: ModelMeta[Any], name: str) -> tuple[Field[Any], str]:
    """Return the field and the lookup, ``""`` for equality, of a filter keyword."""
    field = meta.dfields.get(name)
    if field is not None:
        return field, ""
    of, rest_of_name = meta.flat(name)
    if of is not None:
        return _leaf(of, rest_of_name)
    first, path = split(name)
    rest = path.split(JSPLITTER) if JSPLITTER in name else []
    field = meta.dfields.get(first)
    if field is None:
        raise UnknownField(str(meta), first or name, "filter", [*meta.dfields, *meta.related])
    if not rest:
        return field, ""
    lookup = rest[-1].lower()
    if len(rest) > 1 or lookup not in LOOKUPS:
        raise UnknownLookup(field, JSPLITTER.join(rest), LOOKUPS)
    return field, COMPARISONS.get(lookup, lookup)


def _leaf(of: JSONField, rest: str) -> tuple[Field[Any], str]:
    """Return the leaf, or the field itself, and the lookup, that what follows the name of a JSON field means."""
    path, _, last = rest.rpartition(JSPLITTER)
    lookup = last.lower()
    if lookup not in LOOKUPS:
        return of.leaf(rest), ""
    if not path and lookup != "isnull":
        raise UnknownLookup(of, rest, ["isnull"])
    return of.leaf(path) if path else of, COMPARISONS.get(lookup, lookup)


def _equals_leaf(field: Leaf, values: list[Any]) -> Plan:
    """Return the rows where a leaf has one of some values; there is no index on leaves."""
    plans: list[Plan] = []
    for value in values:
        if is_query(value):
            raise BadLookupValue(field, "", value, "is a query, which is not compared with JSON; pass its results")
        scalar = serialise(field, value)
        is_blank = scalar in ("", b"")
        plans.append(Scan(field.attname, "isnull", 1) if is_blank else Scan(field.attname, "eq", scalar))
    return _any_of(plans)


def _equals(query: QueryBase[Any], field: Field[Any], values: list[Any]) -> Plan:
    if isinstance(field, Leaf):
        return _equals_leaf(field, values)
    if not field.index:
        raise NotIndexed(type(field).__name__, field)
    queries = [value for value in values if is_query(value)]
    plans: list[Plan] = [_in(query, field, value) for value in queries]
    scalars = _scalars(field, [value for value in values if not is_query(value)] if queries else values)
    if field.primary_key:
        ids = tuple(scalar for scalar in scalars if scalar is not None and scalar != "")
        if ids or not plans:
            plans.append(Ids(ids))
    elif scalars:
        plans.append(Eq(field.attname, scalars))
    elif not plans:
        plans.append(Ids(()))
    return plans[0] if len(plans) == 1 else Union(tuple(plans))


def _scalars(field: Field[Any], values: list[Any]) -> tuple[Scalar, ...]:
    """Return the scalars of values, each once, without those that the field can never have."""
    make = field.meta.codec.scalars.get(field.name)
    plain = []
    for value in values:
        scalar = LONG_WAY if make is None else make(value)
        plain.append((value, serialise(field, value) if scalar is LONG_WAY else scalar))
    return tuple(dict.fromkeys(scalar for value, scalar in plain if _can_equal(field, value, scalar)))


def _can_equal(field: Field[Any], value: object, scalar: Any) -> bool:
    """Whether a column can hold ``value``: a column of integers never equals a number with a fraction."""
    if field.type == "integer" and isinstance(value, Number):
        return bool(value == scalar)
    return not (field.column_type == "int" and isinstance(scalar, float) and not scalar.is_integer())


def _in(query: QueryBase[Any], field: Field[Any], other: QueryBase[Any]) -> Plan:
    """Return the rows whose ``field`` is among the ids, or the ``get_field`` values, of another query."""
    of = other.meta.dfields[other._get_field] if other._get_field else other.meta.pk
    wanted, given = _ids_of(field), _ids_of(of)
    if wanted and given and wanted is not given and not (field.primary_key and of.primary_key and other._get_field):
        raise BadLookupValue(field, "", other, f'gives ids of "{given.meta}", and these are of "{wanted.meta}"')
    if of.column_type != field.column_type or of.storage.unit != field.storage.unit:
        raise BadLookupValue(field, "", other, f"gives values of {of}, which have another type, meaning or unit")
    if other.backend is not query.backend and other.backend != query.backend:
        raise BadLookupValue(field, "", other, "is answered by another backend; pass its results instead")
    return In(field.attname, other.meta.table, other.construct(), of.attname)


def _ids_of(field: Field[Any]) -> Field[Any] | None:
    """Return the primary key whose values a field holds, if any."""
    found: Field[Any] | None = field.related_pk if field.is_relation else None  # type: ignore[attr-defined]
    return field if field.primary_key else found
