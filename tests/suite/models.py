"""Models of the suite, after those of the specification's golden examples."""

from __future__ import annotations

from datetime import date, datetime

from stdnet import odm


class SimpleModel(odm.StdModel):
    code = odm.SymbolField(unique=True)
    group = odm.SymbolField(required=False)
    description = odm.CharField()
    somebytes = odm.ByteField()
    cached_data = odm.ByteField(as_cache=True)
    timestamp = odm.DateTimeField(as_cache=True)
    number = odm.FloatField(required=False)

    class Meta:
        app_label = "suite"

    def __str__(self) -> str:
        return str(self.code)


class Base(odm.StdModel):
    name = odm.SymbolField(unique=True)
    ccy = odm.SymbolField()

    class Meta:
        abstract = True

    def __unicode__(self) -> str:
        return str(self.name)


class Fund(Base):
    description = odm.CharField()
    size = odm.IntegerField(default=0)
    price = odm.FloatField(required=False, index=True)
    opened = odm.DateField(required=False)
    active = odm.BooleanField()

    class Meta:
        app_label = "suite"


class SportAtDate(odm.StdModel):
    person = odm.SymbolField()
    name = odm.SymbolField()
    dt = odm.DateField()

    class Meta:
        app_label = "suite"
        ordering = "dt"


class SportAtDate2(odm.StdModel):
    person = odm.SymbolField()
    name = odm.SymbolField()
    dt = odm.DateField()

    class Meta:
        app_label = "suite"
        ordering = "-dt"


class Country(odm.StdModel):
    code = odm.SymbolField(primary_key=True)
    name = odm.SymbolField()

    class Meta:
        app_label = "suite"


class Word(odm.StdModel):
    text = odm.SymbolField(primary_key=True)

    class Meta:
        app_label = "suite"
        ordering = -odm.autoincrement()


class Event(odm.StdModel):
    when = odm.DateTimeField(index=True)
    created = odm.DateTimeField(default=datetime.now)
    day = odm.DateField(default=date.today)

    class Meta:
        app_label = "suite"
