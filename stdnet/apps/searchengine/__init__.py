"""Full-text search: an engine whose index changes in the same commit as the rows, ranked results, phrases, prefixes.

>>> from stdnet import odm
>>> class Note(odm.StdModel):
...     text = odm.CharField()
...     class Meta:
...         register = False
>>> models = odm.Router("memory://")
>>> engine = SearchEngine(metaphone=False, stemming=False)
>>> models.set_search_engine(engine)
>>> engine.register(Note)
>>> note = models.note.new(text="In the beginning was the word")
>>> [note.text for note in models.note.search("beg* word")]
['In the beginning was the word']
"""

from . import processors
from .engine import SearchEngine
from .handle import AsyncSearchIndex, SearchIndex
from .metaphone import double_metaphone

__all__ = ["AsyncSearchIndex", "SearchEngine", "SearchIndex", "double_metaphone", "processors"]
