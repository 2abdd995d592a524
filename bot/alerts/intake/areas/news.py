"""New and changed sales orders, for companies that want to hear of every one."""

from __future__ import annotations

from datetime import date, timedelta

from bot.alerts.event import EventType
from bot.alerts.intake.areas.area import Swept, said, said_amount
from bot.alerts.intake.areas.orders import data_of
from bot.alerts.intake.polled import OVER, Finding
from bot.erp.model import Area, SalesOrder
from bot.erp.one_source import OneSource
from bot.erp.port import Capability

KNOWN = "known"


class OrderNews:
    """Implements `bot.alerts.intake.areas.area.PolledArea`."""

    name = "order_news"
    feed = Area.SALES
    needs = Capability.SALES_ORDERS
    sweeps_by_feed = True
    sweep_every = timedelta(days=1)

    async def read(self, erp: OneSource, code: str, today: date) -> Finding:
        """Return an order as it is now."""
        return judge(await erp.order(code), today)

    def gone(self, code: str) -> Finding:
        """Return the last word on an order that is no more."""
        data = {"number": code, "status": "deleted", "resolved": True}
        return Finding(code=code, state=OVER, type=EventType.ORDER_CHANGED, data=data)

    async def sweep(self, erp: OneSource, place: str, limit: int, today: date) -> Swept | None:
        """Return None: only what changes is news."""
        return None


ORDER_NEWS = OrderNews()


def judge(order: SalesOrder, today: date) -> Finding:
    """Return an order as news: a new one where it is unknown and was ordered just now, else a changed one."""
    is_new = order.ordered_on is None or order.ordered_on >= today - timedelta(days=1)
    return Finding(
        code=order.number,
        state=KNOWN,
        type=EventType.ORDER_CREATED if is_new else EventType.ORDER_CHANGED,
        change_type=EventType.ORDER_CHANGED,
        data=data_of(order),
        said=said(
            status=order.status.value,
            due_on=order.promised_on.isoformat() if order.promised_on else "",
            amount=said_amount(order.total),
        ),
        changed_at=order.changed_at,
    )
