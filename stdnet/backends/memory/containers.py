"""Where structures stand: from a place to its shelf and to the container there.

Nothing here changes what is on a shelf, or calls an operation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...contract import Id, Place, keys
from ...errors import WrongKind
from .shelf import Shelf, Structure
from .structures import make

if TYPE_CHECKING:
    from .plans import Reader


def find(reader: Reader, place: Place) -> Structure | None:
    """Return what is at a place, or ``None``; ``WrongKind`` if it is of another kind."""
    shelf, owner = shelf_of(reader, place)
    found = shelf.get(owner, place.name)
    if found is not None and found[0].name != place.kind.name:
        raise WrongKind(keys.shown(keys.structure(reader.namespace, place)))
    return found


def shelf_of(reader: Reader, place: Place) -> tuple[Shelf, Id | None]:
    """Return where a structure stands, and its owner there."""
    if place.table is None:
        return reader.store.shelf(reader.namespace, None), place.kind.name
    return reader.store.table(reader.namespace, place.table).structures, place.id


def container(reader: Reader, place: Place) -> Any:
    """Return the container at a place, an empty one if nothing is there."""
    found = find(reader, place)
    return make(place.kind) if found is None else found[1]
