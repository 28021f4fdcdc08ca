"""The unit of work: from pending instances to a ``Commit``, and from its reply back to the instances. Pure.

A ``Unit`` is made of what a session has pending for the models of one backend. Nothing here performs I/O; the
instances are touched only by validation, which converts their values, and after the backend has answered.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from ..backends.base import BackendDataServer
from ..contract import After, Call, Change, Clash, Commit, Committed, Delete, Held, Reference, Refused, Save, Scalar
from ..errors import CommitException, Conflict, ConflictError, FieldValueError, InvalidValue, shown
from . import dependencies, versions
from .meta import ModelMeta
from .state import ModelState

if TYPE_CHECKING:
    from .deadlines import Deadline
    from .model import Model
    from .session import SessionModel
    from .structures import Structure


class Unit:
    """What one backend is asked to do for one commit of a session."""

    def __init__(
        self, server: BackendDataServer, pending: Sequence[SessionModel], structures: Sequence[Structure] = ()
    ) -> None:
        self.server = server
        self.pending = pending
        self.structures = structures
        self.calls = [(each, Call(each.place(), *call)) for each in structures for call in each.cache.calls()]
        self.deleting: list[SessionModel] = []
        self.deadlines: dict[int, Deadline] = {}
        dirty = []
        for each in pending:
            dirty.append((each.meta, each.dirty))
            if each.has_deletes:
                self.deleting.append(each)
            if each.deadlines:
                self.deadlines.update(each.deadlines)
        self.saving, self.places = dependencies.arranged(dirty)
        self.deletes = tuple([Delete(each.meta.table, each.delete_query().construct()) for each in self.deleting])
        self.references, self.order = self._referring()
        self.sent: list[Sequence[Change]] = []

    def _referring(self) -> tuple[list[tuple[Any, Reference]], list[ModelMeta[Any]]]:
        if not self.deleting:
            return [], []
        router = self.deleting[0].session.router
        return dependencies.referring(router, self.server, [each.meta for each in self.deleting])

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to do."""
        return not (self.deletes or self.saving or self.calls)

    def validated(self) -> Commit:
        """Return the commit; raise ``FieldValueError`` for invalid values, ``CommitException`` for missing ids."""
        saves = []
        errors: list[dict[str, str]] = []
        invalid: list[Model] = []
        nameless: list[tuple[ModelMeta[Any], Model]] = []
        for meta, instances in self.saving:
            changes = []
            added = None if self.deadlines else meta.codec.added
            for instance in instances:
                if added is not None and (quick := added(instance)) is not None:
                    changes.append(quick)
                    continue
                deadline = self.deadlines.get(id(instance)) if self.deadlines else None
                change, problems = _change(meta, instance, self.places, deadline)
                changes.append(change)
                if problems:
                    errors.append(problems)
                    invalid.append(instance)
                elif change.id is None and not meta.table.auto:
                    nameless.append((meta, instance))
            saves.append(Save(meta.table, changes))
        if errors:
            raise FieldValueError(errors, invalid)
        if nameless:
            reasons = [f"{meta}: Id not available. Cannot commit. {meta.pk.cure}" for meta, _ in nameless]
            raise CommitException(reasons, len(nameless), [instance for _, instance in nameless])
        references = tuple([reference for _, reference in self.references])
        self.sent = [save.changes for save in saves]
        calls = tuple([call for _, call in self.calls])
        return Commit(self.deletes, tuple(saves), references, calls, after=self._following())

    def _following(self) -> tuple[After, ...]:
        """Return what the search engine of the router adds."""
        engine = self.pending[0].session.router.search_engine if self.pending else None
        return () if engine is None else engine.commits(self.saving, self.order, self.sent)

    def refusal(self, reply: Refused, stored: Iterable[ModelMeta[Any]] = ()) -> CommitException:
        """Return the error for a refused commit, which names each instance, field and value."""
        refused = dict.fromkeys((clash.save, clash.change) for clash in reply.clashes)
        instances = [self.saving[save][1][change] for save, change in refused]
        conflicts = [self._conflict(clash) for clash in reply.clashes if clash.reason == "stale"]
        reasons = [reason_of(self.saving[clash.save][0], clash) for clash in reply.clashes if clash.reason != "stale"]
        reasons += [self._held(held) for held in reply.held]
        failures = {(self.references[held.reference][1].parent.name, held.id): held for held in reply.held}
        instances += [instance for held in failures.values() for instance in self._deleted(held)]
        gone = list(dict.fromkeys(self.calls[place][0] for place in reply.gone))
        reasons += [f"Cannot change {structure}: the row does not exist any more." for structure in gone]
        failed = len(refused) + len(failures) + len(gone)
        told = failed, [*instances, *gone], [str(meta) for meta in stored]
        return ConflictError(conflicts, reasons, *told) if conflicts else CommitException(reasons, *told)

    def _conflict(self, clash: Clash) -> Conflict:
        """Return what a save that came too late was about."""
        meta, instances = self.saving[clash.save]
        instance, change = instances[clash.change], self.sent[clash.save][clash.change]
        expected = None if change.version is None else change.version[1]
        fields = versions.conflict(meta, instance, clash.row)
        found = None if clash.row is None else clash.value
        return Conflict(str(meta), instance.get_state().iid, expected, found, clash.row is None, fields)

    def _held(self, held: Held) -> str:
        key = self.references[held.reference][0]
        parent, child = key.related_meta, key.meta
        return (
            f"Cannot delete {parent}.{parent.pkname()}={held.id!r}: {child}.{child.pkname()}={held.by!r} refers to it "
            f'by "{key.name}", which has on_delete=RESTRICT. Delete that row first, or give it another {key.name}.'
        )

    def _deleted(self, held: Held) -> Sequence[Model]:
        """Return the instances that were to be deleted; none if it was a query or a cascade that deleted the row."""
        meta = self.references[held.reference][0].related_meta
        instances = next((each._deleted for each in self.deleting if each.meta is meta), {})
        return instances.get(meta.codec.load_pk(held.id), ())

    def applied(self, reply: Committed) -> tuple[dict[ModelMeta[Any], list[Any]], dict[ModelMeta[Any], list[Any]]]:
        """Mark the instances as stored and forget them; return the saved instances and the deleted pks, by model."""
        saved: dict[ModelMeta[Any], list[Any]] = {}
        for number, ((meta, instances), ids, scores) in enumerate(
            zip(self.saving, reply.ids, reply.scores, strict=True)
        ):
            _mark_saved(meta, instances, self.sent[number], ids, reply)
            if meta.ordering is not None:
                _rank(meta, instances, scores)
            saved.setdefault(meta, []).extend(instances)
        for meta, instances in self.saving:
            if meta.foreignkeys:
                dependencies.settle(instances)
        gone = self._deletions(reply) if self.deleting else {}
        for each in self.pending:
            each.drop(restore=False)
        return saved, gone

    def _deletions(self, reply: Committed) -> dict[ModelMeta[Any], list[Any]]:
        """Forget what the structures of deleted instances had cached; return the deleted pks, by model."""
        gone: dict[ModelMeta[Any], list[Any]] = {meta: [] for meta in self.order}
        for each, ids in zip(self.deleting, reply.deleted, strict=True):
            gone[each.meta] += map(each.meta.codec.load_pk, ids)
        for (key, _), ids in zip(self.references, reply.cascaded, strict=True):
            if ids:
                gone[key.meta] += map(key.meta.codec.load_pk, ids)
        for each in self.deleting:
            for instance in (instance for doomed in each._deleted.values() for instance in doomed):
                for field in each.meta.multifields:
                    if (structure := instance.__dict__.get(field.cache_name)) is not None:
                        structure.cache.cache = None
        return {meta: pks for meta, pks in gone.items() if pks}


