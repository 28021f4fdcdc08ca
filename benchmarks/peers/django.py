"""Django on SQLite in memory."""

from __future__ import annotations

from typing import Any

import django
from django.conf import settings
from django.db import connection, models, transaction

settings.configure(
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    INSTALLED_APPS=[__name__],  # relations of models outside of an application are not followed
)
django.setup()


class Position(models.Model):
    """A row."""

    name = models.TextField(unique=True)
    ccy = models.TextField(db_index=True)
    sector = models.TextField(db_index=True)
    price = models.FloatField()
    size = models.IntegerField(db_index=True)
    dt = models.DateField()

    class Meta:
        app_label = "django"


class Instrument(models.Model):
    """What a holding refers to."""

    name = models.TextField(db_index=True)
    ccy = models.TextField(db_index=True)
    price = models.FloatField()

    class Meta:
        app_label = "django"


class Holding(models.Model):
    """A row with a foreign key."""

    instrument = models.ForeignKey(Instrument, on_delete=models.CASCADE)
    desk = models.TextField(db_index=True)
    size = models.IntegerField(db_index=True)

    class Meta:
        app_label = "django"


TABLES = [Position, Instrument, Holding]


def contestant(url: str) -> Tables:
    """Return the contestant; ``url`` says nothing to it."""
    return Tables()


class Tables:
    """The tables, one set of them at a time."""

    def __init__(self) -> None:
        with connection.schema_editor() as editor:
            for table in TABLES:
                editor.create_model(table)

    def insert(self, data: list[dict[str, Any]]) -> None:
        if len(data) == 1:
            Position.objects.create(**data[0])
            return
        Position.objects.bulk_create([Position(**values) for values in data])

    def by_key(self, id: int) -> Any:
        return Position.objects.get(pk=id)

    def by_name(self, name: str) -> Any:
        return Position.objects.get(name=name)

    def equal(self, ccy: str) -> list[Any]:
        return list(Position.objects.filter(ccy=ccy).order_by("id"))

    def both(self, ccy: str, sector: str) -> list[Any]:
        return list(Position.objects.filter(ccy=ccy, sector=sector).order_by("id"))

    def between(self, low: int, high: int) -> list[Any]:
        return list(Position.objects.filter(size__gte=low, size__lt=high).order_by("id"))

    def count(self, ccy: str) -> int:
        return Position.objects.filter(ccy=ccy).count()

    def first(self, n: int) -> list[Any]:
        return list(Position.objects.order_by("size")[:n])

    def enlarge(self, ids: list[int]) -> None:
        with transaction.atomic():
            found = list(Position.objects.filter(id__in=ids))
            for position in found:
                position.size += 1
            Position.objects.bulk_update(found, ["size"], batch_size=100)

    def increase(self, ids: list[int]) -> None:
        Position.objects.filter(id__in=ids).update(size=models.F("size") + 1)

    def delete(self, ids: list[int]) -> None:
        Position.objects.filter(id__in=ids).delete()

    def hold(self, instruments: list[dict[str, Any]], holdings: list[dict[str, Any]]) -> None:
        with transaction.atomic():
            made = Instrument.objects.bulk_create([Instrument(**values) for values in instruments])
            Holding.objects.bulk_create(
                [Holding(**{**values, "instrument": made[values["instrument"]]}) for values in holdings]
            )

    def eager(self, desk: str) -> list[Any]:
        return list(Holding.objects.filter(desk=desk).select_related("instrument").order_by("id"))

    def across(self, ccy: str) -> list[Any]:
        return list(Holding.objects.filter(instrument__ccy=ccy).order_by("id"))

    def cascade(self, ids: list[int]) -> int:
        _, each = Instrument.objects.filter(id__in=ids).delete()
        return each["django.Holding"]

    def close(self) -> None:
        with connection.schema_editor() as editor:
            for table in reversed(TABLES):
                editor.delete_model(table)
