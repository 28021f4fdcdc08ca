"""Kinds of structures in the words of the server: arguments, commands, and how replies become data. Pure.

Knows neither a key nor a place. What is not here by kind and operation goes as it is, or is done by ``lua/kinds``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any

from ...contract import Kind, keys
from .packing import Packed, array, pack, stored, texts

FARTHEST = 2**31 - 1
"""A place beyond all places; servers wrap greater ones round, so that they name places that are there."""

Command = Callable[..., tuple[bytes, ...]]


# arguments


def word(value: Any) -> bytes:
    """Return an argument as text."""
    if isinstance(value, int):
        return b"%d" % max(-FARTHEST, min(value, FARTHEST))
    return keys.text(value)


def _flat(pairs: Sequence[tuple[bytes, bytes]]) -> Packed:
    return texts(list(chain.from_iterable(pairs)))


def _scored(pairs: Sequence[tuple[float, bytes]]) -> Packed:
    scores, values = zip(*pairs, strict=True) if pairs else ((), ())
    return texts(list(chain.from_iterable(zip(stored("float", scores), values, strict=True))))


def _points(pairs: Sequence[tuple[float, bytes]]) -> Packed:
    """Return the first time, and the points of a series as members: each time once, with its last value."""
    latest = dict(pairs)
    times = stored("float", tuple(latest))
    members = map(b"%b:%b".__mod__, zip(times, latest.values(), strict=True))
    first = pack(repr(float(min(latest, default=0.0))))
    return array([first, texts(list(chain.from_iterable(zip(times, members, strict=True))))])


def _times(times: Sequence[float]) -> Packed:
    return texts(stored("float", times))


ENCODERS: dict[tuple[str, str], Callable[[Any], Packed]] = {
    **{("list", name): texts for name in ("push_back", "push_front")},
    **{(kind, "remove"): texts for kind in ("set", "zset", "hashtable")},
    **{(kind, "append"): texts for kind in ("string", "numberarray")},
    ("set", "add"): texts,
    ("zset", "add"): _scored,
    ("hashtable", "add"): _flat,
    ("ts", "add"): _points,
    ("ts", "remove"): _times,
    ("string", "incr"): lambda numbers: texts(stored("int", numbers)),
}
"""What packs the arguments of operations that take any number of them, or numbers that are no places."""


# commands


def _command(name: bytes, *tail: bytes) -> Command:
    return lambda key, *arguments: (name, key, *map(word, arguments), *tail)


def _between(command: bytes, reverse: bytes, swapped: bool) -> Command:
    """Return a command for a range that may be asked for in the turned order; then scores are turned, too."""

    def command_of(key: bytes, low: Any, high: Any, desc: int = 0) -> tuple[bytes, ...]:
        bounds = (high, low) if desc and swapped else (low, high)
        return (reverse if desc else command, key, *map(word, bounds), b"WITHSCORES")

    return command_of


def _at(key: bytes, time: float) -> tuple[bytes, ...]:
    return (b"ZRANGEBYSCORE", key, word(time), word(time))


_ALL = (b"0", b"-1")
_BYTES = {"size": _command(b"STRLEN"), "items": _command(b"GET")}
COMMANDS: dict[str, dict[str, Command]] = {
    "list": {
        "pop_back": _command(b"RPOP"),
        "pop_front": _command(b"LPOP"),
        "size": _command(b"LLEN"),
        "items": _command(b"LRANGE", *_ALL),
        "slice": _command(b"LRANGE"),
        "get": _command(b"LINDEX"),
        "contains": _command(b"LPOS"),
    },
    "set": {
        "size": _command(b"SCARD"),
        "items": _command(b"SMEMBERS"),
        "contains": _command(b"SISMEMBER"),
    },
    "zset": {
        "size": _command(b"ZCARD"),
        "items": _command(b"ZRANGE", *_ALL, b"WITHSCORES"),
        "range": _between(b"ZRANGEBYSCORE", b"ZREVRANGEBYSCORE", swapped=True),
        "irange": _between(b"ZRANGE", b"ZREVRANGE", swapped=False),
        "count": _command(b"ZCOUNT"),
        "rank": _command(b"ZRANK"),
        "score": _command(b"ZSCORE"),
    },
    "hashtable": {
        "size": _command(b"HLEN"),
        "items": _command(b"HGETALL"),
        "keys": _command(b"HKEYS"),
        "get": _command(b"HGET"),
        "contains": _command(b"HEXISTS"),
    },
    "ts": {
        "size": _command(b"ZCARD"),
        "items": _command(b"ZRANGE", *_ALL, b"WITHSCORES"),
        "get": _at,
        "range": _command(b"ZRANGEBYSCORE", b"WITHSCORES"),
        "irange": _command(b"ZRANGE", b"WITHSCORES"),
        "count": _command(b"ZCOUNT"),
    },
    "string": _BYTES,
    "numberarray": _BYTES,
}
"""What one command carries out, by kind."""


# replies


def decoded(kind: Kind, operation: str, replies: Sequence[Any]) -> list[Any]:
    """Return what the server answered to an operation, many times, as the contract has it."""
    form = kind.operations[operation].reply
    decode = DECODERS.get((kind.name, operation)) if kind.lua is None else None
    return [(decode or _DECODE[form])(reply) for reply in replies]


def _ints(reply: Any) -> int | None:
    return None if reply is None else int(reply)


def _floats(reply: Any) -> float | None:
    return None if reply is None else float(reply)


def _even(reply: Any) -> list[Any]:
    """Return pairs in a row; newer protocols answer with maps, or with pairs in arrays."""
    if isinstance(reply, dict):
        return list(chain.from_iterable(reply.items()))
    return list(chain.from_iterable(reply)) if reply and isinstance(reply[0], list) else reply or []


def _with_scores(reply: Any) -> list[tuple[float, bytes]]:
    flat = _even(reply)
    return list(zip(map(float, flat[1::2]), flat[::2], strict=True))


def _pairs(reply: Any) -> list[tuple[bytes, bytes]]:
    flat = _even(reply)
    return list(zip(flat[::2], flat[1::2], strict=True))


def _value(member: bytes) -> bytes:
    return member.partition(b":")[2]


def _series(reply: Any) -> list[tuple[float, bytes]]:
    flat = _even(reply)
    return list(zip(map(float, flat[1::2]), map(_value, flat[::2]), strict=True))


def _point(reply: Any) -> bytes | None:
    return _value(reply[0]) if reply else None


_DECODE: dict[str, Callable[[Any], Any]] = {
    "none": lambda reply: None,
    "int": _ints,
    "bool": lambda reply: bool(reply) and reply != b"0",
    "float": _floats,
    "bytes": lambda reply: reply,
    "list": lambda reply: list(reply or ()),
    "scored": _with_scores,
    "pairs": _pairs,
    "raw": lambda reply: reply,
}
DECODERS: dict[tuple[str, str], Callable[[Any], Any]] = {
    ("list", "contains"): lambda reply: reply is not None,
    **{("set", name): sorted for name in ("items", "union", "intersection", "difference")},
    ("hashtable", "items"): lambda reply: sorted(_pairs(reply)),
    ("hashtable", "keys"): sorted,
    **{("ts", name): _series for name in ("items", "range", "irange", "pop_range", "ipop_range")},
    **{("ts", name): _point for name in ("get", "pop")},
    **{(kind, "items"): lambda reply: reply or b"" for kind in ("string", "numberarray")},
}
"""What reads replies that are not simply of the form that the operation names, by kind and operation."""
