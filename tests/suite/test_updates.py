"""query.update: constants and expressions of F, in one step, with indices and constraints kept."""

from __future__ import annotations

import math
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from stdnet import CommitException, FieldValueError, InvalidValue, QuerySetError, odm
from stdnet.errors import BadUpdate, UnknownField
from stdnet.odm import F

from ..conftest import do, round_trips, transaction
from .models import Word


class Owner(odm.StdModel):
    name = odm.SymbolField(unique=True)

    class Meta:
        app_label = "updates"


class Fund(odm.StdModel):
    name = odm.SymbolField(unique=True)
    ccy = odm.SymbolField(required=False)
    former = odm.SymbolField(required=False)
    size = odm.IntegerField(default=0)
    big = odm.IntegerField(required=False, index=False)
    price = odm.FloatField(required=False, index=True)
    active = odm.BooleanField()
    opened = odm.DateField(required=False)
    seen = odm.DateTimeField(required=False)
    data = odm.ByteField()
    owner = odm.ForeignKey(Owner, required=False)
    heir = odm.ForeignKey(Owner, required=False, related_name="+")

    class Meta:
        app_label = "updates"


class Ranked(odm.StdModel):
    name = odm.SymbolField()
    rank = odm.IntegerField(required=False)

    class Meta:
        app_label = "updates"
        ordering = "-rank"


class Entry(odm.StdModel):
    id = odm.CompositeIdField("book", "word")
    book = odm.SymbolField()
    word = odm.SymbolField()
    count = odm.IntegerField(default=0)

    class Meta:
        app_label = "updates"


class Trade(odm.StdModel):
    price = odm.DecimalField(decimal_places=2)
    fee = odm.DecimalField(decimal_places=2, index=False, required=False)
    tip = odm.DecimalField(decimal_places=2, max_digits=4, required=False)
    rate = odm.DecimalField(decimal_places=6, index=False, required=False)
    count = odm.IntegerField(default=3)
    weight = odm.FloatField(default=0.5)
    took = odm.TimeDeltaField()
    pause = odm.TimeDeltaField(index=False, required=False)
    day = odm.DateField(required=False)
    begun = odm.DateTimeField(required=False)
    ended = odm.DateTimeField(required=False)
    sent = odm.DateTimeField(tz="Europe/Rome", required=False)
    seen = odm.DateTimeField(tz=timezone.utc, required=False)

    class Meta:
        app_label = "updates"
        ordering = "-price"


MODELS = [Owner, Fund, Ranked, Entry, Trade, Word]

CENT = Decimal("0.01")


async def fill(models, **values):
    session = models.session()
    async with transaction(session) as t:
        for n, name in enumerate("abcd", 1):
            t.add(Fund(**{"name": name, "ccy": "EUR" if n % 2 else "USD", "size": n, **values}))
    return models.fund.query()


async def column(models, name):
    return await do(models.fund.query().get_field(name).all())


async def test_constants_and_expressions_in_one_round_trip(models):
    query = await fill(models)
    async with round_trips(models, 1):
        assert await do(query.filter(ccy="EUR").update(size=F("size") + 10, ccy="CHF")) == 2
    assert await column(models, "size") == [11, 2, 13, 4]
    assert await column(models, "ccy") == ["CHF", "USD", "CHF", "USD"]
    assert await do(models.fund.filter(ccy="EUR").count()) == 0
    assert await do(models.fund.filter(size__ge=11, ccy="CHF").count()) == 2


