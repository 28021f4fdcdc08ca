"""jsonl with structure fields: what structures hold travels with its row, exactly, and is loaded in the same commit."""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import Any

import pytest

from stdnet import odm
from stdnet.contract import KINDS, Commit
from stdnet.errors import BadRow, SerializerError
from stdnet.odm.serializers.contents import read, written
from stdnet.utils import encoders

from ..conftest import do, round_trips
from .structures import Book, Chapter, Code, authors, book
from .test_serializers import load, text_of
from .test_structure_kinds import BAG, BagBase, BagField

INFINITE = float("inf")


class Exact(odm.StdModel):
    """Structures whose values are any bytes."""

    code = odm.SymbolField(primary_key=True)
    parts = odm.ListField(value_pickler=encoders.Bytes())
    things = odm.SetField(value_pickler=encoders.PythonPickle())
    ranks = odm.SetField(ordered=True, value_pickler=encoders.Bytes())
    facts = odm.HashField(pickler=encoders.Bytes(), value_pickler=encoders.Bytes())
    moments = odm.TimeSeriesField(value_pickler=encoders.Bytes(), pickler=encoders.Double())
    log = odm.StringField()

    class Meta:
        app_label = "shelf"


class Bagged(odm.StdModel):
    bag = BagField(value_pickler=encoders.Bytes())

    class Meta:
        app_label = "shelf"


class Refilled(BagBase):
    """What the structures of an application's kind need to be loaded from dumps."""

    def refill(self, content: Any) -> None:
        self.cache.delete()
        self.cache.add([value for value, count in content for _ in range(count)])


class Sack(Refilled, odm.BlockingStructure):
    pass


class AsyncSack(Refilled, odm.AwaitingStructure):
    pass


odm.twins(Sack, AsyncSack)


class SackField(odm.StructureField):
    def structure_class(self) -> Any:
        return Sack


class Sacked(odm.StdModel):
    sack = SackField(value_pickler=encoders.Bytes())

    class Meta:
        app_label = "shelf"


MODELS = [Book, Chapter, Code, Exact]
BYTES = [b"", b"\x00", b"text", "é\u2028".encode(), b"\xff\xfe", b'{"base64": "/w=="}', b'"', b"\n"]


async def fill(row: Any) -> None:
    """Let each structure of an ``Exact`` hold something."""
    await do(row.parts.extend(BYTES * 2))
    await do(row.things.update([1, "1", (2, None), date(2024, 1, 1)]))
    await do(row.ranks.update(list(zip((0.1, -INFINITE, INFINITE), BYTES, strict=False))))
    await do(row.facts.update(dict(zip(BYTES, reversed(BYTES), strict=True))))
    await do(row.moments.update([(1e300, b"late"), (-0.5, b"\xff"), (INFINITE, b"never")]))
    await do(row.log.push_back(b"\xff\x00text"))


async def contents(models: Any, model: Any) -> list[Any]:
    """Return what all structures of all rows hold."""
    query = models[model].query()
    fields = [field.name for field in model._meta.multifields if not field.class_field]
    for name in fields:
        query = query.load_related(name)
    return [(row.pkvalue(), [getattr(row, name).cache.cache for name in fields]) for row in await do(query.all())]


# -- whole ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 2, 1000])
async def test_any_bytes_come_back(models, size):
    for code in ("a", "b", "empty"):
        row = await do(models.exact.new(code=code))
        if code != "empty":
            await fill(row)
    before = await contents(models, Exact)
    text = await text_of(models, "jsonl", models.exact, batch_size=size)
    assert text.isascii()
    await do(models.exact.flush())
    assert await load(models, odm.get_serializer("jsonl", batch_size=size), text) == 3
    assert await contents(models, Exact) == before
    assert await text_of(models, "jsonl", models.exact) == text
    assert [len(content) for content in before[0][1]] == [16, 4, 3, 8, 3, 6]
    assert json.loads(text.splitlines()[2]) == {"model": "shelf.exact", "data": {"code": "empty"}, "structures": {}}


async def test_the_form_of_a_line(models):
    row = await book(models)
    await do(row.notes.extend([1, {"day": date(2024, 1, 1)}]))
    await do(row.ranks.update([(2, "b"), (INFINITE, "a")]))
    await do(row.facts.update({"k": 1}))
    await do(row.log.push_back(b"\xff"))
    (ann,) = await authors(models, "ann")
    await do(row.writers.push_back(ann))
    await do(models[Book].recent.push_back("of all books"))
    line = json.loads(await text_of(models, "jsonl", models[Book]))
    assert line["structures"] == {
        "notes": ["1", '{"day":{"__date__":1704067200}}'],
        "ranks": [[2.0, '"b"'], [{"float": "inf"}, '"a"']],
        "facts": [["k", "1"]],
        "log": {"base64": "/w=="},
        "writers": ["1"],
    }


