"""What type checkers must understand of a program; the functions are checked, never called."""

from __future__ import annotations

from collections.abc import Awaitable, Coroutine
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from stdnet import odm
from stdnet.apps.columnts import AsyncColumnTS, ColumnTS

if TYPE_CHECKING:
    from typing_extensions import assert_type  # noqa: TC004  (nothing here is called)


class Fund(odm.StdModel):
    name = odm.SymbolField(unique=True)
    note = odm.CharField(max_length=30)
    data = odm.ByteField()
    active = odm.BooleanField()
    size = odm.IntegerField()
    lots = odm.IntegerField(required=False)
    rank = odm.IntegerField(required=False, default=0, index=True)
    cached = odm.IntegerField(as_cache=True)
    price = odm.FloatField(required=True, index=True)
    ratio = odm.FloatField(required=False)
    factor = odm.FloatField(default=1)
    notes = odm.ListField()
    opened = odm.DateField()
    closed = odm.DateField(required=False)
    day = odm.DateField(default=date.today)
    created = odm.DateTimeField(default=datetime.now)
    changed = odm.DateTimeField(required=False)
    seen = odm.DateTimeField(as_cache=True)

    class Meta:
        register = False


class Country(odm.StdModel):
    code = odm.SymbolField(primary_key=True)
    area = odm.FloatField(unique=True, required=False)

    class Meta:
        register = False


class Side(Enum):
    BUY = 1


class Trade(odm.StdModel):
    price = odm.DecimalField(decimal_places=2)
    fee = odm.DecimalField(decimal_places=2, required=False)
    tax = odm.DecimalField(decimal_places=2, default=0)
    span = odm.TimeDeltaField()
    delay = odm.TimeDeltaField(required=False)
    key = odm.UUIDField(default=uuid4)
    other = odm.UUIDField(required=False)
    side = odm.EnumField(Side)
    back = odm.EnumField(Side, by="value", required=False)
    usual = odm.EnumField(Side, required=False, default=Side.BUY)
    at = odm.DateTimeField(tz="Europe/Zurich")
    thing = odm.PickleObjectField()
    quote = odm.JSONField(as_string=False)
    model = odm.ModelField()

    class Meta:
        register = False


class Sub(Fund):
    extra = odm.IntegerField()

    class Meta:  # pyright: ignore[reportIncompatibleVariableOverride]  (to it, inner classes are to be subclasses)
        register = False


def attributes(fund: Fund, country: Country, sub: Sub) -> None:
    assert_type(fund.name, str)
    assert_type(fund.note, str)
    assert_type(fund.data, bytes)
    assert_type(fund.active, bool)
    assert_type(fund.size, int)
    assert_type(fund.lots, int | None)
    assert_type(fund.rank, int)
    assert_type(fund.cached, int | None)
    assert_type(fund.price, float)
    assert_type(fund.ratio, float | None)
    assert_type(fund.factor, float)
    assert_type(fund.opened, date)
    assert_type(fund.closed, date | None)
    assert_type(fund.day, date)
    assert_type(fund.created, datetime)
    assert_type(fund.changed, datetime | None)
    assert_type(fund.seen, datetime | None)
    assert_type(country.code, str)
    assert_type(country.area, float | None)
    assert_type(sub.name, str)
    assert_type(sub.extra, int)
    fund.lots = None
    fund.size = 3
    fund.id = 3


class Member(odm.StdModel):
    funds = odm.ManyToManyField(Fund, related_name="members")
    friends = odm.ManyToManyField("self", related_name="friends_of")
    sponsor = odm.ForeignKey("self", related_name="sponsored", required=False)
    fund = odm.ForeignKey(Fund, related_name="+")
    other = odm.ForeignKey(Fund, related_name="+", required=False)

    class Meta:
        register = False


