"""Related managers: the rows on the other side of a relation, from the class and from an instance.

A manager hangs on the model as a descriptor. On an instance it is bound: its queries share the instance's session,
so what they return is awaited if that session is async.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import QuerySetError
from .fields import LazyProxy
from .links import Hop, Link
from .loading import mode_of

if TYPE_CHECKING:
    from .model import Model


class RelatedManager(LazyProxy):
    """Base of the managers of rows on the other side of a relation.

    ``relmodel`` is the model that the manager hangs on, ``model`` the one whose rows ``query`` gives.
    """

    field: Any
    instance: Any = None

    def __init__(self, field: Any, name: str, instance: Any = None) -> None:
        super().__init__(field)
        self.related_name = name
        self.instance = instance

    @property
    def name(self) -> str:
        """The name of the attribute."""
        return self.related_name

    @property
    def relmodel(self) -> type[Model]:
        """The model that this manager hangs on."""
        model: type[Model] = self.field.relmodel
        return model

    @property
    def model(self) -> type[Model]:
        """The model with the key."""
        model: type[Model] = self.field.model
        return model

    def link(self) -> Link:
        """Return how rows reach the other side."""
        raise NotImplementedError

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is None:
            return self
        if instance._meta is not self.field.related_meta:  # a subclass inherits the attribute, but not the relation
            try:
                return instance.__dict__[self.name]
            except KeyError:
                raise AttributeError(f'"{instance._meta}" has no attribute {self.name!r}.') from None
        return self.bound(instance)

    def __set__(self, instance: Any, value: Any) -> None:
        if instance._meta is self.field.related_meta:
            raise AttributeError(
                f'"{self.name}" of "{instance._meta}" cannot be set: it manages rows of "{self.field.meta}".'
            )
        instance.__dict__[self.name] = value

    def bound(self, instance: Any) -> Any:
        """Return the manager for one instance."""
        return type(self)(self.field, self.name, instance)

    def session(self, session: Any = None) -> Any:
        """Return ``session``, or that of the bound instance; ``QuerySetError`` without any."""
        if session is None and self.instance is not None:
            session = self.instance.session
        if session is None:
            what = "belongs to a class" if self.instance is None else "belongs to an instance without a session"
            raise QuerySetError(
                f'Cannot query "{self.field.related_meta}.{self.name}", which {what}. Pass a session: query(session).'
            )
        if not hasattr(type(session), "pending_instance"):
            raise QuerySetError(f'"{self.name}" takes a session here, and one object at a time; {session!r} is none.')
        return session

    def pk(self) -> Any:
        """Return the primary key of the bound instance; ``QuerySetError`` if it has none."""
        pk = self.instance.pkvalue()
        if pk is None:
            raise QuerySetError(
                f'Cannot query "{self.name}" of a "{self.instance._meta}" that is not saved. Save it first.'
            )
        return pk

    def query(self, session: Any = None) -> Any:
        """Return a query over the rows on the other side: those of the bound instance, or all.

        Raises ``QuerySetError`` without a session, and for an instance that is not saved.
        """
        session = self.session(session)
        query = self._rows(session)
        if self.instance is None:
            return query
        link = self.link()
        loaded = self.instance.__dict__.get(link.cache_name)
        if loaded is not None:
            query._cache[None] = list(loaded)
            query._count = len(loaded)
        elif session is self.instance.session and mode_of(self.instance) == "batch" and "batch" in self.instance.dbdata:
            query._source = (self.instance, link)
        return query

    def _rows(self, session: Any) -> Any:
        raise NotImplementedError

    def filter(self, **kwargs: Any) -> Any:
        """Return ``query().filter(…)``."""
        return self.query().filter(**kwargs)

    def exclude(self, **kwargs: Any) -> Any:
        """Return ``query().exclude(…)``."""
        return self.query().exclude(**kwargs)

    def where(self, code: str) -> Any:
        """Return ``query().where(…)``."""
        return self.query().where(code)

    def all(self) -> Any:
        """Return all rows as a list, without I/O if they were loaded along with the instance."""
        return self.query().all()

    def get(self, **kwargs: Any) -> Any:
        """Return the only row that matches; ``DoesNotExist`` for none, ``QuerySetError`` for several."""
        return self.query().get(**kwargs)

    def count(self) -> Any:
        """Return the number of rows."""
        return self.query().count()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}, by {self.field}>"


class One2ManyRelatedManager(RelatedManager):
    """The rows whose foreign key is the bound instance."""

    def link(self) -> Link:
        pk = self.field.related_pk.attname
        return Link(self.name, (Hop(pk, self.field.meta, self.field.attname),), self.field, many=True)

    def _rows(self, session: Any) -> Any:
        query = session.query(self.model)
        # an operand and not a filter, which a later filter by the same key would widen
        return query if self.instance is None else query.intersect(query.filter(**{self.field.name: self.pk()}))
