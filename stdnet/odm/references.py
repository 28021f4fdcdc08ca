"""References to models by name: resolved at once, or as soon as a class of that name is made.

A reference is a class, ``'self'``, ``'name'`` (of the same app label) or ``'app_label.name'``. One that is never
satisfied stays pending; whoever needs the model then says so.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..errors import FieldError
from .meta import class_prepared

if TYPE_CHECKING:
    from .model import Model

Found = Callable[[Any], None]

_models: dict[tuple[str, str], type[Model]] = {}
_waiting: dict[tuple[str, str], list[Found]] = {}


def refer(model: type[Model], target: Any, found: Found) -> None:
    """Call ``found`` with the model that ``target`` names for a field of ``model``, now or when it is made."""
    if isinstance(target, type) and hasattr(target, "_meta"):
        found(target)
        return
    if not isinstance(target, str) or not target:
        raise FieldError(
            f"A relation of {model.__name__} refers to {target!r}. "
            "Give it a model, 'self', 'name' or 'app_label.name'."
        )
    key = _key(model, target)
    if key in _models:
        found(_models[key])
    else:
        _waiting.setdefault(key, []).append(found)


def _key(model: type[Model], target: str) -> tuple[str, str]:
    if target == "self":
        target = model._meta.name
    label, _, name = target.rpartition(".")
    return (label or model._meta.app_label).lower(), name.lower()


def _prepared(event: Any, model: type[Model], **_: Any) -> None:
    """Enter a new model, and satisfy what waits for it."""
    key = (model._meta.app_label.lower(), model._meta.name)
    _models[key] = model
    for found in _waiting.pop(key, ()):
        found(model)


class_prepared.bind(_prepared)
