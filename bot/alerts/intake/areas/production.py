"""Production orders that are not finished since their due date."""

from __future__ import annotations

from datetime import date

from bot.alerts.event import EventType
from bot.alerts.intake.areas.area import ListedArea, comparable_fields, day_after, without_blanks
from bot.alerts.intake.poll_state import NORMAL, PolledRecord
from bot.erp.model import Area, ProductionOrder, ProductionStatus
from bot.erp.port import Capability, Filter

LATE = "late"


def judge(order: ProductionOrder, today: date) -> PolledRecord:
    """Return what a production order means today."""
    data = data_of(order)
    is_late = order.days_late(today) > 0
    if order.status is ProductionStatus.DONE:
        return PolledRecord(
            code=order.number, state=NORMAL, type=EventType.PRODUCTION_DONE, data=data, changed_at=order.changed_at
        )
    return PolledRecord(
        code=order.number,
        state=LATE if is_late else NORMAL,
        type=EventType.PRODUCTION_LATE,
        data=data | ({} if is_late else {"resolved": True}),
        said=comparable_fields(due_on=order.due_on.isoformat() if order.due_on else "") if is_late else {},
        since=day_after(order.due_on),
        changed_at=order.changed_at,
    )


def data_of(order: ProductionOrder) -> dict[str, object]:
    """Return a production order as an event has it."""
    return without_blanks(
        number=order.number,
        sku=order.sku,
        name=order.name,
        unit=order.unit,
        quantity=order.planned,
        produced=order.produced,
        scrapped=order.scrapped,
        due_on=order.due_on,
        status=order.status.value,
        link=order.url,
    )


def gone(number: str) -> PolledRecord:
    """Return that nobody waits for an order that is no more."""
    data = {"number": number, "resolved": True}
    return PolledRecord(code=number, state=NORMAL, type=EventType.PRODUCTION_LATE, data=data)


PRODUCTION: ListedArea[ProductionOrder] = ListedArea(
    name="production",
    feed=Area.PRODUCTION,
    needs=Capability.PRODUCTION_ORDERS,
    listed=Filter.LATE,
    one=lambda erp, number: erp.production_order(number),
    many=lambda erp, query: erp.production_orders(query),
    judge=judge,
    gone=gone,
)
