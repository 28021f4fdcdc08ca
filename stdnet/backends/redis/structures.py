"""Structures: where they are, what carries out their operations, and how replies become data. Pure.

What one command can do is that command; the rest is done by a script, with the text of the kind out of ``lua/kinds``.
So is what can make something, since only a script can look for the row that it is made for. What a commit does to
structures is in ``lua/alongside.lua``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

from ...contract import After, Call, Commit, Found, Id, Kind, Place, Plan, Refused, Table, keys
from ...contract.plan import walk
from ...errors import BadStructureValue
from .calls import Call as ServerCall
from .calls import Steps, call
from .packing import Packed, array, pack, stored, texts
from .tables import claim, encode_table, layout_of
from .values import spelled

FARTHEST = 2**31 - 1
"""A place beyond all places; servers wrap greater ones round, so that they name places that are there."""

Command = Callable[..., tuple[bytes, ...]]


# where they are


def key_of(place: Place, namespace: str) -> bytes:
    """Return the key of a structure; the id of a row is spelled as that of the row's own key."""
    if place.table is not None and place.id is not None:
        place = Place(place.kind, place.name, place.table, _stored_id(place.table, place.id))
    return keys.structure(namespace, place)


def _stored_id(table: Table, id: Id) -> bytes:
    found = spelled(table.pk, id)
    return keys.text(id) if found is None else found


def entry(place: Place) -> tuple[bytes, bytes]:
    """Return what the register of the namespace has to have, so that a flush finds the structure."""
    suffixes = "\n".join(place.kind.suffixes[1:]).encode()
    if place.table is None:
        return standalone(place.kind.name), suffixes
    name, level = place.name.encode(), b"struct" if place.id is None else b"obj"
    return b"%s:%d:%s%s" % (level, len(name), name, place.table.name.encode()), suffixes


def standalone(kind: str) -> bytes:
    """Return the field of the register for structures of a kind that stand on their own."""
    return b"struct." + kind.encode()


def named(table: Table, names: Iterable[str]) -> Packed:
    """Return structures of rows as ``lua/contents.lua`` reads them."""
    known = dict(table.structures)
    return Packed(pack([(f":{name}", known[name].name, known[name].type) for name in names]))


# arguments


def _word(value: Any) -> bytes:
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


def _encoded(request: Call, namespace: str) -> Packed:
    place = request.place
    if request.operation == "delete":
        key = key_of(place, namespace)
        return texts([key + suffix.encode() for suffix in place.kind.suffixes])
    encode = ENCODERS.get((place.kind.name, request.operation)) if place.kind.lua is None else None
    if encode is not None:
        return encode(request.arguments)
    return Packed(pack(_plain(request.arguments, namespace, _word if place.kind.lua is None else keys.text)))


def _plain(value: Any, namespace: str, word: Callable[[Any], bytes]) -> Any:
    """Return arguments as texts, and places among them as keys."""
    if isinstance(value, Place):
        return key_of(value, namespace)
    if isinstance(value, (tuple, list)):
        return [_plain(each, namespace, word) for each in value]
    return value if value is None else word(value)


# commands


def _command(word: bytes, *tail: bytes) -> Command:
    return lambda key, *arguments: (word, key, *map(_word, arguments), *tail)


def _between(command: bytes, reverse: bytes, swapped: bool) -> Command:
    """Return a command for a range that may be asked for in the turned order; then scores are turned, too."""

    def command_of(key: bytes, low: Any, high: Any, desc: int = 0) -> tuple[bytes, ...]:
        bounds = (high, low) if desc and swapped else (low, high)
        return (reverse if desc else command, key, *map(_word, bounds), b"WITHSCORES")

    return command_of


def _at(key: bytes, time: float) -> tuple[bytes, ...]:
    return (b"ZRANGEBYSCORE", key, _word(time), _word(time))


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


# requests


