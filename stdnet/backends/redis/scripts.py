"""The scripts: fixed texts, each the shared library and one file of ``lua/``. No text of a user ever becomes Lua."""

from __future__ import annotations

from functools import cache
from hashlib import sha1
from importlib.resources import files

from ...contract import Kind
from ...records import Record, field

PARTS = {
    "commit": ("lib", "where", "leaves", "plans", "order", "rows", "drafts", "commit"),
    "save": ("lib", "rows", "drafts", "commit"),
    "cascade": ("lib", "where", "leaves", "plans", "order", "rows", "drafts", "references", "commit"),
    "update": ("lib", "where", "leaves", "plans", "order", "rows", "drafts", "references", "updates", "commit"),
    "select": ("lib", "where", "leaves", "plans", "order", "sort", "select"),
    "join": ("lib", "where", "leaves", "plans", "order", "sort", "paths", "select"),
    "ranked": ("lib", "where", "leaves", "plans", "order", "sort", "paths", "ranked"),
    "check": ("check",),
    "get": ("get",),
    "find": ("find",),
    "sought": ("lib", "sought"),
    "fetch": ("lib", "fetch"),
    "count": ("lib", "where", "leaves", "plans", "count"),
    "aggregate": ("lib", "where", "leaves", "plans", "order", "aggregate"),
    "keys": ("lib", "known", "keys"),
    "flush": ("lib", "rows", "known", "flush"),
    "resolve": ("lib", "resolve"),
    "operate": ("lib", "operate"),
    "more": ("lib", "more"),
    "forget": ("forget",),
    "guard": ("guard",),
    "command": ("lib", "command"),
}
"""The files that each script is made of. ``save`` is a commit without deletes, so without plans: a script pays for each
function that it could need, and a commit of one row for those of ``plans`` as much as for all of its commands. So
references, updates, and selects that reach other tables have scripts of their own, too."""

ADDED = {
    "commit": ("kinds", "found", "alongside"),
    "save": ("kinds", "alongside"),
    "cascade": ("kinds", "found", "alongside"),
    "update": ("kinds", "found", "alongside"),
    "select": ("kinds", "found", "contents"),
    "join": ("kinds", "found", "contents"),
    "ranked": ("kinds", "found", "contents"),
    "sought": ("kinds",),
    "more": ("kinds", "contents"),
    "count": ("kinds", "found"),
    "aggregate": ("kinds", "found"),
    "operate": ("kinds",),
}
"""The files that a script gets before its last one if it has to do with structures. Behind ``kinds`` come the kinds
that it needs: files of ``lua/kinds/``, or what an application's kind brings along."""


EXPIRING = ("rows", "known", "expiry")
"""The files that a script gets behind ``lib``, unless it has them, if it reaches a table whose rows can expire."""


class Script(Record):
    """A text and the name that a server knows it by once it was loaded."""

    text: bytes
    sha: bytes = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "sha", sha1(self.text, usedforsecurity=False).hexdigest().encode())


@cache
def script(name: str, kinds: tuple[Kind, ...] | None = None, expiring: bool = False) -> Script:
    """Return a script by its name; ``kinds`` are the kinds of structures it needs, ``None`` if it knows of none."""
    *parts, last = PARTS[name]
    if expiring:
        parts = list(dict.fromkeys(["lib", *EXPIRING, *parts]))
    texts = [_file(part) for part in parts]
    if kinds is not None:
        base, *rest = ADDED[name]
        texts += [_file(base), *map(_kind, kinds), *map(_file, rest)]
    return Script(b"\n".join([*texts, _file(last)]))


def _file(part: str) -> bytes:
    return (files(__package__) / "lua" / f"{part}.lua").read_bytes()


def _kind(kind: Kind) -> bytes:
    text = _file(f"kinds/{kind.name}") if kind.lua is None else kind.lua.encode()
    return b"do\n%s\nend" % text
