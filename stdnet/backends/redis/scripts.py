"""The scripts: fixed texts, each the shared library and one file of ``lua/``. No text of a user ever becomes Lua."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from hashlib import sha1
from importlib.resources import files

PARTS = {
    "commit": ("lib", "where", "leaves", "plans", "order", "rows", "drafts", "commit"),
    "save": ("lib", "rows", "drafts", "commit"),
    "cascade": ("lib", "where", "leaves", "plans", "order", "rows", "drafts", "references", "commit"),
    "select": ("lib", "where", "leaves", "plans", "order", "sort", "select"),
    "join": ("lib", "where", "leaves", "plans", "order", "sort", "paths", "select"),
    "check": ("check",),
    "get": ("get",),
    "find": ("find",),
    "fetch": ("lib", "fetch"),
    "count": ("lib", "where", "leaves", "plans", "count"),
    "aggregate": ("lib", "where", "leaves", "plans", "order", "aggregate"),
    "keys": ("lib", "keys"),
    "flush": ("lib", "rows", "flush"),
    "resolve": ("lib", "resolve"),
}
"""The files that each script is made of. ``save`` is a commit without deletes, so without plans: a script pays for each
function that it could need, and a commit of one row for those of ``plans`` as much as for all of its commands. So
references, and selects that reach other tables, have scripts of their own, too."""


@dataclass(frozen=True, slots=True)
class Script:
    """A text and the name that a server knows it by once it was loaded."""

    text: bytes
    sha: bytes = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "sha", sha1(self.text, usedforsecurity=False).hexdigest().encode())


@cache
def script(name: str) -> Script:
    """Return a script by its name."""
    folder = files(__package__) / "lua"
    return Script(b"\n".join((folder / f"{part}.lua").read_bytes() for part in PARTS[name]))
