"""Purchase orders waiting for approval, and those with late goods."""

from __future__ import annotations

from datetime import date

from bot.alerts.event import EventType
from bot.alerts.intake.areas.area import (
    ListedArea,
    comparable_fields,
    format_amount,
    format_date,
    late_record,
    money,
    without_blanks,
)
from bot.alerts.intake.poll_state import NORMAL, PolledRecord
from bot.erp import kinds
from bot.erp.model import PurchaseOrder, ReviewState
from bot.erp.port import Filter

WAITING = "waiting"

_DECISIONS = {
    ReviewState.APPROVED: "approved",
    ReviewState.DONE: "approved",
    ReviewState.REJECTED: "rejected",
    ReviewState.DRAFT: "withdrawn",
    ReviewState.CANCELLED: "withdrawn",
}


def judge(order: PurchaseOrder, today: date) -> PolledRecord:
    """Return the meaning of a purchase order, independent of the day."""
    approval = order.review.progress
    if order.status is not ReviewState.WAITING:
        return PolledRecord(
            code=order.number,
            state=NORMAL,
            type=EventType.PO_DECIDED,
            data=decision_data(order),
            changed_at=approval.decided_at or order.changed_at,
        )
    compared = comparable_fields(
        amount=format_amount(order.total),
        due_on=format_date(order.due_on),
        supplier=order.vendor,
        level=f"{approval.level}/{approval.levels}" if approval.levels > 1 else "",
        version=order.review.version,
    )
    return PolledRecord(
        code=order.number,
        state=WAITING,
        type=EventType.PO_SUBMITTED,
        change_type=EventType.PO_CHANGED,
        data=data_of(order)
        | without_blanks(
            pending_for=approval.pending_for,
            pending_names=tuple(map(order.review.named, approval.pending_for)),
            version=order.review.version,
            requester=order.review.requester,
            requester_name=order.review.named(order.review.requester),
        ),
        said=compared,
        changed_at=order.changed_at,
    )


def data_of(order: PurchaseOrder) -> dict[str, object]:
    """Return a purchase order as the data of an event."""
    data = without_blanks(
        number=order.number,
        supplier=order.vendor,
        owner=order.buyer,
        due_on=order.due_on,
        status=order.status.value,
        link=order.url,
    )
    return data | money(order.total)


def decision_data(order: PurchaseOrder) -> dict[str, object]:
    """Return the data of an order that no longer waits, including the decision."""
    approval = order.review.progress
    return data_of(order) | without_blanks(
        decision=_DECISIONS[order.status], decided_by=order.review.named(approval.decided_by), reason=approval.reason
    )


PURCHASING: ListedArea[PurchaseOrder] = ListedArea(
    name="purchasing",
    kind=kinds.PURCHASE_ORDERS,
    listed=Filter.PENDING,
    judge=judge,
    gone_type=EventType.PO_DECIDED,
    gone_data={"decision": "withdrawn"},
)


RECEIPTS: ListedArea[PurchaseOrder] = ListedArea(
    name="receipts",
    kind=kinds.PURCHASE_ORDERS,
    listed=Filter.LATE,
    judge=lambda order, today: late_record(EventType.PO_LATE, order, data_of(order), today),
    gone_type=EventType.PO_LATE,
)
