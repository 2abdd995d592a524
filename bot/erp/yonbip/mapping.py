"""Single values as the platform spells them: exact numbers, times in China's zone, many ways to say nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from bot.erp.values import LocalValues

Row = dict[str, Any]
"""A record of an answer: a header, or a header together with one of its lines."""

_NEVER = 9000
"""A year from which on a date stands for none: a term without an end is 9999-12-31."""


def text(value: Any) -> str:
    """Return a text untouched, empty for none."""
    return "" if value is None else str(value)


def code(value: Any) -> str:
    """Return a code, state or id as text: ids have up to 19 digits and come as numbers and as texts."""
    return text(value).strip()


def is_true(value: Any) -> bool:
    """Return a truth value, which comes as a boolean, a number or a text."""
    return code(value).lower() in ("true", "1")


@dataclass(frozen=True, slots=True)
class ValueReader(LocalValues):
    """Reads values that depend on the tenant: its zone, and what it calls currencies."""

    def time(self, value: Any) -> datetime | None:
        """Return a time in whole seconds: local without an offset, or milliseconds since 1970 (the workflow's)."""
        told = code(value)
        if told in ("", "null"):
            return None
        moment = datetime.fromtimestamp(int(told) // 1000, UTC) if told.isdecimal() else datetime.fromisoformat(told)
        if moment.year >= _NEVER or moment.year == 1:
            return None
        moment = moment.replace(microsecond=0)
        return moment if moment.tzinfo else moment.replace(tzinfo=self.zone)

    def day(self, value: Any) -> date | None:
        """Return the day of a date, which comes with the time of midnight."""
        moment = self.time(value)
        return moment.date() if moment else None

    def currency(self, *names: Any) -> str:
        """Return the ISO code of a currency by its code or name, the first that is known; empty for none."""
        return self.iso(*map(code, names))
