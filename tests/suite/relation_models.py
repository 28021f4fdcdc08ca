"""Models of the suite that are related to each other, and how a test touches a relation with either runner."""

from __future__ import annotations

from typing import Any

from stdnet import odm


class Group(odm.StdModel):
    name = odm.SymbolField()
    description = odm.CharField()

    class Meta:
        app_label = "related"


class Person(odm.StdModel):
    name = odm.SymbolField()
    group = odm.ForeignKey(Group)

    class Meta:
        app_label = "related"


class Node(odm.StdModel):
    parent = odm.ForeignKey("self", related_name="children", required=False)
    weight = odm.FloatField(required=False)

    class Meta:
        app_label = "related"


class CrossData(odm.StdModel):
    name = odm.SymbolField()

    class Meta:
        app_label = "related"


class FeedBase(odm.StdModel):
    name = odm.SymbolField()
    live = odm.ForeignKey(CrossData, required=False)
    prev = odm.ForeignKey(CrossData, required=False)

    class Meta:
        abstract = True


class Feed1(FeedBase):
    class Meta:
        app_label = "related"


class Feed2(FeedBase):
    class Meta:
        app_label = "related"


class City(odm.StdModel):
    name = odm.SymbolField()
    state = odm.ForeignKey("related.State", related_name="cities")

    class Meta:
        app_label = "related"


class State(odm.StdModel):
    code = odm.SymbolField(primary_key=True)
    name = odm.SymbolField(required=False)

    class Meta:
        app_label = "related"


class Manager(odm.StdModel):
    name = odm.SymbolField(unique=True)

    class Meta:
        app_label = "related"


class Portfolio(odm.StdModel):
    name = odm.SymbolField(unique=True)
    manager = odm.ForeignKey(Manager, required=False, related_name="portfolios")

    class Meta:
        app_label = "related"


class Instrument(odm.StdModel):
    name = odm.SymbolField(unique=True)
    ccy = odm.SymbolField()
    price = odm.FloatField(required=False)

    class Meta:
        app_label = "related"


class Position(odm.StdModel):
    portfolio = odm.ForeignKey(Portfolio, related_name="positions")
    instrument = odm.ForeignKey(Instrument, related_name="positions")
    size = odm.IntegerField()
    note = odm.CharField()

    class Meta:
        app_label = "related"


class Entry(odm.StdModel):
    id = odm.CompositeIdField("book", "word")
    book = odm.SymbolField()
    word = odm.SymbolField()
    note = odm.CharField()

    class Meta:
        app_label = "related"


class Remark(odm.StdModel):
    entry = odm.ForeignKey(Entry, related_name="remarks")
    text = odm.CharField()

    class Meta:
        app_label = "related"


class Role(odm.StdModel):
    name = odm.SymbolField(unique=True)

    class Meta:
        app_label = "related"


class Profile(odm.StdModel):
    name = odm.SymbolField()
    roles = odm.ManyToManyField(Role, related_name="profiles")

    class Meta:
        app_label = "related"


class Membership(odm.StdModel):
    level = odm.IntegerField()
    note = odm.CharField()

    class Meta:
        app_label = "related"


class Club(odm.StdModel):
    name = odm.SymbolField()

    class Meta:
        app_label = "related"


class Member(odm.StdModel):
    name = odm.SymbolField()
    clubs = odm.ManyToManyField(Club, through=Membership, related_name="members")

    class Meta:
        app_label = "related"


class User(odm.StdModel):
    name = odm.SymbolField(unique=True)
    following = odm.ManyToManyField("self", related_name="followers")

    class Meta:
        app_label = "related"


async def related(instance: Any, name: str) -> Any:
    """Return what a relation leads to, loaded if it has to be."""
    return await instance.load(name) if instance.session.is_async else getattr(instance, name)


def names(instances: Any) -> list[str]:
    return [each.name for each in instances]
