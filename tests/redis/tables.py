"""The tables of these tests, and the requests that they make often."""

from __future__ import annotations

from typing import Any

from stdnet.contract import Change, Column, Commit, Committed, Id, Plan, Save, Select, Table

ITEM = Table(
    "item",
    Column("id", "int"),
    (
        Column("name", "str", unique=True),
        Column("kind", "str", index="equal"),
        Column("rank", "int", index="range"),
        Column("note", "str"),
    ),
    auto=True,
)
LOG = Table("log", Column("id", "int"), (Column("number", "int", index="range"), Column("half", "int")), auto=True)
TAG = Table("tag", Column("key", "str"), (Column("value", "str", index="equal"), Column("data", "bytes")))


def insert(table: Table, *rows: tuple[Any, ...], token: str | None = None) -> Commit:
    """Return a commit of new rows with ids of the server's."""
    return Commit((), (Save(table, [Change(None, None, row) for row in rows]),), token=token)


def put(table: Table, id: Id, *row: Any) -> Commit:
    """Return a commit of one row under a given id."""
    return Commit((), (Save(table, [Change(id, None, row)]),))


def ids(server: Any, table: Table, plan: Plan) -> list[Id]:
    """Return the ids of a plan."""
    return list(server.execute([Select(table, plan, fields=())])[0].ids)


def new_ids(reply: Any) -> list[Id]:
    """Return the ids of a commit with one save."""
    assert isinstance(reply, Committed)
    return list(reply.ids[0])
