"""Deadlines of rows: what ``Meta.ttl`` and ``expire`` may be given, and what a session has pending of them. No I/O."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import CannotExpire, ImproperlyConfigured, shown

if TYPE_CHECKING:
    from .model import Model
    from .session import SessionModel

LONGEST = 1e12
"""Seconds of the farthest deadline: 30,000 years, to which any clock can still be added."""


def seconds(value: Any) -> float | None:
    """Return a number of seconds or a timedelta as a float; ``None`` if it is neither.

    >>> seconds(timedelta(minutes=1)), seconds(math.inf), seconds("1")
    (60.0, inf, None)
    """
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != value:
        return None
    return math.inf if value == math.inf else float(max(-LONGEST, min(value, LONGEST)))


def checked_ttl(model: type[Any], ttl: Any) -> float | None:
    """Return the ``Meta.ttl`` of a model in seconds; ``ImproperlyConfigured`` if it cannot be one."""
    found = seconds(ttl)
    if ttl is not None and (found is None or found <= 0):
        raise ImproperlyConfigured(
            f"Meta.ttl of {model.__name__} is a number of seconds or a timedelta, more than 0, not {shown(ttl)}."
        )
    return found


class Deadline(NamedTuple):
    """The seconds after which the row of an instance expires; ``alone``: nothing else of it is to be saved."""

    instance: Model
    seconds: float
    alone: bool


class Deadlines(dict[int, Deadline]):
    """The deadlines that a session has pending for one model, by the identity of the instance."""

    def put(self, pending: SessionModel, instance: Model, after: Any) -> None:
        """Queue a deadline: with what is to be saved of that row, else alone."""
        meta = pending.meta
        found = math.inf if after is None else seconds(after)
        if meta.ttl is None:
            cure = "Set it to the seconds that rows live, or to math.inf if only expire() is to set deadlines"
            raise CannotExpire(str(meta), f"its model has no Meta.ttl. {cure}")
        if found is None:
            raise CannotExpire(str(meta), f"{shown(after)} is neither a number of seconds, a timedelta nor None")
        saving = pending.saving(instance)
        if saving is None and meta.pkname() not in instance.dbdata:
            raise CannotExpire(str(meta), "it is not stored, nor about to be. Save it first")
        if saving is None:
            pending.add(instance, True, None, False)
            self[id(instance)] = Deadline(instance, found, True)
        else:
            known = self.get(id(saving))
            self[id(saving)] = Deadline(saving, found, known is not None and known.alone)
