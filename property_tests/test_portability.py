"""Rows of every kind of field come back from json, csv, jsonl and pickles as they were, with ids and relations."""

from __future__ import annotations

import pickle
import sys
from io import StringIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stdnet import odm
from stdnet.errors import BadRow
from stdnet.utils import encoders

from .test_fields import META, VALUES, Everything, Rank, Side, same

FORMATS = ["csv", "json", "jsonl"]


class Token(odm.StdModel):
    key = odm.UUIDField(primary_key=True)

    class Meta:
        app_label = "property"


class Quote(odm.StdModel):
    """A row whose id is made of a key to another row and of numbers, dates and members of enums."""

    id = odm.CompositeIdField("token", "price", "span", "seen", "rank", "side")
    token = odm.ForeignKey(Token, related_name="quotes")
    price = odm.DecimalField(decimal_places=2)
    span = odm.TimeDeltaField(required=False)
    seen = odm.DateTimeField(tz="Europe/Zurich", required=False)
    rank = odm.EnumField(Rank, by="value")
    side = odm.EnumField(Side, required=False)
    notes = odm.ListField(value_pickler=encoders.Bytes())
    words = odm.SetField(value_pickler=encoders.Bytes())
    ranks = odm.SetField(ordered=True, value_pickler=encoders.Bytes())
    facts = odm.HashField(pickler=encoders.Bytes(), value_pickler=encoders.Bytes())
    moves = odm.TimeSeriesField(pickler=encoders.Double(), value_pickler=encoders.Bytes())
    log = odm.StringField()

    class Meta:
        app_label = "property"


class Holder(odm.StdModel):
    """A row with every kind of field, and keys to others; text and bytes whose defaults are not blank."""

    code = odm.SymbolField(primary_key=True)
    everything = odm.ForeignKey(Everything, related_name="holders")
    parent = odm.ForeignKey("self", required=False, related_name="children")
    label = odm.SymbolField(default="none", required=False)
    named = odm.ByteField(default=b"\x00")
    others = odm.ManyToManyField(Everything, related_name="linked")
    cached = odm.CharField(as_cache=True)

    class Meta:
        app_label = "property"


