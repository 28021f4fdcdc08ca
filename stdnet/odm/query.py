"""QueryBase: the description of a query, without any I/O.

A query is a value. Each method returns a new query and leaves the receiver as it was; nothing is sent, and filter
names are not looked up, before a result is asked for. What asks for results is in ``results``, how a description
becomes a plan in ``compile``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from ..contract import Plan, Scores, Sort
from ..errors import FieldError, QuerySetError, UnknownField
from . import compile, loading
from .links import reachable
from .meta import JSPLITTER, ModelMeta, split
from .search import engine_for
from .state import autoincrement, orderinginfo

if TYPE_CHECKING:
    from typing_extensions import Self

    from .model import Model
    from .session import SessionBase

M = TypeVar("M", bound="Model")


class BackendQuery(NamedTuple):
    """A query as its backend sees it: the plan, whether it was executed, and the results that were fetched.

    ``cache[None]`` is the list of all results, ``cache[start, stop]`` that of a slice.
    """

    backend: Any
    plan: Plan
    executed: bool
    cache: dict[Any, list[Any]]


_SHAPING = {"ordering", "fields", "exclude_fields", "select_related", "_get_field", "_ranked"}
_BARE = {"_meta", "session", "_cache", "_compiled", "_count", "_relations"}


class QueryBase(Generic[M]):
    """A lazy query over the rows of one model.

    ``fargs`` and ``eargs`` are the arguments of all ``filter`` and ``exclude`` calls, ``fields`` and ``exclude_fields``
    what ``load_only`` and ``dont_load`` named, ``ordering`` the explicit order, ``searches`` the texts and lookups of
    ``search``.
    """

    lookups = ("in", "contains")
    """What ``search`` takes as a lookup."""

    # What a query says is on its class until it says something else: making one, and a copy, is two items then.
    fargs: Mapping[str, Any] = MappingProxyType({})
    eargs: Mapping[str, Any] = MappingProxyType({})
    unions: tuple[QueryBase[Any], ...] = ()
    intersections: tuple[QueryBase[Any], ...] = ()
    wheres: tuple[str, ...] = ()
    searches: tuple[tuple[str, str | None], ...] = ()
    plans: tuple[Plan, ...] = ()
    _ranked: bool = False
    ordering: orderinginfo | None = None
    fields: tuple[str, ...] = ()
    exclude_fields: tuple[str, ...] = ()
    select_related: Mapping[str, tuple[str, ...]] = MappingProxyType({})
    _relations: loading.Mode | None = None
    _source: tuple[Any, Any] | None = None
    _get_field: str | None = None
    _compiled: Plan | None = None
    _count: int | None = None

    def __init__(self, meta: ModelMeta[M], session: SessionBase, **kwargs: Any) -> None:
        self._meta = meta
        self.session = session
        self._cache: dict[Any, list[Any]] = {}
        if kwargs:
            self.__dict__.update(compile.options(kwargs))
            if self._get_field is not None:
                self.known(self._get_field, "get field")
            if self.ordering is not None and not isinstance(self.ordering, orderinginfo):
                self.ordering = meta.get_sorting(self.ordering, QuerySetError)

    # -- what it is about ---------------------------------------------------------------------------------------

    @property
    def meta(self) -> ModelMeta[M]:
        """The model's meta."""
        return self._meta

    @property
    def model(self) -> type[M]:
        """The model."""
        return self._meta.model

    @property
    def backend(self) -> Any:
        """The backend that answers this query: the model's read backend in the session's router."""
        return self.session.manager(self._meta).read_backend

    @property
    def is_bare(self) -> bool:
        """Whether nothing was said but about relations that are touched: all rows, whole, in the model's order."""
        return self.__dict__.keys() <= _BARE

    @property
    def gives_rows(self) -> bool:
        """Whether the result is whole rows in the model's order, with nothing along, as that of most queries is."""
        return self.__dict__.keys().isdisjoint(_SHAPING)

    @property
    def executed(self) -> bool:
        """Whether the number of rows is known."""
        return self._count is not None

    # -- filters ------------------------------------------------------------------------------------------------

    def filter(self, **kwargs: Any) -> Self:
        """Keep the rows that match all of the keywords, ``field=value`` or ``field__lookup=value``.

        Lookups are ``in gt ge lt le gte lte isnull contains startswith endswith icontains istartswith iendswith``.
        The values for one field are alternatives, and so are several values in a tuple, list, set, query or
        iterator; different fields must all match. **Repeating a keyword widens**: ``filter(a=1).filter(a=2)`` is
        ``filter(a__in=(1, 2))``. Repeated ranges and text lookups must all hold. ``field=None`` and ``field=''`` find
        the rows where the field is blank, or that are related to none. Names and values are checked when the query
        runs: ``UnknownField``, ``UnknownLookup``, ``NotIndexed`` and ``BadLookupValue`` are all ``QuerySetError``.

        Cost: O(k) for k rows with an equal value, O(log n + k) for a range on an indexed field; text lookups, and
        ranges without an index, look at each row that the other conditions leave.
        """
        return self._clone(fargs=compile.merge(self.fargs, kwargs)) if kwargs else self

    def exclude(self, **kwargs: Any) -> Self:
        """Drop the rows that match *any* of the keywords, which are those of ``filter``."""
        return self._clone(eargs=compile.merge(self.eargs, kwargs)) if kwargs else self

    def union(self, *queries: QueryBase[Any]) -> Self:
        """Add the rows of other queries of this model; applied after ``filter``, ``exclude`` and ``intersect``."""
        return self._clone(unions=self.unions + self._operands(queries))

    def intersect(self, *queries: QueryBase[Any]) -> Self:
        """Keep the rows that are also in each of the queries; applied after ``filter`` and ``exclude``."""
        return self._clone(intersections=self.intersections + self._operands(queries))

    def _operands(self, queries: Iterable[QueryBase[Any]]) -> tuple[QueryBase[Any], ...]:
        operands = tuple(queries)
        for query in operands:
            if not isinstance(query, QueryBase):
                raise QuerySetError(
                    f'Cannot combine a query of "{self._meta}" with {type(query).__name__}. Pass queries.'
                )
        return operands

    def where(self, code: str) -> Self:
        """Keep the rows for which an expression is true; several must all hold. It looks at each row that is left.

        The language has ``this.field`` and ``this.<pk>``, numbers, strings, ``true false nil``, comparisons, ``and or
        not``, ``+ - * / %``, parentheses, ``in (…)``, and the functions ``lower upper len abs floor contains
        startswith endswith``. Dates are numbers here. A row where a named field is missing does not match. A bad
        expression raises ``BadExpression``, a ``QuerySetError``, that points at the place.
        """
        if code == "":
            return self
        compile.where(self._meta, code)
        return self._clone(wheres=(*self.wheres, code))

    def search(self, text: str, lookup: str | None = None) -> Self:
        """Keep the rows that match a text, by the router's search engine; several searches must all match.

        With ``lookup="contains"``, the default, all words must match, with ``"in"`` any of them. ``"new york"`` in
        quotes is a phrase, and ``prog*`` stands for all words that begin so. Any text will do; one without words keeps
        all rows, and of many words the first thousand count. It is applied after ``union``. Cost: O(k) for k rows that
        have one of the words.
        """
        if lookup is not None and lookup not in self.lookups:
            raise ValueError(f"Unknown lookup {lookup!r} in a search. Use 'contains' (all words) or 'in' (any word).")
        return self._clone(searches=(*self.searches, (text, lookup)))

    @property
    def text(self) -> tuple[str, str | None] | None:
        """The text and lookup of the last ``search``, or ``None``."""
        return self.searches[-1] if self.searches else None

    def narrow(self, plan: Plan) -> Self:
        """Keep the rows of a plan of the contract; for search engines."""
        return self._clone(plans=(*self.plans, plan))

    # -- order and shape ----------------------------------------------------------------------------------------

    def sort_by(self, ordering: str | autoincrement | None) -> Self:
        """Sort by a field, descending with a leading ``-``; the last call wins, ``None`` means the model's order.

        Missing numbers count as 0, missing text as empty. Ties follow the model's own order, which is ascending
        by ``Meta.ordering`` or the primary key.
        """
        if ordering is None:
            return self._clone(ordering=None, _ranked=False)
        return self._clone(ordering=self._meta.get_sorting(ordering, QuerySetError), _ranked=False)

    def ranked(self) -> Self:
        """Sort by how well rows match the texts of ``search``, best first, and equal ones by primary key."""
        if not self.searches:
            raise QuerySetError(f'Cannot rank a query of "{self._meta}" that searches nothing. Call search(…) first.')
        return self._clone(ordering=None, _ranked=True)

    def score(self, instance: Any) -> float:
        """Return how well a result of a ranked query matched; 0 is not at all."""
        found: float = instance.dbdata.get("score", 0.0)
        return found

    def snippet(self, instance: Any, *fields: str, **options: Any) -> str:
        """Return the part of an instance's text where what was sought is, with the matches marked.

        The text is that of ``fields``, by default of all that are indexed and loaded. ``options`` are those of the
        engine's ``snippet``. Nothing is sent.
        """
        engine = engine_for(self)
        names = fields or engine.text_fields(self._meta)
        for name in names:
            self.known(name, "quote")
        texts = [instance.__dict__.get(name) for name in names]
        text = "\n".join(str(each) for each in texts if each)
        return engine.snippet(text, [text for text, _ in self.searches], **options)

    def load_only(self, *fields: str) -> Self:
        """Load these fields only; calls add up. The other attributes do not exist on the instances.

        ``relation__field`` loads the relation along with the rows, and of it only this field.
        """
        related, names = dict(self.select_related), list(self.fields)
        for name in fields:
            if not isinstance(name, str):
                self.known(name, "load")
            path, rest = self._split(name)
            if path:
                _want(related, path, (rest,))
            else:
                names.append(name)
        if fields and not names:
            names.append(self._meta.pkname())
        return self._clone(fields=tuple(dict.fromkeys(names)), select_related=related)

    def _split(self, name: str) -> tuple[str, str]:
        """Return the path of relations that a name begins with, and the rest."""
        path, meta = [], self._meta
        first, rest = split(name)
        while rest and (link := meta.link(first)) is not None:
            path.append(first)
            meta, name = link.meta, rest
            first, rest = split(name)
        return JSPLITTER.join(path), name

    def load_related(self, related: str, *fields: str) -> Self:
        """Load the rows of a relation along with these, in the same round trip; calls add up.

        ``related`` is a foreign key, a related name, a many-to-many field, or a path of them: ``fund__manager``. With
        ``fields`` only those of the related rows are loaded. The name of a structure field brings the content of the
        structures along. ``FieldError`` for a name that is neither.
        """
        meta = self._meta
        if meta.multifield(related) is not None:
            if fields:
                raise FieldError(f'"{related}" of "{meta}" is a structure, which is loaded as a whole.')
            return self._clone(select_related={**self.select_related, related: ()})
        for name in _path(related):
            meta = loading.link_of(meta, name).meta
        for field in fields:
            if field not in meta.dfields:
                raise UnknownField(str(meta), str(field), "load", meta.dfields)
        wanted = dict(self.select_related)
        _want(wanted, related, fields)
        return self._clone(select_related=wanted)

    def relations(self, mode: loading.Mode) -> Self:
        """Say what touching a relation of the results does that was not loaded along.

        ``"lazy"`` loads it; ``"raise"`` raises ``RelationNotLoaded`` with the line to write; ``"batch"`` loads it for
        all instances of the result in one round trip. Without this, the session's ``relations`` decides.
        """
        return self._clone(_relations=loading.checked_mode(mode))

    def dont_load(self, *fields: str) -> Self:
        """Load all fields but these; calls add up."""
        return self._clone(exclude_fields=self._names(self.exclude_fields, fields))

    def _names(self, earlier: tuple[str, ...], names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            if not isinstance(name, str):
                self.known(name, "load")
        return tuple(dict.fromkeys(earlier + names))

    def get_field(self, field: str) -> Self:
        """Make results the values of one field, one for each row; ``None`` where it is missing and has no default."""
        if field == self._get_field:
            return self
        self.known(field, "get field")
        return self._clone(_get_field=field)

    def known(self, name: str, purpose: str) -> None:
        """Raise ``UnknownField`` unless the model has a field ``name``."""
        if not isinstance(name, str) or self._meta.field(name) is None:
            raise UnknownField(str(self._meta), str(name), purpose, self._meta.dfields)

    # -- compiled -----------------------------------------------------------------------------------------------

    def construct(self) -> Plan:
        """Return the plan that this query compiles to; ``QuerySetError`` if it cannot be compiled."""
        if self._compiled is None:
            self._compiled = compile.plan(self)
        return self._compiled

    def backend_query(self) -> BackendQuery:
        """Return a view of what is known of the result so far; nothing is sent."""
        return BackendQuery(self.backend, self.construct(), self.executed, self._cache)

    def contract_sort(self) -> Sort | None:
        """Return the explicit order in the contract's terms; the contract has no word for ``autoincrement``."""
        info = self.ordering
        if info is None or info.auto is not None or self._ranked:
            return None
        desc, through = info.desc, []
        while info.nested is not None:
            link = info.field.link()
            assert link is not None
            reachable(self.session, self.backend, link)
            through.append((link.hops[0].column, link.meta.table))
            info = info.nested
        return Sort(info.name, desc, tuple(through))

    def contract_scores(self) -> tuple[Scores, ...]:
        """Return what the results are ranked by, in the contract's terms."""
        return engine_for(self).scores(self) if self._ranked else ()

    def branches(self) -> tuple[loading.Branch, ...]:
        """Return the relations to load along; ``QuerySetError`` if one is out of this backend's reach."""
        if not self.select_related or self._get_field is not None:
            return ()
        wanted = {name: fields for name, fields in self.select_related.items() if not self._meta.multifield(name)}
        tree = loading.branches(self._meta, wanted)
        loading.check(self.session, self.backend, tree)
        return tree

    def structures(self) -> tuple[Any, ...]:
        """Return the structure fields whose content is to be loaded along."""
        if not self.select_related or self._get_field is not None:
            return ()
        found = map(self._meta.multifield, self.select_related)
        return tuple(field for field in found if field is not None)

    def loaded_fields(self) -> tuple[str, ...] | None:
        """Return the names of the fields to load, ``None`` for all; ``QuerySetError`` for a name that is unknown."""
        if not self.fields and not self.exclude_fields:
            return None
        meta = self._meta
        for name in (*self.fields, *self.exclude_fields):
            self.known(name, "load")
        for name in self.exclude_fields:
            if name not in meta.dfields:
                raise UnknownField(str(meta), name, "leave out", meta.dfields)
        names = self.fields or tuple(field.name for field in meta.scalarfields)
        unwanted = {*self.exclude_fields, meta.pkname()}
        own = (name for name in names if name not in unwanted)
        return tuple(dict.fromkeys((*own, *loading.needed(self.branches()), *loading.always(meta))))

    def _clone(self, **changes: Any) -> Self:
        made = object.__new__(type(self))
        state = {**self.__dict__, **changes, "_cache": {}}
        for name in ("_compiled", "_count", "_source"):
            state.pop(name, None)
        made.__dict__ = state
        return made

    def __repr__(self) -> str:
        if None in self._cache:
            return repr(self._cache[None])
        parts: list[tuple[str, Any]] = [("filter", self.fargs), ("exclude", self.eargs)]
        parts += [("intersect", each) for each in self.intersections] + [("union", each) for each in self.unions]
        parts += [("search", text) for text, _ in self.searches] + [("where", code) for code in self.wheres]
        if self.ordering is not None:
            parts.append(("sort_by", self.ordering.auto or self.ordering.path))
        return "Query" + "".join(f".{name}({argument!r})" for name, argument in parts if argument)

    def __reduce__(self) -> Any:
        raise TypeError("A query belongs to a session and cannot be pickled. Pickle its results.")


def _path(path: str) -> list[str]:
    """Return the names of a path; one that is no path is its own only name."""
    parts, rest = [], path if isinstance(path, str) else ""
    while rest:
        name, rest = split(rest)
        parts.append(name)
    return parts if parts and JSPLITTER.join(parts) == path else [path]


def _want(related: dict[str, tuple[str, ...]], path: str, fields: tuple[str, ...]) -> None:
    """Enter a path of relations, and those that lead there; fields add up, and none means all."""
    parts = _path(path)
    for n in range(len(parts)):
        related.setdefault(JSPLITTER.join(parts[: n + 1]), ())
    related[path] = tuple(dict.fromkeys((*related[path], *fields)))


def union(queries: Iterable[QueryBase[M]]) -> QueryBase[M]:
    """Return a query for the rows that are in at least one of ``queries``."""
    first, *others = queries
    return _fresh(first).filter(**{f"{first.meta.pkname()}__in": ()}).union(first, *others)


def intersect(queries: Iterable[QueryBase[M]]) -> QueryBase[M]:
    """Return a query for the rows that are in all of ``queries``."""
    first, *others = queries
    everything = _fresh(first)
    return everything.intersect(first, *others)


def difference(queries: Iterable[QueryBase[M]]) -> QueryBase[M]:
    """Return a query for the rows of the first of ``queries`` that are in none of the others."""
    first, *others = queries
    everything = _fresh(first)
    return everything.exclude(**{f"{first.meta.pkname()}__in": others}).intersect(first)


def _fresh(query: QueryBase[M]) -> QueryBase[M]:
    """Return a query over all rows, of the same kind and session."""
    return type(query)(query.meta, query.session)
