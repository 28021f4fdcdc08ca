"""explain(): what serves each clause, what is scanned, and what would help."""

from __future__ import annotations

import pytest

from stdnet import odm
from stdnet.errors import QuerySetError

from ..conftest import do, round_trips
from .golden import simple, sport, store
from .models import Fund, SimpleModel, SportAtDate, SportAtDate2

MODELS = [SimpleModel, Fund, SportAtDate, SportAtDate2]


async def explained(query):
    return await do(query.explain())


async def access(query):
    return [step.access for step in (await explained(query)).steps]


ACCESS = {
    "all rows": (lambda q: q, ["all rows"]),
    "a pk": (lambda q: q.filter(id=1), ["primary key"]),
    "a unique value": (lambda q: q.filter(code="a"), ["unique index code"]),
    "an equal value": (lambda q: q.filter(group="g1"), ["index group"]),
    "a range without index": (lambda q: q.filter(number__gt=3), ["scan"]),
    "a text lookup": (lambda q: q.filter(code__contains="a"), ["scan"]),
    "an expression": (lambda q: q.where("this.number > 3"), ["scan"]),
    "an intersection": (lambda q: q.filter(group="g1", number__gt=3), ["set", "index group", "scan"]),
    "an exclusion": (lambda q: q.exclude(group="g1"), ["set", "all rows", "index group"]),
    "a union": (lambda q: q.filter(id=1).union(q.filter(id=2)), ["set", "primary key", "primary key"]),
    "a query": (lambda q: q.filter(id=q.filter(group="g1")), ["primary key", "index group"]),
    "a null": (lambda q: q.filter(group__isnull=True), ["index group"]),
    "nothing": (lambda q: q.filter(id=()), ["primary key"]),
}


@pytest.mark.parametrize("name", ACCESS)
async def test_access(models, name):
    build, expected = ACCESS[name]
    q = await simple(models)
    async with round_trips(models, 1):
        found = await explained(build(q))
    assert [step.access for step in found.steps] == expected
    assert found.rows == found.steps[0].rows == await do(build(q).count())


@pytest.mark.parametrize(("build", "scanned"), [
    (lambda q: q, 0),
    (lambda q: q.filter(group="g1"), 0),
    (lambda q: q.filter(number__gt=3), 4),
    (lambda q: q.filter(group="g1", number__gt=3), 2),
    (lambda q: q.filter(code="a").where("this.number > 3"), 1),
    (lambda q: q.filter(group="g1").exclude(number__gt=3), 2),
    (lambda q: q.filter(number__gt=3).union(q.filter(code__contains="a")), 8),
    (lambda q: q.filter(id=q.filter(number__gt=4)), 4),
    (lambda q: q.filter(id=()), 0),
])  # fmt: skip
async def test_what_is_scanned(models, build, scanned):
    assert (await explained(build(await simple(models)))).scanned == scanned


async def test_range_indices_serve_ranges_and_equality(models):
    session = await store(models, *(Fund(name=f"{n}", ccy="EUR", size=n) for n in range(5)))
    q = session.query(Fund)
    found = await explained(q.filter(size__ge=1, size__lt=4))
    assert [(step.access, step.rows, step.cost) for step in found.steps] == [("range index size", 3, "O(log n + k)")]
    assert "1 <= size < 4" in found.steps[0].text
    assert await access(q.filter(size=2)) == ["range index size"]
    assert await access(q.filter(id__gt=2)) == ["range index id"] or await access(q.filter(id__gt=2)) == ["primary key"]
    assert await access(q.filter(active=True)) == ["index active"]


async def test_hints(models):
    q = await simple(models)
    found = await explained(q.filter(number__gt=3).exclude(number__lt=0))
    assert found.hints == ('add index=True to "suite.simplemodel.number" for ranges in O(log n + k)',)
    assert (await explained(q.filter(code__contains="a"))).hints == ()


async def test_the_text_says_it_all(models):
    q = await simple(models)
    text = str(await explained(q.filter(group=("g1", "g2"), number__gt=3).exclude(code="c").sort_by("-code")))
    assert text.splitlines()[0] == "suite.simplemodel: 1 rows, 3 scanned, order -code"
    for part in ("diff", "intersect", "group in (g1, g2)", "number > 3", "code in (c)", "hint: add index=True"):
        assert part in text


async def test_long_lists_of_values_are_cut(models):
    q = await simple(models)
    found = await explained(q.filter(code=[f"code {n}" for n in range(1000)]))
    assert "1000 values" in str(found)
    assert len(str(found)) < 500


async def test_the_order(models):
    session = await sport(models)
    assert (await explained(session.query(SportAtDate2))).order == "-dt"
    assert (await explained(session.query(SportAtDate2).sort_by("name"))).order == "name"
    assert (await explained(session.query(SimpleModel))).order == "id"


async def test_a_query_that_cannot_run_cannot_be_explained(models):
    q = await simple(models)
    with pytest.raises(QuerySetError):
        await explained(q.filter(description="x"))


async def test_explaining_does_not_execute(models):
    q = (await simple(models)).filter(group="g1")
    assert isinstance(await explained(q), odm.Explanation)
    assert not q.executed
