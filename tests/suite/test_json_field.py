"""JSON as one text, and with nested keys as fields: values, attributes, filters, orders, partial loads and updates."""

from __future__ import annotations

import pickle
from datetime import date, datetime, timezone
from decimal import Decimal
from typing import Any

import pytest

from stdnet import CommitException, FieldValueError, QuerySetError, odm
from stdnet.errors import BadLookupValue, NotIndexed, UnknownField, UnknownLookup

from ..conftest import do, round_trips, transaction


class Document(odm.StdModel):
    name = odm.SymbolField()
    body = odm.JSONField()
    tags = odm.JSONField(default=list)
    maybe = odm.JSONField(default=None)

    class Meta:
        app_label = "suite"


class CrossData(odm.StdModel):
    name = odm.SymbolField()
    data = odm.JSONField(as_string=False)
    extra = odm.ForeignKey("self", required=False)

    class Meta:
        app_label = "suite"


class Feed(odm.StdModel):
    name = odm.SymbolField()
    live = odm.ForeignKey(CrossData, required=False, related_name="feeds")

    class Meta:
        app_label = "suite"


MODELS = [Document, CrossData, Feed]

GOLDEN = {
    "pv": {"": 0.5, "mean": 1, "std": 3.5},
    "l": [1, 2],
    "n": None,
    "s": "txt",
    "e": {},
    "dt": date(2010, 1, 1),
}
STORED = {key: value for key, value in GOLDEN.items() if key != "e"}


async def cross(models: Any, *values: Any) -> list[Any]:
    """Store a row for each value."""
    return [await do(models.crossdata.new(name=f"n{n}", data=value)) for n, value in enumerate(values)]


async def found(models: Any, **kwargs: Any) -> list[int]:
    return [row.id for row in await do(models.crossdata.filter(**kwargs).all())]


async def loaded(models: Any, *names: str, **kwargs: Any) -> Any:
    query = models.crossdata.query().load_only(*names) if names else models.crossdata.query()
    return await do(query.get(**(kwargs or {"id": 1})))


# -- one text -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"a": [1, {"b": None}], "é": "\U0001f600\x00", "": {"__x": True}},
        [],
        [1.5, "text", [[]]],
        0,
        -2.5,
        10**30,
        False,
        {"when": datetime(2020, 1, 2, 3, 4, 5, 6), "day": date(1, 1, 1), "price": Decimal("1.10")},
        {"aware": datetime(2020, 1, 2, tzinfo=timezone.utc), "far": datetime(9999, 12, 31, 23, 59, 59, 999999)},
    ],
)
async def test_a_value_comes_back_as_it_was(models, value):
    row = await do(models.document.new(name="a", body=value))
    again = await do(models.document.get(id=row.id))
    assert again.body == value
    assert type(again.body) is type(value)
    assert pickle.loads(pickle.dumps(again)).body == again.clone().body == value
    assert Document.from_base64_data(**again.tojson()).body == value


async def test_defaults_are_fresh_for_each_instance(models):
    one, two = Document(name="a"), Document(name="b")
    one.body["x"] = 1
    one.tags.append(1)
    assert (two.body, two.tags, two.maybe) == ({}, [], None)
    await do(models.session().add(two))
    again = await do(models.document.get(name="b"))
    assert (again.body, again.tags, again.maybe) == ({}, [], None)


async def test_text_is_read_as_json(models):
    row = await do(models.document.new(name="a", body='{"a": [1]}', tags=b"[2]"))
    assert (row.body, row.tags) == ({"a": [1]}, [2])
    for bad in ("{", "nope", '"text"', b"\xff"):
        with pytest.raises(ValueError, match=r"suite\.document\.body"):
            Document(name="a", body=bad)


async def test_what_json_cannot_hold_is_an_error_of_its_field(models):
    for bad in (object(), float("nan"), {"a": {1, 2}}, ["\ud800"]):
        row = Document(name="a", body=bad)
        assert not row.is_valid()
        assert list(row.dbdata["errors"]) == ["body"]
        with pytest.raises(FieldValueError, match="body"):
            await do(models.session().add(row))
    assert await do(models.document.count()) == 0


