"""A model that was changed while there are rows: new fields are fine, what needs another index is refused."""

from __future__ import annotations

from typing import Any

import pytest

from stdnet import odm
from stdnet.contract import (
    All,
    Change,
    Column,
    Commit,
    Count,
    Delete,
    Diff,
    Eq,
    Flush,
    Ids,
    In,
    Keys,
    Ping,
    Range,
    Reference,
    Related,
    Request,
    Save,
    Scan,
    Select,
    Sort,
    Table,
)
from stdnet.errors import TableMismatch

from ..conftest import do


class Thing(odm.StdModel):
    name = odm.SymbolField()
    rank = odm.IntegerField(index=False)

    class Meta:
        app_label = "changed"
        register = False


class WithFields(odm.StdModel):
    colour = odm.CharField(default="grey")
    name = odm.SymbolField()
    note = odm.CharField(required=False)
    rank = odm.IntegerField(index=False)
    size = odm.FloatField(index=False, required=False)

    class Meta:
        app_label = "changed"
        name = "thing"
        register = False


class WithoutField(odm.StdModel):
    name = odm.SymbolField()

    class Meta:
        app_label = "changed"
        name = "thing"
        register = False


class WithIndex(odm.StdModel):
    name = odm.SymbolField()
    rank = odm.IntegerField(index=True)

    class Meta:
        app_label = "changed"
        name = "thing"
        register = False


class WithoutIndex(odm.StdModel):
    name = odm.SymbolField(index=False)
    rank = odm.IntegerField(index=False)

    class Meta:
        app_label = "changed"
        name = "thing"
        register = False


class Unique(odm.StdModel):
    name = odm.SymbolField(unique=True)
    rank = odm.IntegerField(index=False)

    class Meta:
        app_label = "changed"
        name = "thing"
        register = False


class Ordered(odm.StdModel):
    name = odm.SymbolField()
    rank = odm.IntegerField(index=False)

    class Meta:
        app_label = "changed"
        name = "thing"
        ordering = "rank"
        register = False


MODELS = [Thing]


def changed(models: Any, model: Any) -> Any:
    """Return the manager of another version of the model on the same data."""
    router = type(models)(models.counting)
    router.register(model)
    return router[model]


async def fill(models: Any) -> None:
    for rank, name in enumerate("aba"):
        await do(models.thing.new(name=name, rank=rank))


@pytest.mark.parametrize("model", [WithIndex, WithoutIndex, Unique, Ordered])
async def test_another_index_or_order_is_refused_at_once(models, model):
    other = changed(models, model)
    await fill(models)
    verbs = [
        lambda: other.get(id=1),
        lambda: other.get(id=99),
        other.all,
        other.count,
        lambda: other.filter(id=1).count(),
        lambda: other.filter(id=(1, 2)).all(),
        lambda: other.filter(rank__gt=0).all(),
        lambda: other.query().sort_by("rank").all(),
        lambda: other.filter(id=1).delete(),
        lambda: other.new(name="d", rank=3),
    ]
    for verb in verbs:
        with pytest.raises(TableMismatch, match=r'rows of "changed[.]thing" with other indexed fields'):
            await do(verb())
    assert [row.rank for row in await do(models.thing.filter(name="a").all())] == [0, 2]
    assert await do(models.thing.filter(name="b").delete()) == [2]
    await do(models.thing.new(name="c", rank=3))


async def test_a_new_index_never_hides_old_rows(models):
    other = changed(models, WithIndex)
    await fill(models)
    for query in (other.filter(rank=1), other.filter(rank__ge=1), other.filter(rank=(1, 2)), other.exclude(rank=1)):
        for verb in (query.all, query.count):
            with pytest.raises(TableMismatch):
                await do(verb())


async def test_another_index_is_fine_without_rows(models):
    other = changed(models, WithIndex)
    await fill(models)
    await do(models.thing.query().delete())
    assert await do(other.count()) == 0
    assert await do(other.filter(rank=1).all()) == []
    assert (await do(other.new(name="a", rank=7))).id == 4
    assert [row.id for row in await do(other.filter(rank=7).all())] == [4]
    with pytest.raises(TableMismatch):
        await do(models.thing.get(id=4))


async def test_another_index_is_fine_after_a_flush(models):
    other = changed(models, WithIndex)
    await fill(models)
    await do(other.flush())
    assert (await do(other.new(name="a", rank=7))).id == 1
    for verb in (models.thing.count, models.thing.all, lambda: models.thing.filter(name="a").all()):
        with pytest.raises(TableMismatch):
            await do(verb())


