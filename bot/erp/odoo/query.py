"""Conditions of Odoo's searches: what the port's lists and look-ups ask, as domains.

User input is only ever a value of a condition, never part of its notation, so only LIKE wildcards need escaping.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from bot.erp.keys import escape_like
from bot.erp.port import Period

Condition = list[Any]


def any_of(*conditions: Condition) -> Condition:
    """Return a condition that holds if any of several single conditions does."""
    return ["|"] * (len(conditions) - 1) + list(conditions)


def joined(operator: str, *domains: Condition) -> Condition:
    """Return one domain of several, each of which is a single condition or joined already."""
    return [operator] * (len(domains) - 1) + [term for domain in domains for term in domain]


def equals(name: str, text: str) -> Condition:
    """Return the condition that a field equals a text, ignoring case."""
    return [name, "=ilike", escape_like(text)]


def contains(names: tuple[str, ...], text: str) -> Condition:
    """Return the condition that one of several fields contains a text, ignoring case; none for an empty text."""
    return any_of(*([name, "ilike", escape_like(text)] for name in names)) if text else []


def of_company(company: int | None, *, shared: bool = False) -> Condition:
    """Return the condition that a record belongs to a company or, if ``shared``, to none."""
    if company is None:
        return []
    return [["company_id", "in", [False, company]]] if shared else [["company_id", "=", company]]


def is_searchable(text: str) -> bool:
    """Whether PostgreSQL accepts the text: it refuses null characters."""
    return "\0" not in text


def timestamp(at: datetime) -> str:
    """Return a time in Odoo's format."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


@dataclass(frozen=True, slots=True)
class DayStart:
    """The start of a day in the company's zone: as a date, and as a time in UTC."""

    day: str
    moment: str

    @classmethod
    def of(cls, day: date, zone: ZoneInfo) -> DayStart:
        """Return the start of a day in the company's zone."""
        return cls(day.isoformat(), timestamp(datetime.combine(day, time(), zone)))

    def of_field(self, name: str) -> str:
        """Return the start as Odoo stores the values of a field."""
        return self.day if name in _DATES else self.moment


_DATES = frozenset({"invoice_date", "invoice_date_due", "date", "validity_date"})
"""Fields of days; the other days of documents are times."""


BY_ID = re.compile(r"(.*)\*([1-9][0-9]{0,8})")
"""How a record is called whose code or number is no name for it: there is none (``*12``), or others have it too
(``A-1*12``)."""


_NOTHING: Condition = [["id", "=", 0]]


@dataclass(frozen=True, slots=True)
class OdooTerms:
    """Conditions as of a day in the company's zone, of a model with these fields: releases and applications differ."""

    available: frozenset[str]
    today: date
    zone: ZoneInfo

    @property
    def start(self) -> DayStart:
        """Return the start of the day."""
        return DayStart.of(self.today, self.zone)

    def known(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """Return the paths whose first field this release has, and its applications."""
        return tuple(path for path in names if path.partition(".")[0] in self.available)

    def contains(self, names: tuple[str, ...], text: str) -> Condition:
        return contains(names, text)

    def is_named(self, names: tuple[str, ...], name: str) -> Condition:
        return any_of(*(equals(each, name) for each in names)) if names else _NOTHING

    def within(self, name: str, period: Period) -> Condition:
        """Return the condition that the day of a field lies in a period; a record without the field is in none."""
        if not name:
            return _NOTHING
        first, after = (DayStart.of(each, self.zone) for each in (period.first, period.last + timedelta(days=1)))
        return [[name, ">=", first.of_field(name)], [name, "<", after.of_field(name)]]

    def has_product(self, path: str, product: str) -> Condition:
        """Return the condition that a line is of the product with a code, or with the id behind it."""
        return any_of(*named(product, path)) if path else _NOTHING


def named(text: str, key: str = "default_code") -> list[Condition]:
    """Return alternative conditions for a record with this code or number, or with the id behind it."""
    by_id = BY_ID.fullmatch(text)
    exact, owner = equals(key, text), key.rpartition(".")[0]
    return [exact, [owner or "id", "=", int(by_id[2])]] if by_id else [exact]
