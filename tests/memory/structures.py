"""What the tests of structures in memory share: a table, and a private database that is checked at each step."""

from __future__ import annotations

from stdnet.contract import LIST, SET, TS, Call, Change, Column, Commit, Place, Save, Table

COUNTRY = Table(
    "country",
    Column("code", "str"),
    (Column("name", "str", unique=True), Column("part_of", "str", index="equal")),
    structures=(("neighbours", SET), ("log", LIST), ("series", TS)),
)


class Database:
    """A private database, and short ways to speak to it; checked after each step."""

    def __init__(self, server):
        self.server = server

    def __call__(self, *requests):
        replies = self.server.execute(requests)
        self.server.check()
        return replies[0] if len(replies) == 1 else replies

    def call(self, place, operation, *arguments):
        return self(Call(place, operation, arguments))

    def save(self, *codes):
        return self(Commit(saves=(Save(COUNTRY, [Change(code, None, (code.lower(), None)) for code in codes]),)))


def of_row(kind, name, id):
    """Return the place of a structure of a row."""
    return Place(kind, name, COUNTRY, id)
