"""What relations mean for a commit: parents are saved before children, and deletes reach the rows that refer. Pure.

An object that was assigned to a foreign key before it was saved is saved with it. If its id is allotted by this very
commit, the key travels as a reference to the change that allots it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ..contract import Reference
from ..errors import CommitException, InvalidTransaction

if TYPE_CHECKING:
    from ..backends.base import BackendDataServer
    from .meta import ModelMeta
    from .model import Model
    from .relations import ForeignKey
    from .router import RouterBase
    from .session import SessionBase

Places = dict[int, tuple[int, int]]
"""Identity of an instance -> the places of its save in the commit and of its change in the save."""


def enqueue_parents(session: SessionBase) -> None:
    """Queue the unsaved objects that the instances to be saved refer to, and those that these refer to."""
    instances = [instance for each in session.pending() if each.meta.foreignkeys for instance in each.dirty]
    for instance in instances:  # grows
        for _, parent in unsaved(instance):
            if parent not in session:
                session.enqueue(parent)
                instances.append(parent)


def unsaved(instance: Model) -> Iterator[tuple[ForeignKey[Any], Model]]:
    """Yield (key, object) for each object that was assigned before it was saved and still is not."""
    for key in instance._meta.foreignkeys:
        parent = key.unsaved(instance)
        if parent is not None and parent._meta.pkname() not in parent.dbdata:
            yield key, parent


def awaited(instance: Model) -> list[tuple[ForeignKey[Any], Model]]:
    """Return (key, object) for each object whose id this commit has to allot first."""
    if not instance._meta.foreignkeys:
        return []
    return [(key, parent) for key, parent in unsaved(instance) if parent.pkvalue() is None]


def arranged(
    pending: Sequence[tuple[ModelMeta[Any], Sequence[Model]]],
) -> tuple[list[tuple[ModelMeta[Any], Sequence[Model]]], Places]:
    """Return the instances as saves, in the order given but for parents, which stand before their children."""
    for meta, _ in pending:
        if meta.foreignkeys:
            break
    else:  # nobody waits for anybody
        return [save for save in pending if save[1]], {}
    saves: list[tuple[ModelMeta[Any], Sequence[Model]]] = []
    parts: list[list[Model]] = []
    last: dict[ModelMeta[Any], int] = {}
    places: Places = {}
    for instance in _parents_first([instance for _, instances in pending for instance in instances]):
        meta = instance._meta
        parents = [places[id(parent)][0] for _, parent in awaited(instance) if id(parent) in places]
        if meta not in last or last[meta] < max(parents, default=0):
            last[meta] = len(saves)
            parts.append([])
            saves.append((meta, parts[-1]))
        place = last[meta]
        places[id(instance)] = place, len(parts[place])
        parts[place].append(instance)
    return saves, places


def _parents_first(instances: list[Model]) -> list[Model]:
    """Return the instances, each after those of them that it waits for; ``CommitException`` for a circle."""
    known = {id(instance) for instance in instances}
    done: dict[int, Model] = {}
    for instance in instances:
        path: dict[int, Model] = {}  # a chain of parents may be longer than Python's stack
        stack = [instance]
        while stack:
            current = stack[-1]
            path[id(current)] = current
            parents = [parent for _, parent in awaited(current) if id(parent) in known and id(parent) not in done]
            if not parents:
                done[id(current)] = current
                path.pop(id(stack.pop()))
            elif id(parents[0]) in path:
                raise _circle(list(path.values()), parents[0])
            else:
                stack.append(parents[0])
    return list(done.values())


def _circle(path: list[Model], again: Model) -> CommitException:
    circle = path[next(n for n, each in enumerate(path) if each is again) :]
    names = " -> ".join(f'"{each._meta}"' for each in [*circle, again])
    reason = (
        f"Unsaved objects refer to each other in a circle: {names}. None can be given its id first. "
        "Save one of them with an empty key, then set the key and save it again."
    )
    return CommitException(reason, len(circle), circle)


def references_of(instance: Model, places: Places) -> tuple[tuple[str, int, int], ...]:
    """Take the ids of objects that were assigned unsaved; return where the others come from, for ``Change.refs``."""
    if not instance._meta.foreignkeys:
        return ()
    refs = []
    for key, parent in awaited(instance):
        if id(parent) not in places:
            raise InvalidTransaction(
                f'{key} refers to a "{parent._meta}" that is not saved, and another backend holds that model, which is '
                "committed by itself. Save that object first."
            )
        refs.append((key.attname, *places[id(parent)]))
    for key in instance._meta.foreignkeys:
        key.settle(instance)
    return tuple(refs)


def settle(instances: Iterable[Model]) -> None:
    """Take the ids of related objects that have been saved."""
    for instance in instances:
        for key in instance._meta.foreignkeys:
            key.settle(instance)


def referring(
    router: RouterBase[Any], server: BackendDataServer, deleting: Iterable[ModelMeta[Any]]
) -> tuple[list[tuple[ForeignKey[Any], Reference]], list[ModelMeta[Any]]]:
    """Return the keys that deletes of these models reach, and the models that lose rows, children before parents."""
    keys_to: dict[ModelMeta[Any], list[ForeignKey[Any]]] = {}
    for manager in router:
        for key in manager.meta.foreignkeys:
            if not isinstance(key.relmodel, str) and manager.backend == server:
                keys_to.setdefault(key.related_meta, []).append(key)
    found: list[tuple[ForeignKey[Any], Reference]] = []
    order: list[ModelMeta[Any]] = []
    _visit(list(deleting), keys_to, lambda key: found.append((key, _reference(key))), order)
    return found, order


def _visit(
    metas: Sequence[ModelMeta[Any]],
    keys_to: dict[ModelMeta[Any], list[ForeignKey[Any]]],
    enter: Callable[[ForeignKey[Any]], None],
    order: list[ModelMeta[Any]],
    seen: set[ModelMeta[Any]] | None = None,
) -> None:
    """Enter each key that is reached from ``metas``, and append the models in the order in which they are left."""
    seen = set() if seen is None else seen
    for meta in metas:
        if meta in seen:
            continue
        seen.add(meta)
        keys = keys_to.get(meta, [])
        for key in keys:
            enter(key)
        _visit([key.meta for key in keys if key.on_delete == "cascade"], keys_to, enter, order, seen)
        order.append(meta)


def _reference(key: ForeignKey[Any]) -> Reference:
    return Reference(key.meta.table, key.attname, key.related_meta.table, key.on_delete or "cascade")
