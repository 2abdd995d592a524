"""Columns: what a list, a file or a card says of each record, with what it is called."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from bot.words.phrase import Phrase


@dataclass(frozen=True, slots=True)
class Column:
    """What is said of a record: its heading, and the attribute that it shows, or what it makes of the record.

    A method is called with the day of the list, such as ``days_late``. On a card ``bold`` stands out, and ``beside``
    follows on the same line.
    """

    heading: Phrase
    shows: str | Callable[[Any], object]
    bold: bool = False
    beside: tuple[Column, ...] = ()

    def of(self, row: Any, today: date | None) -> object:
        """Return the value of this column in a row."""
        if not isinstance(self.shows, str):
            return self.shows(row)
        value = getattr(row, self.shows)
        return value(today) if callable(value) else value
