"""The search engine on both backends, sync and async: what is indexed, what is found, and in which order."""

from __future__ import annotations

from html import escape

import pytest

from stdnet import CommitException, ImproperlyConfigured, QuerySetError, odm
from stdnet.apps.searchengine import SearchEngine
from stdnet.errors import AnalyzerMismatch, NotARelation

from ..conftest import do, round_trips, transaction


class Author(odm.StdModel):
    name = odm.SymbolField(unique=True)
    town = odm.CharField(required=False)

    class Meta:
        app_label = "search"


class Book(odm.StdModel):
    title = odm.SymbolField()
    text = odm.CharField(required=False)
    year = odm.IntegerField(default=0, index=True)
    notes = odm.CharField(hidden=True, required=False)
    author = odm.ForeignKey(Author, required=False, related_name="books")

    class Meta:
        app_label = "search"


class Tag(odm.StdModel):
    code = odm.SymbolField(primary_key=True)
    text = odm.CharField()
    more = odm.CharField(required=False)

    class Meta:
        app_label = "search"


class Leaf(odm.StdModel):
    text = odm.CharField()
    tag = odm.ForeignKey(Tag)

    class Meta:
        app_label = "search"


MODELS = [Author, Book, Tag, Leaf]
TEXTS = {
    "python": "the python programming language, made for work and play in new york",
    "ruby": "another programming language",
    "york": "york is not new; a new town near york",
    "empty": "",
}


@pytest.fixture
def engine(models):
    made = SearchEngine()
    models.set_search_engine(made)
    made.register(Book, ["author"])
    made.register(Tag)
    return made


def plain(models, **options):
    """Install an engine that takes words as they are."""
    made = SearchEngine(metaphone=False, stemming=False, stop_words=(), **options)
    models.set_search_engine(made)
    made.register(Book)
    made.register(Tag)
    return made


async def fill(models):
    async with transaction(models.session()) as t:
        for year, (title, text) in enumerate(TEXTS.items(), 2001):
            t.add(Book(title=title, text=text, year=year, notes="unseen"))


async def titles(query):
    return [book.title for book in await do(query.all())]


async def found(models, text, lookup=None):
    return await titles(models.book.search(text, lookup))


async def test_what_is_found(models, engine):
    await fill(models)
    both = ["python", "ruby"]
    for text, expected in {
        "python": ["python"],
        "PROGRAM languages": both,
        "programming nothere": [],
        "the": [],
        "the programming": both,
        "": [*TEXTS],
        "a , ; *": [*TEXTS],
        "unseen": [],
        '"new york"': ["python"],
        '"york is not new"': ["york"],
        '"new"': ["python", "york"],
        "prog*": both,
        "pyth* lang*": ["python"],
        "nowhere*": [],
        "pithon": ["python"],
    }.items():
        assert await found(models, text) == expected, text
    assert await found(models, "python nothere", "in") == ["python"]
    assert await found(models, "ruby york", "in") == ["python", "ruby", "york"]
    with pytest.raises(ValueError, match="nope"):
        models.book.search("x", "nope")


async def test_search_is_one_round_trip_with_filters_and_set_algebra(models, engine):
    await fill(models)
    query = models.book.search("programming")
    async with round_trips(models, 1):
        assert await titles(query.filter(year__gt=2001)) == ["ruby"]
    async with round_trips(models, 1):
        assert await titles(query.exclude(title="ruby").sort_by("-year")) == ["python"]
    async with round_trips(models, 1):
        assert await titles(models.book.filter(title="empty").union(query)) == ["python", "ruby", "empty"]
    async with round_trips(models, 1):
        assert await titles(models.book.query().intersect(query, models.book.search("york"))) == ["python"]
    async with round_trips(models, 1):
        assert await do(query.search("york").count()) == 1
    async with round_trips(models, 1):
        assert await do(query.aggregate(last=odm.Max("year"))) == {"last": 2002}
    assert await titles(query.where("this.year > 2001")) == ["ruby"]
    assert await do(query.get_field("title").all()) == ["python", "ruby"]
    assert repr(query) == "Query.search('programming')"
    assert "found" in str(await do(query.explain()))
    assert query.text == ("programming", None)
    assert await do(query.filter(title="ruby").delete()) == [2]
    assert await found(models, "programming") == ["python"]


