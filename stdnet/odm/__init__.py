"""The object-data mapper: models, fields, routers, sessions and queries."""

from .applications import model_iterator
from .compositeid import CompositeIdField
from .explain import Explanation
from .fields import AtomField, Field, LazyProxy
from .managers import AsyncManager, Manager
from .manytomany import Many2ManyRelatedManager, ManyToManyField
from .meta import JSPLITTER, ModelMeta, get_hash_from_model, get_model_from_hash, hashmodel
from .model import Model, ModelType, StdModel, create_model, model_to_dict
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
    "AsyncManager",
    "AsyncMapper",
    "AsyncQuery",
    "AsyncRouter",
    "AsyncSession",
    "AsyncTransaction",
    "AtomField",
    "AutoIdField",
    "BooleanField",
    "ByteField",
    "CharField",
    "CompositeIdField",
    "CsvSerializer",
    "DateField",
    "DateTimeField",
    "Event",
    "Explanation",
    "Field",
    "FloatField",
    "ForeignKey",
    "IntegerField",
    "JsonLinesSerializer",
    "JsonSerializer",
    "LazyForeignKey",
    "LazyProxy",
    "Manager",
    "Many2ManyRelatedManager",
    "ManyToManyField",
    "Mapper",
    "Model",
    "ModelDictionary",
    "ModelMeta",
    "ModelState",
    "ModelType",
    "One2ManyRelatedManager",
    "Query",
    "QueryBase",
    "RelatedManager",
    "Router",
    "Serializer",
    "Session",
    "SessionModel",
    "StdModel",
    "SymbolField",
    "Transaction",
    "all_serializers",
    "autoincrement",
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
    "union",
    "unregister_serializer",
]
