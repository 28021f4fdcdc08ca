"""Type checkers see through models without a plugin: ``right.py`` has no error, ``wrong.py`` has those it names."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import mypy.api
import pytest

HERE = Path(__file__).parent
ROOT = HERE.parent.parent


def run_mypy(tmp_path: Path) -> set[tuple[str, int, str]]:
    options = ["--strict", "--config-file=", f"--cache-dir={ROOT / '.mypy_cache'}", "--output=json"]
    out, err, _ = mypy.api.run([*options, str(HERE / "right.py"), str(HERE / "wrong.py")])
    assert not err, err
    found = [json.loads(line) for line in out.splitlines() if line.startswith("{")]
    return {(Path(each["file"]).name, each["line"], each["message"]) for each in found if each["severity"] == "error"}


def run_pyright(tmp_path: Path) -> set[tuple[str, int, str]]:
    config = tmp_path / "pyrightconfig.json"
    files = [str(HERE / name) for name in ("right.py", "wrong.py")]
    config.write_text(json.dumps({"include": files, "typeCheckingMode": "standard", "extraPaths": [str(ROOT)]}))
    command = [sys.executable, "-m", "basedpyright", "--outputjson", "--pythonpath", sys.executable, "-p", str(config)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = json.loads(done.stdout)["generalDiagnostics"]
    return {
        (Path(each["file"]).name, each["range"]["start"]["line"] + 1, each["message"])
        for each in found
        if each["severity"] == "error"
    }


CHECKERS: dict[str, Callable[[Path], set[tuple[str, int, str]]]] = {"mypy": run_mypy}
if find_spec("basedpyright"):
    CHECKERS["basedpyright"] = run_pyright


@pytest.mark.parametrize("checker", sorted(CHECKERS))
def test_a_type_checker_accepts_what_is_right_and_refuses_what_is_wrong(checker: str, tmp_path: Path) -> None:
    found = CHECKERS[checker](tmp_path)
    assert [each for each in sorted(found) if each[0] == "right.py"] == []
    lines = (HERE / "wrong.py").read_text().splitlines()
    expected = {number for number, line in enumerate(lines, 1) if "  # wrong" in line}
    refused = {number: message for name, number, message in found if name == "wrong.py"}
    assert {lines[n - 1].strip(): refused.get(n) for n in expected ^ refused.keys()} == {}
    assert len(expected) > 20
