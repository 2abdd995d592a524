"""Purchase orders."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from bot.erp.model.deciding import Review, ReviewState
from bot.erp.model.values import Cost, ErpRecord, PartnerName, Progress, Quantity


@dataclass(frozen=True, slots=True, kw_only=True)
class PurchaseLine:
    """One line of a purchase order; quantities in ``unit``."""

    sku: str
    name: str
    unit: str
    quantity: Quantity
    received: Quantity | None = None
    price: Cost | None = None
    amount: Cost | None = None
    taxed: bool | None = field(default=None, compare=False)
    """Whether the amount includes taxes."""

    @property
    def comes_back(self) -> bool:
        """Whether goods are returned to the vendor."""
        return self.quantity < 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PurchaseOrder(ErpRecord):
    """An order to a vendor: how far it is on its way through its approval says whether it is placed."""

    number: str
    vendor: PartnerName
    review: Review
    buyer: str = ""
    ordered_on: date | None
    due_on: date | None
    total: Cost | None
    received: Progress | None
    """How much came and was kept, by quantity where the ERP tells it."""
    awaits_goods: bool = True
    """Whether more may come: not of services alone, nor where the rest was dropped."""
    lines: tuple[PurchaseLine, ...] = ()

    @property
    def status(self) -> ReviewState:
        """The state of its review."""
        return self.review.state

    @property
    def is_open(self) -> bool:
        """Whether it is approved and goods are still awaited."""
        approved = self.status is ReviewState.APPROVED
        return approved and self.awaits_goods and self.received is not Progress.FULL

    def days_late(self, today: date) -> int:
        """Return the days since the due date if goods are still awaited, else 0."""
        if self.due_on is None or not self.is_open:
            return 0
        return max(0, (today - self.due_on).days)