def relations(member: Member, session: odm.Session) -> None:
    assert_type(member.fund, Fund)
    assert_type(member.fund.name, str)
    assert_type(member.other, Fund | None)
    assert_type(member.funds, odm.Many2ManyRelatedManager)
    assert_type(Member.funds, odm.Many2ManyRelatedManager)
    Member.friends.throughquery(session)
    Member.funds.query(session).load_related("members")
    member.friends.add(member)
    assert_type(session.query(Member).load_related("funds").relations("batch"), odm.Query[Member])
    member.fund = Fund()
    member.other = None


def structures(models: odm.Router, session: odm.Session, fund: Fund) -> None:
    queue = models.register(odm.List())
    assert_type(queue, odm.List)
    assert_type(session.add(queue), odm.List)
    assert_type(queue.push_back(1).push_front("a").extend([2]), odm.List)
    assert_type(queue.size(), int)
    assert_type(queue.contains(1), bool)
    assert_type(queue.set(0, "b"), None)
    assert_type(len(queue), int)
    assert_type(1 in queue, bool)
    queue[0] = queue[1]
    with session.begin() as t:
        assert_type(t.add(queue), odm.List)
    ranking = odm.Zset()
    assert_type(ranking.add(1, "a").update({2: "b"}), odm.Zset)
    assert_type(ranking.rank("a"), int | None)
    assert_type(ranking.count(0, "+inf"), int)
    ranking.range(1, 2, withscores=False, desc=True)
    words = odm.HashTable()
    assert_type(words.keys(), list[Any])
    words["a"] = 1
    del words["a"]
    bars = ColumnTS()
    assert_type(bars.add(date(2024, 1, 1), "close", 1.5), ColumnTS)
    assert_type(bars.range("-inf", "+inf"), tuple[list[Any], dict[str, list[float]]])
    assert_type(bars.fields(), tuple[str, ...])
    closes = odm.TS()
    assert_type(closes.values(), list[Any])
    closes.times(date(2024, 1, 1), "+inf")
    assert_type(odm.Set().update("ab").union(odm.Set()), list[Any])
    assert_type(odm.String().incr(3), int)
    assert_type(odm.String().items(), bytes)
    assert_type(odm.NumberArray().push_back(1).resize(5), int)
    assert_type(odm.NumberArray().pop_back(), float | None)
    assert_type(fund.notes, Any)
    fund.notes.push_back(1)


async def awaited_structures(models: odm.AsyncRouter, session: odm.AsyncSession) -> None:
    queue = models.register(odm.AsyncList())
    assert_type(queue, odm.AsyncList)
    assert_type(await session.add(queue), odm.AsyncList)
    assert_type(await queue.push_back(1), odm.AsyncList)
    await assert_type(queue.size(), Coroutine[Any, Any, int])
    assert_type(await queue.size(), int)
    await (await queue.extend([1])).push_front(2)
    assert_type([each async for each in queue], list[Any])
    await queue[0]
    ranking = odm.AsyncZset()
    assert_type(await ranking.add(1, "a"), odm.AsyncZset)
    assert_type(await ranking.rank("a"), int | None)
    assert_type(await odm.AsyncHashTable().keys(), list[Any])
    assert_type(await AsyncColumnTS().size(), int)
    assert_type(await AsyncColumnTS().update({}), AsyncColumnTS)
    assert_type(await odm.AsyncTS().contains(date(2024, 1, 1)), bool)
    assert_type(await odm.AsyncString().items(), bytes)
    assert_type(await odm.AsyncNumberArray().capacity(), int)
    assert_type(await odm.AsyncSet().discard(1), odm.AsyncSet)


def instances(fund: Fund) -> None:
    assert_type(Fund(name="a", size="3"), Fund)
    assert_type(fund.clone(name="b"), Fund)
    assert_type(fund.save(), Fund)
    assert_type(Fund.from_base64_data(name="x"), Fund)
    assert_type(Fund.get_unique_instance([fund]), Fund)
    assert_type(fund.is_valid(), bool)
    assert_type(fund.has_all_data, bool)
    assert_type(fund.uuid, str)
    assert_type(fund.tojson(), dict[str, Any])
    assert_type(Fund._meta.pkname(), str)


