"""docs/errors.md has each class of errors.py, with its parents, cause, cure, and a message that it really has."""

from __future__ import annotations

import builtins
import inspect
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from stdnet import errors, getdb, odm
from stdnet.backends.base import ReadOnlyServer
from stdnet.utils import encoders

PAGE = Path(__file__).parents[2] / "docs" / "errors.md"
CLASSES = {
    name: value
    for name, value in vars(errors).items()
    if isinstance(value, type) and issubclass(value, Exception) and value.__module__ == errors.__name__
}


class Entry(NamedTuple):
    """What the page says of one class."""

    parents: list[str]
    cause: str
    cure: str
    message: str


def words(text: str) -> str:
    """Return a text with every run of spaces and line ends as one space."""
    return " ".join(text.split())


@cache
def page() -> dict[str, Entry]:
    """Return the sections of the page by name."""
    found = {}
    for section in re.split(r"^### ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        name, _, body = section.partition("\n")
        head, _, rest = body.partition("**Cause.**")
        cause, _, rest = rest.partition("**Cure.**")
        cure, *blocks = rest.split("```")
        message = words(blocks[0]) if blocks else ""
        found[name.strip("`\n ")] = Entry(re.findall(r"`(\w+)`", head), words(cause), words(cure), message)
    return found


# -- how each error comes about -----------------------------------------------------------------------------------


class Fund(odm.StdModel):
    name = odm.SymbolField(unique=True)
    note = odm.CharField()
    size = odm.IntegerField(default=0)

    class Meta:
        app_label = "shop"


class Tag(odm.StdModel):
    name = odm.SymbolField()

    class Meta:
        app_label = "shop"


class Page(odm.StdModel):
    text = odm.CharField()
    version = odm.VersionField()

    class Meta:
        app_label = "shop"


class Book(odm.StdModel):
    notes = odm.ListField()

    class Meta:
        app_label = "shop"


class Position(odm.StdModel):
    fund = odm.ForeignKey(Fund, related_name="positions")
    tags = odm.ManyToManyField(Tag)

    class Meta:
        app_label = "shop"


def shop() -> Any:
    models = odm.Router("memory://")
    models.register(Position)
    models.fund.new(name="Alpha")
    models.fund.new(name="Beta")
    return models


def raising(error: BaseException) -> Callable[[], Any]:
    """Return a function that raises ``error``: for what takes a server, or another program, to come about."""

    def fail() -> None:
        raise error

    return fail


def committed_twice() -> None:
    transaction = shop().session().begin()
    transaction.commit()
    transaction.commit()


def mismatch() -> None:
    shop().fund.new(name="a")
    models = odm.Router("memory://errors-page")
    models.register(Fund)
    models.fund.new(name="a")
    other = odm.create_model("Other", modelkey="shop.fund")
    models.register(other)
    models[other].new()


def clash() -> None:
    shop().fund.new(name="Alpha")


def conflict() -> None:
    models = odm.Router("memory://")
    models.register(Page)
    first = models.page.new(text="draft")
    second = models.page.get(id=1)
    second.text = "final"
    second.save()
    first.text = "other"
    first.save()


def structure(cls: type[Any], id: str) -> Any:
    """Return a structure with a session."""
    models = odm.Router("memory://errors-page-structures")
    return models.session().add(models.register(cls(id=id)))


PROVOKED: dict[str, Callable[[], Any]] = {
    "StdNetException": clash,
    "ConnectionError": raising(errors.ConnectionError("Error 111 connecting to 127.0.0.1:6379. Connection refused.")),
    "ImproperlyConfigured": lambda: shop().register(int),
    "AbstractModel": odm.StdModel,
    "BadConnectionString": lambda: getdb("memory://?colour=red"),
    "UnknownScheme": lambda: getdb("mongo://localhost"),
    "MissingExtra": raising(errors.MissingExtra("redis://", "redis")),
    "TableMismatch": mismatch,
    "AnalyzerMismatch": raising(errors.AnalyzerMismatch("3 letters", "3 letters, double metaphone")),
    "AlreadyRegistered": lambda: odm.hashmodel(Fund),
    "DuplicateModel": lambda: odm.hashmodel(Fund),
    "ModelNotAvailable": raising(
        errors.ModelNotAvailable(
            "A pickle is of a model with the hash '5d6f2a01', and shop.models makes none that has it."
        )
    ),
    "SessionNotAvailable": lambda: Fund(name="Gamma").save(),
    "RelationNotLoaded": lambda: Position(fund=1).fund,
    "InvalidTransaction": committed_twice,
    "ReadOnly": lambda: registered(ReadOnlyServer(getdb("memory://"))).fund.new(name="a"),
    "ResponseError": raising(errors.ResponseError("The server refused a request: OOM command not allowed")),
    "CannotExpire": lambda: shop().fund.get(name="Alpha").expire(5),
    "CommitException": clash,
    "ConflictError": conflict,
    "CommitUnknown": raising(errors.CommitUnknown("b1946ac92492d2347c6235b4", "Connection reset by peer.")),
    "CallUnknown": raising(errors.CallUnknown("pop_front", "list", "Connection reset by peer.")),
    "WrongKind": raising(errors.WrongKind("shop.fund:id")),
    "FieldError": lambda: odm.ForeignKey(""),
    "FieldOptionError": lambda: odm.SymbolField(colour="red"),
    "NotARelation": lambda: shop().fund.query().load_related("position"),
    "FieldValueError": lambda: shop().fund.new(),
    "InvalidValue": lambda: Fund(name="a", size="many"),
    "InvalidKeyword": lambda: Fund(name="a", sise=3),
    "NotConvertible": lambda: encoders.Default().loads(b"\xff"),
    "WrongType": lambda: encoders.Bytes().dumps(5),
    "StructureFieldError": lambda: Book().notes,
    "StructureNotBound": lambda: odm.List(id="jobs").size(),
    "BadStructureValue": lambda: structure(odm.String, "x").push_back("many").incr(),
    "ManyToManyError": lambda: shop().position.new(fund=1).tags.add(Tag(name="t")),
    "ObjectNotValidated": lambda: shop().fund.query().test_unique("name", "Alpha"),
    "SerializerError": lambda: odm.get_serializer("csv").load(shop(), "name\n"),
    "UnknownSerializer": lambda: odm.get_serializer("jsn"),
    "BadRow": lambda: odm.get_serializer("jsonl").load(shop(), '{"model": "shop.fund", "data": {"size": "many"}}\n'),
    "QuerySetError": lambda: shop().fund.get(size__ge=0),
    "UnknownField": lambda: shop().fund.filter(nme="Alpha").all(),
    "UnknownLookup": lambda: shop().fund.filter(name__begins="A").all(),
    "NotIndexed": lambda: shop().fund.filter(note="x").all(),
    "BadLookupValue": lambda: shop().fund.filter(size__gt="many").all(),
    "BadExpression": lambda: shop().fund.where("this.sise > 3"),
    "BadAggregate": lambda: shop().fund.query().aggregate(total=odm.Sum("name")),
    "BadUpdate": lambda: shop().fund.query().update(name=odm.F("size") + 1),
    "ObjectNotFound": lambda: shop().fund.get(name="Gamma"),
}


def registered(backend: Any) -> Any:
    models = odm.Router(backend)
    models.register(Fund)
    return models


# -- the page -----------------------------------------------------------------------------------------------------


def test_no_class_is_missing_and_none_superfluous():
    assert {"missing": CLASSES.keys() - page().keys(), "superfluous": page().keys() - CLASSES.keys()} == {
        "missing": set(),
        "superfluous": set(),
    }


def test_each_class_is_there_once():
    headings = re.findall(r"^### `(\w+)`$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert len(headings) == len(set(headings)) == len(page())


@pytest.mark.parametrize("name", CLASSES)
def test_the_parents(name):
    assert page()[name].parents == [base.__name__ for base in CLASSES[name].__bases__]


@pytest.mark.parametrize("name", CLASSES)
def test_cause_and_cure(name):
    entry = page()[name]
    assert entry.cause.endswith(".")
    assert entry.cure.endswith(".")


@pytest.mark.parametrize("name", CLASSES)
def test_the_message_is_one_that_the_class_has(name):
    with pytest.raises(CLASSES[name]) as info:
        PROVOKED[name]()
    assert page()[name].message == words(str(info.value))


def test_parents_come_before_their_children():
    seen = {name: place for place, name in enumerate(page())}
    for name, made in CLASSES.items():
        assert all(seen[base.__name__] < seen[name] for base in made.__bases__ if base in CLASSES.values())


def test_the_tree_of_the_module_is_true():
    tree = re.findall(r"^([│ ]*)[├└]─ (\w+)(?: +\((.*)\))?", inspect.getdoc(errors) or "", flags=re.MULTILINE)
    assert {name for _, name, _ in tree} == CLASSES.keys() - {"StdNetException"}
    path = [errors.StdNetException]
    for indent, name, foreign in tree:
        depth = len(indent) // 3
        path[depth + 1 :] = [CLASSES[name]]
        bases = CLASSES[name].__bases__
        assert bases[0] is path[depth], name
        assert [base.__name__ for base in bases[1:] if base is not builtins.ConnectionError] == re.findall(
            r"\w+", foreign
        )