def units(pending: Iterable[SessionModel], structures: Iterable[Structure] = ()) -> list[Unit]:
    """Return one unit for each backend, in order of first use."""
    by_server: dict[BackendDataServer, tuple[list[SessionModel], list[Structure]]] = {}
    for each in pending:
        by_server.setdefault(each.backend, ([], []))[0].append(each)
    for structure in structures:
        by_server.setdefault(structure.backend, ([], []))[1].append(structure)
    return [Unit(server, *parts) for server, parts in by_server.items()]


def _change(
    meta: ModelMeta[Any], instance: Model, places: dependencies.Places, deadline: Deadline | None
) -> tuple[Change, dict[str, str]]:
    """Return the row of an instance and what is wrong with it."""
    codec, state = meta.codec, instance.get_state()
    if deadline is not None and deadline.alone:
        id = codec.dump_pk(state.iid)
        return Change(id, id, (), (), expires=deadline.seconds), {}
    refs = dependencies.references_of(instance, places)
    errors: dict[str, str] = {}
    values: dict[str, Scalar] = {}
    whole = not refs and meta.version is None and instance._loadedfields is None
    row = codec.make_row(instance.__dict__) if whole else None
    if row is None:
        values, errors = codec.clean(instance)
        if refs:
            values, errors = _awaiting(meta, {name for name, _, _ in refs}, values, errors)
    id = previous = None
    try:
        id = codec.dump_pk(instance.pkvalue())
        previous = codec.dump_pk(state.iid) if state.persistent else None
    except InvalidValue as error:
        errors[meta.pkname()] = str(error)
    version = None
    if meta.version is not None:
        version = versions.raised(meta, instance, previous is not None, values, errors)
    names = None
    if row is None:
        names, row = tuple(values), tuple(values.values())
    fields = None if names == meta.table.names else names
    score = None if errors else meta.score(instance)
    expires = meta.ttl if deadline is None else deadline.seconds
    if previous is None or errors:
        return Change(id, previous, row, fields, score, refs, expires=expires), errors
    forced = instance._loadedfields is None and state.action == "update"  # by force_update: whatever was loaded
    changed = None if forced else versions.changed(instance, meta.table.names, fields, row)
    if refs and changed is not None:
        changed = tuple(dict.fromkeys((*changed, *(name for name, _, _ in refs))))
    info, rescored = meta.ordering, True
    if info is not None and info.auto is None and changed is not None:
        rescored = info.name in changed
    return Change(id, previous, row, fields, score, refs, changed, rescored, version, expires), errors


