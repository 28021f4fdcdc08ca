"""Run the benchmarks and print the table: medians, and ratios of pairs that are measured alternately.

With ``--url redis://…`` the floor is hand-written redis-py pipelines on the same server, and the processor time of
this process and of the server is shown, too.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import subprocess
import sys
from collections.abc import Callable
from time import perf_counter, process_time
from typing import Any, NamedTuple

from .cases import Case, Contestant, cases
from .floor_memory import Floor
from .mapper import Mapper
from .workload import Listed

FRESH = """
from stdnet import odm
class City(odm.StdModel):
    name = odm.SymbolField(unique=True)
models = odm.Router({url!r})
models.register(City)
models.city.new(name="Genoa")
assert models.city.get(name="Genoa").name == "Genoa"
models.city.flush()
"""


class Spent(NamedTuple):
    """Seconds of one measurement: on the clock, of this process' processor, of the server's."""

    clock: float
    client: float
    server: float


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("-n", type=int, default=10_000, help="rows in the table (default: 10,000)")
    parser.add_argument("-r", "--repeat", type=int, default=5, help="repetitions of each pair (default: 5)")
    parser.add_argument("--url", default="memory://", help="the database (default: memory://)")
    options = parser.parse_args()
    rivals, server = contestants(options.url)
    scheme = options.url.partition(":")[0]
    print(f"{options.n:,} rows, {scheme}://, medians of {options.repeat} pairs, Python {sys.version.split()[0]}")
    print(f"{'work':<26} {'stdnet':>10} {'floor':>10} {'times':>6}" + "   client and server, times" * bool(server))
    for case in cases(options.n):
        print(line(case.name, measure(case, rivals, options, server), bool(server)))
    bare, fresh = process("pass", options.repeat), process(FRESH.format(url=options.url), options.repeat)
    print(f"{'fresh process':<26} {fresh * 1e3:>7.1f} ms {bare * 1e3:>7.1f} ms {(fresh - bare) * 1e3:>+5.0f} ms")


def contestants(url: str) -> tuple[list[Callable[[], Contestant]], Callable[[], float] | None]:
    """Return the makers of ours and the floor, and, on a server, the function that reads its processor time."""
    if url.startswith("memory:"):
        return [lambda: Mapper("memory://"), Floor], None
    from .floor_redis import Pipelines  # redis is not needed for memory

    client = Pipelines(url).client

    def server_time() -> float:
        info: Any = client.info("cpu")
        return float(info["used_cpu_user"]) + float(info["used_cpu_sys"])

    return [lambda: Mapper(url, Listed), lambda: Pipelines(url)], server_time


def line(name: str, pairs: list[list[Spent]], served: bool) -> str:
    """Return a row of the table: medians of both, and the median ratio of each kind of time."""

    def ratio(kind: int) -> float:
        return statistics.median(ours[kind] / max(floor[kind], 1e-9) for ours, floor in pairs)

    ours, floor = (statistics.median(pair[who].clock for pair in pairs) for who in (0, 1))
    text = f"{name:<26} {ours * 1e3:>7.2f} ms {floor * 1e3:>7.2f} ms {ratio(0):>6.2f}"
    return text + (f"   {ratio(1):>6.2f} {ratio(2):>6.2f}" if served else "")


def measure(
    case: Case,
    rivals: list[Callable[[], Contestant]],
    options: argparse.Namespace,
    server: Callable[[], float] | None,
) -> list[list[Spent]]:
    """Return pairs of times; the answers of each pair must be equal."""
    pairs, kept = [], [] if case.changes else [prepared(make, case) for make in rivals]
    for _ in range(options.repeat + 1):
        running = kept or [prepared(make, case) for make in rivals]
        spent, answers = zip(*(timed(case.work, who, server) for who in running), strict=True)
        assert answers[0] == answers[1], f"{case.name}: {answers[0]} instead of {answers[1]}"
        pairs.append(list(spent))
        if not kept:
            close(running)
    close(kept)
    return pairs[1:]  # the first pair warms up


def prepared(make: Callable[[], Contestant], case: Case) -> Contestant:
    """Return a contestant, with the rows that the case needs."""
    who = make()
    case.fill(who)
    return who


def close(contestants: list[Contestant]) -> None:
    """Empty and close contestants."""
    for who in contestants:
        who.close()


def timed(work: Callable[[Any], Any], who: Contestant, server: Callable[[], float] | None) -> tuple[Spent, Any]:
    """Return what ``work`` spends, without garbage collection, and what it returns."""
    gc.collect()
    gc.disable()
    try:
        served = server() if server else 0.0
        began, used = perf_counter(), process_time()
        answer = work(who)
        clock, client = perf_counter() - began, process_time() - used
        return Spent(clock, client, server() - served if server else 0.0), answer
    finally:
        gc.enable()


def process(code: str, repeat: int) -> float:
    """Return the median of the seconds of a fresh interpreter that runs ``code``."""
    times = []
    for _ in range(repeat):
        began = perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True)
        times.append(perf_counter() - began)
    return statistics.median(times)


if __name__ == "__main__":
    main()
