"""The metaclass, ``Meta`` options, inheritance and what a ``ModelMeta`` says about a model."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest

from stdnet import AlreadyRegistered, FieldError, ImproperlyConfigured, StdNetException, odm
from stdnet.errors import AbstractModel, DuplicateModel

_numbers = count()


def model(*bases: type, **body: Any) -> Any:
    """Return a new model that is in no table of models."""
    body.setdefault("register", False)
    return odm.ModelType("Made", bases or (odm.StdModel,), {"__module__": "shop.models", **body})


def meta_class(**options: Any) -> type:
    return type("Meta", (), options)


def names(made: Any) -> list[str]:
    return [field.name for field in made._meta.fields]


# -- the class ----------------------------------------------------------------------------------------------------


def test_fields_and_meta_leave_the_class():
    made = model(code=odm.SymbolField(), Meta=meta_class(app_label="x"))
    for name in ("code", "Meta", "register"):
        assert not hasattr(made, name)
    assert isinstance(made._meta, odm.ModelMeta)
    assert made._meta.model is made


def test_fields_are_in_order_of_creation_and_the_pk_is_last():
    second, first = odm.SymbolField(primary_key=True), odm.IntegerField()
    third = odm.CharField()
    made = model(z=third, a=first, m=second)
    assert names(made) == ["a", "z", "m"]
    assert [field.name for field in made._meta.scalarfields] == ["a", "z"]
    assert set(made._meta.dfields) == {"a", "z", "m"}


def test_str_of_a_model_and_of_its_meta_is_the_model_key():
    made = model(Meta=meta_class(modelkey="some.key"))
    assert str(made) == str(made._meta) == repr(made._meta) == "some.key"


def test_options_may_stand_in_the_class_body():
    made = model(abstract=True, attributes=("a", "b", "a"))
    assert made._meta.abstract
    assert made._meta.attributes == ("a", "b")
    assert not hasattr(made, "abstract")
    assert not hasattr(made, "attributes")


def test_a_field_may_have_the_name_of_an_option():
    made = model(abstract=odm.BooleanField(), attributes=odm.CharField())
    assert names(made) == ["abstract", "attributes", "id"]
    assert not made._meta.abstract
    assert made(abstract=True).abstract is True


def test_unknown_options_are_ignored():
    made = model(Meta=meta_class(verbose_name="thing", fields=["x"], model=3))
    assert made._meta.model is made
    assert names(made) == ["id"]


def test_meta_must_be_a_class():
    with pytest.raises(ImproperlyConfigured, match="inner class"):
        model(Meta={"app_label": "x"})


@pytest.mark.parametrize("option", ["app_label", "modelkey", "name", "pkname"])
@pytest.mark.parametrize("value", [5, b"x", "\ud800", ("a",)])
def test_names_in_meta_are_texts(option, value):
    with pytest.raises(ImproperlyConfigured, match=f"Meta.{option} of Made is a text"):
        model(register=True, Meta=meta_class(**{option: value}))


@pytest.mark.parametrize("attributes", ["name", 5])
def test_attributes_are_several_names(attributes):
    with pytest.raises(ImproperlyConfigured, match="tuple of names"):
        model(attributes=attributes)


# -- names and the hash -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("module", "label"),
    [("examples.models", "examples"), ("shop.cart", "cart"), ("__main__", "__main__"), ("models", "models")],
)
def test_the_app_label_comes_from_the_module(module, label):
    assert model(__module__=module)._meta.app_label == label


@pytest.mark.parametrize(
    ("options", "key"),
    [
        ({}, "shop.made"),
        ({"name": "Cart"}, "shop.cart"),
        ({"app_label": "Web"}, "Web.made"),
        ({"app_label": ""}, "made"),
        ({"modelkey": "Any-Key"}, "Any-Key"),
    ],
)
def test_the_model_key(options, key):
    made = model(Meta=meta_class(**options))
    assert made._meta.modelkey == key


@pytest.mark.parametrize(("key", "digest"), [("examples.simplemodel", "afc1f074"), ("struct.list", "b83a2bec")])
def test_the_hash_of_a_model_key_never_changes(key, digest):
    made = odm.create_model("Made", modelkey=key)
    assert made._meta.hash is None
    assert odm.hashmodel(made) == digest == made._meta.hash == odm.get_hash_from_model(made)
    assert odm.get_model_from_hash(digest) is made


def test_unregistered_and_abstract_models_have_no_hash():
    for made in (model(), model(abstract=True, register=True)):
        assert odm.get_hash_from_model(made) is None
    assert odm.get_model_from_hash("00000000") is None


def registered(key: str) -> Any:
    return model(register=True, Meta=meta_class(modelkey=key))


def test_a_second_model_of_one_key_is_refused():
    key = f"double.{next(_numbers)}"
    first = registered(key)
    with pytest.raises(KeyError, match="already in the hash table") as refused:
        registered(key)
    assert isinstance(refused.value, DuplicateModel)
    assert isinstance(refused.value, AlreadyRegistered)
    assert key in str(refused.value)
    assert odm.get_model_from_hash(first._meta.hash) is first
    with pytest.raises(DuplicateModel):
        odm.hashmodel(first)


# -- the primary key ----------------------------------------------------------------------------------------------


def test_a_model_gets_an_auto_id():
    made = model(code=odm.SymbolField())
    assert isinstance(made._meta.pk, odm.AutoIdField)
    assert made._meta.pkname() == "id"
    assert made.pk() is made._meta.pk is made.get_field("id")
    assert made._meta.pk not in made._meta.indices


def test_the_auto_id_may_have_another_name():
    made = model(Meta=meta_class(pkname="number"))
    assert names(made) == ["number"]
    assert made(number=3).pkvalue() == 3


def test_two_primary_keys_are_refused():
    with pytest.raises(FieldError, match="two primary keys, a and b"):
        model(a=odm.SymbolField(primary_key=True), b=odm.IntegerField(primary_key=True))


def test_a_plain_field_cannot_take_the_name_of_the_auto_id():
    with pytest.raises(FieldError, match="primary_key=True"):
        model(id=odm.SymbolField())


def test_an_auto_id_field_is_a_primary_key():
    made = model(number=odm.AutoIdField())
    assert made.pk().name == "number"
    assert made.pk().primary_key


def test_abstract_models_have_no_pk_and_no_instances():
    base = model(abstract=True, name=odm.SymbolField())
    for use in (base._meta.pkname, base.pk, base, odm.StdModel, lambda: base._meta.table):
        with pytest.raises(AttributeError, match="is abstract") as refused:
            use()
        assert isinstance(refused.value, AbstractModel)
    with pytest.raises(AttributeError, match="nothing"):
        _ = base._meta.nothing


def test_an_abstract_model_with_a_pk_has_no_instances_either():
    base = model(abstract=True, code=odm.SymbolField(primary_key=True))
    assert base._meta.pkname() == "code"
    with pytest.raises(AbstractModel):
        base(code="x")


# -- inheritance --------------------------------------------------------------------------------------------------


def test_inherited_fields_are_copies_and_come_first():
    base = model(abstract=True, name=odm.SymbolField(unique=True), ccy=odm.SymbolField(default="EUR", hidden=True))
    one, two = model(base, size=odm.IntegerField()), model(base, size=odm.IntegerField())
    assert names(one) == names(two) == ["name", "ccy", "size", "id"]
    metas = [made._meta.dfields["ccy"].meta for made in (base, one, two)]
    assert metas == [base._meta, one._meta, two._meta]
    copied = one._meta.dfields["ccy"]
    assert (copied.default, copied.hidden, copied.index) == ("EUR", True, True)
    assert one._meta.dfields["name"].unique


def test_of_several_bases_the_last_comes_first():
    a, b = (model(abstract=True, **{name: odm.SymbolField()}) for name in "ab")
    assert names(model(a, b, c=odm.SymbolField())) == ["b", "a", "c", "id"]


def test_an_own_field_replaces_an_inherited_one_in_its_place():
    base = model(abstract=True, a=odm.SymbolField(), b=odm.SymbolField())
    made = model(base, c=odm.SymbolField(), a=odm.IntegerField(required=False))
    assert names(made) == ["a", "b", "c", "id"]
    assert made(a="3").a == 3


def test_a_concrete_base_gives_its_fields_and_its_pk():
    base = model(a=odm.SymbolField(), code=odm.SymbolField(primary_key=True))
    made = model(base, b=odm.SymbolField())
    assert names(made) == ["a", "b", "code"]
    assert made._meta.table is not base._meta.table
    assert [column.name for column in base._meta.table.columns] == ["a"]


def test_fields_of_plain_mixins_are_not_fields():
    mixin = type("Mixin", (), {"extra": odm.SymbolField()})
    assert names(model(mixin, odm.StdModel, name=odm.SymbolField())) == ["name", "id"]


def test_meta_options_are_not_inherited():
    base = model(
        abstract=True, n=odm.IntegerField(), attributes=("colour",), Meta=meta_class(ordering="n", app_label="a")
    )
    made = model(base)
    assert base._meta.ordering.name == "n"
    assert made._meta.ordering is None
    assert made._meta.attributes == ()
    assert not made._meta.abstract
    assert made._meta.app_label == "shop"


# -- names that are refused ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["_x", "a__b", "session", "pk", "save", "dbdata", "uuid", "set", "get_state"])
def test_names_that_no_field_may_have(name):
    with pytest.raises(FieldError, match=name):
        model(**{name: odm.SymbolField()})


@pytest.mark.parametrize("name", ["id", "code", "session", "_x", "pk", 3])
def test_names_that_no_attribute_may_have(name):
    with pytest.raises(FieldError, match=str(name)):
        model(code=odm.SymbolField(), attributes=(name,))


def test_a_field_is_of_one_model():
    made = model(code=odm.SymbolField())
    for field in (made._meta.dfields["code"], made.pk()):
        with pytest.raises(FieldError, match="already registered"):
            field.register_with_model("other", made)
        with pytest.raises(FieldError, match="already registered"):
            model(again=field)


def test_a_field_of_no_kind_is_refused():
    for field in (odm.Field(), odm.AtomField()):
        with pytest.raises(FieldError, match="abstract"):
            model(anything=field)


# -- ordering -----------------------------------------------------------------------------------------------------


@pytest.fixture
def ordered() -> Any:
    return model(
        name=odm.SymbolField(), n=odm.IntegerField(), f=odm.FloatField(), d=odm.DateField(), b=odm.BooleanField()
    )


@pytest.mark.parametrize("name", ["name", "n", "f", "d", "b", "id"])
def test_get_sorting_takes_each_field(ordered, name):
    info = ordered._meta.get_sorting(name)
    assert (info.name, info.field, info.desc) == (name, ordered._meta.dfields[name], False)
    assert (info.model, info.nested, info.auto) == (ordered, None, None)
    assert ordered._meta.get_sorting(f"-{name}").desc


def test_get_sorting_takes_an_autoincrement(ordered):
    auto = -odm.autoincrement(2)
    info = ordered._meta.get_sorting(auto)
    assert (info.name, info.field, info.desc) == (auto, ordered.pk(), True)
    assert info.auto


@pytest.mark.parametrize("name", ["what", "--n", "", "-", "n__x", "n desc", None, 3, ["n"]])
def test_get_sorting_refuses_everything_else(ordered, name):
    text = '"shop.made" cannot order by attribute ".*". It is not a scalar field.'
    with pytest.raises(ValueError, match=text):
        ordered._meta.get_sorting(name)
    with pytest.raises(ImproperlyConfigured, match=text):
        ordered._meta.get_sorting(name, ImproperlyConfigured)


@pytest.mark.parametrize("ordering", ["n", "-n", "f", "d", "-d", "b"])
def test_meta_ordering(ordering):
    made = model(
        n=odm.IntegerField(),
        f=odm.FloatField(),
        d=odm.DateField(),
        b=odm.BooleanField(),
        Meta=meta_class(ordering=ordering),
    )
    assert made._meta.ordering.name == ordering.lstrip("-")
    assert made._meta.ordering.desc is ordering.startswith("-")
    assert made._meta.table.order == "score"
    assert made._meta.as_dict()["sorted"]


@pytest.mark.parametrize("ordering", ["what", "name", "-name", "note", "data", "id", 3])
def test_a_model_cannot_be_ordered_by_what_gives_no_number(ordering):
    with pytest.raises(ImproperlyConfigured, match=r"shop\.made"):
        model(name=odm.SymbolField(), note=odm.CharField(), data=odm.ByteField(), Meta=meta_class(ordering=ordering))


def test_autoincrement():
    auto = odm.autoincrement()
    assert (auto.incrby, auto.desc, str(auto)) == (1, False, "autoincrement(1)")
    turned = -auto
    assert turned is not auto
    assert (turned.incrby, turned.desc, auto.desc) == (1, True, False)
    assert str(-odm.autoincrement(3)) == "-autoincrement(3)"
    assert not (-turned).desc


@pytest.mark.parametrize("incrby", ["x", None, float("nan"), float("inf"), 10**400])
def test_autoincrement_needs_a_number(incrby):
    with pytest.raises(ImproperlyConfigured, match="autoincrement"):
        odm.autoincrement(incrby)


def test_a_model_ordered_by_autoincrement():
    made = model(Meta=meta_class(ordering=-odm.autoincrement(2)))
    assert made._meta.ordering.auto
    assert made._meta.ordering.desc
    assert made._meta.table.order == "count"
    assert made._meta.as_dict()["autoincr"]


# -- the methods of ModelMeta -------------------------------------------------------------------------------------


@pytest.fixture
def fund() -> Any:
    return model(
        name=odm.SymbolField(unique=True),
        kind=odm.SymbolField(required=False),
        note=odm.CharField(),
        size=odm.IntegerField(default=7),
        opened=odm.DateTimeField(required=False),
    )


def test_indices_are_the_indexed_fields_without_the_pk(fund):
    assert [field.name for field in fund._meta.indices] == ["name", "kind", "size"]


def test_as_dict(fund):
    assert fund._meta.as_dict() == {
        "id_name": "id",
        "id_type": 1,
        "sorted": False,
        "autoincr": None,
        "multi_fields": [],
        "indices": {"name": True, "kind": False, "size": False},
    }
    assert model(code=odm.SymbolField(primary_key=True))._meta.as_dict()["id_type"] == 3


def test_backend_fields_skip_the_pk_repetitions_and_unknown_names(fund):
    assert fund._meta.backend_fields(["size", "id", "what", "name", "size"]) == (["size", "name"], ["size", "name"])
    assert fund._meta.backend_fields(()) == ([], [])


def test_the_type_of_a_model(fund):
    assert fund._meta.type == fund._model_type == "object"


def test_pk_to_python(fund):
    assert fund._meta.pk_to_python("7") == 7
    assert fund._meta.pk_to_python(None) is None
    with pytest.raises(ValueError, match="not an integer id"):
        fund._meta.pk_to_python("seven")


def test_make_object_does_not_call_the_constructor(fund):
    empty = fund._meta.make_object()
    assert isinstance(empty, fund)
    assert not hasattr(empty, "name")


def test_load_state_reads_what_todict_wrote(fund):
    source = fund(id=3, name="a", opened="2020-05-17 12:30:00.000001")
    state = (source.id, None, source.todict())
    made = fund._meta.make_object(state)
    assert made == source
    assert made.opened == source.opened
    assert made.size == 7
    assert not made.get_state().persistent


def test_load_state_fills_defaults_and_converts_the_pk(fund):
    made = fund._meta.make_object(("3", None, {"name": "a"}), backend=object())
    assert (made.id, made.name, made.kind, made.size, made.opened) == (3, "a", "", 7, None)
    assert made.get_state().persistent
    assert made.has_all_data


def test_load_state_of_a_part(fund):
    made = fund._meta.make_object((1, ["size", "size"], {"size": 2, "__dbdata__": {"id": 1}}))
    assert made._loadedfields == ("size", "size")
    assert [field.name for field in made.loadedfields()] == ["size"]
    assert not hasattr(made, "name")
    assert made.get_state().action == "update"


# -- local models -------------------------------------------------------------------------------------------------


def test_create_model():
    user = odm.create_model("User", "name", "email", "name")
    assert user._meta.attributes == ("name", "email")
    assert user._meta.modelkey == "base.user"
    assert names(user) == ["id"]
    assert user._meta.hash is None
    ann = user("ann", email="a@b.c")
    assert (ann.name, ann.email, ann.id) == ("ann", "a@b.c", None)
    assert user().name is None
    assert odm.create_model("User") is not user


def test_create_model_takes_options():
    manager, amanager = type("M", (odm.Manager,), {}), type("A", (odm.AsyncManager,), {})
    made = odm.create_model("X", manager_class=manager, async_manager_class=amanager, abstract=True, app_label="l")
    assert (made._meta.abstract, made._meta.app_label) == (True, "l")
    assert made.manager_class is manager
    assert made.async_manager_class is amanager


@pytest.mark.parametrize(
    ("args", "kwargs", "text"),
    [
        (("a", "b", "c"), {}, "positional"),
        ((), {"nmae": 1}, '"nmae" is an invalid keyword for base.user. Did you mean "name"'),
        (("a",), {"name": "b"}, '"name" is an invalid keyword'),
        ((), {"x": 1, "y": 2}, "x, y are invalid keywords for base.user"),
    ],
)
def test_local_models_refuse_wrong_arguments(args, kwargs, text):
    user = odm.create_model("User", "name", "email")
    with pytest.raises(ValueError, match=text) as refused:
        user(*args, **kwargs)
    assert isinstance(refused.value, StdNetException)


def test_model_to_dict():
    made = model(name=odm.SymbolField(), size=odm.IntegerField(default=7), zero=odm.IntegerField(default=0))
    assert odm.model_to_dict(model(name=odm.SymbolField())) == {}
    assert odm.model_to_dict(made) == {"size": 7}
    assert odm.model_to_dict(made(name="a", zero="0")) == {"name": "a", "size": 7, "zero": 0}
    assert odm.model_to_dict(made(name="a"), fields=["name", "size", "what"], exclude=["size"]) == {"name": "a"}
