"""Search the verses of two books: phrases, beginnings of words, any of several words, the best first, with snippets.

Run ``python examples/search.py``, or with words of your own: ``python examples/search.py '"living creature" cattle'``.
With ``--url redis://localhost`` it runs on a server, in a namespace of its own. It needs the extra ``search``.
"""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Iterable, Iterator
from pathlib import Path

from stdnet import odm
from stdnet.apps.searchengine import SearchEngine

DATA = Path(__file__).with_name("data") / "verses.txt"

SEARCHES = (
    ("serpent beguiled", "contains"),
    ('"still waters"', "contains"),
    ("harp* psalter*", "contains"),
    ("rainbow covenant cloud", "in"),
    ("Nebuchadnezzar", "contains"),
)


class Book(odm.StdModel):
    """A book of verses."""

    name = odm.SymbolField(unique=True)

    class Meta:
        app_label = "bible"


class Verse(odm.StdModel):
    """One verse; ``place`` is as people quote it."""

    book = odm.ForeignKey(Book)
    place = odm.SymbolField(unique=True, hidden=True)
    text = odm.CharField()

    class Meta:
        app_label = "bible"

    def __str__(self) -> str:
        return self.place


def engine() -> SearchEngine:
    """Return the engine: words by their stems, but not by their sound, which is for names that people misspell."""
    return SearchEngine(metaphone=False)


def load(models: odm.Router, lines: Iterable[str]) -> None:
    """Store the verses and their books; the index is made by the same commit."""
    books: dict[str, Book] = {}
    with models.session().begin() as transaction:
        for line in lines:
            place, _, text = line.rstrip("\n").partition("\t")
            name = place.rpartition(" ")[0]
            book = books[name] = books.get(name) or transaction.add(Book(name=name))
            transaction.add(Verse(book=book, place=place, text=text))


def hits(models: odm.Router, text: str, lookup: str = "contains", most: int = 3) -> Iterator[str]:
    """Yield how many verses match, and the best of them."""
    query = models[Verse].search(text, lookup).ranked()
    count = query.count()
    yield f"{text}: {count} verse{'' if count == 1 else 's'}"
    for verse in query[:most]:
        yield f"    {query.score(verse):5.2f}  {verse}"
        yield textwrap.indent(textwrap.fill(query.snippet(verse), 100), " " * 11)


def show(models: odm.Router, text: str, lookup: str = "contains") -> None:
    """Print the hits of a search."""
    for line in hits(models, text, lookup):
        print(line)


def change(models: odm.Router) -> None:
    """Search within a book, and see that the index is never behind the rows."""
    shepherd = models[Verse].search("shepherd*")
    in_psalms = [str(verse) for verse in shepherd.filter(book__name="Psalm")]
    print(f"shepherds in the Psalms: {', '.join(in_psalms)}")
    verse = models[Verse].get(place="Psalm 23:1")
    verse.text = verse.text.replace("shepherd", "guide")
    verse.save()
    print(f"after one verse was changed: {shepherd.filter(book__name='Psalm').count()}")
    models[Book].get(name="Psalm").delete()
    print(f"after the book was deleted, with its verses: {shepherd.filter(book__name='Psalm').count()}")
    print(f"in the other book: {shepherd.filter(book__name='Genesis').count()}")


def main(url: str = "memory://", words: str = "") -> None:
    with odm.Router(url) as models:
        models.register(Verse, namespace="stdnet-search.")  # with the books
        models.flush()
        index = engine()
        models.set_search_engine(index)
        index.register(Verse)
        with DATA.open(encoding="utf-8") as lines:
            load(models, lines)
        print(f"Stored {models[Verse].query().count()} verses in one transaction on {url}")
        for text, lookup in [(words, "contains")] if words else SEARCHES:
            show(models, text, lookup)
        if not words:
            change(models)
        models.flush()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Search the verses of Genesis and the Psalms.")
    parser.add_argument("words", nargs="*", help="what to search for")
    parser.add_argument("--url", default="memory://", help="memory:// or redis://host:port/db")
    options = parser.parse_args()
    main(options.url, " ".join(options.words))
