"""Full-text search against an oracle that looks at every text, on every backend: what is found, ranked and kept.

The oracle knows words as they are; how words become terms is tested by examples.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from stdnet import odm
from stdnet.apps.searchengine import SearchEngine
from stdnet.apps.searchengine.processors import stemming_processor, tolerant_metaphone_processor
from tests.conftest import BACKENDS, connect

WORDS = ["ape", "apes", "bee", "beetle", "cat", "catbird", "é", "ét"]


class Sheet(odm.StdModel):
    name = odm.SymbolField(primary_key=True, hidden=True)
    head = odm.CharField(required=False)
    body = odm.CharField(required=False)
    mark = odm.IntegerField(default=0, index=True)

    class Meta:
        app_label = "search"


names = st.sampled_from(["a", "b", "c", "d:%", "é\x1e", "a" + "b" * 160])
texts = st.lists(st.sampled_from(WORDS), max_size=6).map(" ".join)
plain = st.sampled_from(WORDS)
pieces = st.one_of(
    plain,
    plain.map(lambda word: f"{word[:2]}*"),
    st.lists(st.sampled_from(WORDS[:4]), min_size=2, max_size=3).map(lambda words: f'"{" ".join(words)}"'),
)
sought = st.lists(pieces, min_size=1, max_size=3).map(" ".join)


def clauses(text: str) -> list[str]:
    return list(dict.fromkeys(re.findall(r'"[^"]*"|\S+', text)))


def count(clause: str, row: tuple[str, str, int]) -> int:
    """Return how often a clause is in a row, by looking at each place of each text."""
    number = 0
    for text in row[:2]:
        words = text.split()
        if clause.startswith('"'):
            wanted = clause.strip('"').split()
            number += sum(words[n : n + len(wanted)] == wanted for n in range(len(words)))
        elif clause.endswith("*"):
            number += sum(word.startswith(clause[:-1]) for word in words)
        else:
            number += words.count(clause)
    return number


class Oracle:
    """Rows by name: head, body and mark."""

    def __init__(self) -> None:
        self.rows: dict[str, tuple[str, str, int]] = {}

    def found(self, text: str, lookup: str) -> list[str]:
        test = any if lookup == "in" else all
        return sorted(name for name, row in self.rows.items() if test(count(each, row) for each in clauses(text)))

    def ranked(self, text: str, lookup: str) -> list[tuple[str, float]]:
        lengths = {name: len(" ".join(row[:2]).split()) for name, row in self.rows.items()}
        some = [length for length in lengths.values() if length]
        sums = dict.fromkeys(self.found(text, lookup), 0.0)
        for each in clauses(text):
            counts = {name: count(each, row) for name, row in self.rows.items()}
            df = sum(map(bool, counts.values()))
            weight = math.log(1 + (len(some) - df + 0.5) / (df + 0.5))
            for name in sums:
                tf, length = counts[name], lengths[name] / (sum(some) / len(some))
                sums[name] += weight * tf * 2.2 / (tf + 1.2 * (0.25 + 0.75 * length))
        rounded = {name: math.floor(score * 1e6 + 0.5) / 1e6 for name, score in sums.items()}
        return sorted(rounded.items(), key=lambda pair: (-pair[1], pair[0]))


class Searching(RuleBasedStateMachine):
    """The same changes and questions to all backends and the oracle."""

    def __init__(self) -> None:
        super().__init__()
        self.oracle = Oracle()
        self.servers = [connect(name) for name in sorted(BACKENDS)]
        self.routers: list[Any] = []

    @initialize()
    def begin(self) -> None:
        for server in self.servers:
            router = odm.Router(server)
            engine = SearchEngine(metaphone=False, stemming=False, stop_words=(), min_word_length=1, max_in_session=2)
            router.set_search_engine(engine)
            engine.register(Sheet)
            self.routers.append(router)

    @rule(rows=st.lists(st.tuples(names, texts, texts, st.integers(0, 3)), min_size=1, max_size=4))
    def save(self, rows: list[tuple[str, str, str, int]]) -> None:
        """Store rows, new ones and others, in one commit."""
        for router in self.routers:
            with router.session().begin() as transaction:
                for name, head, body, mark in rows:
                    transaction.add(Sheet(name=name, head=head, body=body, mark=mark))
        self.oracle.rows.update({name: (head, body, mark) for name, head, body, mark in rows})

    @rule(name=names, head=texts)
    def change_one_text(self, name: str, head: str) -> None:
        """Save an instance of which one text is loaded."""
        for router in self.routers:
            for sheet in router.sheet.filter(name=name).load_only("head"):
                sheet.head = head
                sheet.save()
        if name in self.oracle.rows:
            self.oracle.rows[name] = (head, *self.oracle.rows[name][1:])

    @rule(name=names, head=texts, body=texts)
    def change_both_texts_by_turns(self, name: str, head: str, body: str) -> None:
        """Save what has changed of an instance that another program has changed meanwhile."""
        for router in self.routers:
            for mine, other in zip(router.sheet.filter(name=name), router.sheet.filter(name=name), strict=True):
                other.head, mine.body = head, body
                other.save()
                mine.save()
        if name in self.oracle.rows:
            self.oracle.rows[name] = (head, body, self.oracle.rows[name][2])

    @rule(text=sought, mark=st.integers(0, 3))
    def update(self, text: str, mark: int) -> None:
        """Change a field of what is found; it is not indexed."""
        found = self.oracle.found(text, "contains")
        for router in self.routers:
            assert router.sheet.search(text).update(mark=mark) == len(found)
        self.oracle.rows.update({name: (*self.oracle.rows[name][:2], mark) for name in found})

    @rule(name=names, other=names, fields=st.sampled_from([(), ("head",), ("mark",)]))
    def move(self, name: str, other: str, fields: tuple[str, ...]) -> None:
        """Give a row another primary key, if nothing is there; not all of it may be loaded."""
        if name not in self.oracle.rows or other in self.oracle.rows:
            return
        for router in self.routers:
            (sheet,) = router.sheet.filter(name=name).load_only(*fields)
            sheet.name = other
            sheet.save()
        self.oracle.rows[other] = self.oracle.rows.pop(name)

    @rule(mark=st.integers(0, 3), row=st.none() | st.tuples(names, texts))
    def delete(self, mark: int, row: tuple[str, str] | None) -> None:
        """Delete by a query, and store a row in the same commit."""
        for router in self.routers:
            session = router.session()
            with session.begin() as transaction:
                transaction.delete(session.query(Sheet).filter(mark=mark))
                if row is not None:
                    transaction.add(Sheet(name=row[0], head=row[1], mark=mark))
        self.oracle.rows = {name: each for name, each in self.oracle.rows.items() if each[2] != mark}
        if row is not None:
            self.oracle.rows[row[0]] = (row[1], "", mark)

    @rule()
    def reindex(self) -> None:
        """Make the index anew, which changes nothing."""
        for router in self.routers:
            before = router.search_engine.items(Sheet)
            router.search_engine.reindex()
            assert router.search_engine.items(Sheet) == before

    @rule(text=sought, lookup=st.sampled_from(["contains", "in"]), mark=st.integers(0, 3))
    def look(self, text: str, lookup: str, mark: int) -> None:
        """Search, rank, and narrow by a filter."""
        found, ranked = self.oracle.found(text, lookup), self.oracle.ranked(text, lookup)
        for router in self.routers:
            query = router.sheet.search(text, lookup)
            assert [sheet.name for sheet in query] == found
            assert query.count() == len(found)
            by_score = query.ranked()
            got = [(sheet.name, by_score.score(sheet)) for sheet in by_score]
            assert [name for name, _ in got] == [name for name, _ in ranked]
            assert all(math.isclose(a, b, abs_tol=2e-6) for (_, a), (_, b) in zip(got, ranked, strict=True))
            some = [name for name in found if self.oracle.rows[name][2] == mark]
            assert [sheet.name for sheet in query.filter(mark=mark)] == some

    @rule()
    def compare(self) -> None:
        """The index has exactly the rows that have words."""
        words = {name: " ".join(row[:2]).split() for name, row in self.oracle.rows.items()}
        for router in self.routers:
            kept = {name: " ".join(texts.values()).split() for name, texts in router.search_engine.items(Sheet)}
            assert {name: sorted(some) for name, some in words.items() if some} == {
                name: sorted(some) for name, some in kept.items()
            }

    def teardown(self) -> None:
        for server in self.servers:
            server.check()
            server.flush()
            server.close()


Searching.TestCase.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)
TestSearching = Searching.TestCase


def engines() -> Iterator[SearchEngine]:
    for options in ({}, {"metaphone": False}, {"metaphone": False, "stemming": False, "splitters": False}):
        yield SearchEngine(**options)


ENGINES = list(engines())


@given(st.text(max_size=40))
def test_any_text_can_be_sought_and_quoted(text: str) -> None:
    for engine in ENGINES:
        clauses = engine._sought(text).clauses
        assert all(part for clause in clauses for part in clause)
        plain = engine.snippet(text, [text], words=1000, mark=("", ""))
        assert plain == text
        engine.snippet(text, [text], words=2)


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters='*"“”„«»'), max_size=20))
def test_the_words_of_a_text_find_it(text: str) -> None:
    for engine in ENGINES:
        router = odm.Router("memory://")
        router.set_search_engine(engine)
        engine.register(Sheet)
        router.sheet.new(name="it", head=text)
        expected = bool(engine.words_from_text(text) or not engine.split_text(text))
        assert router.sheet.search(text).count() == expected


@given(st.text(max_size=20))
def test_stems_and_sounds_are_made_of_any_word(word: str) -> None:
    assert len(list(stemming_processor([word]))) == 1
    assert 1 <= len(list(tolerant_metaphone_processor([word]))) <= 2
