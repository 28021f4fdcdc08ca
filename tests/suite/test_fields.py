"""Values of each kind of field through a commit, queries, ranges and orders."""

from __future__ import annotations

import math
import os
from datetime import date, datetime, timezone
from typing import Any

import pytest

from stdnet import CommitException, FieldValueError, QuerySetError, odm
from stdnet.errors import BadLookupValue, NotIndexed

from ..conftest import do, transaction
from .models import Event, Fund, SimpleModel

EXACT = 2**53
REALS = (0.0, -0.0, 0.1 + 0.2, 5e-324, 1.7e308, math.inf, -math.inf, None)
TEXTS = ("", "é", "\x00", "a:b{c}", "None", "\r\n", "\U0001f600" * 999)


class Mixed(odm.StdModel):
    """One field of each kind, with and without an index."""

    flag = odm.BooleanField()
    maybe = odm.BooleanField(default=None)
    whole = odm.IntegerField(required=False)
    big = odm.IntegerField(required=False, index=False)
    real = odm.FloatField(required=False, index=True)
    plain = odm.FloatField(required=False)
    day = odm.DateField(required=False)
    moment = odm.DateTimeField(required=False, index=True)
    any_moment = odm.DateTimeField(required=False)
    symbol = odm.SymbolField(required=False)
    text = odm.CharField()
    data = odm.ByteField()
    hidden = odm.CharField(hidden=True, default="h")

    class Meta:
        app_label = "suite"


class ByFloat(odm.StdModel):
    number = odm.FloatField(required=False)

    class Meta:
        app_label = "suite"
        ordering = "-number"


class ByCode(odm.StdModel):
    code = odm.FloatField(primary_key=True)

    class Meta:
        app_label = "suite"


class ByDay(odm.StdModel):
    day = odm.DateField(primary_key=True)
    note = odm.CharField()

    class Meta:
        app_label = "suite"


class Unique(odm.StdModel):
    number = odm.IntegerField(unique=True, required=False)
    word = odm.SymbolField(unique=True, required=False)
    moment = odm.DateTimeField(unique=True, required=False)

    class Meta:
        app_label = "suite"


MODELS = [Mixed, ByFloat, ByCode, ByDay, Unique, Fund, SimpleModel, Event]


async def again(models: Any, **values: Any) -> Any:
    """Store values and return the row as it is loaded."""
    row = await do(models.mixed.new(**values))
    return await do(models.mixed.get(id=row.id))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("flag", True),
        ("flag", False),
        ("maybe", None),
        ("maybe", False),
        *(("whole", value) for value in (0, -1, EXACT, -EXACT, None)),
        *(("big", value) for value in (0, EXACT + 1, -EXACT - 1, 2**64, 10**400, -(10**400), None)),
        *((name, value) for name in ("real", "plain") for value in REALS),
        *(("day", value) for value in (date.min, date.max, date(1969, 12, 31), date(1970, 1, 1), None)),
        *(("moment", value) for value in (datetime(1700, 1, 1), datetime(2250, 12, 31, 23, 59, 59, 999999), None)),
        *(("any_moment", value) for value in (datetime.min, datetime.max, datetime(2024, 3, 10, 2, 30, 0, 1), None)),
        *((name, value) for name in ("symbol", "text") for value in TEXTS),
        *(("data", value) for value in (b"", b"\x00", b"\xff" * 999, os.urandom(8), b"None")),
    ],
    ids=lambda value: None if isinstance(value, (str, bool)) and len(str(value)) < 20 else type(value).__name__,
)  # fmt: skip
async def test_a_value_comes_back_as_it_was(models, name, value):
    row = await again(models, **{name: value})
    got = getattr(row, name)
    assert got == value
    assert type(got) is type(value)
    assert repr(got) == repr(value) if isinstance(value, float) else True
    assert row.hidden == "h"


async def test_missing_values_come_back_as_defaults(models):
    row = await again(models)
    expected = {"flag": False, "symbol": "", "text": "", "data": b"", "hidden": "h"}
    for field in Mixed._meta.scalarfields:
        assert getattr(row, field.name) == expected.get(field.name)


