"""What the tests of structures share: structures on their own in either kind of router, and models with fields."""

from __future__ import annotations

from typing import Any

import pytest

from stdnet import odm
from stdnet.utils import encoders

from ..conftest import do


def surface(models: Any, cls: type[Any]) -> type[Any]:
    """Return the class of structures that fits a router."""
    return cls.twin if isinstance(models, odm.AsyncRouter) else cls


async def make(models: Any, cls: type[Any], **options: Any) -> Any:
    """Return a new structure on its own, in a session of the router."""
    return await do(models.session().add(models.register(surface(models, cls)(**options))))


def handle(models: Any, other: Any) -> Any:
    """Return another handle of a structure on its own, in another session."""
    made = type(other)(id=other.id, value_pickler=other.value_pickler)
    made.session = models.session()
    return made


async def listed(structure: Any) -> list[Any]:
    """Return what iteration gives."""
    if structure.is_async:
        return [each async for each in structure]
    return list(structure)


async def raises(error: type[Exception], match: str, verb: Any, *args: Any, **kwargs: Any) -> None:
    """Fail unless a verb raises."""
    with pytest.raises(error, match=match):
        await do(verb(*args, **kwargs))


async def setitem(structure: Any, key: Any, value: Any) -> None:
    """Assign an item: with brackets, or by the verb that stands for them."""
    if not structure.is_async:
        structure[key] = value
    elif hasattr(structure, "set"):
        await structure.set(key, value)
    else:
        await structure.add(key, value)


class Author(odm.StdModel):
    name = odm.SymbolField(unique=True)

    class Meta:
        app_label = "shelf"

    def score(self) -> int:
        return len(self.name)


class Book(odm.StdModel):
    title = odm.SymbolField(unique=True)
    words = odm.IntegerField(default=0)
    notes = odm.ListField()
    tags = odm.SetField()
    ranks = odm.SetField(ordered=True)
    facts = odm.HashField()
    sales = odm.TimeSeriesField()
    log = odm.StringField()
    readers = odm.SetField(model=Author)
    writers = odm.ListField(model="Author")
    best = odm.SetField(model="shelf.author", ordered=True)
    roles = odm.HashField(model=Author)
    turns = odm.TimeSeriesField(model=Author, pickler=encoders.DateConverter())
    recent = odm.ListField(class_field=True)
    next = odm.SetField(model="self")

    class Meta:
        app_label = "shelf"


class Code(odm.StdModel):
    code = odm.SymbolField(primary_key=True)
    uses = odm.HashField(pickler=encoders.Default(), value_pickler=encoders.NumericDefault())

    class Meta:
        app_label = "shelf"


class Chapter(odm.StdModel):
    book = odm.ForeignKey(Book, related_name="chapters")
    lines = odm.ListField()

    class Meta:
        app_label = "shelf"


async def book(models: Any, title: str = "Emma", **values: Any) -> Any:
    """Return a new book."""
    return await do(models[Book].new(title=title, **values))


async def authors(models: Any, *names: str) -> list[Any]:
    """Return new authors."""
    return [await do(models[Author].new(name=name)) for name in names]


async def again(models: Any, row: Any) -> Any:
    """Return a row as it is stored now."""
    return await do(models[type(row)].get(id=row.id))
