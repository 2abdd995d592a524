"""Single values as the platform spells them: exact numbers, times in China's zone, many ways to say nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from bot.erp.model import Money

Row = dict[str, Any]
"""A record of an answer: a header, or a header together with one of its lines."""

_CURRENCIES = {
    "CHI": "CNY", "RMB": "CNY", "人民币": "CNY", "美元": "USD", "欧元": "EUR", "日元": "JPY", "港币": "HKD",
    "港元": "HKD", "英镑": "GBP", "新台币": "TWD", "韩元": "KRW", "新加坡元": "SGD", "新币": "SGD", "澳元": "AUD",
    "澳大利亚元": "AUD", "加元": "CAD", "加拿大元": "CAD", "瑞士法郎": "CHF",
}  # fmt: skip
"""ISO codes of currencies by the names that tenants give them."""

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


def number(value: Any) -> Decimal | None:
    """Return a number exactly, without the zeros that a column's scale adds; None where there is none.

    It comes as a JSON number or as a text. Raises `ValueError` for what is neither.
    """
    if value is None or isinstance(value, bool) or code(value) in ("", "null"):
        return None
    try:
        exact = Decimal(code(value).replace(",", ""))
    except InvalidOperation as error:
        raise ValueError("not a number") from error
    if not exact.is_finite():
        raise ValueError("not a number")
    plain = format(exact, "f")
    return Decimal(plain.rstrip("0").rstrip(".") or "0") if "." in plain else Decimal(plain)


def amount_of(values: Iterable[Any]) -> Decimal | None:
    """Return a sum, None where one part is not told."""
    known = [number(value) for value in values]
    told = [value for value in known if value is not None]
    return sum(told, Decimal(0)) if len(told) == len(known) else None


@dataclass(frozen=True, slots=True)
class Values:
    """Reads values that depend on the tenant: its zone, and what it calls currencies."""

    zone: ZoneInfo
    currencies: Mapping[str, str]

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

    def local(self, moment: datetime) -> datetime:
        """Return a time as the platform's clocks show it."""
        return moment.astimezone(self.zone)

    def currency(self, *names: Any) -> str:
        """Return the ISO code of a currency by its code or name, the first that is known; empty for none."""
        for name in map(code, names):
            known = self.currencies.get(name) or _CURRENCIES.get(name)
            if known:
                return known
            if len(name) == 3 and name.isascii() and name.isalpha() and name.isupper():
                return name
        return ""

    def money(self, amount: Any, currency: str) -> Money | None:
        """Return an amount, None where amount or currency is not known."""
        exact = number(amount)
        return None if exact is None or not currency else Money(exact, currency)
