"""Links: how the rows of one model reach those of others, as data. Pure.

A foreign key is one hop, from its column to the other model's primary key; the other side of it is one hop the
other way; a many-to-many relation is two hops, by way of the through model. Filters, orders and eager loading are
all made of hops, so that none of them knows a kind of relation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..contract import In, Plan, Related, Table, is_nothing
from ..errors import QuerySetError
from ..records import Record

if TYPE_CHECKING:
    from .meta import ModelMeta
    from .session import SessionBase


class Hop(Record):
    """The rows of ``meta`` whose ``of`` equals ``column`` in the row where the hop begins; both name columns."""

    column: str
    meta: ModelMeta[Any]
    of: str

    @property
    def table(self) -> Table:
        """The table where the hop ends."""
        return self.meta.table


class Link(Record):
    """A relation as seen from one of its sides.

    ``hops`` lead to the other side. ``key`` is the foreign key if it is in the rows of this side (``many`` is false
    then) or, with a single hop, in those of the other.
    """

    name: str
    hops: tuple[Hop, ...]
    key: Any
    many: bool

    @property
    def meta(self) -> ModelMeta[Any]:
        """The model on the other side."""
        return self.hops[-1].meta

    @property
    def cache_name(self) -> str:
        """The instance attribute that holds what was loaded."""
        return f"_{self.name}_cache"

    def rows(self, plan: Plan) -> Plan:
        """Return the rows of this side that lead to any row of ``plan`` on the other."""
        if is_nothing(plan):
            return plan
        for hop in reversed(self.hops):
            plan = In(hop.column, hop.table, plan, hop.of)
        return plan

    def related(self, fields: tuple[str, ...] | None, deeper: tuple[Related, ...]) -> Related:
        """Return the request for the rows of the other side; ``fields`` are their columns to bring."""
        *through, last = self.hops
        found = Related(last.column, last.table, last.of, fields, deeper)
        for hop in reversed(through):
            found = Related(hop.column, hop.table, hop.of, (hop.of, last.column), (found,))
        return found


def reachable(session: SessionBase, backend: Any, link: Link) -> None:
    """Raise unless ``backend`` answers queries of the other side of a link, and of all that is between."""
    for hop in link.hops:
        other = session.manager(hop.meta).read_backend
        if other is not backend and other != backend:
            raise QuerySetError(
                f'"{hop.meta}" lives in another backend, so no query can span "{link.name}". '
                "Ask there first, and pass the results on."
            )
