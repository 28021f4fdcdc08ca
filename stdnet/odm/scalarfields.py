"""The scalar fields: ids, numbers, booleans, dates, text and bytes.

Each class says how a Python value is converted (``convert``), stored (``dump``) and read back (``load``). The
overloads of ``__init__`` exist for type checkers: a number or date that is not required may be ``None``.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Hashable
from datetime import date, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

from ..contract import Scalar
from ..errors import FieldError
from .fields import AtomField, T

EXACT = 2**53
"""Up to here an integer is exact as a double, which is what scores and sorted indices are made of."""

MOST_BITS = 13_000
"""Python turns no larger integers into text, which is how a server stores them."""

EPOCH = datetime(1970, 1, 1)
_EPOCH_DAY = EPOCH.toordinal()
_DAY = 86400
_MICROSECOND = timedelta(microseconds=1)
_EXAMPLE = "2020-01-31T12:00+01:00"

I = TypeVar("I", int, int | None)  # noqa: E741
F = TypeVar("F", float, float | None)
D = TypeVar("D", bound=date | None)


class NumericField(AtomField[T]):
    """Base of what is stored as a number: it can order a model and has a range index."""

    internal_type = "numeric"

    def scorefun(self, value: Any) -> float:
        try:
            return float(self.dump(self.convert(value)))  # type: ignore[arg-type]
        except OverflowError:
            self.invalid(value, "is too large for an order")


class IntegerField(NumericField[I]):
    """A whole number. An indexed one lies within ±2**53; without an index any size is stored."""

    type = "integer"
    python_type = int
    column_type = "int"

    if TYPE_CHECKING:

        @overload
        def __init__(self: IntegerField[int | None], *, as_cache: Literal[True], **options: Any) -> None: ...
        @overload
        def __init__(self: IntegerField[int], *, required: Literal[True] = ..., **options: Any) -> None: ...
        @overload
        def __init__(self: IntegerField[int], *, required: bool = ..., default: int, **options: Any) -> None: ...
        @overload
        def __init__(self: IntegerField[int | None], *, required: bool, **options: Any) -> None: ...
        def __init__(self, **options: Any) -> None: ...

    def convert(self, value: Any) -> int:
        if type(value) is not int:
            try:
                value = int(value)
            except (TypeError, ValueError, OverflowError):
                self.invalid(value, "is not an integer")
        if self.index and not -EXACT <= value <= EXACT:
            self.invalid(value, "is beyond ±2**53, the range of an indexed integer; declare the field index=False")
        if value.bit_length() > MOST_BITS:
            self.invalid("a huge integer", "has more than 4,000 digits")
        number: int = value
        return number

    def as_is(self, value: str) -> str:
        return f"{-EXACT} <= {value} <= {EXACT}"  # narrower than it need be without an index


class FloatField(NumericField[F]):
    """A floating-point number; infinities are numbers, NaN is refused."""

    type = "float"
    python_type = float
    column_type = "float"
    class_index = False

    if TYPE_CHECKING:

        @overload
        def __init__(self: FloatField[float | None], *, as_cache: Literal[True], **options: Any) -> None: ...
        @overload
        def __init__(self: FloatField[float], *, required: Literal[True] = ..., **options: Any) -> None: ...
        @overload
        def __init__(self: FloatField[float], *, required: bool = ..., default: float, **options: Any) -> None: ...
        @overload
        def __init__(self: FloatField[float | None], *, required: bool, **options: Any) -> None: ...
        def __init__(self, **options: Any) -> None: ...

    def convert(self, value: Any) -> float:
        if type(value) is not float:
            try:
                value = float(value)
            except (TypeError, ValueError, OverflowError):
                self.invalid(value, "is not a number")
        if value != value:
            self.invalid(value, "has no place in an order and is not stored")
        number: float = value
        return number + 0.0 if self.primary_key else number  # 0.0 and -0.0 are one id, so one of them is chosen

    def as_is(self, value: str) -> str | None:
        return None if self.primary_key else f"{value} == {value}"

    def json_serialise(self, value: Any) -> Any:
        return str(value) if value in (math.inf, -math.inf) else value  # JSON has no word for infinities


class BooleanField(NumericField[bool]):
    """``True`` or ``False``; a missing value is ``False`` unless the default says otherwise."""

    type = "bool"
    python_type = bool
    column_type = "int"
    class_required = False
    class_default = False
    equal_index = True

    def convert(self, value: Any) -> bool:
        if type(value) is bool:
            return value
        try:
            return bool(int(value))
        except (TypeError, ValueError, OverflowError):
            self.invalid(value, "is not a boolean")

    def as_is(self, value: str) -> str:
        return ""

    def dump(self, value: Any) -> int:
        return 1 if value else 0

    def load(self, scalar: Any) -> bool:
        return bool(scalar)

    def serialise(self, value: Any, lookup: str | None = None) -> Scalar:
        return 1 if value else 0

    def scorefun(self, value: Any) -> float:
        return 1.0 if value else 0.0

    def json_serialise(self, value: Any) -> Any:
        return None if value is None else bool(value)

    def from_json(self, value: Any) -> Any:
        return self.to_python({"true": True, "false": False}.get(value, value) if isinstance(value, str) else value)


class AutoIdField(AtomField[int]):
    """The primary key that the backend allots: 1, 2, 3 …; a given id is kept and the next one is larger."""

    type = "auto"
    python_type = int
    column_type = "int"

    def __init__(self, **options: Any) -> None:
        super().__init__(**{**options, "primary_key": True})

    def convert(self, value: Any) -> int:
        if type(value) is not int:
            try:
                value = int(value) if isinstance(value, (int, str, bytes)) else int(str(value))
            except ValueError:
                self.invalid(value, "is not an integer id")
        if not -EXACT <= value <= EXACT:
            self.invalid(value, "is beyond ±2**53, the range of an integer id")
        return int(value)

    def as_is(self, value: str) -> str:
        return f"{-EXACT} <= {value} <= {EXACT}"


class DateField(NumericField[D]):
    """A day. Takes a date, a datetime, ISO text, or a number of seconds since 1970.

    It is stored as the seconds from 1970-01-01 to its midnight, whatever the time zone of the machine.
    """

    type = "date"
    python_type = date
    column_type = "int"

    if TYPE_CHECKING:

        @overload
        def __init__(self: DateField[date | None], *, as_cache: Literal[True], **options: Any) -> None: ...
        @overload
        def __init__(self: DateField[date], *, required: Literal[True] = ..., **options: Any) -> None: ...
        @overload
        def __init__(self: DateField[date], *, required: bool = ..., default: Any, **options: Any) -> None: ...
        @overload
        def __init__(self: DateField[date | None], *, required: bool, **options: Any) -> None: ...
        def __init__(self, **options: Any) -> None: ...

    @property
    def unit(self) -> Hashable:
        return self.type

    def convert(self, value: Any) -> date:
        if type(value) is date:
            return value
        day: date = value if isinstance(value, date) else self._parse(value)
        return self._naive(day).date() if isinstance(day, datetime) else day

    def as_is(self, value: str) -> str | None:
        return ""

    def _parse(self, value: Any) -> datetime:
        try:
            return self._moment_of(float(value))
        except (TypeError, ValueError, OverflowError):
            pass
        try:
            return datetime.fromisoformat(value)
        except (TypeError, ValueError):
            self.invalid(value, f"is not a {self.type}")

    def _moment_of(self, seconds: float) -> datetime:
        return EPOCH + timedelta(seconds=seconds)

    def dump(self, value: date) -> int:
        return (value.toordinal() - _EPOCH_DAY) * _DAY

    if TYPE_CHECKING:

        def load(self, scalar: Any) -> Any: ...

    else:  # a cache is asked faster than a date is made, and tables have the same days many times
        load = staticmethod(lru_cache(4096)(lambda scalar: date.fromordinal(scalar // _DAY + _EPOCH_DAY)))

    def serialise(self, value: Any, lookup: str | None = None) -> Scalar:
        if isinstance(value, datetime):  # a time of day lies between two dates: it equals neither
            return _seconds(self._naive(value))
        return super().serialise(value, lookup)

    def _naive(self, value: datetime) -> datetime:
        if value.tzinfo is not None:
            self.invalid(value, "has a time zone and this field has none; convert it with .replace(tzinfo=None)")
        return value

    def json_serialise(self, value: Any) -> Any:
        return None if value is None else self.dump(self.convert(value))


def _seconds(value: datetime) -> int | float:
    micros = (value - EPOCH) // _MICROSECOND
    return micros // 10**6 if micros % 10**6 == 0 else micros / 10**6


def _zone(name: str) -> tzinfo:
    from zoneinfo import ZoneInfo

    return ZoneInfo(name)


class DateTimeField(DateField[D]):
    """A point in time, to the microsecond. Takes what a ``DateField`` takes.

    It is stored as the microseconds since 1970-01-01. Without ``tz`` it has no zone: it is stored as it reads, as if
    it were UTC, and an aware datetime is refused. With ``tz``, a zone or the name of one, it takes aware datetimes,
    ISO text with an offset, and seconds since 1970, stores UTC, and gives aware datetimes in that zone; one without a
    zone is refused. An indexed one lies between the years 1684 and 2255.
    """

    type = "datetime"
    python_type = datetime
    class_index = False

    if TYPE_CHECKING:

        @overload
        def __init__(self: DateTimeField[datetime | None], *, as_cache: Literal[True], **options: Any) -> None: ...
        @overload
        def __init__(self: DateTimeField[datetime], *, required: Literal[True] = ..., **options: Any) -> None: ...
        @overload
        def __init__(self: DateTimeField[datetime], *, required: bool = ..., default: Any, **options: Any) -> None: ...
        @overload
        def __init__(self: DateTimeField[datetime | None], *, required: bool, **options: Any) -> None: ...
        def __init__(self, **options: Any) -> None: ...

    def _handle_extras(self, **extras: Any) -> None:
        tz = extras.pop("tz", None)
        super()._handle_extras(**extras)
        try:
            self.tz: tzinfo | None = _zone(tz) if isinstance(tz, str) else tz
        except (KeyError, ValueError, OSError):
            raise FieldError(f"DateTimeField knows no time zone {tz!r}. Is the package tzdata installed?") from None
        if not isinstance(self.tz, (tzinfo, type(None))):
            raise FieldError(f"tz of a DateTimeField is a time zone or the name of one, not {tz!r}.")

    @property
    def unit(self) -> Hashable:
        return self.type, self.tz is not None

    def convert(self, value: Any) -> datetime:
        moment = self._moment(value)
        if self.index and not -EXACT <= self.dump(moment) <= EXACT:
            self.invalid(value, "is outside of 1684 to 2255, the range of an indexed field; declare it index=False")
        return moment

    def as_is(self, value: str) -> str | None:
        return None if self.index or self.tz is not None else f"{value}.tzinfo is None"

    def _moment(self, value: Any) -> datetime:
        if self.tz is not None:
            return self._aware(value)
        if isinstance(value, date) and not isinstance(value, datetime):
            return datetime(value.year, value.month, value.day)
        return self._naive(value if isinstance(value, datetime) else self._parse(value))

    def _aware(self, value: Any) -> datetime:
        moment = value if isinstance(value, date) else self._parse(value)
        if not isinstance(moment, datetime) or moment.utcoffset() is None:
            self.invalid(value, f"has no time zone, and this field has; give one: datetime.now(tz) or {_EXAMPLE}")
        try:
            return self.load(self.dump(moment))  # type: ignore[no-any-return]
        except OverflowError:
            self.invalid(value, "is too close to the end of the calendar for another time zone")

    def _parse(self, value: Any) -> datetime:
        if isinstance(value, str) and value[-1:] in ("Z", "z"):  # which Python reads since 3.11
            value = f"{value[:-1]}+00:00"
        return super()._parse(value)

    def _moment_of(self, seconds: float) -> datetime:
        moment = super()._moment_of(seconds)
        return moment if self.tz is None else moment.replace(tzinfo=timezone.utc)

    def dump(self, value: Any) -> int:
        if self.tz is None:
            delta: timedelta = value - EPOCH
        else:
            delta = value.replace(tzinfo=None) - EPOCH - value.utcoffset()
        return (delta.days * _DAY + delta.seconds) * 1_000_000 + delta.microseconds

    def load(self, scalar: Any) -> Any:
        moment = EPOCH + timedelta(microseconds=scalar)
        return moment if self.tz is None else moment.replace(tzinfo=timezone.utc).astimezone(self.tz)

    def serialise(self, value: Any, lookup: str | None = None) -> Scalar:
        if value is None:
            return None
        bound = lookup in ("gt", "ge", "lt", "le")  # bounds may lie outside of what an index holds
        return self.dump(self._moment(value) if bound else self.convert(value))

    def json_serialise(self, value: Any) -> Any:
        """Return the seconds since 1970, or ISO text where a float cannot hold them to the microsecond."""
        if value is None:
            return None
        moment = self.convert(value)
        micros = self.dump(moment)
        exact = timedelta(seconds=micros / 1_000_000) == timedelta(microseconds=micros)
        return micros / 1_000_000 if exact else moment.isoformat()


class SymbolField(AtomField[str]):
    """Short text with an index: names, codes, tags. A missing value is the empty text."""

    type = "text"
    internal_type = "text"
    python_type = str
    column_type = "str"
    class_default = ""

    def convert(self, value: Any) -> str:
        if isinstance(value, (bytes, bytearray)):
            try:
                value = value.decode(self.charset)
            except UnicodeDecodeError:
                self.invalid(value, f"is not {self.charset} text")
        try:
            if type(value) is not str:
                value = str.__str__(value) if isinstance(value, str) else str(value)  # an enum of texts is its text
            if not value.isascii():
                value.encode()
        except UnicodeEncodeError:
            self.invalid(value, "has lone surrogates, which no encoding of text can hold")
        return value  # type: ignore[no-any-return]

    def as_is(self, value: str) -> str:
        return f"{value}.isascii()"

    def json_serialise(self, value: Any) -> Any:
        return value


class CharField(SymbolField):
    """Free text, never indexed; text lookups scan. ``max_length`` is accepted and means nothing."""

    indexable = False
    class_required = False

    def _handle_extras(self, **extras: Any) -> None:
        extras.pop("max_length", None)
        super()._handle_extras(**extras)


class ByteField(AtomField[bytes]):
    """Bytes, kept as they are, never indexed. Text is taken as UTF-8; in JSON the value is base64 text."""

    type = "bytes"
    internal_type = "bytes"
    python_type = bytes
    column_type = "bytes"
    indexable = False
    class_required = False
    class_default = b""

    def convert(self, value: Any) -> bytes:
        if isinstance(value, (bytes, bytearray, memoryview)):
            return bytes(value)
        if not isinstance(value, str):
            self.invalid(value, "is neither bytes nor text")
        try:
            return value.encode(self.charset)
        except UnicodeEncodeError:
            self.invalid(value, "has lone surrogates, which no encoding of text can hold")

    def as_is(self, value: str) -> str:
        return ""

    def json_serialise(self, value: Any) -> Any:
        return None if value is None else base64.b64encode(value).decode("ascii")

    def from_json(self, value: Any) -> Any:
        try:
            return self.to_python(base64.b64decode(value, validate=True) if isinstance(value, str) else value)
        except ValueError:
            self.invalid(value, "is not base64 text")
