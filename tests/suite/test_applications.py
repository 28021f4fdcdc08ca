"""Applications: the models of modules and packages, their registration by application, and models by hash."""

from __future__ import annotations

import inspect
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from stdnet import ImproperlyConfigured, odm
from stdnet.errors import DuplicateModel

from ..conftest import connect, do
from .models import Country

MODEL = "class {name}(odm.StdModel):\n    name = odm.SymbolField()\n"
MODULES = {
    "apps_shop/__init__": "",
    "apps_shop/models": (
        "from stdnet import odm\nfrom apps_cart import Cart\n\n"
        + MODEL.format(name="Base")
        + "    class Meta:\n        abstract = True\n"
        "class Tag(Base):\n    pass\n"
        "class Item(Base):\n    tags = odm.ManyToManyField(Tag)\n    cart = odm.ForeignKey(Cart, required=False)\n"
        "class Foreign(Base):\n    class Meta:\n        app_label = 'elsewhere'\n"
        "Alias = Item\n"
    ),
    "apps_cart": "from stdnet import odm\n" + MODEL.format(name="Cart"),
    "apps_label": (
        "from stdnet import odm\napp_label = 'labelled'\n"
        + MODEL.format(name="One")
        + "    class Meta:\n        app_label = 'labelled'\n"
        + MODEL.format(name="Two")
    ),
    "apps_broken/__init__": "",
    "apps_broken/models": "import apps_that_is_not_there\n",
    "apps_failing": "1 / 0\n",
    "apps_loop/__init__": "",
    "apps_loop/models": (
        "from stdnet import odm\n" + MODEL.format(name="Before") + "from . import setup\n" + MODEL.format(name="After")
    ),
    "apps_loop/setup": (
        "from stdnet import odm\nfrom . import models\n"
        "found = [model._meta.name for model in odm.model_iterator('apps_loop')]\n"
    ),
    "apps_empty": "",
}