async def test_lookups_on_one_text(models):
    await do(models.document.new(name="a", body={"city": "Genève"}))
    await do(models.document.new(name="b", maybe=[1]))
    assert await do(models.document.filter(body__contains="Genève").count()) == 1
    assert await do(models.document.filter(maybe__isnull=True).count()) == 1
    with pytest.raises(NotIndexed):
        await do(models.document.filter(body={}).count())
    for name in ("body__gt", "body__city__gt", "body__city"):
        with pytest.raises(QuerySetError):
            await do(models.document.filter(**{name: 1}).count())


# -- nested keys as fields ----------------------------------------------------------------------------------------


async def test_the_golden_example(models):
    row = CrossData(name="a", data=GOLDEN)
    assert row.is_valid()
    assert row.dbdata["cleaned_data"] == {
        "name": "a",
        "data__pv": "0.5",
        "data__pv__mean": "1",
        "data__pv__std": "3.5",
        "data__l": "[1, 2]",
        "data__n": "null",
        "data__s": '"txt"',
        "data__dt": '{"__date__": 1262304000}',
        "data": '""',
    }
    await do(models.session().add(row))
    again = await loaded(models)
    assert again.data == STORED
    assert (again.data__pv, again.data__pv__std, again.data["pv"]["mean"], again.data__l) == (0.5, 3.5, 1, [1, 2])
    assert again.get_attr_value("data__pv") == 0.5
    assert pickle.loads(pickle.dumps(again)).data == again.clone().data == STORED
    assert CrossData.from_base64_data(**again.tojson()).data == STORED
    for name in ("data__x", "data__pv__mean__x", "data__"):
        with pytest.raises(AttributeError):
            getattr(again, name)
    with pytest.raises(AttributeError):
        again.get_attr_value("data__x")


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"a": {"b": {"C": {"d e": "é\x00\U0001f600/\\"}}}},
        {"int": 2**53 + 1, "big": 10**30, "float": -0.0, "text": "", "yes": True, "no": False, "list": [{}, None]},
        {"price": Decimal("0.10"), "when": datetime(2020, 1, 2, 3, 4, 5, 6), "day": date(9999, 12, 31)},
        {"aware": datetime(2020, 1, 2, tzinfo=timezone.utc), "_x": 1, "1": 2, "in": 3},
        {f"key{n}": n for n in range(300)},
    ],
    ids=repr,
)
async def test_a_dict_comes_back_as_it_was(models, value):
    await cross(models, value)
    row = await loaded(models)
    assert row.data == value
    assert repr(sorted(row.data.items(), key=str)) == repr(sorted(value.items(), key=str))


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ([], "is not a dictionary"),
        (3, "is not a dictionary"),
        ({"": 1}, "the empty key"),
        ({"a": {"": {"b": 1}}}, "the empty key"),
        ({1: 2}, "is not text"),
        ({"a__b": 2}, "contains '__'"),
        ({"a_": 2}, "ends with '_'"),
        ({"a": object()}, "not JSON serializable"),
        ({"a": float("inf")}, "not a number in JSON"),
        ({"a": "\ud800"}, "surrogates"),
        ({"\ud800": 1}, "surrogates"),
    ],
)
async def test_what_a_flat_field_cannot_hold_is_refused(models, value, problem):
    with pytest.raises(FieldValueError, match=problem):
        await cross(models, value)
    assert await do(models.crossdata.count()) == 0


