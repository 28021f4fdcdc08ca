"""Kinds of data structures and their operations: declared here once, carried out by each backend.

A structure is a named container of a kind: a list, a set, a sorted set, and so on. It holds bytes, and floats as
scores or times; how values become bytes is the mapper's business. An empty structure does not exist, and one that does
not exist is empty. Of a range of places counts what lies within the structure. A kind that is not built in brings its
two implementations along (``container`` and ``lua``), so that an application can add one without touching a backend.
Nothing here performs an operation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, TypeAlias

from ..records import Record

Effect: TypeAlias = Literal["reads", "takes", "makes"]
"""What an operation does: it changes nothing; it can only remove; it can also make something where nothing was."""

ReplyType: TypeAlias = Literal["none", "int", "bool", "float", "bytes", "list", "scored", "pairs", "raw"]
"""The form of a reply.

``"none"``: ``None``. ``"int"``, ``"float"``, ``"bytes"``: such a value, or ``None`` where the operation says so.
``"list"``: a list of bytes. ``"scored"``: a list of (float, bytes). ``"pairs"``: a list of (bytes, bytes). ``"raw"``:
bytes, ints, ``None``, and lists of these, as the script of the kind returns them.
"""


class Operation(Record):
    """One operation of a kind.

    ``commits``: it can wait in a ``Commit``; such an operation cannot fail, and its reply is dropped. All others act at
    once, and those that write are never sent a second time.
    """

    name: str
    reply: ReplyType
    effect: Effect = "reads"
    commits: bool = False


class Kind(Record, eq=False):
    """A kind of structure: its name, which is a part of key names, and its operations.

    Every kind has ``size``, ``items`` and ``delete``; ``items`` gives the whole content. ``container`` makes an empty
    container for the memory backend: a method for each operation, named alike, but for ``delete``; ``bool()`` of it
    tells whether it holds anything. ``lua`` is the text that adds to the table ``kinds`` of the scripts, under the name
    of the kind, a table of functions ``(key, arguments)``, by operation. Both are ``None`` for the kinds that the
    backends know. ``suffixes`` are what the keys of one structure end in on Redis; the first, which is empty, exists
    exactly if the structure does, and is of the Redis type ``type``.

    Both may have a ``guard``, which is no operation: for each operation in a commit it is given its name (in Lua the
    key, then the name) and its arguments before anything is written, and refuses the commit by what it raises. In
    memory it is not asked if nothing is there yet.
    """

    name: str
    operations: Mapping[str, Operation]
    container: Callable[[], Any] | None = None
    lua: str | None = None
    suffixes: tuple[str, ...] = ("",)
    type: str = ""

    def __repr__(self) -> str:
        return f"<Kind {self.name}>"


def kind(
    name: str,
    operations: Iterable[Operation],
    container: Callable[[], Any] | None = None,
    lua: str | None = None,
    suffixes: tuple[str, ...] = ("",),
    type: str = "",
) -> Kind:
    """Return a kind with these operations and ``delete``."""
    every = (*operations, Operation("delete", "none", "takes", commits=True))
    return Kind(name, {each.name: each for each in every}, container, lua, suffixes, type)


def _waiting(name: str, effect: Effect = "makes") -> Operation:
    return Operation(name, "none", effect, commits=True)


LIST = kind(
    "list",
    [
        _waiting("push_back"),
        _waiting("push_front"),
        Operation("pop_back", "bytes", "takes"),
        Operation("pop_front", "bytes", "takes"),
        Operation("size", "int"),
        Operation("items", "list"),
        Operation("slice", "list"),
        Operation("get", "bytes"),
        Operation("set", "bool", "takes"),
        Operation("contains", "bool"),
    ],
    type="list",
)
"""A sequence of bytes; ends are cheap.

=============================== ==================================================================== ==============
``push_back(*values)``          append, in order                                                     O(k)
``push_front(*values)``         prepend one after the other: the last one is the first afterwards    O(k)
``pop_back() pop_front()``      remove and return the last or first value; ``None`` if empty         O(1)
``size()``                      number of values                                                     O(1)
``items()``                     all values                                                           O(n)
``slice(start, stop)``          values from one place to another, both included; negative places
                                count from the end                                                   O(n)
