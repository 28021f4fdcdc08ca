"""Writers: the functions of one model that take values in, as generated source. How rows are read is in ``codec``.

Most values that are written are already what their field would make of them: a text, a finite number, a date. Their
fields say how to tell, by ``as_is``, and these functions test that and are done. Whatever does not pass goes the long
way, through ``to_python``, which alone knows what is wrong with it. Source is generated because a loop over fields,
with two calls for each, takes five times as long; only names of attributes enter it, and as literals.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ..contract import Change, Row, Scalar
from .fields import Field

if TYPE_CHECKING:
    from .meta import ModelMeta
    from .model import Model

Filler = Callable[[dict[str, Any]], dict[str, Any]]
"""(keywords) -> the attributes of an instance; takes the values of the fields out of the keywords."""

RowMaker = Callable[[dict[str, Any]], "Row | None"]
"""(attributes of an instance) -> its row, ``None`` if a value has to be converted or is wrong."""


def filler(pkname: str, fields: Sequence[Field[Any]]) -> Filler:
    """Return the function that makes the attributes of an instance, with these fields and a primary key."""
    scope: dict[str, Any] = {}
    lines, items = [], [f"{pkname!r}: take({pkname!r}, None)"]
    for n, field in enumerate(fields):
        scope[f"to{n}"] = field.to_python
        test, value = _test(field, n, scope), f"v{n}"
        lines.append(f"{value} = take({field.name!r}, None)")
        made = f"to{n}({value})" if test is None else f"{value} if {test} else to{n}({value})"
        items.append(f"{field.attname!r}: {made}")
    body = "".join(f"    {line}\n" for line in [*lines, f"return {{{', '.join(items)}}}"])
    exec(f"def fill(given):\n    take = given.pop\n{body}", scope)
    fill: Filler = scope["fill"]
    return fill


def row_maker(fields: Sequence[Field[Any]]) -> RowMaker:
    """Return the function that makes rows of these fields from instances whose values need no conversion."""
    scope: dict[str, Any] = {}
    lines, scalars = [], []
    for n, field in enumerate(fields):
        some, scalar = _scalar(field, n, scope)
        lines += [f"v{n} = state[{field.attname!r}]", *some]
        scalars.append(f"{scalar}, ")
    body = "".join(f"        {line}\n" for line in [*lines, f"return ({''.join(scalars)})"])
    # an attribute that is missing or a value that is refused: the long way tells which
    exec(f"def make(state):\n    try:\n{body}    except Exception:\n        return None\n", scope)
    make: RowMaker = scope["make"]
    return make


def adder(meta: ModelMeta[Any], make_row: RowMaker) -> Callable[[Model], Change | None] | None:
    """Return the short way to the change of a new instance, which gives ``None`` for one that has to go the long way.

    It is for models whose backend allots the ids, and whose rows depend on nothing but the values of the fields.
    """
    if not meta.table.auto or meta.ordering or meta.version or meta.foreignkeys:
        return None
    pkname, ttl = meta.pkname(), meta.ttl

    def added(instance: Model) -> Change | None:
        state = instance.__dict__
        if state[pkname] is not None or pkname in state["_dbdata"] or "_loadedfields" in state:
            return None
        row = make_row(state)
        return None if row is None else Change(None, None, row, expires=ttl)

    return added


def dumper(field: Field[Any]) -> Callable[[Any], Scalar] | None:
    """Return the field's ``dump``, or ``None`` if its Python values are scalars as they are."""
    return field.storage.dump if type(field.storage).dump is not Field.dump else None


def _scalar(field: Field[Any], n: int, scope: dict[str, Any]) -> tuple[list[str], str]:
    """Return the source that leaves unless the value ``v<n>`` is as it is stored, and that of its scalar."""
    value, test, dump = f"v{n}", _test(field, n, scope), dumper(field)
    scalar = value
    if dump is not None:
        scope[f"dump{n}"], scalar = dump, f"dump{n}({value})"
    missing = not field.required and field.default is None
    if test is not None:
        if field.required and field.storage.python_type is str:
            test += f" and {value}"
        if missing:
            test = f"{value} is None or {test}"
        return [f"if not ({test}): return None"], f"None if {value} is None else {scalar}" if missing else scalar
    scope[f"to{n}"] = field.to_python
    lines = [
        f"if to{n}({value}) is not {value}: return None",
        f"s{n} = None if {value} is None else {scalar}",
    ]
    if field.required:
        lines.append(f"if s{n} is None or s{n} == '': return None")
    return lines, f"s{n}"


def _test(field: Field[Any], n: int, scope: dict[str, Any]) -> str | None:
    """Return the source of the test that ``to_python`` would return the value ``v<n>`` itself, if there is one.

    A subclass that converts otherwise and says nothing of ``as_is`` has none.
    """
    order = type(field).__mro__

    def place(name: str) -> int:
        return next(n for n, base in enumerate(order) if name in base.__dict__)

    if place("as_is") > min(place("convert"), place("to_python")):
        return None
    test = field.as_is(f"v{n}")
    if test is None:
        return None
    scope[f"type{n}"] = field.storage.python_type
    return f"type(v{n}) is type{n}{test and f' and {test}'}"
