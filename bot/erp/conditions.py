"""Parts of textual conditions that several ERPs share."""

from __future__ import annotations


def literal(text: str) -> str:
    """Return a text as a literal, with its quotes doubled."""
    return "'" + text.replace("'", "''") + "'"


def all_of(*conditions: str) -> str:
    """Join non-empty conditions with AND."""
    return " and ".join(filter(None, conditions))
