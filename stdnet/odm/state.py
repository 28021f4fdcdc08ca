"""The state of an instance towards the database, and the ordering that ``Meta.ordering`` and ``sort_by`` parse to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import ImproperlyConfigured, shown

if TYPE_CHECKING:
    from .fields import Field
    from .model import Model


_LARGEST = 2**53
"""The largest step that is counted exactly."""


class ModelState:
    """Whether an instance is stored, and under which id.

    ``action`` is ``"add"`` for an instance that is not stored; ``"override"`` (write the whole row) or ``"update"``
    (write what was loaded) for one that is. ``iid`` is the id under which it was stored, which a later change of
    the pk attribute does not touch, or a temporary one. ``score`` is the place in the model's ordering after a
    commit, ``deleted`` is set when the instance is queued for deletion.
    """

    __slots__ = ("_action", "_iid", "deleted", "score")

    def __init__(self, iid: Any, action: str) -> None:
        self._iid, self._action = iid, action
        self.deleted = False
        self.score: float = 0

    @classmethod
    def of(cls, instance: Model, iid: Any = None, action: str | None = None) -> ModelState:
        """Return the state of an instance as its attributes tell it, under another id if one is given."""
        pkname = instance._meta.pkname()
        pk = iid if iid is not None else instance.__dict__.get(pkname)
        action = action or "add"
        if pk is None or pk == "":
            return cls(temporary(instance), "add")
        if pkname in instance.dbdata:
            action = instance.get_state_action() if action == "add" else action
            pk = instance.dbdata[pkname] if iid is None else iid
        return cls(pk, action)

    @property
    def action(self) -> str:
        """``"add"``, ``"override"`` or ``"update"``."""
        return self._action

    @property
    def iid(self) -> Any:
        """The id under which the row stands, or ``new.<number>`` for an instance without a pk."""
        return self._iid

    @property
    def persistent(self) -> bool:
        """Whether the instance is stored."""
        return self._action != "add"

    def __str__(self) -> str:
        return f"{self._iid} deleted" if self.deleted else str(self._iid)

    def __repr__(self) -> str:
        return f"ModelState({self}, {self._action})"


def temporary(instance: Model) -> str:
    """Return the id by which an instance without a pk is known."""
    return f"new.{id(instance)}"


class autoincrement:
    """As ``Meta.ordering``: rank rows by how often they are saved, each save counting ``incrby``.

    >>> -autoincrement(3)
    -autoincrement(3)
    """

    def __init__(self, incrby: float = 1, desc: bool = False) -> None:
        if not isinstance(incrby, (int, float)) or not abs(incrby) <= _LARGEST:
            raise ImproperlyConfigured(f"autoincrement counts in steps of a finite number, not of {shown(incrby)}.")
        self.incrby = incrby
        self.desc = desc

    def __neg__(self) -> autoincrement:
        return autoincrement(self.incrby, not self.desc)

    def __str__(self) -> str:
        return f"{'-' if self.desc else ''}autoincrement({self.incrby})"

    __repr__ = __str__


class orderinginfo(NamedTuple):
    """A parsed ordering: by ``field``, which ``name`` stores; ``auto`` is an ``autoincrement``, if it is one."""

    name: Any
    field: Field[Any]
    desc: bool
    model: type[Model]
    nested: orderinginfo | None
    auto: autoincrement | None

    @property
    def path(self) -> str:
        """The ordering as it is written: ``-group__name``."""
        names, info = [], self
        while info.nested is not None:
            names.append(info.field.name)
            info = info.nested
        last = info.field.name if info.auto is None else str(info.auto).lstrip("-")
        return f"{'-' if self.desc else ''}{'__'.join([*names, last])}"
