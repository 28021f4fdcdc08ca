"""group_by() and distinct(): the different values of fields, and aggregates for each."""

from __future__ import annotations

from datetime import date

import pytest

from stdnet import odm
from stdnet.errors import BadAggregate, UnknownField

from ..conftest import do, round_trips
from .golden import store
from .lots import Lot, Owner, lots

MODELS = [Owner, Lot]


async def test_a_dict_for_each_group_in_order(models):
    q = await lots(models)
    async with round_trips(models, 1):
        found = await do(q.group_by("ccy").aggregate(n=odm.Count(), total=odm.Sum("size"), hi=odm.Max("day")))
    assert found == [
        {"ccy": "CHF", "n": 1, "total": None, "hi": None},
        {"ccy": "EUR", "n": 2, "total": 7, "hi": date(2014, 6, 9)},
        {"ccy": "USD", "n": 1, "total": -5, "hi": date(2014, 6, 1)},
    ]
    assert list(found[0]) == ["ccy", "n", "total", "hi"]


async def test_several_fields(models):
    q = await lots(models)
    found = await do(q.group_by("live", "ccy", "live").aggregate(n=odm.Count()))
    assert [tuple(row.values()) for row in found] == [(False, "CHF", 1), (False, "USD", 1), (True, "EUR", 2)]
    assert {type(row["live"]) for row in found} == {bool}
    assert await do(q.group_by("live").aggregate()) == [{"live": False}, {"live": True}]


async def test_missing_values_are_a_group_of_their_own(models):
    q = await lots(models)
    found = await do(q.group_by("owner").aggregate(n=odm.Count(), sum=odm.Sum("size")))
    assert found == [
        {"owner": None, "n": 1, "sum": None},
        {"owner": "ann", "n": 2, "sum": -2},
        {"owner": "bob", "n": 1, "sum": 4},
    ]


async def test_of_the_rows_of_the_query_alone(models):
    q = await lots(models)
    assert await do(q.filter(size__gt=0).group_by("ccy").aggregate(n=odm.Count())) == [{"ccy": "EUR", "n": 2}]
    assert await do(q.filter(ccy="GBP").group_by("ccy").aggregate(n=odm.Count())) == []
    async with round_trips(models, 0):
        assert await do(q.filter(id=()).group_by("ccy").aggregate(n=odm.Count())) == []
        assert await do(q.filter(id=()).distinct("ccy")) == []


async def test_zeros_are_one_group(models):
    session = await store(models, Lot(price=-0.0), Lot(price=0.0), Lot(price=-1.5))
    found = await do(session.query(Lot).group_by("price").aggregate(n=odm.Count()))
    assert repr(found) == "[{'price': -1.5, 'n': 1}, {'price': 0.0, 'n': 2}]"


async def test_without_a_field_there_is_one_group(models):
    q = await lots(models)
    assert await do(q.group_by().aggregate(n=odm.Count())) == [{"n": 4}]


async def test_distinct(models):
    q = await lots(models)
    async with round_trips(models, 1):
        assert await do(q.distinct("ccy")) == ["CHF", "EUR", "USD"]
    assert await do(q.distinct("size")) == [None, -5, 3, 4]
    assert await do(q.distinct("big")) == [None, 1 - 10**31, 7, 10**30]
    assert await do(q.distinct("note")) == ["", "Z", "z", "é"]
    assert await do(q.distinct("data")) == [b"", b"a", b"\xff"]
    assert await do(q.distinct("day")) == [None, date(2014, 6, 1), date(2014, 6, 9)]
    assert await do(q.distinct("owner")) == [None, "ann", "bob"]
    assert await do(q.filter(ccy="EUR").distinct("id")) == [1, 3]


async def test_more_groups_than_one_call_reads(models):
    session = await store(models, *(Lot(size=n // 2, note=f"{n:05}", price=n / 4) for n in range(2600)))
    q = session.query(Lot)
    async with round_trips(models, 1):
        found = await do(q.group_by("size").aggregate(n=odm.Count(), sum=odm.Sum("price"), hi=odm.Max("note")))
    expected = [{"size": n, "n": 2, "sum": n / 2 + n / 2 + 0.25, "hi": f"{2 * n + 1:05}"} for n in range(1300)]
    assert found == expected
    assert await do(q.distinct("note")) == [f"{n:05}" for n in range(2600)]


async def test_groups_are_described_before_they_are_asked_for(models):
    q = await lots(models)
    async with round_trips(models, 0):
        groups = q.filter(ccy="EUR").group_by("ccy", "day")
        assert repr(groups) == "Query.filter({'ccy': 'EUR'}).group_by('ccy', 'day')"
        with pytest.raises(UnknownField, match=r'Could not group on model "aggregates.lot". Field "cyc"'):
            q.group_by("ccy", "cyc")


async def test_mistakes(models):
    q = await lots(models)
    with pytest.raises(BadAggregate, match='"ccy" is a field of the group'):
        await do(q.group_by("ccy").aggregate(ccy=odm.Count()))
    with pytest.raises(UnknownField, match="aggregate"):
        await do(q.group_by("ccy").aggregate(n=odm.Count("nope")))
    with pytest.raises(UnknownField):
        await do(q.distinct("nope"))
