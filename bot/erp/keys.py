"""Codes and numbers: which can exist at all, how they are looked for, which record has one; and fingerprints."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Sequence
from hashlib import blake2b
from typing import Any, TypeVar

from bot.erp.errors import Invalid, NotFound

R = TypeVar("R")

LONGEST = 200
"""Characters of a code or number at most; no ERP has longer ones."""


def checked_key(key: str, *, source: str, longest: int = LONGEST) -> str:
    """Return a code or number that is worth asking for; raises `NotFound` for one that no ERP can have.

    An empty one would address a list; control characters and halves of characters pass no driver and no address.
    """
    if not key.strip() or len(key) > longest or any(unicodedata.category(char) in {"Cc", "Cs"} for char in key):
        raise NotFound(key[:longest], source=source)
    return key


def spellings(*keys: str) -> list[str]:
    """Return codes as they are, in capitals and in small letters, for ERPs that may tell cases apart."""
    return list(dict.fromkeys(form for key in keys for form in (key, key.upper(), key.lower())))


def batches(keys: Sequence[R], size: int) -> list[Sequence[R]]:
    """Return keys in parts that one question can name."""
    return [keys[start : start + size] for start in range(0, len(keys), size)]


def spelled_alike(rows: Iterable[R], wanted: str, key: Callable[[R], str]) -> list[R]:
    """Return the rows with a code in any case; if some are spelled exactly so, only these."""
    alike = [row for row in rows if key(row).casefold() == wanted.casefold()]
    return [row for row in alike if key(row) == wanted] or alike


def pick_by_key(rows: Iterable[R], wanted: str, key: Callable[[R], str], *, source: str) -> R:
    """Return the row with a code, to the letter or else in any case; raises `NotFound`.

    Raises `Invalid` where several have it, such as two companies with the same numbers: to take any would be a guess.
    """
    found = spelled_alike(rows, wanted, key)
    if not found:
        raise NotFound(wanted, source=source)
    if len(found) > 1:
        raise Invalid(f"{len(found)} records are called {wanted}", source=source)
    return found[0]


def escape_like(text: str) -> str:
    """Return a text as a pattern of SQL's LIKE that means just this text."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def fingerprint(*parts: Any) -> str:
    """Return a short sign that changes with any part, for ERPs that keep no version; parts need an exact ``repr``."""
    return blake2b(repr([*parts]).encode(), digest_size=12).hexdigest()
