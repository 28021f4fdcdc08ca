"""Equality: which values a filter takes, how calls combine, and what they refuse."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import pytest

from stdnet.errors import BadLookupValue, NotIndexed

from ..conftest import do, round_trips, transaction
from .golden import codes, simple, store
from .models import Country, Event, Fund, SimpleModel

MODELS = [SimpleModel, Fund, Country, Event]


async def names(query):
    return " ".join([row.name for row in await do(query.all())])


async def funds(models):
    session = await store(
        models,
        Fund(name="alpha", ccy="EUR", size=1, price=1.5, opened=date(2014, 6, 1), active=True),
        Fund(name="beta", ccy="USD", size=2, price=2.5),
        Fund(name="gamma", ccy="EUR", size=3),
    )
    return session.query(Fund)


# -- how calls combine ------------------------------------------------------------------------------------------


async def test_the_arguments_of_chained_calls(models):
    q = models.session().query(SimpleModel)
    assert q.filter(group="a").fargs == {"group": "a"}
    assert q.filter(group="a").filter(group="b").fargs == {"group__in": {"a", "b"}}
    assert q.filter(group="a").filter(group="a").fargs == {"group__in": {"a"}}
    assert q.filter(group__in="ab").filter(group__in=("c",)).fargs == {"group__in": {"ab", "c"}}
    assert q.filter(group="a").filter(code="b").fargs == {"group": "a", "code": "b"}
    assert q.exclude(id=(1, 2, 3, 4)).exclude(id=(4, 5, 6)).eargs == {"id__in": {1, 2, 3, 4, 5, 6}}
    assert q.exclude(id=3).exclude(id=4).eargs == {"id__in": {3, 4}}
    assert q.exclude(id=3).fargs == q.filter(id=3).eargs == {}
    twice = q.filter(number__gt=3).filter(number__gt=4)
    assert list(twice.fargs) == ["number__gt"]
    assert sorted(twice.fargs["number__gt"]) == [3, 4]


async def test_values_of_one_field_are_alternatives_and_fields_narrow(models):
    q = await simple(models)
    assert await codes(q.filter(group="g1").filter(group="g2")) == await codes(q.filter(group__in=("g1", "g2")))
    assert await codes(q.filter(id=1, id__in=(2, 3))) == "a b c"
    assert await codes(q.filter(id=1).filter(id__in=(2,)).filter(id=3)) == "a b c"
    assert await codes(q.filter(group="g1", code="b")) == await codes(q.filter(group="g1").filter(code="b")) == "b"
    assert await codes(q.filter(group="g1", code="c")) == ""


async def test_exclude_drops_what_any_keyword_matches(models):
    q = await simple(models)
    assert await codes(q.exclude(group="g1", code="d")) == "c"
    assert await codes(q.exclude(group="g1").exclude(group="g2")) == "d"
    assert await codes(q.exclude(number__gt=3, number__lt=5)) == "d"
    assert await codes(q.exclude(number__gt=3).exclude(number__gt=4)) == "a d"
    assert await codes(q.exclude(id=None)) == await codes(q.exclude(code="zz")) == "a b c d"
    assert await codes(q.exclude(id=(1, 2, 3, 4, 5))) == ""
    assert await codes(q.filter(group="g1").exclude(code=("a", "b"))) == ""


# -- values -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrap", [tuple, list, set, frozenset, iter, dict.fromkeys, lambda values: (v for v in values)])
async def test_collections_of_values(models, wrap):
    q = await simple(models)
    for query in (q.filter(code=wrap(["a", "c", "zz"])), q.filter(code__in=wrap(["a", "c"]))):
        assert await codes(query) == "a c"
        assert await codes(query.filter(id__gt=0)) == "a c"
    assert await codes(q.exclude(code=wrap(["a", "c"]))) == "b d"
    assert await do(q.filter(code=wrap([])).count()) == 0
    assert await codes(q.filter(code=wrap(["a"])).filter(code=wrap(["b"]))) == "a b"


async def test_a_query_does_not_see_what_becomes_of_its_arguments(models):
    q, values = await simple(models), ["a"]
    query = q.filter(code=values)
    values.append("b")
    assert await codes(query) == "a"


async def test_values_are_converted_by_the_field(models):
    q = await funds(models)
    assert await names(q.filter(size="2")) == await names(q.filter(size=2.0)) == "beta"
    assert await names(q.filter(size=Decimal(2))) == "beta"
    assert await names(q.filter(price="2.5")) == await names(q.filter(price=Decimal("2.5"))) == "beta"
    assert await names(q.filter(active=True)) == await names(q.filter(active=1)) == "alpha"
    assert await names(q.filter(active=None)) == await names(q.filter(active=False)) == "beta gamma"
    assert await names(q.filter(opened=datetime(2014, 6, 1))) == await names(q.filter(opened="2014-06-01")) == "alpha"
    assert await names(q.filter(name=b"alpha")) == "alpha"
    session = await store(models, SimpleModel(code="3"))
    assert await codes(session.query(SimpleModel).filter(code=3)) == "3"


async def test_values_that_no_row_can_have_find_nothing(models):
    q = await funds(models)
    assert await names(q.filter(size=2.5)) == await names(q.filter(size=Decimal("2.5"))) == ""
    assert await names(q.filter(size=(2.5, 2))) == "beta"
    assert await names(q.exclude(size=2.5)) == "alpha beta gamma"
    assert await names(q.filter(opened=datetime(2014, 6, 1, 0, 0, 1))) == ""
    assert await names(q.filter(price=float("inf"))) == ""
    assert await names(q.filter(id=(1, 99, -5, 0))) == "alpha"


async def test_blank_values(models):
    q = await funds(models)
    for name, expected in (("price", "gamma"), ("opened", "beta gamma")):
        assert await names(q.filter(**{name: None})) == expected
        assert await names(q.filter(**{name: ""})) == expected
        assert await names(q.filter(**{f"{name}__in": (None,)})) == expected
    assert await names(q.filter(price=(None, 1.5))) == "alpha gamma"
    assert await names(q.exclude(price=None)) == "alpha beta"
    assert await names(q.filter(size=0)) == await names(q.filter(ccy=None)) == await names(q.filter(id="")) == ""
    assert await names(q.filter(id=(None, 1))) == "alpha"


async def test_datetimes(models):
    moment = datetime(2014, 6, 1, 12, 30, 15, 123457)
    session = await store(models, Event(when=moment), Event(when=moment.replace(microsecond=123456)))
    q = session.query(Event)
    assert [row.id for row in await do(q.filter(when=moment).all())] == [1]
    assert await do(q.filter(when=date(2014, 6, 1)).count()) == 0
    assert (await do(q.get(id=1))).when == moment


async def test_an_equality_needs_an_index(models):
    session = models.session()
    for name in ("description", "somebytes", "number"):
        for query in (
            session.query(SimpleModel).filter(**{name: "1"}),
            session.query(SimpleModel).exclude(**{name: "1"}),
        ):
            with pytest.raises(NotIndexed, match=f"Field suite.simplemodel.{name} is not an index. Cannot query"):
                await do(query.all())


BAD = [
    *(("size", value) for value in ("abc", float("nan"), float("inf"), "1.5", object(), b"\xff", 1j)),
    *(("price", value) for value in ("abc", float("nan"), object(), 10**400)),
    *(("opened", value) for value in ("abc", "2014-13-01", float("nan"), 10**30, object())),
    *(("id", value) for value in ("abc", "1.5", 2**60, object(), 1.5)),
    *(("name", value) for value in ("\ud800", b"\xff", ["a", ["b"]], [{"a": 1}])),
    *(("size", value) for value in ([1, "abc"], [[1]], ({1},))),
]


@pytest.mark.parametrize("case", range(len(BAD)), ids=lambda n: "{}={!r:.12}".format(*BAD[n]))
async def test_values_that_cannot_be_compared(models, case):
    name, value = BAD[case]
    q = await funds(models)
    with pytest.raises(BadLookupValue, match=name):
        await do(q.filter(**{name: value}).all())
    with pytest.raises(BadLookupValue):
        await do(q.filter(**{name: value}).delete())
    assert await do(q.count()) == 3


# -- queries as values ------------------------------------------------------------------------------------------


async def test_a_query_stands_for_its_pks(models):
    q = await simple(models)
    g1 = q.filter(group="g1")
    async with round_trips(models, 1):
        assert await codes(q.filter(id=g1)) == "a b"
    assert await codes(q.filter(id__in=g1)) == "a b"
    assert await codes(q.filter(id__in=[g1, q.filter(code="d"), 3])) == "a b c d"
    assert await codes(q.filter(id=g1).filter(id=q.filter(code="d"))) == "a b d"
    assert await codes(q.exclude(id=[g1, 4])) == "c"
    assert await codes(q.filter(id=q.filter(code="zz"))) == ""
    assert await codes(q.filter(id=q.filter(id=q.filter(id=g1)), code="b")) == "b"
    assert await codes(q.filter(id=g1.where("this.number > 3"))) == "b"
    assert await codes(q.filter(id=q.session.empty(SimpleModel))) == ""


async def test_a_projected_query_stands_for_its_values(models):
    q = await simple(models)
    await store(models, SimpleModel(code="g1", group="a"))
    assert await codes(q.filter(code=q.get_field("group"))) == "a g1"
    assert await codes(q.filter(group=q.get_field("code"))) == "a b g1"
    assert await codes(q.filter(code=["d", q.get_field("group")])) == "a d g1"
    assert await codes(q.filter(group=q.filter(code="d").get_field("group"))) == ""
    assert await codes(q.filter(id=q.get_field("id"))) == "a b c d g1"


async def test_a_query_of_another_model(models):
    q = await simple(models)
    await store(models, Country(code="a", name="g1"), Country(code="x", name="g2"))
    countries = models.session().query(Country)
    async with round_trips(models, 1):
        assert await codes(q.filter(code=countries)) == "a"
    assert await codes(q.filter(group=countries.filter(code="x").get_field("name"))) == "c"
    assert await codes(q.exclude(group=countries.get_field("name"))) == "d"


@pytest.mark.parametrize(("name", "of"), [("code", "id"), ("id", "code"), ("code", "number"), ("code", "timestamp")])
async def test_a_query_of_values_of_another_type(models, name, of):
    q = await simple(models)
    with pytest.raises(BadLookupValue, match="gives values of"):
        await do(q.filter(**{name: q.get_field(of)}).all())


async def test_days_are_not_points_in_time(models):
    q = (await store(models, Event(when=datetime(2014, 1, 1)))).query(Event)
    for name, of in (("when", "day"), ("day", "when")):
        with pytest.raises(BadLookupValue, match="gives values of"):
            await do(q.filter(**{name: q.get_field(of)}).all())
    assert await do(q.filter(day=q.get_field("day")).count()) == 1


async def test_a_query_in_an_open_transaction_does_not_see_what_is_pending(models):
    q = await simple(models)
    async with transaction(q.session) as t:
        t.add(SimpleModel(code="e", group="g1"))
        assert await do(q.filter(group="g1").count()) == 2
    assert await do(q.filter(group="g1").count()) == 3
