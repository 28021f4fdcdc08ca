"""The generated writers: which values they take as they are, and which go the long way."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest

from stdnet import odm
from stdnet.contract import Change
from stdnet.odm.writers import LONG_WAY, row_maker, scalar_maker


class Upper(odm.SymbolField):
    """Converts in a way of its own, and says nothing of ``as_is``."""

    def convert(self, value: Any) -> str:
        return super().convert(value).upper()


class Lower(odm.SymbolField):
    """Overrides the outer of the two conversions."""

    def to_python(self, value: Any, backend: Any = None) -> str:
        return super().to_python(value, backend).lower()


class Bottle(odm.StdModel):
    mark = odm.SymbolField()
    note = odm.CharField()
    year = odm.IntegerField()
    size = odm.FloatField(required=False)
    full = odm.BooleanField()
    filled = odm.DateField(required=False)
    opened = odm.DateTimeField(required=False)
    up = Upper(required=False)
    low = Lower(required=False)

    class Meta:
        register = False


META = Bottle._meta
PLAIN: dict[str, Any] = {
    "mark": "a",
    "note": "",
    "year": 1999,
    "size": None,
    "full": True,
    "filled": date(1970, 1, 2),
    "opened": datetime(1970, 1, 1, 0, 0, 1),
    "up": "",
    "low": "",
}


def test_attributes_are_made_of_keywords_which_are_taken() -> None:
    given = {**PLAIN, "year": "7", "up": "x", "low": "X", "else": 1}
    assert META.codec.fill(given) == {**PLAIN, "id": None, "year": 7, "up": "X", "low": "x"}
    assert given == {"else": 1}


def test_a_row_of_values_that_need_no_conversion() -> None:
    row = META.codec.make_row({**PLAIN})
    assert row == ("a", "", 1999, None, 1, 86400, 1_000_000, "", "")
    assert [type(value) for value in row or ()][4] is int


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("mark", ""),
        ("mark", None),
        ("mark", "é"),  # which is text, and is looked at the long way
        ("mark", b"a"),
        ("note", None),
        ("year", None),
        ("year", True),
        ("year", 2**53 + 1),
        ("year", "7"),
        ("size", float("nan")),
        ("size", 1),
        ("full", 1),
        ("filled", datetime(1970, 1, 2)),
        ("opened", date(1970, 1, 2)),
        ("up", "x"),
        ("low", "X"),
    ],
)
def test_other_values_have_to_go_the_long_way(name: str, value: Any) -> None:
    assert META.codec.make_row({**PLAIN, name: value}) is None


def test_a_missing_attribute_has_to_go_the_long_way() -> None:
    assert META.codec.make_row({name: value for name, value in PLAIN.items() if name != "year"}) is None


def test_what_a_field_refuses_is_left_to_the_long_way() -> None:
    class Strict(odm.SymbolField):
        def convert(self, value: Any) -> str:
            raise ValueError(value)

    field = Strict(default=None)
    field.register_with_model("name", Bottle)
    assert row_maker([field])({"name": "a"}) is None


def test_a_new_instance_is_added_and_others_are_not() -> None:
    added = META.codec.added
    assert added is not None
    bottle = Bottle(**PLAIN)
    bottle.dbdata["session"] = None
    row = META.codec.make_row({**PLAIN})
    assert row is not None
    assert added(bottle) == Change(None, None, row)
    bottle.dbdata["id"] = 3
    assert added(bottle) is None
    given = Bottle(id=4, **PLAIN)
    given.dbdata["session"] = None
    assert added(given) is None


def test_models_whose_rows_depend_on_more_than_their_values_have_no_short_way() -> None:
    class Ranked(odm.StdModel):
        year = odm.IntegerField()

        class Meta:
            register = False
            ordering = "year"

    class Named(odm.StdModel):
        name = odm.SymbolField(primary_key=True)

        class Meta:
            register = False

    assert Ranked._meta.codec.added is None
    assert Named._meta.codec.added is None


@pytest.mark.parametrize(
    ("name", "value", "scalar"),
    [
        ("mark", "a", "a"),
        ("mark", "", ""),
        ("mark", "é", LONG_WAY),
        ("mark", b"a", LONG_WAY),
        ("mark", None, LONG_WAY),
        ("year", 7, 7),
        ("year", True, LONG_WAY),
        ("year", 2**53 + 1, LONG_WAY),
        ("full", True, 1),
        ("full", 1, LONG_WAY),
        ("filled", date(1970, 1, 2), 86400),
        ("filled", datetime(1970, 1, 2), LONG_WAY),
        ("up", "X", LONG_WAY),
    ],
)
def test_scalars_that_queries_compare_with(name: str, value: Any, scalar: Any) -> None:
    made = scalar_maker(META.dfields[name])(value)
    assert made is scalar if scalar is LONG_WAY else (made, type(made)) == (scalar, type(scalar))
    if scalar is not LONG_WAY:
        assert made == META.dfields[name].serialise(value)


def test_a_field_that_compares_in_a_way_of_its_own() -> None:
    class Folded(odm.SymbolField):
        def serialise(self, value: Any, lookup: str | None = None) -> Any:
            return super().serialise(str(value).lower(), lookup)

    field = Folded()
    field.register_with_model("name", Bottle)
    assert scalar_maker(field)("A") is LONG_WAY
    assert field.serialise("A") == "a"


def test_keys_to_other_rows() -> None:
    class Cellar(odm.StdModel):
        name = odm.SymbolField(primary_key=True)

    class Owner(odm.StdModel):
        name = odm.SymbolField()

    class Maker(odm.StdModel):
        name = Upper(primary_key=True)

    class Cask(odm.StdModel):
        cellar = odm.ForeignKey(Cellar, required=False)
        owner = odm.ForeignKey(Owner)
        maker = odm.ForeignKey(Maker, required=False)

    make, added = Cask._meta.codec.make_row, Cask._meta.codec.added
    plain: dict[str, Any] = {"cellar_id": "a", "owner_id": 5, "maker_id": "M"}
    assert make({**plain, "maker_id": None}) == ("a", 5, None)
    assert make({**plain, "cellar_id": None, "maker_id": None}) == (None, 5, None)
    for other in ({"cellar_id": ""}, {"cellar_id": 5}, {"owner_id": None}, {"owner_id": "5"}, {"maker_id": "m"}):
        assert make({**plain, **other}) is None
    assert added is not None
    owner = Owner(name="x")
    waiting, settled = Cask(owner=owner), Cask(owner=5)
    for cask in (waiting, settled):
        cask.dbdata["session"] = None
    assert added(waiting) is None
    assert added(settled) == Change(None, None, (None, 5, None))


def test_a_subclass_may_set_attributes_before_the_fields() -> None:
    class Labelled(odm.StdModel):
        name = odm.SymbolField()

        class Meta:
            register = False

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            self.label = "x"
            super().__init__(*args, **kwargs)

    made = Labelled(name="a")
    assert (made.label, made.name, made.id) == ("x", "a", None)
