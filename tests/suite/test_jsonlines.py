"""jsonl: both directions stream, by batches that are all or nothing; a bad line is named, and progress is told."""

from __future__ import annotations

import json
from io import BytesIO, StringIO
from itertools import count
from typing import Any

import pytest

from stdnet import ConnectionError, odm
from stdnet.backends.base import FaultInjecting
from stdnet.errors import BadRow, SerializerError

from ..conftest import do, round_trips, transaction
from .models import Base, Country, Fund, SportAtDate, Word
from .relation_models import Entry, Group, Person, Remark
from .test_router import second  # noqa: F401
from .test_serializers import dumped, load, text_of, written

MODELS = [Fund, Country, Person, SportAtDate, Remark]


class CountingFile:
    """A text file that keeps no row: it knows what is written between round trips, and what was read so far."""

    def __init__(self, text: str = "") -> None:
        self.lines_written: list[int] = []
        self.lines_read = 0
        self._lines = iter(text.splitlines(keepends=True))

    def write(self, text: str) -> int:
        self.lines_written.append(text.count("\n"))
        return len(text)

    def __iter__(self) -> CountingFile:
        return self

    def __next__(self) -> str:
        self.lines_read += 1
        return next(self._lines)


def line(name: Any, data: dict[str, Any]) -> str:
    return json.dumps({"model": name, "data": data}) + "\n"


def funds(*numbers: int, **values: Any) -> str:
    return "".join(line("suite.fund", {"id": n, "name": f"f{n}", "ccy": "EUR", **values}) for n in numbers)


async def store_funds(models: Any, number: int) -> None:
    async with transaction(models.session()) as t:
        for n in range(1, number + 1):
            t.add(Fund(name=f"f{n}", ccy="USD" if n % 2 else "EUR"))


async def ids(models: Any) -> list[int]:
    return [fund.id for fund in await do(models.fund.all())]


# -- the form -----------------------------------------------------------------------------------------------------


async def test_a_line_is_complete_in_itself(models):
    await do(models.session().add(Fund(name="a\nb", ccy="é\u2028")))
    text = await text_of(models, "jsonl", models.fund, models.country)
    (fund,) = await do(models.fund.all())
    assert text.isascii()
    assert [json.loads(each) for each in text.splitlines()] == [{"model": "suite.fund", "data": fund.tojson()}]
    await do(models.fund.flush())
    assert await load(models, "jsonl", f"\n{text}\n  \n{line('suite.country', {'code': 'x', 'name': 'X'})}") == 2
    assert (await do(models.fund.get())).ccy == "é\u2028"


async def test_bytes_can_be_read(models):
    assert await load(models, "jsonl", BytesIO(funds(1, 2).encode())) == 2


# -- out ----------------------------------------------------------------------------------------------------------


async def test_dumping_asks_for_nothing_and_writing_for_one_batch_at_a_time(models):
    await store_funds(models, 10)
    done: list[int] = []
    async with round_trips(models, 0):
        serializer = await dumped(models, "jsonl", models.fund, batch_size=4, progress=done.append)
    file = CountingFile()
    async with round_trips(models, 3):
        assert await written(models, serializer, file) is file
    assert (file.lines_written, done) == ([4, 4, 2], [4, 8, 10])


async def test_rows_are_forgotten_before_the_next_are_asked_for(models, monkeypatch):
    await store_funds(models, 20)
    alive, most = 0, 0

    class Watched:
        def __init__(self) -> None:
            nonlocal alive, most
            alive += 1
            most = max(most, alive)

        def __del__(self) -> None:
            nonlocal alive
            alive -= 1

    tojson = Fund.tojson

    def watched(self: Any, *args: Any) -> Any:
        self.watched = Watched()
        return tojson(self, *args)

    monkeypatch.setattr(Fund, "tojson", watched)
    for source in (models.fund.query(), models.fund.filter(ccy="EUR").union(models.fund.filter(ccy="USD"))):
        most = 0
        serializer = await dumped(models, "jsonl", source, batch_size=5)
        await written(models, serializer, CountingFile())
        assert 5 <= most <= 10


