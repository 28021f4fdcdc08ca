"""Orders along paths of relations, several paths in one query, and how a path is shown and explained."""

from __future__ import annotations

import pytest

from stdnet import QuerySetError, odm

from ..conftest import do, round_trips
from .golden import store
from .holdings import holdings, ids, profiles
from .relation_models import CrossData, Feed1, Portfolio, Position, Profile, names

MODELS = [Position, Profile, Feed1]


SORTED = {
    "text": ("instrument__name", [1, 5, 2, 3, 4]),
    "text descending": ("-instrument__name", [4, 2, 3, 1, 5]),
    "a number, missing counts as 0": ("instrument__price", [4, 2, 3, 1, 5]),
    "a number descending": ("-instrument__price", [1, 5, 2, 3, 4]),
    "the key": ("instrument", [1, 5, 2, 3, 4]),
    "the key descending": ("-portfolio", [5, 3, 4, 1, 2]),
    "the id at the end": ("portfolio__id", [1, 2, 3, 4, 5]),
    "a key at the end": ("portfolio__manager", [5, 1, 2, 3, 4]),
    "two steps, a missing row first": ("portfolio__manager__name", [5, 1, 2, 3, 4]),
    "two steps descending": ("-portfolio__manager__name", [3, 4, 1, 2, 5]),
    "an id two steps on": ("portfolio__manager__id", [5, 1, 2, 3, 4]),
}


@pytest.mark.parametrize("name", SORTED)
async def test_sort_by(models, name):
    ordering, expected = SORTED[name]
    q = (await holdings(models)).sort_by(ordering)
    async with round_trips(models, 1):
        assert await ids(q) == expected
    assert [row.id for row in await do(q.load_only()[1:3])] == expected[1:3]
    assert [row.id for row in await do(q.load_only()[-2:])] == expected[-2:]
    assert await do(q.get_field("id").all()) == expected
    usd = q.filter(instrument__ccy="USD")
    assert await ids(usd) == [id for id in expected if id in (2, 3, 4)]


async def test_order_with_rows_that_are_missing(models):
    session = await store(models, Feed1(name="a", live=7), Feed1(name="b"), Feed1(name="c"))
    assert names(await do(session.query(Feed1).sort_by("live__name").all())) == ["a", "b", "c"]
    assert names(await do(session.query(Feed1).sort_by("-live__name").all())) == ["a", "b", "c"]
    assert names(await do(session.query(Feed1).sort_by("-live").all())) == ["a", "b", "c"]
    assert names(await do(session.query(Feed1).sort_by("live").all())) == ["b", "c", "a"]
    assert names(await do(session.query(Feed1).filter(live__name="x").all())) == []
    assert names(await do(session.query(Feed1).exclude(live__name="x").all())) == ["a", "b", "c"]


async def test_any_text_has_its_place_in_an_order(models):
    texts = ["b", "a", "i0", "aa"]  # some of which stand for something in JSON leaves
    session = await store(models, *(Feed1(name=str(n), live=CrossData(name=text)) for n, text in enumerate(texts)))
    assert names(await do(session.query(Feed1).sort_by("live__name").all())) == ["1", "3", "0", "2"]
    assert names(await do(session.query(Feed1).sort_by("-live__name").all())) == ["2", "0", "3", "1"]


async def test_several_paths_at_once(models):
    q = await holdings(models)
    q = q.filter(portfolio__manager__name=("ann", "bob"), instrument__ccy="USD", instrument__positions__size__ge=5)
    q = q.exclude(portfolio__name="gamma", instrument__name="corn").sort_by("-portfolio__manager__name")
    q = q.load_related("portfolio__manager", "name").load_related("instrument")
    async with round_trips(models, 1):
        rows = await do(q.all())
        found = [(row.id, row.portfolio.manager.name, row.instrument.name) for row in rows]
    assert found == [(3, "bob", "coal"), (2, "ann", "coal")]
    assert await do(q.get_field("portfolio").all()) == [2, 1]
    async with round_trips(models, 1):
        assert [row.portfolio.manager.name for row in await do(q.load_only()[1:])] == ["ann"]
    assert [row.id for row in await do(q.sort_by("size").sort_by("instrument__name").all())] == [2, 3]


async def test_how_an_order_is_shown(models):
    query = models.position.query()
    for ordering in ("instrument__name", "-portfolio__manager__name", "size", "-instrument"):
        assert repr(query.sort_by(ordering)) == f"Query.sort_by({ordering!r})"
        assert (await do(query.sort_by(ordering).explain())).order == ordering
    assert repr(query.sort_by(-odm.autoincrement())) == "Query.sort_by(-autoincrement(1))"


async def test_what_an_order_knows(models):
    info = models.position.query().sort_by("-portfolio__manager__name").ordering
    assert (info.name, info.nested.name, info.nested.nested.name) == ("portfolio_id", "manager_id", "name")
    assert (info.model, info.desc, info.path) == (Position, True, "-portfolio__manager__name")


async def test_explain_shows_the_path(models):
    q = await holdings(models)
    async with round_trips(models, 1):
        found = await do(q.filter(portfolio__manager__name="ann").explain())
    assert [(step.depth, step.access) for step in found.steps] == [
        (0, "index portfolio_id"),
        (1, "index manager_id"),
        (2, "unique index name"),
    ]
    assert [step.rows for step in found.steps] == [2, 2, 1]
    assert "portfolio_id in id of related.portfolio" in str(found)
    assert "manager_id in id of related.manager" in str(found)
    assert found.scanned == 0
    found = await do(q.session.query(Portfolio).filter(positions__size__gt=5).explain())
    assert [step.access for step in found.steps] == ["primary key", "range index size"]
    assert "id in portfolio_id of related.position" in str(found)
    found = await do(q.filter(instrument__price__gt=60).explain())
    assert (found.scanned, [step.access for step in found.steps]) == (4, ["index instrument_id", "scan"])
    assert found.hints == ('add index=True to "related.instrument.price" for ranges in O(log n + k)',)
    found = await do(q.sort_by("instrument__name").explain())
    assert "instrument__name" in found.order


async def test_explain_shows_the_through_model(models):
    q = await profiles(models)
    found = await do(q.filter(roles__name="editor").explain())
    assert [(step.depth, step.access, step.rows) for step in found.steps] == [
        (0, "primary key", 2),
        (1, "index role_id", 2),
        (2, "unique index name", 1),
    ]


@pytest.mark.parametrize(
    "ordering",
    ["nothing", "instrument__nothing", "portfolio__manager__nothing", "size__x", "portfolio_id", "instrument__",
     "instrument____name", "portfolio__positions", "portfolio__positions__size", "-instrument__-name", "__"],
)  # fmt: skip
async def test_bad_orders(models, ordering):
    with pytest.raises(QuerySetError, match="cannot order by"):
        models.position.query().sort_by(ordering)
