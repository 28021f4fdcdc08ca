"""Requests, replies and the description of a table: all that is ever said to a backend, as data.

A backend has one verb, ``execute(requests) -> replies``: one reply for each request, in order. A list of requests
is one round trip; a ``Commit`` is one atomic step. Everything here is frozen; sequences in requests and replies
are not changed by either side after they were handed over.

**Order.** A table has one total order, and each reply that is a sequence follows it: rows by (score, id),
numeric ids by number, text ids by code point. ``Table.order`` says where scores come from. No reply depends
on the iteration order of a set.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, TypeAlias

from .aggregates import Aggregate
from .kinds import Kind
from .plan import Id, Plan, Scalar
from .updates import Update

ScalarType: TypeAlias = Literal["int", "float", "str", "bytes", "map"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table, or its pk.

    ``type`` is the type of each value that is not missing. ``unique``: no two rows have the same value (blank
    values are free). ``index``: ``"equal"`` answers ``Eq``, ``"range"`` answers ``Eq`` and ``Range`` (numbers only),
    ``""`` neither; a unique column answers ``Eq`` in any case. The integers of a range-indexed column, and
    integer ids, lie within ±2**53.

    A value of a ``"map"`` is a ``Mapping`` of paths, which are text, to leaves: ints, finite floats, text, and bytes
    that are UTF-8. The leaves come and go by row. A map is neither unique nor indexed, and no pk. The name of a leaf is
    that of the column, two underscores and its path, so no column has two underscores in its own. It may stand where
    ``Scan``, ``Sort``, ``Select`` and ``Change`` name a column; a row without that leaf has ``None`` there.
    """

    name: str
    type: ScalarType
    unique: bool = False
    index: Literal["", "equal", "range"] = ""

    @property
    def indexed(self) -> tuple[str, ScalarType, bool, Literal["", "equal", "range"]]:
        """The column, with the index that has to be kept for it: a unique one needs none to answer ``Eq``."""
        return self.name, self.type, self.unique, "" if self.unique and self.index == "equal" else self.index


@dataclass(frozen=True, slots=True)
class Table:
    """Where the rows of one model live, and how they are found.

    ``name`` is the key name without the namespace. ``auto``: ids are ints that the backend allots. ``order``:

    * ``"id"``: the score of a row is its id if ids are numbers, else 0. So rows come in the order of their ids.
    * ``"score"``: each ``Change`` brings the row's score.
    * ``"count"``: each ``Change`` brings an increment, which is added to the row's score (a new row starts at 0).

    ``structures`` are the names and kinds of the structures that live and die with a row.

    ``together`` are combinations of columns that are unique: no two rows have the same values in all of them, but a row
    where one of them is blank is free. ``Match`` asks for them.

    ``ttl``: rows can have a deadline (``Change.expires``). From then on a row does not exist for any request; what is
    left of it is cleaned up by later requests, as if it had been deleted without references.

    Two tables of one name in one namespace are the same place. While it has rows, a request about a table of another
    ``layout`` than theirs is refused: ``TableMismatch``. Columns that are in no index may come and go: a row has no
    value in a column that it was stored without, and an update keeps those in columns that a table does not name.
    That such a column has another type is noticed at the latest when a value is read that is of no use as the new one.
    """

    name: str
    pk: Column
    columns: tuple[Column, ...] = ()
    auto: bool = False
    order: Literal["id", "score", "count"] = "id"
    structures: tuple[tuple[str, Kind], ...] = field(default=(), compare=False)
    together: tuple[tuple[str, ...], ...] = ()
    ttl: bool = False

    names: tuple[str, ...] = field(init=False, repr=False, compare=False)
    """The names of the columns, in order; the pk is not one of them."""

    positions: dict[str, int] = field(init=False, repr=False, compare=False)
    """The place of each column in a row."""

    layout: tuple[Any, ...] = field(init=False, repr=False, compare=False)
    """What rows are stored and found by: order, automatic ids, type of ids, by name the columns with an index, and, if
    there are any, the combinations that are unique, and ``"ttl"`` if rows can expire."""

    def __post_init__(self) -> None:
        names = tuple(column.name for column in self.columns)
        indexed = sorted(column.indexed for column in self.columns if column.unique or column.index)
        more = ((tuple(sorted(self.together)),) if self.together else ()) + (("ttl",) if self.ttl else ())
        object.__setattr__(self, "layout", (self.order, self.auto, self.pk.type, tuple(indexed), *more))
        object.__setattr__(self, "names", names)
        object.__setattr__(self, "positions", {name: n for n, name in enumerate(names)})

    def column(self, name: str) -> Column:
        """Return the column, or the pk, of that name; ``KeyError`` if there is none."""
        return self.pk if name == self.pk.name else self.columns[self.positions[name]]

    def leaf(self, name: str) -> tuple[int, str]:
        """Return the place of the map, and the path in it, of a leaf of that name; ``KeyError`` if there is no map."""
        for place, column in enumerate(self.columns):
            if column.type == "map" and name.startswith(f"{column.name}__"):
                return place, name[len(column.name) + 2 :]
        raise KeyError(name)

    def rank(self, name: str) -> int:
        """Return the place of a clash by its field: the pk, the columns in order, then unique combinations in order."""
        combined = {joint(names): len(self.names) + n for n, names in enumerate(self.together)}
        return {**self.positions, **combined}.get(name, -1)


