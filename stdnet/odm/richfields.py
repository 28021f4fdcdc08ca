"""Fields whose values are more than a scalar: decimals, spans of time, UUIDs and members of an enum.

Each value has one exact scalar, the same on every backend, and an order: decimals and spans of time are stored as
whole numbers of their smallest unit, which is what makes a range index on them exact. Nothing here is read or
written but scalars; what holds arbitrary objects is in ``objectfields``.
"""

from __future__ import annotations

import builtins
import math
from collections.abc import Hashable
from contextlib import suppress
from datetime import timedelta
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, ROUND_CEILING, ROUND_FLOOR, Context, Decimal, InvalidOperation
from enum import Enum, Flag
from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload
from uuid import UUID

from ..contract import Scalar
from ..contract.requests import ScalarType
from ..errors import FieldError
from .fields import AtomField, T
from .scalarfields import EXACT, NumericField

if TYPE_CHECKING:
    from typing_extensions import Self

C = TypeVar("C", Decimal, Decimal | None)
S = TypeVar("S", timedelta, timedelta | None)
U = TypeVar("U", UUID, UUID | None)
E = TypeVar("E", bound=Enum)

MOST_DIGITS = 4000
"""Python and a server turn no much longer integers into text."""

MOST_PLACES = 300
"""Up to here a power of ten is a double."""

BETWEEN = 0.5
"""What a column of whole numbers is asked for to say: a value that no row has."""

UNROUNDED = Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN)
_MICROSECOND = timedelta(microseconds=1)


class DecimalField(NumericField[C]):
    """An exact decimal number, a whole multiple of ``10**-decimal_places``, which has to be declared.

    It is stored as the number of those multiples: ``Decimal("1.50")`` is 150 with two places. So equality, ranges and
    orders are exact, by a range index for up to ±2**53 multiples (15 digits), and with ``index=False`` for any number
    of digits. A value with more places is refused, not rounded; ``max_digits`` refuses longer ones. Floats are taken as
    they are written: ``0.1`` is ``Decimal("0.1")``. In JSON it is text. A ``where`` expression sees a double.
    """

    type = "decimal"
    python_type = Decimal
    column_type = "int"

    if TYPE_CHECKING:

        @overload
        def __init__(
            self: DecimalField[Decimal | None], *, decimal_places: int, as_cache: Literal[True], **options: Any
        ) -> None: ...
        @overload
        def __init__(
            self: DecimalField[Decimal], *, decimal_places: int, required: Literal[True] = ..., **options: Any
        ) -> None: ...
        @overload
        def __init__(
            self: DecimalField[Decimal], *, decimal_places: int, required: bool = ..., default: Any, **options: Any
        ) -> None: ...
        @overload
        def __init__(
            self: DecimalField[Decimal | None], *, decimal_places: int, required: bool, **options: Any
        ) -> None: ...
        def __init__(self, **options: Any) -> None: ...

    def _handle_extras(self, **extras: Any) -> None:
        places, digits = extras.pop("decimal_places", None), extras.pop("max_digits", None)
        super()._handle_extras(**extras)
        if type(places) is not int or not 0 <= places <= MOST_PLACES:
            raise FieldError(
                "A DecimalField stores whole multiples of its last place. Declare it: decimal_places=2 for cents."
            )
        if digits is not None and (type(digits) is not int or not max(1, places) <= digits <= MOST_DIGITS):
            raise FieldError(f"max_digits of a DecimalField is a number of digits, at least {places or 1}.")
        if digits is not None and digits > 15 and self.index:
            raise FieldError(
                f"An indexed DecimalField has at most 15 digits, not max_digits={digits}. Declare it index=False."
            )
        self.decimal_places: int = places
        self.max_digits: int | None = digits

    @property
    def unit(self) -> Hashable:
        return self.type, self.decimal_places

    @property
    def scale(self) -> float:
        return 10.0**self.decimal_places

    def convert(self, value: Any) -> Decimal:
        number = self._number(value)
        units = self._units(number)
        if units != units.to_integral_value(ROUND_FLOOR, UNROUNDED):
            self.invalid(value, f"has more than {self.decimal_places} decimal places; round it first")
        if units.copy_abs() > EXACT and self.index:
            self.invalid(value, "is too large for an index, which holds 15 digits; declare the field index=False")
        if self.max_digits is not None and units and units.adjusted() >= self.max_digits:
            self.invalid(value, f"has more than {self.max_digits} digits")
        made: Decimal = self.load(int(units))
        return made

    def _number(self, value: Any) -> Decimal:
        """Return any number as a decimal that is finite and not absurd."""
        number: Decimal | None = None
        if isinstance(value, (Decimal, int, float, str)):
            with suppress(InvalidOperation, ValueError):
                number = Decimal(float.__repr__(value) if isinstance(value, float) else value)
        if number is None or not number.is_finite():
            self.invalid(value, "is not a decimal number")
        if number and number.adjusted() + self.decimal_places >= MOST_DIGITS:
            self.invalid("a huge number", f"has more than {MOST_DIGITS} digits")
        return number

    def _units(self, number: Decimal) -> Decimal:
        return number.scaleb(self.decimal_places, UNROUNDED)

    def dump(self, value: Decimal) -> int:
        return int(self._units(value))

    def load(self, scalar: Any) -> Any:
        return Decimal(scalar).scaleb(-self.decimal_places, UNROUNDED)

    def serialise(self, value: Any, lookup: str | None = None) -> Scalar:
        """Return the multiples that a query compares with: a bound between two of them is moved to the right one."""
        if value is None:
            return None
        if value.is_infinite() if isinstance(value, Decimal) else value in (math.inf, -math.inf):
            return float(value)
        units = self._units(self._number(value))
        whole = units.to_integral_value(ROUND_FLOOR if lookup in ("gt", "le") else ROUND_CEILING, UNROUNDED)
        return int(whole) if lookup in ("gt", "ge", "lt", "le") or whole == units else BETWEEN

    def json_serialise(self, value: Any) -> Any:
        return None if value is None else format(self.convert(value), "f")


