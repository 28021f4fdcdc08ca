"""Decimals, spans of time, UUIDs, enums, datetimes with a zone, pickles and model classes through a backend."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum, Flag, IntEnum, auto
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest

from stdnet import CommitException, FieldValueError, odm
from stdnet.errors import BadLookupValue, NotIndexed

from ..conftest import do, transaction
from .models import Base, Country, Fund

EXACT = 2**53
ZURICH = ZoneInfo("Europe/Zurich")
NEW_YORK = ZoneInfo("America/New_York")


class Side(Enum):
    BUY = auto()
    SELL = auto()
    SHORT = SELL


class Rank(IntEnum):
    LOW = -10
    MIDDLE = 0
    HIGH = 10


class Ccy(str, Enum):
    EUR = "€"
    USD = "$"


class Right(Flag):
    READ = 1
    WRITE = 2


class Rich(odm.StdModel):
    price = odm.DecimalField(decimal_places=2, required=False)
    exact = odm.DecimalField(decimal_places=20, index=False, required=False)
    span = odm.TimeDeltaField(required=False)
    any_span = odm.TimeDeltaField(required=False, index=False)
    key = odm.UUIDField(required=False, unique=True)
    side = odm.EnumField(Side, required=False)
    rank = odm.EnumField(Rank, by="value", default=Rank.MIDDLE)
    ccy = odm.EnumField(Ccy, by="value", required=False)
    right = odm.EnumField(Right, by="value", required=False)
    seen = odm.DateTimeField(tz="Europe/Zurich", index=True, required=False)
    left = odm.DateTimeField(tz=timezone.utc, required=False)
    thing = odm.PickleObjectField()
    model = odm.ModelField(required=False)

    class Meta:
        app_label = "suite"


class Priced(odm.StdModel):
    price = odm.DecimalField(decimal_places=3, primary_key=True)
    note = odm.CharField()

    class Meta:
        app_label = "suite"
        ordering = "-price"


class Named(odm.StdModel):
    key = odm.UUIDField(primary_key=True)
    parent = odm.ForeignKey("self", required=False)

    class Meta:
        app_label = "suite"


MODELS = [Rich, Priced, Named, Fund, Country]
UUIDS = (UUID(int=0), UUID(int=2**128 - 1), UUID("12345678-90ab-cdef-1234-567890abcdef"))


async def again(models: Any, **values: Any) -> Any:
    """Store values and return the row as it is loaded."""
    row = await do(models.rich.new(**values))
    return await do(models.rich.get(id=row.id))


async def count(models: Any, **kwargs: Any) -> int:
    return await do(models.rich.filter(**kwargs).count())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("price", Decimal(value)) for value in ("0.00", "0.10", "-1.50", "90071992547409.92", "-90071992547409.92")),
        *(("exact", Decimal(f"{value}.{'0' * 19}1")) for value in (0, -1, 10**60)),
        *(("span", timedelta(microseconds=value)) for value in (0, 1, -1, EXACT, -EXACT)),
        *(("any_span", value) for value in (timedelta.min, timedelta.max, timedelta(days=1, microseconds=1))),
        *(("key", value) for value in UUIDS),
        *(("side", value) for value in Side),
        *(("rank", value) for value in Rank),
        *(("ccy", value) for value in Ccy),
        *(("right", value) for value in (Right.READ, Right.WRITE, Right.READ | Right.WRITE, Right(0))),
        ("left", datetime(1, 1, 1, tzinfo=timezone.utc)),
        ("left", datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=timezone.utc)),
        *(("thing", value) for value in (0, b"", b"\x80\x02K\x01.", "text", [1, {"a": (2, {3})}], Side.BUY, date.max)),
        ("model", Fund),
        *((name, None) for name in ("price", "span", "key", "side", "ccy", "right", "seen", "thing", "model")),
    ],
    ids=lambda value: value if isinstance(value, str) and value.isidentifier() else type(value).__name__,
)  # fmt: skip
async def test_a_value_comes_back_as_it_was(models, name, value):
    row = await again(models, **{name: value})
    got = getattr(row, name)
    assert got == value
    assert type(got) is type(value)
    assert str(got) == str(value)
    assert (await do(models.rich.query().get_field(name).all())) == [value]


# -- decimals and spans ---------------------------------------------------------------------------------------------


async def test_decimals_are_compared_exactly_with_and_without_an_index(models):
    prices = ["0.10", "0.30", "-2.55", "90071992547409.91", "90071992547409.92"]
    for price in prices:
        await again(models, price=price, exact=price)
    await again(models)
    assert Decimal("0.1") + Decimal("0.2") == Decimal("0.3")
    for value in (Decimal("0.3"), "0.30", 0.3, "3e-1", b"0.3".decode()):
        assert await count(models, price=value) == 1
    assert await count(models, price=Decimal("0.301")) == await count(models, price="1e30") == 0
    assert await count(models, price__in=(Decimal("0.3"), Decimal("0.305"), "0.1")) == 2
    for name in ("price", "exact"):
        assert await count(models, **{f"{name}__gt": "0.1"}) == await count(models, **{f"{name}__ge": "0.101"}) == 3
        assert await count(models, **{f"{name}__ge": "0.1"}) == await count(models, **{f"{name}__gt": "0.099"}) == 4
        assert await count(models, **{f"{name}__lt": "0.1"}) == await count(models, **{f"{name}__le": "0.099"}) == 1
        assert await count(models, **{f"{name}__le": "0.1"}) == await count(models, **{f"{name}__lt": "0.101"}) == 2
        assert await count(models, **{f"{name}__lt": "90071992547409.92"}) == 4
        assert (
            await count(models, **{f"{name}__gt": float("-inf")}) == await count(models, **{f"{name}__lt": 1e300}) == 5
        )
        assert await count(models, **{f"{name}__isnull": True}) == 1
        found = await do(models.rich.filter(**{f"{name}__isnull": False}).sort_by(f"-{name}").get_field(name).all())
        assert found == sorted(map(Decimal, prices), reverse=True)


async def test_a_decimal_that_its_field_cannot_hold_is_refused(models):
    for value in ("0.001", "nan", "inf", "90071992547409.93", "1e5000", [1], object()):
        with pytest.raises(FieldValueError, match=r"suite\.rich\.price"):
            await do(models.rich.new(price=value))
    with pytest.raises(BadLookupValue, match=r"suite\.rich\.price"):
        await count(models, price="abc")
    assert await do(models.rich.count()) == 0


async def test_where_sees_decimals_as_numbers(models):
    await again(models, price="1.10")
    assert await do(models.rich.query().where("this.price == 1.1 and this.price * 2 < 2.3").count()) == 1


async def test_decimals_as_primary_keys_and_orders(models):
    for price in ("1.5", "-3", "10.125"):
        await do(models.priced.new(price=price, note=f"n{price}"))
    assert [row.price for row in await do(models.priced.all())] == [Decimal("10.125"), Decimal("1.5"), Decimal(-3)]
    row = await do(models.priced.get(price=Decimal("1.50")))
    assert (row.note, str(row.price)) == ("n1.5", "1.500")
    assert row.tojson() == {"price": "1.500", "note": "n1.5"}
    assert await do(models.priced.filter(price__gt="1.4999").count()) == 2


async def test_values_of_different_units_are_not_joined(models):
    with pytest.raises(BadLookupValue, match="another type, meaning or unit"):
        await count(models, price__in=models.priced.query().get_field("price"))
    with pytest.raises(BadLookupValue, match=r"gives values of suite\.rich\.span"):
        await count(models, seen__in=models.rich.query().get_field("span"))
    await again(models, seen=datetime(2020, 1, 2, tzinfo=ZURICH), left=datetime(2020, 1, 2, tzinfo=ZURICH))
    assert await count(models, seen__in=models.rich.query().get_field("left")) == 1


async def test_spans_of_time_are_ordered_by_length(models):
    for seconds in (90, "-0.000001", timedelta(days=2), 0.5):
        await again(models, span=seconds, any_span=seconds)
    await again(models)
    for name in ("span", "any_span"):
        assert await count(models, **{f"{name}__ge": timedelta(seconds=90)}) == 2
        assert await count(models, **{f"{name}__lt": 0}) == await count(models, **{f"{name}__isnull": True}) == 1
        assert await count(models, **{f"{name}__lt": timedelta.max}) == 4
        found = await do(models.rich.filter(**{f"{name}__isnull": False}).sort_by(name).get_field(name).all())
        assert [span.total_seconds() for span in found] == [-0.000001, 0.5, 90, 172800]
    assert await count(models, span=90) == await count(models, span="0.5") == 1
    with pytest.raises(FieldValueError, match="285 years"):
        await do(models.rich.new(span=timedelta.max))


# -- uuids and enums ------------------------------------------------------------------------------------------------


async def test_uuids_are_found_in_every_spelling_and_sort_as_uuids(models):
    keys = [uuid4() for _ in range(9)]
    for key in [*keys, None, None]:
        await again(models, key=key)
    key = keys[3]
    for value in (key, str(key).upper(), key.hex, key.bytes, f"{{{key}}}"):
        assert [row.key for row in await do(models.rich.filter(key=value).all())] == [key]
    assert await count(models, key=None) == await count(models, key="") == 2
    assert await count(models, key__gt=key) == sum(other > key for other in keys)
    found = await do(models.rich.filter(key__isnull=False).sort_by("key").get_field("key").all())
    assert found == sorted(keys)
    with pytest.raises(CommitException, match='Unique constraint "key" violated'):
        await do(models.rich.new(key=str(key)))


async def test_uuids_as_primary_keys_and_foreign_keys(models):
    parent = Named(key=uuid4())
    async with transaction(models.session()) as t:
        t.add(Named(key=uuid4(), parent=parent))
    child = await do(models.named.get(parent=parent))
    assert (child.parent_id, type(child.parent_id)) == (parent.key, UUID)
    assert child == await do(models.named.get(key=str(child.key)))
    assert await do(models.named.filter(parent__key=parent.key).count()) == 1


async def test_enums_are_found_by_member_and_by_what_is_stored(models):
    await again(models, side=Side.SELL, ccy=Ccy.EUR, right=Right.READ | Right.WRITE)
    await again(models, side="BUY", rank="10", ccy="$", right=1)
    for value in (Side.SELL, "SELL", Side.SHORT, "SHORT"):
        assert await count(models, side=value) == 1
    assert await count(models, side__in=Side) == 2
    assert await count(models, ccy=Ccy.USD) == await count(models, ccy="€") == 1
    assert await count(models, rank=Rank.HIGH) == await count(models, rank__gt=Rank.MIDDLE) == 1
    assert await count(models, right=Right.READ | Right.WRITE) == await count(models, right=Right.READ) == 1
    assert await count(models, right__in=[Right.READ, Right.WRITE]) == 1
    assert await count(models, side=None) == await count(models, side="") == 0
    with pytest.raises(BadLookupValue, match="not a member of Side"):
        await count(models, side="sell")
    with pytest.raises(FieldValueError, match="not a member of Rank"):
        await do(models.rich.new(rank=5))


async def test_enums_by_name_survive_new_values_and_an_unknown_name_is_an_error(models):
    def made(*names: str) -> Any:
        field = odm.EnumField(Enum("Mood", names))
        return odm.ModelType("Felt", (odm.StdModel,), {"__module__": "shop", "register": False, "mood": field})

    old, new, less = made("GOOD", "BAD"), made("AWFUL", "BAD", "GOOD"), made("GOOD")
    models.register(old)
    await do(models[old].new(mood="BAD"))
    other = type(models)(models.counting)
    other.register(new)
    assert (await do(other[new].get(id=1))).mood.name == "BAD"
    third = type(models)(models.counting)
    third.register(less)
    with pytest.raises(ValueError, match="'BAD' is not a member of Mood"):
        await do(third[less].get(id=1))
    await do(models[old].all())
    await do(models[old].filter(id=1).delete())


# -- datetimes with a zone ------------------------------------------------------------------------------------------


async def test_a_datetime_with_a_zone_is_one_moment_in_every_zone(models):
    moment = datetime(2024, 7, 1, 12, 0, 0, 1, tzinfo=ZURICH)
    row = await again(models, seen=moment.astimezone(NEW_YORK), left=moment)
    assert (row.seen, row.seen.tzinfo, row.seen.hour) == (moment, ZURICH, 12)
    assert (row.left, row.left.tzinfo, row.left.hour) == (moment, timezone.utc, 10)
    for value in (
        moment,
        moment.astimezone(NEW_YORK),
        "2024-07-01T10:00:00.000001Z",
        "2024-07-01 12:00:00.000001+02:00",
    ):
        assert await count(models, seen=value) == await count(models, seen__ge=value, left__le=value) == 1
        assert await count(models, seen__gt=value) == await count(models, left__lt=value) == 0
    assert row.tojson()["seen"] == moment.timestamp()


async def test_both_hours_of_an_autumn_night_are_kept_apart(models):
    first = datetime(2024, 10, 27, 2, 30, tzinfo=ZURICH)
    second = first.replace(fold=1)
    for moment in (first, second):
        await again(models, seen=moment)
    rows = await do(models.rich.query().sort_by("seen").all())
    assert [(row.seen.hour, row.seen.fold) for row in rows] == [(2, 0), (2, 1)]
    assert await count(models, seen__gt=first) == await count(models, seen=second) == 1


@pytest.mark.parametrize("value", [datetime(2024, 7, 1), date(2024, 7, 1), "2024-07-01T12:00"])
async def test_a_datetime_without_a_zone_is_refused_where_there_is_one(models, value):
    with pytest.raises(FieldValueError, match=r"suite\.rich\.seen: .* has no time zone"):
        await do(models.rich.new(seen=value))
    with pytest.raises(BadLookupValue, match="has no time zone"):
        await count(models, seen__gt=value)


async def test_seconds_are_a_moment_whatever_the_zone(models):
    row = await again(models, seen=0, left="1.5")
    assert (row.seen.hour, row.left.microsecond) == (1, 500000)


# -- pickles and model classes --------------------------------------------------------------------------------------


async def test_a_pickled_instance_is_equal_by_its_key(models):
    fund = await do(models.fund.new(name="Alpha", ccy="EUR"))
    row = await again(models, thing={"fund": fund})
    assert row.thing["fund"] == fund
    assert row.thing["fund"] is not fund
    assert Rich.from_base64_data(**row.tojson()).thing == {"fund": fund}


async def test_what_is_assigned_is_never_unpickled(models):
    hostile = b"cos\nabort\n."
    row = await again(models, thing=hostile)
    assert row.thing == hostile
    row.thing = None
    await do(models.session().add(row))
    assert (await do(models.rich.get(id=row.id))).thing is None
    assert await count(models, thing__isnull=True) == 1


async def test_an_object_that_cannot_be_pickled_is_an_error_of_its_field(models):
    row = Rich(thing=lambda: 0)
    assert not row.is_valid()
    assert list(row.dbdata["errors"]) == ["thing"]
    with pytest.raises(FieldValueError, match="thing"):
        await do(models.session().add(row))


async def test_pickles_are_not_compared(models):
    with pytest.raises(NotIndexed):
        await count(models, thing=1)
    for lookup in ("gt", "contains"):
        with pytest.raises(BadLookupValue, match="cannot be compared with pickles"):
            await count(models, **{f"thing__{lookup}": b"a"})


async def test_a_model_class_is_stored_as_its_hash(models):
    row = await again(models, model=Fund)
    await again(models, model=Country._meta.hash)
    await again(models)
    assert row.tojson()["model"] == row.todict()["model"] == Fund._meta.hash
    assert row.clone().model is Fund
    for value in (Fund, Fund._meta.hash, Fund._meta.hash.encode()):
        assert await count(models, model=value) == 1
    assert await count(models, model__in=(Fund, Country)) == 2
    assert await count(models, model=None) == await count(models, model="") == 1
    assert await count(models, model="00000000") == 0


@pytest.mark.parametrize("value", [3, int, Base, Fund(name="a")])
async def test_what_is_no_stored_model_class_is_refused(models, value):
    with pytest.raises(FieldValueError, match=r"suite\.rich\.model"):
        await do(models.rich.new(model=value))