def joint(names: Sequence[str]) -> str:
    """Return the name of a unique combination, as keys and clashes have it."""
    return ",".join(names)


Row: TypeAlias = tuple[Any, ...]
"""The values of a row, in the order of the table's columns or of the fields that were asked for."""


class Change(NamedTuple):
    """One row to write.

    ``previous`` is the id under which the row was read, ``None`` for a new row. ``id`` is the id under which it
    shall stand; ``None``, on auto tables only, asks for the next one: one more than the largest int that was ever
    allotted or given there, and at least 1. ``fields`` names the columns that ``values`` holds, ``None`` means all of
    them; columns of a new row that are not named are missing. A leaf that is named is set, or removed by ``None``, and
    the other leaves of the map stay; a change that names leaves never holds all columns.

    * ``previous is None``: the row is stored. A row that stands under ``id`` is replaced, not merged.
    * The row ``previous`` exists: the named columns are overwritten, the others kept. With ``id != previous`` the
      row moves; a row that stands under ``id`` then is a clash.
    * The row ``previous`` does not exist: with all columns given it is stored as a new one, and replaces a row that
      stands under ``id``; otherwise there is nothing to complete it from, and that is a clash.

    ``score`` is described at ``Table.order``; ``None`` keeps the score of the row that the change continues or
    replaces, and is 0 for a new one.

    ``refs`` names columns whose value is an id that this very commit allots: ``(column, save, change)`` says that the
    column takes the id of that change, which stands before this one. ``values`` has ``None`` in its place.

    ``changed`` names those of the columns that are overwritten if the row ``previous`` exists; ``None`` means all that
    the change has. With ``rescored`` false, that row also keeps its score.

    ``version`` is a column and the value that the row ``previous`` must have in it; if it has another one, or does not
    exist, that is a clash, and no other reason is given for the change.

    ``expires``, on tables with ``ttl`` only, is the number of seconds, from this commit on, after which the row does
    not exist any more; it is due at once if that is not positive, and never at infinity. ``None`` keeps the deadline of
    the row that the change continues or replaces, and a new row has none. The commit itself still sees the row.
    """

    id: Id | None
    previous: Id | None
    values: Row
    fields: tuple[str, ...] | None = None
    score: float | None = None
    refs: tuple[tuple[str, int, int], ...] = ()
    changed: tuple[str, ...] | None = None
    rescored: bool = True
    version: tuple[str, Scalar] | None = None
    expires: float | None = None


