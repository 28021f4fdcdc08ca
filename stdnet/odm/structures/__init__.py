"""Data structures: lists, sets, sorted sets, hash tables, time series, strings and arrays of numbers."""

from .base import AwaitingStructure, BackendStructure, BlockingStructure, Structure, StructureMeta, twins
from .cache import StructureCache
from .mappings import TS, AsyncHashTable, AsyncTS, HashTable
from .pairs import KeyValueMixin, OrderedMixin, PairMixin
from .sequences import AsyncList, AsyncNumberArray, AsyncString, List, NumberArray, Sequence, String
from .sets import AsyncSet, AsyncZset, Set, Zset
from .verbs import commit_when_no_transaction, verb

__all__ = [
    "TS",
    "AsyncHashTable",
    "AsyncList",
    "AsyncNumberArray",
    "AsyncSet",
    "AsyncString",
    "AsyncTS",
    "AsyncZset",
    "AwaitingStructure",
    "BackendStructure",
    "BlockingStructure",
    "HashTable",
    "KeyValueMixin",
    "List",
    "NumberArray",
    "OrderedMixin",
    "PairMixin",
    "Sequence",
    "Set",
    "String",
    "Structure",
    "StructureCache",
    "StructureMeta",
    "Zset",
    "commit_when_no_transaction",
    "twins",
    "verb",
]
