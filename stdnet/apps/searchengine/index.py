"""The index of one model, as a kind of structures: its operations, and how memory carries them out.

A document is a row; it has texts by field, each a sequence of terms that the engine made. A text is tokens joined by
spaces; a token is one term, or several that stand for one word, joined by ``JOINT``. After a line end follow terms that
have no place: the words themselves, marked, if terms are something else. Nothing here analyzes text.

======================================== ============================================================================
``update(ids, analyzer, names, texts)``  set the texts of documents, for each a list along ``names``: ``None`` leaves a
                                         text as it is, an empty one removes it, one alone in a tuple is for a document
                                         that is not there. O(terms)
``inherit(ids, others)``                 give documents the texts that others have; ``None`` for one that stays as it is
``forget(ids)``                          remove documents. O(terms)
``found(analyzer, mode, clauses)``       the documents that match ``"all"`` or ``"any"`` of the clauses
``scores(ids, analyzer, clauses)``       what BM25 gives for documents, rounded to a millionth
``size()``                               the number of documents that have terms
``items()``                              all of these: id, then field and text, field and text, ...
``begin(analyzer, token)``               begin to make the index anew; of another analyzer everything goes first
``renew(…, token)``                      as ``update``, for documents that no commit has touched since then; whether
                                         ``token`` began last
``finish(token)``                        remove the documents that were neither touched nor renewed; how many
======================================== ============================================================================

A clause is ``("word", term, ...)``, where a document has all of the terms, ``("prefix", start)``, or ``("phrase",
tokens, term, ...)``, where the tokens stand side by side in one text. How often it is there is the number of times a
word is (the least of several terms), the sum over terms with the prefix, or the number of times the phrase is. The
index remembers its analyzer, and raises ``AnalyzerMismatch`` for another one. A document whose texts became empty is
still there, so that no text of an older copy comes back.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Mapping, Sequence, Set
from importlib.resources import files
from typing import Any, TypeAlias

from ...contract import Id, Kind, Operation, kind
from ...errors import AnalyzerMismatch

JOINT = "\x1d"
"""What joins the terms of one token."""

MARK = "\x1c"
"""What a word begins with that is indexed besides the terms that stand for it."""

K1, B = 1.2, 0.75
"""The constants of BM25."""

Clause: TypeAlias = tuple[str, ...]
Texts: TypeAlias = Sequence[Sequence["str | tuple[str] | None"]]


class Container:
    """An index in memory: term -> document -> how often."""

    def __init__(self) -> None:
        self.analyzer = ""
        self.postings: dict[str, dict[Id, int]] = {}
        self.texts: dict[Id, dict[str, str]] = {}
        self.lengths: dict[Id, int] = {}
        self.total = 0
        self.token: str | None = None
        self.seen: set[Id] = set()
        self.sorted: list[str] | None = None  # the terms, once they are asked for

    def __bool__(self) -> bool:
        return bool(self.texts) or self.token is not None

    # what a commit does

    def guard(self, operation: str, *arguments: Any) -> None:
        """Refuse another analyzer."""
        if operation == "update":
            self._check(arguments[-3])

    def _check(self, analyzer: str) -> None:
        if self and analyzer != self.analyzer:
            raise AnalyzerMismatch(self.analyzer, analyzer)

    def update(self, ids: Sequence[Id], analyzer: str, names: Sequence[str], texts: Texts) -> None:
        self.analyzer = analyzer
        for id, given in zip(ids, texts, strict=True):
            old = self.texts.get(id)
            new = _chosen(old, names, given)
            if not new:
                continue
            if self.token is not None:
                self.seen.add(id)
            self._replace(id, {name: text for name, text in {**(old or {}), **new}.items() if text})

    def inherit(self, ids: Sequence[Id], others: Sequence[Id | None]) -> None:
        for id, other in zip(ids, others, strict=True):
            if other is not None:
                self._replace(id, dict(self.texts[other]) if other in self.texts else None)

    def forget(self, ids: Sequence[Id]) -> None:
        for id in ids:
            if self.token is not None:
                self.seen.add(id)
            self._replace(id, None)

    def _replace(self, id: Id, new: dict[str, str] | None) -> None:
        old = self.texts.pop(id, None)
        if new is not None:
            self.texts[id] = new
        if old == new:
            return
        before, after = counted(old or {}), counted(new or {})
        for term in before.keys() - after.keys():
            documents = self.postings[term]
            del documents[id]
            if not documents:
                del self.postings[term]
                self.sorted = None
        for term, count in after.items():
            if term not in self.postings:
                self.postings[term] = {}
                self.sorted = None
            self.postings[term][id] = count
        self.total -= self.lengths.pop(id, 0)
        if new:
            self.lengths[id] = sum(map(length, new.values()))
            self.total += self.lengths[id]

    # to make it anew

    def begin(self, analyzer: str, token: str) -> int:
        if analyzer != self.analyzer:
            self.__init__()  # type: ignore[misc]
        self.analyzer, self.token, self.seen = analyzer, token, set()
        return len(self.lengths)

    def renew(self, ids: Sequence[Id], analyzer: str, names: Sequence[str], texts: Texts, token: str) -> int:
        if token != self.token:
            return 0
        fresh = [(id, given) for id, given in zip(ids, texts, strict=True) if id not in self.seen]
        self.update([id for id, _ in fresh], analyzer, names, [given for _, given in fresh])
        return 1

    def finish(self, token: str) -> int:
        if token != self.token:
            return 0
        stale = [id for id in self.texts if id not in self.seen]
        self.token, self.seen = None, set()
        self.forget(stale)
        return len(stale)

    # questions

    def size(self) -> int:
        return len(self.lengths)

    def items(self) -> list[list[Any]]:
        return [
            [id, *(part for pair in sorted(self.texts[id].items()) for part in pair)] for id in sorted(self.lengths)
        ]

    def found(self, analyzer: str, mode: str, clauses: Sequence[Clause]) -> Set[Id]:
        self._check(analyzer)
        sets: list[Set[Id]] = [self._counts(clause).keys() for clause in clauses]
        if mode == "any":
            return frozenset().union(*sets)
        first, *others = sorted(sets, key=len)
        for each in others:
            first = first & each
        return first

    def scores(self, ids: Sequence[Id], analyzer: str, clauses: Sequence[Clause]) -> list[float]:
        self._check(analyzer)
        number, lengths, sums = len(self.lengths), self.lengths, [0.0] * len(ids)
        average = self.total / number if number else 1.0
        for clause in clauses:
            counts = self._counts(clause)
            weight = idf(number, len(counts))
            for n, id in enumerate(ids):
                count = counts.get(id)
                if count:
                    sums[n] += weight * (count * (K1 + 1)) / (count + K1 * (1 - B + B * lengths[id] / average))
        return [math.floor(sum * 1e6 + 0.5) / 1e6 for sum in sums]

    def _counts(self, clause: Clause) -> Mapping[Id, int]:
        """Return how often a clause is in each document where it is."""
        return _COUNTS[clause[0]](self, clause)

    def _word(self, clause: Clause) -> Mapping[Id, int]:
        first = self.postings.get(clause[1], {})
        if len(clause) == 2:
            return first
        others = [self.postings.get(term, {}) for term in clause[2:]]
        return {
            id: min(count, *(other[id] for other in others))
            for id, count in first.items()
            if all(id in other for other in others)
        }

    def _prefix(self, clause: Clause) -> Mapping[Id, int]:
        if self.sorted is None:
            self.sorted = sorted(self.postings)
        start, counts = clause[1], Counter[Id]()
        for n in range(bisect_left(self.sorted, start), len(self.sorted)):
            if not self.sorted[n].startswith(start):
                break
            counts.update(self.postings[self.sorted[n]])
        return counts

    def _phrase(self, clause: Clause) -> Mapping[Id, int]:
        _, tokens, *terms = clause
        needle, counts = f" {tokens} ", {}
        for id in self._word(("word", *terms)):
            found = sum(occurrences(f" {text.partition(chr(10))[0]} ", needle) for text in self.texts[id].values())
            if found:
                counts[id] = found
        return counts


_COUNTS: dict[str, Callable[[Container, Clause], Mapping[Id, int]]] = {
    "word": Container._word,
    "prefix": Container._prefix,
    "phrase": Container._phrase,
}


def _chosen(
    old: Mapping[str, str] | None, names: Sequence[str], given: Sequence[str | tuple[str] | None]
) -> dict[str, str]:
    """Return the texts that a document gets; it stays as it is if there are none."""
    found = {}
    for name, text in zip(names, given, strict=True):
        if isinstance(text, str):
            found[name] = text
        elif text is not None and old is None:
            (found[name],) = text
    return found


def idf(number: int, containing: int) -> float:
    """Return the weight of a clause that is in ``containing`` of ``number`` documents."""
    return math.log(1 + (number - containing + 0.5) / (containing + 0.5))


def counted(texts: Mapping[str, str]) -> Counter[str]:
    """Return how often each term is in texts."""
    counts: Counter[str] = Counter()
    for text in texts.values():
        counts.update(text.replace("\n", " ").replace(JOINT, " ").split(" "))
    del counts[""]
    return counts


def length(text: str) -> int:
    """Return the number of tokens of a text."""
    return text.partition("\n")[0].count(" ") + 1


def occurrences(text: str, part: str) -> int:
    """Return how often a part is in a text; they may overlap."""
    count, at = 0, text.find(part)
    while at >= 0:
        count, at = count + 1, text.find(part, at + 1)
    return count


INDEX: Kind = kind(
    "searchindex",
    [
        Operation("update", "none", "makes", commits=True),
        Operation("inherit", "none", "makes", commits=True),
        Operation("forget", "none", "takes", commits=True),
        Operation("found", "raw"),
        Operation("scores", "raw"),
        Operation("size", "int"),
        Operation("items", "raw"),
        Operation("begin", "int", "makes"),
        Operation("renew", "int", "makes"),
        Operation("finish", "int", "takes"),
    ],
    container=Container,
    lua=(files(__package__) / "index.lua").read_text(encoding="utf-8"),
    suffixes=("", ":terms", ":words", ":docs", ":len", ":seen"),
    type="hash",
)
"""The kind."""
