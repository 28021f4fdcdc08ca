"""Related models, and what plain dicts make of them: commits with cascades, paths, filters along paths.

``LINKS`` says how rows reach others, ``KEYS`` what a delete does to rows that refer to its own; both are written down
here once more, and not read off the models. A row of a through model goes by the pair of ids that it links.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, TypeAlias

from stdnet import odm

from .machine import Handle, Outcome, Pending, Refusal, changed

Model: TypeAlias = type[odm.StdModel]
Row: TypeAlias = dict[str, Any]


class Club(odm.StdModel):
    code = odm.SymbolField(primary_key=True)
    city = odm.SymbolField(required=False)

    class Meta:
        app_label = "relations"


class Agent(odm.StdModel):
    fee = odm.IntegerField(required=False, index=True)
    home = odm.ForeignKey(Club, related_name="houses", required=False)
    clubs = odm.ManyToManyField(Club, related_name="agents")

    class Meta:
        app_label = "relations"


class Person(odm.StdModel):
    name = odm.SymbolField(required=False, unique=True)
    club = odm.ForeignKey(Club, related_name="people")
    boss = odm.ForeignKey("self", related_name="staff", required=False)
    agent = odm.ForeignKey(Agent, related_name="clients", required=False)
    follows = odm.ManyToManyField("self", related_name="followers")

    class Meta:
        app_label = "relations"


class Deal(odm.StdModel):
    price = odm.IntegerField(required=False)
    agent = odm.ForeignKey(Agent, related_name="deals", on_delete=odm.RESTRICT)
    person = odm.ForeignKey(Person, related_name="deals", required=False, on_delete=odm.CASCADE)

    class Meta:
        app_label = "relations"


Follow: Model = Person.follows.through
Contact: Model = Agent.clubs.through

PLAIN: dict[Model, tuple[str, ...]] = {Club: ("city",), Agent: ("fee",), Person: ("name",), Deal: ("price",)}
"""The fields that are neither ids nor keys."""


class Key(NamedTuple):
    """A key of a model, and what becomes of its row when the row is deleted that it refers to."""

    model: Model
    name: str
    parent: Model
    on_delete: Literal["cascade", "restrict", "null"] = "cascade"
    required: bool = True


KEYS = (
    Key(Person, "club", Club),
    Key(Person, "boss", Person, required=False),
    Key(Person, "agent", Agent, "null", required=False),
    Key(Agent, "home", Club, "null", required=False),
    Key(Deal, "agent", Agent, "restrict"),
    Key(Deal, "person", Person, required=False),
    Key(Follow, "person", Person),
    Key(Follow, "person2", Person),
    Key(Contact, "agent", Agent),
    Key(Contact, "club", Club),
)
PAIRS: dict[Model, tuple[str, str]] = {Follow: ("person", "person2"), Contact: ("agent", "club")}
"""The through models, and their keys."""

MODELS: tuple[Model, ...] = (*PLAIN, *PAIRS)
NAMES = {model: (*PLAIN.get(model, ()), *(key.name for key in KEYS if key.model is model)) for model in MODELS}


class Link(NamedTuple):
    """A relation from one side: by the side's own key, by the key of the other, or by the two of a through model."""

    target: Model
    key: str = ""
    back: str = ""
    through: tuple[Model, str, str] | None = None

    @property
    def many(self) -> bool:
        return not self.key


LINKS: dict[Model, dict[str, Link]] = {
    Club: {
        "people": Link(Person, back="club"),
        "houses": Link(Agent, back="home"),
        "agents": Link(Agent, through=(Contact, "club", "agent")),
    },
    Agent: {
        "home": Link(Club, key="home"),
        "clients": Link(Person, back="agent"),
        "deals": Link(Deal, back="agent"),
        "clubs": Link(Club, through=(Contact, "agent", "club")),
    },
    Person: {
        "club": Link(Club, key="club"),
        "boss": Link(Person, key="boss"),
        "agent": Link(Agent, key="agent"),
        "staff": Link(Person, back="boss"),
        "deals": Link(Deal, back="person"),
        "follows": Link(Person, through=(Follow, "person", "person2")),
        "followers": Link(Person, through=(Follow, "person2", "person")),
    },
    Deal: {"agent": Link(Agent, key="agent"), "person": Link(Person, key="person")},
}


def named(model: Model, id: Any) -> Any:
    """Return the id of a row as the database has it."""
    return model(**dict(zip(PAIRS[model], id, strict=True))).pkvalue() if model in PAIRS else id


