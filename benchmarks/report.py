"""Results as files, as tables, and in ``docs/performance.md``; ``python -m benchmarks.report`` rewrites its tables.

A table stands between ``<!-- table KIND NAME -->`` and ``<!-- end -->``; the prose around them is left alone.
"""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

from .cases import Case
from .contest import ROOT, Entry

RESULTS = ROOT / "benchmarks" / "results"
PAGE = ROOT / "docs" / "performance.md"
GROWTH = 2.0
"""How many times more one object may take in the largest table than in the smallest."""
SIZES = {"memory": 1.2, "redis": 1.1}
"""How many times the floor's bytes an object may take."""
FRESH = {"memory": 0.050, "redis": 0.120}
"""Seconds above bare Python from the start of a process to the first answer."""
CLOCK, PROCESSOR = 0, 1
Result = dict[str, Any]
Lines = list[list[str]]


def machine(peers: Sequence[Entry] = ()) -> dict[str, Any]:
    """Return what the figures depend on."""
    cpu = platform.processor() or platform.machine()
    if os.path.exists("/proc/cpuinfo"):
        found = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.MULTILINE)
        cpu = found.group(1) if found else cpu
    asked = "from importlib.metadata import version; print(version({!r}))"
    installed = {name: version(name) for name in ("redis", "hiredis", "sortedcontainers")}
    for peer in peers:
        code = asked.format(peer.name)
        installed[peer.name] = subprocess.run(
            [peer.python, "-c", code], check=True, capture_output=True, text=True
        ).stdout.strip()
    return {
        "cpu": cpu,
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "versions": installed,
    }


def row(case: Case, n: int, kind: str, figures: dict[str, Any]) -> dict[str, Any]:
    """Return a row of the results; ``goal`` is a ratio, or seconds for one object."""
    memory = kind.startswith("memory")
    goal = {"times": case.goal.memory if memory else case.goal.redis, "each": case.goal.seconds if memory else None}
    return {"case": case.name, "n": n, "size": case.size, "goal": goal, "figures": figures}


