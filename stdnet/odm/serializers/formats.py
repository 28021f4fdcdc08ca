"""``json`` and ``csv``: dumps that are held in memory as a whole, which ``data`` shows, and loaded as a whole."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator
from typing import IO, Any, ClassVar

from ...errors import BadRow, SerializerError, shown
from .. import programs
from ..meta import ModelMeta, hash_of
from ..query import QueryBase
from ..router import RouterBase
from ..runner import Program
from .base import Serializer, Source, data_of, opened
from .batches import Batches

LONGEST = 2**31 - 1
"""The most characters of a cell; what the module csv allows by itself would not hold each text that a field does."""


class JsonSerializer(Serializer):
    """Rows as one JSON document: a list of blocks, ``{"model": …, "hash": …, "data": [{…}, …]}``.

    Each ``dump`` adds a block, unless there are no rows. ``load`` stores each block in one transaction; a block of a
    model that the router does not have is logged and skipped. Option: ``indent``, for ``write``.
    """

    arguments = ("indent",)

    def dumping(self, found: list[Source]) -> Program[None]:
        for source in found:
            self._data += _blocks((yield from _fetched(source)))

    def writing(self, stream: Any) -> Program[Any]:
        with opened(stream, "w") as file:
            json.dump(self._data, file, allow_nan=False, **self.options)
        yield from ()
        return stream

    def loading(self, models: RouterBase[Any], stream: Any, model: Any) -> Program[int]:
        batches = Batches(models, None, None, "Row")
        known = {hash_of(str(manager.meta)): manager.model for manager in models}
        wanted = None if model is None else models[model].model
        for block in _read(stream):
            found = known.get(block["hash"])
            if found is None:
                import logging

                logger = logging.getLogger("stdnet.serializers")
                logger.warning('Skipped a dump of "%s", which is not registered.', block.get("model", block["hash"]))
            elif wanted in (None, found) and (chosen := self.on_load_model(found, block)) is not None:
                batches.place = f'Row of "{chosen._meta}", number'
                for number, data in enumerate(block["data"], 1):
                    if not isinstance(data, dict):
                        raise batches.bad(number, "it is not an object")
                    yield from batches.add(number, chosen, data)
                yield from batches.flush()
        self.on_finished_load()
        return batches.stored


class CsvSerializer(Serializer):
    """Rows of one model as CSV: a line of names, the id first, and one line for each row; values as in JSON.

    ``load`` needs the ``model``, and stores all rows in one transaction. Fields that no row has are left out. Options:
    ``delimiter``, ``quotechar`` and ``lineterminator``. Before Python 3.11 a text with a NUL cannot be read back.
    """

    arguments = ("delimiter", "quotechar", "lineterminator")
    default_options: ClassVar[dict[str, Any]] = {"lineterminator": "\n"}

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._names: list[str] = []

    def dumping(self, found: list[Source]) -> Program[None]:
        if self._data or len(found) != 1:
            raise SerializerError("A CSV dump is of one model. Make a serializer for each, or use json or jsonl.")
        rows = yield from _fetched(found[0])
        blocks = _blocks(rows)
        if len(blocks) > 1:
            names = " and ".join(each["model"] for each in blocks)
            raise SerializerError(f"A CSV dump is of one model, not of {names}. Use json or jsonl.")
        self._data += blocks or [{"data": []}]
        meta = rows[0]._meta if rows else getattr(found[0], "meta", None)
        if meta is not None:
            present = set().union(*self._data[0]["data"])
            self._names = [meta.pkname(), *(field.name for field in meta.scalarfields if field.name in present)]

    def writing(self, stream: Any) -> Program[Any]:
        with opened(stream, "w") as file:
            plain, quoting = csv.writer(file, **self.options), csv.writer(file, quoting=csv.QUOTE_ALL, **self.options)
            if self._names:
                plain.writerow(self._names)
            for row in self._data[0]["data"] if self._data else ():
                cells = [_cell(row.get(name, "")) for name in self._names]
                lines = any("\r" in cell or "\n" in cell for cell in cells)  # not each version of csv quotes both
                (quoting if lines else plain).writerow(cells)
        yield from ()
        return stream

    def loading(self, models: RouterBase[Any], stream: Any, model: Any) -> Program[int]:
        if model is None:
            raise SerializerError("A CSV dump does not say of which model it is. Call load(models, stream, model).")
        batches, meta = Batches(models, None, None), models[model].meta
        with opened(stream) as file:
            chosen = self.on_load_model(meta.model, {"model": str(meta), "hash": hash_of(str(meta))})
            if chosen is not None:
                for line, data in self._rows(file, chosen._meta, batches.bad):
                    yield from batches.add(line, chosen, data)
        yield from batches.flush()
        self.on_finished_load()
        return batches.stored

    def _rows(
        self, file: IO[str], meta: ModelMeta[Any], bad: Callable[[int, object], Exception]
    ) -> Iterator[tuple[int, dict[str, str]]]:
        """Yield the number of the line where each row begins, and its cells by name."""
        reader, header, line = csv.reader(file, strict=True, **self.options), None, 1
        blank = {field.name for field in meta.fields if field.internal_type in ("text", "bytes")}
        limit = csv.field_size_limit(LONGEST)
        try:
            for row in reader:
                if header is None:
                    header = [row[0].removeprefix("\ufeff"), *row[1:]] if row else None
                elif len(row) not in (0, len(header)):
                    raise bad(line, f"it has {len(row)} cells, and the header has {len(header)}")
                elif row:  # an empty cell is no value, but of text
                    cells = zip(header, row, strict=True)
                    yield line, {name: cell for name, cell in cells if cell or name in blank}
                line = reader.line_num + 1
        except (csv.Error, UnicodeDecodeError) as error:
            raise bad(line, f"it is not CSV: {error}") from error
        finally:
            csv.field_size_limit(limit)


def _fetched(source: Source) -> Program[list[Any]]:
    if isinstance(source, QueryBase):
        return (yield from programs.load(source))
    return list(source)


def _blocks(rows: Iterable[Any]) -> list[dict[str, Any]]:
    """Return one block for each model of the rows."""
    found: dict[str, list[Any]] = {}
    for row in rows:
        found.setdefault(str(getattr(row, "_meta", None)), []).append(data_of(row))
    return [{"model": name, "hash": hash_of(name), "data": data} for name, data in found.items()]


def _cell(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, allow_nan=False)


def _read(stream: Any) -> list[dict[str, Any]]:
    """Return the blocks of a JSON dump."""
    with opened(stream) as file:
        try:
            blocks = json.loads(file.read().removeprefix("\ufeff"))
        except json.JSONDecodeError as error:
            raise BadRow("Line", error.lineno, f"it is not JSON: {error.msg}") from error
        except (ValueError, RecursionError) as error:
            raise SerializerError(f"This is not JSON: {error}.") from error
    for number, block in enumerate(blocks if isinstance(blocks, list) else [blocks], 1):
        whole = isinstance(block, dict) and isinstance(block.get("hash"), str) and isinstance(block.get("data"), list)
        if not (whole and isinstance(blocks, list)):
            problem = f'it is not {{"model": …, "hash": …, "data": […]}} but {shown(block)}'
            raise BadRow("Block", number, problem)
    found: list[dict[str, Any]] = blocks
    return found
