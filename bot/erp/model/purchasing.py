"""Purchase orders."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from bot.erp.model.deciding import Approval
from bot.erp.model.values import NOTHING, Cost, ErpRecord, PartnerName, Progress, Quantity


class PurchaseStatus(StrEnum):
    """State of a purchase order (docs: platform/erp/records.md#purchase-orders)."""

    DRAFT = "draft"
    WAITING = "waiting"
    APPROVED = "approved"
    REJECTED = "rejected"
    DONE = "done"
    CANCELLED = "cancelled"


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
    """An order to a vendor; ``version`` is opaque and changes with every edit.

    ``requester``, ``changed_by`` and the people of ``approval`` are accounts of the ERP, as used by decisions;
    ``people`` are their names, if the ERP provides them.
    """

    number: str
    vendor: PartnerName
    status: PurchaseStatus
    approval: Approval | None
    requester: str = ""
    changed_by: str = ""
    """The last writer, which in most ERPs includes submitting and deciding; empty if the ERP does not provide it."""
    buyer: str = ""
    ordered_on: date | None
    due_on: date | None
    total: Cost | None
    received: Progress | None
    """How much came and was kept, by quantity where the ERP tells it."""
    awaits_goods: bool = True
    """Whether more may come: not of services alone, nor where the rest was dropped."""
    lines: tuple[PurchaseLine, ...] = ()
    version: str
    people: Mapping[str, str] = field(default_factory=lambda: NOTHING)

    def named(self, account: str) -> str:
        """Return the name of an account, or the account itself if the ERP does not provide the name."""
        return self.people.get(account, account)

    def names(self, accounts: Iterable[str]) -> tuple[str, ...]:
        """Return the names of several accounts."""
        return tuple(map(self.named, accounts))

    @property
    def is_open(self) -> bool:
        """Whether it is approved and goods are still awaited."""
        approved = self.status is PurchaseStatus.APPROVED
        return approved and self.awaits_goods and self.received is not Progress.FULL

    def days_late(self, today: date) -> int:
        """Return the days since the due date if goods are still awaited, else 0."""
        if self.due_on is None or not self.is_open:
            return 0
        return max(0, (today - self.due_on).days)
