"""What a site's values mean: times without a zone, numbers that came through a float, texts that are HTML."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar
from urllib.parse import quote
from zoneinfo import ZoneInfo

from bot.erp.errors import Invalid
from bot.erp.model import Money

R = TypeVar("R")

_LATE = timedelta(minutes=2)
"""``modified`` is set when a save begins, and seen when its transaction ends: a long submit takes about this long."""

_DIGITS = 9
"""Frappe keeps nine decimals; what a binary float adds behind them was never there."""


@dataclass(frozen=True, slots=True)
class Site:
    """One site: the source's name, the address of its desk, and the zone that its times are meant in."""

    source: str
    url: str
    zone: ZoneInfo

    def moment(self, text: Any) -> datetime | None:
        """Return a time, which Frappe tells in the site's zone without naming it."""
        return datetime.fromisoformat(text).replace(tzinfo=self.zone) if text else None

    def day(self, text: Any) -> date | None:
        """Return the day of a date or time as the site's people read it."""
        return datetime.fromisoformat(text).date() if text else None

    def text(self, moment: datetime) -> str:
        """Return a time as Frappe takes it in a filter."""
        return moment.astimezone(self.zone).strftime("%Y-%m-%d %H:%M:%S.%f")

    def overlap(self, moment: datetime) -> timedelta:
        """Return how far before ``moment`` changes may still turn up.

        In the hour that an autumn night has twice, times without a zone go back by an hour.
        """
        local = moment.astimezone(self.zone).replace(tzinfo=None)
        first, second = (local.replace(tzinfo=self.zone, fold=fold).astimezone(UTC) for fold in (0, 1))
        return _LATE + max(second - first, timedelta(0))

    def link(self, doctype: str, name: str) -> str:
        """Return the address of a document's form in the desk."""
        return f"{self.url.rstrip('/')}/app/{doctype.lower().replace(' ', '-')}/{quote(name, safe='')}"

    def read(self, mapping: Callable[..., R], row: dict[str, Any], *more: Any) -> R:
        """Return what ``mapping`` makes of a row; raises `Invalid` for one that cannot be read."""
        try:
            return mapping(row, self, *more)
        except (KeyError, ValueError, TypeError, AttributeError, InvalidOperation) as error:
            raise Invalid(f"unreadable record {row.get('name')!r}: {error!r}"[:200], source=self.source) from error


def number(value: Any) -> Decimal | None:
    """Return a number exactly, without what a float put behind its ninth decimal; None is not said."""
    if value is None or value == "":
        return None
    exact = Decimal(value) if isinstance(value, Decimal | int) else Decimal(str(value))
    exponent = exact.as_tuple().exponent
    if not isinstance(exponent, int):
        raise ValueError("not a finite number")
    return round(exact, _DIGITS) if exponent < -_DIGITS else exact


def count(value: Any) -> Decimal:
    """Return a number that cannot be left unsaid."""
    found = number(value)
    if found is None:
        raise ValueError("a quantity is missing")
    return found


def money(value: Any, currency: Any) -> Money | None:
    """Return an amount, or None where the user may not see it or no currency is named."""
    amount = number(value)
    return None if amount is None or not currency else Money(amount, str(currency))


def plain(content: Any) -> str:
    """Return the text of an HTML field, as its writer saw it."""
    text = re.sub(r"<br\s*/?>|</(p|div|li)>", "\n", str(content or ""), flags=re.IGNORECASE)
    return html.unescape(re.sub(r"<[^<>]*>", "", text)).strip()


def as_html(text: str) -> str:
    """Return a text as an HTML field holds it."""
    return html.escape(text, quote=False).replace("\n", "<br>")
