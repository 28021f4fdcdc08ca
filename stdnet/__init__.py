"""stdnet maps Python classes to data, in this process (``memory://``) or on Redis (``redis://``).

The mapper is ``stdnet.odm``; this package has the backends' front door and the exceptions.
"""

from .backends import getdb
from .backends.base import BackendDataServer
from .errors import (
    AlreadyRegistered,
    CannotExpire,
    CommitException,
    ConflictError,
    ConnectionError,
    FieldError,
    FieldValueError,
    ImproperlyConfigured,
    InvalidTransaction,
    InvalidValue,
    ManyToManyError,
    ModelNotAvailable,
    ObjectNotFound,
    ObjectNotValidated,
    QuerySetError,
    RelationNotLoaded,
    ResponseError,
    SessionNotAvailable,
    StdNetException,
    StructureFieldError,
)
from .version import __version__

version = __version__
__license__ = "BSD-3-Clause"
__author__ = "the stdnet developers"

__all__ = [
    "AlreadyRegistered",
    "BackendDataServer",
    "CannotExpire",
    "CommitException",
    "ConflictError",
    "ConnectionError",
    "FieldError",
    "FieldValueError",
    "ImproperlyConfigured",
    "InvalidTransaction",
    "InvalidValue",
    "ManyToManyError",
    "ModelNotAvailable",
    "ObjectNotFound",
    "ObjectNotValidated",
    "QuerySetError",
    "RelationNotLoaded",
    "ResponseError",
    "SessionNotAvailable",
    "StdNetException",
    "StructureFieldError",
    "__version__",
    "getdb",
    "version",
]