class Condition(NamedTuple):
    """One keyword of a filter: what is asked of a field, or of the id, at the end of a path."""

    path: tuple[str, ...]
    field: str
    lookup: str
    value: Any

    @property
    def keyword(self) -> str:
        return "__".join([*self.path, self.field, *([self.lookup] if self.lookup else [])])

    def holds(self, value: Any) -> bool:
        if self.lookup == "isnull":
            return (value in (None, "")) == self.value
        if self.lookup == "in":
            return value in self.value
        if self.lookup:
            return value is not None and bool(value >= self.value if self.lookup == "ge" else value < self.value)
        return bool(value == self.value)


@dataclass
class Rows:
    """What is stored: by model, then by id."""

    of: dict[Model, dict[Any, Row]] = field(default_factory=lambda: {model: {} for model in MODELS})

    def ids(self, model: Model) -> list[Any]:
        """Return all ids in the order of the table."""
        return sorted(self.of[model], key=lambda id: named(model, id))

    def copy(self) -> Rows:
        return Rows({model: {id: dict(row) for id, row in rows.items()} for model, rows in self.of.items()})

    def reach(self, model: Model, id: Any, name: str) -> list[Any]:
        """Return the ids of the rows that a relation leads to, in the order of their table."""
        link = LINKS[model][name]
        if link.through:
            table, here, there = link.through
            found = {row[there] for row in self.of[table].values() if row[here] == id}
        elif link.back:
            found = {other for other, row in self.of[link.target].items() if row[link.back] == id}
        else:
            found = {self.of[model][id][link.key]}
        return [other for other in self.ids(link.target) if other in found]

    def value(self, model: Model, id: Any, name: str) -> Any:
        """Return a field, the id, or what a relation to many leads to, ``None`` for nothing."""
        if name in LINKS.get(model, ()) and LINKS[model][name].many:
            return self.reach(model, id, name) or None
        return id if name == model._meta.pkname() else self.of[model][id][name]

    def matches(self, model: Model, id: Any, conditions: list[Condition]) -> bool:
        """Return whether a row fits: all conditions that begin with one relation speak of one row at its end."""
        if not all(each.holds(self.value(model, id, each.field)) for each in conditions if not each.path):
            return False
        for name in {each.path[0] for each in conditions if each.path}:
            rest = [each._replace(path=each.path[1:]) for each in conditions if each.path[:1] == (name,)]
            target = LINKS[model][name].target
            if not any(self.matches(target, other, rest) for other in self.reach(model, id, name)):
                return False
        return True

    def end(self, model: Model, id: Any, path: tuple[str, ...], name: str) -> Any:
        """Return the value at the end of a path of keys, ``None`` if the path breaks off."""
        for step in path:
            found = self.reach(model, id, step)
            if not found:
                return None
            model, id = LINKS[model][step].target, found[0]
        return self.value(model, id, name)


class Query(NamedTuple):
    """Rows to delete; which they are is asked when the commit comes."""

    model: Model
    matches: Callable[[Rows, Any], bool]


