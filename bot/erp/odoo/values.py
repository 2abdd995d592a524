"""Single values as Odoo sends them (ERP sheet, 3.2).

Empty is ``false`` for every type but numbers; many2one is ``[id, name]``; datetimes are naive and in UTC; amounts and
quantities are binary floats, of which fifteen digits can be relied on.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Context, Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from bot.erp.model import Money

Row = Mapping[str, Any]
"""A record as Odoo tells it."""

_DIGITS = Context(prec=15)
"""A binary float gives these back unchanged; what comes after is noise, such as 0.30000000000000004."""


def text(value: Any) -> str:
    """Return a text, empty for ``false``."""
    return "" if value is None or value is False else str(value)


def reference(value: Any) -> int | None:
    """Return the id of a many2one, None for an empty one."""
    return value[0] if isinstance(value, list) and value else None


def name_of(value: Any) -> str:
    """Return the name of a many2one."""
    return text(value[1]) if isinstance(value, list) and len(value) > 1 else ""


def number(value: Any) -> Decimal | None:
    """Return a number without the noise of binary floats, None if the ERP does not say."""
    if value is None or isinstance(value, bool):
        return None
    try:
        exact = _DIGITS.create_decimal(value if isinstance(value, int | Decimal) else str(value))
    except InvalidOperation:
        return None
    if not exact.is_finite():
        return None
    # Without ".0", and without an exponent as far as people read numbers.
    return Decimal(int(exact)) if exact == exact.to_integral_value() and exact.adjusted() < 30 else exact.normalize()


def moment(value: Any) -> datetime | None:
    """Return a time out of ``YYYY-MM-DD HH:MM:SS`` in UTC."""
    try:
        return datetime.fromisoformat(text(value)).replace(tzinfo=UTC)
    except ValueError:
        return None


def day(value: Any, zone: ZoneInfo) -> date | None:
    """Return the calendar day of a date, or of a time where the company is."""
    if len(text(value)) == len("YYYY-MM-DD"):
        try:
            return date.fromisoformat(value)
        except ValueError:
            return None
    at = moment(value)
    return None if at is None else at.astimezone(zone).date()


def money(value: Any, currency: Any, *, sign: int = 1) -> Money | None:
    """Return an amount, None where there is none or its currency is not said."""
    amount, code = number(value), name_of(currency)
    return None if amount is None or not code else Money(amount * sign, code)