def text(strategy: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Return texts that CSV can hold; before Python 3.11 its reader refuses a NUL."""
    return strategy if sys.version_info >= (3, 11) else strategy.map(lambda value: value.replace("\0", ""))


ROWS = st.lists(
    st.fixed_dictionaries({}, optional={n: text(s) if n in ("symbol", "text") else s for n, s in VALUES.items()}),
    min_size=1,
    max_size=5,
)
HOLDERS = st.lists(
    st.fixed_dictionaries(
        {
            "code": text(VALUES["symbol"]).filter(bool),
            "everything": st.integers(1, 5),
            "others": st.sets(st.integers(1, 5), max_size=3),
        },
        optional={"parent": text(VALUES["symbol"]).filter(bool), "label": text(VALUES["symbol"]), "named": st.binary()},
    ),
    max_size=4,
    unique_by=lambda values: values["code"],
)


SOME = st.binary(max_size=3) | VALUES["symbol"].map(str.encode)
SCORES = st.floats(allow_nan=False)
QUOTES = st.lists(
    st.fixed_dictionaries(
        {
            "token": st.uuids(),
            "price": VALUES["price"].filter(lambda value: value is not None),
            "rank": st.sampled_from(Rank),
            "notes": st.lists(SOME, max_size=3),
            "words": st.sets(SOME, max_size=3),
            "ranks": st.lists(st.tuples(SCORES, SOME), max_size=3),
            "facts": st.dictionaries(SOME, SOME, max_size=3),
            "moves": st.dictionaries(SCORES, SOME, max_size=3),
            "log": SOME,
        },
        optional={name: VALUES[name] for name in ("span", "seen", "side")},
    ),
    max_size=4,
)
HELD = ("notes", "words", "ranks", "facts", "moves", "log")


def router() -> Any:
    models = odm.Router("memory://")
    models.register(Holder)
    models.register(Quote)
    return models


def quoted(quotes: list[dict[str, Any]]) -> Any:
    """Return a router with quotes, their tokens, and what their structures hold."""
    models = router()
    for values in quotes:
        contents = {name: values[name] for name in HELD}
        models.token.new(key=values["token"])
        row = models.quote.new(**{name: value for name, value in values.items() if name not in HELD})
        for name, content in contents.items():
            add = {"notes": "extend", "log": "push_back"}.get(name, "update")
            getattr(getattr(row, name), add)(content)
    return models


def held(models: Any) -> list[Any]:
    """Return what all structures hold, with the ids of their rows."""
    query = models.quote.query()
    for name in HELD:
        query = query.load_related(name)
    return [(row.id, [repr(getattr(row, name).cache.cache) for name in HELD]) for row in query.all()]


def populated(rows: list[dict[str, Any]], holders: list[dict[str, Any]]) -> Any:
    models = router()
    through = models.holder_everything.model
    with models.session().begin() as t:
        for n, values in enumerate(rows, 1):
            t.add(Everything(id=3 * n, **values))
        for values in holders:
            others = values.pop("others")
            t.add(Holder(cached="x", **values))
            for other in others:
                t.add(through(holder=values["code"], everything=other))
    return models


def stored(models: Any) -> dict[str, list[dict[str, Any]]]:
    """Return all values of all rows, without what is not dumped."""
    return {
        str(manager.meta): [
            {name: value for name, value in vars(row).items() if name[0] != "_" and name != "cached"}
            for row in manager.all()
        ]
        for manager in models
    }


def alike(one: Any, other: Any) -> bool:
    """Return whether values are the same, in dicts and lists, too."""
    if isinstance(one, dict) and isinstance(other, dict):
        return list(one) == list(other) and all(map(alike, one.values(), other.values()))
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(alike, one, other))
    return same(one, other)


@given(ROWS, HOLDERS, st.sampled_from(["json", "jsonl"]), st.integers(1, 5), st.integers(1, 5))
def test_a_database_comes_back_from_json(rows: Any, holders: Any, name: str, out: int, back: int) -> None:
    models = populated(rows, holders)
    serializer = odm.get_serializer(name, batch_size=out)
    serializer.dump(models)
    dump, again = serializer.write().getvalue(), router()
    number = odm.get_serializer(name, batch_size=back).load(again, dump)
    assert number == sum(map(len, stored(models).values()))
    assert alike(stored(again), stored(models))
    repeated = odm.get_serializer(name)
    repeated.dump(again)
    assert repeated.write().getvalue() == dump


@given(ROWS, HOLDERS, st.sampled_from([",", ";", "\t", '"']), st.sampled_from(["\n", "\r\n"]))
def test_models_come_back_from_csv(rows: Any, holders: Any, delimiter: str, end: str) -> None:
    models, again = populated(rows, holders), router()
    options = {"delimiter": delimiter, "lineterminator": end, "quotechar": "'" if delimiter == '"' else '"'}
    for manager in models:
        serializer = odm.get_serializer("csv", **options)
        serializer.dump(manager)
        dump = serializer.write().getvalue()
        odm.get_serializer("csv", **options).load(again, StringIO(dump, newline=""), manager.model)
    assert alike(stored(again), stored(models))


@given(QUOTES, st.sampled_from(FORMATS), st.integers(1, 5))
def test_ids_of_many_parts_and_structures_come_back(quotes: Any, name: str, size: int) -> None:
    models, again = quoted(quotes), router()
    for manager in models:
        serializer = odm.get_serializer(name, batch_size=size)
        serializer.dump(manager)
        dump = StringIO(serializer.write().getvalue(), newline="")
        odm.get_serializer(name, batch_size=size).load(again, dump, manager.model)
    assert alike(stored(again), stored(models))
    if name == "jsonl":
        assert held(again) == held(models)
    assert pickle.loads(pickle.dumps(models.quote.all())) == models.quote.all()


@given(ROWS, HOLDERS, st.integers(2, pickle.HIGHEST_PROTOCOL))
def test_rows_come_back_from_pickles(rows: Any, holders: Any, protocol: int) -> None:
    models = populated(rows, holders)
    for manager in models:
        found = manager.all()
        again = pickle.loads(pickle.dumps(found, protocol))
        assert again == found
        for one, other in zip(again, found, strict=True):
            assert alike(*({n: v for n, v in vars(each).items() if n != "_dbdata"} for each in (one, other)))
            assert one.get_state().persistent
            assert one.session is None


@given(ROWS, st.integers(0, 5), st.integers(1, 3), st.data())
def test_a_bad_line_stops_a_load_at_the_batch_before_it(rows: Any, place: int, size: int, data: st.DataObject) -> None:
    models = populated(rows, [])
    serializer = odm.get_serializer("jsonl")
    serializer.dump(models.everything)
    lines = serializer.write().getvalue().splitlines(keepends=True)
    place = min(place, len(lines))
    lines.insert(
        place, data.draw(st.sampled_from(["{\n", "[]\n", '{"model":"property.everything","data":{"id":"x"}}\n']))
    )
    again = router()
    with pytest.raises(BadRow) as info:
        odm.get_serializer("jsonl", batch_size=size).load(again, "".join(lines))
    assert info.value.line == place + 1
    assert again.everything.count() == info.value.stored
    assert info.value.stored % size == 0
    assert place - size <= info.value.stored <= place


def test_the_fields_of_the_strategies_are_those_of_the_model() -> None:
    assert set(VALUES) == {field.name for field in META.scalarfields}
