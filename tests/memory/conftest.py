"""Fixtures: a private database in memory, and threads that wait."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from stdnet import getdb


@pytest.fixture
def server():
    """An empty database of its own, which is checked afterwards."""
    made = getdb("memory://")
    yield made
    made.check()


@pytest.fixture
def pool():
    """More threads than any test lets wait."""
    with ThreadPoolExecutor(20) as made:
        yield made