class TimeDeltaField(NumericField[S]):
    """A span of time in whole microseconds. Takes a ``timedelta``, or seconds as a number or as text.

    It is stored as microseconds. An indexed one lies within 285 years; without an index any is stored. In JSON it is
    the text of its seconds, which is exact.
    """

    type = "timedelta"
    python_type = timedelta
    column_type = "int"

    if TYPE_CHECKING:

        @overload
        def __init__(self: TimeDeltaField[timedelta | None], *, as_cache: Literal[True], **options: Any) -> None: ...
        @overload
        def __init__(self: TimeDeltaField[timedelta], *, required: Literal[True] = ..., **options: Any) -> None: ...
        @overload
        def __init__(
            self: TimeDeltaField[timedelta], *, required: bool = ..., default: Any, **options: Any
        ) -> None: ...
        @overload
        def __init__(self: TimeDeltaField[timedelta | None], *, required: bool, **options: Any) -> None: ...
        def __init__(self, **options: Any) -> None: ...

    @property
    def unit(self) -> Hashable:
        return self.type

    def convert(self, value: Any) -> timedelta:
        span = self._span(value)
        if self.index and not -EXACT <= self.dump(span) <= EXACT:
            self.invalid(value, "is longer than 285 years, the range of an indexed field; declare it index=False")
        return span

    def _span(self, value: Any) -> timedelta:
        if isinstance(value, timedelta):
            return value if type(value) is timedelta else value + timedelta()
        if isinstance(value, (int, float, str, Decimal)):
            with suppress(ArithmeticError, ValueError):
                return timedelta(microseconds=int(self._micros(Decimal(value))))
        return self.invalid(value, "is not a span of time; give a timedelta or seconds")

    def _micros(self, seconds: Decimal) -> Decimal:
        if seconds.adjusted() > 20:  # before such a number is written out
            raise OverflowError
        return seconds.scaleb(6, UNROUNDED).to_integral_value(context=UNROUNDED)

    def dump(self, value: timedelta) -> int:
        return value // _MICROSECOND

    def load(self, scalar: Any) -> Any:
        return timedelta(microseconds=scalar)

    def serialise(self, value: Any, lookup: str | None = None) -> Scalar:
        if value is None:
            return None
        bound = lookup in ("gt", "ge", "lt", "le")  # bounds may lie outside of what an index holds
        return self.dump(self._span(value) if bound else self.convert(value))

    def json_serialise(self, value: Any) -> Any:
        return None if value is None else format(Decimal(self.dump(self.convert(value))).scaleb(-6, UNROUNDED), "f")


class TokenField(AtomField[T]):
    """Base of what is stored as a short text or number and is neither in Python: a blank one is a missing one."""

    internal_type = "text"
    column_type = "str"

    def to_python(self, value: Any, backend: Any = None) -> Any:
        return super().to_python(None if isinstance(value, str) and value == "" else value)

    def serialise(self, value: Any, lookup: str | None = None) -> Scalar:
        return super().serialise(None if isinstance(value, str) and value == "" else value, lookup)

    def json_serialise(self, value: Any) -> Any:
        return None if value is None else self.dump(self.convert(value))


