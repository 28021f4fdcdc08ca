"""Results as files, as tables, and in ``docs/performance.md``; ``python -m benchmarks.report FILE`` puts them there.

A table stands between ``<!-- table KIND NAME -->`` and ``<!-- end -->``, the list of where we lose between
``<!-- losses -->`` and ``<!-- end -->``; the prose around them is left alone.
"""

from __future__ import annotations

import json
import os
import platform
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from .cases import Case
from .contest import ROOT, Entry

RESULTS = ROOT / "benchmarks" / "results"
PAGE = ROOT / "docs" / "performance.md"
GROWTH = 2.0
"""How many times more the insert of one object may take in the largest table than in the smallest."""
SIZES = {"memory": 1.2, "redis": 1.1}
"""How many times the floor's bytes an object may take."""
FRESH = {"memory": 0.050, "redis": 0.120}
"""Seconds above bare Python from the start of a process to the first answer."""
CLOCK, PROCESSOR = 0, 1
KINDS = {
    "memory": "In memory",
    "memory-peers": "In memory",
    "memory-search": "Searching in memory",
    "redis": "On Redis",
    "redis-peers": "On Redis",
    "redis-search": "Searching on Redis",
}
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
    installed["SQLite"] = sqlite3.sqlite_version
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


def file() -> Path:
    """Return the path for the results of a run that begins now."""
    return RESULTS / f"{datetime.now():%Y-%m-%dT%H-%M}.json"


def save(results: list[Result], path: Path) -> None:
    """Write the results of a run to its file, a list of numbers in a line."""
    path.parent.mkdir(exist_ok=True)
    text = json.dumps(_short(results), indent=1)
    text = re.sub(r"\[[^\[\]{}]*\]", lambda numbers: " ".join(numbers[0].split()), text)
    path.write_text(text + "\n", encoding="utf-8")


def _short(value: Any) -> Any:
    """Return a value with four digits of each number; no figure has more that count."""
    if isinstance(value, float):
        return float(f"{value:.4g}")
    if isinstance(value, dict):
        return {name: _short(each) for name, each in value.items()}
    return [_short(each) for each in value] if isinstance(value, list) else value


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
    more = [""] * (1 if measure(result["kind"]) == PROCESSOR else 2)
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
        limited = "insert" in name
        lines.append([*line, f"<= {GROWTH:g}", verdict(times["stdnet"] <= GROWTH)] if limited else [*line, "", ""])
    return lines


def peers(result: Result, n: int) -> Lines:
    """Return the table of ours and others: how many times our time each one takes."""
    rows = [each for each in result["rows"] if each["n"] == n]
    first, counts = result["names"][0], measure(result["kind"])
    here = {name for each in result["rows"] for name in each["figures"]}
    lines = [["work", "objects", *result["names"]]]
    for each in rows:
        figures = each["figures"]
        others = [told(figures.get(name, {}), name in here, counts) for name in result["names"][1:]]
        lines.append([each["case"], f"{each['size']:,}", duration(figures[first]["seconds"][counts]), *others])
    for each in result["bytes"]:
        if each["n"] == n:
            others = [multiple(each[name] / each[first]) if name in each else "-" for name in result["names"][1:]]
            lines.append(["bytes of an object", f"{n:,}", f"{each[first]:.0f} B", *others])
    if fresh := result["fresh"]:
        others = [multiple(fresh[name] / fresh[first]) if name in fresh else "-" for name in result["names"][1:]]
        lines.append(["fresh process", "1", duration(fresh[first]), *others])
    return lines


def told(figures: dict[str, Any], here: bool, counts: int) -> str:
    """Return how many times our time another takes, or why there is no figure."""
    if not here:
        return "not installed"
    if "times" not in figures:
        return "failed" if figures else "-"
    return multiple(1 / max(figures["times"][counts], 1e-9))


def multiple(times: float) -> str:
    """Return how many times ours that of another is, in bold if it is less."""
    return f"{times:.1f}" if times >= 1 else f"**{times:.2f}**"


def notes(result: Result, name: str) -> list[str]:
    """Return why peers failed in a table."""
    failed = [
        (each["case"], who, figures["failed"])
        for each in result["rows"]
        for who, figures in each["figures"].items()
        if str(each["n"]) == name and "failed" in figures
    ]
    return [f"{who} fails at {case}: {reason}" for case, who, reason in failed]


def score(lines: Lines) -> list[str]:
    """Return the line that counts the goals of a table that are met, if it has any."""
    verdicts = [line[lines[0].index("met")] for line in lines[1:]] if "met" in lines[0] else []
    counted = [said for said in verdicts if said]
    return [f"Goals met: {counted.count(verdict(True))} of {len(counted)}."] if counted else []


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


def losses(results: Iterable[Result], n: int = 10_000) -> list[str]:
    """Return a line for each kind of result with the goals that are missed, and one for each contestant ahead of us."""
    lines = []
    for result in results:
        made = tables(result).get(str(n), [[]])
        heads, body = made[0], made[1:]
        if "met" in heads:
            times, met = heads.index("times"), heads.index("met")
            missed = [
                f"{line[0]} ({line[times]}, goal {line[times + 1]})" for line in body if line[met] == verdict(False)
            ]
            lines.append(f"* {KINDS[result['kind']]}, goals missed: {'; '.join(missed) or 'none'}.")
            continue
        for column, name in enumerate(heads):
            ahead = [f"{line[0]} ({line[column].strip('*')})" for line in body if line[column].startswith("**")]
            if ahead and not name.startswith("stdnet"):
                lines.append(f"* {KINDS[result['kind']]}, behind {name}: {'; '.join(ahead)}.")
    return lines


def rewrite(path: Path, page: Path = PAGE) -> None:
    """Replace the tables of the page by those of a file of results; one that the file does not have stays as it is."""
    results = {result["kind"]: result for result in json.loads(path.read_text(encoding="utf-8"))}
    lost = "\n".join(losses(results.values()))

    def table(found: re.Match[str]) -> str:
        kind, name = found["kind"], found["name"]
        made = tables(results[kind]) if kind in results else {}
        if name not in made:
            print(f"There is no table {kind} {name} in the results; it stays as it is.", file=sys.stderr)
            return found[0]
        told = " ".join([f"`{path.name}`:", head(results[kind]), *score(made[name])])
        parts = [f"<!-- table {kind} {name} -->", told, markdown(made[name]), *notes(results[kind], name)]
        return "\n\n".join([*parts, "<!-- end -->"])

    text = page.read_text(encoding="utf-8")
    text = re.sub(
        r"<!-- losses -->.*?<!-- end -->", f"<!-- losses -->\n\n{lost}\n\n<!-- end -->", text, flags=re.DOTALL
    )
    pattern = r"<!-- table (?P<kind>\S+) (?P<name>\S+) -->.*?<!-- end -->"
    page.write_text(re.sub(pattern, table, text, flags=re.DOTALL), encoding="utf-8")


if __name__ == "__main__":
    rewrite(Path(sys.argv[1]))