async def test_new_fields_without_index_are_missing_in_old_rows(models):
    await fill(models)
    other = changed(models, WithFields)
    rows = await do(other.all())
    assert [(row.name, row.rank, row.note, row.size) for row in rows] == [
        ("a", 0, "", None),
        ("b", 1, "", None),
        ("a", 2, "", None),
    ]
    assert {row.colour for row in rows} == {(await do(other.get(id=1))).colour} == {"grey"}
    rows[1].note, rows[1].size = "new", 2.5
    await do(rows[1].session.add(rows[1]))
    assert [row.id for row in await do(other.filter(note__contains="e").all())] == [2]
    assert [row.id for row in await do(other.query().sort_by("-size").all())] == [2, 1, 3]
    assert [row.note for row in await do(other.query().load_only("note").all())] == ["", "new", ""]


async def test_versions_with_other_fields_share_the_rows(models):
    await fill(models)
    other, less = changed(models, WithFields), changed(models, WithoutField)
    await do(other.new(name="c", rank=3, note="kept", colour="red", size=1.0))
    old = await do(models.thing.get(id=4))
    old.rank = 30
    await do(old.session.add(old))
    least = await do(less.get(name="c"))
    least.name = "d"
    await do(least.session.add(least))
    found = await do(other.get(name="d"))
    assert (found.rank, found.note, found.colour, found.size) == (30, "kept", "red", 1.0)
    assert [row.rank for row in await do(models.thing.all())] == [0, 1, 2, 30]
    assert [row.name for row in await do(less.query().sort_by("-name").all())] == ["d", "b", "a", "a"]
    assert await do(less.filter(name="a").delete()) == [1, 3]
    assert await do(other.count()) == 2


PLACE = Table("place", Column("id", "int"), (Column("name", "str", index="equal"), Column("size", "int")))
OTHER = Table(
    "place", Column("id", "int"), (Column("name", "str", index="equal"), Column("size", "int", index="range"))
)
VISIT = Table("visit", Column("id", "int"), (Column("place", "int", index="equal"), Column("size", "int")))
FILLED = Commit(
    saves=(Save(PLACE, [Change(1, None, ("a", 1))]), Save(VISIT, [Change(5, None, (1, 1)), Change(6, None, (2, None))]))
)
REFUSED: list[Request] = [
    *(Select(OTHER, plan) for plan in (All(), Ids((1,)), Ids((9,)), Eq("size", (1,)), Range("size", 0), Ids((1, 2)))),
    *(Select(OTHER, plan, fields=()) for plan in (Ids((1,)), Eq("name", ("a",)), Scan("size", "gt", 0))),
    Select(OTHER, All(), Sort("size"), 0, 1),
    *(Count(OTHER, plan) for plan in (All(), Eq("name", ("a",)), Range("size", 0), Diff(All(), Ids((1,))))),
    Keys(OTHER),
    Select(VISIT, In("place", OTHER, All(), "id")),
    Select(VISIT, All(), Sort("size", through=(("place", OTHER),))),
    Select(VISIT, All(), related=(Related("place", OTHER, "id"),)),
    Commit((Delete(OTHER, All()),)),
    Commit(saves=(Save(OTHER, [Change(2, None, ("b", 2))]),)),
    Commit((Delete(VISIT, All()),), references=(Reference(OTHER, "name", VISIT, "cascade"),)),
]


@pytest.mark.parametrize("request_", REFUSED, ids=lambda request: type(request).__name__)
async def test_every_request_about_another_layout_is_refused(server, request_):
    server.execute([FILLED])
    for requests in ([request_], [Ping(), Count(VISIT, All()), request_], [FILLED, Select(VISIT, Ids((5,))), request_]):
        with pytest.raises(TableMismatch, match='"place"'):
            server.execute(requests)
        with pytest.raises(TableMismatch, match='"place"'):
            await server.execute_async(requests)
    assert server.execute([Count(PLACE, All()), FILLED])[0] == 1


async def test_a_layout_is_the_same_in_any_order_of_columns(server):
    turned = Table("place", PLACE.pk, PLACE.columns[::-1])
    server.execute([FILLED])
    (found,) = server.execute([Select(turned, Eq("name", ("a",)))])
    assert list(found.rows) == [(1, "a")]
    server.execute([Commit(saves=(Save(turned, [Change(1, 1, (2, "b")), Change(3, None, (9,), ("size",))]),))])
    assert list(server.execute([Select(PLACE, All())])[0].rows) == [("b", 2), (None, 9)]
    assert list(server.execute([Select(Table("place", PLACE.pk, PLACE.columns[:1]), All())])[0].rows) == [
        ("b",),
        (None,),
    ]
    server.execute([Flush(turned)])
    assert server.execute([Count(PLACE, All())]) == [0]


async def test_text_is_not_read_as_a_number(server):
    before = Table("place", PLACE.pk, (Column("size", "str"),))
    server.execute([Commit(saves=(Save(before, [Change(1, None, ("large",)), Change(2, None, ("small",))]),))])
    after = Table("place", PLACE.pk, (Column("size", "int"),))
    for plan in (Ids((1,)), All()):
        with pytest.raises(TableMismatch):
            server.execute([Select(after, plan)])
    assert list(server.execute([Select(before, All())])[0].rows) == [("large",), ("small",)]