@pytest.mark.parametrize("size", [1, 2, 3, 7, 10, 11, 1000])
async def test_each_row_is_written_once_in_order(models, size):
    await store_funds(models, 10)
    everything = models.fund.query()
    for query, expected in (
        (everything, list(range(1, 11))),
        (everything.filter(ccy="USD"), [1, 3, 5, 7, 9]),
        (everything.where("this.id > 3").exclude(id__gt=8), [4, 5, 6, 7, 8]),
        (everything.sort_by("-id"), list(range(10, 0, -1))),
        (everything.filter(id__in=(1,)).union(everything.filter(id__in=(9,))), [1, 9]),
        (everything.intersect(everything.filter(id__in=(2,))), [2]),
    ):
        text = await text_of(models, "jsonl", query, batch_size=size)
        assert [json.loads(each)["data"]["id"] for each in text.splitlines()] == expected


@pytest.mark.parametrize("size", [1, 2, 5])
async def test_models_with_text_ids_composite_ids_and_an_order(models, size):
    async with transaction(models.session()) as t:
        for code in ("b", "é", "a", "\U0001f600", "ab"):
            t.add(Country(code=code, name="x"))
            t.add(Remark(entry=Entry(book=code, word="w"), text="t"))
            t.add(SportAtDate(person="p", name=code, dt=len(code)))
    for model in (Country, Entry, Remark, SportAtDate):
        rows = await do(models[model].all())
        text = await text_of(models, "jsonl", models[model], batch_size=size)
        await do(models[model].flush())
        assert await load(models, odm.get_serializer("jsonl", batch_size=size), text) == 5
        assert await do(models[model].all()) == rows
    assert (await do(models.remark.query().load_related("entry")[0])).entry.book == "b"


@pytest.mark.parametrize("size", [1, 2, 3])
async def test_rows_that_are_deleted_and_added_meanwhile_hide_no_others(models, size):
    """Between two chunks rows before and after the place are deleted and added; what stays is dumped once."""
    await store_funds(models, 12)
    for change in ("before", "after", "all before", "everything"):
        await do(models.fund.flush())
        await store_funds(models, 12)
        session = models.session()
        doomed = {"before": [1, 2], "after": [11, 12], "all before": [1, 2, 3, 4, 5, 6], "everything": list(range(13))}

        class Meddling(CountingFile):
            ids: list[int]

            def write(self, text: str) -> int:
                self.ids += [json.loads(each)["data"]["id"] for each in text.splitlines()]
                return len(text)

        file, done = Meddling(), count()
        file.ids = []
        blocking = odm.Router(models.default_backend)
        blocking.register(Fund)

        def meddle(
            rows: int, change: str = change, doomed: Any = doomed, done: Any = done, other: Any = blocking
        ) -> None:
            if rows >= 6 and next(done) == 0:
                other.fund.filter(id__in=doomed[change]).delete()
                other.fund.new(name="new", ccy="EUR")

        serializer = await dumped(models, "jsonl", session.query(Fund), batch_size=size, progress=meddle)
        await written(models, serializer, file)
        kept = {"before": 12, "after": 10, "all before": 12, "everything": 6}[change]
        assert file.ids == [*range(1, kept + 1), 13]


async def test_instances_of_any_iterable_stream_too(models):
    await store_funds(models, 5)
    rows, taken = await do(models.fund.all()), []
    country = await do(models.country.new(code="it", name="Italy"))

    def generate() -> Any:
        for row in [*rows, country]:
            taken.append(row)
            yield row

    serializer = await dumped(models, "jsonl", generate(), batch_size=2)
    assert taken == []
    file = CountingFile()
    await written(models, serializer, file)
    assert (file.lines_written, len(taken)) == ([2, 2, 2], 6)


