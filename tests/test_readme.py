"""The Python snippets of the README run, in order, and print what the comments beside them say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

README = Path(__file__).parents[1] / "README.md"
SNIPPET = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PRINTED = re.compile(r"^ *print\(.*\)(?:  # .+\n|\n(?: *# .+\n)+)", re.MULTILINE)
COMMENT = re.compile(r" # (.+)$", re.MULTILINE)


def test_the_snippets_of_the_readme(capsys: pytest.CaptureFixture[str]) -> None:
    snippets = SNIPPET.findall(README.read_text(encoding="utf-8"))
    assert len(snippets) == 14
    names: dict[str, object] = {"__name__": "__main__"}
    for snippet in snippets:
        exec(compile(snippet, str(README), "exec"), names)
        said = [" ".join(COMMENT.findall(printed)) for printed in PRINTED.findall(snippet)]
        assert capsys.readouterr().out.splitlines() == said