async def test_no_rows(models):
    query = await fill(models)
    assert await do(query.filter(ccy="GBP").update(size=1)) == 0
    async with round_trips(models, 0):
        assert await do(query.filter(id__in=()).update(size=1)) == 0
    with pytest.raises(UnknownField):
        await do(query.filter(id__in=()).update(nope=1))


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (F("size") * 2 + 1, [3, 5, 7, 9]),
        (10 - F("size"), [9, 8, 7, 6]),
        (-F("size"), [-1, -2, -3, -4]),
        (F("size") % 3, [1, 2, 0, 1]),
        (7 % F("size"), [0, 1, 1, 3]),
        (12 / F("size"), [12, 6, 4, 3]),
        ((F("id") + F("size")) / 2, [1, 2, 3, 4]),
        (F("size") * 1.5 * 2, [3, 6, 9, 12]),
        (F("id"), [1, 2, 3, 4]),
        (3 * F("size") - F("size"), [2, 4, 6, 8]),
        (0 * F("size"), [0, 0, 0, 0]),
    ],
    ids=repr,
)
async def test_arithmetic(models, expression, expected):
    query = await fill(models)
    assert await do(query.update(size=expression)) == 4
    assert await column(models, "size") == expected
    assert await do(models.fund.filter(size=expected[1]).count()) == expected.count(expected[1])


async def test_all_sets_see_the_row_before_the_update(models):
    query = await fill(models, price=0.5)
    await do(query.update(size=F("size") + 1, price=F("size") / 2, name=F("name"), former=F("name")))
    assert await column(models, "price") == [0.5, 1.0, 1.5, 2.0]
    assert await column(models, "former") == ["a", "b", "c", "d"]


async def test_floats_have_infinities_and_no_negative_zero(models):
    query = await fill(models, price=-1.0)
    await do(query.update(price=F("price") / (F("size") - 2)))
    assert await column(models, "price") == [1.0, -math.inf, -1.0, -0.5]
    await do(query.exclude(id=2).update(price=F("price") * 0))
    assert [str(price) for price in await column(models, "price")] == ["0.0", "-inf", "0.0", "0.0"]
    with pytest.raises(CommitException, match="no number"):
        await do(query.update(price=F("price") * 0))


async def test_values_that_a_field_cannot_hold(models):
    query = await fill(models)
    for expression, shown in (
        (F("size") / 2, "the number 0.5"),
        (F("size") / (F("size") - 1), "the number inf"),
        (F("size") * 2.0**53, "the number 1.8"),
        ((F("size") - 1) / (F("size") - 1), "no number"),
        (F("price") + 1, "a missing value"),
    ):
        with pytest.raises(CommitException, match=r"updates\.fund\.size of the row id=\d would become") as info:
            await do(query.update(size=expression, ccy="CHF"))
        assert shown in str(info.value)
    assert await column(models, "size") == [1, 2, 3, 4]
    assert await do(models.fund.filter(ccy="CHF").count()) == 0
    assert info.value.failures == 4


async def test_a_missing_operand_gives_a_missing_value(models):
    query = await fill(models)
    await do(query.filter(id=1).update(big=5))
    await do(query.update(price=F("big") * 2))
    assert await column(models, "price") == [10.0, None, None, None]
    assert await do(models.fund.filter(price=None).count()) == 3


async def test_big_integers_are_set_and_copied_exactly(models):
    query = await fill(models)
    await do(query.filter(id=1).update(big=10**30 + 1))
    await do(query.update(big=F("big")))
    assert await column(models, "big") == [10**30 + 1, None, None, None]
    with pytest.raises(CommitException, match="cannot hold"):
        await do(query.update(size=F("big")))


async def test_unique_fields(models):
    query = await fill(models)
    with pytest.raises(CommitException, match="There were 3 exceptions") as info:
        await do(query.update(name="z"))
    assert 'Unique constraint "name" violated' in str(info.value)
    with pytest.raises(CommitException, match="'b' is already in database, held by id=2"):
        await do(query.filter(id=1).update(name="b"))
    assert await do(query.filter(id=1).update(name="z")) == 1
    assert await do(models.fund.filter(name="a").count()) == 0
    assert (await do(models.fund.get(name="z"))).id == 1


async def test_a_swap_of_unique_values_by_one_update(models):
    query = await fill(models)
    await do(query.update(former=F("name")))
    await do(query.update(name=F("former"), ccy=F("name")))
    assert await column(models, "ccy") == ["a", "b", "c", "d"]


