"""The golden table of the specification, row by row, as far as it needs no relation."""

from __future__ import annotations

import pytest

from stdnet import odm

from ..conftest import do
from .golden import codes, days, simple, sport
from .models import SimpleModel, SportAtDate, SportAtDate2

MODELS = [SimpleModel, SportAtDate, SportAtDate2]

ROWS = {
    "chaining widens": (lambda q: q.filter(group="g1").filter(group="g2"), "a b c"),
    "two ranges": (lambda q: q.filter(number__gt=3).filter(number__lt=5), "b"),
    "the same range twice": (lambda q: q.filter(number__gt=3).filter(number__gt=4), "c"),
    "values and a text lookup on one field": (lambda q: q.filter(code=("a", "b"), code__startswith="b"), "b"),
    "None is blank": (lambda q: q.filter(group=None), "d"),
    "empty text is blank": (lambda q: q.filter(group=""), "d"),
    "no row without pk": (lambda q: q.filter(id=None), ""),
    "pk as text": (lambda q: q.filter(id="1"), "a"),
    "range of the pk": (lambda q: q.filter(id__gt=2), "c d"),
    "range of the pk as text": (lambda q: q.filter(id__ge="2"), "b c d"),
    "exclude is any of": (lambda q: q.exclude(group="g1", code="c"), "d"),
    "exclude nothing": (lambda q: q.exclude(group__in=()), "a b c d"),
    "union": (lambda q: q.filter(group="g1").union(q.filter(group="g2")), "a b c"),
    "intersect": (
        lambda q: q.filter(group="g1").union(q.filter(group="g2")).intersect(q.filter(code=("a", "d"))),
        "a c",
    ),
    "filter after union": (lambda q: q.filter(group="g1").union(q.filter(group="g2")).filter(code="a"), "a c"),
    "sort": (lambda q: q.sort_by("code"), "a b c d"),
    "sort descending": (lambda q: q.sort_by("-code"), "d c b a"),
    "a missing number counts as 0": (lambda q: q.sort_by("number"), "d a b c"),
    "query of values": (lambda q: q.filter(group=q.filter(code=("a", "b")).get_field("group")), "a b"),
    "exclude a query": (lambda q: q.exclude(id=q.filter(group="g1")), "c d"),
    "a query in a list": (lambda q: q.filter(id=[1, q.filter(code="c")]), "a c"),
    "a mapping": (lambda q: q.filter(code={"a": 1}), "a"),
    "a generator": (lambda q: q.filter(code=(x for x in "ab")), "a b"),
}


@pytest.mark.parametrize("name", ROWS)
async def test_codes(models, name):
    build, expected = ROWS[name]
    query = build(await simple(models))
    assert await codes(query) == expected
    assert await do(query.count()) == len(expected.split())


SLICES = {
    "sort_by('code')[1:3]": (lambda q: q.sort_by("code")[1:3], "b c"),
    "sort_by('-code')[-2:]": (lambda q: q.sort_by("-code")[-2:], "b a"),
    "[-3:-1]": (lambda q: q[-3:-1], "b c"),
    "[1:100]": (lambda q: q[1:100], "b c d"),
    "[10:]": (lambda q: q[10:], ""),
}


@pytest.mark.parametrize("name", SLICES)
async def test_slices(models, name):
    cut, expected = SLICES[name]
    assert " ".join([row.code for row in await do(cut(await simple(models)))]) == expected


async def test_values(models):
    q = await simple(models)
    assert await do(q.get_field("group").all()) == ["g1", "g1", "g2", ""]
    values = await do(q.filter(number__gt=3).get_field("number").all())
    assert values == [4.0, 5.0]
    assert {type(value) for value in values} == {float}


async def test_membership(models):
    q = await simple(models)
    a = await do(q.get(code="a"))
    assert [await do(q.contains(x)) for x in (1, 100, a)] == [True, False, True]


async def test_repr(models):
    q = await simple(models)
    assert repr(q.filter(group="g1").exclude(code="a")) == "Query.filter({'group': 'g1'}).exclude({'code': 'a'})"


@pytest.mark.parametrize(("model", "ascending"), [(SportAtDate, True), (SportAtDate2, False)])
async def test_ordered_models(models, model, ascending):
    q = (await sport(models)).query(model)

    def turned(*expected):
        return list(expected if ascending else expected[::-1])

    assert await days(q) == turned(1, 5, 9, 20)
    assert await days(q.filter(name="n1")) == turned(1, 5, 9)
    assert await days(q.exclude(name="n1")) == [20]
    assert [row.dt.day for row in await do(q[0:2])] == turned(1, 5, 9, 20)[:2]
    assert await days(q.filter(name="n1").union(q)) == turned(1, 5, 9, 20)
    assert await days(q.filter(name="n1").intersect(q)) == turned(1, 5, 9)
    assert await days(q.sort_by("-dt")) == [20, 9, 5, 1]
    assert await days(q.filter(dt__gt=q_day(1), dt__le=q_day(9))) == turned(5, 9)
    assert await days(q.where("this.name == 'n1'")) == turned(1, 5, 9)
    assert await days(odm.union([q.filter(name="n2"), q.filter(name="n1")])) == turned(1, 5, 9, 20)


def q_day(day):
    return f"2014-06-{day:02}"


async def test_states(models):
    session = models.session()
    row = SimpleModel(code="x", group="g", description="dd", number=5)
    assert (row.get_state().action, row.get_state().persistent, row.has_all_data) == ("add", False, False)
    await do(session.add(row))
    assert (row.get_state().action, row.get_state().persistent, row.has_all_data) == ("override", True, True)
    loaded = await do(session.query(SimpleModel).get(code="x"))
    assert (loaded.get_state().action, loaded.has_all_data) == ("override", True)
    partial = await do(session.query(SimpleModel).load_only("code").get(code="x"))
    assert (partial.get_state().action, partial.has_all_data) == ("update", False)


async def test_saving_a_part_keeps_the_rest(models):
    session = models.session()
    await do(session.add(SimpleModel(code="w", group="g", description="dd", number=5)))
    partial = await do(session.query(SimpleModel).load_only("code").get(code="w"))
    partial.code = "w2"
    await do(session.add(partial))
    assert await do(session.query(SimpleModel).filter(code="w").count()) == 0
    row = await do(session.query(SimpleModel).get(code="w2"))
    assert (row.id, row.group, row.description, row.number) == (1, "g", "dd", 5.0)
    row.number = None
    await do(session.add(row))
    again = await do(session.query(SimpleModel).get(code="w2"))
    assert (again.number, again.group, again.description) == (None, "g", "dd")
    assert await do(session.query(SimpleModel).filter(number__isnull=True).count()) == 1


async def test_auto_ids(models):
    session, ids = models.session(), []
    for code, id in (("a", None), ("b", 500), ("c", None), ("d", 400), ("e", None)):
        row = await do(session.add(SimpleModel(code=code) if id is None else SimpleModel(code=code, id=id)))
        ids.append(row.id)
    assert ids == [1, 500, 501, 400, 502]
