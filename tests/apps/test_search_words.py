"""How words become terms: stop words, stems, sounds, and the interface of engines that are one's own."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import doublemetaphone
import pytest

from stdnet import odm
from stdnet.apps.searchengine import SearchEngine, double_metaphone, processors

from ..conftest import do, transaction

PUBLISHED_CODES = """
    maurice MRS aubrey APR cambrillo KMPRL/KMPR heidi HT katherine K0RN/KTRN Thumbail 0MPL/TMPL catherine K0RN/KTRN
    richard RXRT/RKRT bob PP eric ARK geoff JF/KF Through 0R/TR Schwein XN/XFN dave TF ray R steven STFN bryce PRS
    randy RNT bryan PRN Rapelje RPL brian PRN otto AT auto AT Dallas TLS maisey MS zhang JNK Chile XL Jose HS Arnow
    ARN/ARNF solilijs SLLS Parachute PRKT Nowhere NR Tux TKS
"""
PUBLISHED = PUBLISHED_CODES.split()
RULES = """
    Bach Bacher Macher Caesar Chianti Michael character Harris chorus chore orchestra architect McHugh Czerny
    filowicz focaccia bellocchio bacchus accident accede succeed success McClellan edge Edgar Ghislane Ghost Hugh
    bough laugh tough McLaughlin night Agnes cagney tagliaro danger ranger biaggi get ages Jose Yankelovich bajador
    raj cabrillo gallegos dumb thumb plumber Campbell raspberry rogier island Carlysle sugar Holmheim Schlesinger
    school schooner schermerhorn schenker resnais artois Thomas Thames match nation Wasserman who Arnoff Filipowicz
    Horowitz breaux Zhao Zoe Ritz pizza Xavier knight gnome pneumonia wrong psalm VanGogh schneider smith Sian Asia
    passion hajj aggie Wachtler tichner Wechsler
"""
"""Words to which the less frequent rules apply."""


def test_double_metaphone_gives_the_published_codes():
    codes = {word: "/".join(filter(None, double_metaphone(word))) for word in PUBLISHED[::2]}
    assert codes == dict(zip(PUBLISHED[::2], PUBLISHED[1::2], strict=True))
    assert double_metaphone("") == double_metaphone("20") == ("", None)


def test_double_metaphone_agrees_with_the_package_of_that_name():
    verses = Path(__file__).parents[2] / "examples" / "data" / "verses.txt"
    words = {*RULES.split(), *re.findall(r"[a-z]+", verses.read_text(encoding="utf-8").lower())}
    assert len(words) > 4000
    for word in sorted(words):
        first, second = double_metaphone(word)
        theirs = doublemetaphone.doublemetaphone(word)
        assert (first, second or first) == (theirs[0], theirs[1] or theirs[0]), word


def test_words_from_text():
    engine = SearchEngine()
    text = "Programming Languages, the work & play"
    assert engine.words_from_text(text) == ["PRKRM", "LNKK", "ARK", "FRK", "PL"]
    assert engine.words_from_text(text, for_search=True) == ["PRKRM", "LNKK", "0", "T", "ARK", "FRK", "PL"]
    assert engine.words_from_text("") == []
    assert SearchEngine(metaphone=False, stemming=False).words_from_text(text) == [
        "programming",
        "languages",
        "work",
        "play",
    ]
    stems = SearchEngine(metaphone=False, stop_words=["running"])
    assert stems.words_from_text("running ponies, productivity of languages") == ["poni", "product", "languag"]
    assert stems.words_from_text("running", for_search=True) == ["run"]


def test_splitters():
    assert SearchEngine().split_text("New-York: don't, 20y [ab]") == ["new", "york", "don", "20y"]
    assert SearchEngine(min_word_length=1).split_text("a.b") == ["a", "b"]
    for splitters in (False, ""):
        engine = SearchEngine(splitters=splitters)
        assert engine.punctuation_regex is None
        assert engine.split_text("New-York: x") == ["new-york:"]
    assert SearchEngine(splitters="o").split_text("foot-ball") == ["t-ball"]


def test_processors():
    words = ["pink", "dark", "side", "moon", "10y"]
    assert list(processors.metaphone_processor(words)) == ["PNK", "TRK", "ST", "MN"]
    assert list(processors.tolerant_metaphone_processor(words)) == ["PNK", "TRK", "ST", "MN", "10y"]
    assert list(processors.stemming_processor(["running", "is"])) == ["run", "is"]
    assert len(processors.STOP_WORDS) == 119
    assert {"the", "your", "a"} <= processors.STOP_WORDS
    assert list(processors.stopwords(["x"])(["the", "x"])) == ["the"]


def test_middleware():
    engine = SearchEngine(metaphone=False, stemming=False)
    engine.add_word_middleware("not callable")
    engine.add_word_middleware(lambda words: [word[::-1] for word in words], for_search=False)
    assert engine.words_from_text("abc the") == ["cba"]
    assert engine.words_from_text("abc the", for_search=True) == ["abc", "the"]


class Pet(odm.StdModel):
    name = odm.SymbolField()
    note = odm.CharField(required=False)

    class Meta:
        app_label = "search"


MODELS = [Pet]


class Own(odm.SearchEngine):
    """An engine that keeps words in a dict, and is told of commits after they were made."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[Any, set[str]] = {}

    def index_items_from_model(self, items, model):
        for item in items:
            self.kept[item.pkvalue()] = {
                word for text in self.item_field_iterator(item) for word in self.words_from_text(text)
            }

    def remove_item(self, item_or_model, transaction, ids=None):
        for pk in ids:
            self.kept.pop(pk, None)

    def search_model(self, query, text, lookup=None):
        words = set(self.words_from_text(text, for_search=True))
        return query.filter(id__in=[pk for pk, kept in self.kept.items() if words <= kept])


