"""A contestant in a process of its own: it does what each line of its standard input asks for, and answers with a line.

``python -m benchmarks.worker MODULE:MAKER URL`` runs in any environment that has what the module of the contestant
imports: this module needs no stdnet, and the client of Redis on Redis alone.
"""

from __future__ import annotations

import gc
import hashlib
import importlib
import json
import os
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from statistics import median
from time import perf_counter, process_time, sleep
from typing import Any

from .cases import Case, Contestant, cases, searches
from .workload import rows

SHORT = 0.05
"""Seconds; work that takes less is done up to ten times in one turn, and the median counts."""


class Stage:
    """Contestants of one kind, one at a time: one that reads stays for the next case with the same rows."""

    def __init__(self, make: Callable[[], Contestant], server: Callable[[], float]) -> None:
        self.make = make
        self.server = server
        self.who: Contestant | None = None
        self.fill: Any = None
        self.sizes: dict[int, dict[str, Case]] = {}

    def case(self, name: str, n: int) -> Case:
        """Return a case for tables of ``n`` rows; only those of the last size are kept."""
        if n not in self.sizes:
            self.clear()
            self.sizes = {n: {case.name: case for make in (cases, searches) for case in make(n)}}
        return self.sizes[n][name]

    def run(self, case: Case) -> dict[str, Any]:
        """Return what the work of a case takes, and the answers; or why this contestant cannot do it."""
        try:
            if self.who is None or case.changes or self.fill is not case.fill:
                self.clear()
                self.who, self.fill = self.make(), case.fill
                case.fill(self.who)
            spent, answer = self.turn(case)
            answers = [digest(answer), *(self.seen(check) for check in case.checks)]
        except AttributeError as error:
            if not self.who or error.obj is not self.who:
                raise
            self.clear()
            return {"cannot": True}
        if case.changes:
            self.clear()
        return {"spent": spent, "answers": answers}

    def turn(self, case: Case) -> tuple[list[float], Any]:
        """Return what the work takes, and its answer; work that is short and changes nothing is done some times."""
        spent, answer = timed(case.work, self.who, self.server)
        kinds = [spent]
        while not case.changes and len(kinds) < 10 and sum(spent[0] for spent in kinds) < SHORT:
            kinds.append(timed(case.work, self.who, self.server)[0])
        return [median(each) for each in zip(*kinds, strict=True)], answer

    def seen(self, check: Callable[[Any], Any]) -> str | None:
        """Return an answer to compare, ``None`` from a contestant that cannot read it."""
        try:
            return digest(check(self.who))
        except AttributeError as error:
            if error.obj is not self.who:
                raise
            return None

    def clear(self) -> None:
        """Empty and close the contestant."""
        if self.who is not None:
            self.who.close()
        self.who = self.fill = None


def timed(work: Callable[[Any], Any], who: Any, server: Callable[[], float]) -> tuple[list[float], Any]:
    """Return what ``work`` takes on the clock, of the processor here and at the server, and what it returns.

    Garbage is not collected meanwhile.
    """
    gc.collect()
    gc.disable()
    try:
        served = server()
        began, used = perf_counter(), process_time()
        answer = work(who)
        clock, client = perf_counter() - began, process_time() - used
        return [clock, client, server() - served], answer
    finally:
        gc.enable()


def digest(answer: Any) -> str:
    """Return an answer as a text that is not long."""
    text = repr(answer)
    return text if len(text) <= 60 else hashlib.sha256(text.encode()).hexdigest()


def size(make: Callable[[], Contestant], n: int, allocated: Callable[[], int]) -> float:
    """Return how much more is allocated for each of ``n`` rows after their bulk insert; the values count, too."""
    who = make()
    who.insert(rows(100, start=n))  # what is loaded once is not counted
    gc.collect()
    before = allocated()
    who.insert(rows(n))
    gc.collect()
    taken = allocated() - before
    who.close()
    return taken / n


def traced() -> int:
    """Return the bytes that Python has allocated since the first call."""
    import tracemalloc  # it slows down everything else

    if not tracemalloc.is_tracing():
        tracemalloc.start()
    return tracemalloc.get_traced_memory()[0]


def served(client: Any) -> int:
    """Return the bytes that a server has for data, when all that was unlinked is freed.

    Buffers of clients and the interpreter of scripts do not grow with the data.
    """
    while (memory := client.info("memory"))["lazyfree_pending_objects"]:
        sleep(0.01)
    return int(memory["used_memory"]) - int(memory["mem_clients_normal"]) - int(memory.get("used_memory_vm_total", 0))


def resident() -> int:
    """Return the bytes of this process that are in memory, what C libraries hold included."""
    with open("/proc/self/statm", encoding="ascii") as pages:
        return int(pages.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def main() -> None:
    """Answer requests until there are no more."""
    answers, sys.stdout = sys.stdout, sys.stderr  # what a contestant prints is no answer
    url = sys.argv[2]
    server, used = (lambda: 0.0), traced
    if not url.startswith("memory:"):
        import redis  # not needed for memory

        client = redis.Redis.from_url(url.partition("?")[0])
        server = lambda: sum(client.info("cpu")[f"used_cpu_{kind}"] for kind in ("user", "sys"))  # noqa: E731
        used = lambda: served(client)  # noqa: E731
    stage = Stage(lambda: contestant(sys.argv[1])(url), server)
    kinds = {"stored": used, "resident": resident}
    for line in sys.stdin:
        try:
            answer = reply(stage, json.loads(line), kinds)
        except Exception as error:  # whoever asks decides what a failure means
            traceback.print_exc()
            answer = {"failed": f"{type(error).__name__}: {error}"[:300]}
            with suppress(Exception):
                stage.clear()
            stage.who = stage.fill = None
        print(json.dumps(answer), file=answers, flush=True)
    stage.clear()


def contestant(name: str) -> Callable[[str], Any]:
    """Return what makes a contestant of a URL, by ``module:maker``; an import that fails is a failure of its work."""
    module, _, maker = name.partition(":")
    return getattr(importlib.import_module(module), maker)


def reply(stage: Stage, asked: dict[str, Any], kinds: dict[str, Callable[[], int]]) -> dict[str, Any]:
    """Return the answer to one request: to run a case, or to measure the bytes of an object."""
    if "case" in asked:
        return stage.run(stage.case(asked["case"], asked["n"]))
    stage.clear()
    return {"bytes": size(stage.make, asked["n"], kinds[asked["size"]])}


if __name__ == "__main__":
    main()
