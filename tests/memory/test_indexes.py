"""Indexes when many rows go at once: they are made anew then, and taken out one by one when they are few."""

from __future__ import annotations

import pytest

from stdnet import odm


class Stone(odm.StdModel):
    name = odm.SymbolField(unique=True, required=False)
    kind = odm.SymbolField(required=False)
    weight = odm.FloatField(required=False, index=True)
    year = odm.IntegerField(required=False, unique=True)

    class Meta:
        app_label = "memory"


@pytest.mark.parametrize("gone", [1, 2, 12, 13, 100, 199, 200])
def test_what_is_left_when_rows_are_deleted(gone: int) -> None:
    models = odm.Router("memory://")
    models.register(Stone)
    with models.session().begin() as t:
        for n in range(200):
            blank = n % 5 == 0
            kind, weight = f"k{n % 3}", n / 4 if n % 2 else 0.5
            t.add(
                Stone(name=None if blank else f"n{n}", kind=None if blank else kind, weight=None if blank else weight)
            )
    left = range(gone + 1, 201)
    models[Stone].filter(id__le=gone).delete()
    models[Stone].backend.check()
    assert [stone.id for stone in models[Stone].all()] == list(left)
    assert models[Stone].filter(kind="k1").count() == len([id for id in left if (id - 1) % 5 and (id - 1) % 3 == 1])
    assert models[Stone].filter(weight__isnull=True).count() == len([id for id in left if (id - 1) % 5 == 0])
    assert models[Stone].filter(weight__ge=0).count() == len([id for id in left if (id - 1) % 5])
    again = models[Stone].new(name=f"n{gone - 1}")  # which is free now
    assert again.id == 201
