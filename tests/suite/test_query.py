"""What a query is: a value, lazy, and remembered; its composition, its verbs and what they refuse."""

from __future__ import annotations

import pickle

import pytest

from stdnet import InvalidTransaction, ObjectNotValidated, QuerySetError, odm
from stdnet.errors import BadExpression, ObjectNotFound, UnknownField

from ..conftest import do, round_trips, transaction
from .golden import again, codes, simple, store
from .models import Country, Fund, SimpleModel

MODELS = [SimpleModel, Country]


async def test_every_method_returns_a_new_query_and_leaves_the_receiver(models):
    q = await simple(models)
    others = [
        q.filter(code="a"),
        q.exclude(code="a"),
        q.union(q),
        q.intersect(q),
        q.where("this.number > 3"),
        q.sort_by("code"),
        q.load_only("code"),
        q.dont_load("code"),
        q.get_field("code"),
        q.load_only(),
        q.sort_by(None),
    ]
    assert len({id(each) for each in [q, *others]}) == 12
    assert all(type(each) is type(q) for each in others)
    assert await codes(q) == "a b c d"


async def test_calls_without_arguments_return_the_query_itself(models):
    q = models.session().query(SimpleModel)
    assert q.filter() is q
    assert q.exclude() is q
    assert q.where("") is q
    projected = q.get_field("code")
    assert projected.get_field("code") is projected


async def test_nothing_is_sent_before_a_result_is_asked_for(models):
    async with round_trips(models, 0):
        q = models.session().query(SimpleModel).filter(code="a", nothing=1).exclude(group="g").sort_by("-code")
        q.union(q).intersect(q).load_only("code").get_field("id")
    with pytest.raises(UnknownField, match=r'Field "nothing" does not exist'):
        await do(q.all())


async def test_results_and_counts_are_remembered(models):
    q = await simple(models)
    fresh = q.filter(group="g1")
    assert not fresh.executed
    async with round_trips(models, 1):
        assert await do(fresh.count()) == 2
        assert await do(fresh.count()) == 2
    assert fresh.executed
    async with round_trips(models, 1):
        first = await do(fresh.all())
        assert await do(fresh.all()) is first
        assert await do(fresh[0]) is first[0]
        assert await do(fresh[-1:]) == first[1:]
        assert await do(fresh.items(callback=len)) == 2
    await store(models, SimpleModel(code="e", group="g1"))
    assert await do(fresh.count()) == 2
    assert await do(fresh.all()) is first
    assert await codes(fresh.filter()) == "a b"
    assert await codes(fresh.sort_by(None)) == "a b e"


async def test_all_makes_the_count_known(models):
    q = await simple(models)
    async with round_trips(models, 1):
        await do(q.all())
        assert q.executed
        assert await do(q.count()) == 4


async def test_two_queries_give_equal_but_distinct_instances(models):
    q = await simple(models)
    (first,), (second,) = await do(q.filter(code="a").all()), await do(q.filter(code="a").all())
    assert first == second
    assert first is not second
    assert first.session is q.session


async def test_repr_of_a_query_and_of_its_results(models):
    q = await simple(models)
    assert (repr(q), str(q)) == ("Query", "Query")
    loaded = await do(q.all())
    assert str(q) == str(loaded) == "[SimpleModel: a, SimpleModel: b, SimpleModel: c, SimpleModel: d]"
    assert repr(q.exclude(code="a")) == "Query.exclude({'code': 'a'})"
    assert repr(q.where("this.number > 1").sort_by("-code")) == "Query.where('this.number > 1').sort_by('-code')"
    assert repr(q.union(q.filter(code="a"))) == "Query.union(Query.filter({'code': 'a'}))"


async def test_a_query_cannot_be_pickled(models):
    with pytest.raises(TypeError, match="Pickle its results"):
        pickle.dumps(models.session().query(SimpleModel))


# -- composition ------------------------------------------------------------------------------------------------


async def test_the_order_of_calls_means_nothing(models):
    q = await simple(models)
    g1, g2, ad = q.filter(group="g1"), q.filter(group="g2"), q.filter(code=("a", "d"))
    assert await codes(g1.union(g2).intersect(ad)) == "a c"
    assert await codes(g1.intersect(ad).union(g2)) == "a c"
    assert await codes(q.exclude(code="a").filter(group="g1")) == "b"
    assert await codes(q.filter(group="g1").exclude(code="a")) == "b"
    assert await codes(g1.union(g2).exclude(code=("b", "c"))) == "a c"
    assert await codes(g1.where("this.number > 3").union(g2)) == "b c"


async def test_calls_add_up(models):
    q = await simple(models)
    a, b, c = (q.filter(code=code) for code in "abc")
    assert await codes(a.union(b).union(c)) == await codes(a.union(b, c)) == "a b c"
    assert await codes(q.intersect(a.union(b)).intersect(b.union(c))) == "b"
    assert await codes(q.intersect(a.union(b), b.union(c))) == "b"
    assert await codes(q.where("this.number > 3").where("this.number < 5")) == "b"


