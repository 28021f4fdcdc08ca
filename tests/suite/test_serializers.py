"""json and csv, the registry of serializers, and what every serializer keeps: ids, values and relations."""

from __future__ import annotations

import csv
import json
from datetime import date, datetime
from io import StringIO
from typing import Any

import pytest

from stdnet import CommitException, FieldValueError, InvalidTransaction, odm
from stdnet.errors import BadRow, SerializerError, UnknownSerializer

from ..conftest import do, round_trips, transaction
from .instances import full
from .models import Country, Event, Fund, SimpleModel, Word
from .relation_models import Club, Entry, Group, Member, Membership, Node, Person, Profile, Remark, Role, User

MODELS = [SimpleModel, Fund, Country, Word, Event, Person, Node, Remark, Profile, Member, User]
FORMATS = ["csv", "json", "jsonl"]


async def dumped(models: Any, name: str, *sources: Any, **options: Any) -> Any:
    """Return the serializer after it took ``sources``."""
    serializer = odm.get_serializer(name, **options)
    for source in sources:
        await do((serializer.adump if isinstance(models, odm.AsyncRouter) else serializer.dump)(source))
    return serializer


async def written(models: Any, serializer: Any, stream: Any = None) -> Any:
    return await do((serializer.awrite if isinstance(models, odm.AsyncRouter) else serializer.write)(stream))


async def text_of(models: Any, name: str, *sources: Any, **options: Any) -> str:
    """Return the text of a dump."""
    stream = await written(models, await dumped(models, name, *sources, **options))
    return str(stream.getvalue())


async def load(models: Any, serializer: Any, stream: Any, model: Any = None) -> int:
    if isinstance(serializer, str):
        serializer = odm.get_serializer(serializer)
    verb = serializer.aload if isinstance(models, odm.AsyncRouter) else serializer.load
    return int(await do(verb(models, stream, model)))


async def everything(models: Any) -> dict[str, list[dict[str, Any]]]:
    """Return all rows of all models, as scalars with their ids, without what is not dumped."""
    return {
        str(manager.meta): [row.todict(exclude_cache=True) for row in await do(manager.all())] for manager in models
    }


async def populate(models: Any) -> None:
    """Store rows of each kind: relations of all sorts, own and composite ids, gaps in the ids."""
    group, role, club = Group(name="g", description='a "quoted", text\r\nwith lines'), Role(name="r"), Club(name="c")
    async with transaction(models.session()) as t:
        t.add(full())
        for name in ("é", "x;y", " ", "-1"):
            t.add(Fund(name=name, ccy="EUR", price=0.1, opened=date(2001, 2, 3), active=name == "é"))
        t.add(Country(code="it", name="Italy"))
        t.add(Event(when=datetime(1999, 12, 31, 23, 59, 59, 999999)))
        t.add(Person(name="p", group=group))
        t.add(Remark(entry=Entry(book="b", word="w"), text="t"))
        for each in (role, club, profile := Profile(name="p"), member := Member(name="m")):
            t.add(each)
        root = t.add(Node(weight=float("inf")))
        t.add(Node(parent=root, weight=-0.0))
        one, two = t.add(User(name="one")), t.add(User(name="two"))
    await do(models.fund.filter(name="x;y").delete())
    session = models.session()
    for each in (profile, member, one, two):
        each.session = session
    async with transaction(session):
        await do(profile.roles.add(role))
        await do(member.clubs.add(club, level=3, note="n"))
        await do(one.following.add(two))
        await do(two.following.add(one))


