"""Applications: the models of modules and packages, found by their dotted names."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

from ..errors import ImproperlyConfigured, shown
from .meta import app_label_of
from .references import related_models

if TYPE_CHECKING:
    from .model import StdModel

Application = str | ModuleType


def model_iterator(
    application: Application | Iterable[Application],
    include_related: bool = True,
    exclude: Collection[Any] | None = None,
) -> Iterator[type[StdModel]]:
    """Yield the models of an application: of a module, a dotted path, or an iterable of those; each model once.

    The models are looked for in the module's submodule ``models`` if there is one, else in the module itself, and have
    its app label: the module's ``app_label``, else the last part of its name. ``include_related`` adds models of that
    label that these are related to. Abstract models are left out, and so are those in ``exclude``, which holds models
    or model keys. A module that does not exist has no models; one that fails to import raises what it raises.
    """
    excluded = set(exclude or ())
    seen: set[Any] = set()
    for module in _modules(application):
        for model in _models_of(module, include_related):
            if model not in seen and model not in excluded and str(model._meta) not in excluded:
                seen.add(model)
                yield model


def _modules(application: Any) -> Iterator[ModuleType]:
    """Yield the modules that are there."""
    if isinstance(application, ModuleType):
        yield application
    elif isinstance(application, str) and application and not application.startswith("."):
        module = _imported(application)
        if module is not None:
            yield module
    elif isinstance(application, Iterable) and not isinstance(application, (str, bytes)):
        for each in application:
            yield from _modules(each)
    else:
        raise ImproperlyConfigured(f"An application is a module or its full dotted name, not {shown(application)}.")


def _models_of(module: ModuleType, include_related: bool) -> Iterator[Any]:
    inner = _imported(f"{module.__name__}.models") or module
    label = getattr(inner, "app_label", None) or getattr(module, "app_label", None) or app_label_of(module.__name__)
    found: list[Any] = list(vars(inner).values())
    for value in found:
        if isinstance(value, type) and "_meta" in vars(value):
            models: list[Any] = list(related_models(value)) if include_related else [value]
            for model in models:
                if model._meta.app_label == label and not model._meta.abstract:
                    yield model


def _imported(path: str) -> ModuleType | None:
    """Return a module, or ``None`` if there is none of that name."""
    try:
        return import_module(path)
    except ModuleNotFoundError as error:
        if error.name is not None and f"{path}.".startswith(f"{error.name}."):
            return None
        raise  # the module is there, and what it imports is not
