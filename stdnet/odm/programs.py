"""The programs: everything that takes more than a description and less than a driver.

Each is a generator that yields effects (see ``runner``) and returns its result. The sync and async surfaces in
``session``, ``results``, ``managers`` and ``router`` are two or three lines around one of these.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from ..contract import Commit, Count, Flush, Ids, Intersect, Keys, Plan, Refused, Select, Selected, is_nothing
from ..errors import InvalidKeyword, InvalidTransaction, InvalidValue, QuerySetError, not_found, shown
from . import compile, dependencies, loading, together
from .meta import ModelMeta
from .query import QueryBase
from .runner import Fire, Program, Trip
from .scalarfields import EXACT
from .signals import Event
from .unitofwork import units

if TYPE_CHECKING:
    from .explain import Explanation
    from .managers import ManagerBase
    from .model import Model
    from .session import SessionBase
    from .structures import Structure
    from .transaction import TransactionBase

M = TypeVar("M", bound="Model")
T = TypeVar("T", bound="Model | Structure")

# -- queries ----------------------------------------------------------------------------------------------------


def load(query: QueryBase[Any], start: int | None = None, stop: int | None = None) -> Program[list[Any]]:
    """Return the results of a query, or of a slice of it; remembered in the query."""
    key = None if start is None and stop is None else (start, stop)
    if key not in query._cache:
        if key is None and query._source is not None:
            query._cache[key] = list((yield from loading.touch(*query._source)))
        elif None in query._cache:
            query._cache[key] = query._cache[None][start:stop]
        elif query.gives_rows:
            query._cache[key] = yield from _whole(query, query.construct(), start, stop)
        else:
            query._cache[key] = yield from _select(query, start, stop)
        if key is None:
            query._count = len(query._cache[None])
    return query._cache[key]


def _select(query: QueryBase[Any], start: int | None, stop: int | None) -> Program[list[Any]]:
    fields = query.structures()
    found, contents = yield from select(query, fields, start, stop)
    for field, content in zip(fields, contents, strict=True):
        yield from field.attach(found, content, query.session)
    return found


def select(
    query: QueryBase[Any], structures: Sequence[Any], start: int | None = None, stop: int | None = None
) -> Program[tuple[list[Any], Sequence[Sequence[Any]]]]:
    """Return the results of a query, and for each of some structure fields its stored content, row by row."""
    meta, plan = query._meta, query.construct()
    names = query.loaded_fields() if query._get_field is None else _field_names(query)
    if is_nothing(plan):
        return [], [() for _ in structures]
    columns = None if names is None else meta.columns(names)
    tree = query.branches()
    related = tuple([branch.request() for branch in tree])
    names_of = tuple([field.name for field in structures])
    scores = query.contract_scores()
    request = Select(meta.table, plan, query.contract_sort(), start, stop, columns, related, names_of, scores)
    replies = yield Trip(query.backend, [request])
    reply: Selected = replies[0]
    if query._get_field is not None:
        return _values(meta, query._get_field, reply), ()
    common = loading.Loading(query.session, query._relations)
    found = common.make(meta, names, reply)
    for instance, score in zip(found, reply.scores, strict=False):
        instance.dbdata["score"] = score
    for branch, brought in zip(tree, reply.related, strict=True):
        branch.attach(found, brought, common)
    return found, reply.structures


def _whole(query: QueryBase[Any], plan: Plan, start: int | None, stop: int | None) -> Program[list[Any]]:
    """Return rows of a plan with all of their fields, in the model's order, with nothing brought along."""
    if is_nothing(plan):
        return []
    meta, session = query._meta, query.session
    (reply,) = yield Trip(query.backend, [Select(meta.table, plan, None, start, stop)])
    found = meta.codec.loader(None)(reply.ids, reply.rows, session)
    if query._relations or session.relations != "lazy":
        loading.Loading(session, query._relations).mark(found)
    return found


def _field_names(query: QueryBase[Any]) -> tuple[str, ...]:
    return () if query._get_field == query.meta.pkname() else (query._get_field or "",)


def _values(meta: ModelMeta[Any], name: str, reply: Selected) -> list[Any]:
    if name == meta.pkname():
        return [meta.codec.load_pk(id) for id in reply.ids]
    field = meta.field(name)
    assert field is not None, f"{meta} has no field {name}"
    return [field.get_default() if value is None else field.load(value) for (value,) in reply.rows]


def count(query: QueryBase[Any]) -> Program[int]:
    """Return the number of rows of a query; remembered in the query."""
    if query._count is None:
        query._count = yield from _count(query, query.construct())
    return query._count


def _count(query: QueryBase[Any], plan: Plan) -> Program[int]:
    if is_nothing(plan):
        return 0
    replies = yield Trip(query.backend, [Count(query._meta.table, plan)])
    return int(replies[0])


