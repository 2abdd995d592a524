"""A program of its own, run by `bot.erp.index.pinyin`: a list of characters in, an object of their readings out."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable


def main() -> None:
    """Answer the question on standard input."""
    json.dump(read(json.load(sys.stdin)), sys.stdout)


def read(characters: Iterable[str]) -> dict[str, list[str]]:
    """Return each character's readings without tones, the usual one first; ü is ``v``, as it is typed."""
    # Imported here alone: it costs tens of megabytes.
    from pypinyin import Style, pinyin

    found = {}
    for char in characters:
        spellings = pinyin(char, style=Style.NORMAL, heteronym=True, errors="ignore")
        known = spellings[0] if spellings else ()
        readings = dict.fromkeys(reading for reading in known if reading.isascii() and reading.isalpha())
        found[char] = list(readings)
    return found


if __name__ == "__main__":
    main()
