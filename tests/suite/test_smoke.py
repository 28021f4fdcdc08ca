from __future__ import annotations

from ..conftest import do, round_trips, transaction
from .models import Fund

MODELS = [Fund]


async def test_a_commit_a_query_and_a_count_are_one_round_trip_each(models):
    async with round_trips(models, 1), transaction(models.session()) as t:
        for n in range(10):
            t.add(Fund(name=f"fund {n}", ccy="EUR" if n % 2 else "USD", size=n))
    assert [fund.id for fund in t.saved[Fund]] == list(range(1, 11))
    async with round_trips(models, 1):
        found = await do(models.fund.filter(ccy="EUR", size__gt=3).all())
    assert [fund.name for fund in found] == ["fund 5", "fund 7", "fund 9"]
    async with round_trips(models, 1):
        assert await do(models.fund.filter(ccy="EUR").count()) == 5
