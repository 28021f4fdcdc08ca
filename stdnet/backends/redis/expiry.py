"""Which requests reach a table whose rows can expire, and so need the scripts that remove what is due first. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from ...contract import Commit, Diff, In, Intersect, Place, Plan, Related, Select, Table, Union


def by_plan(table: Table, plan: Plan) -> bool:
    """Return whether a plan of a table reaches one. ``Found`` reads no rows but those of the table."""
    if table.ttl:
        return True
    if isinstance(plan, (Intersect, Union)):
        for each in plan.plans:  # a loop: half of the time of any()
            if by_plan(table, each):
                return True
    elif isinstance(plan, Diff):
        return by_plan(table, plan.plan) or by_plan(table, plan.minus)
    return isinstance(plan, In) and by_plan(plan.table, plan.plan)


def by_select(request: Select) -> bool:
    """Return whether a select reaches one."""
    return by_plan(request.table, request.plan) or _by_path(request) or _by_related(request.related)


def _by_path(request: Select) -> bool:
    """Return whether what orders the rows leads to one."""
    if request.sort is not None:
        return any(table.ttl for _, table in request.sort.through)
    return any(table.ttl for each in request.scores for _, table in each.through)


def _by_related(related: Iterable[Related]) -> bool:
    return any(each.table.ttl or _by_related(each.related) for each in related)


def by_commit(request: Commit) -> bool:
    """Return whether a commit reaches one."""
    found = [save.table.ttl for save in request.saves]
    found += [by_plan(delete.table, delete.plan) for delete in request.deletes]
    found += [reference.table.ttl for reference in request.references]
    found += [by_place(each.place) for each in request.calls]
    found += [by_plan(update.table, update.plan) for update in request.updates]
    return True in found


def by_place(place: Place) -> bool:
    """Return whether a structure belongs to one, or to a row of it."""
    return place.table is not None and place.table.ttl
