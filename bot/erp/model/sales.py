"""Sales orders."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from bot.erp.model.deciding import Review
from bot.erp.model.values import ErpRecord, PartnerName, Progress, Quantity, SalesAmount


class OrderStatus(StrEnum):
    """State of a sales order (docs: platform/erp/records.md#sales-orders)."""

    DRAFT = "draft"
    OPEN = "open"
    ON_HOLD = "on_hold"
    """Confirmed, but nobody is to deliver for now."""
    PARTLY_DELIVERED = "partly_delivered"
    DELIVERED = "delivered"
    CLOSED = "closed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderLine:
    """One line of a sales order; quantities in ``unit``."""

    sku: str
    name: str
    unit: str
    quantity: Quantity
    delivered: Quantity | None = None
    invoiced: Quantity | None = None
    price: SalesAmount | None = None
    amount: SalesAmount | None = None
    taxed: bool | None = field(default=None, compare=False)
    """Whether the amount includes taxes."""
    due_on: date | None = None

    @property
    def comes_back(self) -> bool:
        """Whether goods are returned, as in an exchange."""
        return self.quantity < 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SalesOrder(ErpRecord):
    """An order by a customer."""

    number: str
    customer: PartnerName
    status: OrderStatus
    delivery: Progress | None
    billing: Progress | None = None
    payment: Progress | None = None
    ordered_on: date | None
    promised_on: date | None
    total: SalesAmount | None
    lines: tuple[OrderLine, ...] = ()
    """Empty in lists: only a single order is read with its lines."""
    salesperson: str = ""
    review: Review | None = None
    """How far it is on its way through the ERP's approval; None where the ERP tells of none."""

    @property
    def is_open(self) -> bool:
        """Whether it is confirmed and goods are still owed, be it on hold."""
        return self.status in {OrderStatus.OPEN, OrderStatus.ON_HOLD, OrderStatus.PARTLY_DELIVERED}

    def days_late(self, today: date) -> int:
        """Return the days since the promised date if goods are still owed, else 0."""
        if self.promised_on is None or self.status not in {OrderStatus.OPEN, OrderStatus.PARTLY_DELIVERED}:
            return 0
        return max(0, (today - self.promised_on).days)
