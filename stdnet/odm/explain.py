"""explain(): how a query is answered, as a table of its plan's nodes. Pure but for the counts it is given."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..contract import All, Count, Diff, Eq, Found, Ids, In, Intersect, Match, Plan, Range, Scan, Union, Where, joint
from ..records import Record
from .meta import ModelMeta

if TYPE_CHECKING:
    from .query import QueryBase

SIGNS = {"gt": ">", "ge": ">=", "lt": "<", "le": "<="}
_SHOWN = 5


class Step(Record):
    """One node of a plan: ``text`` says what it keeps, ``access`` how it is found, ``rows`` how many it gives alone."""

    depth: int
    text: str
    access: str
    cost: str
    rows: int


class Explanation(Record):
    """How a query is answered.

    ``steps`` are the nodes of its plan, parents first; ``scanned`` is the number of rows that have to be looked at
    because no index serves a clause; ``rows`` is the size of the result; ``hints`` say which index would help.
    ``str()`` draws all of it.
    """

    model: str
    order: str
    steps: tuple[Step, ...]
    rows: int
    scanned: int
    hints: tuple[str, ...] = ()

    def __str__(self) -> str:
        lines = [(f"{'  ' * step.depth}{step.text}", step) for step in self.steps]
        width = max(len(text) for text, _ in lines)
        access = max(len(step.access) for step in self.steps)
        body = [f"  {text:<{width}}  {step.access:<{access}}  {step.rows:>7} rows  {step.cost}" for text, step in lines]
        head = f"{self.model}: {self.rows} rows, {self.scanned} scanned, order {self.order}"
        return "\n".join([head, *body, *(f"  hint: {hint}" for hint in self.hints)])


def requests(query: QueryBase[Any]) -> list[Count]:
    """Return the counts that ``explanation`` needs: for each node, its own size and that of its table."""
    nodes = list(_nodes(_models(query), query.meta, query.construct()))
    return [Count(meta.table, plan) for _, meta, node in nodes for plan in (node, All())]


def explanation(query: QueryBase[Any], counts: Sequence[int]) -> Explanation:
    """Return the explanation of a query, given the replies to ``requests``."""
    steps, hints = [], {}
    nodes = list(_nodes(_models(query), query.meta, query.construct()))
    sizes = list(zip(counts[::2], counts[1::2], strict=True))
    for (depth, meta, node), (rows, _) in zip(nodes, sizes, strict=True):
        access, cost, hint = _access(meta, node)
        steps.append(Step(depth, _text(meta, node), access, cost, rows))
        hints[hint] = hint
    hints.pop("", None)
    info = query.ordering or query.meta.ordering
    order = query.meta.pkname() if info is None else info.path
    scanned = _scanned(nodes, sizes, 0, sizes[0][1])
    return Explanation(str(query.meta), order, tuple(steps), counts[0], scanned, tuple(hints))


def _scanned(nodes: Sequence[Any], sizes: Sequence[tuple[int, int]], place: int, left: int) -> int:
    """Return how many rows the node at ``place`` looks at, given ``left`` candidates."""
    depth, _, node = nodes[place]
    if isinstance(node, (Scan, Where)):
        return left
    children, following = [], place + 1
    while following < len(nodes) and nodes[following][0] > depth:
        if nodes[following][0] == depth + 1:
            children.append(following)
        following += 1
    if isinstance(node, In):
        return sum(_scanned(nodes, sizes, child, sizes[child][1]) for child in children)
    if isinstance(node, Intersect):
        left = min([left, *(sizes[n][0] for n in children if not isinstance(nodes[n][2], (Scan, Where)))])
    total = 0
    for child in children:
        total += _scanned(nodes, sizes, child, left)
        if isinstance(node, Diff):
            left = min(left, sizes[children[0]][0])
    return total


def _models(query: QueryBase[Any]) -> dict[str, ModelMeta[Any]]:
    """Return the models of a query's router, by the names of their tables."""
    return {meta.modelkey: meta for meta in query.session.router.registered_models}


