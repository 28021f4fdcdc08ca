"""Make verses.txt: Genesis and the Psalms in the King James Version, one verse a line: its place, a tab, its text.

Run ``apt-get install bible-kjv`` and this file; it asks that Debian package's command ``bible``.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

BOOKS = {"Genesis": "Ge1:1-Ge50:26", "Psalm": "Ps1:1-Ps150:6"}
VERSE = re.compile(r"\D+?(?P<place>\d+:\d+) (?P<text>.+)")


def verses(book: str, place: str) -> list[str]:
    """Return the lines of one book."""
    command = ["bible", "-f", place]
    lines = subprocess.run(command, check=True, capture_output=True, text=True, stdin=subprocess.DEVNULL).stdout
    matches = (VERSE.fullmatch(line) for line in lines.splitlines())
    return [f"{book} {match['place']}\t{match['text'].strip()}\n" for match in matches if match]


if __name__ == "__main__":
    lines = [line for book, place in BOOKS.items() for line in verses(book, place)]
    Path(__file__).with_name("verses.txt").write_text("".join(lines), encoding="utf-8")