async def test_the_index_changes_with_the_rows(models, engine):
    async with round_trips(models, 1):
        await fill(models)
    session = models.session()
    book = await do(session.query(Book).get(title="ruby"))
    book.text = "a gem"
    async with round_trips(models, 1):
        await do(session.add(book))
    assert (await found(models, "programming"), await found(models, "gem")) == (["python"], ["ruby"])
    async with round_trips(models, 1):
        await do(session.delete(book))
    assert await found(models, "gem") == []
    await do(models.book.filter(title__in=("python", "york")).delete())
    index = engine.index(Book)
    assert await do(index.size()) == 1
    assert [pk for pk, _ in await do(engine.items(Book))] == [4]
    await do(models.book.query().delete())
    assert (await do(index.size()), await do(engine.items(Book))) == (0, [])
    assert not [key for key in await do(models.book.keys()) if "search" in key.rpartition(":")[2]]


async def test_a_refused_commit_leaves_the_index(models, engine):
    await do(models.tag.new(code="a", text="apple"))
    t = models.session().begin()
    t.add(Tag(code="b", text="banana"))
    t.add(Tag(text="cherry"))
    with pytest.raises(CommitException):
        await do(t.commit())
    assert [tag.code for tag in await do(models.tag.search("apple banana", "in").all())] == ["a"]


async def test_a_row_that_moves_takes_its_words_along(models, engine):
    tag = await do(models.tag.new(code="a:%\x1e\x1fé", text="apple"))
    assert [each.code for each in await do(models.tag.search("apple").all())] == ["a:%\x1e\x1fé"]
    tag.code = "b"
    await do(models.tag.save(tag))
    assert [each.code for each in await do(models.tag.search("apple").all())] == ["b"]
    assert await do(engine.items(Tag)) == [("b", (await do(engine.items(Tag)))[0][1])]


async def test_a_partly_loaded_instance_keeps_the_other_words(models, engine):
    await fill(models)
    (book,) = await do(models.book.query().load_only("title").filter(title="python").all())
    book.title = "snake"
    await do(models.book.save(book))
    assert await found(models, "snake programming york") == ["snake"]
    assert await found(models, "python") == ["snake"]  # it is in the text
    assert await do(models.book.search("python snake").count()) == 1


async def test_a_partly_loaded_instance_that_moves_keeps_the_other_words(models, engine):
    await do(models.tag.new(code="alpha", text="apple", more="pear"))
    (tag,) = await do(models.tag.query().load_only("text").all())
    tag.code, tag.text = "omega", "plum"
    await do(models.tag.save(tag))
    assert [each.code for each in await do(models.tag.search("omega plum pear").all())] == ["omega"]
    assert await do(models.tag.search("apple alpha", "in").count()) == 0
    assert await do(engine.index(Tag).size()) == 1


async def test_large_ids(models, engine):
    for id in (2**40, 2**40 + 1):
        await do(models.book.new(id=id, title="large"))
    await do(engine.reindex())
    await do(engine.index_item(await do(models.book.get(id=2**40))))
    assert [book.id for book in await do(models.book.search("large").ranked().all())] == [2**40, 2**40 + 1]
    assert await do(engine.index(Book).size()) == 2


async def test_ids_that_begin_others(models, engine):
    others = ["abc" + "x" * n for n in range(156, 166)]  # with lengths that look like that of "abc" in packed form
    async with transaction(models.session()) as t:
        tag = t.add(Tag(code="abc", text="rare"))
        for code in others:
            t.add(Tag(code=code, text="common"))
    assert await do(models.tag.search("rare common").all()) == []
    for text, expected in (("common words", ["abc", *others]), ("words", others)):
        tag.text = text
        await do(models.tag.save(tag))
        assert sorted(each.code for each in await do(models.tag.search("common").all())) == expected


