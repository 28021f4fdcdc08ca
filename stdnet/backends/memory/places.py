"""Places: find the container that a request names, call it, and hand elements over to those who wait for them.

All of it happens under the lock of the database, which is the caller's business.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ...contract import Call, Id, Place, Take, keys
from ...errors import WrongKind
from .plans import Reader
from .shelf import Shelf, Structure
from .store import Store
from .structures import make
from .waiting import Address, Waiter, address


def find(reader: Reader, place: Place) -> Structure | None:
    """Return what is at a place, or ``None``; ``WrongKind`` if it is of another kind."""
    shelf, owner = _shelf(reader, place)
    found = shelf.get(owner, place.name)
    if found is not None and found[0].name != place.kind.name:
        raise WrongKind(keys.shown(keys.structure(reader.namespace, place)))
    return found


def _shelf(reader: Reader, place: Place) -> tuple[Shelf, Id | None]:
    """Return where a structure stands, and its owner there."""
    if place.table is None:
        return reader.store.shelf(reader.namespace, None), place.kind.name
    return reader.store.table(reader.namespace, place.table).structures, place.id


def container(reader: Reader, place: Place) -> Any:
    """Return the container at a place, an empty one if nothing is there."""
    found = find(reader, place)
    return make(place.kind) if found is None else found[1]


def is_ownerless(reader: Reader, call: Call) -> bool:
    """Return whether an operation would make something for a row that does not exist."""
    place = call.place
    if place.table is None or place.id is None or place.kind.operations[call.operation].effect != "makes":
        return False
    return place.id not in reader.store.table(reader.namespace, place.table).rows


def verify(reader: Reader, calls: Iterable[Call]) -> None:
    """Raise ``WrongKind`` if a place holds another kind than a call names, or two calls name it by different ones."""
    kinds: dict[Address, str] = {}
    for call in calls:
        place = call.place
        find(reader, place)
        if kinds.setdefault(address(reader.namespace, place), place.kind.name) != place.kind.name:
            raise WrongKind(keys.shown(keys.structure(reader.namespace, place)))


def perform(reader: Reader, call: Call) -> Any:
    """Carry out an operation and return its reply."""
    place, operation = call.place, call.place.kind.operations[call.operation]
    target = container(reader, place)
    shelf, owner = _shelf(reader, place)
    if call.operation == "delete":
        return shelf.remove(owner, place.name)
    given = [container(reader, each) if isinstance(each, Place) else each for each in call.arguments]
    reply = getattr(target, call.operation)(*given)
    if operation.effect != "reads":
        shelf.put(owner, place.name, (place.kind, target))
    return reply


def serve(reader: Reader, place: Place) -> None:
    """Hand what is at a place over to those who wait for it."""

    def pop(take: Take) -> bytes | None:
        return _pop(reader, place, take) if take.place.kind.name == place.kind.name else None

    if reader.store.waiting.queues:
        reader.store.waiting.serve(address(reader.namespace, place), pop)


def _pop(reader: Reader, place: Place, take: Take) -> bytes | None:
    element: bytes | None = perform(reader, Call(place, f"pop_{take.end}"))
    return element


def begin(reader: Reader, waiter: Waiter) -> None:
    """Give a waiter what is there already, or put it at the end of its queue."""
    element = _pop(reader, waiter.take.place, waiter.take)
    if element is None:
        reader.store.waiting.join(waiter)
    else:
        waiter.element.set_result(element)


def end(reader: Reader, waiter: Waiter) -> bytes | None:
    """Return what was handed over; if nothing was, wait no longer."""
    if waiter.element.done():
        return waiter.element.result()
    reader.store.waiting.leave(waiter)
    return None


def give_back(reader: Reader, waiter: Waiter) -> None:
    """Wait no longer, and put what was handed over back to where it came from, unless its row is gone."""
    reader.store.expire()
    element = end(reader, waiter)
    back = Call(waiter.take.place, f"push_{waiter.take.end}", (element,))
    if element is not None and not is_ownerless(reader, back):
        perform(reader, back)
        serve(reader, back.place)


def sweep(store: Store) -> None:
    """Give back what was handed over to those who were abandoned."""
    while store.waiting.abandoned:
        waiter = store.waiting.abandoned.popleft()
        give_back(Reader(store, waiter.namespace), waiter)
