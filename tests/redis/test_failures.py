"""Lost connections, lost replies, restarts, time-outs: nothing is committed twice, nothing is lost, nothing is torn."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from stdnet.backends.redis import backend, talk
from stdnet.backends.redis.backend import RedisServer
from stdnet.contract import All, Committed, Count, Ids, Ping, Request, Select
from stdnet.errors import CommitUnknown, ConnectionError, ResponseError
from tests.redis.proxy import AFTER, BEFORE, PASS, Proxy, at_random
from tests.redis.tables import ITEM, LOG, insert, new_ids
from tests.servers import Server, free_port

OpenServer = Callable[..., RedisServer]


def halves(server: RedisServer) -> Counter[tuple[Any, Any]]:
    """Return how often each (number, half) is stored."""
    return Counter(server.execute([Select(LOG, All())])[0].rows)


def commit_pairs(server: RedisServer, numbers: range) -> tuple[set[int], list[CommitUnknown]]:
    """Commit two rows for each number; return the numbers that are known to be stored and the unknown outcomes."""
    stored, unknown = set(), []
    for number in numbers:
        try:
            (reply,) = server.execute([insert(LOG, (number, 1), (number, 2))])
        except CommitUnknown as error:
            error.number = number  # type: ignore[attr-defined]
            unknown.append(error)
        except ConnectionError:
            pass  # nothing was sent
        else:
            assert len(new_ids(reply)) == 2
            stored.add(number)
    return stored, unknown


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Attempts without pauses."""
    monkeypatch.setattr(talk, "PAUSES", (0.0, 0.0))


@pytest.mark.usefixtures("hasty")
def test_faults_never_duplicate_lose_or_tear_a_commit(
    own_server: Server, namespace: str, open_server: OpenServer
) -> None:
    direct = open_server(own_server.url, namespace=namespace)
    with Proxy(own_server.port, at_random(7, before=0.1, after=0.1, delay=0.02)) as proxy:
        faulty = open_server(proxy.url, namespace=namespace)
        stored, unknown = commit_pairs(faulty, range(3000))
        faulty.close()
    for error in unknown:
        if direct.resolve(error.token) is not None:
            stored.add(error.number)  # type: ignore[attr-defined]
    assert proxy.seen[BEFORE] > 200
    assert proxy.seen[AFTER] > 200
    assert halves(direct) == Counter({(number, half): 1 for number in stored for half in (1, 2)})
    assert len(stored) > 2700


@pytest.mark.usefixtures("hasty")
def test_without_tokens_the_same_faults_duplicate(
    own_server: Server, namespace: str, open_server: OpenServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backend, "with_token", lambda request: request)
    direct = open_server(own_server.url, namespace=namespace)
    with Proxy(own_server.port, at_random(7, before=0.1, after=0.1, delay=0.02)) as proxy:
        commit_pairs(open_server(proxy.url, namespace=namespace), range(500))
    assert sum(count > 1 for count in halves(direct).values()) > 20


@pytest.mark.usefixtures("hasty")
def test_faults_and_many_tasks(own_server: Server, namespace: str, open_server: OpenServer) -> None:
    direct = open_server(own_server.url, namespace=namespace)

    async def main(server: RedisServer) -> set[int]:
        stored: set[int] = set()

        async def one(number: int) -> None:
            try:
                await server.execute_async([insert(LOG, (number, 1), (number, 2))])
            except CommitUnknown as error:
                if await direct.resolve_async(error.token) is None:
                    return
            except ConnectionError:
                return
            stored.add(number)

        await asyncio.gather(*map(one, range(500)))
        await server.aclose()
        await direct.aclose()
        return stored

    with Proxy(own_server.port, at_random(3, before=0.05, after=0.05, delay=0.02)) as proxy:
        stored = asyncio.run(main(open_server(proxy.url, namespace=namespace)))
    assert halves(direct) == Counter({(number, half): 1 for number in stored for half in (1, 2)})
    assert len(stored) > 400


def commit_into_silence(own_server: Server, namespace: str, open_server: OpenServer) -> tuple[RedisServer, str, Proxy]:
    fates = [PASS]
    proxy = Proxy(own_server.port, lambda: fates[0])
    server = open_server(proxy.url, namespace=namespace)
    server.execute([Count(LOG, All()), Ping()])
    fates[0] = AFTER
    with pytest.raises(CommitUnknown) as caught:
        server.execute([insert(LOG, (1, 1))])
    fates[0] = PASS
    return server, caught.value.token, proxy


@pytest.mark.usefixtures("hasty")
def test_an_unknown_outcome_is_resolved(own_server: Server, namespace: str, open_server: OpenServer) -> None:
    server, token, proxy = commit_into_silence(own_server, namespace, open_server)
    with proxy:
        assert server.resolve(token) == Committed(([1],), ([],), ())
        assert server.execute([Count(LOG, All())]) == [1]
        assert server.execute([insert(LOG, (1, 1), token=token)]) == [Committed(([1],), ([],), ())]
        assert server.execute([Count(LOG, All())]) == [1]
        server.close()


