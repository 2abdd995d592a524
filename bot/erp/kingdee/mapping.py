"""Single values as the WebAPI spells them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from bot.erp.values import LocalValues

Row = dict[str, Any]
"""One line of an answer by the documented field keys; an optional field that this installation lacks is missing."""


def text(value: Any) -> str:
    """Return a text untouched, an empty one for the single blank that stands for nothing.

    A name in several languages (a list by language) gives its first.
    """
    match value:
        case None:
            return ""
        case [{"Value": first}, *_]:
            return text(first)
        case str():
            return "" if value.isspace() else value
        case _:
            return str(value)


def code(value: Any) -> str:
    """Return a code, status or id as text without the blanks that fixed columns add."""
    return text(value).strip()


def is_true(value: Any) -> bool:
    """Return a truth value, which comes as a boolean, a text or a number."""
    return value is True or str(value).strip().lower() in ("true", "1")


@dataclass(frozen=True, slots=True)
class ValueReader(LocalValues):
    """Reads values that depend on the installation: its zone, and what it calls currencies."""

    def time(self, value: Any) -> datetime | None:
        """Return a time; without an offset it is the server's local time. The year 1 stands for none."""
        told = code(value)
        if told in ("", "null") or told.startswith("0001-"):
            return None
        moment = datetime.fromisoformat(told)
        return moment if moment.tzinfo else moment.replace(tzinfo=self.zone)

    def day(self, value: Any) -> date | None:
        """Return the day of a date, which comes with the time of midnight."""
        moment = self.time(value)
        return moment.date() if moment else None

    def currency(self, row: Row, key: str) -> str:
        """Return the ISO code of a currency, empty where it is not known."""
        return self.iso(code(row.get(f"{key}.FCode")), code(row.get(f"{key}.FName")))