def _mark_saved(
    meta: ModelMeta[Any], instances: Sequence[Model], changes: Sequence[Change], ids: Sequence[Any], reply: Committed
) -> None:
    """Let the instances know under which id they are stored, and what was sent of them."""
    pkname, load, version = meta.pkname(), meta.codec.pk_load, meta.version
    for instance, change, id in zip(instances, changes, ids, strict=True):
        state = instance.__dict__
        dbdata = state["_dbdata"]
        state[pkname] = dbdata[pkname] = id if load is None else load(id)
        dbdata.pop("state", None)
        if change.fields is None and not change.refs and version is None and "columns" not in dbdata:
            dbdata["row"] = change.values
        elif change.fields != ():  # which is a deadline alone
            _remember(meta, instance, change, reply)


def _remember(meta: ModelMeta[Any], instance: Model, change: Change, reply: Committed) -> None:
    """Keep what was sent on an instance, with the ids that the commit has filled in."""
    every, row = meta.table.names if change.fields is None else change.fields, change.values
    if change.refs:
        filled = dict(zip(every, row, strict=True))
        filled |= {name: reply.ids[save][place] for name, save, place in change.refs}
        row = tuple(filled.values())
    versions.remember(instance, change.fields, row)
    if meta.version is not None:
        instance.__dict__[meta.version.attname] = row[every.index(meta.version.attname)]


def _awaiting(
    meta: ModelMeta[Any], names: set[str], values: dict[str, Any], errors: dict[str, str]
) -> tuple[dict[str, Any], dict[str, str]]:
    """Let the columns ``names``, which the commit fills in, count as given."""
    columns = [field.attname for field in meta.scalarfields if field.attname in values or field.attname in names]
    columns += [name for name in values if meta.flat(name)[0] is not None]
    return (
        {name: None if name in names else values[name] for name in columns},
        {name: text for name, text in errors.items() if name not in names},
    )


def _rank(meta: ModelMeta[Any], instances: Sequence[Model], scores: Sequence[float]) -> None:
    """Let the instances know their places in the order of their model."""
    for n, instance in enumerate(instances):
        score = scores[n] if scores else meta.score(instance) or 0
        state: ModelState = instance.get_state()
        state.score = -score if meta.ordering.desc else score  # type: ignore[union-attr]


def reason_of(meta: ModelMeta[Any], clash: Clash) -> str:
    """Return the sentence that tells of a clash."""
    head = f"Exception while committing {meta}."
    if clash.reason == "unique":
        holder = "another instance of this commit" if clash.holder is None else f"{meta.pkname()}={clash.holder!r}"
        if clash.field not in meta.table.positions:
            return (
                f'{head} Unique combination "{clash.field}" violated: the same values are already in database, '
                f"held by {holder}. Choose others, or change or delete that row first."
            )
        value = _python(meta, clash)
        return (
            f'{head} Unique constraint "{clash.field}" violated: {shown(value)} is already in database, '
            f"held by {holder}. Choose another value, or change or delete that row first."
        )
    if clash.reason == "id":
        return f"{head} Cannot move to {meta.pkname()}={clash.value!r}: a row stands there. Delete it first."
    return (
        f"{head} The row {meta.pkname()}={clash.value!r} does not exist any more, and only some of its fields are "
        "loaded. Load it again, or save an instance with all fields."
    )


def _python(meta: ModelMeta[Any], clash: Clash) -> Any:
    field = next(field for field in meta.scalarfields if field.attname == clash.field)
    return field.load(clash.value)
