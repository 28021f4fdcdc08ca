"""Contestants as processes that take turns: who they are, how they are asked, and how their times become ratios."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
ENOUGH = 20.0
"""Seconds, filling included, after which a contestant has run a case often enough."""


class Entry(NamedTuple):
    """Someone who can take part: a name, ``module:maker``, and the interpreter of the environment that has it."""

    name: str
    maker: str
    python: str = sys.executable
    url: str = "memory://"

    @property
    def there(self) -> bool:
        """Whether the environment has been made."""
        return Path(self.python).exists()


class Spent(NamedTuple):
    """Seconds of one turn: on the clock, of the processor of the process, of that of the server."""

    clock: float
    client: float
    server: float


class Worker:
    """The process of a contestant."""

    def __init__(self, entry: Entry) -> None:
        self.entry = entry
        command = [entry.python, "-m", "benchmarks.worker", entry.maker, entry.url]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT, bufsize=1
        )

    def ask(self, **request: Any) -> Any:
        """Return the answer to one request."""
        assert self.process.stdin
        assert self.process.stdout
        print(json.dumps(request), file=self.process.stdin, flush=True)
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.entry.name} ended at {request}")
        return json.loads(line)

    def close(self) -> None:
        """Let the process end when it has emptied what it filled."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


@contextmanager
def at_work(entries: list[Entry]) -> Iterator[list[Worker]]:
    """Run a process for each contestant."""
    with ExitStack() as stack:
        workers = []
        for entry in entries:
            workers.append(Worker(entry))
            stack.callback(workers[-1].close)
        yield workers


def race(
    workers: list[Worker], case: str, n: int, repeat: int, unchecked: tuple[str, ...] = ()
) -> dict[str, dict[str, Any]]:
    """Return, for each contestant that can, the medians of a case, and the median ratios of the times of ours to its.

    Ours is the first. They take turns; the first turn warms up, and counts for those alone whom it took so long that it
    was their last. Answers must equal ours, if both could read them.
    """
    ours, *others = workers
    turns: dict[str, list[Spent]] = {worker.entry.name: [] for worker in workers}
    taken = dict.fromkeys(turns, 0.0)
    expected: list[str | None] = []
    for turn in range(repeat + 1):
        able = [each for each in others if len(turns[each.entry.name]) == turn and taken[each.entry.name] < ENOUGH]
        if turn and not able:
            break
        for worker in (ours, *able):
            name = worker.entry.name
            began = perf_counter()
            reply = worker.ask(case=case, n=n)
            taken[name] += perf_counter() - began
            if "cannot" in reply:
                continue
            turns[name].append(Spent(*reply["spent"]))
            if worker is ours:
                expected = reply["answers"]
            elif name not in unchecked:
                agree(case, name, reply["answers"], expected)
    return {name: against(turns[ours.entry.name], spent) for name, spent in turns.items() if spent}


def agree(case: str, name: str, answers: list[str | None], expected: list[str | None]) -> None:
    """Raise unless the answers are those expected; ``None`` is none."""
    for answer, other in zip(answers, expected, strict=True):
        assert None in (answer, other) or answer == other, f"{case}: {name} answers {answer} instead of {other}"


def against(ours: list[Spent], theirs: list[Spent]) -> dict[str, Any]:
    """Return median times of a contestant and the median ratios of ours to them, by pairs of turns."""
    pairs = list(zip(ours, theirs, strict=False))
    pairs = pairs[1:] or pairs
    return {
        "seconds": [statistics.median(pair[1][kind] for pair in pairs) for kind in range(3)],
        "times": [statistics.median(one[kind] / max(other[kind], 1e-9) for one, other in pairs) for kind in range(3)],
    }


def sizes(entries: list[Entry], n: int, kind: str) -> dict[str, float]:
    """Return the bytes of an object after a bulk insert of ``n``, each contestant in a fresh process."""
    taken = {}
    for entry in entries:
        with at_work([entry]) as [worker]:
            taken[entry.name] = worker.ask(size=kind, n=n)
    return taken


def fresh(programs: dict[str, tuple[str, str]], repeat: int) -> dict[str, float]:
    """Return the median seconds of fresh processes that take turns; a program is an interpreter and its code.

    What is compiled is kept in a folder for this, as if installed.
    """
    spent: dict[str, list[float]] = {name: [] for name in programs}
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": folder}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        for _ in range(repeat + 1):
            for name, (python, code) in programs.items():
                began = perf_counter()
                subprocess.run([python, "-c", code], check=True, cwd=ROOT, env=environment)
                spent[name].append(perf_counter() - began)
    return {name: statistics.median(times[1:]) for name, times in spent.items()}
