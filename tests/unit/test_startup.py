"""What a program loads until its first answer from memory: nothing that takes long and that it does not need."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAM = """
import sys
known = set(sys.modules)
from stdnet import odm
class City(odm.StdModel):
    name = odm.SymbolField(unique=True)
models = odm.Router("memory://")
models.register(City)
models.city.new(name="Genoa")
assert models.city.get(name="Genoa").name == "Genoa"
print(*sorted(set(sys.modules) - known))
"""
LATE = {
    "ast", "asyncio", "concurrent.futures", "csv", "dataclasses", "difflib", "hashlib", "inspect", "logging", "pickle",
    "redis", "stdnet.apps", "stdnet.backends.redis", "stdnet.odm.explain", "stdnet.odm.serializers",
    "stdnet.odm.updates", "stdnet.odm.where", "urllib.parse", "uuid", "zoneinfo",
}  # fmt: skip
OURS, ALL = 85, 150
"""How many modules there are at most: of stdnet, and beside what Python has loaded by itself."""


@pytest.fixture(scope="module")
def loaded() -> set[str]:
    """The modules that a fresh process has after its first answer, in a Python that loads nothing else by itself."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COVERAGE_PROCESS_START": ""}
    made = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=True, timeout=60
    )
    return set(made.stdout.split())


def test_what_is_not_loaded(loaded: set[str]) -> None:
    assert loaded & LATE == set()


def test_how_much_is_loaded(loaded: set[str]) -> None:
    assert len([name for name in loaded if name.partition(".")[0] == "stdnet"]) <= OURS
    assert len(loaded) <= ALL


def test_late_names_are_there() -> None:
    from stdnet import odm

    assert set(odm.__all__) <= set(dir(odm))
    assert [name for name in odm.__all__ if getattr(odm, name) is None] == []
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        odm.Nothing  # noqa: B018
