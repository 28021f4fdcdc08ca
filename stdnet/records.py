"""Records: small classes of named, typed values, which requests, plans and settings are made of. No logic of stdnet.

``dataclasses`` makes such classes, too, but it writes and compiles half a dozen functions for each, and imports
``inspect`` to do so: for the sixty classes here that took half of the time in which a program starts. Records compare,
hash and show themselves by methods that they share; a constructor is compiled when its class has its first instance.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

if TYPE_CHECKING:
    from typing_extensions import dataclass_transform
else:

    def dataclass_transform(**_: Any) -> Callable[[Any], Any]:
        return lambda cls: cls


R = TypeVar("R", bound="Record")


class _Field:
    """What is said of one field; ``default`` is ``_Field`` itself if there is none."""

    __slots__ = ("compare", "default", "factory", "init", "repr")

    def __init__(
        self,
        default: Any,
        factory: Callable[[], Any] | None = None,
        init: bool = True,
        repr: bool = True,
        compare: bool = True,
    ) -> None:
        self.default, self.factory, self.init, self.repr, self.compare = default, factory, init, repr, compare


def field(
    *,
    default: Any = _Field,
    factory: Callable[[], Any] | None = None,
    init: bool = True,
    repr: bool = True,
    compare: bool = True,
) -> Any:
    """Return the default of a field that ``factory`` makes, or that is not given, not shown or not compared."""
    return _Field(default, factory, init, repr, compare)


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
class _RecordType(type):
    """Makes slots of annotations. Modules that define records begin with ``from __future__ import annotations``."""

    def __new__(
        mcls, name: str, bases: tuple[type, ...], scope: dict[str, Any], frozen: bool = True, eq: bool = True
    ) -> _RecordType:
        own: dict[str, _Field] = {}
        for attribute, annotation in scope.get("__annotations__", {}).items():
            if not annotation.startswith("ClassVar"):
                default = scope.pop(attribute, _Field)
                own[attribute] = default if isinstance(default, _Field) else _Field(default)
        fields = {name: each for base in bases for name, each in getattr(base, "_fields", {}).items()} | own
        compared = [name for name, each in fields.items() if each.compare]
        scope["__slots__"] = tuple(own)
        scope["__match_args__"] = tuple(name for name, each in fields.items() if each.init)
        scope["_fields"] = fields
        scope["_values"] = attrgetter(*compared) if compared else type
        scope["__init__"] = _construct
        if not eq:
            scope["__eq__"], scope["__hash__"] = object.__eq__, object.__hash__
        elif not frozen:
            scope["__hash__"] = None
        return super().__new__(mcls, name, bases, scope)


def _construct(self: Any, *args: Any, **kwargs: Any) -> None:
    """Put the constructor of the class in the place of this one, and go on with it."""
    cls = type(self)
    cls.__init__ = _constructor(cls)
    self.__init__(*args, **kwargs)


def _constructor(cls: Any) -> Callable[..., None]:
    scope: dict[str, Any] = {"no": _Field}
    given, lines = ["self"], []
    for n, (name, each) in enumerate(cls._fields.items()):
        if not each.init:
            continue
        value = name
        if each.factory is not None:
            scope[f"make{n}"] = each.factory
            given.append(f"{name}=no")
            value = f"make{n}() if {name} is no else {name}"
        elif each.default is not _Field:
            scope[f"default{n}"] = each.default
            given.append(f"{name}=default{n}")
        else:
            given.append(name)
        lines.append(f"self.{name} = {value}")
    if hasattr(cls, "__post_init__"):
        lines.append("self.__post_init__()")
    body = "".join(f"    {line}\n" for line in lines or ["pass"])
    exec(f"def __init__({', '.join(given)}):\n{body}", scope)
    made: Callable[..., None] = scope["__init__"]
    made.__qualname__ = f"{cls.__qualname__}.__init__"
    return made


class Record(metaclass=_RecordType):
    """Base of records: slots, a constructor, comparison by value and by class, a hash, a text, ``match``.

    To type checkers a record is frozen, unless its class says ``frozen=False``; then it has no hash. At run time
    nothing keeps its attributes from being set, which would make each constructor three times slower. With ``eq=False``
    each record equals itself alone. ``__post_init__`` is called at the end of the constructor.

    >>> class Point(Record):
    ...     x: int
    ...     y: int = 0
    >>> Point(1), Point(1) == Point(1, y=0), replace(Point(1), y=2)
    (Point(x=1, y=0), True, Point(x=1, y=2))
    """

    __match_args__: ClassVar[tuple[str, ...]]
    _fields: ClassVar[dict[str, _Field]]
    _values: ClassVar[Callable[[Any], Any]]

    def __eq__(self, other: object) -> bool:
        if self.__class__ is not other.__class__:
            return NotImplemented
        values = self.__class__._values
        return bool(values(self) == values(other))

    def __hash__(self) -> int:
        return hash(self.__class__._values(self))

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name, each in self._fields.items() if each.repr)
        return f"{self.__class__.__qualname__}({shown})"


def replace(record: R, **changes: Any) -> R:
    """Return a copy of a record with other values in some of its fields."""
    return type(record)(**{name: getattr(record, name) for name in record.__match_args__} | changes)
