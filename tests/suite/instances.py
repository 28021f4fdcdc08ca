"""What the tests of instances share: a row with all values, a part of it, and the verbs of either kind of session."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from stdnet import odm

from ..conftest import do
from .models import SimpleModel

User = odm.create_model("User", "name", "email", "name")


def verb(instance: Any, name: str) -> Any:
    """Call a verb of an instance by the name that it has in the instance's kind of session."""
    return getattr(instance, f"a{name}" if isinstance(instance.session, odm.AsyncSession) else name)


def wrong_verb(instance: Any, name: str) -> Any:
    """Return the verb of the other kind of session."""
    return getattr(instance, name if isinstance(instance.session, odm.AsyncSession) else f"a{name}")


def full() -> SimpleModel:
    return SimpleModel(
        code="a",
        group="g",
        description="text é",
        somebytes=b"\xff\x00",
        cached_data=b"cache",
        timestamp=datetime(2020, 5, 17, 12, 30, 0, 1),
        number=0,
    )


async def part_of(models: Any, *names: str) -> Any:
    await do(models.session().add(full()))
    return await do(models.simplemodel.query().load_only(*names).get())