async def test_many_refusals_are_told_in_short(models):
    session = models.session()
    async with transaction(session) as t:
        for n in range(30):
            t.add(Fund(name=f"n{n}"))
    with pytest.raises(CommitException, match="and 19 more") as info:
        await do(models.fund.query().update(name="same"))
    assert (info.value.failures, len(info.value.reasons)) == (29, 11)


async def test_dates(models):
    query = await fill(models, opened=date(2024, 1, 31), seen=datetime(2024, 1, 1))
    week, hour = timedelta(days=7), timedelta(hours=1, microseconds=1)
    await do(query.update(opened=F("opened") + week, seen=hour + F("seen") - timedelta(minutes=30)))
    row = await do(models.fund.get(id=1))
    assert (row.opened, row.seen) == (date(2024, 2, 7), datetime(2024, 1, 1, 0, 30, 0, 1))
    assert await do(models.fund.filter(opened__gt="2024-02-01").count()) == 4
    with pytest.raises(CommitException, match="cannot hold"):
        await do(query.update(opened=F("opened") - timedelta(days=2_000_000)))
    await do(query.update(opened=None, seen=F("seen")))
    assert await column(models, "opened") == [None] * 4


async def test_keys_booleans_and_bytes(models):
    query, session = await fill(models), models.session()
    owner = await do(session.add(Owner(name="o")))
    await do(query.filter(id=1).update(owner=owner, active=True, data=b"\x00\xff"))
    await do(query.filter(id__lt=3).update(heir=F("owner"), data="é"))
    row = await do(models.fund.get(id=1))
    assert (row.owner_id, row.heir_id, row.active, row.data) == (1, 1, True, "é".encode())
    assert await do(models.fund.filter(owner=owner).count()) == 1
    await do(query.update(owner=None, active=F("active")))
    assert await do(models.fund.filter(owner=None).count()) == 4
    await do(query.update(owner=1))
    assert await do(session.delete(owner)) == [1]
    assert await do(models.fund.filter(owner=None).count()) == 4


async def test_the_order_of_a_model_follows(models):
    session = models.session()
    async with transaction(session) as t:
        for n, name in enumerate("abc"):
            t.add(Ranked(name=name, rank=n))
    names = models.ranked.query().get_field("name")
    assert await do(names.all()) == ["c", "b", "a"]
    await do(models.ranked.query().update(rank=-F("rank")))
    assert await do(models.ranked.query().get_field("name").all()) == ["a", "b", "c"]
    await do(models.ranked.filter(name="a").update(rank=None))
    await do(models.ranked.filter(name="c").update(rank=7))
    assert await do(models.ranked.query().get_field("name").all()) == ["c", "b", "a"]
    row = await do(models.ranked.get(name="b"))
    row.rank = 9
    await do(row.session.add(row))
    assert await do(models.ranked.query().get_field("name").all()) == ["b", "c", "a"]


async def test_an_update_is_a_commit_of_its_own_inside_a_transaction(models):
    await fill(models)
    session = models.session()
    begun = session.begin()
    begun.add(Fund(name="new"))
    assert await do(begun.query(Fund).update(size=F("size") + 1)) == 4
    begun.rollback()
    assert await column(models, "size") == [2, 3, 4, 5]


async def test_queries_of_all_kinds(models):
    query = await fill(models)
    other = models.fund.filter(id=4)
    assert await do(query.filter(size__lt=3).exclude(name="a").union(other).update(ccy="X")) == 2
    assert await do(query.where("this.size > 3").update(ccy="Y")) == 1
    assert await do(query.get_field("size").filter(id=1).update(ccy="Z")) == 1
    assert await column(models, "ccy") == ["Z", "X", "EUR", "Y"]


async def test_signals_are_not_fired(models):
    fired = []
    models.post_commit.bind(lambda *args, **params: fired.append(args), Fund)
    query = await fill(models)
    before = len(fired)
    await do(query.update(size=1))
    assert len(fired) == before


