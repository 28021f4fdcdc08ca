"""Data structures: lists, sets, sorted sets, hash tables, time series, strings and arrays of numbers."""

from .base import Structure
from .cache import StructureCache
from .mappings import TS, AsyncHashTable, AsyncTS, HashTable
from .meta import BackendStructure, StructureMeta
from .pairs import KeyValueMixin, OrderedMixin, PairMixin
from .sequences import AsyncList, List, Sequence
from .sets import AsyncSet, AsyncZset, Set, Zset
from .surfaces import AwaitingStructure, BlockingStructure, twins
from .text import AsyncNumberArray, AsyncString, NumberArray, String
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
