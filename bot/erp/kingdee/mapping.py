"""Single values as the WebAPI spells them; the rest is `bot.erp.values`."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.erp import values

Row = dict[str, Any]
"""One line of an answer by the documented field keys; an optional field that this installation lacks is missing."""


def text(value: Any) -> str:
    """Return a text untouched, an empty one for the single blank that stands for nothing.

    A name in several languages (a list by language) gives its first.
    """
    match value:
        case [{"Value": first}, *_]:
            return text(first)
        case str() if value.isspace():
            return ""
        case _:
            return values.text(value)


def code(value: Any) -> str:
    """Return a code, status or id as text without the blanks that fixed columns add."""
    return text(value).strip()


@dataclass(frozen=True, slots=True)
class ValueReader(values.LocalValues):
    """Reads values of one installation."""

    none_years: Container[int] = (1,)

    def currency(self, row: Row, key: str) -> str:
        """Return the ISO code of a currency, empty where it is not known."""
        return self.iso(code(row.get(f"{key}.FCode")), code(row.get(f"{key}.FName")))

    def changed_at(self, row: Row) -> datetime | None:
        """Return when a record was last changed: an audit does not always touch the time of change.

        Docs: platform/erp/kingdee.md#changes
        """
        times = (self.time(row.get(key)) for key in ("FModifyDate", "FApproveDate"))
        return max(filter(None, times), default=None)