async def test_an_engine_of_ones_own(models):
    engine = Own()
    models.set_search_engine(engine)
    engine.register(Pet)
    async with transaction(models.session()) as t:
        t.add(Pet(name="tom", note="a cat"))
        t.add(Pet(name="rex", note="a dog"))
    assert [pet.name for pet in await do(models.pet.search("dog").all())] == ["rex"]
    await do(models.pet.filter(name="rex").delete())
    assert engine.kept == {1: {"tom", "a", "cat"}}
    assert await do(models.pet.search("a").filter(name="tom").count()) == 1
    with pytest.raises(NotImplementedError):
        await do(models.pet.search("a").ranked().all())


async def test_an_own_processor_gives_the_texts(models):
    engine = SearchEngine()
    models.set_search_engine(engine)
    engine.register(Pet)
    engine.ITEM_PROCESSORS.clear()
    engine.add_processor(lambda pet: [f"{pet.name} barks"])
    await do(models.pet.new(name="rex", note="dog"))
    assert await do(models.pet.search("bark").count()) == 1
    assert await do(models.pet.search("dog").count()) == 0


def test_the_interface():
    engine = odm.SearchEngine(max_in_session=7)
    assert (engine.max_in_session, engine.router, engine.last_indexed) == (7, None, "last_indexed")
    assert engine.split_text("a  b") == ["a", "b"]
    with pytest.raises(AttributeError):
        engine.session()
    for verb in (
        lambda: engine.index_item(Pet(name="x")),
        lambda: engine.remove_item(Pet, None),
        lambda: engine.add_item(Pet(name="x"), [], None),
        lambda: engine.search("x"),
        lambda: engine.search_model(None, "x"),
        engine.flush,
        engine.reindex,
    ):
        with pytest.raises(NotImplementedError):
            verb()
    with pytest.raises(ValueError, match="Cannot index None"):
        engine.item_field_iterator(None)
    assert list(engine.item_field_iterator(Pet(name="rex", note="dog"))) == ["rex", "dog"]