async def test_progress_can_end_a_dump(models):
    await store_funds(models, 9)

    def stop(rows: int) -> None:
        if rows == 6:
            raise KeyboardInterrupt

    file = CountingFile()
    serializer = await dumped(models, "jsonl", models.fund, batch_size=3, progress=stop)
    with pytest.raises(KeyboardInterrupt):
        await written(models, serializer, file)
    assert file.lines_written == [3, 3]


# -- in -----------------------------------------------------------------------------------------------------------


async def test_loading_reads_and_commits_one_batch_at_a_time(models):
    file, read = CountingFile(funds(*range(1, 11))), []
    serializer = odm.get_serializer("jsonl", batch_size=4, progress=lambda rows: read.append((rows, file.lines_read)))
    async with round_trips(models, 3):
        assert await load(models, serializer, file) == 10
    assert read == [(4, 5), (8, 9), (10, 11)]  # one line more than was stored, at most
    assert await ids(models) == list(range(1, 11))


@pytest.mark.parametrize(("bad", "problem"), [
    ("{", "not JSON"), ("[]", "it is not {"), ("5", "it is not {"), ('{"model": "suite.fund"}', "it is not {"),
    ('{"model": "suite.fund", "data": []}', "it is not {"), ('{"model": 5, "data": {}}', "it is not {"),
    ('{"model": "suite.fund", "data": {}, "lists": {}}', "it is not {"), ("[" * 100_000, "not JSON"),
    ('{"model": "suite.nope", "data": {}}', 'model "?\'?suite.nope.* is not registered'),
    ('{"model": "suite.fund", "data": {"name": "x", "ccy": "y", "size": "many"}}', "'many' is not an integer"),
    ('{"model": "suite.fund", "data": {"name": "x"}}', "Field 'ccy' is required"),
    ('{"model": "suite.fund", "data": {"id": "x", "name": "x", "ccy": "y"}}', "is not an integer id"),
    ('{"model": "suite.fund", "data": {"name": "f1", "ccy": "y"}}', 'Unique constraint "name" violated'),
])  # fmt: skip
async def test_a_bad_line_is_named_and_nothing_of_its_batch_is_stored(models, bad, problem):
    done: list[int] = []
    text = funds(1, 2, 3, 4) + bad + "\n" + funds(6, 7)
    with pytest.raises(BadRow, match=f"^Line 5 cannot be loaded: .*{problem}") as info:
        await load(models, odm.get_serializer("jsonl", batch_size=3, progress=done.append), text)
    assert (info.value.line, info.value.stored, done) == (5, 3, [3])
    assert "3 rows were stored before it" in str(info.value)
    assert isinstance(info.value, ValueError)
    assert await ids(models) == [1, 2, 3]


async def test_the_first_of_several_bad_lines_is_named(models):
    text = funds(1, 2) + "".join(line("suite.fund", {"id": n, "name": f"f{n}"}) for n in (9, 4, 5))
    with pytest.raises(BadRow, match="required") as info:
        await load(models, "jsonl", text)
    assert info.value.line == 3
    text = funds(7) + line("suite.fund", {"id": 9, "name": "f7", "ccy": "x"}) + funds(8)
    with pytest.raises(BadRow, match="violated") as info:
        await load(models, "jsonl", text)
    assert info.value.line == 2
    assert await ids(models) == []


async def test_text_that_cannot_be_decoded(models, tmp_path):
    path = tmp_path / "funds.jsonl"
    for name, bad in (
        ("jsonl", funds(1, 2).encode() + b'{"model": "suite.fund", "data": {"name": "\xff"}}\n'),
        ("csv", b"name,ccy\na,b\n\xff,c\n"),
    ):
        path.write_bytes(bad)
        with pytest.raises(BadRow, match=r"Line 3 cannot be loaded: .*surrogates"):
            await load(models, name, path, Fund)
        with path.open(encoding="utf-8") as file, pytest.raises(BadRow, match=r"Line . cannot be loaded: .*decode"):
            await load(models, name, file, Fund)
    for text in ('{"model": "\\ud800", "data": {}}', '{"model": "suite.fund", "data": {"name": "\\ud800"}}'):
        with pytest.raises(BadRow, match="Line 1 cannot be loaded: "):
            await load(models, "jsonl", text)
    assert await ids(models) == []