def _nodes(
    models: Mapping[str, ModelMeta[Any]], meta: ModelMeta[Any], plan: Plan, depth: int = 0
) -> Iterator[tuple[int, ModelMeta[Any], Plan]]:
    """Yield (depth, meta, node) for a plan and all nodes below it, parents first."""
    yield depth, meta, plan
    match plan:
        case Union(plans) | Intersect(plans):
            for child in plans:
                yield from _nodes(models, meta, child, depth + 1)
        case Diff(kept, minus):
            yield from _nodes(models, meta, kept, depth + 1)
            yield from _nodes(models, meta, minus, depth + 1)
        case In(table=table, plan=inner):
            if table.name in models:  # a query of another router is opaque
                yield from _nodes(models, models[table.name], inner, depth + 1)
        case _:
            pass


def _access(meta: ModelMeta[Any], node: Plan) -> tuple[str, str, str]:
    """Return how a node is found, what that costs, and a hint if an index would be better."""
    table = meta.table
    match node:
        case All():
            return "all rows", "O(n)", ""
        case Ids():
            return "primary key", "O(k)", ""
        case Eq(field) | In(field):
            if field == table.pk.name:
                return "primary key", "O(k)", ""
            column = table.column(field)
            kind = "unique index" if column.unique else "range index" if column.index == "range" else "index"
            return f"{kind} {field}", "O(log n + k)" if column.index == "range" else "O(k)", ""
        case Match(fields):
            return f"unique index {joint(fields)}", "O(k)", ""
        case Range(field):
            return f"range index {field}", "O(log n + k)", ""
        case Scan(field, op):
            numeric = meta.flat(field)[0] is None and table.column(field).type in ("int", "float")
            indexable = op in SIGNS and numeric
            hint = f'add index=True to "{meta}.{field}" for ranges in O(log n + k)' if indexable else ""
            return "scan", "O(n)", hint
        case Where():
            return "scan", "O(n)", ""
        case Found(place):
            return f"structure {place.name}", "O(k)", ""
        case _:
            return "set", "O(k)", ""


def _text(meta: ModelMeta[Any], node: Plan) -> str:
    match node:
        case All():
            return "all"
        case Ids(ids):
            return f"{meta.pkname()} in {_values(meta, meta.pkname(), ids)}"
        case Eq(field, values):
            return f"{field} in {_values(meta, field, values)}"
        case Match(fields, values):
            rows = [", ".join(_value(meta, *each) for each in zip(fields, row, strict=True)) for row in values[:_SHOWN]]
            more = [f"… {len(values)} values"] if len(values) > _SHOWN else []
            return f"({', '.join(fields)}) in {', '.join([*(f'({row})' for row in rows), *more])}"
        case Range(field, low, high, low_open, high_open):
            left = "" if low is None else f"{_value(meta, field, low)} {'<' if low_open else '<='} "
            right = "" if high is None else f" {'<' if high_open else '<='} {_value(meta, field, high)}"
            return f"{left}{field}{right}"
        case Scan(field, op, value):
            if op == "isnull":
                return f"{field} is {'' if value else 'not '}null"
            return f"{field} {'=' if op == 'eq' else SIGNS.get(op, op)} {_value(meta, field, value)}"
        case Where(program):
            return f"where ({len(program)} steps)"
        case Found(_, operation, arguments):
            return f"{operation} {arguments[-1] if arguments else ''}"
        case In(field, table, _, of):
            return f"{field} in {of} of {table.name}"
        case _:
            return type(node).__name__.lower()


def _values(meta: ModelMeta[Any], name: str, values: Sequence[Any]) -> str:
    shown = [_value(meta, name, value) for value in values[:_SHOWN]]
    more = [f"… {len(values)} values"] if len(values) > _SHOWN else []
    return f"({', '.join(shown + more)})"


def _value(meta: ModelMeta[Any], name: str, value: Any) -> str:
    field = meta.field(name)
    try:
        return str(field.load(value)) if field is not None and value is not None and value != "" else "blank"
    except Exception:  # a text lookup on a number, a bound between two dates
        return str(value)
