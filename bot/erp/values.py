"""Parsing of common values: texts, exact numbers, times without an offset, currencies, progress of lines.

Malformed values raise `ValueError`; `malformed_is_invalid` turns that into an error of the port.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Context, Decimal, InvalidOperation
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator

from bot.erp.errors import Invalid
from bot.erp.model import Money, Progress

_CURRENCIES = {
    "CHI": "CNY", "RMB": "CNY", "人民币": "CNY", "美元": "USD", "欧元": "EUR", "日元": "JPY", "日本日圆": "JPY",
    "港币": "HKD", "港元": "HKD", "香港元": "HKD", "英镑": "GBP", "新台币": "TWD", "新台币元": "TWD", "韩元": "KRW",
    "新加坡元": "SGD", "新币": "SGD", "澳元": "AUD", "澳大利亚元": "AUD", "加元": "CAD", "加拿大元": "CAD",
    "瑞士法郎": "CHF",
}  # fmt: skip
"""ISO codes of currencies by the names that installations use."""
_LARGEST = 60
"""Maximum power of ten of a number; larger ones would only fill memory with zeros."""
_HOUR = timedelta(hours=1)


_MALFORMED = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError)


@contextmanager
def malformed_is_invalid(source: str) -> Iterator[None]:
    """Raise `Invalid` for an answer whose shape differs from the vendor's documentation."""
    try:
        yield
    except _MALFORMED as error:
        text = f"an unreadable value in an answer: {type(error).__name__}: {error}"
        raise Invalid(text[:200], source=source) from error


def text(value: Any) -> str:
    """Return a text unchanged, and an empty one for null and for Odoo's ``false``."""
    return "" if value is None or value is False else str(value)


def code(value: Any) -> str:
    """Return a code, state or id as text: ids may be numbers, and fixed-width columns add padding."""
    return text(value).strip()


def is_true(value: Any) -> bool:
    """Return a boolean that is sent as a boolean, a number or a text."""
    return code(value).lower() in ("true", "1")


def number(value: Any, *, digits: int | None = None, decimals: int | None = None) -> Decimal | None:
    """Return a number exactly, without the trailing zeros of a column's scale; None if there is none.

    It may be a JSON number or a text. If the ERP calculates with binary floats, ``digits`` (significant ones) or
    ``decimals`` (stored ones) remove the noise, such as in 0.30000000000000004. Raises `ValueError` for anything else.
    """
    if value is None or isinstance(value, bool):
        return None
    raw = str(value).strip()
    if raw in ("", "null"):
        return None
    try:
        exact = Decimal(raw.replace(",", ""))
    except InvalidOperation as error:
        raise ValueError("not a number") from error
    if not exact.is_finite() or abs(exact.adjusted()) > _LARGEST:
        raise ValueError("not a number")
    if digits is not None:
        exact = Context(prec=digits).plus(exact)
    if decimals is not None and exact.as_tuple().exponent < -decimals:  # type: ignore[operator]  # it is finite
        exact = round(exact, decimals)
    plain = format(exact or abs(exact), "f")
    return Decimal(plain.rstrip("0").rstrip(".") or "0") if "." in plain else Decimal(plain)


def money(amount: Any, currency: str) -> Money | None:
    """Return an amount, None if it or its currency is unknown."""
    exact = number(amount)
    return None if exact is None or not currency else Money(exact, currency)


def amount_of(values: Iterable[Any]) -> Decimal | None:
    """Return a sum, None if a part is missing."""
    known = [number(value) for value in values]
    present = [value for value in known if value is not None]
    return sum(present, Decimal(0)) if len(present) == len(known) else None


def progress(parts: Iterable[tuple[Decimal | None, Decimal]]) -> Progress | None:
    """Return the progress of all lines from pairs of done and wanted; None if no line has it."""
    known = [(done, wanted) for done, wanted in parts if done is not None and wanted]
    if not known:
        return None
    if all(done >= wanted for done, wanted in known):
        return Progress.FULL
    return Progress.PARTIAL if any(done for done, _ in known) else Progress.NONE


def due_day(parts: Iterable[tuple[date | None, Decimal | None, Decimal]]) -> date | None:
    """Return the first due day of lines that still owe something (day, done, wanted), else the last day."""
    known = [(day, (done or 0) < wanted) for day, done, wanted in parts if day is not None]
    owed = [day for day, is_owed in known if is_owed]
    return min(owed) if owed else max((day for day, _ in known), default=None)


def _known_zone(zone: str) -> str:
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError("not a time zone") from error
    return zone


Zone = Annotated[str, AfterValidator(_known_zone)]
"""The name of a time zone in a source's options."""


@dataclass(frozen=True, slots=True)
class LocalValues:
    """Reads values that depend on the installation: its zone, its currency names, and years that mean no day."""

    zone: ZoneInfo
    currencies: Mapping[str, str] = field(default_factory=dict)
    none_years: Container[int] = ()
    source: str = ""
    """The name of the source, which its records bear."""

    @property
    def has_daylight_saving(self) -> bool:
        """Whether the zone repeats an hour each year."""
        winter, summer = (datetime(2026, month, 1, tzinfo=self.zone).utcoffset() for month in (1, 7))
        return winter != summer

    def overlap(self, late: timedelta) -> timedelta:
        """Return how long before a time changes may still turn up, for `bot.erp.following.follow`.

        ``late`` is how long a transaction may take. When clocks are put back, an hour's times repeat.
        """
        return late + _HOUR if self.has_daylight_saving else late

    def local(self, moment: datetime) -> datetime:
        """Return a time in the ERP's zone."""
        return moment.astimezone(self.zone)

    def time(self, value: Any) -> datetime | None:
        """Return a time; without an offset, it is in the installation's zone."""
        raw = code(value)
        if raw in ("", "null"):
            return None
        moment = datetime.fromisoformat(raw)
        if moment.year in self.none_years:
            return None
        return moment if moment.tzinfo else moment.replace(tzinfo=self.zone)

    def day(self, value: Any) -> date | None:
        """Return the day of a date or of a time in the ERP's format."""
        moment = self.time(value)
        return moment.date() if moment else None

    def iso(self, *names: str) -> str:
        """Return the ISO code of a currency by its codes and names, the first that is known; empty if none is."""
        for name in names:
            known = self.currencies.get(name) or _CURRENCIES.get(name)
            if known:
                return known
        return next((name for name in names if _is_iso(name)), "")

    def money(self, amount: Any, currency: str) -> Money | None:
        """Return an amount, None if it or its currency is unknown."""
        return money(amount, currency)


def _is_iso(name: str) -> bool:
    return len(name) == 3 and name.isascii() and name.isalpha() and name.isupper()