async def test_order_slices_and_loading_of_operands_mean_nothing(models):
    q = await simple(models)
    other = q.filter(code="a").sort_by("-code").load_only("id")
    row, *_ = await do(q.filter(code="b").union(other).all())
    assert (row.code, row.has_all_data) == ("a", True)


async def test_the_three_functions(models):
    q = await simple(models)
    g1, ab, ad = q.filter(group="g1"), q.filter(code=("a", "b")), q.filter(code=("a", "d"))
    assert await codes(odm.union([g1, ad])) == "a b d"
    assert await codes(odm.intersect([g1, ad])) == "a"
    assert await codes(odm.intersect([g1])) == "a b"
    assert await codes(odm.difference([ab, ad])) == "b"
    assert await codes(odm.difference([q])) == "a b c d"
    some = q.where("this.number > 4")
    assert await codes(odm.union([some, ad])) == "a c d"
    assert await codes(odm.intersect([some, q])) == "c"
    assert await codes(odm.difference([q, some, ad])) == "b"


async def test_a_projected_operand_gives_its_values_as_ids(models):
    session = await store(models, Country(code="a", name="A"), Country(code="c", name="C"), Country(code="x", name="X"))
    await simple(models)
    countries, simples = session.query(Country), session.query(SimpleModel)
    assert await codes(countries.intersect(simples.get_field("code"))) == "a c"
    assert await codes(countries.filter(name="X").union(simples.get_field("code"))) == "a c x"


async def test_what_is_not_a_query_cannot_be_combined(models):
    q = await simple(models)
    for operand in ([1], None, "a", SimpleModel):
        with pytest.raises(QuerySetError, match="Pass queries"):
            q.union(operand)
        with pytest.raises(QuerySetError, match="Pass queries"):
            q.intersect(operand)


# -- where ------------------------------------------------------------------------------------------------------


async def test_where(models):
    q = await simple(models)
    assert await codes(q.where("this.number >= 4 and this.group != 'g2'")) == "b"
    assert await codes(q.where("this.id in (1, 4)")) == "a d"
    assert await codes(q.where("this.number ~= 4")) == "a c"
    assert await codes(q.where("startswith(this.group, 'g') and len(this.code) == 1")) == "a b c"
    assert await codes(q.filter(group="g1").where("this.number * 2 == 8")) == "b"
    assert await do(q.where("this.number > 100").count()) == 0


@pytest.mark.parametrize(
    "code",
    ["this.nope == 1", "this.number >", "import os", "__import__('os')", "this.number = 3", "1", "\ud800", "(" * 99],
)
async def test_bad_expressions_are_refused_at_once(models, code):
    q = models.session().query(SimpleModel)
    with pytest.raises(BadExpression):
        q.where(code)


@pytest.mark.parametrize("code", [None, 5, b"this.number > 1", ["this.number > 1"]])
async def test_an_expression_is_text(models, code):
    with pytest.raises(QuerySetError):
        models.session().query(SimpleModel).where(code)


# -- verbs ------------------------------------------------------------------------------------------------------


async def test_get(models):
    q = await simple(models)
    async with round_trips(models, 1):
        assert (await do(q.get(code="b"))).number == 4
    assert (await do(q.filter(group="g1").get(code__startswith="a"))).id == 1
    with pytest.raises(SimpleModel.DoesNotExist, match="code='z'"):
        await do(q.get(code="z"))
    with pytest.raises(QuerySetError, match="Non unique") as info:
        await do(q.get(group="g1"))
    assert not isinstance(info.value, ObjectNotFound)
    with pytest.raises(SimpleModel.DoesNotExist):
        await do(q.filter(group="g1").get(group__contains="x"))
    assert (await do(q.filter(code="d").get())).id == 4


async def test_a_get_always_asks_the_server(models):
    q = await simple(models)
    first = await do(q.get(id=1))
    await store(models, SimpleModel(id=1, code="changed"))
    assert (await do(q.get(id=1))).code == "changed"
    assert first.code == "a"


async def test_membership(models):
    q = (await simple(models)).filter(group="g1")
    a, c = await do(q.get(code="a")), await do(q.session.query(SimpleModel).get(code="c"))
    assert await do(q.contains(a))
    assert await do(q.contains("2"))
    for other in (
        c,
        3,
        "3",
        SimpleModel(code="a"),
        Country(code="1", name="x"),
        None,
        "x",
        "",
        [],
        {},
        1.5,
        b"\xff",
        q,
    ):
        assert await do(q.contains(other)) is False
    values = q.get_field("code")
    assert [await do(values.contains(x)) for x in ("a", "c", 1)] == [True, False, False]


async def test_membership_with_another_pk(models):
    session = await store(models, Country(code="it", name="Italy"))
    q = session.query(Country)
    assert await do(q.contains("it"))
    assert await do(q.contains(await do(q.get(name="Italy"))))
    assert not await do(q.contains("fr"))


async def test_deleting_a_query(models):
    q = await simple(models)
    assert await do(q.filter(group="g1").sort_by("-code").load_only("code").delete()) == [1, 2]
    assert await do(q.filter(group="g1").delete()) is None
    assert await do(q.get_field("number").filter(code="d").delete()) == [4]
    assert await codes(again(q)) == "c"


