"""A TCP proxy that makes connections fail: it cuts before a request arrives, or after it was answered, or delays it."""

from __future__ import annotations

import random
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from select import select

PASS, BEFORE, AFTER, DELAY = "pass", "before", "after", "delay"


class Proxy:
    """Listens on a free port and passes on to ``target``; ``choose`` says what happens to each request."""

    def __init__(self, target: int, choose: Callable[[], str]) -> None:
        self.target = target
        self.choose = choose
        self.seen: Counter[str] = Counter()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = int(self.listener.getsockname()[1])
        self.open = True
        self.threads: list[threading.Thread] = []
        self._start(self._accept)

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    def __enter__(self) -> Proxy:
        return self

    def __exit__(self, *_: object) -> None:
        self.open = False
        for thread in self.threads:
            thread.join(timeout=5)
        self.listener.close()

    def _start(self, target: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self.threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while self.open:
            if not select([self.listener], [], [], 0.05)[0]:
                continue
            client, _ = self.listener.accept()
            self._start(self._pass_on, client)

    def _pass_on(self, client: socket.socket) -> None:
        try:
            with client, socket.create_connection(("127.0.0.1", self.target)) as server:
                for end in (client, server):
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._relay(client, server)
        except OSError:
            pass  # either side went away, which is what happens in this place

    def _relay(self, client: socket.socket, server: socket.socket) -> None:
        fate = ""
        while self.open:
            ready, _, _ = select([client, server], [], [], 0.2)
            if client in ready:
                if not (data := client.recv(65536)):
                    return
                if not fate:  # the first bytes of a request
                    fate = self.choose()
                    self.seen[fate] += 1
                    if fate == BEFORE:
                        return
                    if fate == DELAY:
                        time.sleep(0.005)
                server.sendall(data)
            if server in ready:
                data = server.recv(65536)
                if not data or fate == AFTER:
                    return
                client.sendall(data)
                fate = ""


def at_random(seed: int, before: float, after: float, delay: float) -> Callable[[], str]:
    """Return a choice by chance, the same for the same seed."""
    chance, lock = random.Random(seed), threading.Lock()

    def choose() -> str:
        with lock:
            return chance.choices((BEFORE, AFTER, DELAY, PASS), (before, after, delay, 1 - before - after - delay))[0]

    return choose
