"""Encoders: how the values of a structure are written and read. What the fields of a row store lives in ``stdnet.odm``.

Most encoders turn a value into bytes. ``Double``, ``DateTimeConverter`` and ``DateConverter`` turn it into a number,
which orders; ``NoEncoder`` leaves it alone. An encoder holds its options and nothing else: two of one class with the
same options are equal, and one may serve any number of structures and threads.

``loads`` takes the bytes that ``dumps`` returned, the same as text, or a value that is already decoded.
"""

from __future__ import annotations

import builtins
import json
import math
import struct
from collections.abc import Callable, Iterable
from datetime import date, datetime
from functools import lru_cache
from typing import Any, ClassVar

from ..errors import NotConvertible, WrongType
from .dates import date2micros, micros2date
from .jsontools import JSONDateDecimalEncoder, date_decimal_hook
from .tools import int_or_float

JSONEncoderClass = Callable[..., json.JSONEncoder]
JSONHook = Callable[[dict[str, Any]], Any]
_DAY = 86_400_000_000


def safe_number(v: Any) -> Any:
    """Return the number that ``v`` is or spells, an ``int`` if it is whole; anything else comes back unchanged.

    >>> safe_number("3.0"), safe_number("7 seas"), safe_number(None)
    (3, '7 seas', None)
    """
    try:
        return int_or_float(v)
    except (TypeError, ValueError, OverflowError):
        return v


def _all_are(kind: type, values: list[Any]) -> bool:
    """Return whether all values have exactly that type: then a whole bulk needs no call for each."""
    return set(map(type, values)) <= {kind}


class Encoder:
    """Base of all encoders: subclass it, set ``type``, and define ``dumps`` and ``loads``."""

    type: ClassVar[type | None] = None
    """What it deals in: text (JSON is text), bytes, floats, dates or datetimes; ``None``: anything."""

    def dumps(self, x: Any) -> Any:
        """Return the stored form of a value."""
        raise NotImplementedError(f"{type(self).__name__} has no dumps")

    def loads(self, x: Any) -> Any:
        """Return the value of a stored form."""
        raise NotImplementedError(f"{type(self).__name__} has no loads")

    def require_session(self) -> bool:
        """Return whether ``load_iterable`` needs a session, because it has to ask a backend for the values."""
        return False

    def dump_iterable(self, iterable: Iterable[Any]) -> list[Any]:
        """Return the stored forms of several values, in their order."""
        dumps = self.dumps
        return [dumps(x) for x in iterable]

    def load_iterable(self, iterable: Iterable[Any], session: Any = None) -> list[Any]:
        """Return the values of several stored forms, in their order."""
        loads = self.loads
        return [loads(x) for x in iterable]

    def keeps(self, stored: builtins.type) -> bool:
        """Return whether each stored form of exactly that type is the value itself, so that nothing has to be done."""
        return False

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and vars(other) == vars(self)

    def __hash__(self) -> int:
        return hash((type(self), *vars(self).values()))

    def __repr__(self) -> str:
        options = ", ".join(f"{name}={value!r}" for name, value in vars(self).items())
        return f"{type(self).__name__}({options})"


class _Text(Encoder):
    """Base of the encoders that have to do with text."""

    def __init__(self, charset: str = "utf-8", encoding_errors: str = "strict") -> None:
        self.charset = charset
        self.encoding_errors = encoding_errors

    def _encoded(self, x: Any) -> bytes:
        try:
            return str(x).encode(self.charset, self.encoding_errors)
        except ValueError as error:  # lone surrogates, other characters than the charset's, or an endless integer
            raise NotConvertible(type(self).__name__, x, f"cannot be written as {self.charset}: {error}") from error

    def _decoded(self, data: bytes) -> str:
        try:
            return data.decode(self.charset, self.encoding_errors)
        except UnicodeDecodeError as error:
            raise NotConvertible(type(self).__name__, data, f"is not {self.charset} text: {error}") from error


class Default(_Text):
    """Text. Bytes are taken as they are, anything else as its ``str``.

    >>> Default().dumps(5), Default().loads(b"5")
    (b'5', '5')
    """

    type = str

    def dumps(self, x: Any) -> bytes:
        return x if isinstance(x, bytes) else self._encoded(x)

    def loads(self, x: Any) -> Any:
        """Return the text; ``None`` stays ``None``."""
        if isinstance(x, bytes):
            return self._decoded(x)
        return None if x is None else str(x)

    def dump_iterable(self, iterable: Iterable[Any]) -> list[Any]:
        values = list(iterable)
        if type(self).dumps is Default.dumps and _all_are(str, values):
            try:
                return [x.encode(self.charset, self.encoding_errors) for x in values]
            except ValueError:
                pass  # told about the one value
        return super().dump_iterable(values)

    def load_iterable(self, iterable: Iterable[Any], session: Any = None) -> list[Any]:
        values = list(iterable)
        if type(self).loads is Default.loads and _all_are(bytes, values):
            try:
                return [x.decode(self.charset, self.encoding_errors) for x in values]
            except ValueError:
                pass  # told about the one value
        return super().load_iterable(values, session)


