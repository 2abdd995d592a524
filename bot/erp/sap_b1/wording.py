"""Text inside a ``$filter``: the one place where what people type meets the ERP's query language (sheet, 5.2).

A code becomes a quoted literal, and a number an integer. Free text becomes conditions that match more rather than less;
the answer is filtered exactly afterwards.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from urllib.parse import quote, urlencode

LONGEST = 100
"""Characters of a code or number at most; the ERP's own are shorter."""
_LONGEST_PART = 50
"""Characters of a searched text that are sent: conditions stand in the address, whose length is limited."""


def literal(text: str) -> str:
    """Return a text as a literal: a quote is doubled, so that the literal ends where it should."""
    return "'" + text.replace("'", "''") + "'"


def is_code(text: str) -> bool:
    """Return whether what somebody typed can be a code or number at all: not empty, not long, no control characters."""
    return 0 < len(text) <= LONGEST and text.isprintable() and not text.isspace()


def equals(field: str, value: str | int) -> str:
    """Return the condition that a field has a value."""
    return f"{field} eq {value if isinstance(value, int) else literal(value)}"


def one_of(field: str, values: Iterable[str | int]) -> str:
    """Return the condition that a field has one of these values: there is no ``in``."""
    return either(*(equals(field, value) for value in values))


def spelled(field: str, text: str) -> str:
    """Return the condition that a field is a code in some case: old releases tell cases apart in any event."""
    return one_of(field, dict.fromkeys((text, text.upper(), text.lower())))


def contains(fields: Iterable[str], text: str) -> str:
    """Return a condition that holds wherever a field contains a text, and perhaps elsewhere: filter again.

    Control characters are left out, and what stands between them is looked for by itself.
    """
    parts = [part for part in re.split(r"[\x00-\x1f\x7f\u2028\u2029]+", text[:_LONGEST_PART]) if part.strip()]
    return either(*(all_of(*(f"contains({field},{literal(part)})" for part in parts)) for field in fields))


def either(*conditions: str) -> str:
    """Return a condition that one of these holds; empty ones are left out."""
    known = [condition for condition in conditions if condition]
    return known[0] if len(known) == 1 else f"({' or '.join(known)})" if known else ""


def all_of(*conditions: str) -> str:
    """Return a condition that all of these hold; empty ones are left out."""
    return " and ".join(filter(None, conditions))


def day_text(day: date, version: str) -> str:
    """Return a day as a literal: quoted in v1 only."""
    return day.isoformat() if version == "v2" else literal(day.isoformat())


def query_text(**options: str) -> str:
    """Return system options as the query of an address; blanks become %20, as not every server reads a plus."""
    told = {f"${name}": value for name, value in options.items() if value}
    return urlencode(told, safe="$(),'", quote_via=quote)
