"""A call of the server, and the conversation that answers one request. Pure: nothing here sends anything."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, TypeAlias

from ...contract import Kind
from ...records import Record
from .packing import pack

PART = 1000
"""Rows that one call reads, or removes in a flush."""


class Call(Record):
    """One call of a script, or, with an empty name, a plain command.

    ``size``: the rows that it writes. ``claim``: what to check in the same round trip, if a script does not. ``kinds``:
    the kinds of structures that the script needs. ``once``: operation and kind of what is never sent again.
    ``expiring``: it reaches tables whose rows can expire.
    """

    script: str
    arguments: tuple[bytes, ...]
    writes: bool = False
    token: str | None = None
    size: int = 0
    claim: Claim | None = None
    kinds: tuple[Kind, ...] | None = None
    once: tuple[str, str] | None = None
    expiring: bool = False


class Claim(Record, eq=False):
    """That the rows of a table, if there are any, are stored by ``layout``.

    ``question`` asks by what they are as far as the register knows, which also knows it of tables without rows;
    ``proof`` fails if there are rows and the claim is wrong.
    """

    layout: bytes
    question: Call
    proof: Call


Steps: TypeAlias = Generator[Call, Any, Any]


def call(script: str, namespace: str, *request: Any, **options: Any) -> Call:
    """Return the call of a script with its key, the namespace and the packed request."""
    prefix = namespace.encode()
    return Call(script, (b"1", prefix + b":tables", prefix, pack(request)), **options)
