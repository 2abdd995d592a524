"""Production orders."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from bot.erp.model.values import ErpRecord, Quantity


class ProductionStatus(StrEnum):
    """State of a production order (docs: platform/erp/records.md#production-orders)."""

    PLANNED = "planned"
    RELEASED = "released"
    RUNNING = "running"
    ON_HOLD = "on_hold"
    """Stopped, and may be resumed."""
    DONE = "done"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductionOrder(ErpRecord):
    """An order to produce a product; quantities in ``unit``."""

    number: str
    sku: str
    name: str
    unit: str
    planned: Quantity
    produced: Quantity | None
    scrapped: Quantity | None = None
    status: ProductionStatus
    start_on: date | None
    due_on: date | None
    finished_on: date | None = None
    """The day on which production was finished, as the ERP says it; None for what is not finished."""
    material_ready: bool | None = None
    sales_order: str = ""

    @property
    def is_open(self) -> bool:
        """Whether it is still to be made: neither finished nor cancelled."""
        return self.status not in {ProductionStatus.DONE, ProductionStatus.CANCELLED}

    def days_late(self, today: date) -> int:
        """Return the days since the due date if the order is neither finished nor stopped, else 0."""
        resting = {ProductionStatus.DONE, ProductionStatus.CANCELLED, ProductionStatus.ON_HOLD}
        if self.due_on is None or self.status in resting:
            return 0
        return max(0, (today - self.due_on).days)
