"""What changes in an ERP is told of: areas of business, and documents besides."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias


class Area(StrEnum):
    """The five business areas, plus the products that they all refer to."""

    PRODUCTS = "products"
    STOCK = "stock"
    SALES = "sales"
    FINANCE = "finance"
    PURCHASING = "purchasing"
    PRODUCTION = "production"


class Feed(StrEnum):
    """Documents besides those that stand for their areas: some ERPs tell their changes, too."""

    BILLS = "bills"
    PAYMENTS = "payments"
    DELIVERIES = "deliveries"
    QUOTATIONS = "quotations"
    RECEIPTS = "receipts"


Followed: TypeAlias = Area | Feed
"""What changes are told of: the records that stand for an area, or other documents."""


def parse_followed(name: str) -> Followed:
    """Return the area or feed of a name; raises `ValueError` for none."""
    return Feed(name) if name in tuple(Feed) else Area(name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A record that was created or changed."""

    area: Followed
    key: str
    """The SKU or document number."""
    changed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """Changes in order, and the cursor for the next call, without gaps or repeats."""

    items: tuple[Change, ...]
    cursor: str
    more: bool
