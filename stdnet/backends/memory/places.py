"""Places: call what a request names, and hand elements over to those who wait for them.

All of it happens under the lock of the database, which is the caller's business.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ...contract import After, Call, Place, Take, keys
from ...errors import WrongKind
from .containers import container, find, shelf_of
from .plans import Reader
from .store import Store
from .waiting import Address, Waiter, address


def is_ownerless(reader: Reader, call: Call) -> bool:
    """Return whether an operation would make something for a row that does not exist."""
    place = call.place
    if place.table is None or place.id is None or place.kind.operations[call.operation].effect != "makes":
        return False
    return place.id not in reader.store.table(reader.namespace, place.table).rows


def verify(reader: Reader, calls: Iterable[Call | After]) -> None:
    """Raise ``WrongKind`` if a place holds another kind than a call names, or two calls name it by different ones.

    The guard of a kind may raise, too.
    """
    kinds: dict[Address, str] = {}
    for call in calls:
        place = call.place
        found = find(reader, place)
        if found is not None and (guard := getattr(found[1], "guard", None)) is not None:
            guard(call.operation, *call.arguments)
        if kinds.setdefault(address(reader.namespace, place), place.kind.name) != place.kind.name:
            raise WrongKind(keys.shown(keys.structure(reader.namespace, place)))


def perform(reader: Reader, call: Call) -> Any:
    """Carry out an operation and return its reply."""
    place, operation = call.place, call.place.kind.operations[call.operation]
    target = container(reader, place)
    shelf, owner = shelf_of(reader, place)
    if call.operation == "delete":
        return shelf.remove(owner, place.name)
    given: Sequence[Any] = call.arguments
    if any(issubclass(kind, Place) for kind in set(map(type, given))):  # of a bulk there are few
        given = [container(reader, each) if isinstance(each, Place) else each for each in given]
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
