"""The rows of the specification's golden examples, and short ways to read a query's answer."""

from __future__ import annotations

from datetime import date
from typing import Any

from ..conftest import do, transaction
from .models import SimpleModel, SportAtDate, SportAtDate2


async def store(models: Any, *instances: Any) -> Any:
    """Commit instances, in that order, and return a new session."""
    async with transaction(models.session()) as t:
        for instance in instances:
            t.add(instance)
    return models.session()


async def simple(models: Any) -> Any:
    """Store the four rows a, b, c, d and return a query over them."""
    session = await store(
        models,
        SimpleModel(code="a", group="g1", number=3),
        SimpleModel(code="b", group="g1", number=4),
        SimpleModel(code="c", group="g2", number=5),
        SimpleModel(code="d"),
    )
    return session.query(SimpleModel)


async def sport(models: Any) -> Any:
    """Store the days 9, 1, 20, 5 in both ordered models, odd days as n1, and return a session."""
    return await store(
        models,
        *(
            model(person="p", name="n1" if day % 2 else "n2", dt=date(2014, 6, day))
            for model in (SportAtDate, SportAtDate2)
            for day in (9, 1, 20, 5)
        ),
    )


async def codes(query: Any) -> str:
    """Return the codes of the rows as words of one text, in order."""
    return " ".join([row.code for row in await do(query.all())])


async def days(query: Any) -> list[int]:
    """Return the days of the rows, in order."""
    return [row.dt.day for row in await do(query.all())]


def again(query: Any) -> Any:
    """Return the same query without the memory of its results."""
    return query.load_only()


async def stored(models: Any, model: Any = SimpleModel) -> list[dict[str, Any]]:
    """Return the attributes of each row that is stored."""
    rows = await do(models.session().query(model).all())
    return [{name: value for name, value in vars(row).items() if not name.startswith("_")} for row in rows]