``get(place)``                  the value at a place, negative ones from the end; ``None`` outside   O(n)
``set(place, value)``           replace a value; whether there is such a place                       O(n)
``contains(value)``             whether it is there                                                  O(n)
=============================== ==================================================================== ==============
"""

SET = kind(
    "set",
    [
        _waiting("add"),
        _waiting("remove", "takes"),
        Operation("size", "int"),
        Operation("items", "list"),
        Operation("contains", "bool"),
        Operation("union", "list"),
        Operation("intersection", "list"),
        Operation("difference", "list"),
    ],
    type="set",
)
"""Distinct bytes; what comes as a sequence is sorted by byte.

=============================== ==================================================================== ==============
``add(*values)``                                                                                     O(k)
``remove(*values)``             values that are not there are ignored                                O(k)
``size()``                                                                                           O(1)
``items()``                     all values                                                           O(n log n)
``contains(value)``                                                                                  O(1)
``union(*places)``              values of this or another of the sets at ``places``                  O(n log n)
``intersection(*places)``       values of this and all of the others                                 O(n log n)
``difference(*places)``         values of this and none of the others                                O(n log n)
=============================== ==================================================================== ==============
"""

ZSET = kind(
    "zset",
    [
        _waiting("add"),
        _waiting("remove", "takes"),
        Operation("size", "int"),
        Operation("items", "scored"),
        Operation("range", "scored"),
        Operation("irange", "scored"),
        Operation("pop_range", "scored", "takes"),
        Operation("ipop_range", "scored", "takes"),
        Operation("count", "int"),
        Operation("rank", "int"),
        Operation("score", "float"),
        Operation("union", "scored"),
        Operation("intersection", "scored"),
        Operation("difference", "scored"),
    ],
    type="zset",
)
"""Distinct bytes, each with a score, in the order of scores, then of bytes. Scores are floats: not NaN, not -0.0.

=============================== ==================================================================== ==============
``add(*pairs)``                 pairs are (score, value); a value that is there moves                O(k log n)
``remove(*values)``             values that are not there are ignored                                O(k log n)
``size()``                                                                                           O(1)
``items()``                     all pairs                                                            O(n)
``range(low, high, desc)``      pairs with scores from low to high, both included; ``desc`` (1 or
                                0) turns the order round                                             O(log n + k)
``irange(start, stop, desc)``   pairs from one place to another, both included; negative places
                                count from the end; with ``desc`` places count in the turned order   O(log n + k)
``pop_range(low, high)``        remove and return what ``range`` gives                               O(k log n)
``ipop_range(start, stop, desc)`` remove and return what ``irange`` gives                            O(k log n)
``count(low, high)``            number of pairs that ``range`` gives                                 O(log n)
``rank(value)``                 its place, or ``None``                                               O(log n)
``score(value)``                its score, or ``None``                                               O(1)
``union(*places)``              values of this or another; scores are added                          O(n log n)
``intersection(*places)``       values of this and all of the others; scores are added               O(n log n)
``difference(*places)``         values of this and none of the others, with the scores here          O(n log n)
=============================== ==================================================================== ==============

Scores are added from left to right; two infinite ones that cancel each other add up to 0.0, as on Redis.
"""

HASH = kind(
    "hashtable",
    [
        _waiting("add"),
        _waiting("remove", "takes"),
        Operation("size", "int"),
        Operation("items", "pairs"),
        Operation("keys", "list"),
        Operation("get", "bytes"),
        Operation("pop", "bytes", "takes"),
        Operation("contains", "bool"),
    ],
    type="hash",
)
"""A map of bytes to bytes; what comes as a sequence is sorted by key.

