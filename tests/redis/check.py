"""The check of a namespace on a Redis server: its index entries against its rows. For tests only, since it SCANs."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import redis

from stdnet.backends.base import Wrapper
from stdnet.contract import Column, Id, Scalar, Table
from stdnet.contract.keys import escape

TYPES: dict[str, type] = {"int": int, "float": float, "str": str, "bytes": bytes}


def value_of(column: Column, stored: bytes | None) -> Scalar:
    """Return a value from its stored form."""
    if stored is None or column.type in ("bytes", "map"):
        return stored
    return stored.decode() if column.type == "str" else TYPES[column.type](stored.decode())


def key_of(value: Scalar) -> bytes:
    """Return the part of a key, or of a hash of unique values, that stands for a value."""
    return escape(0.0 if value == 0.0 and isinstance(value, float) else value)


def contents(client: Any, namespace: str) -> dict[bytes, Any]:
    """Return every key that begins with ``namespace``, with its content, but tokens of commits."""
    prefix, asked = namespace.encode(), client.pipeline(transaction=False)
    found = dict.fromkeys(key for key in client.scan_iter(match=None, count=1000) if key.startswith(prefix))
    keys = [key for key in found if not key.startswith(prefix + b":commit:")]
    for key in keys:
        asked.type(key)
    types = asked.execute()
    for key, type in zip(keys, types, strict=True):
        match type:
            case b"hash":
                asked.hgetall(key)
            case b"set":
                asked.smembers(key)
            case b"zset":
                asked.zrange(key, 0, -1, withscores=True)
            case b"list":
                asked.lrange(key, 0, -1)
            case _:
                asked.get(key)
    replies = zip(keys, types, asked.execute(), strict=True)
    return {key: dict(reply) if type == b"zset" else reply for key, type, reply in replies}


def wipe(client: Any, namespace: str) -> None:
    """Remove every key that begins with ``namespace``, tokens of commits too; what is left slows down later scans."""
    prefix = namespace.encode()
    found = [key for key in client.scan_iter(count=1000) if key.startswith(prefix)]
    for first in range(0, len(found), 1000):
        client.unlink(*found[first : first + 1000])


def expected(table: Table, base: bytes, ids: dict[bytes, float], rows: dict[bytes, Any]) -> dict[bytes, Any]:
    """Return what the keys of a table's indices are to hold, worked out from its rows."""
    sets: dict[bytes, Any] = defaultdict(set)
    maps: dict[bytes, Any] = defaultdict(dict)
    for id in ids:
        row = rows.get(base + b":obj:" + escape(id), {})
        for names in table.together:
            parts = [row.get(name.encode(), b"") for name in names]
            columns = [table.column(name) for name in names]
            parts = [
                b"0.0" if part == b"-0.0" and column.type == "float" else part
                for part, column in zip(parts, columns, strict=True)
            ]
            if all(parts):
                combined = maps[base + b":uni:" + ",".join(names).encode()]
                key = b"".join(b"%d:%s" % (len(part), part) for part in parts)
                assert key not in combined, f"{table.name}: two rows hold {key!r}"
                combined[key] = id
        for column in table.columns:
            value, idx = value_of(column, row.get(column.name.encode())), base + b":idx:" + column.name.encode()
            if not (column.unique or column.index):
                continue
            if value in (None, "", b""):
                sets[idx + b":"].add(id)
                continue
            if column.unique:
                stored = row[column.name.encode()]
                stored = b"0.0" if stored == b"-0.0" else stored
                unique = maps[base + b":uni:" + column.name.encode()]
                assert stored not in unique, f"{table.name}.{column.name}: two rows hold {value!r}"
                unique[stored] = id
            if column.index == "equal" and not column.unique:
                sets[idx + b":" + key_of(value)].add(id)
            elif column.index == "range":
                maps[idx][id] = float(value)
    return {**sets, **maps}


def check(client: Any, namespace: str, tables: Iterable[Table]) -> None:
    """Raise ``AssertionError`` unless the keys of the namespace are exactly those that its rows call for."""
    found = contents(client, namespace)
    register = found.pop(namespace.encode() + b":tables", {})
    for key in _structures(found, namespace.encode(), found.pop(namespace.encode() + b":structures", {})):
        del found[key]
    for table in tables:
        base = (namespace + table.name).encode()
        ids = found.pop(base + b":id", {})
        counter = found.pop(base + b":ids", None)
        rows = {key: found.pop(key) for key in [base + b":obj:" + escape(id) for id in ids] if key in found}
        for key, content in expected(table, base, ids, rows).items():
            assert found.pop(key, None) == content, f"{key!r} differs from the rows"
        deadlines = found.pop(base + b":ttl", {})
        assert deadlines.keys() <= (ids.keys() if table.ttl else set()), f"{table.name}: deadlines without a row"
        known = register.pop(table.name.encode(), None)
        assert (known is not None) == bool(ids or counter is not None), f"{table.name}: wrongly registered"
        assert known is None or json.loads(known)[0] == table.order
        _check_scores(table, ids, counter)
    assert not found, f"keys that belong to no row: {sorted(found)[:5]}"
    assert not register, f"tables without a key: {sorted(register)}"


def _structures(found: dict[bytes, Any], namespace: bytes, register: dict[bytes, bytes]) -> set[bytes]:
    """Return the keys of structures; each is in the register, and stands on its own or belongs to a row or a table."""
    keys: set[bytes] = set()
    for field, suffixes in register.items():
        for suffix in {b"", *suffixes.split(b"\n")}:
            if field.startswith(b"struct."):
                start = namespace + field + b":"
                keys |= {key for key in found if key.startswith(start) and key.endswith(suffix)}
                continue
            level, size, rest = field.split(b":", 2)
            name, base = rest[: int(size)] + suffix, namespace + rest[int(size) :]
            owners = (
                [b"struct"] if level == b"struct" else [b"obj:" + escape(id) for id in found.get(base + b":id", ())]
            )
            keys |= {base + b":" + owner + b":" + name for owner in owners} & found.keys()
    return keys


def _check_scores(table: Table, ids: dict[bytes, float], counter: bytes | None) -> None:
    if table.order == "id":
        for id, score in ids.items():
            number: Id = float(id) if table.pk.type in ("int", "float") else 0.0
            assert score == number, f"{table.name}: row {id!r} has the score {score}"
    if table.auto:
        largest = max((int(id) for id in ids), default=0)
        assert largest <= 0 or largest <= int(counter or 0), f"{table.name}: the counter is behind id {largest}"


class Checked(Wrapper):
    """A Redis server with a ``check`` of its own."""

    def __init__(self, server: Any, url: str, tables: Iterable[Table]) -> None:
        super().__init__(server)
        self.client = redis.Redis.from_url(url)
        self.tables = tuple(tables)

    def check(self) -> None:
        """Raise ``AssertionError`` unless every index of the namespace fits its rows."""
        check(self.client, self.namespace, self.tables)

    def close(self) -> None:
        super().close()
        self.client.close()
