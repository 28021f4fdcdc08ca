"""Verbs: an operation of a structure is written once, and its surfaces block or are awaited.

``verb`` decorates a program (see ``runner``), ``commit_when_no_transaction`` a plain function that changes what a
structure has waiting. On a blocking structure the method returns the result, on an awaiting one a coroutine. Each
surface gets real functions of them when its class is made. Nothing here knows an operation.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, TypeVar, overload

from .. import programs
from ..runner import Program, arun, run

if TYPE_CHECKING:
    from typing_extensions import Self

    from .base import Structure
    from .surfaces import AwaitingStructure, BlockingStructure

P = ParamSpec("P")
R = TypeVar("R")
B = TypeVar("B", bound="BlockingStructure")
A = TypeVar("A", bound="AwaitingStructure")


class Verb:
    """Base of both decorators: a program, and the methods that run it."""

    program: Callable[..., Program[Any]]

    def blocking(self) -> Callable[..., Any]:
        """Return the method of blocking structures."""
        program = self.program

        @wraps(program)
        def method(structure: Any, /, *args: Any, **kwargs: Any) -> Any:
            return run(program(structure, *args, **kwargs))

        return method

    def awaiting(self) -> Callable[..., Any]:
        """Return the method of awaiting structures."""
        program = self.program

        @wraps(program)
        async def method(structure: Any, /, *args: Any, **kwargs: Any) -> Any:
            return await arun(program(structure, *args, **kwargs))

        return method


class verb(Verb, Generic[P, R]):
    """Make a method of a program that is written as a generator."""

    def __init__(self, program: Callable[Concatenate[Any, P], Program[R]]) -> None:
        self.program = program
        self.__doc__ = program.__doc__

    if TYPE_CHECKING:

        @overload
        def __get__(self, instance: None, owner: Any) -> Self: ...
        @overload
        def __get__(self, instance: BlockingStructure, owner: Any) -> Callable[P, R]: ...
        @overload
        def __get__(self, instance: AwaitingStructure, owner: Any) -> Callable[P, Coroutine[Any, Any, R]]: ...
        def __get__(self, instance: Any, owner: Any) -> Any: ...


class commit_when_no_transaction(Verb, Generic[P]):
    """Make a method of a function that changes the cache of a structure: the change waits there to be sent.

    With a session it is queued, and sent at once outside a transaction, and the method returns the structure. Without a
    session it returns what the function returns. If the function raises it must have changed nothing.
    """

    def __init__(self, change: Callable[Concatenate[Any, P], Any]) -> None:
        @wraps(change)
        def program(structure: Structure, /, *args: Any, **kwargs: Any) -> Program[Any]:
            session = structure.session
            if session is None:
                return change(structure, *args, **kwargs)
            session._accepting()
            queue = session._structures
            key = None if queue.holds(structure) else queue.check(structure)
            change(structure, *args, **kwargs)
            if key is not None:
                queue.enter(structure, key)
            if session.transaction is None:
                yield from programs.commit(session.begin())
            return structure

        self.program = program
        self.__doc__ = change.__doc__

    if TYPE_CHECKING:

        @overload
        def __get__(self, instance: None, owner: Any) -> Self: ...
        @overload
        def __get__(self, instance: B, owner: Any) -> Callable[P, B]: ...
        @overload
        def __get__(self, instance: A, owner: Any) -> Callable[P, Coroutine[Any, Any, A]]: ...
        def __get__(self, instance: Any, owner: Any) -> Any: ...


def surface(cls: type[Any], kind: str) -> None:
    """Give a class the methods, ``"blocking"`` or ``"awaiting"``, of all verbs that it has from its bases or itself."""
    seen: set[str] = set()
    for base in cls.__mro__:
        for name, value in list(vars(base).items()):
            if name not in seen and isinstance(value, Verb):
                setattr(cls, name, getattr(value, kind)())
            seen.add(name)
