"""Words and what is sought: a user's text as clauses, and the part of a text that matches, with marks. Pure.

An ``Analyzer`` says how a word becomes terms; nothing here knows where an index is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from .index import JOINT, MARK, Clause

_PIECES = re.compile(r'"([^"]*)"|([^\s"]+)')
_QUOTES = str.maketrans("“”„«»", '"""""')
_KNOWN = 100_000
"""Words whose terms are kept at most."""
MOST = 1000
"""Clauses that are sought at most, so that a search is bounded whatever a user enters."""


@dataclass(frozen=True, slots=True)
class Sought:
    """What a text seeks: clauses, and whether there was any word, be it one that is never indexed."""

    clauses: tuple[Clause, ...]
    words: bool


class Analyzer:
    """How words become terms.

    ``split`` gives the words of a text, ``pieces`` also those that are too short, ``terms`` the terms of one word, for
    the index or for a search. ``marked`` says that terms are something else than words, so that words are indexed, too.
    """

    def __init__(
        self,
        split: Callable[[str], list[str]],
        pieces: Callable[[str], list[str]],
        terms: Callable[[str, bool], Iterable[str]],
        marked: bool,
    ) -> None:
        self.split, self.pieces, self._terms, self.marked = split, pieces, terms, marked
        self._tokens: dict[str, str] = {}
        self._words: dict[str, Clause | None] = {}

    def terms(self, word: str, for_search: bool = False) -> tuple[str, ...]:
        """Return the terms of a word, without white space in them; each once."""
        found = ("".join(term.split()) for term in self._terms(word, for_search))
        return tuple(dict.fromkeys(term for term in found if term))

    def token(self, word: str) -> str:
        """Return the token that stands for a word in the index, the empty text for none. Remembered."""
        found = self._tokens.get(word)
        if found is None:
            if len(self._tokens) >= _KNOWN:
                self._tokens.clear()
            found = self._tokens[word] = JOINT.join(self.terms(word))
        return found

    def indexed(self, text: str) -> str:
        """Return a text as the index keeps it."""
        pairs = [(token, word) for word in self.split(clean(text)) if (token := self.token(word))]
        tokens = " ".join([token for token, _ in pairs])
        if not self.marked or not pairs:
            return tokens
        return f"{tokens}\n{' '.join([MARK + ''.join(word.split()) for _, word in pairs])}"

    # -- what is sought -----------------------------------------------------------------------------------------

    def sought(self, text: str) -> Sought:
        """Return what any text seeks: ``MOST`` clauses at most, without words that are never indexed."""
        clauses: dict[Clause, None] = {}
        words = False
        for clause in self._clauses(clean(text).translate(_QUOTES)):
            words = True
            if clause:
                clauses[clause] = None
            if len(clauses) == MOST:
                break
        return Sought(tuple(clauses), words)

    def _clauses(self, text: str) -> Iterator[Clause | None]:
        """Yield a clause for each word and phrase, ``None`` for one that is never indexed."""
        for match in _PIECES.finditer(text):
            phrase, piece = match.groups()
            if phrase is not None:
                yield from self._phrase(self.split(phrase))
            elif piece.endswith("*") and (pieces := self.pieces(piece)):
                *words, start = pieces
                yield from map(self._word, self.split(" ".join(words)))
                yield "prefix", f"{MARK if self.marked else ''}{''.join(start.split())}"
            else:
                yield from map(self._word, self.split(piece))

    def _word(self, word: str) -> Clause | None:
        if word not in self._words:
            if len(self._words) >= _KNOWN:
                self._words.clear()
            terms = self.terms(word, for_search=True) if self.token(word) else ()
            self._words[word] = ("word", *terms) if terms else None
        return self._words[word]

    def _phrase(self, words: Sequence[str]) -> Iterator[Clause | None]:
        known = [word for word in words if self.token(word)]
        if len(known) < 2:
            yield from map(self._word, known or words[:1])
            return
        tokens = " ".join(map(self.token, known))
        yield "phrase", tokens, *dict.fromkeys(tokens.replace(JOINT, " ").split(" "))

    # -- snippets -----------------------------------------------------------------------------------------------

    def matches(self, text: str, clauses: Iterable[Clause]) -> list[tuple[int, int, bool]]:
        """Return where words begin and end in a text, and whether what is sought is there."""
        places = list(self._places(text))
        hits = [False] * len(places)
        for clause in clauses:
            for n in self._hits(clause, [word for _, _, word in places]):
                hits[n] = True
        return [(start, end, hit) for (start, end, _), hit in zip(places, hits, strict=True)]

    def _places(self, text: str) -> Iterator[tuple[int, int, str]]:
        for match in re.finditer(r"\S+", text):
            at = match.start()
            for word in self.pieces(match.group()):
                start = text.lower().find(word, at, match.end()) if len(text.lower()) == len(text) else -1
                if start >= 0:
                    yield start, start + len(word), word
                    at = start + len(word)

    def _hits(self, clause: Clause, words: list[str]) -> Iterator[int]:
        kind, first, *rest = clause
        if kind == "prefix":
            yield from (n for n, word in enumerate(words) if word.startswith(first.removeprefix(MARK)))
            return
        kept = set(self.split(" ".join(words)))  # without those that are too short
        known = [(n, self.token(word)) for n, word in enumerate(words) if word in kept and self.token(word)]
        if kind == "word":
            yield from (n for n, token in known if {first, *rest} <= set(token.split(JOINT)))
            return
        wanted = first.split(" ")
        for at in range(len(known) - len(wanted) + 1):
            if [token for _, token in known[at : at + len(wanted)]] == wanted:
                yield from range(known[at][0], known[at + len(wanted) - 1][0] + 1)


def clean(text: Any) -> str:
    """Return a text that can be stored as UTF-8: without lone surrogates; ``None`` is empty."""
    return "" if text is None else str(text).encode("utf-8", "ignore").decode()


def snippet(
    text: str, places: Sequence[tuple[int, int, bool]], words: int, mark: tuple[str, str], escape: Callable[[str], str]
) -> str:
    """Return the ``words`` words of a text where most matches are, with the matches marked."""
    if not places:
        return escape(text)
    sums = [0, *accumulate(hit for _, _, hit in places)]
    last = max(0, len(places) - words)
    best = max(range(last + 1), key=lambda n: (sums[min(n + words, len(places))] - sums[n], -n))
    for _ in range(words // 4):  # let the first match have something before it, unless a match is lost by that
        if best and not places[min(best + words, len(places)) - 1][2]:
            best -= 1
    some = places[best : best + words]
    before, after = best > 0, best + len(some) < len(places)
    at, end = some[0][0] if before else 0, some[-1][1] if after else len(text)
    parts = ["…"] if before else []
    for start, stop, hit in some:
        if hit:
            parts += [escape(text[at:start]), mark[0], escape(text[start:stop]), mark[1]]
            at = stop
    return "".join([*parts, escape(text[at:end]), "…" if after else ""])