async def test_a_whole_router(models):
    ann, bob = await authors(models, "ann", "bob")
    for title in ("one", "two"):
        row = await book(models, title)
        await do(row.writers.extend([bob, ann]))
        await do(row.best.update([(1, ann)]))
        await do(row.sales.update({datetime(2024, 1, 1, 0, 0, 0, 1): 7}))
        chapter = await do(models[Chapter].new(book=row))
        await do(chapter.lines.push_back(title))
    await do((await do(models[Code].new(code="é:x"))).uses.add("k", 0.1))
    before = [await contents(models, model) for model in MODELS]
    text = await text_of(models, "jsonl", models)
    await do(models.flush())
    await load(models, "jsonl", text)
    assert [await contents(models, model) for model in MODELS] == before
    row = await do(models[Book].get(title="two"))
    assert [author.name for author in await do(row.writers.items())] == ["bob", "ann"]


# -- one commit -----------------------------------------------------------------------------------------------------


async def test_rows_and_structures_are_one_commit_for_each_batch(models):
    for code in "abc":
        await fill(await do(models.exact.new(code=code)))
    async with round_trips(models, 2):
        text = await text_of(models, "jsonl", models.exact, batch_size=2)
    await do(models.exact.flush())
    models.counting.seen.clear()
    async with round_trips(models, 2):
        await load(models, odm.get_serializer("jsonl", batch_size=2), text)
    assert [type(request) for (request,) in models.counting.seen] == [Commit, Commit]


async def test_a_refused_batch_stores_no_structures(models):
    text = "".join(
        f'{{"model":"shelf.book","data":{{"id":{id},"title":"{title}"}},"structures":{{"notes":["1"]}}}}\n'
        for id, title in enumerate("abcc", 1)
    )
    with pytest.raises(BadRow, match=r"^Line 4 cannot be loaded: .*Unique") as info:
        await load(models, odm.get_serializer("jsonl", batch_size=2), text)
    assert (info.value.stored, await do(models[Book].count())) == (2, 2)
    await do(models[Book].new(id=3, title="other"))
    row = await do(models[Book].get(id=3))
    assert await do(row.notes.size()) == 0


async def test_what_is_there_is_replaced(models):
    row = await do(models.exact.new(code="a"))
    await fill(row)
    text = await text_of(models, "jsonl", models.exact)
    before = await contents(models, Exact)
    for _ in range(2):
        await do(row.parts.push_back(b"more"))
        await do(row.ranks.add(7, b"more"))
        await do(row.log.push_back(b"more"))
        assert await load(models, "jsonl", text) == 1
        assert await contents(models, Exact) == before
    assert await load(models, "jsonl", '{"model":"shelf.exact","data":{"code":"a"}}') == 1
    assert await contents(models, Exact) == before
    text = '{"model":"shelf.exact","data":{"code":"a"},"structures":{"log":"x","other":[1]}}'
    assert await load(models, "jsonl", text) == 1
    assert (await contents(models, Exact))[0][1] == [[], [], [], {}, {}, b"x"]


# -- what is dumped ---------------------------------------------------------------------------------------------------


async def test_conditions_orders_and_parts(models):
    for code in "abcd":
        await do((await do(models.exact.new(code=code))).parts.push_back(code.encode()))
    q = models.exact.query()
    for query in (q.filter(code__in=("b", "d")).sort_by("-code"), q.where("this.code == 'b' or this.code == 'd'")):
        lines = [json.loads(line) for line in (await text_of(models, "jsonl", query, batch_size=1)).splitlines()]
        assert {line["data"]["code"]: line["structures"] for line in lines} == {
            "b": {"parts": ["b"]}, "d": {"parts": ["d"]},
        }  # fmt: skip
    assert "structures" not in await text_of(models, "jsonl", q.load_only("code"))
    assert "structures" in await text_of(models, "jsonl", q.load_related("parts"))
    for name in ("json", "csv"):
        assert "parts" not in await text_of(models, name, q)


