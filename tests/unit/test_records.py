"""Records, beside the dataclasses that they stand for."""

from __future__ import annotations

import copy
import pickle
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest

from stdnet.records import Record, field, replace


class Point(Record):
    """A point."""

    x: int
    y: int = 0
    names: tuple[str, ...] = ("a",)
    count: ClassVar[int] = 5


@dataclass(frozen=True, slots=True)
class Reference:
    """The same as a dataclass."""

    x: int
    y: int = 0
    names: tuple[str, ...] = ("a",)
    count: ClassVar[int] = 5


class Bag(Record, frozen=False):
    items: list[int] = field(factory=list)
    note: str = field(default="n", compare=False, repr=False)


class Alone(Record, eq=False):
    x: int


class Empty(Record):
    pass


class Sum(Record):
    parts: tuple[int, ...]
    total: int = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "total", sum(self.parts))


class Deep(Point):
    z: int = 1


GIVEN: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
    ((1,), {}),
    ((1, 2), {}),
    ((1,), {"names": ()}),
    ((), {"y": 2, "x": 1}),
    ((1, 2, ("b",)), {}),
]


@pytest.mark.parametrize(("args", "kwargs"), GIVEN)
def test_records_are_made_and_shown_as_dataclasses_are(args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    point, reference = Point(*args, **kwargs), Reference(*args, **kwargs)
    assert (point.x, point.y, point.names) == (reference.x, reference.y, reference.names)
    assert repr(point) == repr(reference).replace("Reference", "Point")


@pytest.mark.parametrize(("args", "kwargs"), [((), {}), ((1, 2, (), 4), {}), ((1,), {"z": 1}), ((1,), {"x": 2})])
def test_what_is_no_constructor_call_is_a_type_error(args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match=r"Reference.__init__\(\)") as reference:
        Reference(*args, **kwargs)
    with pytest.raises(TypeError) as error:
        Point(*args, **kwargs)
    assert str(error.value) == str(reference.value).replace("Reference", "Point")


def test_equal_are_records_of_one_class_with_equal_values() -> None:
    for first, _ in GIVEN[:2]:
        for second, _ in GIVEN[:2]:
            assert (Point(*first) == Point(*second)) is (Reference(*first) == Reference(*second))
            assert (hash(Point(*first)) == hash(Point(*second))) is (
                hash(Reference(*first)) == hash(Reference(*second))
            )
    assert Point(1) != Reference(1)
    assert Point(1) != (1, 0, ("a",))
    assert Empty() == Empty()
    assert hash(Empty()) == hash(Empty())
    assert Point(1) != Deep(1)


def test_with_eq_false_a_record_equals_itself_alone() -> None:
    one = Alone(1)
    assert one == one
    assert one != Alone(1)
    assert len({one, Alone(1)}) == 2


def test_fields_with_options() -> None:
    first, second = Bag(), Bag(note="else")
    first.items.append(1)
    assert second.items == []
    second.items.append(1)
    assert first == second
    assert repr(second) == "Bag(items=[1])"
    assert Sum((1, 2)).total == 3
    with pytest.raises(TypeError, match="unhashable"):
        hash(first)


def test_there_are_slots_and_no_dict() -> None:
    assert not hasattr(Point(1), "__dict__")
    with pytest.raises(AttributeError):
        Point(1).other = 1  # type: ignore[attr-defined]
    assert Point.count == 5


def test_a_subclass_has_the_fields_of_its_base_first() -> None:
    Point(1)  # has its constructor from now on
    assert repr(Deep(1, 2, (), 3)) == "Deep(x=1, y=2, names=(), z=3)"


def test_replace_copy_and_pickle() -> None:
    assert replace(Point(1, 2), y=3) == Point(1, 3)
    assert replace(Sum((1,)), parts=(1, 1)).total == 2
    for record in (Point(1, 2), Sum((1, 2)), Empty()):
        assert pickle.loads(pickle.dumps(record)) == record
        assert copy.deepcopy(record) == record


def test_matching_by_position() -> None:
    match Point(1, 2):
        case Point(x, y):
            assert (x, y) == (1, 2)
