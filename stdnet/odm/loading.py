"""Bringing related rows along: the tree of relations that a query loads, and relations that are touched later.

``Branch`` is pure: it makes the request and puts what came onto the instances. ``touch`` is the program that loads
one relation of an instance, or of all instances of its result at once; ``fetch`` decides whether it may.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, get_args
from weakref import ref

from ..contract import Ids, Related, Select, Selected
from ..errors import ImproperlyConfigured, NotARelation, RelationNotLoaded, UnknownField
from ..records import Record
from .links import Link, reachable
from .meta import split
from .runner import Program, Trip, run

if TYPE_CHECKING:
    from .meta import ModelMeta
    from .session import SessionBase

Mode = Literal["lazy", "raise", "batch"]
"""What touching a relation that is not loaded does: load it, refuse, or load it for the whole result."""


def checked_mode(mode: Any) -> Any:
    """Return ``mode`` if it is one; ``ImproperlyConfigured`` otherwise."""
    if mode not in get_args(Mode):
        raise ImproperlyConfigured(f"relations is 'lazy', 'raise' or 'batch', not {mode!r}.")
    return mode


class Batch:
    """The instances of one result, as far as they are still in use."""

    def __init__(self, instances: Iterable[Any]) -> None:
        self._refs = [ref(instance) for instance in instances]

    def members(self) -> list[Any]:
        """Return the instances that are left."""
        return [instance for each in self._refs if (instance := each()) is not None]


class Loading(Record, frozen=False, eq=False):
    """What the instances of a result have in common: their session, and the mode that their query asked for."""

    session: SessionBase
    mode: Mode | None = None

    def make(self, meta: ModelMeta[Any], names: tuple[str, ...] | None, found: Selected) -> list[Any]:
        """Return the instances for what was selected."""
        instances = meta.codec.loader(names)(found.ids, found.rows, self.session)
        self.mark(instances)
        return instances

    def mark(self, instances: list[Any]) -> None:
        """Note on instances what touching their relations will do, unless the session knows it."""
        if self.mode is not None:
            for instance in instances:
                instance.dbdata["relations"] = self.mode
        if (self.mode or self.session.relations) == "batch":
            batch = Batch(instances)
            for instance in instances:
                instance.dbdata["batch"] = batch


class Branch(Record):
    """A relation to bring along: which ``fields`` of the other side, all for none, and what with these."""

    link: Link
    fields: tuple[str, ...] = ()
    branches: tuple[Branch, ...] = ()

    def names(self) -> tuple[str, ...] | None:
        """Return the names of the fields to load on the other side; ``None`` means all."""
        if not self.fields:
            return None
        link, meta = self.link, self.link.meta
        own = [link.key.name] if link.many and len(link.hops) == 1 else []
        wanted = (*self.fields, *own, *needed(self.branches), *always(meta))
        return tuple(dict.fromkeys(name for name in wanted if meta.field(name) and name != meta.pkname()))

    def request(self) -> Related:
        """Return the request."""
        names = self.names()
        columns = None if names is None else self.link.meta.columns(names)
        return self.link.related(columns, tuple(branch.request() for branch in self.branches))

    def attach(self, instances: Sequence[Any], found: Selected, loading: Loading) -> None:
        """Put the rows that came for ``instances`` onto them."""
        link = self.link
        last = found if len(link.hops) == 1 else found.related[0]
        targets = loading.make(link.meta, self.names(), last)
        for branch, deeper in zip(self.branches, last.related, strict=True):
            branch.attach(targets, deeper, loading)
        if not link.many:
            _put_one(link, instances, targets)
        elif len(link.hops) == 1:
            _put_many(link, instances, targets)
        else:
            _put_linked(link, instances, targets, found)


def always(meta: ModelMeta[Any]) -> list[str]:
    """Return the names of the fields without which a part of a row could not be saved."""
    return [] if meta.version is None else [meta.version.name]


def needed(branches: Iterable[Branch]) -> list[str]:
    """Return the names of the fields without which ``branches`` could not be put onto their instances."""
    return [branch.link.name for branch in branches if not branch.link.many]


def _put_one(link: Link, instances: Sequence[Any], targets: Sequence[Any]) -> None:
    key, attname, pkname = link.key, link.key.attname, link.meta.pkname()
    by_pk = {target.__dict__[pkname]: target for target in targets}
    cache_name = key.cache_name
    for instance in instances:
        state = instance.__dict__
        id = state.get(attname)
        if id is not None:
            related = by_pk.get(id)
            if related is None:
                key.put(instance, None)
            else:
                state[cache_name] = related


def _put_many(link: Link, instances: Sequence[Any], targets: Sequence[Any]) -> None:
    key, name = link.key, link.cache_name
    owners = {}
    for instance in instances:
        instance.__dict__[name] = []
        owners[instance.__dict__[instance._meta.pkname()]] = instance
    for target in targets:
        owner = owners[target.__dict__[key.attname]]
        if key.cached(target) is None:  # a branch may have brought it, with more along
            key.put(target, owner)
        owner.__dict__[name].append(target)


def _put_linked(link: Link, instances: Sequence[Any], targets: Sequence[Any], through: Selected) -> None:
    places = {id: n for n, id in enumerate(through.related[0].ids)}
    linked: dict[Any, list[int]] = {}
    for own, other in through.rows:
        if other in places:
            linked.setdefault(own, []).append(places[other])
    for instance in instances:
        id = instance._meta.codec.dump_pk(instance.__dict__[instance._meta.pkname()])
        instance.__dict__[link.cache_name] = [targets[n] for n in sorted(linked.get(id, ()))]


def branches(meta: ModelMeta[Any], wanted: Mapping[str, tuple[str, ...]]) -> tuple[Branch, ...]:
    """Return the tree for paths of relations and the fields that are wanted at the end of each."""
    tree: dict[str, dict[str, tuple[str, ...]]] = {}
    for path, fields in wanted.items():
        first, rest = split(path)
        tree.setdefault(first, {})[rest] = fields
    made = []
    for name, inner in tree.items():
        link = meta.link(name)
        assert link is not None, f"{meta} has no relation {name}"
        fields = inner.pop("", ())
        for field in fields:
            if link.meta.field(field) is None:
                raise UnknownField(str(link.meta), field, "load", link.meta.dfields)
        made.append(Branch(link, fields, branches(link.meta, inner)))
    return tuple(made)


def check(session: SessionBase, backend: Any, tree: Iterable[Branch]) -> None:
    """Raise unless one backend has all that the branches reach."""
    for branch in tree:
        reachable(session, backend, branch.link)
        check(session, backend, branch.branches)


# -- relations that are touched later -----------------------------------------------------------------------------


def mode_of(instance: Any) -> Mode:
    """Return what touching a relation of this instance does."""
    mode: Mode = instance.dbdata.get("relations") or instance.session.relations
    return mode


def fetch(instance: Any, session: SessionBase | None, link: Link) -> Any:
    """Load a relation that was touched, blocking; ``RelationNotLoaded`` if that cannot or shall not be."""
    name = link.name
    if session is None:
        raise RelationNotLoaded(
            instance._meta, name, "the instance has no session. Add it to one, or load it by a query"
        )
    if mode_of(instance) == "raise":
        whose = "query" if "relations" in instance.dbdata else "session"
        raise RelationNotLoaded(
            instance._meta, name, f"its {whose} has relations='raise'. Write: .load_related(\"{name}\")"
        )
    if session.is_async:
        raise RelationNotLoaded(
            instance._meta, name, f'this session is async. Write: await obj.load("{name}"), or .load_related("{name}")'
        )
    return run(relation(instance, link))


def link_of(meta: ModelMeta[Any], name: str) -> Link:
    """Return a model's relation by name; ``NotARelation`` if there is none."""
    link = meta.link(name)
    if link is None:
        raise NotARelation(str(meta), str(name), [*(key.name for key in meta.foreignkeys), *meta.related])
    return link