# -- what is kept -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["json", "jsonl"])
async def test_a_whole_router_comes_back_with_ids_and_relations(models, name):
    await populate(models)
    before = await everything(models)
    text = await text_of(models, name, models)
    await do(models.flush())
    assert sum(map(len, (await everything(models)).values())) == 0
    assert await load(models, name, text) == sum(map(len, before.values()))
    assert await everything(models) == before
    profile = await do(models.profile.query().load_related("roles").get(name="p"))
    assert [role.name for role in await do(profile.roles.all())] == ["r"]
    assert (await do(models[Membership].get())).level == 3
    assert await do(models.user.filter(following__name="one", name="two").count()) == 1
    assert await do(models.remark.filter(entry__word="w").count()) == 1
    assert await do(models.node.filter(parent__weight__gt=1e308).count()) == 1
    # the id counter is beyond the ids that were loaded
    assert (await do(models.fund.new(name="next", ccy="EUR"))).id == 5


@pytest.mark.parametrize("model", [SimpleModel, Fund, Country, Event, Person, Remark, Entry, Node, Membership])
@pytest.mark.parametrize("name", FORMATS)
async def test_one_model_comes_back(models, name, model):
    await populate(models)
    rows = await do(models[model].all())
    text = await text_of(models, name, models[model].query())
    await do(models[model].flush())
    assert await load(models, name, text, model) == len(rows)
    again = await do(models[model].all())
    assert again == rows
    for row, source in zip(again, rows, strict=True):
        assert row.todict(exclude_cache=True) == source.todict(exclude_cache=True)
        assert row.get_state().persistent


@pytest.mark.parametrize("name", FORMATS)
async def test_loading_replaces_rows_of_the_same_id_and_leaves_the_others(models, name):
    rows = [await do(models.fund.new(name=name, ccy="EUR", size=1)) for name in "ab"]
    text = await text_of(models, name, rows[:1])
    rows[0].size = rows[1].size = 9
    async with transaction(models.session()) as t:
        t.add(rows[0])
        t.add(rows[1])
    assert await load(models, name, text, Fund) == 1
    assert [(fund.name, fund.size) for fund in await do(models.fund.all())] == [("a", 1), ("b", 9)]


@pytest.mark.parametrize("name", FORMATS)
async def test_a_dump_of_a_part_of_the_rows_in_an_order(models, name):
    await populate(models)
    text = await text_of(models, name, models.fund.filter(ccy="EUR").exclude(name=" ").sort_by("-name"))
    await do(models.fund.flush())
    assert await load(models, name, text, Fund) == 2
    assert [(fund.id, fund.name) for fund in await do(models.fund.all())] == [(1, "é"), (4, "-1")]


@pytest.mark.parametrize("name", FORMATS)
async def test_blank_text_is_not_the_default(models, name):
    class Labelled(odm.StdModel):
        label = odm.SymbolField(default="none", required=False)
        data = odm.ByteField(default=b"x")
        size = odm.IntegerField(default=7)

        class Meta:
            app_label = "suite"
            register = False

    models.register(Labelled)
    await do(models.labelled.new(label="", data=b"", size=0))
    await do(models.labelled.new())
    text = await text_of(models, name, models[Labelled])
    await do(models.labelled.flush())
    assert await load(models, name, text, Labelled) == 2
    found = [(row.label, row.data, row.size) for row in await do(models.labelled.all())]
    assert found == [("", b"", 0), ("none", b"x", 7)]


@pytest.mark.parametrize("name", FORMATS)
async def test_lists_managers_and_related_managers_can_be_dumped(models, name):
    group = Group(name="g")
    async with transaction(models.session()) as t:
        people = [t.add(Person(name=name, group=group)) for name in "ab"]
    texts = [
        await text_of(models, name, source)
        for source in (people, iter(people), models.person, models.person.query(), group.person_group_set)
    ]
    assert texts == texts[:1] * 5
    assert "g" not in texts[0].replace("group", "").replace("hash", "")


@pytest.mark.parametrize("name", FORMATS)
async def test_what_cannot_be_dumped(models, name):
    await do(models.fund.new(name="a", ccy="EUR"))
    for source in (5, None, "fund", Fund, [5], [Fund], models.fund.query().get_field("name"), [Fund(name="b")]):
        with pytest.raises(SerializerError, match=r"Cannot dump|id"):
            await text_of(models, name, source)


