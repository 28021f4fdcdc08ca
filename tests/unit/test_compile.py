"""From the description of a query to a plan: which nodes come out, and how simple they are."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from stdnet import odm
from stdnet.contract import NOTHING, All, Diff, Eq, Ids, In, Intersect, Range, Scan, Union, Where
from stdnet.contract.plan import walk
from stdnet.errors import BadLookupValue, NotIndexed, QuerySetError, UnknownField, UnknownLookup
from stdnet.odm.compile import Every, alternatives, merge


class Ship(odm.StdModel):
    name = odm.SymbolField(unique=True)
    flag = odm.SymbolField(required=False)
    crew = odm.IntegerField(required=False, index=True)
    length = odm.FloatField(required=False)
    built = odm.DateField(required=False)
    seen = odm.DateTimeField(required=False, index=True)
    afloat = odm.BooleanField()
    log = odm.CharField()
    code = odm.IntegerField(unique=True, required=False)
    type_ = odm.SymbolField(required=False)

    class Meta:
        register = False


class Berth(odm.StdModel):
    number = odm.SymbolField(primary_key=True)

    class Meta:
        register = False


@pytest.fixture(params=[odm.Router, odm.AsyncRouter])
def session(request):
    models = request.param("memory://")
    models.register(Ship)
    models.register(Berth)
    return models.session()


PLANS = {
    "nothing": ({}, All()),
    "pk": ({"id": 1}, Ids((1,))),
    "pks": ({"id": (2, "1", 2, None)}, Ids((2, 1))),
    "no pk": ({"id": None}, NOTHING),
    "no value": ({"flag": ()}, NOTHING),
    "value": ({"flag": "it"}, Eq("flag", ("it",))),
    "values": ({"flag": ["it", "fr", "it"]}, Eq("flag", ("it", "fr"))),
    "blank": ({"crew": None}, Eq("crew", (None,))),
    "blank text": ({"crew": ""}, Eq("crew", (None,))),
    "boolean": ({"afloat": None}, Eq("afloat", (0,))),
    "unique": ({"name": b"x"}, Eq("name", ("x",))),
    "date": ({"built": date(1970, 1, 2)}, Eq("built", (86400,))),
    "no such day": ({"built": datetime(1970, 1, 2, 0, 0, 0, 1)}, NOTHING),
    "no such integer": ({"crew": (2.5, 2.0)}, Eq("crew", (2,))),
    "range": ({"crew__gt": 3}, Range("crew", low=3, low_open=True)),
    "both ends": ({"crew__ge": 3, "crew__lt": 9}, Range("crew", 3, 9, False, True)),
    "tighter": ({"crew__gt": 3, "crew__ge": 3, "crew__gte": 1}, Range("crew", low=3, low_open=True)),
    "fraction": ({"crew__gt": 2.5}, Range("crew", low=3)),
    "fraction below": ({"crew__lt": "2.5"}, Range("crew", high=2)),
    "infinity": ({"crew__lt": float("inf")}, Diff(All(), Eq("crew", (None,)))),
    "beyond infinity": ({"crew__gt": float("inf")}, NOTHING),
    "range of the pk": ({"id__le": 5}, Range("id", high=5)),
    "range of a moment": ({"seen__gt": datetime(1970, 1, 1, 0, 0, 1)}, Range("seen", low=1_000_000, low_open=True)),
    "unindexed range": ({"length__gt": 3}, Scan("length", "gt", 3.0)),
    "text range": ({"name__lt": "m"}, Scan("name", "lt", "m")),
    "unique integer": ({"code__gt": 5}, Range("code", low=5, low_open=True)),
    "text": ({"log__icontains": "storm"}, Scan("log", "icontains", "storm")),
    "number as text": ({"crew__startswith": 1}, Scan("crew", "startswith", "1")),
    "null": ({"flag__isnull": True}, Eq("flag", (None,))),
    "not null": ({"flag__isnull": False}, Diff(All(), Eq("flag", (None,)))),
    "unindexed null": ({"length__isnull": False}, Scan("length", "isnull", 0)),
    "pk null": ({"id__isnull": True}, NOTHING),
    "pk not null": ({"id__isnull": False}, All()),
    "two fields": ({"name": "x", "flag": "it"}, Intersect((Eq("flag", ("it",)), Eq("name", ("x",))))),
    "one field twice": ({"crew": 1, "crew__in": (2,)}, Eq("crew", (1, 2))),
    "values and range": (
        {"crew": (1, 2), "crew__gt": 1},
        Intersect((Eq("crew", (1, 2)), Range("crew", 1, None, True))),
    ),
    "nothing and more": ({"flag": (), "name": "x"}, NOTHING),
    "a name with an underscore": (
        {"type___contains": "x", "type_": "y"},
        Intersect((Eq("type_", ("y",)), Scan("type_", "contains", "x"))),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PLANS)
def test_filters(session, name):
    keywords, expected = PLANS[name]
    assert session.query(Ship).filter(**keywords).construct() == expected


@pytest.mark.parametrize("name", PLANS)
def test_a_single_exclude(session, name):
    keywords, inner = PLANS[name]
    plan = session.query(Ship).exclude(**keywords).construct()
    if len(keywords) == 1:
        assert plan == (All() if inner == NOTHING else Diff(All(), inner))
    elif keywords:
        assert isinstance(plan, (All, Diff))
    else:
        assert plan == All()


def test_excludes_are_united(session):
    q = session.query(Ship).filter(flag="it")
    it = Eq("flag", ("it",))
    assert q.exclude(crew__ge=1, crew__lt=5).construct() == Diff(
        it, Union((Range("crew", 1), Range("crew", None, 5, False, True)))
    )
    assert q.exclude(crew__gt=1).exclude(crew__gt=5).construct() == Diff(
        it, Union((Range("crew", 1, None, True), Range("crew", 5, None, True)))
    )
    assert q.exclude(flag=()).construct() == it
    assert session.query(Ship).filter(flag=()).exclude(crew=1).construct() == NOTHING


def test_composition(session):
    q = session.query(Ship)
    it, fr, x = Eq("flag", ("it",)), Eq("flag", ("fr",)), Eq("name", ("x",))
    a, b, c = q.filter(flag="it"), q.filter(flag="fr"), q.filter(name="x")
    assert a.union(b).intersect(c).construct() == Union((Intersect((it, x)), fr))
    assert a.exclude(name="x").intersect(b).construct() == Intersect((Diff(it, x), fr))
    assert q.union(a).construct() == Union((All(), it))
    assert q.intersect(a).construct() == q.intersect(a, q).construct() == it
    assert a.union(q.filter(flag=())).construct() == q.filter(flag=()).union(a).construct() == it
    assert a.intersect(q.filter(flag=())).construct() == NOTHING
    assert odm.union([a, b]).construct() == Union((it, fr))
    assert odm.intersect([a, b]).construct() == Intersect((it, fr))


def test_where_comes_last(session):
    plan = (
        session.query(Ship)
        .where("this.crew > 3")
        .filter(flag="it")
        .union(session.query(Ship).filter(name="x"))
        .construct()
    )
    assert isinstance(plan, Intersect)
    assert isinstance(plan.plans[0], Union)
    assert isinstance(plan.plans[1], Where)
    assert plan.plans[1].fields == ("crew",)


def test_queries_as_values(session):
    q = session.query(Ship)
    it, table = Eq("flag", ("it",)), Ship._meta.table
    a = q.filter(flag="it")
    assert q.filter(id=a).construct() == In("id", table, it, "id")
    assert q.filter(name=a.get_field("flag")).construct() == In("name", table, it, "flag")
    assert q.filter(id=[1, a]).construct() == Union((In("id", table, it, "id"), Ids((1,))))
    assert q.filter(name=["x", a.get_field("log")]).construct() == Union(
        (In("name", table, it, "log"), Eq("name", ("x",)))
    )
    assert q.filter(name=session.query(Berth)).construct() == In("name", Berth._meta.table, All(), "number")
    assert session.query(Berth).union(q.get_field("flag")).construct() == Union(
        (All(), In("number", table, All(), "flag"))
    )


def test_a_plan_is_compiled_once_and_not_inherited(session):
    q = session.query(Ship).filter(flag="it")
    assert q.construct() is q.construct()
    assert q.filter(name="x").construct() != q.construct()


def test_plans_are_hashable_values(session):
    q = (
        session.query(Ship)
        .filter(flag=["it", "fr"], crew__gt=3, log__contains="x")
        .exclude(id=[1])
        .where("this.crew < 9")
    )
    plan = q.union(session.query(Ship).filter(id=q)).construct()
    assert len(set(walk(plan))) > 5
    assert hash(plan) == hash(q.union(session.query(Ship).filter(id=q)).construct())


@pytest.mark.parametrize(("keywords", "error"), [
    ({"nope": 1}, UnknownField),
    ({"nam": 1}, UnknownField),
    ({"name__nope": 1}, UnknownLookup),
    ({"name__startswit": 1}, UnknownLookup),
    ({"log": "x"}, NotIndexed),
    ({"length__in": [1]}, NotIndexed),
    ({"crew__gt": None}, BadLookupValue),
    ({"crew__in": 5}, BadLookupValue),
    ({"id__in": "12"}, BadLookupValue),
])  # fmt: skip
def test_refusals(session, keywords, error):
    for query in (session.query(Ship).filter(**keywords), session.query(Ship).exclude(**keywords)):
        with pytest.raises(error) as info:
            query.construct()
        assert isinstance(info.value, QuerySetError)
        assert next(iter(keywords)).split("__")[0] in str(info.value)


def test_a_slip_of_the_pen_is_guessed(session):
    with pytest.raises(UnknownField, match='Did you mean "name"'):
        session.query(Ship).filter(nam=1).construct()
    with pytest.raises(UnknownLookup, match='Did you mean "startswith"'):
        session.query(Ship).filter(name__startswit=1).construct()


def test_merging_keeps_its_arguments():
    first = {"a": 1}
    assert merge(first, {"a": 2}) == {"a__in": {1, 2}}
    assert first == {"a": 1}
    assert merge({"a__in": [1]}, {"a": 2, "b": None}) == {"a__in": {1, 2}, "b": None}
    assert merge({"a": [1]}, {"a": ([2],)}) == {"a__in": [1, [2]]}
    assert merge({"a__GT": 1}, {"a__GT": 2}) == {"a__GT": Every((1, 2))}
    assert merge(merge({"a__gt": 1}, {"a__gt": 2}), {"a__gt": 3})["a__gt"] == (1, 2, 3)


def test_alternatives():
    assert alternatives("ab") == ["ab"]
    assert alternatives(b"ab") == [b"ab"]
    assert alternatives(None) == [None]
    assert alternatives({"a": 1, "b": 2}) == ["a", "b"]
    assert alternatives(range(2)) == [0, 1]
