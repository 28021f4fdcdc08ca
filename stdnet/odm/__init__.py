"""The object-data mapper: models, fields, routers, sessions and queries."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .aggregates import Aggregation, AsyncGroups, Avg, Count, Groups, Max, Min, Sum
from .applications import model_iterator
from .compositeid import CompositeIdField
from .fields import AtomField, Field, LazyProxy
from .jsonfield import JSONField
from .managers import AsyncManager, Manager, StructureManager
from .manytomany import Many2ManyRelatedManager, ManyToManyField
from .meta import JSPLITTER, ModelMeta, get_hash_from_model, get_model_from_hash, hashmodel
from .model import Model, ModelType, StdModel, create_model, model_to_dict
from .modelpickler import ModelFieldPickler
from .query import QueryBase, difference, intersect, union
from .related import One2ManyRelatedManager, RelatedManager
from .relations import CASCADE, RESTRICT, SET_NULL, ForeignKey, LazyForeignKey
from .results import AsyncQuery, Query
from .router import AsyncRouter, Router
from .scalarfields import (
    AutoIdField,
    BooleanField,
    ByteField,
    CharField,
    DateField,
    DateTimeField,
    FloatField,
    IntegerField,
    SymbolField,
)
from .search import SearchEngine, UpdateSE
from .session import AsyncSession, Session, SessionModel
from .signals import Event
from .state import ModelState, autoincrement, orderinginfo
from .structfields import (
    HashField,
    ListField,
    SetField,
    StringField,
    StructureField,
    StructureFieldProxy,
    TimeSeriesField,
)
from .structures import (
    TS,
    AsyncHashTable,
    AsyncList,
    AsyncNumberArray,
    AsyncSet,
    AsyncString,
    AsyncTS,
    AsyncZset,
    AwaitingStructure,
    BlockingStructure,
    HashTable,
    KeyValueMixin,
    List,
    NumberArray,
    OrderedMixin,
    PairMixin,
    Sequence,
    Set,
    String,
    Structure,
    StructureCache,
    Zset,
    commit_when_no_transaction,
    twins,
    verb,
)
from .transaction import AsyncTransaction, ModelDictionary, Transaction
from .versions import VersionField

if TYPE_CHECKING:
    from .explain import Explanation
    from .objectfields import ModelField, PickleObjectField
    from .richfields import DecimalField, EnumField, TimeDeltaField, UUIDField
    from .serializers import (
        CsvSerializer,
        JsonLinesSerializer,
        JsonSerializer,
        Serializer,
        all_serializers,
        get_serializer,
        register_serializer,
        unregister_serializer,
    )
    from .updates import Expression, F

Mapper = Router
AsyncMapper = AsyncRouter

_LATE = {
    "Explanation": "explain",
    "ModelField": "objectfields",
    "PickleObjectField": "objectfields",
    "DecimalField": "richfields",
    "EnumField": "richfields",
    "TimeDeltaField": "richfields",
    "UUIDField": "richfields",
    "CsvSerializer": "serializers",
    "JsonLinesSerializer": "serializers",
    "JsonSerializer": "serializers",
    "Serializer": "serializers",
    "all_serializers": "serializers",
    "get_serializer": "serializers",
    "register_serializer": "serializers",
    "unregister_serializer": "serializers",
    "Expression": "updates",
    "F": "updates",
}
"""What not every program needs, with the modules that have it: they are imported when it is first asked for."""

__all__ = [
    "CASCADE",
    "JSPLITTER",
    "RESTRICT",
    "SET_NULL",
    "TS",
    "Aggregation",
    "AsyncGroups",
    "AsyncHashTable",
    "AsyncList",
    "AsyncManager",
    "AsyncMapper",
    "AsyncNumberArray",
    "AsyncQuery",
    "AsyncRouter",
    "AsyncSession",
    "AsyncSet",
    "AsyncString",
    "AsyncTS",
    "AsyncTransaction",
    "AsyncZset",
    "AtomField",
    "AutoIdField",
    "Avg",
    "AwaitingStructure",
    "BlockingStructure",
    "BooleanField",
    "ByteField",
    "CharField",
    "CompositeIdField",
    "Count",
    "CsvSerializer",
    "DateField",
    "DateTimeField",
    "DecimalField",
    "EnumField",
    "Event",
    "Explanation",
    "Expression",
    "F",
    "Field",
    "FloatField",
    "ForeignKey",
    "Groups",
    "HashField",
    "HashTable",
    "IntegerField",
    "JSONField",
    "JsonLinesSerializer",
    "JsonSerializer",
    "KeyValueMixin",
    "LazyForeignKey",
    "LazyProxy",
    "List",
    "ListField",
    "Manager",
    "Many2ManyRelatedManager",
    "ManyToManyField",
    "Mapper",
    "Max",
    "Min",
    "Model",
    "ModelDictionary",
    "ModelField",
    "ModelFieldPickler",
    "ModelMeta",
    "ModelState",
    "ModelType",
    "NumberArray",
    "One2ManyRelatedManager",
    "OrderedMixin",
    "PairMixin",
    "PickleObjectField",
    "Query",
    "QueryBase",
    "RelatedManager",
    "Router",
    "SearchEngine",
    "Sequence",
    "Serializer",
    "Session",
    "SessionModel",
    "Set",
    "SetField",
    "StdModel",
    "String",
    "StringField",
    "Structure",
    "StructureCache",
    "StructureField",
    "StructureFieldProxy",
    "StructureManager",
    "Sum",
    "SymbolField",
    "TimeDeltaField",
    "TimeSeriesField",
    "Transaction",
    "UUIDField",
    "UpdateSE",
    "VersionField",
    "Zset",
    "all_serializers",
    "autoincrement",
    "commit_when_no_transaction",
    "create_model",
    "difference",
    "get_hash_from_model",
    "get_model_from_hash",
    "get_serializer",
    "hashmodel",
    "intersect",
    "model_iterator",
    "model_to_dict",
    "orderinginfo",
    "register_serializer",
    "twins",
    "union",
    "unregister_serializer",
    "verb",
]


def __getattr__(name: str) -> Any:
    if name not in _LATE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(f".{_LATE[name]}", __name__), name)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATE})
