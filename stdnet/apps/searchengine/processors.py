"""What words pass through on their way into the index: stop words, stemming, double metaphone.

A processor is a function from words to words, a middleware of an engine. ``signature`` of each is what an index
remembers of it. Nothing here knows an engine.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from functools import cache
from zlib import crc32

from ...errors import MissingExtra
from .metaphone import double_metaphone

PUNCTUATION_CHARS = ",.;:'@~#[]{}`!$%^&*()_-+\"?<>/\\|=“”‘’«»…–—¡¿"  # noqa: RUF001
"""What separates words besides white space."""

_STOP_WORDS = """
    a able about across after all almost also am among an and any are as at be because been but by can cannot could
    dear did do does either else ever every for from get got had has have he her hers him his how however i if in into
    is it its just least let like likely may me might most must my neither no nor not of off often on only or other our
    own rather said say says she should since so some than that the their them then there these they this tis to too
    twas us wants was we were what when where which while who whom why will with would yet you your
"""
STOP_WORDS = frozenset(_STOP_WORDS.split())
"""Words that are so common in English that they say nothing."""


class stopwords:
    """Leaves out stop words.

    >>> list(stopwords()(["the", "dark", "side"]))
    ['dark', 'side']
    """

    def __init__(self, stp: Collection[str] | None = None) -> None:
        self.stop_words = STOP_WORDS if stp is None else frozenset(stp)
        listed = " ".join(sorted(self.stop_words))
        self.signature = f"stop words {crc32(listed.encode('utf-8', 'replace')):08x}"

    def __call__(self, words: Iterable[str]) -> Iterable[str]:
        return (word for word in words if word not in self.stop_words)


@cache
def _stem() -> Callable[[str], str]:
    """Return the English stemmer; ``MissingExtra`` if it is not installed."""
    try:
        import snowballstemmer  # type: ignore[import-untyped]  # an optional dependency, which takes a while to import
    except ImportError:
        raise MissingExtra("Stemming (stemming=False goes without)", "search") from None
    stem: Callable[[str], str] = snowballstemmer.stemmer("english").stemWord
    return stem


def stemming_processor(words: Iterable[str]) -> Iterable[str]:
    """Replace words by their stems: ``running`` by ``run``. Words of one or two letters stay."""
    stem = _stem()
    return (word if len(word) < 3 else stem(word) for word in words)


def tolerant_metaphone_processor(words: Iterable[str]) -> Iterable[str]:
    """Replace words by the codes of how they sound, one or two; those without any, such as ``20y``, stay."""
    for word in words:
        first, second = _codes(word)
        yield first or word
        if second:
            yield second


def metaphone_processor(words: Iterable[str]) -> Iterable[str]:
    """Replace words by the codes of how they sound, and leave out those without any."""
    for word in words:
        first, second = _codes(word)
        if first:
            yield first
        if second:
            yield second


def _codes(word: str) -> tuple[str, str | None]:
    """Return the codes of a word that begins with a letter; digits have no sound."""
    return double_metaphone(word) if word[:1].isalpha() else ("", None)


def signature_of(processor: Callable[..., object]) -> str:
    """Return what an index remembers of a processor."""
    found = getattr(processor, "signature", None)
    return str(found) if found else f"{processor.__module__}.{getattr(processor, '__qualname__', type(processor))}"


stemming_processor.signature = "snowball english"  # type: ignore[attr-defined]
tolerant_metaphone_processor.signature = "double metaphone"  # type: ignore[attr-defined]
metaphone_processor.signature = "strict double metaphone"  # type: ignore[attr-defined]