def test_a_commit_that_never_arrived_is_given_up_by_resolving_it(server: RedisServer) -> None:
    assert server.resolve("late") is None
    with pytest.raises(ResponseError, match="given up"):
        server.execute([insert(LOG, (1, 1), token="late")])
    assert server.execute([Count(LOG, All())]) == [0]


def test_without_a_server(open_server: OpenServer) -> None:
    port = free_port()
    server = open_server(f"redis://:hush@127.0.0.1:{port}")
    with pytest.raises(ConnectionError, match=str(port)) as caught:
        server.execute([insert(LOG, (1, 1))])
    assert not isinstance(caught.value, CommitUnknown)
    assert "hush" not in str(caught.value)
    with pytest.raises(ConnectionError):
        server.ping()


def test_killed_connections_are_replaced(own_server: Server, namespace: str, open_server: OpenServer) -> None:
    server = open_server(own_server.url, namespace=namespace)
    for number in range(50):
        server.execute([insert(LOG, (number, 1))])
        if number % 5 == 0:
            own_server.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    assert server.execute([Count(LOG, All())]) == [50]


def test_emptied_script_cache(own_server: Server, namespace: str, open_server: OpenServer) -> None:
    server = open_server(own_server.url, namespace=namespace)
    for number in range(20):
        own_server.command("SCRIPT", "FLUSH")
        requests: list[Request] = [
            insert(LOG, (number, 1)),
            Count(LOG, All()),
            insert(LOG, (number, 2)),
            Select(LOG, All()),
        ]
        _, count, _, selected = server.execute(requests)
        assert count == 2 * number + 1
        assert len(selected.ids) == 2 * number + 2


def test_a_restart_in_between(namespace: str, own_server: Server, open_server: OpenServer) -> None:
    server = open_server(own_server.url, namespace=namespace)
    server.execute([insert(LOG, (1, 1))])
    own_server.stop()
    own_server.start()
    assert server.execute([insert(LOG, (2, 1)), Count(LOG, All())])[1] == 1  # it keeps nothing on disk


def test_a_server_that_is_busy_with_a_script(own_server: Server, namespace: str, open_server: OpenServer) -> None:
    server = open_server(own_server.url, namespace=namespace)
    server.execute([insert(LOG, (0, 1))])
    own_server.command("CONFIG", "SET", "lua-time-limit", "20")
    code = "local t = redis.call('TIME') t = t[1] * 1000 + t[2] / 1000 + ARGV[1] "
    code += "repeat local n = redis.call('TIME') until n[1] * 1000 + n[2] / 1000 > t"
    thread = threading.Thread(target=own_server.command, args=("EVAL", code, "0", "600"))
    thread.start()
    time.sleep(0.1)
    assert own_server.command("GET", "x").startswith(b"-BUSY")
    assert server.execute([insert(LOG, (1, 1)), Count(LOG, All())])[1] == 2
    thread.join()
    own_server.command("CONFIG", "SET", "lua-time-limit", "5000")


def test_a_server_that_answers_too_late(own_server: Server, namespace: str, open_server: OpenServer) -> None:
    server = open_server(own_server.url, namespace=namespace, timeout=0.2)
    server.execute([insert(LOG, (0, 1))])
    own_server.command("CLIENT", "PAUSE", "700", "ALL")
    server.execute([insert(LOG, (1, 1))])
    assert halves(server) == Counter({(0, 1): 1, (1, 1): 1})


def test_cancelled_tasks_never_mix_up_replies(own_server: Server, namespace: str, open_server: OpenServer) -> None:
    server = open_server(own_server.url, namespace=namespace, max_connections=10)

    async def main() -> int:
        reply = (await server.execute_async([insert(LOG, *((number, number) for number in range(100)))]))[0]
        ids, right = new_ids(reply), 0

        async def one(place: int) -> bool:
            (found,) = await server.execute_async([Select(LOG, Ids((ids[place % 100],)))])
            return list(found.rows) == [(place % 100, place % 100)]

        for first in range(0, 2000, 100):
            tasks = [asyncio.ensure_future(one(place)) for place in range(first, first + 100)]
            await asyncio.sleep(0.001 * (first % 7))
            for task in tasks[::3]:
                task.cancel()
            for outcome in await asyncio.gather(*tasks, return_exceptions=True):
                if not isinstance(outcome, asyncio.CancelledError):
                    assert outcome is True
                    right += 1
        await server.aclose()
        return right

    assert asyncio.run(main()) > 1000


def test_no_error_or_log_shows_a_value(
    own_server: Server, namespace: str, open_server: OpenServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with Proxy(own_server.port, lambda: BEFORE) as proxy:
        server = open_server(proxy.url, namespace=namespace)
        with pytest.raises(ConnectionError) as caught:
            server.execute([insert(ITEM, ("classified", "k", 1, "classified"))])
    shown = [str(caught.value), repr(caught.value), caplog.text]
    assert caught.value.__cause__ is None
    assert "classified" not in " ".join(shown)
