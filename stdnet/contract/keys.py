"""The spelling of key names: one place for both backends, so that ``Keys`` has one answer.

On Redis these are the keys; in memory they are names for people. ``base`` is the namespace followed by the
table's name. Ids and values are escaped, so that no id or value can name another key: ``%`` and ``:``, braces,
glob characters and control characters become ``%XX``, other text stays as it is. A structure on its own has the key
``struct.<kind>:<id>`` after the namespace.

==================== ==================================================================================
``base:id``          the ids, with their scores
``base:ids``         the id counter of an auto table, once an id was allotted or given
``base:ttl``         the ids of the rows that expire, with their deadlines
``base:obj:<id>``    one row, unless all of its values are missing
``base:uni:<f>``     unique values of ``f`` and the ids that hold them
``base:uni:<f>,<g>`` combinations of values of ``f`` and ``g``, each value with its length before it, and their ids
``base:idx:<f>``     the range index of ``f``
``base:idx:<f>:<v>`` the ids with the value ``v`` (equality index, not for unique fields); blank values end in the
                     colon, also for unique and range-indexed fields
``base:obj:<id>:<s>`` the structure ``s`` of a row
``base:struct:<s>``  the structure ``s`` of the whole table
==================== ==================================================================================
"""

from __future__ import annotations

import re

from .plan import Scalar
from .requests import Place

_SPECIAL = re.compile(rb"[\x00-\x20%:{}*?\[\]\\\x7f]")


def text(value: Scalar) -> bytes:
    """Return the stored form of a scalar; the blank one for ``None``.

    >>> text(5), text(2.5), text("é"), text(None)
    (b'5', b'2.5', b'\\xc3\\xa9', b'')
    """
    match value:
        case None:
            return b""
        case bytes():
            return value
        case str():
            return value.encode()
        case float():
            return repr(value).encode()
        case _:
            return b"%d" % value


def escape(value: Scalar) -> bytes:
    """Return the stored form of a scalar as a part of a key name.

    >>> escape("a:b c"), escape(7), escape("Genève")
    (b'a%3Ab%20c', b'7', b'Gen\\xc3\\xa8ve')
    """
    return _SPECIAL.sub(lambda match: b"%%%02X" % match[0][0], text(value))


def structure(namespace: str, place: Place) -> bytes:
    """Return the key name of a structure.

    >>> from .kinds import LIST
    >>> structure("test.", Place(LIST, "a b"))
    b'test.struct.list:a%20b'
    """
    if place.table is None:
        return f"{namespace}struct.{place.kind.name}:".encode() + escape(place.name)
    base, name = f"{namespace}{place.table.name}:".encode(), place.name.encode()
    return base + (b"struct:" + name if place.id is None else b"obj:" + escape(place.id) + b":" + name)


def shown(key: bytes) -> str:
    """Return a key name as text; bytes that are not UTF-8 come as backslash escapes."""
    return key.decode(errors="backslashreplace")
