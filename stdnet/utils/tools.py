"""Small helpers for text, numbers and iteration. Whatever has a topic of its own has a module of its own."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, zip_longest
from typing import Any, TypeVar

T = TypeVar("T")


def int_or_float(v: Any) -> int | float:
    """Return ``v``, or the number that a text spells, as an ``int`` if it is whole, else as a ``float``.

    Whole numbers are exact, however large. Raises ``ValueError`` or ``TypeError`` for what is no number.

    >>> int_or_float("3.0"), int_or_float(b"007"), int_or_float(0.5), int_or_float("-inf")
    (3, 7, 0.5, -inf)
    """
    if isinstance(v, int):
        return int(v)
    number = float(v)
    if not isinstance(v, float) and (number.is_integer() or math.isinf(number)):
        try:
            whole = int(v)  # where a double is not exact
        except (ValueError, OverflowError):
            pass
        else:
            if isinstance(v, (str, bytes)) or whole == v:
                return whole
    return int(number) if number.is_integer() else number


def format_int(v: Any) -> str:
    """Return a whole number as text with a comma between thousands.

    >>> format_int(4500780), format_int(-780)
    ('4,500,780', '-780')
    """
    return f"{int(v):,}"


_format_int = format_int


def grouper(n: int, iterable: Iterable[T], padvalue: Any = None) -> Iterator[tuple[T | Any, ...]]:
    """Return an iterator over tuples of ``n`` consecutive items, the last one filled up with ``padvalue``.

    >>> list(grouper(2, "abc", "-"))
    [('a', 'b'), ('c', '-')]
    """
    return zip_longest(*[iter(iterable)] * n, fillvalue=padvalue)


def iterpair(x: Any) -> Any:
    """Return the items of a mapping; anything else, taken for pairs already, unchanged.

    >>> list(iterpair({"a": 1})), iterpair([("a", 1)])
    ([('a', 1)], [('a', 1)])
    """
    return x.items() if isinstance(x, Mapping) else x


def flat2d(it: Any) -> tuple[Any, ...]:
    """Return the two halves of each pair, or of each item of a mapping, one after another.

    >>> flat2d([("a", 1), ("b", 2)])
    ('a', 1, 'b', 2)
    """
    return tuple(half for first, second in iterpair(it) for half in (first, second))


def flat_mapping(m: Any) -> list[Any]:
    """Return the keys and values of a mapping, or of pairs, one after another.

    >>> flat_mapping({"a": 1, "b": 2})
    ['a', 1, 'b', 2]
    """
    return list(flat2d(m))


def flatzset(iterable: Any = None, kwargs: Mapping[Any, Any] | None = None) -> tuple[Any, ...]:
    """Return scores and values one after another, from pairs of score and value, and from a mapping of value to score.

    >>> flatzset([(1, "a")], {"b": 2})
    (1, 'a', 2, 'b')
    """
    return flat2d(iterable or ()) + flat2d((score, value) for value, score in (kwargs or {}).items())


def unique_tuple(*iterables: Iterable[T] | None) -> tuple[T, ...]:
    """Return what is in the iterables, each once, where it came first. Empty ones and ``None`` are passed over.

    >>> unique_tuple("ab", None, "bc")
    ('a', 'b', 'c')
    """
    return tuple(dict.fromkeys(chain.from_iterable(it for it in iterables if it)))


def to_bytes(s: Any, encoding: str | None = None, errors: str = "strict") -> bytes:
    """Return bytes: text encoded (UTF-8 by default), anything else encoded as its ``str``.

    Bytes are taken for UTF-8 and returned as they are, unless another encoding is asked for.

    >>> to_bytes("é"), to_bytes("é", "latin-1"), to_bytes(1)
    (b'\\xc3\\xa9', b'\\xe9', b'1')
    """
    encoding = encoding or "utf-8"
    if isinstance(s, bytes):
        return s if encoding == "utf-8" else s.decode("utf-8", errors).encode(encoding, errors)
    return str(s).encode(encoding, errors)


def to_string(s: Any, encoding: str | None = None, errors: str = "strict") -> str:
    """Return text: bytes decoded (from UTF-8 by default), anything else as its ``str``.

    >>> to_string(b"caf\\xe9", "latin-1"), to_string(1)
    ('café', '1')
    """
    return s.decode(encoding or "utf-8", errors) if isinstance(s, bytes) else str(s)


def native_str(s: Any, encoding: str = "utf-8") -> Any:
    """Return bytes decoded, and anything else unchanged.

    >>> native_str(b"a"), native_str(1)
    ('a', 1)
    """
    return s.decode(encoding) if isinstance(s, bytes) else s


def is_string(x: Any) -> bool:
    """Return whether ``x`` is text."""
    return isinstance(x, str)


def is_int(x: Any) -> bool:
    """Return whether ``x`` is an integer."""
    return isinstance(x, int)
