"""Single values as the WebAPI spells them: exact numbers, times in the server's zone, many ways to say nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from bot.erp.kingdee.client import Row
from bot.erp.model import Money

_CURRENCIES = {
    "RMB": "CNY", "人民币": "CNY", "美元": "USD", "欧元": "EUR", "日元": "JPY", "日本日圆": "JPY", "港币": "HKD",
    "港元": "HKD", "香港元": "HKD", "英镑": "GBP", "新台币": "TWD", "新台币元": "TWD", "韩元": "KRW", "新加坡元": "SGD",
    "澳元": "AUD", "加元": "CAD", "瑞士法郎": "CHF",
}  # fmt: skip
"""Currencies by what installations call them whose code is not ISO's."""


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


def number(value: Any) -> Decimal | None:
    """Return a number exactly, without the zeros that the column's scale adds; None where there is none.

    It comes as a JSON number or as a text. Raises `ValueError` for what is neither.
    """
    if value is None or isinstance(value, bool) or (isinstance(value, str) and value.strip() in ("", "null")):
        return None
    try:
        exact = Decimal(value.replace(",", "").strip() if isinstance(value, str) else value)
    except (InvalidOperation, TypeError, ValueError) as error:
        raise ValueError("not a number") from error
    if not exact.is_finite():
        raise ValueError("not a number")
    plain = format(exact, "f")
    return Decimal(plain.rstrip("0").rstrip(".") or "0") if "." in plain else Decimal(plain)


@dataclass(frozen=True, slots=True)
class Values:
    """Reads values that depend on the installation: its zone, and what it calls currencies."""

    zone: ZoneInfo
    currencies: Mapping[str, str]

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

    def local(self, moment: datetime) -> datetime:
        """Return a time as the server's clocks show it."""
        return moment.astimezone(self.zone)

    def currency(self, row: Row, key: str) -> str:
        """Return the ISO code of a currency, empty where it is not known."""
        iso, name = code(row.get(f"{key}.FCode")), code(row.get(f"{key}.FName"))
        for spelled in (iso, name):
            known = self.currencies.get(spelled) or _CURRENCIES.get(spelled)
            if known:
                return known
        return iso if len(iso) == 3 and iso.isascii() and iso.isalpha() and iso.isupper() else ""

    def money(self, amount: Any, currency: str) -> Money | None:
        """Return an amount, None where amount or currency is not known."""
        exact = number(amount)
        return None if exact is None or not currency else Money(exact, currency)