@dataclass(frozen=True, slots=True)
class Save:
    """The rows of one table to write. They act in order: of two changes of one row, the second sees the first."""

    table: Table
    changes: Sequence[Change]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a structure is.

    With a table and an ``id`` it is the one of that row called ``name``, which goes when the row goes and moves when
    the row moves; with a table alone, the one of the whole table; without a table, one on its own with the id ``name``.
    A place that holds a structure of another kind raises ``WrongKind``; Redis does not tell kinds of one type apart.
    """

    kind: Kind
    name: str
    table: Table | None = None
    id: Id | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """One operation of one structure; ``contract.kinds`` says what arguments and reply are.

    ``arguments`` are scalars, sequences of such, and other places. As a request it acts at once and the reply is that
    of the operation; one that makes something for a row that does not exist, by its effect, is ``Refused``, with 0 in
    ``gone``. One that writes is never sent again: if its reply is lost, ``CallUnknown`` is raised.
    """

    place: Place
    operation: str
    arguments: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class After:
    """An operation of a structure of a whole table that follows what a commit does to rows.

    It is called with ids and then with ``arguments``. ``rows`` says which ids: the number of a save stands for those of
    its changes, in order; a table for those of its rows that the commit removes, by a delete, a cascade or a move, and
    that do not stand after it, in any order. With ``new`` those of a save count whose row did not stand before, or was
    deleted by this commit. Without ids nothing is called. The operation is one of ``Operation.commits``.
    """

    place: Place
    operation: str
    rows: int | Table
    arguments: tuple[Any, ...] = ()
    new: bool = False


@dataclass(frozen=True, slots=True)
class Take:
    """Remove and return the first or last value of a list, waiting for one up to ``seconds``; ``None`` is for ever.

    The reply is the value, or ``None`` when the time is over. It is sent alone. Those who wait for one list are served
    in the order in which they came, whenever a call or a commit is done. One that is cancelled takes nothing. If the
    reply is lost, ``CallUnknown`` is raised. ``seconds`` is not negative; 0 does not wait.
    """

    place: Place
    end: Literal["front", "back"]
    seconds: float | None


@dataclass(frozen=True, slots=True)
class Delete:
    """The rows to delete: those of ``plan`` in the state before the commit. No rows is not an error."""

    table: Table
    plan: Plan


@dataclass(frozen=True, slots=True)
class Reference:
    """What becomes of the rows of ``table`` whose ``field`` is the id of a row of ``parent`` that a commit deletes.

    The field is equality-indexed. ``"cascade"``: those that refer to it before the commit are deleted, too, and so on,
    until nothing more is found; cycles end. ``"restrict"``: the commit is refused if such a row stands after it.
    ``"null"``: the field of the rows that stand after the commit becomes missing. In the last two cases rows count that
    this very commit saves, and a parent that it stores anew holds on to its rows.
    """

    table: Table
    field: str
    parent: Table
    on_delete: Literal["cascade", "restrict", "null"]


@dataclass(frozen=True, slots=True)
class Commit:
    """Calls, deletes, saves and updates as one atomic step: evaluate, check, apply.

    The reply is ``Committed`` or ``Refused``.

    *Calls* come first, in order: those of ``Operation.commits`` on structures, of the rows of the state before, and of
    new rows that the saves add under these very ids, without moving a row from or to there. So one of a row that is
    deleted comes to nothing, also if the row is saved anew. The commit is refused if an operation would make something
    for any other row. All calls of one place name one kind. What is in ``after`` is called when the rows are written,
    in order, and never for a refused commit.

    *Evaluate*: the plans of all deletes and updates, and what ``references`` add to deletes, on the state before.
    *Check*: the state after the deletes, the saves, then the updates is worked out; in it each unique value that is not
    blank, and each unique combination, belongs to one row, no move ended on a row that was still there, no row was
    of another version, and no restricting reference leads to a row that is gone. So values
    and ids that this very commit releases are free, and a swap of two unique values is fine. *Apply*: everything,
    or, after a refusal, nothing: no row, no index, no counter.

    ``token`` names the commit: a commit whose token was applied before, in the last ten minutes, changes nothing
    and is answered as it was then. A refused commit leaves no token.
    """

    deletes: tuple[Delete, ...] = ()
    saves: tuple[Save, ...] = ()
    references: tuple[Reference, ...] = ()
    calls: tuple[Call, ...] = ()
    token: str | None = None
    updates: tuple[Update, ...] = ()
    after: tuple[After, ...] = ()


@dataclass(frozen=True, slots=True)
class Committed:
    """What a commit did.

    ``ids[i][j]`` is the id of change j of save i. ``scores[i][j]`` is its score after the commit for tables whose
    order is ``"count"``; for the others ``scores[i]`` is empty. ``deleted[i]`` are the ids that delete i removed, in
    the table's order; an id that several deletes of one table match is reported by each. ``cascaded[i]`` are the ids
    of the table of reference i that no delete matched and cascades removed, in the table's order, at the first
    reference that cascades to this table; for the others ``cascaded[i]`` is empty. ``updated[i]`` is the number of the
    rows of update i.
    """

    ids: tuple[Sequence[Id], ...] = ()
    scores: tuple[Sequence[float], ...] = ()
    deleted: tuple[Sequence[Id], ...] = ()
    cascaded: tuple[Sequence[Id], ...] = ()
    updated: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Clash:
    """One reason why a commit was refused, and the change (``save``, ``change``: their places) that it concerns.

    Updates are counted after the saves, and their rows, in the table's order, are their changes; ``id`` is such a row.

    * ``"unique"``: ``value`` of ``field`` belongs to the row ``holder`` after the commit. When two changes of one
      commit claim a value, the later one clashes with the earlier, and ``holder`` is ``None`` if the id of that row is
      allotted by this very commit. The last change of a row answers for all of its values. The field of a combination
      is the names of its columns, with commas between them, and the value is ``None``.
    * ``"id"``: the row should move to the id ``value``, where another row, also named by ``holder``, stands. ``field``
      is the pk.
    * ``"gone"``: the row ``value`` should be completed and does not exist. ``field`` is the pk.
    * ``"stale"``: ``row``, the values of the row as it stands, has ``value`` in ``field``, which is another version;
      ``row`` and ``value`` are ``None`` if there is no row.
    * ``"value"``: an update would give ``field`` the number ``value``, which it cannot have; ``None`` stands for NaN,
      and for a missing value. Such a column is left as it was for the rest of the check.

    A change that clashes by its id or its version is left out of the rest of the check; the id that it was allotted is
    not.
    """

    reason: Literal["unique", "id", "gone", "stale", "value"]
    save: int
    change: int
    field: str
    value: Scalar
    holder: Id | None = None
    row: Row | None = None
    id: Id | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """A row, ``by``, that stands after the commit and refers to a row, ``id``, that would be deleted by it."""

    reference: int
    id: Id
    by: Id


@dataclass(frozen=True, slots=True)
class Refused:
    """Why nothing was committed; at least one of the three is not empty.

    ``clashes`` are ordered by save, change and column; ``held``, which says what restricting references found, by
    reference, then by the order of the tables of ``id`` and of ``by``. ``gone`` are the places of the calls whose row
    does not exist; all of it is found out, whatever else there is.
    """

    clashes: tuple[Clash, ...]
    held: tuple[Held, ...] = ()
    gone: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Sort:
    """An explicit order: by a column or the pk, text by code point, numbers by value, bytes by byte.

    ``through`` is a path of (column, table): the value of each column is the id of a row of that table, where the
    path goes on; ``field`` is then of the last table. A missing number counts as 0, missing text or bytes as
    empty, and so does a path that ends at a missing value or row. Leaves of a map come as numbers, where missing ones
    and empty bytes count as 0, then as text, then as bytes; a map itself has no order. Rows that are equal here follow
    in the table's own order, also when ``desc`` turns the others round.
    """

    field: str
    desc: bool = False
    through: tuple[tuple[str, Table], ...] = ()


@dataclass(frozen=True, slots=True)
class Scores:
    """What an operation of a structure gives for rows: a number for each.

    ``place`` is a structure of a whole table. The operation reads; it is called with ids and then with ``arguments``,
    and its ``"raw"`` reply has a finite float for each id, in order. Without ``through`` the ids are those of the rows
    themselves. A path leads to the ids, as in ``Sort``, and then ``place`` is one of the last table; a row whose path
    ends at a missing value has the number 0.
    """

    place: Place
    operation: str
    arguments: tuple[Any, ...] = ()
    through: tuple[tuple[str, Table], ...] = ()


@dataclass(frozen=True, slots=True)
class Related:
    """Rows of another table to bring along: those whose ``of`` equals ``field`` in a row that is brought.

    ``field`` is a column of the rows' own table, or its pk; ``of`` is the pk of ``table`` or a column that ``Eq``
    accepts, and has the same type. ``fields`` are the columns to bring, ``related`` what to bring along with these.
    """

    field: str
    table: Table
    of: str
    fields: tuple[str, ...] | None = None
    related: tuple[Related, ...] = ()


@dataclass(frozen=True, slots=True)
class Select:
    """The rows of ``plan``, in the order of ``sort`` or, without one, of the table. The reply is ``Selected``.

    ``start`` and ``stop`` cut that sequence as Python slices do, negative ones counted from the end, bounds outside
    of it allowed. ``fields`` are the columns to return, in that order; ``None`` means all of the table's, and ``()``
    only the ids. Cost: that of the plan, O(k log k) to order k ids, O(m) to return m rows; the table's own order,
    and a range-indexed ``sort`` over all rows, need no sorting. ``structures`` are the names of those structures of
    the rows whose content is to be brought along. With ``scores`` there is no ``sort``: the rows come by the sum of
    what these give, greatest first, rows of equal sums by id, and the reply has the sums.
    """

    table: Table
    plan: Plan
    sort: Sort | None = None
    start: int | None = None
    stop: int | None = None
    fields: tuple[str, ...] | None = None
    related: tuple[Related, ...] = ()
    structures: tuple[str, ...] = ()
    scores: tuple[Scores, ...] = ()


@dataclass(frozen=True, slots=True)
class Selected:
    """Ids and rows, side by side. ``rows`` is empty when no field was asked for (``fields=()``).

    ``related`` has one entry for each ``Related`` of the request: the rows found, each once, in their table's order.
    ``structures`` has one entry for each of the request: what the operation ``items`` gives, row by row. ``scores`` are
    the sums that the ids are ordered by, if the request asked for them, else it is empty.
    """

    ids: Sequence[Id]
    rows: Sequence[Row]
    related: tuple[Selected, ...] = ()
    structures: tuple[Sequence[Any], ...] = ()
    scores: Sequence[float] = ()


@dataclass(frozen=True, slots=True)
class Count:
    """The number of ids in ``plan``, as an int. Cost: that of the plan, O(1) for ``All`` and one indexed value."""

    table: Table
    plan: Plan


@dataclass(frozen=True, slots=True)
class Keys:
    """The names of the keys of a table (see ``contract.keys``), as sorted text. A table that is not there has none."""

    table: Table


@dataclass(frozen=True, slots=True)
class Flush:
    """Remove everything of ``table``, its id counter too; ``None`` means all tables and structures of the namespace.

    The reply is the number of keys that this removes, as ``Keys`` names them. Nothing outside the namespace and
    no table whose name only starts alike is touched. Tokens of commits survive. Not atomic on every backend.
    """

    table: Table | None = None


@dataclass(frozen=True, slots=True)
class Ping:
    """Ask whether the server is there. The reply is ``True``, or ``ConnectionError`` is raised."""


Request: TypeAlias = Commit | Select | Count | Aggregate | Call | Take | Keys | Flush | Ping
Reply: TypeAlias = Committed | Refused | Selected | int | list[str] | bool | float | bytes | Sequence[Any] | None