class NumericDefault(Default):
    """Text that is a number where it spells one, so ``"3.0"`` comes back as ``3`` and ``"nan"`` as NaN.

    >>> [NumericDefault().loads(x) for x in (b"3.0", b"007", b"0.5", b"EUR")]
    [3, 7, 0.5, 'EUR']
    """

    def loads(self, x: Any) -> Any:
        return safe_number(super().loads(x))


class Bytes(_Text):
    """Bytes, kept as they are. Text is encoded; anything else is refused.

    >>> Bytes().dumps("über"), Bytes().loads(b"\\xff")
    (b'\\xc3\\xbcber', b'\\xff')
    """

    type = bytes

    def dumps(self, x: Any) -> bytes:
        if type(x) is bytes:  # the common case first: this is all that there is to do for each value of a bulk
            return x
        if isinstance(x, str):
            return self._encoded(x)
        if isinstance(x, (bytes, bytearray, memoryview)):
            return bytes(x)
        raise WrongType("Bytes", x, "is neither bytes nor text")

    loads = dumps

    def dump_iterable(self, iterable: Iterable[Any]) -> list[Any]:
        values = list(iterable)
        unchanged = type(self).dumps is Bytes.dumps and _all_are(bytes, values)
        return values if unchanged else super().dump_iterable(values)

    def load_iterable(self, iterable: Iterable[Any], session: Any = None) -> list[Any]:
        values = list(iterable)
        return values if self.keeps(bytes) and _all_are(bytes, values) else super().load_iterable(values, session)

    def keeps(self, stored: builtins.type) -> bool:
        return stored is bytes and type(self).loads is Bytes.loads


class NoEncoder(Encoder):
    """Leaves every value as it is."""

    def dumps(self, x: Any) -> Any:
        return x

    loads = dumps


class Double(Encoder):
    """A floating-point number; NaN stands for what is none.

    >>> Double().dumps(5), Double().loads(b"0.5"), Double().dumps("EUR")
    (5.0, 0.5, nan)
    """

    type = float

    def dumps(self, x: Any) -> float:
        try:
            return float(x)
        except (TypeError, ValueError, OverflowError):
            return math.nan

    loads = dumps

    def dump_iterable(self, iterable: Iterable[Any]) -> list[Any]:
        values = list(iterable)
        unchanged = type(self).dumps is Double.dumps and _all_are(float, values)
        return values if unchanged else super().dump_iterable(values)

    def load_iterable(self, iterable: Iterable[Any], session: Any = None) -> list[Any]:
        values = list(iterable)
        return values if self.keeps(float) and _all_are(float, values) else super().load_iterable(values, session)

    def keeps(self, stored: builtins.type) -> bool:
        return stored is float and type(self).loads is Double.loads


class CompactDouble(Encoder):
    """A floating-point number in 8 bytes, big-endian. ``None`` and NaN are ``missing`` and load as NaN.

    >>> CompactDouble().dumps(0.0).hex(), CompactDouble().dumps(None).hex()
    ('0000000000000000', '7ff8000000000000')
    """

    type = float
    missing: ClassVar[bytes] = bytes.fromhex("7ff8000000000000")
    """The one form of a missing number; it is a NaN to whoever reads it as a double."""

    def dumps(self, x: Any) -> bytes:
        if x is None or x != x:
            return self.missing
        try:
            return struct.pack(">d", float(x))
        except (TypeError, ValueError, OverflowError):
            raise WrongType("CompactDouble", x, "is not a number that fits into 8 bytes") from None

    def loads(self, x: Any) -> float:
        if isinstance(x, bytes):
            if len(x) != 8:
                raise NotConvertible("CompactDouble", x, "is not 8 bytes long")
            number: float = struct.unpack(">d", x)[0]
            return number
        if x is None:
            return math.nan
        try:
            return float(x)
        except (TypeError, ValueError, OverflowError):
            raise WrongType("CompactDouble", x, "is not a number") from None