async def test_filters_on_leaves(models):
    await cross(
        models,
        {"pv": {"": 0.5, "std": 3}, "s": "txt", "Cap": {"Tal": 1}},
        {"pv": {"": -2, "std": 10}, "s": "Text", "Cap": {"Tal": 2}, "flag": True},
        {"pv": "2", "n": None, "s": "", "flag": False},
        {},
        None,
    )
    assert await found(models, data__pv__gt=0.2) == await found(models, data__pv__gt="0.2") == [1]
    assert await found(models, data__pv__ge="-2") == await found(models, data__pv__lt=1e300) == [1, 2]
    assert await found(models, data__pv__std__le=9.5, data__pv__std__gt=2) == [1]
    assert await found(models, data__Cap__Tal__ge=1) == await found(models, data__Cap__Tal__GE=1) == [1, 2]
    assert await found(models, data__cap__tal__ge=1) == []
    assert await found(models, data__s__startswith="t") == [1]
    assert await found(models, data__s__icontains="X") == await found(models, data__s__gt="A") == [1, 2]
    assert await found(models, data__s__contains="") == [1, 2, 3]
    assert await found(models, data__pv__std__startswith="1") == [2]
    assert await found(models, data__pv=0.5) == await found(models, data__pv__in=(0.5, "txt")) == [1]
    assert await found(models, data__pv=-2.0) == [2]
    assert await found(models, data__pv="2") == [3]
    assert await found(models, data__flag=True) == await found(models, data__s="Text") == [2]
    assert await found(models, data__n=None) == [1, 2, 3, 4, 5]
    assert await found(models, data__s=None) == await found(models, data__s__isnull=True) == [3, 4, 5]
    assert await found(models, data__s__isnull=False) == [1, 2]
    assert await found(models, data__isnull=True) == [4, 5]
    assert await found(models, data__isnull=False, name="n1") == [2]
    excluded = models.crossdata.query().exclude(data__pv__gt=0)
    assert [row.id for row in await do(excluded.all())] == [2, 3, 4, 5]
    assert await do(models.crossdata.filter(data__s="txt").filter(data__s="Text").count()) == 2


async def test_integers_and_floats_are_compared_exactly(models):
    big = 2**53
    values = [big, big + 1, float(big), big + 2, float(big + 2), -big - 1, 0.5, 10**400, 1.7e308, -1.7e308]
    await cross(models, *({"x": value} for value in values))
    for bound in (*values, 0, 1, 1e16, -(10**400)):
        for lookup, holds in {
            "gt": lambda a, b: a > b,
            "ge": lambda a, b: a >= b,
            "lt": lambda a, b: a < b,
            "le": lambda a, b: a <= b,
            "in": lambda a, b: a == b,
        }.items():
            expected = [n for n, value in enumerate(values, 1) if holds(value, bound)]
            wanted = (bound,) if lookup == "in" else bound
            assert await found(models, **{f"data__x__{lookup}": wanted}) == expected
    rows = await do(models.crossdata.query().sort_by("data__x").all())
    assert [row.data["x"] for row in rows] == sorted(values)


async def test_dates_are_compared_by_time(models):
    await cross(
        models,
        {"at": date(2020, 1, 2)},
        {"at": datetime(2020, 1, 2, 12)},
        {"at": datetime(2020, 1, 3, tzinfo=timezone.utc)},
        {"at": [1]},
        {"at": 5},
        {"at": None},
        {"at": True},
        {"at": date(1, 1, 1)},
    )
    assert await found(models, data__at__ge=date(2020, 1, 2)) == [1, 2, 3]
    assert await found(models, data__at__gt=date(2020, 1, 2)) == [2, 3]
    assert await found(models, data__at__lt=datetime(2020, 1, 2, 12)) == [1, 8]
    assert await found(models, data__at__le=datetime(2020, 1, 2, 12)) == [1, 2, 8]
    assert await found(models, data__at=date(2020, 1, 2)) == [1]


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("data", {}, NotIndexed),
        ("data__contains", "a", UnknownLookup),
        ("data__x__gt", None, BadLookupValue),
        ("data__x__gt", True, BadLookupValue),
        ("data__x__gt", [1], BadLookupValue),
        ("data__x__lt", float("inf"), BadLookupValue),
        ("data__x", [[1]], BadLookupValue),
        ("data__x", object(), BadLookupValue),
        ("data__x__isnull", 1, BadLookupValue),
        ("data__x__contains", None, BadLookupValue),
        ("dat__x", 1, UnknownField),
    ],
)
async def test_filters_that_cannot_be_are_refused(models, name, value, error):
    with pytest.raises(error):
        await found(models, **{name: value})


