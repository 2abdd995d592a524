"""Codes and numbers: validating, searching and matching them; also fingerprints."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Sequence
from hashlib import blake2b
from typing import Any, TypeVar

from bot.erp.errors import Ambiguous, NotFound

R = TypeVar("R")

LONGEST = 200
"""Maximum length of a code or number; no ERP has longer ones."""
_NO_SIGNS = frozenset({"Cc", "Cs"})
"""Categories of characters that no code has: control characters and lone surrogates."""


def checked_key(key: str, *, source: str, longest: int = LONGEST) -> str:
    """Return a code or number; raises `NotFound` for one that no ERP can have.

    An empty one would be the URL of a list; drivers and URLs refuse control characters and lone surrogates.
    """
    if not can_be_key(key, longest=longest):
        raise NotFound(key[:longest], source=source)
    return key


def can_be_key(key: str, *, longest: int = LONGEST) -> bool:
    """Return whether any ERP could have such a code or number."""
    return (
        bool(key.strip()) and len(key) <= longest and all(unicodedata.category(char) not in _NO_SIGNS for char in key)
    )


def spellings(*keys: str) -> list[str]:
    """Return codes as they are, in upper and in lower case, for case-sensitive ERPs."""
    return list(dict.fromkeys(form for key in keys for form in (key, key.upper(), key.lower())))


def batches(keys: Sequence[R], size: int) -> list[Sequence[R]]:
    """Return keys in batches of at most ``size``."""
    return [keys[start : start + size] for start in range(0, len(keys), size)]


def spelled_alike(rows: Iterable[R], wanted: str, key: Callable[[R], str]) -> list[R]:
    """Return the rows with exactly this code, else those that differ only in case."""
    alike = [row for row in rows if key(row).casefold() == wanted.casefold()]
    return [row for row in alike if key(row) == wanted] or alike


def pick_by_key(rows: Iterable[R], wanted: str, key: Callable[[R], str], *, source: str) -> R:
    """Return the row with a code, preferably in the same case; raises `NotFound`.

    Raises `Ambiguous` if several have it, such as two companies with the same numbers: choosing one would be a guess.
    """
    found = spelled_alike(rows, wanted, key)
    if not found:
        raise NotFound(wanted, source=source)
    if len(found) > 1:
        raise Ambiguous(wanted, len(found), source=source)
    return found[0]


def escape_like(text: str) -> str:
    """Return a LIKE pattern that matches exactly this text."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def fingerprint(*parts: Any) -> str:
    """Return a short hash of the parts, as a version for ERPs without one; the ``repr`` of each part must be exact."""
    return blake2b(repr([*parts]).encode(), digest_size=12).hexdigest()
