"""The benchmarks do what they measure: every case, in small tables, with the answers of the hand-written code."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks import floor_memory, floor_redis, mapper, peers, report, search, worker
from benchmarks.cases import Case, cases, searches
from benchmarks.contest import Entry, Failed, Spent, against, agree, at_work, race

from .servers import running

N = 120
NAMES = [case.name for case in cases(N)]
TIMES = {"stdnet": 0.001, "peewee": 0.002}


@pytest.fixture(scope="module")
def urls() -> Iterator[dict[str, str]]:
    """A server of its own: the contestants use fixed keys."""
    with running() as server:
        yield {"memory": "memory://", "redis": server.url}


@pytest.fixture(autouse=True)
def once(monkeypatch: pytest.MonkeyPatch) -> None:
    """No work is repeated for the sake of its time."""
    monkeypatch.setattr(worker, "SHORT", 0.0)


def run(case: Case, contestant: Any, url: str) -> list[Any]:
    """Return the answers of a contestant that is made for one case."""
    stage = worker.Stage(lambda: contestant(url), lambda: 0.0)
    try:
        return list(stage.run(case)["answers"])
    finally:
        stage.clear()


@pytest.mark.parametrize("kind", ["memory", "redis"])
@pytest.mark.parametrize("name", NAMES)
def test_ours_and_the_floor_answer_alike(urls: dict[str, str], kind: str, name: str) -> None:
    case = next(case for case in cases(N) if case.name == name)
    floor = {"memory": floor_memory, "redis": floor_redis}[kind]
    answers = run(case, mapper.contestant, urls[kind])
    assert answers == run(case, floor.contestant, urls[kind])
    assert case.changes or answers != ["0"], "a case finds something"


@pytest.mark.parametrize("kind", ["memory", "redis"])
@pytest.mark.parametrize("case", list(searches(N))[:2], ids=lambda case: case.name)
def test_searches_find_alike(urls: dict[str, str], kind: str, case: Case) -> None:
    others = [search.Postings, search.Fts5] if kind == "memory" else [search.Pipeline]
    expected = run(case, search.words, urls[kind])
    for other in others:
        assert run(case, other, urls[kind]) == expected


@pytest.mark.parametrize("kind", ["memory", "redis"])
def test_processes_take_turns_and_become_a_table(urls: dict[str, str], kind: str) -> None:
    entries = [
        Entry("stdnet", "benchmarks.mapper:contestant", url=urls[kind]),
        Entry("floor", f"benchmarks.floor_{kind}:contestant", url=urls[kind]),
    ]
    made = report.result(kind, 1, report.machine())
    with at_work(entries) as workers:
        for case in [case for case in cases(N) if case.name in ("bulk insert", "two filters")]:
            made["rows"].append(report.row(case, N, kind, race(workers, case.name, N, 1)))
        made["bytes"].append({"n": N, **{each.entry.name: each.ask(size="stored", n=N)["bytes"] for each in workers}})
    lines = report.tables(made)[str(N)]
    assert [line[0] for line in lines] == ["work", "bulk insert", "two filters", "bytes of an object"]
    assert {len(line) for line in lines} == {9 if kind == "redis" else 8}
    assert all(size > 0 for size in made["bytes"][0].values())


def test_a_contestant_that_lacks_a_verb_is_left_out(urls: dict[str, str]) -> None:
    entries = [
        Entry("stdnet", "benchmarks.mapper:contestant"),
        Entry("floor", "benchmarks.floor_memory:contestant"),
        Entry("search", "benchmarks.search:Postings"),
    ]
    with at_work(entries) as workers:
        assert list(race(workers, "two filters", N, 1)) == ["stdnet", "floor"]


def test_a_peer_that_fails_is_told_of_and_hand_written_code_may_not_fail() -> None:
    ours = Entry("stdnet", "benchmarks.mapper:contestant")
    broken = Entry("broken", "benchmarks.nothing:contestant", peer=True)
    with at_work([ours, broken]) as workers:
        figures = race(workers, "two filters", N, 1)
    assert "times" in figures["stdnet"]
    assert "ModuleNotFoundError" in figures["broken"]["failed"]
    with at_work([ours, broken._replace(peer=False)]) as workers, pytest.raises(Failed, match="ModuleNotFoundError"):
        race(workers, "two filters", N, 1)


def test_other_answers_are_a_failure_and_no_answer_is_none() -> None:
    agree("count", "peer", ["1", None], ["1", "2"])
    with pytest.raises(Failed, match="it answers 3 instead of 2"):
        agree("count", "peer", ["1", "3"], ["1", "2"])


def test_a_table_says_which_peers_are_not_installed_and_why_others_fail() -> None:
    made = report.result("memory-peers", 1, report.machine())
    made["names"] = ["stdnet", "peewee", "Django", "walrus"]
    case = next(cases(N))
    figures: dict[str, Any] = {"stdnet": {"seconds": [1, 1, 1], "times": [1, 1, 1]}, "peewee": {"failed": "no table"}}
    made["rows"].append(report.row(case, N, "memory-peers", figures))
    made["rows"].append(report.row(case, N, "memory-peers", {**figures, "walrus": figures["stdnet"]}))
    lines = report.tables(made)[str(N)]
    assert [line[3:] for line in lines[1:]] == [["failed", "not installed", "-"], ["failed", "not installed", "1.0"]]
    assert report.notes(made, str(N))[0] == "peewee fails at bulk insert: no table"


def test_goals_that_are_met_are_counted() -> None:
    assert report.score([["work", "met"], ["count", "yes"], ["cascade", ""], ["update", "**no**"]]) == [
        "Goals met: 1 of 2."
    ]
    assert report.score([["work", "stdnet"], ["count", "1"]]) == []


def test_where_we_lose_is_said() -> None:
    goal = {"times": 1.0, "each": None}
    figures = {
        "stdnet": {"seconds": [2, 2, 0], "times": [1, 1, 1]},
        "floor": {"seconds": [1, 1, 0], "times": [2, 2, 0]},
    }
    made = report.result("redis", 1, report.machine())
    made["rows"].append({"case": "count", "n": 10, "size": 1, "goal": goal, "figures": figures})
    others = {**made, "kind": "redis-peers", "names": ["stdnet", "floor", "walrus"]}
    assert report.losses([made, others], 10) == [
        "* On Redis, goals missed: count (2.00, goal <= 1.0).",
        "* On Redis, behind floor: count (0.50).",
    ]


def test_each_peer_is_pinned_and_does_without_stdnet() -> None:
    folder = Path(peers.__file__).parent
    modules = {*peers.IN_PROCESS.values(), *peers.ON_REDIS.values()}
    assert modules == {path.stem for path in folder.glob("*.txt")}
    for module in modules:
        pins = [line for line in (folder / f"{module}.txt").read_text(encoding="utf-8").splitlines() if line[0] != "#"]
        assert all("==" in pin for pin in pins)
        assert "import stdnet" not in (text := (folder / f"{module}.py").read_text(encoding="utf-8"))
        assert "from stdnet" not in text


def test_ratios_are_those_of_pairs_and_the_first_pair_warms_up() -> None:
    ours = [Spent(9, 9, 9), Spent(2, 1, 0), Spent(6, 1, 0), Spent(4, 1, 0)]
    theirs = [Spent(1, 1, 1), Spent(1, 2, 0), Spent(2, 4, 0), Spent(4, 1, 0)]
    assert against(ours, theirs) == {"seconds": [2, 2, 0], "times": [2.0, 0.5, 0.0]}
    assert against(ours, theirs[:1])["times"] == [9, 9, 9], "the only pair counts"


def test_growth_is_that_of_one_object() -> None:
    def row(n: int, ours: float, floor: float) -> dict[str, Any]:
        figures = {"stdnet": {"seconds": [0, ours, 0]}, "floor": {"seconds": [0, floor, 0]}}
        return {"case": "bulk insert", "n": n, "size": n, "figures": figures}

    made = {"kind": "memory", "rows": [row(1000, 0.001, 0.001), row(100_000, 0.3, 0.1)]}
    assert report.growth(made)[1] == ["bulk insert", "1 µs", "3 µs", "3.00", "1.00", "<= 2", "**no**"]


def test_the_tables_of_a_page_are_replaced_and_its_prose_is_kept(tmp_path: Path) -> None:
    made = report.result("memory-peers", 1, report.machine())
    figures = {name: {"seconds": [time] * 3, "times": [0.001 / time] * 3} for name, time in TIMES.items()}
    made["names"] = ["stdnet", "peewee", "Django"]
    made["rows"].append({"case": "count", "n": 10, "size": 100, "goal": {}, "figures": figures})
    report.save([made], path := tmp_path / "results" / "now.json")
    page = tmp_path / "page.md"
    page.write_text("Before.\n<!-- table memory-peers 10 -->\nold\n<!-- end -->\nAfter.\n", encoding="utf-8")
    report.rewrite(path, page)
    text = page.read_text(encoding="utf-8")
    assert text.startswith("Before.\n")
    assert text.endswith("After.\n")
    assert "old" not in text
    assert "| count | 100 | 1.00 ms | 2.0 | not installed |" in text