async def test_a_default_is_a_value_of_its_field_when_a_row_without_it_is_loaded(models):
    made = odm.ModelType(
        "Grown",
        (odm.StdModel,),
        {"__module__": __name__, "register": False, "rate": odm.FloatField(default=1, required=False)},
    )
    models.register(made)
    row = await do(models.grown.new())
    loaded = await do(models.grown.get(id=row.id))
    for each in (row, loaded):
        assert (each.rate, type(each.rate)) == (1.0, float)
    assert await do(models.grown.query().get_field("rate").all()) == [1.0]


# -- equality -----------------------------------------------------------------------------------------------------


async def count(models: Any, **kwargs: Any) -> int:
    return await do(models.mixed.filter(**kwargs).count())


async def test_a_float_is_found_however_it_is_spelt(models):
    await again(models, real=5)
    for value in (5, "5", 5.0, "5.0", b"5", True + 4):
        assert await count(models, real=value) == 1
    assert await count(models, real=5.1) == 0


async def test_an_integer_is_found_however_it_is_spelt(models):
    await again(models, whole="0")
    for value in (0, "0", b"0", False, 0.0):
        assert await count(models, whole=value) == 1
    assert await count(models, whole=None) == 0


async def test_text_is_found_as_text(models):
    await again(models, symbol=5)
    assert await count(models, symbol=5) == await count(models, symbol="5") == await count(models, symbol=b"5") == 1
    assert await count(models, symbol=5.0) == 0


async def test_a_boolean_is_found_by_truth(models):
    await again(models, flag=1)
    await again(models)
    assert await count(models, flag=True) == await count(models, flag="bla") == 1
    assert await count(models, flag=False) == await count(models, flag="") == await count(models, flag=None) == 1


async def test_a_date_is_found_by_day_and_never_by_a_time_of_day(models):
    await again(models, day=date(2020, 1, 2), moment=date(2020, 1, 2))
    for value in (date(2020, 1, 2), datetime(2020, 1, 2), "2020-01-02", 1577923200):
        assert await count(models, day=value) == 1
        assert await count(models, moment=value) == 1
    assert await count(models, day=datetime(2020, 1, 2, 0, 0, 0, 1)) == 0
    assert await count(models, moment=datetime(2020, 1, 2, 0, 0, 0, 1)) == 0


async def test_a_field_without_index_has_no_equality(models):
    await again(models, text="a", data=b"b", plain=1)
    for name, value in [("text", "a"), ("data", b"b"), ("plain", 1), ("any_moment", date(2020, 1, 2))]:
        with pytest.raises(NotIndexed, match=f"suite.mixed.{name}"):
            await count(models, **{name: value})
    assert await count(models, text__contains="a", data__startswith=b"b", plain__ge=1) == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("whole", "abc"),
        ("whole", EXACT + 1),
        ("real", math.nan),
        ("real", object()),
        ("day", "soon"),
        ("day", datetime(2020, 1, 2, tzinfo=timezone.utc)),
        ("moment", datetime(2020, 1, 2, tzinfo=timezone.utc)),
        ("moment__gt", "soon"),
        ("moment", datetime.max),
        ("symbol", "\ud800"),
        ("symbol", b"\xff"),
        ("id", "seven"),
        ("whole__gt", None),
        ("whole__in", 3),
    ],
)
async def test_a_query_for_a_value_that_cannot_be_is_refused(models, name, value):
    await again(models)
    with pytest.raises(BadLookupValue, match=f"Cannot filter on suite.mixed.{name.partition('__')[0]}"):
        await count(models, **{name: value})
    assert issubclass(BadLookupValue, QuerySetError)


# -- ranges and orders --------------------------------------------------------------------------------------------


async def test_ranges_of_each_kind_of_field(models):
    rows = [
        {"whole": n, "big": n, "real": n, "plain": n, "day": n * 86400, "moment": n, "any_moment": n}
        for n in (-1, 0, 1, 2)
    ]
    for values in [*rows, {}]:
        await again(models, **values)
    for name in rows[0]:
        one = date(1970, 1, 2) if name == "day" else 1
        assert await count(models, **{f"{name}__gt": one}) == 1
        assert await count(models, **{f"{name}__ge": one}) == 2
        assert await count(models, **{f"{name}__lt": one}) == 2
        assert await count(models, **{f"{name}__lte": one}) == 3
        assert await count(models, **{f"{name}__isnull": True}) == 1


