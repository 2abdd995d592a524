"""Values in the format of the platform; common ones are in `bot.erp.values`."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bot.erp.record_parts import RecordOrigin
from bot.erp.values import LocalValues, code, text

Row = dict[str, Any]
"""A record of an answer: a header, or a header merged with one of its lines."""

_NONE_YEARS = frozenset((1, *range(9000, 10_000)))
"""Years that mean no day: a term without an end is 9999-12-31."""


@dataclass(frozen=True, slots=True)
class ValueReader(LocalValues):
    """Reads the values of one tenant."""

    none_years: Container[int] = _NONE_YEARS

    def time(self, value: Any) -> datetime | None:
        """Return a time in whole seconds: local without an offset, or milliseconds since 1970 (in workflows)."""
        raw = code(value)
        if raw.isdecimal():
            return datetime.fromtimestamp(int(raw) // 1000, UTC)
        moment = LocalValues.time(self, raw)
        return moment.replace(microsecond=0) if moment else None

    def origin(self, row: Row, creator: str = "creator") -> RecordOrigin:
        """Return which record a row is; ``creator`` is the key with the name of who created it."""
        name = text(row.get(creator))
        return {
            "id": code(row["id"]),
            "changed_at": self.time(row.get("pubts")),
            "source": self.source,
            "created_by": (name,) if name else (),
        }

    def currency(self, *names: Any) -> str:
        """Return the ISO code of a currency by its code or name, the first that is known; empty if none is."""
        return self.iso(*map(code, names))