@pytest.mark.parametrize(
    ("values", "error", "match"),
    [
        ({}, QuerySetError, "nothing to update"),
        ({"nope": 1}, UnknownField, 'Field "nope" does not exist'),
        ({"size": F("sise")}, UnknownField, 'Did you mean "size"'),
        ({"size": F(5)}, UnknownField, "does not exist"),
        ({"id": 5}, BadUpdate, "it is the primary key. To move a row"),
        ({"size": "many"}, InvalidValue, "is not an integer"),
        ({"size": 2**53 + 1}, InvalidValue, "indexed integer"),
        ({"name": ""}, FieldValueError, "is required"),
        ({"name": None}, FieldValueError, "is required"),
        ({"name": F("name") + 1}, BadUpdate, "takes a constant, or F of one field of the same kind"),
        ({"name": F("size")}, BadUpdate, "takes a constant"),
        ({"size": F("name")}, BadUpdate, "a SymbolField cannot be computed with"),
        ({"size": F("size") + "1"}, BadUpdate, "a str cannot be computed with"),
        ({"size": F("size") + True}, BadUpdate, "a bool cannot be computed with"),
        ({"size": F("size") * math.nan}, BadUpdate, "not exact as a double"),
        ({"size": F("size") + (2**53 + 1)}, BadUpdate, "not exact as a double"),
        ({"size": F("size") + 10**400}, BadUpdate, "not exact as a double"),
        ({"active": F("active") + 1}, BadUpdate, "a BooleanField takes a constant"),
        ({"data": F("name")}, BadUpdate, "a ByteField takes a constant"),
        ({"size": F("opened")}, BadUpdate, "that gives a date"),
        ({"opened": F("seen")}, BadUpdate, "that gives a datetime"),
        ({"opened": F("opened") + 1}, BadUpdate, "of dates only"),
        ({"opened": F("opened") * timedelta(1)}, BadUpdate, "of dates only"),
        ({"opened": timedelta(1) - F("opened")}, BadUpdate, "of dates only"),
        ({"opened": F("opened") + F("opened")}, BadUpdate, "of dates only"),
        ({"opened": F("opened") + timedelta(hours=1)}, BadUpdate, "a date moves by whole days"),
        ({"seen": F("seen") + timedelta.max}, BadUpdate, "longer than the range"),
        ({"size": F("size") + timedelta(1)}, BadUpdate, "a number \\+ a timedelta means nothing"),
        ({"owner": F("id")}, BadUpdate, "a ForeignKey takes a constant"),
        ({"owner": Owner(name="new")}, BadUpdate, "it is not saved yet, so it has no id"),
        ({"owner": Ranked(name="other")}, BadUpdate, "it is not saved yet"),
        ({"owner": "x"}, InvalidValue, "neither"),
    ],
    ids=repr,
)
async def test_mistakes_are_told_before_anything_is_sent(models, values, error, match):
    query = models.fund.query()
    async with round_trips(models, 0):
        with pytest.raises(error, match=match):
            await do(query.update(**values))


async def test_expressions_that_are_too_deep(models):
    expression = F("size")
    for _ in range(5000):
        expression += 1
    with pytest.raises(BadUpdate, match="nested too deeply"):
        await do(models.fund.query().update(size=expression))


async def test_parts_of_composite_ids(models):
    await do(models.session().add(Entry(book="Emma", word="handsome")))
    with pytest.raises(BadUpdate, match="the primary key is made of it"):
        await do(models.entry.query().update(word="clever"))
    assert await do(models.entry.filter(book="Emma").update(count=F("count") + 1)) == 1
    assert await do(models.entry.query().get_field("count").all()) == [1]


async def test_counting_orders_do_not_count_updates(models):
    class Tally(odm.StdModel):
        name = odm.SymbolField(primary_key=True)
        note = odm.CharField()

        class Meta:
            ordering = -odm.autoincrement()
            register = False

    models.register(Tally)
    for name in "abb":
        await do(models.session().add(Tally(name=name)))
    for _ in range(3):
        assert await do(models[Tally].filter(name="a").update(note="x")) == 1
    assert await do(models[Tally].query().get_field("name").all()) == ["b", "a"]