@dataclass
class Oracle(Pending):
    """What is stored, and what a commit makes of it. The value of a key is an id, ``None`` or an unsaved handle."""

    rows: Rows = field(default_factory=Rows)
    counters: dict[Model, int] = field(default_factory=lambda: dict.fromkeys((Agent, Person, Deal), 0))

    def commit(self) -> Outcome:
        self.enqueue_parents()
        dirty = list(self.parents_first())
        for handle in dirty:
            self.resolve(handle)
            if any(key.required and handle.values.get(key.name, 0) is None for key, _ in self.keys_of(handle)):
                raise Refusal
        rows, counters, deleted = self.rows.copy(), dict(self.counters), self.deleted()
        for model, ids in deleted.items():
            for id in ids:
                del rows.of[model][id]
        saved: dict[Handle, Any] = {}
        for handle in dirty:
            saved[handle] = self.allot(counters, handle)
            if not self.write(rows, handle, saved):
                raise Refusal
        self.let_go(rows, deleted)
        names = [row["name"] for row in rows.of[Person].values() if row["name"]]
        if len(names) != len(set(names)):
            raise Refusal
        self.rows, self.counters = rows, counters
        for handle, id in saved.items():
            handle.stored, handle.seen = id, self.given(handle, saved)
        for handle in dirty:
            self.resolve(handle)
        gone = {model: [named(model, id) for id in ids] for model, ids in deleted.items() if ids}
        return Outcome([(handle, named(handle.model, id)) for handle, id in saved.items()], gone)

    # what goes along

    def keys_of(self, handle: Handle) -> Iterator[tuple[Key, Any]]:
        for key in KEYS:
            if key.model is handle.model:
                yield key, handle.values.get(key.name)

    def unsaved(self, handle: Handle) -> list[Handle]:
        return [value for _, value in self.keys_of(handle) if isinstance(value, Handle) and value.stored is None]

    def enqueue_parents(self) -> None:
        for _ in range(2):  # before the signals and after them; of two new rows with one id, the last one stays
            handles = self.dirty()
            for handle in handles:
                for parent in self.unsaved(handle):
                    if not self.holds(parent):
                        self.add(parent)
                        handles.append(parent)

    def parents_first(self) -> Iterator[Handle]:
        """Yield what is to be saved, each row after those whose ids it waits for; ``Refusal`` for a circle."""
        done: set[Handle] = set()

        def visit(handle: Handle, path: tuple[Handle, ...]) -> Iterator[Handle]:
            if handle in path:
                raise Refusal
            for parent in self.unsaved(handle):
                if parent.model is not Club:  # whose ids are given
                    yield from visit(parent, (*path, handle))
            if handle not in done:
                done.add(handle)
                yield handle

        for handle in self.dirty():
            yield from visit(handle, ())

    def resolve(self, handle: Handle) -> None:
        """Take the ids of objects that were unsaved when they were assigned."""
        for key, value in self.keys_of(handle):
            if isinstance(value, Handle) and value.stored is not None:
                handle.values[key.name] = value.instance.pkvalue() if value.model is Club else value.stored

    # deletes

    def deleted(self) -> dict[Model, list[Any]]:
        """Return what goes: by model the ids that were asked for, then those that follow, each in order."""
        asked: dict[Model, list[Any]] = {}
        for model in MODELS:
            named = {handle.stored for handle in self.doomed if handle.model is model}
            wanted = [query.matches for query in self.queries if query.model is model]
            asked[model] = [id for id in self.rows.ids(model) if id in named or any(f(self.rows, id) for f in wanted)]
        gone = {model: set(ids) for model, ids in asked.items()}
        size = -1
        while size != sum(map(len, gone.values())):
            size = sum(map(len, gone.values()))
            for key in KEYS:
                if key.on_delete == "cascade":
                    rows = self.rows.of[key.model].items()
                    gone[key.model] |= {id for id, row in rows if row[key.name] in gone[key.parent]}
        return {
            model: ids + [id for id in self.rows.ids(model) if id in gone[model] and id not in ids]
            for model, ids in asked.items()
        }

    def let_go(self, rows: Rows, deleted: dict[Model, list[Any]]) -> None:
        """Empty the optional keys to rows that are gone; ``Refusal`` where a restricting one leads there."""
        for key in KEYS:
            gone = [id for id in deleted[key.parent] if id not in rows.of[key.parent]]
            for row in rows.of[key.model].values():
                if key.on_delete != "cascade" and row[key.name] in gone:
                    if key.on_delete == "restrict":
                        raise Refusal
                    row[key.name] = None

    # saves

    def allot(self, counters: dict[Model, int], handle: Handle) -> Any:
        model = handle.model
        if model in PAIRS:
            return tuple(handle.values[name] for name in PAIRS[model])
        if model is Club:
            return handle.instance.code
        if handle.stored is None:
            counters[model] += 1
            return counters[model]
        return handle.stored

    def write(self, rows: Rows, handle: Handle, ids: dict[Handle, Any]) -> bool:
        """Write one row; return whether that can be done."""
        model, table, id = handle.model, rows.of[handle.model], ids[handle]
        given = self.given(handle, ids)
        old = None if handle.stored is None else table.get(handle.stored)
        if handle.stored is not None and old is None and len(given) < len(NAMES[model]):
            return False  # there is nothing to complete it from
        if old is not None and id != handle.stored:
            if id in table:
                return False
            del table[handle.stored]
        table[id] = {**(old or {}), **changed(handle, given, old)}
        return True

    def given(self, handle: Handle, ids: dict[Handle, Any]) -> Row:
        """Return the values of a handle, keys as ids."""
        given = {name: value for name, value in handle.values.items() if name in NAMES[handle.model]}
        for name, value in given.items():
            if isinstance(value, Handle):
                given[name] = value.instance.code if value.model is Club else ids[value]
        return given
