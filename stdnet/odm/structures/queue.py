"""The structures that a session has queued: by key, so that all handles of the same data share what waits. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from ...errors import InvalidTransaction, StructureFieldError
from .base import Structure

if TYPE_CHECKING:
    from ..session import SessionBase


class StructureQueue:
    """The queued structures of a session, in order of first use; iteration gives one handle of each."""

    def __init__(self, session: SessionBase) -> None:
        self.session = session
        self._handles: dict[Any, list[Structure]] = {}
        self._known: set[int] = set()  # the identities of all handles

    def check(self, structure: Structure) -> Any:
        """Return the key of a structure if it can be used in this session; raise if not."""
        session = self.session
        if structure.is_async is not session.is_async:
            twin = structure.twin.__name__ if structure.twin is not None else "a class with the other surface"
            raise InvalidTransaction(
                f"{type(structure).__name__} is {'' if structure.is_async else 'not '}async, and this session is "
                f"{'' if session.is_async else 'not '}async. Use {twin}."
            )
        session.manager(structure)
        return structure.key

    def add(self, structure: Structure, modified: bool = True) -> None:
        """Tie a structure to the session, and queue it unless ``modified`` is false."""
        if self.holds(structure):
            return
        key = self.check(structure)
        structure.session = self.session
        if modified:
            self.enter(structure, key)

    def enter(self, structure: Structure, key: Any) -> None:
        """Queue a structure of this session that is not queued; ``key`` is what ``check`` gave."""
        handles = self._handles.setdefault(key, [])
        if handles:
            handles[0].cache.absorb(structure.cache)
            structure.dbdata["cache"] = handles[0].cache
        handles.append(structure)
        self._known.add(id(structure))

    def holds(self, structure: Structure) -> bool:
        """Return whether this very handle is queued."""
        return id(structure) in self._known

    def drop(self, structures: Iterable[Structure]) -> None:
        """Take structures, with all handles of the same data, out of the queue; nothing waits in them any more."""
        for structure in structures:
            handles = self._handles.pop(structure.key, [])
            self._known.difference_update(map(id, handles))
            _release(handles)

    def clear(self) -> None:
        """Take everything out of the queue."""
        for handles in self._handles.values():
            _release(handles)
        self._handles.clear()
        self._known.clear()

    def __contains__(self, structure: Structure) -> bool:
        try:
            return structure.key in self._handles
        except StructureFieldError:
            return False

    def __iter__(self) -> Iterator[Structure]:
        return iter([handles[0] for handles in self._handles.values()])

    def __len__(self) -> int:
        return len(self._handles)


def _release(handles: list[Structure]) -> None:
    """Give each handle an empty cache of its own."""
    for each in handles[1:]:
        each.dbdata["cache"] = each.cache_class()
    for each in handles[:1]:
        each.cache.clear()