def test_expressions_can_be_read():
    assert repr(-F("a") * 2 + 1 / F("b") % 3) == "(((0 - F('a')) * 2) + ((1 / F('b')) % 3))"


async def trade(models, **values):
    """Return a query of one stored trade."""
    values = {"price": "12.34", "fee": "-0.05", "took": timedelta(hours=3), "pause": timedelta(seconds=2.5), **values}
    await do(models.session().add(Trade(**values)))
    return models.trade.query()


@pytest.mark.parametrize(
    ("name", "expression", "expected"),
    [
        ("price", F("price") + 1, Decimal("13.34")),
        ("price", 1 - F("price"), Decimal("-11.34")),
        ("price", F("price") - Decimal("0.040"), Decimal("12.30")),
        ("price", Decimal("1E+2") + F("price"), Decimal("112.34")),
        ("price", F("price") + F("fee") * 2, Decimal("12.24")),
        ("price", -F("price"), Decimal("-12.34")),
        ("price", F("price") / 4 * 2 - F("fee"), Decimal("6.22")),
        ("price", F("price") * 0.5, Decimal("6.17")),
        ("price", (F("price") + 1) * F("count") * F("weight"), Decimal("20.01")),
        ("fee", F("price"), Decimal("12.34")),
        ("tip", F("price"), Decimal("12.34")),
        ("took", F("took") + timedelta(hours=1), timedelta(hours=4)),
        ("took", timedelta(hours=1) - F("took"), timedelta(hours=-2)),
        ("took", F("took") + F("pause") * 2, timedelta(hours=3, seconds=5)),
        ("took", -F("took"), timedelta(hours=-3)),
        ("took", 3 * F("took") / 2, timedelta(hours=4.5)),
        ("took", timedelta(seconds=1) * F("count"), timedelta(seconds=3)),
        ("begun", F("begun") + F("pause"), datetime(2024, 1, 1, 0, 0, 2, 500000)),
        ("begun", F("ended") - (F("took") + timedelta(hours=1)) / 2, datetime(2024, 1, 1, 22)),
        ("begun", F("took") + F("begun"), datetime(2024, 1, 1, 3)),
        ("sent", F("sent") + F("took"), datetime(2024, 3, 31, 3, tzinfo=timezone.utc)),
        ("sent", F("seen") - F("took"), datetime(2024, 3, 30, 9, tzinfo=timezone.utc)),
    ],
    ids=repr,
)
async def test_decimals_and_spans_of_time(models, name, expression, expected):
    query = await trade(
        models,
        begun=datetime(2024, 1, 1),
        ended=datetime(2024, 1, 2),
        sent=datetime(2024, 3, 31, 0, tzinfo=timezone.utc),
        seen=datetime(2024, 3, 30, 12, tzinfo=timezone.utc),
    )
    assert await do(query.update(**{name: expression})) == 1
    row = await do(query.get())
    assert getattr(row, name) == expected
    assert await do(models.trade.filter(price=row.price, took=row.took).count()) == 1


async def test_an_order_by_decimals_follows(models):
    await trade(models, price=1)
    query = await trade(models, price=2)
    await do(query.update(price=-F("price"), fee=F("price")))
    assert await do(query.get_field("fee").all()) == [1, 2]