async def test_a_batch_is_of_one_backend(models, second):  # noqa: F811
    models.unregister(Country)
    models.register(Country, second)
    text = "".join(
        line("suite.country", {"code": str(n), "name": "x"}) if n % 3 == 0 else funds(n) for n in range(1, 8)
    )
    bad = line("suite.country", {"code": "x"})
    done: list[int] = []
    serializer = odm.get_serializer("jsonl", progress=done.append)
    with pytest.raises(BadRow) as info:
        await load(models, serializer, text + bad)
    assert (info.value.line, done) == (8, [2, 3, 5, 6, 7])
    assert await ids(models) == [1, 2, 4, 5, 7]
    assert await do(models.country.count()) == 2


async def test_one_model_of_many(models):
    text = funds(1) + line("suite.country", {"code": "x", "name": "X"}) + line("gone.model", {"id": 1}) + funds(2)
    assert await load(models, "jsonl", text, Fund) == 2
    assert (await ids(models), await do(models.country.count())) == ([1, 2], 0)
    assert await load(models, "jsonl", text, models.country) == 1
    with pytest.raises(KeyError, match="not registered"):
        await load(models, "jsonl", text, Word)


async def test_hooks(models):
    seen: list[Any] = []

    class Own(odm.JsonLinesSerializer):
        def on_load_model(self, model, block):
            seen.append((model, block))
            return None if model is Country else model

        def on_finished_load(self):
            seen.append("end")

    text = funds(1) + line("suite.country", {"code": "x", "name": "X"}) + funds(2)
    assert await load(models, Own(), text) == 2
    blocks = [(each, {"model": str(each._meta), "hash": each._meta.hash}) for each in (Fund, Country)]
    assert seen == [*blocks, "end"]


async def test_models_without_a_hash(models):
    class Loose(odm.StdModel):
        name = odm.SymbolField()

        class Meta:
            app_label = "suite"
            register = False

    models.register(Loose)
    await do(models.loose.new(name="x"))
    for name in ("json", "jsonl"):
        text = await text_of(models, name, models[Loose])
        await do(models.loose.flush())
        assert await load(models, name, text) == 1
        assert (await do(models.loose.get(id=1))).name == "x"


async def test_a_lost_connection_ends_the_load_after_whole_batches(models, server, router_class):
    trips = count()
    router = router_class(
        FaultInjecting(server, lambda when, requests: when == "before" and next(trips) == 2 and ConnectionError("no"))
    )
    router.register(Fund)
    done: list[int] = []
    with pytest.raises(ConnectionError):
        await load(router, odm.get_serializer("jsonl", batch_size=2, progress=done.append), funds(*range(1, 10)))
    assert (await ids(models), done) == ([1, 2, 3, 4], [2, 4])


async def test_children_may_come_before_their_parents(models):
    text = line("related.person", {"id": 1, "name": "p", "group": 7}) + line("related.group", {"id": 7, "name": "g"})
    assert await load(models, odm.get_serializer("jsonl", batch_size=1), text) == 2
    person = await do(models.person.query().load_related("group").get())
    assert (person.group, person.group.name) == (Group(id=7), "g")


@pytest.mark.parametrize("size", [0, -1, "5", None, 2.0, True])
async def test_a_batch_has_at_least_one_row(size):
    with pytest.raises(SerializerError, match="at least 1"):
        odm.get_serializer("jsonl", batch_size=size)


async def test_an_abstract_model_has_no_rows_to_dump(models):
    with pytest.raises(SerializerError, match="Cannot dump"):
        await dumped(models, "jsonl", Base)


async def test_a_stringio_is_made_if_there_is_no_stream(models):
    await do(models.fund.new(name="a", ccy="EUR"))
    stream = await written(models, await dumped(models, "jsonl", models.fund))
    assert isinstance(stream, StringIO)
    assert stream.getvalue().count("\n") == 1
