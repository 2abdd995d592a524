"""Production orders unfinished past their due date."""

from __future__ import annotations

from datetime import date

from bot.alerts.event import EventType
from bot.alerts.intake.areas.area import ListedArea, late_record, without_blanks
from bot.alerts.intake.poll_state import NORMAL, PolledRecord
from bot.erp import kinds
from bot.erp.model import ProductionOrder, ProductionStatus
from bot.erp.port import Filter


def judge(order: ProductionOrder, today: date) -> PolledRecord:
    """Return the meaning of a production order today."""
    data = data_of(order)
    if order.status is ProductionStatus.DONE:
        return PolledRecord(
            code=order.number, state=NORMAL, type=EventType.PRODUCTION_DONE, data=data, changed_at=order.changed_at
        )
    return late_record(EventType.PRODUCTION_LATE, order, data, today)


def data_of(order: ProductionOrder) -> dict[str, object]:
    """Return a production order as the data of an event."""
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


PRODUCTION: ListedArea[ProductionOrder] = ListedArea(
    name="production",
    kind=kinds.PRODUCTION_ORDERS,
    listed=Filter.LATE,
    judge=judge,
    gone_type=EventType.PRODUCTION_LATE,
)
