"""Fields that hold any Python object, as its pickle, and model classes.

``PickleObjectField`` is the only place of the library that unpickles, and a model has to name it. A pickle can run
any code when it is read: declare such a field only where nobody else can write to the database, or into the files
that ``from_json`` is given.
"""

from __future__ import annotations

import base64
import builtins
import pickle
from copy import deepcopy
from typing import Any

from ..contract import Scalar
from .fields import Field
from .meta import get_hash_from_model, get_model_from_hash
from .richfields import TokenField

PROTOCOL = 2


class PickleObjectField(Field[Any]):
    """Any object that can be pickled; ``None`` is not stored. Never indexed, and compared with nothing but ``isnull``.

    What is assigned stays as it is, bytes too; only what the database gives, and what ``tojson`` gave, is unpickled. A
    default that can change, such as a list, is copied for each instance.
    """

    type = "object"
    internal_type = "bytes"
    python_type = object
    column_type = "bytes"
    indexable = False
    class_required = False

    def get_default(self) -> Any:
        return deepcopy(super().get_default())

    def dump(self, value: Any) -> bytes:
        return pickle.dumps(value, PROTOCOL)

    def load(self, scalar: Any) -> Any:
        return pickle.loads(scalar)

    def serialise(self, value: Any, lookup: str | None = None) -> Scalar:
        self.invalid(value, "cannot be compared with pickles; the only lookup is isnull")

    def json_serialise(self, value: Any) -> Any:
        return None if value is None else base64.b64encode(self.dump(value)).decode("ascii")

    def from_json(self, value: Any) -> Any:
        if value is None or value == "":
            return self.get_default()
        try:
            pickled = base64.b64decode(value, validate=True)
        except (TypeError, ValueError):
            self.invalid(value, "is not the base64 text of a pickle")
        return self.load(pickled)


class ModelField(TokenField[Any]):
    """A model class, stored as its hash of 8 hexadecimal digits. Takes the class or the hash.

    A hash that no model of this process has is ``None``: import the module of that model before you load the row.
    """

    type = "model"
    python_type = builtins.type

    def convert(self, value: Any) -> Any:
        if isinstance(value, bytes):
            value = value.decode("ascii", "replace")
        if isinstance(value, str):
            return get_model_from_hash(value)
        if not isinstance(value, type) or not hasattr(value, "_meta"):
            self.invalid(value, "is not a model class")
        if get_hash_from_model(value) is None:
            self.invalid(value, "is abstract or not registered, so it has no hash to store")
        return value

    def dump(self, value: Any) -> Scalar:
        return get_hash_from_model(value)

    def load(self, scalar: Any) -> Any:
        return get_model_from_hash(scalar)

    def serialise(self, value: Any, lookup: str | None = None) -> Scalar:
        if isinstance(value, bytes):
            value = value.decode("ascii", "replace")
        return value or None if isinstance(value, str) else super().serialise(value, lookup)
