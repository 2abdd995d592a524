"""What records of several kinds have in common, so that a vendor's mapping reads it once."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import NotRequired, TypedDict

from bot.erp.model import ExtraFields, InvoiceStatus, Money


class RecordOrigin(TypedDict):
    """Which record of the ERP it is."""

    id: str
    changed_at: datetime | None
    source: str
    url: NotRequired[str]
    created_by: NotRequired[tuple[str, ...]]


class PartnerParts(RecordOrigin):
    """A customer or a vendor."""

    code: str
    name: str
    phone: NotRequired[str]
    email: NotRequired[str]
    address: NotRequired[str]
    payment_terms: NotRequired[str]
    is_active: NotRequired[bool]


class InvoiceParts(RecordOrigin):
    """An invoice to a customer or by a vendor."""

    number: str
    status: InvoiceStatus
    issued_on: date | None
    due_on: date | None
    total: Money | None
    open_amount: Money | None
    is_credit_note: bool
    order_number: NotRequired[str]
    extra: ExtraFields


class ReversibleParts(InvoiceParts):
    """One of an ERP that tells whether credit notes alone settled it."""

    is_reversed: bool


class GoodsParts(TypedDict):
    """A product as lines and production orders name it."""

    sku: str
    name: str
    unit: str


class LineParts(GoodsParts):
    """A line of an order by a customer or to a vendor."""

    quantity: Decimal
    price: Money | None
    amount: Money | None
    taxed: bool | None