def item(query: QueryBase[Any], index: int) -> Program[Any]:
    """Return one result by its place; ``IndexError`` outside."""
    index = _place(index)
    if query._get_field is not None or None in query._cache:
        return (yield from load(query))[index]
    found = yield from load(query, index, index + 1 or None)
    if not found:
        raise IndexError(f'Query of "{query.meta}" has no result {index}.')
    return found[0]


def part(query: QueryBase[Any], cut: slice) -> Program[list[Any]]:
    """Return a slice of the results, with Python's meaning of bounds and step."""
    if query._get_field is not None:
        raise QuerySetError(f'Cannot slice values of "{query._get_field}". Slice the query, or the list of all().')
    start, stop, step = (None if bound is None else _place(bound) for bound in (cut.start, cut.stop, cut.step))
    if step not in (None, 1):
        return (yield from load(query))[start:stop:step]
    return (yield from load(query, start, stop))


def _place(value: Any) -> int:
    """Return a place or a bound as an int; no query has more rows than an id can number."""
    try:
        return max(-EXACT, min(EXACT, operator.index(value)))
    except TypeError:
        raise TypeError(f"A query is indexed by integers and slices of integers, not by {shown(value)}.") from None


def get(query: QueryBase[M], criteria: Mapping[str, Any]) -> Program[M]:
    """Return the only row; ``DoesNotExist`` for none, ``QuerySetError`` for several."""
    pending = query.session.pending_instance(query, criteria)
    if pending is not None:
        return pending
    plan = compile.plain(query._meta, criteria) if query.is_bare else None
    if plan is None:
        found = yield from load(query.filter(**criteria), 0, 2)
    else:  # most are of this kind: spared is what a query is worth that is used once
        found = yield from _whole(query, plan, 0, 2)
    if not found:
        raise not_found(str(query.meta), criteria or query.fargs)
    if len(found) > 1:
        raise QuerySetError(f'Non unique results: several rows of "{query.meta}" match, one was asked for.')
    instance: M = found[0]
    return instance


def contains(query: QueryBase[Any], value: Any) -> Program[bool]:
    """Return whether an instance, a pk, or, after ``get_field``, a value is among the results."""
    if query._get_field is not None:
        return value in (yield from load(query))
    if hasattr(value, "_meta"):
        if type(value) is not query.model:
            return False
        value = value.get_state().iid if value.get_state().persistent else value.pkvalue()
    try:
        id = query.meta.codec.dump_pk(value)
    except (InvalidValue, TypeError, ValueError):
        return False
    if id is None:
        return False
    return bool((yield from _count(query, Intersect((Ids((id,)), query.construct())))))


def test_unique(
    query: QueryBase[Any], name: str, value: Any, instance: Any, exception: type[Exception] | None
) -> Program[Any]:
    """Return ``value`` if no row but that of ``instance`` has it in field ``name``; raise otherwise."""
    query.known(name, "test")
    found = yield from load(query.filter(**{name: value}).load_only(query.meta.pkname()), 0, 2)
    own = None if instance is None else instance.pkvalue()
    if any(own is None or each.pkvalue() != own for each in found):
        text = f"An instance with {name} {shown(value)} is already available"
        raise (exception or query.model.DoesNotValidate)(text)
    return value


def explain(query: QueryBase[Any]) -> Program[Explanation]:
    """Return how a query is answered, with the sizes of all its parts, in one round trip."""
    from . import explain as explaining

    counts = yield Trip(query.backend, explaining.requests(query))
    return explaining.explanation(query, counts)


# -- writing ----------------------------------------------------------------------------------------------------


def commit(transaction: TransactionBase) -> Program[bool]:
    """Send what the transaction's session has pending, one atomic commit for each backend, and fire the signals."""
    session = transaction.session
    if session is None:
        raise InvalidTransaction(f'Transaction "{transaction.name}" was executed already. Begin a new one.')
    router, failure = session.router, None
    try:
        dependencies.enqueue_parents(session)
        if router.pre_delete or router.pre_commit:
            yield from _pre_signals(transaction, session)
        dependencies.enqueue_parents(session)  # a signal may have changed something
        work = [(unit, unit.validated()) for unit in units(session.pending(), session.queued())]
        for unit, request in work:
            if unit.is_empty:
                continue
            (reply,) = yield Trip(unit.server, [request])
            if isinstance(reply, Refused):
                failure = unit.refusal(reply, transaction.saved)
                break
            if unit.structures:
                session._structures.drop(unit.structures)
            saved, deleted = unit.applied(reply)
            transaction.saved.update(saved)
            transaction.deleted.update(deleted)
        if failure is None:
            transaction.on_result = True
        transaction.sent = True
        if router.post_delete or router.post_commit:
            yield from _post_signals(transaction, session)
        if failure is not None:
            raise failure
    finally:
        transaction.close()
    return True


def _fire(event: Event, meta: ModelMeta[Any], **params: Any) -> Program[None]:
    if event:
        yield Fire(event, meta.model, params)


def _pre_signals(transaction: TransactionBase, session: SessionBase) -> Program[None]:
    router = session.router
    for each in session.pending():
        if transaction.signal_delete and each.has_deletes:
            yield from _fire(router.pre_delete, each.meta, instances=each.delete_query(), session=session)
        if transaction.signal_commit and each.dirty:
            yield from _fire(router.pre_commit, each.meta, instances=each.dirty, session=session)


