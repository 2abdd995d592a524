"""Values in the format of the Service Layer: days without a zone, separate times, enumerations as text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from bot.erp.values import LocalValues, code

Row = dict[str, Any]
"""A record of an answer."""

_CLOCK = re.compile(r"(\d{1,2}):(\d\d)(?::(\d\d))?(?:\.\d+)?Z?")


def is_yes(value: Any) -> bool:
    """Return a boolean: tYES, or Y in approval requests."""
    return code(value) in ("tYES", "Y")


def rows_of(row: Row, key: str) -> list[Row]:
    """Return the rows inside a record; raises `ValueError` for anything else."""
    found = row.get(key) or []
    if not isinstance(found, list) or any(not isinstance(line, dict) for line in found):
        raise ValueError(f"{key} does not hold rows")
    return found


def day_of(value: Any) -> date | None:
    """Return a day. v1 appends midnight and a meaningless Z: it is a day in the company's own calendar."""
    raw = code(value)
    return date.fromisoformat(raw[:10]) if raw else None


@dataclass(frozen=True, slots=True)
class ValueReader(LocalValues):
    """Reads the values of one installation."""

    def moment(self, day: Any, clock: Any) -> datetime | None:
        """Return a time in the server's zone from a day and a text HH:MM:SS; without one, the start of the day."""
        known = day_of(day)
        if known is None:
            return None
        return datetime.combine(known, _time_of(clock), tzinfo=self.zone)

    def changed(self, row: Row) -> datetime | None:
        """Return when a record was last changed, in whole seconds."""
        return self.moment(row.get("UpdateDate"), row.get("UpdateTime"))


def _time_of(clock: Any) -> time:
    raw = code(clock)
    if not raw:
        return time(0)
    found = _CLOCK.fullmatch(raw)
    if found is None:
        raise ValueError("not a time")
    hours, minutes, seconds = found.groups()
    return time(int(hours), int(minutes), int(seconds or 0))


IN_USE = ("Frozen", "FrozenFrom", "FrozenTo")
"""The fields of a partner or item that say whether it is in use."""


def is_in_use(row: Row, today: date) -> bool:
    """Return whether a partner or item is not inactive, or not today: it may be inactive for some days only."""
    first, last = day_of(row.get("FrozenFrom")), day_of(row.get("FrozenTo"))
    ended = (first is not None and today < first) or (last is not None and today > last)
    return ended or not is_yes(row.get("Frozen"))
