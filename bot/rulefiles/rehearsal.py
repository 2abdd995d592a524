"""What rules that are not in force yet would change, as a page shows it."""

from __future__ import annotations

from dataclasses import dataclass

from bot.words.phrase import Phrase, Words


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """``figures`` are compared: what, now, and with the new rules. ``rows`` are what would be different.

    ``notes`` say what was looked at, and what was left out.
    """

    figures: tuple[tuple[Phrase, Words, Words], ...] = ()
    headings: tuple[Phrase, ...] = ()
    rows: tuple[tuple[Words, ...], ...] = ()
    notes: tuple[Words, ...] = ()
