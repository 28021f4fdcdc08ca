"""``jsonl``: one row a line, for sets of rows that are larger than memory. It streams both ways.

A line is ``{"model": "shop.fund", "data": {…}}``, complete in itself: dumps can be split, joined and searched with
the usual tools. ``data`` is what ``tojson`` gives. A row of a model with structure fields has the key ``structures``,
too: what they hold, by name, without those that are empty.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import IO, Any, ClassVar

from ...errors import SerializerError, shown
from ..meta import hash_of
from ..router import RouterBase
from ..runner import Program
from .base import Serializer, Source, awaiting, blocking, data_of, opened, sources
from .batches import Batches, Row, each_chunk
from .contents import written

KEYS = {"model", "data", "structures"}


class JsonLinesSerializer(Serializer):
    """Rows as lines of JSON, any number of them, from and to any text file.

    ``dump`` takes queries and iterables of instances, of any models, and fetches nothing; ``write`` fetches
    ``batch_size`` rows at a time (1,000), writes them and forgets them. ``load`` reads line by line and commits
    ``batch_size`` rows at a time, each batch all or nothing. ``progress`` is called with the number of rows so far
    after each batch, either way; what it raises ends the work.

    A line that cannot be read or stored raises ``BadRow`` with its number; nothing of its batch is stored. So does a
    line of a model that the router does not have, unless ``load`` was told the ``model`` that it shall load.

    The structures of a row travel in its line, as they are stored, and are loaded in the commit of the row: they
    replace what is there. Not dumped are those of a whole model (``class_field``), those of rows of a query with
    ``load_only``, and those of instances that have no session. A line without them leaves structures as they are.

    >>> from stdnet import odm
    >>> class Port(odm.StdModel):
    ...     code = odm.SymbolField()
    ...     class Meta:
    ...         app_label = "docs"
    ...         register = False
    >>> models = odm.Router("memory://")
    >>> backend = models.register(Port)
    >>> port = models.port.new(code="GOA")
    >>> serializer = odm.get_serializer("jsonl", batch_size=500)
    >>> serializer.dump(models.port.query())
    >>> text = serializer.write().getvalue()
    >>> text
    '{"model":"docs.port","data":{"id":1,"code":"GOA"}}\\n'
    >>> keys = models.port.flush()
    >>> odm.get_serializer("jsonl").load(models, text), models.port.get(id=1).code
    (1, 'GOA')
    """

    arguments = ("batch_size", "progress")
    default_options: ClassVar[dict[str, Any]] = {"batch_size": 1000, "progress": None}

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        size = self.options["batch_size"]
        if type(size) is not int or size < 1:
            raise SerializerError(f"batch_size is a number of rows, at least 1, not {shown(size)}.")

    def dump(self, source: Any) -> None:
        """Take rows into the dump; nothing is fetched before ``write``."""
        self._data += sources(source)

    async def adump(self, source: Any) -> None:
        """Take rows into the dump, as ``dump`` does, which needs no ``await`` here."""
        self.dump(source)

    def write(self, stream: Any = None) -> Any:
        blocking(self._data, "await serializer.awrite(…)")
        return super().write(stream)

    async def awrite(self, stream: Any = None) -> Any:
        awaiting(self._data, "serializer.write(…)")
        return await super().awrite(stream)

    def dumping(self, found: list[Source]) -> Program[None]:
        self._data += found
        yield from ()

    def writing(self, stream: Any) -> Program[Any]:
        written = 0

        def use(rows: list[Row]) -> None:
            nonlocal written
            file.write("".join(_line(*row) for row in rows))
            written += len(rows)
            if self.options["progress"] is not None:
                self.options["progress"](written)

        with opened(stream, "w") as file:
            for source in self._data:
                yield from each_chunk(source, self.options["batch_size"], use)
        return stream

    def loading(self, models: RouterBase[Any], stream: Any, model: Any) -> Program[int]:
        batches = Batches(models, self.options["batch_size"], self.options["progress"])
        known = {str(manager.meta): manager.model for manager in models}
        wanted = None if model is None else str(models[model].meta)
        chosen: dict[str, Any] = {}
        with opened(stream) as file:
            for line, record in _records(file, batches.bad):
                name = record["model"]
                if wanted is not None and name != wanted:
                    continue
                if name not in known:
                    problem = f"the model {shown(name)} is not registered in this router"
                    raise batches.bad(line, f"{problem}; register it, or say which model to load")
                if name not in chosen:
                    chosen[name] = self.on_load_model(known[name], {"model": name, "hash": hash_of(name)})
                if chosen[name] is not None:
                    yield from batches.add(line, chosen[name], record["data"], record.get("structures"))
        stored = yield from batches.flush()
        self.on_finished_load()
        return stored


def _line(instance: Any, structures: Mapping[str, Any] | None) -> str:
    data = data_of(instance)
    record = {"model": str(instance._meta), "data": data}
    if structures is not None:
        record["structures"] = {name: written(content) for name, content in structures.items() if content}
    return json.dumps(record, separators=(",", ":"), allow_nan=False) + "\n"


def _records(file: IO[str], bad: Callable[[int, object], Exception]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the number and the record of each line that is not blank."""
    lines, number = iter(file), 0
    while True:
        number += 1
        try:
            line = next(lines)
            if number == 1 and isinstance(line, str):
                line = line.removeprefix("\ufeff")
            record = json.loads(line) if line.strip() else None
        except StopIteration:
            return
        except (ValueError, RecursionError) as error:
            raise bad(number, f"it is not JSON: {error}") from error
        if record is not None:
            yield number, _checked(number, record, bad)


def _checked(number: int, record: Any, bad: Callable[[int, object], Exception]) -> dict[str, Any]:
    """Return a record if it has the form of a line."""
    whole = isinstance(record, dict) and isinstance(record.get("model"), str) and isinstance(record.get("data"), dict)
    if not whole or not isinstance(record.get("structures", {}), dict) or record.keys() | {"structures"} != KEYS:
        raise bad(number, f'it is not {{"model": …, "data": {{…}}}} but {shown(record)}')
    found: dict[str, Any] = record
    return found
