"""New and changed sales orders, for companies that want to hear of every one."""

from __future__ import annotations

from datetime import date, timedelta

from bot.alerts.event import EventType
from bot.alerts.intake.areas.area import SweepPage, comparable_fields, format_amount
from bot.alerts.intake.areas.orders import data_of
from bot.alerts.intake.poll_state import NORMAL, PolledRecord
from bot.erp.model import Area, SalesOrder
from bot.erp.port import Capability
from bot.erp.source_client import SourceClient

KNOWN = "known"


class OrderNews:
    """Implements `bot.alerts.intake.areas.area.PolledArea`."""

    name = "order_news"
    feed = Area.SALES
    needs = Capability.SALES_ORDERS
    sweeps_by_feed = True
    sweep_every = timedelta(days=1)

    async def read(self, erp: SourceClient, code: str, today: date) -> PolledRecord:
        """Return an order as it is now."""
        return judge(await erp.order(code), today)

    def gone(self, code: str) -> PolledRecord:
        """Return the last word on an order that is no more."""
        data = {"number": code, "status": "deleted", "resolved": True}
        return PolledRecord(code=code, state=NORMAL, type=EventType.ORDER_CHANGED, data=data)

    async def sweep(self, erp: SourceClient, place: str, limit: int, today: date) -> SweepPage | None:
        """Return None: only what changes is news."""
        return None


ORDER_NEWS = OrderNews()


def judge(order: SalesOrder, today: date) -> PolledRecord:
    """Return an order as news: a new one where it is unknown and was ordered just now, else a changed one."""
    is_new = order.ordered_on is None or order.ordered_on >= today - timedelta(days=1)
    return PolledRecord(
        code=order.number,
        state=KNOWN,
        type=EventType.ORDER_CREATED if is_new else EventType.ORDER_CHANGED,
        change_type=EventType.ORDER_CHANGED,
        data=data_of(order),
        said=comparable_fields(
            status=order.status.value,
            due_on=order.promised_on.isoformat() if order.promised_on else "",
            amount=format_amount(order.total),
        ),
        changed_at=order.changed_at,
    )
