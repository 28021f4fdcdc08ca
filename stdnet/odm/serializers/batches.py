"""Rows in batches: out of a query, chunk by chunk, and into a router's backends, one commit for each batch.

Nothing here holds more than one batch of rows, and nothing knows a format.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from typing import Any, TypeAlias

from ...errors import BadRow, CommitException, FieldValueError, SerializerError
from .. import programs
from ..query import QueryBase
from ..router import RouterBase
from ..runner import Program
from .contents import fields_of, read

Row: TypeAlias = "tuple[Any, dict[str, Any] | None]"
"""An instance, and by field what its structures hold, as it is stored; ``None`` if they are not known."""

Use = Callable[[list[Row]], None]


def each_chunk(source: QueryBase[Any] | Iterable[Any], size: int, use: Use) -> Program[None]:
    """Call ``use`` with the rows of a query or an iterable, in order, ``size`` at a time.

    Each row that is there from the first chunk to the last is used once, whatever is added and deleted meanwhile. Of a
    query with conditions or an order, and of a model with one, the ids are held.
    """
    if not isinstance(source, QueryBase):
        instances = iter(source)
        while chunk := list(islice(instances, size)):
            use((yield from _beside(chunk)))
        return
    query = source._clone(select_related={})  # rows that it would bring along are rows of other dumps
    yield from (_walk if _is_whole(query) else _by_ids)(query, size, use)


def _rows(
    query: QueryBase[Any], start: int | None = None, stop: int | None = None, fields: list[Any] | None = None
) -> Program[list[Row]]:
    """Return rows of a query with their structures, which stay away where ``load_only`` names what to load."""
    if fields is None:
        fields = [] if query.fields else fields_of(query.meta)
    found, contents = yield from programs.select(query, fields, start, stop)
    if not fields:
        return [(row, None) for row in found]
    names = [field.name for field in fields]
    each_row = zip(*contents, strict=True)
    return [(row, dict(zip(names, content, strict=True))) for row, content in zip(found, each_row, strict=True)]


def _beside(chunk: list[Any]) -> Program[list[Row]]:
    """Return instances with the structures of their rows, of those that are stored and have a session."""
    owners = [_owner(each) for each in chunk]
    known: dict[Any, dict[str, Any] | None] = {None: None}
    for session, meta in dict.fromkeys(owner[:2] for owner in owners if owner is not None):
        pks = [owner[2] for owner in owners if owner is not None and owner[:2] == (session, meta)]
        pkname = meta.pkname()
        query = session.query(meta.model).filter(**{f"{pkname}__in": pks}).load_only(pkname)
        for row, contents in (yield from _rows(query, fields=fields_of(meta))):
            known[session, meta, row.__dict__[pkname]] = contents
    return [(each, known.get(owner)) for each, owner in zip(chunk, owners, strict=True)]


def _owner(instance: Any) -> tuple[Any, Any, Any] | None:
    """Return session, meta and pk of an instance that has structures."""
    meta: Any = getattr(instance, "_meta", None)
    if isinstance(instance, type) or not fields_of(meta) or instance.session is None:
        return None
    pk = instance.dbdata.get(meta.pkname())
    return None if pk is None else (instance.session, meta, pk)


def _is_whole(query: QueryBase[Any]) -> bool:
    """Return whether a query is about all rows of a model, in the order of their ids."""
    conditions = (query.fargs, query.eargs, query.unions, query.intersections, query.wheres, query.ordering)
    more = (query.searches, query.plans)
    return query.meta.table.order == "id" and not any(conditions) and not any(more)


def _walk(query: QueryBase[Any], size: int, use: Use) -> Program[None]:
    """Go through all rows by their place; each slice begins with the last row of the one before, if it still can."""
    pkname, dump_pk = query.meta.pkname(), query.meta.codec.dump_pk
    place, last = 0, None
    while True:
        start, stop = max(place - 1, 0), place + size
        found = yield from _rows(query, start, stop)
        ids: list[Any] = [dump_pk(row.__dict__[pkname]) for row, _ in found]
        if start and (not ids or ids[0] > last):  # rows before this place were deleted, and the others moved up
            place = max(place - size, 0)
            continue
        if rows := [row for row, id in zip(found, ids, strict=True) if last is None or id > last]:
            use(rows)
            last = ids[-1]
        if len(ids) < stop - start:
            return
        place = stop


def _by_ids(query: QueryBase[Any], size: int, use: Use) -> Program[None]:
    """Ask for the ids alone, and then for the rows of some of them at a time."""
    pkname = query.meta.pkname()
    ids = yield from programs.load(query.get_field(pkname))
    plain = query._clone(fargs={}, eargs={}, unions=(), intersections=(), wheres=(), ordering=None)
    for start in range(0, len(ids), size):
        part = ids[start : start + size]
        found = yield from _rows(plain.filter(**{f"{pkname}__in": part}))
        rows = {row.__dict__[pkname]: (row, contents) for row, contents in found}
        use([rows[pk] for pk in part if pk in rows])


class Batches:
    """Takes rows one by one, makes instances of them, and commits them batch by batch.

    A batch is of one backend, so that it is one atomic commit. ``size=None`` means that only ``flush`` ends a batch.
    ``progress`` is called with the number of rows that are stored, after each batch.
    """

    def __init__(
        self, router: RouterBase[Any], size: int | None, progress: Callable[[int], Any] | None, place: str = "Line"
    ) -> None:
        self.router = router
        self.size = size
        self.progress = progress
        self.place = place
        self.stored = 0
        self._session = router.session()
        self._pending: list[tuple[int, Any, list[Any]]] = []
        self._server: Any = None

    def bad(self, line: int, problem: object) -> BadRow:
        """Return the error for a line."""
        return BadRow(self.place, line, str(problem), self.stored)

    def add(
        self, line: int, model: Any, data: Mapping[str, Any], structures: Mapping[str, Any] | None = None
    ) -> Program[None]:
        """Take a row, and commit the batch before it if that is complete.

        ``structures`` are the JSON forms of what its structures hold, of all of them; without, they stay as they are.
        """
        server = self.router[model].backend
        if self._pending and (len(self._pending) == self.size or server is not self._server):
            yield from self.flush()
        self._server = server
        try:
            instance = model.from_base64_data(**data)
            fields = [] if structures is None else fields_of(model._meta)
            self._pending.append((line, instance, [self._content(each, instance, structures) for each in fields]))
        except Exception as error:
            raise self.bad(line, error) from error

    def _content(self, field: Any, instance: Any, structures: Any) -> Any:
        """Return the structure of a row that is about to be stored; what it holds waits in it."""
        structure = field.structure(self._session, instance)
        structure.id = instance.pkvalue()
        if structure.id is None:
            raise SerializerError(f'it has structures and no "{instance._meta.pkname()}", the id of their row')
        structure.cache.delete()
        if field.name in structures:
            structure.refill(read(field.kind, structures[field.name]))
        return structure

    def flush(self) -> Program[int]:
        """Commit what was taken; return how many rows are stored by now."""
        if not self._pending:
            return self.stored
        session, self._session = self._session, self.router.session()
        transaction = session.begin(signal_commit=False)
        for _, instance, structures in self._pending:
            for each in (instance, *structures):
                session.enqueue(each)
        try:
            yield from programs.commit(transaction)
        except (FieldValueError, CommitException) as error:
            raise self._refused(error) from error
        self.stored += len(self._pending)
        self._pending.clear()
        if self.progress is not None:
            self.progress(self.stored)
        return self.stored

    def _refused(self, error: FieldValueError | CommitException) -> Exception:
        """Return the error that names the first line that a backend or the validation refused."""
        lines = {id(each): line for line, instance, beside in self._pending for each in (instance, *beside)}
        if isinstance(error, FieldValueError):
            texts = [" ".join(problems.values()) for problems in error.errors]
        else:
            texts = [*error.reasons, *error.reasons[-1:] * len(error.instances)]
        found = [(lines[id(one)], text) for one, text in zip(error.instances, texts, strict=False) if id(one) in lines]
        return self.bad(*min(found)) if found else error
