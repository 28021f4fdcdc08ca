"""Updates of decimals and spans of time: on every backend, the result is that of Python's own arithmetic."""

from __future__ import annotations

import operator
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stdnet import CommitException, getdb, odm
from stdnet.odm import F
from tests.servers import shared_url

MOST = 10**14
"""Results are at most ten times as large, so that a double next to one is less than an eighth away."""

CENT, MICROSECOND, EPOCH = Decimal("0.01"), timedelta(microseconds=1), datetime(1970, 1, 1)
NUMBERS = st.integers(-MOST, MOST) | st.integers(-20, 20)
ADD = st.sampled_from([operator.add, operator.sub])
SCALE = st.sampled_from([operator.mul, operator.truediv])
FACTORS = st.integers(-8, 8).filter(bool)


class Lap(odm.StdModel):
    price = odm.DecimalField(decimal_places=2)
    fee = odm.DecimalField(decimal_places=2, index=False)
    took = odm.TimeDeltaField()
    pause = odm.TimeDeltaField(index=False)
    begun = odm.DateTimeField()

    class Meta:
        app_label = "units"


@cache
def laps(connect: Callable[[], str]) -> Any:
    models = odm.Router(getdb(connect(), namespace="units:"))
    models.register(Lap)
    models.lap.query().delete()
    return models.lap


@pytest.mark.parametrize("connect", [lambda: "memory://units", shared_url], ids=["memory", "redis"])
@given(NUMBERS, NUMBERS, NUMBERS, ADD, SCALE, ADD, FACTORS)
@example(1, 1, 1, operator.add, operator.truediv, operator.add, 7)
@example(MOST, MOST, MOST, operator.add, operator.mul, operator.add, 8)
def test_results_are_those_of_python(
    connect: Callable[[], str], a: int, b: int, c: int, add: Any, scale: Any, then: Any, factor: int
) -> None:
    manager = laps(connect)
    spans = {"took": a * MICROSECOND, "pause": b * MICROSECOND}
    lap = manager.new(price=a * CENT, fee=b * CENT, begun=EPOCH + a * MICROSECOND, **spans)

    def computed(values: Callable[[str], Any]) -> dict[str, Any]:
        return {
            "price": then(add(values("price"), scale(values("fee"), factor)), c * CENT),
            "took": then(add(values("took"), scale(values("pause"), factor)), c * MICROSECOND),
            "begun": then(add(values("begun"), scale(values("pause"), factor)), c * MICROSECOND),
        }

    found = manager.filter(id=lap.id)
    if scale is operator.truediv and b % factor:
        with pytest.raises(CommitException) as info:
            found.update(**computed(F))
        assert len(info.value.reasons) == 3
        return
    found.update(**computed(F))
    expected, stored = computed(lambda name: getattr(lap, name)), found.get()
    assert {name: getattr(stored, name) for name in expected} == expected
