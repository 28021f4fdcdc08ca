"""SearchEngine: full-text search in the database that holds the rows, as a part of each commit and of each query.

The index of a model is a structure beside its table (``index``); this module says what goes into it and how a text
becomes a plan. Related objects are found through the relation, in the index of their own model, so that their changes
are never missed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from ... import odm
from ...contract import (
    NOTHING,
    After,
    All,
    Call,
    Change,
    Commit,
    Found,
    Id,
    Intersect,
    Place,
    Plan,
    Scores,
    Select,
    Union,
)
from ...errors import ImproperlyConfigured
from ...odm import programs
from ...odm.links import Link, reachable
from ...odm.loading import link_of
from ...odm.runner import Program, Trip
from .handle import AsyncSearchIndex, IndexField, SearchIndex
from .index import INDEX, Clause
from .processors import (
    PUNCTUATION_CHARS,
    signature_of,
    stemming_processor,
    stopwords,
    tolerant_metaphone_processor,
)
from .words import Analyzer, Sought, clean, snippet

if TYPE_CHECKING:
    from ...odm.transaction import TransactionBase

Progress = Callable[[type[odm.Model], int, int], Any]
"""Called with a model, the number of its rows that are done, and the number of all."""

NAME = "search"
"""The name of the structure beside a table."""


class SearchEngine(odm.SearchEngine):
    """A search engine whose index is in the database of the rows, and changes in the same commit as these.

    Words are separated by white space and ``splitters``, ``False`` for white space alone; those shorter than
    ``min_word_length`` are left out, and when texts are indexed ``stop_words``, too. ``stemming`` finds "running" by
    "run", ``metaphone`` what sounds alike. An index remembers all that; ``AnalyzerMismatch`` is raised if it was made
    otherwise. A middleware is given one word at a time, and what it makes of it is kept.

    Every program that writes has to install the engine, with the same options. ``query.update`` refuses fields that are
    indexed. Rows that expired are not found; what is indexed of them stays, and counts for the weight of words, until
    ``reindex``.
    """

    def __init__(
        self,
        backend: Any = None,
        min_word_length: int = 3,
        stop_words: Collection[str] | None = None,
        metaphone: bool = True,
        stemming: bool = True,
        splitters: str | bool | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(backend, **kwargs)
        self.min_word_length = min_word_length
        chars = PUNCTUATION_CHARS if splitters is None or splitters is True else splitters
        self.punctuation_regex = re.compile(f"[{re.escape(chars)}]") if chars else None
        self._analyzer: tuple[int, Analyzer, str] | None = None
        self._indexed: dict[Any, Place] = {}
        if stop_words is None or stop_words:
            self.add_word_middleware(stopwords(stop_words), False)
        if stemming:
            list(stemming_processor(["stemming"]))  # it is installed
            self.add_word_middleware(stemming_processor)
        if metaphone:
            self.add_word_middleware(tolerant_metaphone_processor)

    # -- models -------------------------------------------------------------------------------------------------

    def register(self, model: type[odm.Model], related: Iterable[str] | None = None) -> None:
        """Index the text fields of a model that are not hidden; ``related`` foreign keys are searched, too.

        ``related`` are names of foreign keys, or paths of them, ``fund__manager``: a row matches if it or the related
        row does. Rows that are there already are indexed by ``reindex``.
        """
        router, names = self.installed(), (related,) if isinstance(related, str) else tuple(related or ())
        router.register(model)
        update = odm.UpdateSE(self, names)
        for meta in (model._meta, *(path[-1].meta for path in self._paths(model._meta, names))):
            self._check_backend(meta)
            self._indexed[meta] = Place(INDEX, NAME, meta.table)
        self.REGISTERED_MODELS[model] = update

    def _check_backend(self, meta: Any) -> None:
        own = None if self._backend is None else self.backend
        if own is not None and own != self.installed()[meta.model].backend:
            raise ImproperlyConfigured(
                f'Cannot index "{meta}" in {own}: the index is a part of its commits, so it lives where the rows live. '
                "Leave out the backend of the engine."
            )

    def _paths(self, meta: Any, names: Iterable[str]) -> list[list[Link]]:
        """Return the links along each path of foreign keys."""
        paths = []
        for name in names:
            path: list[Link] = []
            for part in name.split(odm.JSPLITTER):
                link = link_of(path[-1].meta if path else meta, part)
                if link.many:
                    raise ImproperlyConfigured(f'Cannot index "{meta}" with "{name}": it is no foreign key.')
                path.append(link)
            paths.append(path)
        return paths

    def _place(self, model: Any) -> Place:
        meta = getattr(model, "_meta", model)
        found = self._indexed.get(meta)
        if found is None:
            raise ImproperlyConfigured(f'"{meta}" is not registered with the search engine. Call engine.register(…).')
        return found

    def index(self, model: type[odm.Model], session: Any = None) -> Any:
        """Return a handle of the index of a model: its ``size()`` and ``items()`` tell what is there."""
        self._place(model)
        session = session or self.session()
        handle = (AsyncSearchIndex if session.is_async else SearchIndex)(field=IndexField(model, NAME))
        handle.session = session
        return handle

    # -- words --------------------------------------------------------------------------------------------------

    def pieces(self, text: str) -> list[str]:
        """Return all words of a text, in lower case."""
        return (text if self.punctuation_regex is None else self.punctuation_regex.sub(" ", text)).lower().split()

    def split_text(self, text: str) -> list[str]:
        """Return the words of a text that are not too short, in lower case."""
        least = self.min_word_length
        return [word for word in self.pieces(text) if len(word) >= least]

    def _terms(self, word: str, for_search: bool) -> Iterable[str]:
        words: Iterable[str] = [word]
        for middleware, searching in self.word_middleware:
            if searching or not for_search:
                words = middleware(words)
        return words

    def _analysis(self) -> tuple[Analyzer, str]:
        """Return how words become terms, and the name of it that an index remembers."""
        if self._analyzer is None or self._analyzer[0] != len(self.word_middleware):
            marked = any(not isinstance(middleware, stopwords) for middleware, _ in self.word_middleware)
            analyzer = Analyzer(self.split_text, self.pieces, self._terms, marked)
            pattern = self.punctuation_regex.pattern if self.punctuation_regex else ""
            standard = pattern == f"[{re.escape(PUNCTUATION_CHARS)}]"
            parts = [f"{self.min_word_length} letters", *([] if standard else [f"splitters {pattern}"])]
            parts += [signature_of(middleware) for middleware, _ in self.word_middleware]
            self._analyzer = len(self.word_middleware), analyzer, " ".join(clean(", ".join(parts)).split())
        return self._analyzer[1:]

    @property
    def analyzer(self) -> str:
        """How words become terms, as an index remembers it."""
        return self._analysis()[1]

    # -- indexing -----------------------------------------------------------------------------------------------

    def commits(
        self,
        saving: Sequence[tuple[Any, Sequence[odm.Model]]],
        losing: Iterable[Any],
        sent: Sequence[Sequence[Change]],
    ) -> tuple[After, ...]:
        losing = dict.fromkeys(meta for meta in losing if meta in self._indexed)
        saves = [
            (n, meta, instances)
            for n, (meta, instances) in enumerate(saving)
            if meta in self._indexed and not all(map(_is_empty, sent[n]))
        ]
        for n, meta, _ in saves:
            if meta not in losing and any(map(_moves, sent[n])):
                losing[meta] = None
        again = [
            After(self._indexed[meta], "forget", n, new=True)
            for n, meta, _ in saves
            if any(change.changed is not None for change in sent[n])
        ]
        moving = [(n, meta, [_left(change) for change in sent[n]]) for n, meta, _ in saves]
        inheriting = [
            After(self._indexed[meta], "inherit", n, (left,)) for n, meta, left in moving if set(left) != {None}
        ]
        forgetting = [After(self._indexed[meta], "forget", meta.table) for meta in losing]
        updating = [
            After(self._indexed[meta], "update", n, self._documents(meta, instances, sent[n]))
            for n, meta, instances in saves
        ]
        return (*again, *inheriting, *forgetting, *updating)

    def indexed_fields(self, meta: Any) -> tuple[str, ...]:
        return self.text_fields(meta) if meta in self._indexed else ()

    def _documents(
        self, meta: Any, instances: Sequence[odm.Model], changes: Sequence[Change] | None = None
    ) -> tuple[Any, ...]:
        """Return analyzer, names and texts of instances, as the operation ``update`` takes them.

        A commit writes what has changed since the instance was loaded, and so does the index: with ``changes``, other
        texts are for a document that is not there.
        """
        name, names, texts = self._texts(meta, instances)
        if changes is not None:
            pkname = meta.pkname()
            texts = [_written(names, some, change, pkname) for some, change in zip(texts, changes, strict=True)]
        return name, names, texts

    def _texts(
        self, meta: Any, instances: Sequence[odm.Model]
    ) -> tuple[str, tuple[str, ...], Sequence[Sequence[str | None]]]:
        analyzer, name = self._analysis()
        if [self.texts] != self.ITEM_PROCESSORS:
            texts = [["\n".join(map(str, self.item_field_iterator(instance)))] for instance in instances]
            return name, ("",), [[analyzer.indexed(text) for text in each] for each in texts]
        names, indexed = self.text_fields(meta), analyzer.indexed
        return name, names, [[_text(instance, each, indexed) for each in names] for instance in instances]

    def index_items_from_model(self, items: Iterable[Any], model: type[odm.Model]) -> Any:
        """Index instances that are stored, those of ``max_in_session`` in each commit."""
        return self.drive(self._index(list(items), model))

    def _index(self, items: list[Any], model: type[odm.Model]) -> Program[None]:
        meta, place = model._meta, self._place(model)
        for first in range(0, len(items), self.max_in_session):
            some = items[first : first + self.max_in_session]
            ids = [meta.codec.dump_pk(item.pkvalue()) for item in some]
            call = Call(place, "update", (ids, *self._documents(meta, some)))
            yield Trip(self.installed()[model].backend, [Commit(calls=(call,))])

    def add_item(self, item: Any, words: Iterable[str], transaction: TransactionBase) -> Any:
        """Index an instance that is stored under words instead of its texts, in a transaction."""
        handle = self.index(type(item), transaction._open())
        names = self.text_fields(item._meta)
        analyzer, name = self._analysis()
        text = analyzer.indexed(" ".join(words))
        texts = [["" for _ in names[1:]]]
        texts[0][:0] = [text]
        id = item._meta.codec.dump_pk(item.pkvalue())
        handle.cache.change("update", ([id], name, names or ("",), texts))
        return transaction.add(handle)

    def remove_item(self, item_or_model: Any, transaction: TransactionBase, ids: Iterable[Any] | None = None) -> Any:
        """Remove an instance from the index, the ``ids`` of a model, or all of a model, in a transaction."""
        model: Any = item_or_model if isinstance(item_or_model, type) else type(item_or_model)
        handle, dump = self.index(model, transaction._open()), model._meta.codec.dump_pk
        if model is not item_or_model:
            ids = [item_or_model.pkvalue()]
        if ids is None:
            return transaction.delete(handle)
        handle.cache.change("forget", ([dump(id) for id in ids],))
        return transaction.add(handle)

    def flush(self, full: bool = False) -> Any:
        """Remove the whole index; return the number of rows that were in it."""
        return self.drive(self._flush())

    def _flush(self) -> Program[int]:
        count = 0
        for meta, place in self._indexed.items():
            size, _ = yield Trip(self.installed()[meta.model].backend, [Call(place, "size"), Call(place, "delete")])
            count += size
        return count

    def reindex(self, progress: Progress | None = None) -> Any:
        """Make the index anew from the rows, ``max_in_session`` at a time; return how many rows there were.

        Others may write meanwhile: what they save stays as they saved it, and searches find what they found before,
        unless the index was made by another analyzer, which empties it first. If another ``reindex`` begins, this one
        ends. ``progress(model, done, total)`` is called after each step.
        """
        return self.drive(self._reindex(progress))

    def _reindex(self, progress: Progress | None) -> Program[int]:
        count = 0
        for meta, place in list(self._indexed.items()):
            count += yield from self._renew(meta, place, progress)
        return count

    def _renew(self, meta: Any, place: Place, progress: Progress | None) -> Program[int]:
        manager, token = self.installed()[meta.model], uuid4().hex
        yield Trip(manager.backend, [Call(place, "begin", (self.analyzer, token))])
        (reply,) = yield Trip(manager.backend, [Select(meta.table, All(), fields=())])
        pks, done = [meta.codec.load_pk(id) for id in reply.ids], 0
        for first in range(0, len(pks), self.max_in_session):
            some = pks[first : first + self.max_in_session]
            query = self.query(meta.model).filter(**{f"{meta.pkname()}__in": some})
            rows: list[Any] = yield from programs.load(query)
            ids = [meta.codec.dump_pk(row.pkvalue()) for row in rows]
            arguments = (ids, *self._documents(meta, rows), token)
            (renewed,) = yield Trip(manager.backend, [Call(place, "renew", arguments)])
            if not renewed:
                return done
            done += len(some)
            if progress is not None:
                progress(meta.model, done, len(pks))
        yield Trip(manager.backend, [Call(place, "finish", (token,))])
        return done

    def items(self, model: type[odm.Model]) -> Any:
        """Return what is in the index of a model: pairs of a primary key and a dict of terms by field."""
        return self.index(model).items()

    # -- searching ----------------------------------------------------------------------------------------------

    def search(
        self,
        text: str,
        include: Collection[type[odm.Model]] | None = None,
        exclude: Collection[type[odm.Model]] | None = None,
        lookup: str | None = None,
    ) -> list[Any]:
        """Return a query for each registered model: the rows that match a text, ranked if it has words.

        ``include`` and ``exclude`` are models. ``ValueError`` for a lookup that is not ``"contains"`` or ``"in"``.
        """
        found, session = [], self.session()
        for model in self.REGISTERED_MODELS:
            if (include is None or model in include) and model not in (exclude or ()):
                query = session.query(model).search(text, lookup)
                found.append(query.ranked() if self._sought(text).clauses else query)
        return found

    def _sought(self, text: str) -> Sought:
        return self._analysis()[0].sought(text)

    def search_model(self, query: odm.QueryBase[Any], text: str, lookup: str | None = None) -> odm.QueryBase[Any]:
        """Return a query narrowed to the rows that match; a text without words changes nothing.

        Words that are never indexed do not count, unless there are no others: then nothing matches.
        """
        if lookup not in (None, "contains", "in"):
            raise ValueError(f"Unknown lookup {lookup!r} in a search. Use 'contains' (all words) or 'in' (any word).")
        sought = self._sought(text)
        if not sought.words:
            return query
        return query.narrow(self._plan(query, sought.clauses, lookup == "in") if sought.clauses else NOTHING)

    def _plan(self, query: odm.QueryBase[Any], clauses: tuple[Clause, ...], any_: bool) -> Plan:
        place, name = self._place(query.meta), self.analyzer
        paths = self._paths(query.meta, self.get_related_fields(query.model))
        if not paths:
            return Found(place, "found", (name, "any" if any_ else "all", clauses))
        for link in (link for path in paths for link in path):
            reachable(query.session, query.backend, link)
        groups = [clauses] if any_ else [(clause,) for clause in clauses]
        plans: list[Plan] = []
        for group in groups:
            sides: list[Plan] = [Found(place, "found", (name, "any", group))]
            for path in paths:
                plan: Plan = Found(self._place(path[-1].meta), "found", (name, "any", group))
                for link in reversed(path):
                    plan = link.rows(plan)
                sides.append(plan)
            plans.append(Union(tuple(sides)))
        return plans[0] if len(plans) == 1 else Intersect(tuple(plans))

    def scores(self, query: odm.QueryBase[Any]) -> tuple[Scores, ...]:
        """Return what ranks a query: BM25 of all its searches, in the rows and in related ones, added up."""
        clauses = tuple(dict.fromkeys(clause for text, _ in query.searches for clause in self._sought(text).clauses))
        if not clauses:
            return ()
        arguments = (self.analyzer, clauses)
        found = [Scores(self._place(query.meta), "scores", arguments)]
        for path in self._paths(query.meta, self.get_related_fields(query.model)):
            through = tuple((link.hops[0].column, link.hops[0].table) for link in path)
            found.append(Scores(self._place(path[-1].meta), "scores", arguments, through))
        return tuple(found)

    def snippet(
        self,
        text: str,
        sought: Sequence[str],
        words: int = 24,
        mark: tuple[str, str] = ("[", "]"),
        escape: Callable[[str], str] = str,
        **options: Any,
    ) -> str:
        """Return the ``words`` words of a text where most matches are, each between the two marks.

        ``escape`` is applied to what is between: ``html.escape`` with ``mark=("<b>", "</b>")`` makes HTML.
        """
        analyzer = self._analysis()[0]
        clauses = [clause for each in sought for clause in analyzer.sought(each).clauses]
        return snippet(text, analyzer.matches(text, clauses), max(1, words), mark, escape)


def _is_empty(change: Change) -> bool:
    """Return whether nothing of a row is written, but perhaps its deadline."""
    return change.fields == () and change.previous == change.id


def _moves(change: Change) -> bool:
    """Return whether a row is stored under another id than it will have."""
    return change.previous is not None and change.previous != change.id


def _left(change: Change) -> Id | None:
    """Return the id that a row leaves with texts that are not written, or ``None``."""
    whole = change.fields is None and change.changed is None
    return None if whole or not _moves(change) else change.previous


def _written(names: Sequence[str], texts: Sequence[Any], change: Change, pkname: str) -> list[Any]:
    """Return texts as the index takes them if a row is changed so: those that are not written are in tuples."""
    if _is_empty(change):
        return [None] * len(texts)
    changed = change.changed
    if changed is None or names == ("",):
        return list(texts)
    changed = (*changed, pkname) if _moves(change) else changed
    kept = [name not in changed for name in names]
    return [(text,) if keep and text is not None else text for text, keep in zip(texts, kept, strict=True)]


def _text(instance: odm.Model, name: str, indexed: Callable[[str], str]) -> str | None:
    """Return the text of a field as the index keeps it; ``None`` if it is not loaded."""
    state = instance.__dict__
    value = state.get(name)
    if value is None:
        return None if instance._loadedfields is not None and name not in state else ""
    return indexed(str(value))
