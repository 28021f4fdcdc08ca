"""Events: callbacks by sender. Nothing here knows a session or a model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Callback = Callable[..., Any]


class Event:
    """A list of callbacks, each bound to one sender or to all of them.

    Senders are compared by identity, callbacks by equality (so a bound method may be given anew each time). The
    event holds strong references.

    >>> event = Event()
    >>> event.bind(lambda event, sender, **kwargs: kwargs["n"] + 1, sender=str)
    >>> event.fire(sender=str, n=1), event.fire(sender=int, n=1)
    ([2], [])
    """

    def __init__(self) -> None:
        self._bound: list[tuple[Callback, Any]] = []

    def bind(self, callback: Callback, sender: Any = None) -> None:
        """Call ``callback(event, sender, **params)`` each time the event is fired by ``sender``, or by anyone."""
        self._bound.append((callback, sender))

    def unbind(self, callback: Callback, sender: Any = None) -> None:
        """Undo the first such ``bind``; do nothing if there is none."""
        for n, (bound, to) in enumerate(self._bound):
            if bound == callback and to is sender:
                del self._bound[n]
                return

    def fire(self, sender: Any = None, **params: Any) -> list[Any]:
        """Call what is bound to ``sender`` or to no sender, in binding order, and return the results."""
        return [callback(self, sender, **params) for callback in self.callbacks(sender)]

    def callbacks(self, sender: Any = None) -> list[Callback]:
        """Return what is bound to ``sender`` or to no sender, in binding order."""
        return [callback for callback, to in self._bound if to is None or to is sender]

    def __len__(self) -> int:
        return len(self._bound)