@pytest.mark.parametrize("name", FORMATS)
async def test_nothing_is_dumped(models, name):
    for source in (models.fund.query(), models.fund.filter(name="x"), []):
        text = await text_of(models, name, source)
        assert text == {"json": "[]", "jsonl": "", "csv": "" if source == [] else "id\n"}[name]
        assert await load(models, name, text, Fund) == 0


@pytest.mark.parametrize("name", FORMATS)
async def test_streams_are_open_files_texts_and_paths(models, name, tmp_path):
    await do(models.fund.new(name="é", ccy="EUR"))
    serializer, path = await dumped(models, name, models.fund), tmp_path / "funds"
    assert await written(models, serializer, path) is path
    text = path.read_bytes().decode()
    with (tmp_path / "other").open("w", encoding="utf-8", newline="") as file:
        assert await written(models, serializer, file) is file
    assert (await written(models, serializer)).getvalue() == (tmp_path / "other").read_bytes().decode() == text
    with path.open(encoding="utf-8", newline="") as file:
        for stream in (path, text, StringIO(text), file, "\ufeff" + text):
            assert await load(models, name, stream, Fund) == 1
            assert (await do(models.fund.get())).name == "é"
    for stream in (5, b"bytes", "path"):
        with pytest.raises(SerializerError, match="open text file"):
            await written(models, serializer, stream)
    with pytest.raises(SerializerError, match="open text file"):
        await load(models, name, 5, Fund)
    with pytest.raises(FileNotFoundError):
        await load(models, name, tmp_path / "none", Fund)


@pytest.mark.parametrize("name", FORMATS)
async def test_the_verbs_of_the_other_kind_of_program(models, name, tmp_path):
    row = await do(models.fund.new(name="a", ccy="EUR"))
    serializer = odm.get_serializer(name)
    is_async = isinstance(models, odm.AsyncRouter)
    cure = "Write: " + ("await serializer" if is_async else "serializer")
    if name == "jsonl":
        serializer.dump(models.fund)
    verbs = (
        {"dump": (models.fund,), "load": (models, "", Fund)} if name != "jsonl" else {"write": (), "load": (models, "")}
    )
    for verb, arguments in verbs.items():
        with pytest.raises(InvalidTransaction, match=cure):
            await do(getattr(serializer, verb if is_async else f"a{verb}")(*arguments))
    # instances need no session, so either verb takes them
    serializer = odm.get_serializer(name)
    serializer.dump([row])
    assert "EUR" in serializer.write().getvalue()


@pytest.mark.parametrize("name", FORMATS)
async def test_loading_fires_no_commit_signals(models, name):
    await do(models.fund.new(name="a", ccy="EUR"))
    text, fired = await text_of(models, name, models.fund), []
    for event in (models.pre_commit, models.post_commit):
        event.bind(lambda *args, **kwargs: fired.append(args))
    await load(models, name, text, Fund)
    assert fired == []


@pytest.mark.parametrize("name", FORMATS)
async def test_a_refused_row_is_named_and_nothing_of_its_batch_is_stored(models, name):
    await do(models.fund.new(id=9, name="taken", ccy="EUR"))
    rows = [Fund(id=n, name="taken" if n == 3 else f"n{n}", ccy="EUR") for n in range(1, 5)]
    text = await text_of(models, name, rows)
    with pytest.raises(BadRow, match=r'[34] cannot be loaded: .*Unique constraint "name" violated') as info:
        await load(models, name, text, Fund)
    assert info.value.line == (4 if name == "csv" else 3)
    assert isinstance(info.value.__cause__, CommitException)
    assert [fund.id for fund in await do(models.fund.all())] == [9]
    rows[1].ccy = ""
    with pytest.raises(BadRow, match="Field 'ccy' is required") as info:
        await load(models, name, await text_of(models, name, rows), Fund)
    assert isinstance(info.value.__cause__, FieldValueError)
    assert (info.value.line, info.value.stored) == (3 if name == "csv" else 2, 0)
    assert await do(models.fund.count()) == 1