def blocking(models: odm.Router) -> None:
    manager = models[Fund]
    assert_type(manager, odm.Manager[Fund])
    assert_type(manager.new(name="a"), Fund)
    assert_type(manager.get(name="a"), Fund)
    assert_type(manager.all(), list[Fund])
    assert_type(manager.count(), int)
    assert_type(manager.update_or_create(name="a"), tuple[Fund, bool])
    assert_type(manager.filter(size__gt=3), odm.Query[Fund])
    assert_type(models.add(Fund()), Fund)

    session = models.session()
    assert_type(session, odm.Session)
    query = session.query(Fund)
    assert_type(query, odm.Query[Fund])
    assert_type(query.filter(name="a").exclude(size=3).union(query).sort_by("-name").load_only("name"), odm.Query[Fund])
    assert_type(query.all(), list[Fund])
    assert_type(query[0], Fund)
    assert_type(query[:2], list[Fund])
    assert_type(query.get(name="a"), Fund)
    assert_type(query.count(), int)
    assert_type(len(query), int)
    assert_type(query.aggregate(n=odm.Count(), total=odm.Sum("size")), dict[str, Any])
    assert_type(query.group_by("name"), odm.Groups)
    assert_type(query.group_by("name").aggregate(hi=odm.Max("day")), list[dict[str, Any]])
    assert_type(query.distinct("name"), list[Any])
    assert_type("a" in query, bool)
    assert_type([fund.name for fund in query], list[str])
    with session.begin() as t:
        assert_type(t, odm.Transaction)
        assert_type(t.add(Fund()), Fund)
    assert_type(session.add(Fund()), Fund)


async def awaited(models: odm.AsyncRouter) -> None:
    manager = models[Fund]
    assert_type(manager, odm.AsyncManager[Fund])
    assert_type(await manager.new(name="a"), Fund)
    assert_type(await manager.get(name="a"), Fund)
    assert_type(await manager.all(), list[Fund])
    assert_type(await manager.count(), int)
    assert_type(await manager.update_or_create(name="a"), tuple[Fund, bool])
    assert_type(manager.filter(size__gt=3), odm.AsyncQuery[Fund])
    assert_type(await models.add(Fund()), Fund)

    session = models.session()
    assert_type(session, odm.AsyncSession)
    query = session.query(Fund)
    assert_type(query, odm.AsyncQuery[Fund])
    assert_type(query.filter(name="a").sort_by("-name"), odm.AsyncQuery[Fund])
    assert_type(await query.all(), list[Fund])
    assert_type(query[0], Awaitable[Fund])
    assert_type(await query[0], Fund)
    assert_type(await query[:2], list[Fund])
    assert_type(await query.count(), int)
    assert_type(await query.aggregate(mean=odm.Avg("price")), dict[str, Any])
    assert_type(await query.group_by("name").aggregate(lo=odm.Min("day")), list[dict[str, Any]])
    assert_type(await query.distinct("name"), list[Any])
    assert_type([fund.name async for fund in query], list[str])
    async with session.begin() as t:
        assert_type(t, odm.AsyncTransaction)
        assert_type(t.add(Fund()), Fund)
    assert_type(await session.add(Fund()), Fund)


def rich(trade: Trade) -> None:
    assert_type(trade.price, Decimal)
    assert_type(trade.fee, Decimal | None)
    assert_type(trade.tax, Decimal)
    assert_type(trade.span, timedelta)
    assert_type(trade.delay, timedelta | None)
    assert_type(trade.key, UUID)
    assert_type(trade.other, UUID | None)
    assert_type(trade.side, Side)
    assert_type(trade.back, Side | None)
    assert_type(trade.usual, Side)
    assert_type(trade.at, datetime)
    assert_type(trade.thing, Any)
    assert_type(trade.quote, Any)
    assert_type(trade.model, Any)
