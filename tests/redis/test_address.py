"""Connection strings: all their forms, what is wrong with a wrong one, and that no secret is ever shown."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
from typing import Any

import pytest
import redis

from stdnet.backends import getdb
from stdnet.backends.redis.address import parse
from stdnet.backends.redis.backend import RedisServer, connect
from stdnet.backends.redis.pools import KINDS, settings
from stdnet.contract import All, Count
from stdnet.errors import BadConnectionString, ConnectionError, ImproperlyConfigured
from tests.redis.tables import LOG, insert
from tests.servers import Server, free_port, running

SECRET = "s3cr:t/pässw0rd"
QUOTED = "s3cr%3At%2Fp%C3%A4ssw0rd"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://", "redis://127.0.0.1:6379?db=0"),
        ("redis://localhost", "redis://localhost:6379?db=0"),
        ("redis://host:6380/3", "redis://host:6380?db=3"),
        ("redis://host:6380/?db=3", "redis://host:6380?db=3"),
        ("redis://host/3?db=3", "redis://host:6379?db=3"),
        ("redis://[::1]:6380", "redis://[::1]:6380?db=0"),
        ("redis://?namespace={acme}.", "redis://127.0.0.1:6379?db=0&namespace={acme}."),
        ("redis://?timeout=3", "redis://127.0.0.1:6379?db=0&timeout=3.0"),
        ("redis://?timeout=0", "redis://127.0.0.1:6379?db=0"),
        (f"redis://:{QUOTED}@host", "redis://host:6379?db=0"),
        (f"redis://ann:{QUOTED}@host", "redis://ann@host:6379?db=0"),
        (f"redis://host?password={QUOTED}", "redis://host:6379?db=0"),
        ("valkey://host", "valkey://host:6379?db=0"),
        ("rediss://host?ssl_ca_certs=/ca.pem", "rediss://host:6379?db=0&ssl_ca_certs=/ca.pem"),
        ("unix:///run/redis.sock?db=2", "unix:///run/redis.sock?db=2"),
    ],
)
def test_forms(url: str, shown: str) -> None:
    address = parse(url)
    assert address.shown == shown
    assert parse(address.shown).shown == shown
    assert (address.option("password") or SECRET) == SECRET
    assert SECRET not in repr(address)


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("redis://host:port", "host:port"),
        ("redis://host:99999", "host:port"),
        ("redis://[::1", "host:port"),
        ("redis://host/first", "number of a database"),
        ("redis://host?db=first", "db is to be a whole number, not 'first'"),
        ("redis://host/1?db=2", "gives db twice"),
        ("redis://host?db=-1", "db is negative"),
        ("redis://host?timeout=soon", "timeout is to be a number of seconds"),
        ("redis://host?colour=red", "no parameter 'colour'"),
        ("redis://host?ssl_ca_certs=x", "needs a rediss:// address"),
        ("redis://host?max_connections=0", "less than 1"),
        ("unix://?db=1", "names no socket"),
        (f"redis://:{QUOTED}@host?password=other", "gives password twice"),
        ("redis://:a#b@host", "'#'"),
    ],
)
def test_what_is_wrong(url: str, problem: str) -> None:
    with pytest.raises(BadConnectionString) as caught:
        parse(url)
    assert problem in str(caught.value)
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None


def test_keyword_arguments_win() -> None:
    assert parse("redis://?db=1&namespace=a.", "b.", db=2).shown == "redis://127.0.0.1:6379?db=2&namespace=b."
    with pytest.raises(BadConnectionString, match="colour"):
        parse("redis://", colour="red")


def test_settings_of_connections() -> None:
    found = settings(parse("rediss://ann:pw@host/1?ssl_ca_certs=/ca.pem&ssl_check_hostname=no"))
    assert (found["host"], found["port"], found["db"], found["username"]) == ("host", 6379, 1, "ann")
    assert (found["ssl_ca_certs"], found["ssl_check_hostname"]) == ("/ca.pem", False)
    assert "ssl_cert_reqs" not in found  # redis-py's default is to require a certificate
    assert KINDS["rediss"] == "SSLConnection"
    assert settings(parse("unix:///a.sock"))["path"] == "/a.sock"


def test_the_same_string_is_the_same_server() -> None:
    one, two = getdb("redis://host?namespace=a."), getdb("redis://host/0", namespace="a.")
    assert one is two
    assert getdb("redis://host?namespace=a.") is one
    assert getdb("redis://host?namespace=b.") != one
    assert getdb("redis://:other@host?namespace=a.") != one
    assert repr(one) == "RedisServer('redis://host:6379?db=0&namespace=a.')"


@pytest.mark.parametrize(
    "form", ["redis://:{}@127.0.0.1:{}", "redis://ann:{}@127.0.0.1:{}", "redis://127.0.0.1:{1}?password={0}"]
)
def test_no_secret_is_shown(form: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    server = connect(form.format(QUOTED, free_port()))
    with pytest.raises(ConnectionError) as caught:
        server.ping()
    shown = [repr(server), str(server), server.connection_string, repr(vars(server)), str(caught.value), caplog.text]
    shown += [repr(caught.value), repr(caught.value.args), repr(caught.value.__cause__)]
    assert all(secret not in text for text in shown for secret in (SECRET, QUOTED, "s3cr"))


def test_a_wrong_password() -> None:
    with running("--requirepass", "right") as own:
        wrong = connect(f"redis://:{QUOTED}@127.0.0.1:{own.port}")
        with pytest.raises(ConnectionError, match=r"(?i)password") as caught:
            wrong.ping()
        assert SECRET not in str(caught.value)
        assert connect(f"redis://:right@127.0.0.1:{own.port}").ping()


@pytest.mark.parametrize("decode", [False, True])
def test_a_blocking_client_stands_in_for_a_string(url: str, namespace: str, decode: bool) -> None:
    with redis.Redis.from_url(url, decode_responses=decode) as client:
        server = getdb(client, namespace=namespace)
        server.execute([insert(LOG, (1, 1))])
        assert server.execute([Count(LOG, All())]) == [1]
        assert server.connection_string.startswith("redis://127.0.0.1:")

        async def main() -> Any:
            try:
                return await server.execute_async([Count(LOG, All())])
            finally:
                await server.aclose()

        assert asyncio.run(main()) == [1]
        assert server == getdb(client, namespace=namespace)


def test_an_async_client_stands_in_for_a_string(url: str, namespace: str) -> None:
    async def main() -> RedisServer:
        client = redis.asyncio.Redis.from_url(url)
        server = getdb(client, namespace=namespace)
        assert isinstance(server, RedisServer)
        await server.execute_async([insert(LOG, (1, 1))])
        await server.aclose()
        await client.aclose()
        return server

    server = asyncio.run(main())
    assert server.execute([Count(LOG, All())]) == [1]
    server.close()


@pytest.mark.parametrize("thing", [object(), 5, redis.Redis])
def test_other_things_do_not(thing: Any) -> None:
    with pytest.raises(ImproperlyConfigured, match="neither a connection string nor a client"):
        getdb(thing)


def test_a_unix_socket(own_server: Server, namespace: str) -> None:
    own_server.command("PING")
    with running("--unixsocket", f"{own_server.folder.name}/s.sock") as second:
        server = connect(f"unix://{own_server.folder.name}/s.sock?db=1&namespace={namespace}")
        assert server.execute([insert(LOG, (1, 1)), Count(LOG, All())])[1] == 1
        assert b"$-1" not in second.command("INFO", "keyspace")
        server.close()


def test_redis_is_imported_on_demand_only() -> None:
    code = (
        "import sys; sys.modules['redis'] = None\n"
        "from stdnet.backends import getdb\n"
        "getdb('memory://').ping()\n"
        "try:\n    getdb('redis://')\nexcept ImportError as error:\n    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert 'pip install "python-stdnet[redis]"' in done.stdout
