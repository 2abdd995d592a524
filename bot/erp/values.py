"""Values that several ERPs spell alike: exact numbers, shares of lines, times without an offset, currencies."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator

from bot.erp.model import Money, Progress

_CURRENCIES = {
    "CHI": "CNY", "RMB": "CNY", "人民币": "CNY", "美元": "USD", "欧元": "EUR", "日元": "JPY", "日本日圆": "JPY",
    "港币": "HKD", "港元": "HKD", "香港元": "HKD", "英镑": "GBP", "新台币": "TWD", "新台币元": "TWD", "韩元": "KRW",
    "新加坡元": "SGD", "新币": "SGD", "澳元": "AUD", "澳大利亚元": "AUD", "加元": "CAD", "加拿大元": "CAD",
    "瑞士法郎": "CHF",
}  # fmt: skip
"""ISO codes of currencies by what installations call them."""


def number(value: Any) -> Decimal | None:
    """Return a number exactly, without the zeros that a column's scale adds; None where there is none.

    It comes as a JSON number or as a text. Raises `ValueError` for what is neither.
    """
    if value is None or isinstance(value, bool):
        return None
    told = str(value).strip()
    if told in ("", "null"):
        return None
    try:
        exact = Decimal(told.replace(",", ""))
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


def progress(parts: Iterable[tuple[Decimal | None, Decimal]]) -> Progress | None:
    """Return how much of all lines is done, of pairs of done and wanted; None where no line says."""
    known = [(done, wanted) for done, wanted in parts if done is not None and wanted]
    if not known:
        return None
    if all(done >= wanted for done, wanted in known):
        return Progress.FULL
    return Progress.PARTIAL if any(done for done, _ in known) else Progress.NONE


def _known_zone(zone: str) -> str:
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError("not a time zone") from error
    return zone


Zone = Annotated[str, AfterValidator(_known_zone)]
"""The name of a time zone among a source's options."""


@dataclass(frozen=True, slots=True)
class LocalValues:
    """Reads values that depend on the installation: its zone, and what it calls currencies."""

    zone: ZoneInfo
    currencies: Mapping[str, str]

    @property
    def has_daylight_saving(self) -> bool:
        """Whether an hour's times come twice a year in the zone."""
        winter, summer = (datetime(2026, month, 1, tzinfo=self.zone).utcoffset() for month in (1, 7))
        return winter != summer

    def local(self, moment: datetime) -> datetime:
        """Return a time as the ERP's clocks show it."""
        return moment.astimezone(self.zone)

    def iso(self, *names: str) -> str:
        """Return the ISO code of a currency by its codes and names, the first that is known; empty for none."""
        for name in names:
            known = self.currencies.get(name) or _CURRENCIES.get(name)
            if known:
                return known
        return next((name for name in names if _is_iso(name)), "")

    def money(self, amount: Any, currency: str) -> Money | None:
        """Return an amount, None where amount or currency is not known."""
        exact = number(amount)
        return None if exact is None or not currency else Money(exact, currency)


def _is_iso(name: str) -> bool:
    return len(name) == 3 and name.isascii() and name.isalpha() and name.isupper()
