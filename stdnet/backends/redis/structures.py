"""Structures: where they are, and what carries out their operations. Pure. ``kinds`` has the words.

What one command can do is that command; the rest is done by a script, with the text of the kind out of ``lua/kinds``.
So is what can make something, since only a script can look for the row that it is made for. What a commit does to
structures is in ``lua/alongside.lua``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Any

from ...contract import After, Call, Commit, Found, Id, Kind, Place, Plan, Refused, Table, keys
from ...contract.plan import walk
from ...errors import BadStructureValue
from .calls import Call as ServerCall
from .calls import Steps, call
from .expiry import by_place
from .kinds import COMMANDS, ENCODERS, decoded, word
from .packing import Packed, array, pack, texts
from .tables import claim, encode_table, layout_of
from .values import spelled

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


# requests


def _encoded(request: Call, namespace: str) -> Packed:
    place = request.place
    if request.operation == "delete":
        key = key_of(place, namespace)
        return texts([key + suffix.encode() for suffix in place.kind.suffixes])
    encode = ENCODERS.get((place.kind.name, request.operation)) if place.kind.lua is None else None
    if encode is not None:
        return encode(request.arguments)
    return Packed(pack(_plain(request.arguments, namespace, word if place.kind.lua is None else keys.text)))


def _plain(value: Any, namespace: str, as_text: Callable[[Any], bytes]) -> Any:
    """Return arguments as texts, and places among them as keys."""
    if isinstance(value, Place):
        return key_of(value, namespace)
    if isinstance(value, (tuple, list)):
        return [_plain(each, namespace, as_text) for each in value]
    return value if value is None else as_text(value)


def operate(request: Call, namespace: str) -> Steps:
    """Carry out one operation."""
    place, kind = request.place, request.place.kind
    operation = kind.operations[request.operation]
    once = None if operation.effect == "reads" else (request.operation, kind.name)
    command = COMMANDS[kind.name].get(request.operation) if kind.lua is None else None
    if command is not None and place.table is not None and place.table.ttl:
        word, key, *rest = command(key_of(place, namespace), *request.arguments)
        packed = (encode_table(place.table), word, key, rest)
        reply = yield call("command", namespace, *packed, writes=once is not None, once=once, expiring=True)
    elif command is not None:
        words = command(key_of(place, namespace), *request.arguments)
        reply = yield _alone(words, place.table, namespace, once)
    else:
        size = len(request.arguments)
        options: dict[str, Any] = {"writes": once is not None, "size": size, "kinds": (kind,), "once": once}
        options["expiring"] = any(by_place(each) for each in (place, *_others(request)))
        found = yield call("operate", namespace, *_request(request, operation.effect == "makes", namespace), **options)
        if not found:
            return Refused((), (), (0,))
        (reply,) = found
    if reply is None and operation.name == "incr":
        raise BadStructureValue("string", "incr", "it does not hold an integer, or the result is out of range")
    return decoded(kind, operation.name, [reply])[0]


def _alone(words: tuple[bytes, ...], table: Table | None, namespace: str, once: tuple[str, str] | None) -> ServerCall:
    """Return the call of a command; one that writes must not be carried out on a table that is another."""
    if table is None or once is None:
        claimed = None if table is None else claim(table, namespace)
        return ServerCall("", words, writes=once is not None, claim=claimed, once=once)
    name, key, *rest = words
    keys_ = (b"3", f"{namespace}:tables".encode(), f"{namespace}{table.name}:id".encode(), key)
    return ServerCall("guard", (*keys_, table.name.encode(), layout_of(table), name, *rest), writes=True, once=once)


def _request(request: Call, makes: bool, namespace: str) -> Iterator[Any]:
    """Yield the parts of a request as ``lua/operate.lua`` reads them."""
    place, others = request.place, _others(request)
    yield place.kind.name
    yield request.operation
    yield key_of(place, namespace)
    yield _encoded(request, namespace)
    yield [part for each in (place, *others) for part in (key_of(each, namespace), each.kind.type)]
    yield entry(place) if makes else ()
    yield None if place.table is None else encode_table(place.table)
    yield _stored_id(place.table, place.id) if makes and place.table is not None and place.id is not None else None
    yield [encode_table(each.table) for each in others if each.table is not None and each.table.ttl]


def _others(request: Call) -> list[Place]:
    """Return the places among the arguments."""
    return [each for each in request.arguments if isinstance(each, Place)]


# commits


def kinds_of(request: Commit) -> tuple[Kind, ...] | None:
    """Return the kinds that a commit needs, or ``None`` if it has nothing to do with structures."""
    needed = [each.place.kind for each in request.calls] + [each.place.kind for each in request.after]
    plans = [delete.plan for delete in request.deletes] + [update.plan for update in request.updates]
    needed += chain.from_iterable(found_by(plan) or () for plan in plans)
    if needed:
        return in_order(needed)
    tables: Iterable[Any] = chain(request.deletes, request.saves, request.references)
    return () if any(each.table.structures for each in tables) else None


def found_by(plan: Plan) -> tuple[Kind, ...] | None:
    """Return the kinds that a plan needs, or ``None`` if it asks no structure."""
    kinds = [node.place.kind for node in walk(plan) if type(node) is Found]
    return in_order(kinds) if kinds else None


def in_order(kinds: Iterable[Kind]) -> tuple[Kind, ...]:
    """Return kinds, each once, by name, so that there are few scripts."""
    return tuple(sorted(dict.fromkeys(kinds), key=lambda kind: kind.name))


def encode_calls(request: Commit, namespace: str) -> Packed:
    """Return the calls of a commit, and what follows its rows, as ``lua/alongside.lua`` reads them."""
    calls, after = request.calls, request.after
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
        if place.table is not None and place.id is not None and (makes or place.table.ttl):
            number, _ = tables.setdefault(place.table.name, (len(tables) + 1, place.table))
            parts += [number, _stored_id(place.table, place.id)] if makes else []
        encoded.append(pack(parts))
    for later in after:
        if later.place.kind.operations[later.operation].effect == "makes":
            entries.update([entry(later.place)])
    described: list[bytes] = [encode_table(table) for _, table in tables.values()]
    parts = [array(described), array(encoded), pack(list(chain.from_iterable(entries.items())))]
    return array([*parts, array([_after(each, request, namespace) for each in after])] if after else parts)


def _after(after: After, request: Commit, namespace: str) -> bytes:
    place, rows = after.place, after.rows
    save = rows + 1 if isinstance(rows, int) else None
    table = rows if isinstance(rows, Table) else request.saves[rows].table if after.new else None
    concerned = (save, table and table.name)
    arguments = Packed(pack(_plain(after.arguments, namespace, keys.text)))
    return pack((place.kind.name, place.kind.type, after.operation, key_of(place, namespace), arguments, *concerned))