=============================== ==================================================================== ==============
``add(*pairs)``                 pairs are (key, value); of two for one key the last counts           O(k)
``remove(*keys)``               keys that are not there are ignored                                  O(k)
``size()``                                                                                           O(1)
``items()``                     all pairs                                                            O(n log n)
``keys()``                      all keys                                                             O(n log n)
``get(key)``                    its value, or ``None``                                               O(1)
``pop(key)``                    remove it and return its value, or ``None``                          O(1)
``contains(key)``                                                                                    O(1)
=============================== ==================================================================== ==============
"""

TS = kind(
    "ts",
    [
        _waiting("add"),
        _waiting("remove", "takes"),
        Operation("size", "int"),
        Operation("items", "scored"),
        Operation("get", "bytes"),
        Operation("pop", "bytes", "takes"),
        Operation("rank", "int"),
        Operation("range", "scored"),
        Operation("irange", "scored"),
        Operation("pop_range", "scored", "takes"),
        Operation("ipop_range", "scored", "takes"),
        Operation("count", "int"),
    ],
    type="zset",
)
"""A map of times to bytes in the order of time, one value for each. Times are floats, never NaN or -0.0.

=============================== ==================================================================== ==============
``add(*pairs)``                 pairs are (time, value); of two for one time the last counts         O(k log n)
``remove(*times)``              times that are not there are ignored                                 O(k log n)
``size()``                                                                                           O(1)
``items()``                     all pairs                                                            O(n)
``get(time)``                   the value at exactly that time, or ``None``                          O(log n)
``pop(time)``                   remove it and return the value, or ``None``                          O(log n)
``rank(time)``                  the place of exactly that time, or ``None``                          O(log n)
``range(low, high)``            pairs with times from low to high, both included                     O(log n + k)
``irange(start, stop)``         pairs from one place to another, both included; negative places
                                count from the end                                                   O(log n + k)
``pop_range(low, high)``        remove and return what ``range`` gives                               O(k log n)
``ipop_range(start, stop)``     remove and return what ``irange`` gives                              O(k log n)
``count(low, high)``            number of pairs that ``range`` gives                                 O(log n)
=============================== ==================================================================== ==============
"""

STRING = kind(
    "string",
    [
        _waiting("append"),
        Operation("size", "int"),
        Operation("items", "bytes"),
        Operation("slice", "bytes"),
        Operation("incr", "int", "makes"),
    ],
    type="string",
)
"""Bytes that grow at the end.

=============================== ==================================================================== ==============
``append(*values)``                                                                                  O(k)
``size()``                      number of bytes                                                      O(1)
``items()``                     all bytes, ``b""`` if there are none                                 O(n)
``slice(start, stop)``          bytes from one place to another, both included; negative places
                                count from the end                                                   O(k)
``incr(number)``                read the content as an integer (0 if empty), add to it, and return
                                it; ``BadStructureValue`` if it is none, or if it, the number or the
                                sum is not between -2**63 and 2**63 - 1                              O(1)
=============================== ==================================================================== ==============
"""

NUMBERARRAY = kind(
    "numberarray",
    [
        _waiting("append"),
        Operation("size", "int"),
        Operation("items", "bytes"),
        Operation("slice", "bytes"),
        Operation("assign", "bool", "takes"),
        Operation("resize", "int", "makes"),
        Operation("truncate", "bytes", "takes"),
    ],
    type="string",
)
"""Bytes in cells of a fixed width, which is the mapper's business: places count bytes.

=============================== ==================================================================== ==============
``append(*values)``                                                                                  O(k)
``size()``                      number of bytes                                                      O(1)
``items()``                     all bytes, ``b""`` if there are none                                 O(n)
``slice(start, stop)``          as for a string                                                      O(k)
``assign(place, value)``        overwrite from a place on that is not negative; whether the value
                                ends within the content; if not, nothing is changed                  O(k)
``resize(size, cell)``          append whole cells until the content has ``size`` bytes or more, and
                                return its size                                                      O(k)
``truncate(number)``            remove the last bytes and return them; ``b""`` if there are fewer,
                                and then nothing is removed                                          O(n)
=============================== ==================================================================== ==============
"""

KINDS: Mapping[str, Kind] = {each.name: each for each in (LIST, SET, ZSET, HASH, TS, STRING, NUMBERARRAY)}
"""The kinds that every backend knows, by name."""
