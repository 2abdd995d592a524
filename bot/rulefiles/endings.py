"""Detects truncated rule files: an editor, a copy or a full disk may leave a first half that still parses."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping

from bot.words.phrase import Phrase, Words, phrase

END = "# end"
"""The last line of a file that declares it complete."""

_NAME = re.compile(r"^\s*name\s*=\s*[\"'](.+)[\"']", re.MULTILINE)
_NAMED = 5
"""Names of lost rules written out."""


def find_loss(before: bytes, after: bytes, *, word: str) -> Words:
    """Return what a file may have lost by accident; empty if nothing, or if it declares itself complete.

    Both are documents that parse; ``word`` is the flag that declares a document without rules. A truncated file has
    fewer tables than before, or a shorter last one.
    """
    old, new = before.decode("utf-8-sig"), after.decode("utf-8-sig")
    was, became = tomllib.loads(old), tomllib.loads(new)
    if _says_whole(new) or (became.get(word) is True and was.get(word) is not True):
        return ""
    lost = [*_find_lost(was, became)]
    if not lost:
        return phrase("its last line %(end)s is gone", end=f"{END!r}") if _says_whole(old) else ""
    kept = {*_NAME.findall(new)}
    names = [f"“{name}”" for name in dict.fromkeys(_NAME.findall(old)) if name not in kept]
    told = (*names[:_NAMED], *(["…"] if len(names) > _NAMED else []))
    return (
        phrase("%(lost)s (%(names)s)", lost=tuple(lost), names=told) if told else phrase("%(text)s", text=tuple(lost))
    )


def _says_whole(text: str) -> bool:
    return text.rstrip().rpartition("\n")[2].strip() == END


def _find_lost(old: Mapping[str, object], new: Mapping[str, object]) -> Iterator[Phrase]:
    for key, value in old.items():
        there = new.get(key)
        before, after = _count_tables(value), _count_tables(there)
        if not before and value and key not in new:
            yield phrase("%(key)s is gone", key=key)
        elif after < before:
            yield phrase("%(lost)s of %(num)s tables of %(key)s are gone", lost=before - after, num=before, key=key)
        elif after == before and _size(_last(there)) < _size(_last(value)):
            yield phrase("the last entry of %(key)s is shorter", key=key)


def _count_tables(value: object) -> int:
    """Return the number of tables in a value, at any depth."""
    if isinstance(value, dict):
        return 1 + sum(map(_count_tables, value.values()))
    return sum(map(_count_tables, value)) if isinstance(value, list) else 0


def _last(value: object) -> object:
    return value[-1] if isinstance(value, list) and value else value


def _size(value: object) -> int:
    """Return the number of keys in a value, at any depth."""
    if isinstance(value, dict):
        return len(value) + sum(map(_size, value.values()))
    return sum(map(_size, value)) if isinstance(value, list) else 0