def relation(instance: Any, link: Link, fields: tuple[str, ...] = ()) -> Program[Any]:
    """Return what a relation leads to from an instance, loaded unless it is there."""
    key = link.key
    if link.many:
        found = instance.__dict__.get(link.cache_name)
        return list((yield from touch(instance, link, fields)) if found is None else found)
    found = key.cached(instance)
    if found is None and getattr(instance, key.attname) is not None:
        found = yield from touch(instance, link, fields)
    return key.missing(instance) if found is None else found


def related_model(instance: Any, name: str, load_only: Any, dont_load: Any) -> Program[Any]:
    """Return the object that a foreign key refers to, loaded with some of its fields."""
    link = link_of(instance._meta, name)
    if link.many:
        raise NotARelation(str(instance._meta), name, [key.name for key in instance._meta.foreignkeys])
    unwanted = _names(dont_load)
    fields = _names(load_only) or (tuple(field.name for field in link.meta.scalarfields) if unwanted else ())
    for field in (*fields, *unwanted):
        if field not in link.meta.dfields:
            raise UnknownField(str(link.meta), field, "load", link.meta.dfields)
    kept = tuple(field for field in fields if field not in unwanted)
    return (yield from relation(instance, link, kept or ((link.meta.pkname(),) if fields else ())))


