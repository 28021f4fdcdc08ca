"""fakeredis, a Redis in the process: the hand-written pipelines of the floor run on it as they are."""

from __future__ import annotations

from fakeredis import FakeRedis

from ..floor_redis import Pipelines


def contestant(url: str) -> Pipelines:
    """Return the pipelines on an engine of their own; ``url`` says nothing to it."""
    return Pipelines(FakeRedis())
