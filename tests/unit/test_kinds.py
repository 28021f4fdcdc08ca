"""Kinds of structures: what is declared is what the backends carry out, and an application can add a kind."""

from __future__ import annotations

import inspect
import re
from importlib.resources import files

import pytest

from stdnet import getdb
from stdnet.backends.memory.structures import CONTAINERS, make
from stdnet.backends.redis.kinds import COMMANDS
from stdnet.contract import (
    KINDS,
    LIST,
    STRING,
    All,
    Call,
    Change,
    Column,
    Commit,
    Keys,
    Operation,
    Place,
    Save,
    Select,
    Table,
    kind,
)

OPERATIONS = [
    (each, operation) for each in KINDS.values() for operation in each.operations.values() if operation.name != "delete"
]
each_operation = pytest.mark.parametrize(
    ("kind", "operation"), OPERATIONS, ids=[f"{each.name}.{operation.name}" for each, operation in OPERATIONS]
)
each_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=str)


def functions(kind):
    """Return the names of the functions that the script of a kind adds to ``kinds``."""
    text = (files("stdnet.backends.redis") / "lua" / "kinds" / f"{kind.name}.lua").read_text()
    table = re.search(rf"^kinds\.{kind.name} = {{\n(.*?)^}}", text, re.MULTILINE | re.DOTALL)
    assert table, f"{kind.name}.lua sets kinds.{kind.name}"
    return set(re.findall(r"^    (\w+) = ", table[1], re.MULTILINE))


def documented(kind):
    """Return the operations and their parameters in the table of the docstring that follows a kind."""
    source = inspect.getsource(inspect.getmodule(type(kind)))
    constant = next(name for name, value in vars(inspect.getmodule(type(kind))).items() if value is kind)
    table = source.split(f"\n{constant} = kind(", 1)[1].split('"""', 2)[1]
    return dict(re.findall(r"(?:^``|(?<=\) ))(\w+)\(([^)]*)\)", table, re.MULTILINE))


def parameters(kind, operation):
    """Return the parameters of a container's method as the table spells them."""
    signature = inspect.signature(getattr(CONTAINERS[kind.name], operation))
    spelled = [
        f"*{each.name}" if each.kind is each.VAR_POSITIONAL else each.name for each in signature.parameters.values()
    ]
    return ", ".join(spelled[1:]).replace("*others", "*places")


@each_operation
def test_a_container_has_a_method_for_each_operation(kind, operation):
    assert callable(getattr(CONTAINERS[kind.name], operation.name))
    assert documented(kind)[operation.name] == parameters(kind, operation.name)


@each_operation
def test_redis_has_a_function_or_a_command_for_each_operation(kind, operation):
    known = functions(kind)
    if not operation.commits and operation.name != "items":
        known |= set(COMMANDS[kind.name])
    assert operation.name in known, "what can wait in a commit, and items, which selects need, must be functions"


@each_kind
def test_the_backends_have_nothing_that_is_not_declared(kind):
    methods = {name for name, _ in inspect.getmembers(CONTAINERS[kind.name], callable) if not name.startswith("_")}
    declared = set(kind.operations) - {"delete"}
    assert methods == declared == set(documented(kind))
    assert functions(kind) | set(COMMANDS[kind.name]) == declared
    assert set(CONTAINERS) == set(COMMANDS) == set(KINDS)


@each_kind
def test_what_every_kind_has(kind):
    assert {"size", "items", "delete"} <= set(kind.operations)
    assert kind.suffixes[0] == ""
    assert all(name == operation.name for name, operation in kind.operations.items())
    waiting = [operation for operation in kind.operations.values() if operation.commits]
    assert all(operation.reply == "none" and operation.effect != "reads" for operation in waiting)
    container = make(kind)
    assert (bool(container), container.size(), len(container.items())) == (False, 0, 0)


# -- a kind of an application -------------------------------------------------------------------------------------


class Bag:
    """How often each value was put in: what a kind brings along for the memory backend."""

    def __init__(self):
        self.counts = {}

    def __bool__(self):
        return bool(self.counts)

    def put(self, *values):
        for value in values:
            self.counts[value] = self.counts.get(value, 0) + 1

    def draw(self, value):
        left = self.counts.pop(value, 0) - 1
        if left > 0:
            self.counts[value] = left
        return left >= 0

    def size(self):
        return sum(self.counts.values())

    def items(self):
        return [[value, count] for value, count in sorted(self.counts.items())]

    def same(self, other):
        return self.counts == other.counts


BAG = kind(
    "bag",
    [
        Operation("put", "none", "makes", commits=True),
        Operation("draw", "bool", "takes"),
        Operation("size", "int"),
        Operation("items", "raw"),
        Operation("same", "bool"),
    ],
    container=Bag,
)
SHOP = Table("shop", Column("id", "int"), auto=True, structures=(("stock", BAG),))


def test_a_kind_of_an_application_in_memory():
    server, alone = getdb("memory://"), Place(BAG, "b")
    stock = Place(BAG, "stock", SHOP, 1)

    def call(place, operation, *arguments):
        (reply,) = server.execute([Call(place, operation, arguments)])
        server.check()
        return reply

    server.execute([Commit(saves=(Save(SHOP, [Change(None, None, ())] * 2),))])
    server.execute([Commit(calls=(Call(stock, "put", (b"x", b"y", b"x")), Call(alone, "put", (b"y",))))])
    assert (call(stock, "items"), call(stock, "size"), call(stock, "same", alone)) == ([[b"x", 2], [b"y", 1]], 3, False)
    assert [call(stock, "draw", value) for value in (b"x", b"x", b"x")] == [True, True, False]
    assert call(stock, "same", alone) is True
    assert server.execute([Select(SHOP, All(), structures=("stock",))])[0].structures == ([[[b"y", 1]], []],)
    assert "shop:obj:1:stock" in server.execute([Keys(SHOP)])[0]
    assert (call(stock, "draw", b"y"), call(stock, "items")) == (True, [])
    assert "shop:obj:1:stock" not in server.execute([Keys(SHOP)])[0]
    assert (call(alone, "delete"), call(alone, "size")) == (None, 0)


def test_an_application_can_bring_another_container_for_a_known_name():
    class Loud(CONTAINERS["string"]):
        def items(self):
            return super().items().upper()

    loud = kind("string", STRING.operations.values(), container=Loud)
    assert isinstance(make(loud), Loud)
    assert not isinstance(make(STRING), Loud)
    assert (repr(loud), repr(LIST)) == ("<Kind string>", "<Kind list>")