class UUIDField(TokenField[U]):
    """A UUID, stored as its text of 36 characters, which sorts as the UUIDs do. Takes its text or 16 bytes, too.

    As a primary key it is given by the program: ``Fund(id=uuid4())``.
    """

    type = "uuid"
    python_type = UUID

    if TYPE_CHECKING:

        @overload
        def __init__(self: UUIDField[UUID | None], *, as_cache: Literal[True], **options: Any) -> None: ...
        @overload
        def __init__(self: UUIDField[UUID], *, required: Literal[True] = ..., **options: Any) -> None: ...
        @overload
        def __init__(self: UUIDField[UUID], *, required: bool = ..., default: Any, **options: Any) -> None: ...
        @overload
        def __init__(self: UUIDField[UUID | None], *, required: bool, **options: Any) -> None: ...
        def __init__(self, **options: Any) -> None: ...

    def convert(self, value: Any) -> UUID:
        if isinstance(value, UUID):
            return value
        try:
            return UUID(bytes=value) if isinstance(value, bytes) and len(value) == 16 else UUID(str(value))
        except ValueError:
            self.invalid(value, "is not a UUID")

    def dump(self, value: UUID) -> str:
        return str(value)

    def load(self, scalar: Any) -> Any:
        return UUID(scalar)


class EnumField(TokenField[T]):
    """A member of an enum. Takes a member, or what is stored for it.

    With ``by="name"``, the default, the name of the member is stored, which ``auto()`` and new values do not change.
    With ``by="value"`` it is the value, and all values are texts or all integers; only integers have a range index.
    Rename members, or change values, only after the rows that hold them.
    """

    type = "enum"
    by: str

    if TYPE_CHECKING:

        @overload
        def __init__(
            self: EnumField[E | None], enum: builtins.type[E], *, as_cache: Literal[True], **options: Any
        ) -> None: ...
        @overload
        def __init__(
            self: EnumField[E], enum: builtins.type[E], *, required: Literal[True] = ..., **options: Any
        ) -> None: ...
        @overload
        def __init__(
            self: EnumField[E], enum: builtins.type[E], *, required: bool = ..., default: Any, **options: Any
        ) -> None: ...
        @overload
        def __init__(self: EnumField[E | None], enum: builtins.type[E], *, required: bool, **options: Any) -> None: ...
        def __init__(self, enum: Any, **options: Any) -> None: ...

    else:

        def __init__(self, enum: Any, by: str = "name", **options: Any) -> None:
            if not (isinstance(enum, type) and issubclass(enum, Enum) and len(enum)):
                raise FieldError("An EnumField needs the enum that it holds members of: odm.EnumField(Colour).")
            super().__init__(**options)
            self.python_type = enum
            self.by = by
            self.column_type = self._stored_type()
            self.internal_type = "text" if self.column_type == "str" else "numeric"

    def copy(self) -> Self:
        return type(self)(self.python_type, by=self.by, **self.options)

    def _stored_type(self) -> ScalarType:
        enum, values = self.python_type, [member.value for member in self.python_type]
        if self.by == "name" and not issubclass(enum, Flag):
            return "str"
        if self.by == "value" and all(type(value) is str and value for value in values):
            return "str"
        if self.by == "value" and all(type(value) is int and abs(value) <= EXACT for value in values):
            return "int"
        raise FieldError(
            f"An EnumField stores {enum.__name__} by='name', or by='value' if all values are texts that are not empty, "
            f"or all are integers within ±2**53; flags only by='value'. It cannot by={self.by!r}."
        )

    @property
    def unit(self) -> Hashable:
        return self.python_type, self.by

    def convert(self, value: Any) -> Any:
        enum = self.python_type
        if isinstance(value, enum):
            return value
        try:
            return enum[value] if self.by == "name" else enum(self._raw(value))
        except (KeyError, ValueError, TypeError, ArithmeticError):
            self.invalid(value, f"is not a member of {enum.__name__}")

    def _raw(self, value: Any) -> Any:
        """Return a value as the enum knows it: numbers come as text from CSV."""
        return int(value) if self.internal_type == "numeric" and isinstance(value, str) else value

    def dump(self, value: Any) -> Any:
        return value.name if self.by == "name" else value.value

    def load(self, scalar: Any) -> Any:
        return self.convert(scalar)