async def test_instances_bring_the_structures_of_their_rows(models):
    rows = [await do(models.exact.new(code=code)) for code in "ab"]
    for row in rows:
        await do(row.parts.push_back(row.code))
    (ann,) = await authors(models, "ann")
    loose = Exact(code="c")
    async with round_trips(models, 2):
        text = await text_of(models, "jsonl", [rows[0], ann, rows[1], rows[0], loose])
    found = [json.loads(line).get("structures") for line in text.splitlines()]
    assert found == [{"parts": ["a"]}, None, {"parts": ["b"]}, {"parts": ["a"]}, None]
    rows[0].session = None
    assert [json.loads(line).get("structures") for line in (await text_of(models, "jsonl", rows)).splitlines()] == [
        None, {"parts": ["b"]},
    ]  # fmt: skip
    await do(models.exact.filter(code="b").delete())
    assert "structures" not in await text_of(models, "jsonl", rows)


async def test_a_kind_of_an_application(models):
    models.register(Bagged)
    row = await do(models.bagged.new())
    await do(row.bag.add(b"a"))
    with pytest.raises(SerializerError, match=r"shelf\.bagged\.bag: Bag does not override refill"):
        await text_of(models, "jsonl", models.bagged)
    models.register(Sacked)
    row = await do(models.sacked.new())
    await do(row.sack.add(b"a", b"\xff", b"a"))
    text = await text_of(models, "jsonl", models.sacked)
    assert json.loads(text)["structures"] == {"sack": [["a", 2], [{"base64": "/w=="}, 1]]}
    for _ in range(2):
        await load(models, "jsonl", text)
        assert await do((await do(models.sacked.get())).sack.items()) == {b"a": 2, b"\xff": 1}


# -- what cannot be loaded ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("structures", "problem"), [
    ("5", "it is not {"), ("[]", "it is not {"), ("null", "it is not {"),
    ('{"parts": 5}', "not what a list holds"), ('{"parts": "text"}', "not what a list holds"),
    ('{"parts": [1]}', "not what a list holds"), ('{"parts": [{"base64": "!"}]}', "base64|padding|alphabet|Only"),
    ('{"parts": [{"base64": "", "x": 1}]}', "neither for bytes nor for a number"),
    ('{"parts": ["\\ud800"]}', "surrogates"), ('{"ranks": [["a", 1.0]]}', "not what a zset holds"),
    ('{"ranks": [[1.0]]}', "not what a zset holds"), ('{"ranks": [[NaN, "a"]]}', "not what a zset holds"),
    ('{"ranks": [[{"float": "nan"}, "a"]]}', "neither for bytes nor for a number"),
    ('{"ranks": [[true, "a"]]}', "not what a zset holds"), ('{"facts": {"a": "b"}}', "neither for bytes"),
    ('{"facts": [["a", 1]]}', "not what a hashtable holds"), ('{"moments": [["a", "b"]]}', "not what a ts holds"),
    ('{"log": ["a"]}', "not what a string holds"), ('{"log": null}', "not what a string holds"),
])  # fmt: skip
async def test_a_bad_line_is_named(models, structures, problem):
    text = '{"model":"shelf.exact","data":{"code":"a"}}\n'
    text += f'{{"model":"shelf.exact","data":{{"code":"b"}},"structures":{structures}}}\n'
    with pytest.raises(BadRow, match=f"Line 2 cannot be loaded: .*({problem})"):
        await load(models, "jsonl", text)
    assert await do(models.exact.count()) == 0


async def test_structures_need_the_id_of_their_row(models):
    with pytest.raises(BadRow, match='Line 1 cannot be loaded: it has structures and no "id"'):
        await load(models, "jsonl", '{"model":"shelf.book","data":{"title":"a"},"structures":{}}')


async def test_scores_may_be_whole_numbers(models):
    text = '{"model":"shelf.exact","data":{"code":"a"},"structures":{"ranks":[[1,"a"],[-0.0,"b"]]}}'
    await load(models, "jsonl", text)
    row = await do(models.exact.get(code="a"))
    assert repr(await do(row.ranks.irange())) == "[(0.0, b'b'), (1.0, b'a')]"


async def test_the_forms_of_raw_contents():
    raw = [[b"a", 2], [b"\xff", None], INFINITE]
    assert written(raw) == [["a", 2], [{"base64": "/w=="}, None], {"float": "inf"}]
    assert read(BAG, written(raw)) == raw
    assert read(KINDS["hashtable"], [["a", "b"]]) == [(b"a", b"b")]
