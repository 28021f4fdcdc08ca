"""The object-data mapper: models, fields, routers, sessions and queries."""

from .aggregates import Aggregation, AsyncGroups, Avg, Count, Groups, Max, Min, Sum
from .compositeid import CompositeIdField
from .explain import Explanation
from .fields import AtomField, Field, LazyProxy
from .jsonfield import JSONField
from .managers import AsyncManager, Manager
from .manytomany import Many2ManyRelatedManager, ManyToManyField
from .meta import JSPLITTER, ModelMeta, get_hash_from_model, get_model_from_hash, hashmodel
from .model import Model, ModelType, StdModel, create_model, model_to_dict
from .objectfields import ModelField, PickleObjectField
from .query import QueryBase, difference, intersect, union
from .related import One2ManyRelatedManager, RelatedManager
from .relations import CASCADE, RESTRICT, SET_NULL, ForeignKey, LazyForeignKey
from .results import AsyncQuery, Query
from .richfields import DecimalField, EnumField, TimeDeltaField, UUIDField
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
from .session import AsyncSession, Session, SessionModel
from .signals import Event
from .state import ModelState, autoincrement, orderinginfo
from .transaction import AsyncTransaction, ModelDictionary, Transaction

Mapper = Router
AsyncMapper = AsyncRouter

__all__ = [
    "CASCADE",
    "JSPLITTER",
    "RESTRICT",
    "SET_NULL",
    "Aggregation",
    "AsyncGroups",
    "AsyncManager",
    "AsyncMapper",
    "AsyncQuery",
    "AsyncRouter",
    "AsyncSession",
    "AsyncTransaction",
    "AtomField",
    "AutoIdField",
    "Avg",
    "BooleanField",
    "ByteField",
    "CharField",
    "CompositeIdField",
    "Count",
    "DateField",
    "DateTimeField",
    "DecimalField",
    "EnumField",
    "Event",
    "Explanation",
    "Field",
    "FloatField",
    "ForeignKey",
    "Groups",
    "IntegerField",
    "JSONField",
    "LazyForeignKey",
    "LazyProxy",
    "Manager",
    "Many2ManyRelatedManager",
    "ManyToManyField",
    "Mapper",
    "Max",
    "Min",
    "Model",
    "ModelDictionary",
    "ModelField",
    "ModelMeta",
    "ModelState",
    "ModelType",
    "One2ManyRelatedManager",
    "PickleObjectField",
    "Query",
    "QueryBase",
    "RelatedManager",
    "Router",
    "Session",
    "SessionModel",
    "StdModel",
    "Sum",
    "SymbolField",
    "TimeDeltaField",
    "Transaction",
    "UUIDField",
    "autoincrement",
    "create_model",
    "difference",
    "get_hash_from_model",
    "get_model_from_hash",
    "hashmodel",
    "intersect",
    "model_to_dict",
    "orderinginfo",
    "union",
]
