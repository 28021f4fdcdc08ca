"""What type checkers must refuse: each line that says so at its end, and no other. Never called."""

from __future__ import annotations

from datetime import date

from stdnet import odm

from .right import Fund, Member, Trade


def attributes(fund: Fund) -> None:
    fund.name = 5  # wrong
    fund.size = "3"  # wrong
    fund.size = None  # wrong
    fund.opened = None  # wrong
    fund.opened = date(2020, 1, 2)
    fund.lots = None
    fund.size.upper()  # wrong
    fund.nmae  # wrong  # noqa: B018
    fund.lots + 1  # wrong
    fund.ratio.hex()  # wrong
    fund.closed.year  # wrong  # noqa: B018


def relations(member: Member, session: odm.Session) -> None:
    member.fund = None  # wrong
    member.fund = 3  # wrong
    member.other.name  # wrong  # noqa: B018
    member.funds = []  # wrong
    member.funds.append(member.fund)  # wrong
    Member.funds.thruoghquery(session)  # wrong
    session.query(Member).relations("eager")  # wrong


def structures(fund: Fund, queue: odm.List, ranking: odm.Zset) -> None:
    fund.notes = []  # wrong
    queue.push_bakc(1)  # wrong
    queue.push_back()  # wrong
    queue.push_back(1, 2)  # wrong
    queue.size().upper()  # wrong
    queue.push_back(1).rank(1)  # wrong
    queue.block_pop_front(timeout="a")  # wrong
    ranking.range(1)  # wrong
    ranking.irange("a")  # wrong
    odm.String().incr("a")  # wrong
    odm.HashTable().remove("a").size() + "a"  # wrong


async def awaited_structures(queue: odm.AsyncList, words: odm.AsyncHashTable) -> None:
    queue.size() + 1  # wrong
    (await queue.size()).upper()  # wrong
    queue.push_back(1).push_back(2)  # wrong
    len(queue)  # wrong
    for each in queue:  # wrong
        print(each)  # noqa: T201
    words["a"] = 1  # wrong


def blocking(models: odm.Router) -> None:
    query = models.session().query(Fund)
    models.session().query("Fund")  # wrong
    models.session().query(int)  # wrong
    query[0].nmae  # wrong  # noqa: B018
    query["a"]  # wrong
    query.fliter(name="a")  # wrong
    query.filter("a")  # wrong
    query.aggregate(total="size")  # wrong
    models[Fund].get(name="a").size.upper()  # wrong
    models[Fund].all().name  # wrong  # noqa: B018
    size: str = models[Fund].count()  # wrong
    print(size)  # noqa: T201


async def awaited(models: odm.AsyncRouter) -> None:
    query = models.session().query(Fund)
    query.all().sort()  # wrong
    query[0].name  # wrong  # noqa: B018
    len(query)  # wrong
    for fund in query:  # wrong
        print(fund)  # noqa: T201
    with models.session().begin():  # wrong
        pass
    (await models[Fund].get(name="a")).size.upper()  # wrong


def rich(trade: Trade) -> None:
    trade.price = 1.5  # wrong
    trade.side = "BUY"  # wrong
    trade.fee + 1  # wrong
    trade.delay.days  # wrong  # noqa: B018
    trade.key = None  # wrong
