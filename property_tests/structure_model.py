"""What structures of ``stdnet.odm`` do, in plain Python: functions from a content to what is left of it.

A content is a list, a set, a dict or bytes; that of a sorted set is a dict of scores by value. Nothing here knows a
session or a backend.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

EMPTY: dict[str, Any] = {
    "list": [],
    "set": set(),
    "zset": {},
    "hashtable": {},
    "ts": {},
    "string": b"",
    "numberarray": [],
}
NAN = float("nan")

VALUES = st.sampled_from(["a", "b", "é", "{x}:y"])
SCORES = st.sampled_from([0.0, -0.0, 1, 2.5, float("inf"), float("-inf")])
TIMES = st.sampled_from([datetime(2024, 1, day, 0, 0, 0, day * 1001) for day in (1, 2, 3, 4)] + [datetime(1970, 1, 1)])
NUMBERS = st.sampled_from([0.0, 1.5, -2.0, float("inf")])
SPOTS = st.integers(-3, 3)

Step = tuple[str, tuple[Any, ...]]
"""The name of a method, and its arguments."""


def step(name: str, *arguments: SearchStrategy[Any]) -> SearchStrategy[Step]:
    return st.tuples(st.just(name), st.tuples(*arguments))


def some(one: SearchStrategy[Any]) -> SearchStrategy[list[Any]]:
    return st.lists(one, max_size=3)


CHANGES: dict[str, SearchStrategy[Step]] = {
    "list": step("push_back", VALUES) | step("push_front", VALUES) | step("extend", some(VALUES)),
    "set": step("add", VALUES)
    | step("update", some(VALUES))
    | step("discard", VALUES)
    | step("difference_update", some(VALUES)),
    "zset": step("add", SCORES, VALUES)
    | step("update", some(st.tuples(SCORES, VALUES)))
    | step("discard", VALUES)
    | step("difference_update", some(VALUES)),
    "hashtable": step("add", VALUES, VALUES)
    | step("update", st.dictionaries(VALUES, VALUES, max_size=3))
    | step("remove", VALUES, VALUES),
    "ts": step("add", TIMES, VALUES)
    | step("update", st.dictionaries(TIMES, VALUES, max_size=3))
    | step("remove", TIMES, TIMES),
    "string": step("push_back", st.sampled_from(["1", "-", "é", "", "23"])) | step("extend", some(VALUES)),
    "numberarray": step("push_back", NUMBERS) | step("extend", some(NUMBERS)),
}
"""What waits for a commit."""

ACTS: dict[str, SearchStrategy[Step]] = {
    "list": step("pop_front") | step("pop_back") | step("set", SPOTS, VALUES),
    "zset": step("pop_range", SCORES, SCORES) | step("ipop_range", SPOTS, SPOTS),
    "hashtable": step("pop", VALUES) | step("pop", VALUES, st.just("none")),
    "ts": step("pop", TIMES) | step("ipop", SPOTS) | step("pop_range", TIMES, TIMES) | step("ipop_range", SPOTS, SPOTS),
    "string": step("incr", st.sampled_from([1, -5, 2**63 - 1])),
    "numberarray": step("pop_back") | step("resize", st.integers(0, 5)) | step("set", SPOTS, NUMBERS),
}
"""What acts at once."""


def changed(kind: str, content: Any, change: Step) -> Any:
    """Return a content after a change; ``delete`` is one, too."""
    name, arguments = change
    if name == "delete":
        return EMPTY[kind]
    many = name in ("extend", "update", "difference_update") or (name == "remove" and kind in ("hashtable", "ts"))
    values = list(arguments[0]) if many and name != "remove" else list(arguments)
    if name in ("discard", "difference_update", "remove"):
        if kind == "set":
            return content - set(values)
        return {key: value for key, value in content.items() if key not in values}
    match kind:
        case "list":
            return values[::-1] + content if name == "push_front" else content + values
        case "set":
            return content | set(values)
        case "zset":
            pairs = values if many else [arguments]
            return {**content, **{value: float(score) + 0.0 for score, value in pairs}}
        case "hashtable" | "ts":
            return {**content, **(dict(arguments[0]) if many else {arguments[0]: arguments[1]})}
        case "string":
            return content + "".join(values).encode()
        case _:
            return content + values


def acted(kind: str, content: Any, act: Step) -> tuple[Any, Any]:
    """Return the reply of what acts at once, and the content after it; raise as the structure does."""
    name, arguments = act
    match kind, name:
        case "list" | "numberarray", "pop_back":
            return (content[-1], content[:-1]) if content else (None, content)
        case "list", "pop_front":
            return (content[0], content[1:]) if content else (None, content)
        case _, "set":
            content = list(content)
            content[arguments[0]] = arguments[1]
            return None, content
        case "numberarray", "resize":
            content = content + [NAN] * (arguments[0] - len(content))
            return len(content), content
        case "string", "incr":
            if not re.fullmatch(rb"(0|-?[1-9][0-9]*|)", content):
                raise ValueError
            total = int(content or b"0") + arguments[0]
            if not -(2**63) <= total < 2**63 or not -(2**63) <= int(content or b"0") < 2**63:
                raise ValueError
            return total, b"%d" % total
        case "hashtable" | "ts", "pop":
            key, *default = arguments
            if key not in content and not default:
                raise KeyError(key)
            return content.get(key, *default), {each: value for each, value in content.items() if each != key}
        case _:
            return _popped(kind, content, act)


def _popped(kind: str, content: dict[Any, Any], act: Step) -> tuple[Any, Any]:
    """Return what a range of pairs takes, and the content after it."""
    name, arguments = act
    pairs = sorted((score, value) for value, score in content.items()) if kind == "zset" else sorted(content.items())
    first, last = arguments[0], arguments[-1]
    if name == "pop_range":
        found = [pair for pair in pairs if first <= pair[0] <= last]
    else:
        first, last = (place + len(pairs) if place < 0 else place for place in (first, last))
        found = [pair for place, pair in enumerate(pairs) if first <= place <= last]
    gone = [pair[1] if kind == "zset" else pair[0] for pair in found]
    left = {key: value for key, value in content.items() if key not in gone}
    return (found[0][1] if found else None) if name == "ipop" else found, left


def shown(kind: str, content: Any) -> Any:
    """Return a content such that equal means the same, also for NaN and zeros."""
    match kind:
        case "zset":
            return {value: repr(score) for value, score in content.items()}
        case "numberarray":
            return [repr(number) for number in content]
        case _:
            return content
