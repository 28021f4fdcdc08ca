"""SearchEngine: the interface of full-text search, and what the mapper asks of an engine.

An engine is installed in a router, and models are registered with it. Either it is part of each commit (``commits``),
or, as here, it is told of commits after they were made (``UpdateSE``). Nothing here analyzes text or keeps an index.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from ..contract import After, Change, Scores
from ..errors import ImproperlyConfigured, QuerySetError
from .meta import ModelMeta
from .runner import Program, arun, run

if TYPE_CHECKING:
    import logging

    from ..backends.base import BackendDataServer
    from .model import Model
    from .query import QueryBase
    from .router import RouterBase
    from .transaction import TransactionBase

WordMiddleware = Callable[[Iterable[str]], Iterable[str]]


class UpdateSE:
    """Tells an engine of the rows that were saved and deleted: the callback of a router's ``post_`` signals."""

    def __init__(self, se: SearchEngine, related: Iterable[str] | None = None) -> None:
        self.se = se
        self.related: tuple[str, ...] = tuple(related or ())

    def __call__(self, event: Any, sender: Any, instances: Any = (), **params: Any) -> Any:
        """Index what was saved, or remove what was deleted, in a transaction of its own."""
        if event is not self.se.installed().post_delete:
            return self.se.index_items_from_model(instances, sender)
        transaction = self.se.session().begin(name="Remove search indexes")
        self.se.remove_item(sender, transaction, instances)
        return transaction.commit()


