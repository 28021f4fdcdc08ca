"""Range, text and null lookups, on each kind of field, with an index and without."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import pytest

from stdnet import QuerySetError, odm
from stdnet.errors import BadLookupValue, UnknownField, UnknownLookup

from ..conftest import do, round_trips
from .golden import store
from .models import Word


class Reading(odm.StdModel):
    """One field of each kind twice: with the index that it can have, and, named with a ``_``, without."""

    size = odm.IntegerField(required=False, index=True)
    size_ = odm.IntegerField(required=False, index=False)
    price = odm.FloatField(required=False, index=True)
    price_ = odm.FloatField(required=False)
    day = odm.DateField(required=False)
    day_ = odm.DateField(required=False, index=False)
    when = odm.DateTimeField(required=False, index=True)
    when_ = odm.DateTimeField(required=False)
    name = odm.SymbolField(required=False)
    name_ = odm.SymbolField(required=False, index=False)
    note = odm.CharField()
    data = odm.ByteField()
    active = odm.BooleanField()
    code = odm.SymbolField(unique=True, required=False)
    number = odm.IntegerField(unique=True, required=False)

    class Meta:
        app_label = "suite"


MODELS = [Reading, Word]

VALUES = {
    "size": [-3, 0, 12],
    "price": [-2.5, 0.0, 1e300],
    "day": [date(1969, 12, 31), date(1970, 1, 1), date(2024, 2, 29)],
    "when": [datetime(1969, 12, 31, 23), datetime(1970, 1, 1), datetime(2024, 2, 29, 12, 30, 0, 1)],
    "name": ["Abc", "abd", "É%.x"],
}
"""Three ascending values of each kind; rows 1 to 3 have them, row 4 has none."""


async def readings(models):
    rows = []
    for n in range(3):
        values = {name: column[n] for name, column in VALUES.items()}
        twice = {**values, **{f"{name}_": value for name, value in values.items()}}
        rows.append(
            Reading(
                **twice,
                note=values["name"],
                data=values["name"].encode(),
                active=n > 0,
                code=values["name"],
                number=values["size"],
            )
        )
    return (await store(models, *rows, Reading())).query(Reading)


async def ids(query):
    return [row.id for row in await do(query.all())]


@pytest.mark.parametrize("suffix", ["", "_"])
@pytest.mark.parametrize("kind", VALUES)
async def test_ranges(models, kind, suffix):
    q, name = (await readings(models)).filter(id__le=3), kind + suffix
    low, middle, high = VALUES[kind]
    assert await ids(q.filter(**{f"{name}__gt": low})) == [2, 3]
    assert await ids(q.filter(**{f"{name}__ge": middle})) == await ids(q.filter(**{f"{name}__gte": middle})) == [2, 3]
    assert await ids(q.filter(**{f"{name}__lt": high})) == [1, 2]
    assert await ids(q.filter(**{f"{name}__le": middle})) == await ids(q.filter(**{f"{name}__lte": middle})) == [1, 2]
    assert await ids(q.filter(**{f"{name}__gt": low, f"{name}__lt": high})) == [2]
    assert await ids(q.filter(**{f"{name}__ge": middle}).filter(**{f"{name}__ge": high})) == [3]
    assert await ids(q.filter(**{f"{name}__gt": high})) == []
    assert await ids(q.filter(**{f"{name}__ge": high, f"{name}__le": low})) == []


@pytest.mark.parametrize("suffix", ["", "_"])
@pytest.mark.parametrize("kind", VALUES)
async def test_rows_without_the_value_never_match(models, kind, suffix):
    q, name = await readings(models), kind + suffix
    low, middle, high = VALUES[kind]
    assert await ids(q.exclude(**{f"{name}__gt": middle})) == [1, 2, 4]
    if kind != "name":  # text has no missing value: it is empty
        assert await ids(q.exclude(**{f"{name}__le": high})) == [4]
        assert await ids(q.filter(**{f"{name}__lt": low})) == []


@pytest.mark.parametrize("name", [kind + suffix for kind in VALUES for suffix in ("", "_")] + ["note", "data", "code"])
async def test_isnull(models, name):
    q = await readings(models)
    assert await ids(q.filter(**{f"{name}__isnull": True})) == [4]
    assert await ids(q.filter(**{f"{name}__isnull": False})) == [1, 2, 3]
    assert await ids(q.exclude(**{f"{name}__isnull": True})) == [1, 2, 3]
    assert await ids(q.filter(**{f"{name}__isnull": True}).filter(**{f"{name}__isnull": False})) == []


async def test_a_pk_and_a_boolean_are_never_null(models):
    q = await readings(models)
    for name in ("id", "active"):
        assert await ids(q.filter(**{f"{name}__isnull": True})) == []
        assert await ids(q.filter(**{f"{name}__isnull": False})) == [1, 2, 3, 4]


@pytest.mark.parametrize("name", ["name", "name_", "note", "data", "code"])
async def test_text(models, name):
    q = await readings(models)

    async def found(lookup, value):
        return await ids(q.filter(**{f"{name}__{lookup}": value}))

    assert await found("startswith", "Ab") == [1]
    assert await found("startswith", "ab") == [2]
    assert await found("istartswith", "aB") == [1, 2]
    assert await found("endswith", "c") == [1]
    assert await found("endswith", "C") == []
    assert await found("iendswith", "C") == [1]
    assert await found("contains", "b") == [1, 2]
    assert await found("contains", "B") == []
    assert await found("icontains", "BC") == [1]
    assert await found("contains", "%.") == [3]
    assert await found("contains", ".*") == []
    assert await found("icontains", "é") == []  # case is folded in ASCII letters only
    assert await found("icontains", "É%.X") == [3]
    assert await found("contains", "É".encode()) == [3]
    assert set(await found("contains", "")) >= {1, 2, 3}
    assert await ids(q.exclude(**{f"{name}__contains": "b"})) == [3, 4]


@pytest.mark.parametrize(("name", "lookup", "value", "expected"), [
    ("size", "startswith", "-", [1]),
    ("size_", "contains", 2, [3]),
    ("price", "endswith", ".0", [2]),
    ("price_", "contains", "e+300", [3]),
    ("price_", "startswith", -2.5, [1]),
    ("id", "contains", "3", [3]),
])  # fmt: skip
async def test_text_of_numbers(models, name, lookup, value, expected):
    q = await readings(models)
    assert await ids(q.filter(**{f"{name}__{lookup}": value})) == expected
    assert 4 in await ids(q.exclude(**{f"{name}__{lookup}": value}))


async def test_an_empty_text_is_in_each_value_that_is_there(models):
    q = await readings(models)
    assert await ids(q.filter(size__contains="")) == [1, 2, 3]
    assert await ids(q.filter(price___startswith="")) == await ids(q.filter(price__startswith="")) == [1, 2, 3]


async def test_bounds_of_other_types(models):
    q = await readings(models)
    assert await ids(q.filter(size__gt="-3")) == [2, 3]
    assert await ids(q.filter(size__gt=-0.5)) == await ids(q.filter(size__ge="-0.5")) == [2, 3]
    assert await ids(q.filter(size__lt=0.5)) == await ids(q.filter(size__le=Decimal("0.5"))) == [1, 2]
    assert await ids(q.filter(size__gt=float("-inf"))) == await ids(q.filter(size__lt=float("inf"))) == [1, 2, 3]
    assert await ids(q.filter(size__gt=float("inf"))) == await ids(q.filter(size__lt=float("-inf"))) == []
    assert await ids(q.filter(size__gt=10**400)) == []
    assert await ids(q.filter(size__lt=10**400)) == [1, 2, 3]
    assert await ids(q.filter(price__lt="1e301")) == [1, 2, 3]
    assert await ids(q.filter(price__ge=Decimal(0))) == [2, 3]
    assert await ids(q.filter(price__lt=float("inf"))) == [1, 2, 3]
    assert await ids(q.filter(id__gt=2.5)) == await ids(q.filter(id__ge="2.5")) == [3, 4]
    assert await ids(q.filter(active__gt=False)) == [2, 3]
    assert await ids(q.filter(number__gt=-3)) == [2, 3]


async def test_bounds_of_dates(models):
    q = await readings(models)
    assert await ids(q.filter(day__gt="1970-01-01")) == [3]
    assert await ids(q.filter(day__ge=0)) == [2, 3]
    assert await ids(q.filter(day__lt=datetime(1970, 1, 1, 0, 0, 1))) == [1, 2]
    assert await ids(q.filter(day__ge=datetime(1970, 1, 1, 0, 0, 0, 1))) == [3]
    assert await ids(q.filter(when__gt=date(1970, 1, 1))) == [3]
    assert await ids(q.filter(when__ge="2024-02-29T12:30:00.000001")) == [3]
    assert await ids(q.filter(when__gt="2024-02-29T12:30:00.000001")) == []


async def test_lookups_narrow_the_equality_values_of_their_field(models):
    q = await readings(models)
    assert await ids(q.filter(size=(-3, 12), size__gt=0)) == [3]
    assert await ids(q.filter(size__in=(-3, 12)).filter(size__lt=100, name__startswith="A")) == [1]


async def test_lookups_of_a_text_pk(models):
    session = await store(models, *(Word(text=text) for text in ("anna", "Bob", "carl")))
    q = session.query(Word)

    async def words(query):
        return sorted([row.text for row in await do(query.all())])

    assert await words(q.filter(text__ge="anna")) == ["anna", "carl"]
    assert await words(q.filter(text__lt="a")) == ["Bob"]
    assert await words(q.filter(text__istartswith="b")) == ["Bob"]
    assert await words(q.filter(text__isnull=False)) == ["Bob", "anna", "carl"]
    assert await words(q.exclude(text__contains="a")) == ["Bob"]


async def test_lookup_names_are_lower_cased(models):
    q = await readings(models)
    assert await ids(q.filter(size__GT=0)) == [3]
    assert await ids(q.filter(size__In=[0])) == [2]


BAD_NAMES = {
    "nope": UnknownField,
    "nope__gt": UnknownField,
    "": UnknownField,
    "__gt": UnknownField,
    "pk": UnknownField,
    "size__foo": UnknownLookup,
    "size__": UnknownLookup,
    "size__gt__lt": UnknownLookup,
    "name__name": UnknownLookup,
    "name____gt": UnknownField,
}


@pytest.mark.parametrize("name", BAD_NAMES)
async def test_unknown_names(models, name):
    q = await readings(models)
    for query in (q.filter(**{name: 1}), q.exclude(**{name: 1})):
        for verb in (query.all, query.count, query.explain, query.get, query.delete):
            with pytest.raises(BAD_NAMES[name]):
                await do(verb())
    assert await do(q.count()) == 4


BAD_VALUES = [
    *((name, lookup, value) for name in ("size", "size_", "price", "id", "number") for lookup in ("gt", "le")
      for value in ("abc", None, float("nan"), [1], {}, (), b"\xff", object(), "")),
    *(("day", "gt", value) for value in ("abc", None, float("nan"), "2024-99-99", [1], 10**30, object())),
    *(("when", "lt", value) for value in ("abc", None, float("inf"), datetime.fromisoformat("2024-01-01T00:00+00:00"))),
    *(("name", "gt", value) for value in (None, "\ud800", ["a"], b"\xff")),
    *(("name", lookup, value) for lookup in ("contains", "istartswith")
      for value in (None, ["a"], "\udfff", b"\xff", object())),
    *(("data", "contains", value) for value in (None, 5, "\ud800", ["a"])),
    *(("size", "isnull", value) for value in (None, 1, "yes", [True])),
    *(("size", "in", value) for value in (None, 5, "12", b"12")),
]  # fmt: skip


@pytest.mark.parametrize("case", range(len(BAD_VALUES)), ids=lambda n: "{}__{}={!r:.12}".format(*BAD_VALUES[n]))
async def test_values_that_cannot_be_compared(models, case):
    name, lookup, value = BAD_VALUES[case]
    q = await readings(models)
    with pytest.raises(BadLookupValue, match=name) as info:
        await do(q.filter(**{f"{name}__{lookup}": value}).all())
    assert isinstance(info.value, QuerySetError)
    with pytest.raises(BadLookupValue):
        await do(q.exclude(**{f"{name}__{lookup}": value}).delete())
    assert await do(q.count()) == 4


async def test_no_lookup_needs_more_than_one_round_trip(models):
    q = await readings(models)
    async with round_trips(models, 1):
        await do(q.filter(size__gt=0, name__contains="a", day__le="2030-01-01").exclude(price__lt=0).count())
