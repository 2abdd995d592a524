"""Sales orders whose goods are owed since the promised date."""

from __future__ import annotations

from datetime import date

from bot.alerts.event import EventType
from bot.alerts.intake.areas.area import ListedArea, comparable_fields, day_after, money, without_blanks
from bot.alerts.intake.poll_state import NORMAL, PolledRecord
from bot.erp.model import Area, SalesOrder
from bot.erp.port import Capability, Filter

LATE = "late"


def judge(order: SalesOrder, today: date) -> PolledRecord:
    """Return what a sales order means today."""
    is_late = order.days_late(today) > 0
    promised = order.promised_on
    return PolledRecord(
        code=order.number,
        state=LATE if is_late else NORMAL,
        type=EventType.ORDER_LATE,
        data=data_of(order) | ({} if is_late else {"resolved": True}),
        said=comparable_fields(due_on=promised.isoformat() if promised else "") if is_late else {},
        since=day_after(promised),
        changed_at=order.changed_at,
    )


def data_of(order: SalesOrder) -> dict[str, object]:
    """Return a sales order as an event has it."""
    about = without_blanks(
        number=order.number,
        customer=order.customer,
        owner=order.salesperson,
        due_on=order.promised_on,
        ordered_on=order.ordered_on,
        status=order.status.value,
        link=order.url,
    )
    return about | money(order.total)


def gone(number: str) -> PolledRecord:
    """Return that nobody waits for an order that is no more."""
    return PolledRecord(code=number, state=NORMAL, type=EventType.ORDER_LATE, data={"number": number, "resolved": True})


ORDERS: ListedArea[SalesOrder] = ListedArea(
    name="orders",
    feed=Area.SALES,
    needs=Capability.SALES_ORDERS,
    listed=Filter.LATE,
    one=lambda erp, number: erp.order(number),
    many=lambda erp, query: erp.orders(query),
    judge=judge,
    gone=gone,
)
