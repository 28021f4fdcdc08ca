"""The object-data mapper: models, fields, routers, sessions and queries."""

from .compositeid import CompositeIdField
from .explain import Explanation
from .fields import AtomField, Field, LazyProxy
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
from .updates import Expression, F
from .versions import VersionField

Mapper = Router
AsyncMapper = AsyncRouter

__all__ = [
    "CASCADE",
    "JSPLITTER",
    "RESTRICT",
    "SET_NULL",
    "TS",
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
    "AwaitingStructure",
    "BlockingStructure",
    "BooleanField",
    "ByteField",
    "CharField",
    "CompositeIdField",
    "DateField",
    "DateTimeField",
    "Event",
    "Explanation",
    "Expression",
    "F",
    "Field",
    "FloatField",
    "ForeignKey",
    "HashField",
    "HashTable",
    "IntegerField",
    "KeyValueMixin",
    "LazyForeignKey",
    "LazyProxy",
    "List",
    "ListField",
    "Manager",
    "Many2ManyRelatedManager",
    "ManyToManyField",
    "Mapper",
    "Model",
    "ModelDictionary",
    "ModelFieldPickler",
    "ModelMeta",
    "ModelState",
    "ModelType",
    "NumberArray",
    "One2ManyRelatedManager",
    "OrderedMixin",
    "PairMixin",
    "Query",
    "QueryBase",
    "RelatedManager",
    "Router",
    "Sequence",
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
    "SymbolField",
    "TimeSeriesField",
    "Transaction",
    "VersionField",
    "Zset",
    "autoincrement",
    "commit_when_no_transaction",
    "create_model",
    "difference",
    "get_hash_from_model",
    "get_model_from_hash",
    "hashmodel",
    "intersect",
    "model_to_dict",
    "orderinginfo",
    "twins",
    "union",
    "verb",
]
