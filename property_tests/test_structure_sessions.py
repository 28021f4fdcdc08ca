"""A state machine over the public API of structures: what waits, what acts at once, what is refused or rolled back.

The model of the machine is a plain content for each structure (see ``structure_model``), what waits for it in the
session, and the rows that structures belong to.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from stdnet import CommitException, odm
from stdnet.errors import StructureFieldError
from tests.conftest import connect

from .structure_model import ACTS, CHANGES, EMPTY, Step, acted, changed, shown
from .test_structure_kinds import case

FIELDS = {
    "log": "list",
    "tags": "set",
    "marks": "zset",
    "facts": "hashtable",
    "series": "ts",
    "text": "string",
}


class Owner(odm.StdModel):
    name = odm.SymbolField(unique=True)
    log = odm.ListField()
    tags = odm.SetField()
    marks = odm.SetField(ordered=True)
    facts = odm.HashField()
    series = odm.TimeSeriesField()
    text = odm.StringField()

    class Meta:
        app_label = "structure_machine"


CLASSES: dict[str, type[Any]] = {
    "list": odm.List,
    "set": odm.Set,
    "zset": odm.Zset,
    "hashtable": odm.HashTable,
    "ts": odm.TS,
    "string": odm.String,
    "numberarray": odm.NumberArray,
}
Key = tuple[int | None, str]
"""The id of the owner and the name of the field, or ``None`` and the kind of a structure on its own."""

OWNERS = [1, 2]
KEYS: list[Key] = [*((id, name) for id in OWNERS for name in FIELDS), *((None, kind) for kind in CLASSES)]
NAMES = st.sampled_from(["one", "two", "three"])


def kind_of(key: Key) -> str:
    return key[1] if key[0] is None else FIELDS[key[1]]


class StructureSessions(RuleBasedStateMachine):
    """One session, structures of two rows and on their own, and other sessions that meddle."""

    backend = "memory"

    def __init__(self) -> None:
        super().__init__()
        self.server = connect(self.backend)
        self.models = odm.Router(self.server)
        self.models.register(Owner)
        self.session = self.models.session()
        self.transaction: odm.Transaction | None = None
        self.rows: dict[int, str] = {}
        self.counter = len(OWNERS)
        self.contents: dict[Key, Any] = {}
        self.waiting: dict[Key, list[Step]] = {}
        self.doomed: list[int] = []
        self.added: list[str] = []
        self.handles: dict[Key, Any] = {}
        for id, name in zip(OWNERS, ("one", "two"), strict=True):
            self.rows[id] = name
            owner = self.session.add(Owner(id=id, name=name))
            self.handles.update({(id, field): getattr(owner, field) for field in FIELDS})
        for kind, cls in CLASSES.items():
            handle = self.models.register(cls(id=f"{kind}:{{1}}"))
            self.handles[None, kind] = self.session.add(handle, modified=False)
        self.keys: list[Key] = []

    # -- the model ----------------------------------------------------------------------------------------------

    def content(self, key: Key) -> Any:
        return self.contents.get(key, EMPTY[kind_of(key)])

    def homeless(self) -> list[Key]:
        """Return the structures for which something waits that cannot be made, since there is no row."""
        return [key for key in self.waiting if key[0] is not None and key[0] not in self.rows and self.makes(key)]

    def makes(self, key: Key) -> bool:
        """Return whether something is left to be added of what waits."""
        content = EMPTY[kind_of(key)]
        for change in self.waiting[key]:
            content = changed(kind_of(key), content, change)
        return bool(content)

    def outcome(self) -> tuple[dict[Key, Any], dict[int, str]] | None:
        """Return what a commit makes of everything, or ``None`` if it is refused."""
        contents, rows = dict(self.contents), dict(self.rows)
        for key, changes in self.waiting.items():
            for change in changes if key[0] is None or key[0] in rows else ():
                contents[key] = changed(kind_of(key), contents.get(key, EMPTY[kind_of(key)]), change)
        for id in self.doomed:
            rows.pop(id, None)
        rows.update({self.counter + n: name for n, name in enumerate(self.added, start=1)})
        if self.homeless() or len(set(rows.values())) < len(rows):
            return None
        return {key: content for key, content in contents.items() if key[0] is None or key[0] in rows}, rows

    def settle(self, act: Callable[[], Any]) -> None:
        """Run what commits: it does what the model does, or is refused where the model is."""
        found, homeless, doomed, added = self.outcome(), self.homeless(), self.doomed, self.added
        self.waiting, self.doomed, self.added = {}, [], []
        if found is None:
            with pytest.raises(CommitException) as info:
                act()
            structures = [each for each in info.value.instances if not isinstance(each, Owner)]
            assert structures == [self.handles[key] for key in homeless]
            return
        act()
        self.contents, self.rows = found
        self.counter += len(added)
        self.forget(*doomed)

    def forget(self, *ids: int) -> None:
        """Drop what the structures of a row have loaded: they cannot know that it went."""
        for key, handle in self.handles.items():
            if key[0] in ids:
                handle.cache.cache = None

    # -- what a program does ------------------------------------------------------------------------------------

    def do(self, key: Key, change: Step, act: Callable[[], Any]) -> None:
        self.waiting.setdefault(key, []).append(change)
        if self.transaction is None:
            self.settle(act)
        else:
            act()

    @initialize(keys=st.lists(st.sampled_from(KEYS), min_size=1, max_size=3, unique=True))
    def choose(self, keys: list[Key]) -> None:
        """Choose the structures that this program is about: few, so that they are met again."""
        self.keys = keys

    @rule(data=st.data())
    def change(self, data: Any) -> None:
        """Change a structure several times."""
        key = data.draw(st.sampled_from(self.keys))
        change = st.tuples(CHANGES[kind_of(key)], st.booleans())
        for each in data.draw(st.lists(change, min_size=1, max_size=6)):
            self.change_once(key, *each)

    @precondition(lambda self: self.transaction is None)
    @rule(data=st.data())
    def change_together(self, data: Any) -> None:
        """Change structures in a transaction of its own."""
        self.begin()
        for _ in self.keys:
            self.change(data)
        self.commit()

    def change_once(self, key: Key, change: Step, twin: bool) -> None:
        """Change a structure by its handle, or by another one of the same data."""
        name, arguments = change
        handle = self.handles[key]
        if twin and key[0] is None:
            handle = self.session.add(CLASSES[key[1]](id=handle.id), modified=False)
            self.handles[key].cache.cache = None
        returned: list[Any] = []
        self.do(key, (name, arguments), lambda: returned.append(getattr(handle, name)(*arguments)))
        assert all(each is handle for each in returned)

    @rule(data=st.data())
    def act(self, data: Any) -> None:
        """Let something act at once, also inside a transaction."""
        n = data.draw(st.integers(0, 2))
        key = self.keys[n % len(self.keys)]
        for act in data.draw(st.lists(ACTS[kind_of(key)], max_size=3)) if kind_of(key) in ACTS else ():
            self.read(n)
            self.act_once(key, act)
        self.read(n)

    def act_once(self, key: Key, act: Step) -> None:
        name, arguments = act
        method = getattr(self.handles[key], name)
        try:
            reply, content = acted(kind_of(key), self.content(key), (name, arguments))
        except (KeyError, IndexError, ValueError) as error:
            with pytest.raises((type(error), StructureFieldError)):
                method(*arguments)
            return
        if key[0] is not None and key[0] not in self.rows and content:
            with pytest.raises(StructureFieldError):
                method(*arguments)
            return
        assert repr(method(*arguments)) == repr(reply)
        self.contents[key] = content

    @rule(n=st.integers(0, 2))
    def read(self, n: int) -> None:
        """Load a structure: what waits is not seen."""
        key = self.keys[n % len(self.keys)]
        handle = self.handles[key]
        for _ in range(2):
            assert handle.size() == len(self.content(key))
            assert loaded(handle) == shown(kind_of(key), self.content(key))

    @rule(n=st.integers(0, 2))
    def delete(self, n: int) -> None:
        key = self.keys[n % len(self.keys)]
        handle = self.handles[key]
        self.do(key, ("delete", ()), lambda: self.session.delete(handle))

    @rule(id=st.sampled_from(OWNERS))
    def delete_row(self, id: int) -> None:
        self.doomed = [*self.doomed, id]
        query = self.session.query(Owner).filter(id=id)
        if self.transaction is None:
            self.settle(lambda: self.session.delete(query))
        else:
            self.session.delete(query)

    @rule(name=NAMES)
    def add_row(self, name: str) -> None:
        """Add another row; where its name is taken the commit is refused as a whole."""
        self.added = [*self.added, name]
        if self.transaction is None:
            self.settle(lambda: self.session.add(Owner(name=name)))
        else:
            self.session.add(Owner(name=name))

    @precondition(lambda self: self.transaction is None)
    @rule()
    def begin(self) -> None:
        self.transaction = self.session.begin()

    @precondition(lambda self: self.transaction is not None)
    @rule()
    def commit(self) -> None:
        transaction, self.transaction = self.transaction, None
        assert transaction is not None
        self.settle(transaction.commit)

    @precondition(lambda self: self.transaction is not None)
    @rule()
    def roll_back(self) -> None:
        assert self.transaction is not None
        self.transaction.rollback()
        self.transaction, self.waiting, self.doomed, self.added = None, {}, [], []

    @precondition(lambda self: self.transaction is not None)
    @rule(n=st.integers(0, 2))
    def expunge(self, n: int) -> None:
        key = self.keys[n % len(self.keys)]
        self.waiting.pop(key, None)
        self.session.expunge(self.handles[key])
        self.session.add(self.handles[key], modified=False)

    # -- what others do -----------------------------------------------------------------------------------------

    @rule(id=st.sampled_from(OWNERS))
    def someone_deletes(self, id: int) -> None:
        self.models.session().query(Owner).filter(id=id).delete()
        self.rows.pop(id, None)
        self.contents = {key: content for key, content in self.contents.items() if key[0] != id}
        self.forget(id)

    @precondition(lambda self: len(self.rows.keys() & set(OWNERS)) < len(OWNERS))
    @rule()
    def someone_restores(self) -> None:
        id = next(id for id in OWNERS if id not in self.rows)
        self.models.session().add(Owner(id=id, name=f"back {id}"))
        self.rows[id] = f"back {id}"

    # -- what must hold after each step -------------------------------------------------------------------------

    @invariant()
    def the_session_holds_what_waits(self) -> None:
        assert (self.session.transaction is None) == (self.transaction is None)
        for key, handle in self.handles.items():
            assert (handle in self.session) == (key in self.waiting)
            assert self.transaction is not None or not handle.cache.calls()

    @invariant()
    def others_see_what_was_committed(self) -> None:
        session = self.models.session()
        query = session.query(Owner)
        for name in FIELDS:
            query = query.load_related(name)
        found = {(owner.id, name): getattr(owner, name) for owner in query.all() for name in FIELDS}
        assert sorted(owner.name for owner in session.query(Owner).all()) == sorted(self.rows.values())
        for kind, cls in CLASSES.items():
            found[None, kind] = session.add(cls(id=self.handles[None, kind].id), modified=False)
        for key, handle in found.items():
            expected = self.content(key) if key in KEYS else EMPTY[kind_of(key)]
            assert loaded(handle) == shown(kind_of(key), expected)
            assert handle.size() == len(expected)

    @invariant()
    def the_store_is_sound(self) -> None:
        self.server.check()

    def teardown(self) -> None:
        self.server.flush()
        self.server.close()


def loaded(handle: Any) -> Any:
    """Return the content of a structure in the form of the model's."""
    kind = handle._meta.name
    match kind:
        case "zset":
            pairs = handle.irange()
            assert [value for _, value in pairs] == handle.items()
            return shown(kind, {value: score for score, value in pairs})
        case "set":
            return set(handle.items())
        case "hashtable" | "ts":
            return dict(handle.items())
        case _:
            return shown(kind, handle.items())


class RedisStructureSessions(StructureSessions):
    """The same on a server."""

    backend = "redis"


TestStructures = case(StructureSessions, 2 / 3, 30)
TestStructuresOnRedis = case(RedisStructureSessions, 1 / 10, 30)
