"""Run the benchmarks and print the table: medians of pairs, measured alternately, as times the floor."""

from __future__ import annotations

import argparse
import gc
import statistics
import subprocess
import sys
from collections.abc import Callable
from time import perf_counter
from typing import Any

from .memory import Case, cases

FRESH = """
from time import perf_counter
began = perf_counter()
from stdnet import odm
class City(odm.StdModel):
    name = odm.SymbolField(unique=True)
models = odm.Router("memory://")
models.register(City)
models.city.new(name="Genoa")
assert models.city.get(name="Genoa").id == 1
"""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("-n", type=int, default=10_000, help="rows in the table (default: 10,000)")
    parser.add_argument("-r", "--repeat", type=int, default=7, help="repetitions of each pair (default: 7)")
    options = parser.parse_args()
    print(f"{options.n:,} rows, memory://, medians of {options.repeat} pairs, Python {sys.version.split()[0]}")
    print(f"{'work':<28} {'stdnet':>11} {'floor':>11} {'times':>7}")
    for case in cases(options.n):
        ours, floor, ratio = measure(case, options.repeat)
        print(f"{case.name:<28} {ours * 1e3:>8.3f} ms {floor * 1e3:>8.3f} ms {ratio:>7.1f}")
    bare, fresh = process("pass", options.repeat), process(FRESH, options.repeat)
    print(f"{'fresh process':<28} {fresh * 1e3:>8.1f} ms {bare * 1e3:>8.1f} ms {'+':>4}{(fresh - bare) * 1e3:.0f} ms")


def measure(case: Case, repeat: int) -> tuple[float, float, float]:
    """Return the medians of ours and the floor, and of the ratios pair by pair; the answers must be equal."""
    pairs = []
    for _ in range(repeat + 1):  # the first pair warms up
        ours, floor = case.prepare()
        (mine, answer), (theirs, expected) = timed(ours), timed(floor)
        assert answer == expected, f"{case.name}: {answer} instead of {expected}"
        pairs.append((mine, theirs))
    del pairs[0]
    median = statistics.median
    return median(a for a, _ in pairs), median(b for _, b in pairs), median(a / b for a, b in pairs)


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Return the seconds that ``work`` takes, without garbage collection, and what it returns."""
    gc.collect()
    gc.disable()
    try:
        began = perf_counter()
        answer = work()
        return perf_counter() - began, answer
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


main()