async def test_related_objects_are_searched_as_they_are_now(models, engine):
    async with transaction(models.session()) as t:
        author = t.add(Author(name="melville", town="Nantucket"))
        t.add(Book(title="moby", text="a whale", author=author))
        t.add(Book(title="whales", text="nantucket"))
    async with round_trips(models, 1):
        assert await found(models, "whale nantucket") == ["moby", "whales"]
    assert await found(models, "melville") == ["moby"]
    ranked = models.book.search("nantucket melville", "in").ranked()
    assert await titles(ranked) == ["whales", "moby"]
    assert ranked.score((await do(ranked.all()))[1]) > 0
    author.town = "Albany"
    await do(author.session.add(author))
    assert await found(models, "whale nantucket") == ["whales"]
    assert await found(models, "whale albany") == ["moby"]
    await do(author.session.delete(author))
    assert await found(models, "albany") == []


async def test_a_cascade_takes_words_along(models):
    engine = SearchEngine()
    models.set_search_engine(engine)
    engine.register(Leaf)
    async with transaction(models.session()) as t:
        tag = t.add(Tag(code="a", text="x"))
        t.add(Leaf(text="green leaves", tag=tag))
    assert await do(models.leaf.search("leaf").count()) == 1
    await do(tag.session.delete(tag))
    assert (await do(models.leaf.search("leaf").count()), await do(engine.index(Leaf).size())) == (0, 0)


async def test_ranked(models):
    plain(models)
    async with transaction(models.session()) as t:
        for text in ("whale", "whale whale sea", "sea sea sea ship", "whale", "ship"):
            t.add(Book(title="x", text=text))
    query = models.book.search("whale sea", "in").ranked()
    async with round_trips(models, 1):
        books = await do(query.all())
    assert [book.id for book in books] == [2, 3, 1, 4]
    scores = [query.score(book) for book in books]
    assert scores == sorted(scores, reverse=True)
    assert scores[2] == scores[3] > 0
    async with round_trips(models, 1):
        assert [book.id for book in await do(query.sort_by(None).ranked()[1:3])] == [3, 1]
    assert [book.id for book in await do(query.filter(id__in=(1, 3)).all())] == [3, 1]
    assert await do(query.get_field("id").all()) == [2, 3, 1, 4]
    assert [book.id for book in await do(query.sort_by("id").all())] == [1, 2, 3, 4]
    assert [book.id for book in await do(models.book.search("").ranked().all())] == [1, 2, 3, 4, 5]
    with pytest.raises(QuerySetError, match="search"):
        models.book.query().ranked()


async def test_snippets(models, engine):
    await fill(models)
    query = models.book.search('"new york" play')
    (book,) = await do(query.all())
    assert query.snippet(book, "text") == "the python programming language, made for work and [play] in [new] [york]"
    assert query.snippet(book, "text", words=4, mark=("<", ">")) == "…<play> in <new> <york>"
    ruby = models.book.search("lang*")
    text = "Another & Programming LANGUAGE!"
    assert ruby.snippet(Book(title="ruby", text=text)) == "Another & Programming [LANGUAGE]!\nruby"
    html = ruby.snippet(Book(text=text), "text", mark=("<b>", "</b>"), escape=escape)
    assert html == "Another &amp; Programming <b>LANGUAGE</b>!"
    assert ruby.snippet(Book(text="no such words " * 20), words=3) == "no such words…"
    with pytest.raises(QuerySetError, match="nope"):
        ruby.snippet(book, "nope")


ODD = [
    '"',
    '"new',
    "***",
    "\ud800",
    "' OR 1=1 --",
    "a\x00b",
    "\u2028 İstanbul",
    "x" * 5000,
    "-",
    '""',
    "*y*",
    "\x1c\x1d",
]


async def test_any_text_is_a_query(models, engine):
    await fill(models)
    for text in ODD:
        for lookup in ("contains", "in"):
            assert isinstance(await do(models.book.search(text, lookup).ranked().all()), list)
    many = " ".join(f"w{n}" for n in range(20_000))
    assert await found(models, f"python {many}") == []
    assert await found(models, f"python {many}", "in") == ["python"]
    assert await found(models, f"{many} python", "in") == []  # a thousand words count
    await do(models.book.new(title="odd", text="\x1c \x1d \x1e \x1f\x00 " + " ".join(ODD[4:])))
    assert await found(models, "istanbul") == ["odd"]


