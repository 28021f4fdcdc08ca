"""Unique combinations of fields: what is refused, what is free, and what they find."""

from __future__ import annotations

import pytest

from stdnet import CommitException, FieldError, QuerySetError, odm
from stdnet.errors import NotIndexed

from ..conftest import do, round_trips, transaction


class Market(odm.StdModel):
    name = odm.SymbolField(unique=True)

    class Meta:
        app_label = "together"


class Quote(odm.StdModel):
    code = odm.CharField()
    day = odm.DateField(index=False, required=False)
    ccy = odm.SymbolField(required=False)
    market = odm.ForeignKey(Market, required=False)
    price = odm.FloatField(required=False)
    data = odm.ByteField()

    class Meta:
        app_label = "together"
        unique_together = (("code", "day"), ("ccy", "market"), ("price", "data"))


MODELS = [Market, Quote]
DAY, NEXT = "2024-01-02", "2024-01-03"


async def add(models, **values):
    return await do(models.session().add(Quote(**values)))


async def found(models, **criteria):
    return [row.id for row in await do(models.quote.filter(**criteria).all())]


async def test_a_combination_belongs_to_one_row(models):
    await add(models, code="a", day=DAY)
    await add(models, code="a", day=NEXT)
    await add(models, code="b", day=DAY)
    with pytest.raises(CommitException, match=r'combination "code,day" violated: .* held by id=1') as info:
        await add(models, code="a", day=DAY)
    assert info.value.failures == 1
    assert await do(models.quote.count()) == 3


async def test_a_value_is_not_part_of_the_one_beside_it(models):
    await add(models, price=1.0, data=b"1:x")
    await add(models, price=1.5, data=b"x")
    await add(models, price=-0.0, data=b"x")
    with pytest.raises(CommitException, match="price,data"):
        await add(models, price=0.0, data=b"x")


async def test_blank_values_are_free(models):
    for _ in range(2):
        await add(models, code="a")
        await add(models, day=DAY)
        await add(models, ccy="EUR")
    assert await do(models.quote.count()) == 6


async def test_two_rows_of_one_commit(models):
    session = models.session()
    begun = session.begin()
    for _ in range(2):
        begun.add(Quote(code="a", day=DAY))
    with pytest.raises(CommitException, match="held by another instance of this commit"):
        await do(session.commit())
    assert await do(models.quote.count()) == 0


async def test_an_update_of_one_part_is_held_to_it_too(models):
    await add(models, code="a", day=DAY)
    row = await add(models, code="a", day=NEXT)
    row.day = DAY
    with pytest.raises(CommitException, match="held by id=1"):
        await do(models.session().add(row))
    part = await do(models.quote.filter(id=2).load_only("day").get())
    part.day = DAY
    with pytest.raises(CommitException, match="held by id=1"):
        await do(part.session.add(part))


async def test_a_swap_and_a_released_combination(models):
    first, second = await add(models, code="a", day=DAY), await add(models, code="b", day=DAY)
    session = models.session()
    first.code, second.code = "b", "a"
    async with transaction(session) as t:
        t.add(first)
        t.add(second)
    assert await found(models, code="a", day=DAY) == [2]
    async with transaction(session) as t:
        t.delete(second)
        t.add(Quote(code="a", day=DAY))
    assert await found(models, code="a", day=DAY) == [3]


async def test_combinations_with_a_foreign_key(models):
    session = models.session()
    async with transaction(session) as t:
        market = t.add(Market(name="XETRA"))
        t.add(Quote(ccy="EUR", market=market))
    with pytest.raises(CommitException, match="ccy,market_id"):
        await add(models, ccy="EUR", market=market)
    assert await found(models, ccy="EUR", market=market) == [1]
    assert await found(models, ccy="EUR", market=market.id) == [1]
    await do(session.delete(market))  # the key is optional, so the row stays, and its combination is free
    assert await found(models, ccy="EUR", market=None) == [1]


async def test_fields_without_an_index_are_found_together(models):
    for code, day in (("a", DAY), ("a", NEXT), ("b", DAY), ("", DAY), ("c", None)):
        await add(models, code=code, day=day)
    async with round_trips(models, 1):
        assert await found(models, code="a", day=DAY) == [1]
    assert await found(models, code=("a", "b", "x"), day__in=(DAY, NEXT)) == [1, 2, 3]
    assert await found(models, code="a", day=DAY, ccy="EUR") == []
    assert await found(models, code="", day=DAY) == [4]
    assert await found(models, code="c", day=None) == [5]
    assert await found(models, code=("a", ""), day=(DAY, None)) == [1, 4]
    assert await found(models, code="a", day=()) == []
    assert await do(models.quote.filter(code="a", day=DAY).count()) == 1
    assert "unique index code,day" in str(await do(models.quote.filter(code="a", day=DAY).explain()))
    with pytest.raises(NotIndexed):
        await found(models, code="a")
    with pytest.raises(QuerySetError):
        await found(models, code="a", day="never")


async def test_update_or_create_looks_them_up(models):
    session = models.session()
    for ccy, new in (("EUR", True), ("USD", False)):
        row, created = await do(session.update_or_create(Quote, code="a", day=DAY, price=1.0))
        assert (row.id, created) == (1, new)
        await do(models.quote.filter(id=1).update(ccy=ccy))


async def test_what_an_update_of_many_rows_makes_equal(models):
    for day in (DAY, NEXT):
        await add(models, code="a", day=day)
    with pytest.raises(CommitException, match="code,day"):
        await do(models.quote.query().update(day=DAY))
    assert await do(models.quote.query().update(code="z")) == 2
    assert await found(models, code="z", day=NEXT) == [2]
    assert await found(models, code="a", day=DAY) == []


async def test_keys_and_flush_know_them(models, server):
    await add(models, code="a", day=DAY)
    names = await do(models.quote.keys())
    assert f"{server.namespace}together.quote:uni:code,day" in names
    assert await do(models.quote.flush()) == len(names)
    await add(models, code="a", day=DAY)


def declared(unique_together, **fields):
    fields = {"a": odm.SymbolField(), "b": odm.IntegerField(), "c": odm.CharField(as_cache=True), **fields}
    meta = type("Meta", (), {"unique_together": unique_together, "register": False})
    return type("Declared", (odm.StdModel,), {**fields, "Meta": meta})


@pytest.mark.parametrize(
    ("given", "match"),
    [
        ([("a", "nope")], '"nope", which is not a field of the model. Its fields: a, b, c'),
        ([("a",)], "Name two or more different fields"),
        ([("a", "a")], "Name two or more different fields"),
        ([("a", 5)], '"5", which is not a field'),
        ([("a", "id")], '"id", which is the primary key'),
        ([("a", "c")], '"c", which is a CharField that cannot be unique'),
        ("ab", "is a list of tuples"),
        (["ab"], "Name two or more"),
        (5, "is a list of tuples"),
    ],
)
def test_declarations_that_cannot_be(given, match):
    with pytest.raises(FieldError, match=match):
        declared(given)


def test_one_combination_may_stand_by_itself():
    assert declared(("a", "b"))._meta.table.together == declared([["a", "b"]])._meta.table.together == (("a", "b"),)
