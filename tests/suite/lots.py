"""The rows of the tests of aggregates: four lots, of which the last has almost no values."""

from __future__ import annotations

from datetime import date, datetime
from enum import IntEnum
from typing import Any

from stdnet import odm

from .golden import store


class Owner(odm.StdModel):
    code = odm.SymbolField(primary_key=True)

    class Meta:
        app_label = "aggregates"


class Lot(odm.StdModel):
    owner = odm.ForeignKey(Owner, required=False)
    ccy = odm.SymbolField(required=False)
    note = odm.CharField()
    data = odm.ByteField()
    size = odm.IntegerField(required=False)
    big = odm.IntegerField(required=False, index=False)
    price = odm.FloatField(required=False)
    live = odm.BooleanField()
    day = odm.DateField(required=False)
    seen = odm.DateTimeField(required=False)

    class Meta:
        app_label = "aggregates"
        ordering = "-size"


class Shade(IntEnum):
    DARK = 1
    LIGHT = 2


class Bill(odm.StdModel):
    amount = odm.DecimalField(decimal_places=2, required=False)
    exact = odm.DecimalField(decimal_places=30, index=False, required=False)
    span = odm.TimeDeltaField(required=False)
    any_span = odm.TimeDeltaField(index=False, required=False)
    shade = odm.EnumField(Shade, by="value", required=False)
    key = odm.UUIDField(required=False)
    paid = odm.DateTimeField(tz="Europe/Zurich", required=False)
    more = odm.JSONField(as_string=False)

    class Meta:
        app_label = "aggregates"


JUNE = date(2014, 6, 9)
MOMENT = datetime(2014, 6, 1, 12, 30, 0, 1)


async def lots(models: Any) -> Any:
    """Store the lots and their owners, and return a query over the lots."""
    ann, bob = Owner(code="ann"), Owner(code="bob")
    session = await store(
        models,
        ann,
        bob,
        Lot(
            owner=ann, ccy="EUR", note="é", size=3, big=10**30, price=0.1, live=True, day=date(2014, 6, 9), data=b"\xff"
        ),
        Lot(owner=ann, ccy="USD", note="z", size=-5, big=-(10**31) + 1, price=0.2, day=date(2014, 6, 1), data=b"a"),
        Lot(owner=bob, ccy="EUR", note="Z", size=4, big=7, price=-0.0, live=True, seen=MOMENT),
        Lot(ccy="CHF"),
    )
    return session.query(Lot)