def _names(names: Any) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else tuple(names or ())


def touch(instance: Any, link: Link, fields: tuple[str, ...] = ()) -> Program[Any]:
    """Load one relation of an instance, in batch mode for all of its result; return what is there now."""
    members = [instance]
    if mode_of(instance) == "batch" and (batch := instance.dbdata.get("batch")) is not None:
        members = batch.members()
    loading = Loading(instance.session, instance.dbdata.get("relations"))
    if link.many:
        yield from _touch_many(members, Branch(link, fields), loading)
        return instance.__dict__[link.cache_name]
    pending = _pending(instance, link)
    if pending is not None:
        link.key.put(instance, pending)
    else:
        yield from _touch_one([instance, *members], Branch(link, fields), loading)
    return link.key.cached(instance)


def _pending(instance: Any, link: Link) -> Any:
    """Return the object if the session is about to save it."""
    query = instance.session.query(link.meta.model)
    return instance.session.pending_instance(query, {link.meta.pkname(): instance.__dict__[link.key.attname]})


def _touch_one(members: Sequence[Any], branch: Branch, loading: Loading) -> Program[None]:
    link = branch.link
    key, codec, attname = link.key, link.meta.codec, link.key.attname
    lacking = [each for each in members if each.__dict__.get(attname) is not None and key.cached(each) is None]
    for each in lacking:
        each.__dict__[attname] = key.to_python(each.__dict__[attname])
    ids = dict.fromkeys(codec.dump_pk(each.__dict__[attname]) for each in lacking)
    plan = Ids(tuple(id for id in ids if id is not None))
    backend = loading.session.manager(link.meta).read_backend
    (found,) = yield Trip(backend, [Select(link.meta.table, plan, fields=branch.request().fields)])
    _put_one(link, lacking, loading.make(link.meta, branch.names(), found))


def _touch_many(members: Sequence[Any], branch: Branch, loading: Loading) -> Program[None]:
    meta, session = members[0]._meta, loading.session
    backend = session.manager(meta).read_backend
    check(session, backend, [branch])
    stored = [each for each in members if each.__dict__.get(meta.pkname()) is not None]
    ids = tuple(meta.codec.dump_pk(each.__dict__[meta.pkname()]) for each in stored)
    (found,) = yield Trip(backend, [Select(meta.table, Ids(ids), fields=(), related=(branch.request(),))])
    branch.attach(stored, found.related[0], loading)
