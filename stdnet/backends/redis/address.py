"""Connection strings of Redis: what they may say, and what may be shown. Nothing here connects or imports redis."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from ...errors import BadConnectionString
from ...records import Record, field

EXAMPLE = "redis://127.0.0.1:6379?db=0&namespace=test."
SCHEMES = ("redis", "rediss", "unix", "valkey")
SECRETS = ("password", "ssl_password")
HIDDEN = (*SECRETS, "client")
DEFAULT_PORT = 6379


def _flag(text: str) -> bool:
    known = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
    return known[text.lower()]


PARAMETERS: dict[str, Callable[[str], Any]] = {
    "db": int,
    "namespace": str,
    "username": str,
    "password": str,
    "timeout": float,
    "socket_connect_timeout": float,
    "socket_keepalive": _flag,
    "health_check_interval": int,
    "client_name": str,
    "max_connections": int,
    "wait": float,
}
"""Parameter of a connection string -> what reads it."""

SSL_PARAMETERS: dict[str, Callable[[str], Any]] = {
    "ssl_ca_certs": str,
    "ssl_ca_path": str,
    "ssl_certfile": str,
    "ssl_keyfile": str,
    "ssl_password": str,
    "ssl_cert_reqs": str,
    "ssl_check_hostname": _flag,
}

DEFAULTS: dict[str, Any] = {
    "db": 0,
    "timeout": 10.0,
    "socket_connect_timeout": 5.0,
    "socket_keepalive": True,
    "health_check_interval": 0,
    "max_connections": 50,
    "wait": 20.0,
}


class Address(Record):
    """Where a server is and how to reach it. Its ``repr`` shows no secret."""

    scheme: str
    place: str
    """``host:port``, or the path of a socket."""

    namespace: str = ""
    options: tuple[tuple[str, Any], ...] = field(default=(), repr=False)
    """What was asked for, sorted by name; the secrets are among it."""

    def option(self, name: str) -> Any:
        """Return what was asked for, or the default."""
        return dict(self.options).get(name, DEFAULTS.get(name))

    @property
    def shown(self) -> str:
        """The connection string, without secrets."""
        options = dict(self.options)
        user = f"{quote(options.pop('username'), safe='')}@" if "username" in options else ""
        shown = {"db": options.pop("db", 0)}
        if self.namespace:
            shown["namespace"] = self.namespace
        shown.update({name: value for name, value in options.items() if name not in HIDDEN})
        query = "&".join(f"{name}={quote(str(value), safe='{}.:/,')}" for name, value in shown.items())
        return f"{self.scheme}://{user}{self.place}?{query}"


def parse(url: str, namespace: str | None = None, **params: Any) -> Address:
    """Read a connection string; keyword arguments win over what it says.

    >>> parse("redis://").shown, parse("redis://:secret@example.org:6380/2?namespace=x.").shown
    ('redis://127.0.0.1:6379?db=0', 'redis://example.org:6380?db=2&namespace=x.')
    """
    scheme = url.partition("://")[0].lower()
    try:
        parts = urlsplit(url)
        place, given = _place(scheme, parts)
    except ValueError as error:
        if isinstance(error, BadConnectionString):
            raise
        problem = "its address is not of the form host:port, with a port from 0 to 65535"
        raise BadConnectionString(scheme, problem, EXAMPLE) from None
    for name, value in parse_qsl(parts.query, keep_blank_values=True):
        if name in given and given[name] != value:
            raise BadConnectionString(scheme, f"it gives {name} twice", EXAMPLE)
        given[name] = value
    if namespace is not None:
        given["namespace"] = namespace
    given.update({name: value for name, value in params.items() if value is not None})
    options = {name: _read(scheme, name, value) for name, value in given.items()}
    return _address(scheme, place, options)


def _place(scheme: str, parts: Any) -> tuple[str, dict[str, Any]]:
    """Return the address, and what stands before and after it."""
    given: dict[str, Any] = {}
    if parts.username:
        given["username"] = unquote(parts.username)
    if parts.password:
        given["password"] = unquote(parts.password)
    if parts.fragment:
        raise BadConnectionString(scheme, "it has a '#'; write %23 for one in a password or namespace", EXAMPLE)
    if scheme == "unix":
        path = unquote((parts.netloc.rpartition("@")[2] or "") + parts.path)
        if not path:
            raise BadConnectionString(scheme, "it names no socket", "unix:///run/redis.sock?db=0")
        return path, given
    path = parts.path.strip("/")
    if path:
        if not path.isdecimal():
            raise BadConnectionString(scheme, "the path behind its address is not the number of a database", EXAMPLE)
        given["db"] = path
    host = parts.hostname or "127.0.0.1"
    return f"{f'[{host}]' if ':' in host else host}:{DEFAULT_PORT if parts.port is None else parts.port}", given


def _read(scheme: str, name: str, value: Any) -> Any:
    known: Mapping[str, Callable[[str], Any]] = {**PARAMETERS, **(SSL_PARAMETERS if scheme == "rediss" else {})}
    if name not in known:
        if name in SSL_PARAMETERS:
            raise BadConnectionString(scheme, f"{name} needs a rediss:// address", EXAMPLE.replace("://", "s://"))
        problem = f"it has no parameter {name!r}; it has {', '.join(sorted(known))}"
        raise BadConnectionString(scheme, problem, EXAMPLE)
    try:
        return known[name](str(value))
    except (ValueError, KeyError):
        shown = "its value" if name in SECRETS else repr(value)
        kind = {int: "a whole number", float: "a number of seconds"}.get(known[name], "true or false")  # type: ignore[call-overload]
        raise BadConnectionString(scheme, f"{name} is to be {kind}, not {shown}", EXAMPLE) from None


def _address(scheme: str, place: str, options: dict[str, Any]) -> Address:
    for name in ("db", "timeout", "wait", "socket_connect_timeout", "health_check_interval"):
        if options.get(name, 0) < 0:
            raise BadConnectionString(scheme, f"{name} is negative", EXAMPLE)
    if options.get("max_connections", 1) < 1:
        raise BadConnectionString(scheme, "max_connections is less than 1", EXAMPLE)
    if not options.get("timeout", 1):  # once the sign of an asynchronous client; every server is both now
        del options["timeout"]
    namespace = options.pop("namespace", "")
    given = {name: value for name, value in options.items() if DEFAULTS.get(name) != value}
    return Address(scheme, place, namespace, tuple(sorted(given.items())))
