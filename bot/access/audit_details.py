"""What entries of the audit log say in words: kept in English, and told to each reader in their language."""

from __future__ import annotations

import re

from bot.phrase import Phrase, phrase

HIDDEN_DOCUMENT = phrase("there is none that the rules open to them")
NO_MEMBER = phrase("not known as a member")


def say_limit(allowed: int) -> Phrase:
    """Return that there was more than is allowed."""
    return phrase("more than %(allowed)s", allowed=allowed)


def say_rows(rows: int, total: int) -> Phrase:
    """Return how much of a list went into a file."""
    return phrase("%(rows)s of %(total)s rows", rows=rows, total=total)


_WITH_VALUES = (
    "more than %(allowed)s",
    "%(rows)s of %(total)s rows",
    "/%(command)s is only for: %(roles)s.",
    "/%(command)s is not open in this conversation.",
    "Rule “%(rule)s” does not let you see this document.",
)
_VALUE = re.compile(r"%\((\w+)\)s")


def _pattern(msgid: str) -> re.Pattern[str]:
    pieces = _VALUE.split(msgid)
    names = [f"(?P<{piece}>.+?)" if place % 2 else re.escape(piece) for place, piece in enumerate(pieces)]
    return re.compile("".join(names), re.DOTALL)


_PATTERNS = {msgid: _pattern(msgid) for msgid in _WITH_VALUES}


def read_detail(kept: str) -> Phrase | str:
    """Return what an entry says, for a reader of any language: what no catalogue has is shown as it is kept."""
    for msgid, pattern in _PATTERNS.items():
        if match := pattern.fullmatch(kept):
            return Phrase(msgid, match.groupdict())
    return Phrase(kept) if kept else ""