async def test_deleting_a_query_of_another_session(models):
    q = await simple(models)
    with pytest.raises(ValueError, match="another session"):
        await do(models.session().delete(q))
    assert await do(q.count()) == 4


async def test_several_delete_queries_of_one_transaction_do_not_narrow_each_other(models):
    q = await simple(models)
    async with transaction(q.session) as t:
        assert t.delete(some := q.where("this.number > 4")) is some
        t.delete(q.filter(code="a"))
        t.delete(await do(q.get(code="d")))
    assert t.deleted.get(SimpleModel) == [1, 3, 4]
    assert await codes(q) == "b"


async def test_test_unique(models):
    q = await simple(models)
    a = await do(q.get(code="a"))
    assert await do(q.test_unique("code", "new")) == "new"
    assert await do(q.test_unique("code", "a", a)) == "a"
    with pytest.raises(SimpleModel.DoesNotValidate, match="An instance with code 'a' is already available"):
        await do(q.test_unique("code", "a"))
    with pytest.raises(ObjectNotValidated):
        await do(q.test_unique("code", "b", a))
    with pytest.raises(ObjectNotValidated):
        await do(q.test_unique("code", "a", SimpleModel(code="a")))
    with pytest.raises(ZeroDivisionError, match="already available"):
        await do(q.test_unique("code", "a", exception=ZeroDivisionError))
    with pytest.raises(ObjectNotValidated):
        await do(q.test_unique("group", "g1", a))
    with pytest.raises(UnknownField):
        await do(q.test_unique("nope", "a"))


async def test_a_query_without_rows_behaves_as_any_other(models):
    q = await simple(models)
    async with round_trips(models, 0):
        for empty in (q.session.empty(SimpleModel), models.simplemodel.empty(), q.filter(code=()), q.filter(id__in=[])):
            assert await do(empty.count()) == 0
            assert await do(empty.all()) == await do(empty.items()) == await do(empty[1:]) == []
            assert await do(empty.items(callback=len)) == 0
            assert await do(empty.get_field("code").all()) == []
            assert await do(empty.filter(group="g1").exclude(code="b").sort_by("code").all()) == []
            assert await do(empty.intersect(q).count()) == 0
            assert empty.meta is SimpleModel._meta
            assert empty.executed
            with pytest.raises(SimpleModel.DoesNotExist):
                await do(empty.get())
            with pytest.raises(IndexError):
                await do(empty[0])
    for empty in (q.session.empty(SimpleModel), q.filter(code=())):
        assert await codes(empty.union(q.filter(code="a"), q.filter(code="c"))) == "a c"
        assert await codes(q.filter(code="a").union(empty)) == "a"
        assert await codes(q.filter(code="a").intersect(empty)) == ""
        assert not await do(empty.contains(1))
        assert await do(empty.delete()) is None
    assert models.session().empty(SimpleModel).executed


async def test_a_model_that_the_router_does_not_know(models):
    session = models.session()
    for model in (Fund, Fund._meta, 5, "suite.fund", None, [], odm.StdModel):
        with pytest.raises(InvalidTransaction, match="not registered"):
            session.query(model)


@pytest.mark.parametrize("options", [{"nothing": 1}, {"farg": {}}])
async def test_unknown_options_of_a_query(models, options):
    with pytest.raises(QuerySetError, match="no option"):
        models.session().query(SimpleModel, **options)


async def test_options_of_a_query(models):
    q = await simple(models)
    made = q.session.query(SimpleModel, fargs={"group": "g1"}, eargs={"code": "a"}, fields=("code",))
    (row,) = await do(made.all())
    assert (row.code, row._loadedfields) == ("b", ("code",))
    assert await do(q.session.query(SimpleModel, get_field="code", fargs={"id": 1}).all()) == ["a"]
    with pytest.raises(UnknownField):
        q.session.query(SimpleModel, get_field="nope")


async def test_a_view_of_the_backend_query_shows_what_was_fetched(models):
    query = (await simple(models)).sort_by("code")
    view = query.backend_query()
    assert (view.executed, view.cache, view.plan) == (False, {}, query.construct())
    found = await do(query.all())
    assert query.backend_query().executed
    assert query.backend_query().cache[None] is found


async def test_more_excludes_never_bring_rows_back(models):
    query = await simple(models)
    assert await codes(query.exclude(number__ge=4)) == "a d"
    assert await codes(query.exclude(number__ge=4).exclude(number__ge=5)) == "a d"
    assert await codes(query.exclude(number__ge=4).exclude(number__gte=5)) == "a d"
    assert await codes(query.exclude(code__contains="b").exclude(code__contains="zzz")) == "a c d"


async def test_queries_of_another_model_or_backend_cannot_be_combined(models):
    query = await simple(models)
    other = type(models)("memory://")
    other.register(SimpleModel)
    for wrong in (models.country.query(), other.simplemodel.query()):
        for combined in (query.union(wrong), query.intersect(wrong)):
            with pytest.raises(QuerySetError, match="Cannot combine"):
                await do(combined.all())