# -- json ---------------------------------------------------------------------------------------------------------


async def test_json_is_a_list_of_blocks(models):
    row = await do(models.session().add(full()))
    await do(models.country.new(code="it", name="Italy"))
    serializer = await dumped(models, "json", models.simplemodel.query(), models.fund.query(), models.country.query())
    first = {"model": "suite.simplemodel", "hash": SimpleModel._meta.hash, "data": [row.tojson()]}
    second = {"model": "suite.country", "hash": Country._meta.hash, "data": [{"code": "it", "name": "Italy"}]}
    assert serializer.data == [first, second]
    text = serializer.write().getvalue()
    assert json.loads(text) == [first, second]
    indented = await text_of(models, "json", models.country, indent=2, colour="red")
    assert indented == json.dumps([second], indent=2)
    assert await load(models, odm.get_serializer("json", indent=2), indented) == 1


async def test_json_takes_instances_of_several_models(models):
    await populate(models)
    rows = [*await do(models.country.all()), *await do(models.word.all()), *await do(models.event.all())]
    serializer = await dumped(models, "json", rows)
    assert [block["model"] for block in serializer.data] == ["suite.country", "suite.event"]


async def test_json_is_one_transaction_for_each_block(models):
    await populate(models)
    text = await text_of(models, "json", models.fund, models.country)
    async with round_trips(models, 2):
        await load(models, "json", text)
    async with round_trips(models, 1):
        assert await load(models, "json", text, Country) == 1


async def test_json_skips_models_that_are_not_registered(models, caplog):
    await populate(models)
    text = await text_of(models, "json", models.fund, models.country)
    models.unregister(Fund)
    assert await load(models, "json", text) == 1
    assert 'Skipped a dump of "suite.fund"' in caplog.text


async def test_json_hooks(models):
    await populate(models)
    text = await text_of(models, "json", models.fund, models.country)
    seen: list[Any] = []

    class Picky(odm.JsonSerializer):
        def on_load_model(self, model, block):
            seen.append((model, len(block["data"])))
            return None if model is Fund else model

        def on_finished_load(self):
            seen.append("end")

    assert await load(models, Picky(), text) == 1
    assert seen == [(Fund, 3), (Country, 1), "end"]


@pytest.mark.parametrize(("text", "place"), [
    ("", "Line 1"), ("[\n{", "Line 2"), ("{}", "Block 1"), ("[5]", "Block 1"), ('[{"hash": "x"}]', "Block 1"),
    ('[{"hash": "HASH", "data": [{"name": "a", "ccy": "x"}, 5]}]', 'Row of "suite.fund", number 2'),
    ('[{"hash": "HASH", "data": [{"name": "a", "size": "x"}]}]', 'Row of "suite.fund", number 1'),
    ('[{"hash": "HASH", "data": [{"name": "a"}]}]', 'Row of "suite.fund", number 1'),
])  # fmt: skip
async def test_json_that_cannot_be_loaded(models, text, place):
    with pytest.raises(BadRow, match=f"^{place} cannot be loaded: ") as info:
        await load(models, "json", text.replace("HASH", str(Fund._meta.hash)))
    assert info.value.stored == 0
    assert await do(models.fund.count()) == 0


# -- csv ----------------------------------------------------------------------------------------------------------


async def test_csv_has_a_header_and_the_values_of_json(models):
    await populate(models)
    rows = await do(models.fund.all())
    text = await text_of(models, "csv", models.fund)
    found = list(csv.DictReader(StringIO(text)))
    assert list(found[0]) == ["id", "name", "ccy", "size", "price", "opened", "active"]
    assert [row["name"] for row in found] == ["é", " ", "-1"]
    assert (found[0]["active"], found[1]["active"], found[0]["price"]) == ("true", "false", "0.1")
    assert float(found[0]["opened"]) == rows[0].tojson()["opened"]


