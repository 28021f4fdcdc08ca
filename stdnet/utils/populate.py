"""Random values, for tests and demonstrations, and random names."""

from __future__ import annotations

import string
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any

from ..errors import WrongType
from .dates import todate

_CHARACTERS = string.ascii_letters + string.digits


def populate(
    datatype: str = "string",
    size: int = 10,
    start: Any = None,
    end: Any = None,
    converter: Callable[[Any], Any] | None = None,
    choice_from: Sequence[Any] | None = None,
    min_len: int = 3,
    max_len: int = 20,
) -> list[Any]:
    """Return a list of ``size`` random values.

    ``datatype`` is ``"date"`` (by default from 1990 to today), ``"integer"`` (0 to 1,000,000), ``"float"`` (0 to 10),
    ``"choice"`` (picks from ``choice_from``, with repetition), or anything else for letters and digits, ``min_len`` to
    ``max_len`` of them. ``start`` and ``end`` are included; one that is 0 or otherwise false stands for the default.
    ``converter`` is applied to each value, except to those of ``"choice"``. ``random.seed`` repeats the values.

    >>> days = populate("date", 100, start=date(2010, 5, 1), end=date(2010, 5, 3))
    >>> sorted({day.day for day in days})
    [1, 2, 3]
    """
    import random  # programs that never call this need not wait for it

    if datatype == "choice":
        if not choice_from:
            raise WrongType("populate", choice_from, "is nothing to choose from; pass a sequence as choice_from")
        return random.choices(choice_from, k=size)
    if datatype == "date":
        first, last = todate(start or date(1990, 1, 1)), todate(end or date.today())
        values: list[Any] = [first + timedelta(days=random.randint(0, (last - first).days)) for _ in range(size)]
    elif datatype == "integer":
        values = [random.randint(start or 0, end or 1_000_000) for _ in range(size)]
    elif datatype == "float":
        values = [random.uniform(start or 0, end or 10) for _ in range(size)]
    else:
        longest = max(min_len, max_len)
        values = ["".join(random.choices(_CHARACTERS, k=random.randint(min_len, longest))) for _ in range(size)]
    return values if converter is None else [converter(value) for value in values]


def gen_unique_id(short: bool = True) -> str:
    """Return the text of a random UUID, or its first 8 characters if ``short``.

    >>> len(gen_unique_id()), len(gen_unique_id(short=False))
    (8, 36)
    """
    import uuid  # likewise

    text = str(uuid.uuid4())
    return text[:8] if short else text
