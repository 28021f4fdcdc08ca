"""What serializers have in common: their verbs, blocking and awaited, and the streams that they write and read.

A serializer is three programs, ``dumping``, ``writing`` and ``loading``; the verbs here drive them. How rows are read
from a query and stored is in ``batches``, what a dump looks like in ``formats`` and ``jsonlines``.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from io import StringIO
from typing import IO, TYPE_CHECKING, Any, ClassVar, TypeAlias

from ...errors import SerializerError, shown
from ..managers import ManagerBase
from ..query import QueryBase
from ..related import RelatedManager
from ..router import RouterBase
from ..runner import Program, arun, run

if TYPE_CHECKING:
    from ..model import Model, StdModel

Source: TypeAlias = "QueryBase[Any] | Iterable[StdModel]"


class Serializer:
    """Base of the serializers: ``dump`` rows, ``write`` them to a stream, and ``load`` them again.

    What can be dumped is a query, a manager, a router (all of its models), or any iterable of instances. A stream is
    an open text file, or a ``pathlib.Path``. In a program of an ``AsyncRouter`` the verbs are ``await``-ed, and named
    ``adump``, ``awrite`` and ``aload``; files are read and written as they are, between round trips.

    Options that ``arguments`` does not name are ignored. A serializer of one's own overrides the three verbs, or the
    programs behind them. Rows keep their ids, and foreign keys the ids that they refer to; the links of a many-to-many
    relation are the rows of its through model. Cache fields (``as_cache``) are not dumped, nor is what an
    ``autoincrement`` order has counted: after a load each row counts one save. Structures are
    dumped by ``jsonl`` alone.
    """

    arguments: ClassVar[tuple[str, ...]] = ()
    default_options: ClassVar[Mapping[str, Any]] = {}

    def __init__(self, **options: Any) -> None:
        given = {name: value for name, value in options.items() if name in self.arguments}
        self.options: dict[str, Any] = {**self.default_options, **given}
        self._data: list[Any] = []

    @property
    def data(self) -> list[Any]:
        """What was dumped so far."""
        return self._data

    # -- the verbs ----------------------------------------------------------------------------------------------

    def dump(self, source: Any) -> None:
        """Take rows into the dump; they are fetched now, unless the format is one that streams."""
        run(self.dumping(blocking(sources(source), "await serializer.adump(…)")))

    async def adump(self, source: Any) -> None:
        """Take rows into the dump, as ``dump`` does."""
        await arun(self.dumping(awaiting(sources(source), "serializer.dump(…)")))

    def write(self, stream: Any = None) -> Any:
        """Write the dump to a stream, by default a new ``StringIO``, and return that."""
        return run(self.writing(StringIO() if stream is None else stream))

    async def awrite(self, stream: Any = None) -> Any:
        """Write the dump to a stream, as ``write`` does."""
        return await arun(self.writing(StringIO() if stream is None else stream))

    def load(self, models: Any, stream: Any, model: Any = None) -> int:
        """Store the rows of a stream, or of a text, in a router's backends; return their number.

        With ``model`` only rows of that model are loaded. Commit signals are not fired. ``BadRow`` names the line that
        cannot be loaded.
        """
        models.session().blocking("await serializer.aload(…)")
        return run(self.loading(models, stream, model))

    async def aload(self, models: Any, stream: Any, model: Any = None) -> int:
        """Store the rows of a stream, or of a text, as ``load`` does."""
        models.session().awaiting("serializer.load(…)")
        return await arun(self.loading(models, stream, model))

    # -- the programs -------------------------------------------------------------------------------------------

    def dumping(self, found: list[Source]) -> Program[None]:
        """Take what is to be dumped."""
        raise NotImplementedError(f"{type(self).__name__} does not say how it dumps.")

    def writing(self, stream: Any) -> Program[Any]:
        """Write what was dumped, and return the stream."""
        raise NotImplementedError(f"{type(self).__name__} does not say how it writes.")

    def loading(self, models: RouterBase[Any], stream: Any, model: Any) -> Program[int]:
        """Store the rows of a stream, and return their number."""
        raise NotImplementedError(f"{type(self).__name__} does not say how it loads.")

    # -- hooks --------------------------------------------------------------------------------------------------

    def on_load_model(self, model: type[Model], block: Mapping[str, Any]) -> type[Model] | None:
        """Hook: return the model to make of a block's rows, or ``None`` to skip them.

        It is called once for each block, and where there are no blocks once for each model.
        """
        return model

    def on_finished_load(self) -> None:
        """Hook: called when everything was loaded."""


# -- what is dumped -----------------------------------------------------------------------------------------------


def sources(source: Any) -> list[Source]:
    """Return queries and iterables of instances for whatever can be dumped."""
    if isinstance(source, RouterBase):
        return [manager.query() for manager in source]
    if isinstance(source, (ManagerBase, RelatedManager)):
        source = source.query()
    if isinstance(source, QueryBase) and source._get_field is not None:
        raise SerializerError(f'Cannot dump values of "{source._get_field}". Dump the query without get_field.')
    if isinstance(source, QueryBase) or (isinstance(source, Iterable) and not isinstance(source, (str, bytes, type))):
        return [source]
    raise SerializerError(f"Cannot dump {shown(source)}. Give a query, a manager, a router, or a list of instances.")


def blocking(found: list[Source], cure: str) -> list[Source]:
    """Return sources whose sessions block; ``InvalidTransaction`` for others."""
    for each in found:
        if isinstance(each, QueryBase):
            each.session.blocking(cure)
    return found


def awaiting(found: list[Source], cure: str) -> list[Source]:
    """Return sources whose sessions are async; ``InvalidTransaction`` for others."""
    for each in found:
        if isinstance(each, QueryBase):
            each.session.awaiting(cure)
    return found


def data_of(instance: Any) -> dict[str, Any]:
    """Return what is dumped of an instance; ``SerializerError`` without an id."""
    if not hasattr(instance, "tojson") or isinstance(instance, type):
        raise SerializerError(f"Cannot dump {shown(instance)}: it is not an instance of a model.")
    data: dict[str, Any] = instance.tojson()
    if not data:
        raise SerializerError(f'Cannot dump a "{instance._meta}" without an id. Save it first.')
    return data


# -- streams ------------------------------------------------------------------------------------------------------


@contextmanager
def opened(stream: Any, mode: str = "r") -> Iterator[IO[str]]:
    """Open a path, or take an open stream, or a text that is to be read."""
    if isinstance(stream, os.PathLike):
        errors = "surrogateescape" if mode == "r" else None  # so that what is not UTF-8 is an error of its own line
        with open(stream, mode, encoding="utf-8", errors=errors, newline="") as file:
            yield file
    elif isinstance(stream, str) and mode == "r":
        yield StringIO(stream)
    elif hasattr(stream, "__iter__" if mode == "r" else "write") and not isinstance(stream, (str, bytes)):
        yield stream
    else:
        raise SerializerError(f"Cannot use {shown(stream)} as a stream. Give an open text file or a pathlib.Path.")