async def test_csv_options(models):
    await populate(models)
    options = {"delimiter": ";", "quotechar": "'", "lineterminator": "\r\n"}
    text = await text_of(models, "csv", models.country, **options)
    assert text == "code;name\r\nit;Italy\r\n"
    assert await load(models, odm.get_serializer("csv", **options), text, Country) == 1


async def test_csv_is_of_one_model(models):
    await populate(models)
    serializer = await dumped(models, "csv", models.country)
    for source in (models.country, models.fund):
        with pytest.raises(SerializerError, match="one model"):
            await do((serializer.adump if isinstance(models, odm.AsyncRouter) else serializer.dump)(source))
    mixed = [*await do(models.country.all()), *await do(models.event.all())]
    for source in (models, mixed):
        with pytest.raises(ValueError, match="one model"):
            await dumped(models, "csv", source)
    with pytest.raises(SerializerError, match="of which model"):
        await load(models, "csv", "code,name\n")


async def test_csv_of_others_may_lack_ids(models):
    text = "name,ccy,id,what\nx,EUR,,1\ny,USD,7,2\n\nz,CHF,,3\n"
    assert await load(models, "csv", text, Fund) == 3
    found = {fund.name: fund.id for fund in await do(models.fund.all())}
    assert found.keys() == {"x", "y", "z"}
    assert (found["y"], len(set(found.values()))) == (7, 3)


async def test_a_cell_may_be_of_any_length(models):
    await do(models.fund.new(name="a", ccy="EUR", description="x" * 200_000))
    text = await text_of(models, "csv", models.fund)
    assert await load(models, "csv", text, Fund) == 1
    assert len((await do(models.fund.get())).description) == 200_000
    assert csv.field_size_limit() == 131_072


@pytest.mark.parametrize(("text", "line", "problem"), [
    ('name,ccy\n"a\nb",EUR\nx\n', 4, "1 cells, and the header has 2"),
    ('name,ccy\na,EUR\n"b,USD\n', 3, "not CSV"),
    ('name,ccy,size\n"a\nb",EUR,1\nb,EUR,many\n', 4, "not an integer"),
])  # fmt: skip
async def test_csv_that_cannot_be_loaded(models, text, line, problem):
    with pytest.raises(BadRow, match=f"Line {line} cannot be loaded: .*{problem}") as info:
        await load(models, "csv", text, Fund)
    assert (info.value.line, await do(models.fund.count())) == (line, 0)


# -- the registry -------------------------------------------------------------------------------------------------


async def test_the_registry():
    assert odm.all_serializers() == FORMATS
    for name, made in zip(FORMATS, (odm.CsvSerializer, odm.JsonSerializer, odm.JsonLinesSerializer), strict=True):
        assert type(odm.get_serializer(name)) is made
        assert odm.get_serializer(name) is not odm.get_serializer(name)
    with pytest.raises(UnknownSerializer, match='Did you mean "json"') as info:
        odm.get_serializer("jsn")
    assert isinstance(info.value, ValueError)

    class Own(odm.Serializer):
        arguments = ("depth",)
        default_options = {"depth": 1, "width": 2}  # noqa: RUF012

    for given in (Own, Own()):
        odm.register_serializer("own", given)
        assert odm.all_serializers() == ["csv", "json", "jsonl", "own"]
        assert odm.get_serializer("own", depth=3, width=4, height=5).options == {"depth": 3, "width": 2}
        assert odm.unregister_serializer("own") is Own
        assert odm.unregister_serializer("own") is None
    with pytest.raises(SerializerError, match=r"odm\.Serializer"):
        odm.register_serializer("own", dict)  # type: ignore[arg-type]


async def test_the_base_leaves_everything_to_its_subclasses(models):
    serializer = odm.Serializer()
    assert serializer.data == []
    blocking = not isinstance(models, odm.AsyncRouter)
    for verb, arguments in (("dump", ([],)), ("write", ()), ("load", (models, ""))):
        with pytest.raises(NotImplementedError, match="Serializer does not say how"):
            await do(getattr(serializer, verb if blocking else f"a{verb}")(*arguments))