async def test_a_leaf_is_not_compared_with_a_query(models):
    with pytest.raises(BadLookupValue, match="is a query"):
        await found(models, data__x=models.crossdata.query())


async def test_orders_by_leaves(models):
    await cross(models, {"x": 2}, {"x": "b"}, {"x": -1.5}, {}, {"x": [1]}, {"x": "a"}, None, {"x": 2.0}, {"x": None})
    query = models.crossdata.query().sort_by
    assert [row.id for row in await do(query("data__x").all())] == [3, 4, 7, 9, 1, 8, 6, 2, 5]
    assert [row.id for row in await do(query("-data__x").all())] == [5, 2, 6, 1, 8, 4, 7, 9, 3]
    assert [row.id for row in await do(query("data__x")[1:5])] == [4, 7, 9, 1]
    with pytest.raises(QuerySetError, match="not a scalar field"):
        query("data")
    with pytest.raises(QuerySetError):
        query("data__x__y").where("this.data == 1")


async def test_leaves_through_relations(models):
    rows = await cross(models, {"pv": 300.5}, {"pv": 2}, {"Q": {"r": "s"}})
    for n, live in enumerate([*rows, None]):
        await do(models.feed.new(name=f"f{n}", live=live))
    feeds = models.feed
    assert [row.name for row in await do(feeds.filter(live__data__pv__gt=100).all())] == ["f0"]
    assert [row.name for row in await do(feeds.filter(live__data__Q__r="s").all())] == ["f2"]
    assert [row.name for row in await do(feeds.query().sort_by("-live__data__pv").all())] == ["f0", "f1", "f2", "f3"]
    assert [row.name for row in await do(feeds.query().sort_by("live__data__Q__r").all())] == ["f0", "f1", "f3", "f2"]
    async with round_trips(models, 1):
        found = await do(feeds.query().load_only("name", "live__data__pv").all())
    assert [None if row.live is None else row.live.data for row in found] == [{"pv": 300.5}, {"pv": 2}, {}, None]
    assert found[0].live._loadedfields == ("data__pv",)


async def test_the_values_of_a_leaf(models):
    await cross(models, {"a": {"b": 1}}, {"a": "x"}, {"a": {"b": [2]}})
    assert await do(models.crossdata.query().get_field("data__a__b").all()) == [1, None, [2]]
    assert "data__a__b = 1" in str(await do(models.crossdata.filter(data__a__b=1).explain()))


# -- parts --------------------------------------------------------------------------------------------------------


async def test_a_leaf_is_loaded_alone(models):
    await cross(models, GOLDEN)
    row = await loaded(models, "data__pv")
    assert (row.data, row._loadedfields, row.data__pv) == ({"pv": 0.5}, ("data__pv",), 0.5)
    assert row.get_state().action == "update"
    assert not hasattr(row, "name")
    assert not hasattr(row, "data__s")
    row = await loaded(models, "name", "data__pv__std", "data__s", "data__nothing", "data__dt__x")
    assert (row.name, row.data) == ("n0", {"pv": {"std": 3.5}, "s": "txt"})
    assert [field.name for field in row.loadedfields()] == ["name", "data"]
    assert (await loaded(models, "data", "data__s")).data == STORED
    assert not hasattr(await loaded(models, "name"), "data")
    with pytest.raises(QuerySetError, match="data__pv"):
        await do(models.crossdata.query().dont_load("data__pv").all())
    assert not hasattr(await do(models.crossdata.query().dont_load("data").get()), "data")


