"""Text inside a FilterString: the one place where what people type meets the ERP's query language (sheet, 1.6).

A code or number becomes a quoted literal; free text becomes a pattern of its letters and digits alone, which matches
more rather than less, and the answer is filtered exactly afterwards.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime

LONGEST = 100
"""Characters of a code or number at most; the ERP's own are shorter."""
_LONGEST_PATTERN = 200


def literal(text: str) -> str:
    """Return a text as a literal: a quote is doubled, so that the literal ends where it should."""
    return "'" + text.replace("'", "''") + "'"


def one_of(field: str, texts: Iterable[object]) -> str:
    """Return the condition that a field is one of these."""
    return f"{field} in ({','.join(literal(str(text)) for text in texts)})"


def is_code(text: str) -> bool:
    """Return whether what somebody typed can be a code or number at all: not empty, not long, no control characters."""
    return 0 < len(text) <= LONGEST and text.isprintable() and not text.isspace()


def spelled(field: str, *codes: str) -> str:
    """Return the condition that a field is one of these codes in some case; a database may tell cases apart."""
    return one_of(field, dict.fromkeys(form for code in codes for form in (code, code.upper(), code.lower())))


def contains(fields: Iterable[str], text: str) -> str:
    """Return a condition that holds wherever a field contains a text, and perhaps elsewhere: filter again."""
    pattern = "%" + "%".join(re.findall(r"[^\W_]+", text)) + "%"
    wanted = literal(pattern[:_LONGEST_PATTERN].rstrip("%") + "%")
    return "(" + " or ".join(f"{field} like {wanted}" for field in fields) + ")"


def all_of(*conditions: str) -> str:
    """Return a condition that all of these hold; empty ones are left out."""
    return " and ".join(filter(None, conditions))


def day_text(day: date) -> str:
    """Return a day as a literal."""
    return literal(day.isoformat())


def time_text(moment: datetime) -> str:
    """Return a time of the server's zone as a literal, cut off to the second."""
    return literal(f"{moment:%Y-%m-%d %H:%M:%S}")
