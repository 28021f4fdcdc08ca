"""ModelFieldPickler: structures that hold instances of a model, by their primary keys."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from ..contract import Ids, Select
from ..contract.keys import text
from ..errors import NotConvertible, StructureFieldError, WrongType
from ..utils.encoders import Encoder
from .loading import Loading
from .runner import Program, Trip, run

if TYPE_CHECKING:
    from .meta import ModelMeta


class ModelFieldPickler(Encoder):
    """Keeps instances of a model by their primary keys. What is read are the rows as they then are.

    ``dumps`` refuses an object without a primary key. A row that does not exist any more reads as ``None``.
    """

    def __init__(self, model: Any) -> None:
        self.model = model

    @property
    def meta(self) -> ModelMeta[Any]:
        """The model's meta."""
        meta: ModelMeta[Any] = self.model._meta
        return meta

    def dumps(self, x: Any) -> bytes:
        if not isinstance(x, self.model):
            raise WrongType("ModelFieldPickler", x, f'is not a "{self.meta}"')
        id = self.meta.codec.dump_pk(x.pkvalue())
        if id is None:
            raise NotConvertible(
                "ModelFieldPickler", x, f"has no {self.meta.pkname()}, by which it is kept: save it first"
            )
        return text(id)

    def loads(self, x: Any) -> Any:
        """Return the primary key of a stored form; instances are loaded by ``load_iterable``."""
        id = self._id(x)
        return None if id is None else self.meta.codec.load_pk(id)

    def _id(self, data: bytes) -> Any:
        """Return the id of a stored form, ``None`` for what is none."""
        kinds: dict[str, Any] = {"int": int, "float": float, "str": bytes.decode, "bytes": bytes}
        try:
            return kinds[self.meta.table.pk.type](data)
        except ValueError:
            return None

    def require_session(self) -> bool:
        return True

    def load_iterable(self, iterable: Iterable[Any], session: Any = None) -> list[Any]:
        """Return the instances for their stored forms, in their order, by one query of a session that blocks."""
        if session is None:
            raise StructureFieldError(f'Cannot load instances of "{self.meta}" without a session.')
        return run(self.load_program(list(iterable), session.blocking("await the verbs of the structure")))

    def load_program(self, data: Sequence[bytes], session: Any) -> Program[list[Any]]:
        """Return the instances for their stored forms, in their order, ``None`` for those that are missing."""
        ids = [self._id(each) for each in data]
        wanted = tuple(dict.fromkeys(id for id in ids if id is not None))
        if not wanted:
            return [None] * len(ids)
        request = Select(self.meta.table, Ids(wanted))
        (found,) = yield Trip(session.manager(self.model).read_backend, [request])
        by_id = dict(zip(found.ids, Loading(session).make(self.meta, None, found), strict=True))
        return [by_id.get(id) for id in ids]
