"""What ours stores as models of stdnet."""

from __future__ import annotations

from stdnet import odm
from stdnet.utils.encoders import Bytes, Double


class Position(odm.StdModel):
    """One unique text, two indexed texts, a float, a range-indexed integer and a date."""

    name = odm.SymbolField(unique=True)
    ccy = odm.SymbolField()
    sector = odm.SymbolField()
    price = odm.FloatField()
    size = odm.IntegerField()
    dt = odm.DateField(index=False)

    class Meta:
        app_label = "bench"


class Instrument(odm.StdModel):
    """What a holding refers to."""

    name = odm.SymbolField()
    ccy = odm.SymbolField()
    price = odm.FloatField()

    class Meta:
        app_label = "bench"


class Holding(odm.StdModel):
    """A foreign key, an indexed text and a range-indexed integer."""

    instrument = odm.ForeignKey(Instrument, related_name="holdings")
    desk = odm.SymbolField()
    size = odm.IntegerField()

    class Meta:
        app_label = "bench"


class Basket(odm.StdModel):
    """A row with structures; values are kept as the bytes that they are."""

    queue = odm.ListField(value_pickler=Bytes())
    ranking = odm.SetField(ordered=True, value_pickler=Bytes())
    table = odm.HashField(value_pickler=Bytes())
    series = odm.TimeSeriesField(pickler=Double(), value_pickler=Bytes())

    class Meta:
        app_label = "bench"


class Page(odm.StdModel):
    """A document."""

    text = odm.CharField()

    class Meta:
        app_label = "bench"