async def test_bounds_beyond_what_an_index_holds(models):
    await again(models, whole=EXACT, moment=datetime(2250, 1, 1), real=math.inf)
    await again(models, whole=-EXACT, moment=datetime(1700, 1, 1), real=-math.inf)
    assert await count(models, whole__lt=10**400) == await count(models, whole__gt=-(10**400)) == 2
    assert await count(models, moment__lt=datetime.max) == await count(models, moment__ge=datetime.min) == 2
    assert await count(models, moment__gt=datetime.max) == await count(models, whole__gt=10**400) == 0
    assert await count(models, real__le=math.inf) == 2


async def test_an_ordered_model_puts_missing_values_first_and_infinities_at_the_ends(models):
    for number in (1, None, math.inf, -math.inf, 0):
        await do(models.byfloat.new(number=number))
    assert [row.number for row in await do(models.byfloat.all())][:1] == [math.inf]
    descending = [row.number for row in await do(models.byfloat.all())]
    assert [number for number in descending if number is not None] == [math.inf, 1.0, 0.0, -math.inf]


async def test_numbers_and_dates_can_be_primary_keys(models):
    for code in ("2.5", -1, 10):
        await do(models.bycode.new(code=code))
    assert [row.code for row in await do(models.bycode.all())] == [-1.0, 2.5, 10.0]
    assert (await do(models.bycode.get(code="2.5"))).code == 2.5
    row = await do(models.byday.new(day="2020-01-02", note="a"))
    assert row.day == date(2020, 1, 2)
    assert (await do(models.byday.get(day=date(2020, 1, 2)))).note == "a"
    assert row.tojson() == {"day": 1577923200, "note": "a"}
    with pytest.raises(FieldValueError, match="code"):
        await do(models.bycode.new(code=math.nan))


async def test_an_order_refuses_numbers_beyond_it(models):
    made = odm.ModelType(
        "Huge",
        (odm.StdModel,),
        {
            "__module__": __name__,
            "register": False,
            "n": odm.IntegerField(index=False),
            "Meta": type("Meta", (), {"ordering": "n"}),
        },
    )
    models.register(made)
    with pytest.raises(FieldValueError, match="too large"):
        await do(models.huge.new(n=10**400))
    assert await do(models.huge.count()) == 0


# -- uniqueness ---------------------------------------------------------------------------------------------------


async def test_missing_values_are_never_a_clash(models):
    for _ in range(3):
        await do(models.unique.new())
    assert await do(models.unique.count()) == 3


@pytest.mark.parametrize(
    ("name", "value", "same"),
    [("number", 5, "5"), ("number", 0, False), ("word", "5", 5), ("moment", date(2020, 1, 2), "2020-01-02")],
)
async def test_unique_values_clash_however_they_are_spelt(models, name, value, same):
    first = await do(models.unique.new(**{name: value}))
    with pytest.raises(CommitException, match=f'Unique constraint "{name}" violated'):
        await do(models.unique.new(**{name: same}))
    other = await do(models.unique.new())
    setattr(other, name, same)
    with pytest.raises(CommitException, match="held by id=1"):
        await do(models.session().add(other))
    await do(models.session().add(first))
    assert await do(models.unique.count()) == 2


async def test_a_unique_value_passes_from_one_row_to_another_in_one_commit(models):
    one, two = await do(models.unique.new(number=1)), await do(models.unique.new(number=2))
    one.number, two.number = 2, 1
    async with transaction(models.session()) as t:
        t.add(one)
        t.add(two)
    assert [(row.id, row.number) for row in await do(models.unique.all())] == [(1, 2), (2, 1)]


async def test_an_auto_id_follows_the_largest_that_was_given(models):
    ids = [
        (await do(models.simplemodel.new(code=f"{n}", **given))).id
        for n, given in enumerate([{}, {}, {"id": 500}, {}, {"id": "400"}, {}])
    ]
    assert ids == [1, 2, 500, 501, 400, 502]
    with pytest.raises(CommitException):
        await do(models.simplemodel.new(code="1"))
    assert (await do(models.simplemodel.new(code="next"))).id == 503