def save(result: Result) -> Path:
    """Write a result to its file and return the path."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{result['date']}-{result['kind']}.json"
    path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return path


def newest(kind: str) -> Result | None:
    """Return the last result of a kind."""
    paths = sorted(path for path in RESULTS.glob("*.json") if re.fullmatch(rf"\d+-\d+-\d+-{kind}", path.stem))
    return json.loads(paths[-1].read_text(encoding="utf-8")) if paths else None


def result(kind: str, repeat: int, about: dict[str, Any]) -> Result:
    """Return an empty result."""
    empty: Result = {"kind": kind, "date": date.today().isoformat(), "repeat": repeat, "machine": about}
    return {**empty, "rows": [], "bytes": [], "fresh": {}}


def head(result: Result) -> str:
    """Return the line that says when and where figures were taken."""
    about = result["machine"]
    versions = ", ".join(f"{name} {number}" for name, number in about["versions"].items())
    counted = "processor time" if measure(result["kind"]) == PROCESSOR else "time on the clock"
    return (
        f"{result['date']}, {about['cpu']} ({about['cores']} cores), {about['system']}, Python {about['python']}, "
        f"{versions}. Medians of {result['repeat']} turns, {counted}."
    )


def measure(kind: str) -> int:
    """Return which time counts: in memory that of the processor, which others on the machine do not disturb."""
    return PROCESSOR if kind.startswith("memory") else CLOCK


def duration(seconds: float) -> str:
    """Return a time with a fitting unit."""
    if seconds < 0.001:
        return f"{seconds * 1e6:.3g} µs"
    return f"{seconds * 1e3:,.2f} ms" if seconds < 0.1 else f"{seconds * 1e3:,.0f} ms"


def goals(result: Result, n: int) -> Lines:
    """Return the table of ours and the floor for ``n`` rows, with the goals."""
    counts = measure(result["kind"])
    more = ["clock"] if counts == PROCESSOR else ["processor", "server"]
    lines = [["work", "objects", "stdnet", "floor", "times", "goal", "met", *more]]
    for each in result["rows"]:
        ours, floor = each["figures"].get("stdnet"), each["figures"].get("floor")
        if each["n"] != n or not ours or not floor:
            continue
        times, mine = list(floor["times"]), ours["seconds"][counts]
        counted = times.pop(counts)
        goal, most = each["goal"]["times"], each["goal"]["each"]
        said, met = "", True
        if most is not None:
            said, met = f"<= {duration(most)} each", mine / each["size"] <= most
        elif goal is not None:
            said, met = f"<= {goal}", counted <= goal
        line = [each["case"], f"{each['size']:,}", duration(mine), duration(floor["seconds"][counts]), f"{counted:.2f}"]
        line += [said, verdict(met) if said else "", *(f"{value:.2f}" for value in times[: len(more)])]
        lines.append(line)
    return lines + list(footprint(result, n))


def footprint(result: Result, n: int) -> Iterator[list[str]]:
    """Yield the lines of the bytes of an object and of a fresh process."""
    more = [""] * (2 if result["kind"] == "redis" else 1)
    for each in result["bytes"]:
        if each["n"] == n:
            ours, floor, most = each["stdnet"], each["floor"], SIZES[result["kind"]]
            times = ours / floor
            said = [f"{ours:.0f} B", f"{floor:.0f} B", f"{times:.2f}", f"<= {most}", verdict(times <= most)]
            yield ["bytes of an object", f"{n:,}", *said, *more]
    if fresh := result["fresh"]:
        above, most = fresh["stdnet"] - fresh["python"], FRESH[result["kind"]]
        said = [duration(fresh["stdnet"]), duration(fresh["python"]), f"+{above * 1e3:.0f} ms"]
        yield ["fresh process", "1", *said, f"<= +{most * 1e3:.0f} ms", verdict(above <= most), *more]


def verdict(met: bool) -> str:
    """Return what the table says of a goal."""
    return "yes" if met else "**no**"


def growth(result: Result) -> Lines:
    """Return the table of what one object takes in the smallest table and in the largest."""
    ns, counts = sorted({each["n"] for each in result["rows"]}), measure(result["kind"])
    small, large = ({each["case"]: each for each in result["rows"] if each["n"] == n} for n in (ns[0], ns[-1]))
    lines = [["work, for one object", f"of {ns[0]:,}", f"of {ns[-1]:,}", "growth", "floor's", "goal", "met"]]
    for name in small:
        if name not in large:
            continue
        cost = {
            who: [each[name]["figures"][who]["seconds"][counts] / max(1, each[name]["size"]) for each in (small, large)]
            for who in ("stdnet", "floor")
            if who in small[name]["figures"] and who in large[name]["figures"]
        }
        times = {who: after / before for who, (before, after) in cost.items()}
        line = [name, *map(duration, cost["stdnet"]), f"{times['stdnet']:.2f}", f"{times.get('floor', 0):.2f}"]
        lines.append([*line, f"<= {GROWTH:g}", verdict(times["stdnet"] <= GROWTH)])
    return lines


def peers(result: Result, n: int) -> Lines:
    """Return the table of ours and others: how many times our time each one takes."""
    rows = [each for each in result["rows"] if each["n"] == n]
    first, counts = result["names"][0], measure(result["kind"])
    lines = [["work", "objects", *result["names"]]]
    for each in rows:
        figures = each["figures"]
        others = [
            behind(1 / figures[name]["times"][counts]) if name in figures else "-" for name in result["names"][1:]
        ]
        lines.append([each["case"], f"{each['size']:,}", duration(figures[first]["seconds"][counts]), *others])
    for each in result["bytes"]:
        if each["n"] == n:
            others = [f"{each[name] / each[first]:.2f}" if name in each else "-" for name in result["names"][1:]]
            lines.append(["bytes of an object", f"{n:,}", f"{each[first]:.0f} B", *others])
    if fresh := result["fresh"]:
        others = [f"{fresh[name] / fresh[first]:.2f}" for name in result["names"][1:]]
        lines.append(["fresh process", "1", duration(fresh[first]), *others])
    return lines


def behind(times: float) -> str:
    """Return how many times ours another takes, in bold if it is ahead of us."""
    return f"{times:.1f}" if times >= 1 else f"**{times:.2f}**"


def markdown(lines: Lines) -> str:
    """Return a table for a page."""
    rule = ["---", *["---:"] * (len(lines[0]) - 1)]
    return "\n".join("| " + " | ".join(line) + " |" for line in (lines[0], rule, *lines[1:]))


def plain(lines: Lines) -> str:
    """Return a table for a terminal."""
    widths = [max(len(line[column].replace("*", "")) for line in lines) for column in range(len(lines[0]))]
    told = []
    for line in lines:
        first, *others = (cell.replace("*", "") for cell in line)
        told.append("  ".join([first.ljust(widths[0]), *map(str.rjust, others, widths[1:])]).rstrip())
    return "\n".join(told)


def tables(result: Result) -> dict[str, Lines]:
    """Return the tables of a result by their names: a number of rows, or ``growth``."""
    ns = sorted({each["n"] for each in result["rows"]})
    make = peers if "names" in result else goals
    made = {str(n): make(result, n) for n in ns}
    return made if len(ns) == 1 or "names" in result else {**made, "growth": growth(result)}


def rewrite(page: Path = PAGE) -> None:
    """Replace the tables of the page by those of the newest results; a table without a result stays."""

    def table(found: re.Match[str]) -> str:
        kind, name = found["kind"], found["name"]
        result = newest(kind)
        made = tables(result) if result else {}
        if name not in made:
            print(f"There is no table {kind} {name} in the results; it stays as it is.", file=sys.stderr)
            return found[0]
        return f"<!-- table {kind} {name} -->\n\n{head(result)}\n\n{markdown(made[name])}\n\n<!-- end -->"

    text = page.read_text(encoding="utf-8")
    pattern = r"<!-- table (?P<kind>\S+) (?P<name>\S+) -->.*?<!-- end -->"
    page.write_text(re.sub(pattern, table, text, flags=re.DOTALL), encoding="utf-8")


if __name__ == "__main__":
    rewrite()