class Json(_Text):
    """Anything that JSON can say, and dates, datetimes and decimals, as compact JSON text.

    ``json_encoder`` is a ``json.JSONEncoder`` class, ``object_hook`` what reads its additions back.

    >>> Json().dumps({"bid": [1.5, None]}), Json().loads(b'{"bid":[1.5,null]}')
    (b'{"bid":[1.5,null]}', {'bid': [1.5, None]})
    """

    type = str

    def __init__(
        self,
        charset: str = "utf-8",
        encoding_errors: str = "strict",
        json_encoder: JSONEncoderClass | None = None,
        object_hook: JSONHook | None = None,
    ) -> None:
        super().__init__(charset, encoding_errors)
        self.json_encoder = json_encoder or JSONDateDecimalEncoder
        self.object_hook = object_hook or date_decimal_hook

    def dumps(self, x: Any) -> bytes:
        try:
            text = _json_writer(self.json_encoder).encode(x)
        except (TypeError, ValueError, RecursionError) as error:
            refusal = WrongType if isinstance(error, TypeError) else NotConvertible
            raise refusal("Json", x, f"cannot be written as JSON: {error}") from error
        return self._encoded(text)

    def loads(self, x: Any) -> Any:
        """Return what the JSON text says; what is neither text nor bytes comes back unchanged."""
        text = self._decoded(x) if isinstance(x, bytes) else x
        if not isinstance(text, str):
            return x
        try:
            return _json_reader(self.object_hook).decode(text)
        except (ValueError, RecursionError) as error:
            raise NotConvertible("Json", x, f"is not JSON: {error}") from error


@lru_cache(maxsize=64)
def _json_writer(cls: JSONEncoderClass) -> json.JSONEncoder:
    return cls(ensure_ascii=False, separators=(",", ":"))


@lru_cache(maxsize=64)
def _json_reader(hook: JSONHook) -> json.JSONDecoder:
    return json.JSONDecoder(object_hook=hook)


class PythonPickle(Encoder):
    """Any Python object, as its pickle. Never a default: it works only where it is asked for by name.

    To unpickle is to run what the data says. Use it only for data that nobody but your own programs can write.
    Data that is no pickle is an error; it is not returned as text.

    >>> PythonPickle().loads(PythonPickle().dumps({1, 2}))
    {1, 2}
    """

    type = bytes

    def __init__(self, protocol: int = 2) -> None:
        self.protocol = protocol

    def dumps(self, x: Any) -> bytes:
        import pickle  # whoever does not ask for it does not load it

        try:
            return pickle.dumps(x, self.protocol)
        except Exception as error:
            raise WrongType("PythonPickle", x, f"cannot be pickled: {error}") from error

    def loads(self, x: Any) -> Any:
        """Return the object; what is not bytes comes back unchanged."""
        if not isinstance(x, bytes):
            return x
        import pickle  # likewise

        try:
            return pickle.loads(x)
        except Exception as error:
            raise NotConvertible("PythonPickle", x, f"cannot be unpickled: {error}") from error


class DateTimeConverter(Encoder):
    """A naive datetime, as the whole microseconds since 1970-01-01, as if it were UTC. A date is its midnight.

    The number is exact as a float, too: before 1684 and after 2255 the fraction of a second may have to be zero. An
    aware datetime is refused.

    >>> DateTimeConverter().dumps(datetime(1970, 1, 1, 0, 0, 1, 5)), DateTimeConverter().loads(b"1000005")
    (1000005, datetime.datetime(1970, 1, 1, 0, 0, 1, 5))
    """

    type: ClassVar[type | None] = datetime

    def dumps(self, x: date) -> int:
        micros = date2micros(x, type(self).__name__)
        if micros != float(micros):
            raise NotConvertible(
                type(self).__name__, x, "has no exact number outside of 1684 to 2255; use whole seconds there"
            )
        return micros

    def loads(self, x: Any) -> Any:
        """Return the datetime of a number, of its text, or of a date."""
        if isinstance(x, date):
            x = date2micros(x, type(self).__name__)
        try:
            return micros2date(round(int_or_float(x)))
        except (TypeError, ValueError, OverflowError):
            raise NotConvertible(
                type(self).__name__, x, "is not a number of microseconds in the years 1 to 9999"
            ) from None


class DateConverter(DateTimeConverter):
    """A date, on the scale of ``DateTimeConverter``. A naive datetime counts as its day.

    >>> DateConverter().dumps(date(1970, 1, 2)), DateConverter().loads(86_400_000_000)
    (86400000000, datetime.date(1970, 1, 2))
    """

    type = date

    def dumps(self, x: date) -> int:
        return date2micros(x, type(self).__name__) // _DAY * _DAY

    def loads(self, x: Any) -> Any:
        """Return the day of a number, of its text, or of a datetime."""
        return super().loads(x).date()
