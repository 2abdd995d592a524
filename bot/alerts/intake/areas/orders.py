"""Sales orders: late ones, and every new or changed one for companies that want such news."""

from __future__ import annotations

from datetime import date, timedelta

from bot.alerts.event import EventType
from bot.alerts.intake.areas.area import (
    ListedArea,
    SweepPage,
    comparable_fields,
    format_amount,
    format_date,
    late_record,
    money,
    without_blanks,
)
from bot.alerts.intake.poll_state import NORMAL, PolledRecord
from bot.erp import kinds
from bot.erp.model import Area, SalesOrder
from bot.erp.port import Capability, Filter
from bot.erp.source_client import SourceClient

KNOWN = "known"


def judge_news(order: SalesOrder, today: date) -> PolledRecord:
    """Return an order as news: new if it is unknown and was just ordered, otherwise changed."""
    is_new = order.ordered_on is None or order.ordered_on >= today - timedelta(days=1)
    return PolledRecord(
        code=order.number,
        state=KNOWN,
        type=EventType.ORDER_CREATED if is_new else EventType.ORDER_CHANGED,
        change_type=EventType.ORDER_CHANGED,
        data=data_of(order),
        said=comparable_fields(
            status=order.status.value, due_on=format_date(order.promised_on), amount=format_amount(order.total)
        ),
        changed_at=order.changed_at,
    )


def data_of(order: SalesOrder) -> dict[str, object]:
    """Return a sales order as the data of an event."""
    data = without_blanks(
        number=order.number,
        customer=order.customer,
        owner=order.salesperson,
        due_on=order.promised_on,
        ordered_on=order.ordered_on,
        status=order.status.value,
        link=order.url,
    )
    return data | money(order.total)


ORDERS: ListedArea[SalesOrder] = ListedArea(
    name="orders",
    kind=kinds.SALES_ORDERS,
    listed=Filter.LATE,
    judge=lambda order, today: late_record(EventType.ORDER_LATE, order, data_of(order), today),
    gone_type=EventType.ORDER_LATE,
)


class OrderNews:
    """A `bot.alerts.intake.areas.area.PolledArea` of new and changed orders."""

    name = "order_news"
    feed = Area.SALES
    needs = Capability.SALES_ORDERS
    sweep_every = timedelta(days=1)

    async def read(self, erp: SourceClient, code: str, today: date) -> PolledRecord:
        """Return the order's current state."""
        return judge_news(await erp.order(code), today)

    def gone(self, code: str) -> PolledRecord:
        """Return the last news of a deleted order."""
        data = {"number": code, "status": "deleted", "resolved": True}
        return PolledRecord(code=code, state=NORMAL, type=EventType.ORDER_CHANGED, data=data)

    async def sweep(self, erp: SourceClient, place: str, limit: int, today: date) -> SweepPage | None:
        """Return None: only changes are news."""
        return None


ORDER_NEWS = OrderNews()