@pytest.fixture(scope="module", autouse=True)
def modules(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Modules and packages with models, importable while the tests of this module run."""
    folder = tmp_path_factory.mktemp("applications")
    for name, source in MODULES.items():
        path = Path(folder, f"{name}.py")
        path.parent.mkdir(exist_ok=True)
        path.write_text(source)
    sys.path.insert(0, str(folder))
    yield
    sys.path.remove(str(folder))


def names(models: Any) -> list[str]:
    return [str(model._meta) for model in models]


ITEM = ["apps_shop.tag", "apps_shop.item", "apps_shop.item_tag"]


# -- model_iterator -----------------------------------------------------------------------------------------------


async def test_the_models_of_an_application():
    found = odm.model_iterator("apps_shop")
    assert inspect.isgenerator(found)
    assert sorted(names(found)) == sorted(ITEM)
    assert names(odm.model_iterator("apps_shop", include_related=False)) == ITEM[:2]
    for application in ("apps_shop.models", import_module("apps_shop"), import_module("apps_shop.models")):
        assert sorted(names(odm.model_iterator(application))) == sorted(ITEM)
    assert names(odm.model_iterator("apps_cart")) == ["apps_cart.cart"]
    assert names(odm.model_iterator("apps_empty")) == []


async def test_the_label_of_a_module():
    assert names(odm.model_iterator("apps_label")) == ["labelled.one"]


async def test_several_applications_and_each_model_once():
    found = names(odm.model_iterator(["apps_cart", ("apps_shop", "apps_nowhere"), import_module("apps_cart")]))
    assert found[0] == "apps_cart.cart"
    assert sorted(found) == sorted(["apps_cart.cart", *ITEM])


async def test_exclude():
    tag = import_module("apps_shop.models").Tag
    assert sorted(names(odm.model_iterator("apps_shop", exclude=[tag, "apps_shop.item"]))) == ["apps_shop.item_tag"]


@pytest.mark.parametrize("path", ["apps_nowhere", "apps_shop.nowhere", "apps_cart.models", "apps_nowhere.at.all"])
async def test_a_module_that_is_not_there_has_no_models(path):
    assert list(odm.model_iterator(path)) == []


async def test_a_module_that_does_not_import_is_an_error():
    with pytest.raises(ModuleNotFoundError, match="apps_that_is_not_there"):
        list(odm.model_iterator("apps_broken"))
    with pytest.raises(ZeroDivisionError):
        list(odm.model_iterator(["apps_failing"]))


async def test_modules_that_import_each_other():
    found = import_module("apps_loop.models").setup.found
    assert found == ["before"]  # what was there when it asked
    assert names(odm.model_iterator("apps_loop")) == ["apps_loop.before", "apps_loop.after"]


@pytest.mark.parametrize("application", [None, 5, "", ".models", b"apps_shop", Country, ["apps_shop", 5]])
async def test_what_is_no_application(application):
    with pytest.raises(ImproperlyConfigured, match="dotted name"):
        list(odm.model_iterator(application))


# -- register_applications ----------------------------------------------------------------------------------------


async def test_registering_applications(models):
    found = models.register_applications(["apps_shop", "apps_nowhere", "apps_cart"])
    assert sorted(names(found)) == sorted(["apps_cart.cart", *ITEM])
    assert models.register_applications("apps_shop") == []
    assert (await do(models.item.new(name="x"))).id == 1
    assert models.item.backend is models.counting


async def test_related_models_of_other_applications_are_not_registered(models):
    models.register_applications("apps_shop")
    assert sorted(map(str, models.registered_models)) == sorted(ITEM)


async def test_registering_some_models(models):
    assert names(models.register_applications("apps_shop", models=["apps_shop.tag", "apps_cart.cart"])) == ITEM[:1]
    assert names(models.register_applications("apps_shop", models="apps_shop.item")) == ["apps_shop.item"]
    assert models.register_applications("apps_shop", models=()) == []


async def test_backends_by_model_and_by_application(models, request):
    second, third = (connect(request.node.callspec.params["server"]) for _ in "ab")
    found = models.register_applications(
        ["apps_shop", "apps_cart", "apps_label"],
        backends={
            "apps_shop": second,
            "apps_shop.tag": {"backend": third, "read_backend": second},
            "labelled": "memory://applications?namespace=x.",
        },
    )
    assert len(found) == 5
    for name, backend in (("item", second), ("item_tag", second), ("tag", third), ("cart", models.counting)):
        assert getattr(models, name).backend is backend
    assert (models.tag.read_backend, models.item.read_backend) == (second, second)
    assert (models.one.backend.name, models.one.backend.namespace) == ("memory", "x.")
    tag = await do(models.tag.new(name="t"))
    assert (tag.id, await do(models.tag.count())) == (1, 0)
    for each in (second, third):
        each.check()
        each.flush()
        each.close()


async def test_a_backend_that_cannot_be(models):
    with pytest.raises(ImproperlyConfigured):
        models.register_applications("apps_cart", backends={"apps_cart": "nope://"})
    assert len(models) == 0


# -- create_all, and managers on models ---------------------------------------------------------------------------


async def test_create_all_calls_each_manager(models):
    called: list[str] = []

    class Blocking(odm.Manager[Any]):
        def create_all(self) -> None:
            called.append(self.meta.name)

    class Awaiting(odm.AsyncManager[Any]):
        async def create_all(self) -> None:
            called.append(self.meta.name)

    class Kept(odm.StdModel):
        manager_class = Blocking
        async_manager_class = Awaiting

        class Meta:
            register = False

    models.register(Kept)
    models.register(Country)
    await do(models.create_all())
    assert called == ["kept"]


async def test_managers_are_installed_on_models_and_taken_off(router_class, server):
    class Global(odm.StdModel):
        name = odm.SymbolField()

        class Meta:
            register = False

    assert not hasattr(Global, "objects")
    first, second = (router_class(server, install_global=True) for _ in "ab")
    first.register(Global)
    row = await do(Global.objects.new(name="a"))
    assert await do(Global.objects.get(id=1)) == row
    second.register(Global)
    assert Global.objects is second[Global]
    first.unregister(Global)
    assert Global.objects is second[Global]
    second.unregister()
    assert not hasattr(Global, "objects")
    plain = router_class(server)
    plain.register(Global)
    assert not hasattr(Global, "objects")


async def test_a_manager_is_not_installed_over_something_else(router_class, server):
    class Field(odm.StdModel):
        objects = odm.SymbolField()

        class Meta:
            register = False

    class Attribute(odm.StdModel):
        objects = 5

        class Meta:
            register = False

    router = router_class(server, install_global=True)
    for model in (Field, Attribute):
        with pytest.raises(ImproperlyConfigured, match="install_global"):
            router.register(model)
        assert model not in router
    assert Attribute.objects == 5


# -- models by hash -----------------------------------------------------------------------------------------------


async def test_models_by_hash():
    hash = odm.get_hash_from_model(Country)
    assert (len(hash), int(hash, 16) > 0) == (8, True)
    assert odm.get_model_from_hash(hash) is Country
    assert odm.get_model_from_hash("00000000") is None
    assert odm.get_model_from_hash("") is None
    with pytest.raises(KeyError, match="already in the hash table") as info:
        odm.hashmodel(Country)
    assert isinstance(info.value, DuplicateModel)
    assert odm.get_model_from_hash(hash) is Country


async def test_hashmodel_enters_a_model():
    made = odm.create_model("Hashed", "name", app_label="applications")
    assert odm.get_hash_from_model(made) is None
    with pytest.raises(odm.StdModel.DoesNotExist, match="not registered"):
        made.get_uuid(1)
    hash = odm.hashmodel(made)
    assert odm.get_hash_from_model(made) == hash
    assert odm.get_model_from_hash(hash) is made
    assert made.get_uuid(1) == f"{hash}.1"
