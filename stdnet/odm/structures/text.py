"""String and NumberArray: structures whose content is one piece of bytes."""

from __future__ import annotations

import operator
import struct
from collections.abc import Sequence as Values
from typing import Any, ClassVar

from ...contract import NUMBERARRAY, STRING
from ...errors import BadStructureValue, shown
from ...utils.encoders import Bytes, CompactDouble, Encoder
from ..runner import Program
from .cache import StringCache
from .sequences import AwaitingSequence, BlockingSequence, Sequence
from .surfaces import twins
from .verbs import verb

WIDTH = 8
"""The bytes of a number."""

MOST = 2**29 // WIDTH
"""The cells that a Redis server has room for in one array."""


class Text(Sequence):
    """Base of the structures whose content is one piece of bytes."""

    cache_class = StringCache

    def _encoded(self, raw: bytes) -> Values[bytes]:
        return ()


class StringBase(Text):
    """The operations of strings."""

    kind = STRING
    default_value_pickler: ClassVar[Encoder] = Bytes()

    def _assembled(self, raw: Any, values: list[Any]) -> bytes:
        return bytes(raw)

    @verb
    def items(self) -> Program[bytes]:
        """Return all bytes, which are kept to answer later reads. O(n)."""
        return bytes((yield from self._loaded()))

    @verb
    def contains(self, value: Any) -> Program[bool]:
        """Return whether bytes, text as UTF-8, or a single byte as a number, is in the content. O(n)."""
        return (value if isinstance(value, int) else self._dump(value, "contains")) in (yield from self._loaded())

    @verb
    def incr(self, v: int = 1) -> Program[int]:
        """Add to the content, read as an integer, at once, and return the sum. O(1).

        ``BadStructureValue``, a ``ValueError``, if it is none, or if it or the sum does not fit into 64 bits.
        """
        return int((yield from self._act("incr", operator.index(v))))


class String(StringBase, BlockingSequence):
    """Bytes that grow at the end; text is appended as UTF-8.

    >>> from stdnet import odm
    >>> models = odm.Router("memory://")
    >>> log = models.session().add(models.register(odm.String()))
    >>> log.push_back("one ").push_back("two").size(), log[:3], log.items()
    (7, b'one', b'one two')
    """


class AsyncString(StringBase, AwaitingSequence):
    """Bytes that grow at the end, with verbs that are awaited; see ``String``."""


class NumberArrayBase(Text):
    """The operations of number arrays."""

    kind = NUMBERARRAY
    value_pickler = CompactDouble()

    def _assembled(self, raw: Any, values: list[Any]) -> list[float]:
        return list(struct.unpack(f">{len(raw) // WIDTH}d", bytes(raw)))

    def _range(self, start: int, stop: int) -> Program[Any]:
        return (yield from super()._range(start * WIDTH, stop * WIDTH + WIDTH - 1))

    @verb
    def size(self) -> Program[int]:
        """Return the number of cells. O(1)."""
        if self.cache.cache is not None:
            return len(self.cache.cache)
        return int((yield from self._read("size"))) // WIDTH

    @verb
    def capacity(self) -> Program[int]:
        """Return the number of cells, which is what there is room for. O(1)."""
        return int((yield from self._read("size"))) // WIDTH

    @verb
    def set(self, index: int, value: float | None) -> Program[None]:
        """Replace the number at a place, at once; ``IndexError`` outside. O(1); a negative place is looked up first."""
        place = self._place(index)
        if place < 0:
            place += int((yield from self._read("size"))) // WIDTH
        if place < 0 or not (yield from self._act("assign", place * WIDTH, self._dump(value, "set"))):
            self._outside(index)

    @verb
    def resize(self, size: int) -> Program[int]:
        """Let the array have at least ``size`` cells, at once; return how many it has. O(k) for k new ones, all NaN.

        ``BadStructureValue``, a ``ValueError``, for more than 2**26 cells, which are 512 MB.
        """
        wanted = max(0, self._place(size))
        if wanted > MOST:
            raise BadStructureValue(self, "resize", f"{shown(size)} cells are more than {MOST}")
        return int((yield from self._act("resize", wanted * WIDTH, CompactDouble.missing))) // WIDTH

    @verb
    def pop_back(self) -> Program[float | None]:
        """Remove and return the last number, at once; ``None`` if there is none. O(n)."""
        data = yield from self._act("truncate", WIDTH)
        return self._assembled(data, [])[0] if data else None


class NumberArray(NumberArrayBase, BlockingSequence):
    """A compact vector of floating-point numbers; ``None`` and NaN are missing ones, and read as NaN.

    >>> from stdnet import odm
    >>> models = odm.Router("memory://")
    >>> prices = models.session().add(models.register(odm.NumberArray()))
    >>> prices.extend([2.5, 0, 7]).size(), prices[1], prices[-2:], prices.resize(4)
    (3, 0.0, [0.0, 7.0], 4)
    """

    def __setitem__(self, index: int, value: float | None) -> None:
        self.set(index, value)


class AsyncNumberArray(NumberArrayBase, AwaitingSequence):
    """A compact vector of numbers, with verbs that are awaited; see ``NumberArray``."""


twins(String, AsyncString)
twins(NumberArray, AsyncNumberArray)
