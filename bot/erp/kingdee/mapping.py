"""Values in the format of the WebAPI; common ones are in `bot.erp.values`."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.erp import values
from bot.erp.record_parts import RecordOrigin

Row = dict[str, Any]
"""A line of an answer by the documented field keys; optional fields that this installation lacks are missing."""


def text(value: Any) -> str:
    """Return a text unchanged, but an empty one for the single blank that means empty.

    For a name in several languages (a list by language) this is the first.
    """
    match value:
        case [{"Value": first}, *_]:
            return text(first)
        case str() if value.isspace():
            return ""
        case _:
            return values.text(value)


def code(value: Any) -> str:
    """Return a code, status or id as text without the padding of fixed-width columns."""
    return text(value).strip()


def user(row: Row, key: str) -> str:
    """Return the number of a user, which decisions use as account; 0 means none."""
    known = code(row.get(key))
    return "" if known == "0" else known


@dataclass(frozen=True, slots=True)
class ValueReader(values.LocalValues):
    """Reads the values of one installation."""

    none_years: Container[int] = (1,)

    def origin(self, head: Row, key: str = "FID") -> RecordOrigin:
        """Return which record it is, with the name and the number of the user who created it."""
        creator = (text(head.get("FCreatorId.FName")), user(head, "FCreatorId"))
        return {
            "id": code(head[key]),
            "changed_at": self.changed_at(head),
            "source": self.source,
            "created_by": tuple(filter(None, creator)),
        }

    def currency(self, row: Row, key: str) -> str:
        """Return the ISO code of a currency, empty if it is unknown."""
        return self.iso(code(row.get(f"{key}.FCode")), code(row.get(f"{key}.FName")))

    def changed_at(self, row: Row) -> datetime | None:
        """Return when a record was last changed; an audit may leave the time of change as it was.

        Docs: platform/erp/kingdee.md#changes
        """
        times = (self.time(row.get(key)) for key in ("FModifyDate", "FApproveDate"))
        return max(filter(None, times), default=None)
