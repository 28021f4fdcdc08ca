"""Order and slices: explicit and implicit order, ties, missing values, and Python's meaning of a slice."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import product

import pytest

from stdnet import QuerySetError, odm

from ..conftest import do, round_trips
from .golden import again, codes, days, simple, sport, store
from .models import Country, Fund, SimpleModel, SportAtDate, SportAtDate2, Word

MODELS = [SimpleModel, Fund, SportAtDate, SportAtDate2, Word, Country]


async def names(query):
    return [row.name for row in await do(query.all())]


async def five(models):
    session = await store(
        models,
        Fund(name="e", ccy="USD", size=2, price=-1.5, opened=date(2014, 1, 1), active=True),
        Fund(name="d", ccy="EUR", size=1),
        Fund(name="c", ccy="USD", size=2, price=0.5, opened=date(1960, 1, 1)),
        Fund(name="b", ccy="EUR", size=-3, price=float("inf"), active=True),
        Fund(name="É", ccy="GBP", size=1, price=0.0),
    )
    return session.query(Fund)


SORTED = {
    "name": "b c d e É",
    "-name": "É e d c b",
    "ccy": "d b É e c",
    "-ccy": "e c É d b",
    "size": "b d É e c",
    "-size": "e c d É b",
    "price": "e d É c b",
    "-price": "b c d É e",
    "opened": "c d b É e",
    "active": "d c É e b",
    "id": "e d c b É",
    "-id": "É b c d e",
}
"""Ties follow the pk, in both directions; a missing number or date counts as 0, missing text as empty."""


@pytest.mark.parametrize("ordering", SORTED)
async def test_sort_by(models, ordering):
    q = (await five(models)).sort_by(ordering)
    expected = SORTED[ordering].split()
    assert await names(q) == expected
    assert await names(q.filter(id__gt=2)) == [name for name in expected if name not in ("e", "d")]
    assert await names(q.filter(ccy="USD").union(q)) == expected
    for start, stop in ((0, 2), (1, 3), (-2, None), (3, 100)):
        assert [fund.name for fund in await do(again(q)[start:stop])] == expected[start:stop]
        assert [fund.name for fund in await do(q.filter(id__lt=99)[start:stop])] == expected[start:stop]


async def test_the_last_call_wins(models):
    q = await five(models)
    assert await names(q.sort_by("name").sort_by("-id")) == SORTED["-id"].split()
    assert await names(q.sort_by("name").sort_by(None)) == SORTED["id"].split()


async def test_the_ordering_of_a_query(models):
    q = models.session().query(Fund).sort_by("-size")
    assert (q.ordering.name, q.ordering.desc, q.ordering.model, q.ordering.nested) == ("size", True, Fund, None)
    assert q.ordering.field is Fund._meta.dfields["size"]
    assert q.sort_by(None).ordering is None


@pytest.mark.parametrize("ordering", ["nope", "-nope", "", "-", "--name", "name__x", 5, ["name"], b"name", object()])
async def test_a_bad_ordering_is_refused_at_once(models, ordering):
    with pytest.raises(QuerySetError, match="cannot order by"):
        models.session().query(Fund).sort_by(ordering)


async def test_values_of_get_field_are_sorted(models):
    q = await five(models)
    assert await do(q.sort_by("size").get_field("name").all()) == SORTED["size"].split()
    assert await do(q.get_field("size").sort_by("-size").all()) == [2, 2, 1, 1, -3]


# -- slices -----------------------------------------------------------------------------------------------------

BOUNDS = (None, 0, 1, 3, 4, 5, 9, -1, -3, -4, -5, -9)


@pytest.mark.parametrize("ordering", [None, "-code", "-number"])
async def test_slices_are_those_of_a_list(models, ordering):
    q = (await simple(models)).sort_by(ordering)
    everything = [row.code for row in await do(again(q).all())]
    for start, stop in product(BOUNDS, BOUNDS):
        for query in (q, q.filter(id__gt=0)):
            found = await do(query.sort_by(ordering)[start:stop])
            assert [row.code for row in found] == everything[start:stop], (start, stop)


@pytest.mark.parametrize("step", [1, 2, 3, -1, -2, 100, -100])
async def test_steps(models, step):
    q = await simple(models)
    for start, stop in product((None, 1, -2, 9), (None, 3, -1)):
        found = await do(again(q)[start:stop:step])
        assert [row.code for row in found] == list("abcd")[start:stop:step]


async def test_places(models):
    q = await simple(models)
    for place in range(-4, 4):
        assert (await do(q.sort_by("-code")[place])).code == "dcba"[place]
    for place in (4, -5, 10**30, -(10**30)):
        for query in (again(q), q.filter(id__gt=0), q.filter(code=()), q.sort_by("id")):
            with pytest.raises(IndexError):
                await do(query[place])
            await do(query.all())
            with pytest.raises(IndexError):
                await do(query[place])


async def test_a_slice_is_a_list_and_one_round_trip(models):
    q = await simple(models)
    async with round_trips(models, 1):
        found = await do(q[1:3])
        assert await do(q[1:3]) == found
    assert type(found) is list
    assert [row.code for row in found] == ["b", "c"]


async def test_slices_of_loaded_results(models):
    q = await simple(models)
    loaded = await do(q.all())
    async with round_trips(models, 0):
        assert await do(q[1:-1]) == loaded[1:-1]
        assert await do(q[:]) == loaded
        assert await do(q[-1]) is loaded[-1]


async def test_huge_and_odd_bounds(models):
    q = await simple(models)
    huge = 10**30
    for query in (q, q.sort_by("id"), q.sort_by("code"), q.filter(id__gt=0)):
        assert [row.code for row in await do(query[:huge])] == list("abcd")
        assert await do(query[huge:]) == await do(query[huge : huge + 5]) == await do(query[:-huge]) == []
        assert len(await do(query[-huge:huge])) == 4
        assert len(await do(query[::huge])) == 1
    assert len(await do((await five(models)).sort_by("size")[0:huge])) == 5

    class Two:
        def __index__(self):
            return 2

    assert [row.code for row in await do(again(q)[: Two()])] == ["a", "b"]
    assert (await do(again(q)[Two()])).code == "c"


@pytest.mark.parametrize("index", ["1", 1.0, None, [1], slice("a", None), slice(0, 1.5), slice(None, None, "x")])
async def test_what_is_not_a_place(models, index):
    q = await simple(models)
    with pytest.raises(TypeError, match="indexed by integers"):
        await do(q[index])


async def test_a_step_of_zero(models):
    q = await simple(models)
    with pytest.raises(ValueError, match="step"):
        await do(q[::0])


async def test_values_of_get_field_have_places_but_no_slices(models):
    q = (await simple(models)).get_field("code")
    assert await do(q[1]) == "b"
    assert await do(q[-1]) == "d"
    with pytest.raises(QuerySetError, match="Cannot slice"):
        await do(q[1:2])


# -- ordered models ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("model", "expected"), [(SportAtDate, [1, 5, 9, 20]), (SportAtDate2, [20, 9, 5, 1])])
async def test_slices_of_ordered_models(models, model, expected):
    q = (await sport(models)).query(model)
    for start, stop in product(BOUNDS, BOUNDS):
        for query in (again(q), q.filter(id__gt=0), q.filter(person="p")):
            assert [row.dt.day for row in await do(query[start:stop])] == expected[start:stop]
    assert [(await do(again(q)[n])).dt.day for n in range(-4, 4)] == expected * 2
    assert await days(q.load_only("dt")) == expected


@pytest.mark.parametrize(("model", "sign"), [(SportAtDate, 1), (SportAtDate2, -1)])
async def test_saving_and_deleting_keep_the_order(models, model, sign):
    q = (await sport(models)).query(model)
    rows = await do(q.all())
    rows[0].dt += timedelta(days=6)
    await do(q.session.add(rows[0]))
    await do(q.session.delete(rows[2]))
    left = sorted((row.dt.day for row in (rows[0], rows[1], rows[3])), reverse=sign < 0)
    assert await days(again(q)) == left
    partial = await do(q.filter(dt=rows[1].dt).load_only("name").get())
    partial.name = "renamed"
    await do(q.session.add(partial))
    assert await days(again(q)) == left


async def test_the_score_of_an_instance(models):
    session = await sport(models)
    row = await do(session.add(SportAtDate(person="p", name="n", dt=date(1970, 1, 2))))
    assert row.get_state().score == 86400
    row = await do(session.add(SportAtDate2(person="p", name="n", dt=date(1970, 1, 2))))
    assert row.get_state().score == 86400


async def test_ties_follow_the_pk(models):
    session = await store(models, *(SportAtDate(person=str(n), name="n", dt=date(2014, 1, 1)) for n in range(12)))
    assert [row.id for row in await do(session.query(SportAtDate).all())] == list(range(1, 13))


async def test_autoincrement_ranks_by_how_often_a_row_is_saved(models):
    session = models.session()
    for text in "bacbbad":
        word = await do(session.add(Word(text=text)))
        assert word.get_state().score >= 1
    q = session.query(Word)

    async def words(query):
        return " ".join([row.text for row in await do(query.all())])

    assert word.get_state().score == 1
    b = await do(session.add(await do(q.get(text="b"))))
    assert b.get_state().score == 4
    assert await words(again(q)) == "b a c d"
    assert [row.text for row in await do(q[:2])] == ["b", "a"]
    assert await words(q.sort_by("text")) == "a b c d"
    assert (await words(q.filter(text=("a", "c", "b")).union(q))).startswith("b a")
    await do(session.delete(b))
    await do(session.add(Word(text="b")))
    assert await words(again(q)) == "a b c d"


async def test_rows_with_text_pks_come_by_code_point(models):
    session = await store(models, *(Country(code=code, name="x") for code in ("b", "É", "a", "B", "10", "9")))
    assert [row.code for row in await do(session.query(Country).all())] == ["10", "9", "B", "a", "b", "É"]
    assert [row.code for row in await do(session.query(Country)[-2:])] == ["b", "É"]


async def test_codes_of_a_sorted_query_in_pages(models):
    q = await simple(models)
    pages = [[row.code for row in await do(q.sort_by("-number")[n : n + 2])] for n in (0, 2, 4)]
    assert pages == [["c", "b"], ["a", "d"], []]
    assert await codes(q.sort_by("-number")) == "c b a d"


async def test_a_query_sorted_by_an_autoincrement(models):
    session = await store(models, Word(text="a"))
    assert [row.text for row in await do(session.query(Word).sort_by(odm.autoincrement()).all())] == ["a"]