class SearchEngine:
    """Base of search engines; ``stdnet.apps.searchengine.SearchEngine`` is one.

    ``backend`` is where its index lives, by default the router's; ``max_in_session`` the number of instances that are
    indexed in one transaction. A subclass has to say how items are indexed and found: the methods that raise
    ``NotImplementedError``. In an async router what they return may be awaited.
    """

    last_indexed = "last_indexed"

    def __init__(
        self, backend: Any = None, logger: logging.Logger | None = None, max_in_session: int | None = None
    ) -> None:
        import logging  # late: it takes longer than all fields, and most programs have no engine

        self._backend = backend
        self.logger = logger or logging.getLogger("stdnet.search")
        self.max_in_session = max_in_session or 1000
        self.router: RouterBase[Any] | None = None
        self.REGISTERED_MODELS: dict[type[Model], UpdateSE] = {}
        self.ITEM_PROCESSORS: list[Callable[[Any], Iterable[str] | None]] = []
        self.word_middleware: list[tuple[WordMiddleware, bool]] = []
        self.add_processor(self.texts)

    # -- what it belongs to -------------------------------------------------------------------------------------

    @property
    def backend(self) -> BackendDataServer | None:
        """Where the index lives: what was given, or the default backend of the router."""
        if self.router is None or not (self._backend or self.router.default_backend):
            return None
        return self.router._server(self._backend or self.router.default_backend, {})

    def installed(self) -> RouterBase[Any]:
        """Return the router; ``AttributeError`` before there is one."""
        if self.router is None:
            raise AttributeError("This search engine has no router. Call router.set_search_engine(engine) first.")
        return self.router

    def set_router(self, router: RouterBase[Any]) -> None:
        """Be installed in a router; it calls this itself."""
        self.router = router

    def session(self) -> Any:
        """Return a new session of the router; ``AttributeError`` before there is one."""
        return self.installed().session()

    def register(self, model: type[Model], related: Iterable[str] | None = None) -> None:
        """Index the text fields of a model that are not hidden, and those of its ``related`` objects.

        ``related`` names foreign keys. Rows that are there already are indexed by ``reindex``.
        """
        router = self.installed()
        update = self.REGISTERED_MODELS[model] = UpdateSE(self, related)
        router.post_commit.bind(update, sender=model)
        router.post_delete.bind(update, sender=model)

    def get_related_fields(self, item: Any) -> tuple[str, ...]:
        """Return the related fields that are indexed with a model, or with that of an instance."""
        model = item if isinstance(item, type) else type(item)
        update = self.REGISTERED_MODELS.get(model)
        return () if update is None else update.related

    def drive(self, program: Program[Any]) -> Any:
        """Return what a program returns; in an async router, a coroutine that does."""
        return arun(program) if self.installed().session_class.is_async else run(program)

    # -- words --------------------------------------------------------------------------------------------------

    def add_word_middleware(self, middleware: WordMiddleware, for_search: bool = True) -> None:
        """Let words pass through a function when texts are indexed, and, with ``for_search``, when they are sought."""
        if callable(middleware):
            self.word_middleware.append((middleware, for_search))

    def split_text(self, text: str) -> list[str]:
        """Return the words of a text."""
        return text.split()

    def words_from_text(self, text: str, for_search: bool = False) -> list[str]:
        """Return the words that stand for a text in the index: its words, after all middleware."""
        if not text:
            return []
        words: Iterable[str] = self.split_text(text)
        for middleware, searching in self.word_middleware:
            if searching or not for_search:
                words = middleware(words)
        return list(words)

    # -- items --------------------------------------------------------------------------------------------------

    def add_processor(self, processor: Callable[[Any], Iterable[str] | None]) -> None:
        """Add a function that gives the texts of an item, or ``None`` if it does not know."""
        if processor not in self.ITEM_PROCESSORS:
            self.ITEM_PROCESSORS.append(processor)

    def item_field_iterator(self, item: Any) -> Iterable[str]:
        """Return the texts of an item, by the first processor that knows; ``ValueError`` if none does."""
        for processor in self.ITEM_PROCESSORS if item else ():
            found = processor(item)
            if found is not None:
                return found
        raise ValueError(f"Cannot index {item!r}: no processor gives its texts. Load all of its text fields.")

    def texts(self, item: Any) -> list[str] | None:
        """Return the texts of an instance and of its related objects; ``None`` if they are not all loaded."""
        found: list[str] = []
        for field in item._meta.fields:
            if field.hidden:
                continue
            if field.type == "text":
                if item._loadedfields is not None and field.attname not in item.__dict__:
                    return None
                found += filter(None, [getattr(item, field.attname, None)])
            elif field.name in self.get_related_fields(item) and (related := getattr(item, field.name, None)):
                found += self.texts(related) or ()
        return found

    def text_fields(self, meta: ModelMeta[Any]) -> tuple[str, ...]:
        """Return the names of the fields of a model that are indexed, sorted."""
        fields = (*meta.scalarfields, meta.pk)
        return tuple(sorted(field.attname for field in fields if field.type == "text" and not field.hidden))

    def query(self, model: type[Model]) -> Any:
        """Return the query for all that is to be indexed of a model, its text fields and related objects alone."""
        meta, query = model._meta, self.session().query(model)
        names = [field.name for field in meta.scalarfields if field.attname in self.text_fields(meta)]
        query = query.load_only(meta.pkname(), *names)
        for name in self.get_related_fields(model):
            query = query.load_related(name)
        return query

    def index_item(self, item: Any) -> Any:
        """Index one item."""
        return self.index_items_from_model((item,), type(item))

    def index_items_from_model(self, items: Iterable[Any], model: type[Model]) -> Any:
        """Index items of a model."""
        raise NotImplementedError

    def add_item(self, item: Any, words: Iterable[str], transaction: TransactionBase) -> Any:
        """Index an item under words, in a transaction."""
        raise NotImplementedError

    def remove_item(self, item_or_model: Any, transaction: TransactionBase, ids: Iterable[Any] | None = None) -> Any:
        """Remove an item from the index, the ``ids`` of a model, or all of a model, in a transaction."""
        raise NotImplementedError

    # -- searching ----------------------------------------------------------------------------------------------

    def search(
        self, text: str, include: Any = None, exclude: Any = None, lookup: str | None = None
    ) -> list[QueryBase[Any]]:
        """Return queries for what matches a text."""
        raise NotImplementedError

    def search_model(self, query: QueryBase[Any], text: str, lookup: str | None = None) -> QueryBase[Any]:
        """Return a query narrowed to the rows that match a text, for ``query.search``."""
        raise NotImplementedError

    def scores(self, query: QueryBase[Any]) -> tuple[Scores, ...]:
        """Return what orders the results of a query by how well they match, for ``query.ranked``."""
        raise NotImplementedError

    def snippet(self, text: str, sought: Sequence[str], **options: Any) -> str:
        """Return a part of a text where sought texts match, for ``query.snippet``."""
        raise NotImplementedError

    def flush(self, full: bool = False) -> Any:
        """Remove the whole index."""
        raise NotImplementedError

    def reindex(self) -> Any:
        """Make the index anew from the rows."""
        raise NotImplementedError

    # -- commits ------------------------------------------------------------------------------------------------

    def commits(
        self,
        saving: Sequence[tuple[ModelMeta[Any], Sequence[Model]]],
        losing: Iterable[ModelMeta[Any]],
        sent: Sequence[Sequence[Change]],
    ) -> tuple[After, ...]:
        """Return what a commit does to the index: it saves instances, and removes rows of the models ``losing``.

        ``sent`` are the changes of the instances, which say what of them is written.
        """
        return ()

    def indexed_fields(self, meta: ModelMeta[Any]) -> tuple[str, ...]:
        """Return the names of the fields that are in the index, so that ``query.update`` has to leave them alone."""
        return self.text_fields(meta) if meta.model in self.REGISTERED_MODELS else ()


def engine_for(query: QueryBase[Any]) -> SearchEngine:
    """Return the search engine of a query's router; ``QuerySetError`` if it has none."""
    engine: SearchEngine | None = query.session.router.search_engine
    if engine is None:
        raise QuerySetError(
            f'Search not available for "{query.meta}": its router has no search engine. Call '
            "router.set_search_engine(SearchEngine()) and register the model with it."
        )
    return engine


def searches(query: QueryBase[Any]) -> list[QueryBase[Any]]:
    """Return a query for each text that a query seeks, as the engine has it."""
    if not query.searches:
        return []
    engine, rows = engine_for(query), query.session.query(query.model)
    return [engine.search_model(rows, text, lookup) for text, lookup in query.searches]


def checked_engine(engine: Any) -> SearchEngine:
    """Return an engine; ``ImproperlyConfigured`` if it is none."""
    if not isinstance(engine, SearchEngine):
        raise ImproperlyConfigured(f"{engine!r} is not a search engine. Derive it from odm.SearchEngine.")
    return engine
