"""Purchase orders, and decisions on them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated

from bot.erp.model.values import NOTHING, Cost, ErpRecord, PartnerName, Progress, Quantity
from bot.words.disclosure import FieldClass, Stating


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
class Approval:
    """The people whose turn it is, the level, and the last decision.

    ``passed_by`` are the accounts that approved the levels before, where the ERP tells more than the last of them.
    """

    pending_for: tuple[str, ...] = ()
    level: int = 1
    levels: int = 1
    decided_by: str = ""
    decided_at: datetime | None = None
    reason: Annotated[str, Stating(FieldClass.COST)] = ""
    task_id: str = ""
    passed_by: tuple[str, ...] = field(default=(), compare=False)


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


class Verdict(StrEnum):
    """A person's verdict on a purchase order."""

    APPROVE = "approve"
    REJECT = "reject"


class DecisionOutcome(StrEnum):
    """The outcome of a decision, after the document was read again (docs: platform/erp/records.md#outcomes)."""

    APPLIED = "applied"
    MORE_APPROVALS_NEEDED = "recorded_more_approvals_needed"
    ALREADY_DECIDED = "already_decided"
    NOT_PERMITTED = "not_permitted"
    CHANGED_SINCE_SHOWN = "changed_since_shown"
    UNKNOWN = "unknown_after_timeout"
    UNSUPPORTED = "unsupported"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A person's verdict on one revision of a purchase order."""

    number: str
    version: str
    """The version that the person saw; if the ERP has another, the outcome is `DecisionOutcome.CHANGED_SINCE_SHOWN`."""
    verdict: Verdict
    by: str
    """The ERP user on whose behalf the decision is made."""
    reason: Annotated[str, Stating(FieldClass.COST)] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionResult:
    """The outcome, the order as it is afterwards, and the ERP's message."""

    outcome: DecisionOutcome
    order: PurchaseOrder | None
    text: Annotated[str, Stating(FieldClass.COST)] = ""