@pytest.mark.parametrize(
    ("name", "expression", "shown"),
    [
        ("price", F("price") / 8, "Decimal('1.5425')"),
        ("price", F("price") / 0, "the number inf"),
        ("price", F("price") * 0 / 0, "a missing value or no number"),
        ("price", F("price") * 10**15, "Decimal('12340000000000000.00')"),
        ("price", F("fee") + CENT, "Decimal('90071992547409.92')"),
        ("fee", F("fee") + 2 * CENT, "Decimal('90071992547409.92')"),
        ("fee", -F("fee") - 2 * CENT, "Decimal('-90071992547409.92')"),
        ("price", F("tip") + 1, "a missing value"),
        ("tip", F("price") * 10, "Decimal('123.40')"),
        ("tip", -F("price") * 10, "Decimal('-123.40')"),
        ("tip", F("fee"), "Decimal('90071992547409.91')"),
        ("took", F("took") / 7, "1542857142.857143 microseconds"),
        ("took", F("took") * 10**6, "datetime.timedelta(days=125000)"),
        ("pause", F("took") * 10**12, "1.08e+22 microseconds"),
        ("begun", F("begun") + F("took") * 10**6, "the number"),
    ],
    ids=repr,
)
async def test_decimals_and_spans_that_a_field_cannot_hold(models, name, expression, shown):
    query = await trade(models, fee="90071992547409.91", begun=datetime(2024, 1, 1))
    before = (await do(query.get())).todict()
    with pytest.raises(CommitException) as info:
        await do(query.update(**{name: expression, "count": 7}))
    assert f"{name} of the row id=1 would become {shown}" in str(info.value)
    assert (await do(query.get())).todict() == before


@pytest.mark.parametrize(
    ("values", "match"),
    [
        ({"price": F("price") + Decimal("0.005")}, "more than 2 decimal places; round it first"),
        ({"price": F("price") + Decimal("1e-999999")}, "more than 2 decimal places"),
        ({"price": F("price") + Decimal("1e999999")}, "beyond ±2"),
        ({"price": F("price") - 10**15}, "beyond ±2.*53 units of the last of 2 decimal places"),
        ({"price": F("price") + Decimal("NaN")}, "beyond ±2"),
        ({"price": F("price") + 0.5}, "an int, a Decimal and a field of as many decimal_places"),
        ({"price": F("price") + True}, "a bool cannot be computed with"),
        ({"price": F("price") + F("count")}, "a decimal of 2 decimal places . a number means nothing"),
        ({"price": F("price") * F("fee")}, "price to .*: a decimal of 2 decimal places . a decimal of 2"),
        ({"price": F("price") / F("fee")}, "means nothing; a decimal can be"),
        ({"price": F("price") * Decimal("1.5")}, "multiplied and divided by an int, a float"),
        ({"price": 1 / F("price")}, "a number / a decimal of 2 decimal places means nothing"),
        ({"price": F("price") % 7}, "means nothing"),
        ({"price": F("price") + F("rate")}, "as many decimal_places"),
        ({"price": F("rate")}, "that gives a decimal of 6 decimal places, and the field holds a decimal of 2"),
        ({"price": F("count") * 2}, "that gives a number"),
        ({"count": F("price")}, "that gives a decimal"),
        ({"count": F("count") * Decimal(2)}, "that gives a decimal"),
        ({"price": F("price") + F("took")}, "a decimal of 2 decimal places . a timedelta means nothing"),
        ({"took": F("took") + 1}, "a timedelta . a number means nothing; a timedelta can be"),
        ({"took": F("took") * F("took")}, "multiplied and divided by numbers"),
        ({"took": F("took") / timedelta(1)}, "a timedelta / a timedelta means nothing"),
        ({"took": F("ended") - F("begun")}, "of dates only"),
        ({"took": F("begun")}, "that gives a datetime, and the field holds a timedelta"),
        ({"took": F("took") + timedelta.max}, "longer than the range"),
        ({"day": F("day") + F("took")}, "of days without a time only with a timedelta that is no field"),
        ({"day": F("day") + F("price")}, "a date . a decimal of 2 decimal places means nothing"),
        ({"begun": F("took") - F("begun")}, "of dates only"),
        ({"begun": F("begun") + F("day")}, "of dates only"),
        ({"begun": F("sent") + F("took")}, "that gives an aware datetime, and the field holds a datetime"),
        ({"sent": F("begun")}, "that gives a datetime"),
    ],
    ids=repr,
)
async def test_decimals_and_dates_that_cannot_be_computed(models, values, match):
    query = models.trade.query()
    async with round_trips(models, 0):
        with pytest.raises(BadUpdate, match=match):
            await do(query.update(**values))