async def test_another_analyzer_is_refused(models, engine):
    await fill(models)
    plain(models)
    with pytest.raises(AnalyzerMismatch, match="double metaphone"):
        await found(models, "python")
    with pytest.raises(AnalyzerMismatch):
        await do(models.book.search("python").ranked().all())
    with pytest.raises(AnalyzerMismatch, match="reindex"):
        await do(models.book.new(title="late", text="python"))
    assert await do(models.book.query().count()) == 4
    await do(models.search_engine.reindex())
    assert await found(models, "python") == ["python"]
    assert await found(models, "pithon") == []


async def test_reindex(models):
    await fill(models)
    engine, seen = SearchEngine(max_in_session=3), []
    models.set_search_engine(engine)
    engine.register(Book, "author")
    assert await found(models, "programming") == []
    assert await do(engine.reindex(lambda model, done, total: seen.append((model, done, total)))) == 4
    assert seen == [(Book, 3, 4), (Book, 4, 4)]
    assert await found(models, "programming") == ["python", "ruby"]
    before = await do(engine.items(Book))
    await do(engine.reindex())
    assert await do(engine.items(Book)) == before


async def test_reindex_keeps_what_others_write_meanwhile(models, engine):
    await fill(models)
    engine.max_in_session = 1
    other = odm.Router(models.book.backend)
    twin = SearchEngine()
    other.set_search_engine(twin)
    twin.register(Book, ["author"])

    def meddle(model, done, total):
        if model is Book and done == 1:
            (late,) = other.book.filter(title="ruby")
            late.text = "jewel"
            late.save()
            other.book.new(title="new", text="jewel")
            other.book.filter(title="york").delete()

    await do(engine.reindex(meddle))
    assert await found(models, "jewel") == ["ruby", "new"]
    assert await do(engine.index(Book).size()) == 4
    assert await found(models, "programming") == ["python"]


async def test_reindex_drops_what_a_program_without_the_engine_deleted(models, engine):
    await fill(models)
    models.search_engine = None
    await do(models.book.filter(title="ruby").delete())
    models.set_search_engine(engine)
    assert await found(models, "programming") == ["python"]
    assert await do(engine.index(Book).size()) == 4
    await do(engine.reindex())
    assert await do(engine.index(Book).size()) == 3


async def test_items_by_hand(models, engine):
    await fill(models)
    book = await do(models.book.get(title="empty"))
    async with transaction(models.session()) as t:
        engine.add_item(book, ["curious", "words"], t)
    assert await found(models, "curious") == ["empty"]
    await do(engine.index_item(book))
    assert await found(models, "curious") == []
    async with transaction(models.session()) as t:
        engine.remove_item(book, t)
    assert await found(models, "empty") == []
    async with transaction(models.session()) as t:
        engine.remove_item(Book, t, [1])
    assert await found(models, "programming") == ["ruby"]
    async with transaction(models.session()) as t:
        engine.remove_item(Book, t)
    assert await do(engine.index(Book).size()) == 0
    await do(engine.reindex())
    assert await do(engine.flush()) == 4
    assert await found(models, "programming") == []


async def test_search_over_models(models, engine):
    await fill(models)
    await do(models.tag.new(code="p", text="programming"))
    queries = engine.search("programming")
    assert [[str(row.pkvalue()) for row in await do(query.all())] for query in queries] == [["2", "1"], ["p"]]
    assert [query.model for query in engine.search("x", include=[Tag])] == [Tag]
    assert [query.model for query in engine.search("x", exclude=[Tag])] == [Book]
    with pytest.raises(ValueError, match="foo"):
        engine.search("x", lookup="foo")


async def test_refusals(models):
    with pytest.raises(QuerySetError, match="set_search_engine"):
        await do(models.book.search("x").all())
    engine = SearchEngine()
    with pytest.raises(AttributeError, match="set_search_engine"):
        engine.register(Book)
    with pytest.raises(ImproperlyConfigured, match="search engine"):
        models.set_search_engine(object())
    models.set_search_engine(engine)
    with pytest.raises(ImproperlyConfigured, match=r"search\.book"):
        await do(models.book.search("word").all())
    with pytest.raises(NotARelation):
        engine.register(Book, ["title"])
    with pytest.raises(ImproperlyConfigured, match="no foreign key"):
        engine.register(Author, ["books"])
    elsewhere = SearchEngine(backend="memory://elsewhere")
    models.set_search_engine(elsewhere)
    with pytest.raises(ImproperlyConfigured, match="lives where"):
        elsewhere.register(Book)
