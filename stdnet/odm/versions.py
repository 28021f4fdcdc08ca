"""Versions: the field that counts the saves of a row, and what a save says of the version that it is for. Pure.

Beside it stands what a save says without one: which of its columns differ from the row that was loaded or sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import compress
from operator import is_not
from typing import TYPE_CHECKING, Any, ClassVar

from ..contract import Row, Scalar
from ..errors import FieldError
from .scalarfields import IntegerField

if TYPE_CHECKING:
    from .meta import ModelMeta
    from .model import Model


class VersionField(IntegerField[int]):
    """The version of a row: 1 when it is new, and one more with each save and each ``query.update``.

    A save of an instance whose row has another version by then, or is gone, is refused with ``ConflictError``. The
    field is loaded with any part of a row. What is assigned to it is the version that the next save expects; a new
    instance begins at 1 in any case. A model has one at most.

    >>> from stdnet import odm
    >>> class Page(odm.StdModel):
    ...     text = odm.CharField()
    ...     version = odm.VersionField()
    ...     class Meta:
    ...         register = False
    >>> router = odm.Router("memory://")
    >>> _ = router.register(Page)
    >>> page = router[Page].new(text="a")
    >>> page.version, page.save().version
    (1, 2)
    """

    class_index = False
    class_required = False
    is_version: ClassVar[bool] = True

    if TYPE_CHECKING:

        def __init__(self, *, index: bool = False, hidden: bool = False) -> None: ...

    else:

        def __init__(self, **options: Any) -> None:
            wrong = ("unique", "primary_key", "required", "as_cache", "default")
            if unfit := [name for name in wrong if options.get(name) not in (None, False)]:
                raise FieldError(f"A VersionField is set by each save and cannot have {', '.join(unfit)}. Remove that.")
            super().__init__(**options)


def raised(
    meta: ModelMeta[Any], instance: Model, persistent: bool, values: dict[str, Scalar], errors: dict[str, str]
) -> tuple[str, Scalar] | None:
    """Put the next version into the values to save; return the one that the row must have, ``None`` for a new row."""
    name = meta.version.attname  # type: ignore[union-attr]
    if name in errors:
        return None
    if not persistent:
        values[name] = 1
        return None
    expected = values.get(name)
    if expected is None and name not in (remembered(instance) or ()):
        errors[name] = (
            f"The version of this '{meta}' is not known, so it cannot be told whether the row has changed. "
            f"Load the row, or give {name}."
        )
        return None
    values[name] = 1 if expected is None else int(expected) + 1
    return name, expected


def remember(instance: Model, names: Sequence[str] | None, row: Row) -> None:
    """Keep the scalars of a row as they are stored now; ``names`` are their columns, ``None`` for all of them."""
    dbdata = instance.dbdata
    dbdata["row"] = row
    if names is not None:
        dbdata["columns"] = names
    elif "columns" in dbdata:
        del dbdata["columns"]


def remembered(instance: Model) -> dict[str, Any] | None:
    """Return the scalars that were loaded or sent last, by column; ``None`` if that is not known."""
    dbdata = instance.dbdata
    if "row" not in dbdata:
        return None
    return dict(zip(dbdata.get("columns", instance._meta.table.names), dbdata["row"], strict=True))


def changed(instance: Model, every: Sequence[str], names: Sequence[str] | None, row: Row) -> tuple[str, ...] | None:
    """Return the columns whose scalars differ from those remembered; ``None`` if it is not known.

    ``every`` are the names of all columns, ``names`` those of ``row`` unless it has all.
    """
    dbdata = instance.dbdata
    earlier = dbdata.get("row")
    if earlier is None:
        return None
    if names is not None or "columns" in dbdata:
        known = remembered(instance) or {}
        names = every if names is None else names
        earlier = [known.get(name, _UNKNOWN) for name in names]
    others = compress(zip(every if names is None else names, row, earlier, strict=True), map(is_not, row, earlier))
    return tuple([name for name, now, then in others if _differs(now, then)])


_UNKNOWN = object()


def _differs(now: Any, then: Any) -> bool:
    """Return whether a stored value would be another one: 0.0 and -0.0 are equal, and are not the same."""
    return bool(now != then or (now == 0 and str(now) != str(then)))


def conflict(meta: ModelMeta[Any], instance: Model, stands: Row | None) -> tuple[str, ...]:
    """Return the names of the fields in which the row that stands differs from the one that was loaded."""
    known = remembered(instance)
    if known is None or stands is None:
        return ()
    found = dict(zip(meta.table.names, stands, strict=True))
    return tuple(
        field.name
        for field in meta.scalarfields
        if not field.is_version and field.attname in known and _differs(found[field.attname], known[field.attname])
    )