async def test_a_part_is_saved_leaf_by_leaf(models):
    await cross(models, GOLDEN)
    row = await loaded(models, "name", "data__pv")
    row.data = {"pv": {"mean": 2}}
    row.name = "new"
    await do(models.session().add(row))
    again = await loaded(models)
    assert (again.name, again.data) == ("new", {**STORED, "pv": {"": 0.5, "mean": 2, "std": 3.5}})
    row = await loaded(models, "data__pv__std", "data__s")
    row.data__pv__std = 4
    row.data__new__leaf = [True]
    row.data["s"] = None
    await do(models.session().add(row))
    assert row.data == {"pv": {"std": 4}, "new": {"leaf": [True]}, "s": None}
    expected = {**STORED, "pv": {"": 0.5, "mean": 2, "std": 4}, "s": None, "new": {"leaf": [True]}}
    assert (await loaded(models)).data == expected


async def test_a_part_that_was_not_touched_changes_nothing(models):
    await cross(models, GOLDEN)
    for names in (("name",), ("name", "data__nothing"), ("name", "data__pv")):
        row = await loaded(models, *names)
        row.name = f"by {names}"
        await do(models.session().add(row))
        again = await loaded(models)
        assert (again.name, again.data) == (f"by {names}", STORED)
    row = pickle.loads(pickle.dumps(await loaded(models, "name", "data__nothing")))
    await do(models.session().add(row))
    assert (await loaded(models)).data == STORED


@pytest.mark.parametrize("names", [("name",), ("name", "data__pv"), ("name", "data__nothing"), ("name", "data"), ()])
@pytest.mark.parametrize("value", [None, {}])
async def test_old_leaves_go_when_the_value_goes(models, names, value):
    await cross(models, GOLDEN)
    row = await loaded(models, *names)
    row.data = value
    await do(models.session().add(row))
    assert (await loaded(models)).data == {}
    assert await found(models, data__s="txt") == []
    row = await loaded(models, "name")
    row.data = {"fresh": 1}
    await do(models.session().add(row))
    assert (await loaded(models)).data == {"fresh": 1}


async def test_a_whole_value_replaces_all_leaves(models):
    await cross(models, GOLDEN)
    for names, value in (((), {"bla": {"foo": -1}}), (("data",), {"x": 1}), ((), {"y": {"z": [2]}})):
        row = await loaded(models, *names)
        row.data = value
        await do(models.session().add(row))
        assert (await loaded(models)).data == value


async def test_attributes_of_leaves_can_be_set(models):
    row = CrossData(name="a")
    row.data__price__bid = 1.5
    row.data__price = 2
    row.data__a = 1
    row.data__a__b = 2
    assert row.data == {"price": {"bid": 1.5, "": 2}, "a": {"": 1, "b": 2}}
    row.other__thing = 3
    assert row.__dict__["other__thing"] == 3
    await do(models.session().add(row))
    assert await found(models, data__price=2, data__a__b=2) == [1]


async def test_two_parts_of_one_row_in_one_commit_and_a_row_that_is_gone(models):
    await cross(models, GOLDEN)
    one, two, three = [await loaded(models, f"data__{name}") for name in ("s", "l", "n")]
    one.data__s, two.data__l = "one", "two"
    async with transaction(models.session()) as t:
        t.add(one)
        await do(models.crossdata.filter(id=99).all())
    await do(models.session().add(two))
    assert (await loaded(models)).data == {**STORED, "s": "one", "l": "two"}
    await do(models.crossdata.filter(id=1).delete())
    three.data__n = 5
    with pytest.raises(CommitException, match="does not exist any more"):
        await do(models.session().add(three))
    assert await do(models.crossdata.count()) == 0


async def test_more_leaves_are_loaded_later(models):
    await cross(models, GOLDEN)
    row = await loaded(models, "data__pv", "data__s")
    row.data__s = "mine"
    load = row.load_fields if isinstance(models, odm.Router) else row.aload_fields
    await do(load("data__l"))
    assert row.data == {"pv": 0.5, "s": "mine", "l": [1, 2]}
    await do(load())
    assert (row.name, row.data) == ("n0", {**STORED, "s": "mine"})
    await do(models.session().add(row))
    assert (await loaded(models)).data == {**STORED, "s": "mine"}
