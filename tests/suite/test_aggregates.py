"""aggregate(): counts, sums, means, least and greatest values of the rows of a query, computed by the backend."""

from __future__ import annotations

import math
from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from stdnet import odm
from stdnet.errors import BadAggregate, QuerySetError, UnknownField

from ..conftest import do, round_trips
from .golden import store
from .lots import MOMENT, Bill, Lot, Owner, Shade, lots

MODELS = [Owner, Lot, Bill]


async def total(query, term):
    return (await do(query.aggregate(it=term)))["it"]


async def test_several_at_once_in_one_round_trip(models):
    q = await lots(models)
    async with round_trips(models, 1):
        found = await do(
            q.aggregate(
                n=odm.Count(), total=odm.Sum("size"), avg=odm.Avg("price"), lo=odm.Min("day"), hi=odm.Max("day")
            )
        )
    assert found == {"n": 4, "total": 2, "avg": (0.2 + 0.1) / 3, "lo": date(2014, 6, 1), "hi": date(2014, 6, 9)}
    assert list(found) == ["n", "total", "avg", "lo", "hi"]


async def test_counts_leave_missing_values_out(models):
    q = await lots(models)
    assert await total(q, odm.Count()) == 4
    assert await total(q, odm.Count("size")) == 3
    assert await total(q, odm.Count("seen")) == 1
    assert await total(q, odm.Count("owner")) == 3
    assert await total(q, odm.Count("note")) == 4  # the empty text is a value
    assert await total(q, odm.Count("id")) == 4


async def test_sums(models):
    q = await lots(models)
    assert await total(q, odm.Sum("size")) == 2
    assert await total(q, odm.Sum("big")) == 10**30 - 10**31 + 8
    assert await total(q, odm.Sum("price")) == 0.1 + 0.2
    found = await total(q, odm.Sum("live"))
    assert (found, type(found)) == (2, int)
    assert await total(q, odm.Sum("id")) == 10


async def test_means(models):
    q = await lots(models)
    assert await total(q, odm.Avg("size")) == 2 / 3
    assert await total(q, odm.Avg("live")) == 0.5
    assert await total(q, odm.Avg("big")) == (10**30 - 10**31 + 8) / 3


async def test_least_and_greatest(models):
    q = await lots(models)
    for name, least, greatest in (
        ("size", -5, 4),
        ("big", 1 - 10**31, 10**30),
        ("price", 0.0, 0.2),
        ("live", False, True),
        ("note", "", "é"),
        ("data", b"", b"\xff"),
        ("ccy", "CHF", "USD"),
        ("seen", MOMENT, MOMENT),
        ("owner", "ann", "bob"),
        ("id", 1, 4),
    ):
        found = await do(q.aggregate(lo=odm.Min(name), hi=odm.Max(name)))
        assert found == {"lo": least, "hi": greatest}, name
        assert [type(value) for value in found.values()] == [type(least), type(greatest)]


async def test_of_the_rows_of_the_query_alone(models):
    q = await lots(models)
    assert await total(q.filter(ccy="EUR"), odm.Sum("size")) == 7
    assert await total(q.exclude(ccy="EUR"), odm.Sum("size")) == -5
    assert await total(q.where("this.size > 3"), odm.Max("note")) == "Z"
    assert await total(q.filter(owner__code="ann"), odm.Count()) == 2
    assert await total(q.filter(ccy="CHF").union(q.filter(size=4)), odm.Count("size")) == 1
    assert await total(q.sort_by("note").load_only("note"), odm.Sum("size")) == 2


async def test_of_no_values(models):
    q = await lots(models)
    terms = {
        "rows": odm.Count(),
        "n": odm.Count("size"),
        "sum": odm.Sum("size"),
        "mean": odm.Avg("price"),
        "lo": odm.Min("size"),
        "hi": odm.Max("day"),
    }
    nothing = {"n": 0, "sum": None, "mean": None, "lo": None, "hi": None}
    assert await do(q.filter(ccy="CHF").aggregate(**terms)) == {"rows": 1, **nothing}
    assert await do(q.filter(ccy="GBP").aggregate(**terms)) == {"rows": 0, **nothing}
    async with round_trips(models, 0):
        assert await do(q.filter(id=()).aggregate(**terms)) == {"rows": 0, **nothing}
    assert await do(q.aggregate()) == {}


async def test_floats_are_added_in_the_order_of_the_model(models):
    prices = [1e16, 1.0, -1e16, 0.3, 0.1] * 500
    session = await store(models, *(Lot(size=-n, price=price) for n, price in enumerate(prices)))
    expected = 0.0
    for start in range(0, len(prices), 1000):
        block = 0.0
        for price in prices[start : start + 1000]:
            block += price
        expected += block
    found = await do(session.query(Lot).aggregate(sum=odm.Sum("price"), avg=odm.Avg("price")))
    assert found == {"sum": expected, "avg": expected / len(prices)}


async def test_infinities(models):
    session = await store(models, *(Lot(ccy=ccy, price=sign * math.inf) for ccy in ("a", "b") for sign in (1, 1)))
    assert await total(session.query(Lot), odm.Sum("price")) == math.inf
    session = await store(models, Lot(ccy="b", price=-math.inf), Lot(ccy="b", price=1.0))
    q = session.query(Lot).filter(ccy="b")
    assert math.isnan(await total(q, odm.Sum("price")))
    assert math.isnan(await total(q, odm.Avg("price")))
    assert await total(q, odm.Min("price")) == -math.inf


