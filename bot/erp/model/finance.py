"""Invoices, vendor bills, and payments in both directions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Annotated

from bot.erp.model.deciding import Review
from bot.erp.model.values import Cost, ErpRecord, Money, PartnerName, SalesAmount
from bot.words.disclosure import HIDDEN, ClassedBy, FieldClass


class InvoiceStatus(StrEnum):
    """State of a customer invoice (docs: platform/erp/records.md#invoices)."""

    DRAFT = "draft"
    UNPAID = "unpaid"
    PART_PAID = "part_paid"
    PAID = "paid"
    VOID = "void"


_UNSETTLED = frozenset({InvoiceStatus.UNPAID, InvoiceStatus.PART_PAID})


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceRecord(ErpRecord):
    """What invoices to customers and by vendors have in common; credit notes are among them."""

    number: str
    """The ERP's own number."""
    status: InvoiceStatus
    issued_on: date | None
    due_on: date | None
    total: Money | None
    open_amount: Money | None
    is_credit_note: bool = False
    is_reversed: bool = False
    """Whether credit notes alone settled it: it counts as they do, and no money moved."""
    order_number: str = ""
    """The order that it bills."""

    @property
    def is_open(self) -> bool:
        """Whether it is not settled yet; so is a credit note that nobody set off."""
        return self.status in _UNSETTLED

    def days_overdue(self, today: date) -> int:
        """Return the days since the due date if something is open, else 0; computed here as ERPs disagree."""
        # Readers who may not see the amount still see that it is late.
        owed = self.open_amount is HIDDEN or (self.open_amount is not None and self.open_amount.amount > 0)
        if self.due_on is None or not owed or not self.is_open:
            return 0
        return max(0, (today - self.due_on).days)


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoice(InvoiceRecord):
    """An invoice to a customer, or a credit note."""

    customer: PartnerName
    total: SalesAmount | None
    open_amount: SalesAmount | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill(InvoiceRecord):
    """An invoice by a vendor, or the vendor's credit note (docs: platform/erp/records.md#bills)."""

    vendor: PartnerName
    total: Cost | None
    open_amount: Cost | None
    reference: str = ""
    """The number that is on the vendor's paper."""
    review: Review | None = None
    """How far it is on its way through the ERP's approval; None where the ERP tells of none."""


class PaymentStatus(StrEnum):
    """State of a receipt or payment (docs: platform/erp/records.md#payments)."""

    DRAFT = "draft"
    BOOKED = "booked"
    CANCELLED = "cancelled"


class PaymentDirection(StrEnum):
    """Whether the company receives money or spends it."""

    RECEIVED = "received"
    SPENT = "spent"


class PartnerKind(StrEnum):
    """Which side of the company's business a partner is on."""

    CUSTOMER = "customer"
    VENDOR = "vendor"


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment(ErpRecord):
    """Money that came from a partner, or went to one; the amount is never negative."""

    number: str
    partner: PartnerName
    partner_kind: PartnerKind
    direction: PaymentDirection
    status: PaymentStatus
    paid_on: date | None
    amount: Annotated[Money | None, ClassedBy("amount_class")]
    method: str = ""
    """How it was paid, in the ERP's words: a bank account, a way of paying."""
    settles: tuple[str, ...] = ()
    """The numbers of the invoices or bills that it settles; empty in lists."""

    @property
    def amount_class(self) -> FieldClass:
        """What the amount tells: what customers pay is money of sales, what vendors get is cost, refunds included."""
        return FieldClass.COST if self.partner_kind is PartnerKind.VENDOR else FieldClass.AMOUNT