def _post_signals(transaction: TransactionBase, session: SessionBase) -> Program[None]:
    params = {"session": session, "transaction": transaction}
    deleted = list(transaction.deleted) if transaction.signal_delete else []
    for each in session.pending():
        meta = each.meta
        while meta in deleted:  # what follows from it was entered before it
            first = deleted.pop(0)
            yield from _fire(session.router.post_delete, first, instances=transaction.deleted[first], **params)
        if transaction.signal_commit and meta in transaction.saved:
            yield from _fire(session.router.post_commit, meta, instances=transaction.saved[meta], **params)


def add(session: SessionBase, instance: T, modified: bool, params: Mapping[str, Any]) -> Program[T]:
    """Queue an instance or a structure, and commit it at once outside a transaction."""
    session.enqueue(instance, modified, **params)
    if session.transaction is None and modified:
        yield from commit(session.begin())
    return instance


def delete(session: SessionBase, target: Any) -> Program[Any]:
    """Queue an instance, a query or a structure for deletion; outside a transaction commit, and return deleted pks."""
    sm = session.enqueue_delete(target)
    if session.transaction is not None:
        return target
    if sm is not None and not sm.has_deletes:
        return None
    transaction = session.begin()
    yield from commit(transaction)
    return None if sm is None else transaction.deleted.get(sm.meta)


def update(query: QueryBase[Any], values: Mapping[str, Any]) -> Program[int]:
    """Change fields of the rows of a query, in a commit of its own; return their number."""
    from . import updates

    meta, request = query.meta, updates.request(query, values)
    if is_nothing(request.plan):
        return 0
    backend = query.session.manager(meta).backend
    (reply,) = yield Trip(backend, [Commit(updates=(request,))])
    if isinstance(reply, Refused):
        raise updates.refusal(meta, reply)
    return int(reply.updated[0])


def expire(session: SessionBase, instance: M, seconds: float | timedelta | None) -> Program[M]:
    """Give a row a deadline, or none, with the open transaction or at once; return the instance."""
    session._accepting()
    pending = session.model(instance)
    pending.deadlines.put(pending, instance, seconds)
    if session.transaction is None:
        yield from commit(session.begin())
    return instance


def update_or_create(session: SessionBase, model: type[M], kwargs: Mapping[str, Any]) -> Program[tuple[M, bool]]:
    """Update the one row that the indexed keywords find, or create one; return it and whether it is new."""
    meta = session.model(model).meta
    pkname = meta.pkname()
    known = {*meta.dfields, *meta.attributes}
    if unknown := [name for name in kwargs if name not in known]:
        raise InvalidKeyword(str(meta), unknown, known)
    indexed = {name for name in kwargs if name in meta.dfields and meta.dfields[name].index}
    indexed |= together.lookup(meta, kwargs)
    lookup = {pkname: kwargs[pkname]} if kwargs.get(pkname) is not None else {name: kwargs[name] for name in indexed}
    found: list[M] = []
    if lookup:
        found = yield from load(session.query(model).filter(**lookup), 0, 2)
    created = len(found) != 1
    instance = model(**kwargs) if created else found[0]
    if not created:
        for name in kwargs.keys() - lookup.keys():
            instance.set(name, kwargs[name])  # type: ignore[attr-defined]
    return (yield from add(session, instance, True, {})), created


# -- administration ---------------------------------------------------------------------------------------------


def flush(manager: ManagerBase[Any, Any]) -> Program[int]:
    """Remove every key of a model; return their number."""
    replies = yield Trip(manager.backend, [Flush(manager.meta.table)])
    return int(replies[0])


def flush_all(managers: Iterable[ManagerBase[Any, Any]]) -> Program[list[int]]:
    """Flush several models; return the number of keys for each."""
    counts = []
    for manager in managers:
        counts.append((yield from flush(manager)))  # noqa: PERF401  (a generator cannot yield in a comprehension)
    return counts


def keys(manager: ManagerBase[Any, Any]) -> Program[list[str]]:
    """Return the names of a model's keys, sorted."""
    replies = yield Trip(manager.read_backend, [Keys(manager.meta.table)])
    names: list[str] = replies[0]
    return names


def row_of_uuid(session: SessionBase, uuid: str, models: Mapping[str | None, type[Model]]) -> Program[Model]:
    """Return the row that ``uuid`` names; ``DoesNotExist`` if it names none."""
    hash, _, pk = uuid.partition(".") if isinstance(uuid, str) else ("", "", "")
    model = models.get(hash)
    if model is None or not pk:
        raise not_found("model", {"uuid": uuid})
    meta = model._meta
    try:
        query: QueryBase[Model] = session.query(model)
        return (yield from get(query, {meta.pkname(): pk}))
    except QuerySetError:
        raise not_found(str(meta), {"uuid": uuid}) from None