async def test_fields_that_cannot_be_added(models):
    q = await lots(models)
    for name in ("ccy", "note", "data", "day", "seen", "owner"):
        for term in (odm.Sum, odm.Avg):
            with pytest.raises(
                BadAggregate, match=f"{term.__name__}\\('{name}'\\).*aggregates.lot.*use Min, Max or Count"
            ):
                await total(q, term(name))


async def test_mistakes(models):
    q = await lots(models)
    with pytest.raises(UnknownField, match=r'"siez" does not exist. Did you mean "size"'):
        await total(q, odm.Sum("siez"))
    with pytest.raises(UnknownField):
        await total(q, odm.Min(None))
    with pytest.raises(BadAggregate, match=r'it=odm.Sum\("size"\)'):
        await total(q, "size")
    with pytest.raises(QuerySetError):
        await total(q.filter(note="x"), odm.Count())


async def test_a_mean_that_no_float_can_hold(models):
    session = await store(models, Lot(big=10**400))
    assert await total(session.query(Lot), odm.Sum("big")) == 10**400
    with pytest.raises(BadAggregate, match="larger than its type can hold"):
        await total(session.query(Lot), odm.Avg("big"))


TERMS = {"n": odm.Count, "sum": odm.Sum, "avg": odm.Avg, "lo": odm.Min, "hi": odm.Max}


async def of(query, name):
    """Return each aggregate of a field, and see that all but the count are of one type."""
    found = await do(query.aggregate(**{key: term(name) for key, term in TERMS.items()}))
    n, *others = found.values()
    assert len({type(value) for value in others}) == 1
    return (n, *others)


async def test_decimals_stay_decimals(models):
    amounts = ("0.10", "0.20", "1.05", "-90071992547409.92", None)
    exact = ("1e-30", "2e-30", f"{10**50}.{'0' * 29}1", "-1", "0")
    session = await store(models, *(Bill(amount=a, exact=e) for a, e in zip(amounts, exact, strict=True)))
    q = session.query(Bill)
    cheap, least = q.filter(amount__gt=0), Decimal("-90071992547409.92")
    found = await of(cheap, "amount")
    assert found == (3, Decimal("1.35"), Decimal("0.45"), Decimal("0.10"), Decimal("1.05"))
    assert [str(value) for value in found[1:]] == ["1.35", "0.45", "0.10", "1.05"]
    assert await of(q, "amount") == (4, least + Decimal("1.35"), (least + Decimal("1.35")) / 4, least, Decimal("1.05"))
    assert await total(q, odm.Sum("exact")) == Decimal(f"{10**50 - 1}.{'0' * 29}4")
    assert await do(q.aggregate(lo=odm.Min("exact"), hi=odm.Max("exact"))) == {"lo": -1, "hi": Decimal(exact[2])}


async def test_spans_stay_spans(models):
    micro, day = timedelta(microseconds=1), timedelta(days=1)
    spans = (day, -micro, None, timedelta(hours=1))
    session = await store(models, *(Bill(span=span, any_span=span and 1000 * span) for span in spans))
    q = session.query(Bill)
    whole = day - micro + timedelta(hours=1)
    assert await of(q, "span") == (3, whole, whole / 3, -micro, day)
    assert await of(q, "any_span") == (3, 1000 * whole, 1000 * whole / 3, -1000 * micro, 1000 * day)
    found = await do(q.group_by("span").aggregate(n=odm.Count(), sum=odm.Sum("any_span")))
    assert [(row["span"], row["sum"]) for row in found] == [
        (span, span and 1000 * span) for span in (None, -micro, timedelta(hours=1), day)
    ]
    await store(models, *(Bill(any_span=timedelta.max) for _ in range(2)))
    with pytest.raises(BadAggregate, match=r"Sum\('any_span'\).*larger than its type can hold"):
        await total(q, odm.Sum("any_span"))


async def test_other_rich_fields_are_counted_and_compared(models):
    early, late = (datetime(2024, month, 1, tzinfo=ZoneInfo("Europe/Zurich")) for month in (1, 7))
    keys = [UUID(int=n) for n in (1, 2)]
    rows = [Bill(shade=shade, key=key, paid=paid) for shade, key, paid in zip(Shade, keys, (late, early), strict=True)]
    q = (await store(models, *rows, Bill())).query(Bill)
    for name, least, greatest in (("shade", Shade.DARK, Shade.LIGHT), ("key", *keys), ("paid", early, late)):
        found = await do(q.aggregate(n=odm.Count(name), lo=odm.Min(name), hi=odm.Max(name)))
        assert found == {"n": 2, "lo": least, "hi": greatest}
        assert await do(q.distinct(name)) == [None, least, greatest]
        with pytest.raises(BadAggregate, match="can be added"):
            await total(q, odm.Sum(name))
    assert (await total(q, odm.Min("paid"))).tzinfo == ZoneInfo("Europe/Zurich")


async def test_keys_of_json_are_no_columns(models):
    q = (await store(models, Bill(more={"a": {"b": 1}}))).query(Bill)
    for name in ("more", "more__a", "more__a__b"):
        for term in TERMS.values():
            with pytest.raises(BadAggregate, match=f"'{name}' on model .*give the value a field of its own"):
                await total(q, term(name))
        with pytest.raises(BadAggregate, match="field of its own"):
            await do(q.distinct(name))


def test_terms_show_what_they_are():
    assert [repr(term) for term in (odm.Count(), odm.Count("a"), odm.Avg("b"))] == ["Count()", "Count('a')", "Avg('b')"]
