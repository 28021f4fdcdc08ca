"""References to models by name: resolved at once, or as soon as a class of that name is made.

A reference is a class, ``'self'``, ``'name'`` (of the same app label) or ``'app_label.name'``. One that is never
satisfied stays pending; whoever needs the model then says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from ..errors import FieldError
from .meta import class_dropped, class_prepared

if TYPE_CHECKING:
    from .model import Model

Found = Callable[[Any], None]

_models: WeakValueDictionary[tuple[str, str], type[Model]] = WeakValueDictionary()
_waiting: dict[tuple[str, str], list[Found]] = {}


def refer(model: type[Model], target: Any, found: Found) -> None:
    """Call ``found`` with the model that ``target`` names for a field of ``model``, now or when it is made."""
    if target == "self":
        found(model)
        return
    if isinstance(target, type) and hasattr(target, "_meta"):
        found(target)
        return
    if not isinstance(target, str) or not target:
        raise FieldError(
            f"A relation of {model.__name__} refers to {target!r}. Give it a model, 'self', 'name' or 'app_label.name'."
        )
    key = _key(model, target)
    if key in _models:
        found(_models[key])
    else:
        _waiting.setdefault(key, []).append(found)


def _key(model: type[Model], target: str) -> tuple[str, str]:
    label, _, name = target.rpartition(".")
    return (label or model._meta.app_label).lower(), name.lower()


def _prepared(event: Any, model: type[Model], **_: Any) -> None:
    """Satisfy what waits for a new model, and enter it."""
    key = (model._meta.app_label.lower(), model._meta.name)
    waiting = _waiting.get(key, [])
    try:
        for found in waiting:
            found(model)
    except BaseException:
        _unmake(getattr(found, "__self__", None) for found in waiting)
        raise
    _waiting.pop(key, None)
    _models[key] = model


def _dropped(event: Any, model: type[Model], **_: Any) -> None:
    """Forget what a model that could not be made has referred to."""
    for waiting in _waiting.values():
        waiting[:] = [found for found in waiting if getattr(found, "__self__", None) not in model._meta.fields]
    for field in model._meta.foreignkeys:
        if not isinstance(field.relmodel, str):
            field.relmodel._meta.drop_related(model)
    _unmake(model._meta.fields)
    key = (model._meta.app_label.lower(), model._meta.name)
    if _models.get(key) is model:
        del _models[key]


def _unmake(fields: Iterable[Any]) -> None:
    """Undo what many-to-many fields have made for a model that could not be made."""
    for field in fields:
        if unmake := getattr(field, "unmake", None):
            unmake()


def related_models(model: type[Model]) -> list[type[Model]]:
    """Return a model and all that are related to it in either direction of a many-to-many, or by a key of theirs."""
    found = {model: None}
    for each in (models := [model]):
        reached = [key.relmodel for key in each._meta.foreignkeys]
        reached += [manager.through for manager in each._meta.related.values() if hasattr(manager, "through")]
        for other in reached:
            if not isinstance(other, str) and other not in found:
                found[other] = None
                models.append(other)
    return list(found)


class_prepared.bind(_prepared)
class_dropped.bind(_dropped)