def operate(request: Call, namespace: str) -> Steps:
    """Carry out one operation."""
    place, kind = request.place, request.place.kind
    operation = kind.operations[request.operation]
    once = None if operation.effect == "reads" else (request.operation, kind.name)
    command = COMMANDS[kind.name].get(request.operation) if kind.lua is None else None
    if command is not None:
        words = command(key_of(place, namespace), *request.arguments)
        reply = yield _alone(words, place.table, namespace.encode(), once)
    else:
        size = len(request.arguments)
        options: dict[str, Any] = {"writes": once is not None, "size": size, "kinds": (kind,), "once": once}
        found = yield call("operate", namespace, *_request(request, operation.effect == "makes", namespace), **options)
        if not found:
            return Refused((), (), (0,))
        (reply,) = found
    if reply is None and operation.name == "incr":
        raise BadStructureValue("string", "incr", "it does not hold an integer, or the result is out of range")
    return decoded(kind, operation.name, [reply])[0]


def _alone(words: tuple[bytes, ...], table: Table | None, namespace: bytes, once: tuple[str, str] | None) -> ServerCall:
    """Return the call of a command; one that writes must not be carried out on a table that is another."""
    if table is None or once is None:
        claimed = None if table is None else claim(table, namespace.decode())
        return ServerCall("", words, writes=once is not None, claim=claimed, once=once)
    name, (word, key, *rest) = table.name.encode(), words
    keys_ = (b"3", namespace + b":tables", namespace + name + b":id", key)
    return ServerCall("guard", (*keys_, name, layout_of(table), word, *rest), writes=True, once=once)


def _request(request: Call, makes: bool, namespace: str) -> Iterator[Any]:
    """Yield the parts of a request as ``lua/operate.lua`` reads them."""
    place, others = request.place, [each for each in request.arguments if isinstance(each, Place)]
    yield place.kind.name
    yield request.operation
    yield key_of(place, namespace)
    yield _encoded(request, namespace)
    yield [part for each in (place, *others) for part in (key_of(each, namespace), each.kind.type)]
    yield entry(place) if makes else ()
    if place.table is not None:
        yield encode_table(place.table)
        if makes and place.id is not None:
            yield _stored_id(place.table, place.id)


# commits


def kinds_of(request: Commit) -> tuple[Kind, ...] | None:
    """Return the kinds that a commit needs, or ``None`` if it has nothing to do with structures."""
    needed = [each.place.kind for each in request.calls] + [each.place.kind for each in request.after]
    needed += chain.from_iterable(found_by(each.plan) for each in request.deletes)
    if needed:
        return in_order(needed)
    tables: Iterable[Any] = chain(request.deletes, request.saves, request.references)
    return () if any(each.table.structures for each in tables) else None


def found_by(plan: Plan) -> Iterator[Kind]:
    """Yield the kinds that a plan needs."""
    return (node.place.kind for node in walk(plan) if isinstance(node, Found))


def in_order(kinds: Iterable[Kind]) -> tuple[Kind, ...]:
    """Return kinds, each once, by name, so that there are few scripts."""
    return tuple(sorted(dict.fromkeys(kinds), key=lambda kind: kind.name))


def encode_calls(calls: Sequence[Call], after: Sequence[After], namespace: str) -> Packed:
    """Return calls, and what follows the rows, as ``lua/alongside.lua`` reads them."""
    tables: dict[str, tuple[int, Table]] = {}
    entries: dict[bytes, bytes] = {}
    encoded: list[bytes] = []
    for each in calls:
        place, makes = each.place, each.place.kind.operations[each.operation].effect == "makes"
        parts: list[Any] = [
            place.kind.name,
            place.kind.type,
            each.operation,
            key_of(place, namespace),
            _encoded(each, namespace),
        ]
        if makes:
            entries.update([entry(place)])
        if makes and place.table is not None and place.id is not None:
            number, _ = tables.setdefault(place.table.name, (len(tables) + 1, place.table))
            parts += [number, _stored_id(place.table, place.id)]
        encoded.append(pack(parts))
    for later in after:
        if later.place.kind.operations[later.operation].effect == "makes":
            entries.update([entry(later.place)])
    described: list[bytes] = [encode_table(table) for _, table in tables.values()]
    parts = [array(described), array(encoded), pack(list(chain.from_iterable(entries.items())))]
    return array([*parts, array([_after(each, namespace) for each in after])] if after else parts)


def _after(after: After, namespace: str) -> bytes:
    place, rows = after.place, after.rows
    concerned = (rows + 1, None) if isinstance(rows, int) else (None, rows.name)
    arguments = Packed(pack(_plain(after.arguments, namespace, keys.text)))
    return pack((place.kind.name, place.kind.type, after.operation, key_of(place, namespace), arguments, *concerned))
