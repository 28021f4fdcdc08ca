"""Backends by connection string: ``getdb`` finds the package that serves a scheme and imports it on demand."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from ..errors import BadConnectionString, UnknownScheme
from .base import BackendDataServer

SCHEMES = {
    "memory": "stdnet.backends.memory.backend",
    "redis": "stdnet.backends.redis.backend",
    "rediss": "stdnet.backends.redis.backend",
    "unix": "stdnet.backends.redis.backend",
    "valkey": "stdnet.backends.redis.backend",
}
"""Scheme of a connection string -> module with a function ``connect(url, **params)``."""


def parse_backend(url: str) -> tuple[str, str, dict[str, str]]:
    """Split a connection string into scheme, address and parameters.

    >>> parse_backend("memory://demo?namespace=test.")
    ('memory', 'demo', {'namespace': 'test.'})
    """
    scheme, separator, rest = url.partition("://")
    if separator and not rest:
        return scheme.lower(), "", {}
    from urllib.parse import parse_qsl, urlsplit

    if not separator:
        raise BadConnectionString("<scheme>", "it has no scheme", "memory:// or memory://name?namespace=test.")
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise BadConnectionString(scheme, str(error), f"{scheme}://name?namespace=test.") from None
    return scheme.lower(), parts.netloc + parts.path, dict(parse_qsl(parts.query, keep_blank_values=True))


def getdb(backend: BackendDataServer | str | Any = None, **params: Any) -> BackendDataServer:
    """Return the backend of a connection string; a backend passes through, ``None`` is ``memory://``.

    A client of redis-py, blocking or async, may stand in for a string. Keyword arguments win over the parameters of
    the string. Raises ``UnknownScheme``, ``BadConnectionString``, and ``MissingExtra`` when the scheme's optional
    dependency is not installed.

    >>> getdb("memory://?namespace=test.")
    MemoryServer('memory://?namespace=test.')
    """
    if isinstance(backend, BackendDataServer):
        return backend
    url = "memory://" if backend is None else backend
    if not isinstance(url, str):
        client: BackendDataServer = import_module(SCHEMES["redis"]).connect(url, **params)
        return client
    scheme, _, _ = parse_backend(url)
    if scheme not in SCHEMES:
        raise UnknownScheme(scheme, SCHEMES)
    server: BackendDataServer = import_module(SCHEMES[scheme]).connect(url, **params)
    return server
