"""Servers as people run them: a node of a cluster, and users that may not do everything."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
import redis

from stdnet.backends.redis.backend import RedisServer
from stdnet.contract import All, Count
from tests.redis.check import check
from tests.redis.conftest import connect
from tests.redis.tables import ITEM, LOG
from tests.redis.test_scripts import REQUESTS
from tests.servers import Server, running

NAMESPACE = "{acme}."


@pytest.fixture(scope="module")
def node() -> Iterator[Server]:
    """A cluster of one node that serves every slot."""
    with running("--cluster-enabled", "yes", "--cluster-node-timeout", "2000") as server:
        for first in range(0, 16384, 2048):
            server.command("CLUSTER", "ADDSLOTS", *map(str, range(first, first + 2048)))
        deadline = time.monotonic() + 20
        while b"cluster_state:ok" not in server.command("CLUSTER", "INFO"):
            assert time.monotonic() < deadline, "the cluster did not start"
            time.sleep(0.05)
        yield server


def work(server: RedisServer, client: redis.Redis, namespace: str) -> None:
    replies = server.execute(REQUESTS[:-2])
    check(client, namespace, [ITEM])
    assert replies[0].ids == ([1, 2, 3],)
    assert list(replies[2].ids) == [3, 2, 1]
    server.execute(REQUESTS[-2:])
    assert server.execute([Count(ITEM, All()), Count(LOG, All())]) == [0, 0]
    assert server.resolve("nothing") is None


def test_a_namespace_in_braces_is_one_slot_of_a_cluster(node: Server) -> None:
    server = connect(node.url, namespace=NAMESPACE)
    with redis.Redis.from_url(node.url) as client:
        work(server, client, NAMESPACE)
        server.execute(REQUESTS[:1])
        slots = {client.execute_command("CLUSTER KEYSLOT", key) for key in client.scan_iter(count=1000)}
        assert len(slots) == 1
    server.close()


def test_a_user_of_one_namespace_without_dangerous_commands() -> None:
    with running() as own:
        own.command(
            "ACL", "SETUSER", "ann", "on", ">pw", "~app.*", "resetchannels", "+@all", "-@dangerous", "-@admin", "-scan"
        )
        server = connect(f"redis://ann:pw@127.0.0.1:{own.port}?namespace=app.")
        with redis.Redis.from_url(own.url) as client:
            work(server, client, "app.")
        with pytest.raises(Exception, match=r"(?i)permission|acl") as caught:
            connect(f"redis://ann:pw@127.0.0.1:{own.port}?namespace=other.").execute(REQUESTS[:1])
        assert "pw" not in str(caught.value).split()
        server.close()
