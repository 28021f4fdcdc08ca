"""Contestants as processes that take turns: who they are, how they are asked, and how their times become ratios."""

from __future__ import annotations

import json
import math
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
ENOUGH = 10.0
"""Seconds, filling included, after which a contestant has run a case often enough."""

REQUIRED = ("python", "stdnet")
"""Programs of a fresh process that may not fail."""


class Entry(NamedTuple):
    """Someone who can take part: a name, ``module:maker``, and the interpreter of the environment that has it.

    A peer may fail, which the tables then say; ours and hand-written code may not.
    """

    name: str
    maker: str
    python: str = sys.executable
    url: str = "memory://"
    peer: bool = False

    @property
    def there(self) -> bool:
        """Whether the environment has been made, with all that it needs."""
        return not self.peer or (Path(self.python).parent.parent / "ready").exists()


class Failed(Exception):
    """A contestant cannot do what it should be able to do, or answers differently."""

    def __init__(self, name: str, request: dict[str, Any], reason: str) -> None:
        super().__init__(f"{name} at {request}: {reason}")
        self.reason = reason


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
        """Return the answer to one request, or raise ``Failed``."""
        assert self.process.stdin
        assert self.process.stdout
        try:
            print(json.dumps(request), file=self.process.stdin, flush=True)
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        answer = json.loads(line) if line else {"failed": f"its process ended with {self.process.wait()}"}
        if "failed" in answer:
            raise Failed(self.entry.name, request, answer["failed"])
        return answer

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
    was their last. Answers must equal ours, if both could read them. Of a peer that fails, the reason is returned.
    """
    ours, *others = workers
    turns: dict[str, list[Spent]] = {worker.entry.name: [] for worker in workers}
    taken = dict.fromkeys(turns, 0.0)
    expected: list[str | None] = []
    failed: dict[str, dict[str, Any]] = {}
    for turn in range(repeat + 1):
        able = [each for each in others if len(turns[each.entry.name]) == turn and taken[each.entry.name] < ENOUGH]
        if turn > 1 and not able:
            break
        for worker in (ours, *able):
            name = worker.entry.name
            began = perf_counter()
            try:
                reply = worker.ask(case=case, n=n)
                if worker is ours:
                    expected = reply.get("answers", [])
                elif name not in unchecked and "cannot" not in reply:
                    agree(case, name, reply["answers"], expected)
            except Failed as error:
                if not worker.entry.peer:
                    raise
                failed[name] = {"failed": error.reason}
                turns[name].clear()
                continue
            taken[name] += perf_counter() - began
            if "cannot" not in reply:
                turns[name].append(Spent(*reply["spent"]))
    figures = {name: against(turns[ours.entry.name], spent) for name, spent in turns.items() if spent}
    return figures | failed


def agree(case: str, name: str, answers: list[str | None], expected: list[str | None]) -> None:
    """Raise ``Failed`` unless the answers are those expected; ``None`` is none."""
    for answer, other in zip(answers, expected, strict=True):
        if None not in (answer, other) and answer != other:
            raise Failed(name, {"case": case}, f"it answers {answer} instead of {other}")


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
            try:
                taken[entry.name] = worker.ask(size=kind, n=n)["bytes"]
            except Failed:
                if not entry.peer:
                    raise
    return taken


def fresh(programs: dict[str, tuple[str, str]], repeat: int) -> dict[str, float]:
    """Return the median seconds of fresh processes that take turns; a program is an interpreter and its code.

    What is compiled is kept in a folder for this, as if installed. A peer that fails is left out.
    """
    spent: dict[str, list[float]] = {name: [] for name in programs}
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": folder}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        for _ in range(repeat + 1):
            for name, (python, code) in programs.items():
                began = perf_counter()
                done = subprocess.run([python, "-c", code], check=name in REQUIRED, cwd=ROOT, env=environment)
                spent[name].append(perf_counter() - began if done.returncode == 0 else math.inf)
    taken = {name: statistics.median(times[1:]) for name, times in spent.items()}
    return {name: seconds for name, seconds in taken.items() if seconds < math.inf}
